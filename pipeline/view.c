/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See the header.  What X-Ray leaves open is decided here, once, for archive
 * and store alike:
 *
 * - A segment in progress has neither response time nor duration, and is
 *   partial.
 * - A segment's annotations are its own and those of its subsegments; a call's
 *   are the calling subsegment's own, or all of the segment when that is the
 *   caller's record.  A callee that was made up has those of its call.
 * - Without a root the trace has no outcome at all: it is not ok either.
 * - What the caller calls a service that reports under another name is a name
 *   of the call, not of the service.
 */
#include "pipeline/view.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

/* Of a trace's flags those that are its root's alone. */
enum { ROOT_FLAGS = VIEW_OK | VIEW_ERROR | VIEW_FAULT };

/* Annotations of the trace's segments, one after the other. */
struct notes {
	struct view_annotation *v;
	size_t *begin; /* by span: where its segment's begin; n_spans + 1 */
};

/* The double nearest to a JSON number; never infinite. */
static double
number_of(struct str text, struct arena *arena)
{
	char small[64];
	uint64_t whole;
	struct str rest = text;
	char *copy;
	double v;

	/* Mostly small whole numbers, which need no rounding. */
	if (text.n <= 15 && str_u64(&rest, &whole) && rest.n == 0)
		return (double)whole;
	copy = text.n < sizeof small ? small : arena_alloc(arena, text.n + 1);

	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	v = strtod(copy, NULL);
	if (v > DBL_MAX)
		return DBL_MAX;
	return v < -DBL_MAX ? -DBL_MAX : v;
}

static struct view_annotation
annotation_of(const struct span_annotation *from, struct arena *arena)
{
	struct view_annotation a = { .key = from->key, .text = from->text };

	switch (from->value) {
	case SPAN_STRING:
		a.kind = VIEW_STRING;
		break;
	case SPAN_NUMBER:
		a.kind = VIEW_NUMBER;
		a.number = number_of(from->text, arena);
		break;
	case SPAN_BOOLEAN:
		a.kind = VIEW_BOOLEAN;
		a.boolean = str_eq(from->text, STR("true"));
		break;
	}
	return a;
}

/* Whose annotations a span's count among: a segment's index, or its own. */
static uint32_t
owner_of(const struct trace *t, uint32_t i)
{
	return t->spans[i].segment == SPAN_NONE ? i : t->spans[i].segment;
}

/* Spans of one segment need not stand together: counted, then put. */
static void
notes_make(struct notes *notes, const struct trace *t, struct arena *arena)
{
	size_t *begin = arena_alloc(arena, (t->n_spans + 2) * sizeof *begin);
	size_t all = 0;

	memset(begin, 0, (t->n_spans + 2) * sizeof *begin);
	for (uint32_t i = 0; i < t->n_spans; i++) {
		begin[owner_of(t, i) + 2] += t->spans[i].n_annotations;
		all += t->spans[i].n_annotations;
	}
	for (size_t i = 2; i < t->n_spans + 2; i++)
		begin[i] += begin[i - 1];
	notes->v = arena_alloc(arena, all * sizeof *notes->v + 1);
	for (uint32_t i = 0; i < t->n_spans && all > 0; i++) {
		const struct span *s = &t->spans[i];
		size_t *at = &begin[owner_of(t, i) + 1];

		for (uint32_t k = 0; k < s->n_annotations; k++)
			notes->v[(*at)++] =
			    annotation_of(&s->annotations[k], arena);
	}
	notes->begin = begin;
}

static struct view_annotations
notes_of(const struct notes *notes, uint32_t segment)
{
	size_t from = notes->begin[segment];

	return (struct view_annotations){ notes->v + from,
		notes->begin[segment + 1] - from };
}

/* A subsegment's own. */
static struct view_annotations
notes_own(const struct span *s, struct arena *arena)
{
	struct view_annotation *v;

	if (s->n_annotations == 0)
		return (struct view_annotations){ NULL, 0 };
	v = arena_alloc(arena, s->n_annotations * sizeof *v);
	for (uint32_t k = 0; k < s->n_annotations; k++)
		v[k] = annotation_of(&s->annotations[k], arena);
	return (struct view_annotations){ v, s->n_annotations };
}

static uint32_t
flags_of(const struct span *s)
{
	uint32_t outcome = 0;

	outcome |= s->flags & SPAN_ERROR ? VIEW_ERROR : 0;
	outcome |= s->flags & SPAN_FAULT ? VIEW_FAULT : 0;
	outcome |= s->flags & SPAN_THROTTLE ? VIEW_THROTTLE : 0;
	if (outcome == 0)
		outcome = VIEW_OK;
	outcome |= s->flags & SPAN_IN_PROGRESS ? VIEW_PARTIAL : 0;
	outcome |= s->kind == SPAN_INFERRED ? VIEW_INFERRED : 0;
	outcome |= s->flags & SPAN_ROOT ? VIEW_ROOT : 0;
	return outcome;
}

