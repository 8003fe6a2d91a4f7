/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The traces that match, from an archive by the evaluator, from a store by
 * SQL, from an index by its query language.
 */
#include <stdlib.h>

#include "cli/command.h"
#include "cli/query.h"
#include "cli/query_index.h"
#include "cli/trace_read.h"
#include "cli/trace_store.h"
#include "core/mem.h"
#include "pipeline/view.h"
#include "query/sql.h"

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
	struct trace_store *store;
	struct trace_store_item item;
	struct buf clause;
	bool evaluate; /* the expression is too deep for SQL */

	struct query_index *index; /* NULL: of these */
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

static bool
open_store(struct query_source *s)
{
	const struct query_ask *ask = s->ask;
	struct err deep = { "" };

	s->evaluate = query_sql(&s->clause, ask->query, &deep) != 0;
	s->store = trace_store_open(
	    &(struct trace_store_ask){
		.path = ask->store,
		.assemble = assemble_defaults,
		.whole = s->whole || s->evaluate,
		.where = { buf_view(&s->clause), ask->since_ns, ask->until_ns },
		.last_ns = ask->last_ns,
	    },
	    &s->status);
	return s->store != NULL;
}

static bool
open_index(struct query_source *s)
{
	s->index = query_index_open(s->ask, s->whole, &s->status);
	return s->index != NULL;
}

static void
source_free(struct query_source *s)
{
	query_index_close(s->index);
	trace_read_close(&s->read);
	trace_store_close(s->store);
	buf_fini(&s->clause);
	arena_fini(&s->arena);
	free(s);
}

struct query_source *
query_source_open(const struct query_ask *ask, bool whole, int *status)
{
	struct query_source *s = xcalloc(1, sizeof *s);

	s->ask = ask;
	s->whole = whole;
	if (ask->es      ? open_index(s)
	    : ask->store ? open_store(s)
			 : open_archive(s))
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

static bool
next_of_store(struct query_source *s, struct query_trace *out)
{
	const struct store_row *row = &s->item.row;

	while (trace_store_next(s->store, &s->item, &s->status)) {
		if (!s->item.trace) {
			*out = (struct query_trace){ .id = row->id,
				.start_ns = row->start_ns,
				.part = &row->part,
				.service = row->service };
			return true;
		}
		arena_reset(&s->arena);
		trace_view(&s->view, s->item.trace, &s->arena);
		if (s->evaluate && !query_eval(s->ask->query, &s->view))
			continue;
		fill(s, out, s->item.trace);
		return true;
	}
	return false;
}

bool
query_source_next(struct query_source *s, struct query_trace *t)
{
	if (s->index)
		return query_index_next(s->index, t, &s->status);
	return s->store ? next_of_store(s, t) : next_of_archive(s, t);
}

uint64_t
query_source_seen(struct query_source *s)
{
	if (s->index)
		return query_index_seen(s->index, &s->status);
	return s->store ? trace_store_count(s->store, &s->status)
			: traces_result(s->read.traces)->traces;
}

int
query_source_close(struct query_source *s)
{
	int status = s->status;

	source_free(s);
	return status;
}
