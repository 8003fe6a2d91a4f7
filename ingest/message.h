/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From an event's message to a record: the access-line dialects, and the
 * joining of tracebacks.
 *
 * A message decoder belongs to one input and one thread.  It tries the dialect
 * that last fitted the stream first, then the table of dialect.c in its order;
 * what no dialect knows is a log line.  Colours are stripped and prefixes
 * (LEVEL:logger:, compose, CRI, kubectl, container JSON) are peeled first.
 *
 * With MESSAGE_PCRE2 every dialect is matched by its pattern instead of by
 * hand: the slow way that the fast one is held against.
 */
#ifndef INGEST_MESSAGE_H
#define INGEST_MESSAGE_H

#include "core/arena.h"
#include "core/err.h"
#include "core/flow.h"
#include "core/record.h"
#include "ingest/marks.h"

struct message;
struct dialect_user; /* a dialect of the user's own, from a file */

enum message_flags {
	MESSAGE_PCRE2 = 1 << 0,
};

/* `user` may be NULL; it is shared and outlives the decoder. */
struct message *message_new(unsigned flags, const struct dialect_user *user);
void message_free(struct message *m);

/*
 * Makes a record of an event that is EVENT_MESSAGE.  DECODE_OK always fills
 * *r (views into the event and the arena); DECODE_BAD: *bad says why, for the
 * dead letter.  A line that continues the stream's event before it (a
 * traceback) has r->joined set.
 */
enum decode message_decode(struct message *m, const struct event *e,
    struct arena *arena, struct record *r, const char **bad);

/* The same of a message that is one line in marks. */
enum decode message_decode_marked(struct message *m, struct marked marked,
    const struct event *e, struct arena *arena, struct record *r,
    const char **bad);

/* What the groups of a user's dialect may be called. */
#define DIALECT_GROUPS                                                         \
	"peer, time, method, url, path, status, bytes, duration_s, "           \
	"duration_ms, duration_us, agent, referer, host, forwarded, trace"

/*
 * Reads a file of dialects: "name: pattern" lines with named groups from
 * DIALECT_GROUPS.  '#' begins a comment.
 */
struct dialect_user *dialect_user_load(const char *path, struct err *err);
void dialect_user_free(struct dialect_user *u);

/* The table, for `telltale components` and tests; ends with a NULL name. */
struct dialect_info {
	const char *name;
	const char *help;
	const char *pattern; /* PCRE2, named groups as above */
};
const struct dialect_info *message_dialects(void);

#endif
