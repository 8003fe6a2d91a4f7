/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is said of a span below its bar: request, exceptions, SQL, AWS call,
 * annotations, user, and what is odd about it.
 */
#include "cli/trace.h"
#include "core/when.h"

enum {
	EXCEPTIONS_SHOWN = 5,
	ANNOTATIONS_SHOWN = 20,
	TEXT_SHOWN = 1000, /* bytes of a message, a query, an address */
};

const char *
trace_outcome(uint32_t flags)
{
	if (flags & SPAN_THROTTLE)
		return "throttled";
	if (flags & SPAN_FAULT)
		return "fault";
	return flags & SPAN_ERROR ? "error" : NULL;
}

enum style
trace_style(uint32_t flags)
{
	if (flags & SPAN_FAULT)
		return RED;
	return flags & (SPAN_ERROR | SPAN_THROTTLE) ? YELLOW : PLAIN;
}

/* A line being put together: words, a blank between them. */
struct line {
	struct buf text;
	bool utf8;
};

static void
say(struct line *l, const char *words)
{
	if (l->text.n > 0)
		buf_char(&l->text, ' ');
	buf_cat(&l->text, words);
}

static void
say_text(struct line *l, const char *before, struct str text)
{
	if (text.n == 0)
		return;
	if (before)
		say(l, before);
	if (l->text.n > 0)
		buf_char(&l->text, ' ');
	term_text(&l->text, str_sub(text, 0, TEXT_SHOWN), l->utf8);
	if (text.n > TEXT_SHOWN)
		buf_printf(&l->text, " (%zu bytes in all)", text.n);
}

static void
put(struct pen *p, enum style style, struct line *l, size_t indent)
{
	if (l->text.n > 0) {
		pen_to(p, indent);
		pen_wrap(p, style, buf_view(&l->text), indent + 2);
	}
	buf_reset(&l->text);
}

/* The root's request stands in the head. */
static void
put_request(struct pen *p, const struct span *s, struct line *l, size_t indent)
{
	const struct span_http *h = s->flags & SPAN_ROOT ? NULL : s->http;
	const char *outcome = trace_outcome(s->flags);

	if (h) {
		say_text(l, NULL, h->method);
		say_text(l, NULL, h->url);
		if (h->status > 0) {
			say(l, l->text.n == 0 ? "answered"
			       : l->utf8      ? "→"
					      : "->");
			buf_printf(&l->text, " %lld", (long long)h->status);
		}
	}
	if (outcome)
		say(l, outcome);
	put(p, outcome ? trace_style(s->flags) : DIM, l, indent);
}

static void
put_exceptions(struct pen *p, const struct span *s, struct line *l,
    size_t indent)
{
	for (uint32_t i = 0; i < s->n_exceptions && i < EXCEPTIONS_SHOWN; i++) {
		const struct span_exception *e = &s->exceptions[i];

		say(l, "exception");
		say_text(l, NULL, e->type.n > 0 ? e->type : STR("(no type)"));
		if (e->message.n > 0)
			buf_char(&l->text, ':');
		say_text(l, NULL, e->message);
		if (e->remote)
			say(l, "(of the callee)");
		put(p, RED, l, indent);
	}
	if (s->n_exceptions > EXCEPTIONS_SHOWN) {
		buf_printf(&l->text, "and %u more exceptions",
		    s->n_exceptions - EXCEPTIONS_SHOWN);
		put(p, DIM, l, indent);
	}
}

static void
put_calls(struct pen *p, const struct span *s, struct line *l, size_t indent)
{
	const struct span_sql *q = s->sql;
	const struct span_aws *a = s->aws;

	if (q) {
		say(l, "sql");
		say_text(l, NULL, q->query);
		say_text(l, "of", q->database);
		say_text(l, "at", q->url);
		say_text(l, "as", q->user);
		put(p, CYAN, l, indent);
	}
	if (!a)
		return;
	say_text(l, NULL, a->operation);
	say_text(l, "table", a->table);
	say_text(l, "bucket", a->bucket);
	say_text(l, "queue", a->queue_url);
	say_text(l, "topic", a->topic_arn);
	say_text(l, "function", a->function);
	say_text(l, "in", a->region);
	say_text(l, "request", a->request_id);
	if (l->text.n > 0) {
		struct buf words = l->text;

		l->text = (struct buf){ 0 };
		buf_cat(&l->text, "aws ");
		buf_str(&l->text, buf_view(&words));
		buf_fini(&words);
	}
	put(p, CYAN, l, indent);
}

static void
put_notes(struct pen *p, const struct span *s, struct line *l, size_t indent)
{
	for (uint32_t i = 0; i < s->n_annotations && i < ANNOTATIONS_SHOWN;
	     i++) {
		const struct span_annotation *a = &s->annotations[i];

		say(l, "note");
		say_text(l, NULL, a->key);
		say(l, "=");
		say_text(l, NULL, a->text);
		put(p, PLAIN, l, indent);
	}
	if (s->n_annotations > ANNOTATIONS_SHOWN) {
		buf_printf(&l->text, "and %u more annotations",
		    s->n_annotations - ANNOTATIONS_SHOWN);
		put(p, DIM, l, indent);
	}
	say_text(l, "user", s->user);
	put(p, PLAIN, l, indent);
}

static void
put_oddities(struct pen *p, const struct span *s, struct line *l, size_t indent)
{
	if (s->flags & SPAN_CYCLE)
		say(l, "its parents run in a circle, cut here: parent");
	else if (s->flags & SPAN_ORPHAN)
		say(l, "not in the trace: its parent");
	if (s->flags & SPAN_ORPHAN)
		say_text(l, NULL, s->parent_id);
	put(p, YELLOW, l, indent);
	if (s->end_ns != WHEN_NONE && s->end_ns < s->start_ns)
		say(l, "ends before it starts");
	put(p, YELLOW, l, indent);
	for (uint32_t i = 0; i < s->n_links && i < EXCEPTIONS_SHOWN; i++) {
		say_text(l, s->links[i].to_parent ? "linked from" : "links to",
		    s->links[i].trace_id);
		say_text(l, "of", s->links[i].name);
		put(p, DIM, l, indent);
	}
}

void
trace_details(struct pen *p, const struct trace *t, uint32_t span,
    size_t indent)
{
	const struct span *s = &t->spans[span];
	struct line l = { .utf8 = p->term->utf8 };

	put_oddities(p, s, &l, indent);
	/* What is inferred repeats its call, if that is there. */
	if (s->kind != SPAN_INFERRED || s->parent == SPAN_NONE) {
		put_request(p, s, &l, indent);
		put_exceptions(p, s, &l, indent);
		put_calls(p, s, &l, indent);
		put_notes(p, s, &l, indent);
	}
	buf_fini(&l.text);
}
