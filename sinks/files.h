/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents in files: --out DIR, one NDJSON file an index kind.
 *
 * A run writes NAME.ndjson.tmp and renames all at the end, so that a run that
 * fails, is interrupted or fills the disk leaves the files of the run before
 * it untouched.  Every kind gets its file, also an empty one: what an earlier
 * run left never stands beside what this one found.  Other files in DIR are
 * none of our business.  Two runs into one DIR at a time: the second is
 * refused by a lock.
 *
 * One thread.  Life: open, put …, finish, close; close without finish removes
 * the temporary files.
 */
#ifndef SINKS_FILES_H
#define SINKS_FILES_H

#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

enum file_kind {
	FILE_REQUESTS,
	FILE_LOGS,
	FILE_SEGMENTS,
	FILE_TRACES,
	FILE_ROLLUPS,
	FILE_FINDINGS,
	FILE_DEADLETTERS,
	FILE_KINDS
};

struct files;

/* The file's name, "requests.ndjson". */
const char *files_name(enum file_kind kind);

/* Makes DIR, and what leads to it, where missing.  NULL with err. */
struct files *files_open(const char *dir, struct err *err);

/* Appends whole lines.  -1 with path and reason when they cannot be written. */
int files_put(struct files *f, enum file_kind kind, struct str lines,
    struct err *err);

/* Everything is on its way to the disk and under its name, or -1. */
int files_finish(struct files *f, struct err *err);

void files_close(struct files *f); /* NULL is allowed */

#endif
