/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A second reading of what is around the findings.
 *
 * Read are the inputs whose time reaches into a finding's window or the hour
 * before it, those with log lines or segments before those that have access
 * lines only, then the smaller before the greater, as long as they are together
 * below CAUSES_BYTES.  So the step takes a bounded time whatever the archive's
 * size, and which inputs are read depends on the inputs alone.
 *
 * First the requests of the findings are found, with the lines beside them and
 * what stands in their own record.  Then, where some of them have a trace,
 * or are of answers, those inputs that have more are read once more for who
 * asked for them (callers.h), and for what belongs to those traces: the
 * segments with their calls, the requests of other services with the lines
 * beside them, and the lines in which the trace's id stands.  That is how a
 * throttled table one hop down is found.
 *
 * Last, where a finding has no cause then, what other services logged in its
 * time (elsewhere.h).
 *
 * One thread, in the order of the inputs: nothing depends on timing.
 */
#include "pipeline/causes.h"

#include <stdlib.h>

#include "core/mem.h"
#include "pipeline/beside.h"
#include "pipeline/callers.h"
#include "pipeline/case_calls.h"
#include "pipeline/elsewhere.h"
#include "pipeline/origin.h"
#include "pipeline/reading.h"
#include "pipeline/run.h"
#include "pipeline/verdicts.h"

#define CAUSES_BYTES (UINT64_C(256) * 1024 * 1024) /* inflated */

enum pass { PASS_REQUESTS, PASS_TRACES, PASS_ELSEWHERE };

struct looking {
	struct run *run;
	struct cases cases;
	struct beside beside;
	struct case_calls calls;
	struct elsewhere elsewhere;
	struct callers callers;
	bool *chosen; /* by input */
	bool *others; /* by input: segments, or other services' records */
	enum pass pass;
	struct reading reading;
	struct origin_namer namer;
	struct verdicts verdicts;
	uint32_t service; /* of the record */
};

/* An input that may be read. */
struct choice {
	size_t index;
	uint64_t bytes;
	bool plain; /* nothing but access lines */
};

static int
by_worth(const void *pa, const void *pb)
{
	const struct choice *a = pa;
	const struct choice *b = pb;

	if (a->plain != b->plain)
		return a->plain ? 1 : -1;
	if (a->bytes != b->bytes)
		return a->bytes < b->bytes ? -1 : 1;
	return a->index < b->index ? -1 : 1;
}

static void
choose_inputs(struct looking *l)
{
	const struct replay_result *r = l->run->result;
	struct choice *c = xcalloc(r->inputs.n, sizeof *c);
	uint64_t bytes = 0;
	size_t n = 0;

	l->chosen = xcalloc(r->inputs.n, sizeof *l->chosen);
	l->others = xcalloc(r->inputs.n, sizeof *l->others);
	for (size_t i = 0; i < r->inputs.n; i++) {
		const struct replay_input *in = &r->read[i];

		/* What could not be opened the first time was reported. */
		if (r->inputs.v[i].state != INPUT_READ || in->error ||
		    in->first_ns == WHEN_NONE ||
		    !cases_wants_span(&l->cases, in->first_ns, in->last_ns))
			continue;
		c[n++] = (struct choice){ i, in->notes.bytes,
			in->accounts.n[RECORD_LOG][ACCOUNT_READ] == 0 &&
			    in->accounts.n[RECORD_SEGMENT][ACCOUNT_READ] == 0 };
	}
	if (n > 0)
		qsort(c, n, sizeof *c, by_worth);
	for (size_t i = 0; i < n; i++) {
		if (c[i].bytes > CAUSES_BYTES - bytes)
			continue;
		bytes += c[i].bytes;
		l->chosen[c[i].index] = true;
	}
	free(c);
}

static void
mark_place(struct looking *l, struct request_case *q, struct str dimension,
    struct str text)
{
	if (text.n > 0)
		case_mark(q, cases_place(&l->cases, dimension, text),
		    q->begin_ns);
}

