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

/* 32 to 63 bytes: the second half is shifted out of the last 32. */
AVX2 static inline void
one_word(const char *p, size_t n, struct marks *m, __m256i *odd)
{
	struct chunk low = chunk(p, odd);
	struct chunk high = chunk(p + n - 32, odd);
	size_t shift = n - 32; /* where the first of them belongs */

	put(m, 0, low.quote | high.quote << shift,
	    low.blank | high.blank << shift, low.query | high.query << shift);
}

/*
 * The last word is shifted out of the last 64 bytes: nothing is read beyond
 * the line, which may end where its memory does.
 */
AVX2 static void
marks_avx2(const char *p, size_t n, struct marks *m)
{
	__m256i odd = _mm256_setzero_si256();
	size_t words = n / 64;
	size_t shift = 63 - n % 64;
	struct chunk c;

	m->quotes = 0;
	if (words == 0)
		one_word(p, n, m, &odd);
	for (size_t w = 0; w < words; w++) {
		c = two_chunks(p + w * 64, p + w * 64 + 32, &odd);
		put(m, w, c.quote, c.blank, c.query);
	}
	if (words > 0) {
		c = two_chunks(p + n - 64, p + n - 32, &odd);
		put(m, words, c.quote >> 1 >> shift, c.blank >> 1 >> shift,
		    c.query >> 1 >> shift);
	}
	m->words = words + 1;
	m->quote[m->words] = 0;
	m->blank[m->words] = 0;
	m->query[m->words] = 0;
	m->odd = !_mm256_testz_si256(odd, odd);
}

marks_fn *
marks_fastest(void)
{
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt"))
		return marks_avx2;
	return marks_swar;
}
