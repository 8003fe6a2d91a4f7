/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cursor over JSON that is known to be valid, for readers that pick a few
 * members out of many without a tree.
 *
 * It checks nothing that xray_decode has checked before (core/json.h or the
 * quick reader), but it never reads beyond the text: of an invalid text it
 * gives any values, then the end.  Not for text that nobody has parsed.
 *
 *	pull_open(&c, '{')
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

struct pull {
	const char *p;
	const char *end;
	struct arena *arena; /* where escaped strings go */
};

/* The first byte of the next value: '{', '[', '"', 't', 'f', 'n', a digit or
 * '-'; 0 at the end. */
char pull_peek(struct pull *c);

/* Over an opening bracket; false, and nothing read, when there is another. */
bool pull_open(struct pull *c, char bracket);

/* The next member's key, or over the closing brace and false. */
bool pull_member(struct pull *c, struct str *key);

/* To the next item, or over the closing bracket and false. */
bool pull_item(struct pull *c);

/* A string, unescaped; a number or literal as written; else empty, skipped. */
struct str pull_text(struct pull *c);

/* Over any value. */
void pull_skip(struct pull *c);

#endif
