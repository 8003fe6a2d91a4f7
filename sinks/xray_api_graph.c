/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GetServiceGraph, GetTraceGraph and GetTimeSeriesServiceStatistics.
 *
 * Nodes are numbered in order of name, type and account.  A histogram's entry
 * is the middle of a bin, rounded to milliseconds as the service's are; a bin
 * that holds the largest value alone says that value.
 */
#include "sinks/xray_api.h"

#include <stdlib.h>

#include "core/json.h"
#include "core/mem.h"
#include "core/when.h"
#include "sinks/xray_api_parts.h"

/* What is asked of a graph, and the numbers that its nodes get. */
struct scope {
	const struct graph *g;
	int64_t from_ns, to_ns;
	uint32_t *number; /* by node; GRAPH_NONE: left out */
};

static void
put_stat(struct buf *b, const char *key, const struct graph_stat *s)
{
	uint64_t throttles = s->count[GRAPH_THROTTLE];
	uint64_t errors = s->count[GRAPH_ERROR];

	api_open(b, key, '{');
	api_count(b, "OkCount", s->count[GRAPH_OK]);
	api_open(b, "ErrorStatistics", '{');
	api_count(b, "ThrottleCount", throttles);
	api_count(b, "OtherCount", errors);
	api_count(b, "TotalCount", throttles + errors);
	buf_char(b, '}');
	api_open(b, "FaultStatistics", '{');
	api_count(b, "OtherCount", s->count[GRAPH_FAULT]);
	api_count(b, "TotalCount", s->count[GRAPH_FAULT]);
	buf_char(b, '}');
	api_count(b, "TotalCount", graph_total(s));
	json_key(b, "TotalResponseTime");
	api_milliseconds(b,
	    s->response_ns > INT64_MAX ? INT64_MAX : (int64_t)s->response_ns);
	buf_char(b, '}');
}

static int64_t
bin_value_ms(const struct histogram *h, uint32_t bin, uint32_t count)
{
	int64_t high = histogram_bin_limit(bin);
	int64_t low = bin > 0 ? histogram_bin_limit(bin - 1) : 0;
	int64_t ns = low + (high - low) / 2;

	if (bin == histogram_bin(h->max_ns) && (count == 1 || ns > h->max_ns))
		ns = h->max_ns;
	return ns / NS_PER_MS + (ns % NS_PER_MS >= NS_PER_MS / 2);
}

static void
put_histogram(struct buf *b, const char *key, const struct histogram *h)
{
	uint64_t count = 0;
	int64_t value = -1;

	api_open(b, key, '[');
	for (uint32_t i = 0; i <= h->n; i++) {
		uint32_t n = i < h->n ? h->count[i] : 0;
		int64_t ms = n > 0 ? bin_value_ms(h, h->first + i, n) : value;

		if (count > 0 && (ms != value || i == h->n)) {
			json_item(b);
			buf_char(b, '{');
			json_key(b, "Value");
			api_milliseconds(b, value * NS_PER_MS);
			api_count(b, "Count",
			    count > INT32_MAX ? INT32_MAX : count);
			buf_char(b, '}');
			count = 0;
		}
		value = ms;
		count += n;
	}
	buf_char(b, ']');
}

/* Whole seconds, from the first to the last; clipped to what was asked. */
static void
put_bounds(struct buf *b, const struct scope *sc, int64_t start_ns,
    int64_t end_ns)
{
	if (start_ns == INT64_MAX)
		return;
	if (sc->from_ns != WHEN_NONE && start_ns < sc->from_ns)
		start_ns = sc->from_ns;
	if (sc->to_ns != WHEN_NONE && end_ns > sc->to_ns)
		end_ns = sc->to_ns;
	api_time(b, "StartTime", start_ns / NS_PER_SEC * NS_PER_SEC);
	if (end_ns < INT64_MAX - NS_PER_SEC && end_ns % NS_PER_SEC > 0)
		end_ns += NS_PER_SEC;
	api_time(b, "EndTime", end_ns / NS_PER_SEC * NS_PER_SEC);
}

