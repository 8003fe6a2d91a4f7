/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service graph of assembled traces: what is counted where, and that
 * graphs merge by adding.
 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>

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
