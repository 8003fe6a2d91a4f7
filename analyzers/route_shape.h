/* SPDX-License-Identifier: Apache-2.0 */
/* Cutting a path into segments, and which of them are ids by their shape. */
#ifndef ANALYZERS_ROUTE_SHAPE_H
#define ANALYZERS_ROUTE_SHAPE_H

#include <stdbool.h>
#include <stddef.h>

#include "analyzers/routes.h"
#include "core/str.h"

enum { SEGMENT_MAX = 64 }; /* bytes; what is longer is an id */

enum segment_kind { SEGMENT_LITERAL, SEGMENT_ID, SEGMENT_REST };

struct segment_text {
	struct str text; /* of a literal */
	enum segment_kind kind;
};

enum { SEGMENTS_MAX = ROUTE_DEPTH + 1 };

/* The segments of a path that begins with '/'; 0 for any other. */
size_t route_split(struct str path, struct segment_text out[SEGMENTS_MAX]);

/* "", "undefined" and their like: never an id, whatever its place. */
bool segment_is_word(struct str s);

#endif
