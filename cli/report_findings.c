/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The findings, each with what a person asks next: how sure, since when,
 * compared with what, and where to look.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/report.h"
#include "core/when.h"
#include "ingest/input.h"
#include "sinks/documents.h"

/* Severity by word and by shape, so that colour is never needed. */
static const struct {
	const char *utf8, *ascii, *word;
} looks[SEVERITIES] = {
	[SEVERITY_INFO] = { "○", "-", "INFO" },
	[SEVERITY_WARNING] = { "▲", "!", "WARNING" },
	[SEVERITY_CRITICAL] = { "●", "*", "CRITICAL" },
};

/* "● CRITICAL  slow-post  POST /mysfits/{id}/like  like service" */
static void
put_title(struct pen *p, const struct finding *f)
{
	const char *mark =
	    p->term->utf8 ? looks[f->severity].utf8 : looks[f->severity].ascii;
	size_t room;

	pen_end(p);
	pen_printf(p, severity_style(f->severity), "%s %s", mark,
	    looks[f->severity].word);
	pen_printf(p, BOLD, "  %s", f->rule);
	pen_cat(p, PLAIN, "  ");
	room = pen_left(p);
	pen_raw(p, BOLD, str_of(f->service),
	    f->route || f->client ? room / 2 : room);
	if (f->client && pen_left(p) > 2) {
		pen_cat(p, PLAIN, "  ");
		pen_raw(p, BOLD, str_of(f->client), pen_left(p));
	}
	if (f->method != METHOD_NONE && pen_left(p) > 20)
		pen_printf(p, PLAIN, "  %s", method_name(f->method));
	if (f->route && pen_left(p) > 2) {
		pen_cat(p, PLAIN, f->method == METHOD_NONE ? "  " : " ");
		pen_raw(p, PLAIN, str_of(f->route), pen_left(p));
	}
	pen_end(p);
}

static void
put_sentence(struct pen *p, const struct finding *f)
{
	struct buf raw = { 0 };
	struct buf safe = { 0 };

	finding_sentence(&raw, f, p->term->utf8);
	term_text(&safe, buf_view(&raw), p->term->utf8);
	pen_to(p, 2);
	pen_wrap(p, PLAIN, buf_view(&safe), 2);
	buf_fini(&raw);
	buf_fini(&safe);
}

static void
put_share(struct buf *b, uint64_t bad, uint64_t total)
{
	put_count(b, bad);
	buf_cat(b, " of ");
	put_count(b, total);
}

static void
put_milli(struct buf *b, int64_t milli)
{
	buf_printf(b, "%lld.%lld", (long long)(milli / 1000),
	    (long long)(milli / 100 % 10));
}

/* Of a surge: how many, and how many were to be expected. */
static void
put_surge_value(struct pen *p, const struct finding *f)
{
	struct buf b = { 0 };

	put_count(&b, f->bad);
	buf_char(&b, ' ');
	finding_unit(&b, f, p->term->utf8);
	report_label(p, "value");
	pen_wrap(p, PLAIN, buf_view(&b), REPORT_LABEL);
	buf_reset(&b);

	put_count(&b, f->base_bad);
	buf_cat(&b, " in the ");
	when_put_span(&b, f->base_ns, p->term->utf8);
	buf_cat(&b, " before");
	report_label(p, "baseline");
	pen_wrap(p, PLAIN, buf_view(&b), REPORT_LABEL);
	buf_reset(&b);

	buf_cat(&b, "G > ");
	put_milli(&b, f->h_milli);
	buf_cat(&b, "; passed by ");
	put_count(&b, f->window_bad);
	buf_cat(&b, " in ");
	when_put_span(&b, f->window_ns, p->term->utf8);
	buf_cat(&b, " where ");
	put_milli(&b, f->expected_milli);
	buf_cat(&b, " were to be expected at most, G = ");
	put_milli(&b, f->g_milli);
	report_label(p, "threshold");
	pen_wrap(p, PLAIN, buf_view(&b), REPORT_LABEL);
	buf_fini(&b);
}

/* "69 of 108 = 63.9 % (requests over 1 s)", and what it was before. */
static void
put_value(struct pen *p, const struct finding *f)
{
	struct buf b = { 0 };

	put_share(&b, f->bad, f->total);
	buf_cat(&b, " = ");
	put_percent(&b, f->value_ppm);
	if (f->unit) {
		buf_cat(&b, " (");
		finding_unit(&b, f, p->term->utf8);
		buf_char(&b, ')');
	}
	report_label(p, "value");
	pen_wrap(p, PLAIN, buf_view(&b), REPORT_LABEL);
	buf_reset(&b);

	if (f->test == TEST_RATIO) {
		put_share(&b, f->base_bad, f->base_total);
		buf_cat(&b, " before, judged as ");
	}
	put_percent(&b, f->baseline_ppm);
	if (f->test != TEST_RATIO)
		buf_cat(&b, " of a client that follows links, at most");
	report_label(p, "baseline");
	pen_wrap(p, PLAIN, buf_view(&b), REPORT_LABEL);
	buf_fini(&b);
}

