/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree as SQL.
 *
 * NULL.  A comparison with a NULL column is NULL, which AND, OR and WHERE take
 * for false; only NOT would not, so a negated term is "(…) IS NOT TRUE".
 *
 * Depth.  SQLite's parser (LALR, 100 symbols deep where the distribution did
 * not change it) pushes one symbol for a bracket at the head of an expression
 * and three behind "a AND"; its trees may be 1000 high, and a AND b AND … is a
 * chain.  So the highest term of a list comes first, and long lists are
 * balanced with brackets.  `stack` is what the parser holds at this point.
 */
#include "query/sql.h"

#include "query/tree.h"

enum {
	STACK_MAX = 90,   /* of SQLite's 100 */
	STACK_EXISTS = 9, /* EXISTS ( SELECT 1 FROM x WHERE x AND */
	FLAT_MAX = 8,     /* terms of a chain */
};

/* The rows that have the trace's number in theirs: see query_sql_schema. */
#define OF_TRACE(row) row ".n BETWEEN t.n << 24 AND t.n << 24 | 16777215"

struct out {
	struct buf *b;
	const char *part;  /* alias of the row that keywords read */
	const char *notes; /* annotation table, and the column it joins by */
	const char *owner;
	int stack;
	int highest; /* that stack has been */
};

static void put_node(struct out *o, const struct node *n);
static void put_terms(struct out *o, const struct node *n);

static void
push(struct out *o, int symbols)
{
	o->stack += symbols;
	if (o->stack > o->highest)
		o->highest = o->stack;
}

static void
pop(struct out *o, int symbols)
{
	o->stack -= symbols;
}

static bool
has_control(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < ' ' || c == 0x7f ||
		    (c == 0xc2 && i + 1 < s.n &&
			(unsigned char)s.p[i + 1] < 0xa0))
			return true;
	}
	return false;
}

/* A string literal: the only way of a text into the clause. */
static void
put_text(struct buf *b, struct str s)
{
	if (has_control(s)) {
		buf_cat(b, "CAST(x'");
		for (size_t i = 0; i < s.n; i++)
			buf_printf(b, "%02x", (unsigned char)s.p[i]);
		buf_cat(b, "' AS TEXT)");
		return;
	}
	buf_char(b, '\'');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\'')
			buf_char(b, '\'');
		buf_char(b, s.p[i]);
	}
	buf_char(b, '\'');
}

/* column op 'text'; by bytes where SQLite would count characters. */
static void
put_text_test(struct buf *b, const char *part, const char *column,
    enum query_op op, struct str text)
{
	bool set = op == OP_SET || (op >= OP_CONTAINS && text.n == 0);

	if (set) {
		buf_printf(b, "%s.%s IS NOT NULL", part, column);
		return;
	}
	if (op == OP_CONTAINS) {
		buf_printf(b, "instr(%s.%s, ", part, column);
		put_text(b, text);
		buf_cat(b, ") > 0");
		return;
	}
	if (op == OP_EQ || op == OP_NE) {
		buf_printf(b, "%s.%s %s ", part, column,
		    op == OP_EQ ? "=" : "<>");
		put_text(b, text);
		return;
	}
	buf_printf(b, "substr(CAST(%s.%s AS BLOB), ", part, column);
	if (op == OP_BEGINS)
		buf_printf(b, "1, %zu) = CAST(", text.n);
	else
		buf_printf(b, "-%zu) = CAST(", text.n);
	put_text(b, text);
	buf_cat(b, " AS BLOB)");
}

static void
put_range(struct buf *b, const char *part, const char *column, struct range r)
{
	if (r.lo > r.hi) {
		buf_char(b, '0');
		return;
	}
	buf_printf(b, "%s.%s", part, column);
	if (r.lo == r.hi) {
		buf_cat(b, r.outside ? " <> " : " = ");
		buf_i64(b, r.lo);
	} else if (r.hi < INT64_MAX) {
		buf_cat(b, " <= ");
		buf_i64(b, r.hi);
	} else if (r.lo > INT64_MIN + 1) {
		buf_cat(b, " >= ");
		buf_i64(b, r.lo);
	} else {
		buf_cat(b, " IS NOT NULL");
	}
}

