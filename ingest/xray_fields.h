/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is picked from a segment document, before any of it is judged.
 *
 * Two readers fill struct xray_fields: xray_quick.c in one pass over the text,
 * xray.c through a tree.  What the tokens mean is decided once, in xray.c, so
 * that the two cannot come to differ in it.  Inside ingest/ only.
 */
#ifndef INGEST_XRAY_FIELDS_H
#define INGEST_XRAY_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/json.h"
#include "core/str.h"
#include "ingest/keys.h"
#include "ingest/span_keys.h"

enum xray_field {
	XRAY_ID,
	XRAY_TRACE_ID,
	XRAY_PARENT_ID,
	XRAY_NAME,
	XRAY_TYPE,
	XRAY_ORIGIN,
	XRAY_USER,
	XRAY_START_TIME,
	XRAY_END_TIME,
	XRAY_IN_PROGRESS,
	XRAY_ERROR,
	XRAY_FAULT,
	XRAY_THROTTLE,
	XRAY_INFERRED,
	XRAY_HTTP_BLOCK, /* the objects count as fields: were they there? */
	XRAY_HTTP_REQUEST,
	XRAY_HTTP_RESPONSE,
	XRAY_METHOD,
	XRAY_URL,
	XRAY_USER_AGENT,
	XRAY_CLIENT_IP,
	XRAY_FORWARDED,
	XRAY_STATUS,
	XRAY_CONTENT_LENGTH,
	XRAY_FIELDS
};

enum xray_type {
	XRAY_ABSENT, /* or null, which means the same */
	XRAY_STRING, /* text: unescaped */
	XRAY_NUMBER, /* text: as written */
	XRAY_FALSE,
	XRAY_TRUE,
	XRAY_OBJECT,
	XRAY_OTHER, /* an array */
};

struct xray_token {
	enum xray_type type;
	struct str text;
};

struct xray_fields {
	struct xray_token of[XRAY_FIELDS];
	bool failures_within; /* as in struct segment */
};

struct xray_key {
	const char *name;
	uint8_t place; /* enum span_place: where it is looked for */
	uint8_t field; /* enum xray_field */
	uint8_t inner; /* enum span_place of what is in it; IN_SPAN: nothing */
};

/* The one table of keys; XRAY_FIELDS rows, row i fills field i. */
extern const struct xray_key xray_keys[XRAY_FIELDS];

/* X-Ray takes documents of up to 64 KiB, white space not counted. */
enum { XRAY_DOCUMENT_MAX = 64 * 1024 };

/* The keys of spans for finding, and of which of them a field is filled:
 * XRAY_FIELDS is none. */
struct xray_names {
	struct keys keys;
	uint8_t field[SPAN_KEYS];
};

void xray_names_init(struct xray_names *names);

/*
 * Fills *f from an ordinary document, its strings being views into the text.
 * False: the document is unusual or broken, ask the tree; *f is then void.
 * *marks is filled with it, unless it is NULL.
 */
bool xray_quick(const struct xray_names *names, struct str doc,
    struct xray_fields *f, struct span_marks *marks);

/*
 * The same through a tree, for any document: NULL, or a static sentence that
 * says what is wrong with it.  Strings are copied into the arena.
 */
const char *xray_tree(struct json *json, struct str doc, struct arena *arena,
    struct xray_fields *f);

#endif
