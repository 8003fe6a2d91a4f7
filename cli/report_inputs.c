/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What did not go as it should with the inputs, and the accounting: what was
 * read is what became of it.
 */
#include <stdlib.h>

#include "cli/report.h"
#include "cli/table.h"
#include "sinks/elastic.h"

enum { INPUTS_SHOWN = 20 };

static uint64_t
dead_of(const struct replay_input *in)
{
	uint64_t n = 0;

	for (int k = 0; k < KINDS; k++)
		n += in->accounts.n[k][ACCOUNT_DEAD];
	return n;
}

static int
by_count(const void *pa, const void *pb)
{
	const struct replay_dead *a = pa;
	const struct replay_dead *b = pb;

	return a->n != b->n ? (a->n > b->n ? -1 : 1)
			    : (a->line > b->line) - (a->line < b->line);
}

/* "3 of "broken JSON: expected a colon", first on line 7; …", most first. */
static void
put_reasons(struct buf *b, const struct replay_input *in)
{
	enum { SHOWN = 3 };
	struct replay_dead dead[REPLAY_DEAD];
	int n = 0;

	memcpy(dead, in->dead, sizeof dead);
	while (n < REPLAY_DEAD && dead[n].reason)
		n++;
	qsort(dead, (size_t)n, sizeof dead[0], by_count);
	for (int i = 0; i < n && i < SHOWN; i++) {
		buf_cat(b, i > 0 ? "; " : "");
		if (n > 1) {
			put_count(b, dead[i].n);
			buf_cat(b, " of ");
		}
		buf_printf(b, "\"%s\", %son line %llu", dead[i].reason,
		    dead[i].n > 1 ? "first " : "",
		    (unsigned long long)dead[i].line);
	}
	if (n > SHOWN)
		buf_cat(b, "; and others");
}

/* What there is to say about one input, in words; empty: nothing. */
static enum style
trouble(struct buf *b, const struct replay_input *in, bool utf8)
{
	uint64_t dead = dead_of(in);

	if (in->input->state == INPUT_FAILED || in->error) {
		const char *why = in->error ? in->error : in->input->why;

		buf_cat(b, in->notes.bytes > 0
			       ? "reading failed in the middle, what came "
				 "before counts: "
			       : "not read: ");
		term_text(b, str_of(why ? why : "no reason given"), utf8);
		return RED;
	}
	if (in->notes.bomb)
		buf_cat(b, "inflates beyond --max-ratio: reading stopped "
			   "there, what came before counts; ");
	if (in->documents_left_out > 0) {
		buf_cat(b, "makes documents of more than --max-ratio times its "
			   "size: ");
		report_plural(b, in->documents_left_out, "was not written",
		    "were not written");
		buf_cat(b, ", but filtered; ");
	}
	if (in->notes.broken > 0) {
		report_plural(b, in->notes.broken, "gzip member is",
		    "gzip members are");
		buf_cat(b, " broken (");
		term_text(b, str_of(in->notes.what), utf8);
		buf_cat(b, "): every whole line that came out counts; ");
	}
	if (dead > 0) {
		report_plural(b, dead, "piece", "pieces");
		buf_cat(b, " could not be decoded and went to the dead "
			   "letters: ");
		put_reasons(b, in);
		buf_cat(b, "; ");
	}
	if (in->input->state == INPUT_READ && b->n == 0 && in->notes.bytes == 0)
		buf_cat(b, "is empty; ");
	if (b->n >= 2)
		b->n -= 2;
	return YELLOW;
}

static void
put_input(struct pen *p, const struct replay_input *in, struct str words,
    enum style style)
{
	const char *bad = p->term->utf8 ? "✗ " : "x ";

	pen_to(p, 2);
	pen_cat(p, style, style == RED ? bad : "! ");
	pen_raw(p, BOLD, str_of(in->input->path), pen_left(p));
	pen_end(p);
	pen_to(p, 4);
	pen_wrap(p, PLAIN, words, 4);
}

/* Left out on purpose: how many, by the reason. */
static void
put_skipped(struct pen *p, const struct replay_result *r)
{
	const char *said[8];
	size_t n_said = 0;
	struct buf b = { 0 };

	for (size_t i = 0; i < r->inputs.n && n_said < 8; i++) {
		const struct input *in = &r->inputs.v[i];
		size_t known = 0;
		size_t n = 0;

		if (in->state != INPUT_SKIPPED)
			continue;
		while (known < n_said && strcmp(said[known], in->why) != 0)
			known++;
		if (known < n_said)
			continue;
		said[n_said++] = in->why;
		for (size_t k = i; k < r->inputs.n; k++)
			n += r->inputs.v[k].state == INPUT_SKIPPED &&
			     strcmp(r->inputs.v[k].why, in->why) == 0;
		buf_reset(&b);
		report_plural(&b, n, "file", "files");
		buf_cat(&b, " left out: ");
		term_text(&b, str_of(in->why), p->term->utf8);
		pen_to(p, 2);
		pen_wrap(p, DIM, buf_view(&b), 2);
	}
	buf_fini(&b);
}

