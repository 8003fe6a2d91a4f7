/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A parse error for a person: the sentence, the part of the expression that it
 * is about, and a caret below it.  Long expressions are cut around the place,
 * at characters, never inside one; what a terminal would act on is a blank.
 *
 *	Invalid filter expression: unknown keyword htp.url; did you mean
 *	http.url? at character 8
 *	  ok AND htp.url CONTAINS "/api"
 *	         ^^^^^^^
 */
#include "query/query.h"
#include "query/tree.h"

enum {
	COLUMNS_BEFORE = 40, /* shown of the expression, before the place */
	COLUMNS_SHOWN = 76,  /* in all, but for the dots */
};

static const struct str dots = { "…", 3 };

/* One character of the text at `at`; what is not one is a byte. */
static struct str
character_at(struct str text, size_t at)
{
	size_t n = utf8_length(str_from(text, at));

	return str_sub(text, at, n ? n : 1);
}

static size_t
character_before(struct str text, size_t at)
{
	size_t back = 1;

	while (back < 4 && back < at &&
	       ((unsigned char)text.p[at - back] & 0xc0) == 0x80)
		back++;
	return character_at(text, at - back).n == back ? back : 1;
}

static bool
is_printable(struct str c)
{
	if (c.n == 1)
		return *c.p >= ' ' && *c.p < 0x7f;
	/* U+0080 to U+009F are controls as well. */
	return !(c.n == 2 && (unsigned char)c.p[0] == 0xc2 &&
		 (unsigned char)c.p[1] < 0xa0);
}

static int
columns(struct str c)
{
	return is_printable(c) ? utf8_columns(c) : 1;
}

/* Appends text[from, to) for a terminal; returns its columns. */
static int
put_shown(struct buf *b, struct str text, size_t from, size_t to)
{
	int wide = 0;

	while (from < to) {
		struct str c = character_at(text, from);

		if (is_printable(c))
			buf_str(b, c);
		else
			buf_char(b, ' ');
		wide += columns(c);
		from += c.n;
	}
	return wide;
}

static void
put_times(struct buf *b, const char *what, int n)
{
	for (int i = 0; i < n; i++)
		buf_cat(b, what);
}

void
query_error_message(struct buf *b, struct str text,
    const struct query_error *bad)
{
	size_t character = 1;

	for (size_t at = 0; at < bad->offset && at < text.n; character++)
		at += character_at(text, at).n;
	struct str why = str_of(bad->text);

	buf_cat(b, "Invalid filter expression: ");
	put_shown(b, why, 0, why.n);
	buf_printf(b, " at character %zu", character);
}

void
query_error_print(struct buf *b, struct str text, const struct query_error *bad)
{
	size_t place = bad->offset < text.n ? bad->offset : text.n;
	size_t from = place, to = place, end = text.n - place;
	int left = COLUMNS_BEFORE, right, caret = 0;

	end = place + (bad->length < end ? bad->length : end);
	while (from > 0 && left > 0) {
		size_t back = character_before(text, from);

		from -= back;
		left -= columns(str_sub(text, from, back));
	}
	right = COLUMNS_SHOWN - COLUMNS_BEFORE + (left > 0 ? left : 0);
	while (to < text.n && right > 0) {
		struct str c = character_at(text, to);

		right -= columns(c);
		if (to < end)
			caret += columns(c);
		to += c.n;
	}
	query_error_message(b, text, bad);
	buf_cat(b, "\n  ");
	if (from > 0)
		buf_str(b, dots);
	int before = put_shown(b, text, from, place) + (from > 0);

	put_shown(b, text, place, to);
	if (to < text.n)
		buf_str(b, dots);
	buf_cat(b, "\n  ");
	put_times(b, " ", before);
	put_times(b, "^", caret > 0 ? caret : 1);
	buf_char(b, '\n');
}
