/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows in time order, read twice: once to see which logs hold the requests of
 * which segments, which tells the services' names; and once to count, a
 * request of a log and its segment being one.
 */
#include <stdlib.h>

#include "core/hash.h"
#include "core/mem.h"
#include "pipeline/outdone.h"
#include "pipeline/pairing.h"
#include "pipeline/worker.h"
#include "pipeline/probes.h"

/* All workers' rows as one sequence, and which of them are outdone. */
struct rows {
	struct merge *merge;
	struct outdone outdone;
};

static int
rows_open(struct rows *r, const struct run *run, struct err *err)
{
	*r = (struct rows){ .merge = scan_merge(run, SCAN_ROWS, err) };
	return r->merge ? outdone_open(&r->outdone, run, err) : -1;
}

static const struct row *
rows_next(struct rows *r)
{
	const void *record = merge_next(r->merge);

	return record;
}

/* After a failure of rows_open, too. */
static int
rows_close(struct rows *r, struct err *err)
{
	int rc = r->merge ? merge_failed(r->merge, err) : 0;

	merge_free(r->merge);
	return outdone_close(&r->outdone, err) != 0 ? -1 : rc;
}

static size_t
vote_slot(const struct votes *v, uint32_t log, uint32_t trace)
{
	size_t i = hash64_mix(log, trace) & (v->cap - 1);

	while (v->v[i].n && (v->v[i].log != log || v->v[i].trace != trace))
		i = (i + 1) & (v->cap - 1);
	return i;
}

static void
vote(struct votes *v, uint32_t log, uint32_t trace)
{
	struct vote *slot;

	if (v->n * 2 >= v->cap) {
		struct votes old = *v;

		v->cap = old.cap ? old.cap * 2 : 64;
		v->v = xcalloc(v->cap, sizeof *v->v);
		for (size_t i = 0; i < old.cap; i++)
			if (old.v[i].n)
				v->v[vote_slot(v, old.v[i].log,
				    old.v[i].trace)] = old.v[i];
		free(old.v);
	}
	slot = &v->v[vote_slot(v, log, trace)];
	v->n += slot->n == 0;
	slot->log = log;
	slot->trace = trace;
	slot->n++;
}

static void
count_votes(const struct run *run, const struct held *h, struct votes *v)
{
	const uint8_t both = ROW_REQUEST | ROW_SEGMENT;
	uint32_t canon;

	if ((h->row.flags & both) != both)
		return;
	canon = run_map(run, h->row.origin)->canon;
	v->segments[canon]++;
	if (h->joined)
		vote(v, run_map(run, h->other.origin)->canon, canon);
}

int
join_votes(struct run *run, struct votes *votes, struct err *err)
{
	const struct held *h;
	const struct row *row;
	struct pairing w;
	struct rows rows;
	struct row loser;

	if (rows_open(&rows, run, err) != 0) {
		rows_close(&rows, err);
		return -1;
	}
	pairing_init(&w);
	for (row = rows_next(&rows); row && !run_stopped(run);
	     row = rows_next(&rows)) {
		if (outdone_has(&rows.outdone, row))
			continue;
		pairing_push(&w, row, &loser);
		for (h = pairing_pop(&w, false); h; h = pairing_pop(&w, false))
			count_votes(run, h, votes);
	}
	for (h = pairing_pop(&w, true); h; h = pairing_pop(&w, true))
		count_votes(run, h, votes);
	pairing_fini(&w);
	return rows_close(&rows, err);
}

static void
account(struct run *run, const struct row *row, enum account a)
{
	if (run->joined)
		return;
	run->result->read[row->input].accounts.n[row->kind][a]++;
}

static int
say(struct run *run, const struct row *row, struct verdict v, struct err *err)
{
	if (!run->verdicts)
		return 0;
	v.key = (struct spill_key){ row->input, row->seq };
	return spill_put(run->verdicts, &v.key, err);
}

/* Whether the row is of no service that was asked for. */
static bool
filtered(const struct run *run, const struct row *row)
{
	return run->service_only != UINT32_MAX &&
	       row->service != run->service_only;
}

