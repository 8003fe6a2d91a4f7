/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Masking: what is a value by its looks alone.  The text is read once from left
 * to right; at the beginning of a word the shapes are tried in the order of the
 * table, else the word is copied, digits in it being <n>.
 *
 *	10.0.1.57:8080        <ip>      2018-11-27T08:47:55Z  <time>
 *	/var/log/messages     <path>    http://a/b            <url>
 *	0e37d916-f960-…       <id>      -12.5, 1,024          <n>
 *	a8f3c09be1            <id>      12ms                  <n>ms
 */
#include "analyzers/template.h"

#include <stdbool.h>

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       (unsigned char)c >= 0x80;
}

static bool
is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static char
at(struct str s, size_t i)
{
	return i < s.n ? s.p[i] : ' ';
}

/* Digits, letters and '_' from the head on. */
static size_t
word_length(struct str s)
{
	size_t n = 0;

	while (n < s.n && (is_digit(s.p[n]) || is_letter(s.p[n])))
		n++;
	return n;
}

static size_t
digits(struct str s, size_t i)
{
	size_t n = 0;

	while (is_digit(at(s, i + n)))
		n++;
	return n;
}

/* 8-4-4-4-12 hex digits. */
static size_t
uuid(struct str s)
{
	for (size_t i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? at(s, i) != '-' : !is_hex(at(s, i)))
			return 0;
	}
	return is_hex(at(s, 36)) ? 0 : 36;
}

/* Four numbers with dots, and a port; groups of hex digits with colons. */
static size_t
address(struct str s)
{
	size_t n = 0;
	size_t colons = 0;

	for (int part = 0; part < 4; part++) {
		size_t d = digits(s, n);

		if (d == 0 || d > 3 || (part < 3 && at(s, n + d) != '.'))
			break;
		n += d + (part < 3);
		if (part < 3)
			continue;
		if (at(s, n) == '.' && is_digit(at(s, n + 1)))
			return 0; /* a version of five numbers */
		d = at(s, n) == ':' ? digits(s, n + 1) : 0;
		return d > 0 ? n + 1 + d : n;
	}
	for (n = 0; is_hex(at(s, n)) || at(s, n) == ':'; n++)
		colons += at(s, n) == ':';
	return colons >= 3 && !is_letter(at(s, n)) ? n : 0;
}

/* HH:MM or HH:MM:SS, with a fraction. */
static size_t
clock_time(struct str s)
{
	size_t n = 0;

	for (int part = 0; part < 3; part++) {
		size_t d = digits(s, n);

		if (d == 0 || d > 2)
			return part < 2 ? 0 : n - 1;
		n += d;
		if (part < 2 && at(s, n) != ':')
			return part < 1 ? 0 : n;
		n += part < 2;
	}
	if ((at(s, n) == '.' || at(s, n) == ',') && is_digit(at(s, n + 1)))
		n += 1 + digits(s, n + 1);
	return at(s, n) == 'Z' ? n + 1 : n;
}

/* YYYY-MM-DD or with slashes, and a time behind it. */
static size_t
moment(struct str s)
{
	char dash = at(s, 4);
	size_t n = 10;

	if (digits(s, 0) != 4 || (dash != '-' && dash != '/') ||
	    digits(s, 5) != 2 || at(s, 7) != dash || digits(s, 8) != 2)
		return clock_time(s);
	if (at(s, n) == 'T' || at(s, n) == ' ') {
		size_t t = clock_time(str_from(s, n + 1));

		n += t > 0 ? 1 + t : 0;
	}
	return n;
}

/* scheme://, up to what cannot be in a URL. */
static size_t
url(struct str s)
{
	size_t n = word_length(s);

	if (n == 0 || at(s, n) != ':' || at(s, n + 1) != '/' ||
	    at(s, n + 2) != '/')
		return 0;
	while (n < s.n && !is_blank(s.p[n]) && s.p[n] != '"' &&
	       s.p[n] != '\'' && s.p[n] != '>' && s.p[n] != ')' &&
	       s.p[n] != ',')
		n++;
	return n;
}

static bool
is_path(char c)
{
	return is_digit(c) || is_letter(c) || c == '/' || c == '.' ||
	       c == '-' || c == '%' || c == '+' || c == '~' || c == '{' ||
	       c == '}';
}

