/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of one finding, from the alarm to its resolution.
 *
 * It is hot at a cell when the ratio of the five minutes that end there is
 * above 3·p0, p0 being frozen at the alarm; it is over when it has not been hot
 * for the quiet time and something was answered since, or when nothing at all
 * came for six times as long: silence is no recovery, and a route with eight
 * calls an hour is not one incident a call.  Its end is the last bad cell at
 * which it was hot, and counts are those from the onset to the end.
 */
#ifndef ANALYZERS_INCIDENT_H
#define ANALYZERS_INCIDENT_H

#include <stdbool.h>
#include <stdint.h>

#include "analyzers/alarm.h"
#include "analyzers/glr.h"
#include "analyzers/series.h"
#include "core/finding.h"

struct judge_story;

enum { INCIDENT_CELLS = 30 }; /* five minutes */

struct incident {
	struct odds p0;
	struct entry recent[INCIDENT_CELLS]; /* oldest first */
	int n_recent;
	struct sums sum;  /* from the onset to now */
	struct sums upto; /* from the onset to the end */
	uint32_t onset;
	uint32_t end;  /* its last bad cell */
	uint32_t hot;  /* the last cell at which it was hot */
	uint32_t seen; /* the last cell of all */
	struct example evidence[FINDING_EVIDENCE];
	int n_evidence;
	/* Of the alarm: */
	uint32_t detected;
	bool relative;
	struct alarm_row row; /* the window that decided */
	int64_t h_milli;
	struct judge_story *story; /* NULL: nobody asked; the judge's */
};

/* One more cell of its entity, bad or not; `example` may be NULL. */
void incident_add(struct incident *i, const struct entry *e,
    const struct example *example);

/* The cell that was added last is declared its end: at the alarm. */
void incident_alarm(struct incident *i);

/* Whether it is over at the cell `now`, `quiet` being in cells. */
bool incident_over(const struct incident *i, uint32_t now, uint32_t quiet);

/* The example, unless there are enough or it is there. */
void incident_evidence(struct incident *i, const struct example *example);

#endif
