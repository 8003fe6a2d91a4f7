/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A replay's result as JSON.  Numbers are integers, or decimals printed from
 * integers; times are ISO 8601 with milliseconds, durations nanoseconds.
 */
#include "cli/replay_json.h"

#include <stdlib.h>

#include "cli/alerting.h"
#include "cli/pen.h"
#include "core/json.h"
#include "core/mem.h"
#include "core/when.h"
#include "sinks/documents.h"
#include "sinks/elastic.h"

const struct replay_json_member replay_json_members[] = {
	{ "schema", "telltale/1; within it members are only added." },
	{ "command", "replay." },
	{ "first, last", "Times of the first and last event." },
	{ "traces", "How many traces there are." },
	{ "bytes, bytes_packed", "Read, inflated and as they are in files." },
	{ "late", "Requests that came too late to be joined." },
	{ "unconfirmed", "Clients and days that would be not-found-scan, were "
			 "all that they were answered known." },
	{ "bucket_ns", "A step of the services' time lines." },
	{ "inputs[]", "Each path: state, what it was taken for, and its own "
		      "accounting." },
	{ "accounting", "By kind and of all: read is the sum of stored, "
			"folded, filtered, duplicate and dead-lettered." },
	{ "indexed",
	    "With --es: server, and of its documents how many were stored, "
	    "there already, refused and in flight, which is their sum; "
	    "requests, and how many of them again; the first reasons." },
	{ "alerts",
	    "With --alerts: findings, and of them how many were told, below "
	    "the severity, back while cooling down, and limited, which is "
	    "their sum; messages, and of them how many were published, there "
	    "(published before), refused and unsent; of those published how "
	    "many are doubtful, being perhaps sent twice; suppressed messages, "
	    "and requests sent again." },
	{ "services[]", "Requests, probes, routes with status classes and "
			"latency, the time line; not_judged: latency, status "
			"or few, of which the records say too little." },
	{ "trace_services_left_out",
	    "true: there are more trace documents than are read again for "
	    "trace_services." },
	{ "trace_services[]",
	    "By name, each service that clients ask, in traces that are no "
	    "health checks; '' is all beyond 200." },
	{ "trace_services[].traces", "Its traces." },
	{ "trace_services[].slow", "Of them slower than --slow." },
	{ "trace_services[].failing",
	    "Of them with a fault, an error or throttled." },
	{ "trace_services[].hops[]",
	    "Services that carry the slow ones' time, most first." },
	{ "trace_services[].hops[].critical_ns",
	    "Nanoseconds on the critical paths." },
	{ "trace_services[].hops[].share_ppm",
	    "Of the slow ones' whole time, in millionths." },
	{ "trace_services[].slowest[]", "The slowest traces, at most three." },
	{ "trace_services[].failed[]",
	    "Failing traces, at most three, faults first." },
	{ "trace_services[].slowest[].trace_id",
	    "For 'telltale trace'; failed[] has the same members." },
	{ "trace_services[].slowest[].start", "When it began." },
	{ "trace_services[].slowest[].response_ns",
	    "Until its answer, absent when not known." },
	{ "trace_services[].slowest[].outcome",
	    "ok, error, throttled or fault." },
	{ "trace_services[].slowest[].hop",
	    "The service that carries most of its time." },
	{ "trace_services[].slowest[].hop_ppm",
	    "How much of it, in millionths." },
	{ "trace_services[].slowest[].exception",
	    "The first exception in it: type and message." },
	{ "findings[]", "As in findings.ndjson, `_source` alone." },
	{ NULL, NULL },
};

static void
member_time(struct buf *b, const char *key, int64_t ns)
{
	if (ns == WHEN_NONE)
		return;
	json_key(b, key);
	buf_char(b, '"');
	when_put(b, ns, 3);
	buf_char(b, '"');
}

static void
member_u64(struct buf *b, const char *key, uint64_t n)
{
	json_key(b, key);
	buf_u64(b, n);
}

static void
member_text(struct buf *b, const char *key, struct str s)
{
	if (s.n > 0)
		json_member_str(b, key, s);
}

static void
open_with(struct buf *b, const char *key, char bracket)
{
	json_key(b, key);
	buf_char(b, bracket);
}

