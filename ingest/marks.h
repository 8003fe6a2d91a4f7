/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the bytes stand that give lines their structure: line ends and quotes,
 * the '?' and '#' that end a path; and what makes a quick look at a line
 * unsafe.
 *
 * Marks are made of a stretch of text, many lines of it, in one pass; after
 * "simdjson: Parsing Gigabytes of JSON per Second" (Langdale, Lemire 2019).
 * Line ends and quotes become a list of places: a line is the places up to the
 * next line end, and whoever reads it has them without a search.  The others
 * stay bits, byte i being bit i % 64 of word i / 64.
 *
 * Ways to make them, which give equal marks: plain C on words of eight bytes,
 * and AVX2 or AVX-512 where compiler and processor have it.  marks_fastest asks
 * the processor.
 */
#ifndef INGEST_MARKS_H
#define INGEST_MARKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	MARKS_BYTES = 16 * 1024, /* at most, of one stretch */
	MARKS_WORDS = MARKS_BYTES / 64,
};

struct marks {
	const char *p; /* place i stands for p[i] */
	size_t n;      /* bytes that are marked */
	size_t n_at;
	bool strange; /* whether a bit of `odd` is set */
	/* Two words more than the longest stretch has: bits from n on are 0. */
	uint64_t query[MARKS_WORDS + 2];
	/* Backslashes, and control characters that are no line ends. */
	uint64_t odd[MARKS_WORDS + 2];
	/* Line ends and quotes in their order; behind them, n at least 8 times.
	 */
	uint16_t at[MARKS_BYTES + 64];
};

/* A line in marks: its places are from index `at` on.  marks NULL: none. */
struct marked {
	const struct marks *marks;
	size_t at;
};

/* n is at most MARKS_BYTES; nothing beyond p[n - 1] is read. */
typedef void marks_fn(struct marks *m, const char *p, size_t n);

marks_fn marks_swar;

/* The ways that this processor has, the fastest first; how many. */
enum { MARKS_WAYS = 3 };
size_t marks_ways(marks_fn *ways[MARKS_WAYS]);
marks_fn *marks_fastest(void);

/*
 * The bits of 64 bytes from `at` on, which is at most n, as one word: whether
 * a bit is beyond a border of words is what a branch predictor cannot know.
 */
static inline uint64_t
marks_word(const uint64_t *v, size_t at)
{
	size_t w = at / 64;
	size_t s = at % 64;

	return v[w] >> s | v[w + 1] << 1 << (63 - s);
}

/* The first bit from `at` on, both at most n; `end` or more: none before. */
static inline size_t
marks_from(const uint64_t *v, size_t at, size_t end)
{
	uint64_t x = marks_word(v, at);
	size_t w = at / 64;

	if (x != 0)
		return at + (size_t)__builtin_ctzll(x);
	while (++w <= end / 64)
		if (v[w] != 0)
			return w * 64 + (size_t)__builtin_ctzll(v[w]);
	return end;
}

/* The index in `at` of the first line end at or behind index i, or n_at. */
static inline size_t
marks_line(const struct marks *m, size_t i)
{
	while (i < m->n_at && m->p[m->at[i]] != '\n')
		i++;
	return i;
}

#endif