static void
mark_places(struct looking *l, const struct input *input,
    const struct record *r, struct request_case *q)
{
	const struct request *of = &r->request;

	if (r->kind == RECORD_REQUEST)
		mark_place(l, q, STR("task"), origin_task(&l->namer, input, r));
	mark_place(l, q, STR("client"),
	    of->forwarded.n ? of->forwarded : of->peer);
	mark_place(l, q, STR("target"), of->target);
	mark_place(l, q, STR("path"), of->path);
}

/* The driver's time of a line is finer than a line's whole second. */
static void
set_end(struct case_request *q, const struct record *r)
{
	int64_t read_ns = r->event->ts_ns;

	q->end_ns = r->ts_ns;
	q->coarse = r->request.grain == GRAIN_SECOND;
	if (!q->coarse || read_ns == WHEN_NONE || read_ns % NS_PER_SEC == 0)
		return;
	q->end_ns = read_ns;
	q->coarse = false;
}

static struct case_request
request_of(struct looking *l, const struct record *r,
    const struct verdict *known)
{
	struct case_request q = { .request = &r->request,
		.service = l->service,
		.class =
		    verdicts_probe(&l->verdicts, r, l->reading.identity.seq)
			.class,
		.ts_ns = r->ts_ns,
		.duration_ns = r->request.duration_ns,
		.traced = r->kind == RECORD_SEGMENT };

	set_end(&q, r);
	if (known && known->what == VERDICT_JOINED &&
	    r->kind == RECORD_REQUEST) {
		q.end_ns = known->end_ns;
		q.coarse = false;
	}
	if (known) {
		q.traced |= known->what == VERDICT_JOINED;
		q.masked = known->masked;
		q.class = known->class;
		if (q.duration_ns < 0)
			q.duration_ns = known->duration_ns;
	}
	return q;
}

static void
set_trace(struct request_case *q, const struct record *r,
    const struct verdict *known)
{
	q->has_trace = true;
	if (known && known->what == VERDICT_JOINED)
		memcpy(q->trace, known->trace, sizeof q->trace);
	else
		q->has_trace = xray_trace_id(r->kind == RECORD_SEGMENT
						 ? r->segment.trace_id
						 : r->request.trace_id,
		    q->trace);
}

static struct beside_stream *
stream_of(struct looking *l)
{
	struct beside_stream *s =
	    beside_stream(&l->beside, l->reading.identity.stream);

	s->service = l->service;
	return s;
}

/* A request of a log: a draft in its stream, if it is of a finding. */
static void
take_request(struct looking *l, const struct input *input,
    const struct record *r, const struct verdict *known)
{
	struct beside_stream *s = stream_of(l);
	struct case_request q = request_of(l, r, known);
	struct case_draft *d = &s->draft;
	uint64_t number;

	beside_request(&l->beside, s);
	if (cases_match(&l->cases, &q, d)) {
		d->request.priority =
		    identity_record(&l->reading.identity, r, &number);
		set_trace(&d->request, r, known);
		d->place = r->event->place;
		beside_collect(&l->beside, s, r, q.duration_ns, &d->request);
		mark_places(l, input, r, &d->request);
		s->open = true;
	}
	s->from = s->n;
}

/* A request that is in a trace only. */
static void
take_segment(struct looking *l, const struct input *input,
    const struct record *r, const struct verdict *known)
{
	struct case_request q = request_of(l, r, known);
	struct case_draft d;
	uint64_t number;

	if (!r->segment.has_http || r->segment.in_progress ||
	    (known && known->what == VERDICT_JOINED) ||
	    !cases_match(&l->cases, &q, &d))
		return;
	d.request.priority = identity_record(&l->reading.identity, r, &number);
	set_trace(&d.request, r, known);
	d.place = r->event->place;
	mark_places(l, input, r, &d.request);
	cases_admit(&l->cases, &d);
}

