/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spans read by a document's marks are those read from its text.
 */
#include <criterion/criterion.h>

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/buf.h"
#include "core/mem.h"
#include "ingest/span.h"
#include "ingest/span_keys.h"
#include "ingest/xray.h"

#define CORPUS "../shared/corpus/xray/"
#define HEAD                                                                   \
	"\"trace_id\":\"1-581cf771-a006649127e371903a2de979\","                \
	"\"id\":\"70de5b6f19ff9a0a\",\"name\":\"a\",\"start_time\":1.25,"
#define SUB "\"id\":\"70de5b6f19ff9a0b\",\"name\":\"b\",\"start_time\":1"

struct kit {
	struct xray *x;
	struct arena arena;
	struct span_list text, marked;
};

static bool
same_text(struct str a, struct str b)
{
	return (a.p != NULL) == (b.p != NULL) && str_eq(a, b);
}

static bool
same_http(const struct span_http *a, const struct span_http *b)
{
	if (!a || !b)
		return a == b;
	return same_text(a->method, b->method) && same_text(a->url, b->url) &&
	       same_text(a->agent, b->agent) && a->status == b->status &&
	       same_text(a->client_ip, b->client_ip) && a->length == b->length;
}

static bool
same_aws(const struct span_aws *a, const struct span_aws *b)
{
	if (!a || !b)
		return a == b;
	return same_text(a->operation, b->operation) &&
	       same_text(a->account, b->account) &&
	       same_text(a->region, b->region) &&
	       same_text(a->request_id, b->request_id) &&
	       same_text(a->table, b->table) &&
	       same_text(a->queue_url, b->queue_url) &&
	       same_text(a->instance, b->instance) &&
	       same_text(a->zone, b->zone) &&
	       same_text(a->log_group, b->log_group) &&
	       a->retries == b->retries;
}

static bool
same_lists(const struct span *a, const struct span *b)
{
	if (a->n_annotations != b->n_annotations || a->n_links != b->n_links ||
	    a->n_exceptions != b->n_exceptions)
		return false;
	for (uint32_t i = 0; i < a->n_annotations; i++)
		if (!str_eq(a->annotations[i].key, b->annotations[i].key) ||
		    !str_eq(a->annotations[i].text, b->annotations[i].text) ||
		    a->annotations[i].value != b->annotations[i].value)
			return false;
	for (uint32_t i = 0; i < a->n_exceptions; i++)
		if (!str_eq(a->exceptions[i].id, b->exceptions[i].id))
			return false;
	for (uint32_t i = 0; i < a->n_links; i++)
		if (!str_eq(a->links[i].id, b->links[i].id) ||
		    !str_eq(a->links[i].name, b->links[i].name) ||
		    !str_eq(a->links[i].type, b->links[i].type) ||
		    a->links[i].received_ns != b->links[i].received_ns)
			return false;
	return true;
}

static bool
same_span(const struct span *a, const struct span *b)
{
	return same_text(a->id, b->id) && same_text(a->name, b->name) &&
	       same_text(a->parent_id, b->parent_id) &&
	       same_text(a->origin, b->origin) && same_text(a->user, b->user) &&
	       same_text(a->resource_arn, b->resource_arn) &&
	       same_text(a->cause_id, b->cause_id) &&
	       a->start_ns == b->start_ns && a->end_ns == b->end_ns &&
	       same_http(a->http, b->http) && same_aws(a->aws, b->aws) &&
	       (!a->sql == !b->sql) &&
	       (!a->sql || (same_text(a->sql->url, b->sql->url) &&
			       same_text(a->sql->user, b->sql->user))) &&
	       same_lists(a, b) && a->flags == b->flags && a->kind == b->kind &&
	       a->parent == b->parent;
}

/* How many marks the document had; SIZE_MAX: it is none. */
static size_t
agree(struct kit *k, struct str doc)
{
	struct event e = { .ts_ns = WHEN_NONE, .message = doc };
	struct record r;
	const char *bad;

	arena_reset(&k->arena);
	if (xray_decode(k->x, &e, &k->arena, &r, &bad) != DECODE_OK)
		return SIZE_MAX;
	k->text.n = k->marked.n = k->text.broken = k->marked.broken = 0;
	span_read(&k->text, doc, (struct str){ NULL, 0 }, &k->arena);
	span_read(&k->marked, doc, r.segment.marks, &k->arena);
	cr_assert_eq(k->text.n, k->marked.n, "%.*s", STR_ARG(doc));
	cr_assert_eq(k->text.broken, k->marked.broken, "%.*s", STR_ARG(doc));
	for (size_t i = 0; i < k->text.n; i++)
		cr_assert(same_span(&k->text.v[i], &k->marked.v[i]),
		    "span %zu of %.*s", i, STR_ARG(doc));
	return r.segment.marks.n / sizeof(struct span_mark);
}

static struct kit
kit_new(void)
{
	struct kit k = { .x = xray_new() };

	xray_marks_want(k.x);
	return k;
}

static void
kit_fini(struct kit *k)
{
	xray_free(k->x);
	arena_fini(&k->arena);
	span_list_fini(&k->text);
	span_list_fini(&k->marked);
}

