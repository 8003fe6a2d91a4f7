/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents: the JSON that files, and later Elasticsearch, are given.
 *
 * One function a kind appends one line {"_index":…,"_id":…,"_source":{…}} and
 * a line end.  Fields and their meaning are docs/fields.md, printed from the
 * table documents_fields(); a field that a record does not have is left out.
 * Indices are daily by event time: telltale-requests-2018.11.27; a record
 * without a time goes to telltale-requests-undated.
 */
#ifndef SINKS_DOCUMENTS_H
#define SINKS_DOCUMENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "analyzers/cells.h"
#include "core/buf.h"
#include "core/finding.h"
#include "core/record.h"

/* Where a document comes from; shared by all documents of an input. */
struct document_origin {
	struct str path;   /* log.file.path */
	struct str group;  /* aws.cloudwatch.log_group */
	struct str stream; /* aws.cloudwatch.log_stream */
	struct str service;
	uint64_t number;  /* running number among equal events, for the id */
	uint64_t content; /* where there is no stream: what tells the file's
			     content from others', for the id; 0: its path */
};

/* What the analysis decided about a request. */
struct document_verdict {
	enum class class;
	const char *class_reason; /* static */
	struct str route;
	bool slow;      /* longer than the threshold, not a GET */
	bool not_found; /* 404 or 410 */
	bool masked;    /* answered 2xx or 3xx, and its trace says it failed */
	uint8_t trace[16];
	bool has_trace;    /* of its own, or joined from a segment */
	int64_t joined_ns; /* how long, by its segment; 0: the line says, or
			    * nobody does */
};

void document_request(struct buf *out, const struct document_origin *origin,
    const struct record *r, const struct document_verdict *v);
/*
 * Returns where in `out` its message ends, for the lines that continue it:
 * document_log_more puts one in, behind a line end, and moves the place.
 */
size_t document_log(struct buf *out, const struct document_origin *origin,
    const struct record *r);
void document_log_more(struct buf *out, size_t *at, struct str line);
void document_segment(struct buf *out, const struct document_origin *origin,
    const struct record *r, const struct document_verdict *v);
/*
 * Who asked: of the forwarded addresses the last that is not private, since
 * every proxy appends what it saw and the first ones are the client's own
 * words; else the first of them; else the peer.
 */
struct str document_client(const struct request *r);
void document_dead(struct buf *out, const struct document_origin *origin,
    const struct dead *dead);

/* A cell's sums as a roll-up of its key and minute (class, counts). */
struct document_rollup {
	struct str service;
	struct str route;
	enum method method;
	int64_t minute_ns;
	const struct cell *sums;
};
void document_rollup(struct buf *out, const struct document_rollup *r);

/* `paths` are the run's inputs' paths, by number. */
void document_finding(struct buf *out, const struct finding *f,
    const struct str *paths);

/* What a message about a finding says beside it. */
struct document_alert {
	const char *action; /* event.action: "finding-updated" */
	uint32_t sequence;
	int64_t at_ns;                       /* when it was due */
	const struct finding *const *others; /* that it is about as well */
	size_t n_others;
	bool replayed;
};

/*
 * Only the object that is "_source" above, without index, id and line end;
 * `alert`: NULL, or what it is a message of.
 */
void document_finding_source(struct buf *out, const struct finding *f,
    const struct str *paths, const struct document_alert *alert);

/*
 * The X-Ray filter expression that gives the traces a finding counts:
 * service("like") AND http.method = "POST" AND http.url CONTAINS "/like" AND
 * (http.status = 404 OR http.status = 410).  Of a route the fixed pieces are
 * asked for.
 */
void document_filter(struct buf *out, const struct finding *f);

/* Below the alert level it is a note: 1 info, 2 warning, 4 critical. */
int document_severity(enum severity s);

/* The identity of an event: 22 characters (design: identity and time). */
void document_id(char id[22], const struct document_origin *origin,
    const struct event *e);

/* The contract's table; ends with a NULL field. */
struct document_field {
	const char *field;
	const char *in;   /* "request log segment ..." */
	const char *type; /* Elasticsearch's: keyword, date, long, ... */
	const char *text; /* one sentence */
};
const struct document_field *documents_fields(void);

#endif
