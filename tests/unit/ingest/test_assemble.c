/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents to traces: the same trace for any order, the published traces of
 * the corpus, and what hostile documents cost.
 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>

#include "core/json.h"
#include "core/mem.h"
#include "ingest/assemble.h"
#include "ingest/xray.h"

#define CORPUS "../shared/corpus/"
#define TRACE "1-581cf771-a006649127e371903a2de979"

/* The documents of a trace as text, and what came of them. */
struct docs {
	struct str *v;
	size_t n;
	size_t cap;
	struct arena arena;
};

static void
docs_add(struct docs *d, struct str doc)
{
	d->v = xgrow(d->v, d->n + 1, &d->cap, sizeof *d->v);
	d->v[d->n++] = arena_dup(&d->arena, doc);
}

static void
docs_fini(struct docs *d)
{
	free(d->v);
	arena_fini(&d->arena);
}

static void __attribute__((format(printf, 2, 3)))
docs_printf(struct docs *d, const char *fmt, ...)
{
	struct buf b = { 0 };
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	docs_add(d, buf_view(&b));
	buf_fini(&b);
}

static struct buf
file_read(const char *path)
{
	struct buf b = { 0 };
	FILE *f = fopen(path, "rb");
	size_t n = f ? 1 : 0;

	while (n > 0) {
		n = fread(buf_room(&b, 65536), 1, 65536, f);
		b.n += n;
	}
	if (f)
		fclose(f);
	else
		cr_log_warn("%s is not there: skipped", path);
	return b;
}

static struct json_val *
member(const struct json_val *o, const char *key)
{
	return json_get(o, str_of(key));
}

static void
segments_load(struct docs *d, const struct json_val *segments)
{
	struct json_iter it;
	struct json_val *s;

	json_iter_init(&it, segments);
	for (s = json_iter_next(&it); s; s = json_iter_next(&it)) {
		struct json_val *doc = member(s, "Document");
		struct buf b = { 0 };

		if (json_type(doc) == JSON_STRING)
			buf_str(&b, json_str(doc));
		else
			json_put_val(&b, doc ? doc : s);
		docs_add(d, buf_view(&b));
		buf_fini(&b);
	}
}

/* A trace as BatchGetTraces or a console prints it. */
static bool
docs_load(struct docs *d, const char *name)
{
	struct json j = { 0 };
	struct json_bad bad;
	struct buf path = { 0 };
	struct buf file;
	struct json_val *trace;
	struct json_iter it;

	buf_printf(&path, CORPUS "xray/%s", name);
	file = file_read(buf_cstr(&path));
	if (file.n > 0) {
		cr_assert_eq(json_parse(&j, buf_view(&file), &bad), 0);
		trace = json_root(&j);
		if (member(trace, "Traces")) {
			json_iter_init(&it, member(trace, "Traces"));
			trace = json_iter_next(&it);
		}
		segments_load(d, member(trace, "Segments"));
	}
	json_fini(&j);
	buf_fini(&file);
	buf_fini(&path);
	return d->n > 0;
}

static size_t
add_all(struct assembler *a, const struct docs *d)
{
	struct xray *x = xray_new();
	struct arena arena = { 0 };
	size_t bad = 0;

	for (size_t i = 0; i < d->n; i++) {
		struct event e = { .ts_ns = WHEN_NONE, .message = d->v[i] };
		struct record r;
		const char *why;

		if (xray_decode(x, &e, &arena, &r, &why) == DECODE_OK)
			assembler_add(a, &r);
		else
			bad++;
	}
	xray_free(x);
	arena_fini(&arena);
	return bad;
}

