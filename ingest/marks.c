/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Marks in plain C, eight bytes at a time; the way for every machine, and what
 * the others are held against.
 *
 * A byte of x equals c where the byte of x ^ cccccccc is zero.  Adding 0x7f to
 * the low seven bits of a byte carries into its top bit unless they are all
 * zero, and never beyond: exact for every byte, unlike the shorter test with a
 * borrow.  A multiplication then moves the eight top bits side by side.
 */
#include "ingest/marks.h"

#include <assert.h>
#include <string.h>

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

/* The marks of 64 bytes. */
static inline void
put_word(struct marks *m, size_t w, const char *p)
{
	uint64_t at = 0;
	uint64_t query = 0;
	uint64_t odd = 0;

	for (size_t i = 0; i < 64; i += 8) {
		uint64_t x = scan_load(p + i);
		uint64_t end = equal(x, '\n');
		uint64_t control = zeros(x & SCAN_ONES * 0xe0);

		at |= gather(end | equal(x, '"')) << i;
		query |= gather(equal(x, '?') | equal(x, '#')) << i;
		odd |= gather(equal(x, '\\') | (control & ~end)) << i;
	}
	m->query[w] = query;
	m->odd[w] = odd;
	m->strange |= odd != 0;
	for (; at != 0; at &= at - 1)
		m->at[m->n_at++] =
		    (uint16_t)(w * 64 + (size_t)__builtin_ctzll(at));
}

void
marks_swar(struct marks *m, const char *p, size_t n)
{
	char last[64];
	size_t w = 0;

	m->p = p;
	m->n = n;
	m->n_at = 0;
	m->strange = false;
	for (; w < n / 64; w++)
		put_word(m, w, p + w * 64);
	memset(last, 'x', sizeof last);
	memcpy(last, p + w * 64, n % 64);
	put_word(m, w, last);
	m->query[w + 1] = m->odd[w + 1] = 0;
	for (size_t i = 0; i < 8; i++)
		m->at[m->n_at + i] = (uint16_t)n;
}

marks_fn *
marks_fastest(void)
{
	marks_fn *ways[MARKS_WAYS] = { NULL };
	size_t n = marks_ways(ways);

	assert(n > 0);
	return *ways;
}
