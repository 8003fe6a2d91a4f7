/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vocabulary of world.h, and traces and expressions drawn from it.
 */
#include "world.h"

#include "core/json.h"
#include "query/fields.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define S(literal)                                                             \
	{                                                                      \
		literal, sizeof(literal) - 1                                   \
	}

static const struct str values[] = {
	S("like service"),
	S("frontend"),
	S("POST"),
	S("post"),
	S("http://x/like?a=b&c"),
	S("O'Neil"),
	S("größe-π"),
	S("a"),
	S("ab"),
	S("ba"),
	S("%_"),
	S("it''s"),
	S("\\"),
	S("'); DROP TABLE traces; --"),
	S("\" OR \"1\"=\"1"),
	S("\x1b[2J\n\t"),
	S("*?[a]"),
	S("a\0b"),
	S(""),
	S("1"),
	S("true"),
};

static const struct str literals[] = {
	S("like service"),
	S("frontend"),
	S("POST"),
	S("like"),
	S("O'Neil"),
	S("'"),
	S("''"),
	S("größe-π"),
	S("ö"),
	S("a"),
	S("b"),
	S("ab"),
	S("%"),
	S("_"),
	S("*"),
	S("?"),
	S("[a]"),
	S("\\"),
	S("' OR '1'='1"),
	S("'); DROP TABLE traces; --"),
	S("\""),
	S("\x1b"),
	S("\n"),
	S(""),
	S("1"),
	S("true"),
};

static const struct str keys[] = { S("age"), S("Age"), S("aws.local.op"),
	S("k'ey"), S("]x"), S("größe") };

static const char *const numbers[] = { "0", "1", "-1", "2", "2.5", "0.3", "200",
	"404", "500", "1e0", "1.5e-1", "0.0000000001", "2.00000000005", "1e300",
	"-1e300", "9223372036854775807", "9223372036.854775807",
	"99999999999999999999", "-0", "0.7", "1e-400" };

size_t
world_pick(struct world *w, size_t n)
{
	/* splitmix64 (Steele, Lea, Flood 2014) */
	uint64_t z = w->seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (size_t)((z ^ z >> 31) % n);
}

static struct str
value(struct world *w)
{
	return values[world_pick(w, COUNT(values))];
}

static int64_t
seconds(struct world *w)
{
	static const int64_t some[] = { VIEW_NONE, 0, 1, 150000000, 300000000,
		700000000, 1000000000, 2000000000, 2000000001, 2500000000,
		9223372036854775807 };

	return some[world_pick(w, COUNT(some))];
}

static struct view_annotations
annotations(struct world *w)
{
	static const double some[] = { 0, 1, -1, 2.5, 0.3, 29, 1e300, 200 };
	size_t n = world_pick(w, 4);
	struct view_annotation *v =
	    arena_alloc(&w->arena, (n + 1) * sizeof(*v));

	for (size_t i = 0; i < n; i++)
		v[i] = (struct view_annotation){
			.key = keys[world_pick(w, COUNT(keys))],
			.kind = (enum view_kind)world_pick(w, 3),
			.text = value(w),
			.number = some[world_pick(w, COUNT(some))],
			.boolean = world_pick(w, 2),
		};
	return (struct view_annotations){ v, n };
}

static struct view_part
part(struct world *w)
{
	static const int64_t status[] = { VIEW_NONE, 200, 404, 429, 500 };
	struct view_part p = VIEW_PART_NONE;

	p.flags = (uint32_t)world_pick(w, VIEW_CLIENT) |
		  (world_pick(w, 5) ? 0 : VIEW_CLIENT);
	p.responsetime_ns = seconds(w);
	p.duration_ns = seconds(w);
	p.status = status[world_pick(w, COUNT(status))];
	p.name = value(w);
	p.type = value(w);
	p.account = value(w);
	p.method = value(w);
	p.url = value(w);
	p.agent = value(w);
	p.client = value(w);
	p.user = value(w);
	p.zone = value(w);
	p.instance = value(w);
	p.arn = value(w);
	p.annotations = annotations(w);
	return p;
}

