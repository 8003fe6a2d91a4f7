/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a record belongs: the origin's name, from the event's log group and
 * stream, the input's, its path, or the segment's own name.
 */
#ifndef PIPELINE_ORIGIN_H
#define PIPELINE_ORIGIN_H

#include <stdbool.h>

#include "core/buf.h"
#include "core/record.h"
#include "ingest/input.h"
#include "pipeline/tally.h"

struct origin_namer {
	uint64_t most;            /* greatest hash told apart: see plan */
	uint64_t hash;            /* of the name's key */
	bool set;                 /* name is that of a log */
	bool own;                 /* ... whose event named group or stream */
	struct buf group, stream; /* what it was made of */
	struct buf stem;
	struct buf key;
	struct origin_name name;
};

/* The same of a record whose event is not known to be of the same log. */
bool origin_name_other(struct origin_namer *n, const struct input *input,
    const struct record *r);

/* Sets n->name.  False: it is the same log as for the record before. */
static inline bool
origin_name_record(struct origin_namer *n, const struct input *input,
    const struct record *r)
{
	if (n->set && !n->own && r->kind != RECORD_SEGMENT &&
	    r->event->group.n == 0 && r->event->stream.n == 0)
		return false;
	return origin_name_other(n, input, r);
}

/* What the streams of its program differ in: its task's or container's id. */
struct str origin_task(const struct origin_namer *namer,
    const struct input *input, const struct record *r);

/* A new input begins. */
void origin_namer_reset(struct origin_namer *n);
void origin_namer_fini(struct origin_namer *n);

#endif
