/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Route templates: a tree of places that collapse.
 *
 * A place is a node's set of different next segments.  Segments that are ids
 * by shape go to its {id} child at once.  When more than `fanout` others were
 * seen, the place collapses: all of them become the {id} child, their subtrees
 * are united, which may fill and collapse deeper places, and from then on
 * whatever comes goes there.  Words like "undefined" and the empty segment
 * stay as they are.  Paths of one segment have a tree of their own, so that a
 * scan for files in the root does not swallow /mysfits/{id}.
 *
 * Why order does not matter: say of two prefixes that they are one when the
 * tree maps them to one node.  What the tree computes is the least congruence
 * for which a place with more than `fanout` values is one value; sets only
 * grow, collapses are never undone, so that every order arrives at it.  The
 * same holds for uniting two trees, since a place remembers that it collapsed.
 *
 * Bounds: 16 segments of 64 bytes, and NODES_MAX nodes.  Only a product of
 * places that are all nearly full gets there.  The fan-out is then halved for
 * the whole tree, words losing their privilege, until it fits; at 0 all is
 * {id}.  The halving is remembered and united by the minimum.  A tree that was
 * over the bound only in passing, and would be in one order but not in
 * another, is the one case in which order may show; it takes 15,000 paths made
 * for it.  Numbers are bounded as well: beyond NUMBERS_MAX it is "other".
 *
 * Numbers are given to nodes at which a path ends, and fall together by
 * union-find when their nodes do.  Each has the least time at which it was
 * asked for, and a final route the least of its numbers'; which ROUTES_MAX of
 * the final routes are kept is decided by that, and of equals by the hashes of
 * their texts.  Minima are as free of order as the sets are.
 *
 * Speed: children are found by their first and last bytes and their length, in
 * an array that rarely holds more than a few; no hash, no allocation.  A few
 * short paths are remembered, numbers being valid for ever: those without ids
 * as they are, and those that end in a number as what stands before it.  Most
 * requests are for them.
 */
#include "analyzers/routes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "analyzers/route_memo.h"
#include "analyzers/route_shape.h"
#include "core/buf.h"
#include "core/hash.h"
#include "core/mem.h"
#include "core/when.h"

enum {
	NODES_MAX = 15000,
	NUMBERS_MAX = 131072,
	ROOTS = 2, /* node 0: paths of one segment, node 1: of more */
};

#define NONE UINT32_MAX /* no node */

/* A literal child, found by what struct segment_text says of it. */
struct kid {
	uint64_t head, tail;
	uint32_t n;
	uint32_t node;
};

struct node {
	struct kid *kids;
	uint32_t n_kids;
	uint32_t cap_kids;
	uint32_t counted; /* of the children: values, not words */
	uint32_t id;      /* the {id} child, or NONE */
	uint32_t rest;    /* the {rest} child, or NONE */
	uint32_t parent;  /* NONE: a root, or free */
	uint32_t number;  /* of the route that ends here; 0: none does */
	enum segment_kind kind;
	bool collapsed;
	uint32_t n_text;
	char *text;       /* of a literal */
	uint64_t hash;    /* of the template, at version `ranked` */
	struct buf route; /* the template, at version route_version */
	uint64_t route_version;
};

/* What decides which routes are kept. */
struct rank {
	int64_t first; /* ns; INT64_MAX: no time */
	uint64_t hash;
};

struct routes {
	struct memos memos;
	struct node *nodes;
	size_t n_nodes, cap_nodes;
	uint32_t *free; /* nodes to use again */
	size_t n_free, cap_free;
	uint32_t *of;     /* the node of a number that stands for its set */
	uint32_t *parent; /* union-find over the numbers */
	int64_t *first;   /* by number; see struct rank */
	size_t n_numbers, cap_of, cap_parent, cap_first;
	uint32_t fanout;
	uint64_t version;  /* changes with the tree */
	uint64_t ranked;   /* the version of hashes and limit; 0: none */
	struct rank limit; /* routes of a lesser rank are kept */
};

