/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Causes, section 3.4 of the reference on detection.
 *
 *	            with x   without
 *	bad           a         b          P(x|bad)   = a/(a+b)
 *	others        c         d          P(x|other) = c/(c+d)
 *
 * A feature is a candidate when P(x|bad) ≥ 0.3, lift = P(x|bad)/P(x|other) ≥ 2
 * and the table is no accident: G² > 6.6, and e^(−G²/2) ≤ 0.05/m (Chernoff as
 * in glr.h), m being the number of different tables that could have been one
 * (Bonferroni): what is in all requests or in hardly a bad one is no test.
 * Up to FISHER_MAX requests Fisher's exact p ≤ 0.05/m is asked instead: 6 of
 * 6 against 0 of 3 has p = 0.012.
 *
 * The candidate with the largest G² is picked; of those within a tenth of it,
 * the one that comes earliest in its requests: what follows from a cause has
 * the cause's table.  Then the requests that have it are set aside, bad and
 * others, and the rest is searched in the same way.  So a line that only goes
 * along with what was picked is not told again: among the requests without the
 * stress line, no bad one has "should NOT be left on".
 *
 * Numbers told are of all requests, not of the rest.
 */
#include "analyzers/cause.h"

#include <assert.h>
#include <stdlib.h>

#include "core/mem.h"

__extension__ typedef unsigned __int128 u128;

enum {
	SHARE_PERCENT = 30,
	LIFT_MILLI = 2000,
	G2_MILLI = 6635,  /* χ², one degree of freedom, 1 % */
	FEW_PPM = 50000,  /* Fisher's p, before it is divided by m */
	FEW_INVERSE = 20, /* the same as 1/p */
	NEAR_PERCENT = 90,
	LEAST_BAD = 2, /* one bad request alone shows nothing */
};

/* One request's mark, for sorting all of them by feature. */
struct seen {
	uint64_t feature;
	uint32_t of;
	int32_t lag_ms;
	uint32_t at;
};

/* A feature and where its marks are in the sorted list. */
struct feature {
	uint64_t id;
	size_t from, n;
	struct fourfold all, rest;
	int64_t g2_milli; /* of rest; 0: no candidate */
	uint32_t at;      /* median place in its bad requests */
};

struct search {
	const struct cause_case *cases;
	size_t n;
	bool *aside;
	struct seen *seen;
	size_t n_seen;
	struct feature *features;
	size_t n_features;
};

static int
by_feature(const void *pa, const void *pb)
{
	const struct seen *a = pa;
	const struct seen *b = pb;

	if (a->feature != b->feature)
		return a->feature < b->feature ? -1 : 1;
	return a->of < b->of ? -1 : a->of > b->of;
}

static void
gather(struct search *s)
{
	size_t total = 0;
	size_t k = 0;
	size_t from = 0;

	for (size_t i = 0; i < s->n; i++)
		total += s->cases[i].n;
	s->seen = xcalloc(total + 1, sizeof *s->seen);
	s->features = xcalloc(total + 1, sizeof *s->features);
	for (size_t i = 0; i < s->n; i++)
		for (size_t m = 0; m < s->cases[i].n; m++) {
			const struct cause_mark *mark = &s->cases[i].marks[m];

			s->seen[k++] = (struct seen){ mark->feature,
				(uint32_t)i, mark->lag_ms, mark->at };
		}
	s->n_seen = total;
	if (total > 0)
		qsort(s->seen, total, sizeof *s->seen, by_feature);
	for (size_t i = 1; i <= total; i++) {
		if (i < total && s->seen[i].feature == s->seen[from].feature)
			continue;
		s->features[s->n_features++] = (struct feature){
			.id = s->seen[from].feature,
			.from = from,
			.n = i - from,
		};
		from = i;
	}
}

/* The features' tables among the requests that are not set aside. */
static void
tabulate(struct search *s)
{
	uint64_t bad = 0;
	uint64_t others = 0;

	for (size_t i = 0; i < s->n; i++) {
		bad += !s->aside[i] && s->cases[i].bad;
		others += !s->aside[i] && !s->cases[i].bad;
	}
	for (size_t k = 0; k < s->n_features; k++) {
		struct feature *f = &s->features[k];
		struct fourfold t = { 0 };

		for (size_t i = f->from; i < f->from + f->n; i++) {
			uint32_t of = s->seen[i].of;

			t.a += !s->aside[of] && s->cases[of].bad;
			t.c += !s->aside[of] && !s->cases[of].bad;
		}
		t.b = bad - t.a;
		t.d = others - t.c;
		f->rest = t;
	}
}

static int64_t
lift_milli(struct fourfold t)
{
	uint64_t bad = t.a + t.b;
	uint64_t others = t.c + t.d;
	uint64_t half = t.c > 0 ? 2 * t.c : 1; /* in halves */

	if (bad == 0 || others == 0)
		return 0;
	return (int64_t)((u128)t.a * others * 2000 / ((u128)bad * half));
}

static bool
is_frequent(struct fourfold t)
{
	return t.a >= LEAST_BAD && t.a * 100 >= (t.a + t.b) * SHARE_PERCENT &&
	       lift_milli(t) >= LIFT_MILLI;
}

static bool
is_test(struct fourfold t)
{
	return t.a >= LEAST_BAD && t.b + t.d > 0;
}

/* C(n, k) for n ≤ FISHER_MAX. */
static uint64_t
choose(uint64_t n, uint64_t k)
{
	uint64_t c = 1;

	if (k > n)
		return 0;
	for (uint64_t i = 0; i < k; i++)
		c = (uint64_t)((u128)c * (n - i) / (i + 1));
	return c;
}