/* What decided: the gate, the test, and the window that passed both. */
static void
put_threshold(struct pen *p, const struct finding *f)
{
	struct buf b = { 0 };

	put_percent(&b, f->threshold_ppm);
	buf_cat(&b, " and G > ");
	put_milli(&b, f->h_milli);
	buf_cat(&b, "; passed by ");
	put_share(&b, f->window_bad, f->window_total);
	buf_cat(&b, " in ");
	when_put_span(&b, f->window_ns, p->term->utf8);
	buf_cat(&b, ", G = ");
	put_milli(&b, f->g_milli);
	report_label(p, "threshold");
	pen_wrap(p, PLAIN, buf_view(&b), REPORT_LABEL);
	buf_fini(&b);
}

static void
put_times(struct pen *p, const struct finding *f)
{
	struct buf b = { 0 };

	put_moment(&b, f->start_ns);
	buf_cat(&b, " UTC, detected ");
	if (f->detected_ns >= f->start_ns) {
		when_put_span(&b, f->detected_ns - f->start_ns, p->term->utf8);
		buf_cat(&b, " later");
	} else {
		put_moment_after(&b, f->detected_ns, f->start_ns);
	}
	buf_cat(&b, ", last seen ");
	put_moment_after(&b, f->end_ns, f->start_ns);
	buf_cat(&b, f->open ? ", open at the records' end" : ", resolved");
	report_label(p, "onset");
	pen_wrap(p, PLAIN, buf_view(&b), REPORT_LABEL);
	buf_fini(&b);
}

static void
put_latency(struct pen *p, const struct finding *f)
{
	struct buf b = { 0 };

	if (f->after_ns < 0)
		return;
	if (f->before_ns >= 0) {
		when_put_span(&b, f->before_ns, p->term->utf8);
		buf_cat(&b, p->term->utf8 ? " → " : " -> ");
	}
	when_put_span(&b, f->after_ns, p->term->utf8);
	buf_cat(&b, " on average");
	report_label(p, "latency");
	pen_wrap(p, PLAIN, buf_view(&b), REPORT_LABEL);
	buf_fini(&b);
}

static void
put_trace(struct buf *b, const uint8_t id[16])
{
	buf_cat(b, "trace 1-");
	for (int i = 0; i < 16; i++)
		buf_printf(b, i == 4 ? "-%02x" : "%02x", id[i]);
}

/*
 * "file.gz:1234 trace 1-…", or one below the other.  Either is to be copied in
 * one piece, so neither is ever broken, however narrow the terminal.
 */
static void
put_reference(struct pen *p, struct str place, struct str trace)
{
	size_t columns = term_columns(place) + 1 + term_columns(trace);

	pen_put(p, PLAIN, place);
	if (place.n > 0 && trace.n > 0) {
		if (columns > p->term->width - REPORT_LABEL)
			pen_end(p);
		pen_to(p, p->col > 0 ? p->col + 1 : REPORT_LABEL);
	}
	pen_put(p, PLAIN, trace);
	pen_end(p);
}

static void
put_evidence(struct pen *p, const struct finding *f,
    const struct inputs *inputs)
{
	struct buf place = { 0 };
	struct buf trace = { 0 };

	for (int i = 0; i < f->n_evidence; i++) {
		const struct evidence *e = &f->evidence[i];

		buf_reset(&place);
		buf_reset(&trace);
		if (e->line > 0 && e->input < inputs->n) {
			term_text(&place, str_of(inputs->v[e->input].path),
			    p->term->utf8);
			buf_printf(&place, ":%llu",
			    (unsigned long long)e->line);
		}
		if (e->has_trace)
			put_trace(&trace, e->trace);
		report_label(p, i == 0 ? "evidence" : "");
		put_reference(p, buf_view(&place), buf_view(&trace));
	}
	buf_fini(&place);
	buf_fini(&trace);
}

/* "in 54 of 54 of these and 3 of 27 other requests (lift 9.0, G² 61.2)"; in
 * none of the others there is no lift. */
