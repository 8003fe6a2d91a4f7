/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that is given back all at once.  A batch has one: what a decoder
 * unescapes or unpacks lives in it and dies with arena_reset.  The chunks are
 * kept for the next batch, up to `keep` bytes.
 */
#ifndef CORE_ARENA_H
#define CORE_ARENA_H

#include <stddef.h>

#include "core/str.h"

struct arena_chunk;

struct arena {
	struct arena_chunk *chunks; /* newest first */
	size_t used;                /* bytes handed out since the last reset */
};

/* Not zeroed, aligned for any type. */
void *arena_alloc(struct arena *a, size_t n);
struct str arena_dup(struct arena *a, struct str s);

/* Forgets all; keeps one chunk of memory for the next use. */
void arena_reset(struct arena *a);
void arena_fini(struct arena *a);

#endif
