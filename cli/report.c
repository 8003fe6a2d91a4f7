/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The report: its order, its head, and the small things all parts use.
 */
#include "cli/report.h"

#include <stdlib.h>

#include "core/mem.h"
#include "core/when.h"

void
report_heading(struct pen *p, const char *text)
{
	pen_end(p);
	pen_wrap(p, BOLD, str_of(text), 0);
}

void
report_label(struct pen *p, const char *name)
{
	pen_to(p, 2);
	pen_cat(p, DIM, name);
	pen_to(p, REPORT_LABEL);
}

void
report_plural(struct buf *b, uint64_t n, const char *one, const char *many)
{
	put_count(b, n);
	buf_char(b, ' ');
	buf_cat(b, n == 1 ? one : many);
}

void
report_sparkline(struct pen *p, enum style style, const int64_t *values,
    size_t n)
{
	static const char *const blocks[8] = { "▁", "▂", "▃", "▄", "▅", "▆",
		"▇", "█" };
	static const char *const ascii[8] = { "_", ".", "-", "~", "=", "+", "*",
		"#" };
	const char *const *levels = p->term->utf8 ? blocks : ascii;
	struct buf line = { 0 };
	int64_t max = 1;

	for (size_t i = 0; i < n; i++)
		if (values[i] > max)
			max = values[i];
	for (size_t i = 0; i < n; i++) {
		/* Eight times a value must fit. */
		int64_t scale = max > INT64_MAX / 8 ? 16 : 1;
		int64_t level = values[i] / scale * 8 / (max / scale);

		if (values[i] < 0)
			buf_char(&line, ' ');
		else
			buf_cat(&line, levels[level > 7 ? 7 : level]);
	}
	pen_put(p, style, buf_view(&line));
	buf_fini(&line);
}

/* Events of all kinds; what was read is their sum. */
static uint64_t
events_read(const struct replay_result *r)
{
	uint64_t n = 0;

	for (int k = 0; k < KINDS; k++)
		n += r->accounts.n[k][ACCOUNT_READ];
	return n;
}

static void
put_read(struct pen *p, const struct replay_result *r)
{
	struct buf b = { 0 };
	size_t files = 0;
	uint64_t requests = 0;

	for (size_t i = 0; i < r->inputs.n; i++)
		files += r->inputs.v[i].state == INPUT_READ &&
			 (!r->read[i].error || r->read[i].notes.bytes > 0);
	for (size_t i = 0; i < r->n_services; i++)
		requests += r->services[i].requests + r->services[i].probes;
	report_plural(&b, files, "file", "files");
	buf_cat(&b, ", ");
	report_plural(&b, events_read(r), "event", "events");
	buf_cat(&b, ", ");
	report_plural(&b, requests, "request", "requests");
	buf_cat(&b, ", ");
	report_plural(&b, r->traces, "trace", "traces");
	report_label(p, "read");
	pen_wrap(p, PLAIN, buf_view(&b), REPORT_LABEL);
	buf_fini(&b);
}

static void
put_span(struct pen *p, const struct replay_result *r)
{
	struct buf b = { 0 };

	report_label(p, "span");
	if (r->first_ns == WHEN_NONE) {
		pen_wrap(p, PLAIN, STR("no event with a time"), REPORT_LABEL);
		return;
	}
	put_moment(&b, r->first_ns);
	buf_cat(&b, " to ");
	put_moment_after(&b, r->last_ns, r->first_ns);
	buf_cat(&b, " UTC (");
	/* A difference of two times may not fit; then it is centuries. */
	if (r->first_ns < 0 && r->last_ns > INT64_MAX + r->first_ns)
		buf_cat(&b, "centuries");
	else
		when_put_span(&b, r->last_ns - r->first_ns, p->term->utf8);
	buf_char(&b, ')');
	pen_wrap(p, PLAIN, buf_view(&b), REPORT_LABEL);
	buf_fini(&b);
}

static void
put_services(struct pen *p, const struct replay_result *r)
{
	enum { NAMED = 12 };
	struct buf b = { 0 };

	for (size_t i = 0; i < r->n_services && i < NAMED; i++) {
		if (i > 0)
			buf_cat(&b, ", ");
		term_text(&b, str_of(r->services[i].name), p->term->utf8);
	}
	if (r->n_services > NAMED)
		buf_printf(&b, " and %zu more", r->n_services - NAMED);
	if (r->n_services == 0)
		buf_cat(&b, "none");
	report_label(p, "services");
	pen_wrap(p, PLAIN, buf_view(&b), REPORT_LABEL);
	buf_fini(&b);
}

