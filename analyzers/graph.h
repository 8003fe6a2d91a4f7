/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service graph: who calls whom, how often, how fast, how well.
 *
 * Nodes and edges are added call by call and counted in buckets of time, so
 * that the whole, any range and the time series come from the same cells, and
 * two graphs merge by adding: nothing depends on the order of adding, as long
 * as no limit is met.  What a limit leaves out is counted.
 *
 * A node's samples are its own segments; an edge's are the callers' records of
 * the calls (X-Ray: histograms of edges include the network).  Where events
 * go from one to the other and nobody waits, a second edge counts these.
 */
#ifndef ANALYZERS_GRAPH_H
#define ANALYZERS_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzers/histogram.h"
#include "core/str.h"

struct graph_options {
	int64_t bucket_ns; /* 60 s: what a time series can be asked for */
	size_t nodes_max;  /* X-Ray's console draws 10 000 */
	size_t edges_max;
	size_t buckets_max; /* of one node or edge */
};

/* 60 s, 10 000, 50 000, 10 080 (a week of minutes). */
extern const struct graph_options graph_defaults;

struct graph_key {
	struct str name;
	struct str type;
	struct str account;
};

enum graph_flag {
	GRAPH_CLIENT = 1 << 0,
	GRAPH_REPORTED = 1 << 1, /* sent a segment itself: state active */
	GRAPH_ROOT = 1 << 2,     /* an entry point */
};

/* A request counts in one class only; the first that holds. */
enum graph_outcome {
	GRAPH_THROTTLE,
	GRAPH_FAULT,
	GRAPH_ERROR,
	GRAPH_OK,
	GRAPH_OUTCOMES
};

/* A completed request. */
struct graph_sample {
	int64_t start_ns;
	int64_t end_ns;      /* decides the bucket */
	int64_t duration_ns; /* asynchronous children included */
	enum graph_outcome outcome;
};

struct graph_stat {
	uint64_t count[GRAPH_OUTCOMES];
	uint64_t response_ns; /* sum of end − start */
};

struct graph_bucket {
	int64_t start_ns; /* a multiple of bucket_ns */
	struct graph_stat stat;
	struct histogram response;
};

/* Buckets that hold something, by time. */
struct graph_series {
	struct graph_bucket *v;
	size_t n;
	size_t cap;
	int64_t start_ns; /* of the first sample; INT64_MAX: there is none */
	int64_t end_ns;
};

enum graph_kind {
	GRAPH_CALL, /* samples are requests, and their times to answer */
	GRAPH_LINK, /* samples are events, and their ages when received */
};

struct graph_edge {
	uint32_t to; /* number of the node, as graph_node gives it */
	enum graph_kind kind;
	struct graph_series series;
	struct str alias; /* the caller's name of it, if another; smallest */
	struct str alias_type;
};

struct graph_node {
	struct graph_key key;
	unsigned flags; /* of enum graph_flag */
	struct graph_series series;
	struct histogram duration;
	struct graph_edge *edges;
	size_t n_edges;
	size_t cap_edges;
};

struct graph_counts {
	uint64_t nodes_left_out; /* samples of nodes beyond nodes_max */
	uint64_t edges_left_out;
	uint64_t buckets_left_out;
};

struct graph;

struct graph *graph_new(const struct graph_options *options);
void graph_free(struct graph *g);

#define GRAPH_NONE UINT32_MAX

/* The number of a node, made when it is new; GRAPH_NONE: no room. */
uint32_t graph_node(struct graph *g, const struct graph_key *key,
    unsigned flags);

/* Counts a request of a node; GRAPH_NONE is counted as left out. */
void graph_add(struct graph *g, uint32_t node, const struct graph_sample *s);

/*
 * The edge of a kind between two nodes, made when it is new, valid until the
 * next one is made; NULL: no room, or one of the nodes is GRAPH_NONE.
 */
struct graph_edge *graph_edge(struct graph *g, uint32_t from, uint32_t to,
    enum graph_kind kind);

/* Counts a call or an event; a NULL edge is counted as left out. */
void graph_add_call(struct graph *g, struct graph_edge *e,
    const struct graph_sample *s);

/* Counts calls or events that somebody else has left out. */
void graph_left_out(struct graph *g, uint64_t n);

/* Remembers what the caller calls the callee. */
void graph_alias(struct graph *g, struct graph_edge *e, struct str name,
    struct str type);

/* Adds all of `from`; both have the same bucket_ns. */
void graph_merge(struct graph *g, const struct graph *from);

/* Everything by number, and the numbers in order of name, type, account. */
size_t graph_size(const struct graph *g);
const struct graph_node *graph_at(const struct graph *g, uint32_t node);
const uint32_t *graph_order(const struct graph *g);
const struct graph_counts *graph_counts(const struct graph *g);

/*
 * The sum of a series over [from_ns, to_ns), by whole buckets; the histogram
 * is added to.  Returns the number of requests.
 */
uint64_t graph_sum(const struct graph_series *s, int64_t from_ns, int64_t to_ns,
    struct graph_stat *stat, struct histogram *response);

static inline uint64_t
graph_total(const struct graph_stat *s)
{
	uint64_t n = 0;

	for (int i = 0; i < GRAPH_OUTCOMES; i++)
		n += s->count[i];
	return n;
}

#endif
