/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The binomial likelihood ratio in integers.
 *
 *	G = k ln(p̂/p0) + (n−k) ln((1−p̂)/(1−p0)),  p̂ = k/n,  0 for p̂ ≤ p0
 *
 * A baseline is a fraction of two integers, the logarithms are fixed point, so
 * that a decision has the same bits on any machine.  See glr.c for the bound.
 */
#ifndef ANALYZERS_GLR_H
#define ANALYZERS_GLR_H

#include <stdbool.h>
#include <stdint.h>

enum { PPM = 1000000, LOG2_SHIFT = 48 };

/* ln 10^6: G above it is chance once in a million. */
enum { GLR_LEVEL_MILLI = 13816 };

/* Trials and how many of them were bad; bad ≤ n. */
struct trials {
	uint64_t n;
	uint64_t bad;
};

/* A ratio p0 = num/den strictly between 0 and 1, and its logarithms. */
struct odds {
	uint64_t num, den;
	int64_t log_p; /* log2 p0 */
	int64_t log_q; /* log2 (1 − p0) */
};

/* ⌊2^48 · log2 x⌋ for x ≥ 1, at most one unit below the true value. */
uint64_t log2_fixed(uint64_t x);

/* (bad + m·prior) / (n + m): 0 < prior < 10^6 millionths, m > 0. */
struct odds odds_of(struct trials base, uint32_t prior_ppm, uint32_t m);

/* Millionths, rounded down. */
int64_t odds_ppm(const struct odds *p0);
int64_t trials_ppm(struct trials t);

/* EXCEED: bad/n > factor·p0 + extra; REACH: or equal. */
enum exceed { EXCEED, REACH };
bool trials_over(struct trials t, const struct odds *p0, uint32_t factor,
    uint32_t extra_ppm, enum exceed how);

/* G in thousandths of nats, rounded down. */
int64_t glr_milli(struct trials t, const struct odds *p0);

/* A table of two by two: of the bad a have something and b do not, of the
 * others c and d. */
struct fourfold {
	uint64_t a, b, c, d;
};

/* G² = 2 Σ o ln(o/e) of the table in thousandths of nats, rounded down: what
 * the table is above independence; 0 where a row or a column is empty. */
int64_t table_g2_milli(struct fourfold t);

/* ln x in thousandths, rounded down; x ≥ 1. */
int64_t ln_milli(uint64_t x);

#endif
