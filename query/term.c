/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A keyword with what belongs to it: a comparison, a node, a block, a group.
 * What may follow depends on the keyword's row in query/fields.c alone.
 */
#include <stdio.h>

#include "query/group.h"
#include "query/parser.h"

static const struct {
	const char *name;
	enum query_op op;
} op_names[] = {
	{ "", OP_SET },
	{ "=", OP_EQ },
	{ "!=", OP_NE },
	{ "<", OP_LT },
	{ "<=", OP_LE },
	{ ">", OP_GT },
	{ ">=", OP_GE },
	{ "CONTAINS", OP_CONTAINS },
	{ "BEGINSWITH", OP_BEGINS },
	{ "ENDSWITH", OP_ENDS },
};

const char *
query_op_name(enum query_op op)
{
	return op_names[op].name;
}

static bool
is_equality(enum query_op op)
{
	return op == OP_EQ || op == OP_NE;
}

static bool
is_text_op(enum query_op op)
{
	return op >= OP_CONTAINS;
}

/* Whether a keyword of the type takes the operator. */
static bool
type_takes(enum query_type type, enum query_op op)
{
	if (type == QUERY_NUMBER)
		return !is_text_op(op);
	if (type == QUERY_TEXT)
		return is_equality(op) || is_text_op(op);
	return type == QUERY_ANNOTATION || is_equality(op);
}

static const char *
type_operators(enum query_type type)
{
	if (type == QUERY_NUMBER)
		return "is a number and takes =, !=, <, <=, > and >=";
	if (type == QUERY_TEXT)
		return "is a text and takes =, !=, CONTAINS, BEGINSWITH and "
		       "ENDSWITH";
	if (type == QUERY_BOOL)
		return "is a boolean and takes = and !=";
	return "takes = and !=";
}

/* The operator ahead, taken; OP_SET: there is none.  False: a wrong one. */
static bool
parse_op(struct parser *p, const struct query_field *f, enum query_op *op)
{
	char found[FOUND_SIZE];

	*op = OP_SET;
	if (p->t.kind == TOKEN_OP)
		*op = p->t.op;
	for (int i = OP_CONTAINS; i <= OP_ENDS; i++)
		if (parser_at_word(p, op_names[i].name))
			*op = op_names[i].op;
	if (*op == OP_SET)
		return true;
	if (!type_takes(f->type, *op)) {
		parser_fail(p, "%s %s, not %s", f->name,
		    type_operators(f->type), parser_found(&p->t, found));
		return false;
	}
	parser_advance(p);
	return true;
}

/* string | number | TRUE | FALSE; the operator before it is for messages. */
static bool
parse_literal(struct parser *p, enum query_op op, struct literal *value)
{
	if (p->t.kind == TOKEN_STRING) {
		value->kind = VIEW_STRING;
		return parser_string(p, &value->text);
	}
	if (p->t.kind == TOKEN_NUMBER) {
		value->kind = VIEW_NUMBER;
		value->text = p->t.text;
		if (!number_double(p->t.text, &value->number)) {
			parser_fail(p, "this number is too large");
			return false;
		}
		parser_advance(p);
		return true;
	}
	value->boolean = parser_at_word(p, "true");
	if (value->boolean || parser_at_word(p, "false")) {
		value->kind = VIEW_BOOLEAN;
		parser_advance(p);
		return true;
	}
	char found[FOUND_SIZE];

	parser_found(&p->t, found);
	if (p->t.kind == TOKEN_WORD)
		parser_fail(p, "a string stands in double quotes: \"%s\"",
		    found);
	else
		parser_fail(p, "expected a value after %s, found %s",
		    query_op_name(op),
		    p->t.kind == TOKEN_END ? "the end" : found);
	return false;
}

/* "true" in quotes is the boolean, for keywords of that type. */
static void
unquote_boolean(struct literal *value)
{
	bool yes = str_eq_nocase(value->text, STR("true"));

	if (value->kind != VIEW_STRING ||
	    !(yes || str_eq_nocase(value->text, STR("false"))))
		return;
	value->kind = VIEW_BOOLEAN;
	value->boolean = yes;
}

