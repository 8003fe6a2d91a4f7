/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one directory that a run may keep things in for the next one: --state
 * DIR.  Made where missing, for the owner alone, and held by one process at a
 * time; the lock goes with the process, however it ends.
 */
#ifndef CORE_STATEDIR_H
#define CORE_STATEDIR_H

#include "core/err.h"
#include "core/str.h"

struct statedir;

/* NULL with err: it cannot be made, or another process holds it. */
struct statedir *statedir_open(const char *path, struct err *err);

/* For openat and the like; the statedir's own. */
int statedir_fd(const struct statedir *d);
const char *statedir_path(const struct statedir *d);

/*
 * Puts the bytes under the name, so that after any crash either the old bytes
 * or the new ones are there: a temporary file, fsync, rename, fsync of the
 * directory.  -1 with path and reason; the old bytes are untouched then.
 */
int statedir_put(const struct statedir *d, const char *name, struct str bytes,
    struct err *err);

void statedir_close(struct statedir *d); /* NULL is allowed */

#endif
