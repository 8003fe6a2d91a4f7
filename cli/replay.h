/* SPDX-License-Identifier: Apache-2.0 */
/*
 * telltale replay: its second form, --explain-input, is a file of its own.
 */
#ifndef CLI_REPLAY_H
#define CLI_REPLAY_H

#include <stddef.h>

#include "core/term.h"
#include "pipeline/replay.h"

/* For each input: envelope, why, dialect, the first record.  Exit status. */
int replay_explain(const struct replay_options *options,
    const struct term *term, char *const *paths, size_t n);

#endif
