/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of traces: sorted, cut to --limit, in four forms.
 *
 * Of more rows than the limit, the best are kept while they come: twice the
 * limit is gathered, sorted and cut, so that memory is what is printed.
 */
#include <stdlib.h>

#include "cli/command.h"
#include "cli/query.h"
#include "cli/table.h"
#include "core/json.h"
#include "core/mem.h"
#include "core/when.h"
#include "sinks/xray_api.h"

struct line {
	char id[TRACE_ID_SIZE];
	uint32_t flags;
	int64_t start_ns, response_ns, duration_ns, status;
	struct str method, url, service;
	struct str json; /* of the whole summary */
	char *memory;    /* of the texts */
};

struct list {
	const struct query_ask *ask;
	struct line *v;
	size_t n, cap;
	bool full; /* the first `limit` lines are the best of all so far */
	uint64_t found;
};

/* Absent values last; `down`: the greater first. */
static int
number_cmp(int64_t a, int64_t b, bool down)
{
	if (a == b)
		return 0;
	if (a == VIEW_NONE || b == VIEW_NONE)
		return a == VIEW_NONE ? 1 : -1;
	return (a < b) != down ? -1 : 1;
}

static int
line_cmp(const void *pa, const void *pb, void *arg)
{
	const struct query_ask *ask = arg;
	const struct line *a = pa;
	const struct line *b = pb;
	int c = 0;

	switch (ask->sort) {
	case SORT_DURATION:
		c = number_cmp(a->duration_ns, b->duration_ns, true);
		break;
	case SORT_RESPONSE:
		c = number_cmp(a->response_ns, b->response_ns, true);
		break;
	case SORT_STATUS:
		c = number_cmp(a->status, b->status, true);
		break;
	case SORT_URL:
		c = str_cmp(a->url, b->url);
		break;
	case SORT_SERVICE:
		c = str_cmp(a->service, b->service);
		break;
	case SORT_TIME:
	case SORT_COUNT:
	case SORT_AVERAGE:
	case SORT_KEY:
	case SORTS:
		break;
	}
	if (c == 0)
		c = number_cmp(a->start_ns, b->start_ns, false);
	if (c == 0)
		c = memcmp(a->id, b->id, sizeof a->id);
	return ask->reverse ? -c : c;
}

static void
cut(struct list *l)
{
	struct query_ask ask = *l->ask;
	size_t n = l->n;

	if (l->n > 1)
		qsort_r(l->v, l->n, sizeof *l->v, line_cmp, &ask);
	while (n > ask.limit)
		free(l->v[--n].memory);
	l->n = n;
	l->full = n == ask.limit;
}

static struct str
keep_text(char **at, struct str s)
{
	struct str kept = { *at, s.n };

	if (s.n > 0)
		memcpy(*at, s.p, s.n);
	*at += s.n;
	return kept;
}

/* What is printed of a trace and sorted by; its texts are still borrowed. */
static struct line
line_of(const struct query_trace *t)
{
	const struct view_part *p = t->part;
	struct line line = {
		.flags = p->flags,
		.start_ns = t->start_ns,
		.response_ns = p->responsetime_ns,
		.duration_ns = p->duration_ns,
		.status = p->status,
		.method = p->method,
		.url = p->url,
		.service = t->service,
	};

	memcpy(line.id, t->id.p,
	    t->id.n < sizeof line.id ? t->id.n : sizeof line.id);
	return line;
}

/* Makes the texts its own, with the summary if the form has one. */
static void
line_keep(struct line *line, const struct query_trace *t, bool summary)
{
	struct buf json = { 0 };
	char *at;

	buf_char(&json, '[');
	if (summary && t->trace)
		xray_api_summary(&json, t->trace);
	else if (summary)
		buf_str(&json, t->summary);
	at = xcalloc(
	    line->method.n + line->url.n + line->service.n + json.n + 1, 1);
	line->memory = at;
	line->method = keep_text(&at, line->method);
	line->url = keep_text(&at, line->url);
	line->service = keep_text(&at, line->service);
	line->json = keep_text(&at, str_from(buf_view(&json), 1));
	buf_fini(&json);
}

static bool
has_summary(const struct query_ask *ask)
{
	return ask->form == FORM_JSON || ask->form == FORM_NDJSON;
}

static void
list_put(struct list *l, const struct query_trace *t)
{
	struct query_ask ask = *l->ask;
	struct line line = line_of(t);

	l->found++;
	if (ask.limit == 0)
		return;
	if (l->n / 2 >= ask.limit)
		cut(l);
	if (l->full && line_cmp(&line, &l->v[ask.limit - 1], &ask) > 0)
		return;
	line_keep(&line, t, has_summary(&ask));
	l->v = xgrow(l->v, l->n + 1, &l->cap, sizeof *l->v);
	l->v[l->n++] = line;
}

static enum style
style_of(uint32_t flags)
{
	if (flags & VIEW_FAULT)
		return RED;
	return flags & (VIEW_ERROR | VIEW_THROTTLE) ? YELLOW : PLAIN;
}

