/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Of the documents of one segment one counts, by the rule that makes traces
 * (assemble_rank): finished before in progress, then the one that says more.
 * The others are outdone: duplicates, neither counted nor written, wherever
 * and in whichever order they were read.
 *
 *	outdone_find(run)     once, when all is read
 *	outdone_open(&o)      then along the rows in order,
 *	outdone_has(&o, row)  for each
 *	outdone_close(&o)
 *
 * Documents that are the same to the byte are not outdone: they have the same
 * time, and are told by their place (pairing.h).
 */
#ifndef PIPELINE_OUTDONE_H
#define PIPELINE_OUTDONE_H

#include "pipeline/run.h"

/* Counts the traces as well: they come by in the same order. */
int outdone_find(struct run *run, struct err *err);

struct outdone_mark;

struct outdone {
	struct merge *marks;
	const struct outdone_mark *next;
};

/* After a failure, too, it is closed once. */
int outdone_open(struct outdone *o, const struct run *run, struct err *err);
bool outdone_has(struct outdone *o, const struct row *row);
int outdone_close(struct outdone *o, struct err *err);

#endif
