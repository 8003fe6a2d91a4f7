/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables of two by two against figures of an independent implementation, and
 * what is picked from requests as the Like service makes them.
 */
#include "analyzers/cause.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "judge_help.h"

static double
part(double o, double e)
{
	return o > 0 ? o * log(o / e) : 0;
}

static double
g2(struct fourfold t)
{
	double n = (double)(t.a + t.b + t.c + t.d);
	double bad = (double)(t.a + t.b);
	double good = (double)(t.c + t.d);
	double with = (double)(t.a + t.c);
	double without = (double)(t.b + t.d);

	return 2 * (part((double)t.a, bad * with / n) +
		       part((double)t.b, bad * without / n) +
		       part((double)t.c, good * with / n) +
		       part((double)t.d, good * without / n));
}

Test(cause, likelihood_ratio_of_a_table)
{
	uint64_t seed = 7;

	for (int i = 0; i < 5000; i++) {
		struct fourfold t = { random_next(&seed) % 5000,
			random_next(&seed) % 5000, random_next(&seed) % 5000,
			random_next(&seed) % 5000 };
		double want = g2(t);
		double got = (double)table_g2_milli(t) / 1000;

		cr_assert(fabs(want - got) < 0.002 + want * 1e-9,
		    "%llu %llu %llu %llu: %g, not %g", (unsigned long long)t.a,
		    (unsigned long long)t.b, (unsigned long long)t.c,
		    (unsigned long long)t.d, got, want);
	}
	cr_expect(table_g2_milli((struct fourfold){ 5, 0, 7, 0 }) == 0);
	cr_expect(table_g2_milli((struct fourfold){ 5, 3, 0, 0 }) == 0);
	for (uint64_t x = 1; x < 2000; x++)
		cr_assert(
		    fabs((double)ln_milli(x) / 1000 - log((double)x)) < 0.0011);
}

/* R: fisher.test(matrix(c(a, b, c, d), 2), alternative = "greater")$p.value */
static const struct {
	const char *name;
	struct fourfold t;
	int64_t ppm;
} exact[] = {
	{ "six of six against none of three", { 6, 0, 0, 3 }, 11905 },
	{ "the lady tasting tea", { 3, 1, 1, 3 }, 242858 },
	{ "all of all", { 4, 0, 4, 0 }, 1000000 },
	{ "three of three, a quarter of the others", { 3, 0, 5, 15 }, 31621 },
	{ "nothing at all", { 0, 0, 0, 0 }, 1000000 },
};

Test(cause, exact_probability_of_a_small_table)
{
	for (size_t i = 0; i < sizeof exact / sizeof exact[0]; i++)
		cr_expect(fisher_ppm(exact[i].t) == exact[i].ppm, "%s: %lld",
		    exact[i].name, (long long)fisher_ppm(exact[i].t));
}

/* Features of the Like service, in the order in which they are logged. */
enum { RECEIVED = 1, STRESS, MISSING, LEFT_ON, PROCESSED, FULFILLED };

struct world {
	struct cause_case *cases;
	struct cause_mark *marks;
	size_t n, n_marks;
};

static struct world
world_new(size_t n)
{
	return (struct world){ .cases = calloc(n, sizeof(struct cause_case)),
		.marks = calloc(n * 8, sizeof(struct cause_mark)) };
}

static void
world_fini(struct world *w)
{
	free(w->cases);
	free(w->marks);
}

/* A request with the features, 0 ending them. */
static void
request(struct world *w, bool bad, const uint64_t *features)
{
	struct cause_case *c = &w->cases[w->n++];

	c->bad = bad;
	c->marks = &w->marks[w->n_marks];
	for (; features[c->n]; c->n++)
		w->marks[w->n_marks++] =
		    (struct cause_mark){ .feature = features[c->n],
			    .lag_ms = (int32_t)c->n * 3,
			    .at = (uint32_t)c->n };
}

static const uint64_t stressed[] = { RECEIVED, STRESS, LEFT_ON, PROCESSED,
	FULFILLED, 0 };
static const uint64_t missing[] = { RECEIVED, MISSING, 0 };
static const uint64_t normal[] = { RECEIVED, LEFT_ON, PROCESSED, FULFILLED, 0 };

static size_t
search(struct world *w, struct cause_pick picks[3])
{
	return cause_search(w->cases, w->n, picks, 3);
}

Test(cause, names_the_stress_line_and_none_of_what_goes_along)
{
	struct world w = world_new(120);
	struct cause_pick p[3];

	for (int i = 0; i < 64; i++)
		request(&w, true, stressed);
	for (int i = 0; i < 25; i++)
		request(&w, false, missing);
	for (int i = 0; i < 11; i++)
		request(&w, false, normal);
	cr_assert(search(&w, p) == 1);
	cr_expect(p[0].feature == STRESS);
	cr_expect(p[0].table.a == 64 && p[0].table.b == 0 &&
		  p[0].table.c == 0 && p[0].table.d == 36);
	cr_expect(p[0].lift_milli == 72000, "%lld", (long long)p[0].lift_milli);
	cr_expect(p[0].lag_ms == 3);
	world_fini(&w);
}

