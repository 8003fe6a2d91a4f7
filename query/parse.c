/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parser: recursive descent, one token ahead, the production above each
 * function.  It makes the normal tree of query/tree.h straight away.
 *
 * Bounded: the text's length, the depth of brackets and groups, and the number
 * of nodes, groups included, so that groups of groups cannot blow it up.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/mem.h"
#include "query/parser.h"

void
parser_advance(struct parser *p)
{
	p->t = lex_next(p->text, &p->pos);
}

const char *
parser_found(const struct token *t, char out[FOUND_SIZE])
{
	size_t n = 0;
	struct str s = t->text;

	if (t->kind == TOKEN_END)
		return "the end";
	while (s.n) {
		size_t wide = utf8_length(s);

		if (wide == 0 || n + wide > FOUND_SIZE - 4) {
			memcpy(out + n, "...", 3);
			n += 3;
			break;
		}
		memcpy(out + n, s.p, wide);
		if ((unsigned char)out[n] < ' ' || out[n] == 0x7f)
			out[n] = ' ';
		n += wide;
		s = str_from(s, wide);
	}
	out[n] = '\0';
	return out;
}

static void set_error(struct parser *p, const struct token *at, const char *fmt,
    va_list ap) __attribute__((format(printf, 3, 0)));

static void
set_error(struct parser *p, const struct token *at, const char *fmt, va_list ap)
{
	p->bad->offset = at->offset;
	p->bad->length = at->kind == TOKEN_END ? 0 : at->text.n;
	vsnprintf(p->bad->text, sizeof(p->bad->text), fmt, ap);
}

struct node *
parser_fail_at(struct parser *p, const struct token *at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set_error(p, at, fmt, ap);
	va_end(ap);
	return NULL;
}

struct node *
parser_fail(struct parser *p, const char *fmt, ...)
{
	va_list ap;

	if (p->t.kind == TOKEN_BAD)
		return parser_fail_at(p, &p->t, "%s", p->t.bad);
	va_start(ap, fmt);
	set_error(p, &p->t, fmt, ap);
	va_end(ap);
	return NULL;
}

bool
parser_at_word(const struct parser *p, const char *word)
{
	return p->t.kind == TOKEN_WORD &&
	       str_eq_nocase(p->t.text, str_of(word));
}

bool
parser_at_mark(const struct parser *p, char mark)
{
	return p->t.kind == TOKEN_MARK && p->t.mark == mark;
}

bool
parser_expect(struct parser *p, char mark, const char *what)
{
	char found[FOUND_SIZE];

	if (!parser_at_mark(p, mark)) {
		parser_fail(p, "expected %c %s, found %s", mark, what,
		    parser_found(&p->t, found));
		return false;
	}
	parser_advance(p);
	return true;
}

bool
parser_string(struct parser *p, struct str *value)
{
	struct token t = p->t;
	struct buf b = { 0 };
	size_t at = 0;
	const char *why;
	bool fine = lex_string(t.text, &b, &at, &why);

	*value = arena_dup(p->arena, buf_view(&b));
	buf_fini(&b);
	if (!fine) {
		t.offset += at;
		t.text = str_from(t.text, at);
		t.text.n = t.text.p[0] == '\\' ? 2 : 1;
		parser_fail_at(p, &t, "%s", why);
		return false;
	}
	parser_advance(p);
	return true;
}

struct node *
parser_node(struct parser *p, enum node_kind kind)
{
	if (++*p->nodes > QUERY_NODES_MAX)
		return parser_fail(p,
		    "the expression with its groups has more than %d terms",
		    QUERY_NODES_MAX);
	struct node *n = arena_alloc(p->arena, sizeof(*n));

	*n = (struct node){ .kind = kind, .scope = p->scope, .cost = 1 };
	return n;
}

/* The terms of an AND or OR while they are read. */
struct list {
	enum node_kind kind;
	struct node *head, **tail;
	size_t n;
};

/* A list in a list of the same kind gives its terms. */
static void
list_add(struct list *l, struct node *n)
{
	if (n->kind == l->kind && !n->negated) {
		for (size_t i = 0; i < n->n; i++) {
			n->kids[i]->next = NULL;
			list_add(l, n->kids[i]);
		}
		return;
	}
	n->next = NULL;
	*l->tail = n;
	l->tail = &n->next;
	l->n++;
}

static int
by_cost(const void *a, const void *b)
{
	const struct node *const *x = a, *const *y = b;

	return (*x)->cost < (*y)->cost ? -1 : (*x)->cost > (*y)->cost;
}

/* One term is itself; more make a node. */
static struct node *
list_node(struct parser *p, const struct list *l)
{
	if (l->n == 1)
		return l->head;
	struct node *n = parser_node(p, l->kind);
	size_t i = 0;

	if (!n)
		return NULL;
	n->n = l->n;
	n->kids = arena_alloc(p->arena, l->n * sizeof(struct node *));
	n->by_cost = arena_alloc(p->arena, l->n * sizeof(struct node *));
	for (struct node *k = l->head; k; k = k->next) {
		n->kids[i] = k;
		n->by_cost[i++] = k;
		n->cost += k->cost;
		if (k->height >= n->height)
			n->height = k->height + 1;
	}
	qsort(n->by_cost, n->n, sizeof(struct node *), by_cost);
	return n;
}

