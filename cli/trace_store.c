/* SPDX-License-Identifier: Apache-2.0 */
/* See the header. */
#include "cli/trace_store.h"

#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "core/mem.h"
#include "ingest/xray.h"
#include "store/store.h"

struct trace_store {
	struct store *store;
	struct store_where where;
	bool only; /* one trace, which is taken once */
	bool taken;
	char id[TRACE_ID_SIZE + 1];
	struct assembler *assembler;
	struct xray *xray;
	struct arena arena;
};

/* 1-8hex-24hex of 16 bytes. */
static void
print_id(char out[TRACE_ID_SIZE + 1], const uint8_t id[16])
{
	static const char digits[] = "0123456789abcdef";
	size_t n = 0;

	out[n++] = '1';
	for (size_t i = 0; i < 16; i++) {
		if (i == 0 || i == 4)
			out[n++] = '-';
		out[n++] = digits[id[i] >> 4];
		out[n++] = digits[id[i] & 15];
	}
	out[n] = '\0';
}

/* The range of time; --last is counted from the store's latest. */
static int
set_range(struct trace_store *s, const struct replay_options *o,
    struct err *err)
{
	int64_t last;

	s->where.since_ns = o->since_ns;
	s->where.until_ns = o->until_ns;
	if (o->last_ns == 0)
		return 0;
	if (store_last(s->store, &last, err) != 0)
		return -1;
	if (last != WHEN_NONE && last > INT64_MIN + o->last_ns &&
	    (o->since_ns == WHEN_NONE || last - o->last_ns >= o->since_ns))
		s->where.since_ns = last - o->last_ns + 1;
	return 0;
}

struct trace_store *
trace_store_open(const char *path, const struct traces_options *options,
    int *status)
{
	struct trace_store *s = xcalloc(1, sizeof *s);
	struct err err = { "" };

	s->only = options->only != NULL;
	if (s->only)
		print_id(s->id, options->only);
	s->assembler = assembler_new(&options->assemble);
	s->xray = xray_new();
	s->store = store_open(path, STORE_READ, &err);
	if (s->store && set_range(s, options->replay, &err) == 0 &&
	    (s->only || store_select(s->store, &s->where, true, &err) == 0))
		return s;
	command_say("%s", err.text);
	*status = STATUS_NOINPUT;
	trace_store_close(s);
	return NULL;
}

static const struct trace *
assemble(struct trace_store *s, const struct str *documents, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct event e = { .ts_ns = WHEN_NONE,
			.message = documents[i] };
		struct record r;
		const char *bad;

		if (xray_decode(s->xray, &e, &s->arena, &r, &bad) == DECODE_OK)
			assembler_add(s->assembler, &r);
	}
	assembler_end(s->assembler);
	return assembler_next(s->assembler);
}

/* 1, 0 at the end, -1 with err. */
static int
next_documents(struct trace_store *s, struct store_documents *d,
    struct err *err)
{
	struct store_row row;
	int rc;

	*d = (struct store_documents){ NULL, 0 };
	if (s->only) {
		if (s->taken)
			return 0;
		s->taken = true;
		rc =
		    store_documents(s->store, str_of(s->id), &s->arena, d, err);
		return rc < 0 ? -1 : d->n > 0;
	}
	rc = store_next(s->store, &row, err);
	if (rc > 0) {
		struct str *v =
		    arena_alloc(&s->arena, (row.n_documents + 1) * sizeof *v);

		memcpy(v, row.documents, row.n_documents * sizeof *v);
		*d = (struct store_documents){ v, row.n_documents };
	}
	return rc;
}

const struct trace *
trace_store_next(struct trace_store *s, int *status)
{
	struct store_documents d;
	struct err err = { "" };
	int rc;

	arena_reset(&s->arena);
	for (rc = next_documents(s, &d, &err); rc > 0;
	     rc = next_documents(s, &d, &err)) {
		const struct trace *t = assemble(s, d.v, d.n);

		if (t)
			return t;
		arena_reset(&s->arena);
	}
	if (rc < 0) {
		command_say("%s", err.text);
		*status = STATUS_IO;
	}
	return NULL;
}

void
trace_store_close(struct trace_store *s)
{
	if (!s)
		return;
	store_close(s->store);
	assembler_free(s->assembler);
	xray_free(s->xray);
	arena_fini(&s->arena);
	free(s);
}
