/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See the header.
 */
#include "pipeline/keep.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "ingest/xray.h"
#include "pipeline/requests.h"
#include "pipeline/traces.h"
#include "pipeline/view.h"
#include "sinks/documents.h"
#include "store/store.h"

struct keeper {
	struct store *store;
	const struct keep_options *options;
	struct keep_counts *counts;
	struct xray *xray;
	struct arena arena;          /* of the trace at hand */
	struct assembler *assembler; /* for those that are there already */
};

/* The trace as the store takes it; views live in the arena and the trace. */
static struct store_trace
stored(const struct trace *t, struct trace_view *view, struct arena *arena)
{
	struct str *documents =
	    arena_alloc(arena, t->n_documents * sizeof *documents + 1);
	struct store_trace s = {
		.id = { t->id_text, TRACE_ID_SIZE },
		.start_ns = t->start_ns,
		.view = view,
		.documents = documents,
		.n_documents = t->n_documents,
	};

	for (size_t i = 0; i < t->n_documents; i++)
		documents[i] = t->documents[i].text;
	if (t->entry != SPAN_NONE) {
		s.service = t->nodes[t->entry].name;
		s.type = t->nodes[t->entry].type;
	}
	trace_view(view, t, arena);
	return s;
}

static bool
same_documents(const struct trace *t, const struct store_documents *has)
{
	if (t->n_documents != has->n)
		return false;
	for (size_t i = 0; i < has->n; i++)
		if (!str_eq(t->documents[i].text, has->v[i]))
			return false;
	return true;
}

static void
add_document(struct keeper *k, struct str text)
{
	struct event e = { .ts_ns = WHEN_NONE, .message = text };
	struct record r;
	const char *bad;

	if (xray_decode(k->xray, &e, &k->arena, &r, &bad) == DECODE_OK)
		assembler_add(k->assembler, &r);
}

/* The trace of its old and new documents, in place of the old one. */
static int
put_together(struct keeper *k, const struct trace *t, struct err *err)
{
	struct store_documents has;
	struct store_trace s;
	struct trace_view view;
	const struct trace *both;
	struct str id = { t->id_text, TRACE_ID_SIZE };

	if (store_documents(k->store, id, &k->arena, &has, err) != 0)
		return -1;
	if (same_documents(t, &has)) {
		k->counts->same++;
		return 0;
	}
	for (size_t i = 0; i < has.n; i++)
		add_document(k, has.v[i]);
	for (size_t i = 0; i < t->n_documents; i++)
		add_document(k, t->documents[i].text);
	assembler_end(k->assembler);
	both = assembler_next(k->assembler);
	if (!both || same_documents(both, &has)) {
		k->counts->same++;
		return 0;
	}
	s = stored(both, &view, &k->arena);
	k->counts->changed++;
	return store_replace_trace(k->store, &s, err);
}

static int
keep_trace(struct keeper *k, const struct trace *t, struct err *err)
{
	struct trace_view view;
	struct store_trace s;
	int rc;

	arena_reset(&k->arena);
	s = stored(t, &view, &k->arena);
	rc = store_add_trace(k->store, &s, err);
	if (rc == 1)
		return put_together(k, t, err);
	k->counts->traces += rc == 0;
	return rc;
}

static int
keep_traces(struct keeper *k, const struct replay_options *replay,
    const struct replay_result *result, struct replay_progress *progress,
    struct err *err)
{
	const struct traces_options options = { .replay = replay,
		.assemble = assemble_defaults,
		.by_start = true,
		.inputs = &result->inputs };
	struct traces *traces;
	const struct trace *t;
	int rc = 0;

	if (result->accounts.n[RECORD_SEGMENT][ACCOUNT_READ] == 0)
		return 0;
	traces = traces_open(&options, NULL, 0, progress, err);
	if (!traces)
		return -1;
	for (t = traces_next(traces, err); t && rc == 0;
	     t = rc == 0 ? traces_next(traces, err) : NULL)
		rc = keep_trace(k, t, err);
	if (err->text[0])
		rc = -1;
	traces_close(traces);
	return rc;
}

static int
keep_findings(struct keeper *k, const struct replay_result *result,
    struct err *err)
{
	struct str *paths = xcalloc(result->inputs.n + 1, sizeof *paths);
	struct buf document = { 0 };
	struct buf text = { 0 };
	int rc = 0;

	for (size_t i = 0; i < result->inputs.n; i++)
		paths[i] = str_of(result->inputs.v[i].path);
	for (size_t i = 0; i < result->findings.n && rc == 0; i++) {
		const struct finding *f = &result->findings.v[i];

		buf_reset(&document);
		buf_reset(&text);
		document_finding(&document, f, paths);
		finding_sentence(&text, f, true);
		rc = store_put_finding(k->store,
		    &(struct store_finding){ f, buf_view(&text),
			str_trim(buf_view(&document)) },
		    err);
		k->counts->findings += rc == 0;
	}
	buf_fini(&document);
	buf_fini(&text);
	free(paths);
	return rc;
}

