/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests of logs and findings, asked in the same language: of an archive by
 * replaying it, of a store as they were kept.  A request is a trace of one
 * service without segments; a keyword that it cannot answer is an error.
 */
#include <stdlib.h>

#include "cli/command.h"
#include "cli/query.h"
#include "cli/query_index.h"
#include "cli/table.h"
#include "cli/reading.h"
#include "cli/settings.h"
#include "core/json.h"
#include "core/mem.h"
#include "core/when.h"
#include "pipeline/requests.h"
#include "query/words.h"
#include "sinks/documents.h"
#include "store/store.h"

static const char *const request_words[] = { "ok", "error", "throttle", "fault",
	"responsetime", "duration", "http.status", "http.url", "http.method",
	"http.useragent", "http.clientip", "service", "name", "root", NULL };
static const char *const finding_words[] = { "http.url", "http.method",
	"service", "name", NULL };

/* A document that matched. */
struct kept {
	char *text;
	size_t n;
	char id[32];
	int64_t ts_ns, duration_ns, status;
	enum severity severity;
	struct str service, method, url, client, trace, rule, reason; /* text */
	char *memory;
};

struct documents {
	const struct query_ask *ask;
	struct document document; /* being read */
	struct kept *v;
	size_t n, cap;
	uint64_t found, seen;
	struct query_groups_by *groups;
	int status;
};

