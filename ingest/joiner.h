/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines that a container runtime cut into pieces of 16 KiB, joined again.
 *
 * Pieces of several containers and of stdout and stderr come mixed, so a piece
 * finds its line by a key.  Bounded: JOINER_LINES lines are open at once, the
 * oldest is given out as it is when another begins; a line that grows over the
 * limit is a dead letter and its further pieces are dropped with it.
 */
#ifndef INGEST_JOINER_H
#define INGEST_JOINER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "ingest/events.h"

enum { JOINER_LINES = 8 };

struct joiner_line {
	bool open;
	bool dropped; /* over the limit: its dead letter is written */
	uint64_t key;
	uint64_t order; /* the older, the smaller */
	struct place place;
	int64_t ts_ns;
	struct buf text;
	struct buf stream;
};

struct joiner {
	struct joiner_line lines[JOINER_LINES];
	uint64_t order;
	size_t max; /* bytes of a joined line */
};

/* A piece; `whole` when its line ends with it. */
struct joiner_piece {
	struct event event; /* of the piece: its message is the text */
	uint64_t key;
	bool whole;
};

/*
 * Takes a piece; puts at most two events or dead letters into the batch.  A
 * whole line of which nothing is open goes through without a copy.
 */
void joiner_put(struct joiner *j, const struct joiner_piece *piece,
    struct batch *b);

/* At the end: gives the oldest open line out; false: there is none. */
bool joiner_flush(struct joiner *j, struct batch *b);
void joiner_fini(struct joiner *j);

#endif
