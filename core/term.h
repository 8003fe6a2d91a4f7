/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The terminal: what it can do, and how text is made fit for it.
 *
 * Nothing that comes from input, a path or an argument is written to a
 * terminal but through term_text, which lets no control character, no escape
 * sequence, no direction override and no invalid byte pass: they are shown as
 * \x1b, \u{202e}, \xff.  Everything else here works on its result.
 *
 * No setlocale: whether UTF-8 is understood is read from LC_ALL, LC_CTYPE and
 * LANG, so that sorting and numbers never depend on the locale.
 */
#ifndef CORE_TERM_H
#define CORE_TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/str.h"

enum term_color {
	TERM_COLOR_AUTO,
	TERM_COLOR_ALWAYS,
	TERM_COLOR_NEVER,
};

enum {
	TERM_WIDTH = 80, /* where nobody says otherwise */
	TERM_WIDTH_MIN = 40,
	TERM_WIDTH_MAX = 400, /* wider is not readable */
};

struct term {
	bool tty;
	bool moves; /* a terminal whose cursor can be moved: no TERM=dumb */
	bool color;
	bool utf8;
	size_t width;
};

/*
 * What the descriptor is.  Colour, when AUTO: never with NO_COLOR set and not
 * empty, nor TERM=dumb; always with CLICOLOR_FORCE set and not "0"; else on a
 * terminal.  Width: `width` unless 0, COLUMNS, the terminal's, TERM_WIDTH.
 */
void term_init(struct term *t, int fd, enum term_color color, size_t width);

/* Appends text so that it is safe, as UTF-8 or as ASCII. */
void term_text(struct buf *out, struct str text, bool utf8);

/* Columns of text that came from term_text. */
size_t term_columns(struct str text);

/*
 * Appends text, from term_text, in at most `width` columns: what does not fit
 * is taken out of the middle, "…" or "..." in its place.  Returns the columns.
 */
size_t term_elide(struct buf *out, struct str text, size_t width, bool utf8);

/*
 * One character at the head of *rest, which is moved behind it.  False: the
 * bytes there are no valid UTF-8, and *rest is moved by one.
 */
bool term_utf8(struct str *rest, uint32_t *c);

#endif
