/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Marks by AVX2, 32 bytes at a time, and by AVX-512, 64 at a time.  Only this
 * file is built for x86-64 alone; the rest of the program runs on every
 * processor of that name, so that they are asked for at run time.
 */
#include <immintrin.h>
#include <string.h>

#include "ingest/marks.h"

#define AVX2 __attribute__((target("avx2,bmi,popcnt")))
#define AVX512 __attribute__((target("avx512bw,avx512vbmi2,popcnt")))

struct chunk {
	uint64_t at, query, odd;
};

/* What is behind the last whole word, other bytes in the place of none. */
static inline const char *
last_word(char last[64], const char *p, size_t n)
{
	memset(last, 'x', 64);
	memcpy(last, p + n / 64 * 64, n % 64);
	return last;
}

static inline void
finish(struct marks *m, const char *p, size_t n, uint64_t odd)
{
	size_t w = n / 64 + 1;

	m->p = p;
	m->n = n;
	m->strange = odd != 0;
	m->query[w] = m->odd[w] = 0;
	for (size_t i = 0; i < 8; i++)
		m->at[m->n_at + i] = (uint16_t)n;
}

AVX2 static inline uint64_t
bits(__m256i v)
{
	return (uint32_t)_mm256_movemask_epi8(v);
}

AVX2 static inline struct chunk
half(const char *p)
{
	__m256i v = _mm256_loadu_si256((const __m256i_u *)p);
	__m256i least = _mm256_min_epu8(v, _mm256_set1_epi8(0x1f));
	__m256i control = _mm256_cmpeq_epi8(v, least);
	__m256i line = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\n'));
	__m256i quote = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('"'));
	__m256i slash = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\\'));
	__m256i ask = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('?'));
	__m256i hash = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('#'));

	return (struct chunk){
		bits(_mm256_or_si256(line, quote)),
		bits(_mm256_or_si256(ask, hash)),
		bits(
		    _mm256_or_si256(slash, _mm256_andnot_si256(line, control))),
	};
}

/*
 * The places of a word's bits.  How many there are is random, and mostly they
 * are not more than six: these are written without a branch, those of no bits
 * to be overwritten.
 */
AVX2 static inline void
put_places(struct marks *m, size_t w, uint64_t x)
{
	uint16_t *to = m->at + m->n_at;

	m->n_at += (size_t)__builtin_popcountll(x);
	for (size_t i = 0; i < 6; i++, x &= x - 1)
		*to++ = (uint16_t)(w * 64 + _tzcnt_u64(x));
	for (; x != 0; x &= x - 1)
		*to++ = (uint16_t)(w * 64 + _tzcnt_u64(x));
}

AVX2 static void
marks_avx2(struct marks *m, const char *p, size_t n)
{
	char last[64];
	uint64_t odd = 0;

	m->n_at = 0;
	for (size_t w = 0; w <= n / 64; w++) {
		const char *q = w < n / 64 ? p + w * 64 : last_word(last, p, n);
		struct chunk a = half(q);
		struct chunk b = half(q + 32);

		m->query[w] = a.query | b.query << 32;
		m->odd[w] = a.odd | b.odd << 32;
		odd |= m->odd[w];
		put_places(m, w, a.at | b.at << 32);
	}
	finish(m, p, n, odd);
}

AVX512 static inline struct chunk
whole(const char *p)
{
	__m512i v = _mm512_loadu_si512(p);
	uint64_t line = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('\n'));
	uint64_t quote = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('"'));
	uint64_t slash = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('\\'));
	uint64_t ask = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('?'));
	uint64_t hash = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('#'));
	uint64_t control = _mm512_cmplt_epu8_mask(v, _mm512_set1_epi8(' '));

	return (struct chunk){ line | quote, ask | hash,
		slash | (control & ~line) };
}

/*
 * The numbers 0 to 63, those of set bits moved to the front and widened.  More
 * than sixteen are rare: sixteen are half a store.
 */
AVX512 static inline void
press_places(uint16_t *to, size_t w, uint64_t x, __m512i numbers, size_t n)
{
	__m512i v = _mm512_maskz_compress_epi8(x, numbers);
	__m512i from = _mm512_set1_epi16((short)(w * 64));
	__m512i low = _mm512_cvtepu8_epi16(_mm512_castsi512_si256(v));

	low = _mm512_add_epi16(low, from);
	_mm256_storeu_si256((__m256i_u *)to, _mm512_castsi512_si256(low));
	if (n <= 16)
		return;
	_mm512_storeu_si512(to, low);
	v = _mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64(v, 1));
	_mm512_storeu_si512(to + 32, _mm512_add_epi16(v, from));
}

AVX512 static void
marks_avx512(struct marks *m, const char *p, size_t n)
{
	static const uint8_t numbers[64] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
		11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
		27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42,
		43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58,
		59, 60, 61, 62, 63 };
	const __m512i all = _mm512_loadu_si512(numbers);
	char last[64];
	uint64_t odd = 0;
	size_t n_at = 0;

	for (size_t w = 0; w <= n / 64; w++) {
		const char *q = w < n / 64 ? p + w * 64 : last_word(last, p, n);
		struct chunk c = whole(q);
		size_t found = (size_t)__builtin_popcountll(c.at);

		m->query[w] = c.query;
		m->odd[w] = c.odd;
		odd |= c.odd;
		press_places(m->at + n_at, w, c.at, all, found);
		n_at += found;
	}
	m->n_at = n_at;
	finish(m, p, n, odd);
}

size_t
marks_ways(marks_fn *ways[MARKS_WAYS])
{
	size_t n = 0;

	if (__builtin_cpu_supports("avx512bw") &&
	    __builtin_cpu_supports("avx512vbmi2"))
		ways[n++] = marks_avx512;
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
	    __builtin_cpu_supports("popcnt"))
		ways[n++] = marks_avx2;
	ways[n++] = marks_swar;
	return n;
}
