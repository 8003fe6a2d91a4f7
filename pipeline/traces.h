/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The traces of an archive, one after the other, each whole.
 *
 * Segment documents of all inputs are brought together by trace, in memory up
 * to a budget and by partitions of the trace ids on disk beyond it, so that a
 * trace is complete whatever the order of documents, files and threads, and
 * memory is bounded by the budget and the largest trace.  Records that are no
 * trace documents are passed over.
 *
 *	t = traces_open(&options, paths, n, progress, &err);
 *	for (trace = traces_next(t, &err); trace; trace = traces_next(t, &err))
 *	...
 *	traces_close(t);
 */
#ifndef PIPELINE_TRACES_H
#define PIPELINE_TRACES_H

#include "core/err.h"
#include "ingest/assemble.h"
#include "pipeline/replay.h"
#include "query/query.h"

struct traces;

struct traces_options {
	/* limits, time range (by a trace's start), probes, threads */
	const struct replay_options *replay;
	struct assemble_options assemble; /* assemble_defaults; its time-out
					     does not matter here */
	size_t budget_bytes; /* of documents held in memory; 0: 64 MiB */
	const struct inputs *inputs; /* those of a replay just done, used
					instead of the paths; NULL */
	/* Traces that cannot match are counted, but need not be given: those
	 * whose root alone says so.  They are not assembled, and what is
	 * certainly not wanted stays in its file where that is plain, to be
	 * read again if another document of its trace is; a file that changed
	 * meanwhile is a failure.  NULL: all. */
	const struct query *select;
	bool by_start;       /* within what is held in memory, in the order of
				their earliest document; else of the ids */
	const uint8_t *only; /* 16 bytes of an id: this trace alone; NULL */
};

/*
 * Reads all inputs.  NULL with err: no path, disk full, interrupted (which
 * progress->stop says too).  The options' own structs outlive it.
 */
struct traces *traces_open(const struct traces_options *options,
    char *const *paths, size_t n, struct replay_progress *progress,
    struct err *err);

/*
 * The next trace; valid until the next call.  The order depends on the
 * documents only: it is that of the hashes of the ids, unless the options say
 * otherwise.  NULL: the end, or a failure, which err->text tells apart.
 */
const struct trace *traces_next(struct traces *t, struct err *err);

/* What was read, as replay's result has it: inputs, their accounts, notes. */
const struct replay_result *traces_result(const struct traces *t);
const struct assemble_counts *traces_counts(const struct traces *t);
void traces_close(struct traces *t); /* NULL is fine */

#endif