static void
put_span(struct buf *b, const struct trace *t, size_t i)
{
	const struct span *s = &t->spans[i];

	buf_printf(b, "%*s%.*s %.*s kind %d flags %x %lld+%lld self %lld",
	    (int)s->depth, "", STR_ARG(s->id), STR_ARG(s->name), s->kind,
	    s->flags, (long long)s->start_ns, (long long)span_duration(s),
	    (long long)s->self_ns);
	buf_printf(b, " critical %lld parent %d size %d segment %d node %d",
	    (long long)s->critical_ns, (int)s->parent, (int)s->size,
	    (int)s->segment, (int)s->node);
	if (s->http)
		buf_printf(b, " %.*s %.*s %d", STR_ARG(s->http->method),
		    STR_ARG(s->http->url), (int)s->http->status);
	for (uint32_t k = 0; k < s->n_annotations; k++)
		buf_printf(b, " %.*s=%.*s", STR_ARG(s->annotations[k].key),
		    STR_ARG(s->annotations[k].text));
	buf_char(b, '\n');
}

static void
put_causes(struct buf *b, const struct trace *t, int kind)
{
	for (size_t i = 0; i < t->causes[kind].n; i++) {
		const struct trace_cause *c = &t->causes[kind].v[i];

		buf_printf(b, "cause %d impact %d:", kind, c->client_impacting);
		for (uint32_t s = 0; s < c->n_services; s++) {
			buf_printf(b, " node %u", c->services[s].node);
			for (uint32_t e = 0; e < c->services[s].n_entities;
			     e++) {
				const struct trace_entity *x =
				    &c->services[s].entities[e];

				buf_printf(b, " %.*s/%lld/%u%s",
				    STR_ARG(t->spans[x->span].name),
				    (long long)x->coverage_nano,
				    x->n_exceptions, x->remote ? "r" : "");
			}
		}
		buf_char(b, '\n');
	}
}

/* Everything that a trace says, so that two can be compared. */
static void
put_trace(struct buf *b, const struct trace *t)
{
	buf_printf(b, "%s start %lld duration %lld response %lld root %d\n",
	    t->id_text, (long long)t->start_ns, (long long)t->duration_ns,
	    (long long)t->response_ns, (int)t->root);
	buf_printf(b, "fault %d error %d throttle %d partial %d inferred %d\n",
	    t->has_fault, t->has_error, t->has_throttle, t->partial,
	    t->has_inferred);
	for (size_t i = 0; i < t->n_spans; i++)
		put_span(b, t, i);
	for (size_t i = 0; i < t->n_nodes; i++)
		buf_printf(b, "node %.*s %.*s %.*s %d%d%d\n",
		    STR_ARG(t->nodes[i].name), STR_ARG(t->nodes[i].type),
		    STR_ARG(t->nodes[i].account), t->nodes[i].client,
		    t->nodes[i].inferred, t->nodes[i].root);
	for (size_t i = 0; i < t->n_calls; i++)
		buf_printf(b, "call %u %u span %u callee %u alias %.*s\n",
		    t->calls[i].from, t->calls[i].to, t->calls[i].span,
		    t->calls[i].callee, STR_ARG(t->calls[i].alias));
	for (size_t i = 0; i < t->n_links; i++)
		buf_printf(b, "link %u span %u %.*s\n", t->links[i].node,
		    t->links[i].span, STR_ARG(t->links[i].link->id));
	for (int l = 0; l < TRACE_LISTS; l++)
		for (size_t i = 0; i < t->lists[l].n; i++) {
			const struct trace_value *v = &t->lists[l].v[i];

			buf_printf(b, "list %d %.*s=%.*s", l, STR_ARG(v->key),
			    STR_ARG(v->text));
			for (uint32_t k = 0; k < v->n_nodes; k++)
				buf_printf(b, " %u", t->refs[v->nodes + k]);
			buf_char(b, '\n');
		}
	for (int k = 0; k < TRACE_CAUSES; k++)
		put_causes(b, t, k);
}

