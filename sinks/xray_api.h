/* SPDX-License-Identifier: Apache-2.0 */
/*
 * X-Ray's answers: the JSON bodies of its read API, made of assembled traces
 * and of the service graph.  Names and types are those of the service model
 * (API version 2016-04-12): an unmodified client reads them.  What is not
 * known is left out, never null; times are epoch seconds.
 *
 * Bodies of many items are begun, filled item by item and ended, so that who
 * writes them may send what is there and go on:
 *
 *	xray_api_traces_begin(out);
 *	xray_api_trace(out, trace) …
 *	xray_api_traces_end(out, unknown, n_unknown);
 */
#ifndef SINKS_XRAY_API_H
#define SINKS_XRAY_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzers/graph.h"
#include "core/buf.h"
#include "ingest/assemble.h"

/*
 * BatchGetTraces.  A segment's document is the text that was sent; where
 * subsegments were sent apart they are folded into it, and inferred segments
 * are made as X-Ray makes them.
 */
void xray_api_traces_begin(struct buf *b);
void xray_api_trace(struct buf *out, const struct trace *t);
void xray_api_traces_end(struct buf *b, const struct str *unknown, size_t n);

/* GetTraceSummaries.  Approximate: WHEN_NONE leaves it out. */
void xray_api_summaries_begin(struct buf *b);
void xray_api_summary(struct buf *b, const struct trace *t);
void xray_api_summaries_end(struct buf *b, int64_t approximate_ns,
    uint64_t processed);

/*
 * GetServiceGraph: what was counted in [from_ns, to_ns), by whole buckets;
 * nodes and edges without anything in it are left out.  Either bound may be
 * WHEN_NONE: then all, and the times are those of the samples.
 */
void xray_api_service_graph(struct buf *b, const struct graph *g,
    int64_t from_ns, int64_t to_ns);

/* GetTraceGraph: of a graph that holds the asked traces alone. */
void xray_api_trace_graph(struct buf *b, const struct graph *g);

/*
 * GetTimeSeriesServiceStatistics: the sum of several series, newest first;
 * buckets begin at multiples of the period, which is one of bucket_ns, and
 * carry the time of their end.  Of more than XRAY_API_STEPS those without
 * data are left out.
 */
enum { XRAY_API_STEPS = 100000 };
struct xray_api_series {
	const struct graph_series *const *v;
	size_t n;
	bool edges;      /* of edges, else of nodes */
	int64_t from_ns; /* WHEN_NONE: from the first sample */
	int64_t to_ns;   /* WHEN_NONE: to the last */
	int64_t period_ns;
};
void xray_api_time_series(struct buf *b, const struct xray_api_series *s);

#endif
