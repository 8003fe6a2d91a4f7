/* SPDX-License-Identifier: Apache-2.0 */
/* Feeding the judge in tests: one service, few routes, seeded random. */
#ifndef TESTS_JUDGE_HELP_H
#define TESTS_JUDGE_HELP_H

#include "analyzers/judge.h"
#include "core/record.h"

enum { START = 179525000 }; /* a cell in November 2026 */

struct run {
	struct judge *judge;
	struct findings out;
};

struct run run_start(const char *only);
/* Settled ones, which must live as long. */
struct run run_start_with(const struct thresholds *thresholds);
/* One cell of a route, `at` cells behind START. */
void run_cell(struct run *r, int at, enum method method, struct cell cell);
void run_end(struct run *r);
void run_fini(struct run *r);

/* Cell number of an onset or an end, relative to START. */
int run_at(int64_t ns);

/* xorshift64*: the same numbers everywhere. */
uint64_t random_next(uint64_t *state);
/* How many of n happen with probability p. */
unsigned random_of(uint64_t *state, unsigned n, double p);
/* 0, 1, 2, …: a Poisson number of a small mean. */
unsigned random_poisson(uint64_t *state, double mean);

#endif
