/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An input whose events are newest first, turned round.
 *
 * Logs Insights, the console and a log printed backwards give the last event
 * first: the lines of a traceback come before the line that they belong to,
 * and nothing that goes by a stream's order (joining lines, columns that a
 * header names) would hold.  So the events of such an input are gathered and
 * given out by time, of equal times the last one first, as they happened.
 * Their places stay those of the file.
 *
 * Which inputs: told by their first events, in the order of the file and so
 * whatever the size of blocks.  An event is held against the one before it of
 * its own stream; there is no other way that envelopes would tell, whose
 * answers can be asked for in both orders.  As a rule the first few events say
 * that time goes on, and the input is read as it is, without a copy.  An input
 * whose first event has no time is left as it is.
 *
 * Memory: a look holds TURNED_LOOK_BYTES and a batch; what is gathered goes to
 * an unlinked file in $TMPDIR beyond 256 KiB, and the order of it, sorted, to
 * another beyond 1 MiB.
 */
#ifndef PIPELINE_TURNED_H
#define PIPELINE_TURNED_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/flow.h"
#include "ingest/events.h"
#include "pipeline/spill.h"

enum {
	TURNED_LOOK_EVENTS = 1024, /* then those that rise and fall decide */
	TURNED_LOOK_BYTES = 1024 * 1024,
	TURNED_STREAMS = 16, /* whose last times are known while looking */
};

enum turned_state {
	TURNED_LOOK,   /* nothing is decided; what came is held */
	TURNED_HELD,   /* not newest first: what is held goes out as it came */
	TURNED_AS_IS,  /* ... and then the rest */
	TURNED_GATHER, /* newest first: all is held */
	TURNED_ROUND,  /* ... and goes out by time */
};

/* Zeroed before the first input. */
struct turned {
	enum turned_state state;

	/* the look */
	struct {
		uint64_t stream; /* hash; 0: free */
		int64_t ts_ns;
	} last[TURNED_STREAMS];
	uint32_t events, rises, falls;
	size_t bytes;

	/* what is held: frames, one an event, behind each other */
	struct buf held;
	uint64_t base; /* bytes before them, in the file */
	bool filed;    /* there is a file, */
	int fd;        /* this */
	size_t at;     /* next frame of TURNED_HELD */
	uint64_t n;    /* frames ordered */
	int64_t ts_ns; /* of the last event that had a time */
	struct spill *order;
	struct merge *merge;

	/* of the file, what was read last */
	struct buf window;
	uint64_t window_at;
	size_t window_bytes; /* how much is read at once */

	enum flow ended; /* FLOW_OK: not yet; else how the input did */
	struct err err;  /* of FLOW_FAIL */
};

/* Another input. */
void turned_begin(struct turned *t);

/* events_next, in the order of time where the input is newest first. */
enum flow turned_next(struct turned *t, struct events *e, struct batch *b,
    struct err *err);

/* Whether it is; not known before the first event is out. */
bool turned_round(const struct turned *t);

void turned_fini(struct turned *t);

#endif
