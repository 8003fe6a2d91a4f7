/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The series of a route: three tiers whose order, spans and running sums are
 * checked after every step.
 */
#include "analyzers/series.h"

#include <criterion/criterion.h>

#include "judge_help.h"

/* What must hold after every step: order, spans, and the running sum. */
static void
check(const struct series *s, uint32_t now)
{
	static const uint32_t spans[TIERS] = { 360, 1440, 2016 };
	static const uint32_t cells[TIERS] = { 1, 6, 60 };
	struct sums sum = { 0 };

	for (int t = 0; t < TIERS; t++) {
		const struct ring *r = &s->tier[t];

		cr_assert_leq(r->n, spans[t]);
		for (uint32_t i = 0; i < r->n; i++) {
			const struct entry *e =
			    &r->v[(r->head + i) & (r->cap - 1)];
			const struct entry *before =
			    &r->v[(r->head + i - 1) & (r->cap - 1)];

			cr_assert_lt(now / cells[t] - e->at, spans[t]);
			if (i > 0)
				cr_assert_lt(before->at, e->at);
			if (t != TIER_10MIN)
				sums_add(&sum, e);
		}
	}
	cr_assert_eq(sum.n, s->sum.n);
	cr_assert_eq(sum.bad, s->sum.bad);
	cr_assert_eq(sum.us, s->sum.us);
}

Test(series, grows_coarser_and_forgets_with_age)
{
	struct series s = { 0 };
	uint64_t seed = 4;
	uint32_t at = 0;
	uint64_t fed = 0;

	for (int i = 0; i < 60000; i++) {
		uint32_t gap = (uint32_t)random_next(&seed);
		struct counts c = { .n = 1 + gap % 5,
			.bad = gap % 2,
			.sum_us = gap >> 8 };
		struct entry e;

		at += gap % 997 == 0 ? 9000 : 1 + gap % 3;
		e = series_entry(at, &c);
		series_append(&s, &e);
		fed += c.n;
		if (i % 64 == 0)
			check(&s, at);
	}
	cr_expect_lt(s.sum.n, fed);
	cr_expect_gt(s.tier[TIER_10MIN].n, 100);
	series_fini(&s);
}

Test(series, coarse_cells_keep_the_counts)
{
	struct series s = { 0 };
	uint64_t n = 0;

	for (uint32_t at = 0; at < 8000; at++) {
		struct counts c = { .n = 3, .bad = 1, .sum_us = 3000 };
		struct entry e = series_entry(at, &c);

		series_append(&s, &e);
		n += 3;
	}
	cr_expect_eq(s.sum.n, n);
	cr_expect_eq(s.sum.bad, n / 3);
	cr_expect_eq(s.sum.us, n * 1000);
	cr_expect_eq(s.tier[TIER_10S].n, 360);
	cr_expect_leq(s.tier[TIER_MINUTE].n, 1440);
	series_fini(&s);
}

Test(series, long_silence_empties_it_at_once)
{
	struct series s = { 0 };
	struct counts c = { .n = 1 };
	struct entry e = series_entry(5, &c);

	series_append(&s, &e);
	e = series_entry(UINT32_MAX - 5, &c);
	series_append(&s, &e);
	cr_expect_eq(s.sum.n, 1);
	cr_expect_eq(s.tier[TIER_10MIN].n, 0);
	series_fini(&s);
}

Test(series, cut_takes_the_newest_and_fences_the_rest)
{
	struct series s = { 0 };
	struct sums sums[WINDOWS];
	uint32_t entries[WINDOWS];
	struct counts c = { .n = 2, .bad = 1 };

	for (uint32_t at = 0; at < 10; at++) {
		struct entry e = series_entry(at, &c);

		series_append(&s, &e);
	}
	series_windows(&s, sums, entries);
	cr_expect_eq(sums[0].n, 2);
	cr_expect_eq(sums[3].n, 12);
	cr_expect_eq(entries[5], 10);
	series_cut(&s, 4);
	cr_expect_eq(s.sum.n, 12);
	cr_expect_eq(series_newest(&s, 0)->at, 5);

	struct entry e = series_entry(10, &c);

	series_append(&s, &e);
	series_windows(&s, sums, entries);
	cr_expect_eq(sums[WINDOWS - 1].n, 2);
	cr_expect_eq(s.sum.n, 14);
	series_fini(&s);
}
