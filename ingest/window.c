/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A window's memory: one block and room for what a reader left of the block
 * before, which is moved to the front only when the next block would not fit
 * behind it.  An ordinary reader leaves a part of a line, so that some hundred
 * bytes are copied for each 256 KiB.
 */
#include "ingest/window.h"

#include <stdlib.h>

#include "core/mem.h"
#include "ingest/source.h"

/* Holds most parts of lines that are left over. */
enum { WINDOW_ROOM = 4096 };

void
window_open(struct window *w, struct str text, const struct place *place)
{
	*w = (struct window){
		.at = text.p,
		.end = text.p + text.n,
		.place = *place,
		.eof = true,
	};
}

/* Makes room for a block behind `end`. */
static void
make_room(struct window *w, size_t block)
{
	size_t n = (size_t)(w->end - w->at);
	size_t used = w->p ? (size_t)(w->end - w->p) : 0;

	if (w->p && w->cap - used >= block)
		return;
	if (w->p && n > 0)
		memmove(w->p, w->at, n);
	if (!w->p || w->cap - n < block) {
		/* Twice what is left over: a long document is copied rarely. */
		w->cap = n + n / 2 + block + WINDOW_ROOM;
		w->p = xrealloc(w->p, w->cap, 1);
	}
	w->at = w->p;
	w->end = w->p + n;
}

static void
turn_cr(char *p, size_t n)
{
	char *end = p + n;

	for (p = memchr(p, '\r', n); p; p = memchr(p, '\r', (size_t)(end - p)))
		*p++ = '\n';
}

void
window_by_cr(struct window *w)
{
	w->by_cr = true;
	turn_cr(w->p + (w->at - w->p), window_rest(w).n);
}

enum flow
window_fill(struct window *w, struct source *source, size_t block,
    struct err *err)
{
	size_t n = 0;
	enum flow flow;
	size_t used;

	if (w->marks)
		w->marks->n = 0;
	make_room(w, block);
	used = (size_t)(w->end - w->p);
	flow = source_read(source, w->p + used, block, &n, err);
	switch (flow) {
	case FLOW_OK:
		w->end += n;
		if (w->by_cr)
			turn_cr(w->p + used, n);
		return FLOW_OK;
	case FLOW_END:
		w->eof = true;
		w->cut = source_cut(source);
		return FLOW_OK;
	case FLOW_IDLE:
		return FLOW_OK;
	case FLOW_FAIL:
		break;
	}
	return FLOW_FAIL;
}

void
window_fini(struct window *w)
{
	free(w->p);
	free(w->marks);
	*w = (struct window){ 0 };
}

void
window_mark(struct window *w)
{
	size_t n = (size_t)(w->end - w->at);

	if (!w->marks) {
		w->marks = xcalloc(1, sizeof *w->marks);
		w->mark = marks_fastest();
	}
	w->mark(w->marks, w->at, n < MARKS_BYTES ? n : MARKS_BYTES);
	w->marks_at = 0;
}

bool
window_is_marked(struct window *w)
{
	const struct marks *m = w->marks;
	size_t at;

	if (!m || m->n == 0 || (size_t)(w->at - m->p) >= m->n)
		return false;
	at = (size_t)(w->at - m->p);
	while (w->marks_at < m->n_at && m->at[w->marks_at] < at)
		w->marks_at++;
	return marks_line(m, w->marks_at) < m->n_at;
}

void
window_take_counted(struct window *w, size_t n)
{
	const char *p = w->at;
	const char *end = w->at + n;
	uint64_t lines = 0;

	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));

		if (!nl)
			break;
		lines++;
		p = nl + 1;
	}
	window_take(w, n, lines);
}

bool
window_skip_line(struct window *w)
{
	struct str rest = window_rest(w);
	size_t n = str_find(rest, '\n');

	if (n == SIZE_MAX) {
		window_take(w, rest.n, 0);
		w->skipping = !w->eof;
	} else {
		window_take(w, n + 1, 1);
		w->skipping = false;
	}
	return !w->skipping;
}

bool
window_dead_line(const struct window *w, struct str *bytes)
{
	struct str rest = window_rest(w);
	size_t n = str_find(str_sub(rest, 0, DEAD_BYTES_MAX), '\n');

	if (n == SIZE_MAX && rest.n < DEAD_BYTES_MAX && !w->eof)
		return false;
	*bytes = str_sub(rest, 0, n < DEAD_BYTES_MAX ? n : DEAD_BYTES_MAX);
	return true;
}
