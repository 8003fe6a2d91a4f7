/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The traces of a local store, assembled of their documents: what
 * cli/trace_read.c reads a store by.
 */
#ifndef CLI_TRACE_STORE_H
#define CLI_TRACE_STORE_H

#include "pipeline/traces.h"

struct trace_store;

/* NULL: the words are said, and *status is how the command ends. */
struct trace_store *trace_store_open(const char *path,
    const struct traces_options *options, int *status);
/* The next one; NULL: the end, or *status is how the command ends. */
const struct trace *trace_store_next(struct trace_store *s, int *status);
void trace_store_close(struct trace_store *s); /* NULL is fine */

#endif
