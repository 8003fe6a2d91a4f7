/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents of what was read: requests, log lines, segments, and what could
 * not be read.  See document_finding.c for what was concluded.
 */
#include "sinks/documents.h"

#include "core/hash.h"
#include "core/json.h"
#include "sinks/document_parts.h"

enum {
	STREAM_MAX = 512, /* CloudWatch's limit of a stream's name */
	DEAD_TEXT = 512,  /* of a dead letter's bytes as readable text */
};

static struct str
either(struct str own, struct str other)
{
	return own.n > 0 ? own : other;
}

/* A number as 8 bytes that are the same on every machine. */
static struct str
number_part(char *out, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		out[i] = (char)(v >> (8 * i));
	return (struct str){ out, 8 };
}

/*
 * The stream as a part of an identity.  An export's key has '-' where the name
 * has '/': both spell the same stream.  Without any, the file is the stream:
 * by its content, so that packing or moving it changes no id.
 */
static struct str
stream_part(char out[STREAM_MAX], const struct document_origin *origin,
    struct str own)
{
	struct str s = either(own, origin->stream);

	if (s.n == 0 && origin->content != 0)
		return number_part(out, origin->content);
	if (s.n == 0)
		return origin->path;
	if (s.n > STREAM_MAX)
		return s;
	for (size_t i = 0; i < s.n; i++)
		out[i] = (char)(s.p[i] == '/' ? '-' : s.p[i]);
	return (struct str){ out, s.n };
}

void
document_id(char id[22], const struct document_origin *origin,
    const struct event *e)
{
	char stream[STREAM_MAX];
	char time[8];
	char number[8];

	if (e->id.n > 0) {
		const struct str parts[] = { STR("event"), e->id };

		hash_id(id, parts, 2);
	} else {
		const struct str parts[] = {
			STR("line"),
			stream_part(stream, origin, e->stream),
			number_part(time, (uint64_t)e->ts_ns),
			e->message,
			number_part(number, origin->number),
		};

		hash_id(id, parts, 5);
	}
}

/* "aws": where CloudWatch had it, and the trace's printed id. */
static void
put_aws(struct buf *b, const struct document_origin *origin,
    const struct record *r, const struct document_verdict *v)
{
	struct nest aws = nest_open(b, "aws");

	part_cloudwatch(b, either(r->event->group, origin->group),
	    either(r->event->stream, origin->stream));
	if (v && v->has_trace) {
		json_key(b, "xray");
		buf_cat(b, "{\"trace_id\":\"");
		part_trace_xray(b, v->trace);
		buf_cat(b, "\"}");
	}
	nest_close(b, aws);
}

static void
put_trace(struct buf *b, const struct document_verdict *v)
{
	if (!v->has_trace)
		return;
	json_key(b, "trace");
	buf_cat(b, "{\"id\":\"");
	part_trace_hex(b, v->trace);
	buf_cat(b, "\"}");
}

/* The members of "telltale" that a verdict gives, into the open object. */
static void
put_verdict(struct buf *b, const struct document_verdict *v)
{
	part_text(b, "route", v->route);
	json_member_str(b, "class", str_of(class_name(v->class)));
	part_text(b, "class_reason", str_of(v->class_reason));
	if (v->slow || v->not_found || v->masked) {
		json_key(b, "marks");
		buf_char(b, '[');
		if (v->slow) {
			json_item(b);
			json_put_str(b, STR("slow-post"));
		}
		if (v->not_found) {
			json_item(b);
			json_put_str(b, STR("not-found"));
		}
		if (v->masked) {
			json_item(b);
			json_put_str(b, STR("masked-failure"));
		}
		buf_char(b, ']');
	}
}

/* "telltale", open: where it stands and what decoded it. */
static struct nest
open_telltale(struct buf *b, const struct record *r)
{
	struct nest n = nest_open(b, "telltale");

	json_member_i64(b, "line", (int64_t)r->event->place.line);
	part_text(b, "dialect", str_of(r->dialect));
	return n;
}

static void
put_log(struct buf *b, const struct document_origin *origin,
    const struct record *r)
{
	const struct part_log log = {
		.origin = origin,
		.place = &r->event->place,
		.level = r->log.level,
		.logger = r->log.logger,
	};

	part_log(b, &log);
}

