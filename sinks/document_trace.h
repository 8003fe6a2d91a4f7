/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A trace as a document, beside those of sinks/documents.h.
 */
#ifndef SINKS_DOCUMENT_TRACE_H
#define SINKS_DOCUMENT_TRACE_H

#include <stdbool.h>

#include "core/buf.h"
#include "ingest/assemble.h"
#include "query/view.h"

struct document_trace {
	const struct trace *trace;
	const struct trace_view *view; /* of that trace */
	bool probe; /* its root is a health check's request */
};

/* Appends the line. */
void document_trace(struct buf *out, const struct document_trace *d);

#endif