static void
http_of(struct view_part *p, const struct span_http *http)
{
	if (!http)
		return;
	p->status = http->status ? http->status : VIEW_NONE;
	p->method = http->method;
	p->url = http->url;
	p->agent = http->agent;
	p->client = http->client_ip;
}

/* All but name, type, account and annotations. */
static void
part_of(struct view_part *p, const struct span *s)
{
	*p = (struct view_part)VIEW_PART_NONE;
	p->flags = flags_of(s);
	if (!(s->flags & SPAN_IN_PROGRESS))
		p->responsetime_ns = p->duration_ns = span_duration(s);
	http_of(p, s->http);
	p->user = s->user;
	p->arn = s->resource_arn;
	if (s->aws) {
		p->zone = s->aws->zone;
		p->instance = s->aws->instance;
	}
}

static void
trace_part(struct view_part *p, const struct trace *t)
{
	const struct span *root =
	    t->root == SPAN_NONE ? NULL : &t->spans[t->root];

	*p = (struct view_part)VIEW_PART_NONE;
	if (root) {
		p->flags = flags_of(root) & ROOT_FLAGS;
		http_of(p, root->http);
	}
	p->flags |= t->has_throttle ? VIEW_THROTTLE : 0;
	p->flags |= t->partial ? VIEW_PARTIAL : 0;
	p->flags |= t->has_inferred ? VIEW_INFERRED : 0;
	if (t->response_ns >= 0)
		p->responsetime_ns = t->response_ns;
	if (t->duration_ns >= 0)
		p->duration_ns = t->duration_ns;
}

static void
lists_of(struct trace_view *view, const struct trace *t, struct arena *arena)
{
	static const enum trace_list from[VIEW_LISTS] = {
		[VIEW_USERS] = TRACE_USERS,
		[VIEW_ZONES] = TRACE_ZONES,
		[VIEW_INSTANCES] = TRACE_INSTANCES,
		[VIEW_ARNS] = TRACE_ARNS,
		[VIEW_ACCOUNTS] = TRACE_ACCOUNTS,
	};
	const struct trace_values *notes = &t->lists[TRACE_ANNOTATIONS];
	struct view_annotation *a =
	    arena_alloc(arena, notes->n * sizeof *a + 1);

	for (size_t i = 0; i < notes->n; i++)
		a[i] = annotation_of(&(struct span_annotation){ notes->v[i].key,
					 notes->v[i].text, notes->v[i].value },
		    arena);
	view->trace.annotations = (struct view_annotations){ a, notes->n };
	for (int k = 0; k < VIEW_LISTS; k++) {
		const struct trace_values *list = &t->lists[from[k]];
		struct str *v = arena_alloc(arena, list->n * sizeof *v + 1);

		for (size_t i = 0; i < list->n; i++)
			v[i] = list->v[i].text;
		view->lists[k] = (struct view_texts){ v, list->n };
	}
}

static void
services_of(struct trace_view *view, const struct trace *t,
    const struct notes *notes, struct arena *arena)
{
	struct view_part *v =
	    arena_alloc(arena, (t->n_spans + t->n_nodes) * sizeof *v + 1);
	size_t n = 0;

	for (size_t i = 0; i < t->n_nodes; i++) {
		if (!t->nodes[i].client)
			continue;
		v[n] = (struct view_part)VIEW_PART_NONE;
		v[n].flags = VIEW_CLIENT;
		v[n].name = t->nodes[i].name;
		v[n++].type = t->nodes[i].type;
	}
	for (uint32_t i = 0; i < t->n_spans; i++) {
		const struct span *s = &t->spans[i];
		const struct trace_node *node;

		if (s->kind == SPAN_SUBSEGMENT || s->node == SPAN_NONE)
			continue;
		node = &t->nodes[s->node];
		part_of(&v[n], s);
		v[n].name = node->name;
		v[n].type = node->type;
		v[n].account = node->account;
		if (s->flags & SPAN_MADE && s->parent != SPAN_NONE)
			v[n].annotations =
			    notes_own(&t->spans[s->parent], arena);
		else
			v[n].annotations = notes_of(notes, i);
		n++;
	}
	view->services = v;
	view->n_services = n;
}

static struct view_node
node_of(const struct trace *t, uint32_t i)
{
	const struct trace_node *n = &t->nodes[i];

	return (struct view_node){ n->name, n->type, n->account, n->client };
}

