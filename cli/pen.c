/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines for people: styles, columns, wrapping, and the forms of numbers.
 */
#include "cli/pen.h"

#include <stdarg.h>

#include "core/when.h"

static const char *const codes[STYLES] = {
	[PLAIN] = "",
	[BOLD] = "\x1b[1m",
	[DIM] = "\x1b[2m",
	[GREEN] = "\x1b[32m",
	[YELLOW] = "\x1b[33m",
	[RED] = "\x1b[1;31m",
	[CYAN] = "\x1b[36m",
};

enum style
severity_style(enum severity s)
{
	static const enum style styles[SEVERITIES] = {
		[SEVERITY_INFO] = CYAN,
		[SEVERITY_WARNING] = YELLOW,
		[SEVERITY_CRITICAL] = RED,
	};

	return styles[s];
}

/* Styles are switched on and off around what is put, never over line ends. */
static void
style_on(const struct pen *p, enum style style)
{
	if (p->term->color && style != PLAIN)
		buf_cat(p->out, codes[style]);
}

static void
style_off(const struct pen *p, enum style style)
{
	if (p->term->color && style != PLAIN)
		buf_cat(p->out, "\x1b[0m");
}

void
pen_put(struct pen *p, enum style style, struct str text)
{
	if (text.n == 0)
		return;
	style_on(p, style);
	buf_str(p->out, text);
	style_off(p, style);
	p->col += term_columns(text);
}

void
pen_cat(struct pen *p, enum style style, const char *text)
{
	pen_put(p, style, str_of(text));
}

void
pen_printf(struct pen *p, enum style style, const char *fmt, ...)
{
	struct buf text = { 0 };
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	pen_put(p, style, buf_view(&text));
	buf_fini(&text);
}

void
pen_raw(struct pen *p, enum style style, struct str text, size_t width)
{
	struct buf safe = { 0 };
	struct buf fit = { 0 };

	term_text(&safe, text, p->term->utf8);
	term_elide(&fit, buf_view(&safe), width, p->term->utf8);
	pen_put(p, style, buf_view(&fit));
	buf_fini(&safe);
	buf_fini(&fit);
}

size_t
pen_left(const struct pen *p)
{
	return p->col < p->term->width ? p->term->width - p->col : 0;
}

void
pen_to(struct pen *p, size_t col)
{
	for (; p->col < col; p->col++)
		buf_char(p->out, ' ');
}

void
pen_end(struct pen *p)
{
	while (p->out->n > p->line && p->out->p[p->out->n - 1] == ' ')
		p->out->n--;
	buf_char(p->out, '\n');
	p->line = p->out->n;
	p->col = 0;
}

/*
 * How much of a word fits into `width` columns: all, up to the last '/',
 * or as many characters as there are columns;
 * one at least.
 */
static size_t
piece(struct str word, size_t width)
{
	struct str rest = word;
	size_t fits = 0;
	size_t nice = 0;
	size_t columns = 0;

	if (term_columns(word) <= width)
		return word.n;
	while (rest.n > 0) {
		struct str before = rest;
		uint32_t c;

		term_utf8(&rest, &c);
		columns += term_columns(str_sub(before, 0, before.n - rest.n));
		if (columns > width && fits > 0)
			break;
		fits = word.n - rest.n;
		if (word.p[fits - 1] == '/' && fits > 1)
			nice = fits;
	}
	return nice > 0 ? nice : fits;
}

/* Ends the line within a styled text, and begins the next. */
static void
wrap_line(struct pen *p, enum style style, size_t indent)
{
	style_off(p, style);
	pen_end(p);
	pen_to(p, indent);
	style_on(p, style);
}

void
pen_wrap(struct pen *p, enum style style, struct str text, size_t indent)
{
	bool first = true; /* of its line */

	pen_to(p, indent);
	style_on(p, style);
	while (text.n > 0) {
		struct str word = text;
		size_t room;

		if (!str_cut(&text, ' ', &word))
			text.n = 0;
		if (word.n == 0)
			continue;
		if (!first && term_columns(word) + 1 > pen_left(p))
			wrap_line(p, style, indent);
		else if (!first)
			pen_put(p, PLAIN, STR(" "));
		first = false;
		for (room = piece(word, pen_left(p)); room < word.n;
		     room = piece(word, pen_left(p))) {
			pen_put(p, PLAIN, str_sub(word, 0, room));
			wrap_line(p, style, indent);
			word = str_from(word, room);
		}
		pen_put(p, PLAIN, word);
	}
	style_off(p, style);
	pen_end(p);
}

void
put_count(struct buf *b, uint64_t n)
{
	struct buf digits = { 0 };

	buf_u64(&digits, n);
	for (size_t i = 0; i < digits.n; i++) {
		if (i > 0 && (digits.n - i) % 3 == 0)
			buf_char(b, ',');
		buf_char(b, digits.p[i]);
	}
	buf_fini(&digits);
}

void
put_percent(struct buf *b, int64_t ppm)
{
	int64_t tenths = (ppm + 500) / 1000;

	if (ppm > 0 && tenths == 0)
		buf_cat(b, "<0.1 %");
	else if (tenths % 10 == 0)
		buf_printf(b, "%lld %%", (long long)(tenths / 10));
	else
		buf_printf(b, "%lld.%lld %%", (long long)(tenths / 10),
		    (long long)(tenths % 10));
}

void
put_moment(struct buf *b, int64_t ns)
{
	size_t at = b->n;

	when_put(b, ns, 0);
	b->n--; /* Z */
	b->p[at + 10] = ' ';
}

void
put_moment_after(struct buf *b, int64_t ns, int64_t other)
{
	enum { DATE = 10 };
	struct buf a = { 0 };
	struct buf c = { 0 };

	put_moment(&a, ns);
	put_moment(&c, other);
	if (memcmp(a.p, c.p, DATE) == 0)
		buf_str(b, str_from(buf_view(&a), DATE + 1));
	else
		buf_str(b, buf_view(&a));
	buf_fini(&a);
	buf_fini(&c);
}

int64_t
share_ppm(uint64_t n, uint64_t total)
{
	/* 2^44 requests are beyond any archive; the product must not wrap. */
	while (total > UINT64_MAX / 2000000) {
		n /= 2;
		total /= 2;
	}
	return total == 0 ? 0 : (int64_t)((n * 1000000 + total / 2) / total);
}
