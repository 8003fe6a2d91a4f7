/* SPDX-License-Identifier: Apache-2.0 */
/*
 * X-Ray's bodies: numbers and members, a real service graph rebuilt from its
 * own counts, and documents of any shape.
 */
#include <criterion/criterion.h>

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "core/json.h"
#include "core/when.h"
#include "ingest/xray.h"
#include "sinks/xray_api.h"
#include "sinks/xray_api_parts.h"

#define GUIDE "../shared/corpus/xray/guide-get-service-graph.response.json"
#define ID "1-5f84c7a1-0123456789abcdef01234567"

struct kit {
	struct xray *x;
	struct assembler *a;
	struct arena arena;
	struct buf out;
	struct json json;
};

static void
kit_init(struct kit *k)
{
	*k = (struct kit){ .x = xray_new(),
		.a = assembler_new(&assemble_defaults) };
}

static void
kit_fini(struct kit *k)
{
	xray_free(k->x);
	assembler_free(k->a);
	arena_fini(&k->arena);
	buf_fini(&k->out);
	json_fini(&k->json);
}

static void
add(struct kit *k, const char *doc)
{
	struct event e = { .ts_ns = WHEN_NONE,
		.message = arena_dup(&k->arena, str_of(doc)) };
	struct record r;
	const char *bad;

	cr_assert_eq(xray_decode(k->x, &e, &k->arena, &r, &bad), DECODE_OK,
	    "%s", bad);
	assembler_add(k->a, &r);
}

static const struct trace *
only(struct kit *k)
{
	const struct trace *t;

	assembler_end(k->a);
	t = assembler_next(k->a);
	cr_assert_not_null(t);
	return t;
}

static const struct json_val *
parsed(struct kit *k)
{
	struct json_bad bad = { 0 };

	cr_assert_eq(json_parse(&k->json, buf_view(&k->out), &bad), 0,
	    "%s at %zu: %.*s", bad.what, bad.offset,
	    STR_ARG(buf_view(&k->out)));
	return json_root(&k->json);
}

static const struct json_val *
nth(const struct json_val *list, size_t n)
{
	struct json_iter it;
	const struct json_val *v;

	json_iter_init(&it, list);
	for (v = json_iter_next(&it); v && n > 0; n--)
		v = json_iter_next(&it);
	return v;
}

static int64_t
number(const struct json_val *object, const char *key)
{
	int64_t n = -1;

	json_i64(json_get(object, str_of(key)), &n);
	return n;
}

Test(xray_api, seconds_have_no_floating_point)
{
	static const struct {
		int64_t ns;
		const char *seconds, *milliseconds;
	} cases[] = {
		{ 0, "0.0", "0.0" },
		{ 1, "0.000000001", "0.0" },
		{ 499999, "0.000499999", "0.0" },
		{ 500000, "0.0005", "0.001" },
		{ 3232000000, "3.232", "3.232" },
		{ -1500000000, "-1.5", NULL },
		{ INT64_MAX, "9223372036.854775807", NULL },
		{ INT64_MIN, "-9223372036.854775808", NULL },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf b = { 0 };

		api_seconds(&b, cases[i].ns);
		cr_expect_str_eq(buf_cstr(&b), cases[i].seconds);
		buf_reset(&b);
		api_milliseconds(&b, cases[i].ns);
		if (cases[i].milliseconds)
			cr_expect_str_eq(buf_cstr(&b), cases[i].milliseconds);
		buf_fini(&b);
	}
}

/* The text of a real number of seconds, as the samples of a graph. */
static void
replay_stat(struct graph *g, uint32_t node, struct graph_edge *edge,
    const struct json_val *of)
{
	const struct json_val *stat = json_get(of, STR("SummaryStatistics"));
	const struct json_val *error = json_get(stat, STR("ErrorStatistics"));
	int64_t errors = number(error, "OtherCount");
	int64_t start = 0;
	struct json_iter it;
	const struct json_val *entry;

	json_iter_init(&it, json_get(of, STR("ResponseTimeHistogram")));
	when_epoch(json_raw(json_get(of, STR("StartTime"))), &start);
	for (entry = json_iter_next(&it); entry; entry = json_iter_next(&it)) {
		struct graph_sample s = { .start_ns = start };
		int64_t ns = 0;

		when_epoch(json_raw(json_get(entry, STR("Value"))), &ns);
		s.end_ns = start + ns;
		s.duration_ns = ns;
		for (int64_t n = number(entry, "Count"); n > 0; n--) {
			s.outcome = errors-- > 0 ? GRAPH_ERROR : GRAPH_OK;
			if (edge)
				graph_add_call(g, edge, &s);
			else
				graph_add(g, node, &s);
		}
	}
}

static struct graph_key
key_of(const struct json_val *service)
{
	return (struct graph_key){
		.name = json_str(json_get(service, STR("Name"))),
		.type = json_str(json_get(service, STR("Type"))),
	};
}

