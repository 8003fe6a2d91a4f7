/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree as query DSL.  All conditions are filters: nothing is scored, and
 * the results are cacheable.  A comparison needs the field to be there; `!=`
 * says so with "exists", and a negated term is "must_not", which is true of an
 * absent field, as in the language.
 *
 * Elasticsearch refuses a query of more than 30 levels of "bool" and its like
 * (indices.query.bool.max_nested_depth), so the depth is counted.
 */
#include "query/es.h"

#include <stdio.h>

#include "core/json.h"
#include "query/tree.h"

enum { DEPTH_MAX = 30, NAME_SIZE = 128 };

struct out {
	struct buf *b;
	const char *path; /* nested object that keywords read; "": the top */
	int depth;
	int deepest;
};

static void put_node(struct out *o, const struct node *n);

static void
enter(struct out *o)
{
	o->depth++;
	if (o->depth > o->deepest)
		o->deepest = o->depth;
}

/* {"bool":{"filter":[ … ]}}, likewise should and must_not */
static void
open_bool(struct out *o, const char *occurrence)
{
	json_item(o->b);
	buf_printf(o->b, "{\"bool\":{\"%s\":[", occurrence);
	enter(o);
}

static void
close_bool(struct out *o)
{
	buf_cat(o->b, "]}}");
	o->depth--;
}

/* {"nested":{"path":…,"query":{"bool":{"filter":[ … ]}}}} */
static void
open_nested(struct out *o, const char *path)
{
	json_item(o->b);
	buf_cat(o->b, "{\"nested\":{");
	json_member_str(o->b, "path", str_of(path));
	json_key(o->b, "query");
	buf_cat(o->b, "{\"bool\":{\"filter\":[");
	enter(o);
	enter(o);
}

static void
close_nested(struct out *o)
{
	buf_cat(o->b, "]}}}}");
	o->depth -= 2;
}

/* "path.leaf", or the leaf alone at the top. */
static const char *
join(char name[NAME_SIZE], const char *path, const char *leaf)
{
	snprintf(name, NAME_SIZE, "%.63s%s%.63s", path, path[0] ? "." : "",
	    leaf);
	return name;
}

/* {"exists":{"field":…}} */
static void
put_exists(struct out *o, const char *field)
{
	json_item(o->b);
	buf_cat(o->b, "{\"exists\":{");
	json_member_str(o->b, "field", str_of(field));
	buf_cat(o->b, "}}");
}

static void
put_none(struct out *o)
{
	json_item(o->b);
	buf_cat(o->b, "{\"match_none\":{}}");
}

static void
open_leaf(struct out *o, const char *query)
{
	json_item(o->b);
	buf_printf(o->b, "{\"%s\":{", query);
}

static void
close_leaf(struct out *o)
{
	buf_cat(o->b, "}}");
}

static void
term_text(struct out *o, const char *field, struct str text)
{
	open_leaf(o, "term");
	json_member_str(o->b, field, text);
	close_leaf(o);
}

static void
term_bool(struct out *o, const char *field, bool v)
{
	open_leaf(o, "term");
	json_member_bool(o->b, field, v);
	close_leaf(o);
}

static void
term_i64(struct out *o, const char *field, int64_t v)
{
	open_leaf(o, "term");
	json_member_i64(o->b, field, v);
	close_leaf(o);
}

/* {"wildcard":{field:{"value":"*text*"}}}, what is special escaped */
static void
put_wildcard(struct out *o, const char *field, struct str text,
    enum query_op op)
{
	struct buf pattern = { 0 };

	buf_char(&pattern, '*');
	for (size_t i = 0; i < text.n; i++) {
		if (str_find(STR("*?\\"), text.p[i]) != SIZE_MAX)
			buf_char(&pattern, '\\');
		buf_char(&pattern, text.p[i]);
	}
	if (op == OP_CONTAINS)
		buf_char(&pattern, '*');
	open_leaf(o, "wildcard");
	json_key(o->b, field);
	buf_char(o->b, '{');
	json_member_str(o->b, "value", buf_view(&pattern));
	buf_char(o->b, '}');
	close_leaf(o);
	buf_fini(&pattern);
}

