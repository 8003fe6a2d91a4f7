/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All inputs read for their trace documents, by threads that take an input at
 * a time and have partitions of their own.  Inside pipeline/traces*.c only.
 */
#ifndef PIPELINE_TRACES_READ_H
#define PIPELINE_TRACES_READ_H

#include "pipeline/traces.h"
#include "pipeline/traces_parts.h"

struct traces_read {
	const struct traces_options *options;
	struct replay_progress *progress;
	struct replay_result *result; /* inputs are there; the rest is filled */
	struct parts **parts;         /* one a thread, sealed */
	size_t n_parts;
};

/* -1: the disk is full.  0 also when it was told to stop. */
int traces_read(struct traces_read *r, struct err *err);
void traces_read_fini(struct traces_read *r);

#endif