void
document_request(struct buf *out, const struct document_origin *origin,
    const struct record *r, const struct document_verdict *v)
{
	static const char *const probe[] = { "health-check", NULL };
	struct request q = r->request;
	char id[HASH_ID_SIZE];
	struct nest n;

	if (v->joined_ns > 0)
		q.duration_ns = v->joined_ns;
	document_id(id, origin, r->event);
	part_head(out, "requests", r->ts_ns, id);
	part_begin(out, r->ts_ns);
	part_event(out, &q, r->event->id);
	part_text(out, "message", r->event->message);
	part_text_in(out, "service", "name", origin->service);
	part_request(out, &r->request);
	put_trace(out, v);
	put_log(out, origin, r);
	put_aws(out, origin, r, v);
	if (v->class != CLASS_CLIENT)
		part_words(out, "tags", probe);
	n = open_telltale(out, r);
	part_text(out, "target", r->request.target);
	put_verdict(out, v);
	nest_close(out, n);
	buf_char(out, '}');
	part_tail(out);
}

size_t
document_log(struct buf *out, const struct document_origin *origin,
    const struct record *r)
{
	static const char *const info[] = { "info", NULL };
	char id[HASH_ID_SIZE];
	struct nest n;
	size_t at;

	document_id(id, origin, r->event);
	part_head(out, "logs", r->ts_ns, id);
	part_begin(out, r->ts_ns);
	n = nest_open(out, "event");
	json_member_str(out, "kind", STR("event"));
	part_words(out, "type", info);
	part_text(out, "id", r->event->id);
	nest_close(out, n);
	json_member_str(out, "message", r->event->message);
	at = out->n - 1;
	part_text_in(out, "service", "name", origin->service);
	put_log(out, origin, r);
	put_aws(out, origin, r, NULL);
	nest_close(out, open_telltale(out, r));
	buf_char(out, '}');
	part_tail(out);
	return at;
}

void
document_log_more(struct buf *out, size_t *at, struct str line)
{
	struct buf text = { 0 };

	/* Its opening quote becomes the line end, its closing one is there. */
	json_put_str(&text, line);
	buf_room(out, text.n);
	memmove(out->p + *at + text.n, out->p + *at, out->n - *at);
	memcpy(out->p + *at, "\\n", 2);
	memcpy(out->p + *at + 2, text.p + 1, text.n - 2);
	out->n += text.n;
	*at += text.n;
	buf_fini(&text);
}

/* "aws": X-Ray's own words about a segment. */
static void
put_xray(struct buf *b, const struct document_origin *origin,
    const struct record *r, const struct document_verdict *v)
{
	const struct segment *s = &r->segment;
	struct nest aws = nest_open(b, "aws");
	struct nest xray;

	part_cloudwatch(b, either(r->event->group, origin->group),
	    either(r->event->stream, origin->stream));
	xray = nest_open(b, "xray");
	if (v->has_trace) {
		json_key(b, "trace_id");
		buf_char(b, '"');
		part_trace_xray(b, v->trace);
		buf_char(b, '"');
	} else {
		part_text(b, "trace_id", s->trace_id);
	}
	part_text(b, "origin", s->origin);
	json_member_str(b, "type",
	    str_of(s->subsegment ? "subsegment" : "segment"));
	json_member_bool(b, "error", s->error);
	json_member_bool(b, "fault", s->fault);
	json_member_bool(b, "throttle", s->throttle);
	json_member_bool(b, "in_progress", s->in_progress);
	nest_close(b, xray);
	nest_close(b, aws);
}

/* event.* of a segment without http: its own times. */
static void
put_segment_event(struct buf *b, const struct record *r)
{
	const struct segment *s = &r->segment;
	struct request times = r->request;

	if (!r->segment.has_http)
		times = (struct request){ .end_ns = WHEN_NONE, .bytes = -1 };
	times.end_ns = s->in_progress ? WHEN_NONE : s->end_ns;
	times.duration_ns = -1;
	if (times.end_ns != WHEN_NONE && s->start_ns != WHEN_NONE &&
	    times.end_ns >= s->start_ns)
		times.duration_ns = times.end_ns - s->start_ns;
	part_event(b, &times, s->id);
}

