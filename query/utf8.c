/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As much of UTF-8 as an expression needs: is it well-formed (RFC 3629), and
 * how wide is a character on a terminal, so that the caret stands below it.
 */
#include "query/tree.h"

/* The code point of n continuation bytes behind the head; -1: not so. */
static int32_t
tail(struct str s, size_t n, int32_t code, int32_t least)
{
	if (s.n <= n)
		return -1;
	for (size_t i = 1; i <= n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if ((c & 0xc0) != 0x80)
			return -1;
		code = code << 6 | (c & 0x3f);
	}
	if (code < least || code > 0x10ffff)
		return -1;
	return code >= 0xd800 && code <= 0xdfff ? -1 : code;
}

static int32_t
decode(struct str s, size_t *n)
{
	unsigned char c = s.n ? (unsigned char)s.p[0] : 0xff;

	*n = 1;
	if (c < 0x80)
		return c;
	if ((c & 0xe0) == 0xc0) {
		*n = 2;
		return tail(s, 1, c & 0x1f, 0x80);
	}
	if ((c & 0xf0) == 0xe0) {
		*n = 3;
		return tail(s, 2, c & 0x0f, 0x800);
	}
	if ((c & 0xf8) == 0xf0) {
		*n = 4;
		return tail(s, 3, c & 0x07, 0x10000);
	}
	return -1;
}

size_t
utf8_length(struct str s)
{
	size_t n;

	return decode(s, &n) < 0 ? 0 : n;
}

int
utf8_columns(struct str character)
{
	static const struct {
		int32_t from, to;
		int columns;
	} odd[] = {
		{ 0x0300, 0x036f, 0 },
		{ 0x1100, 0x115f, 2 },
		{ 0x200b, 0x200f, 0 },
		{ 0x2e80, 0xa4cf, 2 },
		{ 0xac00, 0xd7a3, 2 },
		{ 0xf900, 0xfaff, 2 },
		{ 0xfe00, 0xfe0f, 0 },
		{ 0xfe30, 0xfe6f, 2 },
		{ 0xff00, 0xff60, 2 },
		{ 0xffe0, 0xffe6, 2 },
		{ 0x1f300, 0x1f64f, 2 },
		{ 0x1f900, 0x1f9ff, 2 },
		{ 0x20000, 0x3fffd, 2 },
	};
	size_t n;
	int32_t code = decode(character, &n);

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		if (code >= odd[i].from && code <= odd[i].to)
			return odd[i].columns;
	return 1;
}

void
utf8_put(struct buf *b, uint32_t code)
{
	if (code < 0x80) {
		buf_char(b, (char)code);
		return;
	}
	if (code < 0x800) {
		buf_char(b, (char)(0xc0 | code >> 6));
	} else if (code < 0x10000) {
		buf_char(b, (char)(0xe0 | code >> 12));
		buf_char(b, (char)(0x80 | (code >> 6 & 0x3f)));
	} else {
		buf_char(b, (char)(0xf0 | code >> 18));
		buf_char(b, (char)(0x80 | (code >> 12 & 0x3f)));
		buf_char(b, (char)(0x80 | (code >> 6 & 0x3f)));
	}
	buf_char(b, (char)(0x80 | (code & 0x3f)));
}
