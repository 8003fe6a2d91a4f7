/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The traces: of each service that clients ask, the slowest and the failing
 * ones, and the hop that carries the time of the slow ones.
 */
#include "cli/report.h"
#include "cli/table.h"
#include "core/when.h"
#include "pipeline/trace_tops.h"

enum { SERVICES_SHOWN = 20, HOPS_SHOWN = 3 };

static struct str
view(const struct trace_top_text *t)
{
	return (struct str){ t->p, t->n };
}

/* "fault, 93 % in like service, ValueError: no such mysfit" */
static void
cell_why(struct table *t, const struct trace_top *top, bool utf8)
{
	struct buf b = { 0 };

	if (top->hop.n > 0) {
		put_percent(&b, top->hop_ppm);
		buf_cat(&b, " in ");
		term_text(&b, view(&top->hop), utf8);
	}
	if (top->why.n > 0) {
		buf_cat(&b, b.n > 0 ? "; " : "");
		term_text(&b, view(&top->why), utf8);
	}
	table_cell(t, PLAIN, buf_view(&b));
	buf_fini(&b);
}

static void
row(struct table *t, const struct trace_top *top, const char *what, bool utf8)
{
	const char *outcome = top->outcome ? top->outcome : "ok";

	table_cell(t, DIM, str_of(what));
	table_text(t, PLAIN, str_of(top->id), utf8);
	table_span(t, top->response_ns, utf8);
	table_cell(t,
	    !top->outcome            ? GREEN
	    : top->outcome[0] == 'f' ? RED
				     : YELLOW,
	    str_of(outcome));
	cell_why(t, top, utf8);
}

/* "slow ones' time: 80 % in like service, 20 % in monolith" */
static void
put_hops(struct pen *p, const struct trace_tops_service *s)
{
	struct buf b = { 0 };
	uint64_t whole = s->slow_ns;

	if (s->slow == 0)
		return;
	buf_cat(&b, "the slow ones' time: ");
	for (size_t i = 0; i < s->n_hops && i < HOPS_SHOWN; i++) {
		buf_cat(&b, i > 0 ? ", " : "");
		put_percent(&b, share_ppm(s->hops[i].critical_ns, whole));
		buf_cat(&b, " in ");
		if (s->hops[i].name.n > 0)
			term_text(&b, s->hops[i].name, p->term->utf8);
		else
			buf_cat(&b, "others");
	}
	pen_to(p, 2);
	pen_wrap(p, PLAIN, buf_view(&b), 4);
	buf_fini(&b);
}

static void
put_service(struct pen *p, const struct trace_tops *tops,
    const struct trace_tops_service *s)
{
	static const struct table_column columns[] = {
		{ .head = "" },
		{ .head = "trace" },
		{ .head = "response", .right = true },
		{ .head = "outcome", .rank = 2 },
		{ .head = "most time", .flex = true, .rank = 1 },
		{ .head = NULL },
	};
	struct table t = { .columns = columns };
	struct buf b = { 0 };

	if (s->name.n > 0)
		pen_raw(p, BOLD, s->name, pen_left(p));
	else
		pen_cat(p, BOLD, "(other services)");
	pen_end(p);
	report_plural(&b, s->traces, "trace", "traces");
	buf_cat(&b, ", ");
	put_count(&b, s->slow);
	buf_cat(&b, " slower than ");
	when_put_span(&b, tops->slow_ns, p->term->utf8);
	buf_cat(&b, ", ");
	put_count(&b, s->failing);
	buf_cat(&b, " failing");
	pen_to(p, 2);
	pen_wrap(p, DIM, buf_view(&b), 2);
	put_hops(p, s);
	for (size_t i = 0; i < s->n_slowest; i++)
		row(&t, &s->slowest[i], i == 0 ? "slowest" : "", p->term->utf8);
	for (size_t i = 0; i < s->n_failed; i++)
		row(&t, &s->failed[i], i == 0 ? "failing" : "", p->term->utf8);
	table_print(&t, p, 2);
	table_fini(&t);
	buf_fini(&b);
}

void
report_traces(struct pen *p, const struct report *r)
{
	const struct trace_tops *tops = r->traces;

	if (tops && tops->too_many) {
		report_heading(p, "traces");
		pen_wrap(p, PLAIN,
		    STR("more than are read again for a report; 'telltale "
			"query --sort responsetime --reverse EXPR PATH' lists "
			"the slowest"),
		    2);
	}
	if (!tops || tops->n == 0)
		return;
	report_heading(p, "traces, by the service that clients ask; "
			  "'telltale trace ID' shows one");
	for (size_t i = 0; i < tops->n && i < SERVICES_SHOWN; i++)
		put_service(p, tops, &tops->v[i]);
	if (tops->n > SERVICES_SHOWN) {
		pen_printf(p, DIM, "and %zu more services",
		    tops->n - SERVICES_SHOWN);
		pen_end(p);
	}
}
