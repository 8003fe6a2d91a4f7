/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The documents of --out: roll-ups while cells go by, findings, and, on a
 * second reading of the inputs, requests, logs, segments and dead letters.
 */
#ifndef PIPELINE_WRITE_H
#define PIPELINE_WRITE_H

#include "analyzers/cells.h"
#include "core/err.h"
#include "pipeline/run.h"

struct write;

/* Whether records are among what is asked for: it needs the verdicts. */
bool write_records(const struct replay_options *options);

/* NULL and no error: nothing was asked for; all else then does nothing. */
int write_open(struct run *run, struct err *err);

/* A whole cell, in order of time: summed up to its minute. */
int write_cell(struct write *w, const struct cell *cell, struct err *err);

/* The rest, and the files get their names; nothing stays after a failure. */
int write_finish(struct run *run, struct err *err);
void write_abandon(struct run *run);

#endif
