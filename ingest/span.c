/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A segment document to spans: by the marks that the reader at intake left, or
 * in one pass over the text where it left none.  Either way a key that is
 * wanted is a row of span_keys, whose value is read by the same functions.
 */
#include "ingest/span.h"

#include <stdlib.h>

#include "core/mem.h"
#include "ingest/keys.h"
#include "ingest/pull.h"
#include "ingest/span_keys.h"
#include "ingest/xray.h"

/* Deeper than any document that was accepted. */
enum { NESTING_MAX = 520 };

static const uint32_t flag_bits[] = { SPAN_IN_PROGRESS, SPAN_ERROR, SPAN_FAULT,
	SPAN_THROTTLE, SPAN_SENT_INFERRED, SPAN_TRACED, SPAN_FORWARDED };

/* Where the reader is: one span, and what is filled for it. */
struct reader {
	struct pull c;
	struct span_list *list;
	struct span s;
	uint32_t index; /* its place in the list, reserved */
	int depth;
	bool subsegment; /* "type" says so */
	uint64_t seen;   /* rows of `span_keys` that were met */
	struct span_http *http;
	struct span_aws *aws;
	struct span_sql *sql;
};

/*
 * The row of a member's key.  Whole words are compared; a short key at the very
 * end of the text is copied to where eight bytes can be read.
 */
static const struct span_key *
key_find(const struct reader *r, enum span_place place, struct str name)
{
	char room[PULL_ROOM] = { 0 };
	size_t tag;

	if ((uintptr_t)r->c.end - (uintptr_t)name.p < sizeof room) {
		memcpy(room, name.p, name.n < sizeof room ? name.n : 0);
		name.p = room;
	}
	tag = keys_find(&r->list->keys, place, name);
	return tag == KEYS_NONE ? NULL : &span_keys[tag];
}

/* The struct that a place's rows point into, made when it is first met. */
static char *
place_base(struct reader *r, enum span_place place)
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
	case SPAN_PLACES:
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
text_set(struct str *to, struct str s, bool text)
{
	if (text && !to->p)
		*to = s;
}

static void
integer_set(int64_t *to, struct str s)
{
	uint64_t v;

	if (str_u64(&s, &v) && v <= INT64_MAX)
		*to = (int64_t)v;
}

static void
time_set(int64_t *to, struct str s, bool text)
{
	int64_t ns;

	if (*to == WHEN_NONE && xray_time(s, text, &ns))
		*to = ns;
}

static void
text_read(struct reader *r, struct str *to)
{
	bool text = is_text(&r->c);

	text_set(to, pull_text(&r->c), text);
}

static void
integer_read(struct reader *r, int64_t *to)
{
	integer_set(to, pull_text(&r->c));
}