/* What must hold of any trace. */
static void
check(const struct trace *t)
{
	int64_t critical = 0;

	for (size_t i = 0; i < t->n_spans; i++) {
		const struct span *s = &t->spans[i];

		cr_assert(s->size >= 1 && i + s->size <= t->n_spans);
		cr_assert(s->self_ns >= 0 && s->self_ns <= span_duration(s));
		cr_assert_geq(s->critical_ns, 0);
		critical += s->critical_ns;
		if (s->parent == SPAN_NONE)
			continue;
		cr_assert_lt(s->parent, i);
		cr_assert_lt(i, s->parent + t->spans[s->parent].size);
		cr_assert_eq(s->depth, t->spans[s->parent].depth + 1);
	}
	if (t->root != SPAN_NONE && t->response_ns >= 0)
		cr_assert_eq(critical, t->response_ns);
	for (size_t i = 0; i < t->n_calls; i++) {
		cr_assert_lt(t->calls[i].from, t->n_nodes);
		cr_assert_lt(t->calls[i].to, t->n_nodes);
		cr_assert_lt(t->calls[i].span, t->n_spans);
	}
}

/* All traces of the documents, printed. */
static struct buf
assemble(const struct docs *d)
{
	struct assembler *a = assembler_new(&assemble_defaults);
	const struct trace *t;
	struct buf b = { 0 };

	add_all(a, d);
	assembler_end(a);
	for (t = assembler_next(a); t; t = assembler_next(a)) {
		check(t);
		put_trace(&b, t);
	}
	assembler_free(a);
	return b;
}

static uint64_t
next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* The documents in another order, some of them twice. */
static void
shuffle(struct docs *d, uint64_t *seed)
{
	size_t n = d->n;

	for (size_t i = 0; i < n; i++)
		if (next(seed) % 4 == 0)
			docs_add(d, d->v[i]);
	for (size_t i = d->n; i > 1; i--) {
		size_t k = next(seed) % i;
		struct str s = d->v[i - 1];

		d->v[i - 1] = d->v[k];
		d->v[k] = s;
	}
}

static void
expect_any_order(struct docs *d, const char *name)
{
	struct buf first = assemble(d);
	uint64_t seed = 88172645463325252;
	size_t n = d->n;

	for (int i = 0; i < 20; i++) {
		struct buf again;

		shuffle(d, &seed);
		again = assemble(d);
		cr_expect(str_eq(buf_view(&first), buf_view(&again)),
		    "%s, order %d:\n%.*s\n%.*s", name, i,
		    STR_ARG(buf_view(&first)), STR_ARG(buf_view(&again)));
		buf_fini(&again);
		if (d->n > n * 4)
			break;
	}
	buf_fini(&first);
}

struct published {
	const char *name;
	int64_t duration_ns;
	size_t segments; /* not counting what was made here */
};

static const struct published published[] = {
	{ "guide-batch-get-traces.response.json", 3232000000, 5 },
	{ "awscli-batch-get-traces.response.json", 232000000, 2 },
	{ "iatk-trace-stepfunctions.json", 6413000000, 31 },
	{ "iatk-trace-with-links.json", 781000000, 2 },
	{ "grafana-trace-ec2-dynamodb.json", 48000000, 2 },
};

Test(assemble, has_the_published_durations_in_any_order)
{
	for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
		struct docs d = { 0 };
		struct assembler *a = assembler_new(&assemble_defaults);
		const struct trace *t;

		if (docs_load(&d, published[i].name)) {
			cr_expect_eq(add_all(a, &d), 0);
			assembler_end(a);
			t = assembler_next(a);
			cr_assert(t);
			check(t);
			cr_expect_eq((t->duration_ns + 500000) / 1000000,
			    published[i].duration_ns / 1000000, "%s: %lld",
			    published[i].name, (long long)t->duration_ns);
			cr_expect_eq(t->n_documents, published[i].segments,
			    "%s: %zu", published[i].name, t->n_documents);
			cr_expect_null(assembler_next(a));
			expect_any_order(&d, published[i].name);
		}
		assembler_free(a);
		docs_fini(&d);
	}
}

#define SEG "{\"trace_id\":\"" TRACE "\",\"id\":\"%016x\",\"name\":\"%s\","

