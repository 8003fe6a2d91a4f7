/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the join has said of single events, for whoever reads the inputs again:
 * asked in the order of the reading, input by input.
 */
#ifndef PIPELINE_VERDICTS_H
#define PIPELINE_VERDICTS_H

#include "core/err.h"
#include "core/record.h"
#include "pipeline/row.h"

struct run;

struct verdicts {
	struct merge *merge; /* NULL: nothing was joined */
	const struct verdict *next;
};

/* Zeroed before; run->verdicts may be NULL. */
int verdicts_open(struct verdicts *v, struct run *run, struct err *err);

/* Of the event with the number `seq` in its input; NULL: nothing was said.
 * Valid until the next call. */
const struct verdict *verdicts_of(struct verdicts *v, const struct place *place,
    uint64_t seq);

/* -1: reading them failed in between. */
int verdicts_close(struct verdicts *v, struct err *err);

#endif
