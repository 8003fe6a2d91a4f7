/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What waited for the clock, when it has been judged: a note for who reads
 * again, its row's class, or its count.
 */
#ifndef PIPELINE_PROBE_FINISH_H
#define PIPELINE_PROBE_FINISH_H

#include "pipeline/candidate.h"

struct run;

/*
 * c->judged is final.  What waits in a chain is not counted yet.  -1: the disk
 * is full.
 */
int probe_finish(struct run *run, const struct candidate *c, struct err *err);

/* Counts what waited in chains, as it came; all of it is judged. */
int probe_count(struct run *run, struct err *err);

#endif