static int64_t
time_of(const struct document *d)
{
	return d->ts_ns == WHEN_NONE ? 0 : d->ts_ns;
}

static int
keep_request(struct keeper *k, const struct document *d, struct str text,
    struct err *err)
{
	const struct store_request r = {
		.id = d->id,
		.ts_ns = time_of(d),
		.duration_ns = d->duration_ns,
		.status = d->status,
		.service = d->service,
		.method = d->method,
		.url = d->url,
		.agent = d->agent,
		.client = d->client,
		.trace = d->trace,
		.document = text,
	};

	k->counts->requests++;
	return store_put_request(k->store, &r, err);
}

static int
keep_log(struct keeper *k, const struct document *d, struct err *err)
{
	const struct store_log l = {
		.id = d->id,
		.ts_ns = time_of(d),
		.service = d->service,
		.level = d->level,
		.logger = d->logger,
		.group = d->group,
		.stream = d->stream,
		.text = d->message,
	};

	k->counts->logs++;
	return store_put_log(k->store, &l, err);
}

/* A number of the roll-up; one that is not there is 0. */
static int64_t
sum(struct json_val *of, const char *name)
{
	int64_t n;

	return json_i64(json_get(of, str_of(name)), &n) ? n : 0;
}

static int
keep_rollup(struct keeper *k, const struct document *d, struct err *err)
{
	static const char *const hundreds[6] = { "none", "1xx", "2xx", "3xx",
		"4xx", "5xx" };
	struct json_val *of =
	    json_get(json_get(d->source, STR("telltale")), STR("rollup"));
	struct store_rollup u = {
		.minute_ns = time_of(d),
		.service = d->service,
		.route = d->route,
		.method = d->method,
		.requests = sum(of, "count"),
		.timed = sum(of, "timed"),
		.slow = sum(of, "slow"),
		.not_found = sum(of, "not_found"),
		.probes = sum(of, "probes"),
		.probes_failed = sum(of, "probes_failed"),
		.duration_ns = sum(of, "duration_sum"),
	};

	of = json_get(of, STR("status"));
	for (int i = 0; i < 6; i++)
		u.status[i] = sum(of, hundreds[i]);
	k->counts->rollups++;
	return store_put_rollup(k->store, &u, err);
}

/* All documents of a kind. */
static int
keep_documents(struct keeper *k, enum file_kind kind, struct err *err)
{
	struct document d = { 0 };
	struct requests *r = requests_open(k->options->documents, kind, err);
	struct str text;
	int rc;

	if (!r)
		return -1;
	for (rc = requests_next(r, &text, err); rc > 0;
	     rc = requests_next(r, &text, err)) {
		int kept = 0;

		if (!document_read(&d, text))
			continue;
		if (kind == FILE_REQUESTS)
			kept = keep_request(k, &d, text, err);
		else if (kind == FILE_LOGS)
			kept = keep_log(k, &d, err);
		else
			kept = keep_rollup(k, &d, err);
		if (kept != 0) {
			rc = -1;
			break;
		}
	}
	document_fini(&d);
	requests_close(r);
	return rc;
}

static int
keep_all_documents(struct keeper *k, struct err *err)
{
	const struct keep_options *o = k->options;

	if (keep_documents(k, FILE_ROLLUPS, err) != 0 ||
	    (o->requests && keep_documents(k, FILE_REQUESTS, err) != 0))
		return -1;
	return o->logs ? keep_documents(k, FILE_LOGS, err) : 0;
}

int
keep(const struct keep_options *options, const struct replay_options *replay,
    const struct replay_result *result, struct replay_progress *progress,
    struct keep_counts *counts, struct err *err)
{
	struct keeper k = { .options = options, .counts = counts };
	int rc = -1;

	*counts = (struct keep_counts){ 0 };
	k.store = store_open(options->path, STORE_WRITE, err);
	if (!k.store)
		return -1;
	k.xray = xray_new();
	k.assembler = assembler_new(&assemble_defaults);
	if (store_begin(k.store, err) == 0 &&
	    keep_findings(&k, result, err) == 0 &&
	    keep_traces(&k, replay, result, progress, err) == 0 &&
	    keep_all_documents(&k, err) == 0 &&
	    store_note_last(k.store, result->last_ns, err) == 0 &&
	    store_retain(k.store, options->keep_ns, options->max_bytes, err) ==
		0)
		rc = store_commit(k.store, err);
	assembler_free(k.assembler);
	xray_free(k.xray);
	arena_fini(&k.arena);
	store_close(k.store);
	return rc;
}
