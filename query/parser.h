/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the two halves of the parser share: query/parse.c has the conditions
 * and their brackets, query/term.c a single keyword with its comparison.
 */
#ifndef QUERY_PARSER_H
#define QUERY_PARSER_H

#include "query/lex.h"
#include "query/tree.h"

struct open_group {
	struct str name;
	const struct open_group *up;
};

struct parser {
	struct str text;
	size_t pos;
	struct token t; /* the one ahead */
	struct arena *arena;
	struct query_error *bad;
	const struct query_groups *groups;
	const struct open_group *open; /* whose expressions these are */
	size_t *nodes;                 /* made so far, groups included */
	unsigned depth;
	unsigned scope; /* what may stand here */
	/* The term before the token ahead, for better messages. */
	const struct query_field *bare;
	bool compared;
};

void parser_advance(struct parser *p);

/*
 * Sets the error at the token ahead, with the lexer's words if it is a bad
 * one, or at a place; both return NULL.  "%.*s" of a token: parser_found.
 */
struct node *parser_fail(struct parser *p, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
struct node *parser_fail_at(struct parser *p, const struct token *at,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* A token for a message: quoted, cut, without control characters. */
enum { FOUND_SIZE = 64 };
const char *parser_found(const struct token *t, char out[FOUND_SIZE]);

bool parser_at_word(const struct parser *p, const char *word);
bool parser_at_mark(const struct parser *p, char mark);

/* Takes the mark, or fails saying what it is for. */
bool parser_expect(struct parser *p, char mark, const char *what);

/* The value of the string ahead, taken, in the arena; false: error set. */
bool parser_string(struct parser *p, struct str *value);

struct node *parser_node(struct parser *p, enum node_kind kind);

/* "{" or-expr "}", if there; false: error set. */
bool parser_block(struct parser *p, unsigned scope, const struct node **block);

/* Another expression, of a group, in this one's place. */
struct node *parser_group(struct parser *p, const struct token *at,
    struct str name, struct str expression, const struct node **block);

/* term.c: a keyword and what belongs to it. */
struct node *parser_term(struct parser *p);

/* node "," node and the like; false: error set. */
bool parser_target(struct parser *p, struct target *target);

#endif