static uint32_t
node_new(struct routes *r, uint32_t parent, struct segment_text s)
{
	uint32_t i;

	if (r->n_free > 0) {
		i = r->free[--r->n_free];
	} else {
		r->nodes = xgrow(r->nodes, r->n_nodes + 1, &r->cap_nodes,
		    sizeof(*r->nodes));
		i = (uint32_t)r->n_nodes++;
	}
	r->nodes[i] = (struct node){
		.id = NONE,
		.rest = NONE,
		.parent = parent,
		.kind = s.kind,
	};
	if (s.kind == SEGMENT_LITERAL && s.text.n > 0) {
		r->nodes[i].text = xcalloc(1, s.text.n);
		r->nodes[i].n_text = (uint32_t)s.text.n;
		memcpy(r->nodes[i].text, s.text.p, s.text.n);
	}
	r->version++;
	return i;
}

static void
node_fini(struct node *n)
{
	free(n->kids);
	free(n->text);
	buf_fini(&n->route);
}

static void
node_free(struct routes *r, uint32_t i)
{
	node_fini(&r->nodes[i]);
	r->nodes[i] = (struct node){ .parent = NONE };
	r->free = xgrow(r->free, r->n_free + 1, &r->cap_free, sizeof(*r->free));
	r->free[r->n_free++] = i;
	r->version++;
}

static size_t
nodes_live(const struct routes *r)
{
	return r->n_nodes - r->n_free;
}

struct routes *
routes_new(void)
{
	struct routes *r = xcalloc(1, sizeof(*r));
	struct segment_text none = { .kind = SEGMENT_LITERAL };

	r->fanout = ROUTE_FANOUT;
	for (int i = 0; i < ROOTS; i++)
		node_new(r, NONE, none);
	r->of = xgrow(r->of, 1, &r->cap_of, sizeof(*r->of));
	r->parent = xgrow(r->parent, 1, &r->cap_parent, sizeof(*r->parent));
	r->first = xgrow(r->first, 1, &r->cap_first, sizeof(*r->first));
	r->of[ROUTE_OTHER] = NONE;
	r->first[ROUTE_OTHER] = INT64_MAX;
	r->parent[ROUTE_OTHER] = ROUTE_OTHER;
	r->n_numbers = 1;
	return r;
}

void
routes_free(struct routes *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n_nodes; i++)
		node_fini(&r->nodes[i]);
	free(r->nodes);
	free(r->free);
	free(r->of);
	free(r->parent);
	free(r->first);
	free(r);
}

static struct str
node_text(const struct node *n)
{
	return (struct str){ n->text, n->n_text };
}

/* The child with the literal, or NONE. */
static uint32_t
kid_find(const struct routes *r, const struct node *n,
    const struct segment_text *s)
{
	for (uint32_t i = 0; i < n->n_kids; i++) {
		const struct kid *k = &n->kids[i];

		if (k->head == s->head && k->tail == s->tail &&
		    k->n == s->text.n &&
		    (k->n <= 16 ||
			str_eq(node_text(&r->nodes[k->node]), s->text)))
			return k->node;
	}
	return NONE;
}

/* Words are not values, as long as the tree has not overflowed. */
static bool
is_value(const struct routes *r, struct str s)
{
	return r->fanout < ROUTE_FANOUT || !segment_is_word(s);
}

static void
kid_attach(struct routes *r, uint32_t parent, uint32_t kid)
{
	struct node *n = &r->nodes[parent];
	struct str s = node_text(&r->nodes[kid]);
	struct segment_text t = segment_literal(s);

	if (n->n_kids == n->cap_kids) {
		n->cap_kids = n->cap_kids ? n->cap_kids * 2 : 2;
		n->kids = xrealloc(n->kids, n->cap_kids, sizeof(*n->kids));
	}
	n->kids[n->n_kids++] = (struct kid){ .head = t.head,
		.tail = t.tail,
		.n = (uint32_t)s.n,
		.node = kid };
	n->counted += is_value(r, s);
	r->nodes[kid].parent = parent;
}

static uint32_t
number_root(struct routes *r, uint32_t number)
{
	while (r->parent[number] != number) {
		r->parent[number] = r->parent[r->parent[number]];
		number = r->parent[number];
	}
	return number;
}

/* The number of the route that ends at a node, a new one if need be. */
static uint32_t
number_of(struct routes *r, uint32_t node)
{
	struct node *n = &r->nodes[node];

	if (n->number)
		return n->number;
	if (r->n_numbers == NUMBERS_MAX)
		return ROUTE_OTHER;
	r->of = xgrow(r->of, r->n_numbers + 1, &r->cap_of, sizeof(*r->of));
	r->parent = xgrow(r->parent, r->n_numbers + 1, &r->cap_parent,
	    sizeof(*r->parent));
	r->first =
	    xgrow(r->first, r->n_numbers + 1, &r->cap_first, sizeof(*r->first));
	n->number = (uint32_t)r->n_numbers++;
	r->of[n->number] = node;
	r->first[n->number] = INT64_MAX;
	r->parent[n->number] = n->number;
	r->version++;
	return n->number;
}

