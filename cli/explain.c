/* SPDX-License-Identifier: Apache-2.0 */
/*
 * telltale replay --explain-input: what an input was taken for, and why.
 */
#include "cli/command.h"
#include "cli/pen.h"
#include "cli/replay.h"
#include "core/when.h"
#include "ingest/source.h"
#include "pipeline/explain.h"

enum { LABEL = 14, BYTES_SHOWN = 400 };

static void
field(struct pen *p, const char *name, struct str value)
{
	struct buf safe = { 0 };

	if (value.n == 0)
		return;
	term_text(&safe, str_sub(value, 0, BYTES_SHOWN), p->term->utf8);
	if (value.n > BYTES_SHOWN)
		buf_printf(&safe, " (%zu bytes in all)", value.n);
	pen_to(p, 2);
	pen_cat(p, DIM, name);
	pen_to(p, LABEL + 2);
	pen_wrap(p, PLAIN, buf_view(&safe), LABEL + 2);
	buf_fini(&safe);
}

static void
field_time(struct pen *p, const char *name, int64_t ns)
{
	struct buf b = { 0 };

	if (ns == WHEN_NONE)
		return;
	when_put(&b, ns, ns % NS_PER_MS ? 6 : 3);
	field(p, name, buf_view(&b));
	buf_fini(&b);
}

static void
field_number(struct pen *p, const char *name, int64_t n)
{
	struct buf b = { 0 };

	buf_i64(&b, n);
	field(p, name, buf_view(&b));
	buf_fini(&b);
}

static void
put_request(struct pen *p, const struct request *r)
{
	struct buf b = { 0 };

	field(p, "method", r->method_text);
	field(p, "url", r->url);
	field(p, "path", r->path);
	field(p, "host", r->host);
	if (r->status > 0)
		field_number(p, "status", r->status);
	if (r->duration_ns >= 0) {
		when_put_span(&b, r->duration_ns, p->term->utf8);
		field(p, "duration", buf_view(&b));
	}
	if (r->bytes >= 0)
		field_number(p, "bytes", r->bytes);
	field_time(p, "end", r->end_ns);
	field(p, "peer", r->peer);
	field(p, "forwarded", r->forwarded);
	field(p, "user agent", r->agent);
	field(p, "referer", r->referer);
	field(p, "trace", r->trace_id);
	field(p, "target", r->target);
	buf_fini(&b);
}

static void
put_segment(struct pen *p, const struct segment *s)
{
	field(p, "name", s->name);
	field(p, "trace", s->trace_id);
	field(p, "segment", s->id);
	field(p, "parent", s->parent_id);
	field(p, "origin", s->origin);
	field(p, "user", s->user);
	field_time(p, "start", s->start_ns);
	field_time(p, "end", s->end_ns);
	if (s->in_progress)
		field(p, "state", STR("in progress"));
	if (s->fault)
		field(p, "flag", STR("fault"));
	if (s->error)
		field(p, "flag", STR("error"));
	if (s->throttle)
		field(p, "flag", STR("throttle"));
}

static void
put_record(struct pen *p, const struct record *r)
{
	struct buf b = { 0 };

	buf_cat(&b, record_kind_name(r->kind));
	buf_printf(&b, " on line %llu",
	    (unsigned long long)r->event->place.line);
	field(p, "first record", buf_view(&b));
	buf_fini(&b);
	field(p, "dialect",
	    str_of(r->dialect              ? r->dialect
		   : r->kind == RECORD_LOG ? "none: an ordinary line"
					   : NULL));
	field(p, "log group", r->event->group);
	field(p, "log stream", r->event->stream);
	field(p, "event id", r->event->id);
	field_time(p, "time", r->ts_ns);
	if (r->kind == RECORD_SEGMENT)
		put_segment(p, &r->segment);
	if (r->kind == RECORD_REQUEST || r->segment.has_http)
		put_request(p, &r->request);
	if (r->kind == RECORD_LOG) {
		field(p, "level", r->log.level);
		field(p, "logger", r->log.logger);
		field(p, "text", r->log.text);
	}
}

static void
put_dead(struct pen *p, const struct dead *dead)
{
	struct buf b = { 0 };

	buf_printf(&b, "line %llu: %s", (unsigned long long)dead->place.line,
	    dead->reason);
	field(p, "refused", buf_view(&b));
	field(p, "bytes", dead->bytes);
	buf_fini(&b);
}

static void
put_notes(struct pen *p, const struct source_notes *n)
{
	struct buf b = { 0 };

	if (!n)
		return;
	if (n->members > 0) {
		buf_cat(&b, "gzip, inflated by ");
		buf_cat(&b, source_inflater());
		field(p, "packing", buf_view(&b));
	}
	field(p, "broken", str_of(n->what));
	buf_fini(&b);
}

/* STATUS_OK, or STATUS_NOINPUT when it cannot be opened. */
static int
explain(struct pen *p, const struct replay_options *options,
    const struct input *input, uint32_t index)
{
	struct err err = { "" };
	const struct explanation *x;
	struct explain *e;

	pen_raw(p, BOLD, str_of(input->path), pen_left(p));
	pen_end(p);
	if (input->state != INPUT_READ) {
		field(p, input->state == INPUT_FAILED ? "not read" : "left out",
		    str_of(input->why));
		return input->state == INPUT_FAILED ? STATUS_NOINPUT
						    : STATUS_OK;
	}
	e = explain_open(options, input, index, &err);
	if (!e) {
		field(p, "not read", str_of(err.text));
		return STATUS_NOINPUT;
	}
	x = explain_result(e);
	field(p, "envelope", str_of(x->envelope ? x->envelope : "none"));
	field(p, "because", x->envelope_why);
	put_notes(p, x->notes);
	if (x->newest_first)
		field(p, "order", STR("newest first: read in order of time"));
	field(p, "export of", input->group);
	field(p, "export task", input->task);
	field(p, "stream", input->stream);
	if (x->dead)
		put_dead(p, x->dead);
	if (x->record)
		put_record(p, x->record);
	else
		field(p, "first record", STR("none"));
	explain_close(e);
	return STATUS_OK;
}

int
replay_explain(const struct replay_options *options, const struct term *term,
    char *const *paths, size_t n)
{
	struct inputs inputs = { 0 };
	struct buf out = { 0 };
	struct pen p = { .out = &out, .term = term };
	struct err err = { "" };
	int status = STATUS_OK;
	int printed = STATUS_OK;

	if (inputs_collect(&inputs, paths, n, &err) < 0) {
		command_say("%s", err.text);
		inputs_fini(&inputs);
		return STATUS_NOINPUT;
	}
	for (size_t i = 0; i < inputs.n && printed == STATUS_OK; i++) {
		int one;

		if (i > 0)
			pen_end(&p);
		one = explain(&p, options, &inputs.v[i], (uint32_t)i);
		if (one != STATUS_OK)
			status = one;
		printed = command_print(&out);
		buf_reset(&out);
		p.line = 0;
	}
	inputs_fini(&inputs);
	buf_fini(&out);
	return printed != STATUS_OK ? printed : status;
}