/* ReferenceId to the service that has it. */
static const struct json_val *
by_reference(const struct json_val *services, int64_t id)
{
	struct json_iter it;
	const struct json_val *s;

	json_iter_init(&it, services);
	for (s = json_iter_next(&it); s; s = json_iter_next(&it))
		if (number(s, "ReferenceId") == id)
			return s;
	cr_assert_fail("no service %lld", (long long)id);
	return NULL;
}

static void
rebuild(struct graph *g, const struct json_val *services)
{
	struct json_iter it;
	const struct json_val *s;

	json_iter_init(&it, services);
	for (s = json_iter_next(&it); s; s = json_iter_next(&it)) {
		struct graph_key key = key_of(s);
		bool root = false;
		struct json_iter edges;
		const struct json_val *e;
		unsigned flags = 0;
		uint32_t from;

		json_bool(json_get(s, STR("Root")), &root);
		flags |= root ? GRAPH_ROOT : 0;
		if (str_eq(key.type, STR("client")))
			flags |= GRAPH_CLIENT;
		if (str_eq(json_str(json_get(s, STR("State"))), STR("active")))
			flags |= GRAPH_REPORTED;
		from = graph_node(g, &key, flags);
		replay_stat(g, from, NULL, s);
		json_iter_init(&edges, json_get(s, STR("Edges")));
		for (e = json_iter_next(&edges); e;
		     e = json_iter_next(&edges)) {
			struct graph_key to = key_of(
			    by_reference(services, number(e, "ReferenceId")));

			replay_stat(g, from,
			    graph_edge(g, from, graph_node(g, &to, 0),
				GRAPH_CALL),
			    e);
		}
	}
}

static void
put_val(struct buf *b, const struct json_val *v)
{
	buf_reset(b);
	if (v)
		json_put_val(b, v);
	buf_cstr(b);
}

/* The members that are not a matter of bins, whole. */
static void
expect_same(const struct json_val *got, const struct json_val *want,
    const char *what)
{
	static const char *const keys[] = { "Name", "Names", "Type", "State",
		"Root", "SummaryStatistics", "Aliases", NULL };
	struct buf a = { 0 };
	struct buf b = { 0 };

	for (size_t i = 0; keys[i]; i++) {
		put_val(&a, json_get(got, str_of(keys[i])));
		put_val(&b, json_get(want, str_of(keys[i])));
		cr_expect_str_eq(a.p, b.p, "%s: %s", what, keys[i]);
	}
	cr_expect_eq(json_size(json_get(got, STR("ResponseTimeHistogram"))),
	    json_size(json_get(want, STR("ResponseTimeHistogram"))),
	    "%s: the bins", what);
	cr_expect_eq(json_size(json_get(got, STR("Edges"))),
	    json_size(json_get(want, STR("Edges"))), "%s: the edges", what);
	buf_fini(&a);
	buf_fini(&b);
}

Test(xray_api, a_real_service_graph_comes_back_from_its_counts)
{
	struct kit k;
	struct graph *g = graph_new(&graph_defaults);
	struct json real = { 0 };
	struct json_bad bad;
	struct buf text = { 0 };
	int fd = open(GUIDE, O_RDONLY);
	const struct json_val *want, *got;
	struct json_iter it;

	if (fd < 0)
		cr_skip_test("needs " GUIDE);
	text.n = (size_t)read(fd, buf_room(&text, 65536), 65536);
	close(fd);
	cr_assert_eq(json_parse(&real, buf_view(&text), &bad), 0);
	kit_init(&k);
	want = json_get(json_root(&real), STR("Services"));
	rebuild(g, want);
	xray_api_service_graph(&k.out, g, WHEN_NONE, WHEN_NONE);
	got = json_get(parsed(&k), STR("Services"));
	cr_expect_eq(json_size(got), json_size(want));
	json_iter_init(&it, got);
	for (const struct json_val *s = json_iter_next(&it); s;
	     s = json_iter_next(&it)) {
		const struct json_val *same = NULL;

		for (size_t i = 0; i < json_size(want); i++) {
			struct graph_key x = key_of(s);
			struct graph_key y = key_of(nth(want, i));

			if (str_eq(x.name, y.name) && str_eq(x.type, y.type))
				same = nth(want, i);
		}
		cr_assert_not_null(same);
		expect_same(s, same, "node");
		if (json_size(json_get(s, STR("Edges"))) == 1)
			expect_same(nth(json_get(s, STR("Edges")), 0),
			    nth(json_get(same, STR("Edges")), 0), "edge");
	}
	graph_free(g);
	json_fini(&real);
	buf_fini(&text);
	kit_fini(&k);
}

