/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From an assembled trace to the service graph.
 *
 * A node's samples are its completed segments, an inferred node's the calls to
 * it; an edge's are the callers' records.  The client of a root has an edge
 * and no samples of its own.  What is in progress is not counted.
 *
 * An event that led to another trace is said by both: the one that sent it
 * has a link to the child, the one that received it a link to the parent.  So
 * that it counts once, it counts where it was sent, and only there is its age
 * known: from the start of the span that has the link, before which it was not
 * sent, until it was received.  A link to the parent shows the edge.
 */
#ifndef PIPELINE_TRACE_GRAPH_H
#define PIPELINE_TRACE_GRAPH_H

#include "analyzers/graph.h"
#include "ingest/assemble.h"

void trace_graph_add(struct graph *g, const struct trace *t);

#endif
