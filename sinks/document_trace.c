/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The document of a trace: all that a filter expression can ask, so that one
 * query answers a whole expression (query/es.h says which field it reads
 * where), and X-Ray's own summary of it, as a text that is not indexed.
 *
 * The index is that of the day in the trace id, where the trace began within a
 * day of it: an id never changes, so that the trace of more documents goes
 * where that of fewer went, and takes its place.  Of another id, such as one
 * that OpenTelemetry made, it is the day on which the trace began.
 */
#include "sinks/document_trace.h"

#include <float.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/json.h"
#include "core/when.h"
#include "sinks/document_parts.h"
#include "sinks/documents.h"
#include "sinks/xray_api.h"

enum { NUMBER_TEXT = 60 };

/* The flags, by what they are called in query/fields.c. */
static void
put_flags(struct buf *b, uint32_t flags, uint32_t which)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} names[] = {
		{ VIEW_OK, "ok" },
		{ VIEW_ERROR, "error" },
		{ VIEW_THROTTLE, "throttle" },
		{ VIEW_FAULT, "fault" },
		{ VIEW_PARTIAL, "partial" },
		{ VIEW_INFERRED, "inferred" },
		{ VIEW_ROOT, "root" },
		{ VIEW_CLIENT, "client_node" },
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (which & names[i].flag)
			json_member_bool(b, names[i].name,
			    (flags & names[i].flag) != 0);
}

static void
put_number(struct buf *b, const char *key, int64_t v)
{
	if (v != VIEW_NONE)
		json_member_i64(b, key, v);
}

/*
 * As it was written, unless no double is as large; else the shortest of the
 * usual forms that is read as the same double.
 */
static void
put_annotation_number(struct buf *b, const struct view_annotation *a)
{
	double v = a->number;
	char text[40];

	if (a->text.n > 0 && a->text.n <= NUMBER_TEXT && v < DBL_MAX &&
	    v > -DBL_MAX) {
		buf_str(b, a->text);
		return;
	}
	for (int digits = 15; digits <= 17; digits += 2) {
		double again;

		snprintf(text, sizeof text, "%.*g", digits, v);
		again = strtod(text, NULL);
		if (again >= v && again <= v)
			break;
	}
	buf_cat(b, text);
}

