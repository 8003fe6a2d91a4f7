/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Bloom filter (Burton Bloom, CACM 13/7, 1970) of fixed size, whose four bits
 * of a hash are within 64 bytes (Putze, Sanders and Singler, WEA 2007): "seen
 * before" is true for all that was added, and for one in forty others once a
 * million were.  1 MiB.
 */
#ifndef ANALYZERS_BLOOM_H
#define ANALYZERS_BLOOM_H

#include <stdbool.h>
#include <stdint.h>

enum {
	BLOOM_BITS = 1 << 23,
	BLOOM_LINE = 512, /* bits */
	BLOOM_HASHES = 4,
};

struct bloom {
	uint64_t words[BLOOM_BITS / 64];
};

/* Adds a hash; true: it was not there. */
static inline bool
bloom_add(struct bloom *b, uint64_t hash)
{
	uint64_t *line =
	    &b->words[hash % (BLOOM_BITS / BLOOM_LINE) * (BLOOM_LINE / 64)];
	bool fresh = false;

	/* Nine bits each; the line has the lowest fourteen. */
	for (int i = 0; i < BLOOM_HASHES; i++) {
		uint64_t at = hash >> (28 + 9 * i) & (BLOOM_LINE - 1);
		uint64_t *word = &line[at / 64];
		uint64_t bit = UINT64_C(1) << at % 64;

		fresh |= !(*word & bit);
		*word |= bit;
	}
	return fresh;
}

#endif