/* The class of a request, with what its trace and its segment say. */
static enum class class_of(const struct pairing *w, const struct held *h) {
	enum class class = h->row.class;

	/* A user agent first; then who knows that it is a probe. */
	if (h->joined && !h->row.agent &&
	    (h->other.agent || h->row.class != CLASS_PROBE) &&
	    h->other.class != CLASS_PROBABLE_PROBE) class
	= h->other.class;
	if (class != CLASS_PROBE &&
	    (pairing_probe_trace(w, &h->row) ||
		(h->joined && pairing_probe_trace(w, &h->other)))) class
	= CLASS_PROBE;
	return class;
}

/* The row that has what a trace says: the segment, if there is one. */
static const struct row *
traced_row(const struct held *h)
{
	return h->joined && !(h->row.flags & ROW_SEGMENT) ? &h->other : &h->row;
}

static struct hit
hit_of(const struct held *h, enum class class, bool masked)
{
	const struct row *r = &h->row;
	const struct row *traced = traced_row(h);
	struct hit hit = {
		.ts_ns = r->flags & ROW_UNDATED ? WHEN_NONE
						: spill_time_of(r->key.hi),
		.duration_ns = r->duration_ns,
		.status = r->status,
		.method = r->method,
		.class = class,
		.from_trace = r->flags & ROW_SEGMENT,
		.in_both = h->joined,
		.masked = masked,
		.example = { .line = r->line, .input = r->input },
	};

	if (h->joined && r->duration_ns < 0)
		hit.duration_ns = h->other.duration_ns;
	if (traced->flags & ROW_TRACE) {
		hit.example.has_trace = 1;
		memcpy(hit.example.trace, traced->trace, 16);
	}
	return hit;
}

/* Who asked for what; behind a balancer only the segment may know. */
static int
note_asker(struct run *run, const struct held *h, const struct hit *hit,
    uint32_t route, struct err *err)
{
	bool other = h->row.client == 0 && h->joined && h->other.client != 0;
	struct example example = hit->example;
	const struct misses_hit m = {
		.ts_ns = hit->ts_ns,
		.who = { other ? h->other.client : h->row.client, h->row.path },
		.origin = h->row.service,
		.route = route,
		.example = &example,
	};

	if (other) {
		example.input = h->other.input;
		example.line = h->other.line;
	}
	return misses_hit(&run->misses, &m, err);
}

static bool
is_masked(const struct pairing *w, const struct held *h, enum class class)
{
	return class == CLASS_CLIENT && pairing_masked(w, h);
}

/* What the second reading cannot know of a request. */
static int
say_class(struct run *run, const struct held *h, const struct hit *hit,
    struct err *err)
{
	bool segment = h->row.flags & ROW_SEGMENT;
	const struct row *log = segment ? &h->other : &h->row;
	struct verdict v = {
		.what = h->joined ? VERDICT_JOINED : VERDICT_TRACE,
		.class = (uint8_t)hit->class,
		.named = h->joined && (log->flags & ROW_NAMED),
		.masked = hit->masked,
		.end_ns = spill_time_of(traced_row(h)->key.hi),
		.duration_ns = hit->duration_ns,
	};

	if (!h->joined && hit->class == h->row.class && !hit->masked)
		return 0;
	memcpy(v.trace, hit->example.trace, sizeof v.trace);
	return say(run, &h->row, v, err);
}

/* Counts a request once: a segment that is in a log is counted there. */
static int
count_request(struct run *run, struct pairing *w, const struct held *h,
    struct err *err)
{
	enum class class = class_of(w, h);
	bool segment = h->row.flags & ROW_SEGMENT;
	bool fold = class == CLASS_PROBE && h->row.status < 400;
	const struct service *s = &run->services[h->row.service];
	struct hit hit = hit_of(h, class, is_masked(w, h, class));
	uint32_t route;
	bool drop = class == CLASS_PROBE && run->options->probes == PROBES_DROP;

