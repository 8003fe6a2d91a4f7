/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The binomial likelihood ratio in integers.
 *
 * log2 by repeated squaring (Knuth, TAOCP vol. 1, 1.2.2, exercise 25): with
 * x = 2^e·y, 1 ≤ y < 2, the next binary digit of log2 y is 1 when y² ≥ 2.  y is
 * kept in 64 bits, the square in 128.  Cutting y at step j loses at most
 * 2^-63·log2(e) of log2(y), which weighs 2^-j in the result: less than 2^-62
 * together; the digits behind the 48th that are not made lose less than
 * 2^-48.  No table, nothing to get wrong in it.
 *
 * G is a sum of n terms of three such logarithms, each off by less than
 * 2^-48: the error of G is below n·2^-47·ln 2, that is 2·10^-5 nats for 2^32
 * trials, plus the thousandth lost in rounding down.
 *
 * 48 squarings take about 100 ns.  That is of no account: G is asked for only
 * where a ratio already passed its gates.
 */
#include "analyzers/glr.h"

#include <assert.h>

__extension__ typedef unsigned __int128 u128;
__extension__ typedef __int128 i128;

/* Trials beyond this are scaled down: products stay within 128 bits. */
#define TRIALS_MAX (UINT64_C(1) << 40)

#define LN2_Q47 INT64_C(97551793252583) /* ⌊2^47 · ln 2⌋ */

uint64_t
log2_fixed(uint64_t x)
{
	assert(x > 0);

	unsigned e = 63 - (unsigned)__builtin_clzll(x);
	uint64_t y = x << (63 - e); /* 1 ≤ y < 2 in 1/2^63 */
	uint64_t log = e;

	for (int i = 0; i < LOG2_SHIFT; i++) {
		u128 square = (u128)y * y; /* in 1/2^126 */
		unsigned digit = (unsigned)(square >> 127);

		y = (uint64_t)(square >> (63 + digit));
		log = log << 1 | digit;
	}
	return log;
}

static struct trials
trials_scale(struct trials t)
{
	while (t.n > TRIALS_MAX) {
		t.n >>= 1;
		t.bad >>= 1;
	}
	return t;
}

struct odds
odds_of(struct trials base, uint32_t prior_ppm, uint32_t m)
{
	assert(m > 0 && prior_ppm > 0 && prior_ppm < PPM);
	base = trials_scale(base);

	struct odds p0 = {
		.num = base.bad * PPM + (uint64_t)m * prior_ppm,
		.den = (base.n + m) * PPM,
	};
	int64_t log_den = (int64_t)log2_fixed(p0.den);

	p0.log_p = (int64_t)log2_fixed(p0.num) - log_den;
	p0.log_q = (int64_t)log2_fixed(p0.den - p0.num) - log_den;
	return p0;
}

int64_t
odds_ppm(const struct odds *p0)
{
	return (int64_t)((u128)p0->num * PPM / p0->den);
}

int64_t
trials_ppm(struct trials t)
{
	return t.n ? (int64_t)((u128)t.bad * PPM / t.n) : 0;
}

/*
 * bad/n against factor·num/den + extra/PPM, all brought to one denominator.
 * bad·den is below 2^40·2^60, the factor of a million is taken out of den.
 */
bool
trials_over(struct trials t, const struct odds *p0, uint32_t factor,
    uint32_t extra_ppm, enum exceed how)
{
	t = trials_scale(t);

	u128 den = p0->den / PPM; /* den is a multiple */
	u128 left = (u128)t.bad * PPM * den;
	u128 right = (u128)t.n * ((u128)p0->num * factor + den * extra_ppm);

	return how == REACH ? left >= right : left > right;
}

int64_t
glr_milli(struct trials t, const struct odds *p0)
{
	t = trials_scale(t);
	if (t.bad == 0 || !trials_over(t, p0, 1, 0, EXCEED))
		return 0;

	uint64_t good = t.n - t.bad;
	int64_t log_n = (int64_t)log2_fixed(t.n);
	i128 sum =
	    (i128)t.bad * ((int64_t)log2_fixed(t.bad) - log_n - p0->log_p);

	if (good > 0)
		sum += (i128)good *
		       ((int64_t)log2_fixed(good) - log_n - p0->log_q);
	if (sum <= 0)
		return 0;
	/* sum < 2^40·2^55: in 1/2^32 nats, then thousandths. */
	sum = (sum >> 16) * LN2_Q47 >> 47;
	return (int64_t)(sum * 1000 >> 32);
}

/* o·ln(o·n/(row·column)), as 2^-48 of a binary logarithm. */
static i128
table_term(uint64_t o, uint64_t n, uint64_t row, uint64_t column)
{
	if (o == 0)
		return 0;
	return (i128)o *
	       ((int64_t)log2_fixed(o) + (int64_t)log2_fixed(n) -
		   (int64_t)log2_fixed(row) - (int64_t)log2_fixed(column));
}

int64_t
table_g2_milli(struct fourfold t)
{
	uint64_t bad = t.a + t.b;
	uint64_t others = t.c + t.d;
	uint64_t with = t.a + t.c;
	uint64_t without = t.b + t.d;
	uint64_t n = bad + others;
	i128 sum;

	if (bad == 0 || others == 0 || with == 0 || without == 0 ||
	    n > TRIALS_MAX)
		return 0;
	sum = table_term(t.a, n, bad, with) + table_term(t.b, n, bad, without) +
	      table_term(t.c, n, others, with) +
	      table_term(t.d, n, others, without);
	if (sum <= 0)
		return 0;
	sum = (sum >> 16) * LN2_Q47 >> 47;
	return (int64_t)(sum * 2000 >> 32);
}

int64_t
ln_milli(uint64_t x)
{
	i128 nats = (i128)log2_fixed(x) * LN2_Q47 >> 47;

	return (int64_t)(nats * 1000 >> LOG2_SHIFT);
}