static uint64_t
sum_in(const struct scope *sc, const struct graph_series *s,
    struct graph_stat *stat, struct histogram *h)
{
	return graph_sum(s, sc->from_ns == WHEN_NONE ? INT64_MIN : sc->from_ns,
	    sc->to_ns == WHEN_NONE ? INT64_MAX : sc->to_ns, stat, h);
}

/* Whether it is shown: all is when no range was asked for. */
static bool
edge_in(const struct scope *sc, const struct graph_edge *e)
{
	struct graph_stat stat;
	struct histogram h = { 0 };
	bool any = sum_in(sc, &e->series, &stat, &h) > 0;

	histogram_fini(&h);
	return any || (sc->from_ns == WHEN_NONE && sc->to_ns == WHEN_NONE);
}

static void
put_edge(struct buf *b, const struct scope *sc, const struct graph_node *from,
    const struct graph_edge *e)
{
	const struct graph_series *bounds =
	    from->series.n > 0 ? &from->series : &e->series;
	bool link = e->kind == GRAPH_LINK;
	struct graph_stat stat;
	struct histogram h = { 0 };

	if (sc->number[e->to] == GRAPH_NONE || !edge_in(sc, e))
		return;
	sum_in(sc, &e->series, &stat, &h);
	json_item(b);
	buf_char(b, '{');
	json_member_i64(b, "ReferenceId", sc->number[e->to]);
	put_bounds(b, sc, bounds->start_ns, bounds->end_ns);
	if (link) /* nobody waits for a response */
		stat.response_ns = 0;
	put_stat(b, "SummaryStatistics", &stat);
	put_histogram(b,
	    link ? "ReceivedEventAgeHistogram" : "ResponseTimeHistogram", &h);
	if (link)
		json_member_str(b, "EdgeType", STR("link"));
	api_open(b, "Aliases", '[');
	if (e->alias.n > 0) {
		buf_char(b, '{');
		api_service(b, e->alias, (struct str){ NULL, 0 },
		    e->alias_type);
		buf_char(b, '}');
	}
	buf_cat(b, "]}");
	histogram_fini(&h);
}

static struct str
state_of(const struct graph_node *n)
{
	if (n->flags & GRAPH_REPORTED)
		return STR("active");
	return str_eq(n->key.type, STR("remote")) ? STR("passive")
						  : STR("unknown");
}

/* The bounds of a client are those of its edges. */
static void
put_node_bounds(struct buf *b, const struct scope *sc,
    const struct graph_node *n)
{
	int64_t start = n->series.start_ns;
	int64_t end = n->series.end_ns;

	for (size_t i = 0; n->series.n == 0 && i < n->n_edges; i++) {
		const struct graph_series *s = &n->edges[i].series;

		if (s->n == 0)
			continue;
		end = i == 0 || start == INT64_MAX || s->end_ns > end
			  ? s->end_ns
			  : end;
		start = s->start_ns < start ? s->start_ns : start;
	}
	put_bounds(b, sc, start, end);
}

static void
put_node(struct buf *b, const struct scope *sc, uint32_t number)
{
	const struct graph_node *n = graph_at(sc->g, number);
	bool client = n->flags & GRAPH_CLIENT;
	struct graph_stat stat;
	struct histogram h = { 0 };

	json_item(b);
	buf_char(b, '{');
	json_member_i64(b, "ReferenceId", sc->number[number]);
	api_service(b, n->key.name, n->key.account, n->key.type);
	if ((n->flags & GRAPH_ROOT) && !client)
		json_member_bool(b, "Root", true);
	json_member_str(b, "State", state_of(n));
	put_node_bounds(b, sc, n);
	api_open(b, "Edges", '[');
	for (size_t i = 0; i < n->n_edges; i++)
		put_edge(b, sc, n, &n->edges[i]);
	buf_char(b, ']');
	if (!client) {
		sum_in(sc, &n->series, &stat, &h);
		put_stat(b, "SummaryStatistics", &stat);
		/* Durations are kept for the whole time only. */
		put_histogram(b, "DurationHistogram",
		    sc->from_ns == WHEN_NONE && sc->to_ns == WHEN_NONE
			? &n->duration
			: &h);
		put_histogram(b, "ResponseTimeHistogram", &h);
	}
	buf_char(b, '}');
	histogram_fini(&h);
}

