/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See the header: the one way from an input to its records.
 */
#include "pipeline/reading.h"

#include <string.h>

int
reading_open(struct reading *r, const struct replay_options *options,
    const struct input *input, uint32_t index, struct err *err)
{
	struct source *source = source_open(input, &options->limits, err);

	if (!source)
		return -1;
	if (!r->xray) {
		r->xray = xray_new();
		if (r->marks)
			xray_marks_want(r->xray);
	}
	identity_begin(&r->identity, input);
	r->events = events_new(input, index, source, &options->limits);
	turned_begin(&r->turned);
	r->message = message_new(options->message_flags, options->dialects);
	r->batch.n = r->batch.n_dead = 0;
	r->at = r->at_dead = 0;
	return 0;
}

static bool
in_range(const struct reading *r, int64_t ts_ns)
{
	if (r->since_ns != WHEN_NONE &&
	    (ts_ns == WHEN_NONE || ts_ns < r->since_ns))
		return false;
	return r->until_ns == WHEN_NONE ||
	       (ts_ns != WHEN_NONE && ts_ns < r->until_ns);
}

/* The only programs known to write each access line twice: workshops.md 4.7. */
static bool
may_double(struct reading *rd, const struct record *r)
{
	if (r->kind != RECORD_REQUEST || !r->dialect)
		return false;
	/* Names are static: the same pointer is the same name. */
	if (r->dialect != rd->dialect) {
		rd->dialect = r->dialect;
		rd->doubles = strcmp(r->dialect, "werkzeug") == 0;
	}
	return rd->doubles;
}

static enum fate
fate_of(struct reading *r, const struct record *record)
{
	if (record->joined)
		return FATE_FOLDED;
	if (!in_range(r, record->ts_ns))
		return FATE_FILTERED;
	if (identity_redelivered(&r->identity, record->event) ||
	    (may_double(r, record) && identity_doubled(&r->identity, record)))
		return FATE_DUPLICATE;
	return FATE_KEPT;
}

static void
take(struct reading *r, size_t at, struct item *item)
{
	const struct batch *b = &r->batch;
	const struct event *e = &b->events[at];
	uint8_t what = b->what[at];
	struct marked marked = { b->marked[at] ? b->marks : NULL,
		b->marked[at] - 1u };
	struct arena *arena = &r->batch.arena;
	const char *bad = NULL;
	enum decode d;

	identity_event(&r->identity, e);
	if (what == EVENT_CONTROL) {
		item->fate = FATE_CONTROL;
		return;
	}
	item->as_is = what == EVENT_LINE;
	if (what == EVENT_DOCUMENT || what == EVENT_LINE)
		d = xray_decode(r->xray, e, arena, &item->record, &bad);
	else if (what == EVENT_SUMMARY)
		d = xray_decode_summary(r->xray, e, arena, &item->record, &bad);
	else
		d = message_decode_marked(r->message, marked, e, arena,
		    &item->record, &bad);
	if (d == DECODE_OK) {
		item->fate = fate_of(r, &item->record);
		return;
	}
	item->fate = FATE_DEAD;
	item->dead = (struct dead){ .place = e->place,
		.reason = bad,
		.bytes = str_sub(e->message, 0, DEAD_BYTES_MAX) };
}

enum flow
reading_next(struct reading *r, struct item *item, struct err *err)
{
	while (r->at == r->batch.n && r->at_dead == r->batch.n_dead) {
		enum flow flow =
		    turned_next(&r->turned, r->events, &r->batch, err);

		if (flow == FLOW_END || flow == FLOW_FAIL)
			return flow;
		r->at = r->at_dead = 0;
	}
	if (r->at < r->batch.n) {
		take(r, r->at++, item);
		return FLOW_OK;
	}
	item->fate = FATE_DEAD;
	item->dead = r->batch.dead[r->at_dead++];
	return FLOW_OK;
}

const struct source_notes *
reading_notes(const struct reading *r)
{
	return source_notes(events_source(r->events));
}

void
reading_close(struct reading *r)
{
	message_free(r->message);
	if (r->events)
		events_free(r->events);
	turned_fini(&r->turned);
	r->message = NULL;
	r->events = NULL;
}

void
reading_fini(struct reading *r)
{
	reading_close(r);
	xray_free(r->xray);
	identity_fini(&r->identity);
	batch_fini(&r->batch);
	*r = (struct reading){ 0 };
}
