/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast one entity is, and was: latencies of the last 24 hours, for the
 * relative test of the reference (3.2).
 *
 * "Slow" is what was rare before: over the baseline's 95th percentile.  About
 * one in twenty is, by definition, whatever the service; when a window has many
 * more of them the service has become slower, though no request may take a
 * second.  The baseline is what lies before the window, up to 24 h, as in
 * judge.c; which bin holds its 95th percentile is a function of the cells.
 *
 * Bins are the cells', from 4 ms to 20 s: below nobody complains, and beyond
 * the absolute test has spoken.  Cells of the last hour are kept sparse, 12
 * bytes a bin that was used; older ones by the hour.  Memory: 12 KB a key, and
 * at most 200 KB for a key that uses all bins all the time.
 */
#ifndef ANALYZERS_PACE_H
#define ANALYZERS_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "analyzers/cells.h"
#include "analyzers/glr.h"
#include "analyzers/series.h"

enum { PACE_HOURS = 24 };

/* Requests of one bin in one cell. */
struct pace_entry {
	uint32_t at, bin, n;
};

struct pace_hour {
	uint32_t hour;
	uint64_t n[PACE_BINS];
};

/* Zeroed is empty. */
struct pace {
	struct pace_entry *v; /* of the last hour, oldest first: a ring */
	uint32_t head, n, cap;
	uint32_t in[WINDOWS]; /* how many of them the windows hold */
	uint64_t window[WINDOWS][PACE_BINS];
	uint64_t all[PACE_BINS]; /* of 24 hours */
	struct pace_hour hours[PACE_HOURS];
	uint32_t hour; /* of the newest cell */
};

/*
 * What a window is beside what was before it.  Of the window's quantiles lower
 * bounds are taken, the order statistics four standard deviations of the rank
 * below, 0 where there is none: thousands of windows a day, with few requests
 * each, must not make an effect by chance.  The base is long.
 */
struct pace_view {
	uint32_t bin; /* slow is above this one: the base's 95th percentile */
	struct trials in, base;
	int64_t median_ns, p95_ns;           /* of the window, at least */
	int64_t base_median_ns, base_p95_ns; /* of the base */
};

void pace_fini(struct pace *p);

/* The cell's bins; cells come in time order. */
void pace_append(struct pace *p, uint32_t at, const uint32_t bins[PACE_BINS]);

/* False: there are fewer than 60 requests before the window. */
bool pace_look(const struct pace *p, int window, struct pace_view *v);

/* Requests of a cell above the bin. */
uint32_t pace_over(const struct pace *p, uint32_t at, uint32_t bin);

/* Takes out what is from the cell `at` on, and fences off what is older. */
void pace_cut(struct pace *p, uint32_t at);

/* Of a cell that is not appended. */
uint32_t pace_bins_over(const uint32_t bins[PACE_BINS], uint32_t bin);

/* The upper limit of a bin, ns: what is above the bin took longer. */
int64_t pace_limit(uint32_t bin);

#endif