/* A finished document of a segment takes the place of one in progress. */
static void
segment_id(char id[HASH_ID_SIZE], const struct record *r,
    const struct document_verdict *v)
{
	struct buf trace = { 0 };

	if (v->has_trace)
		part_trace_hex(&trace, v->trace);
	else
		buf_str(&trace, r->segment.trace_id);
	{
		const struct str parts[] = { STR("segment"), buf_view(&trace),
			r->segment.id };

		hash_id(id, parts, 3);
	}
	buf_fini(&trace);
}

void
document_segment(struct buf *out, const struct document_origin *origin,
    const struct record *r, const struct document_verdict *v)
{
	const struct segment *s = &r->segment;
	int64_t ts = s->start_ns == WHEN_NONE ? r->ts_ns : s->start_ns;
	char id[HASH_ID_SIZE];
	struct nest n;

	segment_id(id, r, v);
	part_head(out, "segments", ts, id);
	part_begin(out, ts);
	put_segment_event(out, r);
	part_text_in(out, "service", "name", either(origin->service, s->name));
	if (s->has_http)
		part_request(out, &r->request);
	part_text_in(out, "user", "name", s->user);
	put_trace(out, v);
	part_text_in(out, "span", "id", s->id);
	if (!s->subsegment)
		part_text_in(out, "transaction", "id", s->id);
	part_text_in(out, "parent", "id", s->parent_id);
	put_log(out, origin, r);
	put_xray(out, origin, r, v);
	n = open_telltale(out, r);
	json_member_str(out, "segment_name", s->name);
	if (s->has_http)
		put_verdict(out, v);
	part_text(out, "document", s->doc);
	nest_close(out, n);
	buf_char(out, '}');
	part_tail(out);
}

/* RFC 4648, with padding: Elasticsearch's type binary. */
static void
put_base64(struct buf *b, struct str s)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijkl"
				     "mnopqrstuvwxyz0123456789+/";
	char *p = buf_room(b, s.n / 3 * 4 + 4);

	for (size_t i = 0; i < s.n; i += 3) {
		size_t left = s.n - i;
		uint32_t v = (uint32_t)(unsigned char)s.p[i] << 16;

		if (left > 1)
			v |= (uint32_t)(unsigned char)s.p[i + 1] << 8;
		if (left > 2)
			v |= (unsigned char)s.p[i + 2];
		*p++ = digits[v >> 18];
		*p++ = digits[v >> 12 & 63];
		*p++ = '=';
		*p++ = '=';
		if (left > 1)
			p[-2] = digits[v >> 6 & 63];
		if (left > 2)
			p[-1] = digits[v & 63];
		b->n += 4;
	}
}

static void
dead_id(char id[HASH_ID_SIZE], const struct document_origin *origin,
    const struct dead *dead)
{
	char offset[8];
	const struct str parts[] = { STR("dead"), origin->path,
		number_part(offset, dead->place.offset), str_of(dead->reason),
		dead->bytes };

	hash_id(id, parts, 5);
}

void
document_dead(struct buf *out, const struct document_origin *origin,
    const struct dead *dead)
{
	const struct part_log log = { .origin = origin, .place = &dead->place };
	char id[HASH_ID_SIZE];
	struct nest n;

	dead_id(id, origin, dead);
	part_head(out, "deadletters", WHEN_NONE, id);
	part_begin(out, WHEN_NONE);
	json_key(out, "event");
	buf_cat(out, "{\"kind\":\"pipeline_error\"}");
	part_text_in(out, "error", "message", str_of(dead->reason));
	part_text(out, "message", str_sub(dead->bytes, 0, DEAD_TEXT));
	part_log(out, &log);
	n = nest_open(out, "aws");
	part_cloudwatch(out, origin->group, origin->stream);
	nest_close(out, n);
	n = nest_open(out, "telltale");
	json_member_i64(out, "line", (int64_t)dead->place.line);
	json_key(out, "dead");
	buf_cat(out, "{\"size\":");
	buf_u64(out, dead->bytes.n);
	buf_cat(out, ",\"bytes\":\"");
	put_base64(out, dead->bytes);
	buf_cat(out, "\"}");
	nest_close(out, n);
	buf_char(out, '}');
	part_tail(out);
}
