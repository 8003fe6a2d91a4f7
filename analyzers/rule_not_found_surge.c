/* SPDX-License-Identifier: Apache-2.0 */
/*
 * not-found-surge, of one path: what was never there is asked for all at once.
 *
 * A deployment that refers to a file that it lacks, a client with an old
 * address that tries without end: behind a balancer that hides who asks, that
 * is one route that never answered, and no route's own ratio tells of it.  So
 * its requests are held against all of its service's: a surge at constant
 * ratio has G = 0 here too.  /favicon.ico is missing everywhere and always, so
 * the window must have ten times what was before it, in a past of at least 60
 * requests.  Of many paths, which a template stands for, scan.c tells by the
 * same name.
 *
 * Severity: half of all requests is critical; from 100 on it is a warning.
 */
#include "analyzers/analyzer.h"
#include "analyzers/glr.h"
#include "analyzers/saturate.h"

static struct counts
count(const struct cell *cell, bool answered)
{
	uint32_t bad = minus_u32(cell->not_found, cell->probable.not_found);

	/* Route 0 is many paths. */
	if (answered || cell->key.route == 0)
		return (struct counts){ 0 };
	return (struct counts){ .n = bad, .bad = bad };
}

static enum trial_is
trial(const struct judge_trial *t)
{
	if (t->class != CLASS_CLIENT || (t->status != 404 && t->status != 410))
		return TRIAL_NONE;
	return TRIAL_BAD;
}

const struct rule rule_not_found_surge = {
	.unit = "requests for what is not there",
	.phrase = "is not there and was asked for in # requests of the service",
	.prior_ppm = 20000,
	.prior_m = 50,
	.presets = {
		[THRESHOLD_JUDGE] = 1,
		[THRESHOLD_COUNT] = 15,
		[THRESHOLD_ABOVE] = 30000,
		[THRESHOLD_G] = GLR_LEVEL_MILLI,
		[THRESHOLD_CRITICAL_RATIO] = 500000,
		[THRESHOLD_CRITICAL_COUNT] = 100,
		[THRESHOLD_WARNING_RATIO] = 30000,
		[THRESHOLD_WARNING_COUNT] = 100,
	},
	.example = EXAMPLE_NOT_FOUND,
	.of_service = true,
	.fresh = 10,
	.count = count,
	.trial = trial,
};
