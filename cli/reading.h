/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What commands that read inputs share: the counters, the signals that stop
 * them, and the words about inputs that failed.
 *
 * A program runs one command, so there is one set of counters.
 */
#ifndef CLI_READING_H
#define CLI_READING_H

#include "pipeline/replay.h"

/* The counters, and the stop flag that a signal sets. */
struct replay_progress *reading_progress(void);

/* From now on the first SIGINT or SIGTERM sets the flag; the second ends the
 * program at once. */
void reading_signals(void);

/*
 * After a reading: STATUS_OK, or the status of a run that was stopped, which
 * is said: half an archive's answer looks like all of it.
 */
int reading_stopped(void);

/*
 * Says which inputs failed, the first few by name.  STATUS_NOINPUT: there is
 * one of which nothing was read; STATUS_IO: there is one that was read in part;
 * else STATUS_OK.
 */
int reading_failed(const struct replay_result *r);

#endif
