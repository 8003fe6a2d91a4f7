/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory or the end.  Limits come before any size that input could choose, so
 * a failure here is the machine's, and going on would only hide it.
 */
#include "core/mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static void *
must(void *p, size_t n, size_t size)
{
	if (p || n == 0 || size == 0)
		return p;
	fprintf(stderr, "telltale: out of memory (%zu things of %zu bytes)\n",
	    n, size);
	exit(71);
}

void *
xcalloc(size_t n, size_t size)
{
	return must(calloc(n, size), n, size);
}

void *
xrealloc(void *p, size_t n, size_t size)
{
	return must(reallocarray(p, n, size), n, size);
}

void *
xaligned(size_t n, size_t align)
{
	return must(aligned_alloc(align, n), 1, n);
}

void *
xgrow(void *p, size_t n, size_t *cap, size_t size)
{
	size_t more = *cap ? *cap : 8;

	if (n <= *cap)
		return p;
	while (more < n)
		more = more > SIZE_MAX / 2 ? n : more * 2;
	*cap = more;
	return xrealloc(p, more, size);
}