static struct node *parse_or(struct parser *p);

static bool
enter(struct parser *p)
{
	if (p->depth >= QUERY_DEPTH_MAX) {
		parser_fail(p,
		    "brackets and groups are nested more than %d deep",
		    QUERY_DEPTH_MAX);
		return false;
	}
	p->depth++;
	return true;
}

/* Where a bracket was opened, in characters from 1, for its closing one. */
static bool
close_bracket(struct parser *p, char mark, size_t opened)
{
	char what[48];
	size_t character = 1;

	for (size_t at = 0; at < opened; character++)
		at += utf8_length(str_from(p->text, at));
	snprintf(what, sizeof(what), "for the %c at character %zu",
	    mark == ')' ? '(' : '{', character);
	return parser_expect(p, mark, what);
}

/* "(" or-expr ")" */
static struct node *
parse_parenthesis(struct parser *p)
{
	size_t opened = p->t.offset;

	if (!enter(p))
		return NULL;
	parser_advance(p);
	if (parser_at_mark(p, ')'))
		return parser_fail(p, "there is nothing between ( and )");
	struct node *n = parse_or(p);

	if (!n || !close_bracket(p, ')', opened))
		return NULL;
	p->depth--;
	return n;
}

bool
parser_block(struct parser *p, unsigned scope, const struct node **block)
{
	size_t opened = p->t.offset;
	unsigned outer = p->scope;

	if (!parser_at_mark(p, '{'))
		return true;
	if (!enter(p))
		return false;
	parser_advance(p);
	p->bare = NULL;
	if (parser_at_mark(p, '}')) {
		parser_fail(p, "there is nothing between { and }; leave them "
			       "out");
		return false;
	}
	p->scope = scope;
	*block = parse_or(p);
	p->scope = outer;
	if (!*block || !close_bracket(p, '}', opened))
		return false;
	p->depth--;
	return true;
}

/* Why the token ahead cannot begin a condition. */
static struct node *
no_condition(struct parser *p, bool first)
{
	char found[FOUND_SIZE];

	parser_found(&p->t, found);
	switch (p->t.kind) {
	case TOKEN_STRING:
	case TOKEN_NUMBER:
		if (p->bare)
			return parser_fail(p,
			    "expected an operator between %s and %s",
			    p->bare->name, found);
		return parser_fail(p, "%s is a value, not a condition", found);
	case TOKEN_OP:
		if (p->compared)
			return parser_fail(p,
			    "comparisons do not chain; join them with AND");
		return parser_fail(p, "expected a keyword before %s", found);
	case TOKEN_MARK:
		if (p->t.mark == ')' || p->t.mark == '}')
			return parser_fail(p, "expected a condition before %s",
			    found);
		break;
	case TOKEN_END:
		return parser_fail(p, "expected a condition, found the end");
	case TOKEN_WORD:
	case TOKEN_NOT:
	case TOKEN_BAD:
		break;
	}
	return parser_fail(p,
	    first ? "expected a condition, found %s"
		  : "expected AND, OR or the end of the expression, found %s",
	    found);
}

/*
 * { "!" | NOT } ( "(" or-expr ")" | term )
 *
 * `first`: nothing stands before it that it could be joined to.
 */
static struct node *
parse_unary(struct parser *p, bool first)
{
	bool negated = false;
	struct node *n;

	while (p->t.kind == TOKEN_NOT || parser_at_word(p, "NOT")) {
		negated = !negated;
		first = true;
		p->bare = NULL;
		parser_advance(p);
	}
	if (parser_at_word(p, "AND") || parser_at_word(p, "OR"))
		return parser_fail(p, "expected a condition before %.*s",
		    STR_ARG(p->t.text));
	if (parser_at_mark(p, '('))
		n = parse_parenthesis(p);
	else if (p->t.kind == TOKEN_WORD)
		n = parser_term(p);
	else
		return no_condition(p, first);
	if (n && negated)
		n->negated = !n->negated;
	return n;
}

/* Whether an and-expr ends at the token ahead. */
static bool
at_and_end(const struct parser *p)
{
	return p->t.kind == TOKEN_END || parser_at_word(p, "OR") ||
	       parser_at_mark(p, ')') || parser_at_mark(p, '}');
}

/* unary { [ AND ] unary } */
static struct node *
parse_and(struct parser *p)
{
	struct list l = { .kind = NODE_AND };
	bool first = true;

	l.tail = &l.head;
	do {
		struct node *n = parse_unary(p, first);

		if (!n)
			return NULL;
		list_add(&l, n);
		first = parser_at_word(p, "AND");
		if (first) {
			p->bare = NULL;
			p->compared = false;
			parser_advance(p);
		}
	} while (first || !at_and_end(p));
	return list_node(p, &l);
}

