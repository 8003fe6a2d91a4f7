/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two readings behind a replay: the first finds the requests and the lines
 * with the id, the second the lines beside the requests, whose streams and
 * times are then known.
 */
#include "pipeline/trace_logs.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "ingest/xray.h"
#include "pipeline/pairing.h"
#include "pipeline/reading.h"
#include "pipeline/run.h"
#include "pipeline/trace_probe.h"
#include "pipeline/verdicts.h"

/* The second reading of all inputs, and what the join has said of each. */
struct again {
	struct run *run;
	struct trace_logs *logs;
	struct reading reading;
	struct verdicts verdicts;
	bool beside; /* the windows are known: lines beside */
};

/* Whether the join says that the event is a request of the trace. */
static bool
is_joined(struct again *a, const struct place *place)
{
	const struct verdict *v =
	    verdicts_of(&a->verdicts, place, a->reading.identity.seq);

	return v && v->what == VERDICT_JOINED &&
	       memcmp(v->trace, a->logs->trace->id, 16) == 0;
}

static int64_t
distance(int64_t a, int64_t b)
{
	if (a == WHEN_NONE || b == WHEN_NONE)
		return INT64_MAX;
	if (a < b)
		return a < 0 && b > INT64_MAX + a ? INT64_MAX : b - a;
	return b < 0 && a > INT64_MAX + b ? INT64_MAX : a - b;
}

/* The segment that is the same request, the nearest end; SPAN_NONE. */
static uint32_t
span_of_request(const struct trace *t, const struct request *r)
{
	uint32_t best = SPAN_NONE;
	int64_t best_d = 0;

	for (uint32_t i = 0; i < t->n_spans; i++) {
		const struct span *s = &t->spans[i];
		int64_t d = distance(s->end_ns, r->end_ns);

		if (s->kind != SPAN_SEGMENT || !s->http ||
		    !str_eq(s->http->method, r->method_text) ||
		    !str_eq(trace_path(s->http->url), r->path) ||
		    (s->http->status > 0 && s->http->status != r->status))
			continue;
		if (best == SPAN_NONE || d < best_d) {
			best = i;
			best_d = d;
		}
	}
	return best;
}

/* The segment that ran at a time and began last; else the first one. */
static uint32_t
span_at(const struct trace *t, int64_t ts_ns)
{
	uint32_t best = t->root != SPAN_NONE ? t->root : 0;

	for (uint32_t i = 0; i < t->n_spans; i++) {
		const struct span *s = &t->spans[i];

		if (s->kind != SPAN_SEGMENT || ts_ns == WHEN_NONE ||
		    s->start_ns > ts_ns ||
		    (s->end_ns != WHEN_NONE && s->end_ns < ts_ns))
			continue;
		if (s->start_ns >= t->spans[best].start_ns)
			best = i;
	}
	return best;
}

static void
keep(struct again *a, const struct record *r, enum trace_log_how how,
    uint32_t span)
{
	struct trace_logs *l = a->logs;

	if (l->n == TRACE_LOGS_MAX) {
		l->left_out++;
		return;
	}
	l->v = xgrow(l->v, l->n + 1, &l->cap, sizeof *l->v);
	l->v[l->n++] = (struct trace_log){
		.how = how,
		.span = span,
		.input = r->event->place.input,
		.line = r->event->place.line,
		.offset = r->event->place.offset,
		.ts_ns = r->ts_ns,
		.text = arena_dup(&l->arena,
		    str_sub(r->event->message, 0, TRACE_LOGS_TEXT)),
	};
}

static void
window_add(struct again *a, uint32_t span, const struct record *r)
{
	struct trace_logs *l = a->logs;
	const struct span *s = &l->trace->spans[span];

	if (l->n_windows == TRACE_LOGS_STREAMS || r->ts_ns == WHEN_NONE)
		return;
	l->windows[l->n_windows++] = (struct trace_log_window){
		.stream = a->reading.identity.stream,
		.offset = r->event->place.offset,
		.input = r->event->place.input,
		.span = span,
		.from_ns = s->start_ns,
		.to_ns = r->ts_ns,
	};
}

static bool
has_id(const struct trace_logs *l, const struct record *r)
{
	struct str printed = { l->trace->id_text, TRACE_ID_SIZE };
	struct str hex = { l->hex, sizeof l->hex - 1 };
	struct str text = r->event->message;

	return text.n >= hex.n && (str_find_str(text, printed) != SIZE_MAX ||
				      str_find_str(text, hex) != SIZE_MAX);
}

/* A line of a log: no document, and no summary that X-Ray made of one. */
static bool
is_line(const struct record *r)
{
	return r->kind == RECORD_LOG ||
	       (r->kind == RECORD_REQUEST && r->dialect &&
		   strcmp(r->dialect, "xray-summary") != 0);
}

