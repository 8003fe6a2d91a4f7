/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The LEAST_MAX least of a set of hashes.  Which they are depends on the set
 * alone: not on the order they come in, nor on how often.  This is how a run
 * of too many origins chooses those it tells apart.
 *
 * Sorted, 8 KiB; a hash beyond the least costs one comparison.  Of n
 * different hashes in any order about LEAST_MAX * ln(n / LEAST_MAX) are put
 * in after it is full.  No lock of its own.
 */
#ifndef PIPELINE_LEAST_H
#define PIPELINE_LEAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LEAST_MAX = 1024 };

struct least {
	uint64_t v[LEAST_MAX]; /* ascending */
	size_t n;
	bool beyond; /* there was a hash more */
};

void least_add(struct least *l, uint64_t hash);
/* The greatest that is among the least; UINT64_MAX: all are. */
uint64_t least_limit(const struct least *l);

#endif