/* One that another hand wrote into a store is the least. */
static enum severity
severity_read(struct str name)
{
	enum severity s;

	return severity_of(name, &s) ? s : SEVERITY_INFO;
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

static void
keep_document(struct documents *l, struct str text)
{
	const struct document *d = &l->document;
	struct kept *k;
	char *at;

	l->v = xgrow(l->v, l->n + 1, &l->cap, sizeof *l->v);
	k = &l->v[l->n++];
	at = xcalloc(text.n + d->service.n + d->method.n + d->url.n +
			 d->client.n + d->trace.n + d->rule.n + d->reason.n + 1,
	    1);
	*k = (struct kept){ .memory = at,
		.ts_ns = d->ts_ns,
		.duration_ns = d->duration_ns,
		.status = d->status,
		.severity = severity_read(d->severity) };
	k->text = at;
	k->n = keep_text(&at, text).n;
	k->service = keep_text(&at, d->service);
	k->method = keep_text(&at, d->method);
	k->url = keep_text(&at, d->url);
	k->client = keep_text(&at, d->client);
	k->trace = keep_text(&at, d->trace);
	k->rule = keep_text(&at, d->rule);
	k->reason = keep_text(&at, d->reason);
	memcpy(k->id, d->id.p, d->id.n < sizeof k->id ? d->id.n : sizeof k->id);
}

/* Absent values last. */
static int
number_cmp(int64_t a, int64_t b)
{
	if (a == b)
		return 0;
	if (a == VIEW_NONE || b == VIEW_NONE)
		return a == VIEW_NONE ? 1 : -1;
	return a > b ? -1 : 1;
}

static int
kept_cmp(const void *pa, const void *pb, void *arg)
{
	const struct query_ask *ask = arg;
	const struct kept *a = pa;
	const struct kept *b = pb;
	int c = 0;

	if (ask->sorted &&
	    (ask->sort == SORT_DURATION || ask->sort == SORT_RESPONSE))
		c = number_cmp(a->duration_ns, b->duration_ns);
	else if (ask->sorted && ask->sort == SORT_STATUS)
		c = number_cmp(a->status, b->status);
	else if (ask->sorted && ask->sort == SORT_URL)
		c = str_cmp(a->url, b->url);
	else if (ask->sorted && ask->sort == SORT_SERVICE)
		c = str_cmp(a->service, b->service);
	else if (!ask->sorted)
		c = (a->severity < b->severity) - (a->severity > b->severity);
	if (c == 0)
		c = (a->ts_ns > b->ts_ns) - (a->ts_ns < b->ts_ns);
	if (c == 0)
		c = memcmp(a->id, b->id, sizeof a->id);
	return ask->reverse ? -c : c;
}

/* The best are kept: twice the limit is gathered, sorted and cut. */
static void
cut(struct documents *l)
{
	struct query_ask ask = *l->ask;

	if (l->n > 1)
		qsort_r(l->v, l->n, sizeof *l->v, kept_cmp, &ask);
	while (l->n > ask.limit)
		free(l->v[--l->n].memory);
}

static void
put_group(struct documents *l)
{
	const struct document *d = &l->document;
	const struct query_member m = { d->duration_ns, d->view.trace.flags };
	struct buf status = { 0 };
	struct str key = { NULL, 0 };

	switch (l->ask->by) {
	case BY_URL:
		key = d->url;
		break;
	case BY_METHOD:
		key = d->method;
		break;
	case BY_STATUS:
		if (d->status != VIEW_NONE)
			buf_i64(&status, d->status);
		key = buf_view(&status);
		break;
	case BY_CLIENT:
		key = d->client;
		break;
	case BY_SERVICE:
		key = d->service;
		break;
	case BY_NOTHING:
	case BY_USER:
	case BY_CAUSE:
	case BY_ANNOTATION:
		break;
	}
	query_groups_count(l->groups);
	query_groups_put(l->groups, key.n > 0 ? &key : NULL, &m);
	buf_fini(&status);
}

static void
take(struct documents *l, struct str text)
{
	if (!document_read(&l->document, text))
		return;
	l->seen++;
	if (!query_eval(l->ask->query, &l->document.view))
		return;
	l->found++;
	if (l->groups) {
		put_group(l);
		return;
	}
	if (l->ask->limit == 0)
		return;
	if (l->n / 2 >= l->ask->limit)
		cut(l);
	keep_document(l, text);
}

static int
read_store(struct documents *l, struct err *err)
{
	const struct query_ask *ask = l->ask;
	struct store_where where = { .since_ns = ask->since_ns,
		.until_ns = ask->until_ns };
	struct store *s = store_open(ask->store, STORE_READ, err);
	struct str text;
	int rc;

	if (!s)
		return -1;
	rc = store_narrow(s, ask->last_ns, &where, err);
	if (rc == 0)
		rc = store_documents_of(s,
		    ask->findings ? STORE_FINDINGS : STORE_REQUESTS, &where,
		    err);
	if (rc == 0)
		for (rc = store_next_document(s, &text, err); rc > 0;
		     rc = store_next_document(s, &text, err))
			take(l, text);
	store_close(s);
	return rc;
}

/* 1: the words are said. */
static int
read_index(struct documents *l, struct err *err)
{
	struct query_index *x = query_index_open(l->ask, true, &l->status);
	struct str line;
	int rc;

	if (!x)
		return 1;
	for (rc = query_index_document(x, &line, err); rc > 0;
	     rc = query_index_document(x, &line, err))
		take(l, line);
	query_index_close(x);
	if (rc == 0)
		return 0;
	l->status = reading_stopped();
	if (l->status != STATUS_OK)
		return 1;
	l->status = STATUS_UNAVAILABLE;
	return -1;
}

static void
take_findings(struct documents *l, const struct replay_result *r)
{
	struct str *paths = xcalloc(r->inputs.n + 1, sizeof *paths);
	struct buf text = { 0 };

	for (size_t i = 0; i < r->inputs.n; i++)
		paths[i] = str_of(r->inputs.v[i].path);
	for (size_t i = 0; i < r->findings.n; i++) {
		buf_reset(&text);
		document_finding(&text, &r->findings.v[i], paths);
		take(l, str_trim(buf_view(&text)));
	}
	buf_fini(&text);
	free(paths);
}

static int
take_requests(struct documents *l, const char *dir, struct err *err)
{
	struct requests *r = requests_open(dir, FILE_REQUESTS, err);
	struct str text;
	int rc;

	if (!r)
		return -1;
	for (rc = requests_next(r, &text, err); rc > 0;
	     rc = requests_next(r, &text, err))
		take(l, text);
	requests_close(r);
	return rc;
}

/* -1 with err; 1: it was stopped, which is said. */
static int
ask_archive(struct documents *l, struct replay_options *o, struct err *err)
{
	const struct query_ask *ask = l->ask;
	struct replay_result r;
	struct buf dir = { 0 };
	int rc;

	if (!ask->findings && requests_folder(&dir, err) != 0) {
		buf_fini(&dir);
		return -1;
	}
	o->out = ask->findings ? NULL : buf_cstr(&dir);
	o->out_kinds = 1u << FILE_REQUESTS;
	o->causes = ask->findings;
	reading_signals();
	rc = replay(o, ask->paths, ask->n_paths, reading_progress(), &r, err);
	l->status = reading_stopped();
	if (l->status != STATUS_OK) {
		rc = 1;
	} else if (rc == 0) {
		l->status = reading_failed(&r);
		if (ask->findings)
			take_findings(l, &r);
		else
			rc = take_requests(l, o->out, err);
	}
	if (rc < 0)
		l->status = r.inputs.n ? STATUS_IO : STATUS_NOINPUT;
	replay_result_fini(&r);
	if (!ask->findings)
		requests_folder_remove(&dir);
	buf_fini(&dir);
	return rc;
}

/* Likewise. */
static int
read_archive(struct documents *l, struct err *err)
{
	const struct query_ask *ask = l->ask;
	const struct settings_given given = { .config = ask->config };
	struct settings settings = { 0 };
	struct replay_options o;
	int rc = -1;

	replay_options_init(&o);
	o.since_ns = ask->since_ns;
	o.until_ns = ask->until_ns;
	o.last_ns = ask->last_ns;
	o.threads = ask->threads;
	if (settings_read(&settings, &given, &o, err) != 0)
		l->status = STATUS_CONFIG;
	else
		rc = ask_archive(l, &o, err);
	settings_fini(&settings);
	return rc;
}

static void
put_finding(struct table *t, const struct query_ask *ask, const struct kept *k)
{
	struct buf b = { 0 };

	put_moment(&b, k->ts_ns);
	table_cell(t, PLAIN, buf_view(&b));
	table_cell(t, severity_style(k->severity),
	    str_of(severity_name(k->severity)));
	table_text(t, PLAIN, k->rule, ask->term->utf8);
	table_text(t, PLAIN, k->reason, ask->term->utf8);
	buf_fini(&b);
}

static void
put_request(struct table *t, const struct query_ask *ask, const struct kept *k)
{
	struct buf b = { 0 };

	if (k->ts_ns == WHEN_NONE)
		buf_char(&b, '-');
	else
		put_moment(&b, k->ts_ns);
	table_cell(t, PLAIN, buf_view(&b));
	table_text(t, PLAIN, k->service, ask->term->utf8);
	table_text(t, PLAIN, k->method, ask->term->utf8);
	table_text(t, PLAIN, k->url, ask->term->utf8);
	buf_reset(&b);
	if (k->status != VIEW_NONE)
		buf_i64(&b, k->status);
	table_text(t, PLAIN, buf_view(&b), ask->term->utf8);
	table_span(t, k->duration_ns, ask->term->utf8);
	table_text(t, PLAIN, k->client, ask->term->utf8);
	table_text(t, PLAIN, k->trace, ask->term->utf8);
	buf_fini(&b);
}

static const struct table_column finding_columns[] = {
	{ .head = "since" },
	{ .head = "severity" },
	{ .head = "rule", .rank = 1 },
	{ .head = "finding", .flex = true },
	{ .head = NULL },
};
static const struct table_column request_columns[] = {
	{ .head = "time" },
	{ .head = "service", .rank = 1 },
	{ .head = "method" },
	{ .head = "url", .flex = true },
	{ .head = "status", .right = true },
	{ .head = "duration", .right = true },
	{ .head = "client", .rank = 3 },
	{ .head = "trace", .rank = 2 },
	{ .head = NULL },
};

static void
print_table(const struct documents *l, struct buf *out)
{
	bool findings = l->ask->findings;
	struct table t = { .columns =
			       findings ? finding_columns : request_columns };
	struct pen p = { .out = out, .term = l->ask->term };
	struct buf b = { 0 };

	for (size_t i = 0; i < l->n; i++) {
		if (findings)
			put_finding(&t, l->ask, &l->v[i]);
		else
			put_request(&t, l->ask, &l->v[i]);
	}
	if (l->n > 0) {
		table_print(&t, &p, 0);
		pen_end(&p);
	}
	put_count(&b, l->found);
	buf_cat(&b, " of ");
	put_count(&b, l->seen);
	buf_cat(&b, findings ? " findings" : " requests");
	if (l->n < l->found)
		buf_printf(&b, "; %zu are shown: see --limit", l->n);
	pen_put(&p, DIM, buf_view(&b));
	pen_end(&p);
	buf_fini(&b);
	table_fini(&t);
}

static void
print_csv(const struct documents *l, struct buf *out)
{
	bool findings = l->ask->findings;

	buf_cat(out, findings ? "since,severity,rule,service,method,route,"
				"finding\r\n"
			      : "time,service,method,url,status,duration,"
				"client,trace\r\n");
	for (size_t i = 0; i < l->n; i++) {
		const struct kept *k = &l->v[i];

		if (k->ts_ns != WHEN_NONE)
			when_put(out, k->ts_ns, 3);
		if (findings) {
			query_csv(out, str_of(severity_name(k->severity)));
			query_csv(out, k->rule);
		}
		query_csv(out, k->service);
		query_csv(out, k->method);
		query_csv(out, k->url);
		if (findings) {
			query_csv(out, k->reason);
			buf_cat(out, "\r\n");
			continue;
		}
		buf_char(out, ',');
		if (k->status != VIEW_NONE)
			buf_i64(out, k->status);
		buf_char(out, ',');
		query_seconds(out, k->duration_ns);
		query_csv(out, k->client);
		query_csv(out, k->trace);
		buf_cat(out, "\r\n");
	}
}

static void
print_json(const struct documents *l, struct buf *out)
{
	struct document d = { 0 };

	buf_cat(out, "{\"schema\":\"telltale/1\",\"command\":\"query\"");
	json_member_i64(out, "matched", (int64_t)l->found);
	json_key(out, l->ask->findings ? "findings" : "requests");
	buf_char(out, '[');
	for (size_t i = 0; i < l->n; i++) {
		struct str text = { l->v[i].text, l->v[i].n };

		if (!document_read(&d, text))
			continue;
		json_item(out);
		json_put_val(out, d.source);
	}
	buf_cat(out, "]}\n");
	document_fini(&d);
}

static void
print(const struct documents *l, struct buf *out)
{
	if (l->groups) {
		query_groups_print(l->groups, l->ask, "requests", out);
		return;
	}
	switch (l->ask->form) {
	case FORM_TABLE:
		print_table(l, out);
		break;
	case FORM_JSON:
		print_json(l, out);
		break;
	case FORM_NDJSON:
		for (size_t i = 0; i < l->n; i++) {
			buf_put(out, l->v[i].text, l->v[i].n);
			buf_char(out, '\n');
		}
		break;
	case FORM_CSV:
		print_csv(l, out);
		break;
	}
}

/* What cannot be answered is said before anything is read. */
static int
check(const struct query_ask *ask)
{
	const char *what = ask->findings ? "findings" : "requests";
	const char *word = query_word_outside(ask->query,
	    ask->findings ? finding_words : request_words);

	if (word) {
		command_say("query: --%s: %s have no %s", what, what, word);
		return STATUS_USAGE;
	}
	if (ask->by == BY_USER || ask->by == BY_CAUSE ||
	    ask->by == BY_ANNOTATION || (ask->findings && ask->by)) {
		command_say("query: --%s cannot be grouped by that", what);
		return STATUS_USAGE;
	}
	return STATUS_OK;
}

int
query_documents(const struct query_ask *ask)
{
	struct documents l = { .ask = ask };
	struct err err = { "" };
	struct buf out = { 0 };
	int rc;

	l.status = check(ask);
	if (l.status != STATUS_OK)
		return l.status;
	if (ask->by)
		l.groups = query_groups_new();
	rc = ask->es      ? read_index(&l, &err)
	     : ask->store ? read_store(&l, &err)
			  : read_archive(&l, &err);
	if (rc < 0) {
		command_say("%s", err.text);
		if (l.status == STATUS_OK)
			l.status = STATUS_NOINPUT;
	} else if (rc == 0) {
		int printed;

		cut(&l);
		print(&l, &out);
		printed = query_finish(&out, l.found);
		if (printed > STATUS_FOUND || l.status == STATUS_OK)
			l.status = printed;
	}
	for (size_t i = 0; i < l.n; i++)
		free(l.v[i].memory);
	free(l.v);
	if (l.groups)
		query_groups_free(l.groups);
	document_fini(&l.document);
	buf_fini(&out);
	return l.status;
}
