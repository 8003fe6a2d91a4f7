/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Marks in plain C, eight bytes at a time; the way for every machine, and what
 * the other one is held against.
 *
 * A byte of x equals c where the byte of x ^ cccccccc is zero.  Adding 0x7f to
 * the low seven bits of a byte carries into its top bit unless they are all
 * zero, and never beyond: exact for every byte, unlike the shorter test with a
 * borrow.  A multiplication then moves the eight top bits side by side.
 */
#include "ingest/marks.h"

#include "ingest/scan.h"

static inline uint64_t
zeros(uint64_t x)
{
	const uint64_t low = ~SCAN_HIGHS;

	return ~(((x & low) + low) | x | low);
}

static inline uint64_t
equal(uint64_t x, char c)
{
	return zeros(x ^ SCAN_ONES * (unsigned char)c);
}

/* The top bits of the bytes, the first byte's lowest. */
static inline uint64_t
gather(uint64_t tops)
{
	return (tops >> 7) * UINT64_C(0x0102040810204080) >> 56;
}

/* Adds the marks of eight bytes, the first `skip` of which were seen. */
static inline uint64_t
eight(const char *p, size_t at, size_t skip, struct marks *m)
{
	uint64_t x = scan_load(p);
	uint64_t query = equal(x, '?') | equal(x, '#');
	size_t w = at / 64;
	size_t shift = at % 64;

	m->quote[w] |= gather(equal(x, '"')) >> skip << shift;
	m->blank[w] |= gather(equal(x, ' ')) >> skip << shift;
	m->query[w] |= gather(query) >> skip << shift;
	return equal(x, '\\') | zeros(x & SCAN_ONES * 0xe0);
}

void
marks_swar(const char *p, size_t n, struct marks *m)
{
	uint64_t odd = 0;
	size_t i = 0;

	m->words = n / 64 + 1;
	for (size_t w = 0; w <= m->words; w++)
		m->quote[w] = m->blank[w] = m->query[w] = 0;
	for (; i + 8 <= n; i += 8)
		odd |= eight(p + i, i, 0, m);
	if (i < n)
		odd |= eight(p + n - 8, i, 8 - (n - i), m);
	m->odd = odd != 0;
	m->quotes = 0;
	for (size_t w = 0; w < m->words; w++)
		m->quotes += (size_t)__builtin_popcountll(m->quote[w]);
}
