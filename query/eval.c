/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The evaluator: a walk over the tree, no memory, no failure.
 *
 * Terms of a list are tried cheapest first (node->by_cost); since evaluation
 * has no effects and cannot fail, the order is invisible.  A part is what the
 * keywords read at the place where they stand: the trace, one segment, one
 * call, one element of a list of causes.  `t` is NULL inside of a block.
 */
#include "query/tree.h"

#include <assert.h>

static bool match(const struct node *n, const struct view_part *part,
    const struct trace_view *t);

static bool
text_matches(enum query_op op, struct str text, struct str literal)
{
	switch (op) {
	case OP_EQ:
		return str_eq(text, literal);
	case OP_NE:
		return !str_eq(text, literal);
	case OP_CONTAINS:
		return str_find_str(text, literal) != SIZE_MAX;
	case OP_BEGINS:
		return str_starts(text, literal);
	case OP_ENDS:
		return str_ends(text, literal);
	case OP_SET:
	case OP_LT:
	case OP_LE:
	case OP_GT:
	case OP_GE:
		break;
	}
	return true;
}

static bool
number_matches(enum query_op op, double v, double literal)
{
	switch (op) {
	case OP_EQ:
		return v >= literal && v <= literal;
	case OP_NE:
		return v < literal || v > literal;
	case OP_LT:
		return v < literal;
	case OP_LE:
		return v <= literal;
	case OP_GT:
		return v > literal;
	case OP_GE:
		return v >= literal;
	case OP_SET:
	case OP_CONTAINS:
	case OP_BEGINS:
	case OP_ENDS:
		break;
	}
	return true;
}

static bool
in_range(struct range r, int64_t v)
{
	if (r.outside)
		return v != VIEW_NONE && (v < r.lo || v > r.hi);
	return v >= r.lo && v <= r.hi;
}

/* Some text of the list satisfies the comparison. */
static bool
match_texts(const struct node *n, const struct view_texts *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->v[i].n &&
		    text_matches(n->op, list->v[i], n->value.text))
			return true;
	return false;
}

static struct str
part_text(const struct view_part *part, size_t offset)
{
	return *(const struct str *)(const void *)((const char *)part + offset);
}

static int64_t
part_number(const struct view_part *part, size_t offset)
{
	return *(const int64_t *)(const void *)((const char *)part + offset);
}

static bool
match_test(const struct node *n, const struct view_part *part,
    const struct trace_view *t)
{
	const struct query_field *f = n->field;

	if (f->type == QUERY_BOOL)
		return (part->flags & f->flag) != 0;
	if (f->type == QUERY_NUMBER)
		return in_range(n->range, part_number(part, f->offset));
	if (t && f->list != VIEW_LISTS)
		return match_texts(n, &t->lists[f->list]);
	struct str text = part_text(part, f->offset);

	return text.n && text_matches(n->op, text, n->value.text);
}

static bool
value_matches(const struct node *n, const struct view_annotation *a)
{
	if (n->op == OP_SET)
		return a->kind != VIEW_BOOLEAN || a->boolean;
	if (a->kind != n->value.kind)
		return false;
	switch (a->kind) {
	case VIEW_STRING:
		return text_matches(n->op, a->text, n->value.text);
	case VIEW_NUMBER:
		return number_matches(n->op, a->number, n->value.number);
	case VIEW_BOOLEAN:
		return (a->boolean == n->value.boolean) == (n->op == OP_EQ);
	}
	return false;
}

static bool
match_annotation(const struct node *n, const struct view_annotations *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (str_eq(list->v[i].key, n->key) &&
		    value_matches(n, &list->v[i]))
			return true;
	return false;
}

static bool
asked(bool has, struct str want, struct str is)
{
	return !has || (is.n && str_eq(want, is));
}

/* See query/view.h on the client node. */
static bool
match_target(const struct target *want, const struct view_node *is, bool block)
{
	if (is->client && !want->has_type && (block || !want->has_name))
		return false;
	return asked(want->has_name, want->name, is->name) &&
	       asked(want->has_type, want->type, is->type) &&
	       asked(want->has_account, want->account, is->account);
}

static bool
match_service(const struct node *n, const struct view_part *s)
{
	struct view_node node = { s->name, s->type, s->account,
		(s->flags & VIEW_CLIENT) != 0 };

	if (node.client && n->block)
		return false;
	return match_target(&n->target, &node, n->block != NULL) &&
	       (!n->block || match(n->block, s, NULL));
}

static bool
match_services(const struct node *n, const struct trace_view *t)
{
	assert(t); /* the parser has none of these three in a block */
	for (size_t i = 0; i < t->n_services; i++)
		if (match_service(n, &t->services[i]))
			return true;
	return false;
}

static bool
match_edge(const struct node *n, const struct view_edge *e)
{
	bool block = n->block != NULL;

	return match_target(&n->target, &e->from, block) &&
	       match_target(&n->callee, &e->to, block) &&
	       (!block || match(n->block, &e->part, NULL));
}

static bool
match_edges(const struct node *n, const struct trace_view *t)
{
	assert(t);
	for (size_t i = 0; i < t->n_edges; i++)
		if (match_edge(n, &t->edges[i]))
			return true;
	return false;
}

/* An element of a list of causes at its place. */
static bool
match_element(const struct node *n, struct view_part *element, size_t i,
    size_t of)
{
	if (!n->block)
		return true;
	element->place = (int64_t)i;
	if (i == 0)
		element->flags |= VIEW_FIRST;
	if (i + 1 == of)
		element->flags |= VIEW_LAST;
	return match(n->block, element, NULL);
}

