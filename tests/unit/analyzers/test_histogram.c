/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The latency bins: their limits made anew, every edge, the promised error of a
 * quantile, and merging.
 */
#include "analyzers/histogram.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "judge_help.h"

Test(histogram, limits_are_what_the_recurrence_makes)
{
	uint64_t limit = UINT64_C(100000) << 20;

	for (uint32_t b = 0; b < HISTOGRAM_BINS; b++) {
		cr_assert_eq(histogram_bin_limit(b), (int64_t)(limit >> 20));
		limit += limit / 50;
	}
	cr_expect_gt(histogram_bin_limit(HISTOGRAM_BINS - 1),
	    INT64_C(3600) * 1000000000);
}

/* The bin is the first whose limit is not below the value. */
Test(histogram, bin_is_exact_at_every_limit)
{
	for (uint32_t b = 0; b + 1 < HISTOGRAM_BINS; b++) {
		int64_t limit = histogram_bin_limit(b);
		int64_t next = histogram_bin_limit(b + 1);

		cr_assert_eq(histogram_bin(limit), b);
		cr_assert_eq(histogram_bin(limit + 1), b + 1);
		cr_assert_eq(histogram_bin((limit + next) / 2), b + 1);
	}
	cr_expect_eq(histogram_bin(0), 0);
	cr_expect_eq(histogram_bin(-5), 0);
	cr_expect_eq(histogram_bin(INT64_MIN), 0);
	cr_expect_eq(histogram_bin(INT64_MAX), HISTOGRAM_BINS - 1);
}

static int
by_value(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

Test(histogram, quantiles_are_within_one_per_cent)
{
	enum { N = 20000 };
	static int64_t v[N];
	struct histogram h = { 0 };
	uint64_t seed = 3;
	double worst = 0;

	for (int i = 0; i < N; i++) {
		v[i] = 100000 + (int64_t)(random_next(&seed) %
					  (UINT64_C(1) << (20 + i % 20)));
		histogram_add(&h, v[i]);
	}
	qsort(v, N, sizeof(v[0]), by_value);
	for (unsigned permille = 1; permille < 1000; permille++) {
		int64_t want = v[(N * permille + 999) / 1000 - 1];
		int64_t got = histogram_quantile(&h, permille);
		double error = (double)llabs(got - want) / (double)want;

		if (error > worst)
			worst = error;
	}
	cr_log_info("largest error %.3f %%", 100 * worst);
	cr_expect_lt(worst, 0.0101);
	cr_expect_eq(histogram_quantile(&h, 1000), v[N - 1]);
	histogram_fini(&h);
}

Test(histogram, merging_in_any_order_is_adding)
{
	struct histogram whole = { 0 }, part[3] = { 0 }, left = { 0 },
			 right = { 0 };
	uint64_t seed = 11;

	for (int i = 0; i < 3000; i++) {
		int64_t ns = (int64_t)(random_next(&seed) >> (20 + i % 24));

		histogram_add(&whole, ns);
		histogram_add(&part[i % 3], ns);
	}
	for (int i = 0; i < 3; i++) {
		histogram_merge(&left, &part[i]);
		histogram_merge(&right, &part[2 - i]);
	}
	for (unsigned p = 0; p <= 1000; p++) {
		cr_assert_eq(histogram_quantile(&left, p),
		    histogram_quantile(&whole, p));
		cr_assert_eq(histogram_quantile(&right, p),
		    histogram_quantile(&whole, p));
	}
	cr_expect_eq(left.total, 3000);
	histogram_fini(&whole);
	histogram_fini(&left);
	histogram_fini(&right);
	for (int i = 0; i < 3; i++)
		histogram_fini(&part[i]);
}

Test(histogram, empty_has_no_quantile)
{
	struct histogram h = { 0 }, other = { 0 };

	cr_expect_eq(histogram_quantile(&h, 500), -1);
	histogram_merge(&h, &other);
	cr_expect_eq(histogram_quantile(&h, 500), -1);
	histogram_add(&h, 7);
	cr_expect_eq(histogram_quantile(&h, 500), 7);
	cr_expect_eq(histogram_quantile(&h, 0), 7);
	histogram_fini(&h);
}

Test(histogram, beyond_the_last_limit_the_maximum_answers)
{
	struct histogram h = { 0 };

	histogram_add(&h, INT64_C(9000) * 1000000000);
	cr_expect_eq(histogram_quantile(&h, 500), INT64_C(9000) * 1000000000);
	histogram_fini(&h);
}
