/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options: one table a command, and everything that is said about an option
 * comes from its row.
 *
 * A row fills one member of the command's struct, from the command line or
 * from text (opt_set, for configuration files), checks it, and feeds --help,
 * the manual page and the shells' completion.  A table ends with a row whose
 * name is NULL.
 *
 *	type        member                given as
 *	OPT_FLAG    bool                  --name
 *	OPT_TEXT    const char *          any text but "", borrowed from argv
 *	OPT_INT     int                   decimal, min to max
 *	OPT_COUNT   uint64_t              decimal, min to max
 *	OPT_SIZE    size_t                bytes, with K, M, G (1024): min to max
 *	OPT_SPAN    int64_t, nanoseconds  90s, 500ms, 1h30m: min to max
 *	OPT_TIME    int64_t, nanoseconds  2018-11-27T08:47, a date, an epoch
 *	OPT_CHOICE  int, or an enum       one of choices; its index is stored
 *	OPT_LIST    struct opt_list       may be given again; every value counts
 *
 * Life: opt_defaults, opt_parse (or opt_set), use, opt_fini.  A message says
 * which option, what was given and what was expected, and names the nearest
 * option when there is none of that name.
 */
#ifndef CORE_OPT_H
#define CORE_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/str.h"

enum opt_type {
	OPT_FLAG,
	OPT_TEXT,
	OPT_INT,
	OPT_COUNT,
	OPT_SIZE,
	OPT_SPAN,
	OPT_TIME,
	OPT_CHOICE,
	OPT_LIST,
};

/* The values of an OPT_LIST; the texts are borrowed. */
struct opt_list {
	const char **v;
	size_t n;
	size_t cap;
};

struct opt {
	const char *name; /* long, without dashes; NULL ends the table */
	char letter;      /* short; 0: none */
	enum opt_type type;
	size_t offset;      /* of the member */
	const char *arg;    /* the argument's word: "N", "SPAN"; flags: NULL */
	const char *preset; /* the default as it would be typed; NULL: the
			       member is 0, -1 of a choice, NULL,
			       WHEN_NONE */
	const char *absent; /* what help says for no default; may be NULL */
	int64_t min, max;   /* of numbers; max 0: what the type holds */
	const char *const *choices; /* ends with NULL */
	const char *group; /* begins a group of that heading; may be NULL */
	const char *help;  /* one sentence */
};

/* Fills every member of the table with its default. */
void opt_defaults(const struct opt *table, void *into);

/* Frees what the lists took. */
void opt_fini(const struct opt *table, void *into);

/* Sets one member from text; -1 with err. */
int opt_set(const struct opt *row, void *into, const char *text,
    struct err *err);

/* A span as OPT_SPAN takes it, all of the text; and what that is, in words. */
bool opt_span(struct str text, int64_t *ns);
extern const char opt_span_words[];

/*
 * Reads argv[0 … argc): options anywhere, "--" ends them, "-" is an argument.
 * What is no option is moved to the front of argv in its order; *rest is how
 * many.  -1 with err at the first that is wrong.
 */
int opt_parse(const struct opt *table, void *into, int argc, char **argv,
    int *rest, struct err *err);

/* What is said of an option: its sentence, with choices and default. */
void opt_words(struct buf *out, const struct opt *row);

/* Two columns, wrapped at width. */
void opt_help(struct buf *out, const struct opt *table, size_t width);

/* An mdoc list of the table's options, sorted as in the table. */
void opt_mdoc(struct buf *out, const struct opt *table);

/*
 * Of a table of names the nearest to a mistyped one, by Damerau's distance, or
 * one that begins so; -1 when none is near.  For option, command and rule names
 * alike.
 */
int opt_nearest(struct str name, const char *const *names, size_t n);

/* Words put at `indent`, lines of at most `width` columns; ends the line.  The
 * cursor is at column `col` when it begins. */
void opt_wrap(struct buf *out, struct str text, size_t col, size_t indent,
    size_t width);

#endif
