/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text and bytes being built.  A zeroed buf is empty and usable; it grows by
 * half, and buf_fini gives the memory back.  Out of memory ends the program.
 * Nothing here writes a terminating NUL except buf_cstr.
 */
#ifndef CORE_BUF_H
#define CORE_BUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

struct buf {
	char *p;
	size_t n;
	size_t cap;
};

/* Room for `more` further bytes; returns where they go.  n is unchanged. */
char *buf_room(struct buf *b, size_t more);

void buf_put(struct buf *b, const void *p, size_t n);
void buf_str(struct buf *b, struct str s);
void buf_cat(struct buf *b, const char *cstr);
void buf_char(struct buf *b, char c);
void buf_u64(struct buf *b, uint64_t v);
void buf_i64(struct buf *b, int64_t v);
void buf_printf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

/* The content, borrowed until the next change. */
static inline struct str
buf_view(const struct buf *b)
{
	return (struct str){ b->p, b->n };
}

/* The content with a NUL behind it, which does not count. */
const char *buf_cstr(struct buf *b);

/* Empty, the memory kept. */
static inline void
buf_reset(struct buf *b)
{
	b->n = 0;
}

void buf_fini(struct buf *b);

#endif
