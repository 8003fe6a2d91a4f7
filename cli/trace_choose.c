/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which spans of a large trace are shown.  Spans are taken in order of their
 * weight, each with those above it, as long as there is room; one that is
 * deeper than there is room at all is never walked up from.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/trace.h"
#include "core/mem.h"

struct weight {
	uint32_t span;
	unsigned rank; /* 0: a root, 1: says why it failed, 2: others */
	int64_t ns;
};

static int
by_weight(const void *pa, const void *pb)
{
	const struct weight *a = pa;
	const struct weight *b = pb;

	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	if (a->ns != b->ns)
		return a->ns > b->ns ? -1 : 1;
	return a->span < b->span ? -1 : a->span > b->span;
}

static struct weight
weight_of(const struct trace *t, uint32_t i)
{
	const struct span *s = &t->spans[i];
	struct weight w = { .span = i, .rank = 2, .ns = span_duration(s) };

	if (i == t->root)
		w.rank = 0;
	else if (s->n_exceptions > 0 && (s->flags & (SPAN_FAULT | SPAN_ERROR)))
		w.rank = 1;
	return w;
}

/* Takes a span and those above it that are missing, if there is room. */
static size_t
take(const struct trace *t, uint32_t span, uint8_t *shown, size_t room)
{
	size_t n = 0;

	for (uint32_t i = span; i != SPAN_NONE && !shown[i];
	     i = t->spans[i].parent)
		if (++n > room)
			return 0;
	for (uint32_t i = span; i != SPAN_NONE && !shown[i];
	     i = t->spans[i].parent)
		shown[i] = 1;
	return n;
}

uint8_t *
trace_choose(const struct trace *t, size_t max)
{
	uint8_t *shown = xcalloc(t->n_spans + 1, 1);
	struct weight *w;
	size_t n = 0;

	if (t->n_spans <= max) {
		memset(shown, 1, t->n_spans);
		return shown;
	}
	w = xcalloc(t->n_spans, sizeof *w);
	for (uint32_t i = 0; i < t->n_spans; i++)
		w[i] = weight_of(t, i);
	qsort(w, t->n_spans, sizeof *w, by_weight);
	for (size_t i = 0; i < t->n_spans && n < max; i++)
		if (t->spans[w[i].span].depth < max)
			n += take(t, w[i].span, shown, max - n);
	free(w);
	return shown;
}