	fold = fold && run->options->probes == PROBES_FOLD;
	account(run, &h->row,
	    drop   ? ACCOUNT_FILTERED
	    : fold ? ACCOUNT_FOLDED
		   : ACCOUNT_STORED);
	if (say_class(run, h, &hit, err) != 0)
		return -1;
	if (run->joined || drop || (segment && h->joined))
		return 0;
	route = s->final[run_map(run, h->row.origin)->routes[h->row.route]];
	if (misses_wanted(hit.status) && class == CLASS_CLIENT &&
	    note_asker(run, h, &hit, route, err) != 0)
		return -1;
	return tally_hit(&run->final, h->row.service, route, &hit, err);
}

static int
count_row(struct run *run, struct pairing *w, const struct held *h,
    struct err *err)
{
	if (filtered(run, &h->row)) {
		account(run, &h->row, ACCOUNT_FILTERED);
		return 0;
	}
	if (h->row.flags & ROW_REQUEST)
		return count_request(run, w, h, err);
	account(run, &h->row, ACCOUNT_STORED);
	if (h->row.kind == RECORD_LOG && !run->joined)
		run->services[h->row.service].logs++;
	return 0;
}

static int
count_held(struct run *run, struct pairing *w, bool end, struct err *err)
{
	const struct held *h;

	for (h = pairing_pop(w, end); h; h = pairing_pop(w, end))
		if (count_row(run, w, h, err) != 0)
			return -1;
	return 0;
}

/* The classes that the clock has changed, in the order of the rows. */
struct classes {
	struct merge *merge;
	const struct probe_class *next;
};

static void
classes_advance(struct classes *c)
{
	const void *next = merge_next(c->merge);

	c->next = next;
}

static int
classes_open(struct classes *c, const struct run *run, struct err *err)
{
	c->merge = merge_new(&run->probe_classes, 1, err);
	if (!c->merge)
		return -1;
	classes_advance(c);
	return 0;
}

static uint8_t
classes_of(struct classes *c, const struct row *row)
{
	while (c->next && (c->next->key.hi < row->key.hi ||
			      (c->next->key.hi == row->key.hi &&
				  c->next->key.lo < row->key.lo)))
		classes_advance(c);
	if (!c->next || c->next->key.hi != row->key.hi ||
	    c->next->key.lo != row->key.lo || (row->flags & ROW_SEGMENT))
		return row->class;
	return (uint8_t)c->next->class;
}

/* Another document, or another copy of the event, counts. */
static int
leave_out(struct run *run, const struct row *row, struct err *err)
{
	account(run, row, ACCOUNT_DUPLICATE);
	return say(run, row, (struct verdict){ .what = VERDICT_DUPLICATE },
	    err);
}

static int
take_row(struct run *run, struct pairing *w, const struct row *row,
    struct err *err)
{
	struct row loser;

	if (pairing_push(w, row, &loser) && leave_out(run, &loser, err) != 0)
		return -1;
	return count_held(run, w, false, err);
}

int
join_rows(struct run *run, struct err *err)
{
	struct classes classes = { 0 };
	const struct row *next;
	struct pairing w;
	struct rows rows;
	int rc;

	rc = rows_open(&rows, run, err);
	if (rc == 0)
		rc = classes_open(&classes, run, err);
	pairing_init(&w);
	for (next = rc == 0 ? rows_next(&rows) : NULL;
	     next && rc == 0 && !run_stopped(run); next = rows_next(&rows)) {
		struct row row = *next;

		if (outdone_has(&rows.outdone, &row)) {
			rc = leave_out(run, &row, err);
			continue;
		}
		row.service = run_map(run, row.origin)->service;
		row.class = classes_of(&classes, &row);
		rc = take_row(run, &w, &row, err);
	}
	if (rc == 0)
		rc = count_held(run, &w, true, err);
	run->result->late = w.early;
	pairing_fini(&w);
	if (rows_close(&rows, err) != 0)
		rc = -1;
	if (classes.merge && merge_failed(classes.merge, err) != 0)
		rc = -1;
	merge_free(classes.merge);
	run->joined = true;
	return rc;
}

int
join_verdicts(struct run *run, struct err *err)
{
	if (!run->plan.rows || run->verdicts)
		return 0;
	run->verdicts = spill_new(sizeof(struct verdict), VERDICTS_BYTES);
	if (join_rows(run, err) != 0)
		return -1;
	spill_seal(run->verdicts);
	return 0;
}
