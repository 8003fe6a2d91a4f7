/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Root causes, as X-Ray shows them: the path from a service's segment to the
 * entity that is responsible, service by service.
 *
 * AWS publishes the shape and not the algorithm.  Here (reference 5.3):
 * - Faults and errors: every flagged span without a flagged child is an end of
 *   a path, when it says more than the flag, by an exception or by being the
 *   callee that did not report.  The path goes up as long as spans are
 *   flagged, and then on to the segment that the topmost is in.
 * - Response time: from the root to the longest child, as long as that took
 *   more than half of the root's time.  A root alone is no cause.
 *
 * Bounds: CAUSES_MAX paths of each kind, PATH_MAX entities a path; paths that
 * read the same are one, and of TRIES_MAX paths the rest is not looked at.
 */
#include "ingest/assemble_build.h"

enum { CAUSES_MAX = 50, TRIES_MAX = 1000, PATH_MAX = 256, TIME_SHARE = 2 };

/* Entities from the deepest up, before it is known whether they count. */
struct path {
	uint32_t v[PATH_MAX];
	size_t n;
};

static bool
has_cause(const struct span *s)
{
	return s->n_exceptions > 0 || s->cause_id.n > 0 ||
	       s->kind == SPAN_INFERRED;
}

static bool
has_flagged_child(const struct span *v, uint32_t i, uint32_t flag)
{
	for (uint32_t c = i + 1; c < i + v[i].size; c += v[c].size)
		if (v[c].flags & flag)
			return true;
	return false;
}

/* Fills the path that ends at i; false: it is too long. */
static bool
path_up(const struct span *v, uint32_t i, uint32_t flag, struct path *p)
{
	bool flagged = true;

	p->n = 0;
	while (i != SPAN_NONE) {
		const struct span *s = &v[i];

		if (!(s->flags & flag))
			flagged = false;
		if (p->n == PATH_MAX)
			return false;
		p->v[p->n++] = i;
		if (s->kind == SPAN_SEGMENT &&
		    (!flagged || s->parent == SPAN_NONE ||
			!(v[s->parent].flags & flag)))
			return true;
		i = s->parent;
	}
	return true;
}

/*
 * The exceptions of an entity: its own, or the one that its cause names.  That
 * one is looked for in the spans below, where the SDKs record it first.
 */
static void
exceptions_find(const struct span *v, uint32_t i, struct trace_entity *e)
{
	const struct span *s = &v[i];
	uint32_t end = s->size > PATH_MAX ? i + PATH_MAX : i + s->size;

	e->exceptions = s->exceptions;
	e->n_exceptions = s->n_exceptions;
	if (s->n_exceptions > 0 || s->cause_id.n == 0)
		return;
	for (uint32_t c = i + 1; c < end; c++) {
		for (uint32_t k = 0; k < v[c].n_exceptions; k++) {
			if (!str_eq(v[c].exceptions[k].id, s->cause_id))
				continue;
			e->exceptions = &v[c].exceptions[k];
			e->n_exceptions = 1;
			return;
		}
	}
}

/* part / whole in 1e-9, without leaving 64 bits. */
static int64_t
share_nano(int64_t part, int64_t whole)
{
	if (whole <= 0 || part >= whole)
		return 1000000000;
	while (whole > 9000000000) {
		whole /= 10;
		part /= 10;
	}
	return part * 1000000000 / whole;
}

static struct trace_entity
entity_of(const struct build *b, uint32_t i, enum trace_cause_kind kind)
{
	const struct trace *t = &b->trace;
	struct trace_entity e = {
		.span = i,
		.remote = span_is_call(&b->spans[i]),
		.coverage_nano = -1,
	};

	if (kind == TRACE_TIME_CAUSE)
		e.coverage_nano = share_nano(span_duration(&b->spans[i]),
		    span_duration(&b->spans[t->root]));
	else
		exceptions_find(b->spans, i, &e);
	return e;
}

static bool
begins_service(const struct span *s)
{
	return s->kind != SPAN_SUBSEGMENT;
}

/* A path to services; the path's last is the first entity. */
static struct trace_cause
cause_make(struct build *b, const struct path *p, enum trace_cause_kind kind)
{
	struct trace_entity *e = arena_alloc(&b->arena, p->n * sizeof *e);
	struct trace_cause_service *s =
	    arena_alloc(&b->arena, p->n * sizeof *s);
	struct trace_cause cause = { .services = s };

	for (size_t i = 0; i < p->n; i++) {
		uint32_t span = p->v[p->n - 1 - i];

		e[i] = entity_of(b, span, kind);
		if (i == 0 || begins_service(&b->spans[span]))
			s[cause.n_services++] = (struct trace_cause_service){
				.node = b->spans[span].node,
				.entities = &e[i],
			};
		s[cause.n_services - 1].n_entities++;
	}
	return cause;
}