static bool
check_literal(struct parser *p, const struct node *n, const struct token *at)
{
	enum view_kind kind = n->value.kind;
	const char *name = n->field->name;

	switch (n->field->type) {
	case QUERY_BOOL:
		if (kind == VIEW_BOOLEAN)
			return true;
		parser_fail_at(p, at, "%s is compared with true or false",
		    name);
		return false;
	case QUERY_NUMBER:
		if (kind == VIEW_NUMBER)
			return true;
		parser_fail_at(p, at, "%s is compared with a number", name);
		return false;
	case QUERY_ANNOTATION:
		if (is_text_op(n->op) && kind != VIEW_STRING)
			parser_fail_at(p, at, "%s needs a string",
			    query_op_name(n->op));
		else if (!is_text_op(n->op) && !is_equality(n->op) &&
			 kind != VIEW_NUMBER)
			parser_fail_at(p, at, "%s needs a number",
			    query_op_name(n->op));
		else
			return true;
		return false;
	case QUERY_TEXT:
	case QUERY_GROUP:
	case QUERY_SERVICE:
	case QUERY_EDGE:
	case QUERY_CAUSE:
	case QUERY_CAUSE_JSON:
		break;
	}
	if (kind == VIEW_STRING)
		return true;
	parser_fail_at(p, at, "%s is compared with a string in double quotes",
	    name);
	return false;
}

/* [ operator literal ] of the types that fit; false: error set. */
static bool
parse_comparison(struct parser *p, struct node *n)
{
	if (!parse_op(p, n->field, &n->op))
		return false;
	p->compared = n->op != OP_SET;
	p->bare = p->compared ? NULL : n->field;
	if (n->op == OP_SET)
		return true;
	struct token at = p->t;

	if (!parse_literal(p, n->op, &n->value))
		return false;
	if (n->field->type == QUERY_BOOL)
		unquote_boolean(&n->value);
	return check_literal(p, n, &at);
}

/* keyword [ operator literal ], a boolean's being folded into its sign */
static struct node *
parse_test(struct parser *p, const struct query_field *f)
{
	struct node *n = parser_node(p, NODE_TEST);

	if (!n)
		return NULL;
	n->field = f;
	parser_advance(p);
	if (!parse_comparison(p, n))
		return NULL;
	if (f->type == QUERY_NUMBER)
		n->range = number_range(n->value.text, f->scale, n->op);
	if (f->type == QUERY_TEXT)
		n->cost = 4;
	if (f->type == QUERY_BOOL && n->op != OP_SET) {
		n->negated = n->value.boolean == (n->op == OP_NE);
		n->op = OP_SET;
	}
	return n;
}

/* Key text between the brackets, quoted or plain. */
static bool
parse_bracket_key(struct parser *p, struct str *key)
{
	struct token at = p->t;
	size_t from = p->pos, to = from;

	parser_advance(p);
	if (p->t.kind == TOKEN_STRING) {
		if (!parser_string(p, key) ||
		    !parser_expect(p, ']', "behind the key"))
			return false;
	} else {
		while (to < p->text.n &&
		       str_find(STR("\"[]{}()"), p->text.p[to]) == SIZE_MAX)
			to++;
		if (to == p->text.n || p->text.p[to] != ']') {
			parser_fail_at(p, &at,
			    "expected ] behind the key of this [");
			return false;
		}
		*key = str_trim(str_sub(p->text, from, to - from));
		p->pos = to + 1;
		parser_advance(p);
	}
	if (key->n == 0)
		parser_fail_at(p, &at, "this annotation has no key");
	return key->n > 0;
}

/* The key of annotation.key, which the lexer took as one word. */
static bool
parse_dot_key(struct parser *p, struct token t, struct str *key)
{
	*key = str_from(t.text, sizeof("annotation.") - 1);
	if (key->n == 0) {
		parser_fail_at(p, &t, "this annotation has no key");
		return false;
	}
	if (str_find(*key, '.') != SIZE_MAX) {
		parser_fail_at(p, &t,
		    "a key with dots stands in brackets: annotation[%.*s]",
		    STR_ARG(str_sub(*key, 0, 80)));
		return false;
	}
	size_t end = t.offset + t.text.n;
	bool plain = end == p->text.n ||
		     str_find(STR("-:/@#$"), p->text.p[end]) == SIZE_MAX;

	for (size_t i = 0; i < key->n; i++)
		plain = plain && (unsigned char)key->p[i] < 0x80;
	if (!plain)
		parser_fail_at(p, &t,
		    "a key of more than letters, digits and _ stands in "
		    "brackets: annotation[…]");
	return plain;
}

/* ANNOTATION ( "." key | "[" key "]" ) [ operator literal ] */
static struct node *
parse_annotation(struct parser *p, const struct query_field *f)
{
	struct node *n = parser_node(p, NODE_ANNOTATION);
	struct token t = p->t;

	if (!n)
		return NULL;
	n->field = f;
	n->cost = 10;
	parser_advance(p);
	if (t.text.n > sizeof("annotation") - 1) {
		if (!parse_dot_key(p, t, &n->key))
			return NULL;
	} else if (!parser_at_mark(p, '[')) {
		return parser_fail_at(p, &t,
		    "expected annotation.key or annotation[key]");
	} else if (!parse_bracket_key(p, &n->key)) {
		return NULL;
	}
	return parse_comparison(p, n) ? n : NULL;
}

