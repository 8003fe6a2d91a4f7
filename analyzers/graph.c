/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service graph.  Nodes stand in order of coming, with an index sorted by
 * key beside them; a node's edges are sorted by target and kind, a series'
 * buckets by time.  Everything is found by bisection: no input can make it
 * slow.
 */
#include "analyzers/graph.h"

#include <stdlib.h>

#include "analyzers/saturate.h"
#include "core/arena.h"
#include "core/mem.h"

const struct graph_options graph_defaults = {
	.bucket_ns = INT64_C(60000000000),
	.nodes_max = 10000,
	.edges_max = 50000,
	.buckets_max = 10080,
};

struct graph {
	struct graph_options options;
	struct graph_counts counts;
	struct graph_node *v;
	size_t n;
	size_t cap;
	uint32_t *order; /* by key */
	size_t cap_order;
	size_t n_edges;
	struct arena texts;
};

struct graph *
graph_new(const struct graph_options *options)
{
	struct graph *g = xcalloc(1, sizeof *g);

	g->options = *options;
	return g;
}

static void
series_fini(struct graph_series *s)
{
	for (size_t i = 0; i < s->n; i++)
		histogram_fini(&s->v[i].response);
	free(s->v);
}

void
graph_free(struct graph *g)
{
	if (!g)
		return;
	for (size_t i = 0; i < g->n; i++) {
		struct graph_node *node = &g->v[i];

		for (size_t k = 0; k < node->n_edges; k++)
			series_fini(&node->edges[k].series);
		free(node->edges);
		series_fini(&node->series);
		histogram_fini(&node->duration);
	}
	free(g->v);
	free(g->order);
	arena_fini(&g->texts);
	free(g);
}

static int
key_cmp(const struct graph_key *a, const struct graph_key *b)
{
	int c = str_cmp(a->name, b->name);

	if (c == 0)
		c = str_cmp(a->type, b->type);
	return c ? c : str_cmp(a->account, b->account);
}

static void
series_init(struct graph_series *s)
{
	*s =
	    (struct graph_series){ .start_ns = INT64_MAX, .end_ns = INT64_MIN };
}

/* Where a key is in the order, or would be. */
static size_t
order_find(const struct graph *g, const struct graph_key *key)
{
	size_t from = 0;
	size_t to = g->n;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (key_cmp(&g->v[g->order[mid]].key, key) < 0)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

uint32_t
graph_node(struct graph *g, const struct graph_key *key, unsigned flags)
{
	size_t at = order_find(g, key);
	struct graph_node *node;

	if (at < g->n && key_cmp(&g->v[g->order[at]].key, key) == 0) {
		g->v[g->order[at]].flags |= flags;
		return g->order[at];
	}
	if (g->n >= g->options.nodes_max)
		return GRAPH_NONE;
	g->v = xgrow(g->v, g->n + 1, &g->cap, sizeof *g->v);
	g->order = xgrow(g->order, g->n + 1, &g->cap_order, sizeof *g->order);
	memmove(&g->order[at + 1], &g->order[at],
	    (g->n - at) * sizeof *g->order);
	g->order[at] = (uint32_t)g->n;
	node = &g->v[g->n++];
	*node = (struct graph_node){
		.key = { arena_dup(&g->texts, key->name),
		    arena_dup(&g->texts, key->type),
		    arena_dup(&g->texts, key->account) },
		.flags = flags,
	};
	series_init(&node->series);
	return g->order[at];
}

/* The bucket that begins at a time; NULL: no room for a new one. */
static struct graph_bucket *
bucket_at(const struct graph *g, struct graph_series *s, int64_t start_ns)
{
	size_t from = 0;
	size_t to = s->n;

	/* Most samples come in time order. */
	if (s->n > 0 && s->v[s->n - 1].start_ns == start_ns)
		return &s->v[s->n - 1];
	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (s->v[mid].start_ns < start_ns)
			from = mid + 1;
		else
			to = mid;
	}
	if (from < s->n && s->v[from].start_ns == start_ns)
		return &s->v[from];
	if (s->n >= g->options.buckets_max)
		return NULL;
	s->v = xgrow(s->v, s->n + 1, &s->cap, sizeof *s->v);
	memmove(&s->v[from + 1], &s->v[from], (s->n - from) * sizeof *s->v);
	s->n++;
	s->v[from] = (struct graph_bucket){ .start_ns = start_ns };
	return &s->v[from];
}

static int64_t
bucket_start(const struct graph *g, int64_t ns)
{
	int64_t rest = ns % g->options.bucket_ns;

	if (rest < 0)
		rest += g->options.bucket_ns;
	return ns < INT64_MIN + rest ? INT64_MIN : ns - rest;
}

static void
series_bounds(struct graph_series *s, int64_t start_ns, int64_t end_ns)
{
	if (start_ns < s->start_ns)
		s->start_ns = start_ns;
	if (end_ns > s->end_ns)
		s->end_ns = end_ns;
}

static void
series_add(struct graph *g, struct graph_series *s,
    const struct graph_sample *sample)
{
	struct graph_bucket *b =
	    bucket_at(g, s, bucket_start(g, sample->end_ns));
	int64_t took = sample->end_ns > sample->start_ns
			   ? sample->end_ns - sample->start_ns
			   : 0;

	if (!b) {
		g->counts.buckets_left_out++;
		return;
	}
	b->stat.count[sample->outcome]++;
	b->stat.response_ns = add_u64(b->stat.response_ns, (uint64_t)took);
	histogram_add(&b->response, took);
	series_bounds(s, sample->start_ns, sample->end_ns);
}

