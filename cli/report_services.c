/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The services: their routes with counts, answers and latency, and small time
 * lines of latency and errors.
 */
#include <stdlib.h>

#include "cli/report.h"
#include "cli/table.h"
#include "core/mem.h"
#include "core/when.h"

enum {
	ROUTES_SHOWN = 12,
	SERVICES_SHOWN = 20,
	LINE_LABEL = 10, /* "  latency " */
};

static void
route_row(struct table *t, const struct replay_route *r, bool utf8)
{
	struct buf b = { 0 };

	buf_cat(&b, method_name(r->method));
	buf_char(&b, ' ');
	term_text(&b, str_of(r->route), utf8);
	table_cell(t, PLAIN, buf_view(&b));
	buf_fini(&b);
	table_count(t, PLAIN, r->n, "-");
	table_count(t, GREEN, r->status[2], "-");
	table_count(t, PLAIN, r->status[3], "-");
	table_count(t, YELLOW, r->status[4], "-");
	table_count(t, YELLOW, r->not_found, "-");
	table_count(t, RED, r->status[5], "-");
	table_span(t, histogram_quantile(&r->latency, 500), utf8);
	table_span(t, histogram_quantile(&r->latency, 950), utf8);
	table_span(t, histogram_quantile(&r->latency, 990), utf8);
	table_count(t, DIM, r->probes, "-");
}

static void
put_routes(struct pen *p, const struct replay_service *s)
{
	static const struct table_column columns[] = {
		{ .head = "route", .flex = true },
		{ .head = "count", .right = true },
		{ .head = "2xx", .right = true, .rank = 2 },
		{ .head = "3xx", .right = true, .rank = 5 },
		{ .head = "4xx", .right = true, .rank = 1 },
		{ .head = "404", .right = true, .rank = 4 },
		{ .head = "5xx", .right = true, .rank = 1 },
		{ .head = "p50", .right = true },
		{ .head = "p95", .right = true, .rank = 3 },
		{ .head = "p99", .right = true },
		{ .head = "probes", .right = true, .rank = 6 },
		{ .head = NULL },
	};
	struct table t = { .columns = columns };
	struct buf b = { 0 };
	uint64_t more = 0;

	for (size_t i = 0; i < s->n_routes; i++) {
		if (i < ROUTES_SHOWN)
			route_row(&t, &s->routes[i], p->term->utf8);
		else
			more += s->routes[i].n;
	}
	if (s->n_routes > 0)
		table_print(&t, p, 2);
	table_fini(&t);
	if (s->n_routes > ROUTES_SHOWN) {
		buf_cat(&b, "and ");
		report_plural(&b, s->n_routes - ROUTES_SHOWN, "more route",
		    "more routes");
		buf_cat(&b, " with ");
		report_plural(&b, more, "request", "requests");
		pen_to(p, 2);
		pen_wrap(p, DIM, buf_view(&b), 2);
	}
	buf_fini(&b);
}

/* What a time line is of. */
enum line { LINE_REQUESTS, LINE_LATENCY, LINE_ERRORS };

/* Buckets put together, `by` at a time. */
static struct replay_bucket
merged(const struct replay_service *s, size_t at, size_t by)
{
	struct replay_bucket m = { 0 };

	for (size_t i = at; i < at + by && i < REPLAY_BUCKETS; i++) {
		const struct replay_bucket *b = &s->buckets[i];

		m.n += b->n;
		m.errors += b->errors;
		m.timed += b->timed;
		m.sum_us += b->sum_us;
	}
	return m;
}

/* The value of a bucket; -1: it has none. */
static int64_t
value_of(const struct replay_bucket *b, enum line line)
{
	switch (line) {
	case LINE_REQUESTS:
		return b->n > 0 ? (int64_t)b->n : -1;
	case LINE_LATENCY:
		if (b->timed == 0)
			return -1;
		return (int64_t)(b->sum_us / b->timed > INT64_MAX / 1000
				     ? INT64_MAX
				     : b->sum_us / b->timed * 1000);
	case LINE_ERRORS:
		return b->n > 0 ? share_ppm(b->errors, b->n) : -1;
	}
	return -1;
}

static void
put_max(struct buf *b, int64_t max, enum line line, bool utf8)
{
	buf_char(b, ' ');
	if (line == LINE_LATENCY)
		when_put_span(b, max, utf8);
	else if (line == LINE_ERRORS)
		put_percent(b, max);
	else
		put_count(b, (uint64_t)max);
}

/* Buckets up to the last that any service has something in. */
static size_t
buckets_used(const struct replay_result *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n_services; i++)
		for (size_t k = n; k < REPLAY_BUCKETS; k++)
			if (r->services[i].buckets[k].n > 0)
				n = k + 1;
	return n;
}

static void
put_line(struct pen *p, const struct replay_service *s, size_t used,
    enum line line)
{
	static const struct {
		const char *name;
		enum style style;
	} looks[] = { { "requests", DIM }, { "latency", CYAN },
		{ "errors", YELLOW } };
	int64_t values[REPLAY_BUCKETS];
	size_t by = 1;
	size_t n;
	int64_t max = -1;
	struct buf b = { 0 };

