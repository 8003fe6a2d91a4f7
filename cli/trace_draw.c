/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The waterfall: a row a span, its bar to the scale of the whole trace, and
 * below it what is known of it and the log lines of its request.
 *
 *	  span                         0           1.2 s     total     self
 *	* like service               ████████████████▎      1.2 s    12 ms
 *	    POST http://…/like → 200
 *	*   DynamoDB                   █████▌               ...
 */
#include <ctype.h>
#include <stdlib.h>

#include "cli/report.h"
#include "cli/trace.h"
#include "core/mem.h"
#include "core/when.h"

enum {
	MARK = 2,      /* "* " */
	TIME = 9,      /* "  3 m 20 s" and its gap, twice */
	NAME_MAX = 60, /* wider is for the bars */
	LOGS_SHOWN = 20,
	EIGHTHS = 8,
};

/* Where the columns are, and what time they span. */
struct layout {
	const struct waterfall *w;
	size_t name, bar; /* widths */
	size_t indent_max;
	int64_t from_ns, to_ns;
	uint8_t *shown;
	size_t log;        /* the next of those by span */
	uint32_t *by_span; /* the logs' order */
};

static void
label(struct pen *p, const char *name, struct buf *text)
{
	if (text->n > 0) {
		report_label(p, name);
		pen_wrap(p, PLAIN, buf_view(text), REPORT_LABEL);
	}
	buf_reset(text);
}

static void
head_times(struct pen *p, const struct trace *t, struct buf *b)
{
	if (t->start_ns != WHEN_NONE)
		when_put(b, t->start_ns, 3);
	label(p, "started", b);
	if (t->duration_ns >= 0) {
		when_put_span(b, t->duration_ns, p->term->utf8);
		if (t->response_ns >= 0 && t->response_ns != t->duration_ns) {
			buf_cat(b, ", answered after ");
			when_put_span(b, t->response_ns, p->term->utf8);
		}
	} else {
		buf_cat(b, "not known: nothing has ended");
	}
	label(p, "took", b);
}

static void
head_request(struct pen *p, const struct waterfall *w, struct buf *b)
{
	const struct trace *t = w->t;
	const struct span *root =
	    t->root == SPAN_NONE ? NULL : &t->spans[t->root];

	if (!root || !root->http)
		return;
	term_text(b, root->http->method, p->term->utf8);
	buf_char(b, ' ');
	term_text(b, root->http->url, p->term->utf8);
	if (root->http->status > 0)
		buf_printf(b, " %s %lld", p->term->utf8 ? "→" : "->",
		    (long long)root->http->status);
	label(p, "request", b);
	term_text(b, root->http->client_ip, p->term->utf8);
	if (root->http->client_ip.n > 0 && root->http->agent.n > 0)
		buf_cat(b, ", ");
	term_text(b, root->http->agent, p->term->utf8);
	if (w->probe)
		buf_cat(b, " (a health check)");
	label(p, "client", b);
}

static void
add_word(struct buf *b, bool holds, const char *word)
{
	if (!holds)
		return;
	if (b->n > 0)
		buf_cat(b, ", ");
	buf_cat(b, word);
}

/* The span that has most of the critical path to itself. */
static void
head_slowest(struct pen *p, const struct trace *t, struct buf *b)
{
	uint32_t best = SPAN_NONE;

	for (uint32_t i = 0; i < t->n_spans; i++)
		if (t->spans[i].critical_ns > 0 &&
		    (best == SPAN_NONE ||
			t->spans[i].critical_ns > t->spans[best].critical_ns))
			best = i;
	if (best == SPAN_NONE || t->response_ns <= 0)
		return;
	term_text(b, t->spans[best].name, p->term->utf8);
	buf_cat(b, " itself, ");
	when_put_span(b, t->spans[best].critical_ns, p->term->utf8);
	buf_cat(b, " or ");
	put_percent(b, share_ppm((uint64_t)t->spans[best].critical_ns,
			   (uint64_t)t->response_ns));
	buf_cat(b, " of the answer's time");
	label(p, "most time", b);
}

static void
head(struct pen *p, const struct waterfall *w)
{
	const struct trace *t = w->t;
	struct buf b = { 0 };

	pen_cat(p, BOLD, "trace ");
	pen_cat(p, BOLD, t->id_text);
	pen_end(p);
	head_times(p, t, &b);
	head_request(p, w, &b);
	add_word(&b, t->has_fault, "fault");
	add_word(&b, t->has_error, "error");
	add_word(&b, t->has_throttle, "throttled");
	add_word(&b, !t->has_fault && !t->has_error && !t->has_throttle, "ok");
	add_word(&b, t->partial, "incomplete");
	add_word(&b, t->limit_exceeded, "larger than X-Ray allows");
	label(p, "outcome", &b);
	head_slowest(p, t, &b);
	report_plural(&b, t->n_spans, "span", "spans");
	buf_cat(&b, " of ");
	report_plural(&b, t->n_documents, "document", "documents");
	label(p, "holds", &b);
	buf_fini(&b);
}

