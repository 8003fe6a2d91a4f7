/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents go to files, to Elasticsearch, or to both, the same lines.  They
 * need what is known only at the end: a service's name, a route's
 * template, what was joined.  So the inputs are read a second time, one after
 * the other, and every record is decided as in the scan; what the scan could
 * not know of one record alone comes from the verdicts, which are in the order
 * of the reading.
 *
 * A document is many times the line it is made of.  So that a small packed file
 * of very many short lines does not fill a disk, the documents of a packed
 * input are held to the limit that its inflated bytes are held to: what would
 * be written beyond is filtered, and counted.  Logs as they are make some 60
 * times of what they are packed to, not 1,200.
 */
#include "pipeline/write.h"

#include <assert.h>
#include <stdlib.h>

#include "core/hash.h"
#include "core/mem.h"
#include "pipeline/origin.h"
#include "pipeline/reading.h"
#include "pipeline/verdicts.h"
#include "pipeline/write_traces.h"
#include "sinks/documents.h"
#include "sinks/elastic.h"
#include "sinks/files.h"

enum {
	FLUSH_BYTES = 256 * 1024,
	PENDING = 16, /* streams that are interleaved in one input */
	PENDING_BYTES = 4 * 1024 * 1024, /* of one event with all its lines */
};

/* A log's document that further lines may continue: one a stream. */
struct pending {
	uint64_t stream; /* 0: none */
	uint64_t number; /* the oldest gives way */
	struct buf doc;
	size_t at; /* where its message ends */
};

struct write {
	struct run *run;
	struct files *files; /* NULL: only elsewhere */
	struct buf out[FILE_KINDS];
	uint64_t made; /* bytes that have left `out` */

	/* roll-ups: the cells of one minute */
	struct cell *minute;
	size_t n_minute, cap_minute;
	int64_t minute_at;

	/* the second reading */
	struct reading reading;
	struct replay_input *read; /* the input's */
	uint64_t most;             /* of bytes_made, with this input */
	struct origin_namer namer;
	struct verdicts verdicts;
	uint32_t service; /* of the last log record */
	struct pending pending[PENDING];
	uint64_t n_pending; /* so many were begun */
};

static uint64_t
bytes_made(const struct write *w)
{
	uint64_t sum = w->made;

	for (int k = 0; k < FILE_KINDS; k++)
		sum += w->out[k].n;
	return sum;
}

/* How many bytes of documents the input may make; see the head comment. */
static uint64_t
allowance(const struct write *w)
{
	const struct limits *limits = &w->run->options->limits;
	uint64_t n;

	if (!w->read->notes.packed ||
	    __builtin_mul_overflow(w->read->notes.bytes_packed,
		limits->inflate_ratio, &n))
		return UINT64_MAX;
	return n > limits->inflate_free ? n : limits->inflate_free;
}

/* Whether a document is one too many; it is filtered then. */
static bool
too_much(struct write *w, int kind, enum account was)
{
	struct accounts *const both[] = { &w->read->accounts,
		&w->run->result->accounts };

	if (w->most == UINT64_MAX || bytes_made(w) < w->most)
		return false;
	for (int i = 0; i < 2; i++) {
		both[i]->n[kind][was]--;
		both[i]->n[kind][ACCOUNT_FILTERED]++;
	}
	w->read->documents_left_out++;
	return true;
}

static int64_t
minute_of(int64_t cell)
{
	return cell >= 0 ? cell / 6 : -((5 - cell) / 6);
}

static bool
to_file(const struct replay_options *o, enum file_kind kind)
{
	return o->out && (o->out_kinds == 0 || o->out_kinds & 1u << kind);
}

static int
put(struct write *w, enum file_kind kind, size_t limit, struct err *err)
{
	struct elastic *elastic = w->run->options->elastic;

	if (w->out[kind].n < limit || w->out[kind].n == 0)
		return 0;
	if (w->files && to_file(w->run->options, kind) &&
	    files_put(w->files, kind, buf_view(&w->out[kind]), err) != 0)
		return -1;
	if (elastic && elastic_put(elastic, buf_view(&w->out[kind]), err) != 0)
		return -1;
	w->made += w->out[kind].n;
	buf_reset(&w->out[kind]);
	return 0;
}

static bool
wants(const struct replay_options *o, enum file_kind kind)
{
	return o->elastic || to_file(o, kind);
}

bool
write_records(const struct replay_options *options)
{
	return wants(options, FILE_REQUESTS) || wants(options, FILE_LOGS) ||
	       wants(options, FILE_SEGMENTS) ||
	       wants(options, FILE_DEADLETTERS);
}

