/* SPDX-License-Identifier: Apache-2.0 */
/*
 * telltale map: the service graph, drawn.  Probes are counted beside: the
 * graph of the clients' traces and that of the health checks' have the same
 * nodes and edges, so that every number can be told apart.
 */
#ifndef CLI_MAP_H
#define CLI_MAP_H

#include "analyzers/graph.h"
#include "cli/pen.h"
#include "core/buf.h"

struct map {
	struct graph *all;
	struct graph *clients;  /* what counts */
	struct graph *probes;   /* what is counted beside */
	int64_t from_ns, to_ns; /* WHEN_NONE: the first and last sample */
	size_t max_nodes;
	uint64_t traces, probe_traces;
};

/* Numbers of a node or an edge. */
struct map_numbers {
	struct graph_stat stat;
	uint64_t total;
	uint64_t probes;
	int64_t p95_ns; /* -1: none */
};

/* The node or edge of `all`, in numbers. */
struct map_numbers map_node_numbers(const struct map *m, uint32_t node);
struct map_numbers map_edge_numbers(const struct map *m, uint32_t node,
    const struct graph_edge *edge);

/* The time that a rate is of: what was asked for, else of all samples. */
int64_t map_span(const struct map *m);
/* "0.5/s", "12/min", "3/h"; "-" where there is no time. */
void map_put_rate(struct buf *b, uint64_t n, int64_t span_ns);

/* Clients first, then by distance from them, the busiest first.  All nodes;
 * free() it. */
uint32_t *map_order(const struct map *m);

void map_draw(struct pen *p, const struct map *m);
void map_dot(struct buf *out, const struct map *m);

#endif
