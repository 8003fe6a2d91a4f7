/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hashes are spread evenly, so one pass over as many of their bits as there are
 * documents leaves a handful in every place, and these are put in order by
 * insertion.  Many documents of one trace in one place go to qsort.
 */
#include "pipeline/traces_sort.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "pipeline/traces_parts.h"

enum {
	HASH_BITS = 64,
	PLACE_BITS = 16,
	SHORT = 24, /* by insertion up to here */
};

static int
entry_cmp(const void *pa, const void *pb)
{
	const struct traces_entry *a = pa;
	const struct traces_entry *b = pb;
	struct part_head x, y;
	int c;

	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	x = parts_head(a->raw);
	y = parts_head(b->raw);
	c = memcmp(x.trace, y.trace, sizeof x.trace);
	if (c == 0)
		c = str_cmp(parts_id(a->raw), parts_id(b->raw));
	if (c == 0)
		c = str_cmp(a->raw, b->raw);
	return c;
}

static void
sort_short(struct traces_entry *v, size_t n)
{
	if (n > SHORT) {
		qsort(v, n, sizeof *v, entry_cmp);
		return;
	}
	for (size_t i = 1; i < n; i++) {
		struct traces_entry e = v[i];
		size_t at = i;

		for (; at > 0 && entry_cmp(&v[at - 1], &e) > 0; at--)
			v[at] = v[at - 1];
		v[at] = e;
	}
}

/* Of how many bits a place among n is. */
static unsigned
place_bits(size_t n)
{
	unsigned bits = 0;

	while (bits < PLACE_BITS && (size_t)1 << bits < n)
		bits++;
	return bits;
}

struct traces_entry *
traces_sort(struct traces_entry *v, struct traces_entry *room, size_t n,
    unsigned known)
{
	unsigned bits = place_bits(n);
	size_t places = (size_t)1 << bits;
	size_t *end;

	if (n <= SHORT || known + bits > HASH_BITS) {
		sort_short(v, n);
		return v;
	}
	end = xcalloc(places + 1, sizeof *end);
	for (size_t i = 0; i < n; i++)
		end[(v[i].hash << known >> (HASH_BITS - bits)) + 1]++;
	for (size_t i = 1; i <= places; i++)
		end[i] += end[i - 1];
	for (size_t i = 0; i < n; i++)
		room[end[v[i].hash << known >> (HASH_BITS - bits)]++] = v[i];
	for (size_t i = 0, from = 0; i < places; from = end[i++])
		sort_short(room + from, end[i] - from);
	free(end);
	return room;
}
