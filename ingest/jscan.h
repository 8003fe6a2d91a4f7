/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a JSON value ends, found piece by piece.
 *
 * This splits; it does not parse.  It follows brackets, strings and the order
 * of keys, colons and commas, which is enough to know a value's end, to notice
 * at once that a document is broken or cut, and to know an object's members
 * without a tree.  Numbers and words are not looked into, escapes only so far
 * as to find the closing quote; that is json_parse's work, on each element.
 *
 * The text grows between calls; nothing is looked at twice.  One byte costs
 * one step, memory is fixed.
 *
 * A line end inside a string is an error, as in JSON, so that an open quote
 * never swallows more than its line.  Brackets nest JSON_DEPTH_MAX deep, those
 * at the begin of a line JSCAN_LINE_DEPTH: what a run of broken lines may cost
 * is this factor and no more.
 */
#ifndef INGEST_JSCAN_H
#define INGEST_JSCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/json.h"
#include "core/str.h"

enum { JSCAN_MEMBERS = 48, JSCAN_LINE_DEPTH = 64 };

enum jscan_state {
	JSCAN_VALUE,     /* a value must come */
	JSCAN_ITEM,      /* behind '[': a value or ']' */
	JSCAN_FIRST_KEY, /* behind '{': a key or '}' */
	JSCAN_KEY,       /* behind ',' in an object */
	JSCAN_COLON,
	JSCAN_AFTER,  /* behind a value: ',' or a closing bracket */
	JSCAN_STRING, /* inside a string that is a value */
	JSCAN_KEY_STRING,
	JSCAN_SCALAR, /* inside a number or word */
	JSCAN_STATES
};

/* A member of the root object, as offsets; value_end 0: it is still open. */
struct jscan_member {
	size_t key, key_end; /* between the quotes */
	size_t value, value_end;
};

struct jscan {
	size_t pos; /* the next byte to look at */
	enum jscan_state state;
	unsigned depth;
	uint64_t array[JSON_DEPTH_MAX / 64]; /* by level: a bracket is '[' */
	bool escaped;  /* the byte before was a backslash in a string */
	bool rootless; /* opened behind a member: the '}' ends the scan */
	size_t first;  /* root array: where its first element begins, or 0 */
	size_t n_members;
	struct jscan_member members[JSCAN_MEMBERS];
	const char *what; /* what was wrong: static text */
};

enum jscan_end {
	JSCAN_DONE, /* pos is behind the value */
	JSCAN_MORE,
	JSCAN_BAD, /* pos is the wrong byte, what says why */
};

void jscan_init(struct jscan *s);

/* The rest of an object, behind one of its values. */
void jscan_init_rest(struct jscan *s);

enum jscan_end jscan_run(struct jscan *s, struct str text);

/* A member of the root object by name; NULL: none (yet). */
const struct jscan_member *jscan_get(const struct jscan *s, struct str text,
    struct str key);

/*
 * Whether text is JSON rather than prose in brackets, by its first line, which
 * must be there up to its end unless it is longer than a line may be.
 */
bool jscan_plausible(struct str text);

#endif
