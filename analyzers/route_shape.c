/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ids by shape.  One look at every byte makes a set of kinds of bytes; the
 * rules ask about the set and the length only, and the last two look again.
 *
 *	digits, alone or with - and _ between   42, 2018-11-27
 *	hexadecimal with a digit, 8 and more    5f3a91bc, any case
 *	a mixture with digits, 16 and more      dQw4w9WgXcQ_4fT1a, 01ARZ3NDEK…
 *	more than 64 bytes                      whatever it is
 *	a UUID, also one cut short at the end   0e37d916-f960-4772-a25a-01b7…
 *	an e-mail address                       a@b
 *
 * A mixture is letters and digits without - and _, or with both cases: so that
 * "my-2nd-article-on-logs" is none; words with hyphens are left to the fan-out.
 * Versions ("v1", "2.0"), file names with digits and short codes are no ids.
 *
 * A path is cut as a router does: case matters, "//" and a slash at the end
 * make an empty segment of their own, percent escapes are left alone, matrix
 * parameters (";jsessionid=…") are left out (RFC 3986, section 3.3).
 */
#include "analyzers/route_shape.h"

#include <stdint.h>

enum {
	DIGIT = 1,
	LOWER = 2,
	UPPER = 4,
	JOINT = 8,        /* - and _ */
	BEYOND_HEX = 16,  /* all but 0-9, a-f, A-F */
	BEYOND_WORD = 32, /* all but letters, digits, - and _ */
	MATRIX = 64,      /* ; */
	SLASH = 128,
};

enum { HEX_LEAST = 8, MIXED_LEAST = 16, UUID_LEAST = 24, UUID_LENGTH = 36 };

#define DIGITS 1, 1, 1, 1, 1, 1, 1, 1, 1, 1
#define X 48 /* BEYOND_HEX | BEYOND_WORD */
#define X8 X, X, X, X, X, X, X, X
#define X16 X8, X8
#define J 8  /* JOINT */
#define L 18 /* LOWER | BEYOND_HEX */
#define U 20 /* UPPER | BEYOND_HEX */

static const uint8_t kinds[256] = {
	X16, X16,                                       /* controls */
	X8, X, X, X, X, X, J, X, SLASH,                 /* blank to / */
	DIGITS, X, MATRIX | X, X, X, X, X,              /* 0 to ? */
	X, 4, 4, 4, 4, 4, 4, U, U, U, U, U, U, U, U, U, /* @ to O */
	U, U, U, U, U, U, U, U, U, U, U, X, X, X, X, J, /* P to _ */
	X, 2, 2, 2, 2, 2, 2, L, L, L, L, L, L, L, L, L, /* ` to o */
	L, L, L, L, L, L, L, L, L, L, L, X, X, X, X, X, /* p to DEL */
	X16, X16, X16, X16, X16, X16, X16, X16,         /* not ASCII */
};

#undef DIGITS
#undef X
#undef X8
#undef X16
#undef J
#undef L
#undef U

/* Of hexadecimal digits and joints. */
static bool
is_uuid(struct str s)
{
	return s.n >= UUID_LEAST && s.n <= UUID_LENGTH && s.p[8] == '-' &&
	       s.p[13] == '-' && s.p[18] == '-' && s.p[23] == '-';
}

static bool
is_address(struct str s)
{
	size_t at = str_find(s, '@');

	return at != SIZE_MAX && at > 0 && at + 1 < s.n;
}

/* `set`: the kinds of all its bytes, those behind the 64th left out. */
static bool
is_id(struct str s, unsigned set)
{
	if (s.n > SEGMENT_MAX)
		return true;
	if (set & BEYOND_WORD)
		return is_address(s) || str_eq(s, STR("{id}")) ||
		       str_eq(s, STR("{rest}"));
	if (!(set & BEYOND_HEX) && (set & JOINT) && is_uuid(s))
		return true;
	if (!(set & DIGIT))
		return false;
	if (!(set & (LOWER | UPPER)))
		return kinds[(unsigned char)s.p[0]] == DIGIT;
	if (!(set & JOINT))
		return s.n >= (set & BEYOND_HEX ? MIXED_LEAST : HEX_LEAST);
	return s.n >= MIXED_LEAST && (set & LOWER) && (set & UPPER);
}

static unsigned
kinds_of(struct str s)
{
	unsigned set = 0;

	for (size_t i = 0; i < s.n && i <= SEGMENT_MAX; i++)
		set |= kinds[(unsigned char)s.p[i]];
	return set;
}

/* Cuts the segment at the head of *rest, up to the slash or the end. */
static struct segment_text
segment_cut(struct str *rest)
{
	const char *p = rest->p;
	size_t most = rest->n < SEGMENT_MAX + 1 ? rest->n : SEGMENT_MAX + 1;
	size_t n = 0;
	unsigned set = 0;

	while (n < most) {
		unsigned kind = kinds[(unsigned char)p[n]];

		if (kind == SLASH)
			break;
		set |= kind;
		n++;
	}
	if (n > SEGMENT_MAX) {
		n = str_find(*rest, '/');
		if (n == SIZE_MAX)
			n = rest->n;
	}

	struct str s = { p, n };

	*rest = str_from(*rest, n);
	if (set & MATRIX) {
		s.n = str_find(s, ';');
		set = kinds_of(s);
	}
	if (is_id(s, set))
		return (struct segment_text){ { 0 }, SEGMENT_ID };
	return (struct segment_text){ s, SEGMENT_LITERAL };
}

size_t
route_split(struct str path, struct segment_text out[SEGMENTS_MAX])
{
	size_t n = 0;

	if (path.n == 0 || path.p[0] != '/')
		return 0;
	while (path.n > 0) {
		path = str_from(path, 1); /* the slash */
		if (n == ROUTE_DEPTH) {
			out[n++].kind = SEGMENT_REST;
			break;
		}
		out[n++] = segment_cut(&path);
	}
	return n;
}

bool
segment_is_word(struct str s)
{
	static const struct str words[] = {
		{ "", 0 },
		{ "undefined", 9 },
		{ "null", 4 },
		{ "NaN", 3 },
		{ "None", 4 },
		{ "%5Bobject%20Object%5D", 21 },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (str_eq(s, words[i]))
			return true;
	return false;
}
