/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an envelope's reader promises to events.c.  Not for other rooms.
 *
 * A reader is pure text work: it looks at its window, puts events and dead
 * letters into the batch, and takes what it used.  It never reads bytes and
 * never waits: when the window does not hold enough, it returns STEP_MORE and
 * is called again with a fuller one.  What it decides must depend on the
 * input's bytes only, never on how many of them are in the window, so it waits
 * until it has seen all that a decision needs.
 *
 * One reader may serve several envelopes of the table; `id` says which one it
 * is, and a JSON reader knows that after its first document.
 *
 * A new envelope: one row in the table of events.c, and either a row in an
 * existing reader or a new file with one extern line here.
 */
#ifndef INGEST_ENVELOPE_H
#define INGEST_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/limits.h"
#include "ingest/events.h"
#include "ingest/window.h"

enum envelope_id {
	ENVELOPE_S3_EXPORT,
	ENVELOPE_FILTER_EVENTS,
	ENVELOPE_GET_EVENTS,
	ENVELOPE_TAIL,
	ENVELOPE_TAIL_SHORT,
	ENVELOPE_TAIL_JSON,
	ENVELOPE_SUBSCRIPTION,
	ENVELOPE_LAMBDA,
	ENVELOPE_KINESIS,
	ENVELOPE_FIREHOSE,
	ENVELOPE_INSIGHTS_API,
	ENVELOPE_INSIGHTS_JSON,
	ENVELOPE_INSIGHTS_CSV,
	ENVELOPE_CONSOLE_CSV,
	ENVELOPE_DOCKER_JSON,
	ENVELOPE_COMPOSE,
	ENVELOPE_CRI,
	ENVELOPE_KUBECTL,
	ENVELOPE_CONTAINER_INSIGHTS,
	ENVELOPE_FIRELENS,
	ENVELOPE_XRAY_SEGMENTS,
	ENVELOPE_XRAY_TRACES,
	ENVELOPE_XRAY_PUT,
	ENVELOPE_XRAY_SUMMARIES,
	ENVELOPE_XRAY_DATAGRAMS,
	ENVELOPE_JSON_LINES,
	ENVELOPE_TEXT,
	ENVELOPES /* how many */
};

enum step {
	STEP_ON,   /* something was done, go on */
	STEP_FULL, /* the batch is full */
	STEP_MORE, /* the window does not hold enough */
	STEP_END,  /* all is used up and nothing is held back */
};

struct envelope_ops;

/* First member of every reader. */
struct envelope {
	const struct envelope_ops *ops;
	struct window *w;
	const struct limits *limits;
	enum envelope_id id;
};

/* How well the first bytes fit: the highest score wins, 0 is "not at all". */
struct verdict {
	int score;
	enum envelope_id id;
	unsigned line; /* the line that told it, from 1 */
};

/* The first bytes of an input: SNIFF_BYTES of them, or all. */
enum { SNIFF_BYTES = 64 * 1024, SNIFF_LINES = 20 };

struct envelope_ops {
	size_t size; /* of the reader, its first member a struct envelope */
	struct verdict (*sniff)(struct str head);
	/* Never returns STEP_ON. */
	enum step (*decode)(struct envelope *self, struct batch *b);
	void (*close)(struct envelope *self); /* NULL: nothing to free */
};

extern const struct envelope_ops envelope_timed; /* export, logs tail */
extern const struct envelope_ops envelope_lines; /* compose, CRI, kubectl */
extern const struct envelope_ops envelope_csv;
extern const struct envelope_ops envelope_json;
extern const struct envelope_ops envelope_text;

/* A batch takes this much unescaped text and is then full. */
enum { BATCH_BYTES = 1024 * 1024, BATCH_SPARE = 4 };

/* Room for BATCH_SPARE events is left while this is false. */
static inline bool
batch_full(const struct batch *b)
{
	return b->n > BATCH_EVENTS - BATCH_SPARE ||
	       b->arena.used >= BATCH_BYTES;
}

/*
 * An event at a place, all else empty and its time unknown.  Member by member:
 * compilers clear a struct of this size by "rep stos", which takes longer than
 * to find the line's end.
 */
static inline struct event *
batch_event(struct batch *b, const struct place *place)
{
	static const struct str none = { NULL, 0 };
	struct event *e = &b->events[b->n];

	b->marked[b->n] = 0;
	b->what[b->n++] = EVENT_MESSAGE;
	e->place.input = place->input;
	e->place.line = place->line;
	e->place.offset = place->offset;
	e->ts_ns = WHEN_NONE;
	e->message = none;
	e->group = none;
	e->stream = none;
	e->id = none;
	return e;
}

/*
 * Sees to it that b->marks are of the lines at the window's `at`, one line at
 * least, if it ends there.  False: the batch has events of other marks, and is
 * to be taken first.
 */
bool envelope_marks(struct envelope *self, struct batch *b);

/*
 * A line over the limit: a dead letter with its first bytes, the rest is
 * dropped as it comes.  STEP_MORE until the first bytes are there.
 */
enum step envelope_long_line(struct envelope *self, struct batch *b);

/* A dead letter of a line that window_is_half; it is not taken. */
void envelope_half_line(struct envelope *self, struct batch *b,
    struct str line);

/* Ends a line that is being dropped; STEP_ON: reading may go on. */
enum step envelope_skip(struct envelope *self);

/* The line's n-th non-empty one of a head, without its line end; false: end. */
bool head_line(struct str *head, unsigned *line, struct str *out);

/* Without one line end ("\n" or "\r\n") at the end. */
struct str message_trim(struct str message);

#endif
