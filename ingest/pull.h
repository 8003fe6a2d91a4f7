/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cursor over JSON that is known to be valid, for readers that pick a few
 * members out of many without a tree.
 *
 * It checks nothing that xray_decode has checked before (core/json.h or the
 * quick reader), but it never reads beyond the text: of an invalid text it
 * gives any values, then the end.  Not for text that nobody has parsed.
 *
 *	if (pull_enter(&c, '{'))
 *	while (pull_member(&c, &key)) {
 *		... read or skip exactly one value ...
 *	}
 */
#ifndef INGEST_PULL_H
#define INGEST_PULL_H

#include <stdbool.h>
#include <stddef.h>

#include "core/arena.h"
#include "core/str.h"
#include "ingest/scan.h"

struct pull {
	const char *p;
	const char *end;
	struct arena *arena; /* where escaped strings go */
};

/* Bytes that can be read behind an unescaped text's begin, whatever its
 * length is. */
enum { PULL_ROOM = 8 };

/* Outside of strings no other byte up to the blank can be in valid text. */
static inline const char *
pull_blank(const char *p, const char *end)
{
	while (p < end && (unsigned char)*p <= ' ')
		p++;
	return p;
}

/* The first byte of the next value: '{', '[', '"', 't', 'f', 'n', a digit or
 * '-'; 0 at the end. */
static inline char
pull_peek(struct pull *c)
{
	c->p = pull_blank(c->p, c->end);
	return c->p < c->end ? *c->p : '\0';
}

/* Over an opening bracket; false, and nothing read, when there is another. */
static inline bool
pull_open(struct pull *c, char bracket)
{
	if (pull_peek(c) != bracket)
		return false;
	c->p++;
	return true;
}

/* A string whose opening quote is next, when it is not all plain. */
struct str pull_rough(struct pull *c);

/* A string whose opening quote is next, unescaped. */
static inline struct str
pull_string(struct pull *c)
{
	const char *from = c->p + 1;
	const char *to = scan_plain(from, c->end);

	if (to == c->end || *to != '"')
		return pull_rough(c);
	c->p = to + 1;
	return (struct str){ from, (size_t)(to - from) };
}

/* The next member's key, or over the closing brace and false. */
static inline bool
pull_member(struct pull *c, struct str *key)
{
	const char *end = c->end;
	const char *p = pull_blank(c->p, end);
	const char *to;

	if (p < end && *p == ',')
		p = pull_blank(p + 1, end);
	if (p == end || *p != '"') {
		c->p = p < end ? p + 1 : end;
		return false;
	}
	to = scan_plain(p + 1, end);
	if (to < end && *to == '"') {
		*key = (struct str){ p + 1, (size_t)(to - p - 1) };
		p = to + 1;
	} else {
		c->p = p;
		*key = pull_rough(c);
		p = c->p;
	}
	p = pull_blank(p, end);
	c->p = p < end && *p == ':' ? p + 1 : p;
	return true;
}

/* To the next item, or over the closing bracket and false. */
static inline bool
pull_item(struct pull *c)
{
	char next = pull_peek(c);

	if (next == ',') {
		c->p++;
		next = pull_peek(c);
	}
	if (next != ']' && next != '\0')
		return true;
	c->p = next ? c->p + 1 : c->end;
	return false;
}

/* A string, unescaped; a number or literal as written; else empty, skipped. */
struct str pull_text(struct pull *c);

/* Over any value. */
void pull_skip(struct pull *c);

/* Over an opening bracket; false: over the value, which is another. */
static inline bool
pull_enter(struct pull *c, char bracket)
{
	if (pull_open(c, bracket))
		return true;
	pull_skip(c);
	return false;
}

#endif
