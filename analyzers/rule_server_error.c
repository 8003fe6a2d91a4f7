/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server-error: a route answers 5xx.
 *
 * X-Ray calls these faults, and its own Insights looks at nothing else.  Unlike
 * a 404 an answer of this class is never right, so that a route that fails from
 * the first record on is a finding too: the prior, not a known good past, is
 * what it is held against.  Requests without a status are no trials, and
 * probable probes are those of target-health, so that one failure is told once.
 *
 * Prior 1 % with the weight of 50 requests, at least 4, and at least three
 * times the baseline and two percentage points above it.
 *
 * Severity: a fifth of twenty or more requests is critical, a twentieth is a
 * warning, less is worth a look.
 */
#include "analyzers/analyzer.h"
#include "analyzers/glr.h"
#include "analyzers/saturate.h"

static struct counts
count(const struct cell *cell, bool answered)
{
	(void)answered;
	return (struct counts){ .n = cell_answered(cell),
		.bad = minus_u32(cell->status[5], cell->probable.failed) };
}

static enum trial_is
trial(const struct judge_trial *t)
{
	if (t->class != CLASS_CLIENT || t->status < 100 || t->status >= 600)
		return TRIAL_NONE;
	return t->status >= 500 ? TRIAL_BAD : TRIAL_GOOD;
}

const struct rule rule_server_error = {
	.unit = "5xx answers",
	.phrase = "answered 5xx in # requests",
	.prior_ppm = 10000,
	.prior_m = 50,
	.presets = {
		[THRESHOLD_JUDGE] = 1,
		[THRESHOLD_COUNT] = 4,
		[THRESHOLD_ABOVE] = 20000,
		[THRESHOLD_G] = GLR_LEVEL_MILLI,
		[THRESHOLD_CRITICAL_RATIO] = 200000,
		[THRESHOLD_CRITICAL_COUNT] = 20,
		[THRESHOLD_WARNING_RATIO] = 50000,
		[THRESHOLD_WARNING_COUNT] = 4,
	},
	.example = EXAMPLE_SERVER_ERROR,
	.count = count,
	.trial = trial,
};