/* ( NAME | TYPE | ACCOUNT.ID ) ":" string */
static bool
parse_id_argument(struct parser *p, struct target *target)
{
	struct {
		const char *name;
		bool *has;
		struct str *value;
	} arguments[] = {
		{ "name", &target->has_name, &target->name },
		{ "type", &target->has_type, &target->type },
		{ "account.id", &target->has_account, &target->account },
	};
	char found[FOUND_SIZE];

	for (size_t i = 0; i < sizeof(arguments) / sizeof(arguments[0]); i++) {
		if (!parser_at_word(p, arguments[i].name))
			continue;
		if (*arguments[i].has) {
			parser_fail(p, "%s is given twice", arguments[i].name);
			return false;
		}
		*arguments[i].has = true;
		parser_advance(p);
		if (!parser_expect(p, ':', "and a string"))
			return false;
		if (p->t.kind == TOKEN_STRING)
			return parser_string(p, arguments[i].value);
		parser_fail(p, "expected a string in double quotes, found %s",
		    parser_found(&p->t, found));
		return false;
	}
	parser_fail(p, "id() takes name:, type: and account.id:, found %s",
	    parser_found(&p->t, found));
	return false;
}

/* string | ID "(" id-argument { "," id-argument } ")" */
bool
parser_target(struct parser *p, struct target *target)
{
	char found[FOUND_SIZE];

	if (p->t.kind == TOKEN_STRING) {
		target->has_name = true;
		return parser_string(p, &target->name);
	}
	if (!parser_at_word(p, "id")) {
		parser_fail(p,
		    "expected a name in double quotes or id(…), found %s",
		    parser_found(&p->t, found));
		return false;
	}
	target->by_id = true;
	parser_advance(p);
	if (!parser_expect(p, '(', "behind id") ||
	    !parse_id_argument(p, target))
		return false;
	while (parser_at_mark(p, ',')) {
		parser_advance(p);
		if (!parse_id_argument(p, target))
			return false;
	}
	return parser_expect(p, ')', "or , behind the arguments of id");
}

/* SERVICE "(" [ node ] ")" [ block ] */
static struct node *
parse_service(struct parser *p, const struct query_field *f)
{
	struct node *n = parser_node(p, NODE_SERVICE);

	if (!n)
		return NULL;
	n->field = f;
	parser_advance(p);
	if (!parser_expect(p, '(', "behind service"))
		return NULL;
	n->target.any = parser_at_mark(p, ')');
	if (!n->target.any && !parser_target(p, &n->target))
		return NULL;
	if (parser_at_mark(p, ','))
		return parser_fail(p,
		    "service() takes one node; edge() takes two");
	if (!parser_expect(p, ')', "behind the node") ||
	    !parser_block(p, QUERY_AT_SERVICE, &n->block))
		return NULL;
	return n;
}

/* EDGE "(" [ node "," node ] ")" [ block ] */
static struct node *
parse_edge(struct parser *p, const struct query_field *f)
{
	struct node *n = parser_node(p, NODE_EDGE);

	if (!n)
		return NULL;
	n->field = f;
	parser_advance(p);
	if (!parser_expect(p, '(', "behind edge"))
		return NULL;
	n->target.any = parser_at_mark(p, ')');
	n->callee.any = n->target.any;
	if (!n->target.any && (!parser_target(p, &n->target) ||
				  !parser_expect(p, ',', "and a second node") ||
				  !parser_target(p, &n->callee)))
		return NULL;
	if (parser_at_mark(p, ','))
		return parser_fail(p, "edge() takes two nodes");
	if (!parser_expect(p, ')', "behind the second node") ||
	    !parser_block(p, QUERY_AT_EDGE, &n->block))
		return NULL;
	return n;
}

/* ROOTCAUSE "." cause "." target [ block ] */
static struct node *
parse_cause(struct parser *p, const struct query_field *f)
{
	struct node *n = parser_node(p, NODE_CAUSE);

	if (!n)
		return NULL;
	n->field = f;
	parser_advance(p);
	return parser_block(p, f->target, &n->block) ? n : NULL;
}

