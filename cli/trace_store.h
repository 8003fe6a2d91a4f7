/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The traces of a local store: as rows, or assembled of their documents.  What
 * cli/trace_read.c and cli/query_source.c read a store by.
 */
#ifndef CLI_TRACE_STORE_H
#define CLI_TRACE_STORE_H

#include "ingest/assemble.h"
#include "store/store.h"

struct trace_store;

struct trace_store_ask {
	const char *path;
	struct assemble_options assemble;
	bool whole;               /* assembled */
	struct store_where where; /* unless `only` says which */
	int64_t last_ns;          /* 0: all; of where, the last so long */
	const uint8_t *only;      /* 16 bytes of an id, of a whole one; NULL */
};

/* NULL: the words are said, and *status is how the command ends. */
struct trace_store *trace_store_open(const struct trace_store_ask *ask,
    int *status);

/*
 * The next one, until the next call.  False: the end, or *status is how the
 * command ends.  Of `only` there is the trace and no row.
 */
struct trace_store_item {
	struct store_row row;
	const struct trace *trace; /* NULL unless whole */
};
bool trace_store_next(struct trace_store *s, struct trace_store_item *item,
    int *status);

/* How many traces there are in the range of time. */
uint64_t trace_store_count(struct trace_store *s, int *status);

void trace_store_close(struct trace_store *s); /* NULL is fine */

#endif