int64_t
fisher_ppm(struct fourfold t)
{
	uint64_t bad = t.a + t.b;
	uint64_t with = t.a + t.c;
	uint64_t n = bad + t.c + t.d;
	uint64_t ways = choose(n, bad);
	u128 more = 0;

	assert(n <= FISHER_MAX && ways > 0);
	for (uint64_t a = t.a; a <= bad && a <= with; a++)
		more += (u128)choose(with, a) * choose(n - with, bad - a);
	return (int64_t)((more * PPM + ways - 1) / ways);
}

/* Not by chance, m tables of one kind having been looked at. */
static bool
is_no_accident(struct fourfold t, int64_t g2_milli, uint64_t m)
{
	if (t.a + t.b + t.c + t.d <= FISHER_MAX)
		return fisher_ppm(t) * (int64_t)m <= FEW_PPM;
	return g2_milli > G2_MILLI && g2_milli >= 2 * ln_milli(FEW_INVERSE * m);
}

static int
by_table(const void *pa, const void *pb)
{
	const struct fourfold *a = pa;
	const struct fourfold *b = pb;

	if (a->a != b->a)
		return a->a < b->a ? -1 : 1;
	return a->c < b->c ? -1 : a->c > b->c;
}

/* How many different tables could show something. */
static uint64_t
count_tables(const struct search *s)
{
	struct fourfold *t = xcalloc(s->n_features + 1, sizeof *t);
	size_t n = 0;
	uint64_t m = 0;

	for (size_t i = 0; i < s->n_features; i++)
		if (is_test(s->features[i].rest))
			t[n++] = s->features[i].rest;
	if (n > 0)
		qsort(t, n, sizeof *t, by_table);
	for (size_t i = 0; i < n; i++)
		m += i == 0 || by_table(&t[i - 1], &t[i]) != 0;
	free(t);
	return m;
}

static int
by_value(const void *pa, const void *pb)
{
	const int64_t *a = pa;
	const int64_t *b = pb;

	return *a < *b ? -1 : *a > *b;
}

enum measure { LAG, AT };

/* The lower median over the bad requests that have the feature. */
static int64_t
median(const struct search *s, const struct feature *f, enum measure what)
{
	int64_t *v = xcalloc(f->n, sizeof *v);
	size_t n = 0;
	int64_t middle;

	for (size_t i = f->from; i < f->from + f->n; i++)
		if (s->cases[s->seen[i].of].bad)
			v[n++] = what == LAG ? s->seen[i].lag_ms
					     : (int64_t)s->seen[i].at;
	if (n > 0)
		qsort(v, n, sizeof *v, by_value);
	middle = n > 0 ? v[(n - 1) / 2] : 0;
	free(v);
	return middle;
}

/* Marks the candidates among what is not set aside; the largest G². */
static int64_t
find_candidates(struct search *s)
{
	int64_t most = 0;
	uint64_t m;

	tabulate(s);
	m = count_tables(s);
	for (size_t i = 0; i < s->n_features; i++) {
		struct feature *f = &s->features[i];
		int64_t g2 = table_g2_milli(f->rest);

		f->g2_milli = 0;
		if (!is_frequent(f->rest) || !is_frequent(f->all) ||
		    !is_no_accident(f->rest, g2, m))
			continue;
		f->g2_milli = g2;
		f->at = (uint32_t)median(s, f, AT);
		if (g2 > most)
			most = g2;
	}
	return most;
}

/* The earliest of those that are about as strong as the strongest. */
static const struct feature *
choose_feature(const struct search *s, int64_t most)
{
	const struct feature *best = NULL;

	for (size_t i = 0; i < s->n_features; i++) {
		const struct feature *f = &s->features[i];

		if (f->g2_milli == 0 || f->g2_milli < most / 100 * NEAR_PERCENT)
			continue;
		if (!best || f->at < best->at ||
		    (f->at == best->at && f->g2_milli > best->g2_milli))
			best = f;
	}
	return best;
}

size_t
cause_search(const struct cause_case *cases, size_t n, struct cause_pick *picks,
    size_t max)
{
	struct search s = { .cases = cases,
		.n = n,
		.aside = xcalloc(n + 1, sizeof *s.aside) };
	size_t found = 0;

	gather(&s);
	tabulate(&s);
	for (size_t i = 0; i < s.n_features; i++)
		s.features[i].all = s.features[i].rest;
	while (found < max) {
		int64_t most = find_candidates(&s);
		const struct feature *f = choose_feature(&s, most);

		if (!f)
			break;
		picks[found++] = (struct cause_pick){
			.feature = f->id,
			.table = f->all,
			.lift_milli = lift_milli(f->all),
			.g2_milli = table_g2_milli(f->all),
			.lag_ms = median(&s, f, LAG),
		};
		for (size_t i = f->from; i < f->from + f->n; i++)
			s.aside[s.seen[i].of] = true;
	}
	free(s.aside);
	free(s.seen);
	free(s.features);
	return found;
}

/* G = k ln(k/λ) − k + λ, λ = (before + ½)·now_ns/before_ns. */
int64_t
cause_surprise_milli(struct cause_rate r)
{
	uint64_t now_s = (uint64_t)(r.now_ns / 1000000000);
	uint64_t before_s = (uint64_t)(r.before_ns / 1000000000);
	int64_t lambda_milli;
	uint64_t over;

	if (r.now == 0 || now_s == 0 || before_s == 0)
		return 0;
	over = (2 * r.before + 1) * now_s;
	lambda_milli = (int64_t)(over * 500 / before_s);
	if ((u128)r.now * 2 * before_s <= over)
		return 0;
	return (int64_t)r.now *
		   (ln_milli(r.now * 2 * before_s) - ln_milli(over)) -
	       (int64_t)r.now * 1000 + lambda_milli;
}