void
graph_add(struct graph *g, uint32_t node, const struct graph_sample *s)
{
	if (node == GRAPH_NONE) {
		g->counts.nodes_left_out++;
		return;
	}
	series_add(g, &g->v[node].series, s);
	histogram_add(&g->v[node].duration, s->duration_ns);
}

static bool
edge_before(const struct graph_edge *e, uint32_t to, enum graph_kind kind)
{
	return e->to != to ? e->to < to : e->kind < kind;
}

struct graph_edge *
graph_edge(struct graph *g, uint32_t from, uint32_t to, enum graph_kind kind)
{
	struct graph_node *node;
	size_t low = 0;
	size_t high;

	if (from == GRAPH_NONE || to == GRAPH_NONE)
		return NULL;
	node = &g->v[from];
	high = node->n_edges;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (edge_before(&node->edges[mid], to, kind))
			low = mid + 1;
		else
			high = mid;
	}
	if (low < node->n_edges && node->edges[low].to == to &&
	    node->edges[low].kind == kind)
		return &node->edges[low];
	if (g->n_edges >= g->options.edges_max)
		return NULL;
	g->n_edges++;
	node->edges = xgrow(node->edges, node->n_edges + 1, &node->cap_edges,
	    sizeof *node->edges);
	memmove(&node->edges[low + 1], &node->edges[low],
	    (node->n_edges - low) * sizeof *node->edges);
	node->n_edges++;
	node->edges[low] = (struct graph_edge){ .to = to, .kind = kind };
	series_init(&node->edges[low].series);
	return &node->edges[low];
}

void
graph_add_call(struct graph *g, struct graph_edge *e,
    const struct graph_sample *s)
{
	if (!e)
		g->counts.edges_left_out++;
	else
		series_add(g, &e->series, s);
}

void
graph_left_out(struct graph *g, uint64_t n)
{
	g->counts.edges_left_out = add_u64(g->counts.edges_left_out, n);
}

void
graph_alias(struct graph *g, struct graph_edge *e, struct str name,
    struct str type)
{
	int c;

	if (!e || name.n == 0)
		return;
	c = e->alias.n ? str_cmp(name, e->alias) : -1;
	if (c > 0 || (c == 0 && str_cmp(type, e->alias_type) >= 0))
		return;
	e->alias = arena_dup(&g->texts, name);
	e->alias_type = arena_dup(&g->texts, type);
}

static void
series_merge(struct graph *g, struct graph_series *to,
    const struct graph_series *from)
{
	for (size_t i = 0; i < from->n; i++) {
		const struct graph_bucket *more = &from->v[i];
		struct graph_bucket *b = bucket_at(g, to, more->start_ns);

		if (!b) {
			g->counts.buckets_left_out =
			    add_u64(g->counts.buckets_left_out,
				graph_total(&more->stat));
			continue;
		}
		for (int k = 0; k < GRAPH_OUTCOMES; k++)
			b->stat.count[k] =
			    add_u64(b->stat.count[k], more->stat.count[k]);
		b->stat.response_ns =
		    add_u64(b->stat.response_ns, more->stat.response_ns);
		histogram_merge(&b->response, &more->response);
	}
	series_bounds(to, from->start_ns, from->end_ns);
}

static uint64_t
series_total(const struct graph_series *s)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		n = add_u64(n, graph_total(&s->v[i].stat));
	return n;
}

static void
edges_merge(struct graph *g, const struct graph *from,
    const struct graph_node *node, const uint32_t *number)
{
	uint32_t self = number[node - from->v];

	for (size_t i = 0; i < node->n_edges; i++) {
		const struct graph_edge *e = &node->edges[i];
		struct graph_edge *to =
		    graph_edge(g, self, number[e->to], e->kind);

		if (!to) {
			g->counts.edges_left_out = add_u64(
			    g->counts.edges_left_out, series_total(&e->series));
			continue;
		}
		series_merge(g, &to->series, &e->series);
		graph_alias(g, to, e->alias, e->alias_type);
	}
}

void
graph_merge(struct graph *g, const struct graph *from)
{
	uint32_t *number = xcalloc(from->n + 1, sizeof *number);

	for (size_t i = 0; i < from->n; i++) {
		const struct graph_node *node = &from->v[i];
		uint32_t to = graph_node(g, &node->key, node->flags);

		number[i] = to;
		if (to == GRAPH_NONE) {
			g->counts.nodes_left_out =
			    add_u64(g->counts.nodes_left_out,
				series_total(&node->series));
			continue;
		}
		series_merge(g, &g->v[to].series, &node->series);
		histogram_merge(&g->v[to].duration, &node->duration);
	}
	for (size_t i = 0; i < from->n; i++)
		edges_merge(g, from, &from->v[i], number);
	free(number);
}

size_t
graph_size(const struct graph *g)
{
	return g->n;
}

const struct graph_node *
graph_at(const struct graph *g, uint32_t node)
{
	return &g->v[node];
}

const uint32_t *
graph_order(const struct graph *g)
{
	return g->order;
}

const struct graph_counts *
graph_counts(const struct graph *g)
{
	return &g->counts;
}

uint64_t
graph_sum(const struct graph_series *s, int64_t from_ns, int64_t to_ns,
    struct graph_stat *stat, struct histogram *response)
{
	*stat = (struct graph_stat){ 0 };
	for (size_t i = 0; i < s->n; i++) {
		const struct graph_bucket *b = &s->v[i];

		if (b->start_ns < from_ns || b->start_ns >= to_ns)
			continue;
		for (int k = 0; k < GRAPH_OUTCOMES; k++)
			stat->count[k] =
			    add_u64(stat->count[k], b->stat.count[k]);
		stat->response_ns =
		    add_u64(stat->response_ns, b->stat.response_ns);
		histogram_merge(response, &b->response);
	}
	return graph_total(stat);
}
