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
	/* One word more than the longest line has: it is 0 and never asked. */
	uint64_t quote[MARKS_WORDS + 1];
	uint64_t blank[MARKS_WORDS + 1];
	uint64_t query[MARKS_WORDS + 1];
	size_t words;  /* in use: n / 64 + 1; the one behind them is 0 */
	size_t quotes; /* how many */
	bool odd;      /* a backslash or a control character is there */
};

/* n is from MARKS_MIN to MARKS_MAX. */
typedef void marks_fn(const char *p, size_t n, struct marks *m);

marks_fn marks_swar;
marks_fn *marks_fastest(void);

/*
 * The marks of 64 bytes from `at` on, which is at most n, as one word: whether
 * a mark is beyond a border of words is what a branch predictor cannot know.
 */
static inline uint64_t
marks_word(const uint64_t *v, size_t at)
{
	size_t w = at / 64;
	size_t s = at % 64;

	return v[w] >> s | v[w + 1] << 1 << (63 - s);
}

/* The first mark from `at` on; SIZE_MAX: there is none. */
static inline size_t
marks_from(const struct marks *m, const uint64_t *v, size_t at)
{
	uint64_t x = marks_word(v, at);
	size_t w = at / 64;

	if (x != 0)
		return at + (size_t)__builtin_ctzll(x);
	for (w++; w < m->words; w++)
		if (v[w] != 0)
			return w * 64 + (size_t)__builtin_ctzll(v[w]);
	return SIZE_MAX;
}

#endif
