/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A YAML file as a tree of texts, each with its place, for who reads settings.
 *
 * The dialect is what a person writes by hand: maps whose keys are words,
 * lists, texts, comments; all values are texts, what they mean is the reader's
 * business.  Anchors, aliases, tags and further documents are refused, so that
 * the tree is no larger than the file.  In a value ${NAME} is the environment's
 * text of that name, ${NAME:-text} the text behind the dash where there is
 * none or it is empty; $${ is ${ itself.
 *
 * Limits: a file of 1 MiB, 16 levels, 65,536 nodes, values of 4,096 bytes
 * without control characters.  It is bad, and said with its line, when there is
 * more, when the text is no UTF-8 or no YAML, or when a name is not set.
 *
 * Life: zeroed; ytree_read or ytree_parse once; use; ytree_fini, also after a
 * failure.
 */
#ifndef PIPELINE_YTREE_H
#define PIPELINE_YTREE_H

#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/err.h"
#include "core/str.h"

enum ynode_kind { YNODE_TEXT, YNODE_LIST, YNODE_MAP };

struct ynode {
	enum ynode_kind kind;
	uint32_t line, column; /* from 1; the column in characters */
	struct str text;       /* of a text; empty where nothing stands */
	struct ynode *first; /* a list's items; a map's key, value, key, … */
	struct ynode *next;  /* beside it */
};

struct ytree {
	const char *file;         /* its name, as given; borrowed */
	const struct ynode *root; /* NULL: the file is empty */
	struct arena arena;       /* the nodes and their texts */
};

/* -1 with err, "FILE: words" or "FILE:LINE:COLUMN: words". */
int ytree_read(struct ytree *t, const char *path, struct err *err);
int ytree_parse(struct ytree *t, const char *file, struct str text,
    struct err *err);
void ytree_fini(struct ytree *t);

/* "FILE:LINE:COLUMN: words" of a node; returns -1. */
int ytree_bad(const struct ytree *t, const struct ynode *at, struct err *err,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#endif
