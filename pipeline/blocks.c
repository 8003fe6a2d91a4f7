/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A key is read until two lengths beyond the block's first time, which is as
 * far as where it ends can depend on; what is beyond its end is kept.
 */
#include "pipeline/blocks.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

/* A stream that was read twice has two of each. */
enum {
	CELL_MAX = 2 * (CANDIDATES_DENSE + 1),
	HELD_MAX = 64 * 1024, /* two hours, every minute nearly dense */
	KEY_MAX = 32 * 1024,  /* of chains; with more it is sorted on disk */
	SORT_BYTES = 1024 * 1024,
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

static void
start(struct blocks *b)
{
	b->number = 0;
	b->n = b->held = b->loaded = 0;
	b->n_refs = 0;
	b->in_cell = 0;
	b->failed = false;
}

int
blocks_open(struct blocks *b, struct spill *const *spills, size_t n,
    struct err *err)
{
	start(b);
	b->merge = merge_new(spills, n, err);
	if (!b->merge)
		return -1;
	advance(b);
	return 0;
}

void
blocks_open_chains(struct blocks *b, const struct chain_ref *refs, size_t n)
{
	start(b);
	b->refs = refs;
	b->n_refs = n;
}

/* The sort is at its end. */
static void
end_merge(struct blocks *b)
{
	if (b->merge && !b->failed)
		b->failed = merge_failed(b->merge, &b->err) != 0;
	merge_free(b->merge);
	spill_free(b->sort);
	b->merge = NULL;
	b->sort = NULL;
	b->next = NULL;
}

int
blocks_close(struct blocks *b, struct err *err)
{
	end_merge(b);
	return b->failed ? err_set(err, "%s", b->err.text) : 0;
}

void
blocks_fini(struct blocks *b)
{
	end_merge(b);
	free(b->buffer);
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

/* Marks what is in a minute with too many. */
static void
mark_dense(struct blocks *b)
{
	size_t i = 0;

	memset(b->mark, 0, b->n_t);
	/* Mostly there is none: no division is needed to see that. */
	while (i + CANDIDATES_DENSE < b->n_t &&
	       b->t[i + CANDIDATES_DENSE] - b->t[i] >= CANDIDATE_CELL_NS)
		i++;
	if (i + CANDIDATES_DENSE >= b->n_t)
		return;
	for (i = 0; i < b->n_t;) {
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

/* So many chains, from the first, are of one key. */
static size_t
chains_of_key(const struct blocks *b, size_t *candidates)
{
	size_t n = 0;

	*candidates = 0;
	while (n < b->n_refs &&
	       b->refs[n].chain->who.key == b->refs[0].chain->who.key)
		*candidates += b->refs[n++].chain->n;
	return n;
}

/* A key that is too large goes through a sort of its own. */
static int
sort_key(struct blocks *b, size_t n)
{
	struct candidate c;

	b->sort = spill_new(sizeof c, SORT_BYTES);
	for (size_t i = 0; i < n; i++) {
		struct chain_cursor next =
		    chain_read(b->refs[i].chains, b->refs[i].chain);

		while (next.left_all > 0) {
			chain_next(&next, &c);
			if (spill_put(b->sort, &c.key, &b->err) != 0)
				return -1;
		}
	}
	spill_seal(b->sort);
	b->merge = merge_new(&b->sort, 1, &b->err);
	return b->merge ? 0 : -1;
}

/*
 * Nearly in order: each goes back to where it belongs.  False: too far; all are
 * there still.
 */
static bool
order_near(struct candidate *v, size_t n)
{
	size_t moves = 8 * n;

	for (size_t i = 1; i < n; i++) {
		struct candidate c = v[i];
		size_t to = i;

		while (to > 0 && v[to - 1].key.lo > c.key.lo)
			to--;
		if (to == i)
			continue;
		if (i - to > moves)
			return false;
		moves -= i - to;
		memmove(&v[to + 1], &v[to], (i - to) * sizeof *v);
		v[to] = c;
	}
	return true;
}

/* Whether a minute has more than a sort would hand over in blocks. */
static bool
has_excess(const struct blocks *b)
{
	for (size_t i = CELL_MAX; i < b->loaded; i++) {
		int64_t first = begin_of(&b->v[i - CELL_MAX]);
		int64_t last = begin_of(&b->v[i]);

		if (last - first < CANDIDATE_CELL_NS &&
		    candidate_block(first, CANDIDATE_CELL_NS) ==
			candidate_block(last, CANDIDATE_CELL_NS))
			return true;
	}
	return false;
}

/* All of the key into the buffer, in order. */
static void
load_key(struct blocks *b, size_t n, size_t candidates)
{
	if (candidates > b->cap_v) {
		free(b->buffer);
		b->buffer = NULL;
		b->cap_v = 0;
	}
	b->buffer = xgrow(b->buffer, candidates, &b->cap_v, sizeof *b->buffer);
	b->v = b->buffer;
	b->loaded = 0;
	for (size_t i = 0; i < n; i++) {
		struct chain_cursor next =
		    chain_read(b->refs[i].chains, b->refs[i].chain);

		while (next.left_all > 0)
			chain_next(&next, &b->v[b->loaded++]);
	}
	assert(b->loaded == candidates);
	if (!order_near(b->v, b->loaded))
		qsort(b->v, b->loaded, sizeof *b->v, by_event);
}

/* The next key of the chains; false: there is none, or a failure. */
static bool
next_key(struct blocks *b)
{
	size_t candidates;
	size_t n;

	end_merge(b);
	if (b->failed || b->n_refs == 0)
		return false;
	n = chains_of_key(b, &candidates);
	if (candidates <= KEY_MAX)
		load_key(b, n, candidates);
	if (candidates > KEY_MAX || has_excess(b)) {
		b->loaded = 0;
		b->failed = sort_key(b, n) != 0;
		if (!b->failed)
			advance(b);
	}
	b->in_cell = 0;
	b->refs += n;
	b->n_refs -= n;
	return !b->failed;
}

/* What is behind the block is at the front. */
static void
drop_block(struct blocks *b)
{
	b->held -= b->n;
	if (b->n == 0)
		return;
	if (b->merge) {
		memmove(b->v, b->v + b->n, b->held * sizeof *b->v);
	} else {
		b->v += b->n;
		b->loaded -= b->n;
	}
	b->n = 0;
}

/* Whether a time is beyond what the block's end can depend on. */
static bool
is_far(const struct blocks *b, int64_t begin_ns)
{
	return b->held > 0 &&
	       begin_ns - begin_of(&b->v[0]) > 2 * lattice_slow.block_ns;
}

/* Reads on in the sort; BLOCKS_BLOCK: what there is of the key, or nothing. */
static enum blocks_next
read_sorted(struct blocks *b)
{
	b->v = b->buffer;
	for (; b->next; advance(b)) {
		int64_t begin_ns = begin_of(b->next);

		if ((b->held > 0 && b->next->key.hi != b->v[0].key.hi) ||
		    is_far(b, begin_ns))
			break;
		if (is_excess(b, begin_ns)) {
			b->excess = *b->next;
			advance(b);
			return BLOCKS_EXCESS;
		}
		b->buffer =
		    xgrow(b->buffer, b->held + 1, &b->cap_v, sizeof *b->buffer);
		b->v = b->buffer;
		b->v[b->held++] = *b->next;
	}
	return BLOCKS_BLOCK;
}

enum blocks_next
blocks_next(struct blocks *b)
{
	drop_block(b);
	do {
		if (b->merge && read_sorted(b) == BLOCKS_EXCESS)
			return BLOCKS_EXCESS;
		while (!b->merge && b->held < b->loaded &&
		       !is_far(b, begin_of(&b->v[b->held])))
			b->held++;
	} while (b->held == 0 && next_key(b));
	if (b->held == 0)
		return BLOCKS_END;
	order_equals(b);
	take_times(b);
	mark_dense(b);
	b->number++;
	return BLOCKS_BLOCK;
}