static void
put_annotations(struct buf *b, struct view_annotations a)
{
	if (a.n == 0)
		return;
	json_key(b, "annotations");
	buf_char(b, '[');
	for (size_t i = 0; i < a.n; i++) {
		const struct view_annotation *v = &a.v[i];

		json_item(b);
		buf_char(b, '{');
		json_member_str(b, "key", v->key);
		switch (v->kind) {
		case VIEW_STRING:
			json_member_str(b, "text", v->text);
			break;
		case VIEW_NUMBER:
			json_key(b, "number");
			put_annotation_number(b, v);
			break;
		case VIEW_BOOLEAN:
			json_member_bool(b, "boolean", v->boolean);
			break;
		}
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

/* What a service's segment and a call have in common. */
static void
put_part(struct buf *b, const struct view_part *p)
{
	put_number(b, "responsetime_ns", p->responsetime_ns);
	put_number(b, "duration_ns", p->duration_ns);
	put_number(b, "status", p->status);
	part_text(b, "method", p->method);
	part_text(b, "url", p->url);
	part_text(b, "agent", p->agent);
	part_text(b, "client", p->client);
	part_text(b, "user", p->user);
	part_text(b, "zone", p->zone);
	part_text(b, "instance", p->instance);
	part_text(b, "arn", p->arn);
	put_annotations(b, p->annotations);
}

enum {
	OUTCOME =
	    VIEW_OK | VIEW_ERROR | VIEW_THROTTLE | VIEW_FAULT | VIEW_PARTIAL,
};

static void
put_services(struct buf *b, const struct trace_view *t)
{
	if (t->n_services == 0)
		return;
	json_key(b, "services");
	buf_char(b, '[');
	for (size_t i = 0; i < t->n_services; i++) {
		const struct view_part *p = &t->services[i];

		json_item(b);
		buf_char(b, '{');
		part_text(b, "name", p->name);
		part_text(b, "type", p->type);
		part_text(b, "account", p->account);
		put_flags(b, p->flags,
		    OUTCOME | VIEW_INFERRED | VIEW_ROOT | VIEW_CLIENT);
		put_part(b, p);
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

static void
put_end(struct buf *b, const char *key, const struct view_node *n)
{
	json_key(b, key);
	buf_char(b, '{');
	part_text(b, "name", n->name);
	part_text(b, "type", n->type);
	part_text(b, "account", n->account);
	json_member_bool(b, "client", n->client);
	buf_char(b, '}');
}

static void
put_edges(struct buf *b, const struct trace_view *t)
{
	if (t->n_edges == 0)
		return;
	json_key(b, "edges");
	buf_char(b, '[');
	for (size_t i = 0; i < t->n_edges; i++) {
		const struct view_edge *e = &t->edges[i];

		json_item(b);
		buf_char(b, '{');
		put_end(b, "from", &e->from);
		put_end(b, "to", &e->to);
		put_flags(b, e->part.flags, OUTCOME);
		put_part(b, &e->part);
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

/* Opens an element of a list of causes: its place, and its name. */
static void
open_place(struct buf *b, size_t i, size_t n, struct str name)
{
	json_item(b);
	buf_char(b, '{');
	json_member_i64(b, "place", (int64_t)i);
	json_member_bool(b, "first", i == 0);
	json_member_bool(b, "last", i + 1 == n);
	part_text(b, "name", name);
}

static void
put_entity(struct buf *b, const struct view_entity *e)
{
	json_member_bool(b, "remote", e->remote);
	put_number(b, "coverage", e->coverage);
	json_member_i64(b, "exceptions_count", (int64_t)e->n_exceptions);
	if (e->n_exceptions == 0)
		return;
	json_key(b, "exceptions");
	buf_char(b, '[');
	for (size_t i = 0; i < e->n_exceptions; i++) {
		open_place(b, i, e->n_exceptions, e->exceptions[i].name);
		part_text(b, "message", e->exceptions[i].message);
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

static void
put_cause_service(struct buf *b, const struct view_cause_service *s)
{
	part_text(b, "type", s->type);
	part_text(b, "account", s->account);
	json_member_bool(b, "inferred", s->inferred);
	json_member_i64(b, "entities_count", (int64_t)s->n_entities);
	if (s->n_entities == 0)
		return;
	json_key(b, "entities");
	buf_char(b, '[');
	for (size_t i = 0; i < s->n_entities; i++) {
		open_place(b, i, s->n_entities, s->entities[i].name);
		put_entity(b, &s->entities[i]);
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

static void
put_cause(struct buf *b, const char *kind, const struct view_cause *c)
{
	json_item(b);
	buf_char(b, '{');
	json_member_str(b, "kind", str_of(kind));
	json_member_bool(b, "client_impacting", c->client_impacting);
	json_member_i64(b, "services_count", (int64_t)c->n_services);
	if (c->n_services > 0) {
		json_key(b, "services");
		buf_char(b, '[');
		for (size_t i = 0; i < c->n_services; i++) {
			open_place(b, i, c->n_services, c->services[i].name);
			put_cause_service(b, &c->services[i]);
			buf_char(b, '}');
		}
		buf_char(b, ']');
	}
	buf_char(b, '}');
}

static void
put_causes(struct buf *b, const struct trace_view *t)
{
	static const char *const kinds[VIEW_CAUSES] = { "fault", "error",
		"responsetime" };
	size_t all = 0;

	for (int k = 0; k < VIEW_CAUSES; k++)
		all += t->causes[k].n;
	if (all == 0)
		return;
	json_key(b, "causes");
	buf_char(b, '[');
	for (int k = 0; k < VIEW_CAUSES; k++)
		for (size_t i = 0; i < t->causes[k].n; i++)
			put_cause(b, kinds[k], &t->causes[k].v[i]);
	buf_char(b, ']');
}

/* What a trace has several of, one object a value. */
static void
put_values(struct buf *b, const struct trace_view *t)
{
	static const char *const names[VIEW_LISTS] = { "user",
		"availabilityzone", "instance.id", "resource.arn",
		"account.id" };
	size_t before = b->n;
	size_t inside;

	json_key(b, "values");
	buf_char(b, '[');
	inside = b->n;
	for (int l = 0; l < VIEW_LISTS; l++)
		for (size_t i = 0; i < t->lists[l].n; i++) {
			if (t->lists[l].v[i].n == 0)
				continue;
			json_item(b);
			buf_char(b, '{');
			json_member_str(b, "field", str_of(names[l]));
			json_member_str(b, "text", t->lists[l].v[i]);
			buf_char(b, '}');
		}
	if (b->n == inside)
		b->n = before;
	else
		buf_char(b, ']');
}

static void
put_event(struct buf *b, const struct trace *t, const struct view_part *p)
{
	static const char *const web[] = { "web", NULL };
	const char *outcome = "unknown";
	struct nest n = nest_open(b, "event");

	if (p->flags & (VIEW_OK | VIEW_ERROR | VIEW_FAULT))
		outcome = p->flags & VIEW_FAULT ? "failure" : "success";
	json_member_str(b, "kind", STR("event"));
	part_words(b, "category", web);
	json_member_str(b, "outcome", str_of(outcome));
	part_time(b, "start", t->start_ns);
	part_time(b, "end", t->end_ns);
	put_number(b, "duration", p->duration_ns);
	nest_close(b, n);
}

/* The root's request; http.* as a request's document has it. */
static void
put_request(struct buf *b, const struct view_part *p)
{
	struct nest http = nest_open(b, "http");

	part_text_in(b, "request", "method", p->method);
	if (p->status != VIEW_NONE) {
		json_key(b, "response");
		buf_cat(b, "{\"status_code\":");
		buf_i64(b, p->status);
		buf_char(b, '}');
	}
	nest_close(b, http);
	part_text_in(b, "url", "original", p->url);
	part_text_in(b, "user_agent", "original", p->agent);
	part_text_in(b, "client", "address", p->client);
}

static void
put_telltale(struct buf *b, const struct document_trace *d)
{
	const struct trace *t = d->trace;
	const struct view_part *p = &d->view->trace;
	struct buf summary = { 0 };
	struct nest own = nest_open(b, "telltale");
	struct nest n;

	json_member_str(b, "class", d->probe ? STR("probe") : STR("client"));
	n = nest_open(b, "trace");
	put_flags(b, p->flags, OUTCOME | VIEW_INFERRED);
	put_number(b, "response_time", p->responsetime_ns);
	json_member_i64(b, "start_ns", t->start_ns);
	json_member_i64(b, "documents", (int64_t)t->n_documents);
	json_member_i64(b, "bytes", (int64_t)t->bytes);
	/* In a list, so that the comma rule sees its begin. */
	buf_char(&summary, '[');
	xray_api_summary(&summary, t);
	json_member_str(b, "summary", str_from(buf_view(&summary), 1));
	buf_fini(&summary);
	nest_close(b, n);
	nest_close(b, own);
}

/* The time that decides the index; see the head comment. */
static int64_t
day_of(const struct trace *t)
{
	const int64_t day = 86400 * NS_PER_SEC;
	int64_t at = 0;

	for (int i = 0; i < 4; i++)
		at = at << 8 | t->id[i];
	at *= NS_PER_SEC;
	return at > t->start_ns - day && at < t->start_ns + day ? at
								: t->start_ns;
}

void
document_trace(struct buf *out, const struct document_trace *d)
{
	static const char *const probe[] = { "health-check", NULL };
	const struct trace *t = d->trace;
	const struct str identity[] = { STR("trace"),
		{ t->id_text, TRACE_ID_SIZE } };
	char id[HASH_ID_SIZE];

	hash_id(id, identity, 2);
	part_head(out, "traces", day_of(t), id);
	part_begin(out, t->start_ns);
	put_event(out, t, &d->view->trace);
	if (t->entry != SPAN_NONE)
		part_text_in(out, "service", "name", t->nodes[t->entry].name);
	put_request(out, &d->view->trace);
	json_key(out, "trace");
	buf_cat(out, "{\"id\":\"");
	part_trace_hex(out, t->id);
	buf_cat(out, "\"}");
	json_key(out, "aws");
	buf_cat(out, "{\"xray\":{\"trace_id\":\"");
	part_trace_xray(out, t->id);
	buf_cat(out, "\"}}");
	if (d->probe)
		part_words(out, "tags", probe);
	put_telltale(out, d);
	put_values(out, d->view);
	put_annotations(out, d->view->trace.annotations);
	put_services(out, d->view);
	put_edges(out, d->view);
	put_causes(out, d->view);
	buf_char(out, '}');
	part_tail(out);
}
