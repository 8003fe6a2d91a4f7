/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The document of a trace (sinks/document_trace.h), read back: what was put
 * into it is seen again, so that an index answers as the archive does.
 */
#ifndef PIPELINE_INDEXED_TRACE_H
#define PIPELINE_INDEXED_TRACE_H

#include "core/arena.h"
#include "core/json.h"
#include "query/view.h"

struct indexed_trace {
	struct str id; /* X-Ray's printed form */
	int64_t start_ns;
	struct str service; /* of the entry; may be empty */
	struct str summary; /* JSON */
	struct trace_view view;
};

/*
 * Texts are borrowed from the tree, lists live in the arena.  False: it is no
 * trace's.  What a document leaves out is absent in the view.
 */
bool indexed_trace_read(struct indexed_trace *d, struct json_val *source,
    struct arena *arena);

#endif
