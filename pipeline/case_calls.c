/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call is said in a few words, each of which is a feature of its own:
 *
 *	DynamoDB GetItem on ProductCatalog              it was made
 *	DynamoDB GetItem on ProductCatalog, throttled   how it went
 *	DynamoDB GetItem on ProductCatalog, retried
 *	DynamoDB GetItem on ProductCatalog, over 500 ms half of what is slow
 *	ClientError: Rate exceeded for <id>             what was thrown
 */
#include "pipeline/case_calls.h"

#include <string.h>

#include "core/when.h"
#include "ingest/xray.h"
#include "pipeline/run.h"

void
case_calls_init(struct case_calls *c, struct cases *cases)
{
	*c = (struct case_calls){ .cases = cases };
}

void
case_calls_fini(struct case_calls *c)
{
	span_list_fini(&c->spans);
	arena_fini(&c->arena);
	json_fini(&c->json);
	buf_fini(&c->text);
}

static bool
is_same(const struct traced_case *t, const uint8_t trace[16])
{
	return t->of && memcmp(t->trace, trace, 16) == 0;
}

/* To all requests of the trace. */
static void
mark_all(struct traced_case *t, uint64_t feature, int64_t ts_ns)
{
	for (struct traced_case *i = t; is_same(i, t->trace); i++)
		case_mark_call(i->of, feature, ts_ns);
}

/* The words for the call, with what is behind the comma. */
struct saying {
	struct case_calls *c;
	struct traced_case *cases;
	uint32_t service;
	const struct span *span;
	size_t name_n; /* of c->text: the call's name */
};

static void
say(struct saying *s, const char *how)
{
	struct buf *b = &s->c->text;

	b->n = s->name_n;
	if (how) {
		buf_cat(b, ", ");
		buf_cat(b, how);
	}
	mark_all(s->cases, cases_call(s->c->cases, s->service, buf_view(b)),
	    s->span->start_ns);
}

/* What an AWS call is about: the first of them that there is. */
static struct str
resource(const struct span_aws *aws)
{
	const struct str of[] = { aws->table, aws->bucket, aws->function,
		aws->topic_arn, aws->queue_url };
	size_t i = 0;

	while (i < 4 && of[i].n == 0)
		i++;
	return of[i];
}

static void
name_call(struct buf *b, const struct span *s)
{
	struct str on = { NULL, 0 };

	buf_reset(b);
	buf_str(b, s->name);
	if (s->http && (s->flags & SPAN_REMOTE) && s->http->method.n > 0) {
		buf_char(b, ' ');
		buf_str(b, s->http->method);
	}
	if (!s->aws)
		return;
	if (s->aws->operation.n > 0) {
		buf_char(b, ' ');
		buf_str(b, s->aws->operation);
	}
	on = resource(s->aws);
	if (on.n > 0) {
		buf_cat(b, " on ");
		buf_str(b, on);
	}
}

static void
say_thrown(struct saying *s)
{
	struct buf *b = &s->c->text;

	for (uint32_t i = 0; i < s->span->n_exceptions; i++) {
		const struct span_exception *x = &s->span->exceptions[i];

		buf_reset(b);
		s->name_n = 0;
		buf_str(b, x->type);
		buf_cat(b, x->type.n > 0 && x->message.n > 0 ? ": " : "");
		template_mask(b, x->message);
		s->name_n = b->n;
		if (b->n > 0)
			say(s, NULL);
	}
}

/* How it went; of the request's own segment that is the finding itself. */
static void
say_flags(struct saying *s)
{
	const struct span *span = s->span;

	if (span->http && span->http->status >= 400 &&
	    span->http->status < 600) {
		struct buf b = { 0 };

		buf_printf(&b, "answered %d", (int)span->http->status);
		say(s, buf_cstr(&b));
		buf_fini(&b);
	}
	if (span->flags & SPAN_THROTTLE)
		say(s, "throttled");
	else if (span->flags & SPAN_FAULT)
		say(s, "failed");
	if (span->aws && span->aws->retries > 0)
		say(s, "retried");
}

