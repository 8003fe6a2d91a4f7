/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents of what was concluded: findings with the expression that
 * reproduces them, and roll-ups.
 */
#include "core/siblings.h"
#include "core/hash.h"
#include "core/json.h"
#include "core/when.h"
#include "sinks/document_parts.h"

int
document_severity(enum severity s)
{
	static const int number[SEVERITIES] = {
		[SEVERITY_INFO] = 1,
		[SEVERITY_WARNING] = 2,
		[SEVERITY_CRITICAL] = 4,
	};

	return number[s];
}

/* value / 10^digits, without trailing zeros and without floating point. */
static void
put_decimal(struct buf *b, int64_t value, int digits)
{
	uint64_t v = value < 0 ? -(uint64_t)value : (uint64_t)value;
	uint64_t unit = 1;
	uint64_t rest;

	for (int i = 0; i < digits; i++)
		unit *= 10;
	if (value < 0)
		buf_char(b, '-');
	buf_u64(b, v / unit);
	rest = v % unit;
	if (rest > 0)
		buf_char(b, '.');
	while (rest > 0) {
		unit /= 10;
		buf_char(b, (char)('0' + rest / unit));
		rest %= unit;
	}
}

static void
member_ppm(struct buf *b, const char *key, int64_t ppm)
{
	json_key(b, key);
	put_decimal(b, ppm, 6);
}

/* A string of the filter language: JSON's escapes. */
static void
quoted(struct buf *b, struct str s)
{
	json_put_str(b, s);
}

static void
contains(struct buf *b, struct str piece)
{
	/* A lone slash is in every URL. */
	if (piece.n < 2)
		return;
	buf_cat(b, " AND http.url CONTAINS ");
	quoted(b, piece);
}

/* The fixed pieces of "/mysfits/{id}/like": "/mysfits/" and "/like". */
static void
route_clauses(struct buf *b, struct str route)
{
	struct str piece;

	if (str_eq(route, STR("/"))) {
		buf_cat(b, " AND http.url ENDSWITH \"/\"");
		return;
	}
	if (!str_starts(route, STR("/")))
		return; /* "other" */
	while (siblings_piece(&route, &piece))
		contains(b, piece);
}

/* Not the routes that have all of these words, and more. */
static void
besides_clauses(struct buf *b, const struct finding *f)
{
	for (size_t i = 0; i < f->n_besides; i++) {
		buf_cat(b, " AND !(http.url CONTAINS ");
		quoted(b, str_of(f->besides[i]));
		buf_char(b, ')');
	}
}

/* Seconds of the language: 1, 0.25. */
static void
slow_clause(struct buf *b, const struct finding *f)
{
	if (f->over_ns <= 0)
		return;
	buf_cat(b, " AND responsetime > ");
	put_decimal(b, f->over_ns, 9);
}

static void
not_found_clause(struct buf *b, const struct finding *f)
{
	(void)f;
	buf_cat(b, " AND (http.status = 404 OR http.status = 410)");
}

static void
fault_clause(struct buf *b, const struct finding *f)
{
	(void)f;
	buf_cat(b, " AND fault");
}

static void
masked_clause(struct buf *b, const struct finding *f)
{
	(void)f;
	buf_cat(b, " AND http.status < 400 AND service() { error OR fault }");
}

static void
failed_clause(struct buf *b, const struct finding *f)
{
	/* Where all that is wrong did not come, what came before is shown. */
	if (f->silence.target && f->silence.all == f->bad)
		return;
	buf_cat(b, " AND (error OR fault)");
}

static const struct {
	const char *rule; /* or its beginning */
	void (*clause)(struct buf *b, const struct finding *f);
} clauses[] = {
	{ "slow-", slow_clause },
	{ "not-found", not_found_clause }, /* scans and surges as well */
	{ "server-error", fault_clause },
	{ "masked-failure", masked_clause },
	{ "target-health", failed_clause },
};

