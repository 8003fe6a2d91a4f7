/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A chunk is links, and a word behind them that says where the next one is:
 *
 *	begin | duration | line | seq, class, trace, status | identity or trace
 *	                          45     2      1       16 bits
 */
#include "pipeline/chains.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

enum {
	LINK_WORDS = 4,
	CHUNK_FIRST = 2,
	CHUNK_MOST = 64, /* links */
	SLOTS_FIRST = 256,
	STATUS_BITS = 16,
	CLASS_AT = STATUS_BITS + 1,
	SEQ_AT = CLASS_AT + 2,
};

void
chains_init(struct chains *c, size_t bytes)
{
	*c = (struct chains){ .bytes = bytes };
}

void
chains_fini(struct chains *c)
{
	free(c->v);
	free(c->slots);
	free(c->words);
	free(c->order);
	*c = (struct chains){ 0 };
}

void
chains_reset(struct chains *c)
{
	c->n = c->n_words = c->n_order = 0;
	if (c->slots)
		memset(c->slots, 0, c->cap_slots * sizeof *c->slots);
}

bool
chains_full(const struct chains *c)
{
	return c->n * sizeof *c->v + c->n_words * sizeof *c->words +
		   c->n_order * sizeof *c->order >
	       c->bytes;
}

/* Where the key is, or is to be; keys with and without a trace are two. */
static uint32_t *
slot_of(const struct chains *c, uint64_t key, uint32_t extra)
{
	size_t at = (key + extra) & (c->cap_slots - 1);

	while (c->slots[at] && (c->v[c->slots[at] - 1].who.key != key ||
				   c->v[c->slots[at] - 1].place.extra != extra))
		at = (at + 1) & (c->cap_slots - 1);
	return &c->slots[at];
}

static void
slots_grow(struct chains *c)
{
	c->cap_slots = c->cap_slots ? c->cap_slots * 2 : SLOTS_FIRST;
	free(c->slots);
	c->slots = xcalloc(c->cap_slots, sizeof *c->slots);
	for (size_t i = 0; i < c->n; i++)
		*slot_of(c, c->v[i].who.key, c->v[i].place.extra) =
		    (uint32_t)i + 1;
}

struct chain *
chains_of(struct chains *c, const struct chain_place *place,
    const struct candidate_who *who)
{
	uint32_t *slot;
	struct chain *found;

	if ((c->n + 1) * 2 > c->cap_slots)
		slots_grow(c);
	slot = slot_of(c, who->key, place->extra);
	found = *slot ? &c->v[*slot - 1] : NULL;
	if (found && found->place.input == place->input &&
	    found->place.origin == place->origin)
		return found;
	c->v = xgrow(c->v, c->n + 1, &c->cap, sizeof *c->v);
	c->v[c->n] = (struct chain){ .place = *place, .who = *who };
	c->n++;
	*slot = (uint32_t)c->n;
	return &c->v[c->n - 1];
}

bool
chain_dense(struct chain *chain, int64_t begin_ns)
{
	if (begin_ns < chain->cell_ns ||
	    begin_ns - chain->cell_ns >= CANDIDATE_CELL_NS) {
		chain->cell_ns = candidate_block(begin_ns, CANDIDATE_CELL_NS) *
				 CANDIDATE_CELL_NS;
		chain->in_cell = 0;
	}
	if (chain->in_cell > CANDIDATES_DENSE)
		return true;
	chain->in_cell++;
	return false;
}

/* How many links a chunk has, by how many the one before has. */
static uint32_t
after_chunk(uint32_t chunk)
{
	if (chunk == 0)
		return CHUNK_FIRST;
	return chunk < CHUNK_MOST ? chunk * 2 : chunk;
}

/* Another chunk at the chain's end. */
static void
add_chunk(struct chains *c, struct chain *chain)
{
	size_t size = LINK_WORDS + chain->place.extra;
	uint32_t at = (uint32_t)c->n_words;

	if (chain->n == 0)
		chain->first = at;
	else
		c->words[chain->at] = at;
	chain->left = chain->chunk = after_chunk(chain->chunk);
	c->n_words += chain->chunk * size + 1;
	c->words = xgrow(c->words, c->n_words, &c->cap_words, sizeof *c->words);
	chain->at = at;
}

void
chain_put(struct chains *c, struct chain *chain, const struct link *l)
{
	uint64_t *w;

	if (chain->left == 0)
		add_chunk(c, chain);
	w = &c->words[chain->at];
	w[0] = (uint64_t)l->begin_ns;
	w[1] = (uint64_t)l->duration_ns;
	w[2] = l->line;
	w[3] = l->seq << SEQ_AT | (uint64_t)l->has_trace << STATUS_BITS |
	       (uint16_t)l->status;
	memcpy(w + LINK_WORDS, l->extra, chain->place.extra * sizeof *w);
	chain->at += LINK_WORDS + chain->place.extra;
	chain->left--;
	chain->n++;
	c->order =
	    xgrow(c->order, c->n_order + 1, &c->cap_order, sizeof *c->order);
	c->order[c->n_order++] = (uint32_t)(chain - c->v);
}

struct chain_cursor
chain_read(const struct chains *c, const struct chain *chain)
{
	return (struct chain_cursor){ .words = c->words,
		.left_all = chain->n,
		.at = chain->first,
		.left = CHUNK_FIRST,
		.chunk = CHUNK_FIRST,
		.extra = chain->place.extra,
		.like = { .key = { .hi = chain->who.key },
		    .stream = chain->place.stream,
		    .peer = chain->who.peer,
		    .asks = chain->who.asks,
		    .path = chain->who.path,
		    .input = chain->place.input,
		    .origin = chain->place.origin,
		    .route = chain->route,
		    .method = chain->method,
		    .class = chain->class } };
}

void
chain_next(struct chain_cursor *cursor, struct candidate *to)
{
	uint64_t *w = &cursor->words[cursor->at];

	if (cursor->left == 0) {
		cursor->at = (uint32_t)*w;
		cursor->left = cursor->chunk = after_chunk(cursor->chunk);
		w = &cursor->words[cursor->at];
	}
	*to = cursor->like;
	to->key.lo = spill_time((int64_t)w[0]);
	to->duration_ns = (int64_t)w[1];
	to->line = w[2];
	to->seq = w[3] >> SEQ_AT;
	to->judged = w[3] >> CLASS_AT & 3;
	to->has_trace = w[3] >> STATUS_BITS & 1;
	to->status = (int16_t)(w[3] & UINT16_MAX);
	to->home = &w[3];
	if (cursor->extra == 1)
		to->identity = w[LINK_WORDS];
	else if (cursor->extra == 2)
		memcpy(to->trace, w + LINK_WORDS, sizeof to->trace);
	cursor->at += LINK_WORDS + cursor->extra;
	cursor->left--;
	cursor->left_all--;
}

void
chain_judge(uint64_t *home, enum class class)
{
	*home |= (uint64_t) class << CLASS_AT;
}
