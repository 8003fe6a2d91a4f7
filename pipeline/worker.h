/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker: one thread's reading, and the input it is at.
 */
#ifndef PIPELINE_WORKER_H
#define PIPELINE_WORKER_H

#include "core/buf.h"
#include "pipeline/candidates.h"
#include "pipeline/masked.h"
#include "pipeline/origin.h"
#include "pipeline/pulses.h"
#include "pipeline/reading.h"
#include "pipeline/run.h"

/* What one origin gave in one input: kept when --service may undo it. */
struct share {
	uint32_t input;
	uint32_t origin; /* index in the worker's tally */
	struct accounts accounts;
};

enum { DIALECTS_SEEN = 8 };

/* In place of an identity in worker.traces: no document of the trace. */
#define TRACE_NOTED_ALONE UINT64_C(0)

struct worker {
	struct run *run;
	pthread_t thread;
	struct tally tally;
	struct misses misses;
	struct spill *rows;   /* NULL without plan.rows */
	struct spill *traces; /* of records: the trace's hash, and of a
				 document its identity, as keys */
	struct candidates candidates;
	struct pulses pulses;
	struct reading reading;
	struct masked masked;
	struct share *shares;
	size_t n_shares, cap_shares;
	struct err err;

	/* the input it is at */
	uint32_t index;
	struct replay_input *read;
	uint64_t family;
	uint64_t claimed; /* the stream last claimed */
	bool listens;     /* pulses are noted */
	struct {
		uint64_t stream; /* it is in; 0: none */
		uint32_t origin;
		int64_t first_ns;
	} life;
	uint32_t origin; /* of the last event */
	struct origin_namer namer;
	struct {
		const char *name;
		uint64_t n;
	} dialects[DIALECTS_SEEN];
};

/* The stream is left: that there was life in it.  -1: the disk is full. */
int intake_leave(struct worker *w, struct err *err);

/* Parts of one export task's stream are one family; so are links to one. */
uint64_t input_family(const struct input *input, size_t index);

/*
 * A record or dead letter is counted, or becomes a row.  -1: the plan does not
 * do any more (run->again), or the disk is full.
 */
int intake(struct worker *w, const struct item *item, struct err *err);

#endif