static void
put_row(struct table *t, const struct query_ask *ask, const struct line *l)
{
	struct buf b = { 0 };

	put_moment(&b, l->start_ns);
	table_cell(t, PLAIN, buf_view(&b));
	table_cell(t, PLAIN, (struct str){ l->id, sizeof l->id });
	table_span(t, l->response_ns, ask->term->utf8);
	table_span(t, l->duration_ns, ask->term->utf8);
	buf_reset(&b);
	if (l->status == VIEW_NONE)
		buf_char(&b, '-');
	else
		buf_i64(&b, l->status);
	table_cell(t, style_of(l->flags), buf_view(&b));
	table_text(t, PLAIN, l->method, ask->term->utf8);
	table_text(t, PLAIN, l->url, ask->term->utf8);
	buf_reset(&b);
	query_flags_put(&b, l->flags);
	table_cell(t, style_of(l->flags), buf_view(&b));
	table_text(t, PLAIN, l->service, ask->term->utf8);
	buf_fini(&b);
}

static void
print_table(const struct list *l, uint64_t seen, struct buf *out)
{
	static const struct table_column columns[] = {
		{ .head = "time" },
		{ .head = "trace" },
		{ .head = "response", .right = true },
		{ .head = "duration", .right = true, .rank = 6 },
		{ .head = "status", .right = true },
		{ .head = "method", .rank = 3 },
		{ .head = "url", .flex = true, .rank = 4 },
		{ .head = "flags", .rank = 2 },
		{ .head = "service", .rank = 5 },
		{ .head = NULL },
	};
	struct table t = { .columns = columns };
	struct pen p = { .out = out, .term = l->ask->term };
	struct buf b = { 0 };

	for (size_t i = 0; i < l->n; i++)
		put_row(&t, l->ask, &l->v[i]);
	if (l->n > 0) {
		table_print(&t, &p, 0);
		pen_end(&p);
	}
	put_count(&b, l->found);
	buf_cat(&b, " of ");
	put_count(&b, seen);
	buf_cat(&b, seen == 1 ? " trace" : " traces");
	if (l->n < l->found)
		buf_printf(&b, "; %zu are shown: see --limit", l->n);
	pen_put(&p, DIM, buf_view(&b));
	pen_end(&p);
	buf_fini(&b);
	table_fini(&t);
}

static void
print_csv(const struct list *l, struct buf *out)
{
	struct buf b = { 0 };

	buf_cat(out, "time,id,response_time,duration,status,method,url,flags,"
		     "service\r\n");
	for (size_t i = 0; i < l->n; i++) {
		const struct line *line = &l->v[i];

		when_put(out, line->start_ns, 9);
		query_csv(out, (struct str){ line->id, sizeof line->id });
		buf_char(out, ',');
		query_seconds(out, line->response_ns);
		buf_char(out, ',');
		query_seconds(out, line->duration_ns);
		buf_char(out, ',');
		if (line->status != VIEW_NONE)
			buf_i64(out, line->status);
		query_csv(out, line->method);
		query_csv(out, line->url);
		buf_reset(&b);
		query_flags_put(&b, line->flags);
		query_csv(out, buf_view(&b));
		query_csv(out, line->service);
		buf_cat(out, "\r\n");
	}
	buf_fini(&b);
}

/* The body of GetTraceSummaries, and what it is of. */
static void
print_json(const struct list *l, uint64_t seen, struct buf *out)
{
	buf_cat(out, "{\"schema\":\"telltale/1\",\"command\":\"query\"");
	json_key(out, "TraceSummaries");
	buf_char(out, '[');
	for (size_t i = 0; i < l->n; i++) {
		json_item(out);
		buf_str(out, l->v[i].json);
	}
	buf_char(out, ']');
	json_member_i64(out, "TracesProcessedCount", (int64_t)seen);
	json_member_i64(out, "matched", (int64_t)l->found);
	buf_cat(out, "}\n");
}

static void
print(const struct list *l, uint64_t seen, struct buf *out)
{
	switch (l->ask->form) {
	case FORM_TABLE:
		print_table(l, seen, out);
		break;
	case FORM_JSON:
		print_json(l, seen, out);
		break;
	case FORM_NDJSON:
		for (size_t i = 0; i < l->n; i++) {
			buf_str(out, l->v[i].json);
			buf_char(out, '\n');
		}
		break;
	case FORM_CSV:
		print_csv(l, out);
		break;
	}
}

int
query_list(const struct query_ask *ask)
{
	struct list l = { .ask = ask };
	struct buf out = { 0 };
	struct query_trace t;
	struct query_source *s;
	uint64_t seen;
	int status = STATUS_OK;

	s = query_source_open(ask, has_summary(ask), &status);
	if (!s)
		return status;
	while (query_source_next(s, &t))
		list_put(&l, &t);
	cut(&l);
	seen = query_source_seen(s);
	status = query_source_close(s);
	if (query_prints(status)) {
		int printed;

		print(&l, seen, &out);
		printed = query_finish(&out, l.found);
		if (printed > STATUS_FOUND || status == STATUS_OK)
			status = printed;
	}
	for (size_t i = 0; i < l.n; i++)
		free(l.v[i].memory);
	free(l.v);
	buf_fini(&out);
	return status;
}