/* Which nodes are shown: those with a sample, and both ends of an edge. */
static void
number_nodes(struct scope *sc)
{
	size_t n = graph_size(sc->g);
	const uint32_t *order = graph_order(sc->g);
	bool all = sc->from_ns == WHEN_NONE && sc->to_ns == WHEN_NONE;
	bool *shown = xcalloc(n + 1, sizeof *shown);
	uint32_t next = 0;

	sc->number = xcalloc(n + 1, sizeof *sc->number);
	for (uint32_t i = 0; i < n; i++) {
		const struct graph_node *node = graph_at(sc->g, i);
		struct graph_stat stat;
		struct histogram h = { 0 };

		shown[i] |= all || sum_in(sc, &node->series, &stat, &h) > 0;
		histogram_fini(&h);
		for (size_t k = 0; k < node->n_edges; k++)
			if (edge_in(sc, &node->edges[k]))
				shown[i] = shown[node->edges[k].to] = true;
	}
	for (size_t i = 0; i < n; i++)
		sc->number[order[i]] = shown[order[i]] ? next++ : GRAPH_NONE;
	free(shown);
}

static void
put_services(struct buf *b, struct scope *sc)
{
	const uint32_t *order = graph_order(sc->g);

	number_nodes(sc);
	api_open(b, "Services", '[');
	for (size_t i = 0; i < graph_size(sc->g); i++)
		if (sc->number[order[i]] != GRAPH_NONE)
			put_node(b, sc, order[i]);
	buf_char(b, ']');
	free(sc->number);
}

static void
widen(const struct graph_series *s, int64_t *start, int64_t *end)
{
	if (s->n == 0)
		return;
	*start = s->start_ns < *start ? s->start_ns : *start;
	*end = s->end_ns > *end ? s->end_ns : *end;
}

void
xray_api_service_graph(struct buf *b, const struct graph *g, int64_t from_ns,
    int64_t to_ns)
{
	struct scope sc = { .g = g, .from_ns = from_ns, .to_ns = to_ns };
	int64_t start = INT64_MAX;
	int64_t end = INT64_MIN;

	for (uint32_t i = 0; i < graph_size(g); i++) {
		const struct graph_node *n = graph_at(g, i);

		widen(&n->series, &start, &end);
		for (size_t k = 0; k < n->n_edges; k++)
			widen(&n->edges[k].series, &start, &end);
	}
	if (start == INT64_MAX)
		start = end = WHEN_NONE;
	buf_char(b, '{');
	api_time(b, "StartTime", from_ns != WHEN_NONE ? from_ns : start);
	api_time(b, "EndTime", to_ns != WHEN_NONE ? to_ns : end);
	put_services(b, &sc);
	json_member_bool(b, "ContainsOldGroupVersions", false);
	buf_char(b, '}');
}

void
xray_api_trace_graph(struct buf *b, const struct graph *g)
{
	struct scope sc = { .g = g, .from_ns = WHEN_NONE, .to_ns = WHEN_NONE };

	buf_char(b, '{');
	put_services(b, &sc);
	buf_char(b, '}');
}

/* The multiple of the period at or below a time. */
static int64_t
step_floor(int64_t ns, int64_t period)
{
	int64_t rest = ns % period;

	if (rest < 0)
		rest += period;
	return ns >= INT64_MIN + rest ? ns - rest : INT64_MIN;
}

