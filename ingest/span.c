/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A segment document to spans, in one pass over its text.
 *
 * Every key that is wanted is one row of `keys`: where it stands, what it is,
 * and where it goes.  Of equal keys the first counts, as in core/json.h: one
 * bit a row says that it was met, so there are at most 64 rows.
 */
#include "ingest/span.h"

#include <stdlib.h>

#include "core/mem.h"
#include "ingest/keys.h"
#include "ingest/pull.h"
#include "ingest/xray.h"

/* Deeper than any document that was accepted. */
enum { NESTING_MAX = 520 };

enum inside {
	IN_SPAN,
	IN_HTTP,
	IN_REQUEST,
	IN_RESPONSE,
	IN_AWS,
	IN_EC2,
	IN_ECS,
	IN_SQL,
	PLACES
};

enum what {
	TEXT,    /* `at`: of a struct str in the place's struct */
	INTEGER, /* `at`: of an int64_t */
	TIME,    /* `at`: of an int64_t */
	FLAG,    /* `at`: of enum span_flag */
	BLOCK,   /* `at`: enum inside of what is in it */
	SUBSEGMENTS,
	ANNOTATIONS,
	CAUSE,
	LINKS,
	LOGS,
	TABLES,
	NAMESPACE,
	TYPE,
};

struct key {
	const char *name;
	uint8_t place;
	uint8_t what;
	uint16_t at;
};

#define IN(type, member) (uint16_t) offsetof(struct type, member)

/* Sorted by place; within one, the frequent first. */
static const struct key keys[] = {
	{ "id", IN_SPAN, TEXT, IN(span, id) },
	{ "name", IN_SPAN, TEXT, IN(span, name) },
	{ "start_time", IN_SPAN, TIME, IN(span, start_ns) },
	{ "end_time", IN_SPAN, TIME, IN(span, end_ns) },
	{ "parent_id", IN_SPAN, TEXT, IN(span, parent_id) },
	{ "in_progress", IN_SPAN, FLAG, 0 },
	{ "http", IN_SPAN, BLOCK, IN_HTTP },
	{ "aws", IN_SPAN, BLOCK, IN_AWS },
	{ "namespace", IN_SPAN, NAMESPACE, 0 },
	{ "subsegments", IN_SPAN, SUBSEGMENTS, 0 },
	{ "annotations", IN_SPAN, ANNOTATIONS, 0 },
	{ "error", IN_SPAN, FLAG, 1 },
	{ "fault", IN_SPAN, FLAG, 2 },
	{ "throttle", IN_SPAN, FLAG, 3 },
	{ "cause", IN_SPAN, CAUSE, 0 },
	{ "origin", IN_SPAN, TEXT, IN(span, origin) },
	{ "user", IN_SPAN, TEXT, IN(span, user) },
	{ "sql", IN_SPAN, BLOCK, IN_SQL },
	{ "resource_arn", IN_SPAN, TEXT, IN(span, resource_arn) },
	{ "inferred", IN_SPAN, FLAG, 4 },
	{ "traced", IN_SPAN, FLAG, 5 },
	{ "links", IN_SPAN, LINKS, 0 },
	{ "type", IN_SPAN, TYPE, 0 },
	{ "request", IN_HTTP, BLOCK, IN_REQUEST },
	{ "response", IN_HTTP, BLOCK, IN_RESPONSE },
	{ "url", IN_REQUEST, TEXT, IN(span_http, url) },
	{ "method", IN_REQUEST, TEXT, IN(span_http, method) },
	{ "user_agent", IN_REQUEST, TEXT, IN(span_http, agent) },
	{ "client_ip", IN_REQUEST, TEXT, IN(span_http, client_ip) },
	{ "x_forwarded_for", IN_REQUEST, FLAG, 6 },
	{ "traced", IN_REQUEST, FLAG, 5 },
	{ "status", IN_RESPONSE, INTEGER, IN(span_http, status) },
	{ "content_length", IN_RESPONSE, INTEGER, IN(span_http, length) },
	{ "operation", IN_AWS, TEXT, IN(span_aws, operation) },
	{ "region", IN_AWS, TEXT, IN(span_aws, region) },
	{ "request_id", IN_AWS, TEXT, IN(span_aws, request_id) },
	{ "table_name", IN_AWS, TEXT, IN(span_aws, table) },
	{ "table_names", IN_AWS, TABLES, 0 },
	{ "bucket_name", IN_AWS, TEXT, IN(span_aws, bucket) },
	{ "queue_url", IN_AWS, TEXT, IN(span_aws, queue_url) },
	{ "topic_arn", IN_AWS, TEXT, IN(span_aws, topic_arn) },
	{ "function_name", IN_AWS, TEXT, IN(span_aws, function) },
	{ "account_id", IN_AWS, TEXT, IN(span_aws, account) },
	{ "retries", IN_AWS, INTEGER, IN(span_aws, retries) },
	{ "ec2", IN_AWS, BLOCK, IN_EC2 },
	{ "ecs", IN_AWS, BLOCK, IN_ECS },
	{ "cloudwatch_logs", IN_AWS, LOGS, 0 },
	{ "instance_id", IN_EC2, TEXT, IN(span_aws, instance) },
	{ "availability_zone", IN_EC2, TEXT, IN(span_aws, zone) },
	{ "container", IN_ECS, TEXT, IN(span_aws, container) },
	{ "availability_zone", IN_ECS, TEXT, IN(span_aws, zone) },
	{ "url", IN_SQL, TEXT, IN(span_sql, url) },
	{ "sanitized_query", IN_SQL, TEXT, IN(span_sql, query) },
	{ "database_type", IN_SQL, TEXT, IN(span_sql, database) },
	{ "user", IN_SQL, TEXT, IN(span_sql, user) },
};