static bool
match_exceptions(const struct node *n, const struct view_entity *e)
{
	for (size_t i = 0; i < e->n_exceptions; i++) {
		struct view_part x = VIEW_PART_NONE;

		x.name = e->exceptions[i].name;
		x.message = e->exceptions[i].message;
		if (match_element(n, &x, i, e->n_exceptions))
			return true;
	}
	return false;
}

static bool
match_entities(const struct node *n, const struct view_cause_service *s)
{
	for (size_t i = 0; i < s->n_entities; i++) {
		const struct view_entity *e = &s->entities[i];
		struct view_part x = VIEW_PART_NONE;

		if (n->field->target & QUERY_AT_CAUSE_EXCEPTION) {
			if (match_exceptions(n, e))
				return true;
			continue;
		}
		x.name = e->name;
		x.coverage = e->coverage;
		x.flags = e->remote ? VIEW_REMOTE : 0;
		if (match_element(n, &x, i, s->n_entities))
			return true;
	}
	return false;
}

static bool
match_cause_services(const struct node *n, const struct view_cause *c)
{
	for (size_t i = 0; i < c->n_services; i++) {
		const struct view_cause_service *s = &c->services[i];
		struct view_part x = VIEW_PART_NONE;

		if (!(n->field->target & QUERY_AT_CAUSE_SERVICE)) {
			if (match_entities(n, s))
				return true;
			continue;
		}
		x.name = s->name;
		x.type = s->type;
		x.account = s->account;
		x.flags = s->inferred ? VIEW_INFERRED : 0;
		if (match_element(n, &x, i, c->n_services))
			return true;
	}
	return false;
}

static bool
match_causes(const struct node *n, const struct trace_view *t)
{
	assert(t);

	const struct view_causes *causes = &t->causes[n->field->cause];

	for (size_t i = 0; i < causes->n; i++)
		if (match_cause_services(n, &causes->v[i]))
			return true;
	return false;
}

static bool
match_list(const struct node *n, const struct view_part *part,
    const struct trace_view *t)
{
	bool decides = n->kind == NODE_OR;

	for (size_t i = 0; i < n->n; i++)
		if (match(n->by_cost[i], part, t) == decides)
			return decides;
	return !decides;
}

static bool
match_plain(const struct node *n, const struct view_part *part,
    const struct trace_view *t)
{
	switch (n->kind) {
	case NODE_ALL:
		return true;
	case NODE_AND:
	case NODE_OR:
		return match_list(n, part, t);
	case NODE_TEST:
		return match_test(n, part, t);
	case NODE_ANNOTATION:
		return match_annotation(n, &part->annotations);
	case NODE_SERVICE:
		return match_services(n, t);
	case NODE_EDGE:
		return match_edges(n, t);
	case NODE_CAUSE:
		return match_causes(n, t);
	case NODE_CAUSE_JSON:
		return pattern_match(n, t);
	case NODE_GROUP:
		return !n->block || match(n->block, part, t);
	}
	return false;
}

static bool
match(const struct node *n, const struct view_part *part,
    const struct trace_view *t)
{
	return match_plain(n, part, t) != n->negated;
}

bool
query_eval(const struct query *q, const struct trace_view *t)
{
	return match(q->root, &t->trace, t);
}

enum truth { NO, YES, UNKNOWN };

/* Whether a keyword outside of braces reads what the root alone decides. */
static bool
is_of_root(const struct query_field *f)
{
	if (f->type == QUERY_BOOL)
		return (f->flag & (VIEW_OK | VIEW_ERROR | VIEW_FAULT)) != 0;
	if (f->type == QUERY_NUMBER)
		return f->offset != offsetof(struct view_part, duration_ns);
	return f->list == VIEW_LISTS &&
	       f->offset != offsetof(struct view_part, agent);
}

static enum truth know(const struct node *n, const struct view_part *root);

/* One term that decides is enough; else one that is not known leaves it open.
 */
static enum truth
know_list(const struct node *n, const struct view_part *root)
{
	enum truth decides = n->kind == NODE_OR ? YES : NO;
	bool open = false;

	for (size_t i = 0; i < n->n; i++) {
		enum truth is = know(n->by_cost[i], root);

		if (is == decides)
			return decides;
		open |= is == UNKNOWN;
	}
	if (open)
		return UNKNOWN;
	return decides == YES ? NO : YES;
}

static enum truth
know_plain(const struct node *n, const struct view_part *root)
{
	switch (n->kind) {
	case NODE_ALL:
		return YES;
	case NODE_AND:
	case NODE_OR:
		return know_list(n, root);
	case NODE_TEST:
		if (!is_of_root(n->field))
			return UNKNOWN;
		return match_test(n, root, NULL) ? YES : NO;
	case NODE_GROUP:
		return n->block ? know(n->block, root) : YES;
	case NODE_ANNOTATION:
	case NODE_SERVICE:
	case NODE_EDGE:
	case NODE_CAUSE:
	case NODE_CAUSE_JSON:
		break;
	}
	return UNKNOWN;
}

/* Three-valued logic (Kleene 1952) over what is known of a trace. */
static enum truth
know(const struct node *n, const struct view_part *root)
{
	enum truth is = know_plain(n, root);

	if (is == UNKNOWN || !n->negated)
		return is;
	return is == YES ? NO : YES;
}

bool
query_may(const struct query *q, const struct view_part *root)
{
	return know(q->root, root) != NO;
}

bool
query_selects_service(const struct query *q, const struct view_part *s)
{
	return q->root->kind == NODE_SERVICE && match_service(q->root, s);
}

bool
query_selects_edge(const struct query *q, const struct view_edge *e)
{
	return q->root->kind == NODE_EDGE && match_edge(q->root, e);
}
