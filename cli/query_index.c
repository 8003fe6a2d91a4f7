/* SPDX-License-Identifier: Apache-2.0 */
/* See the header. */
#include "cli/query_index.h"

#include <inttypes.h>
#include <stdlib.h>

#include "cli/reading.h"
#include "core/json.h"
#include "core/mem.h"
#include "core/when.h"
#include "pipeline/indexed_trace.h"
#include "query/es.h"
#include "sinks/elastic_search.h"

#define TRACES "telltale-traces-*"

struct query_index {
	const struct query_ask *ask;
	struct elastic_search *search;
	struct elastic_options options;
	int64_t since_ns, until_ns;
	bool whole, begun;
	bool evaluate; /* the server cannot */
	struct buf query, line;
	struct arena arena;
	struct indexed_trace trace;
};

/* What the list shows. */
static const char *const list_fields[] = { "aws.xray.trace_id",
	"telltale.trace.ok", "telltale.trace.error", "telltale.trace.throttle",
	"telltale.trace.fault", "telltale.trace.partial",
	"telltale.trace.inferred", "telltale.trace.response_time",
	"telltale.trace.start_ns", "event.duration", "http", "url.original",
	"user_agent.original", "client.address", "service.name", NULL };

static const struct elastic_sort by_trace[] = { { "trace.id", "keyword" },
	{ NULL, NULL } };
static const struct elastic_sort by_finding[] = { { "event.id", "keyword" },
	{ NULL, NULL } };
/* No two requests stand in one place of one file. */
static const struct elastic_sort by_place[] = { { "log.file.path", "keyword" },
	{ "log.offset", "long" }, { "@timestamp", "date" }, { NULL, NULL } };

/* The last so long before the latest time in the indices. */
static int
narrow(struct query_index *x, struct err *err)
{
	int64_t latest;

	if (x->ask->last_ns == 0)
		return 0;
	if (elastic_search_latest(x->search, "telltale-*", "event.end", &latest,
		err) != ELASTIC_DONE)
		return -1;
	x->since_ns = when_last(x->since_ns, latest, x->ask->last_ns);
	return 0;
}

struct query_index *
query_index_open(const struct query_ask *ask, bool whole, int *status)
{
	struct query_index *x = xcalloc(1, sizeof *x);
	struct err err = { "" };

	x->ask = ask;
	x->whole = whole;
	x->since_ns = ask->since_ns;
	x->until_ns = ask->until_ns;
	reading_signals();
	indexing_options(&x->options, ask->es);
	x->options.stop = &reading_progress()->stop;
	x->search = elastic_search_open(&x->options, &err);
	if (x->search && narrow(x, &err) == 0)
		return x;
	command_say("query: %s", err.text);
	*status = STATUS_UNAVAILABLE;
	query_index_close(x);
	return NULL;
}

void
query_index_close(struct query_index *x)
{
	if (!x)
		return;
	elastic_search_close(x->search);
	buf_fini(&x->query);
	buf_fini(&x->line);
	arena_fini(&x->arena);
	free(x);
}

/* The range of a field that counts nanoseconds. */
static void
put_range(struct buf *b, const struct query_index *x)
{
	if (x->since_ns == WHEN_NONE && x->until_ns == WHEN_NONE)
		return;
	json_item(b);
	buf_cat(b, "{\"range\":{\"telltale.trace.start_ns\":{");
	if (x->since_ns != WHEN_NONE)
		json_member_i64(b, "gte", x->since_ns);
	if (x->until_ns != WHEN_NONE)
		json_member_i64(b, "lt", x->until_ns);
	buf_cat(b, "}}}");
}

/* Traces of the range; `with`: that match, as far as the server is asked. */
static void
put_traces(struct query_index *x, bool with)
{
	struct buf *b = &x->query;
	struct err deep = { "" };

	buf_reset(b);
	buf_cat(b, "{\"bool\":{\"filter\":[");
	put_range(b, x);
	if (with && !x->evaluate) {
		json_item(b);
		x->evaluate = query_es(b, x->ask->query, &deep) != 0;
		if (x->evaluate) {
			put_traces(x, false);
			return;
		}
	}
	buf_cat(b, "]}}");
}

static void
begin_traces(struct query_index *x)
{
	put_traces(x, true);
	x->begun = true;
	elastic_search_begin(x->search,
	    &(struct elastic_ask){ .index = TRACES,
		.query = buf_view(&x->query),
		.sort = by_trace,
		.fields = x->whole || x->evaluate ? NULL : list_fields });
}

