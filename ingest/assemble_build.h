/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a trace is made of its documents: the steps, in this order.  Inside
 * ingest/ only; assemble.c keeps what is open and calls build_trace.
 */
#ifndef INGEST_ASSEMBLE_BUILD_H
#define INGEST_ASSEMBLE_BUILD_H

#include "core/arena.h"
#include "ingest/assemble.h"

/* Everything of the trace that is out, used again for the next. */
struct build {
	struct arena arena;
	struct span_list read; /* spans as read, in the documents' order */
	struct trace trace;
	struct span *spans; /* trace.spans, still to be written */
	struct trace_node *nodes;
	struct trace_document *documents;
};

/* trace.documents, id, revision and evicted are filled. */
void build_trace(struct build *b);

/* Reads the documents and puts their spans in order: spans, n_spans, root. */
void build_tree(struct build *b);
/* Self time and the critical path. */
void build_times(struct build *b);
/* Nodes, calls, and the node of every span. */
void build_nodes(struct build *b);
/* Links that name a service. */
void build_links(struct build *b);
/* Annotations, users and the other lists of distinct values. */
void build_lists(struct build *b);
/* Root causes. */
void build_causes(struct build *b);

/* Where the graph puts the callee of a call that nobody answered for. */
struct trace_node build_inferred_node(const struct span *call,
    struct arena *arena);

/*
 * qsort for arrays that are mostly short: of up to 24 things by insertion.
 * `size` is at most BUILD_SORT_SIZE.
 */
enum { BUILD_SORT_SIZE = 64 };
void build_sort(void *v, size_t n, size_t size,
    int (*cmp)(const void *, const void *));

static inline bool
span_is_call(const struct span *s)
{
	return s->kind == SPAN_SUBSEGMENT &&
	       (s->flags & (SPAN_REMOTE | SPAN_AWS)) != 0;
}

#endif