/* Two slashes at least; what a path ends with a sentence has. */
static size_t
path(struct str s)
{
	size_t n = 0;
	size_t slashes = 0;

	if (at(s, 0) != '/' || at(s, 1) == '/' || is_blank(at(s, 1)))
		return 0;
	for (; is_path(at(s, n)); n++)
		slashes += at(s, n) == '/';
	while (n > 0 && (s.p[n - 1] == '.' || s.p[n - 1] == '-'))
		n--;
	return slashes > 1 ? n : 0;
}

/* A sign, digits, and groups of digits behind '.' or ','. */
static size_t
number(struct str s)
{
	size_t n = at(s, 0) == '-' || at(s, 0) == '+';
	size_t d = digits(s, n);

	if (d == 0)
		return 0;
	for (n += d; at(s, n) == '.' || at(s, n) == ','; n += 1 + d) {
		d = digits(s, n + 1);
		if (d == 0)
			break;
	}
	return n;
}

/* Hex digits with a digit among them, or digits and letters mixed up. */
static size_t
mixed(struct str s)
{
	size_t n = word_length(s);
	size_t hex = 0;
	size_t turns = 0;
	bool figure = false;

	if (str_starts(s, STR("0x")) && n > 2)
		return n;
	for (size_t i = 0; i < n; i++) {
		hex += is_hex(s.p[i]);
		figure |= is_digit(s.p[i]);
		turns += i > 0 && s.p[i] != '_' && s.p[i - 1] != '_' &&
			 is_digit(s.p[i]) != is_digit(s.p[i - 1]);
	}
	return figure && (turns > 2 || (hex == n && n >= 8 && turns > 0)) ? n
									  : 0;
}

static const struct {
	size_t (*length)(struct str s);
	const char *mask;
} shapes[] = {
	{ uuid, "<id>" },
	{ address, "<ip>" },
	{ moment, "<time>" },
	{ url, "<url>" },
	{ path, "<path>" },
	{ mixed, "<id>" },
};

/* A word that no shape fits: "blk_<n>", "<n>ms". */
static size_t
put_word(struct buf *out, struct str s)
{
	size_t n = number(s);

	if (n > 0) {
		buf_cat(out, "<n>");
		return n;
	}
	while (n < s.n && is_letter(s.p[n]))
		n++;
	n += n == 0;
	buf_put(out, s.p, n);
	return n;
}

/* A sign belongs to a number only where no word stands before it. */
static bool
begins_word(char before, char c)
{
	if (before == '_' && c == '-')
		return true; /* blk_-16: an id that is negative */
	if (is_digit(before) || is_letter(before) || before == '.')
		return false;
	return is_digit(c) || is_letter(c) || c == '/' || c == '-' ||
	       c == '+' || c == ':';
}

/* The mask of the shape that begins here; how long it is, 0: none. */
static size_t
put_shape(struct buf *out, struct str s)
{
	for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
		size_t n = shapes[i].length(s);

		if (n == 0)
			continue;
		buf_cat(out, shapes[i].mask);
		return n;
	}
	return 0;
}

static size_t
blanks(struct str s)
{
	size_t n = 0;

	while (n < s.n && is_blank(s.p[n]))
		n++;
	return n;
}

/* The length of a word of letters alone that cannot begin a shape. */
static size_t
plain_word(struct str s)
{
	size_t n = 0;

	while (n < s.n && is_letter(s.p[n]))
		n++;
	return is_digit(at(s, n)) || at(s, n) == ':' || at(s, n) == '-' ? 0 : n;
}

/* What stands at the head, masked; its length. */
static size_t
put_next(struct buf *out, struct str s, char before)
{
	bool begins = begins_word(before, s.p[0]);
	size_t n = plain_word(s);

	if (n > 0) {
		buf_put(out, s.p, n);
		return n;
	}
	n = begins ? put_shape(out, s) : 0;
	if (n > 0)
		return n;
	if (begins || is_digit(s.p[0]))
		return put_word(out, s);
	buf_char(out, s.p[0]);
	return 1;
}

void
template_mask(struct buf *out, struct str message)
{
	struct str s = str_sub(str_trim(message), 0, TEMPLATE_BYTES);
	size_t words = 1;
	char before = ' ';

	while (s.n > 0) {
		size_t n = blanks(s);

		if (n > 0 && ++words > TEMPLATE_WORDS)
			return;
		if (n > 0)
			buf_char(out, ' ');
		else
			n = put_next(out, s, before);
		before = s.p[n - 1];
		s = str_from(s, n);
	}
}
