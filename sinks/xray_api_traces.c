/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BatchGetTraces: a trace's segments, each with its document as a text.
 *
 * A document that was sent whole is given back byte for byte.  Where
 * subsegments were sent apart, the segment's document is written anew with
 * them inside, each below the entity that its parent_id names, without what
 * only a document sent alone needs (trace_id, parent_id, type).  An inferred
 * segment that nobody sent is made of its call: times, http, aws, sql and flags
 * as the caller's document writes them.
 *
 * All of this walks the documents' own trees, so that what we do not know is
 * kept.  The nesting that is written is at most FOLD_DEPTH documents deep; who
 * is deeper goes beside its ancestor at that depth.
 */
#include "sinks/xray_api.h"

#include <stdlib.h>

#include "core/json.h"
#include "core/mem.h"
#include "core/when.h"
#include "sinks/xray_api_parts.h"

enum { FOLD_DEPTH = 100 };

/* What hangs on an entity of a document: by the entity's id. */
struct hook {
	struct str id; /* of the entity; of `alone`: the span's own */
	uint32_t span; /* what hangs on it */
	bool folded;   /* a subsegment sent apart, else an inferred segment */
	bool done;
};

enum { HAS_FOLDED = 1, HAS_MADE = 2 };

struct folding {
	const struct trace *t;
	struct hook *hooks; /* by id, then span */
	size_t n_hooks;
	struct hook *alone; /* those folded, by their own id */
	size_t n_alone;
	uint8_t *has;    /* by segment: HAS_FOLDED, HAS_MADE */
	struct buf made; /* items of inferred segments */
	struct buf text; /* of one document */
};

static bool
is_alone(const struct trace *t, const struct span *s)
{
	return s->kind == SPAN_SUBSEGMENT && s->document != SPAN_NONE &&
	       s->parent != SPAN_NONE && (s->flags & SPAN_ALONE) &&
	       t->spans[s->parent].document != s->document;
}

static bool
is_made(const struct span *s)
{
	return (s->flags & (SPAN_MADE | SPAN_PLACEHOLDER)) == SPAN_MADE &&
	       s->parent != SPAN_NONE;
}

static int
hook_cmp(const void *pa, const void *pb)
{
	const struct hook *a = pa;
	const struct hook *b = pb;
	int c = str_cmp(a->id, b->id);

	return c ? c : a->span < b->span ? -1 : a->span > b->span;
}

static void
hook_add(struct folding *f, uint32_t i, uint32_t entity, bool folded)
{
	const struct span *v = f->t->spans;
	uint32_t segment = v[v[i].parent].segment;

	f->hooks[f->n_hooks++] =
	    (struct hook){ .id = v[entity].id, .span = i, .folded = folded };
	if (folded)
		f->alone[f->n_alone++] =
		    (struct hook){ v[i].id, i, true, false };
	if (segment != SPAN_NONE)
		f->has[segment] |= folded ? HAS_FOLDED : HAS_MADE;
}

/*
 * Finds for each span that was sent apart the entity that it goes below: its
 * parent, or at FOLD_DEPTH the place where that one went.
 */
static void
hooks_make(struct folding *f)
{
	const struct trace *t = f->t;
	size_t n = t->n_spans + 1;
	uint32_t *place = xcalloc(n, sizeof *place);
	uint32_t *deep = xcalloc(n, sizeof *deep);

	f->hooks = xcalloc(n, sizeof *f->hooks);
	f->alone = xcalloc(n, sizeof *f->alone);
	f->has = xcalloc(n, sizeof *f->has);
	for (uint32_t i = 0; i < t->n_spans; i++) {
		const struct span *s = &t->spans[i];
		bool alone = is_alone(t, s);

		place[i] = i;
		if (s->kind == SPAN_SUBSEGMENT && s->parent != SPAN_NONE) {
			deep[i] = deep[s->parent] + alone;
			if (deep[i] >= FOLD_DEPTH)
				place[i] = place[s->parent];
		}
		if (alone)
			hook_add(f, i, place[s->parent], true);
		else if (is_made(s))
			hook_add(f, i, s->parent, false);
	}
	if (f->n_hooks > 1)
		qsort(f->hooks, f->n_hooks, sizeof *f->hooks, hook_cmp);
	if (f->n_alone > 1)
		qsort(f->alone, f->n_alone, sizeof *f->alone, hook_cmp);
	free(place);
	free(deep);
}