/* A service that calls another, which streams its subsegments. */
static void
streamed_load(struct docs *d)
{
	docs_printf(d, SEG "\"start_time\":100,\"in_progress\":true}", 1, "a");
	docs_printf(d,
	    SEG "\"start_time\":100,\"end_time\":110,\"fault\":true,"
		"\"user\":\"u\",\"subsegments\":[{\"id\":\"%016x\","
		"\"name\":\"b\",\"namespace\":\"remote\",\"start_time\":101,"
		"\"end_time\":109,\"fault\":true,\"http\":{\"request\":"
		"{\"url\":\"http://b/\",\"traced\":true}}},{\"id\":\"x\"},"
		"{\"id\":\"%016x\",\"name\":\"S3\",\"namespace\":\"aws\","
		"\"start_time\":100.5,\"end_time\":100.75,\"aws\":"
		"{\"bucket_name\":\"pail\"}}]}",
	    1, "a", 2, 3);
	docs_printf(d,
	    SEG "\"parent_id\":\"%016x\",\"start_time\":102,\"end_time\":108,"
		"\"fault\":true,\"origin\":\"AWS::ECS::Container\"}",
	    4, "b.v1", 2);
	docs_printf(d,
	    SEG "\"parent_id\":\"%016x\",\"type\":\"subsegment\","
		"\"start_time\":103,\"in_progress\":true}",
	    5, "work", 4);
	docs_printf(d,
	    SEG "\"parent_id\":\"%016x\",\"type\":\"subsegment\","
		"\"start_time\":103,\"end_time\":107,\"fault\":true,"
		"\"annotations\":{\"k\":1,\"K\":true,\"l\":[1]},"
		"\"cause\":{\"exceptions\":[{\"id\":\"%016x\","
		"\"type\":\"E\",\"message\":\"m\"}]}}",
	    5, "work", 4, 9);
	docs_printf(d,
	    SEG "\"parent_id\":\"%016x\",\"type\":\"subsegment\","
		"\"namespace\":\"remote\",\"start_time\":104,"
		"\"end_time\":105,\"sql\":{\"url\":\"u\"}}",
	    6, "db@host", 5);
}

Test(assemble, joins_what_was_streamed)
{
	struct docs d = { 0 };
	struct assembler *a = assembler_new(&assemble_defaults);
	const struct trace *t;
	const struct trace_cause *c;

	streamed_load(&d);
	cr_assert_eq(add_all(a, &d), 0);
	assembler_end(a);
	t = assembler_next(a);
	cr_assert(t);
	check(t);
	cr_expect_eq(assembler_counts(a)->duplicates, 2);
	cr_expect_eq(assembler_counts(a)->broken, 1);
	cr_expect_eq(t->n_documents, 4);
	cr_expect_eq(t->n_spans, 8);
	cr_expect(!t->partial && t->has_fault && t->has_inferred);
	cr_expect_eq(t->response_ns, 10 * NS_PER_SEC);
	cr_expect_eq(t->n_nodes, 5);
	cr_expect_eq(t->n_calls, 4);
	cr_expect_eq(t->lists[TRACE_ANNOTATIONS].n, 2);
	cr_assert_eq(t->causes[TRACE_FAULT_CAUSE].n, 1);
	c = t->causes[TRACE_FAULT_CAUSE].v;
	cr_expect(c->client_impacting);
	cr_assert_eq(c->n_services, 2);
	cr_expect_eq(c->services[0].n_entities, 2);
	cr_expect_eq(c->services[1].n_entities, 2);
	cr_expect_eq(c->services[1].entities[1].n_exceptions, 1);
	assembler_free(a);
	expect_any_order(&d, "streamed");
	docs_fini(&d);
}

