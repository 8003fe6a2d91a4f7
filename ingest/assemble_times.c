/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a trace's time goes.
 *
 * Self time of a span: its duration less the union of its children's
 * intervals, each cut to the span's own.
 *
 * Critical path: what the end of the root waited for, walked backwards.  From
 * the end of a span one goes to the child that ends last before the point
 * reached so far; between that child's end and the point the span itself was
 * critical; then the point moves to the child's start, and the child is looked
 * at the same way within its own bounds.  Children that overlap the point ran
 * beside the critical ones and are left out.  (Yang and Miller, "Critical path
 * analysis for the execution of parallel and distributed programs", ICDCS
 * 1988; the walk is the one of Jaeger's user interface.)  The critical times
 * of all spans add up to the root's duration.
 */
#include <stdlib.h>

#include "ingest/assemble_build.h"

struct ending {
	int64_t start_ns;
	int64_t end_ns;
	uint32_t span;
};

/* A span to be looked at, between two times. */
struct visit {
	uint32_t span;
	int64_t from_ns;
	int64_t to_ns;
};

struct walk {
	struct build *b;
	struct visit *stack;
	size_t high;
	struct ending *endings; /* scratch for one span's children */
};

static int64_t
later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t
sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t
self_time(const struct span *v, uint32_t i)
{
	const struct span *s = &v[i];
	int64_t self = span_duration(s);
	int64_t covered = s->start_ns;

	for (uint32_t c = i + 1; c < i + s->size; c += v[c].size) {
		int64_t from = later(v[c].start_ns, covered);
		int64_t to = v[c].start_ns + span_duration(&v[c]);

		to = sooner(to, s->start_ns + span_duration(s));
		if (to <= from)
			continue;
		self -= to - from;
		covered = to;
	}
	return self;
}

/* The latest end first; then the later start, then the order of the tree. */
static int
ending_cmp(const void *pa, const void *pb)
{
	const struct ending *a = pa;
	const struct ending *b = pb;

	if (a->end_ns != b->end_ns)
		return a->end_ns > b->end_ns ? -1 : 1;
	if (a->start_ns != b->start_ns)
		return a->start_ns > b->start_ns ? -1 : 1;
	return a->span < b->span ? -1 : a->span > b->span;
}

/* A visit's finished children, cut to its bounds, the last one first. */
static size_t
endings_collect(const struct walk *w, const struct visit *at)
{
	const struct span *v = w->b->spans;
	uint32_t end = at->span + v[at->span].size;
	size_t n = 0;

	for (uint32_t c = at->span + 1; c < end; c += v[c].size) {
		struct ending e = { .span = c };

		e.start_ns = later(v[c].start_ns, at->from_ns);
		e.end_ns =
		    sooner(v[c].start_ns + span_duration(&v[c]), at->to_ns);
		if (e.end_ns > e.start_ns)
			w->endings[n++] = e;
	}
	if (n > 1)
		build_sort(w->endings, n, sizeof *w->endings, ending_cmp);
	return n;
}

static void
visit(struct walk *w)
{
	struct visit at = w->stack[--w->high];
	struct span *s = &w->b->spans[at.span];
	size_t n = endings_collect(w, &at);
	int64_t point = at.to_ns;

	for (size_t i = 0; i < n; i++) {
		const struct ending *e = &w->endings[i];

		if (e->end_ns > point)
			continue;
		s->critical_ns += point - e->end_ns;
		point = e->start_ns;
		w->stack[w->high++] =
		    (struct visit){ e->span, e->start_ns, e->end_ns };
	}
	s->critical_ns += point - at.from_ns;
}

void
build_times(struct build *b)
{
	struct trace *t = &b->trace;
	struct walk w = { .b = b };
	const struct span *root;

	for (uint32_t i = 0; i < t->n_spans; i++) {
		b->spans[i].self_ns = self_time(b->spans, i);
		b->spans[i].critical_ns = 0;
	}
	if (t->root == SPAN_NONE)
		return;
	root = &b->spans[t->root];
	w.stack = arena_alloc(&b->arena, t->n_spans * sizeof *w.stack);
	w.endings = arena_alloc(&b->arena, t->n_spans * sizeof *w.endings);
	w.stack[w.high++] = (struct visit){ t->root, root->start_ns,
		root->start_ns + span_duration(root) };
	while (w.high > 0)
		visit(&w);
}