static void
put_probes(struct pen *p, const struct report *r)
{
	static const char *const fate[] = {
		[PROBES_FOLD] = "folded into the roll-up",
		[PROBES_KEEP] = "kept as documents",
		[PROBES_DROP] = "dropped",
	};
	struct buf b = { 0 };
	uint64_t probes = 0;
	uint64_t bad = 0;
	uint64_t probable = 0;
	uint64_t total = 0;

	for (size_t i = 0; i < r->result->n_services; i++) {
		const struct replay_service *s = &r->result->services[i];

		probes += s->probes;
		bad += s->probes_bad;
		probable += s->probable;
		total += s->requests + s->probes;
	}
	put_count(&b, probes);
	buf_cat(&b, " of ");
	report_plural(&b, total, "request", "requests");
	buf_cat(&b, " (");
	put_percent(&b, share_ppm(probes, total));
	buf_cat(&b, ") are health checks, set apart and ");
	buf_cat(&b, fate[r->options->probes]);
	if (bad > 0) {
		buf_cat(&b, "; ");
		put_count(&b, bad);
		buf_cat(&b, " of them failed");
	}
	if (probable > 0) {
		buf_cat(&b, "; ");
		put_count(&b, probable);
		buf_cat(&b, " more may be, and are left out of latency only");
	}
	report_label(p, "probes");
	pen_wrap(p, PLAIN, buf_view(&b), REPORT_LABEL);
	buf_fini(&b);
}

/* What was asked for, when it is not everything. */
static void
put_filters(struct pen *p, const struct report *r)
{
	const struct replay_options *o = r->options;
	struct buf b = { 0 };

	if (o->since_ns != WHEN_NONE) {
		buf_cat(&b, " from ");
		put_moment(&b, o->since_ns);
	}
	if (o->until_ns != WHEN_NONE) {
		buf_cat(&b, " before ");
		put_moment(&b, o->until_ns);
	}
	if (o->last_ns > 0) {
		buf_cat(&b, " the last ");
		when_put_span(&b, o->last_ns, p->term->utf8);
	}
	if (o->service.n > 0) {
		buf_cat(&b, " of ");
		term_text(&b, o->service, p->term->utf8);
	}
	if (o->judge.thresholds.only)
		buf_printf(&b, " judged by %s alone", o->judge.thresholds.only);
	if (b.n > 0) {
		report_label(p, "only");
		pen_wrap(p, PLAIN, str_from(buf_view(&b), 1), REPORT_LABEL);
	}
	buf_fini(&b);
}

static bool
is_of_route(const struct setting *s, const struct replay_service *service)
{
	for (size_t i = 0; s->route.n > 0 && i < service->n_routes; i++)
		if ((s->method == METHOD_NONE ||
			s->method == service->routes[i].method) &&
		    str_glob(str_of(service->routes[i].route), s->route))
			return true;
	return s->route.n == 0;
}

/* A setting that is for nothing here: for another archive, or mistyped. */
static bool
is_idle(const struct setting *s, const struct replay_result *r)
{
	for (size_t i = 0; s->service.n > 0 && i < r->n_services; i++)
		if (str_glob(str_of(r->services[i].name), s->service) &&
		    is_of_route(s, &r->services[i]))
			return false;
	return s->service.n > 0;
}

/* How many thresholds are not the defaults, and how many of them idle. */
static void
put_config(struct pen *p, const struct report *r)
{
	const struct thresholds *t = &r->options->judge.thresholds;
	struct buf b = { 0 };
	size_t idle = 0;

	if (!t->file)
		return;
	for (size_t i = 0; i < t->n; i++)
		idle += is_idle(&t->v[i], r->result);
	term_text(&b, str_of(t->file), p->term->utf8);
	buf_cat(&b, ", with ");
	report_plural(&b, t->n, "threshold", "thresholds");
	if (idle > 0)
		buf_printf(&b, ", %zu of them for no service or route here",
		    idle);
	report_label(p, "config");
	pen_wrap(p, PLAIN, buf_view(&b), REPORT_LABEL);
	buf_fini(&b);
}

void
report_head(struct pen *p, const struct report *r)
{
	put_read(p, r->result);
	put_span(p, r->result);
	put_services(p, r->result);
	put_probes(p, r);
	put_filters(p, r);
	put_config(p, r);
}

void
report_print(struct buf *out, const struct report *r)
{
	struct pen p = { .out = out, .term = r->term, .line = out->n };

	report_head(&p, r);
	report_findings(&p, r);
	report_services(&p, r);
	report_traces(&p, r);
	report_inputs(&p, r);
	report_accounting(&p, r);
}
