/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The documents of a partition in order of what their trace is known by, then
 * of their own id and bytes.  Inside pipeline/traces*.c only.
 */
#ifndef PIPELINE_TRACES_SORT_H
#define PIPELINE_TRACES_SORT_H

#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

struct traces_entry {
	uint64_t hash;
	struct str raw; /* as parts_take gave it */
};

/*
 * Sorts v, or puts what is sorted into room, which is as large; returns which.
 * The first `known` bits of all hashes are equal.
 */
struct traces_entry *traces_sort(struct traces_entry *v,
    struct traces_entry *room, size_t n, unsigned known);

#endif
