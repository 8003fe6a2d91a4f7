/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the bytes stand that give a line its structure: quotes, blanks, and
 * the '?' and '#' that end a path; and whether anything is in the line that
 * makes a quick look at it unsafe.
 *
 * Byte i of the line is bit i % 64 of word i / 64; after "simdjson: Parsing
 * Gigabytes of JSON per Second" (Langdale, Lemire 2019).  One pass of compares
 * over 32 bytes at a time costs less than two calls of memchr, and a line needs
 * nine of them.
 *
 * Two ways to make them, which give equal marks: plain C on words of eight
 * bytes, and AVX2 where compiler and processor have it.  marks_fastest asks the
 * processor once, when a decoder is made.
 */
#ifndef INGEST_MARKS_H
#define INGEST_MARKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	MARKS_MIN = 32, /* bytes of a line */
	MARKS_MAX = 1023,
	MARKS_WORDS = MARKS_MAX / 64 + 1,
};

struct marks {
	uint64_t quote[MARKS_WORDS];
	uint64_t blank[MARKS_WORDS];
	uint64_t query[MARKS_WORDS];
	size_t words; /* in use: n / 64 + 1 */
	bool odd;     /* a backslash or a control character is there */
};

/* n is from MARKS_MIN to MARKS_MAX. */
typedef void marks_fn(const char *p, size_t n, struct marks *m);

marks_fn marks_swar;
marks_fn *marks_fastest(void);

/* The first mark from `at` on; SIZE_MAX: there is none. */
static inline size_t
marks_from(const struct marks *m, const uint64_t *v, size_t at)
{
	size_t w = at / 64;
	uint64_t x;

	if (w >= m->words)
		return SIZE_MAX;
	x = v[w] & UINT64_MAX << at % 64;
	while (x == 0) {
		if (++w == m->words)
			return SIZE_MAX;
		x = v[w];
	}
	return w * 64 + (size_t)__builtin_ctzll(x);
}

#endif
