/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two traces side by side.  A span is known by its name, which one of that
 * name it is among those with the same parent, and by who its parent is; spans
 * known alike in both are the same step.
 */
#include <stdlib.h>

#include "cli/report.h"
#include "cli/table.h"
#include "cli/trace.h"
#include "core/hash.h"
#include "core/mem.h"
#include "core/when.h"

/* A span by its parent's place and its name, to count those alike. */
struct sibling {
	uint64_t name; /* hash */
	uint32_t parent;
	uint32_t span;
};

struct known {
	uint64_t key;
	uint32_t span;
};

static int
by_parent(const void *pa, const void *pb)
{
	const struct sibling *a = pa;
	const struct sibling *b = pb;

	if (a->parent != b->parent)
		return a->parent < b->parent ? -1 : 1;
	if (a->name != b->name)
		return a->name < b->name ? -1 : 1;
	return a->span < b->span ? -1 : a->span > b->span;
}

static int
by_key(const void *pa, const void *pb)
{
	const struct known *a = pa;
	const struct known *b = pb;

	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return a->span < b->span ? -1 : a->span > b->span;
}

/* By span, what it is known by; free() it. */
static uint64_t *
keys_of(const struct trace *t)
{
	struct sibling *v = xcalloc(t->n_spans + 1, sizeof *v);
	uint64_t *keys = xcalloc(t->n_spans + 1, sizeof *keys);
	uint64_t nth = 0;

	for (uint32_t i = 0; i < t->n_spans; i++)
		v[i] = (struct sibling){ hash64(t->spans[i].name),
			t->spans[i].parent, i };
	if (t->n_spans > 1)
		qsort(v, t->n_spans, sizeof *v, by_parent);
	for (size_t i = 0; i < t->n_spans; i++) {
		bool alike = i > 0 && v[i].parent == v[i - 1].parent &&
			     v[i].name == v[i - 1].name;

		nth = alike ? nth + 1 : 0;
		keys[v[i].span] = hash64_mix(v[i].name, nth);
	}
	/* Parents stand before their children. */
	for (uint32_t i = 0; i < t->n_spans; i++)
		if (t->spans[i].parent != SPAN_NONE)
			keys[i] = hash64_mix(keys[t->spans[i].parent], keys[i]);
	free(v);
	return keys;
}

/* For each span of `a` the same of `b`, SPAN_NONE: there is none; free(). */
static uint32_t *
match(const struct trace *a, const struct trace *b)
{
	uint64_t *mine = keys_of(a);
	uint64_t *theirs = keys_of(b);
	struct known *v = xcalloc(b->n_spans + 1, sizeof *v);
	uint32_t *same = xcalloc(a->n_spans + 1, sizeof *same);

	for (uint32_t i = 0; i < b->n_spans; i++)
		v[i] = (struct known){ theirs[i], i };
	if (b->n_spans > 1)
		qsort(v, b->n_spans, sizeof *v, by_key);
	for (size_t i = 0; i < a->n_spans; i++) {
		size_t lo = 0;
		size_t hi = b->n_spans;

		while (lo < hi) {
			size_t mid = lo + (hi - lo) / 2;

			if (v[mid].key < mine[i])
				lo = mid + 1;
			else
				hi = mid;
		}
		same[i] = lo < b->n_spans && v[lo].key == mine[i] ? v[lo].span
								  : SPAN_NONE;
	}
	free(mine);
	free(theirs);
	free(v);
	return same;
}

static void
cell_time(struct table *t, const struct span *s, bool utf8)
{
	const char *outcome = s ? trace_outcome(s->flags) : NULL;
	struct buf b = { 0 };

	if (!s)
		buf_char(&b, '-');
	else if (s->end_ns == WHEN_NONE)
		buf_cat(&b, "running");
	else
		when_put_span(&b, span_duration(s), utf8);
	if (outcome)
		buf_printf(&b, " %s", outcome);
	table_cell(t, s ? trace_style(s->flags) : DIM, buf_view(&b));
	buf_fini(&b);
}

static void
cell_difference(struct table *t, const struct span *a, const struct span *b,
    bool utf8)
{
	int64_t d = a && b ? span_duration(b) - span_duration(a) : 0;
	struct buf text = { 0 };

	if (d != 0) {
		buf_cat(&text, d < 0 ? "-" : "+");
		when_put_span(&text, d < 0 ? -d : d, utf8);
	}
	table_cell(t, d > 0 ? YELLOW : GREEN, buf_view(&text));
	buf_fini(&text);
}

static void
row(struct table *t, const struct span *a, const struct span *b,
    const struct term *term)
{
	enum { DEPTH_MAX = 12 };
	const struct span *s = a ? a : b;
	struct buf name = { 0 };

	for (uint32_t i = 0; i < s->depth && i < DEPTH_MAX; i++)
		buf_cat(&name, "  ");
	term_text(&name, s->name.n > 0 ? s->name : STR("(no name)"),
	    term->utf8);
	table_cell(t, s->kind == SPAN_SEGMENT ? BOLD : PLAIN, buf_view(&name));
	cell_time(t, a, term->utf8);
	cell_time(t, b, term->utf8);
	cell_difference(t, a, b, term->utf8);
	buf_fini(&name);
}

static const struct table_column columns[] = {
	{ .head = "span", .flex = true },
	{ .head = "first", .right = true },
	{ .head = "second", .right = true },
	{ .head = "difference", .right = true },
	{ .head = NULL },
};

static void
put_one(struct pen *p, const char *which, const struct trace *t)
{
	struct buf b = { 0 };

	report_label(p, which);
	buf_cat(&b, t->id_text);
	if (t->start_ns != WHEN_NONE) {
		buf_char(&b, ' ');
		when_put(&b, t->start_ns, 3);
	}
	if (t->duration_ns >= 0) {
		buf_cat(&b, " took ");
		when_put_span(&b, t->duration_ns, p->term->utf8);
	}
	pen_wrap(p, PLAIN, buf_view(&b), REPORT_LABEL);
	buf_fini(&b);
}

void
trace_compare(struct pen *p, const struct trace *a, const struct trace *b,
    size_t max)
{
	uint32_t *same = match(a, b);
	uint32_t *back = match(b, a);
	uint8_t *shown_a = trace_choose(a, max);
	uint8_t *shown_b = trace_choose(b, max);
	struct table t = { .columns = columns };
	size_t only = 0;
	size_t left_out = 0;

	put_one(p, "first", a);
	put_one(p, "second", b);
	pen_end(p);
	for (uint32_t i = 0; i < a->n_spans; i++) {
		if (!shown_a[i])
			left_out++;
		else
			row(&t, &a->spans[i],
			    same[i] == SPAN_NONE ? NULL : &b->spans[same[i]],
			    p->term);
	}
	for (uint32_t i = 0; i < b->n_spans; i++) {
		if (back[i] != SPAN_NONE)
			continue;
		if (!shown_b[i]) {
			left_out++;
			continue;
		}
		if (only++ == 0) {
			table_cell(&t, DIM, STR("only in the second:"));
			for (int k = 0; k < 3; k++)
				table_cell(&t, PLAIN, STR(""));
		}
		row(&t, NULL, &b->spans[i], p->term);
	}
	table_print(&t, p, 0);
	if (left_out > 0) {
		pen_printf(p, DIM, "%zu spans left out: --max-spans", left_out);
		pen_end(p);
	}
	table_fini(&t);
	free(same);
	free(back);
	free(shown_a);
	free(shown_b);
}