	/* The label, and " 850 ms" behind it. */
	while (used / by + LINE_LABEL + 10 > p->term->width)
		by++;
	n = (used + by - 1) / by;
	for (size_t i = 0; i < n; i++) {
		const struct replay_bucket m = merged(s, i * by, by);

		values[i] = value_of(&m, line);
		if (values[i] > max)
			max = values[i];
	}
	if (max < 0 || (max == 0 && line == LINE_ERRORS))
		return;
	pen_to(p, 2);
	pen_cat(p, DIM, looks[line].name);
	pen_to(p, LINE_LABEL + 2);
	report_sparkline(p, looks[line].style, values, n);
	put_max(&b, max, line, p->term->utf8);
	if (term_columns(buf_view(&b)) <= pen_left(p))
		pen_put(p, DIM, buf_view(&b));
	pen_end(p);
	buf_fini(&b);
}

/* "not judged: latency, as no request has a duration" */
static void
put_unjudged(struct pen *p, const struct replay_service *s)
{
	static const char *const texts[UNJUDGED] = {
		[UNJUDGED_LATENCY] = "latency, as no request has a duration",
		[UNJUDGED_STATUS] = "answers, as no request has a status",
		[UNJUDGED_FEW] = "anything small, of so few requests",
	};
	struct buf b = { 0 };

	for (int i = 0; i < UNJUDGED; i++) {
		if (!replay_unjudged(s, (enum unjudged)i))
			continue;
		buf_cat(&b, b.n > 0 ? "; " : "not judged: ");
		buf_cat(&b, texts[i]);
	}
	if (s->undated > 0) {
		buf_cat(&b, b.n > 0 ? "; " : "not judged: ");
		report_plural(&b, s->undated, "request", "requests");
		buf_cat(&b, " without a time");
	}
	if (b.n > 0) {
		pen_to(p, 2);
		pen_wrap(p, DIM, buf_view(&b), 2);
	}
	buf_fini(&b);
}

/* "like service: 1,773 requests, 183 probes; named its segments" */
static void
put_service(struct pen *p, const struct replay_service *s, size_t used)
{
	struct buf b = { 0 };

	pen_end(p);
	pen_raw(p, BOLD, str_of(s->name), pen_left(p));
	pen_end(p);
	report_plural(&b, s->requests, "request", "requests");
	if (s->in_both > 0) {
		buf_cat(&b, " (");
		put_count(&b, s->in_both);
		buf_cat(&b, " in log and trace, ");
		put_count(&b, s->from_traces);
		buf_cat(&b, " in a trace only)");
	} else if (s->from_traces > 0 && s->from_traces < s->requests) {
		buf_cat(&b, " (");
		put_count(&b, s->from_traces);
		buf_cat(&b, " in a trace only)");
	}
	buf_cat(&b, ", ");
	report_plural(&b, s->probes, "probe", "probes");
	buf_cat(&b, ", ");
	report_plural(&b, s->logs, "other log line", "other log lines");
	if (s->rule) {
		buf_cat(&b, "; named ");
		term_text(&b, str_of(s->rule), p->term->utf8);
	}
	pen_to(p, 2);
	pen_wrap(p, DIM, buf_view(&b), 2);
	put_unjudged(p, s);
	put_routes(p, s);
	put_line(p, s, used, LINE_REQUESTS);
	put_line(p, s, used, LINE_LATENCY);
	put_line(p, s, used, LINE_ERRORS);
	buf_fini(&b);
}

/* A service's place among the busiest; services are sorted by name. */
struct rank {
	uint64_t requests;
	size_t at;
};

static int
compare(const void *a, const void *b)
{
	const struct rank *x = a;
	const struct rank *y = b;

	if (x->requests != y->requests)
		return x->requests < y->requests ? 1 : -1;
	return x->at < y->at ? -1 : x->at > y->at;
}

/* By requests falling, then by name; free() it. */
static struct rank *
busiest(const struct replay_result *r)
{
	struct rank *v = xcalloc(r->n_services, sizeof *v);

	for (size_t i = 0; i < r->n_services; i++)
		v[i] = (struct rank){ r->services[i].requests, i };
	qsort(v, r->n_services, sizeof *v, compare);
	return v;
}

void
report_services(struct pen *p, const struct report *r)
{
	const struct replay_result *result = r->result;
	size_t used = buckets_used(result);
	struct rank *order;
	struct buf b = { 0 };

	if (result->n_services == 0)
		return;
	report_plural(&b, result->n_services, "service", "services");
	if (result->bucket_ns > 0) {
		buf_cat(&b, ", time lines of ");
		when_put_span(&b, result->bucket_ns, p->term->utf8);
		buf_cat(&b, " a step, with their greatest value");
	}
	report_heading(p, buf_cstr(&b));
	order = busiest(result);
	for (size_t i = 0; i < result->n_services && i < SERVICES_SHOWN; i++)
		put_service(p, &result->services[order[i].at], used);
	free(order);
	if (result->n_services > SERVICES_SHOWN) {
		pen_end(p);
		pen_printf(p, DIM, "and %zu more services: see --json",
		    result->n_services - SERVICES_SHOWN);
		pen_end(p);
	}
	buf_fini(&b);
}
