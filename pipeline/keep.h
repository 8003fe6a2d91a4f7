/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a replay found goes into the store: findings, roll-ups, traces with
 * their documents, and requests and other log events when asked for.
 *
 * One transaction: all of it, or nothing.  A trace that the store has already
 * is assembled anew of its old and new documents, so that archives may be
 * replayed in any order and any number of times.
 */
#ifndef PIPELINE_KEEP_H
#define PIPELINE_KEEP_H

#include "pipeline/replay.h"

struct keep_options {
	const char *path;      /* of the store */
	const char *documents; /* folder with the replay's: roll-ups, … */
	bool requests, logs;   /* … and these, if they are wanted */
	int64_t keep_ns;       /* 0: for ever */
	uint64_t max_bytes;    /* 0: any size */
};

struct keep_counts {
	uint64_t traces;  /* new */
	uint64_t changed; /* that were there and got more documents */
	uint64_t same;    /* that were there just so */
	uint64_t requests, logs, rollups;
	uint64_t findings;
};

/* After a replay with its options and result.  -1 with err. */
int keep(const struct keep_options *options,
    const struct replay_options *replay, const struct replay_result *result,
    struct replay_progress *progress, struct keep_counts *counts,
    struct err *err);

#endif
