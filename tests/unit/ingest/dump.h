/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests: all that comes out of an input, as text that can be compared.
 */
#ifndef TESTS_UNIT_INGEST_DUMP_H
#define TESTS_UNIT_INGEST_DUMP_H

#include "core/buf.h"
#include "core/limits.h"
#include "core/str.h"

/*
 * Reads an input to its end.  The first line is "envelope: name (why)"; an
 * event is "+ what line@offset time group stream id|message", a dead letter
 * "- line@offset reason|bytes", both with "-" for what is absent and C escapes
 * for bytes that do not print.  Dead letters come after the events.
 */
void dump_path(struct buf *out, const char *path, const struct limits *limits);
void dump_bytes(struct buf *out, struct str bytes, const struct limits *limits);

/* A file's content; false: it cannot be read. */
bool dump_file(struct buf *out, const char *path);

#endif
