/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service graph of assembled traces: what is counted where, and that
 * graphs merge by adding.
 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>

#include "core/buf.h"
#include "ingest/xray.h"
#include "pipeline/trace_graph.h"

#define LIKE "../shared/corpus/like-service/python3/xray/segments.ndjson"

struct kit {
	struct xray *x;
	struct assembler *a;
	struct arena arena;
	struct graph *g;
};

static void
kit_init(struct kit *k)
{
	*k = (struct kit){ .x = xray_new(),
		.a = assembler_new(&assemble_defaults),
		.g = graph_new(&graph_defaults) };
}

static void
kit_fini(struct kit *k)
{
	xray_free(k->x);
	assembler_free(k->a);
	arena_fini(&k->arena);
	graph_free(k->g);
}

static void
add(struct kit *k, struct str doc)
{
	struct event e = { .ts_ns = WHEN_NONE, .message = doc };
	struct record r;
	const char *bad;

	cr_assert_eq(xray_decode(k->x, &e, &k->arena, &r, &bad), DECODE_OK,
	    "%s", bad);
	assembler_add(k->a, &r);
}

static void
graph_all(struct kit *k)
{
	const struct trace *t;

	assembler_end(k->a);
	for (t = assembler_next(k->a); t; t = assembler_next(k->a))
		trace_graph_add(k->g, t);
}

static const struct graph_node *
node(const struct graph *g, const char *name, const char *type)
{
	for (size_t i = 0; i < graph_size(g); i++) {
		const struct graph_node *n = graph_at(g, (uint32_t)i);

		if (str_eq(n->key.name, str_of(name)) &&
		    str_eq(n->key.type, str_of(type)))
			return n;
	}
	cr_assert_fail("no node %s %s", name, type);
	return NULL;
}

static struct graph_stat
stat_of(const struct graph_series *s)
{
	struct histogram h = { 0 };
	struct graph_stat stat;
	uint64_t n = graph_sum(s, INT64_MIN, INT64_MAX, &stat, &h);

	cr_expect_eq(h.total, n);
	histogram_fini(&h);
	return stat;
}

#define T "{\"trace_id\":\"1-581cf771-a006649127e371903a2de979\","

static void
load(struct kit *k)
{
	add(k,
	    STR(T
		"\"id\":\"000000000000000a\",\"name\":\"a\",\"start_time\":100,"
		"\"end_time\":110,\"subsegments\":[{\"id\":"
		"\"000000000000000b\",\"name\":\"b.example\",\"namespace\":"
		"\"remote\",\"start_time\":101,\"end_time\":109,\"fault\":true"
		"},{\"id\":\"000000000000000c\",\"name\":\"DynamoDB\","
		"\"namespace\":\"aws\",\"start_time\":109,\"end_time\":112,"
		"\"throttle\":true,\"error\":true}]}"));
	add(k, STR(T "\"id\":\"000000000000000d\",\"name\":\"b\",\"parent_id\":"
		     "\"000000000000000b\",\"start_time\":102,\"end_time\":108,"
		     "\"error\":true}"));
	graph_all(k);
}

Test(trace_graph, counts_edges_as_the_caller_saw_them)
{
	struct kit k;
	const struct graph_node *a;
	const struct graph_node *b;
	struct graph_stat s;

	kit_init(&k);
	load(&k);
	cr_expect_eq(graph_size(k.g), 4);
	a = node(k.g, "a", "");
	cr_expect_eq(a->flags, GRAPH_REPORTED | GRAPH_ROOT);
	s = stat_of(&a->series);
	cr_expect_eq(s.count[GRAPH_OK], 1);
	cr_expect_eq(s.response_ns, 10000000000);
	cr_expect_eq(a->duration.max_ns, 12000000000);
	b = node(k.g, "b", "");
	cr_expect_eq(stat_of(&b->series).count[GRAPH_ERROR], 1);
	cr_assert_eq(a->n_edges, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct graph_edge *e = &a->edges[i];

		s = stat_of(&e->series);
		if (graph_at(k.g, e->to) != b) {
			cr_expect_eq(s.count[GRAPH_THROTTLE], 1);
			continue;
		}
		cr_expect_eq(s.count[GRAPH_FAULT], 1);
		cr_expect_eq(s.response_ns, 8000000000);
		cr_expect(str_eq(e->alias, STR("b.example")));
	}
	cr_expect_eq(node(k.g, "a", "client")->flags, GRAPH_CLIENT);
	cr_expect_eq(node(k.g, "a", "client")->series.n, 0);
	cr_expect_eq(node(k.g, "a", "client")->n_edges, 1);
	kit_fini(&k);
}

Test(trace_graph, counts_the_like_service)
{
	FILE *f = fopen(LIKE, "rb");
	struct kit k;
	char line[65536];
	struct graph_stat s;

	if (!f) {
		cr_log_warn(LIKE " is not there: skipped");
		return;
	}
	kit_init(&k);
	while (fgets(line, sizeof line, f))
		add(&k, str_trim(str_of(line)));
	fclose(f);
	graph_all(&k);
	s = stat_of(&node(k.g, "like service", "")->series);
	cr_expect_eq(s.count[GRAPH_OK], 528);
	cr_expect_eq(s.count[GRAPH_ERROR], 75);
	cr_expect_eq(s.response_ns, 85699712100);
	kit_fini(&k);
}

