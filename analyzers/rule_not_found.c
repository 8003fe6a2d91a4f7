/* SPDX-License-Identifier: Apache-2.0 */
/*
 * not-found: a route that used to answer answers 404 or 410.
 *
 * The broken-route test of the reference, 3.3.  Only a known route is judged:
 * one that was answered below 400 for this method, in an earlier cell or the
 * same one.  What never answered (/favicon.ico, a scanner's guesses) has no
 * trials here.  Requests without a status are no trials: they can show neither;
 * probable probes are those of target-health, so that one failure is told once.
 *
 * Prior 2 % with the weight of 50 requests, at least 4, and at least three
 * times the baseline and three percentage points above it: a surge at constant
 * ratio has G = 0 by construction, one 404 of one request G ≤ 3.9.
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
	if (!answered)
		return (struct counts){ 0 };
	return (struct counts){ .n = cell_answered(cell),
		.bad = minus_u32(cell->not_found, cell->probable.not_found) };
}

static enum trial_is
trial(const struct judge_trial *t)
{
	if (t->class != CLASS_CLIENT || t->status < 100 || t->status >= 600)
		return TRIAL_NONE;
	return t->status == 404 || t->status == 410 ? TRIAL_BAD : TRIAL_GOOD;
}

const struct rule rule_not_found = {
	.unit = "404 or 410 answers",
	.phrase = "answered 404 or 410 in # requests",
	.prior_ppm = 20000,
	.prior_m = 50,
	.presets = {
		[THRESHOLD_JUDGE] = 1,
		[THRESHOLD_COUNT] = 4,
		[THRESHOLD_ABOVE] = 30000,
		[THRESHOLD_G] = GLR_LEVEL_MILLI,
		[THRESHOLD_CRITICAL_RATIO] = 200000,
		[THRESHOLD_CRITICAL_COUNT] = 20,
		[THRESHOLD_WARNING_RATIO] = 50000,
		[THRESHOLD_WARNING_COUNT] = 4,
	},
	.example = EXAMPLE_NOT_FOUND,
	.count = count,
	.trial = trial,
};