/* The first reading. */
static void
look(struct again *a, const struct record *r)
{
	const struct trace *t = a->logs->trace;
	bool request = r->kind == RECORD_REQUEST;
	bool joined = is_joined(a, &r->event->place);
	bool named = has_id(a->logs, r);
	uint32_t span = SPAN_NONE;

	if (!is_line(r) || (!joined && !named))
		return;
	if (request)
		span = span_of_request(t, &r->request);
	if (request && span != SPAN_NONE)
		window_add(a, span, r);
	if (span == SPAN_NONE)
		span = span_at(t, r->ts_ns);
	keep(a, r, joined ? LOG_REQUEST : LOG_ID, span);
}

/* The second reading: other lines of a request's stream while it ran. */
static void
look_beside(struct again *a, const struct record *r)
{
	const struct trace_logs *l = a->logs;

	if (r->kind != RECORD_LOG || r->ts_ns == WHEN_NONE || has_id(l, r))
		return;
	for (size_t i = 0; i < l->n_windows; i++) {
		const struct trace_log_window *w = &l->windows[i];

		if (w->stream != a->reading.identity.stream ||
		    r->ts_ns < w->from_ns || r->ts_ns > w->to_ns ||
		    (r->event->place.input == w->input &&
			r->event->place.offset > w->offset))
			continue;
		keep(a, r, LOG_BESIDE, w->span);
		return;
	}
}

/* Whether an input has nothing of the windows' times. */
static bool
out_of_time(const struct again *a, const struct replay_input *in)
{
	if (in->first_ns == WHEN_NONE)
		return false;
	for (size_t i = 0; i < a->logs->n_windows; i++)
		if (in->first_ns <= a->logs->windows[i].to_ns &&
		    in->last_ns >= a->logs->windows[i].from_ns)
			return false;
	return true;
}

static int
read_input(struct again *a, uint32_t index, struct err *err)
{
	const struct replay_result *result = a->run->result;
	const struct input *input = &result->inputs.v[index];
	enum flow flow = FLOW_OK;
	struct item item;

	/* What could not be opened the first time has been reported. */
	if (input->state != INPUT_READ || result->read[index].error ||
	    (a->beside && out_of_time(a, &result->read[index])) ||
	    reading_open(&a->reading, a->run->options, input, index, err) != 0)
		return 0;
	while (flow == FLOW_OK && !run_stopped(a->run)) {
		flow = reading_next(&a->reading, &item, err);
		if (flow != FLOW_OK ||
		    (item.fate != FATE_KEPT && item.fate != FATE_FOLDED))
			continue;
		if (a->beside)
			look_beside(a, &item.record);
		else
			look(a, &item.record);
	}
	reading_close(&a->reading);
	return flow == FLOW_FAIL ? -1 : 0;
}

/* The same line found twice: the better way to it stands first. */
static int
by_place(const void *pa, const void *pb)
{
	const struct trace_log *a = pa;
	const struct trace_log *b = pb;

	if (a->ts_ns != b->ts_ns)
		return a->ts_ns < b->ts_ns ? -1 : 1;
	if (a->input != b->input)
		return a->input < b->input ? -1 : 1;
	if (a->offset != b->offset)
		return a->offset < b->offset ? -1 : 1;
	return a->how < b->how ? -1 : a->how > b->how;
}

int
trace_logs_read(struct run *run, struct err *err)
{
	struct again a = { .run = run, .logs = run->options->trace_logs };
	size_t n = run->result->inputs.n;
	struct err ignored;
	int rc = 0;

	a.reading.since_ns = run->plan.since_ns;
	a.reading.until_ns = run->plan.until_ns;
	if (verdicts_open(&a.verdicts, run, err) != 0)
		return -1;
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = read_input(&a, (uint32_t)i, err);
	a.beside = true;
	for (size_t i = 0; i < n && rc == 0 && a.logs->n_windows > 0; i++)
		rc = read_input(&a, (uint32_t)i, err);
	if (verdicts_close(&a.verdicts, rc == 0 ? err : &ignored) != 0)
		rc = -1;
	reading_fini(&a.reading);
	if (a.logs->n > 1)
		qsort(a.logs->v, a.logs->n, sizeof *a.logs->v, by_place);
	return rc;
}

int
trace_logs_find(struct trace_logs *l, const struct replay_options *options,
    char *const *paths, size_t n, struct replay_progress *progress,
    struct err *err)
{
	const struct trace *t = l->trace;
	struct replay_options o = *options;
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < 32; i++)
		l->hex[i] = digits[t->id[i / 2] >> (i % 2 ? 0 : 4) & 15];
	if (t->n_spans == 0)
		return 0;
	l->windows = xcalloc(TRACE_LOGS_STREAMS, sizeof *l->windows);
	o.trace_logs = l;
	o.causes = false;
	return replay(&o, paths, n, progress, &l->result, err);
}

void
trace_logs_fini(struct trace_logs *l)
{
	replay_result_fini(&l->result);
	free(l->v);
	free(l->windows);
	arena_fini(&l->arena);
	*l = (struct trace_logs){ 0 };
}