static void
fill(const struct query_index *x, struct query_trace *out)
{
	const struct indexed_trace *d = &x->trace;

	*out = (struct query_trace){ .id = d->id,
		.start_ns = d->start_ns,
		.part = &d->view.trace,
		.service = d->service,
		.summary = d->summary,
		.view = &d->view };
}

/* The end of the hits; 0: they have to be asked for in another way. */
static int
end_status(struct query_index *x, enum elastic_found end, const struct err *err)
{
	int stopped = reading_stopped();

	if (stopped != STATUS_OK)
		return stopped;
	if (end == ELASTIC_REFUSED && !x->evaluate) {
		x->evaluate = true;
		begin_traces(x);
		return STATUS_OK;
	}
	command_say("query: %s", err->text);
	return STATUS_UNAVAILABLE;
}

bool
query_index_next(struct query_index *x, struct query_trace *t, int *status)
{
	struct err err = { "" };
	struct json_val *hit;
	enum elastic_found end;

	if (!x->begun)
		begin_traces(x);
	for (;;) {
		end = elastic_search_next(x->search, &hit, &err);
		if (end == ELASTIC_DONE)
			return false;
		if (end != ELASTIC_HIT) {
			*status = end_status(x, end, &err);
			if (*status != STATUS_OK)
				return false;
			continue;
		}
		arena_reset(&x->arena);
		if (!indexed_trace_read(&x->trace,
			json_get(hit, STR("_source")), &x->arena))
			continue;
		if (x->evaluate && !query_eval(x->ask->query, &x->trace.view))
			continue;
		fill(x, t);
		return true;
	}
}

uint64_t
query_index_seen(struct query_index *x, int *status)
{
	struct err err = { "" };
	uint64_t n = 0;

	put_traces(x, false);
	if (elastic_search_count(x->search,
		&(struct elastic_ask){ .index = TRACES,
		    .query = buf_view(&x->query) },
		&n, &err) == ELASTIC_DONE)
		return n;
	command_say("query: %s", err.text);
	*status = STATUS_UNAVAILABLE;
	return 0;
}

/* Milliseconds, wide enough; who asks looks at the time itself. */
static void
begin_documents(struct query_index *x)
{
	struct buf *b = &x->query;

	buf_cat(b, "{\"bool\":{\"filter\":[");
	if (x->since_ns != WHEN_NONE || x->until_ns != WHEN_NONE) {
		buf_cat(b, "{\"range\":{\"@timestamp\":{"
			   "\"format\":\"epoch_millis\"");
		if (x->since_ns != WHEN_NONE)
			json_member_i64(b, "gte", x->since_ns / NS_PER_MS - 1);
		if (x->until_ns != WHEN_NONE)
			json_member_i64(b, "lte", x->until_ns / NS_PER_MS + 1);
		buf_cat(b, "}}}");
	}
	buf_cat(b, "]}}");
	x->begun = true;
	elastic_search_begin(x->search,
	    &(struct elastic_ask){ .index = x->ask->findings
						? "telltale-findings-*"
						: "telltale-requests-*",
		.query = buf_view(b),
		.sort = x->ask->findings ? by_finding : by_place });
}

static bool
in_range(const struct query_index *x, struct json_val *source)
{
	struct str time = json_str(json_get(source, STR("@timestamp")));
	int64_t ns;

	if (x->since_ns == WHEN_NONE && x->until_ns == WHEN_NONE)
		return true;
	return when_iso(&time, &ns) &&
	       (x->since_ns == WHEN_NONE || ns >= x->since_ns) &&
	       (x->until_ns == WHEN_NONE || ns < x->until_ns);
}

int
query_index_document(struct query_index *x, struct str *line, struct err *err)
{
	struct json_val *hit;
	enum elastic_found end;

	if (!x->begun)
		begin_documents(x);
	for (end = elastic_search_next(x->search, &hit, err);
	     end == ELASTIC_HIT;
	     end = elastic_search_next(x->search, &hit, err)) {
		struct json_val *source = json_get(hit, STR("_source"));

		if (!in_range(x, source))
			continue;
		buf_reset(&x->line);
		buf_char(&x->line, '{');
		json_member_str(&x->line, "_index",
		    json_str(json_get(hit, STR("_index"))));
		json_member_str(&x->line, "_id",
		    json_str(json_get(hit, STR("_id"))));
		json_key(&x->line, "_source");
		json_put_val(&x->line, source);
		buf_char(&x->line, '}');
		*line = buf_view(&x->line);
		return 1;
	}
	return end == ELASTIC_DONE ? 0 : -1;
}
