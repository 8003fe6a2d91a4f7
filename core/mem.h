/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that is there or ends the program with a message: input cannot cause
 * the end, because limits come first.  Sizes are checked for overflow.
 */
#ifndef CORE_MEM_H
#define CORE_MEM_H

#include <stddef.h>

/* Zeroed memory for n things of a size; free() gives it back. */
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n, size_t size);
/* n bytes at a multiple of align, which is a power of two that divides n. */
void *xaligned(size_t n, size_t align);

/* Makes room in an array for n things: doubles *cap until it suffices. */
void *xgrow(void *p, size_t n, size_t *cap, size_t size);

#endif
