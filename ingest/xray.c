/* SPDX-License-Identifier: Apache-2.0 */
/*
 * X-Ray documents to records: the judge of what a document says, and the
 * reader through a tree for what xray_quick.c leaves.
 *
 * What is accepted follows the AWS guide where it speaks and the SDKs where
 * they differ: "in_progress": false is no progress, flags and times may stand
 * in any order, times may be written as strings, null is absent, ids may be
 * longer than 16 characters (exports with replaced ids), a field of a type
 * that nobody sends is ignored unless the document cannot stand without it.
 * The order of the tests is that of PutTraceSegments' error codes.
 *
 * Nothing is fetched, and no time is taken out of a trace id.
 */
#include "ingest/xray.h"

#include <stdlib.h>

#include "core/json.h"
#include "core/mem.h"
#include "ingest/scan.h"
#include "ingest/xray_fields.h"

struct xray {
	struct xray_names names;
	struct json json;
	struct span_marks *marks; /* of the last document; NULL: not asked */
};

const struct xray_key xray_keys[XRAY_FIELDS] = {
	{ "id", IN_SPAN, XRAY_ID, IN_SPAN },
	{ "trace_id", IN_SPAN, XRAY_TRACE_ID, IN_SPAN },
	{ "parent_id", IN_SPAN, XRAY_PARENT_ID, IN_SPAN },
	{ "name", IN_SPAN, XRAY_NAME, IN_SPAN },
	{ "type", IN_SPAN, XRAY_TYPE, IN_SPAN },
	{ "origin", IN_SPAN, XRAY_ORIGIN, IN_SPAN },
	{ "user", IN_SPAN, XRAY_USER, IN_SPAN },
	{ "start_time", IN_SPAN, XRAY_START_TIME, IN_SPAN },
	{ "end_time", IN_SPAN, XRAY_END_TIME, IN_SPAN },
	{ "in_progress", IN_SPAN, XRAY_IN_PROGRESS, IN_SPAN },
	{ "error", IN_SPAN, XRAY_ERROR, IN_SPAN },
	{ "fault", IN_SPAN, XRAY_FAULT, IN_SPAN },
	{ "throttle", IN_SPAN, XRAY_THROTTLE, IN_SPAN },
	{ "inferred", IN_SPAN, XRAY_INFERRED, IN_SPAN },
	{ "http", IN_SPAN, XRAY_HTTP_BLOCK, IN_HTTP },
	{ "request", IN_HTTP, XRAY_HTTP_REQUEST, IN_REQUEST },
	{ "response", IN_HTTP, XRAY_HTTP_RESPONSE, IN_RESPONSE },
	{ "method", IN_REQUEST, XRAY_METHOD, IN_SPAN },
	{ "url", IN_REQUEST, XRAY_URL, IN_SPAN },
	{ "user_agent", IN_REQUEST, XRAY_USER_AGENT, IN_SPAN },
	{ "client_ip", IN_REQUEST, XRAY_CLIENT_IP, IN_SPAN },
	{ "x_forwarded_for", IN_REQUEST, XRAY_FORWARDED, IN_SPAN },
	{ "status", IN_RESPONSE, XRAY_STATUS, IN_SPAN },
	{ "content_length", IN_RESPONSE, XRAY_CONTENT_LENGTH, IN_SPAN },
};

struct xray *
xray_new(void)
{
	struct xray *x = xcalloc(1, sizeof *x);

	xray_names_init(&x->names);
	return x;
}

void
xray_free(struct xray *x)
{
	if (!x)
		return;
	json_fini(&x->json);
	free(x->marks);
	free(x);
}