/* a × n / whole for a in 0 … whole, without leaving 64 bits. */
static size_t
scaled(uint64_t a, uint64_t whole, size_t n)
{
	while (whole > UINT64_MAX >> 16) {
		whole >>= 1;
		a >>= 1;
	}
	return whole == 0 ? 0 : (size_t)(a * n / whole);
}

static uint64_t
since(const struct layout *l, int64_t ns)
{
	if (ns <= l->from_ns)
		return 0;
	if (ns > l->to_ns)
		ns = l->to_ns;
	return (uint64_t)ns - (uint64_t)l->from_ns;
}

static void
put_bar(struct pen *p, const struct layout *l, const struct span *s)
{
	static const char *const parts[EIGHTHS] = { "", "▏", "▎", "▍", "▌", "▋",
		"▊", "▉" };
	uint64_t whole = since(l, l->to_ns);
	int64_t end =
	    s->end_ns == WHEN_NONE ? l->to_ns : s->start_ns + span_duration(s);
	size_t first = scaled(since(l, s->start_ns), whole, l->bar);
	size_t stop = scaled(since(l, end), whole, l->bar * EIGHTHS);
	struct buf b = { 0 };
	enum style style = trace_style(s->flags);
	size_t length;

	if (first >= l->bar)
		first = l->bar - 1;
	length = stop > first * EIGHTHS ? stop - first * EIGHTHS : 1;
	for (size_t i = 0; i < length / EIGHTHS; i++)
		buf_cat(&b, !p->term->utf8           ? "#"
			    : s->end_ns == WHEN_NONE ? "░"
						     : "█");
	if (p->term->utf8)
		buf_cat(&b, parts[length % EIGHTHS]);
	else if (length < EIGHTHS)
		buf_char(&b, '|');
	if (style == PLAIN)
		style = s->critical_ns > 0 ? CYAN : DIM;
	pen_to(p, MARK + l->name + 1 + first);
	pen_put(p, style, buf_view(&b));
	buf_fini(&b);
}

static void
put_time(struct pen *p, struct str text, size_t end)
{
	size_t n = term_columns(text);

	pen_to(p, end > n ? end - n : 0);
	pen_put(p, PLAIN, text);
}

static size_t
indent_of(const struct layout *l, uint32_t depth)
{
	return depth < l->indent_max / 2 ? depth * 2 : l->indent_max;
}

static void
put_span(struct pen *p, const struct layout *l, uint32_t i)
{
	const struct span *s = &l->w->t->spans[i];
	size_t indent = indent_of(l, s->depth);
	size_t end = MARK + l->name + 1 + l->bar;
	struct buf b = { 0 };

	pen_cat(p, CYAN, s->critical_ns > 0 ? "*" : " ");
	pen_to(p, MARK + indent);
	pen_raw(p, s->kind == SPAN_SEGMENT ? BOLD : trace_style(s->flags),
	    s->name.n > 0 ? s->name : STR("(no name)"), l->name - indent);
	put_bar(p, l, s);
	if (s->end_ns == WHEN_NONE)
		buf_cat(&b, "running");
	else
		when_put_span(&b, span_duration(s), p->term->utf8);
	put_time(p, buf_view(&b), end + TIME);
	buf_reset(&b);
	if (s->end_ns != WHEN_NONE && s->kind != SPAN_INFERRED)
		when_put_span(&b, s->self_ns, p->term->utf8);
	put_time(p, buf_view(&b), end + 2 * TIME);
	pen_end(p);
	buf_fini(&b);
}

/* Rows of dashes, and empty lines, which programs put around their words. */
static bool
is_ornament(struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		if (isalnum((unsigned char)text.p[i]) || (text.p[i] & 0x80))
			return false;
	return true;
}

/* "22 06:46:24.123 text" below "log FILE". */
static void
put_log(struct pen *p, const struct trace_log *log, size_t indent)
{
	enum { CLOCK_AT = 11, CLOCK = 12 };
	struct str text = log->text;
	struct str first = text;
	struct buf b = { 0 };
	struct buf time = { 0 };
	bool more = str_cut(&text, '\n', &first);

	buf_printf(&b, "%llu ", (unsigned long long)log->line);
	if (log->ts_ns != WHEN_NONE) {
		when_put(&time, log->ts_ns, 3);
		buf_str(&b, str_sub(buf_view(&time), CLOCK_AT, CLOCK));
		buf_char(&b, ' ');
	}
	term_text(&b, str_trim(first), p->term->utf8);
	if (more)
		buf_cat(&b, p->term->utf8 ? " …" : " ...");
	pen_to(p, indent);
	pen_wrap(p, log->how == LOG_BESIDE ? PLAIN : GREEN, buf_view(&b),
	    indent + 2);
	buf_fini(&b);
	buf_fini(&time);
}

/* The file that the lines below it are in. */
static void
put_file(struct pen *p, const struct trace_logs *logs, uint32_t input,
    size_t indent)
{
	struct buf b = { 0 };

	buf_cat(&b, "log ");
	term_text(&b, str_of(logs->result.inputs.v[input].path), p->term->utf8);
	pen_to(p, indent);
	pen_wrap(p, DIM, buf_view(&b), indent + 2);
	buf_fini(&b);
}

