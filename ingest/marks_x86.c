/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Marks by AVX2, 32 bytes at a time.  Only this file is built for x86-64 alone;
 * the rest of the program runs on every processor of that name, so that AVX2
 * is asked for at run time.
 */
#include <immintrin.h>

#include "ingest/marks.h"

#define AVX2 __attribute__((target("avx2,popcnt")))

struct chunk {
	uint64_t quote, blank, query;
};

AVX2 static inline uint64_t
bits(__m256i v)
{
	return (uint32_t)_mm256_movemask_epi8(v);
}

/* The marks of 32 bytes; *odd gathers what is unsafe. */
AVX2 static inline struct chunk
chunk(const char *p, __m256i *odd)
{
	__m256i v = _mm256_loadu_si256((const __m256i_u *)p);
	__m256i least = _mm256_min_epu8(v, _mm256_set1_epi8(0x1f));
	__m256i slash = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\\'));
	__m256i ask = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('?'));
	__m256i hash = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('#'));

	*odd = _mm256_or_si256(*odd,
	    _mm256_or_si256(slash, _mm256_cmpeq_epi8(v, least)));
	return (struct chunk){
		bits(_mm256_cmpeq_epi8(v, _mm256_set1_epi8('"'))),
		bits(_mm256_cmpeq_epi8(v, _mm256_set1_epi8(' '))),
		bits(_mm256_or_si256(ask, hash)),
	};
}

AVX2 static inline struct chunk
two_chunks(const char *p, const char *q, __m256i *odd)
{
	struct chunk low = chunk(p, odd);
	struct chunk high = chunk(q, odd);

	return (struct chunk){
		low.quote | high.quote << 32,
		low.blank | high.blank << 32,
		low.query | high.query << 32,
	};
}

AVX2 static inline void
put(struct marks *m, size_t w, uint64_t quote, uint64_t blank, uint64_t query)
{
	m->quote[w] = quote;
	m->blank[w] = blank;
	m->query[w] = query;
	m->quotes += (size_t)__builtin_popcountll(quote);
}

/*
 * The chunk that belongs at `at`: where the line has no 32 bytes from there,
 * its last 32, with those before `at` shifted out; all of them, perhaps.
 */
AVX2 static inline struct chunk
clamped(const char *p, size_t n, size_t at, __m256i *odd)
{
	size_t from = at < n - 32 ? at : n - 32;
	size_t shift = at - from < 63 ? at - from : 63;
	struct chunk c = chunk(p + from, odd);

	return (struct chunk){ c.quote >> shift, c.blank >> shift,
		c.query >> shift };
}

/*
 * Most lines have at most 192 bytes, and how many is random: always three
 * words, without a branch.
 */
AVX2 static inline void
three_words(const char *p, size_t n, struct marks *m, __m256i *odd)
{
	for (size_t w = 0; w < 3; w++) {
		struct chunk low = clamped(p, n, w * 64, odd);
		struct chunk high = clamped(p, n, w * 64 + 32, odd);

		put(m, w, low.quote | high.quote << 32,
		    low.blank | high.blank << 32, low.query | high.query << 32);
	}
	put(m, 3, 0, 0, 0);
	put(m, 4, 0, 0, 0);
}

/*
 * The last word is shifted out of the last 64 bytes: nothing is read beyond
 * the line, which may end where its memory does.
 */
AVX2 static inline void
many_words(const char *p, size_t n, struct marks *m, __m256i *odd)
{
	size_t words = n / 64;
	size_t shift = 63 - n % 64;
	struct chunk c;

	for (size_t w = 0; w < words; w++) {
		c = two_chunks(p + w * 64, p + w * 64 + 32, odd);
		put(m, w, c.quote, c.blank, c.query);
	}
	c = two_chunks(p + n - 64, p + n - 32, odd);
	put(m, words, c.quote >> 1 >> shift, c.blank >> 1 >> shift,
	    c.query >> 1 >> shift);
	put(m, words + 1, 0, 0, 0);
}

AVX2 static void
marks_avx2(const char *p, size_t n, struct marks *m)
{
	__m256i odd = _mm256_setzero_si256();

	m->quotes = 0;
	m->words = n / 64 + 1;
	if (n <= 192)
		three_words(p, n, m, &odd);
	else
		many_words(p, n, m, &odd);
	m->odd = !_mm256_testz_si256(odd, odd);
}

marks_fn *
marks_fastest(void)
{
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt"))
		return marks_avx2;
	return marks_swar;
}