void
report_inputs(struct pen *p, const struct report *r)
{
	const struct replay_result *result = r->result;
	struct buf b = { 0 };
	size_t shown = 0;
	size_t skipped = 0;

	for (size_t i = 0; i < result->inputs.n; i++) {
		const struct replay_input *in = &result->read[i];
		enum style style;

		skipped += in->input->state == INPUT_SKIPPED;
		buf_reset(&b);
		style = trouble(&b, in, p->term->utf8);
		if (b.n == 0)
			continue;
		if (shown == 0)
			report_heading(p, "Inputs with something to say");
		if (shown++ < INPUTS_SHOWN)
			put_input(p, in, buf_view(&b), style);
	}
	if (shown > INPUTS_SHOWN) {
		pen_to(p, 2);
		pen_printf(p, DIM, "and %zu more: see --json",
		    shown - INPUTS_SHOWN);
		pen_end(p);
	}
	if (shown == 0 && skipped > 0)
		report_heading(p, "Inputs");
	put_skipped(p, result);
	buf_fini(&b);
}

static void
account_row(struct table *t, const char *name, const uint64_t n[ACCOUNTS],
    enum style style)
{
	table_cell(t, style, str_of(name));
	for (int a = 0; a < ACCOUNTS; a++)
		table_count(t, a == ACCOUNT_DEAD ? YELLOW : style, n[a], "0");
}

/* "all: 3,333 read = 3,000 stored + 300 folded + …: balances" */
static void
put_equation(struct pen *p, const char *name, const uint64_t total[ACCOUNTS])
{
	struct buf b = { 0 };
	uint64_t sum = 0;

	if (name)
		buf_printf(&b, "%s: ", name);
	for (int a = 0; a < ACCOUNTS; a++) {
		if (a > ACCOUNT_READ)
			buf_cat(&b, a == ACCOUNT_READ + 1 ? " = " : " + ");
		put_count(&b, total[a]);
		buf_char(&b, ' ');
		buf_cat(&b, account_name((enum account)a));
		if (a > ACCOUNT_READ)
			sum += total[a];
	}
	buf_cat(&b,
	    sum == total[ACCOUNT_READ] ? ": balances" : ": DOES NOT BALANCE");
	pen_to(p, 2);
	pen_wrap(p, sum == total[ACCOUNT_READ] ? GREEN : RED, buf_view(&b), 2);
	buf_fini(&b);
}

/* The table's rows, where it is too wide. */
static void
put_equations(struct pen *p, const struct accounts *accounts)
{
	for (int k = 0; k < KINDS; k++)
		if (accounts->n[k][ACCOUNT_READ] > 0)
			put_equation(p, kind_name(k), accounts->n[k]);
}

/*
 * "Indexed in OpenSearch 2.19.1 at http://127.0.0.1:9200: 4,009 documents made
 * = 4,009 stored + 0 there already + 0 refused + 0 in flight: balances".
 */
static void
put_indexed(struct pen *p, const struct elastic *e)
{
	const struct elastic_counts *n = elastic_counts(e);
	const uint64_t sum = n->stored + n->there + n->refused + n->in_flight;
	struct buf b = { 0 };

	buf_cat(&b, elastic_server(e));
	buf_cat(&b, ": ");
	put_count(&b, n->made);
	buf_cat(&b, " documents = ");
	put_count(&b, n->stored);
	buf_cat(&b, " stored + ");
	put_count(&b, n->there);
	buf_cat(&b, " there already + ");
	put_count(&b, n->refused);
	buf_cat(&b, " refused + ");
	put_count(&b, n->in_flight);
	buf_cat(&b, sum == n->made ? " in flight: balances"
				   : " in flight: DOES NOT BALANCE");
	pen_to(p, 2);
	pen_wrap(p, sum == n->made && n->refused == 0 ? GREEN : RED,
	    buf_view(&b), 2);
	buf_reset(&b);
	for (size_t i = 0; i < ELASTIC_REASONS && n->n_reasons[i] > 0; i++) {
		buf_reset(&b);
		put_count(&b, n->n_reasons[i]);
		buf_cat(&b, i + 1 < ELASTIC_REASONS ? " refused: "
						    : " refused, such as: ");
		term_text(&b, str_of(n->reasons[i]), p->term->utf8);
		pen_to(p, 4);
		pen_wrap(p, RED, buf_view(&b), 4);
	}
	buf_fini(&b);
}

void
report_accounting(struct pen *p, const struct report *r)
{
	const struct accounts *accounts = &r->result->accounts;
	struct table_column columns[ACCOUNTS + 2] = { { .head = "kind" } };
	struct table t = { .columns = columns };
	uint64_t total[ACCOUNTS] = { 0 };

	for (int a = 0; a < ACCOUNTS; a++) {
		columns[a + 1].head = account_name((enum account)a);
		columns[a + 1].right = true;
	}
	for (int k = 0; k < KINDS; k++) {
		for (int a = 0; a < ACCOUNTS; a++)
			total[a] += accounts->n[k][a];
		if (accounts->n[k][ACCOUNT_READ] > 0)
			account_row(&t, kind_name(k), accounts->n[k], PLAIN);
	}
	account_row(&t, "all", total, BOLD);
	report_heading(p, "Accounting");
	if (table_width(&t) + 2 <= p->term->width)
		table_print(&t, p, 2);
	else
		put_equations(p, accounts);
	put_equation(p, NULL, total);
	if (r->options->elastic)
		put_indexed(p, r->options->elastic);
	if (r->alerts)
		report_alerts(p, r->alerts);
	if (r->result->late > 0) {
		struct buf b = { 0 };

		report_plural(&b, r->result->late, "request came",
		    "requests came");
		buf_cat(&b, " too late to be joined with the other signal");
		pen_to(p, 2);
		pen_wrap(p, PLAIN, buf_view(&b), 2);
		buf_fini(&b);
	}
	table_fini(&t);
}
