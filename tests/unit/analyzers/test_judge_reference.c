/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The judge against a plain reading of the reference: every cell is kept, every
 * sum is made anew, logarithms are libm's.  Decisions must be equal, except in
 * a sequence where a comparison is closer than the fixed point's thousandth.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "judge_help.h"

enum { CELLS_MAX = 20000, FOUND_MAX = 64, SEQUENCES = 3000 };

struct params {
	const char *rule;
	double prior, m, min_bad, min_ratio, over, h;
};

static const struct params params[] = {
	{ "slow-post", 0.01, 20, 3, 0.10, 0, 13.816 },
	{ "not-found", 0.02, 50, 4, 0, 0.03, 13.816 },
	{ "target-health", 0.01, 20, 2, 0.02, 0, 2.996 },
	{ "server-error", 0.01, 50, 4, 0, 0.02, 13.816 },
};

struct plain_cell {
	int at;
	double n, bad;
	bool out; /* belongs to a finding */
};

struct plain_finding {
	int detected, onset, end;
	double n, bad, g;
	bool open;
};

struct plain {
	const struct params *p;
	struct plain_cell v[CELLS_MAX];
	int n;
	struct plain_finding found[FOUND_MAX];
	int n_found;
	bool open;
	int hot;
	int fence; /* windows do not reach over the last finding */
	double p0;
	bool close_call;
};

static bool
near(double a, double b, double distance)
{
	return fabs(a - b) < distance;
}

static double
glr(double n, double k, double p0)
{
	double p = k / n;

	if (p <= p0)
		return 0;
	return k * log(p / p0) +
	       (k < n ? (n - k) * log((1 - p) / (1 - p0)) : 0);
}

/* a ≥ b, noting when that hangs by a thread. */
static bool
reach(struct plain *r, double a, double b)
{
	if (near(a, b, 1e-9))
		r->close_call = true;
	return a >= b;
}

static void
onset(struct plain *r, struct plain_finding *f, int first)
{
	double n = 0;
	double k = 0;
	double best = -1;

	for (int i = r->n - 1; i >= first; i--) {
		if (r->v[i].out)
			continue;
		n += r->v[i].n;
		k += r->v[i].bad;
		if (r->v[i].bad < 1)
			continue;

		double g = glr(n, k, r->p0);

		if (best >= 0 && near(g, best, 0.002))
			r->close_call = true;
		if (g > best) {
			best = g;
			f->onset = r->v[i].at;
		}
	}
	for (int i = first; i < r->n; i++) {
		if (r->v[i].out || r->v[i].at < f->onset)
			continue;
		r->v[i].out = true;
		f->n += r->v[i].n;
		f->bad += r->v[i].bad;
	}
}

static void
decide(struct plain *r)
{
	static const int windows[] = { 1, 2, 3, 6, 12, 30, 90, 360 };
	int at = r->v[r->n - 1].at;
	struct plain_finding f = { .detected = at, .end = at, .open = true };
	int decided = 0;
	double before_n = -1;

	for (size_t w = 0; w < sizeof windows / sizeof windows[0]; w++) {
		double n = 0, k = 0, base_n = 0, base_k = 0;

		for (int i = r->n - 1; i >= 0; i--) {
			const struct plain_cell *c = &r->v[i];

			if (c->out)
				continue;
			if (at - c->at < windows[w] && c->at >= r->fence) {
				n += c->n;
				k += c->bad;
			} else if ((START + c->at) / 6 >
				   (START + at) / 6 - 1440) {
				base_n += c->n;
				base_k += c->bad;
			}
		}

		double p0 =
		    (base_k + r->p->m * r->p->prior) / (base_n + r->p->m);
		double g = glr(n, k, p0);

		if (k < r->p->min_bad || !reach(r, k / n, r->p->min_ratio) ||
		    !reach(r, k / n, 3 * p0) ||
		    !reach(r, k / n, p0 + r->p->over))
			continue;
		if (near(g, r->p->h, 0.01) ||
		    (decided && n > before_n && near(g, f.g, 0.002)))
			r->close_call = true;
		before_n = n;
		if (g <= r->p->h || g <= f.g)
			continue;
		f.g = g;
		r->p0 = p0;
		decided = windows[w];
	}
	if (!decided)
		return;

	int first = r->n;

	while (first > 0 && at - r->v[first - 1].at < decided &&
	       r->v[first - 1].at >= r->fence)
		first--;
	onset(r, &f, first);
	r->fence = at + 1;
	cr_assert_lt(r->n_found, FOUND_MAX);
	r->found[r->n_found++] = f;
	r->open = true;
	r->hot = at;
}