static void
put_test(struct out *o, const struct node *n)
{
	const struct query_field *f = n->field;

	if (f->type == QUERY_BOOL) {
		buf_printf(o->b, "%s.%s = %d", o->part, f->column, 1);
	} else if (f->type == QUERY_NUMBER) {
		put_range(o->b, o->part, f->column, n->range);
	} else if (n->scope == QUERY_AT_TRACE && f->list != VIEW_LISTS) {
		buf_printf(o->b,
		    "EXISTS (SELECT 1 FROM trace_values v WHERE v.trace = t.n"
		    " AND v.field = '%s' AND ",
		    f->name);
		put_text_test(o->b, "v", "text", n->op, n->value.text);
		buf_char(o->b, ')');
	} else {
		put_text_test(o->b, o->part, f->column, n->op, n->value.text);
	}
}

static void
put_value_test(struct buf *b, const struct node *n)
{
	if (n->op == OP_SET) {
		buf_cat(b, "a.boolean IS NOT 0");
		return;
	}
	switch (n->value.kind) {
	case VIEW_STRING:
		put_text_test(b, "a", "text", n->op, n->value.text);
		break;
	case VIEW_NUMBER:
		buf_printf(b, "a.number %s ", query_op_name(n->op));
		number_put(b, n->value.number);
		break;
	case VIEW_BOOLEAN:
		buf_printf(b, "a.boolean %s %d", query_op_name(n->op),
		    n->value.boolean);
		break;
	}
}

static void
put_annotation(struct out *o, const struct node *n)
{
	buf_printf(o->b,
	    "EXISTS (SELECT 1 FROM %s a WHERE a.%s = %s.n AND a.key = ",
	    o->notes, o->owner, o->part);
	put_text(o->b, n->key);
	buf_cat(o->b, " AND ");
	put_value_test(o->b, n);
	buf_char(o->b, ')');
}

static void
put_asked(struct buf *b, const char *column, bool has, struct str want)
{
	if (!has)
		return;
	buf_printf(b, " AND %s = ", column);
	put_text(b, want);
}

/* The block's condition on another row than the trace's. */
static void
put_block(struct out *o, const struct node *block, const char *part,
    const char *notes, const char *owner)
{
	struct out inner = *o;

	if (!block)
		return;
	inner.part = part;
	inner.notes = notes;
	inner.owner = owner;
	buf_cat(o->b, " AND (");
	if ((block->kind == NODE_AND || block->kind == NODE_OR) &&
	    !block->negated)
		put_terms(&inner, block);
	else
		put_node(&inner, block);
	buf_char(o->b, ')');
	if (inner.highest > o->highest)
		o->highest = inner.highest;
}

static void
put_service(struct out *o, const struct node *n)
{
	const struct target *w = &n->target;

	buf_cat(o->b,
	    "EXISTS (SELECT 1 FROM trace_services s WHERE " OF_TRACE("s"));
	put_asked(o->b, "s.name", w->has_name, w->name);
	put_asked(o->b, "s.type", w->has_type, w->type);
	put_asked(o->b, "s.account", w->has_account, w->account);
	if (n->block || !(w->has_name || w->has_type))
		buf_cat(o->b, " AND s.client_node = 0");
	put_block(o, n->block, "s", "service_annotations", "service");
	buf_char(o->b, ')');
}

static void
put_edge(struct out *o, const struct node *n)
{
	const struct target *from = &n->target, *to = &n->callee;

	buf_cat(o->b,
	    "EXISTS (SELECT 1 FROM trace_edges e WHERE " OF_TRACE("e"));
	put_asked(o->b, "e.from_name", from->has_name, from->name);
	put_asked(o->b, "e.from_type", from->has_type, from->type);
	put_asked(o->b, "e.from_account", from->has_account, from->account);
	put_asked(o->b, "e.to_name", to->has_name, to->name);
	put_asked(o->b, "e.to_type", to->has_type, to->type);
	put_asked(o->b, "e.to_account", to->has_account, to->account);
	if (!from->has_type && (n->block || !from->has_name))
		buf_cat(o->b, " AND e.from_client = 0");
	if (!to->has_type && (n->block || !to->has_name))
		buf_cat(o->b, " AND e.to_client = 0");
	put_block(o, n->block, "e", "edge_annotations", "edge");
	buf_char(o->b, ')');
}

static const char *const cause_names[VIEW_CAUSES] = {
	[VIEW_CAUSE_FAULT] = "fault",
	[VIEW_CAUSE_ERROR] = "error",
	[VIEW_CAUSE_RESPONSETIME] = "responsetime",
};

