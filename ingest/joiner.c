/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Eight lines in an array, searched in order: there is mostly one.
 */
#include "ingest/joiner.h"

#include "ingest/envelope.h"

static const char too_long[] =
    "a line joined from pieces is over the line limit";

static struct joiner_line *
find(struct joiner *j, uint64_t key)
{
	for (size_t i = 0; i < JOINER_LINES; i++)
		if (j->lines[i].open && j->lines[i].key == key)
			return &j->lines[i];
	return NULL;
}

static struct joiner_line *
oldest(struct joiner *j)
{
	struct joiner_line *best = NULL;

	for (size_t i = 0; i < JOINER_LINES; i++) {
		struct joiner_line *l = &j->lines[i];

		if (l->open && (!best || l->order < best->order))
			best = l;
	}
	return best;
}

static void
give_out(struct joiner_line *l, struct batch *b)
{
	struct str text = message_trim(buf_view(&l->text));
	struct event *e;

	l->open = false;
	if (l->dropped || text.n == 0)
		return;
	e = batch_event(b, &l->place);
	e->ts_ns = l->ts_ns;
	e->message = arena_dup(&b->arena, text);
	e->stream = arena_dup(&b->arena, buf_view(&l->stream));
}

static struct joiner_line *
begin(struct joiner *j, const struct joiner_piece *piece, struct batch *b)
{
	struct joiner_line *l = NULL;

	for (size_t i = 0; i < JOINER_LINES && !l; i++)
		if (!j->lines[i].open)
			l = &j->lines[i];
	if (!l) {
		l = oldest(j);
		give_out(l, b);
	}
	l->open = true;
	l->dropped = false;
	l->key = piece->key;
	l->order = j->order++;
	l->place = piece->event.place;
	l->ts_ns = piece->event.ts_ns;
	buf_reset(&l->text);
	buf_reset(&l->stream);
	buf_str(&l->stream, piece->event.stream);
	return l;
}

void
joiner_put(struct joiner *j, const struct joiner_piece *piece, struct batch *b)
{
	struct str text = piece->event.message;
	struct joiner_line *l = find(j, piece->key);

	if (!l && piece->whole) {
		text = message_trim(text);
		if (text.n > 0) {
			struct event *e = batch_event(b, &piece->event.place);

			*e = piece->event;
			e->message = text;
		}
		return;
	}
	if (!l)
		l = begin(j, piece, b);
	if (!l->dropped && text.n > j->max - l->text.n) {
		buf_str(&l->text, str_sub(text, 0, DEAD_BYTES_MAX));
		batch_dead(b, &l->place, too_long, buf_view(&l->text));
		l->dropped = true;
	}
	if (!l->dropped)
		buf_str(&l->text, text);
	if (piece->whole)
		give_out(l, b);
}

bool
joiner_flush(struct joiner *j, struct batch *b)
{
	struct joiner_line *l = oldest(j);

	if (!l)
		return false;
	give_out(l, b);
	return true;
}

void
joiner_fini(struct joiner *j)
{
	for (size_t i = 0; i < JOINER_LINES; i++) {
		buf_fini(&j->lines[i].text);
		buf_fini(&j->lines[i].stream);
	}
}
