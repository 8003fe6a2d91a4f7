/* SPDX-License-Identifier: Apache-2.0 */
/*
 * target-health: health checks that fail, or are missing.
 *
 * A probe is sent by a machine in order to be answered, and is answered for
 * days on end: a failing one needs little proof.  The level is therefore one
 * in twenty (G > ln 20 = 2.996), not one in a million; two failures are asked
 * for, as balancers do, so that the one probe that a starting task refuses is
 * nothing.  The ratio gate of 2 % lets two time-outs in five minutes of two
 * nodes' probes (2 of 62) through, which is what a busy single-threaded
 * service shows; a target that loses one in a hundred all day long has that in
 * its baseline.
 *
 * A probe that did not come although others went on being probed (silence.h) is
 * one that failed: the target did not answer.  It is the same trial as a probe
 * that a balancer's log of the same service has as a time-out, so that a target
 * that hangs is told once.
 *
 * One series for all methods of a route.  A probable probe counts as well, and
 * nowhere else.  Where clients of the same route fail at the same time it is
 * their finding that tells of the probes (fold.h).
 *
 * Severity: half of six or more is critical, the target is out of service; a
 * twentieth of three or more is a warning; less, as the two time-outs above or
 * a start, is worth a look.
 */
#include "analyzers/analyzer.h"
#include "analyzers/saturate.h"

static struct counts
count(const struct cell *cell, bool answered)
{
	(void)answered; /* a probe on a wrong path never was answered */
	return (struct counts){ .n = add_u32(cell->probes, cell->missing),
		.bad = add_u32(cell->probes_bad, cell->missing) };
}

static enum trial_is
trial(const struct judge_trial *t)
{
	if (t->class == CLASS_CLIENT)
		return TRIAL_NONE;
	return t->status >= 400 ? TRIAL_BAD : TRIAL_GOOD;
}

const struct rule rule_target_health = {
	.unit = "failed probes",
	.phrase = "failed # health checks",
	.prior_ppm = 10000,
	.prior_m = 20,
	.presets = {
		[THRESHOLD_JUDGE] = 1,
		[THRESHOLD_COUNT] = 2,
		[THRESHOLD_RATIO] = 20000,
		[THRESHOLD_G] = 2996,
		[THRESHOLD_CRITICAL_RATIO] = 500000,
		[THRESHOLD_CRITICAL_COUNT] = 6,
		[THRESHOLD_WARNING_RATIO] = 50000,
		[THRESHOLD_WARNING_COUNT] = 3,
	},
	.example = EXAMPLE_PROBE,
	.any_method = true,
	.count = count,
	.trial = trial,
};