/* A line that continues an event of a stream that has been of interest. */
static void
take_more(struct looking *l, const struct record *r)
{
	struct beside_stream *s =
	    beside_find(&l->beside, l->reading.identity.stream);

	if (s && r->ts_ns != WHEN_NONE && beside_continues(r))
		beside_more(s, r, cases_line(&l->cases, s->service, r->line));
}

static void
take_line(struct looking *l, const struct record *r)
{
	struct beside_stream *s = stream_of(l);
	uint64_t feature = cases_line(&l->cases, l->service, r->log.text);

	beside_log(&l->beside, s, r, feature);
	if (l->pass == PASS_REQUESTS)
		cases_onset(&l->cases, l->service, feature, r->ts_ns);
	else
		case_calls_line(&l->calls, r, feature);
}

/* A request of another service that is in a trace of ours. */
static void
take_called(struct looking *l, const struct record *r,
    const struct verdict *known)
{
	struct beside_stream *s = stream_of(l);
	struct case_request q = request_of(l, r, known);
	struct request_case *called = &s->draft.request;

	beside_request(&l->beside, s);
	*called = (struct request_case){ .marks = s->draft.marks,
		.cap = CASE_MARKS,
		.begin_ns = r->ts_ns };
	set_trace(called, r, known);
	if (called->has_trace && cases_traced(&l->cases, called->trace)) {
		beside_collect(&l->beside, s, r, q.duration_ns, called);
		case_calls_request(&l->calls, called);
	}
	s->from = s->n;
}

/* Who may have asked for a finding's requests, once where it is in both. */
static void
take_caller(struct looking *l, const struct record *r,
    const struct verdict *known)
{
	struct case_request q = request_of(l, r, known);
	struct request_case traced;

	if (r->kind == RECORD_SEGMENT &&
	    (!r->segment.has_http || r->segment.in_progress ||
		(known && known->what == VERDICT_JOINED)))
		return;
	set_trace(&traced, r, known);
	callers_request(&l->callers, &q,
	    traced.has_trace ? traced.trace : NULL);
}

/* What the second pass is about: the other ends of the findings' requests. */
static void
take_other(struct looking *l, const struct record *r,
    const struct verdict *known)
{
	take_caller(l, r, known);
	if (r->kind == RECORD_SEGMENT)
		case_calls_segment(&l->calls, r, l->service);
	else if (!cases_has_service(&l->cases, l->service))
		take_called(l, r, known);
}

/* Whether the record's service and time are of interest. */
static bool
is_wanted(const struct looking *l, const struct record *r)
{
	if (r->ts_ns == WHEN_NONE)
		return false;
	if (l->pass == PASS_ELSEWHERE)
		return r->kind == RECORD_LOG &&
		       elsewhere_wants(&l->elsewhere, l->service, r->ts_ns);
	if (l->pass == PASS_TRACES)
		return cases_wants_span(&l->cases, r->ts_ns, r->ts_ns) &&
		       (r->kind != RECORD_LOG ||
			   !cases_has_service(&l->cases, l->service));
	return cases_wants(&l->cases, l->service, r->ts_ns);
}

static void
take_kept(struct looking *l, const struct input *input, const struct record *r)
{
	const struct verdict *known = verdicts_of(&l->verdicts,
	    &r->event->place, l->reading.identity.seq);

	if (known && known->what == VERDICT_DUPLICATE)
		return;
	if (l->pass == PASS_ELSEWHERE)
		elsewhere_add(&l->elsewhere, l->service, r->log.text, r->ts_ns);
	else if (r->kind == RECORD_LOG)
		take_line(l, r);
	else if (l->pass == PASS_REQUESTS && r->kind == RECORD_REQUEST)
		take_request(l, input, r, known);
	else if (l->pass == PASS_REQUESTS)
		take_segment(l, input, r, known);
	else
		take_other(l, r, known);
}

