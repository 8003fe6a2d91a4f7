/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzing the filter language with libFuzzer: any bytes are parsed; an error
 * is printed; what is an expression is evaluated, translated, printed, parsed
 * again, and must then print the same and find the same.
 *
 *	clang -fsanitize=fuzzer,address,undefined … fuzz_query.c
 *	fuzz_query -dict=tests/fuzz/fuzz_query.dict corpus/
 */
#include <assert.h>
#include <stdlib.h>

#include "core/buf.h"
#include "query/es.h"
#include "query/query.h"
#include "query/sql.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const struct view_annotation notes[] = {
	{ .key = { "a", 1 }, .kind = VIEW_NUMBER, .number = 1 },
	{ .key = { "a", 1 }, .kind = VIEW_STRING, .text = { "x", 1 } },
};

static const struct view_part part = {
	.flags = VIEW_OK | VIEW_ROOT,
	.responsetime_ns = 1500000000,
	.duration_ns = VIEW_NONE,
	.status = 200,
	.place = VIEW_NONE,
	.coverage = VIEW_NONE,
	.name = { "a", 1 },
	.method = { "POST", 4 },
	.annotations = { notes, 2 },
};

static const struct view_edge edge = {
	.from = { { "a", 1 }, { 0 }, { 0 }, false },
	.to = { { "b", 1 }, { 0 }, { 0 }, false },
	.part = { .flags = VIEW_ERROR },
};

static const struct view_entity entity = { .name = { "a", 1 },
	.coverage = 500000000 };
static const struct view_cause_service service = { .name = { "a", 1 },
	.entities = &entity,
	.n_entities = 1 };
static const struct view_cause cause = { &service, 1, true };

static const struct trace_view *
some_trace(void)
{
	static struct trace_view t;

	t.trace = part;
	t.services = &part;
	t.n_services = 1;
	t.edges = &edge;
	t.n_edges = 1;
	t.causes[VIEW_CAUSE_FAULT] = (struct view_causes){ &cause, 1 };
	t.causes[VIEW_CAUSE_RESPONSETIME] = (struct view_causes){ &cause, 1 };
	return &t;
}

static void
try_expression(const struct query *q)
{
	struct buf once = { 0 }, twice = { 0 }, other = { 0 };
	struct query_error bad;
	struct err err;

	query_print(&once, q);
	struct query *again = query_parse(buf_view(&once), NULL, &bad);

	/* What was just short enough may print longer than is allowed. */
	assert(again || once.n > QUERY_BYTES_MAX);
	if (again) {
		query_print(&twice, again);
		assert(str_eq(buf_view(&once), buf_view(&twice)));
		assert(query_eval(q, some_trace()) ==
		       query_eval(again, some_trace()));
	}
	query_sql(&other, q, &err);
	query_es(&other, q, &err);
	query_free(again);
	buf_fini(&once);
	buf_fini(&twice);
	buf_fini(&other);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str text = { (const char *)data, n };
	struct query_error bad;
	struct buf words = { 0 };
	struct query *q = query_parse(text, NULL, &bad);

	if (q) {
		try_expression(q);
	} else {
		assert(bad.text[0] && bad.offset <= n);
		query_error_print(&words, text, &bad);
		assert(words.n < 2048);
	}
	query_free(q);
	query_free(query_parse_selector(text, &bad));
	buf_fini(&words);
	return 0;
}
