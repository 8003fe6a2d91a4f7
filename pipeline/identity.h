/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an event is, wherever it is read: stream, time, message and the running
 * number among equals; of a trace document trace and segment id.
 *
 * A stream's '/' and '-' are one (an export task turns one into the other).
 * An input without a stream is known by its content, as copies.h says: a copy
 * is the same stream.  An event without a time is known by its number in the
 * input instead of the number among equals.
 *
 * Used by both readings of an input, so that they agree.
 */
#ifndef PIPELINE_IDENTITY_H
#define PIPELINE_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/record.h"
#include "ingest/input.h"
#include "pipeline/seen.h"

struct identity {
	const struct input *input;
	uint64_t content; /* of an input without a stream */
	uint64_t stream;  /* of the last event */
	bool of_input;    /* ... which had no stream of its own */
	char *last;       /* its stream's name */
	size_t last_n, last_cap;
	uint64_t seq; /* events so far */
	struct seen equals;
	struct seen ids;
	struct doubled { /* lines that may come again with a prefix */
		uint64_t line, stream, seq;
		bool prefixed, open;
	} doubled[16];
	unsigned next_doubled;
	unsigned n_doubled[2]; /* of doubled, open: bare, prefixed */
};

void identity_begin(struct identity *id, const struct input *input);
void identity_fini(struct identity *id);

/* Every event, in order: its stream's hash and its number are set. */
void identity_event(struct identity *id, const struct event *e);

/* The event's CloudWatch id came before in this input: a redelivery. */
bool identity_redelivered(struct identity *id, const struct event *e);

/*
 * The record's identity.  *number is the running number among equals, which
 * is part of it and of the document's id.
 */
uint64_t identity_record(struct identity *id, const struct record *r,
    uint64_t *number);

/* The identity of the segment that a subsegment's document hangs on. */
uint64_t identity_parent(const struct segment *s);

/*
 * Whether this line is the one before it written again, bare and with a
 * logger's prefix: workshops of Python print each access line twice once the
 * root logger has a handler.
 */
bool identity_doubled(struct identity *id, const struct record *r);

#endif
