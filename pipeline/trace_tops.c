/* SPDX-License-Identifier: Apache-2.0 */
/* See the header: small sorted lists, filled by insertion. */
#include "pipeline/trace_tops.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/when.h"

void
trace_tops_init(struct trace_tops *t, int64_t slow_ns)
{
	*t = (struct trace_tops){ .slow_ns = slow_ns };
	t->v = xcalloc(TOPS_SERVICES, sizeof *t->v);
}

void
trace_tops_fini(struct trace_tops *t)
{
	free(t->v);
	arena_fini(&t->arena);
	*t = (struct trace_tops){ 0 };
}

static struct str
keep(struct trace_tops *t, struct str s)
{
	return arena_dup(&t->arena, str_sub(s, 0, TOPS_TEXT));
}

static struct str
called(const struct trace_tops *t, const struct trace *trace, uint32_t node)
{
	struct str name = trace->nodes[node].name;

	return t->names ? replay_called(t->names, name) : name;
}

/* The entry's; the last one is for all that have no room. */
static struct trace_tops_service *
service_of(struct trace_tops *t, struct str name)
{
	name = str_sub(name, 0, TOPS_TEXT);
	for (size_t i = 0; i < t->n; i++)
		if (str_eq(t->v[i].name, name))
			return &t->v[i];
	if (t->n == TOPS_SERVICES)
		return &t->v[TOPS_SERVICES - 1];
	t->v[t->n].name =
	    t->n + 1 == TOPS_SERVICES ? (struct str){ NULL, 0 } : keep(t, name);
	return &t->v[t->n++];
}

/* The time of the critical path by node, of one trace; free() it. */
static uint64_t *
critical_of(const struct trace *t)
{
	uint64_t *ns = xcalloc(t->n_nodes + 1, sizeof *ns);

	for (size_t i = 0; i < t->n_spans; i++)
		if (t->spans[i].node != SPAN_NONE)
			ns[t->spans[i].node] +=
			    (uint64_t)t->spans[i].critical_ns;
	return ns;
}

static void
hop_add(struct trace_tops *t, struct trace_tops_service *s, struct str name,
    uint64_t ns)
{
	name = str_sub(name, 0, TOPS_TEXT);
	for (size_t i = 0; i < s->n_hops; i++) {
		if (str_eq(s->hops[i].name, name)) {
			s->hops[i].critical_ns += ns;
			return;
		}
	}
	if (s->n_hops == TOPS_HOPS) {
		s->hops[TOPS_HOPS - 1].name = (struct str){ NULL, 0 };
		s->hops[TOPS_HOPS - 1].critical_ns += ns;
		return;
	}
	s->hops[s->n_hops++] = (struct trace_hop){ keep(t, name), ns };
}

static const char *
outcome_of(const struct span *root)
{
	if (root->flags & SPAN_FAULT)
		return "fault";
	if (root->flags & SPAN_THROTTLE)
		return "throttled";
	return root->flags & SPAN_ERROR ? "error" : NULL;
}

static void
text_set(struct trace_top_text *t, struct str s)
{
	s = str_sub(s, 0, TOPS_TEXT - t->n);
	if (s.n > 0)
		memcpy(t->p + t->n, s.p, s.n);
	t->n += s.n;
}

/* The first exception that anything in the trace had: "Type: message". */
static void
why_of(struct trace_top *top, const struct trace *t)
{
	const struct span_exception *e = NULL;

	for (size_t i = 0; i < t->n_spans && !e; i++)
		if (t->spans[i].n_exceptions > 0)
			e = &t->spans[i].exceptions[0];
	if (!e)
		return;
	text_set(&top->why, e->type);
	if (e->type.n > 0 && e->message.n > 0)
		text_set(&top->why, STR(": "));
	text_set(&top->why, e->message);
}

static int64_t
share_of(uint64_t part, uint64_t whole)
{
	while (whole > UINT64_MAX / 2000000) {
		whole /= 2;
		part /= 2;
	}
	if (whole == 0)
		return 0;
	return part >= whole ? 1000000 : (int64_t)(part * 1000000 / whole);
}