static void node_merge(struct routes *r, uint32_t into, uint32_t from);

/* Makes `kid` what the {id} child of `parent` is, or a part of it. */
static void
id_unite(struct routes *r, uint32_t parent, uint32_t kid)
{
	struct node *k = &r->nodes[kid];

	if (r->nodes[parent].id != NONE) {
		node_merge(r, r->nodes[parent].id, kid);
		return;
	}
	free(k->text);
	k->text = NULL;
	k->n_text = 0;
	k->kind = SEGMENT_ID;
	k->parent = parent;
	r->nodes[parent].id = kid;
}

/* All values of the place become {id}. */
static void
node_collapse(struct routes *r, uint32_t place)
{
	struct node *n = &r->nodes[place];
	struct kid *kids = n->kids;
	uint32_t n_kids = n->n_kids;

	n->kids = NULL;
	n->n_kids = 0;
	n->cap_kids = 0;
	n->counted = 0;
	n->collapsed = true;
	r->version++;
	for (uint32_t i = 0; i < n_kids; i++) {
		if (is_value(r, node_text(&r->nodes[kids[i].node])))
			id_unite(r, place, kids[i].node);
		else
			kid_attach(r, place, kids[i].node);
	}
	free(kids);
}

/* One child of a node that is being merged finds its place in `into`. */
static void
kid_move(struct routes *r, uint32_t into, uint32_t kid)
{
	struct str s = node_text(&r->nodes[kid]);
	struct segment_text t = segment_literal(s);
	uint32_t same = kid_find(r, &r->nodes[into], &t);

	if (same != NONE)
		node_merge(r, same, kid);
	else if (r->nodes[into].collapsed && is_value(r, s))
		id_unite(r, into, kid);
	else
		kid_attach(r, into, kid);
}

/* Unites two subtrees; `from` is gone afterwards.  As deep as the tree. */
static void
node_merge(struct routes *r, uint32_t into, uint32_t from)
{
	struct node old = r->nodes[from]; /* its arrays are this one's now */
	struct node *a = &r->nodes[into];

	r->nodes[from] = (struct node){ .parent = NONE, .route = old.route };
	if (old.number && a->number) {
		r->parent[number_root(r, old.number)] =
		    number_root(r, a->number);
	} else if (old.number) {
		a->number = number_root(r, old.number);
		r->of[a->number] = into;
	}
	for (uint32_t i = 0; i < old.n_kids; i++)
		kid_move(r, into, old.kids[i].node);
	if (old.id != NONE)
		id_unite(r, into, old.id);
	if (old.rest != NONE && a->rest != NONE) {
		node_merge(r, a->rest, old.rest);
	} else if (old.rest != NONE) {
		a->rest = old.rest;
		r->nodes[old.rest].parent = into;
	}
	free(old.kids);
	free(old.text);
	node_free(r, from);
	if ((old.collapsed && !a->collapsed) || a->counted > r->fanout)
		node_collapse(r, into);
}

/* Collapses all places that are over the fan-out, from the root on. */
static void
node_tighten(struct routes *r, uint32_t node)
{
	struct node *n = &r->nodes[node];

	if (r->fanout < ROUTE_FANOUT)
		n->counted = n->n_kids; /* words count now */
	if (n->counted > (n->collapsed ? 0 : r->fanout))
		node_collapse(r, node);
	for (uint32_t i = 0; i < r->nodes[node].n_kids; i++)
		node_tighten(r, r->nodes[node].kids[i].node);
	if (r->nodes[node].id != NONE)
		node_tighten(r, r->nodes[node].id);
}

static void
routes_tighten(struct routes *r, uint32_t fanout)
{
	r->fanout = fanout;
	for (uint32_t i = 0; i < ROOTS; i++)
		node_tighten(r, i);
}

/* The next node of a segment, or NONE: nothing was ever there. */
static uint32_t
node_next(const struct routes *r, uint32_t node, const struct segment_text *s)
{
	const struct node *n = &r->nodes[node];

	if (s->kind == SEGMENT_REST)
		return n->rest;
	if (s->kind == SEGMENT_ID)
		return n->id;

	uint32_t kid = kid_find(r, n, s);

	if (kid == NONE && n->collapsed && is_value(r, s->text))
		return n->id;
	return kid;
}

