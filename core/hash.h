/* SPDX-License-Identifier: Apache-2.0 */
/*
 * XXH3, the only hash here (https://xxhash.com).  Its values are part of the
 * documents' ids and of decisions, so the seed is fixed for ever.
 */
#ifndef CORE_HASH_H
#define CORE_HASH_H

#include <stdint.h>

#include "core/str.h"

uint64_t hash64(struct str s);

/* A second value mixed into a first: order matters. */
uint64_t hash64_mix(uint64_t h, uint64_t more);

/*
 * Document ids: XXH3-128 over the parts, each preceded by its length, printed
 * as 22 characters base64url.  `out` takes 22 bytes, no NUL.
 */
enum { HASH_ID_SIZE = 22 };
void hash_id(char out[HASH_ID_SIZE], const struct str *parts, int n);

#endif
