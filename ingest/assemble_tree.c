/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents to one tree of spans.
 *
 * Spans are read in the order of the documents, which is a function of the
 * documents alone; every choice below is by that order or by time and id, so
 * that the order of arrival can decide nothing.  Nothing recurses: a chain of
 * 100 000 segments is an ordinary trace.
 *
 * Steps: read; of equal ids keep one, its rivals' children move to it; find
 * the parents; cut circles; drop inferred segments whose real one came; make
 * those that are missing; sort into preorder.
 */
#include <stdlib.h>

#include "core/hash.h"
#include "core/mem.h"
#include "ingest/assemble_build.h"

/* An id and who has it.  Sorted and not hashed: no input can make it slow. */
struct name {
	struct str id;
	uint32_t index;
	bool open; /* in progress */
};

struct tree {
	struct build *b;
	struct span *v; /* b->read.v */
	size_t n;
	uint32_t *up;      /* the parent of each; SPAN_NONE */
	uint32_t *instead; /* of a dead span: who takes its children */
	uint8_t *dead;
	uint8_t *callee;    /* of a call: enum callee */
	struct name *names; /* sorted */
	size_t n_names;
};

enum callee { CALLEE_NONE, CALLEE_REAL, CALLEE_INFERRED };

static void *
zeroed(struct arena *a, size_t n, size_t size)
{
	void *p = arena_alloc(a, n * size + 1);

	memset(p, 0, n * size);
	return p;
}

static uint32_t *
indices(struct arena *a, size_t n)
{
	uint32_t *v = arena_alloc(a, (n + 1) * sizeof *v);

	memset(v, 0xff, (n + 1) * sizeof *v);
	return v;
}

static void
documents_read(struct build *b)
{
	struct trace *t = &b->trace;

	b->read.n = 0;
	b->read.broken = 0;
	for (size_t i = 0; i < t->n_documents; i++) {
		const struct trace_document *d = &t->documents[i];
		size_t from = b->read.n;

		if (from >= ASSEMBLE_SPANS_MAX) {
			t->limit_exceeded = true;
			return;
		}
		span_read(&b->read, d->text, d->marks, &b->arena);
		for (size_t s = from; s < b->read.n; s++)
			b->read.v[s].document = (uint32_t)i;
	}
}

/* Who stands for a span.  Chains are short: the depth of broken spans. */
static uint32_t
living(const struct tree *t, uint32_t i)
{
	while (i != SPAN_NONE && t->dead[i])
		i = t->instead[i];
	return i;
}

static int
name_cmp(const void *pa, const void *pb)
{
	const struct name *a = pa;
	const struct name *b = pb;
	int c = str_cmp(a->id, b->id);

	if (c != 0)
		return c;
	if (a->open != b->open)
		return a->open ? 1 : -1;
	return a->index < b->index ? -1 : a->index > b->index;
}

/*
 * Of the spans with one id, the first of the sorted names lives: a finished
 * one before one in progress, else the one read first.
 */
static void
ids_enter(struct tree *t)
{
	t->names = arena_alloc(&t->b->arena, t->n * sizeof *t->names + 1);
	for (uint32_t i = 0; i < t->n; i++) {
		const struct span *s = &t->v[i];

		if (s->flags & SPAN_BROKEN) {
			t->dead[i] = 1;
			t->instead[i] = s->parent;
		} else if (s->id.n > 0) {
			t->names[t->n_names++] = (struct name){ s->id, i,
				(s->flags & SPAN_IN_PROGRESS) != 0 };
		}
	}
	build_sort(t->names, t->n_names, sizeof *t->names, name_cmp);
	for (size_t i = 1; i < t->n_names; i++) {
		uint32_t first = living(t, t->names[i - 1].index);

		if (!str_eq(t->names[i].id, t->names[i - 1].id))
			continue;
		t->dead[t->names[i].index] = 1;
		t->instead[t->names[i].index] = first;
	}
}

/* The living span of an id. */
static uint32_t
id_find(const struct tree *t, struct str id)
{
	size_t from = 0;
	size_t to = t->n_names;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (str_cmp(t->names[mid].id, id) < 0)
			from = mid + 1;
		else
			to = mid;
	}
	if (from == t->n_names || !str_eq(t->names[from].id, id))
		return SPAN_NONE;
	return t->names[from].index;
}

static void
parents_find(struct tree *t)
{
	for (uint32_t i = 0; i < t->n; i++) {
		struct span *s = &t->v[i];
		bool alone = (s->flags & SPAN_ALONE) != 0;

		if (t->dead[i])
			continue;
		if (!alone)
			t->up[i] = living(t, s->parent);
		else if (s->parent_id.n > 0)
			t->up[i] = id_find(t, s->parent_id);
		if (t->up[i] == SPAN_NONE && (!alone || s->parent_id.n > 0))
			s->flags |= SPAN_ORPHAN;
	}
}

