/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The report's part about traces needs them whole: a second reading, of those
 * inputs alone in which the replay has met trace documents.
 */
#ifndef CLI_REPLAY_TRACES_H
#define CLI_REPLAY_TRACES_H

#include "pipeline/replay.h"
#include "pipeline/trace_tops.h"

enum { REPLAY_SEGMENTS_MAX = 50000 };

/*
 * Adds all traces but those of health checks, and, with options->service, of
 * that one alone.  Nothing is read when there are none; what can be read only
 * once is passed over.  Beyond REPLAY_SEGMENTS_MAX nothing is read either and
 * tops->too_many is set: putting traces together costs three times what
 * counting their requests does.  -1 with err.
 */
int replay_traces(struct trace_tops *tops, const struct replay_options *options,
    const struct replay_result *result, struct replay_progress *progress,
    struct err *err);

#endif
