/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The past of one entity under one rule: counts that get coarser with age.
 *
 *	10-s cells for an hour, 1-min cells for 24 h, 10-min cells for 14 days
 *
 * Only cells with trials are stored, 16 bytes each, so that silence costs
 * nothing: at most (360 + 1,440 + 2,016) × 16 = 61 KB.  Cells come in time
 * order; what is in findings is never put in, or is cut off again.
 *
 * Cell numbers are relative to a base that is a multiple of ten minutes, and
 * never negative.
 */
#ifndef ANALYZERS_SERIES_H
#define ANALYZERS_SERIES_H

#include <stddef.h>
#include <stdint.h>

#include "analyzers/analyzer.h"

struct entry {
	uint32_t at; /* in the tier's cells */
	uint32_t n, bad;
	uint32_t mean_us; /* of n, rounded down */
};

/* The same, summed. */
struct sums {
	uint64_t n, bad;
	uint64_t us;
};

struct ring {
	struct entry *v;
	uint32_t head, n, cap; /* cap: a power of two */
};

enum tier { TIER_10S, TIER_MINUTE, TIER_10MIN, TIERS };

struct series {
	struct ring tier[TIERS];
	struct sums sum; /* of the first two tiers: the last 24 hours */
	uint32_t fence;  /* windows do not reach before this cell */
};

/* 10, 20 and 30 s, 1, 2, 5, 15 and 60 min. */
enum { WINDOWS = 8 };
extern const uint32_t series_window_cells[WINDOWS];

void series_fini(struct series *s);

struct entry series_entry(uint32_t at, const struct counts *c);

/* Ages what is there to the cell's time, then adds it. */
void series_append(struct series *s, const struct entry *e);

/*
 * The sums of the windows that end at the newest cell; entries[i] is how many
 * stored cells window i spans.
 */
void series_windows(const struct series *s, struct sums sums[WINDOWS],
    uint32_t entries[WINDOWS]);

/* A stored 10-s cell, 0 being the newest. */
const struct entry *series_newest(const struct series *s, uint32_t i);

/*
 * Takes the newest `entries` cells out, and fences off what is older: it stays
 * in the baseline, but no later window reaches over what was taken.
 */
void series_cut(struct series *s, uint32_t entries);

void sums_add(struct sums *a, const struct entry *e);
struct sums sums_minus(struct sums a, struct sums b);

#endif