/* The open finding at one more cell, which is its own. */
static void
live(struct plain *r)
{
	struct plain_finding *f = &r->found[r->n_found - 1];
	int at = r->v[r->n - 1].at;
	double n = 0, k = 0;

	r->v[r->n - 1].out = true;
	for (int i = r->n - 1; i >= 0 && at - r->v[i].at < 30; i--) {
		if (r->v[i].at < f->onset)
			break;
		n += r->v[i].n;
		k += r->v[i].bad;
	}
	if (near(k / n, 3 * r->p0, 1e-9))
		r->close_call = true;
	if (k / n <= 3 * r->p0)
		return;
	r->hot = at;
	if (r->v[r->n - 1].bad < 1)
		return;
	f->end = at;
	f->n = 0;
	f->bad = 0;
	for (int i = r->n - 1; i >= 0 && r->v[i].at >= f->onset; i--) {
		f->n += r->v[i].n;
		f->bad += r->v[i].bad;
	}
}

static void
plain_feed(struct plain *r, int at, unsigned n, unsigned bad)
{
	/* Quiet for 20 minutes, something having been answered, or for 2 h. */
	if (r->open && at - r->hot > 120 &&
	    (r->v[r->n - 1].at > r->hot || at - r->hot > 720)) {
		r->open = false;
		r->found[r->n_found - 1].open = false;
	}
	cr_assert_lt(r->n, CELLS_MAX);
	r->v[r->n++] = (struct plain_cell){ at, n, bad, false };
	if (r->open)
		live(r);
	else if (bad > 0)
		decide(r);
}

static struct cell
cell_for(int rule, unsigned n, unsigned bad)
{
	if (rule == 0)
		return (struct cell){ .n = n, .timed = n, .slow = bad };
	if (rule == 1)
		return (struct cell){ .n = n,
			.not_found = bad,
			.status = { 0, 0, n } };
	if (rule == 3)
		return (struct cell){ .n = n,
			.status = { 0, 0, n - bad, 0, 0, bad } };
	return (struct cell){ .probes = n, .probes_bad = bad };
}

/* A random life: phases of changing rate and ratio, with holes. */
static void
sequence(struct plain *r, struct run *run, int rule, uint64_t *seed)
{
	static const double ratios[] = { 0, 0, 0, 0.001, 0.01, 0.03, 0.05, 0.12,
		0.25, 0.6, 1 };
	int at = 0;
	int phases = 2 + (int)(random_next(seed) % 6);

	for (int i = 0; i < phases; i++) {
		double ratio = ratios[random_next(seed) %
				      (sizeof(ratios) / sizeof(ratios[0]))];
		double rate = 0.2 * (double)(1 + random_next(seed) % 40);
		int cells = 1 + (int)(random_next(seed) % 200);

		for (int c = 0; c < cells; c++, at++) {
			unsigned n = random_poisson(seed, rate);
			unsigned bad = random_of(seed, n, ratio);

			if (n == 0)
				continue;
			plain_feed(r, at, n, bad);
			run_cell(run, at, METHOD_POST, cell_for(rule, n, bad));
		}
		if (random_next(seed) % 4 == 0)
			at += (int)(random_next(seed) % 400);
		if (random_next(seed) % 16 == 0)
			at += (int)(random_next(seed) % 20000);
	}
}

static int
by_detection(const void *pa, const void *pb)
{
	const struct finding *a = pa, *b = pb;

	return a->detected_ns < b->detected_ns
		   ? -1
		   : a->detected_ns > b->detected_ns;
}

static void
compare(const struct plain *r, struct run *run, int number)
{
	struct findings *out = &run->out;

	cr_assert_eq(out->n, (size_t)r->n_found, "%s %d: %zu, plainly %d",
	    r->p->rule, number, out->n, r->n_found);
	if (out->n > 1)
		qsort(out->v, out->n, sizeof(out->v[0]), by_detection);
	for (size_t i = 0; i < out->n; i++) {
		const struct finding *f = &out->v[i];
		const struct plain_finding *p = &r->found[i];

		cr_expect_eq(run_at(f->detected_ns) - 1, p->detected);
		cr_expect_eq(run_at(f->start_ns), p->onset,
		    "%s %d: onset %d, plainly %d", r->p->rule, number,
		    run_at(f->start_ns), p->onset);
		cr_expect_eq(run_at(f->end_ns) - 1, p->end);
		cr_expect(near((double)f->total, p->n, 0.5));
		cr_expect(near((double)f->bad, p->bad, 0.5));
		cr_expect(near((double)f->g_milli / 1000, p->g, 0.0015));
		cr_expect_eq(f->open, p->open);
	}
}

Test(judge_reference, decides_as_the_plain_reading_does)
{
	static struct plain r;
	int compared = 0, found = 0, close_calls = 0;

	for (int i = 0; i < SEQUENCES; i++) {
		uint64_t seed = UINT64_C(88172645463325252) + (uint64_t)i;
		int rule = i % 4;
		struct run run = run_start(params[rule].rule);

		r = (struct plain){ .p = &params[rule] };
		sequence(&r, &run, rule, &seed);
		run_end(&run);
		if (r.close_call) {
			close_calls++;
		} else {
			compare(&r, &run, i);
			compared++;
			found += r.n_found;
		}
		run_fini(&run);
	}
	cr_log_info("%d sequences, %d findings; %d close calls left out",
	    compared, found, close_calls);
	cr_expect_gt(compared, SEQUENCES * 8 / 10);
	cr_expect_gt(found, SEQUENCES / 4);
}
