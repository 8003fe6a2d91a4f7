/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The canonical text of a tree.  Brackets stand where OR meets AND and where a
 * list is negated, nowhere else.  Numbers are printed as they were written.
 */
#include "core/json.h"
#include "query/tree.h"

static void put_node(struct buf *b, const struct node *n);

static bool
is_plain_key(struct str key)
{
	for (size_t i = 0; i < key.n; i++) {
		char c = key.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= '0' && c <= '9') || c == '_'))
			return false;
	}
	return true;
}

/* Whether a key can stand between brackets without quotes. */
static bool
is_bracket_key(struct str key)
{
	for (size_t i = 0; i < key.n; i++)
		if ((unsigned char)key.p[i] < ' ' || key.p[i] == 0x7f ||
		    str_find(STR("\"[]{}()"), key.p[i]) != SIZE_MAX)
			return false;
	return str_trim(key).n == key.n;
}

static void
put_key(struct buf *b, struct str key)
{
	if (is_plain_key(key)) {
		buf_char(b, '.');
		buf_str(b, key);
		return;
	}
	buf_char(b, '[');
	if (is_bracket_key(key))
		buf_str(b, key);
	else
		json_put_str(b, key);
	buf_char(b, ']');
}

static void
put_comparison(struct buf *b, const struct node *n)
{
	if (n->op == OP_SET)
		return;
	buf_printf(b, " %s ", query_op_name(n->op));
	switch (n->value.kind) {
	case VIEW_STRING:
		json_put_str(b, n->value.text);
		break;
	case VIEW_NUMBER:
		buf_str(b, n->value.text);
		break;
	case VIEW_BOOLEAN:
		buf_cat(b, n->value.boolean ? "true" : "false");
		break;
	}
}

static void
put_argument(struct buf *b, bool has, const char *name, struct str value)
{
	if (!has)
		return;
	if (b->p[b->n - 1] != '(')
		buf_cat(b, ", ");
	buf_printf(b, "%s: ", name);
	json_put_str(b, value);
}

static void
put_target(struct buf *b, const struct target *t)
{
	if (t->any)
		return;
	if (!t->by_id) {
		json_put_str(b, t->name);
		return;
	}
	buf_cat(b, "id(");
	put_argument(b, t->has_name, "name", t->name);
	put_argument(b, t->has_type, "type", t->type);
	put_argument(b, t->has_account, "account.id", t->account);
	buf_char(b, ')');
}

static void
put_block(struct buf *b, const struct node *block)
{
	if (!block)
		return;
	buf_cat(b, " { ");
	put_node(b, block);
	buf_cat(b, " }");
}

static void
put_list(struct buf *b, const struct node *n)
{
	const char *joint = n->kind == NODE_AND ? " AND " : " OR ";

	for (size_t i = 0; i < n->n; i++) {
		const struct node *k = n->kids[i];
		bool or_in_and =
		    n->kind == NODE_AND && k->kind == NODE_OR && !k->negated;

		if (i > 0)
			buf_cat(b, joint);
		if (or_in_and)
			buf_char(b, '(');
		put_node(b, k);
		if (or_in_and)
			buf_char(b, ')');
	}
}

static void
put_plain(struct buf *b, const struct node *n)
{
	switch (n->kind) {
	case NODE_ALL:
		break;
	case NODE_AND:
	case NODE_OR:
		put_list(b, n);
		break;
	case NODE_TEST:
	case NODE_GROUP:
		buf_cat(b, n->field->name);
		put_comparison(b, n);
		break;
	case NODE_ANNOTATION:
		buf_cat(b, n->field->name);
		put_key(b, n->key);
		put_comparison(b, n);
		break;
	case NODE_SERVICE:
	case NODE_EDGE:
		buf_printf(b, "%s(", n->field->name);
		put_target(b, &n->target);
		if (n->kind == NODE_EDGE && !n->target.any) {
			buf_cat(b, ", ");
			put_target(b, &n->callee);
		}
		buf_char(b, ')');
		put_block(b, n->block);
		break;
	case NODE_CAUSE:
		buf_cat(b, n->field->name);
		put_block(b, n->block);
		break;
	case NODE_CAUSE_JSON:
		buf_printf(b, "%s = #", n->field->name);
		buf_str(b, n->value.text);
		break;
	}
}

static void
put_node(struct buf *b, const struct node *n)
{
	bool list = n->kind == NODE_AND || n->kind == NODE_OR;

	if (n->negated)
		buf_cat(b, list ? "!(" : "!");
	put_plain(b, n);
	if (n->negated && list)
		buf_char(b, ')');
}

void
query_print(struct buf *b, const struct query *q)
{
	put_node(b, q->root);
}
