/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that wait, in memory: a chain for each key of an input.
 *
 * What a key's requests have in common stands once in the chain's head; a
 * request takes four to six words behind it, in chunks that double.  So most
 * archives are never sorted nor written: the chains are, by key, and a key's
 * requests are nearly always in order of time.  Judged by key, they are counted
 * in the order in which they came, as if they had never waited: so cells are
 * as few.  What is beyond a worker's bytes goes into a sort as whole
 * candidates, and the chains begin anew.
 */
#ifndef PIPELINE_CHAINS_H
#define PIPELINE_CHAINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pipeline/candidate.h"

/* A request apart from what its chain says. */
struct link {
	int64_t begin_ns;
	int64_t duration_ns;
	uint64_t line;
	uint64_t seq;
	int16_t status;
	bool has_trace;
	uint64_t extra[2]; /* as many words as the chain has */
};

/* Whence a chain's requests come. */
struct chain_place {
	uint64_t stream;
	uint32_t input;
	uint32_t origin; /* tally number and index */
	uint32_t extra;  /* words: 1, the identity; 2, the trace; 0 */
};

struct chain {
	struct chain_place place;
	struct candidate_who who;
	uint32_t route; /* in the origin's routes */
	uint8_t method;
	uint8_t class; /* of a request alone */
	uint32_t n;
	uint32_t first; /* chunk, as a word's index */
	uint32_t at;    /* where the next link will be; */
	uint32_t left;  /* so many fit there */
	uint32_t chunk; /* so many has the last chunk */
	/* the minute it is at, and how many it has */
	int64_t cell_ns; /* when it begins */
	uint32_t in_cell;
};

struct chains {
	struct chain *v;
	size_t n, cap;
	uint32_t *slots; /* open-addressed by key: index + 1 of its newest */
	size_t cap_slots;
	uint64_t *words;
	size_t n_words, cap_words;
	uint32_t *order; /* by request, as they came: its chain */
	size_t n_order, cap_order;
	size_t bytes; /* of budget */
};

void chains_init(struct chains *c, size_t bytes);
void chains_fini(struct chains *c);
/* Forgets all of them. */
void chains_reset(struct chains *c);
/* Whether they take more than they may. */
bool chains_full(const struct chains *c);

/*
 * The chain of a place and a key; made if there is none.  Valid until the next
 * call.  While its n is 0, the caller sets route, method and class.
 */
struct chain *chains_of(struct chains *c, const struct chain_place *place,
    const struct candidate_who *who);

/*
 * Whether the chain's minute is known to be dense: the request is a client's.
 * Counts it otherwise.
 */
bool chain_dense(struct chain *chain, int64_t begin_ns);

void chain_put(struct chains *c, struct chain *chain, const struct link *l);

/* A chain's requests, in the order in which they were put. */
struct chain_cursor {
	uint32_t left_all; /* so many are to come */
	uint32_t at, left, chunk;
	uint32_t extra;
	uint64_t *words;
	struct candidate like; /* what all have in common */
};
struct chain_cursor chain_read(const struct chains *c,
    const struct chain *chain);
/* left_all is not 0 before.  `judged` is what chain_judge was told. */
void chain_next(struct chain_cursor *cursor, struct candidate *to);

/* Keeps a request's final class, once. */
void chain_judge(uint64_t *home, enum class class);

#endif
