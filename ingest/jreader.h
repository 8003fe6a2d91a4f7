/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader of JSON inputs: envelope_json.c walks the text, json_kinds.c
 * knows what a document is, json_take.c makes events of its pieces.
 *
 * An input is a sequence of documents, of any kinds, on lines, side by side or
 * over many lines.  A document up to document_bytes is looked at as a whole
 * first, so that its members may stand in any order; a larger one is walked
 * with what stands before its array, an element of it that is too large again
 * so.  Elements are parsed one at a time.  A value that is too large and no
 * list is a dead letter, and what stands behind it is read on.
 *
 * A document inside a document (a trace in a list, a record's payload) is read
 * by the same machine one level deeper, over a window in memory.
 *
 * Broken JSON, one rule: the line on which the broken value begins is a dead
 * letter, together with the lines behind it that can only be its remains
 * (blank, indented, or beginning with a quote, a comma or a closing bracket).
 * The first line that begins with a bracket, or with anything else, is read
 * anew.  Of a broken document whose array is known, the elements before the
 * break are kept.
 */
#ifndef INGEST_JREADER_H
#define INGEST_JREADER_H

#include "core/buf.h"
#include "core/json.h"
#include "ingest/envelope.h"
#include "ingest/joiner.h"
#include "ingest/jscan.h"

enum { JSON_LEVELS = 4 };

struct json_reader;

/* A whole value: a document of its own or an array's element. */
struct piece {
	struct str text;
	struct place place;
	const struct jscan *scan; /* its members, as offsets into text */
};

struct json_kind {
	enum envelope_id id;
	/* Of a document that is whole, or of the part that fits. */
	bool (*is)(struct str text, const struct jscan *scan);
	const char *array; /* the member that is walked; NULL: none */
	/* NULL, or why the piece is a dead letter: a static text. */
	const char *(*take)(struct json_reader *r, struct batch *b,
	    const struct piece *piece);
};

/* The document's kind, never NULL: a line of JSON is the last one. */
const struct json_kind *json_kind_of(struct str text, const struct jscan *scan);

/* A top-level array whose elements are documents. */
extern const struct json_kind json_kind_array;

enum json_mode {
	JSON_TOP,  /* between documents */
	JSON_WALK, /* in the array of one */
	JSON_REST, /* behind that array */
	JSON_PASS, /* passing over a value that is too large */
	JSON_DROP, /* dropping the remains of a broken one */
	JSON_OVER, /* the level's only document is read */
};

#define UNBOUND SIZE_MAX

struct json_level {
	struct window own; /* of an inner level */
	struct window *w;
	enum json_mode mode;
	enum json_mode after; /* JSON_PASS: the mode behind the value */
	bool shared;  /* reads one element in the window of the level above */
	size_t bound; /* bytes up to where a broken document is read, or
			 UNBOUND */
	struct str broken; /* all of that document; bytes move only when it
			      is done with */
	struct place broken_place;
	size_t seek;   /* where the search for that place goes on */
	bool scanning; /* `scan` is under way on what stands at `at` */
	bool fresh;    /* at the begin of a line */
	bool remains;  /* something was broken: closing brackets and
			  commas between documents are no news */
	struct jscan scan;
	const struct json_kind *kind;
	bool root_array;  /* the walked array is the document */
	bool control;     /* a control message */
	struct buf group; /* of the document's events */
	struct buf stream;
	struct buf payload; /* what `own` is open on, when unpacked */
};

struct json_reader {
	struct envelope base;
	size_t depth; /* the level that is read now */
	bool named;   /* base.id is of the first document */
	struct json tree;
	struct joiner joiner;
	struct json_level levels[JSON_LEVELS];
};

static inline struct json_level *
json_level(struct json_reader *r)
{
	return &r->levels[r->depth];
}

/* The level's text: up to the bound of a broken document. */
struct str level_text(const struct json_level *l);

/* Nothing comes behind level_text. */
bool level_closed(const struct json_level *l);

/* Takes bytes; ends a scan that was under way on them. */
void level_take(struct json_level *l, size_t n);

/* A document is done with. */
void level_to_top(struct json_level *l);

/* A dead letter at the level's place. */
void level_dead(struct json_level *l, struct batch *b, const char *why,
    struct str bytes);

/* The next level, between documents; its window is the caller's to open. */
struct json_level *level_deeper(struct json_reader *r);

/* Sets the envelope's id by the first document that has one. */
void json_name(struct json_reader *r, enum envelope_id id);

/*
 * Goes on one level deeper, on the piece's own text or on a record's payload,
 * until that is read.  NULL, or why not.
 */
const char *json_descend(struct json_reader *r, const struct piece *piece);
const char *json_descend_payload(struct json_reader *r,
    const struct piece *piece, struct str base64);

/* A member's text in the piece; "" when it is absent or still open. */
struct str json_member(struct str text, const struct jscan *scan,
    const char *key);

/*
 * Takes a line that is one X-Ray document: STEP_ON, STEP_MORE, or STEP_END
 * when it is no such line and nothing was changed.
 */
enum step json_xray_line(struct json_reader *r, struct batch *b);

/* json_take.c */
typedef const char *json_take(struct json_reader *r, struct batch *b,
    const struct piece *piece);
json_take take_any, take_line, take_log_event, take_lambda, take_kinesis;
json_take take_firehose, take_row, take_console, take_log, take_document;
json_take take_segment, take_put, take_summary, take_header;

/* Group, stream and whether it is a control message, from the members. */
void json_read_header(struct json_reader *r, struct json_level *l,
    struct str text, const struct jscan *scan);

#endif
