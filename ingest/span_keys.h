/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of a segment document that a span is made of, and marks: where a
 * document has them.
 *
 * Documents are read twice: when they come in, all of the text is checked
 * (xray_quick.c), and when their trace is whole, it is read into spans
 * (span.c).  What the first reader has found it can leave to the second as
 * marks, so that nothing is looked for again.  Marks are a function of the
 * text.  Inside ingest/ only; others carry them as bytes.
 */
#ifndef INGEST_SPAN_KEYS_H
#define INGEST_SPAN_KEYS_H

#include <stddef.h>
#include <stdint.h>

/* The objects in which keys are looked for. */
enum span_place {
	IN_SPAN,
	IN_HTTP,
	IN_REQUEST,
	IN_RESPONSE,
	IN_AWS,
	IN_EC2,
	IN_ECS,
	IN_SQL,
	SPAN_PLACES
};

enum span_what {
	TEXT,    /* `at`: of a struct str in the place's struct */
	INTEGER, /* `at`: of an int64_t */
	TIME,    /* `at`: of an int64_t */
	FLAG,    /* `at`: into the flags of span.c */
	BLOCK,   /* `at`: enum span_place of what is in it */
	SUBSEGMENTS,
	ANNOTATIONS,
	CAUSE,
	LINKS,
	LOGS,
	TABLES,
	NAMESPACE,
	TYPE,
	NO_SPANS, /* of the document, not of its spans */
};

struct span_key {
	const char *name;
	uint8_t place;
	uint8_t what;
	uint16_t at;
};

enum { SPAN_KEYS = 56 };

/* Sorted by place; within one, the frequent first. */
extern const struct span_key span_keys[SPAN_KEYS];

enum span_mark_form {
	MARK_TEXT,  /* a string without escapes: what is between the quotes */
	MARK_WORD,  /* a number */
	MARK_VALUE, /* any value that is to be read from `at` on */
	MARK_OPEN,  /* an embedded subsegment begins; no key */
	MARK_CLOSE, /* it ends; no key */
};

struct span_mark {
	uint16_t at; /* documents are at most 64 KiB */
	uint16_t n;
	uint8_t key;  /* index into span_keys */
	uint8_t form; /* enum span_mark_form */
};

enum { SPAN_MARKS_MAX = 1024, SPAN_MARKS_DEPTH = 24 };

/*
 * Of one document.  None: it has more than these, is nested more deeply or has
 * a key twice, and is read without.
 */
struct span_marks {
	size_t n;
	struct span_mark v[SPAN_MARKS_MAX];
};

#endif
