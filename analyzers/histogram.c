/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Latency in logarithmic bins.
 *
 * Finding the bin costs no search: the binary logarithm of a duration is the
 * number of its leading zeros plus what the next six bits say, and 35.003 bins
 * make an octave, so that a table of 64 rows gives a bin that is the right one
 * or at most two too low.  The comparison with the exact limits decides.
 *
 * Error: a bin (l, 1.02·l] is answered for by 2·1.02·l/2.02, the value whose
 * relative distance to both ends is equal: 0.02/2.02 = 0.99 % (DDSketch, arXiv
 * 1908.10693, proposition 2).  Below 0.1 ms the error is 0.1 ms; the last bin
 * is answered for by the exact maximum.
 *
 * Memory: four bytes a bin between the least and the greatest used; about 30
 * bins for a route in a cell, 3.5 KB at most.
 */
#include "analyzers/histogram.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "analyzers/histogram_limits.h"
#include "analyzers/saturate.h"
#include "core/mem.h"

enum {
	LOG_LEAST = 16,      /* 2^16 ns is below the first limit */
	LOG_BITS = 6,        /* bits looked at behind the leading one */
	OCTAVE = 8960,       /* ⌊256 · log1.02 2⌋ */
	OCTAVE_FIRST = 5463, /* ⌈256 · log1.02 (10^5 / 2^16)⌉ */
	SLACK = 8, /* bins allotted beyond the one that was asked for */
};

/* ⌊256 · log1.02 (1 + i/64)⌋ */
static const uint16_t octave[1 << LOG_BITS] = { 0, 200, 397, 592, 783, 972,
	1158, 1341, 1522, 1700, 1876, 2050, 2221, 2390, 2557, 2722, 2884, 3045,
	3203, 3360, 3515, 3668, 3819, 3969, 4116, 4262, 4407, 4550, 4691, 4831,
	4969, 5106, 5241, 5375, 5508, 5639, 5769, 5898, 6025, 6151, 6276, 6400,
	6522, 6644, 6764, 6883, 7001, 7118, 7234, 7349, 7463, 7576, 7688, 7799,
	7909, 8018, 8126, 8233, 8340, 8445, 8550, 8654, 8757, 8859 };

int64_t
histogram_bin_limit(uint32_t bin)
{
	return histogram_limits[bin < HISTOGRAM_BINS ? bin
						     : HISTOGRAM_BINS - 1];
}

uint32_t
histogram_bin(int64_t ns)
{
	if (ns <= histogram_limits[0])
		return 0;
	if (ns > histogram_limits[HISTOGRAM_BINS - 2])
		return HISTOGRAM_BINS - 1;

	unsigned log = 63 - (unsigned)__builtin_clzll((unsigned long long)ns);
	unsigned next =
	    (unsigned)(ns >> (log - LOG_BITS)) & ((1U << LOG_BITS) - 1);
	int at = (int)(log - LOG_LEAST) * OCTAVE + octave[next] - OCTAVE_FIRST;
	uint32_t bin = at > 0 ? (uint32_t)at >> 8 : 0;

	while (ns > histogram_limits[bin])
		bin++;
	return bin;
}

/* Makes [first, last] part of what is allotted. */
static void
histogram_cover(struct histogram *h, uint32_t first, uint32_t last)
{
	if (h->n > 0 && h->first < first)
		first = h->first;
	else
		first = first > SLACK ? first - SLACK : 0;
	if (h->n > 0 && h->first + h->n - 1 > last)
		last = h->first + h->n - 1;
	else if (last < HISTOGRAM_BINS - SLACK)
		last += SLACK;
	else
		last = HISTOGRAM_BINS - 1;

	uint32_t n = last - first + 1;
	uint32_t *count = xcalloc(n, sizeof(*count));

	if (h->n > 0)
		memcpy(count + (h->first - first), h->count,
		    h->n * sizeof(*count));
	free(h->count);
	h->count = count;
	h->first = first;
	h->n = n;
}

uint32_t
histogram_add(struct histogram *h, int64_t ns)
{
	uint32_t bin = histogram_bin(ns);

	if (bin - h->first >= h->n) /* below the first: wraps, also greater */
		histogram_cover(h, bin, bin);
	h->count[bin - h->first] = add_u32(h->count[bin - h->first], 1);
	if (h->total == 0 || ns > h->max_ns)
		h->max_ns = ns;
	h->total++;
	return bin;
}

void
histogram_merge(struct histogram *a, const struct histogram *b)
{
	if (b->total == 0)
		return;

	uint32_t last = b->first + b->n - 1;

	if (a->n == 0 || b->first < a->first || last > a->first + a->n - 1)
		histogram_cover(a, b->first, last);
	for (uint32_t i = 0; i < b->n; i++) {
		uint32_t *count = &a->count[b->first + i - a->first];

		*count = add_u32(*count, b->count[i]);
	}
	if (a->total == 0 || b->max_ns > a->max_ns)
		a->max_ns = b->max_ns;
	a->total += b->total;
}

int64_t
histogram_quantile(const struct histogram *h, unsigned permille)
{
	if (h->total == 0)
		return -1;
	if (permille >= 1000)
		return h->max_ns;

	/* ⌈total · permille / 1000⌉, the rank from 1, without overflow. */
	uint64_t rank = h->total / 1000 * permille +
			(h->total % 1000 * permille + 999) / 1000;

	if (rank == 0)
		rank = 1;
	for (uint32_t i = 0; i < h->n; i++) {
		if (h->count[i] < rank) {
			rank -= h->count[i];
			continue;
		}
		if (h->first + i == HISTOGRAM_BINS - 1)
			return h->max_ns;

		int64_t limit = histogram_limits[h->first + i];
		int64_t ns = limit - limit / 101; /* ·100/101 */

		return ns < h->max_ns ? ns : h->max_ns;
	}
	return h->max_ns; /* a bin was saturated */
}

void
histogram_fini(struct histogram *h)
{
	free(h->count);
	*h = (struct histogram){ 0 };
}