void
xray_marks_want(struct xray *x)
{
	x->marks = xcalloc(1, sizeof *x->marks);
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/*
 * Eight hex digits to four bytes, all at once.  Every byte is below 0x80 when
 * it is added to, so that no carry leaves it.  False: one of them is no digit.
 */
static bool
hex_word(const char *p, uint8_t out[4])
{
	uint64_t w = scan_load(p);
	uint64_t low = w & ~SCAN_HIGHS;
	uint64_t digit = low ^ SCAN_ONES * '0';
	uint64_t letter = (low | SCAN_ONES * 0x20) ^ SCAN_ONES * 0x60;
	uint64_t is_digit = ~(digit + SCAN_ONES * (0x80 - 10)) & SCAN_HIGHS;
	uint64_t is_letter = ~(letter + SCAN_ONES * (0x80 - 7)) &
			     (letter + SCAN_ONES * 0x7f) & SCAN_HIGHS;
	uint64_t v = (w & SCAN_ONES * 0x0f) + (is_letter >> 7) * 9;

	v = v << 4 | v >> 8;
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(v >> 16 * i);
	return (is_digit | is_letter) == SCAN_HIGHS && !(w & SCAN_HIGHS);
}

bool
xray_trace_id(struct str text, uint8_t id[16])
{
	bool printed = text.n == 35 && text.p[0] == '1' && text.p[1] == '-' &&
		       text.p[10] == '-';
	const char *head, *tail;

	if (!printed && text.n != 32)
		return false;
	head = text.p + (printed ? 2 : 0);
	tail = text.p + (printed ? 11 : 8);
	/* All four, so that there is no branch. */
	return ((unsigned)hex_word(head, id) &
		   (unsigned)hex_word(tail, id + 4) &
		   (unsigned)hex_word(tail + 8, id + 8) &
		   (unsigned)hex_word(tail + 16, id + 12)) != 0;
}

/* Sixteen or more letters and digits: hex, or what an export put for it. */
static bool
id_valid(struct str s)
{
	if (s.n < 16 || s.n > 64)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!is_digit(c) && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z'))
			return false;
	}
	return true;
}

/* A whole number that fits, of a token that is a number or a string. */
static bool
token_i64(const struct xray_token *t, int64_t *value)
{
	struct str s = t->text;
	uint64_t v;

	if (t->type != XRAY_NUMBER && t->type != XRAY_STRING)
		return false;
	if (!str_u64(&s, &v) || v > INT64_MAX)
		return false;
	if (s.n >= 2 && s.p[0] == '.') {
		s = str_from(s, 1);
		while (s.n > 0 && s.p[0] == '0')
			s = str_from(s, 1);
	}
	*value = (int64_t)v;
	return s.n == 0;
}

/*
 * "1795244520.2479196", the usual form, exactly.  False: another form, or one
 * that when_epoch has to judge.
 */
static bool
plain_seconds(struct str s, int64_t *ns)
{
	uint64_t v = 0;
	size_t i = 0;
	size_t fraction = 0;

	for (; i < s.n && is_digit(s.p[i]); i++)
		v = v * 10 + (uint64_t)(s.p[i] - '0');
	if (i == 0 || i > 9 + 1 || v > 9000000000)
		return false;
	if (i + 1 < s.n && s.p[i] == '.') {
		for (i++; i < s.n && fraction < 9 && is_digit(s.p[i]); i++) {
			v = v * 10 + (uint64_t)(s.p[i] - '0');
			fraction++;
		}
	}
	if (i != s.n)
		return false;
	for (; fraction < 9; fraction++)
		v *= 10;
	*ns = (int64_t)v;
	return true;
}

bool
xray_time(struct str text, bool quoted, int64_t *ns)
{
	if (plain_seconds(text, ns) || when_epoch(text, ns))
		return true;
	return quoted && when_iso(&text, ns) && text.n == 0;
}

static bool
token_time(const struct xray_token *t, int64_t *ns)
{
	if (t->type != XRAY_NUMBER && t->type != XRAY_STRING)
		return false;
	return xray_time(t->text, t->type == XRAY_STRING, ns);
}

static struct str
text_of(const struct xray_fields *f, enum xray_field field)
{
	if (f->of[field].type != XRAY_STRING)
		return (struct str){ NULL, 0 };
	return f->of[field].text;
}

static bool
is_true(const struct xray_fields *f, enum xray_field field)
{
	return f->of[field].type == XRAY_TRUE;
}

/* A flag was written as one, whatever it says. */
static bool
is_given(const struct xray_fields *f, enum xray_field field)
{
	return is_true(f, field) || f->of[field].type == XRAY_FALSE;
}

static bool
is_there(const struct xray_fields *f, enum xray_field field)
{
	return f->of[field].type != XRAY_ABSENT;
}

