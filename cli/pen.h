/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing for people: lines that keep to the terminal's width, with styles
 * where there is colour.  A pen knows the column it is in.
 *
 * Everything but pen_raw takes text of our own or text from term_text: it is
 * written as it is.  pen_raw takes anything.
 */
#ifndef CLI_PEN_H
#define CLI_PEN_H

#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/finding.h"
#include "core/str.h"
#include "core/term.h"

enum style { PLAIN, BOLD, DIM, GREEN, YELLOW, RED, CYAN, STYLES };

/* Of a finding, wherever one is shown. */
enum style severity_style(enum severity s);

struct pen {
	struct buf *out;
	const struct term *term;
	size_t col;
	size_t line; /* where the present line begins in out */
};

/* Appends safe text. */
void pen_put(struct pen *p, enum style style, struct str text);
void pen_cat(struct pen *p, enum style style, const char *text);
void pen_printf(struct pen *p, enum style style, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Appends any text, made safe, in at most `width` columns. */
void pen_raw(struct pen *p, enum style style, struct str text, size_t width);

/* Columns left in the line. */
size_t pen_left(const struct pen *p);

/* Blanks up to a column. */
void pen_to(struct pen *p, size_t col);

/* Ends the line; blanks at its end are taken away. */
void pen_end(struct pen *p);

/*
 * Safe text as words, from the present column on, further lines from `indent`
 * on; a word that is wider than a line is broken behind a '/', else anywhere.
 * Ends the line.
 */
void pen_wrap(struct pen *p, enum style style, struct str text, size_t indent);

/* 14,873; 23.4 % of millionths; 2019-02-21 06:46:24. */
void put_count(struct buf *b, uint64_t n);
void put_percent(struct buf *b, int64_t ppm);
void put_moment(struct buf *b, int64_t ns);
/* Without the date, when it is that of the other, which stands before. */
void put_moment_after(struct buf *b, int64_t ns, int64_t other);

/* n of total in millionths, rounded; 0 of 0 is 0. */
int64_t share_ppm(uint64_t n, uint64_t total);

#endif
