/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Marks by AVX2, 32 bytes at a time.  Only this file is built for x86-64 alone;
 * the rest of the program runs on every processor of that name, so that AVX2
 * is asked for at run time.
 */
#include <immintrin.h>

#include "ingest/marks.h"

#define AVX2 __attribute__((target("avx2")))

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

static inline void
put(struct marks *m, size_t w, const struct chunk *low,
    const struct chunk *high)
{
	m->quote[w] = low->quote | high->quote << 32;
	m->blank[w] = low->blank | high->blank << 32;
	m->query[w] = low->query | high->query << 32;
}

/*
 * The last chunk is the last 32 bytes of the line, shifted: nothing is read
 * beyond the line, which may end where its memory does.
 */
AVX2 static inline struct chunk
last(const char *end, size_t n, __m256i *odd)
{
	struct chunk c = chunk(end - 32, odd);
	size_t shift = 32 - n;

	return (struct chunk){ c.quote >> shift, c.blank >> shift,
		c.query >> shift };
}

AVX2 static void
marks_avx2(const char *p, size_t n, struct marks *m)
{
	__m256i odd = _mm256_setzero_si256();
	struct chunk low;
	struct chunk high = { 0, 0, 0 };
	size_t i = 0;
	size_t w = 0;

	for (; i + 64 <= n; i += 64) {
		low = chunk(p + i, &odd);
		high = chunk(p + i + 32, &odd);
		put(m, w++, &low, &high);
	}
	high = (struct chunk){ 0, 0, 0 };
	if (n - i < 32) {
		low = last(p + n, n - i, &odd);
	} else {
		low = chunk(p + i, &odd);
		high = last(p + n, n - i - 32, &odd);
	}
	put(m, w++, &low, &high);
	m->words = w;
	m->odd = !_mm256_testz_si256(odd, odd);
}

marks_fn *
marks_fastest(void)
{
	return __builtin_cpu_supports("avx2") ? marks_avx2 : marks_swar;
}
