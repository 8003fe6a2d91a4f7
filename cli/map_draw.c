/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service graph as text: a node is drawn below the one that is nearest to
 * the clients and calls it, so that indentation is the distance from them; any
 * further call of it, and one that goes back up, refers to where it is drawn.
 * Every row has the numbers of the call; where the callee's own differ (it is
 * called from elsewhere too, or the network takes time) a row follows.  Along
 * a dashed line events went, and the numbers are theirs.
 *
 * Deeper than INDENT_MAX a branch is drawn on from the left margin.
 */
#include <stdlib.h>

#include "cli/map.h"
#include "cli/table.h"
#include "core/mem.h"
#include "core/when.h"

enum { INDENT_MAX = 16 };

struct drawing {
	const struct map *m;
	const struct term *term;
	struct table table;
	int64_t span_ns;
	uint32_t *order;
	uint32_t *rank;  /* by node: its place in the order */
	uint32_t *under; /* by node: the one that it is drawn below */
	uint8_t *drawn;
	struct buf prefix; /* the lines that run down to further branches */
};

/* Characters of the lines. */
struct lines {
	const char *down, *none;
	const char *branch[2], *last[2]; /* by enum graph_kind */
};

static const struct lines utf8_lines = { "│   ", "    ", { "├─▶ ", "├╌▶ " },
	{ "└─▶ ", "└╌▶ " } };
static const struct lines ascii_lines = { "|   ", "    ", { "+-> ", "+.> " },
	{ "`-> ", "`.> " } };

static const struct lines *
lines_of(const struct drawing *d)
{
	return d->term->utf8 ? &utf8_lines : &ascii_lines;
}

static void
cell_share(struct drawing *d, uint64_t n, uint64_t total, enum style style)
{
	struct buf b = { 0 };

	if (n > 0)
		put_percent(&b, share_ppm(n, total));
	else
		buf_char(&b, '-');
	table_cell(&d->table, n > 0 ? style : DIM, buf_view(&b));
	buf_fini(&b);
}

static void
cells_numbers(struct drawing *d, const struct map_numbers *x)
{
	struct buf b = { 0 };

	table_count(&d->table, PLAIN, x->total, "-");
	map_put_rate(&b, x->total, d->span_ns);
	table_cell(&d->table, x->total > 0 ? PLAIN : DIM, buf_view(&b));
	table_span(&d->table,
	    x->total > 0 ? (int64_t)(x->stat.response_ns / x->total) : -1,
	    d->term->utf8);
	table_span(&d->table, x->p95_ns, d->term->utf8);
	cell_share(d, x->stat.count[GRAPH_ERROR], x->total, YELLOW);
	cell_share(d, x->stat.count[GRAPH_FAULT], x->total, RED);
	cell_share(d, x->stat.count[GRAPH_THROTTLE], x->total, YELLOW);
	table_count(&d->table, DIM, x->probes, "-");
	buf_fini(&b);
}

static void
cells_none(struct drawing *d)
{
	for (int i = 0; i < 9; i++)
		table_cell(&d->table, PLAIN, STR(""));
}

static void
cell_type(struct drawing *d, const struct graph_node *n)
{
	struct buf b = { 0 };

	term_text(&b, n->key.type, d->term->utf8);
	if (n->key.account.n > 0) {
		buf_char(&b, ' ');
		term_text(&b, n->key.account, d->term->utf8);
	}
	table_cell(&d->table, DIM, buf_view(&b));
	buf_fini(&b);
}

/* A name short enough for the lines before it to stay whole. */
static void
name(struct buf *b, const struct drawing *d, const struct graph_node *n)
{
	enum { NAME_MIN = 12 };
	size_t before = term_columns(buf_view(b));
	size_t room = d->term->width * 3 / 8;
	struct buf safe = { 0 };

	if (n->key.name.n > 0)
		term_text(&safe, n->key.name, d->term->utf8);
	else
		buf_cat(&safe, "(no name)");
	term_elide(b, buf_view(&safe),
	    room > before + NAME_MIN ? room - before : NAME_MIN, d->term->utf8);
	buf_fini(&safe);
}

