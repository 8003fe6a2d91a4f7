/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The window is a ring in time order, which grows with what is held: one of
 * full size would be walked through for a handful of rows.  Log requests of one
 * path, method and status are chained, newest first, so that a segment looks
 * only at what can be its request; a chain ends where the ring does.
 */
#include "pipeline/pairing.h"

#include <stdlib.h>
#include <string.h>

#include "analyzers/cells.h"
#include "core/hash.h"
#include "core/mem.h"

/* Powers of two, so that a number's place is a mask. */
enum { ROOM_FIRST = 256 };

void
pairing_init(struct pairing *w)
{
	*w = (struct pairing){ 0 };
	w->room = ROOM_FIRST;
	w->ring = xcalloc(w->room, sizeof *w->ring);
	w->buckets = xcalloc(PAIRING_BUCKETS, sizeof *w->buckets);
}

void
pairing_fini(struct pairing *w)
{
	free(w->ring);
	free(w->buckets);
	seen_fini(&w->probe_traces);
	seen_fini(&w->failed_calls);
	*w = (struct pairing){ 0 };
}

static struct held *
at(const struct pairing *w, uint64_t number)
{
	return &w->ring[number & (w->room - 1)];
}

static void
grow(struct pairing *w)
{
	struct held *old = w->ring;
	size_t mask = w->room - 1;

	w->room *= 2;
	w->ring = xcalloc(w->room, sizeof *w->ring);
	for (uint64_t n = w->head; n < w->tail; n++)
		*at(w, n) = old[n & mask];
	free(old);
}

static uint64_t
trace_hash(const struct row *row)
{
	return hash64(
	    (struct str){ (const char *)row->trace, sizeof row->trace });
}

bool
pairing_probe_trace(const struct pairing *w, const struct row *row)
{
	return (row->flags & ROW_TRACE) &&
	       seen_has(&w->probe_traces, trace_hash(row));
}

bool
pairing_masked(const struct pairing *w, const struct held *h)
{
	const struct row *segment =
	    h->row.flags & ROW_SEGMENT ? &h->row : &h->other;

	if (!(h->row.flags & ROW_SEGMENT) && !h->joined)
		return false;
	return (segment->flags & ROW_FAILED) ||
	       (h->row.status >= 200 && h->row.status < 400 &&
		   seen_has(&w->failed_calls, segment->key.lo));
}

static bool
place_less(const struct row *a, const struct row *b)
{
	return a->input != b->input ? a->input < b->input : a->seq < b->seq;
}

static bool
is_log_request(const struct row *r)
{
	return (r->flags & (ROW_REQUEST | ROW_SEGMENT | ROW_UNDATED)) ==
	       ROW_REQUEST;
}

static bool
is_segment_request(const struct row *r)
{
	return (r->flags & (ROW_REQUEST | ROW_SEGMENT | ROW_UNDATED)) ==
	       (ROW_REQUEST | ROW_SEGMENT);
}

bool
pairing_push(struct pairing *w, const struct row *row, struct row *loser)
{
	struct held *h;

	if (w->tail > w->head) {
		h = at(w, w->tail - 1);
		if (h->row.key.hi == row->key.hi &&
		    h->row.key.lo == row->key.lo) {
			*loser = *row;
			if (place_less(row, &h->row)) {
				*loser = h->row;
				h->row = *row;
			}
			return true;
		}
	}
	if (w->tail - w->head == w->room)
		grow(w);
	h = at(w, w->tail);
	*h = (struct held){ .row = *row };
	if (is_log_request(row)) {
		uint64_t *bucket = &w->buckets[row->what % PAIRING_BUCKETS];

		h->before = *bucket;
		*bucket = w->tail + 1;
	}
	if ((row->flags & (ROW_ROOT | ROW_TRACE)) == (ROW_ROOT | ROW_TRACE) &&
	    row->class == CLASS_PROBE)
		seen_again(&w->probe_traces, trace_hash(row));
	if ((row->flags & (ROW_FAILED | ROW_REQUEST)) == ROW_FAILED)
		seen_again(&w->failed_calls, row->what);
	w->tail++;
	return false;
}

/*
 * How far the log's request is from the segment; -1: not the same request.
 * Times may be 2^64 apart: the difference wraps, and then is out of reach.
 */
static int64_t
distance(const struct held *log, const struct held *segment)
{
	int64_t d = (int64_t)(segment->row.key.hi - log->row.key.hi);

	if (log->joined || log->row.what != segment->row.what ||
	    log->row.service != segment->row.service)
		return -1;
	if (log->row.flags & ROW_SECOND) {
		if (d < -PAIRING_TOLERANCE ||
		    d > NS_PER_SEC + PAIRING_TOLERANCE)
			return -1;
		/* Anywhere in its second: all are equally near. */
		return PAIRING_TOLERANCE;
	}
	if (d < -PAIRING_TOLERANCE || d > PAIRING_TOLERANCE)
		return -1;
	return d < 0 ? -d : d;
}

/* Too far before the segment for anything older to be its request. */
static bool
out_of_reach(const struct held *log, const struct held *segment)
{
	uint64_t a = log->row.key.hi;
	uint64_t b = segment->row.key.hi;

	return a < b && b - a > NS_PER_SEC + PAIRING_TOLERANCE;
}

static void
meet(struct pairing *w, struct held *segment)
{
	uint64_t n = w->buckets[segment->row.what % PAIRING_BUCKETS];
	struct held *best = NULL;
	int64_t best_d = INT64_MAX;

	while (n > w->head && !out_of_reach(at(w, n - 1), segment)) {
		struct held *log = at(w, n - 1);
		int64_t d = distance(log, segment);

		if (d >= 0 && d <= best_d) {
			/* Of equally near ones the older is the request. */
			best = log;
			best_d = d;
		}
		n = log->before;
	}
	if (!best)
		return;
	best->joined = segment->joined = true;
	if (best->row.class == CLASS_PROBE && !segment->row.agent &&
	    (segment->row.flags & (ROW_ROOT | ROW_TRACE)) ==
		(ROW_ROOT | ROW_TRACE))
		seen_again(&w->probe_traces, trace_hash(&segment->row));
	best->other = segment->row;
	segment->other = best->row;
}

/* Lets segments look, once nothing that is to come can be nearer. */
static void
meet_all(struct pairing *w, bool end)
{
	for (; w->meet < w->tail; w->meet++) {
		struct held *h = at(w, w->meet);
		uint64_t newest = at(w, w->tail - 1)->row.key.hi;

		if (!end && w->meet > w->head &&
		    newest - h->row.key.hi <= PAIRING_TOLERANCE)
			return;
		if (is_segment_request(&h->row))
			meet(w, h);
	}
}

const struct held *
pairing_pop(struct pairing *w, bool end)
{
	uint64_t held = w->tail - w->head;
	struct held *h;
	bool old;

	/* The newest stays: the next may be the same event again. */
	if (held == 0 || (!end && held < 2))
		return NULL;
	h = at(w, w->head);
	old = (h->row.flags & ROW_UNDATED) ||
	      at(w, w->tail - 1)->row.key.hi - h->row.key.hi > PAIRING_HOLD;
	if (!end && !old && held < PAIRING_ROWS)
		return NULL;
	w->early += !end && !old;
	meet_all(w, end);
	w->head++;
	return h;
}
