/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents of a replay, read back from where --out put them: what a
 * request's service is, and which trace it belongs to, is known only when all
 * was read.
 */
#ifndef PIPELINE_REQUESTS_H
#define PIPELINE_REQUESTS_H

#include "core/buf.h"
#include "core/err.h"
#include "core/json.h"
#include "query/view.h"
#include "sinks/files.h"

/* A folder for documents that nobody asked for, in $TMPDIR; -1 with err. */
int requests_folder(struct buf *path, struct err *err);
/* Removes it, with the documents in it. */
void requests_folder_remove(struct buf *path);

struct requests;

/* Requests, or documents of another kind. */
struct requests *requests_open(const char *dir, enum file_kind kind,
    struct err *err);
/* The next document, without its line end: 1, 0 at the end, -1. */
int requests_next(struct requests *r, struct str *document, struct err *err);
void requests_close(struct requests *r); /* NULL is fine */

/* What a document of a request, a log event or a finding says. */
struct document {
	struct json json;
	struct json_val *source;
	struct str id;
	int64_t ts_ns;
	struct str service, method, url, agent, client, trace, route, rule;
	struct str severity, reason;
	struct str message, level, logger, group, stream;
	int64_t duration_ns, status; /* VIEW_NONE */
	struct view_part service_part;
	struct trace_view view;
};

/*
 * Reads it; views live in `d` until the next.  False: it is none.  Zeroed
 * before the first; document_fini at the end.
 *
 * The view is that of a trace of one service, which is the root: keywords of
 * the trace and service() find what they would there.
 */
bool document_read(struct document *d, struct str text);
void document_fini(struct document *d);

#endif