/* ROOTCAUSE.JSON ( "=" | "!=" ) "#" json-array */
static struct node *
parse_cause_json(struct parser *p, const struct query_field *f)
{
	struct node *n = parser_node(p, NODE_CAUSE_JSON);

	if (!n)
		return NULL;
	n->field = f;
	parser_advance(p);
	if (!parse_op(p, f, &n->op))
		return NULL;
	if (n->op == OP_SET)
		return parser_fail(p,
		    "expected = or != and a list of root causes: #[…]");
	if (!parser_at_mark(p, '#'))
		return parser_fail(p, "expected # and a list: #[…]");
	size_t from = p->t.offset + 1, to;
	struct token at = p->t;

	at.offset = from;
	parser_advance(p);
	if (p->t.offset != from || !parser_at_mark(p, '['))
		return parser_fail(p, "expected a list behind #: #[…]");
	to = lex_json(p->text, from);
	at.text = str_sub(p->text, from, to ? to - from : SIZE_MAX);
	if (to == 0)
		return parser_fail_at(p, &at, "this list is not closed by ]");
	n->patterns = pattern_parse(at.text, p->arena, &n->n_patterns,
	    &n->value.text, p->bad);
	if (!n->patterns) {
		p->bad->offset += from;
		return NULL;
	}
	n->negated = n->op == OP_NE;
	n->op = OP_EQ;
	p->compared = true;
	p->pos = to;
	parser_advance(p);
	return n;
}

/* ( GROUP.NAME | GROUP.ARN ) ( "=" | "!=" ) string */
static struct node *
parse_group(struct parser *p, const struct query_field *f)
{
	struct node *n = parser_node(p, NODE_GROUP);
	const struct query_group *g = NULL;

	if (!n)
		return NULL;
	n->field = f;
	parser_advance(p);
	struct token at = p->t;

	if (!parse_comparison(p, n))
		return NULL;
	if (n->op == OP_SET)
		return parser_fail_at(p, &at, "expected = or != after %s",
		    f->name);
	n->negated = n->op == OP_NE;
	n->op = OP_EQ;
	if (query_group_is_default(n->value.text))
		return n;
	if (p->groups && f->by == QUERY_GROUP_NAME)
		g = query_groups_by_name(p->groups, n->value.text);
	else if (p->groups)
		g = query_groups_by_arn(p->groups, n->value.text);
	if (!g)
		return parser_fail_at(p, &at, "there is no group \"%.*s\"",
		    STR_ARG(str_sub(n->value.text, 0, 100)));
	return parser_group(p, &at, g->name, g->expression, &n->block) ? n
								       : NULL;
}

/* A word that is no keyword: what the writer may have meant. */
static struct node *
unknown(struct parser *p)
{
	static const struct {
		const char *word, *message;
	} known[] = {
		{ "true", "true is a value, not a condition" },
		{ "false", "false is a value, not a condition" },
		{ "id", "id() names a node; write service(id(…))" },
		{ "contains", "expected a keyword before CONTAINS" },
		{ "beginswith", "expected a keyword before BEGINSWITH" },
		{ "endswith", "expected a keyword before ENDSWITH" },
		{ "like", "there is no LIKE; use CONTAINS, BEGINSWITH or "
			  "ENDSWITH" },
		{ "matches", "there is no MATCHES; use CONTAINS, BEGINSWITH or "
			     "ENDSWITH" },
		{ "in", "there is no IN; join comparisons with OR" },
		{ "startswith", "there is no STARTSWITH; use BEGINSWITH" },
		{ "is", "there is no IS; a keyword alone means that it is "
			"set" },
	};
	char found[FOUND_SIZE];

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (parser_at_word(p, known[i].word))
			return parser_fail(p, "%s", known[i].message);
	const char *near = query_suggest(p->t.text);

	parser_found(&p->t, found);
	if (near)
		return parser_fail(p, "unknown keyword %s; did you mean %s?",
		    found, near);
	return parser_fail(p, "unknown keyword %s", found);
}

struct node *
parser_term(struct parser *p)
{
	static const struct str prefix = { "annotation.", 11 };
	bool dotted = str_eq_nocase(str_sub(p->t.text, 0, prefix.n), prefix);
	const struct query_field *f =
	    query_field_find(dotted ? STR("annotation") : p->t.text);
	static struct node *(*const parse[])(struct parser *,
	    const struct query_field *) = {
		[QUERY_BOOL] = parse_test,
		[QUERY_NUMBER] = parse_test,
		[QUERY_TEXT] = parse_test,
		[QUERY_ANNOTATION] = parse_annotation,
		[QUERY_SERVICE] = parse_service,
		[QUERY_EDGE] = parse_edge,
		[QUERY_GROUP] = parse_group,
		[QUERY_CAUSE] = parse_cause,
		[QUERY_CAUSE_JSON] = parse_cause_json,
	};

	if (!f)
		return unknown(p);
	if ((f->where & p->scope) == 0)
		return parser_fail(p, "%s cannot stand here, only %s", f->name,
		    query_scope_name(f->where));
	p->bare = NULL;
	p->compared = false;
	struct node *n = parse[f->type](p, f);

	if (n && n->block) {
		n->cost = 20 + 4 * n->block->cost;
		n->height = n->block->height + 1;
	} else if (n && n->cost == 1 && f->type >= QUERY_SERVICE) {
		n->cost = 20;
	}
	return n;
}
