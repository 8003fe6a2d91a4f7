/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Candidates of one key after the other, in blocks of about an hour.
 *
 * Blocks are aligned to the hour, so that those of different keys are of one
 * time; a beginning or end of a key shorter than half an hour goes with its
 * neighbour, and a silence of half an hour ends a block.  The same candidates
 * give the same blocks, so that they can be read twice; whether they come from
 * chains or from a sort.
 */
#ifndef PIPELINE_BLOCKS_H
#define PIPELINE_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>

#include "pipeline/chains.h"
#include "pipeline/spill.h"

enum blocks_next {
	BLOCKS_END,    /* or a failure */
	BLOCKS_BLOCK,  /* v, n, t, n_t, mark, at */
	BLOCKS_EXCESS, /* one candidate more than a dense key's: in excess */
};

/* A chain of one of several workers. */
struct chain_ref {
	const struct chains *chains;
	const struct chain *chain;
};

struct blocks {
	/* the block */
	uint64_t number;     /* from 1 */
	struct candidate *v; /* in buffer: by time, then by what they are */
	size_t n;
	int64_t *t;    /* times of different events, ascending */
	uint8_t *mark; /* 0, or BLOCKS_DENSE */
	uint32_t *at;  /* by candidate: its event's index in t */
	size_t n_t;
	struct candidate excess;

	/* between calls: keys of chains, one after the other, */
	const struct chain_ref *refs;
	size_t n_refs;
	size_t loaded; /* in v: what is of the key in all */
	/* or, if the key has too many, or there are no chains, a sort */
	struct merge *merge;
	struct spill *sort; /* of the key alone */
	const struct candidate *next;
	/* both ways */
	struct candidate *buffer;
	size_t held;         /* in v: what may be of the block */
	size_t cap_v, cap_t; /* of t, mark and at */
	int64_t cell;        /* of what was read last, */
	size_t in_cell;      /* and how many it has */
	bool failed;
	struct err err;
};

enum { BLOCKS_DENSE = 127 };

/* Over sealed spills of candidates. */
int blocks_open(struct blocks *b, struct spill *const *spills, size_t n,
    struct err *err);
/* Over chains, those of one key together; they outlive it. */
void blocks_open_chains(struct blocks *b, const struct chain_ref *refs,
    size_t n);
enum blocks_next blocks_next(struct blocks *b);
/* -1 with err when reading failed.  Buffers stay for the next blocks_open. */
int blocks_close(struct blocks *b, struct err *err);
void blocks_fini(struct blocks *b);

/* Where the aligned block that begins at t[from] ends, of a scale's length. */
size_t blocks_end(const int64_t *t, size_t from, size_t n, int64_t length);

#endif
