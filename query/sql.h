/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A filter expression as the WHERE clause of SQLite.
 *
 * The clause stands behind "SELECT … FROM traces t WHERE": it calls the row t
 * and correlates everything else with it, so that a range of start_ns or an id
 * can be joined to it with AND.  It selects exactly the traces for which
 * query_eval is true of the view that the rows were written from; thousands of
 * random expressions over random traces are compared in the tests.
 *
 * No text of the expression gets into the clause but inside of a string
 * literal: quotes are doubled, a text with control characters is written as
 * CAST(x'…' AS TEXT).  Numbers are made of digits.
 *
 * The tables it stands on, which the store creates.  Rules, as in query/view.h:
 *
 * - an absent or empty text is NULL, an absent number is NULL, a flag is 0
 *   or 1; of annotations exactly one of text, number, boolean is not NULL,
 *   and that text may be empty;
 * - a node of several names is a row for each of its names;
 * - the client node is a row with client_node = 1 and no segment;
 * - "first" and "last" are 1 at the ends of a list, "place" counts from 0;
 * - n of a row of trace_services or trace_edges is that of its trace times
 *   2^24, and a number among the trace's rows of that table;
 * - coverage is a share in 1e-9; all other units are in the names.
 */
#ifndef QUERY_SQL_H
#define QUERY_SQL_H

#include "core/buf.h"
#include "core/err.h"
#include "query/query.h"

/*
 * Appends the clause.  -1 with err, and nothing appended, when the brackets
 * are nested in a way that SQLite's parser has no stack for.  A single line of
 * brackets fits at any depth that the parser takes; some twenty levels in each
 * of several branches do not.
 */
int query_sql(struct buf *b, const struct query *q, struct err *err);

/*
 * The statements that create what the clause reads, without the store's own
 * tables: one string, each statement with its semicolon.
 */
extern const char query_sql_schema[];

#endif
