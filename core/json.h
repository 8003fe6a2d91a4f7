/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON: reading by yyjson, writing by appending to a buf.
 *
 * Reading makes a read-only tree over a copy of the text.  Texts nested deeper
 * than JSON_DEPTH_MAX or longer than the caller's limit are refused before
 * yyjson sees them.  Numbers keep their text (json_raw): a 56-digit event id
 * or an epoch with a fraction never goes through a double.  Of equal keys the
 * first counts.
 *
 *	struct json j = { 0 };
 *	if (json_parse(&j, text, &bad) == 0) {
 *		struct json_val *root = json_root(&j);
 *		struct json_val *events = json_get(root, STR("events"));
 *		struct json_iter it;
 *
 *		json_iter_init(&it, events);
 *		while ((event = json_iter_next(&it))) ...  (one condition)
 *	}
 *	json_fini(&j);
 */
#ifndef CORE_JSON_H
#define CORE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/str.h"

enum { JSON_DEPTH_MAX = 512 };

struct json_val; /* a node; lives as long as its tree */

/* Appends "yyjson 0.10.0": what reads JSON in this process. */
void json_library(struct buf *out);

/* A tree and its memory, which the next json_parse uses again. */
struct json {
	void *doc;
	void *pool;
	size_t pool_size;
};

struct json_bad {
	size_t offset;    /* of the first byte that is wrong */
	const char *what; /* static text: "unexpected character", ... */
};

enum json_type {
	JSON_NONE, /* of a NULL node: absent */
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

/* 0, or -1 with *bad.  Trailing white space is allowed, nothing else. */
int json_parse(struct json *j, struct str text, struct json_bad *bad);
struct json_val *json_root(const struct json *j);
void json_fini(struct json *j);

/* All accept NULL: absent, and give the empty or false answer. */
enum json_type json_type(const struct json_val *v);
struct json_val *json_get(const struct json_val *object, struct str key);
size_t json_size(const struct json_val *array_or_object);
struct str json_str(const struct json_val *v);  /* of a string, unescaped */
struct str json_raw(const struct json_val *v);  /* of a number, as written */
struct str json_text(const struct json_val *v); /* string or number */
bool json_bool(const struct json_val *v, bool *value);
bool json_i64(const struct json_val *v, int64_t *value);

/* Iteration over an array or an object, in the text's order. */
struct json_iter {
	const struct json_val *of;
	void *next;
	size_t left;
	struct str key; /* of the present member, for an object */
};
void json_iter_init(struct json_iter *it, const struct json_val *of);
struct json_val *json_iter_next(struct json_iter *it); /* NULL: the end */

/*
 * Writing.  json_put_str appends the quoted, escaped text: control characters,
 * DEL, quotes and backslashes are escaped, invalid UTF-8 becomes U+FFFD, so
 * that the line is always valid JSON.  A member starts with a comma unless the
 * last byte is '{' or '['.
 */
void json_put_str(struct buf *b, struct str s);
void json_key(struct buf *b, const char *key);
void json_member_str(struct buf *b, const char *key, struct str s);
void json_member_i64(struct buf *b, const char *key, int64_t v);
void json_member_bool(struct buf *b, const char *key, bool v);
/* milli-units: 1234 → 1.234; keeps floating point out of the output. */
void json_member_milli(struct buf *b, const char *key, int64_t milli);
void json_item(struct buf *b); /* the comma before an array's next item */
/* Re-serialises a value compactly, its strings escaped as above. */
void json_put_val(struct buf *b, const struct json_val *v);
/* The same; longer strings are cut at a character, with "…" behind. */
void json_put_cut(struct buf *b, const struct json_val *v, size_t most);

#endif
