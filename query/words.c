/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See the header.
 */
#include "query/words.h"

#include "query/tree.h"

static bool
allows(const char *const *allowed, const char *name)
{
	for (; *allowed; allowed++)
		if (strcmp(*allowed, name) == 0)
			return true;
	return false;
}

static const char *
outside(const struct node *n, const char *const *allowed)
{
	const char *found = NULL;

	if (n->field && n->kind != NODE_GROUP &&
	    !allows(allowed, n->field->name))
		return n->field->name;
	if (n->block)
		found = outside(n->block, allowed);
	for (size_t i = 0; i < n->n && !found; i++)
		found = outside(n->kids[i], allowed);
	return found;
}

const char *
query_word_outside(const struct query *q, const char *const *allowed)
{
	return outside(q->root, allowed);
}
