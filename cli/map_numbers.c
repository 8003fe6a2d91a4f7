/* SPDX-License-Identifier: Apache-2.0 */
/* What a map counts, and the order in which its nodes are shown. */
#include <stdlib.h>

#include "cli/map.h"
#include "core/mem.h"
#include "core/when.h"

/* Of a node or edge that one of the two graphs has no room for. */
static const struct graph_series nothing = { .start_ns = INT64_MAX };

static const struct graph_series *
node_series(struct graph *g, const struct graph_key *key)
{
	uint32_t n = graph_node(g, key, 0);

	return n == GRAPH_NONE ? &nothing : &graph_at(g, n)->series;
}

static const struct graph_series *
edge_series(struct graph *g, const struct graph_key *from,
    const struct graph_key *to, enum graph_kind kind)
{
	const struct graph_edge *e =
	    graph_edge(g, graph_node(g, from, 0), graph_node(g, to, 0), kind);

	return e ? &e->series : &nothing;
}

static struct map_numbers
numbers(const struct map *m, const struct graph_series *clients,
    const struct graph_series *probes)
{
	int64_t from = m->from_ns == WHEN_NONE ? INT64_MIN : m->from_ns;
	int64_t to = m->to_ns == WHEN_NONE ? INT64_MAX : m->to_ns;
	struct map_numbers n = { .p95_ns = -1 };
	struct graph_stat beside;
	struct histogram h = { 0 };
	struct histogram ignored = { 0 };

	n.total = graph_sum(clients, from, to, &n.stat, &h);
	n.probes = graph_sum(probes, from, to, &beside, &ignored);
	n.p95_ns = histogram_quantile(&h, 950);
	histogram_fini(&h);
	histogram_fini(&ignored);
	return n;
}

struct map_numbers
map_node_numbers(const struct map *m, uint32_t node)
{
	const struct graph_key *key = &graph_at(m->all, node)->key;

	return numbers(m, node_series(m->clients, key),
	    node_series(m->probes, key));
}

struct map_numbers
map_edge_numbers(const struct map *m, uint32_t node,
    const struct graph_edge *edge)
{
	const struct graph_key *from = &graph_at(m->all, node)->key;
	const struct graph_key *to = &graph_at(m->all, edge->to)->key;

	return numbers(m, edge_series(m->clients, from, to, edge->kind),
	    edge_series(m->probes, from, to, edge->kind));
}

static void
widen(const struct graph_series *s, int64_t *from, int64_t *to)
{
	if (s->n == 0)
		return;
	*from = s->start_ns < *from ? s->start_ns : *from;
	*to = s->end_ns > *to ? s->end_ns : *to;
}

int64_t
map_span(const struct map *m)
{
	int64_t from = INT64_MAX;
	int64_t to = INT64_MIN;

	for (uint32_t i = 0; i < graph_size(m->all); i++)
		widen(&graph_at(m->all, i)->series, &from, &to);
	if (from == INT64_MAX)
		return 0;
	if (m->from_ns != WHEN_NONE)
		from = m->from_ns;
	if (m->to_ns != WHEN_NONE)
		to = m->to_ns;
	if (to <= from)
		return 0;
	/* A difference of two times may not fit. */
	return from < 0 && to > INT64_MAX + from ? INT64_MAX : to - from;
}

void
map_put_rate(struct buf *b, uint64_t n, int64_t span_ns)
{
	static const struct {
		const char *unit;
		uint64_t seconds;
	} units[] = { { "/s", 1 }, { "/min", 60 }, { "/h", 3600 } };
	uint64_t ms = (uint64_t)span_ns / (uint64_t)NS_PER_MS;
	size_t u = 0;
	uint64_t tenths;

	if (span_ns <= 0 || ms == 0 || n == 0) {
		buf_char(b, '-');
		return;
	}
	/* Tenths of requests a unit; a unit of which there is one at least. */
	if (n > UINT64_MAX / 36000000)
		n = UINT64_MAX / 36000000;
	while (u < 2 && n * 1000 * units[u].seconds < ms)
		u++;
	tenths = (n * 10000 * units[u].seconds + ms / 2) / ms;
	if (tenths == 0)
		buf_cat(b, "<0.1");
	else if (tenths >= 1000 || tenths % 10 == 0)
		put_count(b, (tenths + 5) / 10);
	else
		buf_printf(b, "%llu.%llu", (unsigned long long)(tenths / 10),
		    (unsigned long long)(tenths % 10));
	buf_cat(b, units[u].unit);
}

