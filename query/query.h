/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The filter language of X-Ray (docs/telltale-filter.7): an expression is
 * parsed once and then asked of any number of traces.
 *
 *	struct query_error bad;
 *	struct query *q = query_parse(text, groups, &bad);
 *
 *	if (!q) {
 *		query_error_print(&words, text, &bad);
 *		...
 *	}
 *	if (query_eval(q, &view)) ...
 *	query_free(q);
 *
 * Parsing settles types, places and groups, so that evaluation cannot fail and
 * takes no memory.  A query is immutable: any number of threads may evaluate
 * it.  It holds copies of all it needs of the text and of the groups.
 *
 * One tree, four readers: query_eval here, query_sql (query/sql.h), query_es
 * (query/es.h) and query_print mean the same, which tests hold them to.
 */
#ifndef QUERY_QUERY_H
#define QUERY_QUERY_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"
#include "core/str.h"
#include "query/view.h"

enum {
	QUERY_BYTES_MAX = 64 * 1024, /* of an expression */
	QUERY_DEPTH_MAX = 64,        /* of brackets and groups */
	QUERY_NODES_MAX = 64 * 1024, /* of an expression and its groups */
	QUERY_NUMBER_MAX = 128,      /* bytes of a number as written */
	QUERY_SELECTOR_MAX = 500,    /* bytes of an entity selector */
};

struct query;
struct query_groups;

/* What is wrong with an expression, and where. */
struct query_error {
	size_t offset;  /* bytes before the token */
	size_t length;  /* bytes of it, at least 1 but at the end */
	char text[256]; /* half a sentence, no capital, no full stop */
};

/*
 * NULL with *bad when the expression is not one.  An expression of nothing but
 * blanks matches everything.  `groups` may be NULL: there are none but Default.
 */
struct query *query_parse(struct str text, const struct query_groups *groups,
    struct query_error *bad);

/*
 * An EntitySelectorExpression: id(), service() or edge() alone, with a block
 * if wanted.  Ask it with query_selects_service or query_selects_edge.
 */
struct query *query_parse_selector(struct str text, struct query_error *bad);

/* NULL is fine. */
void query_free(struct query *q);

/* Whether the trace is one that the expression describes. */
bool query_eval(const struct query *q, const struct trace_view *t);

/*
 * Whether a trace may match of which only the root segment's own part of
 * view.trace is known: ok, error, fault, responsetime and http.* but for the
 * user agent.  VIEW_PART_NONE stands for a trace without root.  False is
 * certain; true is not.
 */
bool query_may(const struct query *q, const struct view_part *root);

/* Whether a selector is one for services, and takes in this entry or call. */
bool query_selects_service(const struct query *q, const struct view_part *s);
bool query_selects_edge(const struct query *q, const struct view_edge *e);

/*
 * The canonical text: lower-case keywords, upper-case operators, no bracket
 * that is not needed.  Parsed again it gives the same tree.
 */
void query_print(struct buf *b, const struct query *q);

/* One line, as the API answers: Invalid filter expression: … at character n */
void query_error_message(struct buf *b, struct str text,
    const struct query_error *bad);

/* The same, and below it the part of the text in question with a caret. */
void query_error_print(struct buf *b, struct str text,
    const struct query_error *bad);

/*
 * What can be typed, for completion: keywords and functions in the table's
 * order, then operators.  False: there are not so many.
 */
struct query_word {
	const char *text;   /* http.status, service, AND */
	const char *behind; /* what always follows: "(", "." or "" */
	const char *help;
};
bool query_word(size_t i, struct query_word *word);

/* The manual page telltale-filter(7), as mdoc, out of the table. */
void query_manual(struct buf *b);

/* The manual's examples; ends with a row whose expression is NULL. */
struct query_example {
	const char *expression;
	const char *help;
};
extern const struct query_example query_examples[];

#endif
