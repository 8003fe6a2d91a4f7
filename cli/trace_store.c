/* SPDX-License-Identifier: Apache-2.0 */
/* See the header. */
#include "cli/trace_store.h"

#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "core/mem.h"
#include "ingest/xray.h"

struct trace_store {
	struct store *store;
	struct store_where where;
	bool whole;
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

struct trace_store *
trace_store_open(const struct trace_store_ask *ask, int *status)
{
	struct trace_store *s = xcalloc(1, sizeof *s);
	struct err err = { "" };

	s->where = ask->where;
	s->whole = ask->whole;
	s->only = ask->only != NULL;
	if (s->only)
		print_id(s->id, ask->only);
	s->assembler = assembler_new(&ask->assemble);
	s->xray = xray_new();
	s->store = store_open(ask->path, STORE_READ, &err);
	if (s->store &&
	    store_narrow(s->store, ask->last_ns, &s->where, &err) == 0 &&
	    (s->only || store_select(s->store, &s->where, s->whole, &err) == 0))
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
next_row(struct trace_store *s, struct store_row *row, struct err *err)
{
	struct store_documents d;
	int rc;

	if (!s->only)
		return store_next(s->store, row, err);
	if (s->taken)
		return 0;
	s->taken = true;
	rc = store_documents(s->store, str_of(s->id), &s->arena, &d, err);
	*row = (struct store_row){ .documents = d.v, .n_documents = d.n };
	return rc < 0 ? -1 : d.n > 0;
}

bool
trace_store_next(struct trace_store *s, struct trace_store_item *item,
    int *status)
{
	struct err err = { "" };
	int rc;

	arena_reset(&s->arena);
	item->trace = NULL;
	for (rc = next_row(s, &item->row, &err); rc > 0;
	     rc = next_row(s, &item->row, &err)) {
		if (!s->whole)
			return true;
		item->trace =
		    assemble(s, item->row.documents, item->row.n_documents);
		if (item->trace)
			return true;
		arena_reset(&s->arena);
	}
	if (rc < 0) {
		command_say("%s", err.text);
		*status = STATUS_IO;
	}
	return false;
}

uint64_t
trace_store_count(struct trace_store *s, int *status)
{
	struct err err = { "" };
	uint64_t n = 0;

	if (store_count(s->store, &s->where, &n, &err) != 0) {
		command_say("%s", err.text);
		*status = STATUS_IO;
	}
	return n;
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
