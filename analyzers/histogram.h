/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Latency, as counts in logarithmic bins: bin b holds durations up to
 * 1.02^b × 0.1 ms, from 0.1 ms to beyond one hour in 880 bins, about 1 % error
 * (DDSketch without collapsing, arXiv 1908.10693).  Bin limits are integers of
 * nanoseconds, made once by integer arithmetic: no libm in any decision.
 * Merging adds bins: exact, in any order.
 */
#ifndef ANALYZERS_HISTOGRAM_H
#define ANALYZERS_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_BINS = 880 };

/* Sparse: grows to the range of bins that were used.  Zeroed is empty. */
struct histogram {
	uint32_t *count;
	uint32_t first; /* bin of count[0] */
	uint32_t n;     /* bins allotted */
	uint64_t total;
	int64_t max_ns; /* the largest value, exact */
};

uint32_t histogram_bin(int64_t ns);
int64_t histogram_bin_limit(uint32_t bin); /* its upper limit, ns */
uint32_t histogram_add(struct histogram *h, int64_t ns); /* its bin */
void histogram_merge(struct histogram *a, const struct histogram *b);

/* The value below which `permille` of 1000 lie; -1 when empty. */
int64_t histogram_quantile(const struct histogram *h, unsigned permille);
void histogram_fini(struct histogram *h);

#endif
