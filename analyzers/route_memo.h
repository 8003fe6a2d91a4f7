/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A few paths and the numbers that a tree of routes has given them: most
 * requests are for them, and numbers are valid for ever.
 *
 * What is remembered is a short path without ids; or one whose last segment is
 * of digits, without them: whatever they are, they are an id, and the route is
 * the same.  Whether a path is one of these is for the caller to know.
 */
#ifndef ANALYZERS_ROUTE_MEMO_H
#define ANALYZERS_ROUTE_MEMO_H

#include <stdbool.h>
#include <stdint.h>

#include "core/str.h"

enum {
	MEMO_BITS = 6,
	MEMO_SETS = 1 << MEMO_BITS,
	MEMO_WAYS = 2,
	MEMO_MAX = 42, /* makes an entry 64 bytes */
};

struct memo {
	uint64_t head, tail; /* as of a literal segment */
	uint32_t number;
	uint8_t n; /* 0: empty; of a key: too long */
	bool digits;
	char text[MEMO_MAX];
};

/* All zero when empty.  In a set, the newer one is first. */
struct memos {
	struct memo v[MEMO_SETS][MEMO_WAYS];
};

/* What a path is known by; key->digits: it ends in a segment of digits. */
void memo_key(struct memo *key, struct str path);

/* The path of the key, or NULL. */
const struct memo *memo_find(const struct memos *m, const struct memo *key,
    struct str path);

/* Remembers the number; the older one of its set goes.  key->n is not 0. */
void memo_put(struct memos *m, struct memo *key, struct str path,
    uint32_t number);

#endif