int
write_open(struct run *run, struct err *err)
{
	const char *out = run->options->out;
	struct write *w;
	struct files *files = NULL;

	if (!out && !run->options->elastic)
		return 0;
	if (out)
		files = files_open(out, err);
	if (out && !files)
		return -1;
	w = xcalloc(1, sizeof *w);
	w->run = run;
	w->files = files;
	w->reading.since_ns = run->plan.since_ns;
	w->reading.until_ns = run->plan.until_ns;
	w->namer.most = run->plan.origins;
	run->write = w;
	return 0;
}

void
write_abandon(struct run *run)
{
	struct write *w = run->write;
	struct err ignored;

	if (!w)
		return;
	files_close(w->files);
	for (int k = 0; k < FILE_KINDS; k++)
		buf_fini(&w->out[k]);
	for (int k = 0; k < PENDING; k++)
		buf_fini(&w->pending[k].doc);
	free(w->minute);
	reading_fini(&w->reading);
	origin_namer_fini(&w->namer);
	(void)verdicts_close(&w->verdicts, &ignored);
	free(w);
	run->write = NULL;
}

/* Routes are numbered as they come; their texts have one order. */
static int
by_text(const void *a, const void *b)
{
	const struct document_rollup *x = a;
	const struct document_rollup *y = b;
	int c = str_cmp(x->service, y->service);

	if (c == 0)
		c = str_cmp(x->route, y->route);
	return c ? c : (x->method > y->method) - (x->method < y->method);
}

/* The minute that has gone by, as roll-ups. */
static int
end_minute(struct write *w, struct err *err)
{
	struct document_rollup *rows = xcalloc(w->n_minute, sizeof *rows);

	for (size_t i = 0; i < w->n_minute; i++) {
		const struct cell *c = &w->minute[i];
		const struct service *s = &w->run->services[c->key.origin];

		rows[i] = (struct document_rollup){ .service = s->name,
			.route = s->texts[c->key.route],
			.method = (enum method)c->key.method,
			.minute_ns = w->minute_at * 60 * NS_PER_SEC,
			.sums = c };
	}
	if (w->n_minute > 0)
		qsort(rows, w->n_minute, sizeof *rows, by_text);
	for (size_t i = 0; i < w->n_minute; i++)
		document_rollup(&w->out[FILE_ROLLUPS], &rows[i]);
	free(rows);
	w->n_minute = 0;
	return put(w, FILE_ROLLUPS, FLUSH_BYTES, err);
}

int
write_cell(struct write *w, const struct cell *cell, struct err *err)
{
	struct cell c = *cell;

	if (!w)
		return 0;
	c.key.cell = minute_of(cell->key.cell);
	if (w->n_minute > 0 && c.key.cell != w->minute_at &&
	    end_minute(w, err) != 0)
		return -1;
	w->minute_at = c.key.cell;
	for (size_t i = 0; i < w->n_minute; i++) {
		if (cell_key_cmp(&w->minute[i].key, &c.key) == 0) {
			cell_add(&w->minute[i], &c);
			return 0;
		}
	}
	w->minute = xgrow(w->minute, w->n_minute + 1, &w->cap_minute,
	    sizeof *w->minute);
	w->minute[w->n_minute++] = c;
	return 0;
}

static struct document_origin
origin_of(struct write *w, const struct input *input, const struct record *r)
{
	if (origin_name_record(&w->namer, input, r))
		w->service = service_of(w->run, &w->namer.name);
	return (struct document_origin){
		.path = str_of(input->path),
		.group = r->event->group.n ? r->event->group : input->group,
		.stream = r->event->stream.n ? r->event->stream : input->stream,
		.service = w->run->services[w->service].name,
		.content = w->reading.identity.content,
	};
}

static bool
is_get(enum method m)
{
	return m == METHOD_GET || m == METHOD_HEAD || m == METHOD_OPTIONS;
}

static struct document_verdict
judge_request(struct write *w, const struct record *r,
    const struct verdict *known)
{
	const struct run *run = w->run;
	const struct service *s = &run->services[w->service];
	const struct request *q = &r->request;
	struct probe_verdict p =
	    verdicts_probe(&w->verdicts, r, w->reading.identity.seq);
	uint32_t route = s->final[routes_find(s->routes, q->path)];
	int64_t limit = run->options->judge.thresholds
			    .limits[service_limit(s, route, q->method)];
	int64_t duration = q->duration_ns;
	struct document_verdict v = {
		.class = p.class,
		.class_reason = p.reason,
		.route = s->texts[route],
		.not_found = q->status == 404 || q->status == 410,
	};

	v.has_trace = xray_trace_id(
	    r->kind == RECORD_SEGMENT ? r->segment.trace_id : q->trace_id,
	    v.trace);
	if (known) {
		if (known->class != p.class)
			v.class_reason = known->what == VERDICT_JOINED
					     ? "as its segment says"
					     : "in the trace of a probe";
		v.class = known->class;
		v.masked = known->masked;
		memcpy(v.trace, known->trace, sizeof v.trace);
		v.has_trace = true;
		if (duration < 0) {
			duration = known->duration_ns;
			v.joined_ns = duration > 0 ? duration : 0;
		}
	}
	v.slow = duration > limit && !is_get(q->method);
	return v;
}

