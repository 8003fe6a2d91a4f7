/* SPDX-License-Identifier: Apache-2.0 */
/* How a finding was decided: everything that went into it. */
#ifndef ANALYZERS_STORY_H
#define ANALYZERS_STORY_H

#include "analyzers/alarm.h"
#include "core/finding.h"

struct judge_story {
	char id[FINDING_ID];
	struct alarm alarm;
	struct alarm_cell *cells; /* of the deciding window, newest first */
	uint32_t n_cells;
	uint32_t n_onset;    /* the onset's is cells[n_onset - 1] */
	int64_t base_ns;     /* the time of the cell with the number 0 */
	uint32_t hot, quiet; /* cells: last hot; quiet for so long: resolved */
};

#endif