/* The row of a call, or of a node that none of those drawn calls. */
static void
row(struct drawing *d, const char *branch, uint32_t node,
    const struct map_numbers *x, const char *mark)
{
	const struct graph_node *n = graph_at(d->m->all, node);
	bool probed = x->total == 0 && x->probes > 0;
	struct buf b = { 0 };

	buf_str(&b, buf_view(&d->prefix));
	buf_cat(&b, branch);
	if (n->flags & GRAPH_CLIENT)
		buf_cat(&b, "clients of ");
	name(&b, d, n);
	if (probed)
		buf_cat(&b, " (probes only)");
	buf_cat(&b, mark);
	table_cell(&d->table, probed ? DIM : BOLD, buf_view(&b));
	if (n->flags & GRAPH_CLIENT) {
		cells_none(d);
	} else {
		cells_numbers(d, x);
		cell_type(d, n);
	}
	buf_fini(&b);
}

/* The node's own numbers, where they are not those of the call. */
static void
row_itself(struct drawing *d, uint32_t node, const struct map_numbers *call)
{
	struct map_numbers x = map_node_numbers(d->m, node);
	bool reported = graph_at(d->m->all, node)->flags & GRAPH_REPORTED;
	struct buf b = { 0 };

	/* Of whom a link alone tells, nothing else is known. */
	if (!reported && x.total + x.probes == 0)
		return;
	if (x.total == call->total &&
	    x.stat.response_ns == call->stat.response_ns &&
	    x.probes == call->probes)
		return;
	buf_str(&b, buf_view(&d->prefix));
	buf_cat(&b, "itself");
	table_cell(&d->table, DIM, buf_view(&b));
	cells_numbers(d, &x);
	table_cell(&d->table, PLAIN, STR(""));
	buf_fini(&b);
}

/* A node's calls in the order in which callees are shown. */
struct branch {
	const struct graph_edge *edge;
	uint32_t rank;
};

static int
by_rank(const void *pa, const void *pb)
{
	const struct branch *a = pa;
	const struct branch *b = pb;

	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	return (int)a->edge->kind - (int)b->edge->kind;
}

static struct branch *
branches_of(const struct drawing *d, uint32_t node, size_t *n)
{
	const struct graph_node *from = graph_at(d->m->all, node);
	struct branch *v = xcalloc(from->n_edges + 1, sizeof *v);

	*n = 0;
	for (size_t i = 0; i < from->n_edges; i++) {
		uint32_t rank = d->rank[from->edges[i].to];

		if (rank < d->m->max_nodes)
			v[(*n)++] = (struct branch){ &from->edges[i], rank };
	}
	if (*n > 1)
		qsort(v, *n, sizeof *v, by_rank);
	return v;
}

static void draw_calls(struct drawing *d, uint32_t node, size_t depth);

static void
draw_call(struct drawing *d, uint32_t from, const struct graph_edge *e,
    size_t depth, bool last)
{
	const struct lines *l = lines_of(d);
	struct map_numbers x = map_edge_numbers(d->m, from, e);
	const char *branch = last ? l->last[e->kind] : l->branch[e->kind];
	size_t before = d->prefix.n;

	if (e->to == from) {
		row(d, branch, e->to, &x, " (itself)");
		return;
	}
	if (d->under[e->to] != from || d->drawn[e->to] || depth == INDENT_MAX) {
		row(d, branch, e->to, &x,
		    d->drawn[e->to] ? " (above)" : " (below)");
		return;
	}
	d->drawn[e->to] = 1;
	row(d, branch, e->to, &x, "");
	buf_cat(&d->prefix, last ? l->none : l->down);
	row_itself(d, e->to, &x);
	draw_calls(d, e->to, depth + 1);
	d->prefix.n = before;
}

