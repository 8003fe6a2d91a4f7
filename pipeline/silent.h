/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Targets that fall silent: missing probes, as trials of target-health.
 *
 *	pulses ─► listener ─► silences ─► what their logs say ─► cells ─► judge
 *
 * What the clock and the others say is a suspicion (analyzers/silence.h).  The
 * suspects' logs are read again, from half a minute before the last probe on.
 * Who printed anything while its probes were missing lives, and is asked in
 * another way; who said that it was told to end (SIGTERM, "shutting down",
 * "Worker exiting") has ended; of whose log a part is broken nothing is known.
 * What is left is counted: each missing probe is one in the cell in which it
 * should have come.
 *
 * At most SILENT_BYTES are read, inputs in their order; of what is beyond
 * nothing is told.  An export task tells of a stream until the last record of
 * the task; any other input until its own.
 */
#ifndef PIPELINE_SILENT_H
#define PIPELINE_SILENT_H

#include "analyzers/silence.h"
#include "core/err.h"

struct run;

#define SILENT_BYTES (UINT64_C(256) * 1024 * 1024) /* inflated */

struct silent; /* what was found */
void silent_free(struct silent *s);

/* Whether anybody asks for it: pulses are to be noted. */
bool silent_wanted(const struct run *run);

/*
 * After all probes are known, before the tally is sealed: run->silent, and the
 * cells.  -1: the disk is full.
 */
int silent_find(struct run *run, struct err *err);

/* After the judge: findings of target-health get their words. */
void silent_tell(struct run *run);

#endif