static bool
same_entity(const struct span *v, const struct trace_entity *a,
    const struct trace_entity *b)
{
	if (!str_eq(v[a->span].name, v[b->span].name) ||
	    a->remote != b->remote || a->n_exceptions != b->n_exceptions)
		return false;
	for (uint32_t i = 0; i < a->n_exceptions; i++)
		if (!str_eq(a->exceptions[i].type, b->exceptions[i].type) ||
		    !str_eq(a->exceptions[i].message, b->exceptions[i].message))
			return false;
	return true;
}

static bool
same_cause(const struct span *v, const struct trace_cause *a,
    const struct trace_cause *b)
{
	if (a->n_services != b->n_services ||
	    a->client_impacting != b->client_impacting)
		return false;
	for (uint32_t i = 0; i < a->n_services; i++) {
		const struct trace_cause_service *x = &a->services[i];
		const struct trace_cause_service *y = &b->services[i];

		if (x->node != y->node || x->n_entities != y->n_entities)
			return false;
		for (uint32_t k = 0; k < x->n_entities; k++)
			if (!same_entity(v, &x->entities[k], &y->entities[k]))
				return false;
	}
	return true;
}

/* Appends a cause unless there is one that reads the same. */
static void
cause_add(const struct build *b, struct trace_cause *v, size_t *n,
    const struct trace_cause *cause)
{
	for (size_t i = 0; i < *n; i++)
		if (same_cause(b->spans, &v[i], cause))
			return;
	v[(*n)++] = *cause;
}

static void
flag_causes(struct build *b, enum trace_cause_kind kind, uint32_t flag)
{
	struct trace_cause *v = arena_alloc(&b->arena, CAUSES_MAX * sizeof *v);
	const struct trace *t = &b->trace;
	size_t n = 0;
	size_t tries = 0;

	for (uint32_t i = 0; i < t->n_spans && n < CAUSES_MAX; i++) {
		const struct span *s = &b->spans[i];
		struct trace_cause cause;
		struct path p;
		uint32_t top;

		if (!(s->flags & flag) || !has_cause(s) ||
		    has_flagged_child(b->spans, i, flag) ||
		    !path_up(b->spans, i, flag, &p))
			continue;
		top = p.v[p.n - 1];
		if (b->spans[top].node == SPAN_NONE)
			continue;
		if (++tries > TRIES_MAX)
			break;
		cause = cause_make(b, &p, kind);
		cause.client_impacting =
		    top == t->root && (b->spans[top].flags & flag) != 0;
		cause_add(b, v, &n, &cause);
	}
	b->trace.causes[kind] = (struct trace_causes){ v, n };
}

static uint32_t
longest_child(const struct span *v, uint32_t i)
{
	uint32_t best = SPAN_NONE;

	for (uint32_t c = i + 1; c < i + v[i].size; c += v[c].size)
		if (best == SPAN_NONE ||
		    span_duration(&v[c]) > span_duration(&v[best]))
			best = c;
	return best;
}

static void
time_cause(struct build *b)
{
	struct trace *t = &b->trace;
	struct trace_cause *v = arena_alloc(&b->arena, sizeof *v);
	struct path down = { .n = 0 };
	struct path p = { .n = 0 };
	uint32_t i = t->root;
	int64_t half;

	if (i == SPAN_NONE || t->response_ns <= 0)
		return;
	half = t->response_ns / TIME_SHARE;
	while (i != SPAN_NONE && down.n < PATH_MAX) {
		if (down.n > 0 && span_duration(&b->spans[i]) <= half)
			break;
		down.v[down.n++] = i;
		i = longest_child(b->spans, i);
	}
	if (down.n < 2)
		return;
	while (down.n > 0)
		p.v[p.n++] = down.v[--down.n];
	*v = cause_make(b, &p, TRACE_TIME_CAUSE);
	v->client_impacting = true;
	t->causes[TRACE_TIME_CAUSE] = (struct trace_causes){ v, 1 };
}

void
build_causes(struct build *b)
{
	flag_causes(b, TRACE_FAULT_CAUSE, SPAN_FAULT);
	flag_causes(b, TRACE_ERROR_CAUSE, SPAN_ERROR);
	b->trace.causes[TRACE_TIME_CAUSE] = (struct trace_causes){ NULL, 0 };
	time_cause(b);
}
