/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The distinct values of a trace, with the nodes that they were seen at:
 * annotations of segments and subsegments, users, and where it ran.  Sorted by
 * key, then text; keys that differ in case are different keys.
 */
#include <stdlib.h>

#include "core/mem.h"
#include "ingest/assemble_build.h"

/* A value as one span has it. */
struct seen {
	struct str key;
	struct str text;
	uint32_t value; /* enum span_value */
	uint32_t node;
};

static int
value_cmp(const struct seen *a, const struct seen *b)
{
	int c = str_cmp(a->key, b->key);

	if (c == 0)
		c = str_cmp(a->text, b->text);
	if (c == 0 && a->value != b->value)
		c = a->value < b->value ? -1 : 1;
	return c;
}

static int
seen_cmp(const void *pa, const void *pb)
{
	const struct seen *a = pa;
	const struct seen *b = pb;
	int c = value_cmp(a, b);

	if (c == 0 && a->node != b->node)
		c = a->node < b->node ? -1 : 1;
	return c;
}

/* The one text of a span that goes into a list. */
static struct str
text_for(const struct span *s, enum trace_list list)
{
	struct str none = { NULL, 0 };

	switch (list) {
	case TRACE_USERS:
		return s->user;
	case TRACE_ARNS:
		return s->resource_arn;
	case TRACE_ZONES:
		return s->aws ? s->aws->zone : none;
	case TRACE_INSTANCES:
		return s->aws ? s->aws->instance : none;
	case TRACE_ACCOUNTS:
		return s->aws && s->kind == SPAN_SEGMENT ? s->aws->account
							 : none;
	case TRACE_ANNOTATIONS:
	case TRACE_LISTS:
		break;
	}
	return none;
}

/* Puts the spans' values for a list into v; returns how many. */
static size_t
values_collect(const struct build *b, enum trace_list list, struct seen *v)
{
	size_t n = 0;

	for (size_t i = 0; i < b->trace.n_spans; i++) {
		const struct span *s = &b->spans[i];
		struct str text = text_for(s, list);
		uint32_t more =
		    list == TRACE_ANNOTATIONS ? s->n_annotations : text.n > 0;

		/* What was made here repeats what its call says. */
		if (s->flags & SPAN_MADE)
			continue;
		for (uint32_t k = 0; k < more; k++) {
			struct seen *to = &v[n + k];

			*to = (struct seen){ .text = text, .node = s->node };
			if (list != TRACE_ANNOTATIONS)
				continue;
			to->key = s->annotations[k].key;
			to->text = s->annotations[k].text;
			to->value = s->annotations[k].value;
		}
		n += more;
	}
	return n;
}

/* How many values there are for every list. */
static void
values_count(const struct build *b, size_t n[TRACE_LISTS])
{
	memset(n, 0, TRACE_LISTS * sizeof *n);
	for (size_t i = 0; i < b->trace.n_spans; i++) {
		const struct span *s = &b->spans[i];

		if (s->flags & SPAN_MADE)
			continue;
		n[TRACE_ANNOTATIONS] += s->n_annotations;
		n[TRACE_USERS] += s->user.n > 0;
		n[TRACE_ARNS] += s->resource_arn.n > 0;
		if (!s->aws)
			continue;
		n[TRACE_ZONES] += s->aws->zone.n > 0;
		n[TRACE_INSTANCES] += s->aws->instance.n > 0;
		n[TRACE_ACCOUNTS] +=
		    s->kind == SPAN_SEGMENT && s->aws->account.n > 0;
	}
}

/* Sorted values to distinct ones; refs are appended at *n_refs. */
static struct trace_values
values_join(struct arena *a, const struct seen *v, size_t n, uint32_t *refs,
    uint32_t *n_refs)
{
	struct trace_value *out = arena_alloc(a, n * sizeof *out + 1);
	size_t used = 0;

	for (size_t i = 0; i < n; i++) {
		struct trace_value *last = used ? &out[used - 1] : NULL;

		if (!last || value_cmp(&v[i - 1], &v[i]) != 0) {
			last = &out[used++];
			*last = (struct trace_value){
				.key = v[i].key,
				.text = v[i].text,
				.value = (enum span_value)v[i].value,
				.nodes = *n_refs,
			};
		} else if (v[i - 1].node == v[i].node) {
			continue;
		}
		if (v[i].node == SPAN_NONE)
			continue;
		refs[(*n_refs)++] = v[i].node;
		last->n_nodes++;
	}
	return (struct trace_values){ out, used };
}

void
build_lists(struct build *b)
{
	struct seen *v[TRACE_LISTS];
	size_t n[TRACE_LISTS];
	size_t all = 0;
	uint32_t *refs;
	uint32_t n_refs = 0;

	values_count(b, n);
	for (int i = 0; i < TRACE_LISTS; i++) {
		v[i] = NULL;
		if (n[i] == 0)
			continue;
		v[i] = arena_alloc(&b->arena, n[i] * sizeof **v);
		n[i] = values_collect(b, (enum trace_list)i, v[i]);
		build_sort(v[i], n[i], sizeof **v, seen_cmp);
		all += n[i];
	}
	refs = arena_alloc(&b->arena, all * sizeof *refs + 1);
	for (int i = 0; i < TRACE_LISTS; i++)
		b->trace.lists[i] =
		    values_join(&b->arena, v[i], n[i], refs, &n_refs);
	b->trace.refs = refs;
}
