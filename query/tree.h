/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parsed expression, shared by the parser and its readers (print, eval,
 * sql, es); nobody outside query/ includes this.
 *
 * The tree is normal: `!` is a bit of the node, so that there are no double
 * negations; an AND has no AND among its terms unless that is negated, an OR
 * no OR; a list has at least two terms; fault = false is !fault.
 */
#ifndef QUERY_TREE_H
#define QUERY_TREE_H

#include "core/arena.h"
#include "query/fields.h"
#include "query/query.h"

enum node_kind {
	NODE_ALL, /* the empty expression, and the group Default */
	NODE_AND,
	NODE_OR,
	NODE_TEST, /* a keyword and its comparison */
	NODE_ANNOTATION,
	NODE_SERVICE,
	NODE_EDGE,
	NODE_CAUSE,
	NODE_CAUSE_JSON,
	NODE_GROUP,
};

enum query_op {
	OP_SET, /* bare: is set; of a bool: is true */
	OP_EQ,
	OP_NE,
	OP_LT,
	OP_LE,
	OP_GT,
	OP_GE,
	OP_CONTAINS,
	OP_BEGINS,
	OP_ENDS,
};

/* "=", "CONTAINS"; "" for OP_SET. */
const char *query_op_name(enum query_op op);

struct literal {
	enum view_kind kind;
	bool boolean;
	double number;
	struct str text; /* of a string: its value; of a number: as written */
};

/*
 * A comparison of a whole number: lo <= v <= hi, or v outside of that, an
 * absent v being in neither.  The literal is a decimal that need not be whole
 * (responsetime > 0.0000000001): then > and >= are the same, and = is empty.
 */
struct range {
	int64_t lo;
	int64_t hi;
	bool outside;
};

/* What service() and edge() look for; an empty text is one not asked for. */
struct target {
	bool any;   /* nothing between the brackets */
	bool by_id; /* id(...), not a name alone */
	bool has_name, has_type, has_account;
	struct str name;
	struct str type;
	struct str account;
};

/* rootcause.json: members that are not there are not compared.  Lists are
 * short, so that no translation of them is too deep for anybody. */
enum { PATTERN_LIST_MAX = 100 };

enum tristate {
	TRI_ANY,
	TRI_FALSE,
	TRI_TRUE,
};

struct exception_pattern {
	struct str name, message;
	bool has_name, has_message;
};

struct entity_pattern {
	struct str name;
	bool has_name, has_coverage, has_exceptions;
	enum tristate remote;
	struct range coverage;
	const struct exception_pattern *exceptions;
	size_t n_exceptions;
};

struct service_pattern {
	struct str name, type, account;
	struct str names; /* the one name of a list of names */
	bool has_name, has_type, has_account, has_names, has_entities;
	bool never; /* a list of names that is not one name */
	enum tristate inferred;
	const struct entity_pattern *entities;
	size_t n_entities;
};

struct cause_pattern {
	bool has_services;
	enum tristate client_impacting;
	const struct service_pattern *services;
	size_t n_services;
};

struct node {
	enum node_kind kind;
	bool negated;
	enum query_op op;
	unsigned scope;                  /* where it stands */
	const struct query_field *field; /* of all but ALL, AND, OR */
	struct literal value;
	struct range range;
	struct str key;       /* of an annotation */
	struct target target; /* of service; of an edge the caller */
	struct target callee;
	const struct node *block; /* NULL: none; of a group its expression,
				     NULL: unconditional */
	struct node **kids;       /* of AND and OR, as written */
	struct node **by_cost;    /* the same, cheapest first */
	size_t n;
	const struct cause_pattern *patterns;
	size_t n_patterns;
	unsigned cost;   /* of evaluation, a guess */
	unsigned height; /* of AND and OR above one another */
	struct node *next;
};

struct query {
	struct arena arena;
	const struct node *root;
};

/*
 * query/number.c: a number as written, times ten to the scale: the whole
 * number not above it, and whether that is it exactly.  What does not fit is
 * the nearest end of the range, not exactly.
 */
bool number_scaled(struct str text, int scale, int64_t *floor);
struct range number_range(struct str text, int scale, enum query_op op);
/* The nearest double; false when it is too large for one. */
bool number_double(struct str text, double *value);
/* A double that reads back as itself, and as a number with a fraction. */
void number_put(struct buf *b, double value);

/* query/pattern.c, of rootcause.json: NULL with *bad; the tree's memory is the
 * arena's. */
const struct cause_pattern *pattern_parse(struct str text, struct arena *arena,
    size_t *n, struct str *canonical, struct query_error *bad);
/* Whether some root cause of the trace fits one of the patterns. */
bool pattern_match(const struct node *n, const struct trace_view *t);

/* query/utf8.c: bytes of the character at the head, 0 when it is none. */
size_t utf8_length(struct str s);
/* Columns that it takes on a terminal: 0, 1 or 2. */
int utf8_columns(struct str character);
void utf8_put(struct buf *b, uint32_t code);

#endif
