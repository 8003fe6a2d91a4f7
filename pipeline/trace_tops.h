/* SPDX-License-Identifier: Apache-2.0 */
/*
 * By entry service: the slowest and the failing traces, and the hop that
 * carries the time of the slow ones.
 *
 * A hop is a service of the trace; it carries what its spans have of the
 * critical path.  What comes out depends on the traces only, and, beyond the
 * limits, on their order.  Memory is bounded: TOPS_SERVICES entries, TOPS_HOPS
 * hops each; what is beyond is counted in the last one, under no name.
 */
#ifndef PIPELINE_TRACE_TOPS_H
#define PIPELINE_TRACE_TOPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "ingest/assemble.h"
#include "pipeline/replay.h"

enum {
	TOPS = 3,
	TOPS_SERVICES = 200,
	TOPS_HOPS = 50,
	TOPS_TEXT = 200, /* bytes of a name or message; the rest is cut */
};

/* A text that lives in the struct itself. */
struct trace_top_text {
	char p[TOPS_TEXT];
	size_t n;
};

struct trace_top {
	char id[TRACE_ID_SIZE + 1];
	int64_t start_ns;
	int64_t response_ns;       /* -1: not known */
	const char *outcome;       /* static word; NULL: fine */
	struct trace_top_text hop; /* who carries most of its time */
	int64_t hop_ppm;           /* of the answer's time */
	struct trace_top_text why; /* an exception: type and message */
};

struct trace_hop {
	struct str name;
	uint64_t critical_ns;
};

struct trace_tops_service {
	struct str name;
	uint64_t traces;
	uint64_t slow;    /* longer than slow_ns */
	uint64_t slow_ns; /* their answers' time in all */
	uint64_t failing; /* root is a fault, error, or throttled */
	struct trace_top slowest[TOPS];
	size_t n_slowest;
	struct trace_top failed[TOPS]; /* faults first, then the latest */
	size_t n_failed;
	struct trace_hop hops[TOPS_HOPS]; /* of slow traces; most first */
	size_t n_hops;
};

struct trace_tops {
	int64_t slow_ns;
	const struct replay_result *names; /* its names; NULL: segments' own */
	bool too_many; /* not looked at: more than are read again */
	struct trace_tops_service *v; /* by name, once ended */
	size_t n;
	struct arena arena;
};

void trace_tops_init(struct trace_tops *t, int64_t slow_ns);
void trace_tops_add(struct trace_tops *t, const struct trace *trace);
void trace_tops_end(struct trace_tops *t); /* puts all in order */
void trace_tops_fini(struct trace_tops *t);

#endif