/* Adds what a series has in the step that begins at `at`; the cursor is
 * behind the last bucket that was not taken, and only goes down. */
static void
add_step(const struct graph_series *s, size_t *cursor, int64_t at,
    struct graph_bucket *sum)
{
	for (; *cursor > 0 && s->v[*cursor - 1].start_ns >= at; (*cursor)--) {
		const struct graph_bucket *k = &s->v[*cursor - 1];

		for (int i = 0; i < GRAPH_OUTCOMES; i++)
			sum->stat.count[i] += k->stat.count[i];
		sum->stat.response_ns += k->stat.response_ns;
		histogram_merge(&sum->response, &k->response);
	}
}

static void
put_step(struct buf *b, const struct xray_api_series *s, int64_t end_ns,
    const struct graph_bucket *sum)
{
	json_item(b);
	buf_char(b, '{');
	api_time(b, "Timestamp", end_ns);
	if (graph_total(&sum->stat) > 0) {
		put_stat(b,
		    s->edges ? "EdgeSummaryStatistics"
			     : "ServiceSummaryStatistics",
		    &sum->stat);
		put_histogram(b, "ResponseTimeHistogram", &sum->response);
	}
	buf_char(b, '}');
}

/* The last bucket's start of all series below `below`; INT64_MIN: none. */
static int64_t
newest(const struct xray_api_series *s, const size_t *cursors)
{
	int64_t at = INT64_MIN;

	for (size_t i = 0; i < s->n; i++)
		if (cursors[i] > 0 && s->v[i]->v[cursors[i] - 1].start_ns > at)
			at = s->v[i]->v[cursors[i] - 1].start_ns;
	return at;
}

static size_t *
cursors_new(const struct xray_api_series *s, int64_t *first, int64_t *last)
{
	size_t *cursors = xcalloc(s->n + 1, sizeof *cursors);

	*first = INT64_MAX;
	*last = INT64_MIN;
	for (size_t i = 0; i < s->n; i++) {
		const struct graph_series *g = s->v[i];
		size_t n = g->n;

		while (n > 0 && s->to_ns != WHEN_NONE &&
		       g->v[n - 1].start_ns >= s->to_ns)
			n--;
		cursors[i] = n;
		if (n == 0)
			continue;
		*first = g->v[0].start_ns < *first ? g->v[0].start_ns : *first;
		*last =
		    g->v[n - 1].start_ns > *last ? g->v[n - 1].start_ns : *last;
	}
	if (s->from_ns != WHEN_NONE)
		*first = s->from_ns;
	if (s->to_ns != WHEN_NONE)
		*last = s->to_ns - 1;
	return cursors;
}

void
xray_api_time_series(struct buf *b, const struct xray_api_series *s)
{
	int64_t first, last;
	size_t *cursors = cursors_new(s, &first, &last);
	int64_t period = s->period_ns;
	int64_t at = step_floor(last, period);
	bool sparse;

	buf_cat(b, "{\"TimeSeriesServiceStatistics\":[");
	first = first == INT64_MAX ? first : step_floor(first, period);
	sparse = first <= last &&
		 ((uint64_t)at - (uint64_t)first) / (uint64_t)period >
		     XRAY_API_STEPS;
	while (first <= last && at >= first) {
		struct graph_bucket sum = { 0 };

		for (size_t i = 0; i < s->n; i++)
			add_step(s->v[i], &cursors[i], at, &sum);
		if (!sparse || graph_total(&sum.stat) > 0)
			put_step(b, s,
			    at > INT64_MAX - period ? INT64_MAX : at + period,
			    &sum);
		histogram_fini(&sum.response);
		if (at < INT64_MIN + period)
			break;
		at = sparse ? step_floor(newest(s, cursors), period)
			    : at - period;
	}
	buf_char(b, ']');
	json_member_bool(b, "ContainsOldGroupVersions", false);
	buf_char(b, '}');
	free(cursors);
}
