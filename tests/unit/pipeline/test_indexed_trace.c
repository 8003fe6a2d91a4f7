/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A trace's document, read back, is the trace: real traces, compared member by
 * member with what the evaluator sees of them.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

#include "core/when.h"
#include "pipeline/indexed_trace.h"
#include "pipeline/traces.h"
#include "pipeline/view.h"
#include "sinks/document_trace.h"

static char demo[] = "demo/like-service/xray";
static char corpus[] = "../shared/corpus/xray";

static bool
same_annotations(struct view_annotations a, struct view_annotations b)
{
	bool same = a.n == b.n;

	for (size_t i = 0; same && i < a.n; i++) {
		const struct view_annotation *x = &a.v[i], *y = &b.v[i];

		same = str_eq(x->key, y->key) && x->kind == y->kind &&
		       str_eq(x->text, y->text) &&
		       (x->kind != VIEW_NUMBER || memcmp(&x->number, &y->number,
						      sizeof x->number) == 0) &&
		       (x->kind != VIEW_BOOLEAN || x->boolean == y->boolean);
	}
	return same;
}

static bool
same_part(const struct view_part *a, const struct view_part *b)
{
	return a->flags == b->flags &&
	       a->responsetime_ns == b->responsetime_ns &&
	       a->duration_ns == b->duration_ns && a->status == b->status &&
	       a->place == b->place && a->coverage == b->coverage &&
	       str_eq(a->name, b->name) && str_eq(a->type, b->type) &&
	       str_eq(a->account, b->account) && str_eq(a->method, b->method) &&
	       str_eq(a->url, b->url) && str_eq(a->agent, b->agent) &&
	       str_eq(a->client, b->client) && str_eq(a->user, b->user) &&
	       str_eq(a->zone, b->zone) && str_eq(a->instance, b->instance) &&
	       str_eq(a->arn, b->arn) && str_eq(a->message, b->message) &&
	       same_annotations(a->annotations, b->annotations);
}

static bool
same_end(const struct view_node *a, const struct view_node *b)
{
	return str_eq(a->name, b->name) && str_eq(a->type, b->type) &&
	       str_eq(a->account, b->account) && a->client == b->client;
}

/* Of a call nobody can ask whether it is the root, or inferred. */
static bool
same_call(const struct view_edge *a, const struct view_edge *b)
{
	const uint32_t never = VIEW_ROOT | VIEW_INFERRED;
	struct view_part x = a->part, y = b->part;

	x.flags &= ~never;
	y.flags &= ~never;
	return same_end(&a->from, &b->from) && same_end(&a->to, &b->to) &&
	       same_part(&x, &y);
}

static bool
same_entity(const struct view_entity *a, const struct view_entity *b)
{
	bool same = str_eq(a->name, b->name) && a->coverage == b->coverage &&
		    a->remote == b->remote &&
		    a->n_exceptions == b->n_exceptions;

	for (size_t i = 0; same && i < a->n_exceptions; i++)
		same =
		    str_eq(a->exceptions[i].name, b->exceptions[i].name) &&
		    str_eq(a->exceptions[i].message, b->exceptions[i].message);
	return same;
}

static bool
same_cause_service(const struct view_cause_service *a,
    const struct view_cause_service *b)
{
	bool same = str_eq(a->name, b->name) && str_eq(a->type, b->type) &&
		    str_eq(a->account, b->account) &&
		    a->inferred == b->inferred &&
		    a->n_entities == b->n_entities;

	for (size_t i = 0; same && i < a->n_entities; i++)
		same = same_entity(&a->entities[i], &b->entities[i]);
	return same;
}

static bool
same_cause(const struct view_cause *a, const struct view_cause *b)
{
	bool same = a->client_impacting == b->client_impacting &&
		    a->n_services == b->n_services;

	for (size_t i = 0; same && i < a->n_services; i++)
		same = same_cause_service(&a->services[i], &b->services[i]);
	return same;
}

static bool
same_causes(const struct trace_view *a, const struct trace_view *b)
{
	for (int k = 0; k < VIEW_CAUSES; k++) {
		if (a->causes[k].n != b->causes[k].n)
			return false;
		for (size_t i = 0; i < a->causes[k].n; i++)
			if (!same_cause(&a->causes[k].v[i], &b->causes[k].v[i]))
				return false;
	}
	return true;
}

