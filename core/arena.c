/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch's memory: chunks in a list, cut from the front.  A reset keeps the
 * newest chunk, which is the largest that an ordinary batch needs, and gives
 * the others back, so that one huge document does not stay.
 */
#include "core/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/mem.h"

enum {
	CHUNK = 64 * 1024,
	KEEP = 1024 * 1024, /* a larger chunk is not kept over a reset */
};

struct arena_chunk {
	struct arena_chunk *next;
	size_t size;
	size_t used;
	alignas(max_align_t) char bytes[];
};

static struct arena_chunk *
chunk_new(size_t n)
{
	size_t size = n > CHUNK ? n : CHUNK;
	struct arena_chunk *c = xcalloc(1, sizeof *c + size);

	c->size = size;
	return c;
}

void *
arena_alloc(struct arena *a, size_t n)
{
	struct arena_chunk *c = a->chunks;
	void *p;

	assert(n <= SIZE_MAX - CHUNK);
	n = (n + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (!c || n > c->size - c->used) {
		c = chunk_new(n);
		c->next = a->chunks;
		a->chunks = c;
	}
	p = c->bytes + c->used;
	c->used += n;
	a->used += n;
	return p;
}

struct str
arena_dup(struct arena *a, struct str s)
{
	char *p;

	if (s.n == 0)
		return s;
	p = arena_alloc(a, s.n);
	memcpy(p, s.p, s.n);
	return (struct str){ p, s.n };
}

void
arena_reset(struct arena *a)
{
	struct arena_chunk *keep = a->chunks;
	struct arena_chunk *c;

	if (!keep)
		return;
	c = keep->next;
	while (c) {
		struct arena_chunk *next = c->next;

		free(c);
		c = next;
	}
	keep->next = NULL;
	keep->used = 0;
	if (keep->size > KEEP) {
		free(keep);
		a->chunks = NULL;
	}
	a->used = 0;
}

void
arena_fini(struct arena *a)
{
	arena_reset(a);
	free(a->chunks);
	*a = (struct arena){ 0 };
}
