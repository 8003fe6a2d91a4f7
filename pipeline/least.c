/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sorted array, for it is mostly asked and seldom changed.
 */
#include "pipeline/least.h"

#include <string.h>

void
least_add(struct least *l, uint64_t hash)
{
	size_t lo = 0;
	size_t hi = l->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (l->v[mid] < hash)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < l->n && l->v[lo] == hash)
		return;
	l->beyond |= l->n == LEAST_MAX;
	if (lo == LEAST_MAX)
		return;
	l->n += l->n < LEAST_MAX;
	memmove(&l->v[lo + 1], &l->v[lo], (l->n - lo - 1) * sizeof l->v[0]);
	l->v[lo] = hash;
}

uint64_t
least_limit(const struct least *l)
{
	return l->beyond ? l->v[LEAST_MAX - 1] : UINT64_MAX;
}
