/* SPDX-License-Identifier: Apache-2.0 */
/*
 * telltale replay --explain-finding: the decision behind one finding, to be
 * followed with pencil and paper.
 */
#include "analyzers/story.h"
#include "cli/command.h"
#include "cli/replay.h"
#include "cli/report.h"
#include "cli/table.h"
#include "core/when.h"

static const struct table_column window_columns[] = {
	{ "window", true, false, 0 },
	{ "bad", true, false, 0 },
	{ "ratio", true, false, 0 },
	{ "before", true, false, 2 },
	{ "p0", true, false, 0 },
	{ "threshold", true, false, 1 },
	{ "G", true, false, 0 },
	{ "", false, true, 0 },
	{ NULL, false, false, 0 },
};

static const struct table_column cell_columns[] = {
	{ "cell", false, false, 0 },
	{ "bad", true, false, 0 },
	{ "on average", true, false, 1 },
	{ "from here on", true, false, 0 },
	{ "G", true, false, 0 },
	{ "", false, true, 0 },
	{ NULL, false, false, 0 },
};

static const struct table_column threshold_columns[] = {
	{ "threshold", false, false, 0 },
	{ "value", true, false, 0 },
	{ "from", false, true, 0 },
	{ NULL, false, false, 0 },
};

static void
put_cell(struct table *t, struct buf *b)
{
	table_cell(t, PLAIN, buf_view(b));
	buf_reset(b);
}

static void
put_milli(struct buf *b, int64_t milli)
{
	buf_printf(b, "%lld.%03lld", (long long)(milli / 1000),
	    (long long)(milli % 1000));
}

static void
put_trials(struct buf *b, struct trials t)
{
	put_count(b, t.bad);
	buf_cat(b, " of ");
	put_count(b, t.n);
}

static void
line(struct pen *p, struct buf *b)
{
	pen_to(p, 2);
	pen_wrap(p, PLAIN, buf_view(b), 2);
	buf_reset(b);
}

/* What is bad, and the two formulas with their constants. */
static void
put_arithmetic(struct pen *p, const struct finding *f,
    const struct judge_story *s)
{
	const struct alarm *a = &s->alarm;
	bool utf8 = p->term->utf8;
	struct buf b = { 0 };

	report_heading(p, "The test");
	buf_cat(&b, "bad: ");
	finding_unit(&b, f, utf8);
	if (a->relative) {
		buf_cat(&b, ", a limit that ");
		put_percent(&b, odds_ppm(&a->rows[a->best].p0));
		buf_cat(&b, " were over before the window that decided");
	}
	line(p, &b);
	buf_printf(&b, "p0 = (bad before + %u %s ", a->prior_m,
	    utf8 ? "·" : "*");
	put_percent(&b, a->prior_ppm);
	buf_printf(&b, ") / (all before + %u)", a->prior_m);
	line(p, &b);
	buf_cat(&b,
	    "G = k ln(r/p0) + (n - k) ln((1 - r)/(1 - p0)), of k bad in "
	    "n, r = k/n; an alarm is above h = ");
	put_milli(&b, a->h_milli);
	line(p, &b);
	buf_fini(&b);
}

static void
put_windows(struct pen *p, const struct judge_story *s)
{
	struct table t = { .columns = window_columns };
	struct buf b = { 0 };

	report_heading(p, "The windows that end at the deciding cell");
	for (int w = 0; w < WINDOWS; w++) {
		const struct alarm_row *r = &s->alarm.rows[w];
		bool judged = r->fate == ALARM_RATIO || r->g_milli > 0 ||
			      r->fate >= ALARM_NO_SHIFT;

		when_put_span(&b, r->window * CELL_NS, p->term->utf8);
		put_cell(&t, &b);
		put_trials(&b, r->in);
		put_cell(&t, &b);
		put_percent(&b, trials_ppm(r->in));
		put_cell(&t, &b);
		put_trials(&b, r->base);
		put_cell(&t, &b);
		if (judged)
			put_percent(&b, odds_ppm(&r->p0));
		put_cell(&t, &b);
		if (judged)
			put_percent(&b, r->threshold_ppm);
		put_cell(&t, &b);
		if (r->fate >= ALARM_CHANCE)
			put_milli(&b, r->g_milli);
		put_cell(&t, &b);
		buf_cat(&b, alarm_fate_text(r->fate));
		if (w == s->alarm.best)
			buf_cat(&b, ", decides");
		put_cell(&t, &b);
	}
	table_print(&t, p, 2);
	table_fini(&t);
	buf_fini(&b);
}