/* Slower first; of equal ones the smaller id. */
static bool
slower(const struct trace_top *a, const struct trace_top *b)
{
	if (a->response_ns != b->response_ns)
		return a->response_ns > b->response_ns;
	return strcmp(a->id, b->id) < 0;
}

/* Faults first, then the latest; of equal ones the smaller id. */
static bool
worse(const struct trace_top *a, const struct trace_top *b)
{
	bool fa = a->outcome && a->outcome[0] == 'f';
	bool fb = b->outcome && b->outcome[0] == 'f';

	if (fa != fb)
		return fa;
	if (a->start_ns != b->start_ns)
		return a->start_ns > b->start_ns;
	return strcmp(a->id, b->id) < 0;
}

/* Where it belongs; TOPS: it is not among them. */
static size_t
place_of(const struct trace_top *v, size_t n, const struct trace_top *top,
    bool (*before)(const struct trace_top *, const struct trace_top *))
{
	size_t at = n;

	while (at > 0 && before(top, &v[at - 1]))
		at--;
	return at;
}

static void
insert(struct trace_top *v, size_t *n, size_t at, const struct trace_top *top)
{
	if (*n < TOPS)
		(*n)++;
	memmove(&v[at + 1], &v[at], (*n - 1 - at) * sizeof *v);
	v[at] = *top;
}

static void
top_of(const struct trace_tops *tops, const struct trace *t,
    const uint64_t *critical, struct trace_top *top)
{
	uint32_t best = 0;

	*top = (struct trace_top){ .start_ns = t->start_ns,
		.response_ns = t->response_ns,
		.outcome = outcome_of(&t->spans[t->root]) };
	memcpy(top->id, t->id_text, sizeof top->id);
	for (uint32_t i = 1; i < t->n_nodes; i++)
		if (critical[i] > critical[best])
			best = i;
	if (t->n_nodes == 0 || t->response_ns <= 0)
		return;
	text_set(&top->hop, called(tops, t, best));
	top->hop_ppm = share_of(critical[best], (uint64_t)t->response_ns);
}

void
trace_tops_add(struct trace_tops *t, const struct trace *trace)
{
	struct trace_tops_service *s;
	struct trace_top top;
	uint64_t *critical;
	size_t slow_at, fail_at;

	if (trace->root == SPAN_NONE || trace->entry == SPAN_NONE)
		return;
	s = service_of(t, called(t, trace, trace->entry));
	critical = critical_of(trace);
	top_of(t, trace, critical, &top);
	s->traces++;
	s->failing += top.outcome != NULL;
	if (trace->response_ns > t->slow_ns) {
		s->slow++;
		s->slow_ns += (uint64_t)trace->response_ns;
		for (uint32_t i = 0; i < trace->n_nodes; i++)
			if (critical[i] > 0)
				hop_add(t, s, called(t, trace, i), critical[i]);
	}
	slow_at = place_of(s->slowest, s->n_slowest, &top, slower);
	fail_at =
	    top.outcome ? place_of(s->failed, s->n_failed, &top, worse) : TOPS;
	if (slow_at < TOPS || fail_at < TOPS)
		why_of(&top, trace);
	if (slow_at < TOPS)
		insert(s->slowest, &s->n_slowest, slow_at, &top);
	if (fail_at < TOPS)
		insert(s->failed, &s->n_failed, fail_at, &top);
	free(critical);
}

static int
by_time(const void *pa, const void *pb)
{
	const struct trace_hop *a = pa;
	const struct trace_hop *b = pb;

	if (a->critical_ns != b->critical_ns)
		return a->critical_ns > b->critical_ns ? -1 : 1;
	return str_cmp(a->name, b->name);
}

static int
by_name(const void *pa, const void *pb)
{
	const struct trace_tops_service *a = pa;
	const struct trace_tops_service *b = pb;

	return str_cmp(a->name, b->name);
}

void
trace_tops_end(struct trace_tops *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].n_hops > 1)
			qsort(t->v[i].hops, t->v[i].n_hops,
			    sizeof t->v[i].hops[0], by_time);
	if (t->n > 1)
		qsort(t->v, t->n, sizeof *t->v, by_name);
}