static void
edges_of(struct trace_view *view, const struct trace *t,
    const struct notes *notes, struct arena *arena)
{
	struct view_edge *v = arena_alloc(arena, t->n_calls * sizeof *v + 1);

	for (size_t i = 0; i < t->n_calls; i++) {
		const struct trace_call *c = &t->calls[i];
		const struct span *s = &t->spans[c->span];

		v[i].from = node_of(t, c->from);
		v[i].to = node_of(t, c->to);
		part_of(&v[i].part, s);
		v[i].part.annotations = s->kind == SPAN_SUBSEGMENT
					    ? notes_own(s, arena)
					    : notes_of(notes, c->span);
	}
	view->edges = v;
	view->n_edges = t->n_calls;
}

static const struct view_exception *
exceptions_of(const struct trace_entity *e, struct arena *arena)
{
	struct view_exception *v =
	    arena_alloc(arena, e->n_exceptions * sizeof *v + 1);

	for (uint32_t i = 0; i < e->n_exceptions; i++)
		v[i] = (struct view_exception){ e->exceptions[i].type,
			e->exceptions[i].message };
	return v;
}

static const struct view_entity *
entities_of(const struct trace *t, const struct trace_cause_service *s,
    struct arena *arena)
{
	struct view_entity *v =
	    arena_alloc(arena, s->n_entities * sizeof *v + 1);

	for (uint32_t i = 0; i < s->n_entities; i++) {
		const struct trace_entity *e = &s->entities[i];

		v[i] = (struct view_entity){
			.name = t->spans[e->span].name,
			.coverage =
			    e->coverage_nano < 0 ? VIEW_NONE : e->coverage_nano,
			.remote = e->remote,
			.exceptions = exceptions_of(e, arena),
			.n_exceptions = e->n_exceptions,
		};
	}
	return v;
}

static const struct view_cause_service *
cause_services_of(const struct trace *t, const struct trace_cause *c,
    struct arena *arena)
{
	struct view_cause_service *v =
	    arena_alloc(arena, c->n_services * sizeof *v + 1);

	for (uint32_t i = 0; i < c->n_services; i++) {
		const struct trace_cause_service *s = &c->services[i];
		const struct trace_node *node = &t->nodes[s->node];

		v[i] = (struct view_cause_service){
			.name = node->name,
			.type = node->type,
			.account = node->account,
			.inferred = node->inferred,
			.entities = entities_of(t, s, arena),
			.n_entities = s->n_entities,
		};
	}
	return v;
}

static void
causes_of(struct trace_view *view, const struct trace *t, struct arena *arena)
{
	static const enum trace_cause_kind from[VIEW_CAUSES] = {
		[VIEW_CAUSE_FAULT] = TRACE_FAULT_CAUSE,
		[VIEW_CAUSE_ERROR] = TRACE_ERROR_CAUSE,
		[VIEW_CAUSE_RESPONSETIME] = TRACE_TIME_CAUSE,
	};

	for (int k = 0; k < VIEW_CAUSES; k++) {
		const struct trace_causes *list = &t->causes[from[k]];
		struct view_cause *v =
		    arena_alloc(arena, list->n * sizeof *v + 1);

		for (size_t i = 0; i < list->n; i++)
			v[i] = (struct view_cause){
				.services =
				    cause_services_of(t, &list->v[i], arena),
				.n_services = list->v[i].n_services,
				.client_impacting = list->v[i].client_impacting,
			};
		view->causes[k] = (struct view_causes){ v, list->n };
	}
}

bool
view_root(struct view_part *p, const struct record *r)
{
	const struct segment *from = &r->segment;
	struct span_http http = {
		.method = r->request.method_text,
		.url = r->request.url,
		.client_ip = r->request.forwarded.n ? r->request.forwarded
						    : r->request.peer,
		.status = from->status,
	};
	struct span s = {
		.start_ns = from->start_ns,
		.end_ns = from->end_ns,
		.http = &http,
		.flags = SPAN_ROOT,
	};

	*p = (struct view_part)VIEW_PART_NONE;
	if (from->subsegment || from->inferred || from->parent_id.n > 0)
		return false;
	s.flags |= from->error ? SPAN_ERROR : 0;
	s.flags |= from->fault ? SPAN_FAULT : 0;
	s.flags |= from->throttle ? SPAN_THROTTLE : 0;
	s.flags |= from->given ? SPAN_GIVEN : 0;
	span_outcome(&s);
	p->flags = flags_of(&s) & ROOT_FLAGS;
	http_of(p, &http);
	if (!from->in_progress)
		p->responsetime_ns = span_duration(&s);
	return true;
}

void
trace_view(struct trace_view *view, const struct trace *t, struct arena *arena)
{
	struct notes notes;

	*view = (struct trace_view){ 0 };
	notes_make(&notes, t, arena);
	trace_part(&view->trace, t);
	lists_of(view, t, arena);
	services_of(view, t, &notes, arena);
	edges_of(view, t, &notes, arena);
	causes_of(view, t, arena);
}
