/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Bloom filter (Burton Bloom, CACM 13/7, 1970) of fixed size: "seen before"
 * is true for all that was added, and for one in fifty others once a
 * million were: (1 - e^(-4·10^6/2^23))^4 = 2 %.  1 MiB.
 */
#ifndef ANALYZERS_BLOOM_H
#define ANALYZERS_BLOOM_H

#include <stdbool.h>
#include <stdint.h>

enum { BLOOM_BITS = 1 << 23, BLOOM_HASHES = 4 };

struct bloom {
	uint64_t words[BLOOM_BITS / 64];
};

/* Adds a hash; true: it was not there. */
static inline bool
bloom_add(struct bloom *b, uint64_t hash)
{
	uint32_t at = (uint32_t)hash;
	uint32_t step = (uint32_t)(hash >> 32) | 1;
	bool fresh = false;

	for (int i = 0; i < BLOOM_HASHES; i++, at += step) {
		uint64_t *word = &b->words[at % BLOOM_BITS / 64];
		uint64_t bit = UINT64_C(1) << at % 64;

		fresh |= !(*word & bit);
		*word |= bit;
	}
	return fresh;
}

#endif