/* and-expr { OR and-expr } */
static struct node *
parse_or(struct parser *p)
{
	struct list l = { .kind = NODE_OR };
	bool more;

	l.tail = &l.head;
	do {
		p->bare = NULL;
		p->compared = false;
		struct node *n = parse_and(p);

		if (!n)
			return NULL;
		list_add(&l, n);
		more = parser_at_word(p, "OR");
		if (more)
			parser_advance(p);
	} while (more);
	return list_node(p, &l);
}

/* [ or-expr ] */
static struct node *
parse_expression(struct parser *p)
{
	parser_advance(p);
	if (p->t.kind == TOKEN_END)
		return parser_node(p, NODE_ALL);
	struct node *n = parse_or(p);

	if (n && p->t.kind != TOKEN_END)
		return parser_fail(p, "this %.*s closes nothing",
		    STR_ARG(p->t.text));
	return n;
}

/* UTF-8 without NUL and not too long, before anything else looks at it. */
static bool
check_text(struct str text, size_t most, struct query_error *bad)
{
	size_t n;

	if (text.n > most) {
		bad->offset = most;
		snprintf(bad->text, sizeof(bad->text),
		    "the expression has %zu bytes; at most %zu are allowed",
		    text.n, most);
		return false;
	}
	for (size_t at = 0; at < text.n; at += n) {
		n = utf8_length(str_from(text, at));
		if (n > 0 && text.p[at] != '\0')
			continue;
		*bad = (struct query_error){ .offset = at, .length = 1 };
		snprintf(bad->text, sizeof(bad->text), "%s",
		    n > 0 ? "an expression cannot hold the character 0"
			  : "the expression is not UTF-8 here");
		return false;
	}
	return true;
}

struct node *
parser_group(struct parser *p, const struct token *at, struct str name,
    struct str expression, const struct node **block)
{
	struct query_error inner = { 0 };
	struct open_group open = { name, p->open };
	struct parser sub = {
		.text = arena_dup(p->arena, expression),
		.arena = p->arena,
		.bad = &inner,
		.groups = p->groups,
		.open = &open,
		.nodes = p->nodes,
		.depth = p->depth,
		.scope = QUERY_AT_TRACE,
	};
	struct node *n = NULL;

	for (const struct open_group *o = p->open; o; o = o->up)
		if (str_eq(o->name, name))
			return parser_fail_at(p, at,
			    "the group \"%.*s\" refers to itself",
			    STR_ARG(name));
	if (!enter(p))
		return NULL;
	sub.depth = p->depth;
	if (check_text(expression, QUERY_BYTES_MAX, &inner))
		n = parse_expression(&sub);
	p->depth--;
	if (!n)
		return parser_fail_at(p, at, "in group \"%.*s\": %.180s",
		    STR_ARG(str_sub(name, 0, 40)), inner.text);
	*block = n;
	return n;
}

static struct query *
finish(struct arena *arena, const struct node *root)
{
	if (!root) {
		arena_fini(arena);
		return NULL;
	}
	struct query *q = xcalloc(1, sizeof(*q));

	q->arena = *arena;
	q->root = root;
	return q;
}

struct query *
query_parse(struct str text, const struct query_groups *groups,
    struct query_error *bad)
{
	struct arena arena = { 0 };
	size_t nodes = 0;
	struct parser p = {
		.arena = &arena,
		.bad = bad,
		.groups = groups,
		.nodes = &nodes,
		.scope = QUERY_AT_TRACE,
	};

	*bad = (struct query_error){ 0 };
	if (!check_text(text, QUERY_BYTES_MAX, bad))
		return NULL;
	p.text = arena_dup(&arena, text);
	return finish(&arena, parse_expression(&p));
}

/* id-call | SERVICE "(" … ")" [ block ] | EDGE "(" … ")" [ block ] */
struct query *
query_parse_selector(struct str text, struct query_error *bad)
{
	struct arena arena = { 0 };
	size_t nodes = 0;
	struct parser p = {
		.arena = &arena,
		.bad = bad,
		.nodes = &nodes,
		.scope = QUERY_AT_TRACE,
	};
	struct node *n = NULL;
	char found[FOUND_SIZE];

	*bad = (struct query_error){ 0 };
	if (!check_text(text, QUERY_SELECTOR_MAX, bad))
		return NULL;
	p.text = arena_dup(&arena, text);
	parser_advance(&p);
	if (parser_at_word(&p, "id")) {
		n = parser_node(&p, NODE_SERVICE);
		n->field = query_field_find(STR("service"));
		if (!parser_target(&p, &n->target))
			n = NULL;
	} else if (parser_at_word(&p, "service") ||
		   parser_at_word(&p, "edge")) {
		n = parser_term(&p);
	} else {
		parser_fail(&p, "expected id(), service() or edge(), found %s",
		    parser_found(&p.t, found));
	}
	if (n && p.t.kind != TOKEN_END)
		n = parser_fail(&p,
		    "expected the end of the selector, found "
		    "%s",
		    parser_found(&p.t, found));
	return finish(&arena, n);
}

void
query_free(struct query *q)
{
	if (!q)
		return;
	struct arena arena = q->arena;

	free(q);
	arena_fini(&arena);
}