/* The first of them with an id; n: there is none. */
static size_t
hook_find(const struct hook *v, size_t n, struct str id)
{
	size_t lo = 0;
	size_t hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (str_cmp(v[mid].id, id) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < n && id.n > 0 && str_eq(v[lo].id, id) ? lo : n;
}

/* What a document alone needs, and one inside another does not. */
static bool
of_alone(struct str key)
{
	return str_eq(key, STR("trace_id")) || str_eq(key, STR("parent_id")) ||
	       str_eq(key, STR("type"));
}

/* What an inferred segment has of its call. */
static bool
of_call(struct str key)
{
	static const char *const keys[] = { "start_time", "end_time",
		"in_progress", "http", "aws", "sql", "error", "fault",
		"throttle", NULL };

	for (size_t i = 0; keys[i]; i++)
		if (str_eq(key, str_of(keys[i])))
			return true;
	return false;
}

static void
put_segment(struct buf *b, struct str id, struct str document)
{
	json_item(b);
	buf_char(b, '{');
	json_member_str(b, "Id", id);
	json_member_str(b, "Document", document);
	buf_char(b, '}');
}

/* The type that the graph gives the callee, unless that says nothing. */
static struct str
origin_of(const struct trace *t, const struct span *s)
{
	struct str type = s->node == SPAN_NONE ? (struct str){ NULL, 0 }
					       : t->nodes[s->node].type;

	if (s->origin.n > 0)
		return s->origin;
	return str_eq(type, STR("remote")) ? (struct str){ NULL, 0 } : type;
}

/* What the call's document says, and what the span knows where that is not
 * to be found: a call without an id. */
static void
put_of_call(struct buf *doc, const struct span *s, const struct json_val *call)
{
	struct json_val *v;
	struct json_iter it;

	if (!call) {
		api_time(doc, "start_time", s->start_ns);
		api_time(doc, "end_time", s->end_ns);
		if (s->flags & SPAN_IN_PROGRESS)
			json_member_bool(doc, "in_progress", true);
		return;
	}
	json_iter_init(&it, call);
	for (v = json_iter_next(&it); v; v = json_iter_next(&it)) {
		if (!of_call(it.key))
			continue;
		json_item(doc);
		json_put_str(doc, it.key);
		buf_char(doc, ':');
		json_put_val(doc, v);
	}
}

static void
put_made(struct folding *f, const struct span *s, const struct json_val *call)
{
	struct buf doc = { 0 };

	buf_char(&doc, '{');
	json_member_str(&doc, "id", s->id);
	json_member_str(&doc, "name", s->name);
	api_text(&doc, "parent_id", s->parent_id);
	json_member_bool(&doc, "inferred", true);
	json_member_str(&doc, "trace_id",
	    (struct str){ f->t->id_text, TRACE_ID_SIZE });
	api_text(&doc, "origin", origin_of(f->t, s));
	put_of_call(&doc, s, call);
	buf_char(&doc, '}');
	put_segment(&f->made, s->id, buf_view(&doc));
	buf_fini(&doc);
}

static void put_entity(struct folding *f, const struct json_val *entity,
    bool folded);

/* An entity sent apart, at the place where it belongs. */
static void
put_folded(struct folding *f, struct str doc)
{
	struct json j = { 0 };
	struct json_bad bad;

	/* The assembler has read it: it is JSON. */
	if (json_parse(&j, doc, &bad) == 0) {
		json_item(&f->text);
		put_entity(f, json_root(&j), true);
	}
	json_fini(&j);
}

/* Whether the one that was sent apart counts, and not this copy. */
static bool
counts_elsewhere(const struct folding *f, const struct json_val *copy)
{
	struct str id = json_str(json_get(copy, STR("id")));

	return hook_find(f->alone, f->n_alone, id) < f->n_alone;
}

static void
put_subsegments(struct folding *f, const struct json_val *list, struct str id)
{
	size_t first = hook_find(f->hooks, f->n_hooks, id);
	struct json_val *v;
	struct json_iter it;

	json_iter_init(&it, list);
	if (json_type(list) == JSON_ARRAY) {
		for (v = json_iter_next(&it); v; v = json_iter_next(&it)) {
			if (counts_elsewhere(f, v))
				continue;
			json_item(&f->text);
			put_entity(f, v, false);
		}
	}
	for (size_t i = first; i < f->n_hooks && str_eq(f->hooks[i].id, id);
	     i++) {
		const struct span *s = &f->t->spans[f->hooks[i].span];

		if (!f->hooks[i].folded || f->hooks[i].done)
			continue;
		f->hooks[i].done = true;
		put_folded(f, f->t->documents[s->document].text);
	}
}

static void
put_inferred(struct folding *f, const struct json_val *entity, struct str id)
{
	for (size_t i = hook_find(f->hooks, f->n_hooks, id);
	     i < f->n_hooks && str_eq(f->hooks[i].id, id); i++) {
		if (f->hooks[i].folded || f->hooks[i].done)
			continue;
		f->hooks[i].done = true;
		put_made(f, &f->t->spans[f->hooks[i].span], entity);
	}
}

/* A segment or subsegment with all that belongs below it. */
static void
put_entity(struct folding *f, const struct json_val *entity, bool folded)
{
	struct str id = json_str(json_get(entity, STR("id")));
	size_t at;
	struct json_val *v;
	struct json_iter it;

	if (json_type(entity) != JSON_OBJECT) {
		json_put_val(&f->text, entity);
		return;
	}
	put_inferred(f, entity, id);
	buf_char(&f->text, '{');
	json_iter_init(&it, entity);
	for (v = json_iter_next(&it); v; v = json_iter_next(&it)) {
		if (str_eq(it.key, STR("subsegments")) ||
		    (folded && of_alone(it.key)))
			continue;
		json_item(&f->text);
		json_put_str(&f->text, it.key);
		buf_char(&f->text, ':');
		json_put_val(&f->text, v);
	}
	at = f->text.n;
	api_open(&f->text, "subsegments", '[');
	put_subsegments(f, json_get(entity, STR("subsegments")), id);
	if (f->text.p[f->text.n - 1] == '[')
		f->text.n = at;
	else
		buf_char(&f->text, ']');
	buf_char(&f->text, '}');
}

static void
put_document(struct buf *out, struct folding *f, uint32_t segment)
{
	const struct span *s = &f->t->spans[segment];
	struct str doc = f->t->documents[s->document].text;
	bool folded = f->has[segment] & HAS_FOLDED;
	struct json j = { 0 };
	struct json_bad bad;

	buf_reset(&f->text);
	if (f->has[segment] && json_parse(&j, doc, &bad) == 0)
		put_entity(f, json_root(&j), false);
	put_segment(out, s->id, folded ? buf_view(&f->text) : doc);
	json_fini(&j);
}

void
xray_api_trace(struct buf *out, const struct trace *t)
{
	struct folding f = { .t = t };

	hooks_make(&f);
	json_item(out);
	buf_char(out, '{');
	json_member_str(out, "Id", (struct str){ t->id_text, TRACE_ID_SIZE });
	api_duration(out, "Duration", t->duration_ns);
	json_member_bool(out, "LimitExceeded", t->limit_exceeded);
	api_open(out, "Segments", '[');
	for (uint32_t i = 0; i < t->n_spans; i++) {
		const struct span *s = &t->spans[i];

		if (s->kind != SPAN_SUBSEGMENT && s->document != SPAN_NONE &&
		    (s->flags & SPAN_ALONE))
			put_document(out, &f, i);
	}
	for (size_t i = 0; i < f.n_hooks; i++)
		if (!f.hooks[i].folded && !f.hooks[i].done)
			put_made(&f, &t->spans[f.hooks[i].span], NULL);
	if (f.made.n > 0) {
		json_item(out);
		buf_str(out, buf_view(&f.made));
	}
	buf_cat(out, "]}");
	free(f.hooks);
	free(f.alone);
	free(f.has);
	buf_fini(&f.made);
	buf_fini(&f.text);
}

void
xray_api_traces_begin(struct buf *b)
{
	buf_cat(b, "{\"Traces\":[");
}

void
xray_api_traces_end(struct buf *b, const struct str *unknown, size_t n)
{
	buf_char(b, ']');
	api_open(b, "UnprocessedTraceIds", '[');
	for (size_t i = 0; i < n; i++) {
		json_item(b);
		json_put_str(b, unknown[i]);
	}
	buf_cat(b, "]}");
}
