/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tokens of an expression, cut off one at a time.  A token is a view into
 * the text; a string's value is decoded by lex_string when it is wanted.
 */
#ifndef QUERY_LEX_H
#define QUERY_LEX_H

#include "core/buf.h"
#include "core/str.h"
#include "query/query.h"
#include "query/tree.h"

enum token_kind {
	TOKEN_END,
	TOKEN_WORD,   /* letters, digits, _ and dots; a letter of A to z or _
			 first, later ones may   be any, so that messages show the
			 whole word */
	TOKEN_STRING, /* with its quotes */
	TOKEN_NUMBER,
	TOKEN_OP, /* = != < <= > >= */
	TOKEN_NOT,
	TOKEN_MARK, /* ( ) { } [ ] , : # */
	TOKEN_BAD,  /* `bad` says why */
};

struct token {
	enum token_kind kind;
	enum query_op op;
	char mark;
	size_t offset;
	struct str text;
	const char *bad;
};

/* The token at *pos, which is moved behind it.  Never fails: see TOKEN_BAD. */
struct token lex_next(struct str text, size_t *pos);

/*
 * The value of a TOKEN_STRING, appended.  False: *bad_at is the place in the
 * token's text that is wrong, *why a sentence.
 */
bool lex_string(struct str token, struct buf *b, size_t *bad_at,
    const char **why);

/* The end of a JSON value that begins at pos; 0 when it is not closed. */
size_t lex_json(struct str text, size_t pos);

#endif
