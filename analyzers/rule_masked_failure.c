/* SPDX-License-Identifier: Apache-2.0 */
/*
 * masked-failure: a request is answered 2xx or 3xx, and its trace says that it
 * failed.
 *
 * Access lines and balancers show success only.  Bad is a request whose own
 * segment has an error or a fault in spite of its answer, or one of whose
 * calls has (pipeline/masked.h).  Trials are the requests that were answered
 * well and have a segment: of the others nobody can tell.  What the next hop's
 * own log says is found another way (pipeline/callers.h).
 *
 * Prior 2 % with the weight of 50 requests, at least 4, and at least three
 * times the baseline and two percentage points above it: a call that is allowed
 * to fail does so all day long, and that is the baseline.
 *
 * Severity: as that of server-error, whose failures these are.
 */
#include "analyzers/analyzer.h"
#include "analyzers/glr.h"

static struct counts
count(const struct cell *cell, bool answered)
{
	(void)answered;
	return (struct counts){ .n = cell->traced, .bad = cell->masked };
}

static enum trial_is
trial(const struct judge_trial *t)
{
	if (t->class != CLASS_CLIENT || !t->traced || t->status < 200 ||
	    t->status >= 400)
		return TRIAL_NONE;
	return t->masked ? TRIAL_BAD : TRIAL_GOOD;
}

const struct rule rule_masked_failure = {
	.unit = "failures behind a 2xx or 3xx",
	.phrase = "hid a failure behind a 2xx or 3xx in # traced requests",
	.prior_ppm = 20000,
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
	.example = EXAMPLE_MASKED,
	.count = count,
	.trial = trial,
};