/* Exists, and is not what `term` would be put of. */
static void
open_other_than(struct out *o, const char *field)
{
	open_bool(o, "filter");
	put_exists(o, field);
	buf_cat(o->b, "],\"must_not\":[");
}

static void
put_text_test(struct out *o, const char *field, enum query_op op,
    struct str text)
{
	if (op == OP_SET || (op >= OP_CONTAINS && text.n == 0)) {
		put_exists(o, field);
	} else if (op == OP_EQ) {
		term_text(o, field, text);
	} else if (op == OP_NE) {
		open_other_than(o, field);
		term_text(o, field, text);
		close_bool(o);
	} else if (op == OP_BEGINS) {
		open_leaf(o, "prefix");
		json_member_str(o->b, field, text);
		close_leaf(o);
	} else {
		put_wildcard(o, field, text, op);
	}
}

static void
put_range(struct out *o, const char *field, struct range r)
{
	if (r.lo > r.hi) {
		put_none(o);
	} else if (r.outside) {
		open_other_than(o, field);
		term_i64(o, field, r.lo);
		close_bool(o);
	} else if (r.lo == r.hi) {
		term_i64(o, field, r.lo);
	} else if (r.lo == INT64_MIN + 1 && r.hi == INT64_MAX) {
		put_exists(o, field);
	} else {
		open_leaf(o, "range");
		json_key(o->b, field);
		buf_char(o->b, '{');
		if (r.hi < INT64_MAX)
			json_member_i64(o->b, "lte", r.hi);
		else
			json_member_i64(o->b, "gte", r.lo);
		buf_char(o->b, '}');
		close_leaf(o);
	}
}

static void
put_double_test(struct out *o, const char *field, enum query_op op, double v)
{
	static const char *const bounds[] = {
		[OP_LT] = "lt",
		[OP_LE] = "lte",
		[OP_GT] = "gt",
		[OP_GE] = "gte",
	};

	if (op == OP_NE)
		open_other_than(o, field);
	open_leaf(o, op == OP_EQ || op == OP_NE ? "term" : "range");
	json_key(o->b, field);
	if (op == OP_EQ || op == OP_NE) {
		number_put(o->b, v);
	} else {
		buf_char(o->b, '{');
		json_key(o->b, bounds[op]);
		number_put(o->b, v);
		buf_char(o->b, '}');
	}
	close_leaf(o);
	if (op == OP_NE)
		close_bool(o);
}

static void
put_test(struct out *o, const struct node *n)
{
	const struct query_field *f = n->field;
	bool top = n->scope == QUERY_AT_TRACE;
	char name[NAME_SIZE];
	const char *field = top ? f->es : join(name, o->path, f->column);

	if (f->type == QUERY_BOOL) {
		term_bool(o, field, true);
	} else if (f->type == QUERY_NUMBER) {
		put_range(o, field, n->range);
	} else if (top && f->list != VIEW_LISTS) {
		open_nested(o, "values");
		term_text(o, "values.field", str_of(f->name));
		put_text_test(o, "values.text", n->op, n->value.text);
		close_nested(o);
	} else {
		put_text_test(o, field, n->op, n->value.text);
	}
}

static void
put_value_test(struct out *o, const struct node *n, const char *path)
{
	char name[NAME_SIZE];

	if (n->op == OP_SET) {
		open_bool(o, "must_not");
		term_bool(o, join(name, path, "boolean"), false);
		close_bool(o);
		return;
	}
	switch (n->value.kind) {
	case VIEW_STRING:
		put_text_test(o, join(name, path, "text"), n->op,
		    n->value.text);
		break;
	case VIEW_NUMBER:
		put_double_test(o, join(name, path, "number"), n->op,
		    n->value.number);
		break;
	case VIEW_BOOLEAN:
		term_bool(o, join(name, path, "boolean"),
		    n->value.boolean == (n->op == OP_EQ));
		break;
	}
}

