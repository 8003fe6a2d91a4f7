/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is done on a level of the JSON reader, and how one gets to the next.
 */
#include "ingest/jreader.h"
#include "ingest/payload.h"

void
json_name(struct json_reader *r, enum envelope_id id)
{
	if (!r->named)
		r->base.id = id;
	r->named = true;
}

struct str
level_text(const struct json_level *l)
{
	return str_sub(window_rest(l->w), 0, l->bound);
}

/* Nothing comes behind level_text. */
bool
level_closed(const struct json_level *l)
{
	return l->w->eof || l->bound <= window_rest(l->w).n;
}

void
level_take(struct json_level *l, size_t n)
{
	window_take_counted(l->w, n);
	if (l->bound != UNBOUND)
		l->bound -= n;
	l->scanning = false;
	l->seek = 0;
}

void
level_to_top(struct json_level *l)
{
	l->mode = l->shared ? JSON_OVER : JSON_TOP;
	l->bound = UNBOUND;
}

struct json_level *
level_deeper(struct json_reader *r)
{
	struct json_level *l = &r->levels[++r->depth];

	l->w = &l->own;
	l->scanning = false;
	l->seek = 0;
	l->fresh = true;
	l->remains = false;
	l->shared = false;
	level_to_top(l);
	return l;
}

const char *
json_descend(struct json_reader *r, const struct piece *piece)
{
	bool steady = json_level(r)->w->steady;
	struct json_level *l;

	if (r->depth + 1 == JSON_LEVELS)
		return "documents within documents: nested too deeply";
	l = level_deeper(r);
	window_open(&l->own, piece->text, &piece->place);
	l->own.steady = steady;
	return NULL;
}

const char *
json_descend_payload(struct json_reader *r, const struct piece *piece,
    struct str base64)
{
	struct json_level *l;
	const char *why;

	if (r->depth + 1 == JSON_LEVELS)
		return "payloads within payloads: nested too deeply";
	l = &r->levels[r->depth + 1];
	why = payload_unpack(&l->payload, base64, r->base.limits);
	if (why)
		return why;
	level_deeper(r);
	window_open(&l->own, buf_view(&l->payload), &piece->place);
	l->own.fixed = true;
	return NULL;
}

void
level_dead(struct json_level *l, struct batch *b, const char *why,
    struct str bytes)
{
	batch_dead(b, &l->w->place, why, message_trim(bytes));
	l->remains = true;
}