/* A probe that was answered well is folded, one that was not is kept; so is
 * one in progress, which is no request yet. */
static bool
left_out(const struct write *w, const struct document_verdict *v,
    const struct record *r)
{
	enum probes probes = w->run->options->probes;

	if (v->class != CLASS_PROBE || probes == PROBES_KEEP ||
	    (r->kind == RECORD_SEGMENT && r->segment.in_progress))
		return false;
	return probes == PROBES_DROP || r->request.status < 400;
}

static bool
has_request(const struct record *r)
{
	return r->kind == RECORD_REQUEST ||
	       (r->kind == RECORD_SEGMENT && r->segment.has_http);
}

static void
end_pending(struct write *w, struct pending *p)
{
	if (!p->stream)
		return;
	buf_str(&w->out[FILE_LOGS], buf_view(&p->doc));
	buf_reset(&p->doc);
	p->stream = 0;
}

/* The stream's document; else the one that gives way, or NULL. */
static struct pending *
pending_of(struct write *w, bool make)
{
	struct pending *oldest = &w->pending[0];

	for (int k = 0; k < PENDING; k++) {
		struct pending *p = &w->pending[k];

		if (p->stream == w->reading.identity.stream)
			return p;
		if (!p->stream ||
		    (oldest->stream && p->number < oldest->number))
			oldest = p;
	}
	return make ? oldest : NULL;
}

static void
begin_pending(struct write *w, const struct document_origin *o,
    const struct record *r)
{
	struct pending *p = pending_of(w, true);

	end_pending(w, p);
	p->stream = w->reading.identity.stream;
	p->number = ++w->n_pending;
	p->at = document_log(&p->doc, o, r);
}

/*
 * Another log event of the stream, written or not: nothing continues the last.
 * A request may stand inside of another thread's traceback.
 */
static void
close_pending(struct write *w, const struct record *r)
{
	struct pending *p = pending_of(w, false);

	if (p && r->kind == RECORD_LOG)
		end_pending(w, p);
}

/* A line that continues the stream's log event is part of its message. */
static void
continue_pending(struct write *w, const struct record *r)
{
	struct pending *p = pending_of(w, false);

	if (p && !r->frame && p->doc.n < PENDING_BYTES)
		document_log_more(&p->doc, &p->at, r->event->message);
}

/* The file that such a record goes to. */
static enum file_kind
file_of(const struct record *r)
{
	if (r->kind == RECORD_REQUEST)
		return FILE_REQUESTS;
	return r->kind == RECORD_SEGMENT ? FILE_SEGMENTS : FILE_LOGS;
}

/* One record that the scan has kept. */
static void
write_record(struct write *w, const struct input *input, const struct record *r)
{
	const struct verdict *known = verdicts_of(&w->verdicts,
	    &r->event->place, w->reading.identity.seq);
	struct document_origin o = origin_of(w, input, r);
	struct document_verdict v = { 0 };

	identity_record(&w->reading.identity, r, &o.number);
	if (known && known->what == VERDICT_DUPLICATE)
		return;
	if (w->run->service_only != UINT32_MAX &&
	    w->service != w->run->service_only)
		return;
	if (!wants(w->run->options, file_of(r)))
		return;
	if (has_request(r)) {
		v = judge_request(w, r, known);
		if (left_out(w, &v, r))
			return;
	}
	if (too_much(w, r->kind, ACCOUNT_STORED))
		return;
	if (r->kind == RECORD_REQUEST)
		document_request(&w->out[FILE_REQUESTS], &o, r, &v);
	else if (r->kind == RECORD_SEGMENT)
		document_segment(&w->out[FILE_SEGMENTS], &o, r, &v);
	else
		begin_pending(w, &o, r);
}

static void
write_dead(struct write *w, const struct input *input, const struct dead *dead)
{
	struct document_origin o = { .path = str_of(input->path),
		.group = input->group,
		.stream = input->stream };

	if (!wants(w->run->options, FILE_DEADLETTERS) ||
	    too_much(w, KIND_OTHER, ACCOUNT_DEAD))
		return;
	document_dead(&w->out[FILE_DEADLETTERS], &o, dead);
}