static struct view_cause
cause(struct world *w)
{
	struct view_cause c = { .client_impacting = world_pick(w, 2) };
	struct view_cause_service *s;

	c.n_services = world_pick(w, 3);
	s = arena_alloc(&w->arena, 3 * sizeof(*s));
	for (size_t i = 0; i < c.n_services; i++) {
		struct view_entity *e = arena_alloc(&w->arena, 3 * sizeof(*e));

		s[i] = (struct view_cause_service){ value(w), value(w),
			value(w), world_pick(w, 2), e, world_pick(w, 3) };
		for (size_t k = 0; k < s[i].n_entities; k++) {
			struct view_exception *x =
			    arena_alloc(&w->arena, 2 * sizeof(*x));

			x[0] = (struct view_exception){ value(w), value(w) };
			x[1] = (struct view_exception){ value(w), value(w) };
			e[k] = (struct view_entity){ value(w), seconds(w),
				world_pick(w, 2), x, world_pick(w, 3) };
		}
	}
	c.services = s;
	return c;
}

static void
trace(struct world *w, struct trace_view *t)
{
	struct view_part *services =
	    arena_alloc(&w->arena, 4 * sizeof(*services));
	struct view_edge *edges = arena_alloc(&w->arena, 4 * sizeof(*edges));

	*t = (struct trace_view){ .trace = part(w), .services = services };
	t->edges = edges;
	t->n_services = world_pick(w, 5);
	t->n_edges = world_pick(w, 4);
	for (size_t i = 0; i < t->n_services; i++)
		services[i] = part(w);
	for (size_t i = 0; i < t->n_edges; i++)
		edges[i] = (struct view_edge){
			.from = { value(w), value(w), value(w),
			    world_pick(w, 5) == 0 },
			.to = { value(w), value(w), value(w),
			    world_pick(w, 9) == 0 },
			.part = part(w),
		};
	for (size_t i = 0; i < VIEW_LISTS; i++) {
		struct str *v = arena_alloc(&w->arena, 3 * sizeof(*v));

		t->lists[i] = (struct view_texts){ v, world_pick(w, 4) };
		for (size_t k = 0; k < 3; k++)
			v[k] = value(w);
	}
	for (size_t i = 0; i < VIEW_CAUSES; i++) {
		struct view_cause *v = arena_alloc(&w->arena, sizeof(*v));

		*v = cause(w);
		t->causes[i] = (struct view_causes){ v, world_pick(w, 2) };
	}
}

void
world_init(struct world *w, uint64_t seed, size_t traces)
{
	*w = (struct world){ .seed = seed, .n = traces };
	w->traces = arena_alloc(&w->arena, traces * sizeof(*w->traces));
	for (size_t i = 0; i < traces; i++)
		trace(w, &w->traces[i]);
}

void
world_fini(struct world *w)
{
	arena_fini(&w->arena);
}

static void expression(struct world *w, struct buf *b, unsigned scope,
    size_t depth);

static void
literal(struct world *w, struct buf *b)
{
	json_put_str(b, literals[world_pick(w, COUNT(literals))]);
}

static void
number_test(struct world *w, struct buf *b)
{
	static const char *const ops[] = { "=", "!=", "<", "<=", ">", ">=" };

	buf_printf(b, " %s %s", ops[world_pick(w, COUNT(ops))],
	    numbers[world_pick(w, COUNT(numbers))]);
}

static void
text_test(struct world *w, struct buf *b)
{
	static const char *const ops[] = { "=", "!=", "contains", "BEGINSWITH",
		"ENDSWITH" };

	buf_printf(b, " %s ", ops[world_pick(w, COUNT(ops))]);
	literal(w, b);
}

static void
bool_test(struct world *w, struct buf *b)
{
	static const char *const tests[] = { " = true", " != false",
		" = \"false\"", " != true" };

	buf_cat(b, tests[world_pick(w, COUNT(tests))]);
}

static void
node(struct world *w, struct buf *b)
{
	static const char *const arguments[] = { "name", "type", "account.id" };
	size_t from = world_pick(w, 3), n = 0;

	if (world_pick(w, 2)) {
		literal(w, b);
		return;
	}
	buf_cat(b, "id(");
	for (size_t i = 0; i < 3; i++) {
		if (i != from && world_pick(w, 3))
			continue;
		buf_printf(b, "%s%s: ", n++ ? ", " : "", arguments[i]);
		literal(w, b);
	}
	buf_char(b, ')');
}

