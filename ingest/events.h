/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From bytes to log events and trace documents: the envelopes.
 *
 * An input's envelope is sniffed from its first bytes, never from its name,
 * and may be one of the table in events.c (`telltale components` prints it).
 * events_next fills a batch with the next events in the input's order; what
 * they point to lives in the input's window and the batch's arena until the
 * next call.  The result does not depend on the block size.
 */
#ifndef INGEST_EVENTS_H
#define INGEST_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/err.h"
#include "core/flow.h"
#include "core/limits.h"
#include "core/record.h"

struct input;
struct marks;
struct source;
struct events;

enum { BATCH_EVENTS = 128 };

/* What an event's message is known to be from its envelope alone. */
enum event_what {
	EVENT_MESSAGE,  /* a log message: decode it */
	EVENT_DOCUMENT, /* an X-Ray segment document, JSON */
	EVENT_LINE,     /* the same, byte for byte at its place in the
			   inflated content */
	EVENT_SUMMARY,  /* one element of GetTraceSummaries */
	EVENT_CONTROL,  /* a control message: filtered, counted */
};

struct batch {
	struct event events[BATCH_EVENTS];
	uint8_t what[BATCH_EVENTS]; /* enum event_what */
	/* One line in `marks`: the index of its first place + 1; 0: it is not.
	 */
	uint16_t marked[BATCH_EVENTS];
	size_t n;
	const struct marks *marks; /* see ingest/marks.h; NULL: none */
	struct dead *dead;         /* refused pieces, in the batch's arena */
	size_t n_dead;
	size_t cap_dead;
	struct arena arena; /* unescaped and unpacked text */
};

/* Appends to the dead letters; the bytes are copied into the arena, cut. */
void batch_dead(struct batch *b, const struct place *place, const char *reason,
    struct str bytes);
void batch_reset(struct batch *b); /* empty; its memory is kept */
void batch_fini(struct batch *b);

/* `index` is the place.input of all events.  Takes over the source. */
struct events *events_new(const struct input *input, uint32_t index,
    struct source *source, const struct limits *limits);

/*
 * FLOW_OK with at least one event or dead letter, FLOW_END, or FLOW_FAIL.
 * The batch is reset first.
 */
enum flow events_next(struct events *e, struct batch *b, struct err *err);

/* After the first events_next: the envelope's name and why it was chosen. */
const char *events_envelope(const struct events *e);
struct str events_why(const struct events *e);
struct source *events_source(const struct events *e); /* for its notes */
void events_free(struct events *e);

/* The table, for `telltale components` and the manual; ends with NULL name. */
struct envelope_info {
	const char *name;
	const char *help; /* one sentence */
};
const struct envelope_info *events_envelopes(void);

#endif
