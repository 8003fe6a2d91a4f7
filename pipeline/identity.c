/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See the header for what makes two events one.
 */
#include "pipeline/identity.h"

#include <stdlib.h>

#include "core/hash.h"
#include "core/mem.h"
#include "ingest/xray.h"
#include "pipeline/row.h"

enum {
	DOUBLED_EVENTS = 64, /* a copy comes within so many events */
};

void
identity_begin(struct identity *id, const struct input *input)
{
	id->input = input;
	id->seq = 0;
	id->last_n = 0;
	id->stream = 0;
	id->of_input = false;
	/* Where nobody asks for copies, one number does. */
	id->content = input->content ? input->content : 1;
	seen_reset(&id->equals);
	seen_reset(&id->ids);
	memset(id->doubled, 0, sizeof id->doubled);
	memset(id->n_doubled, 0, sizeof id->n_doubled);
}

void
identity_fini(struct identity *id)
{
	seen_fini(&id->equals);
	seen_fini(&id->ids);
	free(id->last);
}

static uint64_t
stream_hash(struct identity *id, struct str name)
{
	uint64_t h;

	id->last = xgrow(id->last, name.n, &id->last_cap, 1);
	id->last_n = name.n;
	memcpy(id->last, name.p, name.n);
	for (size_t i = 0; i < name.n; i++)
		if (id->last[i] == '/')
			id->last[i] = '-';
	h = hash64((struct str){ id->last, name.n });
	memcpy(id->last, name.p, name.n);
	return h ? h : 1;
}

void
identity_event(struct identity *id, const struct event *e)
{
	struct str name = e->stream.n ? e->stream : id->input->stream;

	id->seq++;
	if (e->stream.n == 0 && id->of_input)
		return;
	id->of_input = e->stream.n == 0;
	if (name.n == 0)
		id->stream = id->content;
	else if (id->stream == 0 ||
		 !str_eq(name, (struct str){ id->last, id->last_n }))
		id->stream = stream_hash(id, name);
}

bool
identity_redelivered(struct identity *id, const struct event *e)
{
	return e->id.n > 0 &&
	       seen_again(&id->ids, hash64_mix(hash64(e->id), id->stream)) > 0;
}

static uint64_t
document_identity(struct str trace_id, struct str id, bool in_progress)
{
	uint8_t trace[16];
	uint64_t h;

	if (xray_trace_id(trace_id, trace))
		h = hash64((struct str){ (const char *)trace, sizeof trace });
	else
		h = hash64(trace_id);
	h = hash64_mix(h, hash64(id));
	return in_progress ? h & ~ROW_KEY_FINISHED : h | ROW_KEY_FINISHED;
}

uint64_t
identity_parent(const struct segment *s)
{
	return document_identity(s->trace_id, s->parent_id, false);
}

uint64_t
identity_record(struct identity *id, const struct record *r, uint64_t *number)
{
	uint64_t h;

	*number = 0;
	if (r->kind == RECORD_SEGMENT)
		return document_identity(r->segment.trace_id, r->segment.id,
		    r->segment.in_progress);
	h = hash64_mix(id->stream, hash64(r->event->message));
	if (r->ts_ns == WHEN_NONE)
		*number = id->seq;
	else
		*number =
		    seen_again(&id->equals, hash64_mix(h, (uint64_t)r->ts_ns));
	return hash64_mix(h, *number);
}

bool
identity_doubled(struct identity *id, const struct record *r)
{
	uint64_t line = hash64(r->line);
	struct doubled *d;

	/* Mostly all lines that wait are of one kind, and need no look. */
	for (int i = 0; i < 16 && id->n_doubled[!r->prefixed] > 0; i++) {
		d = &id->doubled[i];
		if (d->open && d->line == line && d->stream == id->stream &&
		    d->prefixed != r->prefixed &&
		    id->seq - d->seq <= DOUBLED_EVENTS) {
			d->open = false;
			id->n_doubled[d->prefixed]--;
			return true;
		}
	}
	d = &id->doubled[id->next_doubled++ % 16];
	if (d->open)
		id->n_doubled[d->prefixed]--;
	id->n_doubled[r->prefixed]++;
	*d = (struct doubled){ .line = line,
		.stream = id->stream,
		.seq = id->seq,
		.prefixed = r->prefixed,
		.open = true };
	return false;
}