static void
put_annotation(struct out *o, const struct node *n)
{
	char path[NAME_SIZE], name[NAME_SIZE];

	join(path, o->path, "annotations");
	open_nested(o, path);
	term_text(o, join(name, path, "key"), n->key);
	put_value_test(o, n, path);
	close_nested(o);
}

static void
put_asked(struct out *o, const char *path, const char *leaf, bool has,
    struct str want)
{
	char name[NAME_SIZE];

	if (has)
		term_text(o, join(name, path, leaf), want);
}

static void
put_target(struct out *o, const char *path, const struct target *t)
{
	put_asked(o, path, "name", t->has_name, t->name);
	put_asked(o, path, "type", t->has_type, t->type);
	put_asked(o, path, "account", t->has_account, t->account);
}

static void
put_block(struct out *o, const struct node *block, const char *path)
{
	const char *outer = o->path;

	if (!block)
		return;
	o->path = path;
	put_node(o, block);
	o->path = outer;
}

static void
put_service(struct out *o, const struct node *n)
{
	const struct target *t = &n->target;

	open_nested(o, "services");
	put_target(o, "services", t);
	if (n->block || !(t->has_name || t->has_type))
		term_bool(o, "services.client_node", false);
	put_block(o, n->block, "services");
	close_nested(o);
}

static void
put_edge(struct out *o, const struct node *n)
{
	const struct target *from = &n->target, *to = &n->callee;

	open_nested(o, "edges");
	put_target(o, "edges.from", from);
	put_target(o, "edges.to", to);
	if (!from->has_type && (n->block || !from->has_name))
		term_bool(o, "edges.from.client", false);
	if (!to->has_type && (n->block || !to->has_name))
		term_bool(o, "edges.to.client", false);
	put_block(o, n->block, "edges");
	close_nested(o);
}

static const char *const cause_names[VIEW_CAUSES] = {
	[VIEW_CAUSE_FAULT] = "fault",
	[VIEW_CAUSE_ERROR] = "error",
	[VIEW_CAUSE_RESPONSETIME] = "responsetime",
};

static void
put_cause(struct out *o, const struct node *n)
{
	const char *path = "causes.services";

	if (n->field->target & QUERY_AT_CAUSE_ENTITY)
		path = "causes.services.entities";
	if (n->field->target & QUERY_AT_CAUSE_EXCEPTION)
		path = "causes.services.entities.exceptions";
	open_nested(o, "causes");
	term_text(o, "causes.kind", str_of(cause_names[n->field->cause]));
	open_nested(o, path);
	put_block(o, n->block, path);
	close_nested(o);
	close_nested(o);
}

static void
put_flag(struct out *o, const char *field, enum tristate want)
{
	if (want != TRI_ANY)
		term_bool(o, field, want == TRI_TRUE);
}

static void
put_count(struct out *o, const char *field, bool has, size_t n)
{
	if (has)
		term_i64(o, field, (int64_t)n);
}

static void
put_exception_pattern(struct out *o, const struct exception_pattern *x,
    size_t place)
{
	static const char path[] = "causes.services.entities.exceptions";

	open_nested(o, path);
	term_i64(o, "causes.services.entities.exceptions.place",
	    (int64_t)place);
	put_asked(o, path, "name", x->has_name, x->name);
	put_asked(o, path, "message", x->has_message, x->message);
	close_nested(o);
}

