/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets of two, found by a path's first and last bytes and its length.
 */
#include "analyzers/route_memo.h"

#include "analyzers/route_shape.h"

static size_t
digits_at_end(struct str path)
{
	size_t n = 0;

	while (n < path.n && (unsigned char)(path.p[path.n - n - 1] - '0') < 10)
		n++;
	return n;
}

void
memo_key(struct memo *key, struct str path)
{
	size_t digits = digits_at_end(path);
	struct segment_text t;

	key->digits =
	    digits > 0 && digits < path.n && path.p[path.n - digits - 1] == '/';
	if (key->digits)
		path.n -= digits;
	t = segment_literal(path);
	key->head = t.head;
	key->tail = t.tail;
	key->n = path.n <= MEMO_MAX ? (uint8_t)path.n : 0;
}

/* The index of its set. */
static size_t
set_of(const struct memo *key)
{
	uint64_t mixed = (key->head ^ key->tail << 3 ^ key->n ^
			     (uint64_t)key->digits << 63) *
			 UINT64_C(0x9E3779B97F4A7C15);

	return mixed >> (64 - MEMO_BITS);
}

/* Of texts whose first and last eight bytes are equal: all between them. */
static inline bool
same_middle(const char *a, const char *b, size_t n)
{
	for (size_t i = 8; i + 8 < n; i += 8) {
		size_t at = i + 16 <= n ? i : n - 16;
		uint64_t x;
		uint64_t y;

		memcpy(&x, a + at, sizeof x);
		memcpy(&y, b + at, sizeof y);
		if (x != y)
			return false;
	}
	return true;
}

static inline bool
same(const struct memo *a, const struct memo *key, struct str path)
{
	return a->head == key->head && a->tail == key->tail && a->n == key->n &&
	       a->digits == key->digits && same_middle(a->text, path.p, a->n);
}

const struct memo *
memo_find(const struct memos *m, const struct memo *key, struct str path)
{
	const struct memo *set = m->v[set_of(key)];

	for (size_t i = 0; i < MEMO_WAYS && key->n > 0; i++)
		if (same(&set[i], key, path))
			return &set[i];
	return NULL;
}

void
memo_put(struct memos *m, struct memo *key, struct str path, uint32_t number)
{
	struct memo *set = m->v[set_of(key)];

	key->number = number;
	memcpy(key->text, path.p, key->n);
	set[1] = set[0];
	set[0] = *key;
}
