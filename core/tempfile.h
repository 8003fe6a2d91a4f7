/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file without a name in $TMPDIR (/tmp when that is not set): it is gone
 * when its descriptor is closed, however the program ends.
 */
#ifndef CORE_TEMPFILE_H
#define CORE_TEMPFILE_H

#include "core/err.h"

/* A descriptor for reading and writing, closed on exec; -1 with err. */
int tempfile_open(struct err *err);

#endif