/* The same, making what is missing; may collapse the place. */
static uint32_t
node_make(struct routes *r, uint32_t node, struct segment_text s)
{
	bool gone = s.kind == SEGMENT_LITERAL && r->nodes[node].collapsed &&
		    is_value(r, s.text);

	if (gone)
		s.kind = SEGMENT_ID;

	uint32_t kid = node_new(r, node, s);

	if (s.kind == SEGMENT_REST) {
		r->nodes[node].rest = kid;
	} else if (s.kind == SEGMENT_ID) {
		r->nodes[node].id = kid;
	} else {
		kid_attach(r, node, kid);
		if (r->nodes[node].counted > r->fanout) {
			node_collapse(r, node);
			return r->nodes[node].id;
		}
	}
	return kid;
}

/* The node of a path; NONE only when nothing may be made. */
enum missing { MISSING_MAKE, MISSING_NONE };
static uint32_t
routes_walk(struct routes *r, const struct segment_text *s, size_t n,
    enum missing missing)
{
	uint32_t node = n == 1 ? 0 : 1;

	for (size_t i = 0; i < n; i++) {
		uint32_t next = node_next(r, node, &s[i]);

		if (next == NONE) {
			if (missing == MISSING_NONE)
				return NONE;
			next = node_make(r, node, s[i]);
		}
		node = next;
	}
	return node;
}

static bool
has_id(const struct segment_text *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i].kind == SEGMENT_ID)
			return true;
	return false;
}

uint32_t
routes_seen(struct routes *r, uint32_t number, int64_t ts_ns)
{
	if (ts_ns != WHEN_NONE && ts_ns < r->first[number]) {
		r->first[number] = ts_ns;
		r->ranked = 0;
	}
	return number;
}

uint32_t
routes_add(struct routes *r, struct str path, int64_t ts_ns)
{
	struct segment_text s[SEGMENTS_MAX];
	struct memo key;
	const struct memo *known;

	memo_key(&key, path);
	known = memo_find(&r->memos, &key, path);
	if (known)
		return routes_seen(r, known->number, ts_ns);

	size_t n = route_split(path, s);

	if (n == 0)
		return ROUTE_OTHER;

	uint32_t number = number_of(r, routes_walk(r, s, n, MISSING_MAKE));

	while (nodes_live(r) > NODES_MAX && r->fanout > 0)
		routes_tighten(r, r->fanout / 2);
	if (key.n > 0 && !has_id(s, n - key.digits))
		memo_put(&r->memos, &key, path, number);
	return routes_seen(r, number, ts_ns);
}

/* Writes the segments from the root to a node. */
static size_t
node_path(const struct routes *r, uint32_t node,
    struct segment_text s[SEGMENTS_MAX])
{
	size_t n = 0;
	size_t depth = 0;

	for (uint32_t i = node; r->nodes[i].parent != NONE;
	     i = r->nodes[i].parent)
		depth++;
	assert(depth <= SEGMENTS_MAX);
	n = depth;
	for (uint32_t i = node; depth > 0; i = r->nodes[i].parent) {
		s[--depth] = segment_literal(node_text(&r->nodes[i]));
		s[depth].kind = r->nodes[i].kind;
	}
	return n;
}

/* Collapses in a what has collapsed in b, below b's node. */
static void
collapse_like(struct routes *a, const struct routes *b, uint32_t node,
    uint32_t root)
{
	const struct node *n = &b->nodes[node];

	if (n->collapsed) {
		struct segment_text s[SEGMENTS_MAX];
		size_t depth = node_path(b, node, s);
		uint32_t place = root;

		for (size_t i = 0; i < depth; i++) {
			uint32_t next = node_next(a, place, &s[i]);

			place = next != NONE ? next : node_make(a, place, s[i]);
		}
		if (!a->nodes[place].collapsed)
			node_collapse(a, place);
	}
	for (uint32_t i = 0; i < n->n_kids; i++)
		collapse_like(a, b, n->kids[i].node, root);
	if (n->id != NONE)
		collapse_like(a, b, n->id, root);
}

