/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The documents of a run's traces, one after the other.
 *
 * All traces that a query of the same inputs would be asked of: those of
 * health checks have their class, and are left out by --probes drop alone.
 */
#ifndef PIPELINE_WRITE_TRACES_H
#define PIPELINE_WRITE_TRACES_H

#include "core/buf.h"
#include "core/err.h"
#include "pipeline/run.h"

struct write_traces;

/* Reads the run's segments again.  NULL with err. */
struct write_traces *write_traces_open(struct run *run, struct err *err);

/* Appends the next line: 1, 0 at the end, -1 with err. */
int write_traces_next(struct write_traces *w, struct buf *out, struct err *err);

void write_traces_close(struct write_traces *w); /* NULL is fine */

#endif
