/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The local store: one SQLite file of findings, roll-ups, traces with their
 * documents, and, when asked for, requests and other log events.  docs/store.md
 * names the views that people may query with sqlite3; everything else in the
 * file may change with its version.
 *
 * What is promised:
 * - Writing is one transaction from store_begin to store_commit: a full disk,
 *   a signal or a failure leaves what was there before.  Who reads meanwhile
 *   reads what was there before.
 * - Everything is known by its id, and what is the same is not written again:
 *   the same archive twice leaves the same bytes in every table.
 * - A file that is not a store, is damaged, belongs to another program or was
 *   written by a newer version is refused before SQLite opens it; nothing is
 *   written to it or beside it.
 *
 * One thread at a time.  No clock is read: age is counted from the latest
 * time in the store.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/finding.h"
#include "core/str.h"
#include "query/view.h"

enum { STORE_VERSION = 2, STORE_ID_SIZE = 35 };

struct store;

enum store_mode {
	STORE_READ,  /* must be there */
	STORE_WRITE, /* is made when it is not there */
};

/* NULL with err, which names the path. */
struct store *store_open(const char *path, enum store_mode mode,
    struct err *err);
void store_close(struct store *s); /* NULL is fine; rolls back */

int store_begin(struct store *s, struct err *err);
int store_commit(struct store *s, struct err *err);

/* A trace as it is written.  All is borrowed. */
struct store_trace {
	struct str id; /* STORE_ID_SIZE bytes */
	int64_t start_ns;
	struct str service; /* of the entry; may be empty */
	struct str type;
	const struct trace_view *view;
	const struct str *documents; /* texts, by their ids */
	size_t n_documents;
};

/*
 * A new trace.  1 when there is one of that id already, and nothing was done;
 * 0; -1 with err.
 */
int store_add_trace(struct store *s, const struct store_trace *t,
    struct err *err);
/* In place of the one that is there. */
int store_replace_trace(struct store *s, const struct store_trace *t,
    struct err *err);

/* The documents of a trace; n 0: there is no such trace. */
struct store_documents {
	struct str *v;
	size_t n;
};
int store_documents(struct store *s, struct str id, struct arena *arena,
    struct store_documents *documents, struct err *err);

/*
 * Findings, as they are printed.  One of an id that is there is updated, unless
 * that one has seen more: it ends later, or ends then and is of more requests.
 */
struct store_finding {
	const struct finding *finding;
	struct str text;     /* the sentence */
	struct str document; /* JSON, one line */
};
int store_put_finding(struct store *s, const struct store_finding *f,
    struct err *err);

/* A request of a log.  One of an id that is there is updated, unless that one
 * has a trace and this one has none. */
struct store_request {
	struct str id; /* of its document */
	int64_t ts_ns;
	int64_t duration_ns; /* VIEW_NONE */
	int64_t status;      /* VIEW_NONE */
	struct str service, method, url, agent, client, trace;
	struct str document; /* JSON */
};
int store_put_request(struct store *s, const struct store_request *q,
    struct err *err);

/*
 * A roll-up: what was counted of a key in a minute.  One of the key and minute
 * that is there is replaced unless it counts more, so that what was cut short
 * by an archive's end is made whole by the next, in any order.
 */
struct store_rollup {
	int64_t minute_ns;
	struct str service, route, method;
	int64_t requests, timed, slow, not_found, probes, probes_failed;
	int64_t duration_ns; /* of all timed */
	int64_t status[6];   /* of requests, by hundreds; [0]: none */
};
int store_put_rollup(struct store *s, const struct store_rollup *u,
    struct err *err);

/* A log event that is no request; one of an id that is there stays. */
struct store_log {
	struct str id; /* of its document */
	int64_t ts_ns;
	struct str service, level, logger, group, stream;
	struct str text;
};
int store_put_log(struct store *s, const struct store_log *l, struct err *err);

/* The latest time of a record that was read for the store, kept or not: what
 * ages and --last are counted from. */
int store_note_last(struct store *s, int64_t last_ns, struct err *err);

/*
 * Whatever is older than keep_ns before the latest
 * time are deleted, 0: none; then the oldest ones until the file has at most
 * max_bytes, 0: any.  Within a transaction.
 */
int store_retain(struct store *s, int64_t keep_ns, uint64_t max_bytes,
    struct err *err);

/* What reading selects by: a clause of query_sql, and a range of time. */
struct store_where {
	struct str clause; /* empty: all */
	int64_t since_ns;  /* WHEN_NONE */
	int64_t until_ns;  /* WHEN_NONE; exclusive */
};

/* Leaves of the range what is in the last so long before the latest time
 * noted; 0: all of it. */
int store_narrow(struct store *s, int64_t last_ns, struct store_where *where,
    struct err *err);

/* How many traces there are in the range, whatever the clause says. */
int store_count(struct store *s, const struct store_where *where, uint64_t *n,
    struct err *err);

/* The latest time noted; WHEN_NONE: there is none. */
int store_last(struct store *s, int64_t *last_ns, struct err *err);

/*
 * One trace after the other, in the order that is read fastest, with what the
 * list shows.  Texts live until the next call.
 */
struct store_row {
	struct str id;
	int64_t start_ns;
	struct view_part part; /* texts and annotations it has not: empty */
	struct str service, type;
	const struct str *documents; /* NULL unless asked for */
	size_t n_documents;
};
int store_select(struct store *s, const struct store_where *where,
    bool documents, struct err *err);
/* 1, 0 at the end, -1 with err. */
int store_next(struct store *s, struct store_row *row, struct err *err);

/* Documents as they were put: findings by severity and onset, requests by
 * time; then by id.  Of where only the range of time counts. */
enum store_kind { STORE_FINDINGS, STORE_REQUESTS };
int store_documents_of(struct store *s, enum store_kind kind,
    const struct store_where *where, struct err *err);
/* 1, 0 at the end, -1 with err. */
int store_next_document(struct store *s, struct str *document, struct err *err);

/* "3.46.1": of SQLite. */
const char *store_library(void);

#endif