static void
put_cause(struct out *o, const struct node *n)
{
	unsigned target = n->field->target;
	const char *part = "cs";

	buf_cat(o->b, "EXISTS (SELECT 1 FROM trace_causes c"
		      " JOIN cause_services cs ON cs.cause = c.n");
	if (!(target & QUERY_AT_CAUSE_SERVICE)) {
		buf_cat(o->b, " JOIN cause_entities ce ON ce.service = cs.n");
		part = "ce";
	}
	if (target & QUERY_AT_CAUSE_EXCEPTION) {
		buf_cat(o->b, " JOIN cause_exceptions cx ON cx.entity = ce.n");
		part = "cx";
	}
	buf_printf(o->b, " WHERE c.trace = t.n AND c.kind = '%s'",
	    cause_names[n->field->cause]);
	put_block(o, n->block, part, "", "");
	buf_char(o->b, ')');
}

static void
put_flag(struct buf *b, const char *column, enum tristate want)
{
	if (want != TRI_ANY)
		buf_printf(b, " AND %s = %d", column, want == TRI_TRUE);
}

static void
put_entity_pattern(struct buf *b, const struct entity_pattern *p, size_t place)
{
	buf_printf(b,
	    " AND EXISTS (SELECT 1 FROM cause_entities pe"
	    " WHERE pe.service = ps.n AND pe.place = %zu",
	    place);
	put_asked(b, "pe.name", p->has_name, p->name);
	put_flag(b, "pe.remote", p->remote);
	if (p->has_coverage) {
		buf_cat(b, " AND ");
		put_range(b, "pe", "coverage", p->coverage);
	}
	if (p->has_exceptions)
		buf_printf(b, " AND pe.exceptions = %zu", p->n_exceptions);
	for (size_t i = 0; i < p->n_exceptions; i++) {
		const struct exception_pattern *x = &p->exceptions[i];

		buf_printf(b,
		    " AND EXISTS (SELECT 1 FROM cause_exceptions px"
		    " WHERE px.entity = pe.n AND px.place = %zu",
		    i);
		put_asked(b, "px.name", x->has_name, x->name);
		put_asked(b, "px.message", x->has_message, x->message);
		buf_char(b, ')');
	}
	buf_char(b, ')');
}

static void
put_service_pattern(struct buf *b, const struct service_pattern *p,
    size_t place)
{
	buf_printf(b,
	    " AND EXISTS (SELECT 1 FROM cause_services ps"
	    " WHERE ps.cause = pc.n AND ps.place = %zu",
	    place);
	if (p->never)
		buf_cat(b, " AND 0");
	put_asked(b, "ps.name", p->has_name, p->name);
	put_asked(b, "ps.name", p->has_names, p->names);
	put_asked(b, "ps.type", p->has_type, p->type);
	put_asked(b, "ps.account", p->has_account, p->account);
	put_flag(b, "ps.inferred", p->inferred);
	if (p->has_entities)
		buf_printf(b, " AND ps.entities = %zu", p->n_entities);
	for (size_t i = 0; i < p->n_entities; i++)
		put_entity_pattern(b, &p->entities[i], i);
	buf_char(b, ')');
}

static void
put_cause_pattern(struct buf *b, const struct cause_pattern *p)
{
	buf_cat(b,
	    "EXISTS (SELECT 1 FROM trace_causes pc WHERE pc.trace = t.n");
	put_flag(b, "pc.client_impacting", p->client_impacting);
	if (p->has_services)
		buf_printf(b, " AND pc.services = %zu", p->n_services);
	for (size_t i = 0; i < p->n_services; i++)
		put_service_pattern(b, &p->services[i], i);
	buf_char(b, ')');
}

static void
put_patterns(struct out *o, const struct node *n)
{
	push(o, 3 * STACK_EXISTS);
	if (n->n_patterns == 0)
		buf_char(o->b, '0');
	for (size_t i = 0; i < n->n_patterns; i++) {
		buf_cat(o->b, i > 0 ? " OR " : "(");
		put_cause_pattern(o->b, &n->patterns[i]);
	}
	if (n->n_patterns > 0)
		buf_char(o->b, ')');
	pop(o, 3 * STACK_EXISTS);
}

