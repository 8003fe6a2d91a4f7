/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The judge: sealed cells in time order → findings.
 *
 * One test decides everything that is a ratio (k bad of n, baseline p0):
 *
 *	G = n·[ p̂ ln(p̂/p0) + (1−p̂) ln((1−p̂)/(1−p0)) ]   for p̂ > p0
 *
 * P(K ≥ k) ≤ e^−G by Chernoff's bound, so G > h = ln(1/α) is a test at level
 * α.  Logarithms are fixed point: the same bits on any machine (glr.c).
 * Windows of 10 s to 60 min end at the cell; the baseline is what
 * lies before the window, up to 24 h, cells of open findings left out, shrunk
 * by a prior.  See the essay in judge.c, and analyzer.h for the rules.
 *
 * The judge reads no clock and depends on nothing but its cells: the same
 * cells give the same findings.  Memory: 16 bytes a cell that had trials, at
 * most 61 KB a rule and key; keys are bounded by the routes.
 */
#ifndef ANALYZERS_JUDGE_H
#define ANALYZERS_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "analyzers/cells.h"
#include "analyzers/thresholds.h"
#include "core/finding.h"
#include "core/str.h"

struct judge_settings {
	struct thresholds thresholds; /* settled */
	int64_t quiet_ns; /* quiet this long: resolved; 20 min (incident.h) */
	const char *explain; /* a finding's id: its story is kept; NULL */
};
extern const struct judge_settings judge_settings_default;

/* The names behind a cell's numbers, asked when a finding is written. */
struct judge_names {
	/* Both indexed by the final numbers in the cells that are fed. */
	const struct str *services;      /* by cell_key.origin */
	const struct str *const *routes; /* [origin][route] */
	const uint32_t *n_routes;        /* by origin */
};

struct judge;

struct judge *judge_new(const struct judge_settings *settings,
    const struct judge_names *names);

/* Cells in time order (cell_key_cmp), each key once. */
void judge_feed(struct judge *j, const struct cell *cell, struct findings *out);

/* No cell after this: findings still open are written as such. */
void judge_end(struct judge *j, struct findings *out);
void judge_free(struct judge *j);

/*
 * How the finding that was asked for was decided (story.h), now the caller's;
 * NULL: there is no such finding.
 */
struct judge_story;
struct judge_story *judge_take_story(struct judge *j);
void judge_story_free(struct judge_story *s);

/*
 * What a single request is to a rule: the same that its counts make of it in a
 * cell, for who looks at a finding's requests again.
 */
enum trial_is { TRIAL_NONE, TRIAL_GOOD, TRIAL_BAD };
struct judge_trial {
	enum class class;
	int status;          /* 0: none */
	int64_t duration_ns; /* -1: none */
	int64_t slow_ns;     /* the finding's over_ns */
	bool traced, masked; /* there is a segment; it says that it failed */
};
enum trial_is judge_trial(const char *rule, const struct judge_trial *t);

/* The rules' table, for --rule, components and the manual; NULL name ends. */
enum { RULES = 8 };
struct rule;
struct rule_info {
	const char *name;
	const char *help;
	const struct rule *rule;
};
const struct rule_info *judge_rules(void);

/* The row of a rule that there is. */
int judge_rule(const char *name);

#endif
