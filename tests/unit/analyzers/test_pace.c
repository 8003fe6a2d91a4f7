/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Latencies of a day: against a plain reading that keeps everything, and what
 * the relative test says of days whose truth is known.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "analyzers/histogram.h"
#include "analyzers/pace.h"
#include "judge_help.h"

enum { HOUR = 360, MINUTE = 6, LIFE = 12000, MS = 1000000 };

Test(pace, bins_are_groups_of_the_histograms)
{
	for (int64_t ns = MS / 10; ns < INT64_C(40000) * MS; ns += ns / 40) {
		uint32_t b = pace_bin(histogram_bin(ns));

		cr_expect(b == 0 || ns > pace_limit(b - 1));
		cr_expect(b == PACE_BINS - 1 || ns <= pace_limit(b));
	}
}

/* Everything that was appended and not cut, a row a cell. */
static uint32_t life[LIFE][PACE_BINS];
static int fence;

static void
plain_sum(uint64_t sum[PACE_BINS], int from, int at)
{
	memset(sum, 0, PACE_BINS * sizeof *sum);
	for (int c = from < 0 ? 0 : from; c <= at; c++)
		for (int b = 0; b < PACE_BINS; b++)
			sum[b] += life[c][b];
}

static uint64_t
over(const uint64_t n[PACE_BINS], uint32_t bin)
{
	uint64_t sum = 0;

	for (uint32_t b = bin + 1; b < PACE_BINS; b++)
		sum += n[b];
	return sum;
}

static void
compare(const struct pace *p, int at)
{
	uint64_t in[PACE_BINS], all[PACE_BINS], base[PACE_BINS];
	/* Whole hours leave, but for the last one, which is exact. */
	int first = (at / HOUR - 23) * HOUR;
	struct pace_view v;

	plain_sum(all, first, at);
	for (int w = 0; w < WINDOWS; w++) {
		int from = at - (int)series_window_cells[w] + 1;
		uint64_t n, below;
		uint32_t bin = 0;

		plain_sum(in, from > fence ? from : fence, at);
		for (int b = 0; b < PACE_BINS; b++)
			base[b] = all[b] - in[b];
		n = over(base, 0) + base[0];
		cr_assert_eq(pace_look(p, w, &v), n >= 60);
		if (n < 60)
			continue;
		below = base[0];
		while (below * 100 < n * 95)
			below += base[++bin];
		cr_assert_eq(v.bin, bin);
		cr_assert_eq(v.base.n, n);
		cr_assert_eq(v.base.bad, over(base, bin));
		cr_assert_eq(v.in.bad, over(in, bin));
		cr_assert_eq(v.in.n, over(in, 0) + in[0]);
	}
}

Test(pace, is_as_plain_sums_are)
{
	uint64_t seed = 7;
	struct pace p = { 0 };

	for (int at = 0; at < LIFE; at++) {
		if (random_next(&seed) % 3 == 0)
			continue;
		if (random_next(&seed) % 2000 == 0)
			at += (int)(random_next(&seed) % 900);
		if (at >= LIFE)
			break;
		for (int k = 0; k < 4; k++)
			life[at][random_next(&seed) % PACE_BINS] +=
			    (uint32_t)(random_next(&seed) % 5);
		pace_append(&p, (uint32_t)at, life[at]);
		if (at % 37 == 0)
			compare(&p, at);
		if (random_next(&seed) % 1000 == 0) {
			int cut = at - (int)(random_next(&seed) % 50);

			pace_cut(&p, (uint32_t)(cut < 0 ? 0 : cut));
			for (int c = cut < 0 ? 0 : cut; c <= at; c++)
				memset(life[c], 0, sizeof life[c]);
			fence = at + 1;
		}
	}
	pace_fini(&p);
}

/* Durations around a middle, a fourth of an octave to both sides and more. */
static struct cell
cell_of_ms(uint64_t *seed, unsigned n, double middle)
{
	struct cell c = { .n = n, .timed = n, .status = { 0, 0, n } };

	for (unsigned i = 0; i < n; i++) {
		double spread = 0.6 + (double)(random_next(seed) % 100) / 100;
		int64_t ns;

		if (random_next(seed) % 50 == 0)
			spread *= 3;
		ns = (int64_t)(middle * spread * MS);
		c.pace[pace_bin(histogram_bin(ns))]++;
		c.sum_us += (uint64_t)ns / 1000;
		c.slow += ns > NS_PER_SEC;
		cell_slowest(&c, ns, &(struct example){ .line = 1 + c.slow });
	}
	return c;
}

struct phase {
	int cells;
	unsigned rate;
	double ms;
};

static struct run
live(const struct phase *phases)
{
	struct run run = run_start("slow-post");
	uint64_t seed = 99;
	int at = 0;

	for (; phases->cells > 0; phases++)
		for (int i = 0; i < phases->cells; i++, at++)
			run_cell(&run, at, METHOD_POST,
			    cell_of_ms(&seed, phases->rate, phases->ms));
	run_end(&run);
	return run;
}

Test(pace, a_step_is_found_at_once_and_ends)
{
	struct run run = live((struct phase[]){ { HOUR, 3, 60 },
	    { 10 * MINUTE, 3, 250 }, { 2 * HOUR, 3, 60 }, { 0, 0, 0 } });
	const struct finding *f = run.out.v;

	cr_assert_eq(run.out.n, 1);
	cr_expect(f->relative);
	cr_expect_eq(f->severity, SEVERITY_WARNING);
	cr_expect(
	    run_at(f->start_ns) >= HOUR && run_at(f->start_ns) < HOUR + 3);
	cr_expect_leq(run_at(f->detected_ns), HOUR + 3);
	cr_expect(!f->open);
	cr_expect_gt(f->over_ns, 60 * MS);
	cr_expect_lt(f->over_ns, 250 * MS);
	cr_expect_geq(f->n_evidence, 1);
	run_fini(&run);
}

Test(pace, rhythm_surge_and_a_few_milliseconds_are_nothing)
{
	struct phase days[][4] = {
		{ { 2 * HOUR, 3, 100 }, { 2 * HOUR, 3, 140 }, { 0, 0, 0 } },
		{ { 2 * HOUR, 3, 100 }, { HOUR, 60, 100 }, { 0, 0, 0 } },
		{ { 2 * HOUR, 3, 35 }, { HOUR, 3, 39 }, { 0, 0, 0 } },
		{ { 15, 3, 60 }, { HOUR, 3, 250 }, { 0, 0, 0 } },
	};

	for (size_t i = 0; i < sizeof days / sizeof days[0]; i++) {
		struct run run = live(days[i]);

		cr_expect_eq(run.out.n, 0, "day %zu", i);
		run_fini(&run);
	}
}

Test(pace, a_second_is_told_absolutely)
{
	struct run run = live((struct phase[]){ { HOUR, 3, 60 },
	    { 10 * MINUTE, 3, 2500 }, { 0, 0, 0 } });

	cr_assert_eq(run.out.n, 1);
	cr_expect(!run.out.v[0].relative);
	cr_expect_eq(run.out.v[0].severity, SEVERITY_CRITICAL);
	cr_expect_eq(run.out.v[0].over_ns, NS_PER_SEC);
	run_fini(&run);
}
