/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steps over JSON text, eight bytes at a time, for the readers in ingest/ that
 * make no tree: xray_quick.c and pull.h.
 *
 * The first byte of a word is its lowest, whatever the machine's order is.
 */
#ifndef INGEST_SCAN_H
#define INGEST_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCAN_ONES UINT64_C(0x0101010101010101)
#define SCAN_HIGHS UINT64_C(0x8080808080808080)

static inline uint64_t
scan_load(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;

	return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 |
	       (uint64_t)p[3] << 24 | (uint64_t)p[4] << 32 |
	       (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 |
	       (uint64_t)p[7] << 56;
}

/*
 * A high bit for every byte that ends plain text: a quote, a backslash, a
 * control character or a byte from 0x80 on.  Borrows may set bits above the
 * lowest true one, never below it; only the lowest is used.
 */
static inline uint64_t
scan_special(uint64_t w)
{
	uint64_t quote = w ^ SCAN_ONES * '"';
	uint64_t slash = w ^ SCAN_ONES * '\\';

	return (((quote - SCAN_ONES) & ~quote) |
		   ((slash - SCAN_ONES) & ~slash) |
		   ((w - SCAN_ONES * 0x20) & ~w) | w) &
	       SCAN_HIGHS;
}

static inline bool
scan_is_plain(char c)
{
	unsigned char u = (unsigned char)c;

	return u >= 0x20 && u < 0x80 && u != '"' && u != '\\';
}

/* Over plain text: to the first other byte, or to end. */
static inline const char *
scan_plain(const char *p, const char *end)
{
	while (end - p >= 8) {
		uint64_t m = scan_special(scan_load(p));

		if (m != 0)
			return p + (__builtin_ctzll(m) >> 3);
		p += 8;
	}
	while (p < end && scan_is_plain(*p))
		p++;
	return p;
}

static inline bool
scan_is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static inline bool
scan_is_digit(char c)
{
	return (unsigned char)(c - '0') < 10;
}

#endif
