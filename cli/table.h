/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table on the terminal.  Columns are as wide as their content; one may
 * give way (`flex`: elided in the middle), and where that does not suffice,
 * columns are left out by their rank, the greatest first.
 *
 *	struct table t = { .columns = columns };
 *	table_cell(&t, PLAIN, text) …   row by row, every column
 *	table_print(&t, &pen, 2);
 *	table_fini(&t);
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/pen.h"

enum { TABLE_COLUMNS = 16 };

struct table_column {
	const char *head; /* NULL ends the columns */
	bool right;
	bool flex;
	int rank; /* 0: always there */
};

struct table_cell;

struct table {
	const struct table_column *columns;
	struct buf text; /* of all cells */
	struct table_cell *cells;
	size_t n;
	size_t cap;
};

/* The next cell; safe text. */
void table_cell(struct table *t, enum style style, struct str text);
/* Any text, made safe; "-" for none. */
void table_text(struct table *t, enum style style, struct str text, bool utf8);
/* A number; where there is none, `zero`, dim. */
void table_count(struct table *t, enum style style, uint64_t n,
    const char *zero);
/* A span of time; "-" for a negative one: it is not known. */
void table_span(struct table *t, int64_t ns, bool utf8);
void table_print(const struct table *t, struct pen *p, size_t indent);
/* Columns it needs to be shown whole. */
size_t table_width(const struct table *t);
void table_fini(struct table *t);

#endif