Test(xray_api, hostile_bytes_stay_valid_json)
{
	struct kit k;
	const struct trace *t;

	kit_init(&k);
	add(&k, "{\"name\":\"a\\u0000\\u001b[31m\\\"\",\"id\":"
		"\"1111111111111111\",\"trace_id\":\"" ID "\",\"start_time\":"
		"1,\"end_time\":2,\"http\":{\"request\":{\"url\":"
		"\"\\ud83d\\ude00\","
		"\"method\":\"GET\"},\"response\":{\"status\":99999999999}},"
		"\"annotations\":{\"k\\u202e\":1e5,\"b\":true}}");
	t = only(&k);
	xray_api_traces_begin(&k.out);
	xray_api_trace(&k.out, t);
	xray_api_traces_end(&k.out, &STR("1-x\xff"), 1);
	cr_expect_eq(json_size(json_get(parsed(&k), STR("Traces"))), 1);
	buf_reset(&k.out);
	xray_api_summaries_begin(&k.out);
	xray_api_summary(&k.out, t);
	xray_api_summaries_end(&k.out, WHEN_NONE, 1);
	cr_expect_null(
	    json_get(
		json_get(nth(json_get(parsed(&k), STR("TraceSummaries")), 0),
		    STR("Http")),
		STR("HttpStatus")),
	    "a status that is no int is left out");
	kit_fini(&k);
}

/* A chain of subsegments, each sent alone. */
static void
add_chain(struct kit *k, unsigned n)
{
	char doc[512];

	add(k,
	    "{\"name\":\"top\",\"id\":\"ffffffff00000000\",\"trace_id\":\"" ID
	    "\",\"start_time\":1,\"end_time\":9}");
	for (unsigned i = 1; i <= n; i++) {
		snprintf(doc, sizeof doc,
		    "{\"name\":\"s%u\",\"id\":\"ffffffff%08x\",\"trace_id\":"
		    "\"" ID "\",\"type\":\"subsegment\",\"parent_id\":"
		    "\"ffffffff%08x\",\"start_time\":2,\"end_time\":3}",
		    i, i, i - 1);
		add(k, doc);
	}
}

static unsigned
count_of(struct str text, const char *what)
{
	unsigned n = 0;

	for (size_t at = str_find_str(text, str_of(what)); at != SIZE_MAX;
	     at = str_find_str(text, str_of(what))) {
		n++;
		text = str_from(text, at + 1);
	}
	return n;
}

Test(xray_api, a_chain_of_documents_is_folded_to_a_bounded_depth)
{
	enum { CHAIN = 5000 };
	struct kit k;
	const struct json_val *v;
	struct json inner = { 0 };
	struct json_bad bad;
	struct str doc;

	kit_init(&k);
	add_chain(&k, CHAIN);
	xray_api_traces_begin(&k.out);
	xray_api_trace(&k.out, only(&k));
	xray_api_traces_end(&k.out, NULL, 0);
	v = json_get(nth(json_get(parsed(&k), STR("Traces")), 0),
	    STR("Segments"));
	cr_expect_eq(json_size(v), 1, "it is one segment");
	doc = json_str(json_get(nth(v, 0), STR("Document")));
	cr_expect_eq(json_parse(&inner, doc, &bad), 0,
	    "it is JSON that our own limit of depth takes");
	cr_expect_eq(count_of(doc, "\"name\":\"s"), CHAIN, "none is lost");
	json_fini(&inner);
	kit_fini(&k);
}

Test(xray_api, time_series_are_newest_first_and_bounded)
{
	struct graph_options o = graph_defaults;
	struct graph *g = graph_new(&o);
	struct graph_key key = { .name = STR("a") };
	uint32_t node = graph_node(g, &key, 0);
	static const int64_t ends[] = { -90, 10, 70, 9000000000 };
	const struct graph_series *v[1];
	struct xray_api_series s = { .v = v,
		.n = 1,
		.from_ns = WHEN_NONE,
		.to_ns = 200 * NS_PER_SEC,
		.period_ns = 60 * NS_PER_SEC };
	struct kit k;
	const struct json_val *list;

	for (size_t i = 0; i < 4; i++) {
		struct graph_sample x = { .start_ns = ends[i] * NS_PER_SEC,
			.end_ns = ends[i] * NS_PER_SEC,
			.outcome = GRAPH_OK };

		graph_add(g, node, &x);
	}
	v[0] = &graph_at(g, node)->series;
	kit_init(&k);
	xray_api_time_series(&k.out, &s);
	list = json_get(parsed(&k), STR("TimeSeriesServiceStatistics"));
	/* -120 … 239 in minutes. */
	cr_expect_eq(json_size(list), 6);
	cr_expect_str_eq(
	    json_raw(json_get(nth(list, 0), STR("Timestamp"))).n ? "there" : "",
	    "there");
	buf_reset(&k.out);
	s.to_ns = WHEN_NONE;
	xray_api_time_series(&k.out, &s);
	list = json_get(parsed(&k), STR("TimeSeriesServiceStatistics"));
	cr_expect_eq(json_size(list), 4, "of millions only those with data");
	graph_free(g);
	kit_fini(&k);
}