Test(cause, names_the_404_line)
{
	struct world w = world_new(120);
	struct cause_pick p[3];

	for (int i = 0; i < 64; i++)
		request(&w, false, stressed);
	for (int i = 0; i < 25; i++)
		request(&w, true, missing);
	for (int i = 0; i < 11; i++)
		request(&w, false, normal);
	cr_assert(search(&w, p) == 1);
	cr_expect(p[0].feature == MISSING);
	world_fini(&w);
}

Test(cause, six_of_nine_are_enough)
{
	struct world w = world_new(9);
	struct cause_pick p[3];

	for (int i = 0; i < 6; i++)
		request(&w, true, stressed);
	request(&w, false, missing);
	request(&w, false, missing);
	request(&w, false, normal);
	cr_assert(search(&w, p) == 1);
	cr_expect(p[0].feature == STRESS);
	world_fini(&w);
}

Test(cause, stress_without_slowness_raises_nothing)
{
	struct world w = world_new(120);
	struct cause_pick p[3];

	for (int i = 0; i < 64; i++)
		request(&w, i % 20 == 0, stressed);
	for (int i = 0; i < 25; i++)
		request(&w, i % 20 == 0, missing);
	for (int i = 0; i < 11; i++)
		request(&w, i == 0, normal);
	cr_expect(search(&w, p) == 0);
	world_fini(&w);
}

Test(cause, of_lines_that_always_come_together_the_first)
{
	static const uint64_t with[] = { 10, 11, 12, 0 };
	static const uint64_t without[] = { 13, 0 };
	struct world w = world_new(40);
	struct cause_pick p[3];

	for (int i = 0; i < 20; i++)
		request(&w, true, with);
	for (int i = 0; i < 20; i++)
		request(&w, false, without);
	cr_assert(search(&w, p) == 1);
	cr_expect(p[0].feature == 10);
	world_fini(&w);
}

Test(cause, two_causes_are_two)
{
	static const uint64_t one[] = { 10, 30, 0 };
	static const uint64_t two[] = { 20, 30, 0 };
	static const uint64_t none[] = { 30, 0 };
	struct world w = world_new(200);
	struct cause_pick p[3];

	for (int i = 0; i < 30; i++)
		request(&w, true, one);
	for (int i = 0; i < 28; i++)
		request(&w, true, two);
	for (int i = 0; i < 100; i++)
		request(&w, false, none);
	cr_assert(search(&w, p) == 2);
	cr_expect(p[0].feature == 10 && p[1].feature == 20);
	cr_expect(p[1].table.a == 28 && p[1].table.b == 30);
	world_fini(&w);
}

/* Requests that have lines by chance, twenty of them: hardly ever a cause. */
Test(cause, chance_is_no_cause)
{
	uint64_t seed = 11;
	int wrong = 0;

	for (int run = 0; run < 500; run++) {
		struct world w = world_new(60);
		struct cause_pick p[3];

		for (int i = 0; i < 60; i++) {
			uint64_t f[8];
			size_t n = 0;

			for (uint64_t k = 1; k <= 20 && n < 7; k++)
				if (random_next(&seed) % 4 == 0)
					f[n++] = k;
			f[n] = 0;
			request(&w, i < 3 + run % 20, f);
		}
		wrong += search(&w, p) > 0;
		world_fini(&w);
	}
	/* The level is one in twenty. */
	cr_expect(wrong <= 27, "%d of 500", wrong);
}

Test(cause, nothing_to_compare_is_no_cause)
{
	struct world w = world_new(10);
	struct cause_pick p[3];

	cr_expect(search(&w, p) == 0);
	for (int i = 0; i < 10; i++)
		request(&w, true, stressed);
	cr_expect(search(&w, p) == 0);
	world_fini(&w);
}

Test(cause, surprise_of_a_rate)
{
	struct cause_rate banner = { .now = 2,
		.now_ns = 300 * INT64_C(1000000000),
		.before_ns = 3600 * INT64_C(1000000000) };
	struct cause_rate usual = banner;
	double lambda = 0.5 * 300 / 3600;
	double want = 2 * log(2 / lambda) - 2 + lambda;

	cr_expect(
	    fabs((double)cause_surprise_milli(banner) / 1000 - want) < 0.01);
	usual.before = 24;
	cr_expect(cause_surprise_milli(usual) == 0);
	usual.now = 0;
	cr_expect(cause_surprise_milli(usual) == 0);
}
