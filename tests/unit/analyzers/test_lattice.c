/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lattice in generated worlds: what is a probe is known there, so that
 * precision and recall are asserted and printed.
 */
#include "analyzers/lattice.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define T0 (INT64_C(1800000000) * NS_PER_SEC)

enum { TIMES = 60000 };

/* Who asks for the path of one key. */
struct world {
	const char *name;
	int64_t span_s;
	int period_s;   /* of the probes; 0: none */
	int nodes;      /* with a phase each */
	int drift_ppm;  /* of the nodes' clocks */
	int jitter_ms;  /* answers come up to so much later or earlier */
	int bell_ms;    /* likewise, but the standard deviation of a bell */
	int people_mhz; /* people's requests in thousandths a second */
	int missing;    /* percent of the probes that are not there */
	int hidden_s;   /* so long nothing asks, in the middle */
	int grain_ms;   /* times are multiples */
	double f1;      /* the least */
};

struct asked {
	int64_t t;
	int probe;
};

static uint64_t state;

static uint64_t
draw(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* From −n to n. */
static int64_t
around(int64_t n)
{
	return n ? (int64_t)(draw() % (uint64_t)(2 * n + 1)) - n : 0;
}

/* Irwin and Hall: twelve uniforms have the variance of one bell. */
static int64_t
bell(int64_t deviation)
{
	int64_t sum = 0;

	for (int i = 0; i < 12; i++)
		sum += around(deviation) / 2;
	return sum;
}

static int
by_time(const void *a, const void *b)
{
	const struct asked *x = a;
	const struct asked *y = b;

	return (x->t > y->t) - (x->t < y->t);
}

static size_t
make_world(const struct world *w, struct asked *out)
{
	int64_t end = w->span_s * NS_PER_SEC;
	int64_t hidden = end / 2 + w->hidden_s * NS_PER_SEC;
	size_t kept = 0;
	size_t n = 0;

	for (int k = 0; k < w->nodes && w->period_s; k++) {
		int64_t p = w->period_s * NS_PER_SEC;
		int64_t at = (int64_t)(draw() % (uint64_t)p);

		p += p / 1000000 * w->drift_ppm;
		for (; at < end; at += p) {
			int64_t t = at + around(w->jitter_ms * NS_PER_MS) +
				    bell(w->bell_ms * NS_PER_MS);

			if (draw() % 100 < (uint64_t)w->missing)
				continue;
			out[n++] = (struct asked){ t, 1 };
		}
	}
	for (int64_t t = 0; w->people_mhz;) {
		/* Gaps of one mean, memoryless enough: a geometric law. */
		do
			t += NS_PER_SEC * 1000 / w->people_mhz / 64;
		while (draw() % 64);
		if (t >= end)
			break;
		out[n++] = (struct asked){ t + around(5 * NS_PER_MS), 0 };
	}
	qsort(out, n, sizeof *out, by_time);
	for (size_t i = 0; i < n; i++) {
		struct asked a = out[i];
		int64_t grain = (w->grain_ms ? w->grain_ms : 1) * NS_PER_MS;

		if (w->hidden_s && a.t >= end / 2 && a.t < hidden)
			continue;
		a.t = (T0 + a.t) / grain * grain;
		out[kept++] = a;
	}
	return kept;
}

/* What is found in a block, all lattices of it. */
static int
judge_block(struct lattice_finder *f, const struct lattice_scale *scale,
    const struct lattice_block *b, struct lattice *l)
{
	int n = 0;

	while (n < LATTICE_MAX && lattice_find(f, scale, b, &l[n])) {
		lattice_take(&l[n], b, (uint8_t)(n + 1));
		n++;
	}
	lattice_late(l, (size_t)n, b, 1);
	return n;
}

struct score {
	size_t right, wrong, missed;
};

/* Block after block, as long as a scale says. */
static struct score
judge_world(const struct world *w, const struct asked *asked, size_t n)
{
	const struct lattice_scale *scale =
	    w->period_s > lattice_fast.max_s ? &lattice_slow : &lattice_fast;
	struct lattice_finder *f = lattice_finder_new();
	int64_t *t = calloc(n, sizeof *t);
	uint8_t *mark = calloc(n, 1);
	struct lattice l[LATTICE_MAX];
	struct score s = { 0 };

	for (size_t i = 0; i < n; i++)
		t[i] = asked[i].t;
	for (size_t i = 0; i < n;) {
		struct lattice_block b = { t + i, mark + i, 0 };
		int64_t end = t[i] + scale->block_ns;

		for (; i + b.n < n && t[i + b.n] < end; b.n++)
			;
		judge_block(f, scale, &b, l);
		i += b.n;
	}
	for (size_t i = 0; i < n; i++) {
		s.right += asked[i].probe && mark[i];
		s.wrong += !asked[i].probe && mark[i];
		s.missed += asked[i].probe && !mark[i];
	}
	lattice_finder_free(f);
	free(t);
	free(mark);
	return s;
}

static const struct world worlds[] = {
	{ .name = "two nodes in one key",
	    .span_s = 14400,
	    .period_s = 10,
	    .nodes = 2,
	    .drift_ppm = 40,
	    .jitter_ms = 10,
	    .f1 = 0.9998 },
	{ .name = "5 s",
	    .span_s = 14400,
	    .period_s = 5,
	    .nodes = 1,
	    .jitter_ms = 10,
	    .f1 = 0.9998 },
	{ .name = "6 s, two nodes",
	    .span_s = 14400,
	    .period_s = 6,
	    .nodes = 2,
	    .jitter_ms = 10,
	    .f1 = 0.9998 },
	{ .name = "15 s",
	    .span_s = 14400,
	    .period_s = 15,
	    .nodes = 1,
	    .jitter_ms = 10,
	    .f1 = 0.9998 },
	{ .name = "20 s",
	    .span_s = 14400,
	    .period_s = 20,
	    .nodes = 1,
	    .jitter_ms = 10,
	    .f1 = 0.9998 },
	{ .name = "30 s",
	    .span_s = 14400,
	    .period_s = 30,
	    .nodes = 1,
	    .jitter_ms = 10,
	    .f1 = 0.9998 },
	{ .name = "60 s",
	    .span_s = 14000,
	    .period_s = 60,
	    .nodes = 1,
	    .jitter_ms = 10,
	    .f1 = 0.9998 },
	{ .name = "300 s",
	    .span_s = 86000,
	    .period_s = 300,
	    .nodes = 1,
	    .jitter_ms = 10,
	    .f1 = 0.995 },
	{ .name = "five days of drift",
	    .span_s = 432000,
	    .period_s = 10,
	    .nodes = 1,
	    .drift_ppm = 100,
	    .jitter_ms = 20,
	    .f1 = 0.9998 },
	{ .name = "busy page",
	    .span_s = 86400,
	    .period_s = 10,
	    .nodes = 1,
	    .drift_ppm = 30,
	    .jitter_ms = 3,
	    .people_mhz = 125,
	    .f1 = 0.9995 },
	{ .name = "busy page, 10 ms",
	    .span_s = 86400,
	    .period_s = 10,
	    .nodes = 1,
	    .drift_ppm = 30,
	    .jitter_ms = 10,
	    .people_mhz = 125,
	    .f1 = 0.9980 },
	{ .name = "busier page",
	    .span_s = 86400,
	    .period_s = 10,
	    .nodes = 1,
	    .drift_ppm = 30,
	    .jitter_ms = 3,
	    .people_mhz = 500,
	    .f1 = 0.9970 },
	{ .name = "busy page, 30 s",
	    .span_s = 86400,
	    .period_s = 30,
	    .nodes = 1,
	    .drift_ppm = 30,
	    .jitter_ms = 3,
	    .people_mhz = 100,
	    .f1 = 0.999 },
	{ .name = "half a second of jitter",
	    .span_s = 86400,
	    .period_s = 10,
	    .nodes = 1,
	    .jitter_ms = 500,
	    .f1 = 0.9998 },
	{ .name = "a bell of half a second",
	    .span_s = 86400,
	    .period_s = 10,
	    .nodes = 1,
	    .bell_ms = 500,
	    .f1 = 0.995 },
	{ .name = "jitter, and a page view a minute",
	    .span_s = 86400,
	    .period_s = 10,
	    .nodes = 1,
	    .jitter_ms = 500,
	    .people_mhz = 17,
	    .f1 = 0.985 },
	{ .name = "missing ones",
	    .span_s = 86400,
	    .period_s = 10,
	    .nodes = 1,
	    .jitter_ms = 20,
	    .missing = 25,
	    .f1 = 0.9998 },
	{ .name = "an outage",
	    .span_s = 14400,
	    .period_s = 10,
	    .nodes = 2,
	    .jitter_ms = 20,
	    .hidden_s = 400,
	    .f1 = 0.9998 },
	{ .name = "whole seconds",
	    .span_s = 86400,
	    .period_s = 10,
	    .nodes = 1,
	    .drift_ppm = 30,
	    .jitter_ms = 10,
	    .grain_ms = 1000,
	    .f1 = 0.9998 },
	{ .name = "whole seconds, a page view a minute",
	    .span_s = 86400,
	    .period_s = 10,
	    .nodes = 1,
	    .drift_ppm = 30,
	    .jitter_ms = 10,
	    .people_mhz = 17,
	    .grain_ms = 1000,
	    .f1 = 0.985 },
	{ .name = "people alone",
	    .span_s = 432000,
	    .people_mhz = 125,
	    .f1 = 1 },
	{ .name = "many people alone",
	    .span_s = 43200,
	    .people_mhz = 1000,
	    .f1 = 1 },
	{ .name = "few people alone",
	    .span_s = 432000,
	    .people_mhz = 15,
	    .f1 = 1 },
	{ .name = "people alone, whole seconds",
	    .span_s = 43200,
	    .people_mhz = 500,
	    .grain_ms = 1000,
	    .f1 = 1 },
};

Test(lattice, tells_probes_from_people)
{
	static struct asked asked[TIMES];

	state = 88172645463325252;
	for (size_t i = 0; i < sizeof worlds / sizeof worlds[0]; i++) {
		const struct world *w = &worlds[i];
		size_t n = make_world(w, asked);
		struct score s = judge_world(w, asked, n);
		double sum = (double)(2 * s.right + s.wrong + s.missed);
		double f1 = sum > 0 ? (double)(2 * s.right) / sum : 1;

		cr_log_info("%s: F1 %.5f, %zu right, %zu wrong, %zu missed",
		    w->name, f1, s.right, s.wrong, s.missed);
		cr_expect(f1 >= w->f1,
		    "%s: F1 %.5f, %zu right, %zu wrong, %zu missed", w->name,
		    f1, s.right, s.wrong, s.missed);
	}
}

/* A kubelet's readiness and liveness, of one path: every 10 s and every 30 s,
 * the second anywhere between the first. */
Test(lattice, two_intervals_of_one_prober)
{
	struct lattice_finder *f = lattice_finder_new();

	for (int64_t apart = 500; apart < 9700; apart += 100) {
		int64_t t[96];
		uint8_t mark[96] = { 0 };
		struct lattice_block b = { t, mark, 0 };
		struct lattice l;

		state = (uint64_t)apart;
		for (int64_t s = 0; s < 720; s += 10) {
			int64_t at = T0 + s * NS_PER_SEC;

			t[b.n++] = at + around(2 * NS_PER_MS);
			if (s % 30 == 0)
				t[b.n++] = at + apart * NS_PER_MS +
					   around(2 * NS_PER_MS);
		}
		cr_assert(lattice_find(f, &lattice_fast, &b, &l));
		cr_expect_eq((l.period_ns + NS_PER_SEC / 2) / NS_PER_SEC, 10,
		    "%ld ms apart: every %ld ns", (long)apart,
		    (long)l.period_ns);
		cr_expect_eq(lattice_take(&l, &b, 1), 72);
		cr_assert(lattice_find(f, &lattice_fast, &b, &l));
		cr_expect_eq((l.period_ns + NS_PER_SEC / 2) / NS_PER_SEC, 30);
		cr_expect_eq(lattice_take(&l, &b, 2), 24);
	}
	lattice_finder_free(f);
}