static const uint32_t flag_bits[] = { SPAN_IN_PROGRESS, SPAN_ERROR, SPAN_FAULT,
	SPAN_THROTTLE, SPAN_SENT_INFERRED, SPAN_TRACED, SPAN_FORWARDED };

_Static_assert(sizeof keys / sizeof *keys <= 64, "one bit a row");

/* Where the reader is: one span, and what is filled for it. */
struct reader {
	struct pull c;
	struct span_list *list;
	struct span s;
	uint32_t index; /* its place in the list, reserved */
	int depth;
	bool subsegment; /* "type" says so */
	uint64_t seen;   /* rows of `keys` that were met */
	struct span_http *http;
	struct span_aws *aws;
	struct span_sql *sql;
};

/*
 * The row of a member's key.  Whole words are compared; a short key at the very
 * end of the text is copied to where eight bytes can be read.
 */
static const struct key *
key_find(const struct reader *r, enum inside place, struct str name)
{
	char room[PULL_ROOM] = { 0 };
	size_t tag;

	if ((uintptr_t)r->c.end - (uintptr_t)name.p < sizeof room) {
		memcpy(room, name.p, name.n < sizeof room ? name.n : 0);
		name.p = room;
	}
	tag = keys_find(&r->list->keys, place, name);
	return tag == KEYS_NONE ? NULL : &keys[tag];
}

/* The struct that a place's rows point into, made when it is first met. */
static char *
place_base(struct reader *r, enum inside place)
{
	struct arena *a = r->c.arena;

	switch (place) {
	case IN_HTTP:
	case IN_REQUEST:
	case IN_RESPONSE:
		if (!r->http) {
			r->http = arena_alloc(a, sizeof *r->http);
			*r->http = (struct span_http){ .length = -1 };
		}
		return (char *)r->http;
	case IN_AWS:
	case IN_EC2:
	case IN_ECS:
		if (!r->aws) {
			r->aws = arena_alloc(a, sizeof *r->aws);
			*r->aws = (struct span_aws){ 0 };
		}
		return (char *)r->aws;
	case IN_SQL:
		if (!r->sql) {
			r->sql = arena_alloc(a, sizeof *r->sql);
			*r->sql = (struct span_sql){ 0 };
		}
		return (char *)r->sql;
	case IN_SPAN:
	case PLACES:
		break;
	}
	return (char *)&r->s;
}

