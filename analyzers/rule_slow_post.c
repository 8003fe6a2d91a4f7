/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slow-post: requests that change something take longer than the threshold, or
 * longer than they did; slow-request: the same of any request, on request only.
 *
 * The absolute test of the reference, 3.2: k of n requests with a duration are
 * slow, prior 1 % with the weight of 20 requests, at least 3 of them and at
 * least 10 %.  Every method but GET, HEAD and OPTIONS is judged alike: what is
 * slow to read is another question, with another threshold.  Works from the
 * first record on: six slow of nine give G = 21.9.  The relative test is in
 * alarm.h.
 *
 * Severity: a quarter of ten or more requests is critical, five slow ones are
 * a warning, fewer are worth a look.  Slower than before is a warning at most.
 */
#include "analyzers/analyzer.h"
#include "analyzers/glr.h"

static struct counts
count_any(const struct cell *cell, bool answered)
{
	(void)answered; /* slow is slow, whatever the answer */
	return (
	    struct counts){ cell->timed, cell->slow, cell->sum_us, cell->pace };
}

static struct counts
count(const struct cell *cell, bool answered)
{
	switch ((enum method)cell->key.method) {
	case METHOD_NONE:
	case METHOD_GET:
	case METHOD_HEAD:
	case METHOD_OPTIONS:
		return (struct counts){ 0 };
	case METHOD_POST:
	case METHOD_PUT:
	case METHOD_DELETE:
	case METHOD_PATCH:
	case METHOD_OTHER:
	case METHODS:
		break;
	}
	return count_any(cell, answered);
}

/* What both have in common. */
#define SLOW                                                                   \
	.unit = "requests over ~", .phrase = "took over ~ in # requests",      \
	.prior_ppm = 10000, .prior_m = 20, .example = EXAMPLE_SLOW,            \
	.latency = true, .relative = true

static enum trial_is
trial(const struct judge_trial *t)
{
	if (t->class != CLASS_CLIENT || t->duration_ns < 0)
		return TRIAL_NONE;
	return t->duration_ns > t->slow_ns ? TRIAL_BAD : TRIAL_GOOD;
}

/* Their thresholds, but for whether they judge. */
#define SLOW_PRESETS                                                           \
	[THRESHOLD_SLOW] = NS_PER_SEC, [THRESHOLD_SLOWER] = NS_PER_SEC / 20,   \
	[THRESHOLD_COUNT] = 3, [THRESHOLD_RATIO] = 100000,                     \
	[THRESHOLD_G] = GLR_LEVEL_MILLI, [THRESHOLD_CRITICAL_RATIO] = 250000,  \
	[THRESHOLD_CRITICAL_COUNT] = 10, [THRESHOLD_WARNING_COUNT] = 5

const struct rule rule_slow_post = {
	SLOW,
	.presets = { SLOW_PRESETS, [THRESHOLD_JUDGE] = 1 },
	.count = count,
	.trial = trial,
};

const struct rule rule_slow_request = {
	SLOW,
	.presets = { SLOW_PRESETS },
	.count = count_any,
	.trial = trial,
};
