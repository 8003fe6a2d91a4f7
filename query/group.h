/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups: expressions with a name, which group.name = "…" stands for.
 *
 * They live in a JSON file of the shape that GetGroups answers with, so that
 * the output of `aws xray get-groups` is such a file.  A file that is not
 * there holds no groups.  Writing is atomic (a new file beside it, synced,
 * renamed) and refuses to replace what is not a regular file.
 *
 * The group Default matches every trace, is always there and never written.
 * Names: 1 to 32 letters, digits, - and _; they differ in case.
 */
#ifndef QUERY_GROUP_H
#define QUERY_GROUP_H

#include <stdbool.h>
#include <stddef.h>

#include "core/arena.h"
#include "core/err.h"
#include "core/str.h"

enum {
	QUERY_GROUPS_MAX = 1000,
	QUERY_GROUP_NAME_MAX = 32,
	QUERY_GROUPS_BYTES_MAX = 16 * 1024 * 1024, /* of the file */
};

struct query_group {
	struct str name;
	struct str arn;
	struct str expression; /* empty: matches everything */
	bool insights;
	bool notifications;
};

/* Zeroed: no groups.  The texts are the arena's, all given back at once. */
struct query_groups {
	struct query_group *v;
	size_t n;
	size_t cap;
	struct arena arena;
};

int query_groups_read(struct query_groups *g, const char *path,
    struct err *err);
int query_groups_write(const struct query_groups *g, const char *path,
    struct err *err);
void query_groups_fini(struct query_groups *g);

/* NULL: there is none.  Default is not in the list. */
const struct query_group *query_groups_by_name(const struct query_groups *g,
    struct str name);
const struct query_group *query_groups_by_arn(const struct query_groups *g,
    struct str arn);

/* Whether it means the group Default, by its name or as an ARN. */
bool query_group_is_default(struct str name_or_arn);

/*
 * Adds a group, or gives one that is there a new expression.  The expression
 * must parse, with the groups that are there; err says what is wrong else.
 */
int query_groups_add(struct query_groups *g, struct str name,
    struct str expression, struct err *err);
/* Refuses when another group refers to it. */
int query_groups_remove(struct query_groups *g, struct str name,
    struct err *err);

#endif
