/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trace's part of the service graph: nodes and calls.
 *
 * A node is a name, a type and, where it is known, an account: the same name
 * under two types is two nodes (a Lambda service and its function).  A callee
 * that did not report goes by what the call says of it: the table, the bucket,
 * the queue (the table of reference 6.1 is `resources` below).
 */
#include <stdlib.h>

#include "ingest/assemble_build.h"

/* An AWS service whose calls name a resource: that is the node. */
static const struct {
	const char *service; /* the subsegment's name, any case */
	const char *type;
	size_t name; /* of struct span_aws */
} resources[] = {
	{ "DynamoDB", "AWS::DynamoDB::Table",
	    offsetof(struct span_aws, table) },
	{ "S3", "AWS::S3::Bucket", offsetof(struct span_aws, bucket) },
	{ "SQS", "AWS::SQS::Queue", offsetof(struct span_aws, queue_url) },
	{ "SNS", "AWS::SNS", offsetof(struct span_aws, topic_arn) },
	{ "Lambda", "AWS::Lambda", offsetof(struct span_aws, function) },
};

static struct str
aws_member(const struct span_aws *aws, size_t at)
{
	struct str s;

	memcpy(&s, (const char *)aws + at, sizeof s);
	return s;
}

static struct trace_node
aws_node(const struct span *call, struct arena *arena)
{
	struct trace_node node = { .name = call->name, .inferred = true };
	static const char prefix[] = "AWS::";
	size_t n = sizeof prefix - 1;
	char *type;

	for (size_t i = 0; i < sizeof resources / sizeof *resources; i++) {
		struct str service = str_of(resources[i].service);

		if (!call->aws || !str_eq_nocase(call->name, service))
			continue;
		node.name = aws_member(call->aws, resources[i].name);
		node.type = str_of(resources[i].type);
		if (node.name.n > 0)
			return node;
	}
	node.name = call->name;
	type = arena_alloc(arena, n + call->name.n);
	memcpy(type, prefix, n);
	memcpy(type + n, call->name.p, call->name.n);
	node.type = (struct str){ type, n + call->name.n };
	return node;
}

struct trace_node
build_inferred_node(const struct span *call, struct arena *arena)
{
	struct trace_node node = { .name = call->name, .inferred = true };

	if (call->sql)
		node.type = STR("Database::SQL");
	else if (call->flags & SPAN_AWS)
		node = aws_node(call, arena);
	else
		node.type = STR("remote");
	return node;
}

/* The node of a segment, or of an inferred one below `call` or NULL. */
static struct trace_node
segment_node(const struct span *s, const struct span *call, struct arena *a)
{
	struct trace_node node = { .name = s->name, .type = s->origin };
	struct span as;

	if (s->kind == SPAN_SEGMENT) {
		if (s->aws)
			node.account = s->aws->account;
		return node;
	}
	as = call ? *call : *s;
	if (!as.aws)
		as.aws = s->aws;
	if (!(as.flags & (SPAN_REMOTE | SPAN_AWS)) &&
	    str_starts(s->origin, STR("AWS::")))
		as.flags |= SPAN_AWS;
	node = build_inferred_node(&as, a);
	if (s->origin.n > 0)
		node.type = s->origin;
	return node;
}

/* A node as a span, or as the client of a root, asks for it. */
struct wish {
	struct trace_node node;
	uint32_t span;
	uint32_t got; /* where it went */
};

static int
wish_cmp(const void *pa, const void *pb)
{
	const struct wish *a = pa;
	const struct wish *b = pb;
	int c = str_cmp(a->node.name, b->node.name);

	if (c == 0)
		c = str_cmp(a->node.type, b->node.type);
	if (c == 0 && a->node.client != b->node.client)
		c = a->node.client ? -1 : 1;
	if (c == 0)
		c = -str_cmp(a->node.account, b->node.account);
	if (c == 0)
		c = a->span < b->span ? -1 : a->span > b->span;
	return c;
}

/*
 * Whether b, sorted behind a, is the same node.  Known accounts stand first;
 * who does not say its account belongs to the last one that did.
 */
static bool
same_node(const struct trace_node *a, const struct trace_node *b)
{
	return a->client == b->client && str_eq(a->name, b->name) &&
	       str_eq(a->type, b->type) &&
	       (b->account.n == 0 || str_eq(a->account, b->account));
}