static void
pattern(struct world *w, struct buf *b)
{
	size_t services = world_pick(w, 3);

	buf_cat(b, " = #[{");
	if (world_pick(w, 2))
		buf_printf(b, "\"ClientImpacting\":%s,",
		    world_pick(w, 2) ? "true" : "false");
	buf_cat(b, "\"Services\":[");
	for (size_t i = 0; i < services; i++) {
		buf_cat(b, i ? ",{" : "{");
		if (world_pick(w, 3) == 0) {
			buf_cat(b, "\"Name\":");
			literal(w, b);
			buf_cat(b, ",");
		}
		buf_printf(b, "\"Inferred\":%s",
		    world_pick(w, 2) ? "true" : "null");
		if (world_pick(w, 2))
			buf_cat(b, ",\"EntityPath\":[{\"Remote\":false}]");
		if (world_pick(w, 9) == 0)
			buf_cat(b, ",\"Names\":[\"a\"]");
		buf_char(b, '}');
	}
	buf_cat(b, world_pick(w, 3) ? "]}]" : "]},{\"Services\":[]}]");
}

static void
block(struct world *w, struct buf *b, unsigned scope, size_t depth)
{
	if (world_pick(w, 3) == 0)
		return;
	buf_cat(b, " { ");
	expression(w, b, scope, depth > 2 ? 2 : depth);
	buf_cat(b, " }");
}

static void
bracket_form(struct world *w, struct buf *b, const struct query_field *f,
    size_t depth)
{
	bool edge = f->type == QUERY_EDGE;

	if (f->type == QUERY_CAUSE) {
		block(w, b, f->target, depth);
		return;
	}
	buf_char(b, '(');
	if (world_pick(w, 4)) {
		node(w, b);
		if (edge) {
			buf_char(b, ',');
			node(w, b);
		}
	}
	buf_char(b, ')');
	block(w, b, edge ? QUERY_AT_EDGE : QUERY_AT_SERVICE, depth);
}

static void
annotation_form(struct world *w, struct buf *b)
{
	buf_char(b, '[');
	json_put_str(b, keys[world_pick(w, COUNT(keys))]);
	buf_char(b, ']');
	switch (world_pick(w, 4)) {
	case 0:
		number_test(w, b);
		break;
	case 1:
		text_test(w, b);
		break;
	case 2:
		buf_cat(b, world_pick(w, 2) ? " = true" : " != true");
		break;
	default:
		break;
	}
}

static void
term(struct world *w, struct buf *b, unsigned scope, size_t depth)
{
	const struct query_field *f;
	size_t rows = 0;

	while (query_fields[rows].name)
		rows++;
	do
		f = &query_fields[world_pick(w, rows)];
	while (!(f->where & scope) || f->type == QUERY_GROUP);
	buf_cat(b, f->name);
	if (f->type == QUERY_CAUSE_JSON)
		pattern(w, b);
	else if (f->type == QUERY_ANNOTATION)
		annotation_form(w, b);
	else if (f->type > QUERY_ANNOTATION)
		bracket_form(w, b, f, depth);
	else if (world_pick(w, 5) == 0)
		return;
	else if (f->type == QUERY_BOOL)
		bool_test(w, b);
	else if (f->type == QUERY_NUMBER)
		number_test(w, b);
	else
		text_test(w, b);
}

static void
expression(struct world *w, struct buf *b, unsigned scope, size_t depth)
{
	static const char *const joints[] = { " AND ", " or ", " OR ", " " };
	size_t n = depth == 0 ? 1 : 1 + world_pick(w, 4);

	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_cat(b, joints[world_pick(w, COUNT(joints))]);
		if (world_pick(w, 5) == 0)
			buf_cat(b, world_pick(w, 2) ? "!" : "NOT ");
		if (depth > 0 && world_pick(w, 4) == 0) {
			buf_char(b, '(');
			expression(w, b, scope, depth - 1);
			buf_char(b, ')');
			continue;
		}
		term(w, b, scope, depth);
	}
}

void
world_expression(struct world *w, struct buf *b)
{
	expression(w, b, QUERY_AT_TRACE, world_pick(w, 5));
}