/* The i-th term of a list whose highest comes first. */
static const struct node *
term(const struct node *n, size_t highest, size_t i)
{
	if (i == 0)
		return n->kids[highest];
	return n->kids[i <= highest ? i - 1 : i];
}

static size_t
find_highest(const struct node *n)
{
	size_t best = 0;

	for (size_t i = 1; i < n->n; i++)
		if (n->kids[i]->height > n->kids[best]->height)
			best = i;
	return best;
}

struct span {
	const struct node *list;
	size_t highest;
	size_t from, to;
};

/* AND binds tighter than OR: within one it needs no brackets. */
static void
put_flat(struct out *o, struct span s, const char *joint)
{
	for (size_t i = s.from; i < s.to; i++) {
		int behind = i > s.from ? 2 : 0;

		if (behind)
			buf_cat(o->b, joint);
		push(o, behind);
		const struct node *n = term(s.list, s.highest, i);

		if (n->kind == NODE_AND && !n->negated)
			put_terms(o, n);
		else
			put_node(o, n);
		pop(o, behind);
	}
}

/* A long list as a balanced tree of brackets. */
static void
put_span(struct out *o, struct span s, const char *joint)
{
	struct span left = s, right = s;

	if (s.to - s.from <= FLAT_MAX) {
		put_flat(o, s, joint);
		return;
	}
	left.to = s.from == 0 ? 1 : s.from + (s.to - s.from) / 2;
	right.from = left.to;
	buf_char(o->b, '(');
	push(o, 1);
	put_span(o, left, joint);
	buf_cat(o->b, ")");
	buf_cat(o->b, joint);
	buf_char(o->b, '(');
	push(o, 2);
	put_span(o, right, joint);
	pop(o, 3);
	buf_char(o->b, ')');
}

/* A list without brackets of its own. */
static void
put_terms(struct out *o, const struct node *n)
{
	struct span all = { n, find_highest(n), 0, n->n };

	put_span(o, all, n->kind == NODE_AND ? " AND " : " OR ");
}

static void
put_list(struct out *o, const struct node *n)
{
	buf_char(o->b, '(');
	push(o, 1);
	put_terms(o, n);
	pop(o, 1);
	buf_char(o->b, ')');
}

static void
put_plain(struct out *o, const struct node *n)
{
	switch (n->kind) {
	case NODE_ALL:
		buf_char(o->b, '1');
		return;
	case NODE_AND:
	case NODE_OR:
		put_list(o, n);
		return;
	case NODE_TEST:
		push(o, STACK_EXISTS);
		put_test(o, n);
		break;
	case NODE_ANNOTATION:
		push(o, STACK_EXISTS);
		put_annotation(o, n);
		break;
	case NODE_SERVICE:
		push(o, STACK_EXISTS);
		put_service(o, n);
		break;
	case NODE_EDGE:
		push(o, STACK_EXISTS);
		put_edge(o, n);
		break;
	case NODE_CAUSE:
		push(o, STACK_EXISTS);
		put_cause(o, n);
		break;
	case NODE_CAUSE_JSON:
		put_patterns(o, n);
		return;
	case NODE_GROUP:
		if (n->block)
			put_node(o, n->block);
		else
			buf_char(o->b, '1');
		return;
	}
	pop(o, STACK_EXISTS);
}

static void
put_node(struct out *o, const struct node *n)
{
	if (!n->negated) {
		put_plain(o, n);
		return;
	}
	if (n->kind == NODE_TEST && n->field->type == QUERY_BOOL) {
		buf_printf(o->b, "%s.%s = %d", o->part, n->field->column, 0);
		return;
	}
	if (n->kind == NODE_AND || n->kind == NODE_OR) {
		put_list(o, n);
	} else {
		buf_char(o->b, '(');
		push(o, 1);
		put_plain(o, n);
		pop(o, 1);
		buf_char(o->b, ')');
	}
	buf_cat(o->b, " IS NOT TRUE");
}

int
query_sql(struct buf *b, const struct query *q, struct err *err)
{
	size_t before = b->n;
	struct out o = {
		.b = b,
		.part = "t",
		.notes = "trace_annotations",
		.owner = "trace",
		.stack = 10,
	};

	put_node(&o, q->root);
	if (o.highest <= STACK_MAX)
		return 0;
	b->n = before;
	return err_set(err, "the expression's brackets are nested too deeply "
			    "for SQLite");
}
