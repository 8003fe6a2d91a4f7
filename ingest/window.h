/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of an input that is in memory, and where it stands.
 *
 * Readers look at [at, end), take what is whole, and ask for more when they
 * cannot go on; only window_fill moves bytes, so views into the window hold
 * until then.  What stays unread is carried to the front, under the next
 * block.  The memory grows to what a reader leaves unread plus one block:
 * readers keep to the limits, and so does the window.
 *
 * A window may also be opened on a text in memory (a payload that was
 * unpacked, an element of a document): it has no memory of its own and is at
 * its end from the start.
 */
#ifndef INGEST_WINDOW_H
#define INGEST_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/err.h"
#include "core/flow.h"
#include "core/record.h"
#include "core/str.h"
#include "ingest/marks.h"

struct source;

struct window {
	char *p; /* own memory, or NULL */
	size_t cap;
	const char *at;     /* the first byte that is not taken yet */
	const char *end;    /* behind the last byte that is here */
	size_t searched;    /* bytes from `at` known to hold no line end */
	struct place place; /* of `at` */
	bool eof;           /* nothing comes behind `end` */
	bool cut;           /* eof, and not where the writer ended */
	bool skipping;      /* the rest of a line is being dropped */
	bool fixed;         /* `place` stands for all: an unpacked payload */
	bool by_cr;  /* lines end in CR alone: it is read as a line end */
	bool steady; /* bytes stay until the batch is taken: views allowed */
	marks_fn *mark;
	struct marks *marks; /* own memory, or NULL; n is 0 when bytes move */
	size_t marks_at;     /* the first place that was not taken yet */
};

enum line {
	LINE_OK,
	LINE_MORE, /* its end is not here yet */
	LINE_END,  /* the input is used up */
	LINE_LONG, /* longer than the limit; its end may not be here */
};

/* Opens on a text in memory, whose first byte stands at `place`. */
void window_open(struct window *w, struct str text, const struct place *place);

/* Reads one block, once; sets eof at the end.  FLOW_OK, or FLOW_FAIL. */
enum flow window_fill(struct window *w, struct source *source, size_t block,
    struct err *err);

/* From now on, and of what is here: every CR is a line end (old Macs).  The
 * bytes are as many, so that places hold. */
void window_by_cr(struct window *w);

void window_fini(struct window *w);

static inline struct str
window_rest(const struct window *w)
{
	return (struct str){ w->at, (size_t)(w->end - w->at) };
}

/* Takes n bytes that hold `lines` line ends. */
static inline void
window_take(struct window *w, size_t n, uint64_t lines)
{
	w->at += n;
	w->searched = 0;
	if (!w->fixed) {
		w->place.offset += n;
		w->place.line += lines;
	}
}

/* The same, counting the line ends. */
void window_take_counted(struct window *w, size_t n);

/*
 * Marks the bytes from `at` on, as many as there are and as marks can be of.
 * They hold until the next call and the next window_fill.
 */
void window_mark(struct window *w);

/* Whether marks are there in which a line that begins at `at` ends. */
bool window_is_marked(struct window *w);

/*
 * The line at `at` without its line end; *size is what to take with it.  With
 * LINE_LONG and LINE_MORE both are unset.
 */
static inline enum line
window_line(struct window *w, size_t max, struct str *line, size_t *size)
{
	size_t n = (size_t)(w->end - w->at);
	const char *from = w->at + w->searched;
	const char *nl =
	    n > w->searched ? memchr(from, '\n', n - w->searched) : NULL;

	if (nl) {
		*line = (struct str){ w->at, (size_t)(nl - w->at) };
		*size = line->n + 1;
		return line->n <= max ? LINE_OK : LINE_LONG;
	}
	w->searched = n;
	if (n > max)
		return LINE_LONG;
	if (!w->eof)
		return LINE_MORE;
	if (n == 0)
		return LINE_END;
	*line = (struct str){ w->at, n };
	*size = n;
	return LINE_OK;
}

/* Whether the line, as window_line gave it, may be half of what it was. */
static inline bool
window_is_half(const struct window *w, struct str line, size_t size)
{
	return w->cut && size == line.n;
}

/* Drops the rest of a line; false: it goes on behind the end of the window. */
bool window_skip_line(struct window *w);

/*
 * Whether the first bytes for a dead letter are here: DEAD_BYTES_MAX of them,
 * or all of the line.  *bytes is that much of it.
 */
bool window_dead_line(const struct window *w, struct str *bytes);

/* Without a carriage return at its end. */
static inline struct str
line_without_cr(struct str line)
{
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

#endif