static bool
earlier(const struct span *a, const struct span *b)
{
	if (a->start_ns != b->start_ns)
		return a->start_ns < b->start_ns;
	return str_cmp(a->id, b->id) < 0;
}

/* Cuts the circle that `at` is on at its earliest span. */
static void
circle_cut(struct tree *t, uint32_t at)
{
	uint32_t first = at;

	for (uint32_t i = t->up[at]; i != at; i = t->up[i])
		if (earlier(&t->v[i], &t->v[first]))
			first = i;
	t->up[first] = SPAN_NONE;
	t->v[first].flags |= SPAN_ORPHAN | SPAN_CYCLE;
}

/* Every span is walked over once: `seen` holds the walk that met it. */
static void
circles_cut(struct tree *t)
{
	uint32_t *seen = indices(&t->b->arena, t->n);

	for (uint32_t walk = 0; walk < t->n; walk++) {
		uint32_t i = walk;

		while (i != SPAN_NONE && seen[i] == SPAN_NONE) {
			seen[i] = walk;
			i = t->up[i];
		}
		if (i != SPAN_NONE && seen[i] == walk)
			circle_cut(t, i);
	}
}

static void
callees_enter(struct tree *t)
{
	for (uint32_t i = 0; i < t->n; i++) {
		uint32_t p = t->up[i];

		if (t->dead[i] || p == SPAN_NONE ||
		    t->v[i].kind != SPAN_SEGMENT ||
		    t->v[p].kind != SPAN_SUBSEGMENT)
			continue;
		t->callee[p] = CALLEE_REAL;
		t->v[p].flags |= SPAN_CALLEE;
	}
	for (uint32_t i = 0; i < t->n; i++) {
		uint32_t p = t->up[i];

		if (t->dead[i] || p == SPAN_NONE ||
		    t->v[i].kind != SPAN_INFERRED ||
		    t->v[p].kind != SPAN_SUBSEGMENT)
			continue;
		if (t->callee[p] == CALLEE_NONE) {
			t->callee[p] = CALLEE_INFERRED;
			continue;
		}
		t->dead[i] = 1;
		t->instead[i] = p;
	}
}

/* The id of an inferred span: a function of the call's. */
static struct str
made_id(const struct tree *t, const struct span *call)
{
	char *id = arena_alloc(&t->b->arena, 17);
	struct str trace = { t->b->trace.id_text, TRACE_ID_SIZE };
	uint64_t h = hash64_mix(hash64(trace), hash64(call->id));
	static const char hex[] = "0123456789abcdef";

	for (int i = 0; i < 16; i++)
		id[i] = hex[h >> (60 - 4 * i) & 15];
	return (struct str){ id, 16 };
}

static struct span
made_span(const struct tree *t, const struct span *call)
{
	uint32_t keep = SPAN_ERROR | SPAN_FAULT | SPAN_THROTTLE |
			SPAN_IN_PROGRESS | SPAN_REMOTE | SPAN_AWS;
	struct span s = {
		.id = made_id(t, call),
		.name = call->name,
		.parent_id = call->id,
		.start_ns = call->start_ns,
		.end_ns = call->end_ns,
		.http = call->http,
		.aws = call->aws,
		.sql = call->sql,
		.flags = (call->flags & keep) | SPAN_MADE,
		.kind = SPAN_INFERRED,
		.document = SPAN_NONE,
	};

	if (call->flags & SPAN_TRACED)
		s.flags |= SPAN_PLACEHOLDER;
	return s;
}

/* A span on its way into preorder. */
struct item {
	const struct span *span;
	uint32_t up;
	uint32_t index; /* among those read; made ones behind */
	uint32_t rank;  /* among those without parent */
};

enum { RANK_ROOT, RANK_SEGMENT, RANK_REST };

static uint32_t
rank_of(const struct span *s, uint32_t up)
{
	if (up != SPAN_NONE)
		return RANK_ROOT;
	if (s->kind == SPAN_SUBSEGMENT)
		return RANK_REST;
	return s->kind == SPAN_SEGMENT && !(s->flags & SPAN_ORPHAN)
		   ? RANK_ROOT
		   : RANK_SEGMENT;
}

static int
item_cmp(const void *pa, const void *pb)
{
	const struct item *a = pa;
	const struct item *b = pb;
	int c;

	if (a->up != b->up)
		return a->up < b->up ? -1 : 1;
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	if (a->span->start_ns != b->span->start_ns)
		return a->span->start_ns < b->span->start_ns ? -1 : 1;
	if (a->span->end_ns != b->span->end_ns)
		return a->span->end_ns < b->span->end_ns ? -1 : 1;
	c = str_cmp(a->span->id, b->span->id);
	if (c != 0)
		return c;
	return a->index < b->index ? -1 : a->index > b->index;
}

