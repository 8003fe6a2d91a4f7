/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counting that stops at the limit: min(a + b, limit) is associative and
 * commutative, so that no order of adding shows even there.
 */
#ifndef ANALYZERS_SATURATE_H
#define ANALYZERS_SATURATE_H

#include <stdint.h>

static inline uint32_t
add_u32(uint32_t a, uint32_t b)
{
	return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

/* What is left; 0 at least. */
static inline uint32_t
minus_u32(uint32_t a, uint32_t b)
{
	return a > b ? a - b : 0;
}

static inline uint64_t
add_u64(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

#endif