void
routes_merge(struct routes *a, struct routes *b, uint32_t *map)
{
	if (b->fanout < a->fanout)
		routes_tighten(a, b->fanout);
	for (uint32_t i = 0; i < ROOTS; i++)
		collapse_like(a, b, i, i);
	map[ROUTE_OTHER] = ROUTE_OTHER;
	for (uint32_t i = 1; i < b->n_numbers; i++) {
		struct segment_text s[SEGMENTS_MAX];

		if (b->parent[i] != i)
			continue;

		size_t n = node_path(b, b->of[i], s);

		map[i] = number_of(a, routes_walk(a, s, n, MISSING_MAKE));
		while (nodes_live(a) > NODES_MAX && a->fanout > 0)
			routes_tighten(a, a->fanout / 2);
	}
	for (uint32_t i = 1; i < b->n_numbers; i++)
		map[i] = routes_seen(a, map[number_root(b, i)], b->first[i]);
}

uint32_t
routes_count(const struct routes *r)
{
	return (uint32_t)r->n_numbers;
}

/* The template of a node. */
static void
put_route(struct buf *b, const struct routes *r, uint32_t node)
{
	struct segment_text s[SEGMENTS_MAX];
	size_t depth = node_path(r, node, s);

	buf_reset(b);
	for (size_t i = 0; i < depth; i++) {
		buf_char(b, '/');
		if (s[i].kind == SEGMENT_ID)
			buf_cat(b, "{id}");
		else if (s[i].kind == SEGMENT_REST)
			buf_cat(b, "{rest}");
		else
			buf_str(b, s[i].text);
	}
}

static int
rank_cmp(const void *pa, const void *pb)
{
	const struct rank *a = pa;
	const struct rank *b = pb;

	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	return a->hash < b->hash ? -1 : a->hash > b->hash;
}

/* Of a node at which a route ends. */
static struct rank
rank_of(struct routes *r, const struct node *node)
{
	return (
	    struct rank){ r->first[number_root(r, node->number)], node->hash };
}

/* Decides which routes are kept: all, or those of the least ranks. */
static void
routes_rank(struct routes *r)
{
	struct rank *ranks = NULL;
	size_t n = 0;
	size_t cap = 0;
	struct buf text = { 0 };

	if (r->ranked == r->version)
		return;
	for (uint32_t i = 1; i < r->n_numbers; i++) {
		uint32_t root = number_root(r, i);

		if (r->first[i] < r->first[root])
			r->first[root] = r->first[i];
	}
	for (uint32_t i = 0; i < r->n_nodes; i++) {
		struct node *node = &r->nodes[i];

		if (node->number == 0)
			continue;
		put_route(&text, r, i);
		node->hash = hash64(buf_view(&text));
		ranks = xgrow(ranks, n + 1, &cap, sizeof(*ranks));
		ranks[n++] = rank_of(r, node);
	}
	r->limit = (struct rank){ INT64_MAX, UINT64_MAX };
	if (n > ROUTES_MAX) {
		qsort(ranks, n, sizeof(*ranks), rank_cmp);
		r->limit = ranks[ROUTES_MAX];
	}
	free(ranks);
	buf_fini(&text);
	r->ranked = r->version;
}

uint32_t
routes_final(struct routes *r, uint32_t route)
{
	assert(route < r->n_numbers);
	route = number_root(r, route);
	if (route == ROUTE_OTHER)
		return ROUTE_OTHER;
	routes_rank(r);

	struct rank rank = rank_of(r, &r->nodes[r->of[route]]);

	return rank_cmp(&rank, &r->limit) < 0 ? route : ROUTE_OTHER;
}

struct str
routes_text(struct routes *r, uint32_t final)
{
	assert(final < r->n_numbers);
	if (final == ROUTE_OTHER)
		return STR("other");

	uint32_t node = r->of[number_root(r, final)];
	struct node *n = &r->nodes[node];

	if (n->route_version != r->version)
		put_route(&n->route, r, node);
	n->route_version = r->version;
	return buf_view(&n->route);
}

uint32_t
routes_find(struct routes *r, struct str path)
{
	struct segment_text s[SEGMENTS_MAX];
	size_t n = route_split(path, s);

	if (n == 0)
		return ROUTE_OTHER;

	uint32_t node = routes_walk(r, s, n, MISSING_NONE);

	if (node == NONE || r->nodes[node].number == 0)
		return ROUTE_OTHER;
	return routes_final(r, r->nodes[node].number);
}
