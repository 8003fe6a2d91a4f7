/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far a replay is, on stderr while it runs: one line that is written over
 * and erased at the end.  Nothing is written when stderr is no terminal.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "pipeline/replay.h"

struct progress;

/* Shows `of` until progress_end; NULL when there is nothing to show on. */
struct progress *progress_begin(struct replay_progress *of, bool quiet);

/* Erases the line; then, `done`, one line of time and rate stays. */
void progress_end(struct progress *p, bool done);

/* What is shown, apart: bytes, rate, records a second, time left. */
struct progress_view {
	uint64_t done, total, records;
	int phase;
	int64_t elapsed_ns;
};
void progress_line(struct buf *out, const struct progress_view *v);

#endif