/* For sorting: how a node is called upon first. */
struct standing {
	uint32_t node;
	unsigned rank; /* 0: a client, 1: an entry, 2: not called, 3: others */
	uint64_t total;
	uint32_t order;
};

static int
by_place(const void *pa, const void *pb)
{
	const struct standing *a = pa;
	const struct standing *b = pb;

	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	if (a->total != b->total)
		return a->total > b->total ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

static struct standing *
places(const struct map *m, size_t n)
{
	struct standing *v = xcalloc(n + 1, sizeof *v);
	const uint32_t *order = graph_order(m->all);

	for (uint32_t i = 0; i < n; i++) {
		const struct graph_node *node = graph_at(m->all, i);
		struct map_numbers x = map_node_numbers(m, i);

		v[i].node = i;
		v[i].total = x.total;
		for (size_t k = 0; k < node->n_edges; k++)
			v[i].total +=
			    node->flags & GRAPH_CLIENT
				? map_edge_numbers(m, i, &node->edges[k]).total
				: 0;
		v[i].rank = node->flags & GRAPH_CLIENT ? 0
			    : node->flags & GRAPH_ROOT ? 1
						       : 2;
	}
	for (uint32_t i = 0; i < n; i++) {
		const struct graph_node *node = graph_at(m->all, i);

		v[order[i]].order = i;
		for (size_t k = 0; k < node->n_edges; k++)
			if (node->edges[k].to != i &&
			    v[node->edges[k].to].rank == 2)
				v[node->edges[k].to].rank = 3;
	}
	return v;
}

/* Appends those that a node calls and that are not there yet. */
static size_t
append_called(const struct map *m, uint32_t node, uint32_t *order, size_t n,
    const struct standing *place, bool *there)
{
	const struct graph_node *from = graph_at(m->all, node);
	struct standing *next = xcalloc(from->n_edges + 1, sizeof *next);
	size_t k = 0;

	for (size_t i = 0; i < from->n_edges; i++) {
		uint32_t to = from->edges[i].to;

		if (there[to])
			continue;
		there[to] = true;
		next[k] = place[to];
		next[k++].rank = 0;
	}
	if (k > 1)
		qsort(next, k, sizeof *next, by_place);
	for (size_t i = 0; i < k; i++)
		order[n++] = next[i].node;
	free(next);
	return n;
}

uint32_t *
map_order(const struct map *m)
{
	size_t size = graph_size(m->all);
	uint32_t *order = xcalloc(size + 1, sizeof *order);
	bool *there = xcalloc(size + 1, sizeof *there);
	struct standing *place = places(m, size);
	struct standing *sorted = xcalloc(size + 1, sizeof *sorted);
	size_t n = 0;
	size_t at = 0;

	memcpy(sorted, place, size * sizeof *sorted);
	if (size > 1)
		qsort(sorted, size, sizeof *sorted, by_place);
	/* Clients at once; then whoever comes first and is not there yet. */
	for (size_t i = 0; i < size; i++) {
		uint32_t node = sorted[i].node;

		if (sorted[i].rank > 0)
			for (; at < n; at++)
				n = append_called(m, order[at], order, n, place,
				    there);
		if (there[node])
			continue;
		there[node] = true;
		order[n++] = node;
	}
	free(there);
	free(place);
	free(sorted);
	return order;
}