/* Relative: what the window's latency is beside that of its base. */
static void
put_shift(struct pen *p, const struct judge_story *s)
{
	const struct pace_view *v = &s->alarm.rows[s->alarm.best].view;
	bool utf8 = p->term->utf8;
	struct buf b = { 0 };

	if (!s->alarm.relative)
		return;
	buf_cat(&b, "median ");
	when_put_span(&b, v->base_median_ns, utf8);
	buf_cat(&b, " before, at least ");
	when_put_span(&b, v->median_ns, utf8);
	buf_cat(&b, " in the window; 95th percentile ");
	when_put_span(&b, v->base_p95_ns, utf8);
	buf_cat(&b, ", at least ");
	when_put_span(&b, v->p95_ns, utf8);
	line(p, &b);
	buf_fini(&b);
}

/* The onset is where the sum of the cells from there on has the largest G. */
static void
put_cells(struct pen *p, const struct finding *f, const struct judge_story *s)
{
	struct table t = { .columns = cell_columns };
	struct buf b = { 0 };

	report_heading(p, "The cells of the window that decided, newest first");
	for (uint32_t i = 0; i < s->n_cells; i++) {
		const struct alarm_cell *c = &s->cells[i];

		put_moment(&b, s->base_ns + c->e.at * CELL_NS);
		put_cell(&t, &b);
		put_trials(&b, (struct trials){ c->e.n, c->e.bad });
		put_cell(&t, &b);
		if (f->after_ns >= 0)
			when_put_span(&b, (int64_t)c->e.mean_us * 1000,
			    p->term->utf8);
		put_cell(&t, &b);
		put_trials(&b, c->from);
		put_cell(&t, &b);
		if (c->e.bad > 0)
			put_milli(&b, c->g_milli);
		put_cell(&t, &b);
		if (i + 1 == s->n_onset)
			buf_cat(&b, "the onset: the largest G");
		put_cell(&t, &b);
	}
	table_print(&t, p, 2);
	table_fini(&t);
	buf_fini(&b);
}

static void
put_life(struct pen *p, const struct finding *f, const struct judge_story *s)
{
	const struct alarm_row *r = &s->alarm.rows[s->alarm.best];
	struct buf b = { 0 };

	report_heading(p, "Its life");
	buf_cat(&b, "open while more than 3 p0 = ");
	put_percent(&b, 3 * odds_ppm(&r->p0));
	buf_cat(&b, " of the last five minutes are bad; it was so last at ");
	put_moment(&b, s->base_ns + s->hot * CELL_NS);
	buf_cat(&b, f->open ? ", and the records end less than "
			    : "; resolved when that was ");
	when_put_span(&b, s->quiet * CELL_NS, p->term->utf8);
	buf_cat(&b, f->open ? " later" : " ago");
	line(p, &b);
	buf_fini(&b);
}

/* A client's failures and successes, and the two weights. */
static void
put_scan(struct pen *p, const struct finding *f)
{
	const char *dot = p->term->utf8 ? "·" : "*";
	struct buf b = { 0 };

	report_heading(p, "The test");
	buf_cat(&b, f->test == TEST_SCAN
			? "f: different paths of 24 hours that are not there; "
			  "s: different paths that were answered below 400"
			: "f: requests of one hour for at most three paths "
			  "that are not there; s: requests that were answered "
			  "below 400");
	line(p, &b);
	buf_printf(&b,
	    "G = f %s ln(0.95/0.30) + s %s ln(0.05/0.70) = 1.153 f - 2.639 s; "
	    "an alarm is above h = ",
	    dot, dot);
	put_milli(&b, f->h_milli);
	line(p, &b);
	buf_cat(&b, "f = ");
	put_count(&b, f->window_bad);
	buf_cat(&b, ", s = ");
	put_count(&b, f->window_total - f->window_bad);
	buf_cat(&b, ", G = ");
	put_milli(&b, f->g_milli);
	line(p, &b);
	buf_fini(&b);
}