/* NULL, or what is wrong with the ids and the name. */
static const char *
judge_names(const struct xray_fields *f, struct segment *s)
{
	uint8_t id[16];

	s->subsegment = str_eq(text_of(f, XRAY_TYPE), STR("subsegment"));
	if (is_there(f, XRAY_TYPE) && !s->subsegment)
		return "segment with an unknown type: expected \"subsegment\" "
		       "or none";
	s->id = text_of(f, XRAY_ID);
	if (!is_there(f, XRAY_ID))
		return "segment without id: expected 16 hex digits";
	if (!id_valid(s->id))
		return "segment with an invalid id: expected 16 hex digits";
	s->name = text_of(f, XRAY_NAME);
	if (s->name.n == 0)
		return "segment without name: expected the service's name";
	s->trace_id = text_of(f, XRAY_TRACE_ID);
	if (!is_there(f, XRAY_TRACE_ID))
		return "segment without trace_id: expected 1-8hex-24hex";
	if (!xray_trace_id(s->trace_id, id))
		return "segment with an invalid trace_id: expected "
		       "1-8hex-24hex or 32 hex digits";
	return NULL;
}

/* NULL, or what is wrong with the times. */
static const char *
judge_times(const struct xray_fields *f, struct segment *s)
{
	const struct xray_token *end = &f->of[XRAY_END_TIME];

	if (!is_there(f, XRAY_START_TIME))
		return "segment without start_time: expected epoch seconds";
	if (!token_time(&f->of[XRAY_START_TIME], &s->start_ns))
		return "segment with an unreadable start_time: expected epoch "
		       "seconds, before the year 2262";
	if (s->start_ns < 0)
		return "segment with a start_time before 1970: expected epoch "
		       "seconds";
	s->in_progress = is_true(f, XRAY_IN_PROGRESS);
	s->end_ns = WHEN_NONE;
	if (s->in_progress)
		return end->type == XRAY_ABSENT ? NULL
						: "segment in progress with an "
						  "end_time: expected only "
						  "one of the two";
	if (end->type == XRAY_ABSENT)
		return "segment without end_time: expected it, or "
		       "\"in_progress\": true";
	if (!token_time(end, &s->end_ns))
		return "segment with an unreadable end_time: expected epoch "
		       "seconds, before the year 2262";
	if (s->end_ns < 0)
		return "segment with an end_time before 1970: expected epoch "
		       "seconds";
	return NULL;
}

static const char *
judge_parent(const struct xray_fields *f, struct segment *s)
{
	enum xray_type type = f->of[XRAY_PARENT_ID].type;
	bool there = type != XRAY_ABSENT;

	s->parent_id = text_of(f, XRAY_PARENT_ID);
	if (type == XRAY_STRING)
		there = s->parent_id.n > 0;
	if (!there && s->subsegment)
		return "independent subsegment without parent_id: expected 16 "
		       "hex digits";
	if (there && !id_valid(s->parent_id))
		return "segment with an invalid parent_id: expected 16 hex "
		       "digits";
	return NULL;
}

/* Path, and host of an absolute URL, as views into it. */
static void
split_url(struct request *r)
{
	size_t scheme = str_find_str(r->url, STR("://"));
	struct str rest = r->url;
	size_t end;

	if (scheme <= 16 &&
	    str_find(str_sub(rest, 0, scheme), '/') == SIZE_MAX) {
		rest = str_from(rest, scheme + 3);
		end = 0;
		while (end < rest.n && rest.p[end] != '/' &&
		       rest.p[end] != '?' && rest.p[end] != '#')
			end++;
		r->host = str_sub(rest, 0, end);
		rest = str_from(rest, end);
	}
	end = 0;
	while (end < rest.n && rest.p[end] != '?' && rest.p[end] != '#')
		end++;
	r->path = str_sub(rest, 0, end);
	if (r->path.n == 0 && r->host.n > 0)
		r->path = STR("/");
}

static int
status_of(const struct xray_token *t)
{
	int64_t v;

	return token_i64(t, &v) && v >= 100 && v <= 999 ? (int)v : 0;
}

/* The same as a span has it: any digits at the head. */
static int64_t
token_status(const struct xray_token *t)
{
	struct str s = t->text;
	uint64_t v;

	if (t->type != XRAY_NUMBER && t->type != XRAY_STRING)
		return 0;
	return str_u64(&s, &v) && v <= INT64_MAX ? (int64_t)v : 0;
}

/* The parts of a request that segments and summaries have in common. */
static void
fill_request(const struct xray_fields *f, struct request *r)
{
	struct str client = text_of(f, XRAY_CLIENT_IP);

	r->grain = GRAIN_FINE;
	r->method_text = text_of(f, XRAY_METHOD);
	r->method = method_of(r->method_text);
	r->url = text_of(f, XRAY_URL);
	split_url(r);
	r->agent = text_of(f, XRAY_USER_AGENT);
	if (str_eq(r->agent, STR("-")))
		r->agent = (struct str){ NULL, 0 };
	if (is_true(f, XRAY_FORWARDED))
		r->forwarded = client;
	else
		r->peer = client;
	r->status = status_of(&f->of[XRAY_STATUS]);
	if (!token_i64(&f->of[XRAY_CONTENT_LENGTH], &r->bytes))
		r->bytes = -1;
}