static bool
is_text(struct pull *c)
{
	return pull_peek(c) == '"';
}

static void
text_read(struct reader *r, struct str *to)
{
	bool text = is_text(&r->c);
	struct str s = pull_text(&r->c);

	if (text && !to->p)
		*to = s;
}

static void
integer_read(struct reader *r, int64_t *to)
{
	struct str s = pull_text(&r->c);
	uint64_t v;

	if (str_u64(&s, &v) && v <= INT64_MAX)
		*to = (int64_t)v;
}

static void
time_read(struct reader *r, int64_t *to)
{
	bool text = is_text(&r->c);
	struct str s = pull_text(&r->c);
	int64_t ns;

	if (*to == WHEN_NONE && xray_time(s, text, &ns))
		*to = ns;
}

static void
flag_read(struct reader *r, uint32_t bit)
{
	char b = pull_peek(&r->c);

	pull_skip(&r->c);
	if (b == 't')
		r->s.flags |= bit;
	if ((b == 't' || b == 'f') &&
	    (bit & (SPAN_ERROR | SPAN_FAULT | SPAN_THROTTLE)))
		r->s.flags |= SPAN_GIVEN;
}

static void
namespace_read(struct reader *r)
{
	struct str s = pull_text(&r->c);

	if (str_eq(s, STR("remote")))
		r->s.flags |= SPAN_REMOTE;
	else if (str_eq(s, STR("aws")))
		r->s.flags |= SPAN_AWS;
}

/* How many items the array at the cursor has. */
static size_t
items_count(struct pull c)
{
	size_t n = 0;

	if (!pull_open(&c, '['))
		return 0;
	for (; pull_item(&c); n++)
		pull_skip(&c);
	return n;
}

/* Into an array, and room for its items; NULL: over it, it has none. */
static void *
items_begin(struct reader *r, size_t bytes, size_t *n)
{
	*n = items_count(r->c);
	if (*n == 0 || *n > UINT32_MAX) {
		pull_skip(&r->c);
		return NULL;
	}
	pull_open(&r->c, '[');
	return arena_alloc(r->c.arena, *n * bytes);
}

/* Strings, numbers and booleans; other values are no annotations. */
static bool
annotation_read(struct pull *c, struct span_annotation *a)
{
	char b = pull_peek(c);

	a->text = pull_text(c);
	a->value = SPAN_NUMBER;
	if (b == '"')
		a->value = SPAN_STRING;
	else if (b == 't' || b == 'f')
		a->value = SPAN_BOOLEAN;
	return b != '{' && b != '[' && b != 'n' && b != '\0';
}

static void
annotations_read(struct reader *r)
{
	struct span_list *l = r->list;
	struct span_annotation *v;
	struct str key;
	size_t n = 0;

	if (!pull_enter(&r->c, '{'))
		return;
	while (pull_member(&r->c, &key)) {
		l->scratch = xgrow(l->scratch, n + 1, &l->scratch_cap,
		    sizeof *l->scratch);
		l->scratch[n].key = key;
		n += annotation_read(&r->c, &l->scratch[n]);
	}
	if (n == 0 || n > UINT32_MAX)
		return;
	v = arena_alloc(r->c.arena, n * sizeof *v);
	memcpy(v, l->scratch, n * sizeof *v);
	r->s.annotations = v;
	r->s.n_annotations = (uint32_t)n;
}

static void
exception_read(struct pull *c, struct span_exception *x)
{
	struct str key;

	*x = (struct span_exception){ 0 };
	if (!pull_enter(c, '{'))
		return;
	while (pull_member(c, &key)) {
		if (str_eq(key, STR("id")))
			x->id = pull_text(c);
		else if (str_eq(key, STR("type")))
			x->type = pull_text(c);
		else if (str_eq(key, STR("message")))
			x->message = pull_text(c);
		else if (str_eq(key, STR("remote")))
			x->remote = pull_text(c).n == 4;
		else
			pull_skip(c);
	}
}

