/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether one entity alarms at one cell: eight windows that end there, each
 * held against what was before it.  The essay is in judge.c.
 *
 * Two tests of one form.  The absolute one counts what the rule calls bad.  The
 * relative one, of rules about latency, counts what took longer than the
 * baseline's own 95th percentile (pace.h), and asks for an effect besides:
 * median 1.5 times or 95th percentile twice the baseline's, and so much more as
 * THRESHOLD_SLOWER says.
 * Where both alarm the absolute one is told: it needs no explanation.
 */
#ifndef ANALYZERS_ALARM_H
#define ANALYZERS_ALARM_H

#include <stdbool.h>
#include <stdint.h>

#include "analyzers/analyzer.h"
#include "analyzers/glr.h"
#include "analyzers/pace.h"
#include "analyzers/series.h"

/* What became of one window, in the order of the questions. */
enum alarm_fate {
	ALARM_FEW,      /* less bad than min_bad */
	ALARM_NO_BASE,  /* relative, fresh: fewer than 60 requests before */
	ALARM_OLD,      /* fresh: too many of them were bad */
	ALARM_RATIO,    /* the ratio does not reach the gates */
	ALARM_NO_SHIFT, /* relative: the effect does not reach its gates */
	ALARM_CHANCE,   /* G ≤ h: it may be chance */
	ALARM_PASSED,
	ALARM_FATES
};
const char *alarm_fate_text(enum alarm_fate fate);

struct alarm_row {
	enum alarm_fate fate;
	uint32_t window;  /* cells */
	uint32_t entries; /* stored cells in it */
	struct trials in, base;
	struct odds p0;
	int64_t g_milli;       /* 0 before ALARM_CHANCE */
	int64_t threshold_ppm; /* the greatest of the gates on the ratio */
	int64_t before_ns;     /* mean latency of the base; -1: none */
	struct pace_view view; /* relative only */
};

struct alarm {
	bool relative;
	uint32_t prior_ppm, prior_m; /* p0 = (bad + m·prior) / (n + m) */
	int64_t h_milli;
	struct alarm_row rows[WINDOWS];
	int best; /* row; -1: no alarm */
};

/*
 * Looks at the newest cell.  `pace`: NULL where the rule has no relative test.
 */
void alarm_look(struct alarm *a, const struct rule *rule,
    const struct gates *gates, const struct series *s, const struct pace *pace);

/*
 * A stored cell as the alarm counts it, 0 being the newest: its bad ones are
 * those over the alarm's limit.
 */
struct entry alarm_entry(const struct alarm *a, const struct series *s,
    const struct pace *pace, uint32_t i);

/* One cell of the deciding window, and what the suffix from it on comes to. */
struct alarm_cell {
	struct entry e;
	struct trials from;
	int64_t g_milli; /* 0 where the cell has nothing bad: no onset */
};

/*
 * The number of cells in the suffix with the largest G; ≥ 1.  `cells`: NULL, or
 * room for all entries of the deciding window, the newest first.
 */
uint32_t alarm_onset(const struct alarm *a, const struct series *s,
    const struct pace *pace, struct alarm_cell *cells);

#endif
