/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fixed set of JSON keys, each in one of a few objects ("places"), found
 * without a hash: by place and length there are few rows, and those are told
 * apart by whole words.
 */
#ifndef INGEST_KEYS_H
#define INGEST_KEYS_H

#include "core/str.h"
#include "ingest/scan.h"

enum { KEYS_MAX = 64, KEYS_PLACES = 8, KEYS_LENGTH = 24 };

struct keys_row {
	uint64_t first;  /* bytes 0 to 7, zeros behind a shorter key */
	uint64_t middle; /* bytes 8 to 15 of a key longer than 16 */
	uint64_t last;   /* the last eight of a key longer than 8 */
	size_t tag;
};

struct keys {
	struct keys_row row[KEYS_MAX];
	uint8_t begin[KEYS_PLACES][KEYS_LENGTH + 2];
	size_t n;
};

struct keys_name {
	const char *name; /* at most KEYS_LENGTH bytes */
	size_t place;
};

/* The tag of a key is its index in `names`; at most KEYS_MAX. */
void keys_init(struct keys *k, const struct keys_name *names, size_t n);

enum { KEYS_NONE = KEYS_MAX };

/*
 * The tag of a key at that place, or KEYS_NONE.  Eight bytes can be read from
 * key.p on, however short it is.
 */
static inline size_t
keys_find(const struct keys *k, size_t place, struct str key)
{
	uint64_t first;
	uint64_t middle;
	uint64_t last;

	if (key.n == 0 || key.n > KEYS_LENGTH)
		return KEYS_NONE;
	first = scan_load(key.p);
	if (key.n < 8)
		first &= (UINT64_C(1) << (8 * key.n)) - 1;
	middle = key.n > 16 ? scan_load(key.p + 8) : 0;
	last = key.n > 8 ? scan_load(key.p + key.n - 8) : 0;
	for (size_t i = k->begin[place][key.n]; i < k->begin[place][key.n + 1];
	     i++)
		if (k->row[i].first == first && k->row[i].last == last &&
		    k->row[i].middle == middle)
			return k->row[i].tag;
	return KEYS_NONE;
}

#endif