/* All lines of spans up to this one: what is not shown counts here. */
static void
put_logs(struct pen *p, struct layout *l, uint32_t upto, size_t indent)
{
	const struct trace_logs *logs = l->w->logs;
	uint32_t file = UINT32_MAX;
	size_t n = 0;

	for (; logs && l->log < logs->n; l->log++) {
		const struct trace_log *log = &logs->v[l->by_span[l->log]];

		if (log->span > upto)
			break;
		if (is_ornament(log->text) || n++ >= LOGS_SHOWN)
			continue;
		if (log->input != file)
			put_file(p, logs, log->input, indent);
		file = log->input;
		put_log(p, log, indent + 2);
	}
	if (n > LOGS_SHOWN) {
		pen_to(p, indent);
		pen_printf(p, DIM, "and %zu more log lines", n - LOGS_SHOWN);
		pen_end(p);
	}
}

static void
put_scale(struct pen *p, const struct layout *l)
{
	size_t end = MARK + l->name + 1 + l->bar;
	struct buf b = { 0 };

	pen_end(p);
	pen_to(p, MARK);
	pen_cat(p, DIM, "span");
	pen_to(p, MARK + l->name + 1);
	pen_cat(p, DIM, "0");
	when_put_span(&b, (int64_t)since(l, l->to_ns), p->term->utf8);
	if (p->col + term_columns(buf_view(&b)) < end)
		pen_to(p, end - term_columns(buf_view(&b)));
	pen_put(p, DIM, buf_view(&b));
	put_time(p, STR("total"), end + TIME);
	put_time(p, STR("self"), end + 2 * TIME);
	pen_end(p);
	buf_fini(&b);
}

/* The logs by span, in the order of their times within each. */
static void
sort_logs(struct layout *l)
{
	const struct trace_logs *logs = l->w->logs;
	size_t n_spans = l->w->t->n_spans;
	size_t *at;

	if (!logs || logs->n == 0)
		return;
	at = xcalloc(n_spans + 1, sizeof *at);
	l->by_span = xcalloc(logs->n, sizeof *l->by_span);
	for (size_t i = 0; i < logs->n; i++)
		at[logs->v[i].span + 1]++;
	for (size_t i = 1; i <= n_spans; i++)
		at[i] += at[i - 1];
	for (uint32_t i = 0; i < logs->n; i++)
		l->by_span[at[logs->v[i].span]++] = i;
	free(at);
}

static void
layout_init(struct layout *l, const struct waterfall *w, size_t width)
{
	const struct trace *t = w->t;

	*l =
	    (struct layout){ .w = w, .from_ns = INT64_MAX, .to_ns = INT64_MIN };
	l->name = width * 3 / 8 < NAME_MAX ? width * 3 / 8 : NAME_MAX;
	l->bar = width - MARK - l->name - 1 - (size_t)2 * TIME;
	l->indent_max = l->name / 2;
	l->shown = trace_choose(t, w->max_spans);
	for (uint32_t i = 0; i < t->n_spans; i++) {
		const struct span *s = &t->spans[i];
		int64_t end = s->start_ns + span_duration(s);

		if (s->start_ns < l->from_ns)
			l->from_ns = s->start_ns;
		if (end > l->to_ns)
			l->to_ns = end;
	}
	sort_logs(l);
}

/* How many spans directly below are left out, and all below those. */
static void
put_left_out(struct pen *p, const struct layout *l, uint32_t i, size_t indent)
{
	const struct span *v = l->w->t->spans;
	uint32_t end = i + v[i].size;
	uint64_t n = 0;

	for (uint32_t c = i + 1; c < end; c += v[c].size)
		n += l->shown[c] ? 0 : v[c].size;
	if (n == 0)
		return;
	pen_to(p, indent);
	pen_printf(p, DIM, "and %llu more %s below", (unsigned long long)n,
	    n == 1 ? "span" : "spans");
	pen_end(p);
}

void
trace_draw(struct pen *p, const struct waterfall *w)
{
	const struct trace *t = w->t;
	struct layout l;
	size_t left_out = 0;

	head(p, w);
	if (t->n_spans == 0)
		return;
	layout_init(&l, w, p->term->width);
	put_scale(p, &l);
	for (uint32_t i = 0; i < t->n_spans; i++) {
		size_t indent = MARK + indent_of(&l, t->spans[i].depth) + 2;

		if (!l.shown[i]) {
			left_out++;
			continue;
		}
		put_span(p, &l, i);
		trace_details(p, t, i, indent);
		put_logs(p, &l, i, indent);
		put_left_out(p, &l, i, indent);
	}
	put_logs(p, &l, UINT32_MAX, MARK);
	pen_end(p);
	pen_cat(p, DIM, "* on the critical path");
	if (left_out > 0)
		pen_printf(p, DIM, "; %zu spans left out: --max-spans",
		    left_out);
	if (w->logs && w->logs->left_out > 0)
		pen_printf(p, DIM, "; %llu log lines left out",
		    (unsigned long long)w->logs->left_out);
	pen_end(p);
	free(l.shown);
	free(l.by_span);
}
