/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The referee: a small inflater that is slow and exact.
 *
 * It says which block headers are valid, decides how far a damaged or cut
 * stream is readable, and tries out whether bytes are a deflate stream at all.
 * It can take over from a faster inflater in the middle of a block.  What it
 * accepts, and how many bytes it gives before the first invalid symbol, is
 * what zlib 1.2.13 does; the unit tests compare the two.
 */
#ifndef INGEST_DEFLATE_H
#define INGEST_DEFLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ingest/inflate.h"

enum { DEFLATE_WINDOW = 32768 };

/* Bits from bytes, the lowest first; bits of `hold` above `n` are zero. */
struct deflate_bits {
	const uint8_t *p, *end;
	uint64_t hold;
	unsigned n;
};

/* A canonical Huffman code: how many codes a length has, and their symbols. */
struct deflate_code {
	uint16_t count[16];
	uint16_t symbol[288];
	unsigned longest;
};

/* What a header says; the codes are made of the lengths when needed. */
struct deflate_block {
	bool final;
	unsigned type;   /* 0 stored, 1 fixed, 2 dynamic */
	uint32_t stored; /* bytes of a stored block to come */
	unsigned lits, dists;
	uint8_t lengths[288 + 32]; /* of lits codes, then of dists */
};

enum deflate_verdict {
	DEFLATE_OK,
	DEFLATE_SHORT, /* the bits end before the header does */
	DEFLATE_BAD,
};

/* Reads a block's header; the bits are advanced only when that is OK. */
enum deflate_verdict deflate_block_read(struct deflate_block *b,
    struct deflate_bits *bits);

enum deflate_at {
	DEFLATE_AT_BLOCK, /* before a block's header */
	DEFLATE_IN_BLOCK,
	DEFLATE_AT_END,
};

struct deflate {
	enum deflate_at at;
	uint64_t hold;
	unsigned n;
	struct deflate_block block;
	struct deflate_code lit, dist;
	bool fixed;     /* these are the codes of a fixed block */
	size_t have;    /* bytes of the window in use */
	size_t pos;     /* where the next one goes */
	size_t pending; /* the last ones, not given out yet */
	size_t made;    /* bytes of this block */
	bool pause;     /* stop, as if the output were full, before a block */
	uint8_t window[DEFLATE_WINDOW];
};

/* The start of a stream; the window is not touched. */
void deflate_init(struct deflate *d);

/* The bytes before, the last `pending` of which are still to be given out. */
void deflate_history(struct deflate *d, const uint8_t *p, size_t n,
    size_t pending);

/* Goes on within a block whose header has been read, `stored` bytes left. */
void deflate_enter(struct deflate *d, const struct deflate_block *b,
    uint32_t stored);

/* As inflate_step, with any room for output. */
enum inflate deflate_step(struct deflate *d, struct inflate_io *io);

/*
 * Is this the beginning of a deflate stream?  Inflates up to 1 KiB of it and
 * says no when that meets something invalid, or neither gives a single byte
 * nor ends.  *ended: the stream ended within what was tried.
 */
bool deflate_plausible(const uint8_t *p, size_t n, bool *ended);

#endif
