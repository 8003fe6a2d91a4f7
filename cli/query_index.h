/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an index of Elasticsearch or OpenSearch has for a query: traces by the
 * translated expression, requests and findings by their time.
 *
 * An expression that is too deep for the server, or that it refuses, is
 * evaluated here instead, over all traces of the range: slower, and the same.
 */
#ifndef CLI_QUERY_INDEX_H
#define CLI_QUERY_INDEX_H

#include "cli/query.h"

struct query_index;

/* NULL: the words are said, and *status is how the command ends.  `whole`: with
 * view and summary.  Nothing is asked yet. */
struct query_index *query_index_open(const struct query_ask *ask, bool whole,
    int *status);

/* The matching traces.  False: the end, or *status is how the command ends. */
bool query_index_next(struct query_index *x, struct query_trace *t,
    int *status);

/* How many traces there are in the range of time. */
uint64_t query_index_seen(struct query_index *x, int *status);

/*
 * The documents of the range that the question is about, lines as --out has
 * them, whatever the expression says; instead of the traces.  1, 0 at the end,
 * -1 with err.
 */
int query_index_document(struct query_index *x, struct str *line,
    struct err *err);

void query_index_close(struct query_index *x); /* NULL is fine */

#endif
