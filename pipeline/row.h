/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A record reduced to fixed size, for the way through a sort by time: what is
 * needed to tell duplicates, to join the request of a log with its segment,
 * and to count it.
 */
#ifndef PIPELINE_ROW_H
#define PIPELINE_ROW_H

#include <stdint.h>

#include "pipeline/spill.h"

enum row_flags {
	ROW_SEGMENT = 1 << 0,  /* of a trace document */
	ROW_REQUEST = 1 << 1,  /* a request: else counted only */
	ROW_TRACE = 1 << 2,    /* trace holds an id */
	ROW_ROOT = 1 << 3,     /* a segment without parent */
	ROW_SECOND = 1 << 4,   /* its time is a whole second */
	ROW_UNDATED = 1 << 5,  /* it has no time at all; key.hi is 0 */
	ROW_PREFIXED = 1 << 6, /* a logger's prefix stood before it */
	ROW_NAMED = 1 << 7,    /* its client has a public address */
	ROW_FAILED = 1 << 8,   /* masked.h: a request that was answered well,
				  or a call on its own */
};

/* In a segment's identity: set unless it is in progress.  So one in progress
 * and its finished document differ in nothing else. */
#define ROW_KEY_FINISHED UINT64_C(1)

struct row {
	struct spill_key key; /* end time (spill_time), identity */
	int64_t duration_ns;  /* -1: none */
	uint64_t client;      /* misses_who; of 404 and 410 only */
	uint64_t path;        /* hash64; likewise */
	uint64_t what;        /* hash of method, path and status: the join's;
				 of a failed call its parent's identity */
	uint64_t line;
	uint64_t seq;  /* number of the event in its input */
	uint64_t rank; /* of a segment's document: assemble_rank */
	uint8_t trace[16];
	uint32_t input;
	uint32_t origin; /* tally number and index */
	uint32_t route;  /* in the origin's routes */
	int16_t status;
	uint8_t method;
	uint8_t class;    /* of the request alone */
	uint16_t flags;   /* enum row_flags */
	uint8_t kind;     /* enum record_kind */
	uint8_t agent;    /* 1: the class rests on a user agent */
	uint32_t service; /* set when it is read back: what may be joined */
};

/* What the second reading must know about an event that the first cannot. */
enum verdict_what {
	VERDICT_DUPLICATE,
	VERDICT_JOINED, /* trace: the segment's; class: its verdict */
	VERDICT_TRACE,  /* class, masked: what its trace says */
};

enum { VERDICTS_BYTES = 4 * 1024 * 1024 }; /* then they spill */

struct verdict {
	struct spill_key key; /* input, seq */
	uint8_t trace[16];
	int64_t duration_ns;
	int64_t end_ns; /* the segment's */
	uint8_t what;
	uint8_t class;
	uint8_t named;  /* joined: the log says who asked */
	uint8_t masked; /* 1: answered well, and failed */
	uint8_t spare[4];
};

#endif
