/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables: widths from content, then the flexible column, then by rank.
 */
#include "cli/table.h"

#include <assert.h>
#include <stdlib.h>

#include "core/mem.h"
#include "core/when.h"

enum {
	GAP = 2,       /* blanks between columns */
	FLEX_MIN = 22, /* narrower, a column is left out instead */
};

struct table_cell {
	size_t at, n; /* in the table's text */
	enum style style;
};

/* Widths by column; 0: left out. */
struct widths {
	size_t of[TABLE_COLUMNS];
	size_t n;
	size_t flex; /* which; SIZE_MAX: none */
};

void
table_cell(struct table *t, enum style style, struct str text)
{
	t->cells = xgrow(t->cells, t->n + 1, &t->cap, sizeof *t->cells);
	t->cells[t->n++] = (struct table_cell){ t->text.n, text.n, style };
	buf_str(&t->text, text);
}

void
table_text(struct table *t, enum style style, struct str text, bool utf8)
{
	struct buf b = { 0 };

	term_text(&b, text, utf8);
	table_cell(t, style, b.n > 0 ? buf_view(&b) : STR("-"));
	buf_fini(&b);
}

void
table_count(struct table *t, enum style style, uint64_t n, const char *zero)
{
	struct buf b = { 0 };

	if (n > 0)
		put_count(&b, n);
	else
		buf_cat(&b, zero);
	table_cell(t, n > 0 ? style : DIM, buf_view(&b));
	buf_fini(&b);
}

void
table_span(struct table *t, int64_t ns, bool utf8)
{
	struct buf b = { 0 };

	if (ns >= 0)
		when_put_span(&b, ns, utf8);
	else
		buf_char(&b, '-');
	table_cell(t, ns >= 0 ? PLAIN : DIM, buf_view(&b));
	buf_fini(&b);
}

static struct str
cell_text(const struct table *t, size_t i)
{
	return str_sub(buf_view(&t->text), t->cells[i].at, t->cells[i].n);
}

static size_t
sum(const struct widths *w)
{
	size_t total = 0;

	for (size_t c = 0; c < w->n; c++)
		if (w->of[c] > 0)
			total += w->of[c] + (total > 0 ? GAP : 0);
	return total;
}

static void
measure(const struct table *t, struct widths *w)
{
	w->flex = SIZE_MAX;
	for (w->n = 0; t->columns[w->n].head; w->n++) {
		size_t c = w->n;
		size_t head = term_columns(str_of(t->columns[c].head));

		assert(c < TABLE_COLUMNS);
		w->of[c] = head > 0 ? head : 1;
		if (t->columns[c].flex)
			w->flex = c;
	}
	assert(w->n > 0);
	for (size_t i = 0; i < t->n; i++) {
		size_t n = term_columns(cell_text(t, i));

		if (n > w->of[i % w->n])
			w->of[i % w->n] = n;
	}
}

/* The column that goes first; SIZE_MAX: none may. */
static size_t
to_drop(const struct table *t, const struct widths *w)
{
	size_t at = SIZE_MAX;

	for (size_t c = 0; c < w->n; c++) {
		if (w->of[c] == 0 || t->columns[c].rank == 0)
			continue;
		if (at == SIZE_MAX || t->columns[c].rank > t->columns[at].rank)
			at = c;
	}
	return at;
}

static void
fit(const struct table *t, struct widths *w, size_t room)
{
	for (;;) {
		size_t total = sum(w);
		size_t over = total > room ? total - room : 0;
		size_t flex = w->flex == SIZE_MAX ? 0 : w->of[w->flex];
		size_t drop;

		if (over == 0)
			return;
		if (flex >= over + FLEX_MIN) {
			w->of[w->flex] -= over;
			return;
		}
		drop = to_drop(t, w);
		if (drop == SIZE_MAX) {
			if (flex > over)
				w->of[w->flex] -= over;
			return;
		}
		w->of[drop] = 0;
	}
}

/* One cell in its place; `first` has no gap before it. */
static void
put_cell(const struct table *t, struct pen *p, const struct widths *w, size_t c,
    const struct table_cell *cell)
{
	struct str text = cell ? str_sub(buf_view(&t->text), cell->at, cell->n)
			       : str_of(t->columns[c].head);
	enum style style = cell ? cell->style : DIM;
	size_t end = p->col + w->of[c];
	size_t n = term_columns(text);

	if (t->columns[c].right && n < w->of[c])
		pen_to(p, end - n);
	if (n > w->of[c]) {
		struct buf b = { 0 };

		term_elide(&b, text, w->of[c], p->term->utf8);
		pen_put(p, style, buf_view(&b));
		buf_fini(&b);
	} else {
		pen_put(p, style, text);
	}
	pen_to(p, end);
}

static void
put_row(const struct table *t, struct pen *p, const struct widths *w,
    size_t indent, const struct table_cell *cells)
{
	bool first = true;

	pen_to(p, indent);
	for (size_t c = 0; c < w->n; c++) {
		if (w->of[c] == 0)
			continue;
		if (!first)
			pen_to(p, p->col + GAP);
		first = false;
		put_cell(t, p, w, c, cells ? &cells[c] : NULL);
	}
	pen_end(p);
}

void
table_print(const struct table *t, struct pen *p, size_t indent)
{
	struct widths w;

	measure(t, &w);
	fit(t, &w, p->term->width - indent);
	put_row(t, p, &w, indent, NULL);
	for (size_t i = 0; i + w.n <= t->n; i += w.n)
		put_row(t, p, &w, indent, &t->cells[i]);
}

size_t
table_width(const struct table *t)
{
	struct widths w;

	measure(t, &w);
	return sum(&w);
}

void
table_fini(struct table *t)
{
	free(t->cells);
	buf_fini(&t->text);
	*t = (struct table){ .columns = t->columns };
}