/* {"read":…,"stored":…} */
static void
put_account(struct buf *b, const uint64_t n[ACCOUNTS])
{
	buf_char(b, '{');
	for (int a = 0; a < ACCOUNTS; a++)
		member_u64(b, account_name((enum account)a), n[a]);
	buf_char(b, '}');
}

/* By kind those that occur, and "all" of them. */
static void
put_accounts(struct buf *b, const struct accounts *accounts)
{
	uint64_t total[ACCOUNTS] = { 0 };

	buf_char(b, '{');
	for (int k = 0; k < KINDS; k++) {
		for (int a = 0; a < ACCOUNTS; a++)
			total[a] += accounts->n[k][a];
		if (accounts->n[k][ACCOUNT_READ] == 0)
			continue;
		json_key(b, kind_name(k));
		put_account(b, accounts->n[k]);
	}
	json_key(b, "all");
	put_account(b, total);
	buf_char(b, '}');
}

static void
put_notes(struct buf *b, const struct source_notes *n)
{
	member_u64(b, "bytes", n->bytes);
	member_u64(b, "bytes_packed", n->bytes_packed);
	if (n->members > 0)
		member_u64(b, "gzip_members", n->members);
	if (n->broken > 0)
		member_u64(b, "gzip_broken", n->broken);
	if (n->bomb)
		json_member_bool(b, "inflate_limit", true);
	if (n->what[0])
		json_member_str(b, "gzip_error", str_of(n->what));
}