static void
put_entity_pattern(struct out *o, const struct entity_pattern *p, size_t place)
{
	static const char path[] = "causes.services.entities";

	open_nested(o, path);
	term_i64(o, "causes.services.entities.place", (int64_t)place);
	put_asked(o, path, "name", p->has_name, p->name);
	put_flag(o, "causes.services.entities.remote", p->remote);
	if (p->has_coverage)
		put_range(o, "causes.services.entities.coverage", p->coverage);
	put_count(o, "causes.services.entities.exceptions_count",
	    p->has_exceptions, p->n_exceptions);
	for (size_t i = 0; i < p->n_exceptions; i++)
		put_exception_pattern(o, &p->exceptions[i], i);
	close_nested(o);
}

static void
put_service_pattern(struct out *o, const struct service_pattern *p,
    size_t place)
{
	static const char path[] = "causes.services";

	open_nested(o, path);
	term_i64(o, "causes.services.place", (int64_t)place);
	if (p->never)
		put_none(o);
	put_asked(o, path, "name", p->has_name, p->name);
	put_asked(o, path, "name", p->has_names, p->names);
	put_asked(o, path, "type", p->has_type, p->type);
	put_asked(o, path, "account", p->has_account, p->account);
	put_flag(o, "causes.services.inferred", p->inferred);
	put_count(o, "causes.services.entities_count", p->has_entities,
	    p->n_entities);
	for (size_t i = 0; i < p->n_entities; i++)
		put_entity_pattern(o, &p->entities[i], i);
	close_nested(o);
}

static void
put_patterns(struct out *o, const struct node *n)
{
	if (n->n_patterns == 0) {
		put_none(o);
		return;
	}
	open_bool(o, "should");
	for (size_t i = 0; i < n->n_patterns; i++) {
		const struct cause_pattern *p = &n->patterns[i];

		open_nested(o, "causes");
		put_flag(o, "causes.client_impacting", p->client_impacting);
		put_count(o, "causes.services_count", p->has_services,
		    p->n_services);
		for (size_t k = 0; k < p->n_services; k++)
			put_service_pattern(o, &p->services[k], k);
		close_nested(o);
	}
	close_bool(o);
}

static void
put_plain(struct out *o, const struct node *n)
{
	switch (n->kind) {
	case NODE_ALL:
		json_item(o->b);
		buf_cat(o->b, "{\"match_all\":{}}");
		break;
	case NODE_AND:
	case NODE_OR:
		open_bool(o, n->kind == NODE_AND ? "filter" : "should");
		for (size_t i = 0; i < n->n; i++)
			put_node(o, n->kids[i]);
		close_bool(o);
		break;
	case NODE_TEST:
		put_test(o, n);
		break;
	case NODE_ANNOTATION:
		put_annotation(o, n);
		break;
	case NODE_SERVICE:
		put_service(o, n);
		break;
	case NODE_EDGE:
		put_edge(o, n);
		break;
	case NODE_CAUSE:
		put_cause(o, n);
		break;
	case NODE_CAUSE_JSON:
		put_patterns(o, n);
		break;
	case NODE_GROUP:
		if (n->block) {
			put_node(o, n->block);
		} else {
			json_item(o->b);
			buf_cat(o->b, "{\"match_all\":{}}");
		}
		break;
	}
}

static void
put_node(struct out *o, const struct node *n)
{
	if (!n->negated) {
		put_plain(o, n);
		return;
	}
	open_bool(o, "must_not");
	put_plain(o, n);
	close_bool(o);
}

int
query_es(struct buf *b, const struct query *q, struct err *err)
{
	size_t before = b->n;
	struct buf text = { 0 };
	struct out o = { .b = &text, .path = "" };

	/* In a list of its own, so that the comma rule sees its begin. */
	buf_char(&text, '[');
	put_node(&o, q->root);
	buf_str(b, str_from(buf_view(&text), 1));
	buf_fini(&text);
	if (o.deepest <= DEPTH_MAX)
		return 0;
	b->n = before;
	return err_set(err,
	    "the expression is nested too deeply for "
	    "Elasticsearch (%d levels)",
	    DEPTH_MAX);
}
