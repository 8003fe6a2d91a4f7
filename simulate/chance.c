/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SplitMix64, and two distributions in fixed point.
 *
 * The exponential: -ln u of u = m·2^-k, m in [1, 2), is k·ln 2 - ln m; ln m is
 * read from 33 points, straight between them, which is off by 1.2e-4 at most.
 * The log-normal is read from its own quantiles in the same way.
 */
#include "simulate/chance.h"

#define GOLDEN UINT64_C(0x9E3779B97F4A7C15)

enum { POINTS = 32 };

/* 65536·ln(1 + i/32). */
static const int32_t ln_1024[POINTS + 1] = { 0, 2017, 3973, 5873, 7719, 9515,
	11262, 12965, 14624, 16242, 17821, 19364, 20870, 22343, 23783, 25193,
	26573, 27924, 29248, 30546, 31818, 33067, 34292, 35494, 36675, 37835,
	38975, 40095, 41196, 42280, 43345, 44394, 45426 };

/* Thousandths of the median: exp(0.35·z) at the quantiles i/32, the ends at
 * 0.005 and 0.995. */
static const int32_t spread[POINTS + 1] = { 406, 521, 585, 630, 669, 702, 733,
	762, 790, 817, 843, 869, 894, 920, 946, 973, 1000, 1028, 1057, 1087,
	1118, 1151, 1187, 1225, 1266, 1312, 1364, 1424, 1496, 1586, 1711, 1919,
	2463 };

static uint64_t
mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

struct chance
chance_stream(uint64_t seed, uint64_t stream)
{
	return (struct chance){ mix(mix(seed + GOLDEN) ^ mix(stream)) };
}

uint64_t
chance_next(struct chance *r)
{
	r->at += GOLDEN;
	return mix(r->at);
}

uint32_t
chance_below(struct chance *r, uint32_t n)
{
	return (uint32_t)(((chance_next(r) >> 32) * n) >> 32);
}

bool
chance_ppm(struct chance *r, uint32_t ppm)
{
	return chance_below(r, 1000000) < ppm;
}

/* The value at `u`, 27 bits of a fraction of the table, straight between its
 * points; 22 bits lie between two. */
static int64_t
between(const int32_t *table, uint32_t u)
{
	uint32_t i = u >> 22;
	int64_t rest = u & ((1u << 22) - 1);

	return table[i] + (((table[i + 1] - table[i]) * rest) >> 22);
}

int64_t
chance_gap(struct chance *r, int64_t mean)
{
	uint64_t u = chance_next(r) | 1;
	int k = __builtin_clzll(u);
	uint64_t m = (u << k) << 1; /* the fraction of m */
	int64_t e =
	    (k + 1) * INT64_C(45426) - between(ln_1024, (uint32_t)(m >> 37));

	return (mean * (e >> 4)) >> 12;
}

int64_t
chance_spread(struct chance *r, int64_t median)
{
	return median * between(spread, (uint32_t)(chance_next(r) >> 37)) /
	       1000;
}
