/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One input being read, from bytes to records, and what becomes of each by the
 * input alone.  The scan, the second reading for documents, and
 * --explain-input all go this way, so that they agree on every record.  Events
 * that are newest first come in the order of time (turned.h): lines do not
 * always rise.
 */
#ifndef PIPELINE_READING_H
#define PIPELINE_READING_H

#include <stdint.h>

#include "ingest/events.h"
#include "ingest/message.h"
#include "ingest/source.h"
#include "ingest/xray.h"
#include "pipeline/identity.h"
#include "pipeline/replay.h"
#include "pipeline/turned.h"

enum fate {
	FATE_KEPT,
	FATE_FOLDED,    /* a line that continues the event before it */
	FATE_FILTERED,  /* outside of the time range */
	FATE_DUPLICATE, /* redelivered, or written twice by its program */
	FATE_CONTROL,   /* a control message: filtered */
	FATE_DEAD,      /* dead says why */
};

struct item {
	enum fate fate;
	struct record record; /* of all but FATE_CONTROL and FATE_DEAD */
	struct dead dead;
	bool as_is; /* a segment whose document is the event's line, at its
		       place in the inflated content */
};

/* Reused for one input after another; zeroed before the first. */
struct reading {
	int64_t since_ns, until_ns;
	bool marks; /* segments get the marks that span_read takes */
	struct events *events;
	struct turned turned;
	struct message *message;
	struct xray *xray;
	struct identity identity;
	struct batch batch;
	size_t at;           /* in the batch's events */
	size_t at_dead;      /* in its dead letters */
	const char *dialect; /* of the last request, */
	bool doubles;        /* and whether its programs write lines twice */
};

/* -1: the input cannot be opened; err says why. */
int reading_open(struct reading *r, const struct replay_options *options,
    const struct input *input, uint32_t index, struct err *err);

/*
 * The next record or dead letter: FLOW_OK, FLOW_END, or FLOW_FAIL.  Views in
 * the item live until the next call.
 */
enum flow reading_next(struct reading *r, struct item *item, struct err *err);

const struct source_notes *reading_notes(const struct reading *r);
void reading_close(struct reading *r); /* the input; the rest is kept */
void reading_fini(struct reading *r);

#endif
