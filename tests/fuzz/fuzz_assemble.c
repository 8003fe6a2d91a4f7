/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any lines as segment documents of traces: what is accepted is assembled, the
 * tree holds together, and the documents in the opposite order give the same.
 */
#include <stdint.h>
#include <stdlib.h>

#include "ingest/assemble.h"
#include "ingest/xray.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LINES_MAX = 64 };

struct lines {
	struct str v[LINES_MAX];
	size_t n;
};

static void
check(const struct trace *t)
{
	int64_t critical = 0;

	for (size_t i = 0; i < t->n_spans; i++) {
		const struct span *s = &t->spans[i];

		if (s->size < 1 || i + s->size > t->n_spans || s->self_ns < 0 ||
		    s->critical_ns < 0)
			abort();
		if (s->parent != SPAN_NONE &&
		    (s->parent >= i ||
			i >= s->parent + t->spans[s->parent].size))
			abort();
		critical += s->critical_ns;
	}
	if (t->root != SPAN_NONE && t->response_ns >= 0 &&
	    critical != t->response_ns)
		abort();
}

/* A number that says what the traces are. */
static uint64_t
assemble(const struct lines *l, bool backwards)
{
	struct assembler *a = assembler_new(&assemble_defaults);
	struct xray *x = xray_new();
	struct arena arena = { 0 };
	const struct trace *t;
	uint64_t sum = 0;

	for (size_t i = 0; i < l->n; i++) {
		struct event e = { .ts_ns = WHEN_NONE,
			.message = l->v[backwards ? l->n - 1 - i : i] };
		struct record r;
		const char *bad;

		if (xray_decode(x, &e, &arena, &r, &bad) == DECODE_OK)
			assembler_add(a, &r);
	}
	assembler_end(a);
	for (t = assembler_next(a); t; t = assembler_next(a)) {
		check(t);
		for (size_t i = 0; i < t->n_spans; i++)
			sum = sum * 31 + t->spans[i].size * 7 +
			      t->spans[i].flags +
			      (uint64_t)t->spans[i].self_ns + t->spans[i].id.n +
			      t->spans[i].node;
		sum = sum * 31 + t->n_calls * 3 + t->n_nodes +
		      t->lists[TRACE_ANNOTATIONS].n +
		      t->causes[TRACE_FAULT_CAUSE].n;
	}
	assembler_free(a);
	xray_free(x);
	arena_fini(&arena);
	return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lines l = { .n = 0 };
	struct str rest = { (const char *)data, size };

	while (l.n < LINES_MAX - 1 && str_cut(&rest, '\n', &l.v[l.n]))
		l.n++;
	l.v[l.n++] = rest;
	if (assemble(&l, false) != assemble(&l, true))
		abort();
	return 0;
}
