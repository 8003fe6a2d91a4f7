/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A key is read until two lengths beyond the block's first time, which is as
 * far as where it ends can depend on; what is beyond its end is kept.
 */
#include "pipeline/blocks.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

/* A stream that was read twice has two of each. */
enum {
	CELL_MAX = 2 * (CANDIDATES_DENSE + 1),
	HELD_MAX = 64 * 1024, /* two hours, every minute nearly dense */
};

static int64_t
begin_of(const struct candidate *c)
{
	return spill_time_of(c->key.lo);
}

static void
advance(struct blocks *b)
{
	const void *next = merge_next(b->merge);

	b->next = next;
}

int
blocks_open(struct blocks *b, struct spill *const *spills, size_t n,
    struct err *err)
{
	b->merge = merge_new(spills, n, err);
	if (!b->merge)
		return -1;
	b->number = 0;
	b->n = b->held = 0;
	b->in_cell = 0;
	advance(b);
	return 0;
}

int
blocks_close(struct blocks *b, struct err *err)
{
	int rc = merge_failed(b->merge, err);

	merge_free(b->merge);
	b->merge = NULL;
	return rc;
}

void
blocks_fini(struct blocks *b)
{
	merge_free(b->merge);
	free(b->v);
	free(b->t);
	free(b->mark);
	free(b->at);
	*b = (struct blocks){ 0 };
}

size_t
blocks_end(const int64_t *t, size_t from, size_t n, int64_t length)
{
	int64_t end = (candidate_block(t[from], length) + 1) * length;
	size_t cut = from;

	if (end - t[from] < length / 2)
		end += length;
	for (size_t i = from; i < n; i++) {
		if (i > from && t[i] - t[i - 1] > length / 2)
			return i;
		if (t[i] >= end + length / 2)
			return cut;
		if (t[i] < end)
			cut = i + 1;
	}
	return n;
}

static int
by_event(const void *a, const void *b)
{
	const struct candidate *x = a;
	const struct candidate *y = b;

	if (x->key.lo != y->key.lo)
		return x->key.lo < y->key.lo ? -1 : 1;
	if (x->identity != y->identity)
		return x->identity < y->identity ? -1 : 1;
	if (x->input != y->input)
		return x->input < y->input ? -1 : 1;
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static bool
same_event(const struct candidate *a, const struct candidate *b)
{
	return a->identity && a->identity == b->identity &&
	       a->key.lo == b->key.lo;
}

/* Equal times come in any order: they get the one that they have. */
static void
order_equals(struct blocks *b)
{
	for (size_t i = 0; i < b->held;) {
		size_t end = i + 1;

		while (end < b->held && b->v[end].key.lo == b->v[i].key.lo)
			end++;
		if (end - i > 1)
			qsort(&b->v[i], end - i, sizeof *b->v, by_event);
		i = end;
	}
}

static void
take_times(struct blocks *b)
{
	if (b->cap_t < b->held) {
		b->cap_t = b->cap_v;
		b->t = xrealloc(b->t, b->cap_t, sizeof *b->t);
		b->mark = xrealloc(b->mark, b->cap_t, sizeof *b->mark);
		b->at = xrealloc(b->at, b->cap_t, sizeof *b->at);
	}
	b->n_t = 0;
	for (size_t i = 0; i < b->held; i++) {
		if (i == 0 || !same_event(&b->v[i - 1], &b->v[i]))
			b->t[b->n_t++] = begin_of(&b->v[i]);
		b->at[i] = (uint32_t)b->n_t - 1;
	}
	b->n_t = blocks_end(b->t, 0, b->n_t, lattice_slow.block_ns);
	for (b->n = 0; b->n < b->held && b->at[b->n] < b->n_t; b->n++)
		;
}

/* Marks what is in an minute with too many. */
static void
mark_dense(struct blocks *b)
{
	memset(b->mark, 0, b->n_t);
	for (size_t i = 0; i < b->n_t;) {
		int64_t cell = candidate_block(b->t[i], CANDIDATE_CELL_NS);
		size_t end = i;

		while (end < b->n_t &&
		       candidate_block(b->t[end], CANDIDATE_CELL_NS) == cell)
			end++;
		if (end - i > CANDIDATES_DENSE)
			memset(b->mark + i, BLOCKS_DENSE, end - i);
		i = end;
	}
}

/* Whether the cell of the next one is full, or all there is room for. */
static bool
is_excess(struct blocks *b, int64_t begin_ns)
{
	int64_t cell = candidate_block(begin_ns, CANDIDATE_CELL_NS);

	if (b->held == 0 || cell != b->cell)
		b->in_cell = 0;
	b->cell = cell;
	return ++b->in_cell > CELL_MAX || b->held == HELD_MAX;
}

enum blocks_next
blocks_next(struct blocks *b)
{
	const int64_t far = 2 * lattice_slow.block_ns;

	if (b->n > 0) {
		b->held -= b->n;
		memmove(b->v, b->v + b->n, b->held * sizeof *b->v);
		b->n = 0;
	}
	for (; b->next; advance(b)) {
		int64_t begin_ns = begin_of(b->next);

		if (b->held > 0 && (b->next->key.hi != b->v[0].key.hi ||
				       begin_ns - begin_of(&b->v[0]) > far))
			break;
		if (is_excess(b, begin_ns)) {
			b->excess = *b->next;
			advance(b);
			return BLOCKS_EXCESS;
		}
		b->v = xgrow(b->v, b->held + 1, &b->cap_v, sizeof *b->v);
		b->v[b->held++] = *b->next;
	}
	if (b->held == 0)
		return BLOCKS_END;
	order_equals(b);
	take_times(b);
	mark_dense(b);
	b->number++;
	return BLOCKS_BLOCK;
}