void
document_filter(struct buf *out, const struct finding *f)
{
	struct str rule = str_of(f->judged_by);

	buf_cat(out, "service(");
	quoted(out, str_of(f->service));
	buf_char(out, ')');
	if (f->method != METHOD_NONE && f->method != METHOD_OTHER)
		buf_printf(out, " AND http.method = \"%s\"",
		    method_name(f->method));
	if (f->client) {
		buf_cat(out, " AND http.clientip = ");
		quoted(out, str_of(f->client));
	}
	if (f->route) {
		route_clauses(out, str_of(f->route));
		besides_clauses(out, f);
	}
	for (size_t i = 0; i < sizeof clauses / sizeof clauses[0]; i++)
		if (str_starts(rule, str_of(clauses[i].rule)))
			clauses[i].clause(out, f);
}

static void
put_finding_event(struct buf *b, const struct finding *f,
    const struct document_alert *alert)
{
	static const char *const web[] = { "web", NULL };
	static const char *const api[] = { "web", "api", NULL };
	struct buf reason = { 0 };
	struct nest n = nest_open(b, "event");

	json_member_str(b, "kind",
	    f->severity == SEVERITY_INFO ? STR("event") : STR("alert"));
	part_words(b, "category", f->method == METHOD_POST ? api : web);
	json_member_str(b, "action",
	    alert     ? str_of(alert->action)
	    : f->open ? STR("finding-opened")
		      : STR("finding-resolved"));
	json_member_str(b, "id", (struct str){ f->id, sizeof f->id });
	part_time(b, "start", f->start_ns);
	part_time(b, "end", f->end_ns);
	if (f->end_ns >= f->start_ns && f->start_ns != WHEN_NONE)
		json_member_i64(b, "duration",
		    (int64_t)((uint64_t)f->end_ns - (uint64_t)f->start_ns));
	json_member_i64(b, "severity", document_severity(f->severity));
	if (alert)
		json_member_i64(b, "sequence", alert->sequence);
	finding_sentence(&reason, f, true);
	json_member_str(b, "reason", buf_view(&reason));
	nest_close(b, n);
	buf_fini(&reason);
}

