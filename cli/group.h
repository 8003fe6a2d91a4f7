/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where named expressions are kept when no --groups says so.
 */
#ifndef CLI_GROUP_H
#define CLI_GROUP_H

#include "core/buf.h"

/*
 * `given`, else $TELLTALE_GROUPS, else telltale/groups.json in
 * $XDG_CONFIG_HOME or ~/.config.  NULL: none of them is set.
 */
const char *group_path(struct buf *path, const char *given);

#endif
