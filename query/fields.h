/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of keywords: the one place that says which there are, of what
 * type, where they may stand, which member of the view, which column and which
 * Elasticsearch field they read, and what the manual says of them.
 *
 * A new keyword is one row here and, unless its value is there already, one
 * member of struct view_part.
 */
#ifndef QUERY_FIELDS_H
#define QUERY_FIELDS_H

#include <stddef.h>

#include "core/str.h"
#include "query/view.h"

enum query_type {
	QUERY_BOOL,
	QUERY_NUMBER,
	QUERY_TEXT,
	QUERY_ANNOTATION,
	QUERY_SERVICE,
	QUERY_EDGE,
	QUERY_GROUP,
	QUERY_CAUSE,
	QUERY_CAUSE_JSON,
};

/* Where a keyword may stand; a block has one or two of these. */
enum query_scope {
	QUERY_AT_TRACE = 1 << 0,
	QUERY_AT_SERVICE = 1 << 1,
	QUERY_AT_EDGE = 1 << 2,
	QUERY_AT_CAUSE_SERVICE = 1 << 3,
	QUERY_AT_CAUSE_ENTITY = 1 << 4,
	QUERY_AT_CAUSE_EXCEPTION = 1 << 5,
	QUERY_AT_RESPONSE_ENTITY = 1 << 6, /* besides CAUSE_ENTITY */
};

enum query_group_by {
	QUERY_GROUP_NAME,
	QUERY_GROUP_ARN,
};

struct query_field {
	const char *name;
	enum query_type type;
	unsigned where; /* of enum query_scope */
	/* Of a bool: its flag.  Of the others: where in struct view_part. */
	unsigned flag;
	size_t offset;
	/* Decimal places by which a literal is shifted: 9 for seconds. */
	int scale;
	/* Of a text that a trace has several of; else VIEW_LISTS. */
	enum view_list list;
	/* Column of the store's tables, and leaf of the nested documents. */
	const char *column;
	/* Field at the top of a trace document. */
	const char *es;
	/* Of rootcause.CAUSE.TARGET: the kind, and the scope of the block. */
	enum view_cause_kind cause;
	unsigned target;
	enum query_group_by by;
	const char *help; /* half a sentence for completion and manual */
};

/* Ends with a row whose name is NULL. */
extern const struct query_field query_fields[];

/* By name, A to Z and a to z being equal; NULL: there is none. */
const struct query_field *query_field_find(struct str name);

/* Where a keyword may stand: "in the braces of service". */
const char *query_scope_name(unsigned scope);

/*
 * The nearest keyword or operator to a word, NULL when none is near: a typing
 * error or two apart, or one begins with the other.
 */
const char *query_suggest(struct str text);

#endif
