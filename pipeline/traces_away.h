/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents that were left where they stand, in inputs that are plain files,
 * read once more.  A few files are kept open.  Inside pipeline/traces*.c only.
 */
#ifndef PIPELINE_TRACES_AWAY_H
#define PIPELINE_TRACES_AWAY_H

#include "core/arena.h"
#include "core/err.h"
#include "ingest/input.h"
#include "pipeline/traces_parts.h"

enum { AWAY_FILES = 64 };

/* Zeroed before the first use. */
struct traces_away {
	struct {
		uint32_t input; /* its index + 1; 0: none */
		int fd;
	} file[AWAY_FILES];
};

/*
 * The text, whose length is given, into the arena.  -1: it cannot be read, or
 * is not what it was when the input was read first.
 */
int traces_away_read(struct traces_away *a, const struct inputs *inputs,
    const struct part_away *at, struct str *text, struct arena *arena,
    struct err *err);
void traces_away_fini(struct traces_away *a);

#endif