/*
 * A segment's request is a server's own when the service reported itself: not
 * in a subsegment, which is the caller's view, and not in an inferred segment,
 * which X-Ray copied from one.
 */
static void
fill_segment(const struct xray_fields *f, struct record *r)
{
	struct segment *s = &r->segment;
	int64_t end = s->end_ns;

	s->origin = text_of(f, XRAY_ORIGIN);
	s->user = text_of(f, XRAY_USER);
	s->error = is_true(f, XRAY_ERROR);
	s->fault = is_true(f, XRAY_FAULT);
	s->throttle = is_true(f, XRAY_THROTTLE);
	s->given = is_given(f, XRAY_ERROR) || is_given(f, XRAY_FAULT) ||
		   is_given(f, XRAY_THROTTLE);
	s->inferred = is_true(f, XRAY_INFERRED);
	s->failures_within = f->failures_within;
	s->status = token_status(&f->of[XRAY_STATUS]);
	if (end != WHEN_NONE && end < s->start_ns)
		end = s->start_ns;
	r->ts_ns = end != WHEN_NONE ? end : s->start_ns;
	s->has_http = f->of[XRAY_HTTP_REQUEST].type == XRAY_OBJECT &&
		      !s->subsegment && !s->inferred;
	if (!s->has_http)
		return;
	fill_request(f, &r->request);
	r->request.end_ns = end;
	r->request.duration_ns = end != WHEN_NONE ? end - s->start_ns : -1;
	r->request.trace_id = s->trace_id;
}

static void
record_init(struct record *r, const struct event *e, enum record_kind kind)
{
	*r = (struct record){
		.kind = kind,
		.event = e,
		.ts_ns = WHEN_NONE,
		.dialect = "xray",
		.line = e->message,
		.request = {
			.end_ns = WHEN_NONE,
			.duration_ns = -1,
			.bytes = -1,
		},
		.segment = { .end_ns = WHEN_NONE },
	};
}

static struct xray_token
token_of(const struct json_val *v, struct arena *arena)
{
	bool truth = false;

	switch (json_type(v)) {
	case JSON_NONE:
	case JSON_NULL:
		return (struct xray_token){ .type = XRAY_ABSENT };
	case JSON_BOOL:
		json_bool(v, &truth);
		return (struct xray_token){ .type = truth ? XRAY_TRUE
							  : XRAY_FALSE };
	case JSON_NUMBER:
		return (struct xray_token){ XRAY_NUMBER,
			arena_dup(arena, json_raw(v)) };
	case JSON_STRING:
		return (struct xray_token){ XRAY_STRING,
			arena_dup(arena, json_str(v)) };
	case JSON_OBJECT:
		return (struct xray_token){ .type = XRAY_OBJECT };
	case JSON_ARRAY:
		break;
	}
	return (struct xray_token){ .type = XRAY_OTHER };
}

/* A parent's row stands before its children's in the table. */
static void
tree_fields(const struct json_val *root, struct arena *arena,
    struct xray_fields *f)
{
	const struct json_val *at[SPAN_PLACES] = { [IN_SPAN] = root };

	for (int i = 0; i < XRAY_FIELDS; i++) {
		const struct xray_key *k = &xray_keys[i];
		const struct json_val *v =
		    json_get(at[k->place], str_of(k->name));

		f->of[k->field] = token_of(v, arena);
		if (k->inner != IN_SPAN && json_type(v) == JSON_OBJECT)
			at[k->inner] = v;
	}
	/* Of the unusual documents each is read. */
	f->failures_within = true;
}

/* The bytes of a text that are not white space outside of strings. */
static size_t
compact_size(struct str s)
{
	size_t n = 0;
	bool quoted = false;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (quoted && c == '\\' && i + 1 < s.n) {
			n++;
			i++;
		} else if (c == '"') {
			quoted = !quoted;
		}
		n +=
		    quoted || (c != ' ' && c != '\t' && c != '\n' && c != '\r');
	}
	return n;
}

