/* SPDX-License-Identifier: Apache-2.0 */
/* Cutting a path into segments, and which of them are ids by their shape. */
#ifndef ANALYZERS_ROUTE_SHAPE_H
#define ANALYZERS_ROUTE_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzers/routes.h"
#include "core/str.h"

enum { SEGMENT_MAX = 64 }; /* bytes; what is longer is an id */

enum segment_kind { SEGMENT_LITERAL, SEGMENT_ID, SEGMENT_REST };

/*
 * A literal's text, and its first and its last eight bytes: `head` is padded
 * with zeros when it is shorter, `tail` then 0.  With the length that is all
 * of a segment of up to 16 bytes.  Other kinds have nothing but the kind.
 */
struct segment_text {
	struct str text;
	uint64_t head, tail;
	enum segment_kind kind;
};

enum { SEGMENTS_MAX = ROUTE_DEPTH + 1 };

/* The segments of a path that begins with '/'; 0 for any other. */
size_t route_split(struct str path, struct segment_text out[SEGMENTS_MAX]);

/* A literal segment of its text. */
struct segment_text segment_literal(struct str s);

/* "", "undefined" and their like: never an id, whatever its place. */
bool segment_is_word(struct str s);

#endif
