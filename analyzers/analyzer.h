/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rule: which trials of a cell it counts, and when a ratio is a finding.
 *
 * A rule is one file with one constant, declared here and listed in judge.c
 * with its name and help.  It holds no state: the judge keeps one series of
 * counts for every rule and entity (service, method, route), and asks the same
 * test of all of them.
 */
#ifndef ANALYZERS_ANALYZER_H
#define ANALYZERS_ANALYZER_H

#include <stdbool.h>
#include <stdint.h>

#include "analyzers/cells.h"
#include "analyzers/judge.h"
#include "core/finding.h"

/* What one cell adds to a series: bad of n, and their latencies' sum. */
struct counts {
	uint32_t n;
	uint32_t bad;
	uint64_t sum_us;      /* of rules with a latency */
	const uint32_t *pace; /* the cell's, of rules with a relative test */
};

/*
 * The ladder: a level is reached when both hold over the whole finding.  What
 * reaches none is SEVERITY_INFO.
 */
struct severity_step {
	uint32_t ratio_ppm;
	uint32_t bad;
};

struct rule {
	/* Of finding.unit and .phrase: '~' becomes the limit, "1 s". */
	const char *unit;   /* of bad */
	const char *phrase; /* of the sentence; '#' becomes "116 of 504" */

	/* Baseline: p0 = (bad + m·prior) / (n + m). */
	uint32_t prior_ppm, prior_m;

	/* Gates: bad ≥ min_bad, ratio ≥ max(min_ppm, 3·p0, p0 + over_ppm). */
	uint32_t min_bad, min_ppm, over_ppm;
	int64_t h_milli; /* G above this; 0: the settings' */

	struct severity_step critical, warning;

	enum cell_example example;
	bool any_method; /* one series for all methods of a route */
	bool latency;    /* sum_us counts: mean latency before and in it */
	bool relative;   /* judged by its own past as well (alarm.h) */
	bool asked;      /* off unless --rule names it */

	/*
	 * The cell's trials; n = 0 when it has none.  `answered`: the key has
	 * been answered below 400, in this cell or before.  Pure.
	 */
	struct counts (*count)(const struct cell *cell, bool answered);

	/* What one request adds to these counts, on a route and with a method
	 * that are judged.  Pure. */
	enum trial_is (*trial)(const struct judge_trial *t);
};

extern const struct rule rule_slow_post;
extern const struct rule rule_slow_request;
extern const struct rule rule_not_found;
extern const struct rule rule_server_error;
extern const struct rule rule_masked_failure;
extern const struct rule rule_target_health;

#endif
