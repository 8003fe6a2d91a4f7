/* SPDX-License-Identifier: Apache-2.0 */
/*
 * telltale replay: its other forms, --explain-input and --explain-finding,
 * are files of their own.
 */
#ifndef CLI_REPLAY_H
#define CLI_REPLAY_H

#include <stddef.h>

#include "core/buf.h"
#include <stdbool.h>

#include "core/term.h"
#include "pipeline/replay.h"

/* For each input: envelope, why, dialect, the first record.  Exit status. */
int replay_explain(const struct replay_options *options,
    const struct term *term, char *const *paths, size_t n);

/* The finding with the id, and how it was decided; false: there is none. */
struct report;
bool replay_explain_finding(struct buf *out, const struct report *r,
    const char *id);

#endif
