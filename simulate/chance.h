/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chance that is the same on every machine.
 *
 * A draw is a function of (seed, stream, how many before it) and of nothing
 * else: SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) run as a counter. Every
 * request, probe and incident has a stream of its own, so an incident more or
 * less changes no other draw: two runs of one seed differ by the incident
 * alone.  Nothing goes through floating point, whose logarithms differ from one
 * libm to the next.
 */
#ifndef SIMULATE_CHANCE_H
#define SIMULATE_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

struct chance {
	uint64_t at;
};

/* The stream of a seed; streams of different numbers are independent. */
struct chance chance_stream(uint64_t seed, uint64_t stream);

uint64_t chance_next(struct chance *r);

/* Evenly from 0 to n - 1; n > 0. */
uint32_t chance_below(struct chance *r, uint32_t n);

/* True in so many of a million. */
bool chance_ppm(struct chance *r, uint32_t ppm);

/* Exponential of a mean below 2^40, its logarithm good to 1e-4: the gaps of a
 * Poisson stream. */
int64_t chance_gap(struct chance *r, int64_t mean);

/* Log-normal with sigma 0.35 around a median: what a computer needs for the
 * same thing again.  Between 0.4 and 2.5 times the median. */
int64_t chance_spread(struct chance *r, int64_t median);

#endif
