/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The traces that match, from an archive by the evaluator, from a store by
 * SQL.  Whole traces of a store are assembled of their documents, so that both
 * ways give the same.
 */
#include <stdlib.h>

#include "cli/command.h"
#include "cli/query.h"
#include "cli/trace_read.h"
#include "core/mem.h"
#include "ingest/xray.h"
#include "pipeline/view.h"
#include "query/sql.h"
#include "store/store.h"

struct query_source {
	const struct query_ask *ask;
	bool whole;
	int status;
	struct arena arena;
	struct trace_view view;

	/* of an archive */
	struct traces_options options;
	struct replay_options replay;
	struct trace_read read;

	/* of a store */
	struct store *store;
	struct store_where where;
	struct store_row row;
	struct buf clause;
	bool evaluate; /* the expression is too deep for SQL */
	struct assembler *assembler;
	struct xray *xray;
};

static bool
open_archive(struct query_source *s)
{
	const struct query_ask *ask = s->ask;

	trace_read_options(&s->options, &s->replay);
	s->replay.since_ns = ask->since_ns;
	s->replay.until_ns = ask->until_ns;
	s->replay.last_ns = ask->last_ns;
	s->replay.threads = ask->threads;
	s->options.select = ask->query;
	if (!trace_read_open(&s->read, &s->options, ask->paths, ask->n_paths,
		ask->quiet)) {
		s->status = s->read.status;
		return false;
	}
	return true;
}

/* What SQL selects by; --last is counted from the store's latest time. */
static int
set_where(struct query_source *s, struct err *err)
{
	const struct query_ask *ask = s->ask;
	struct err deep = { "" };
	int64_t last;

	s->where.since_ns = ask->since_ns;
	s->where.until_ns = ask->until_ns;
	if (query_sql(&s->clause, ask->query, &deep) == 0)
		s->where.clause = buf_view(&s->clause);
	else
		s->evaluate = true;
	if (ask->last_ns == 0)
		return 0;
	if (store_last(s->store, &last, err) != 0)
		return -1;
	if (last != VIEW_NONE && last > INT64_MIN + ask->last_ns &&
	    (ask->since_ns == WHEN_NONE ||
		last - ask->last_ns >= ask->since_ns))
		s->where.since_ns = last - ask->last_ns + 1;
	return 0;
}

static bool
open_store(struct query_source *s)
{
	struct err err = { "" };

	s->status = STATUS_NOINPUT;
	s->store = store_open(s->ask->store, STORE_READ, &err);
	if (!s->store || set_where(s, &err) != 0 ||
	    store_select(s->store, &s->where, s->whole || s->evaluate, &err) !=
		0) {
		command_say("%s", err.text);
		return false;
	}
	s->status = STATUS_OK;
	s->assembler = assembler_new(&assemble_defaults);
	s->xray = xray_new();
	return true;
}

static void
source_free(struct query_source *s)
{
	trace_read_close(&s->read);
	store_close(s->store);
	buf_fini(&s->clause);
	assembler_free(s->assembler);
	xray_free(s->xray);
	arena_fini(&s->arena);
	free(s);
}

struct query_source *
query_source_open(const struct query_ask *ask, bool whole, int *status)
{
	struct query_source *s = xcalloc(1, sizeof *s);

	s->ask = ask;
	s->whole = whole;
	if (ask->store ? open_store(s) : open_archive(s))
		return s;
	*status = s->status;
	source_free(s);
	return NULL;
}

static void
fill(struct query_source *s, struct query_trace *out, const struct trace *t)
{
	*out = (struct query_trace){
		.id = { t->id_text, TRACE_ID_SIZE },
		.start_ns = t->start_ns,
		.part = &s->view.trace,
		.trace = t,
		.view = &s->view,
	};
	if (t->entry != SPAN_NONE)
		out->service = t->nodes[t->entry].name;
}

static bool
next_of_archive(struct query_source *s, struct query_trace *out)
{
	const struct trace *t;

	for (t = trace_read_next(&s->read); t; t = trace_read_next(&s->read)) {
		arena_reset(&s->arena);
		trace_view(&s->view, t, &s->arena);
		if (!query_eval(s->ask->query, &s->view))
			continue;
		fill(s, out, t);
		return true;
	}
	trace_read_inputs(&s->read);
	if (s->status == STATUS_OK)
		s->status = s->read.status;
	return false;
}

/* The row's documents as a trace; NULL: none of them is one. */
static const struct trace *
assemble(struct query_source *s)
{
	for (size_t i = 0; i < s->row.n_documents; i++) {
		struct event e = { .ts_ns = WHEN_NONE,
			.message = s->row.documents[i] };
		struct record r;
		const char *bad;

		if (xray_decode(s->xray, &e, &s->arena, &r, &bad) == DECODE_OK)
			assembler_add(s->assembler, &r);
	}
	assembler_end(s->assembler);
	return assembler_next(s->assembler);
}

static bool
next_of_store(struct query_source *s, struct query_trace *out)
{
	struct err err = { "" };
	int rc;

	for (rc = store_next(s->store, &s->row, &err); rc > 0;
	     rc = store_next(s->store, &s->row, &err)) {
		const struct trace *t;

		*out = (struct query_trace){ .id = s->row.id,
			.start_ns = s->row.start_ns,
			.part = &s->row.part,
			.service = s->row.service };
		if (!s->whole && !s->evaluate)
			return true;
		arena_reset(&s->arena);
		t = assemble(s);
		if (!t)
			continue;
		trace_view(&s->view, t, &s->arena);
		if (s->evaluate && !query_eval(s->ask->query, &s->view))
			continue;
		fill(s, out, t);
		return true;
	}
	if (rc < 0) {
		command_say("%s", err.text);
		s->status = STATUS_IO;
	}
	return false;
}

bool
query_source_next(struct query_source *s, struct query_trace *t)
{
	return s->store ? next_of_store(s, t) : next_of_archive(s, t);
}

uint64_t
query_source_seen(struct query_source *s)
{
	struct err err = { "" };
	uint64_t n = 0;

	if (!s->store)
		return traces_result(s->read.traces)->traces;
	if (store_count(s->store, &s->where, &n, &err) != 0) {
		command_say("%s", err.text);
		s->status = STATUS_IO;
	}
	return n;
}

int
query_source_close(struct query_source *s)
{
	int status = s->status;

	source_free(s);
	return status;
}
