/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fixed-point logarithm and the gates built on it, against libm and against
 * figures of an independent implementation.
 */
#include "analyzers/glr.h"

#include <criterion/criterion.h>
#include <math.h>

#include "judge_help.h"

Test(glr, logarithm_is_exact_to_its_last_place)
{
	long double unit = ldexpl(1, -LOG2_SHIFT);
	uint64_t seed = 1;

	for (int i = 0; i < 20000; i++) {
		uint64_t x = random_next(&seed) >> (i % 64);

		if (x == 0)
			x = 1;

		long double want = log2l((long double)x);
		long double got = (long double)log2_fixed(x) * unit;

		cr_assert(got <= want + unit / 64 && want - got < unit * 1.02L,
		    "%llu: off by %Lg units", (unsigned long long)x,
		    (want - got) / unit);
	}
	for (int e = 0; e < 64; e++)
		cr_assert_eq(log2_fixed(UINT64_C(1) << e),
		    (uint64_t)e << LOG2_SHIFT);
}

static double
plain(double n, double k, double p0)
{
	double p = k / n;

	return k * log(p / p0) +
	       (k < n ? (n - k) * log((1 - p) / (1 - p0)) : 0);
}

Test(glr, is_within_a_thousandth_of_libm)
{
	uint64_t seed = 2;
	double worst = 0;

	for (int i = 0; i < 100000; i++) {
		struct trials t = { .n = 1 + random_next(&seed) % 1000000 };
		struct trials base = { .n = random_next(&seed) % 10000000 };

		t.bad = random_next(&seed) % (t.n + 1);
		base.bad = base.n ? random_next(&seed) % (base.n / 10 + 1) : 0;

		struct odds p0 = odds_of(base, 10000, 20);
		double p = ((double)base.bad + 0.2) / ((double)base.n + 20);
		double got = (double)glr_milli(t, &p0) / 1000;

		if (t.bad == 0 || (double)t.bad / (double)t.n <= p) {
			cr_assert_eq(glr_milli(t, &p0), 0);
			continue;
		}

		double want = plain((double)t.n, (double)t.bad, p);
		double error = fabs(want - got) / (1 + want * 1e-9);

		if (error > worst)
			worst = error;
	}
	cr_log_info("largest difference %.6f", worst);
	cr_expect_lt(worst, 0.00101);
}

/* The figures of the reference, 3.0 and 3.2. */
static const struct {
	const char *name;
	struct trials t, base;
	uint32_t prior, m;
	int64_t least, most;
} figures[] = {
	{ "six slow of nine", { 9, 6 }, { 0, 0 }, 10000, 20, 21900, 21970 },
	{ "one 404 of one", { 1, 1 }, { 0, 0 }, 20000, 50, 3900, 3920 },
	{ "constant ratio", { 1000, 20 }, { 0, 0 }, 20000, 50, 0, 0 },
	{ "nothing bad", { 1000, 0 }, { 0, 0 }, 20000, 50, 0, 0 },
	{ "all bad, for days", { UINT64_C(1) << 50, UINT64_C(1) << 50 },
	    { UINT64_C(1) << 55, 0 }, 10000, 20, 1, INT64_MAX },
	{ "scaled to nothing", { UINT64_C(1) << 60, 1 }, { 0, 0 }, 10000, 20, 0,
	    0 },
};

Test(glr, figures_of_the_reference)
{
	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
		struct odds p0 =
		    odds_of(figures[i].base, figures[i].prior, figures[i].m);
		int64_t g = glr_milli(figures[i].t, &p0);

		cr_expect(g >= figures[i].least && g <= figures[i].most,
		    "%s: %lld", figures[i].name, (long long)g);
	}
}

Test(glr, gates_are_exact_fractions)
{
	struct odds p0 = odds_of((struct trials){ 0, 0 }, 10000, 20);

	cr_expect_eq(odds_ppm(&p0), 10000);
	cr_expect(trials_over((struct trials){ 100, 3 }, &p0, 3, 0, REACH));
	cr_expect_not(
	    trials_over((struct trials){ 100, 3 }, &p0, 3, 0, EXCEED));
	cr_expect(trials_over((struct trials){ 10, 1 }, &p0, 0, 100000, REACH));
	cr_expect_not(
	    trials_over((struct trials){ 10, 1 }, &p0, 0, 100001, REACH));
	cr_expect(trials_over((struct trials){ 100, 4 }, &p0, 1, 30000, REACH));
}