/* New paths against those that were to be expected. */
static void
put_surge(struct pen *p, const struct finding *f)
{
	struct buf b = { 0 };

	report_heading(p, "The test");
	buf_cat(&b, "k: paths asked for by nobody before, on routes that were "
		    "never answered below 400; L: as many as before, or 5 in "
		    "10 minutes if that is more");
	line(p, &b);
	buf_cat(&b, "G = k ln(k/L) - k + L; an alarm has k of 15 or more, 3 L "
		    "or more, and G above h = ");
	put_milli(&b, f->h_milli);
	line(p, &b);
	buf_cat(&b, "k = ");
	put_count(&b, f->window_bad);
	buf_cat(&b, " in ");
	when_put_span(&b, f->window_ns, p->term->utf8);
	buf_cat(&b, ", L = ");
	put_milli(&b, f->expected_milli);
	buf_cat(&b, ", G = ");
	put_milli(&b, f->g_milli);
	line(p, &b);
	buf_fini(&b);
}

/* What the rule asked for here, and who said so. */
static void
put_thresholds(struct pen *p, const struct finding *f,
    const struct thresholds *thresholds)
{
	const struct judged judged = { f->judged_by, str_of(f->service),
		str_of(f->route ? f->route : ""), f->method };
	struct table t = { .columns = threshold_columns };
	struct buf b = { 0 };
	struct gates g;

	thresholds_of(thresholds, &judged, &g);
	report_heading(p, "Its thresholds");
	for (int i = 0; i < THRESHOLDS; i++) {
		enum threshold what = (enum threshold)i;

		if (!threshold_has(f->judged_by, what))
			continue;
		table_cell(&t, PLAIN, str_of(threshold_infos[i].name));
		threshold_put(&b, what, g.v[i]);
		put_cell(&t, &b);
		threshold_put_from(&b, thresholds, what, g.from[i]);
		table_text(&t, PLAIN, buf_view(&b), p->term->utf8);
		buf_reset(&b);
	}
	table_print(&t, p, 2);
	table_fini(&t);
	buf_fini(&b);
}

/* Of a silent target: what its slots are. */
static void
put_silence(struct pen *p, const struct finding *f)
{
	const struct finding_silence *s = &f->silence;
	struct buf b = { 0 };

	if (!s->target)
		return;
	report_heading(p, "The probes that are missing");
	buf_cat(&b, "slots: the last probe + j periods, j = 1, 2, ...; one is "
		    "missing when half a period later nothing has come to the "
		    "target, and others were probed before and after; told "
		    "from the third of a prober on");
	line(p, &b);
	term_text(&b, str_of(s->target), p->term->utf8);
	buf_cat(&b, ": the last of ");
	put_count(&b, s->probes);
	buf_cat(&b, " at ");
	put_moment(&b, s->last_ns);
	buf_cat(&b, ", one every ");
	put_milli(&b, s->period_ms);
	buf_cat(&b, " s");
	if (s->probers > 1) {
		buf_cat(&b, " from each of ");
		put_count(&b, s->probers);
		buf_cat(&b, " probers");
	}
	buf_cat(&b, "; ");
	put_count(&b, s->missing);
	buf_cat(&b, " missing");
	if (s->targets > 1) {
		buf_cat(&b, ", of ");
		report_plural(&b, s->targets, "target", "targets");
		buf_char(&b, ' ');
		put_count(&b, s->all);
	}
	line(p, &b);
	buf_cat(&b, "meanwhile ");
	report_plural(&b, s->others,
	    s->siblings ? "other target of the service"
			: "target of the same prober",
	    s->siblings ? "other targets of the service"
			: "targets of the same prober");
	buf_cat(&b, " went on being probed; no other began instead, and the "
		    "target's own log has nothing, no word of an end either");
	line(p, &b);
	buf_fini(&b);
}

static void
put_story(struct pen *p, const struct finding *f, const struct judge_story *s)
{
	put_silence(p, f);
	put_arithmetic(p, f, s);
	put_windows(p, s);
	put_shift(p, s);
	put_cells(p, f, s);
	put_life(p, f, s);
}

bool
replay_explain_finding(struct buf *out, const struct report *r, const char *id)
{
	struct pen p = { .out = out, .term = r->term };
	const struct findings *all = &r->result->findings;

	for (size_t i = 0; i < all->n; i++) {
		const struct finding *f = &all->v[i];

		if (memcmp(f->id, id, sizeof f->id) != 0)
			continue;
		report_finding(&p, f, &r->result->inputs);
		if (f->test == TEST_RATIO)
			put_story(&p, f, r->result->story);
		else if (f->test == TEST_SURGE)
			put_surge(&p, f);
		else
			put_scan(&p, f);
		put_thresholds(&p, f, &r->options->judge.thresholds);
		return true;
	}
	return false;
}