static void
time_read(struct reader *r, int64_t *to)
{
	bool text = is_text(&r->c);

	time_set(to, pull_text(&r->c), text);
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

/* The first of an array of names. */
static struct str
link_name_read(struct pull *c)
{
	struct str name = { NULL, 0 };

	if (!pull_enter(c, '['))
		return name;
	while (pull_item(c)) {
		bool text = is_text(c);

		text_set(&name, pull_text(c), text);
	}
	return name;
}

static void
link_attributes_read(struct reader *r, struct span_link *l)
{
	const struct str reserved = STR("aws.xray.reserved.");
	int64_t dwell_end_ns = WHEN_NONE;
	struct str key;

	if (!pull_enter(&r->c, '{'))
		return;
	while (pull_member(&r->c, &key)) {
		key = str_starts(key, reserved) ? str_from(key, reserved.n)
						: STR("");
		if (str_eq(key, STR("names")))
			l->name = link_name_read(&r->c);
		else if (str_eq(key, STR("type")))
			text_read(r, &l->type);
		else if (str_eq(key, STR("reference_type")))
			l->to_parent = str_eq(pull_text(&r->c), STR("parent"));
		else if (str_eq(key, STR("received_event_end_time")))
			time_read(r, &l->received_ns);
		else if (str_eq(key, STR("dwell_end_time")))
			time_read(r, &dwell_end_ns);
		else
			pull_skip(&r->c);
	}
	if (l->received_ns == WHEN_NONE)
		l->received_ns = dwell_end_ns;
}

static void
link_read(struct reader *r, struct span_link *l)
{
	struct str key;

	*l = (struct span_link){ .received_ns = WHEN_NONE };
	if (!pull_enter(&r->c, '{'))
		return;
	while (pull_member(&r->c, &key)) {
		if (str_eq(key, STR("trace_id")))
			text_read(r, &l->trace_id);
		else if (str_eq(key, STR("id")))
			text_read(r, &l->id);
		else if (str_eq(key, STR("attributes")))
			link_attributes_read(r, l);
		else
			pull_skip(&r->c);
	}
}

static void
links_read(struct reader *r)
{
	size_t n;
	struct span_link *v = items_begin(r, sizeof *v, &n);
	uint32_t used = 0;

	while (v && pull_item(&r->c) && used < n)
		link_read(r, &v[used++]);
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
static void value_read(struct reader *r, const struct span_key *k, char *base);

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
members_read(struct reader *r, enum span_place place)
{
	char *base = place_base(r, place);
	struct str name;

	if (!pull_enter(&r->c, '{'))
		return;
	while (pull_member(&r->c, &name)) {
		const struct span_key *k = key_find(r, place, name);

		if (k && !(r->seen >> (k - span_keys) & 1)) {
			r->seen |= UINT64_C(1) << (k - span_keys);
			value_read(r, k, base);
		} else {
			pull_skip(&r->c);
		}
	}
}

static void
value_read(struct reader *r, const struct span_key *k, char *base)
{
	void *to = base + k->at;

	switch ((enum span_what)k->what) {
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
		members_read(r, (enum span_place)k->at);
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
	case NO_SPANS:
		pull_skip(&r->c);
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
span_begin(struct reader *r, struct span_list *list, uint32_t parent, int depth)
{
	*r = (struct reader){
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
	list_add(list)->parent = parent;
}

/* What was read goes to its place in the list. */
static void
span_end(struct reader *r)
{
	r->s.http = r->http;
	r->s.aws = r->aws;
	r->s.sql = r->sql;
	if (r->s.flags & SPAN_IN_PROGRESS)
		r->s.end_ns = WHEN_NONE;
	else if (r->s.end_ns == WHEN_NONE)
		r->s.flags |= SPAN_IN_PROGRESS;
	span_outcome(&r->s);
	if (r->depth == 0)
		top_fill(r);
	if (r->s.start_ns == WHEN_NONE || r->s.name.n == 0) {
		r->s.flags |= SPAN_BROKEN;
		r->list->broken++;
	}
	r->list->v[r->index] = r->s;
}

static void
span_fill(struct span_list *list, struct pull *c, uint32_t parent, int depth)
{
	struct reader r;

	if (pull_peek(c) != '{' || list->n >= SPAN_NONE - 1) {
		pull_skip(c);
		return;
	}
	span_begin(&r, list, parent, depth);
	r.c = *c;
	members_read(&r, IN_SPAN);
	*c = r.c;
	span_end(&r);
}

/* A document, and those of its marks that were not yet used. */
struct marked {
	struct span_list *list;
	struct str doc, marks;
	struct arena *arena;
};

/* Blocks are only made: what is in one has marks of its own. */
static void
marked_value(struct reader *r, const struct span_mark *m,
    const struct span_key *k)
{
	char *base = place_base(r, (enum span_place)k->place);
	struct str s = { r->c.p, m->n };
	void *to = base + k->at;

	if (k->what == BLOCK)
		place_base(r, (enum span_place)k->at);
	else if (m->form == MARK_VALUE)
		value_read(r, k, base);
	else if (k->what == TEXT)
		text_set(to, s, m->form == MARK_TEXT);
	else if (k->what == TIME)
		time_set(to, s, m->form == MARK_TEXT);
	else if (k->what == INTEGER)
		integer_set(to, s);
}

static void
marked_fill(struct marked *in, uint32_t parent, int depth)
{
	struct reader r;
	struct span_mark m;

	span_begin(&r, in->list, parent, depth);
	r.c = (struct pull){ in->doc.p, in->doc.p + in->doc.n, in->arena };
	while (in->marks.n >= sizeof m) {
		memcpy(&m, in->marks.p, sizeof m);
		in->marks = str_from(in->marks, sizeof m);
		if (m.form == MARK_CLOSE)
			break;
		if (m.form == MARK_OPEN) {
			marked_fill(in, r.index, depth + 1);
			continue;
		}
		r.c.p = in->doc.p + m.at;
		marked_value(&r, &m, &span_keys[m.key]);
	}
	span_end(&r);
}

static void
list_ready(struct span_list *list)
{
	struct keys_name names[SPAN_KEYS];

	for (size_t i = 0; i < SPAN_KEYS; i++)
		names[i] =
		    (struct keys_name){ span_keys[i].name, span_keys[i].place };
	keys_init(&list->keys, names, SPAN_KEYS);
}

void
span_list_fini(struct span_list *list)
{
	free(list->v);
	free(list->scratch);
	*list = (struct span_list){ 0 };
}

void
span_read(struct span_list *list, struct str doc, struct str marks,
    struct arena *arena)
{
	struct pull c = { doc.p, doc.p + doc.n, arena };
	struct marked in = { list, doc, marks, arena };

	if (marks.n > 0) {
		marked_fill(&in, SPAN_NONE, 0);
		return;
	}
	if (list->keys.n == 0)
		list_ready(list);
	span_fill(list, &c, SPAN_NONE, 0);
}