static bool
is_entry(const struct span *s)
{
	return s->kind == SPAN_SEGMENT && s->parent == SPAN_NONE &&
	       !(s->flags & SPAN_ORPHAN);
}

static const struct span *
parent_of(const struct build *b, const struct span *s)
{
	return s->parent == SPAN_NONE ? NULL : &b->spans[s->parent];
}

static size_t
wishes_make(struct build *b, struct wish *w)
{
	size_t n = 0;

	for (uint32_t i = 0; i < b->trace.n_spans; i++) {
		const struct span *s = &b->spans[i];
		const struct span *up = parent_of(b, s);

		if (s->kind == SPAN_SUBSEGMENT)
			continue;
		if (up && up->kind != SPAN_SUBSEGMENT)
			up = NULL;
		w[n++] = (struct wish){ segment_node(s, up, &b->arena), i, 0 };
		if (is_entry(s))
			w[n++] = (struct wish){ { .name = s->name,
						    .type = STR("client"),
						    .client = true },
				i, 0 };
	}
	return n;
}

/* Nodes are in order of name and type; equal wishes get one of them. */
static void
nodes_settle(struct build *b, struct wish *w, size_t n)
{
	uint32_t used = 0;

	build_sort(w, n, sizeof *w, wish_cmp);
	b->nodes = arena_alloc(&b->arena, n * sizeof *b->nodes + 1);
	for (size_t i = 0; i < n; i++) {
		bool root = !w[i].node.client && is_entry(&b->spans[w[i].span]);

		if (used > 0 && same_node(&b->nodes[used - 1], &w[i].node))
			b->nodes[used - 1].inferred &= w[i].node.inferred;
		else
			b->nodes[used++] = w[i].node;
		b->nodes[used - 1].root |= root;
		w[i].got = used - 1;
		if (!w[i].node.client)
			b->spans[w[i].span].node = used - 1;
	}
	for (size_t i = 0; i < b->trace.n_spans; i++) {
		struct span *s = &b->spans[i];

		if (s->kind == SPAN_SUBSEGMENT && s->segment != SPAN_NONE)
			s->node = b->spans[s->segment].node;
	}
	b->trace.nodes = b->nodes;
	b->trace.n_nodes = used;
}

/* What the caller calls a callee that reported under another name. */
static void
alias_note(struct build *b, struct trace_call *c)
{
	const struct span *call = &b->spans[c->span];
	const struct span *callee = &b->spans[c->callee];
	struct trace_node as;

	if (callee->kind != SPAN_SEGMENT || !span_is_call(call))
		return;
	as = build_inferred_node(call, &b->arena);
	if (str_eq(as.name, b->nodes[c->to].name))
		return;
	c->alias = as.name;
	c->alias_type = as.type;
}

/* The call that leads to a segment or inferred span, if anybody made it. */
static bool
call_of(const struct build *b, uint32_t i, struct trace_call *c)
{
	const struct span *s = &b->spans[i];
	const struct span *up = parent_of(b, s);

	if (s->kind == SPAN_SUBSEGMENT || !up || up->node == SPAN_NONE)
		return false;
	*c = (struct trace_call){
		.from = up->node,
		.to = s->node,
		.span = up->kind == SPAN_SUBSEGMENT ? s->parent : i,
		.callee = i,
	};
	return true;
}

void
build_nodes(struct build *b)
{
	struct trace *t = &b->trace;
	struct wish *w = arena_alloc(&b->arena, t->n_spans * 2 * sizeof *w + 1);
	size_t n = wishes_make(b, w);
	struct trace_call *calls;

	nodes_settle(b, w, n);
	calls = arena_alloc(&b->arena, n * sizeof *calls + 1);
	t->n_calls = 0;
	for (size_t i = 0; i < n; i++)
		if (w[i].node.client)
			calls[t->n_calls++] = (struct trace_call){
				.from = w[i].got,
				.to = b->spans[w[i].span].node,
				.span = w[i].span,
				.callee = w[i].span,
			};
	for (uint32_t i = 0; i < t->n_spans; i++) {
		struct trace_call *c = &calls[t->n_calls];

		if (call_of(b, i, c)) {
			alias_note(b, c);
			t->n_calls++;
		}
	}
	t->calls = calls;
}