static void
draw_calls(struct drawing *d, uint32_t node, size_t depth)
{
	size_t n;
	struct branch *v = branches_of(d, node, &n);

	for (size_t i = 0; i < n; i++)
		draw_call(d, node, v[i].edge, depth, i + 1 == n);
	free(v);
}

/* Whom each node is drawn below: the first in the order that calls it. */
static void
choose_places(struct drawing *d, size_t shown)
{
	for (size_t i = 0; i < shown; i++) {
		const struct graph_node *n = graph_at(d->m->all, d->order[i]);

		for (size_t k = 0; k < n->n_edges; k++) {
			uint32_t to = n->edges[k].to;

			/* One that stands before it is drawn already. */
			if (d->under[to] == GRAPH_NONE && d->rank[to] > i)
				d->under[to] = d->order[i];
		}
	}
}

static void
draw_left_out(struct pen *p, const struct drawing *d, size_t shown)
{
	const struct graph_counts *c = graph_counts(d->m->all);
	size_t size = graph_size(d->m->all);
	struct buf b = { 0 };

	if (shown < size) {
		buf_cat(&b, "and ");
		put_count(&b, size - shown);
		buf_cat(&b, " more nodes: --max-nodes shows them");
		pen_wrap(p, DIM, buf_view(&b), 0);
	}
	buf_reset(&b);
	if (c->nodes_left_out + c->edges_left_out > 0) {
		put_count(&b, c->nodes_left_out + c->edges_left_out);
		buf_cat(&b, " requests of further nodes and edges are beyond "
			    "the graph's limits and not counted");
		pen_wrap(p, YELLOW, buf_view(&b), 0);
	}
	buf_fini(&b);
}

static void
drawing_init(struct drawing *d, const struct map *m, const struct term *term)
{
	static const struct table_column columns[] = {
		{ .head = "service", .flex = true },
		{ .head = "requests", .right = true },
		{ .head = "rate", .right = true, .rank = 2 },
		{ .head = "average", .right = true, .rank = 3 },
		{ .head = "p95", .right = true },
		{ .head = "errors", .right = true, .rank = 1 },
		{ .head = "faults", .right = true },
		{ .head = "throttled", .right = true, .rank = 5 },
		{ .head = "probes", .right = true, .rank = 4 },
		{ .head = "type", .rank = 6 },
		{ .head = NULL },
	};
	size_t n = graph_size(m->all);

	*d = (struct drawing){ .m = m, .term = term };
	d->table.columns = columns;
	d->span_ns = map_span(m);
	d->order = map_order(m);
	d->rank = xcalloc(n + 1, sizeof *d->rank);
	d->under = xcalloc(n + 1, sizeof *d->under);
	d->drawn = xcalloc(n + 1, 1);
	for (uint32_t i = 0; i < n; i++) {
		d->rank[d->order[i]] = i;
		d->under[i] = GRAPH_NONE;
	}
}

void
map_draw(struct pen *p, const struct map *m)
{
	size_t size = graph_size(m->all);
	size_t shown = size < m->max_nodes ? size : m->max_nodes;
	struct drawing d;

	drawing_init(&d, m, p->term);
	choose_places(&d, shown);
	for (size_t i = 0; i < shown; i++) {
		uint32_t node = d.order[i];
		struct map_numbers x;

		if (d.drawn[node])
			continue;
		x = map_node_numbers(m, node);
		d.drawn[node] = 1;
		row(&d, "", node, &x, "");
		draw_calls(&d, node, 0);
	}
	if (shown > 0)
		table_print(&d.table, p, 0);
	draw_left_out(p, &d, shown);
	table_fini(&d.table);
	free(d.order);
	free(d.rank);
	free(d.under);
	free(d.drawn);
	buf_fini(&d.prefix);
}
