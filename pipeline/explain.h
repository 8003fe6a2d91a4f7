/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one input is, without replaying it: --explain-input.
 */
#ifndef PIPELINE_EXPLAIN_H
#define PIPELINE_EXPLAIN_H

#include "core/err.h"
#include "ingest/input.h"
#include "pipeline/replay.h"

/* Called once with the first record that was decoded; views live until it
 * returns.  `record` is NULL when there is none; `dead` then may tell why. */
struct explanation {
	const struct input *input;
	const char *envelope;
	struct str envelope_why;
	const struct record *record; /* the first, or NULL */
	const struct dead *dead;     /* the first, or NULL */
	const struct source_notes *notes;
	bool newest_first; /* ... and read the other way round */
};

struct explain; /* one input being explained */

/* NULL with err when it cannot be opened. */
struct explain *explain_open(const struct replay_options *options,
    const struct input *input, uint32_t index, struct err *err);
const struct explanation *explain_result(const struct explain *e);
void explain_close(struct explain *e);

#endif