static void
put_dead(struct buf *b, const struct replay_input *in)
{
	open_with(b, "dead_letters", '[');
	for (int i = 0; i < REPLAY_DEAD && in->dead[i].reason; i++) {
		json_item(b);
		buf_char(b, '{');
		json_member_str(b, "reason", str_of(in->dead[i].reason));
		member_u64(b, "count", in->dead[i].n);
		member_u64(b, "line", in->dead[i].line);
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

static void
put_input(struct buf *b, const struct replay_input *in)
{
	static const char *const states[] = {
		[INPUT_READ] = "read",
		[INPUT_SKIPPED] = "skipped",
		[INPUT_FAILED] = "failed",
	};

	json_item(b);
	buf_char(b, '{');
	json_member_str(b, "path", str_of(in->input->path));
	json_member_str(b, "state", str_of(states[in->input->state]));
	member_text(b, "why", str_of(in->input->why));
	member_text(b, "error", str_of(in->error));
	member_text(b, "log_group", in->input->group);
	member_text(b, "export_task", in->input->task);
	member_text(b, "log_stream", in->input->stream);
	member_text(b, "envelope", str_of(in->envelope));
	member_text(b, "envelope_why", str_of(in->envelope_why));
	if (in->newest_first)
		json_member_bool(b, "newest_first", true);
	open_with(b, "dialects", '[');
	for (size_t i = 0; i < 4 && in->dialects[i]; i++) {
		json_item(b);
		json_put_str(b, str_of(in->dialects[i]));
	}
	buf_char(b, ']');
	member_time(b, "first", in->first_ns);
	member_time(b, "last", in->last_ns);
	if (in->input->state == INPUT_READ) {
		put_notes(b, &in->notes);
		if (in->documents_left_out > 0)
			member_u64(b, "documents_left_out",
			    in->documents_left_out);
		json_key(b, "accounting");
		put_accounts(b, &in->accounts);
		put_dead(b, in);
	}
	buf_char(b, '}');
}

static void
put_quantiles(struct buf *b, const struct histogram *h)
{
	static const struct {
		const char *key;
		unsigned permille;
	} quantiles[] = { { "p50", 500 }, { "p95", 950 }, { "p99", 990 } };

	if (h->total == 0)
		return;
	open_with(b, "latency_ns", '{');
	member_u64(b, "count", h->total);
	for (size_t i = 0; i < sizeof quantiles / sizeof quantiles[0]; i++)
		json_member_i64(b, quantiles[i].key,
		    histogram_quantile(h, quantiles[i].permille));
	json_member_i64(b, "max", h->max_ns);
	buf_char(b, '}');
}

static void
put_route(struct buf *b, const struct replay_route *r)
{
	static const char *const hundreds[6] = { "none", "1xx", "2xx", "3xx",
		"4xx", "5xx" };

	json_item(b);
	buf_char(b, '{');
	json_member_str(b, "method", str_of(method_name(r->method)));
	json_member_str(b, "route", str_of(r->route));
	member_u64(b, "count", r->n);
	open_with(b, "status", '{');
	for (int i = 0; i < 6; i++)
		if (r->status[i] > 0)
			member_u64(b, hundreds[i], r->status[i]);
	buf_char(b, '}');
	member_u64(b, "not_found", r->not_found);
	member_u64(b, "probes", r->probes);
	put_quantiles(b, &r->latency);
	buf_char(b, '}');
}

/* The time line: only buckets that have something; "at" is its number. */
static void
put_buckets(struct buf *b, const struct replay_service *s)
{
	open_with(b, "buckets", '[');
	for (int i = 0; i < REPLAY_BUCKETS; i++) {
		const struct replay_bucket *k = &s->buckets[i];

		if (k->n == 0)
			continue;
		json_item(b);
		buf_char(b, '{');
		json_member_i64(b, "at", i);
		member_u64(b, "count", k->n);
		member_u64(b, "errors", k->errors);
		member_u64(b, "timed", k->timed);
		member_u64(b, "sum_us", k->sum_us);
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

static void
put_unjudged(struct buf *b, const struct replay_service *s)
{
	static const char *const names[UNJUDGED] = {
		[UNJUDGED_LATENCY] = "latency",
		[UNJUDGED_STATUS] = "status",
		[UNJUDGED_FEW] = "few",
	};

	open_with(b, "not_judged", '[');
	for (int i = 0; i < UNJUDGED; i++) {
		if (!replay_unjudged(s, (enum unjudged)i))
			continue;
		json_item(b);
		json_put_str(b, str_of(names[i]));
	}
	buf_char(b, ']');
}

static void
put_service(struct buf *b, const struct replay_service *s)
{
	json_item(b);
	buf_char(b, '{');
	json_member_str(b, "name", str_of(s->name));
	member_text(b, "named", str_of(s->rule));
	member_u64(b, "requests", s->requests);
	member_u64(b, "undated", s->undated);
	member_u64(b, "probes", s->probes);
	member_u64(b, "probes_failed", s->probes_bad);
	member_u64(b, "probes_probable", s->probable);
	member_u64(b, "in_trace_only", s->from_traces);
	member_u64(b, "in_log_and_trace", s->in_both);
	member_u64(b, "log_lines", s->logs);
	put_unjudged(b, s);
	member_time(b, "first", s->first_ns);
	member_time(b, "last", s->last_ns);
	open_with(b, "routes", '[');
	for (size_t i = 0; i < s->n_routes; i++)
		put_route(b, &s->routes[i]);
	buf_char(b, ']');
	put_buckets(b, s);
	buf_char(b, '}');
}

static struct str
text_of(const struct trace_top_text *t)
{
	return (struct str){ t->p, t->n };
}

static void
put_tops(struct buf *b, const char *key, const struct trace_top *v, size_t n)
{
	open_with(b, key, '[');
	for (size_t i = 0; i < n; i++) {
		json_item(b);
		buf_char(b, '{');
		json_member_str(b, "trace_id", str_of(v[i].id));
		member_time(b, "start", v[i].start_ns);
		if (v[i].response_ns >= 0)
			json_member_i64(b, "response_ns", v[i].response_ns);
		json_member_str(b, "outcome",
		    str_of(v[i].outcome ? v[i].outcome : "ok"));
		if (v[i].hop.n > 0) {
			json_member_str(b, "hop", text_of(&v[i].hop));
			json_member_i64(b, "hop_ppm", v[i].hop_ppm);
		}
		member_text(b, "exception", text_of(&v[i].why));
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

static void
put_trace_service(struct buf *b, const struct trace_tops_service *s)
{
	json_item(b);
	buf_char(b, '{');
	json_member_str(b, "name", s->name);
	member_u64(b, "traces", s->traces);
	member_u64(b, "slow", s->slow);
	member_u64(b, "failing", s->failing);
	open_with(b, "hops", '[');
	for (size_t i = 0; i < s->n_hops; i++) {
		json_item(b);
		buf_char(b, '{');
		json_member_str(b, "name", s->hops[i].name);
		member_u64(b, "critical_ns", s->hops[i].critical_ns);
		json_member_i64(b, "share_ppm",
		    share_ppm(s->hops[i].critical_ns, s->slow_ns));
		buf_char(b, '}');
	}
	buf_char(b, ']');
	put_tops(b, "slowest", s->slowest, s->n_slowest);
	put_tops(b, "failed", s->failed, s->n_failed);
	buf_char(b, '}');
}

/* The inputs' paths by number, as documents want them; free() them. */
/* What became of the documents that were to be indexed. */
static void
put_indexed(struct buf *b, const struct elastic *e)
{
	const struct elastic_counts *n = elastic_counts(e);

	open_with(b, "indexed", '{');
	json_member_str(b, "server", str_of(elastic_server(e)));
	member_u64(b, "documents", n->made);
	member_u64(b, "stored", n->stored);
	member_u64(b, "there", n->there);
	member_u64(b, "refused", n->refused);
	member_u64(b, "in_flight", n->in_flight);
	member_u64(b, "requests", n->requests);
	member_u64(b, "again", n->again);
	open_with(b, "reasons", '[');
	for (size_t i = 0; i < ELASTIC_REASONS && n->n_reasons[i] > 0; i++) {
		json_item(b);
		json_put_str(b, str_of(n->reasons[i]));
	}
	buf_cat(b, "]}");
}

/* What became of the alerts. */
static void
put_alerts(struct buf *b, const struct alerting_counts *n)
{
	open_with(b, "alerts", '{');
	member_u64(b, "findings", n->findings);
	member_u64(b, "told", n->told);
	member_u64(b, "below", n->below);
	member_u64(b, "cooling", n->cooling);
	member_u64(b, "limited", n->limited);
	member_u64(b, "suppressed", n->suppressed);
	if (n->topic) {
		json_member_str(b, "topic", str_of(n->topic));
		member_u64(b, "messages", n->messages);
		member_u64(b, "published", n->published);
		member_u64(b, "there", n->there);
		member_u64(b, "refused", n->refused);
		member_u64(b, "unsent", n->unsent);
		member_u64(b, "doubtful", n->doubtful);
		member_u64(b, "again", n->again);
	}
	buf_char(b, '}');
}

static struct str *
paths_of(const struct replay_result *r)
{
	struct str *paths = xcalloc(r->inputs.n + 1, sizeof *paths);

	for (size_t i = 0; i < r->inputs.n; i++)
		paths[i] = str_of(r->inputs.v[i].path);
	return paths;
}

void
replay_json(struct buf *out, const struct report *report)
{
	const struct replay_options *options = report->options;
	const struct replay_result *r = report->result;
	const struct trace_tops *traces = report->traces;
	struct str *paths = paths_of(r);

	buf_cat(out, "{\"schema\":\"telltale/1\",\"command\":\"replay\"");
	member_time(out, "first", r->first_ns);
	member_time(out, "last", r->last_ns);
	member_u64(out, "traces", r->traces);
	member_u64(out, "bytes", r->bytes);
	member_u64(out, "bytes_packed", r->bytes_packed);
	member_u64(out, "late", r->late);
	member_u64(out, "unconfirmed", r->unconfirmed);
	json_member_i64(out, "bucket_ns", r->bucket_ns);
	open_with(out, "inputs", '[');
	for (size_t i = 0; i < r->inputs.n; i++)
		put_input(out, &r->read[i]);
	buf_char(out, ']');
	json_key(out, "accounting");
	put_accounts(out, &r->accounts);
	if (options->elastic)
		put_indexed(out, options->elastic);
	if (report->alerts)
		put_alerts(out, report->alerts);
	open_with(out, "services", '[');
	for (size_t i = 0; i < r->n_services; i++)
		put_service(out, &r->services[i]);
	buf_char(out, ']');
	json_member_bool(out, "trace_services_left_out", traces->too_many);
	open_with(out, "trace_services", '[');
	for (size_t i = 0; i < traces->n; i++)
		put_trace_service(out, &traces->v[i]);
	buf_char(out, ']');
	open_with(out, "findings", '[');
	for (size_t i = 0; i < r->findings.n; i++) {
		json_item(out);
		document_finding_source(out, &r->findings.v[i], paths, NULL);
	}
	buf_cat(out, "]}\n");
	free(paths);
}

void
replay_ndjson(struct buf *out, const struct replay_result *r)
{
	struct str *paths = paths_of(r);

	for (size_t i = 0; i < r->findings.n; i++)
		document_finding(out, &r->findings.v[i], paths);
	free(paths);
}