static const struct {
	const char *name, *doc;
	bool marks;
} cases[] = {
	{ "least", "{" HEAD "\"end_time\":2}", true },
	{ "times as text",
	    "{" HEAD "\"end_time\":\"1970-01-01T00:00:02Z\",\"subsegments\":["
	    "{\"id\":\"b\",\"name\":\"b\",\"start_time\":\"1.5\"}]}",
	    true },
	{ "blocks that are none",
	    "{" HEAD "\"end_time\":2,\"aws\":{},\"sql\":7,\"subsegments\":["
	    "{" SUB ",\"http\":null,\"aws\":[],\"sql\":{}},5,[{}]]}",
	    true },
	{ "subsegments that are none",
	    "{" HEAD "\"end_time\":2,\"subsegments\":{\"id\":\"c\"}}", true },
	{ "values of other types",
	    "{" HEAD "\"end_time\":2,\"subsegments\":[{" SUB
	    ",\"id\":1,\"error\":\"true\",\"throttle\":1,\"fault\":false}]}",
	    false },
	{ "other types of what is there once",
	    "{" HEAD "\"end_time\":2,\"subsegments\":[{\"name\":7,\"id\":{},"
	    "\"start_time\":true,\"end_time\":null,\"error\":\"true\","
	    "\"http\":{\"response\":{\"status\":\"503\",\"content_length\":-1},"
	    "\"request\":{\"url\":[1,{\"url\":\"x\"}],\"traced\":true}}}]}",
	    true },
	{ "a key twice in a subsegment",
	    "{" HEAD "\"end_time\":2,\"subsegments\":[{" SUB
	    ",\"name\":\"c\",\"namespace\":\"aws\"}]}",
	    false },
	{ "a block twice",
	    "{" HEAD "\"end_time\":2,\"aws\":{\"region\":\"a\"},"
	    "\"aws\":{\"operation\":\"b\"}}",
	    false },
	{ "the same keys in two subsegments",
	    "{" HEAD "\"end_time\":2,\"subsegments\":[{" SUB "},{" SUB
	    ",\"subsegments\":[{" SUB "}]}],\"traced\":true}",
	    true },
	{ "escapes and other letters",
	    "{" HEAD "\"end_time\":2,\"subsegments\":[{\"id\":\"b\","
	    "\"name\":\"a\\u00e9\\n\",\"start_time\":1,\"sql\":"
	    "{\"user\":\"\xc3\xa9\",\"url\":\"\\\"\"}}]}",
	    true },
	{ "an escaped key",
	    "{" HEAD "\"end_time\":2,\"subsegments\":[{" SUB
	    ",\"n\\u0061me\":\"c\"}]}",
	    false },
	{ "lists",
	    "{" HEAD "\"end_time\":2,\"annotations\":{\"a\":1,\"b\":true,"
	    "\"c\":\"x\",\"d\":null},\"cause\":{\"exceptions\":[{\"id\":\"e\"}]"
	    "},\"links\":[{\"id\":\"l\",\"attributes\":{\"aws.xray.reserved."
	    "names\":[1,\"n\"],\"aws.xray.reserved.type\":\"t\","
	    "\"aws.xray.reserved.dwell_end_time\":2.5,\"names\":[\"m\"]}}],"
	    "\"aws\":{\"cloudwatch_logs\":"
	    "[{\"log_group\":\"g\"}],\"table_names\":[\"t\"],\"ec2\":"
	    "{\"availability_zone\":\"z\"},\"ecs\":{\"availability_zone\":"
	    "\"y\"},\"retries\":3}}",
	    true },
	{ "cause as an id",
	    "{" HEAD "\"end_time\":2,\"subsegments\":[{" SUB
	    ",\"cause\":\"70de5b6f19ff9a0c\"}]}",
	    true },
};

Test(span, by_marks_is_as_from_the_text)
{
	struct kit k = kit_new();

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t n = agree(&k, str_of(cases[i].doc));

		cr_assert_neq(n, SIZE_MAX, "%s", cases[i].name);
		cr_assert_eq(n > 0, cases[i].marks, "%s", cases[i].name);
	}
	kit_fini(&k);
}

/* Subsegments side by side and in one another, around the limits. */
Test(span, without_marks_beyond_their_limits)
{
	struct kit k = kit_new();
	struct buf b = { 0 };
	size_t with = 0;
	size_t without = 0;

	for (size_t n = 1; n < 60; n++) {
		size_t wide = n < 30 ? 0 : (n - 29) * 20;

		buf_reset(&b);
		buf_str(&b, STR("{" HEAD "\"end_time\":2"));
		for (size_t i = 0; i < wide; i++)
			buf_str(&b, i == 0 ? STR(",\"subsegments\":[{" SUB "}")
					   : STR(",{" SUB "}"));
		for (size_t i = 0; wide == 0 && i < n; i++)
			buf_str(&b, STR(",\"subsegments\":[{" SUB));
		for (size_t i = 0; wide == 0 && i < n; i++)
			buf_str(&b, STR("}]"));
		buf_str(&b, wide ? STR("]}") : STR("}"));
		if (agree(&k, (struct str){ b.p, b.n }) > 0)
			with++;
		else
			without++;
	}
	cr_assert_gt(with, 10);
	cr_assert_gt(without, 10);
	buf_fini(&b);
	kit_fini(&k);
}

static void
file_agrees(struct kit *k, const char *path, size_t *n)
{
	struct buf b = { 0 };
	FILE *f = fopen(path, "rb");

	cr_assert_not_null(f, "%s", path);
	b.n = fread(buf_room(&b, 65536), 1, 65536, f);
	fclose(f);
	while (b.n > 0 && (unsigned char)b.p[b.n - 1] <= ' ')
		b.n--;
	if (agree(k, (struct str){ b.p, b.n }) != SIZE_MAX)
		++*n;
	buf_fini(&b);
}

Test(span, of_real_documents_by_marks_too)
{
	struct kit k = kit_new();
	glob_t found = { 0 };
	size_t n = 0;

	if (glob(CORPUS "*.json", 0, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++)
			file_agrees(&k, found.gl_pathv[i], &n);
		cr_assert_gt(n, 10);
	}
	globfree(&found);
	kit_fini(&k);
}
