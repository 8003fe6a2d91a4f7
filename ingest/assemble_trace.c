/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A trace's summary, and the order of the steps that make it.
 */
#include "ingest/assemble_build.h"

#include <assert.h>
#include <stdlib.h>

enum { SHORT = 24 };

/* Beyond it X-Ray itself says LimitExceeded. */
enum { XRAY_TRACE_BYTES = 500 * 1000 };

static bool
is_partial(const struct span *s)
{
	if (s->flags & SPAN_MADE)
		return false;
	if (s->flags & (SPAN_IN_PROGRESS | SPAN_ORPHAN))
		return true;
	return s->kind == SPAN_SUBSEGMENT && (s->flags & SPAN_TRACED) &&
	       !(s->flags & SPAN_CALLEE);
}

/* The earliest start of the segments, else of all spans. */
static int64_t
start_of(const struct trace *t)
{
	int64_t segments = INT64_MAX;
	int64_t spans = INT64_MAX;

	for (size_t i = 0; i < t->n_spans; i++) {
		const struct span *s = &t->spans[i];

		if (s->start_ns < spans)
			spans = s->start_ns;
		if (s->kind != SPAN_SUBSEGMENT && s->start_ns < segments)
			segments = s->start_ns;
	}
	if (segments != INT64_MAX)
		return segments;
	return spans != INT64_MAX ? spans : WHEN_NONE;
}

static void
segment_sum(struct trace *t, const struct span *s)
{
	t->has_throttle |= (s->flags & SPAN_THROTTLE) != 0;
	t->has_inferred |= s->kind == SPAN_INFERRED;
	if (s->end_ns != WHEN_NONE && s->end_ns > t->end_ns)
		t->end_ns = s->end_ns;
	if (t->entry == SPAN_NONE && s->kind == SPAN_SEGMENT)
		t->entry = s->node;
}

static void
root_sum(struct trace *t)
{
	const struct span *root;

	t->response_ns = -1;
	if (t->root == SPAN_NONE) {
		t->partial = true;
		return;
	}
	root = &t->spans[t->root];
	t->has_fault = (root->flags & SPAN_FAULT) != 0;
	t->has_error = (root->flags & SPAN_ERROR) != 0;
	t->entry = root->node;
	if (!(root->flags & SPAN_IN_PROGRESS))
		t->response_ns = span_duration(root);
}

static void
sum(struct trace *t)
{
	t->start_ns = start_of(t);
	t->end_ns = WHEN_NONE;
	t->entry = SPAN_NONE;
	for (size_t i = 0; i < t->n_spans; i++) {
		t->partial |= is_partial(&t->spans[i]);
		if (t->spans[i].kind != SPAN_SUBSEGMENT)
			segment_sum(t, &t->spans[i]);
	}
	root_sum(t);
	t->duration_ns = -1;
	if (t->end_ns != WHEN_NONE)
		t->duration_ns =
		    t->end_ns > t->start_ns ? t->end_ns - t->start_ns : 0;
	t->limit_exceeded |= t->bytes > XRAY_TRACE_BYTES;
}

void
build_sort(void *v, size_t n, size_t size,
    int (*cmp)(const void *, const void *))
{
	char *base = v;
	char one[BUILD_SORT_SIZE];

	if (n <= 1)
		return;
	assert(size <= sizeof one);
	if (n > SHORT) {
		qsort(v, n, size, cmp);
		return;
	}
	for (size_t i = 1; i < n; i++) {
		size_t at = i;

		while (
		    at > 0 && cmp(base + (at - 1) * size, base + i * size) > 0)
			at--;
		if (at == i)
			continue;
		memcpy(one, base + i * size, size);
		memmove(base + (at + 1) * size, base + at * size,
		    (i - at) * size);
		memcpy(base + at * size, one, size);
	}
}

void
build_trace(struct build *b)
{
	build_tree(b);
	build_nodes(b);
	build_links(b);
	build_times(b);
	sum(&b->trace);
	build_lists(b);
	build_causes(b);
}
