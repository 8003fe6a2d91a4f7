/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rule: which trials of a cell it counts, and when a ratio is a finding.
 *
 * A rule is one file with one constant, declared here and listed in rules.c
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
#include "analyzers/thresholds.h"
#include "core/finding.h"

/* What one cell adds to a series: bad of n, and their latencies' sum. */
struct counts {
	uint32_t n;
	uint32_t bad;
	uint64_t sum_us;      /* of rules with a latency */
	const uint32_t *pace; /* the cell's, of rules with a relative test */
};

struct rule {
	/* Of finding.unit and .phrase: '~' becomes the limit, "1 s". */
	const char *unit;   /* of bad */
	const char *phrase; /* of the sentence; '#' becomes "116 of 504" */

	/* Baseline: p0 = (bad + m·prior) / (n + m). */
	uint32_t prior_ppm, prior_m;

	/* Thresholds that nobody set (thresholds.h); 0 where it has none. */
	int64_t presets[THRESHOLDS];

	enum cell_example example;
	bool any_method; /* one series for all methods of a route */
	bool latency;    /* sum_us counts: mean latency before and in it */
	bool relative;   /* judged by its own past as well (alarm.h) */
	/* Trials are all requests of the service (whole.h), and count's n does
	 * not matter. */
	bool of_service;
	/* The window must have so many times the bad ones of its past, and the
	 * past something; 0: any. */
	uint32_t fresh;

	/*
	 * The cell's trials; n = 0 when it has none.  `answered`: the key has
	 * been answered below 400, in this cell or before.  Pure.  NULL: the
	 * rule is no ratio of a route's requests; scan.c judges by it, for a
	 * service as a whole.
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
extern const struct rule rule_not_found_scan;
extern const struct rule rule_not_found_surge;

#endif
