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

#include <endian.h>
#include <string.h>

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

/* `set`: the kinds of all its bytes. */
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

	for (size_t i = 0; i < s.n; i++)
		set |= kinds[(unsigned char)s.p[i]];
	return set;
}

static uint64_t
load(const char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

struct segment_text
segment_literal(struct str s)
{
	struct segment_text t = { .text = s, .kind = SEGMENT_LITERAL };

	if (s.n >= 8) {
		t.head = load(s.p);
		t.tail = load(s.p + s.n - 8);
		return t;
	}
	for (size_t i = s.n; i > 0; i--)
		t.head = t.head << 8 | (unsigned char)s.p[i - 1];
	return t;
}

/*
 * A part of a path as a literal, eight bytes at once where they are there.
 * Fields are written in place: a struct returned by value would be read in
 * wider pieces than it was just written in, which stalls.
 */
static void
segment_put(struct segment_text *out, struct str path, struct str s)
{
	size_t end = (size_t)(s.p - path.p) + s.n;

	out->text = s;
	out->kind = SEGMENT_LITERAL;
	out->tail = 0;
	if (s.n >= 8) {
		out->head = load(s.p);
		out->tail = load(s.p + s.n - 8);
	} else if (s.n > 0 && end >= 8) {
		out->head = load(path.p + end - 8) >> (64 - 8 * s.n);
	} else {
		out->head = segment_literal(s).head;
	}
}

#define LANES UINT64_C(0x0101010101010101) /* one in every byte */

/* The high bit of every byte that is a slash; exact in all of them. */
static uint64_t
slashes(uint64_t v)
{
	v ^= LANES * '/';
	return ~(((v & LANES * 0x7f) + LANES * 0x7f) | v) & LANES * 0x80;
}

/* The high bit of every byte that is no ASCII letter; exact likewise. */
static uint64_t
no_letters(uint64_t v)
{
	uint64_t low = (v | LANES * 0x20) & LANES * 0x7f;
	uint64_t from_a = low + LANES * (0x80 - 'a');
	uint64_t beyond_z = low + LANES * (0x80 - 'z' - 1);

	return (~from_a | beyond_z | v) & LANES * 0x80;
}

/*
 * The length of the segment that begins at path.p + from; *letters: whether it
 * has nothing but letters.  Eight bytes at once (Mycroft's test for a zero
 * byte), the last few one by one.
 */
static size_t
segment_length(struct str path, size_t from, bool *letters)
{
	uint64_t others = 0;
	size_t i = from;

	for (; i + 8 <= path.n; i += 8) {
		uint64_t v = load(path.p + i);
		uint64_t s = slashes(v);

		if (s == 0) {
			others |= no_letters(v);
			continue;
		}
		/* What stands below the first slash. */
		others |= no_letters(v) & ((s & -s) - 1);
		*letters = others == 0;
		return i - from + (unsigned)__builtin_ctzll(s) / 8;
	}
	for (; i < path.n && path.p[i] != '/'; i++)
		others |= kinds[(unsigned char)path.p[i]] &
			  (DIGIT | JOINT | BEYOND_WORD);
	*letters = others == 0;
	return i - from;
}

size_t
route_split(struct str path, struct segment_text out[SEGMENTS_MAX])
{
	size_t n = 0;
	size_t at = 0; /* of the slash before the segment */

	if (path.n == 0 || path.p[0] != '/')
		return 0;
	while (at < path.n) {
		bool letters;
		struct segment_text *t = &out[n++];
		struct str s = { path.p + at + 1, 0 };

		if (n > ROUTE_DEPTH) {
			t->kind = SEGMENT_REST;
			break;
		}
		s.n = segment_length(path, at + 1, &letters);
		at += 1 + s.n;
		if (!letters || s.n > SEGMENT_MAX) {
			unsigned set = kinds_of(s);

			if (set & MATRIX) {
				s.n = str_find(s, ';');
				set = kinds_of(s);
			}
			t->kind = SEGMENT_ID;
			if (is_id(s, set))
				continue;
		}
		segment_put(t, path, s);
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
