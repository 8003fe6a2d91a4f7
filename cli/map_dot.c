/* SPDX-License-Identifier: Apache-2.0 */
/* The service graph for Graphviz. */
#include <stdlib.h>

#include "cli/map.h"
#include "core/mem.h"
#include "core/when.h"

/* Text inside a quoted string of DOT, made safe first. */
static void
dot_text(struct buf *b, struct str text)
{
	struct buf safe = { 0 };

	term_text(&safe, text, true);
	for (size_t i = 0; i < safe.n; i++) {
		if (safe.p[i] == '"' || safe.p[i] == '\\')
			buf_char(b, '\\');
		buf_char(b, safe.p[i]);
	}
	buf_fini(&safe);
}

static void
dot_numbers(struct buf *b, const struct map_numbers *x, int64_t span_ns)
{
	uint64_t bad = x->total - x->stat.count[GRAPH_OK];

	put_count(b, x->total);
	if (x->total > 0) {
		buf_cat(b, " (");
		map_put_rate(b, x->total, span_ns);
		buf_cat(b, "), average ");
		when_put_span(b, (int64_t)(x->stat.response_ns / x->total),
		    true);
		buf_cat(b, ", p95 ");
		when_put_span(b, x->p95_ns, true);
	}
	if (bad > 0) {
		buf_cat(b, "\\n");
		put_percent(b, share_ppm(x->stat.count[GRAPH_ERROR], x->total));
		buf_cat(b, " errors, ");
		put_percent(b, share_ppm(x->stat.count[GRAPH_FAULT], x->total));
		buf_cat(b, " faults, ");
		put_percent(b,
		    share_ppm(x->stat.count[GRAPH_THROTTLE], x->total));
		buf_cat(b, " throttled");
	}
	if (x->probes > 0) {
		buf_cat(b, "\\n");
		put_count(b, x->probes);
		buf_cat(b, " health checks beside");
	}
}

/* As the console colours them: the worst that happens. */
static const char *
color_of(const struct map_numbers *x)
{
	if (x->stat.count[GRAPH_FAULT] > 0)
		return "red";
	if (x->stat.count[GRAPH_THROTTLE] > 0)
		return "purple";
	if (x->stat.count[GRAPH_ERROR] > 0)
		return "orange";
	return x->total > 0 ? "darkgreen" : "gray";
}

static void
dot_node(struct buf *out, const struct map *m, uint32_t i, int64_t span_ns)
{
	const struct graph_node *n = graph_at(m->all, i);
	struct map_numbers x = map_node_numbers(m, i);
	bool client = n->flags & GRAPH_CLIENT;

	buf_printf(out, "\tn%u [label=\"", i);
	if (client)
		buf_cat(out, "clients of ");
	dot_text(out, n->key.name);
	if (!client) {
		if (n->key.type.n > 0)
			buf_cat(out, "\\n");
		dot_text(out, n->key.type);
		buf_cat(out, "\\n");
		dot_numbers(out, &x, span_ns);
	}
	buf_printf(out, "\", shape=%s, color=%s%s];\n",
	    client ? "plaintext" : "box", color_of(&x),
	    !client && x.total == 0 && x.probes > 0 ? ", style=dashed" : "");
}

static void
dot_edge(struct buf *out, const struct map *m, uint32_t i,
    const struct graph_edge *e, int64_t span_ns)
{
	struct map_numbers x = map_edge_numbers(m, i, e);
	bool link = e->kind == GRAPH_LINK;

	buf_printf(out, "\tn%u -> n%u [label=\"", i, e->to);
	if (link)
		buf_cat(out, "events: ");
	dot_numbers(out, &x, span_ns);
	buf_printf(out, "\", color=%s%s];\n", color_of(&x),
	    link || x.total == 0 ? ", style=dashed" : "");
}

void
map_dot(struct buf *out, const struct map *m)
{
	uint32_t *order = map_order(m);
	size_t size = graph_size(m->all);
	size_t shown = size < m->max_nodes ? size : m->max_nodes;
	bool *there = xcalloc(size + 1, sizeof *there);
	int64_t span = map_span(m);

	buf_cat(out, "digraph services {\n\trankdir=LR;\n"
		     "\tnode [fontname=\"sans-serif\"];\n"
		     "\tedge [fontname=\"sans-serif\", fontsize=10];\n");
	for (size_t i = 0; i < shown; i++) {
		there[order[i]] = true;
		dot_node(out, m, order[i], span);
	}
	for (size_t i = 0; i < shown; i++) {
		const struct graph_node *n = graph_at(m->all, order[i]);

		for (size_t k = 0; k < n->n_edges; k++)
			if (there[n->edges[k].to])
				dot_edge(out, m, order[i], &n->edges[k], span);
	}
	buf_cat(out, "}\n");
	free(order);
	free(there);
}