static void
exceptions_read(struct reader *r)
{
	size_t n;
	struct span_exception *v = items_begin(r, sizeof *v, &n);
	uint32_t used = 0;

	while (v && pull_item(&r->c) && used < n)
		exception_read(&r->c, &v[used++]);
	r->s.exceptions = v;
	r->s.n_exceptions = used;
}

/* An exception's id, {"id": it}, or the exceptions themselves. */
static void
cause_read(struct reader *r)
{
	struct str key;

	if (pull_peek(&r->c) != '{') {
		text_read(r, &r->s.cause_id);
		return;
	}
	pull_open(&r->c, '{');
	while (pull_member(&r->c, &key)) {
		if (str_eq(key, STR("exceptions")) && !r->s.exceptions)
			exceptions_read(r);
		else if (str_eq(key, STR("id")))
			text_read(r, &r->s.cause_id);
		else
			pull_skip(&r->c);
	}
}

static void
link_attributes_read(struct pull *c, struct span_link *l)
{
	struct str key;

	if (!pull_enter(c, '{'))
		return;
	while (pull_member(c, &key)) {
		if (str_eq(key, STR("aws.xray.reserved.reference_type")))
			l->to_parent = str_eq(pull_text(c), STR("parent"));
		else
			pull_skip(c);
	}
}

static void
link_read(struct pull *c, struct span_link *l)
{
	struct str key;

	*l = (struct span_link){ 0 };
	if (!pull_enter(c, '{'))
		return;
	while (pull_member(c, &key)) {
		if (str_eq(key, STR("trace_id")))
			l->trace_id = pull_text(c);
		else if (str_eq(key, STR("id")))
			l->id = pull_text(c);
		else if (str_eq(key, STR("attributes")))
			link_attributes_read(c, l);
		else
			pull_skip(c);
	}
}

static void
links_read(struct reader *r)
{
	size_t n;
	struct span_link *v = items_begin(r, sizeof *v, &n);
	uint32_t used = 0;

	while (v && pull_item(&r->c) && used < n)
		link_read(&r->c, &v[used++]);
	r->s.links = v;
	r->s.n_links = used;
}

/* The first group of [{"log_group": …}, …]. */
static void
logs_read(struct reader *r)
{
	struct span_aws *aws = r->aws;
	struct str key;

	if (!pull_enter(&r->c, '['))
		return;
	while (pull_item(&r->c)) {
		if (!pull_enter(&r->c, '{'))
			continue;
		while (pull_member(&r->c, &key)) {
			if (str_eq(key, STR("log_group")))
				text_read(r, &aws->log_group);
			else
				pull_skip(&r->c);
		}
	}
}

/* The table, when the list names exactly one. */
static void
tables_read(struct reader *r)
{
	size_t n = items_count(r->c);

	if (n != 1) {
		pull_skip(&r->c);
		return;
	}
	pull_open(&r->c, '[');
	while (pull_item(&r->c))
		text_read(r, &r->aws->table);
}

static void span_fill(struct span_list *list, struct pull *c, uint32_t parent,
    int depth);
static void value_read(struct reader *r, const struct key *k, char *base);

/*
 * The list may grow and move while what is embedded is read; so the span
 * itself is written when all of it is known.
 */
static void
subsegments_read(struct reader *r)
{
	if (r->depth > NESTING_MAX || !pull_open(&r->c, '[')) {
		pull_skip(&r->c);
		return;
	}
	while (pull_item(&r->c))
		span_fill(r->list, &r->c, r->index, r->depth + 1);
}

/* Reads the members of an object whose opening brace comes next. */
static void
members_read(struct reader *r, enum inside place)
{
	char *base = place_base(r, place);
	struct str name;

	if (!pull_enter(&r->c, '{'))
		return;
	while (pull_member(&r->c, &name)) {
		const struct key *k = key_find(r, place, name);

		if (k && !(r->seen >> (k - keys) & 1)) {
			r->seen |= UINT64_C(1) << (k - keys);
			value_read(r, k, base);
		} else {
			pull_skip(&r->c);
		}
	}
}

