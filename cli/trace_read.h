/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading traces for a command, from an archive or from a store: signals,
 * progress, and words about inputs that fail.
 */
#ifndef CLI_TRACE_READ_H
#define CLI_TRACE_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "pipeline/traces.h"

struct trace_store; /* of one that reads a store */

struct trace_read {
	struct traces *traces;     /* NULL: of a store */
	struct trace_store *store; /* NULL: of an archive */
	int status;                /* STATUS_OK, or how the command is to end */
};

/* Limits, threads and assembly as they are by default. */
void trace_read_options(struct traces_options *o, struct replay_options *r);

/* False: it failed, and the status and the words are there.  Close it anyway.
 */
bool trace_read_open(struct trace_read *t, const struct traces_options *o,
    char *const *paths, size_t n, bool quiet);

/*
 * The same of the store in the file `path`: whole traces, assembled of their
 * documents; of the options the range of time and `only` count.
 */
bool trace_read_open_store(struct trace_read *t, const struct traces_options *o,
    const char *path);

/* The next trace; NULL: the end, or a failure that the status tells. */
const struct trace *trace_read_next(struct trace_read *t);

/* Says which inputs failed, once; the status is then worse than it was. */
void trace_read_inputs(struct trace_read *t);
void trace_read_close(struct trace_read *t);

#endif
