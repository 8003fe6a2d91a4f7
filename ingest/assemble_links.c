/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links to other traces, as far as they are edges of the service graph.
 *
 * Limits: 20 linked traces a segment and 100 links a trace (X-Ray developer
 * guide, "Tracing event-driven applications").  Spans are in an order that the
 * documents alone decide, so those kept are the same for any order of arrival.
 */
#include "ingest/assemble_build.h"

static size_t
in_segment(const struct trace *t, const struct trace_link *v, uint32_t segment)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n_links; i++)
		n += t->spans[v[i].span].segment == segment;
	return n;
}

static bool
links_any(const struct trace *t)
{
	for (size_t i = 0; i < t->n_spans; i++)
		if (t->spans[i].n_links > 0)
			return true;
	return false;
}

static void
span_links(struct trace *t, struct trace_link *v, uint32_t span)
{
	const struct span *s = &t->spans[span];
	size_t segment = in_segment(t, v, s->segment);

	for (uint32_t i = 0; i < s->n_links; i++) {
		if (s->links[i].name.n == 0)
			continue;
		if (segment == SEGMENT_LINKS_MAX ||
		    t->n_links == TRACE_LINKS_MAX) {
			t->links_left_out++;
			continue;
		}
		v[t->n_links++] =
		    (struct trace_link){ s->node, span, &s->links[i] };
		segment++;
	}
}

void
build_links(struct build *b)
{
	struct trace *t = &b->trace;
	struct trace_link *v;

	t->links = NULL;
	t->n_links = 0;
	t->links_left_out = 0;
	if (!links_any(t))
		return;
	v = arena_alloc(&b->arena, TRACE_LINKS_MAX * sizeof *v);
	for (uint32_t i = 0; i < t->n_spans; i++)
		if (t->spans[i].n_links > 0 && t->spans[i].node != SPAN_NONE)
			span_links(t, v, i);
	t->links = v;
}
