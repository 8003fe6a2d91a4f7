/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker: one thread's reading, and the input it is at.
 */
#ifndef PIPELINE_WORKER_H
#define PIPELINE_WORKER_H

#include "core/buf.h"
#include "ingest/events.h"
#include "pipeline/identity.h"
#include "pipeline/run.h"

/* What one origin gave in one input: kept when --service may undo it. */
struct share {
	uint32_t input;
	uint32_t origin; /* index in the worker's tally */
	struct accounts accounts;
};

enum { DIALECTS_SEEN = 8 };

struct worker {
	struct run *run;
	pthread_t thread;
	struct tally tally;
	struct spill *rows;   /* NULL without plan.rows */
	struct spill *traces; /* ids of traces seen, as keys */
	struct xray *xray;
	struct identity identity;
	struct batch batch;
	struct share *shares;
	size_t n_shares, cap_shares;
	struct err err;

	/* the input it is at */
	uint32_t index;
	struct replay_input *read;
	struct message *message;
	uint64_t family;
	uint64_t claimed;         /* the stream last claimed */
	uint32_t origin;          /* of the last event */
	struct buf group, stream; /* its names, to notice a change */
	bool named;               /* origin is set */
	struct {
		const char *name;
		uint64_t n;
	} dialects[DIALECTS_SEEN];
};

/* A record is counted, or becomes a row.  -1: the disk is full. */
int intake(struct worker *w, const struct record *r, struct err *err);

/* Where an event belongs; -1 when the plan does not do any more. */
int intake_origin(
    struct worker *w, const struct event *e, const struct record *r);

#endif