Test(assemble, names_inferred_nodes_after_the_resource)
{
	static const struct {
		const char *name, *more, *node, *type;
	} rows[] = {
		{ "DynamoDB", "\"aws\":{\"table_name\":\"t\"}", "t",
		    "AWS::DynamoDB::Table" },
		{ "dynamodb", "\"aws\":{\"table_names\":[\"t\"]}", "t",
		    "AWS::DynamoDB::Table" },
		{ "DynamoDB", "\"aws\":{\"table_names\":[\"t\",\"u\"]}",
		    "DynamoDB", "AWS::DynamoDB" },
		{ "SQS", "\"aws\":{\"queue_url\":\"q\"}", "q",
		    "AWS::SQS::Queue" },
		{ "SNS", "\"aws\":{\"topic_arn\":\"q\"}", "q", "AWS::SNS" },
		{ "Lambda", "\"aws\":{\"function_name\":\"f\"}", "f",
		    "AWS::Lambda" },
		{ "KMS", "\"aws\":{}", "KMS", "AWS::KMS" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct docs d = { 0 };
		struct assembler *a = assembler_new(&assemble_defaults);
		const struct trace *t;
		const struct trace_node *n;

		docs_printf(&d,
		    SEG "\"start_time\":1,\"end_time\":2,\"subsegments\":"
			"[{\"id\":\"%016x\",\"name\":\"%s\",\"namespace\":"
			"\"aws\",\"start_time\":1,\"end_time\":2,%s}]}",
		    1, "a", 2, rows[i].name, rows[i].more);
		cr_assert_eq(add_all(a, &d), 0);
		assembler_end(a);
		t = assembler_next(a);
		cr_assert_eq(t->n_spans, 3, "%s", rows[i].more);
		n = &t->nodes[t->spans[2].node];
		cr_expect(str_eq(n->name, str_of(rows[i].node)) &&
			      str_eq(n->type, str_of(rows[i].type)),
		    "%s: %.*s %.*s", rows[i].more, STR_ARG(n->name),
		    STR_ARG(n->type));
		assembler_free(a);
		docs_fini(&d);
	}
}

Test(assemble, cuts_circles_at_the_earliest)
{
	struct docs d = { 0 };
	struct buf b;

	for (int i = 1; i <= 5; i++)
		docs_printf(&d,
		    SEG "\"parent_id\":\"%016x\",\"start_time\":%d,"
			"\"end_time\":20}",
		    i, "a", i % 5 + 1, 10 - i);
	docs_printf(&d,
	    SEG "\"parent_id\":\"%016x\",\"start_time\":1,\"end_time\":2}", 7,
	    "self", 7);
	b = assemble(&d);
	cr_expect(str_find_str(buf_view(&b), STR("partial 1")) != SIZE_MAX);
	buf_fini(&b);
	expect_any_order(&d, "circle");
	docs_fini(&d);
}

Test(assemble, takes_100_000_segments_in_a_row_or_in_a_heap)
{
	for (int chain = 0; chain < 2; chain++) {
		struct docs d = { 0 };
		struct assembler *a = assembler_new(&assemble_defaults);
		const struct trace *t;

		docs_printf(&d, SEG "\"start_time\":1,\"end_time\":2}", 1, "a");
		for (int i = 2; i <= 100000; i++)
			docs_printf(&d,
			    SEG "\"parent_id\":\"%016x\",\"start_time\":1,"
				"\"end_time\":2,\"fault\":true}",
			    i, "a", chain ? i - 1 : 1);
		cr_assert_eq(add_all(a, &d), 0);
		assembler_end(a);
		t = assembler_next(a);
		cr_assert(t);
		check(t);
		cr_expect_eq(t->n_spans, 100000);
		cr_expect_eq(t->spans[99999].depth, chain ? 99999 : 1);
		cr_expect_eq(t->n_nodes, 2);
		assembler_free(a);
		docs_fini(&d);
	}
}

Test(assemble, keeps_1000_annotations_and_long_names)
{
	struct docs d = { 0 };
	struct buf b = { 0 };
	struct assembler *a = assembler_new(&assemble_defaults);
	const struct trace *t;
	char name[501];

	memset(name, 'n', sizeof name - 1);
	name[500] = '\0';
	buf_printf(&b, SEG "\"start_time\":1,\"end_time\":2,\"annotations\":{",
	    1, name);
	for (int i = 0; i < 1000; i++)
		buf_printf(&b, "%s\"%s%d\":%d", i ? "," : "", i % 2 ? "k" : "K",
		    i / 2, i);
	buf_cat(&b, "}}");
	docs_add(&d, buf_view(&b));
	cr_assert_eq(add_all(a, &d), 0);
	assembler_end(a);
	t = assembler_next(a);
	cr_expect_eq(t->lists[TRACE_ANNOTATIONS].n, 1000);
	cr_expect_eq(t->nodes[0].name.n, 500);
	assembler_free(a);
	buf_fini(&b);
	docs_fini(&d);
}

/* One document of its own trace each second. */
static void
traces_load(struct docs *d, int n)
{
	for (int i = 0; i < n; i++)
		docs_printf(d,
		    "{\"trace_id\":\"1-00000000-%024x\",\"id\":\"%016x\","
		    "\"name\":\"a\",\"start_time\":%d,\"end_time\":%d.5}",
		    i, i, i, i);
}

Test(assemble, finishes_by_the_watermark)
{
	struct assembler *a = assembler_new(&assemble_defaults);
	struct docs d = { 0 };
	const struct trace *t;
	int64_t last = INT64_MIN;
	size_t n = 0;

	traces_load(&d, 100);
	add_all(a, &d);
	cr_expect_null(assembler_next(a));
	assembler_advance(a, 90 * NS_PER_SEC);
	for (t = assembler_next(a); t; t = assembler_next(a)) {
		cr_expect_gt(t->end_ns, last);
		last = t->end_ns;
		n++;
	}
	cr_expect_eq(n, 30);
	cr_expect_eq(assembler_counts(a)->open, 70);
	assembler_end(a);
	while (assembler_next(a))
		n++;
	cr_expect_eq(n, 100);
	cr_expect_eq(assembler_counts(a)->open_bytes, 0);
	assembler_free(a);
	docs_fini(&d);
}

Test(assemble, evicts_the_oldest_and_knows_who_comes_late)
{
	struct assemble_options o = assemble_defaults;
	struct assembler *a;
	struct docs d = { 0 };
	const struct trace *t;

	o.traces_max = 10;
	a = assembler_new(&o);
	traces_load(&d, 12);
	add_all(a, &d);
	for (int i = 0; i < 2; i++) {
		t = assembler_next(a);
		cr_assert(t);
		cr_expect(t->evicted);
		cr_expect_eq(t->end_ns, i * NS_PER_SEC + NS_PER_SEC / 2);
		cr_expect_eq(t->revision, 1);
	}
	cr_expect_null(assembler_next(a));
	d.n = 1;
	add_all(a, &d);
	cr_expect_eq(assembler_counts(a)->late, 1);
	t = assembler_next(a);
	cr_assert(t);
	cr_expect_eq(t->revision, 2);
	cr_expect_eq(assembler_counts(a)->evicted, 3);
	assembler_free(a);
	docs_fini(&d);
}

Test(assemble, lets_no_flood_of_copies_push_out_documents)
{
	struct assemble_options o = assemble_defaults;
	struct assembler *a;
	struct docs d = { 0 };
	const struct trace *t;

	o.documents_max = 8;
	a = assembler_new(&o);
	for (int i = 0; i < 100; i++)
		docs_printf(&d, SEG "\"start_time\":1,\"end_time\":2}",
		    i % 20 == 0 ? i / 20 + 2 : 1, "a");
	add_all(a, &d);
	assembler_end(a);
	t = assembler_next(a);
	cr_expect_eq(t->n_documents, 6);
	cr_expect(!t->limit_exceeded);
	cr_expect_eq(assembler_counts(a)->refused, 0);
	assembler_free(a);
	docs_fini(&d);
}

Test(assemble, has_no_duration_when_only_orphans_came)
{
	struct docs d = { 0 };
	struct assembler *a = assembler_new(&assemble_defaults);
	const struct trace *t;

	docs_printf(&d,
	    SEG "\"parent_id\":\"%016x\",\"type\":\"subsegment\","
		"\"start_time\":3,\"end_time\":4}",
	    1, "a", 2);
	add_all(a, &d);
	assembler_end(a);
	t = assembler_next(a);
	cr_expect(t->partial);
	cr_expect_eq(t->duration_ns, -1);
	cr_expect_eq(t->response_ns, -1);
	cr_expect_eq(t->root, SPAN_NONE);
	cr_expect_eq(t->start_ns, 3 * NS_PER_SEC);
	assembler_free(a);
	docs_fini(&d);
}
