/* SPDX-License-Identifier: Apache-2.0 */
/* The slowest and failing traces: the same for any order, and bounded. */
#include <criterion/criterion.h>

#include <stdio.h>

#include "ingest/xray.h"
#include "pipeline/trace_tops.h"

enum { TRACES = 300 };

/* Trace i takes i ms, of which its callee has nine tenths; each tenth fails. */
static void
add(struct assembler *a, struct xray *x, struct arena *arena, unsigned i)
{
	char doc[512];
	struct event e = { .ts_ns = WHEN_NONE };
	struct record r;
	const char *bad;
	int n = snprintf(doc, sizeof doc,
	    "{\"name\":\"front\",\"id\":\"1111111111111111\",\"trace_id\":"
	    "\"1-5f84c7a1-%024x\",\"start_time\":1000,\"end_time\":1000.%03u%s,"
	    "\"subsegments\":[{\"name\":\"back\",\"id\":\"2222222222222222\","
	    "\"namespace\":\"remote\",\"start_time\":1000,"
	    "\"end_time\":1000.%04u}]}",
	    i, i, i % 10 == 3 ? ",\"fault\":true" : "", i * 9);

	e.message = arena_dup(arena, (struct str){ doc, (size_t)n });
	cr_assert_eq(xray_decode(x, &e, arena, &r, &bad), DECODE_OK, "%s", bad);
	assembler_add(a, &r);
}

static void
fill(struct trace_tops *tops, bool backwards)
{
	struct assembler *a = assembler_new(&assemble_defaults);
	struct xray *x = xray_new();
	struct arena arena = { 0 };
	const struct trace *t;

	trace_tops_init(tops, 100 * NS_PER_MS);
	for (unsigned i = 1; i <= TRACES; i++) {
		add(a, x, &arena, backwards ? TRACES + 1 - i : i);
		assembler_end(a);
		for (t = assembler_next(a); t; t = assembler_next(a))
			trace_tops_add(tops, t);
	}
	trace_tops_end(tops);
	assembler_free(a);
	xray_free(x);
	arena_fini(&arena);
}

Test(trace_tops, the_slowest_and_the_failing_are_named)
{
	struct trace_tops tops;
	const struct trace_tops_service *s;

	fill(&tops, false);
	cr_assert_eq(tops.n, 1);
	s = &tops.v[0];
	cr_expect_eq(s->traces, TRACES);
	cr_expect_eq(s->slow, 200);
	cr_expect_eq(s->failing, 30);
	cr_assert_eq(s->n_slowest, TOPS);
	cr_expect_eq(s->slowest[0].response_ns, 300 * NS_PER_MS);
	cr_expect_eq(s->slowest[2].response_ns, 298 * NS_PER_MS);
	cr_expect_eq(s->slowest[0].hop_ppm, 900000);
	cr_expect_arr_eq(s->slowest[0].hop.p, "back", 4);
	cr_assert_eq(s->n_failed, TOPS);
	cr_expect_str_eq(s->failed[0].outcome, "fault");
	cr_assert_eq(s->n_hops, 2);
	cr_expect(str_eq(s->hops[0].name, STR("back")));
	trace_tops_fini(&tops);
}

Test(trace_tops, the_order_of_traces_does_not_count)
{
	struct trace_tops a, b;

	fill(&a, false);
	fill(&b, true);
	for (size_t i = 0; i < TOPS; i++) {
		cr_expect_str_eq(a.v[0].slowest[i].id, b.v[0].slowest[i].id);
		cr_expect_str_eq(a.v[0].failed[i].id, b.v[0].failed[i].id);
	}
	cr_expect_eq(a.v[0].hops[0].critical_ns, b.v[0].hops[0].critical_ns);
	trace_tops_fini(&a);
	trace_tops_fini(&b);
}
