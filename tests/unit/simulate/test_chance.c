/* SPDX-License-Identifier: Apache-2.0 */
/* Archives are reproducible for ever: so are the draws that they are made of.
 */
#include <criterion/criterion.h>

#include "simulate/chance.h"

enum { N = 200000 };

Test(chance, draws_are_the_same_for_ever)
{
	struct chance r = chance_stream(1, 0);
	struct chance again = chance_stream(1, 0);
	struct chance other = chance_stream(1, 1);

	cr_assert_eq(chance_next(&r), UINT64_C(0x6EC85F1F8547BC0C));
	cr_assert_eq(chance_next(&r), UINT64_C(0x6CF63AFCC21A470A));
	cr_assert_eq(chance_gap(&r, 1000000), 616699);
	cr_assert_eq(chance_spread(&r, 1000000), 1373000);
	cr_assert_neq(chance_next(&again), chance_next(&other));
}

Test(chance, below_is_even_and_never_reaches_its_end)
{
	struct chance r = chance_stream(7, 3);
	int seen[10] = { 0 };

	for (int i = 0; i < N; i++)
		seen[chance_below(&r, 10)]++;
	for (int i = 0; i < 10; i++)
		/* Five standard deviations of a binomial. */
		cr_expect(seen[i] > N / 10 - 670 && seen[i] < N / 10 + 670,
		    "%d: %d", i, seen[i]);
	cr_assert_eq(chance_below(&r, 1), 0);
}

Test(chance, ppm_is_a_share)
{
	struct chance r = chance_stream(8, 0);
	int hits = 0;

	for (int i = 0; i < N; i++)
		hits += chance_ppm(&r, 250000);
	cr_expect(hits > 49000 && hits < 51000, "%d", hits);
	for (int i = 0; i < 1000; i++) {
		cr_assert(chance_ppm(&r, 1000000));
		cr_assert_not(chance_ppm(&r, 0));
	}
}

/* Mean and median of an exponential, ln 2 of the mean. */
Test(chance, gaps_are_exponential)
{
	const int64_t mean = INT64_C(1000000000);
	struct chance r = chance_stream(9, 0);
	int64_t sum = 0;
	int short_ones = 0;

	for (int i = 0; i < N; i++) {
		int64_t gap = chance_gap(&r, mean);

		cr_assert_geq(gap, 0);
		sum += gap / N;
		short_ones += gap < 693147181;
	}
	cr_expect(sum > mean / 100 * 99 && sum < mean / 100 * 101);
	cr_expect(short_ones > N / 2 - 1200 && short_ones < N / 2 + 1200, "%d",
	    short_ones);
	/* The greatest mean does not overflow. */
	cr_assert_geq(chance_gap(&r, INT64_C(1) << 40), 0);
}

Test(chance, spread_is_around_its_median)
{
	struct chance r = chance_stream(10, 0);
	int below = 0;

	for (int i = 0; i < N; i++) {
		int64_t v = chance_spread(&r, 1000000);

		cr_assert(v >= 400000 && v <= 2500000);
		below += v < 1000000;
	}
	cr_expect(below > N / 2 - 1200 && below < N / 2 + 1200, "%d", below);
}