static void
value_read(struct reader *r, const struct key *k, char *base)
{
	void *to = base + k->at;

	switch ((enum what)k->what) {
	case TEXT:
		text_read(r, to);
		return;
	case INTEGER:
		integer_read(r, to);
		return;
	case TIME:
		time_read(r, to);
		return;
	case FLAG:
		flag_read(r, flag_bits[k->at]);
		return;
	case BLOCK:
		members_read(r, (enum inside)k->at);
		return;
	case SUBSEGMENTS:
		subsegments_read(r);
		return;
	case ANNOTATIONS:
		annotations_read(r);
		return;
	case CAUSE:
		cause_read(r);
		return;
	case LINKS:
		links_read(r);
		return;
	case LOGS:
		logs_read(r);
		return;
	case TABLES:
		tables_read(r);
		return;
	case NAMESPACE:
		namespace_read(r);
		return;
	case TYPE:
		r->subsegment = str_eq(pull_text(&r->c), STR("subsegment"));
		return;
	}
}

void
span_outcome(struct span *s)
{
	int64_t status = s->http ? s->http->status : 0;

	if (s->flags & SPAN_GIVEN)
		return;
	if (status >= 500 && status <= 599)
		s->flags |= SPAN_FAULT;
	else if (status >= 400 && status <= 499)
		s->flags |= SPAN_ERROR;
	if (status == 429)
		s->flags |= SPAN_THROTTLE;
}

/* What a document's own type makes of its top. */
static void
top_fill(struct reader *r)
{
	r->s.flags |= SPAN_ALONE;
	if (r->subsegment)
		return;
	r->s.kind = SPAN_SEGMENT;
	if (r->s.flags & SPAN_SENT_INFERRED)
		r->s.kind = SPAN_INFERRED;
}

static struct span *
list_add(struct span_list *list)
{
	list->v = xgrow(list->v, list->n + 1, &list->cap, sizeof *list->v);
	return &list->v[list->n++];
}

static void
span_fill(struct span_list *list, struct pull *c, uint32_t parent, int depth)
{
	struct reader r = {
		.c = *c,
		.list = list,
		.depth = depth,
		.index = (uint32_t)list->n,
		.s = { .start_ns = WHEN_NONE,
		    .end_ns = WHEN_NONE,
		    .document = SPAN_NONE,
		    .parent = parent,
		    .segment = SPAN_NONE,
		    .node = SPAN_NONE,
		    .kind = SPAN_SUBSEGMENT },
	};

	if (pull_peek(&r.c) != '{' || list->n >= SPAN_NONE - 1) {
		pull_skip(c);
		return;
	}
	*list_add(list) = r.s;
	members_read(&r, IN_SPAN);
	*c = r.c;
	r.s.http = r.http;
	r.s.aws = r.aws;
	r.s.sql = r.sql;
	if (r.s.flags & SPAN_IN_PROGRESS)
		r.s.end_ns = WHEN_NONE;
	else if (r.s.end_ns == WHEN_NONE)
		r.s.flags |= SPAN_IN_PROGRESS;
	span_outcome(&r.s);
	if (depth == 0)
		top_fill(&r);
	if (r.s.start_ns == WHEN_NONE || r.s.name.n == 0) {
		r.s.flags |= SPAN_BROKEN;
		list->broken++;
	}
	list->v[r.index] = r.s;
}

static void
list_ready(struct span_list *list)
{
	struct keys_name names[sizeof keys / sizeof *keys];
	size_t n = sizeof keys / sizeof *keys;

	for (size_t i = 0; i < n; i++)
		names[i] = (struct keys_name){ keys[i].name, keys[i].place };
	keys_init(&list->keys, names, n);
}

void
span_list_fini(struct span_list *list)
{
	free(list->v);
	free(list->scratch);
	*list = (struct span_list){ 0 };
}

void
span_read(struct span_list *list, struct str doc, struct arena *arena)
{
	struct pull c = { doc.p, doc.p + doc.n, arena };

	if (list->keys.n == 0)
		list_ready(list);
	span_fill(list, &c, SPAN_NONE, 0);
}