static bool
needs_callee(const struct tree *t, uint32_t i)
{
	return !t->dead[i] && span_is_call(&t->v[i]) &&
	       t->callee[i] == CALLEE_NONE;
}

/* All living spans and those made for their calls, sorted by parent. */
static struct item *
items_make(struct tree *t, size_t *n)
{
	size_t made = 0;
	struct item *items;
	struct span *more;

	*n = 0;
	for (uint32_t i = 0; i < t->n; i++)
		made += needs_callee(t, i);
	more = arena_alloc(&t->b->arena, made * sizeof *more + 1);
	items = arena_alloc(&t->b->arena, (t->n + made) * sizeof *items + 1);
	made = 0;
	for (uint32_t i = 0; i < t->n; i++) {
		const struct span *s = &t->v[i];
		uint32_t up = living(t, t->up[i]);

		if (t->dead[i])
			continue;
		items[(*n)++] = (struct item){ s, up, i, rank_of(s, up) };
		if (!needs_callee(t, i))
			continue;
		more[made] = made_span(t, s);
		items[(*n)++] = (struct item){ &more[made], i,
			(uint32_t)(t->n + made), RANK_ROOT };
		made++;
	}
	build_sort(items, *n, sizeof *items, item_cmp);
	return items;
}

/* An item's place among the items, by the index of the parent. */
struct family {
	uint32_t begin;
	uint32_t end;
};

static void
span_place(struct build *b, const struct item *it, uint32_t up)
{
	struct span *s = &b->spans[b->trace.n_spans];
	uint32_t self = (uint32_t)b->trace.n_spans++;

	*s = *it->span;
	s->parent = up;
	s->size = 1;
	s->depth = up == SPAN_NONE ? 0 : b->spans[up].depth + 1;
	s->node = SPAN_NONE;
	s->segment = self;
	if (s->kind == SPAN_SUBSEGMENT)
		s->segment = up == SPAN_NONE ? SPAN_NONE : b->spans[up].segment;
}

/*
 * A stack of families that are being placed; the deepest is on top.  It can be
 * as high as there are spans.
 */
static void
preorder(struct tree *t, const struct item *items, size_t n)
{
	struct build *b = t->b;
	struct family *of = zeroed(&b->arena, t->n + 1, sizeof *of);
	struct family *stack = arena_alloc(&b->arena, (n + 1) * sizeof *stack);
	uint32_t *ups = arena_alloc(&b->arena, (n + 1) * sizeof *ups);
	size_t high = 0;

	for (uint32_t i = 0; i < n; i++) {
		struct family *f =
		    &of[items[i].up == SPAN_NONE ? t->n : items[i].up];

		if (f->end == 0)
			f->begin = i;
		f->end = i + 1;
	}
	b->spans = arena_alloc(&b->arena, n * sizeof *b->spans + 1);
	b->trace.n_spans = 0;
	stack[0] = of[t->n];
	ups[0] = SPAN_NONE;
	high = 1;
	while (high > 0) {
		struct family *f = &stack[high - 1];
		const struct item *it = &items[f->begin];

		if (f->begin >= f->end) {
			high--;
			continue;
		}
		f->begin++;
		span_place(b, it, ups[high - 1]);
		if (it->index < t->n && of[it->index].end > 0) {
			ups[high] = (uint32_t)(b->trace.n_spans - 1);
			stack[high++] = of[it->index];
		}
	}
	for (size_t i = b->trace.n_spans; i-- > 0;)
		if (b->spans[i].parent != SPAN_NONE)
			b->spans[b->spans[i].parent].size += b->spans[i].size;
	b->trace.spans = b->spans;
}

static void
tops_note(struct build *b)
{
	struct trace *t = &b->trace;

	for (size_t i = 0; i < t->n_spans; i++)
		if (b->spans[i].flags & SPAN_ALONE)
			b->documents[b->spans[i].document].span = (uint32_t)i;
	t->root = SPAN_NONE;
	if (t->n_spans > 0 &&
	    rank_of(&b->spans[0], b->spans[0].parent) == RANK_ROOT) {
		t->root = 0;
		b->spans[0].flags |= SPAN_ROOT;
	}
}

void
build_tree(struct build *b)
{
	struct tree t = { .b = b };
	struct item *items;
	size_t n;

	documents_read(b);
	t.v = b->read.v;
	t.n = b->read.n;
	t.up = indices(&b->arena, t.n);
	t.instead = indices(&b->arena, t.n);
	t.dead = zeroed(&b->arena, t.n, 1);
	t.callee = zeroed(&b->arena, t.n, 1);
	ids_enter(&t);
	parents_find(&t);
	circles_cut(&t);
	callees_enter(&t);
	items = items_make(&t, &n);
	preorder(&t, items, n);
	tops_note(b);
}