static void
take(struct looking *l, const struct input *input, const struct item *item)
{
	const struct record *r = &item->record;

	if (item->fate == FATE_FOLDED && l->pass != PASS_ELSEWHERE)
		take_more(l, r);
	if (item->fate != FATE_KEPT)
		return;
	if (origin_name_record(&l->namer, input, r)) {
		l->service = service_of(l->run, &l->namer.name);
		l->others[r->event->place.input] |=
		    r->kind == RECORD_SEGMENT ||
		    !cases_has_service(&l->cases, l->service);
	}
	if (is_wanted(l, r))
		take_kept(l, input, r);
}

static int
read_input(struct looking *l, uint32_t index, struct err *err)
{
	const struct input *input = &l->run->result->inputs.v[index];
	enum flow flow = FLOW_OK;
	struct item item;

	if (reading_open(&l->reading, l->run->options, input, index, err) != 0)
		return 0;
	origin_namer_reset(&l->namer);
	while (flow == FLOW_OK && !run_stopped(l->run)) {
		flow = reading_next(&l->reading, &item, err);
		if (flow == FLOW_OK)
			take(l, input, &item);
	}
	beside_end(&l->beside);
	reading_close(&l->reading);
	return flow == FLOW_FAIL ? -1 : 0;
}

static int
read_pass(struct looking *l, enum pass pass, struct err *err)
{
	struct err ignored;
	int rc = verdicts_open(&l->verdicts, l->run, err);

	l->pass = pass;
	for (size_t i = 0; i < l->run->result->inputs.n && rc == 0; i++)
		if (l->chosen[i] &&
		    (pass == PASS_REQUESTS || l->others[i] || l->callers.n > 0))
			rc = read_input(l, (uint32_t)i, err);
	if (verdicts_close(&l->verdicts, rc == 0 ? err : &ignored) != 0)
		rc = -1;
	return rc;
}

/* After the cases are settled. */
static int
look_elsewhere(struct looking *l, struct err *err)
{
	int rc = 0;

	elsewhere_init(&l->elsewhere, &l->cases);
	if (l->elsewhere.n > 0)
		rc = read_pass(l, PASS_ELSEWHERE, err);
	if (rc == 0 && !run_stopped(l->run))
		elsewhere_settle(&l->elsewhere);
	elsewhere_fini(&l->elsewhere);
	return rc;
}

int
causes_find(struct run *run, struct err *err)
{
	struct looking l = { .run = run };
	int rc;

	if (run->result->findings.n == 0)
		return 0;
	if (join_verdicts(run, err) != 0)
		return -1;
	cases_init(&l.cases, run);
	beside_init(&l.beside, &l.cases);
	l.reading.since_ns = run->plan.since_ns;
	l.reading.until_ns = run->plan.until_ns;
	l.namer.most = run->plan.origins;
	choose_inputs(&l);
	rc = read_pass(&l, PASS_REQUESTS, err);
	cases_index(&l.cases);
	case_calls_init(&l.calls, &l.cases);
	callers_init(&l.callers, &l.cases);
	if (rc == 0 && (l.cases.n_traced > 0 || l.callers.n > 0))
		rc = read_pass(&l, PASS_TRACES, err);
	if (rc == 0 && !run_stopped(run)) {
		cases_settle(&l.cases);
		rc = look_elsewhere(&l, err);
	}
	if (rc == 0 && !run_stopped(run)) {
		callers_settle(&l.callers, &run->result->findings);
		findings_sort(&run->result->findings);
	}
	callers_fini(&l.callers);
	case_calls_fini(&l.calls);
	beside_fini(&l.beside);
	cases_fini(&l.cases);
	reading_fini(&l.reading);
	origin_namer_fini(&l.namer);
	free(l.chosen);
	free(l.others);
	return rc;
}