static void
write_item(struct write *w, const struct input *input, const struct item *item)
{
	switch (item->fate) {
	case FATE_KEPT:
		close_pending(w, &item->record);
		write_record(w, input, &item->record);
		break;
	case FATE_FILTERED:
	case FATE_DUPLICATE:
		close_pending(w, &item->record);
		break;
	case FATE_FOLDED:
		continue_pending(w, &item->record);
		break;
	case FATE_DEAD:
		write_dead(w, input, &item->dead);
		break;
	case FATE_CONTROL:
		break;
	}
}

/* The first reading went well. */
static int
changed(const struct input *input, struct err *err)
{
	struct err why = *err;

	return err_set(err, "%s: changed while it was read: %s", input->path,
	    why.text);
}

static int
read_again(struct write *w, uint32_t index, struct err *err)
{
	const struct input *input = &w->run->result->inputs.v[index];
	enum flow flow = FLOW_OK;
	struct item item;

	/* What could not be read the first time has been reported. */
	if (input->state != INPUT_READ || w->run->result->read[index].error)
		return 0;
	if (reading_open(&w->reading, w->run->options, input, index, err) != 0)
		return changed(input, err);
	origin_namer_reset(&w->namer);
	w->read = &w->run->result->read[index];
	w->most = allowance(w);
	if (w->most != UINT64_MAX)
		w->most += bytes_made(w);
	while (flow == FLOW_OK && !run_stopped(w->run)) {
		flow = reading_next(&w->reading, &item, err);
		if (flow == FLOW_OK)
			write_item(w, input, &item);
		for (int k = 0; k < FILE_KINDS; k++)
			if (put(w, (enum file_kind)k, FLUSH_BYTES, err) != 0)
				return -1;
	}
	for (int k = 0; k < PENDING; k++)
		end_pending(w, &w->pending[k]);
	reading_close(&w->reading);
	return flow == FLOW_FAIL ? changed(input, err) : 0;
}

static void
write_findings(struct write *w)
{
	const struct replay_result *r = w->run->result;
	struct str *paths = xcalloc(r->inputs.n, sizeof *paths);

	for (size_t i = 0; i < r->inputs.n; i++)
		paths[i] = str_of(r->inputs.v[i].path);
	for (size_t i = 0; i < r->findings.n; i++)
		document_finding(&w->out[FILE_FINDINGS], &r->findings.v[i],
		    paths);
	free(paths);
}

/* Stopped, there is nothing more to write: hand_over sees it as well. */
static int
write_all_traces(struct write *w, struct err *err)
{
	struct write_traces *traces;
	int rc = 1;

	if (!wants(w->run->options, FILE_TRACES) || run_stopped(w->run))
		return 0;
	traces = write_traces_open(w->run, err);
	if (!traces)
		return run_stopped(w->run) ? 0 : -1;
	while (rc > 0) {
		rc = write_traces_next(traces, &w->out[FILE_TRACES], err);
		if (rc > 0 && put(w, FILE_TRACES, FLUSH_BYTES, err) != 0)
			rc = -1;
	}
	write_traces_close(traces);
	return run_stopped(w->run) ? 0 : rc;
}

/* What is left, and the answers of all. */
static int
hand_over(struct write *w, struct err *err)
{
	struct elastic *elastic = w->run->options->elastic;
	int rc = 0;

	for (int k = 0; k < FILE_KINDS && rc == 0; k++)
		rc = put(w, (enum file_kind)k, 0, err);
	if (run_stopped(w->run))
		return rc;
	if (rc == 0 && elastic)
		rc = elastic_finish(elastic, err);
	if (rc == 0 && w->files)
		rc = files_finish(w->files, err);
	return rc;
}

int
write_finish(struct run *run, struct err *err)
{
	struct write *w = run->write;
	size_t again;
	int rc;

	if (!w)
		return 0;
	rc = end_minute(w, err);
	if (wants(run->options, FILE_FINDINGS))
		write_findings(w);
	if (rc == 0)
		rc = verdicts_open(&w->verdicts, run, err);
	again = write_records(run->options) ? run->result->inputs.n : 0;
	for (size_t i = 0; i < again && rc == 0; i++)
		rc = read_again(w, (uint32_t)i, err);
	if (rc == 0)
		rc = verdicts_close(&w->verdicts, err);
	if (rc == 0)
		rc = write_all_traces(w, err);
	return rc == 0 ? hand_over(w, err) : rc;
}
