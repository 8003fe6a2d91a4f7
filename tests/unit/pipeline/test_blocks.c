/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that wait come back as they were put, and in the same blocks whether
 * they were in chains or had to be sorted.
 */
#include "pipeline/blocks.h"

#include <criterion/criterion.h>

#include "core/hash.h"
#include "pipeline/candidates.h"

enum { KEYS = 7, MANY = 40000 };

/* Something that depends on i only. */
static uint64_t
draw(uint64_t i, uint64_t what)
{
	return hash64_mix(i, what);
}

static struct link
link_of(uint64_t i, int64_t step_ns)
{
	/* Some begin long before those that were put before them. */
	int64_t late = (int64_t)(draw(i, 1) % 5) * 700 * NS_PER_MS;

	return (struct link){ .begin_ns = (int64_t)i * step_ns -
					  (draw(i, 2) % 9 == 0 ? late : 0),
		.duration_ns = draw(i, 3) % 2 ? -1 : (int64_t)draw(i, 4),
		.line = i + 1,
		.seq = i * 3,
		.status = (int16_t)(draw(i, 5) % 2 ? -1 : 404),
		.has_trace = draw(i, 6) % 3 == 0,
		.extra = { draw(i, 7), draw(i, 8) } };
}

/* n requests of a few keys; every third has a trace. */
static void
fill(struct candidates *c, uint64_t n, uint64_t keys, int64_t step_ns)
{
	struct err err;

	for (uint64_t i = 0; i < n; i++) {
		struct link l = link_of(i, step_ns);
		uint64_t key = draw(i, 9) % keys;
		struct chain_place place = { .stream = 5,
			.input = (uint32_t)(i * 4 / n),
			.origin = 3,
			.extra = l.has_trace ? 2 : 0 };
		struct candidate_who who = { key, 8, draw(key, 10) | 1, 9 };
		struct chain *chain = chains_of(&c->chains, &place, &who);

		chain->class = CLASS_PROBABLE_PROBE;
		cr_assert_eq(candidates_put(c, chain, &l, &err), 0);
	}
}

static void
open_blocks(struct blocks *b, struct candidates *c, struct chain_ref *refs)
{
	struct err err;

	if (c->requests) {
		cr_assert_eq(candidates_sort(c, &err), 0);
		spill_seal(c->requests);
		cr_assert_eq(blocks_open(b, &c->requests, 1, &err), 0);
		return;
	}
	for (size_t i = 0; i < c->chains.n; i++) {
		size_t at = i;

		while (at > 0 &&
		       refs[at - 1].chain->who.key > c->chains.v[i].who.key) {
			refs[at] = refs[at - 1];
			at--;
		}
		refs[at] = (struct chain_ref){ &c->chains, &c->chains.v[i] };
	}
	blocks_open_chains(b, refs, c->chains.n);
}

static void
compare(const struct candidate *a, const struct candidate *b, bool dense)
{
	cr_assert_eq(a->key.hi, b->key.hi);
	cr_assert_eq(a->key.lo, b->key.lo);
	/* In a dense minute it does not matter which of equal times. */
	if (dense)
		return;
	cr_assert_eq(a->seq, b->seq);
	cr_assert_eq(a->line, b->line);
	cr_assert_eq(a->input, b->input);
	cr_assert_eq(a->duration_ns, b->duration_ns);
	cr_assert_eq(a->status, b->status);
	cr_assert_eq(a->class, b->class);
	cr_assert_eq(a->has_trace, b->has_trace);
	cr_assert_arr_eq(a->trace, b->trace, sizeof a->trace);
}

/* Both give the same; how many blocks, and how many that are in excess. */
static void
same_blocks(uint64_t n, uint64_t keys, int64_t step_ns, size_t *excess)
{
	struct candidates c[2];
	struct chain_ref refs[8 * KEYS];
	struct blocks b[2] = { 0 };
	enum blocks_next what[2];
	size_t all = 0;
	struct err err;

	*excess = 0;
	for (int k = 0; k < 2; k++) {
		candidates_init(&c[k], k ? 100 * 1000 : 64 * 1024 * 1024);
		fill(&c[k], n, keys, step_ns);
		cr_assert_eq(c[k].requests != NULL, k == 1);
		open_blocks(&b[k], &c[k], refs);
	}
	do {
		for (int k = 0; k < 2; k++)
			what[k] = blocks_next(&b[k]);
		cr_assert_eq(what[0], what[1]);
		if (what[0] == BLOCKS_EXCESS) {
			compare(&b[0].excess, &b[1].excess, true);
			all++;
			++*excess;
		}
		if (what[0] != BLOCKS_BLOCK)
			continue;
		cr_assert_eq(b[0].n, b[1].n);
		for (size_t i = 0; i < b[0].n; i++)
			compare(&b[0].v[i], &b[1].v[i],
			    b[0].mark[b[0].at[i]] == BLOCKS_DENSE);
		cr_assert_arr_eq(b[0].mark, b[1].mark, b[0].n_t);
		all += b[0].n;
	} while (what[0] != BLOCKS_END);
	cr_assert_eq(all, n);
	for (int k = 0; k < 2; k++) {
		cr_assert_eq(blocks_close(&b[k], &err), 0);
		blocks_fini(&b[k]);
		candidates_fini(&c[k]);
	}
}

Test(blocks, are_the_same_from_chains_and_from_a_sort)
{
	size_t excess;

	same_blocks(9000, KEYS, 3 * NS_PER_SEC, &excess);
	cr_expect_eq(excess, 0);
}

Test(blocks, are_the_same_of_a_key_that_is_too_large)
{
	size_t excess;

	same_blocks(MANY, 1, NS_PER_SEC, &excess);
	cr_expect_eq(excess, 0);
}

Test(blocks, hand_over_what_a_dense_minute_has_beyond_its_limit)
{
	size_t excess;

	same_blocks(9000, 2, 10 * NS_PER_MS, &excess);
	cr_expect(excess > 0);
}

Test(chains, come_back_as_they_came_with_the_class_they_got)
{
	struct candidates c;
	struct chain_cursor next[8 * KEYS];
	struct candidate one;

	candidates_init(&c, 64 * 1024 * 1024);
	fill(&c, 3000, KEYS, NS_PER_SEC);
	cr_assert_eq(c.chains.n_order, 3000);
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < c.chains.n; i++)
			next[i] = chain_read(&c.chains, &c.chains.v[i]);
		for (uint64_t i = 0; i < 3000; i++) {
			struct link l = link_of(i, NS_PER_SEC);

			chain_next(&next[c.chains.order[i]], &one);
			cr_assert_eq(one.line, l.line);
			cr_assert_eq(one.seq, l.seq);
			cr_assert_eq(one.status, l.status);
			cr_assert_eq(spill_time_of(one.key.lo), l.begin_ns);
			if (round == 0)
				chain_judge(one.home, (enum class)(i % 3));
			else
				cr_assert_eq(one.judged, i % 3);
		}
	}
	candidates_fini(&c);
}
