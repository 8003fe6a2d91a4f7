/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the join and the clock have said of single events, for whoever reads the
 * inputs again: asked in the order of the reading, input by input.
 */
#ifndef PIPELINE_VERDICTS_H
#define PIPELINE_VERDICTS_H

#include "analyzers/probe.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/record.h"
#include "pipeline/probes.h"
#include "pipeline/row.h"

struct run;

struct verdicts {
	struct merge *merge; /* NULL: nothing was joined */
	const struct verdict *next;
	const struct probe_settings *probe;
	struct merge *notes; /* NULL: nothing of it was asked for */
	const struct probe_note *note;
	struct buf reason; /* its words */
};

/* Zeroed before; run->verdicts and run->probe_notes may be NULL. */
int verdicts_open(struct verdicts *v, struct run *run, struct err *err);

/* Of the event with the number `seq` in its input; NULL: nothing was said.
 * Valid until the next call. */
const struct verdict *verdicts_of(struct verdicts *v, const struct place *place,
    uint64_t seq);

/*
 * The class of the request alone, or what the clock has made of it if it waited
 * for that: what the join says then is said of this.  The reason is valid until
 * the next call.
 */
struct probe_verdict verdicts_probe(struct verdicts *v, const struct record *r,
    uint64_t seq);

/* -1: reading them failed in between. */
int verdicts_close(struct verdicts *v, struct err *err);

#endif