static void
say_call(struct saying *s)
{
	int64_t half =
	    s->c->cases->run->options->judge.thresholds.limits[0] / 2;

	name_call(&s->c->text, s->span);
	s->name_n = s->c->text.n;
	if (s->name_n == 0)
		return;
	say(s, NULL);
	say_flags(s);
	if (half > 0 && span_duration(s->span) > half) {
		struct buf b = { 0 };

		buf_cat(&b, "over ");
		when_put_span(&b, half, true);
		say(s, buf_cstr(&b));
		buf_fini(&b);
	}
	say_thrown(s);
}

static void
mark_place(struct saying *s, struct str dimension, struct str text)
{
	if (text.n > 0)
		mark_all(s->cases, cases_place(s->c->cases, dimension, text),
		    s->span->start_ns);
}

/* Where the request's own segment ran, and what its program noted. */
static void
mark_places(struct saying *s, struct str doc)
{
	const struct span *span = s->span;
	struct json_bad bad;
	struct str version = { NULL, 0 };

	if (span->aws) {
		mark_place(s, STR("zone"), span->aws->zone);
		mark_place(s, STR("node"), span->aws->instance);
		mark_place(s, STR("container"), span->aws->container);
	}
	if (str_find_str(doc, STR("\"version\"")) < doc.n &&
	    json_parse(&s->c->json, doc, &bad) == 0)
		version = json_text(
		    json_get(json_get(json_root(&s->c->json), STR("service")),
			STR("version")));
	mark_place(s, STR("version"), version);
	for (uint32_t i = 0; i < span->n_annotations; i++) {
		const struct span_annotation *a = &span->annotations[i];

		buf_reset(&s->c->text);
		buf_cat(&s->c->text, "annotation ");
		buf_str(&s->c->text, a->key);
		mark_place(s, buf_view(&s->c->text), a->text);
	}
}

void
case_calls_segment(struct case_calls *c, const struct record *r,
    uint32_t service)
{
	uint8_t trace[16];
	struct saying s = { .c = c, .service = service };
	bool own = cases_has_service(c->cases, service);

	if (r->segment.in_progress ||
	    !xray_trace_id(r->segment.trace_id, trace))
		return;
	s.cases = cases_traced(c->cases, trace);
	if (!s.cases)
		return;
	for (struct traced_case *t = s.cases; is_same(t, trace); t++)
		t->of->traced = true;
	arena_reset(&c->arena);
	c->spans.n = 0;
	span_read(&c->spans, r->segment.doc, r->segment.marks, &c->arena);
	for (size_t i = 0; i < c->spans.n; i++) {
		s.span = &c->spans.v[i];
		if (i > 0 || r->segment.subsegment) {
			say_call(&s);
			continue;
		}
		if (own) {
			mark_places(&s, r->segment.doc);
		} else {
			name_call(&c->text, s.span);
			s.name_n = c->text.n;
			say_flags(&s);
		}
		say_thrown(&s);
	}
}

void
case_calls_request(struct case_calls *c, const struct request_case *called)
{
	struct traced_case *t = cases_traced(c->cases, called->trace);

	for (; t && is_same(t, called->trace); t++)
		for (uint32_t i = 0; i < called->n; i++)
			case_mark(t->of, called->marks[i].feature,
			    called->begin_ns +
				called->marks[i].lag_ms * INT64_C(1000000));
}

void
case_calls_line(struct case_calls *c, const struct record *r, uint64_t feature)
{
	struct str s = r->event->message;
	size_t at = str_find_str(s, STR("1-"));
	uint8_t trace[16];
	struct traced_case *t;

	while (at < s.n) {
		if (xray_trace_id(str_sub(s, at, 35), trace)) {
			t = cases_traced(c->cases, trace);
			for (; t && is_same(t, trace); t++)
				case_mark(t->of, feature, r->ts_ns);
			return;
		}
		s = str_from(s, at + 2);
		at = str_find_str(s, STR("1-"));
	}
}
