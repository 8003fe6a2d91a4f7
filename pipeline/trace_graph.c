/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A trace's nodes and calls into the graph.
 */
#include "pipeline/trace_graph.h"

#include <stdlib.h>

#include "core/mem.h"

static enum graph_outcome
outcome_of(const struct span *s)
{
	if (s->flags & SPAN_THROTTLE)
		return GRAPH_THROTTLE;
	if (s->flags & SPAN_FAULT)
		return GRAPH_FAULT;
	return s->flags & SPAN_ERROR ? GRAPH_ERROR : GRAPH_OK;
}

/* The end of the last thing in a span's own segment, calls included. */
static int64_t
last_end(const struct trace *t, uint32_t i)
{
	int64_t end = t->spans[i].end_ns;
	uint32_t c = i + 1;

	while (c < i + t->spans[i].size) {
		const struct span *s = &t->spans[c];
		bool inside = s->kind == SPAN_SUBSEGMENT;

		if (inside && s->end_ns > end)
			end = s->end_ns;
		c += inside ? 1 : s->size;
	}
	return end;
}

/* False: it is in progress. */
static bool
sample_of(const struct trace *t, uint32_t i, struct graph_sample *sample)
{
	const struct span *s = &t->spans[i];

	if (s->end_ns == WHEN_NONE)
		return false;
	*sample = (struct graph_sample){
		.start_ns = s->start_ns,
		.end_ns = s->start_ns + span_duration(s),
		.duration_ns = span_duration(s),
		.outcome = outcome_of(s),
	};
	return true;
}

static unsigned
flags_of(const struct trace_node *n)
{
	unsigned flags = n->client ? GRAPH_CLIENT : 0;

	if (!n->client && !n->inferred)
		flags |= GRAPH_REPORTED;
	if (n->root)
		flags |= GRAPH_ROOT;
	return flags;
}

static void
calls_add(struct graph *g, const struct trace *t, const uint32_t *number)
{
	for (size_t i = 0; i < t->n_calls; i++) {
		const struct trace_call *c = &t->calls[i];
		struct graph_edge *e =
		    graph_edge(g, number[c->from], number[c->to], GRAPH_CALL);
		struct graph_sample sample;

		if (sample_of(t, c->span, &sample))
			graph_add_call(g, e, &sample);
		graph_alias(g, e, c->alias, c->alias_type);
	}
}

/* The edge goes as the event does; the linked service need not be in the
 * trace. */
static void
links_add(struct graph *g, const struct trace *t, const uint32_t *number)
{
	for (size_t i = 0; i < t->n_links; i++) {
		const struct trace_link *l = &t->links[i];
		const struct span *s = &t->spans[l->span];
		int64_t received_ns = l->link->received_ns;
		struct graph_key key = { .name = l->link->name,
			.type = l->link->type };
		uint32_t other = graph_node(g, &key, 0);
		uint32_t own = number[l->node];
		struct graph_sample sample = { .start_ns = s->start_ns,
			.end_ns = received_ns,
			.outcome = outcome_of(s) };

		if (l->link->to_parent)
			(void)graph_edge(g, other, own, GRAPH_LINK);
		else if (received_ns == WHEN_NONE)
			(void)graph_edge(g, own, other, GRAPH_LINK);
		else
			graph_add_call(g, graph_edge(g, own, other, GRAPH_LINK),
			    &sample);
	}
	graph_left_out(g, t->links_left_out);
}

void
trace_graph_add(struct graph *g, const struct trace *t)
{
	uint32_t *number = xcalloc(t->n_nodes + 1, sizeof *number);

	for (size_t i = 0; i < t->n_nodes; i++) {
		const struct trace_node *n = &t->nodes[i];
		struct graph_key key = { n->name, n->type, n->account };

		number[i] = graph_node(g, &key, flags_of(n));
	}
	for (uint32_t i = 0; i < t->n_spans; i++) {
		const struct span *s = &t->spans[i];
		struct graph_sample sample;

		if (s->kind == SPAN_SUBSEGMENT || s->node == SPAN_NONE ||
		    !sample_of(t, i, &sample))
			continue;
		sample.duration_ns = last_end(t, i) - s->start_ns;
		if (sample.duration_ns < 0)
			sample.duration_ns = 0;
		graph_add(g, number[s->node], &sample);
	}
	calls_add(g, t, number);
	links_add(g, t, number);
	free(number);
}
