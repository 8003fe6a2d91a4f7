/* SPDX-License-Identifier: Apache-2.0 */
/* The gates and the test, window by window: see the header and judge.c. */
#include "analyzers/alarm.h"

#include <assert.h>

enum {
	GATE_FACTOR = 3, /* ratio ≥ 3·p0 */
	/* The relative test: one in twenty, with the weight of 20 requests. */
	PACE_PRIOR_PPM = 50000,
	PACE_PRIOR_M = 20,
	PACE_LEAST = 5,
	FRESH_PAST = 60, /* requests; as many as a pace needs */
};

const char *
alarm_fate_text(enum alarm_fate fate)
{
	static const char *const texts[ALARM_FATES] = {
		[ALARM_FEW] = "too few are bad",
		[ALARM_NO_BASE] = "fewer than 60 requests before",
		[ALARM_OLD] = "it was so before",
		[ALARM_RATIO] = "the ratio is below its threshold",
		[ALARM_NO_SHIFT] = "not slower enough",
		[ALARM_CHANCE] = "may be chance",
		[ALARM_PASSED] = "passed",
	};

	assert((unsigned)fate < ALARM_FATES);
	return texts[fate];
}

/* What the ratio had to reach: the greatest of the three gates. */
static int64_t
threshold_ppm(const struct gates *g, const struct odds *p0)
{
	int64_t p = odds_ppm(p0);
	int64_t most = g->v[THRESHOLD_RATIO];

	if (most < GATE_FACTOR * p)
		most = GATE_FACTOR * p;
	if (most < p + g->v[THRESHOLD_ABOVE])
		most = p + g->v[THRESHOLD_ABOVE];
	return most;
}

static bool
gates_pass(const struct gates *g, struct trials t, const struct odds *p0)
{
	return trials_over(t, p0, 0, (uint32_t)g->v[THRESHOLD_RATIO], REACH) &&
	       trials_over(t, p0, GATE_FACTOR, 0, REACH) &&
	       trials_over(t, p0, 1, (uint32_t)g->v[THRESHOLD_ABOVE], REACH);
}

static void
test(struct alarm_row *r, const struct gates *g)
{
	r->g_milli = glr_milli(r->in, &r->p0);
	r->fate = r->g_milli > g->v[THRESHOLD_G] ? ALARM_PASSED : ALARM_CHANCE;
}

static void
look_absolute(struct alarm_row *r, const struct rule *rule,
    const struct gates *g)
{
	if (r->in.bad < (uint64_t)g->v[THRESHOLD_COUNT])
		return;
	if (rule->fresh > 0 && r->base.n < FRESH_PAST) {
		r->fate = ALARM_NO_BASE;
		return;
	}
	if (rule->fresh > 0 && r->base.bad > r->in.bad / rule->fresh) {
		r->fate = ALARM_OLD;
		return;
	}
	r->p0 = odds_of(r->base, rule->prior_ppm, rule->prior_m);
	r->threshold_ppm = threshold_ppm(g, &r->p0);
	r->fate = ALARM_RATIO;
	if (gates_pass(g, r->in, &r->p0))
		test(r, g);
}

static bool
slower(const struct pace_view *v, int64_t least_ns)
{
	if (v->p95_ns - v->base_p95_ns < least_ns)
		return false;
	return 2 * v->median_ns >= 3 * v->base_median_ns ||
	       v->p95_ns >= 2 * v->base_p95_ns;
}

static void
look_relative(struct alarm_row *r, const struct gates *g,
    const struct pace *pace, int w, uint32_t at)
{
	r->fate = ALARM_NO_BASE;
	if (!pace_look(pace, w, &r->view))
		return;
	r->in = r->view.in;
	r->base = r->view.base;
	r->fate = ALARM_FEW;
	if (r->in.bad < PACE_LEAST || pace_over(pace, at, r->view.bin) == 0)
		return;
	r->p0 = odds_of(r->base, PACE_PRIOR_PPM, PACE_PRIOR_M);
	r->threshold_ppm = odds_ppm(&r->p0);
	r->fate = ALARM_NO_SHIFT;
	if (slower(&r->view, g->v[THRESHOLD_SLOWER]))
		test(r, g);
}

/* Of the windows that passed the one with the largest G, then the shorter. */
static void
choose(struct alarm *a)
{
	a->best = -1;
	for (int w = 0; w < WINDOWS; w++)
		if (a->rows[w].fate == ALARM_PASSED &&
		    (a->best < 0 ||
			a->rows[w].g_milli > a->rows[a->best].g_milli))
			a->best = w;
}

void
alarm_look(struct alarm *a, const struct rule *rule, const struct gates *gates,
    const struct series *s, const struct pace *pace)
{
	const struct entry *newest = series_newest(s, 0);
	struct sums sums[WINDOWS];
	uint32_t spans[WINDOWS];

	*a = (struct alarm){ .h_milli = gates->v[THRESHOLD_G],
		.prior_ppm = rule->prior_ppm,
		.prior_m = rule->prior_m };
	series_windows(s, sums, spans);
	for (int w = 0; w < WINDOWS; w++) {
		struct sums before = sums_minus(s->sum, sums[w]);

		a->rows[w] = (struct alarm_row){
			.window = series_window_cells[w],
			.entries = spans[w],
			.in = { sums[w].n, sums[w].bad },
			.base = { before.n, before.bad },
			.before_ns =
			    rule->latency && before.n > 0
				? (int64_t)(before.us / before.n) * 1000
				: -1,
		};
		if (newest->bad > 0)
			look_absolute(&a->rows[w], rule, gates);
	}
	choose(a);
	if (a->best >= 0 || !pace)
		return;
	a->relative = true;
	a->prior_ppm = PACE_PRIOR_PPM;
	a->prior_m = PACE_PRIOR_M;
	for (int w = 0; w < WINDOWS; w++)
		look_relative(&a->rows[w], gates, pace, w, newest->at);
	choose(a);
}

struct entry
alarm_entry(const struct alarm *a, const struct series *s,
    const struct pace *pace, uint32_t i)
{
	struct entry e = *series_newest(s, i);

	if (a->relative)
		e.bad = pace_over(pace, e.at, a->rows[a->best].view.bin);
	return e;
}

uint32_t
alarm_onset(const struct alarm *a, const struct series *s,
    const struct pace *pace, struct alarm_cell *cells)
{
	const struct alarm_row *row = &a->rows[a->best];
	struct sums sum = { 0 };
	int64_t best = -1;
	uint32_t n = 1;

	for (uint32_t i = 0; i < row->entries; i++) {
		struct alarm_cell c = { .e = alarm_entry(a, s, pace, i) };

		sums_add(&sum, &c.e);
		c.from = (struct trials){ sum.n, sum.bad };
		if (c.e.bad > 0)
			c.g_milli = glr_milli(c.from, &row->p0);
		if (cells)
			cells[i] = c;
		if (c.e.bad > 0 && c.g_milli > best) {
			best = c.g_milli;
			n = i + 1;
		}
	}
	return n;
}