static void
put_table(struct buf *b, const struct cause *c, bool utf8)
{
	buf_printf(b, " in %u of %u of these and %u of %u other requests (",
	    c->a, c->a + c->b, c->c, c->c + c->d);
	if (c->c > 0) {
		buf_cat(b, "lift ");
		put_milli(b, c->lift_milli);
		buf_cat(b, ", ");
	}
	buf_cat(b, utf8 ? "G² " : "G2 ");
	put_milli(b, c->g2_milli);
	buf_char(b, ')');
}

static void
put_example(struct buf *b, const struct cause *c, bool utf8)
{
	buf_cat(b, utf8 ? "“" : "\"");
	term_text(b, str_of(c->text), utf8);
	buf_cat(b, utf8 ? "”" : "\"");
}

/* What co-occurs is said; why, nobody knows from this. */
static void
put_cause(struct buf *b, const struct finding *f, const struct cause *c,
    bool utf8)
{
	if (c->kind == CAUSE_ONSET) {
		put_example(b, c, utf8);
		buf_cat(b, " first logged ");
		when_put_span(b, c->lag_ms * 1000000, utf8);
		buf_cat(b, " before the first of these, ");
		report_plural(b, c->a, "time", "times");
		buf_printf(b, " around it and %u before", c->c);
		return;
	}
	if (c->kind == CAUSE_ELSEWHERE) {
		term_text(b, str_of(c->service), utf8);
		buf_cat(b, " began to log ");
		put_example(b, c, utf8);
		if (llabs(c->lag_ms) < 1000) {
			buf_cat(b, " as the first of these began");
		} else {
			buf_char(b, ' ');
			when_put_span(b, llabs(c->lag_ms) * 1000000, utf8);
			buf_cat(b, c->lag_ms < 0 ? " after" : " before");
			buf_cat(b, " the first of these began");
		}
		buf_printf(b, ", %u times until their end and never before",
		    c->a);
		return;
	}
	buf_cat(b, c->kind == CAUSE_CALL ? "co-occurs, in the traces, with "
					 : "co-occurs with ");
	put_example(b, c, utf8);
	if (c->service && strcmp(c->service, f->service) != 0) {
		buf_cat(b, " of ");
		term_text(b, str_of(c->service), utf8);
	}
	put_table(b, c, utf8);
	buf_printf(b, "; median %lld ms after the request began",
	    (long long)c->lag_ms);
}

/* A task's id is known by its beginning. */
static struct str
shorten(struct str place)
{
	enum { SHOWN = 8 };
	size_t at = sizeof "task " - 1;
	size_t n = 0;

	if (!str_starts(place, STR("task ")))
		return place;
	while (at + n < place.n && strchr("0123456789abcdef", place.p[at + n]))
		n++;
	return n >= SHOWN ? str_sub(place, 0, at + SHOWN) : place;
}

/* "all 54 in task 03907d48 (1 of 2 tasks), 3 of the 27 others" */
static void
put_place(struct buf *b, const struct cause *c, bool utf8)
{
	size_t kind = str_find(str_of(c->text), ' ');

	if (c->b == 0)
		buf_printf(b, "all %u in ", c->a);
	else
		buf_printf(b, "%u of %u in ", c->a, c->a + c->b);
	term_text(b, shorten(str_of(c->text)), utf8);
	buf_printf(b, " (1 of %u ", c->places);
	term_text(b, str_sub(str_of(c->text), 0, kind), utf8);
	buf_printf(b, "s), %u of the %u %s", c->c, c->c + c->d,
	    c->since ? "before it" : "others");
}

static void
put_causes(struct pen *p, const struct finding *f)
{
	bool utf8 = p->term->utf8;
	struct buf b = { 0 };
	bool any = false;

	for (int i = 0; i < f->n_causes; i++) {
		const struct cause *c = &f->causes[i];
		bool place = c->kind == CAUSE_PLACE;

		buf_reset(&b);
		if (place)
			put_place(&b, c, utf8);
		else
			put_cause(&b, f, c, utf8);
		report_label(p, place ? "where" : any ? "" : "beside it");
		pen_wrap(p, PLAIN, buf_view(&b), REPORT_LABEL);
		any |= !place;
	}
	buf_reset(&b);
	if (!any && f->compared_bad > 0) {
		buf_printf(&b,
		    "no template stands out, of %u in %u of these and %u other "
		    "requests",
		    f->templates, f->compared_bad, f->compared);
		report_label(p, "beside it");
		pen_wrap(p, PLAIN, buf_view(&b), REPORT_LABEL);
	}
	buf_fini(&b);
}

/* What was asked for, the first of it. */
static void
put_paths(struct pen *p, const struct finding *f)
{
	struct buf b = { 0 };

	for (int i = 0; i < f->n_paths; i++) {
		buf_reset(&b);
		term_text(&b, str_of(f->paths[i] ? f->paths[i] : ""),
		    p->term->utf8);
		report_label(p, i == 0 ? "paths" : "");
		pen_wrap(p, PLAIN, buf_view(&b), REPORT_LABEL);
	}
	buf_fini(&b);
}