/* Sets *root to a document's object, or returns what is wrong. */
static const char *
tree_parse(struct json *json, struct str text, const struct json_val **root)
{
	struct json_bad bad;

	if (json_parse(json, text, &bad) != 0)
		return str_eq(str_of(bad.what), STR("nested too deeply"))
			   ? "document nested too deeply: expected at most 512 "
			     "levels"
			   : "document that is not JSON: expected one object";
	*root = json_root(json);
	if (json_type(*root) != JSON_OBJECT)
		return "document that is not an object: expected {\"id\": …}";
	return NULL;
}

const char *
xray_tree(struct json *json, struct str doc, struct arena *arena,
    struct xray_fields *f)
{
	const struct json_val *root = NULL;
	const char *bad;

	if (doc.n > XRAY_DOCUMENT_MAX && compact_size(doc) > XRAY_DOCUMENT_MAX)
		return "segment document too long: expected at most 64 KiB";
	bad = tree_parse(json, doc, &root);
	if (!bad)
		tree_fields(root, arena, f);
	return bad;
}

enum decode
xray_decode(struct xray *x, const struct event *e, struct arena *arena,
    struct record *r, const char **bad)
{
	struct xray_fields f;

	record_init(r, e, RECORD_SEGMENT);
	*bad = NULL;
	if (!xray_quick(&x->names, e->message, &f, x->marks))
		*bad = xray_tree(&x->json, e->message, arena, &f);
	else if (x->marks)
		r->segment.marks = (struct str){ (const char *)x->marks->v,
			x->marks->n * sizeof *x->marks->v };
	if (!*bad)
		*bad = judge_names(&f, &r->segment);
	if (!*bad)
		*bad = judge_times(&f, &r->segment);
	if (!*bad)
		*bad = judge_parent(&f, &r->segment);
	if (*bad)
		return DECODE_BAD;
	r->segment.doc = e->message;
	fill_segment(&f, r);
	return DECODE_OK;
}

/* Where GetTraceSummaries keeps what a segment has under other names. */
static const struct {
	const char *name;
	bool http; /* in the Http block */
	uint8_t field;
} summary_keys[] = {
	{ "Id", false, XRAY_TRACE_ID },
	{ "StartTime", false, XRAY_START_TIME },
	{ "HttpURL", true, XRAY_URL },
	{ "HttpStatus", true, XRAY_STATUS },
	{ "HttpMethod", true, XRAY_METHOD },
	{ "UserAgent", true, XRAY_USER_AGENT },
	{ "ClientIp", true, XRAY_CLIENT_IP },
};

/* Seconds of the first member that is a number, as nanoseconds; -1: none. */
static int64_t
summary_seconds(const struct json_val *root, struct str key, struct str other)
{
	int64_t ns;

	if (when_epoch(json_raw(json_get(root, key)), &ns) && ns >= 0)
		return ns;
	if (when_epoch(json_raw(json_get(root, other)), &ns) && ns >= 0)
		return ns;
	return -1;
}

/* The time at which a summary's answer went out, if it says. */
static int64_t
summary_end(const struct xray_fields *f, int64_t duration)
{
	int64_t start;

	if (!token_time(&f->of[XRAY_START_TIME], &start) || start < 0)
		return WHEN_NONE;
	if (duration < 0)
		return start;
	return start > INT64_MAX - duration ? WHEN_NONE : start + duration;
}

enum decode
xray_decode_summary(struct xray *x, const struct event *e, struct arena *arena,
    struct record *r, const char **bad)
{
	const struct json_val *root = NULL;
	const struct json_val *http;
	struct xray_fields f = { 0 };
	uint8_t id[16];

	record_init(r, e, RECORD_REQUEST);
	r->dialect = "xray-summary";
	*bad = tree_parse(&x->json, e->message, &root);
	if (*bad)
		return DECODE_BAD;
	http = json_get(root, STR("Http"));
	for (size_t i = 0; i < sizeof summary_keys / sizeof *summary_keys; i++)
		f.of[summary_keys[i].field] =
		    token_of(json_get(summary_keys[i].http ? http : root,
				 str_of(summary_keys[i].name)),
			arena);
	r->request.trace_id = text_of(&f, XRAY_TRACE_ID);
	if (!xray_trace_id(r->request.trace_id, id)) {
		*bad = "trace summary without a valid Id: expected "
		       "1-8hex-24hex";
		return DECODE_BAD;
	}
	fill_request(&f, &r->request);
	r->request.duration_ns =
	    summary_seconds(root, STR("ResponseTime"), STR("Duration"));
	r->request.end_ns = summary_end(&f, r->request.duration_ns);
	r->ts_ns = r->request.end_ns;
	return DECODE_OK;
}
