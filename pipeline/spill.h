/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sorting more than memory holds: records of one fixed size, each beginning
 * with its key, are gathered up to a budget, sorted, and written as a run into
 * an unlinked file in $TMPDIR; a merge reads all runs back in order.  What
 * fits into the budget never touches the disk.
 *
 * A spill belongs to one thread while it is written.  Sealed, it can be merged
 * any number of times, together with others of the same record size.
 *
 * Records with equal keys come in any order: who needs one must choose it by
 * the records' own content.
 */
#ifndef PIPELINE_SPILL_H
#define PIPELINE_SPILL_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

/* First member of every record; compared hi first, unsigned. */
struct spill_key {
	uint64_t hi;
	uint64_t lo;
};

/* A signed time as hi: the order is kept. */
static inline uint64_t
spill_time(int64_t ns)
{
	return (uint64_t)ns ^ (UINT64_C(1) << 63);
}

static inline int64_t
spill_time_of(uint64_t hi)
{
	return (int64_t)(hi ^ (UINT64_C(1) << 63));
}

struct spill;

struct spill *spill_new(size_t record_bytes, size_t budget_bytes);

/* Copies the record.  -1: the disk is full, in words. */
int spill_put(struct spill *s, const struct spill_key *record, struct err *err);

/* No spill_put after this. */
void spill_seal(struct spill *s);
void spill_free(struct spill *s);

struct merge;

/* Over sealed spills, which outlive it; NULL entries are passed over. */
struct merge *merge_new(struct spill *const *spills, size_t n, struct err *err);

/* The next record in order, valid until the next call; NULL: the end, or a
 * failure, which merge_failed tells apart. */
const struct spill_key *merge_next(struct merge *m);
/* -1 with err when reading back failed. */
int merge_failed(const struct merge *m, struct err *err);
void merge_free(struct merge *m);

#endif