static void
put_filter(struct pen *p, const struct finding *f)
{
	struct buf raw = { 0 };
	struct buf safe = { 0 };

	document_filter(&raw, f);
	term_text(&safe, buf_view(&raw), p->term->utf8);
	report_label(p, "filter");
	pen_wrap(p, CYAN, buf_view(&safe), REPORT_LABEL);
	buf_fini(&raw);
	buf_fini(&safe);
}

/* What --explain-finding asks for. */
static void
put_id(struct pen *p, const struct finding *f)
{
	report_label(p, "id");
	pen_put(p, DIM, (struct str){ f->id, sizeof f->id });
	pen_end(p);
}

void
report_finding(struct pen *p, const struct finding *f, const struct inputs *in)
{
	put_title(p, f);
	put_sentence(p, f);
	if (f->test == TEST_SURGE) {
		put_surge_value(p, f);
	} else {
		put_value(p, f);
		put_threshold(p, f);
	}
	put_times(p, f);
	put_latency(p, f);
	put_causes(p, f);
	put_paths(p, f);
	put_evidence(p, f, in);
	put_filter(p, f);
	put_id(p, f);
}

/* "slow-post, not-found": those that judged. */
static void
put_rules(struct buf *b, const struct thresholds *thresholds)
{
	bool first = true;

	for (const struct rule_info *r = judge_rules(); r->name; r++) {
		if (!thresholds_judge(thresholds, r->name))
			continue;
		buf_printf(b, "%s%s", first ? "" : ", ", r->name);
		first = false;
	}
}

/* "No findings" is an answer: of how much, by what; and of what it is none. */
static void
put_none(struct pen *p, const struct report *r)
{
	struct buf b = { 0 };
	uint64_t requests = 0;
	uint64_t undated = 0;
	uint64_t routes = 0;

	for (size_t i = 0; i < r->result->n_services; i++) {
		requests += r->result->services[i].requests;
		undated += r->result->services[i].undated;
		routes += r->result->services[i].n_routes;
	}
	buf_cat(&b, "Judged ");
	report_plural(&b, requests - undated, "client request",
	    "client requests");
	buf_cat(&b, " on ");
	report_plural(&b, routes, "route", "routes");
	buf_cat(&b, " of ");
	report_plural(&b, r->result->n_services, "service", "services");
	buf_cat(&b, " by ");
	put_rules(&b, &r->options->judge.thresholds);
	buf_cat(&b, ": nothing stands out.");
	pen_to(p, 2);
	pen_wrap(p, undated > 0 ? PLAIN : GREEN, buf_view(&b), 2);
	if (undated > 0) {
		buf_reset(&b);
		buf_cat(&b, "Not judged: ");
		report_plural(&b, undated, "request", "requests");
		buf_cat(&b, " without a time.");
		pen_to(p, 2);
		pen_wrap(p, YELLOW, buf_view(&b), 2);
	}
	buf_fini(&b);
}

/* Suspects of whom too much is to be read again. */
static void
put_unconfirmed(struct pen *p, const struct replay_result *r)
{
	struct buf b = { 0 };

	if (r->unconfirmed == 0)
		return;
	report_plural(&b, r->unconfirmed, "suspected scan was",
	    "suspected scans were");
	buf_cat(&b, " not confirmed: what the client was answered that day is "
		    "in more than 256 MiB, or cannot be read");
	pen_to(p, 2);
	pen_wrap(p, PLAIN, buf_view(&b), 2);
	buf_fini(&b);
}

void
report_findings(struct pen *p, const struct report *r)
{
	const struct findings *findings = &r->result->findings;
	size_t by[SEVERITIES] = { 0 };
	struct buf b = { 0 };

	if (findings->n == 0) {
		report_heading(p, "No findings");
		put_none(p, r);
		put_unconfirmed(p, r->result);
		return;
	}
	for (size_t i = 0; i < findings->n; i++)
		by[findings->v[i].severity]++;
	report_plural(&b, findings->n, "finding:", "findings:");
	for (int s = SEVERITIES - 1, first = 1; s >= 0; s--) {
		if (by[s] == 0)
			continue;
		buf_printf(&b, "%s %zu %s", first ? "" : ",", by[s],
		    severity_name((enum severity)s));
		first = 0;
	}
	report_heading(p, buf_cstr(&b));
	for (size_t i = 0; i < findings->n; i++)
		report_finding(p, &findings->v[i], &r->result->inputs);
	put_unconfirmed(p, r->result);
	buf_fini(&b);
}