static bool
same_lists(const struct trace_view *a, const struct trace_view *b)
{
	for (int k = 0; k < VIEW_LISTS; k++) {
		if (a->lists[k].n != b->lists[k].n)
			return false;
		for (size_t i = 0; i < a->lists[k].n; i++)
			if (!str_eq(a->lists[k].v[i], b->lists[k].v[i]))
				return false;
	}
	return true;
}

static bool
same_view(const struct trace_view *a, const struct trace_view *b)
{
	if (!same_part(&a->trace, &b->trace) || !same_lists(a, b) ||
	    !same_causes(a, b) || a->n_services != b->n_services ||
	    a->n_edges != b->n_edges)
		return false;
	for (size_t i = 0; i < a->n_services; i++)
		if (!same_part(&a->services[i], &b->services[i]))
			return false;
	for (size_t i = 0; i < a->n_edges; i++)
		if (!same_call(&a->edges[i], &b->edges[i]))
			return false;
	return true;
}

/* One trace's document, read back; false: another one. */
static bool
comes_back(const struct trace *t, struct arena *arena, struct json *j)
{
	struct indexed_trace back;
	struct trace_view view;
	struct buf line = { 0 };
	struct json_bad bad;
	struct json_val *source;
	bool same;

	trace_view(&view, t, arena);
	document_trace(&line, &(struct document_trace){ t, &view, false });
	cr_assert(json_parse(j, str_trim(buf_view(&line)), &bad) == 0, "%s",
	    bad.what);
	source = json_get(json_root(j), STR("_source"));
	same = indexed_trace_read(&back, source, arena) &&
	       str_eq(back.id, (struct str){ t->id_text, TRACE_ID_SIZE }) &&
	       back.start_ns == t->start_ns && same_view(&back.view, &view);
	buf_fini(&line);
	return same;
}

Test(indexed_trace, a_document_read_back_is_the_trace)
{
	char *paths[] = { demo, corpus };
	size_t n_paths = access(corpus, R_OK) == 0 ? 2 : 1;
	struct replay_options replay;
	struct replay_progress progress = { 0 };
	struct traces_options o = { .replay = &replay,
		.assemble = assemble_defaults };
	struct arena arena = { 0 };
	struct json j = { 0 };
	struct err err = { "" };
	struct traces *t;
	size_t n = 0;

	replay_options_init(&replay);
	replay.threads = 1;
	t = traces_open(&o, paths, n_paths, &progress, &err);
	cr_assert(t, "%s", err.text);
	for (const struct trace *trace = traces_next(t, &err); trace;
	     trace = traces_next(t, &err), n++) {
		arena_reset(&arena);
		cr_expect(comes_back(trace, &arena, &j), "%s", trace->id_text);
	}
	cr_expect(n > 400);
	traces_close(t);
	json_fini(&j);
	arena_fini(&arena);
}

Test(indexed_trace, what_is_no_trace_is_none)
{
	static const char number[] =
	    "{\"aws\":{\"xray\":{\"trace_id\":7}},"
	    "\"telltale\":{\"trace\":{\"start_ns\":1}}}";
	static const char *const texts[] = { "{}", "[]", "null",
		"{\"aws\":{\"xray\":{\"trace_id\":\"1-5\"}}}", number };
	struct arena arena = { 0 };
	struct json j = { 0 };
	struct indexed_trace d;
	struct json_bad bad;

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		cr_assert(json_parse(&j, str_of(texts[i]), &bad) == 0);
		cr_expect(!indexed_trace_read(&d, json_root(&j), &arena), "%s",
		    texts[i]);
	}
	cr_assert(json_parse(&j,
		      STR("{\"aws\":{\"xray\":{\"trace_id\":\"1-5\"}},"
			  "\"telltale\":{\"trace\":{\"start_ns\":1}},"
			  "\"services\":[7,{}],\"edges\":{},\"causes\":\"x\","
			  "\"annotations\":[{\"key\":\"k\",\"number\":"
			  "123456789012345678901234567890123456789012345678901"
			  "234567890}],\"values\":[[]]}"),
		      &bad) == 0);
	cr_expect(indexed_trace_read(&d, json_root(&j), &arena));
	cr_expect(d.view.n_services == 2 && d.view.n_edges == 0);
	json_fini(&j);
	arena_fini(&arena);
}