Test(trace_graph, merges_by_adding)
{
	struct graph *sum = graph_new(&graph_defaults);
	struct kit k;

	kit_init(&k);
	load(&k);
	graph_merge(sum, k.g);
	graph_merge(sum, k.g);
	cr_expect_eq(graph_size(sum), 4);
	cr_expect_eq(stat_of(&node(sum, "a", "")->series).response_ns,
	    20000000000);
	cr_expect_eq(node(sum, "a", "")->n_edges, 2);
	cr_expect_eq(graph_counts(sum)->nodes_left_out, 0);
	graph_free(sum);
	kit_fini(&k);
}

Test(trace_graph, counts_what_a_limit_leaves_out)
{
	struct graph_options o = graph_defaults;
	struct kit k;

	kit_init(&k);
	graph_free(k.g);
	o.nodes_max = 1;
	k.g = graph_new(&o);
	load(&k);
	cr_expect_eq(graph_size(k.g), 1);
	cr_expect_eq(
	    graph_counts(k.g)->nodes_left_out +
		stat_of(&graph_at(k.g, 0)->series).count[GRAPH_OK] +
		stat_of(&graph_at(k.g, 0)->series).count[GRAPH_THROTTLE],
	    3);
	cr_expect_eq(graph_counts(k.g)->edges_left_out, 3);
	kit_fini(&k);
}

/* The attributes of X-Ray that stand before each name. */
#define A "\"aws.xray.reserved."
#define CHILD                                                                  \
	"{\"trace_id\":\"1-581cf772-a006649127e371903a2de979\",\"id\":"        \
	"\"000000000000000e\",\"attributes\":{" A                              \
	"names\":[\"eater\",\"other\"]," A "type\":\"AWS::Lambda\"," A         \
	"reference_type\":\"child\""
#define SENDER                                                                 \
	T "\"id\":\"000000000000000a\",\"name\":\"sender\",\"start_time\":"    \
	  "100,\"end_time\":110,\"subsegments\":[{\"id\":"                     \
	  "\"000000000000000b\",\"name\":\"send\",\"start_time\":101,"         \
	  "\"end_time\":102,\"links\":["
#define EATER                                                                  \
	"{\"trace_id\":\"1-581cf772-a006649127e371903a2de979\",\"id\":"        \
	"\"000000000000000e\",\"name\":\"eater\",\"origin\":\"AWS::Lambda\","  \
	"\"start_time\":104,\"end_time\":105,\"links\":[{\"trace_id\":"        \
	"\"1-581cf771-a006649127e371903a2de979\",\"id\":"                      \
	"\"000000000000000b\",\"attributes\":{" A "names\":[\"sender\"]," A    \
	"reference_type\":\"parent\"," A "received_event_end_time\":103.5}}]}"

/* The only link of a graph of two services. */
static const struct graph_edge *
link_of(const struct graph *g)
{
	const struct graph_node *from = node(g, "sender", "");

	cr_assert_eq(from->n_edges, 1);
	cr_assert_eq(from->edges->kind, GRAPH_LINK);
	cr_assert_eq(graph_at(g, from->edges->to),
	    node(g, "eater", "AWS::Lambda"));
	return from->edges;
}

Test(trace_graph, links_who_sent_an_event_to_who_received_it)
{
	static const struct {
		const char *name;
		const char *docs[2];
		uint64_t events, age_ns;
	} cases[] = {
		{ "the sender's word",
		    { SENDER CHILD "," A
				   "received_event_end_time\":103.5}}]}]}" },
		    1, 2500000000 },
		{ "the receiver's", { EATER }, 0, 0 },
		{ "both are one",
		    { SENDER CHILD "," A "dwell_end_time\":103.5}}]}]}",
			EATER },
		    1, 2500000000 },
		{ "not received yet", { SENDER CHILD "}}]}]}" }, 0, 0 },
		{ "received before it was sent",
		    { SENDER CHILD "," A "received_event_end_time\":99}}]}]}" },
		    1, 0 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct graph *sum = graph_new(&graph_defaults);
		struct graph_stat s;
		struct kit k;

		kit_init(&k);
		for (size_t d = 0; d < 2 && cases[i].docs[d]; d++)
			add(&k, str_of(cases[i].docs[d]));
		graph_all(&k);
		s = stat_of(&link_of(k.g)->series);
		cr_expect_eq(s.count[GRAPH_OK], cases[i].events, "%s",
		    cases[i].name);
		cr_expect_eq(s.response_ns, cases[i].age_ns, "%s",
		    cases[i].name);
		graph_merge(sum, k.g);
		graph_merge(sum, k.g);
		cr_expect_eq(stat_of(&link_of(sum)->series).count[GRAPH_OK],
		    2 * cases[i].events, "%s", cases[i].name);
		graph_free(sum);
		kit_fini(&k);
	}
}

/* 21 links of one segment, then six segments of 20. */
Test(trace_graph, has_no_more_links_than_x_ray)
{
	struct buf b = { 0 };
	struct kit k;

	kit_init(&k);
	for (int i = 0; i < 7; i++) {
		buf_reset(&b);
		buf_printf(&b,
		    T "\"id\":\"%016x\",\"name\":\"sender\",\"start_time\":"
		      "%d,\"end_time\":%d,\"links\":[",
		    i + 1, 100 + i, 101 + i);
		for (int l = i == 0 ? 0 : 1; l < 21; l++)
			buf_cat(&b,
			    CHILD "," A "received_event_end_time\":110}},");
		buf_cat(&b, "{\"trace_id\":\"names nobody\"},5]}");
		add(&k, buf_view(&b));
	}
	graph_all(&k);
	cr_expect_eq(stat_of(&link_of(k.g)->series).count[GRAPH_OK],
	    TRACE_LINKS_MAX);
	cr_expect_eq(graph_counts(k.g)->edges_left_out, 1 + 2 * 20);
	buf_fini(&b);
	kit_fini(&k);
}