static void
put_evidence(struct buf *b, const struct finding *f, const struct str *paths)
{
	json_key(b, "evidence");
	buf_char(b, '[');
	for (int i = 0; i < f->n_evidence; i++) {
		const struct evidence *e = &f->evidence[i];

		json_item(b);
		buf_char(b, '{');
		if (e->line > 0) {
			json_member_str(b, "path", paths[e->input]);
			json_member_i64(b, "line", (int64_t)e->line);
		}
		if (e->has_trace) {
			json_key(b, "trace_id");
			buf_char(b, '"');
			part_trace_xray(b, e->trace);
			buf_char(b, '"');
		}
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

static void
put_causes(struct buf *b, const struct finding *f)
{
	json_key(b, "causes");
	buf_char(b, '[');
	for (int i = 0; i < f->n_causes; i++) {
		const struct cause *c = &f->causes[i];

		json_item(b);
		buf_char(b, '{');
		json_member_str(b, "kind", str_of(cause_kind_name(c->kind)));
		part_text(b, "text", str_of(c->text));
		part_text(b, "template", str_of(c->template_text));
		part_text(b, "service", str_of(c->service));
		json_member_i64(b, "a", c->a);
		json_member_i64(b, "b", c->b);
		json_member_i64(b, "c", c->c);
		json_member_i64(b, "d", c->d);
		json_member_milli(b, "lift", c->lift_milli);
		json_member_milli(b, "g2", c->g2_milli);
		json_member_i64(b, "lag_ms", c->lag_ms);
		if (c->kind == CAUSE_PLACE) {
			json_member_i64(b, "places", c->places);
			json_member_bool(b, "since", c->since);
		}
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

/* What the causes were sought among: none is an answer when this is there. */
static void
put_compared(struct buf *b, const struct finding *f)
{
	struct nest n;

	if (f->compared_bad == 0)
		return;
	n = nest_open(b, "compared");
	json_member_i64(b, "bad", f->compared_bad);
	json_member_i64(b, "others", f->compared);
	json_member_i64(b, "templates", f->templates);
	nest_close(b, n);
}

/* A window or a baseline: how many of how many. */
static void
put_counts(struct buf *b, const char *key, uint64_t bad, uint64_t total)
{
	struct nest n = nest_open(b, key);

	json_member_i64(b, "count", (int64_t)bad);
	json_member_i64(b, "total", (int64_t)total);
	nest_close(b, n);
}

/* The first missing paths of a scan or a surge. */
static void
put_paths(struct buf *b, const struct finding *f)
{
	if (f->n_paths == 0)
		return;
	json_key(b, "paths");
	buf_char(b, '[');
	for (int i = 0; i < f->n_paths; i++) {
		json_item(b);
		json_put_str(b, str_of(f->paths[i] ? f->paths[i] : ""));
	}
	buf_char(b, ']');
}

/* Who answers well all the same. */
static void
put_hidden(struct buf *b, const struct hidden *h)
{
	struct nest n;

	if (!h->service)
		return;
	n = nest_open(b, "hidden_by");
	json_member_str(b, "service", str_of(h->service));
	json_member_str(b, "method", str_of(method_name(h->method)));
	part_text(b, "route", str_of(h->route));
	json_member_i64(b, "count", h->bad);
	json_member_i64(b, "total", h->total);
	nest_close(b, n);
}

/* Whose probes did not come. */
static void
put_silence(struct buf *b, const struct finding_silence *s)
{
	struct nest n;

	if (!s->target)
		return;
	n = nest_open(b, "silence");
	part_text(b, "target", str_of(s->target));
	json_member_i64(b, "missing", (int64_t)s->missing);
	json_member_i64(b, "all", (int64_t)s->all);
	json_member_i64(b, "targets", s->targets);
	json_member_i64(b, "others", s->others);
	json_member_bool(b, "siblings", s->siblings);
	part_time(b, "last", s->last_ns);
	json_member_i64(b, "probes", (int64_t)s->probes);
	json_member_i64(b, "probers", s->probers);
	json_member_i64(b, "period_ns", s->period_ms * NS_PER_MS);
	nest_close(b, n);
}

static void
put_finding(struct buf *b, const struct finding *f, const struct str *paths)
{
	struct nest n = nest_open(b, "finding");
	struct buf unit = { 0 };

	part_time(b, "detected", f->detected_ns);
	json_member_str(b, "status", f->open ? STR("open") : STR("resolved"));
	member_ppm(b, "value", f->value_ppm);
	member_ppm(b, "baseline", f->baseline_ppm);
	member_ppm(b, "threshold", f->threshold_ppm);
	json_member_i64(b, "count", (int64_t)f->bad);
	json_member_i64(b, "total", (int64_t)f->total);
	finding_unit(&unit, f, true);
	part_text(b, "unit", buf_view(&unit));
	buf_fini(&unit);
	json_member_milli(b, "g", f->g_milli);
	json_member_milli(b, "g_threshold", f->h_milli);
	put_counts(b, "window", f->window_bad, f->window_total);
	json_member_i64(b, "window_ns", f->window_ns);
	put_counts(b, "before", f->base_bad, f->base_total);
	if (f->test == TEST_SURGE) {
		json_member_i64(b, "before_ns", f->base_ns);
		json_member_milli(b, "expected", f->expected_milli);
	}
	put_paths(b, f);
	if (f->along)
		put_counts(b, "along", f->along_bad, f->along_total);
	put_hidden(b, &f->hidden);
	put_silence(b, &f->silence);
	if (f->before_ns >= 0)
		json_member_i64(b, "latency_before_ns", f->before_ns);
	if (f->after_ns >= 0)
		json_member_i64(b, "latency_ns", f->after_ns);
	put_evidence(b, f, paths);
	put_causes(b, f);
	put_compared(b, f);
	nest_close(b, n);
}

static void
put_alert(struct buf *b, const struct document_alert *alert)
{
	struct nest n = nest_open(b, "alert");

	part_time(b, "due", alert->at_ns);
	json_member_bool(b, "replayed", alert->replayed);
	json_key(b, "others");
	buf_char(b, '[');
	for (size_t i = 0; i < alert->n_others; i++) {
		json_item(b);
		json_put_str(b,
		    (struct str){ alert->others[i]->id, FINDING_ID });
	}
	buf_char(b, ']');
	nest_close(b, n);
}

/* trace.id: those of the evidence; ECS allows an array anywhere. */
static void
put_traces(struct buf *b, const struct finding *f)
{
	struct nest n = nest_open(b, "trace");
	bool any = false;

	for (int i = 0; i < f->n_evidence; i++) {
		if (!f->evidence[i].has_trace)
			continue;
		if (!any) {
			json_key(b, "id");
			buf_char(b, '[');
		}
		any = true;
		json_item(b);
		buf_char(b, '"');
		part_trace_hex(b, f->evidence[i].trace);
		buf_char(b, '"');
	}
	if (any)
		buf_char(b, ']');
	nest_close(b, n);
}

void
document_finding_source(struct buf *out, const struct finding *f,
    const struct str *paths, const struct document_alert *alert)
{
	struct buf filter = { 0 };
	struct nest n;

	part_begin(out, f->start_ns);
	put_finding_event(out, f, alert);
	part_text_in(out, "rule", "id", str_of(f->rule));
	part_text_in(out, "service", "name", str_of(f->service));
	if (f->method != METHOD_NONE) {
		json_key(out, "http");
		buf_char(out, '{');
		part_text_in(out, "request", "method",
		    str_of(method_name(f->method)));
		buf_char(out, '}');
	}
	if (f->client)
		part_text_in(out, "client", "ip", str_of(f->client));
	put_traces(out, f);
	part_text_in(out, "log", "level", str_of(severity_name(f->severity)));
	n = nest_open(out, "labels");
	json_member_str(out, "severity", str_of(severity_name(f->severity)));
	document_filter(&filter, f);
	json_member_str(out, "filter", buf_view(&filter));
	nest_close(out, n);
	n = nest_open(out, "telltale");
	if (f->route)
		part_text(out, "route", str_of(f->route));
	put_finding(out, f, paths);
	if (alert)
		put_alert(out, alert);
	nest_close(out, n);
	buf_char(out, '}');
	buf_fini(&filter);
}

void
document_finding(struct buf *out, const struct finding *f,
    const struct str *paths)
{
	part_head(out, "findings", f->start_ns, f->id);
	document_finding_source(out, f, paths, NULL);
	part_tail(out);
}

static void
rollup_id(char id[HASH_ID_SIZE], const struct document_rollup *r)
{
	char minute[8];
	const struct str parts[] = { STR("rollup"), r->service,
		str_of(method_name(r->method)), r->route, { minute, 8 } };

	for (int i = 0; i < 8; i++)
		minute[i] = (char)((uint64_t)r->minute_ns >> (8 * i));
	hash_id(id, parts, 5);
}

/* telltale.rollup: a cell's sums. */
static void
put_sums(struct buf *b, const struct cell *c)
{
	static const char *const hundreds[6] = { "none", "1xx", "2xx", "3xx",
		"4xx", "5xx" };
	struct nest n = nest_open(b, "rollup");
	struct nest status;

	json_member_i64(b, "count", c->n);
	json_member_i64(b, "timed", c->timed);
	json_member_i64(b, "slow", c->slow);
	json_member_i64(b, "not_found", c->not_found);
	json_member_i64(b, "probes", c->probes);
	json_member_i64(b, "probes_failed", c->probes_bad);
	if (c->timed > 0 && c->sum_us <= INT64_MAX / 1000)
		json_member_i64(b, "duration_sum", (int64_t)(c->sum_us * 1000));
	status = nest_open(b, "status");
	for (int i = 0; i < 6; i++)
		if (c->status[i] > 0)
			json_member_i64(b, hundreds[i], c->status[i]);
	nest_close(b, status);
	nest_close(b, n);
}

void
document_rollup(struct buf *out, const struct document_rollup *r)
{
	char id[HASH_ID_SIZE];
	struct nest n;

	rollup_id(id, r);
	part_head(out, "rollups", r->minute_ns, id);
	part_begin(out, r->minute_ns);
	json_key(out, "event");
	buf_cat(out, "{\"kind\":\"metric\"}");
	part_text_in(out, "service", "name", r->service);
	n = nest_open(out, "http");
	part_text_in(out, "request", "method", str_of(method_name(r->method)));
	nest_close(out, n);
	n = nest_open(out, "telltale");
	part_text(out, "route", r->route);
	put_sums(out, r->sums);
	nest_close(out, n);
	buf_char(out, '}');
	part_tail(out);
}
