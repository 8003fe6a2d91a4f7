/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What scan.h is fed with, kept until the services have their names: answers
 * of 404 and 410 one by one.  Paths and clients are hashes; their texts are
 * read again where there is a finding, see texts.h.
 *
 * All of it is a sum, a minimum or a set, in spills: one keeper a thread, in
 * any order.  Other requests are not looked at; what those who are suspected
 * were answered is read again, see answers.h.
 */
#ifndef PIPELINE_MISSES_H
#define PIPELINE_MISSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzers/cells.h"
#include "core/err.h"
#include "core/record.h"
#include "pipeline/spill.h"

struct run;

struct misses {
	struct spill *rows;
};

/* `bytes`: the budget of the spill. */
void misses_init(struct misses *m, size_t bytes);
void misses_fini(struct misses *m);
/* Nothing is put after this. */
void misses_seal(struct misses *m);

/* Who asks for what. */
struct misses_who {
	uint64_t client; /* hash64 of its address; 0: hidden, or internal */
	uint64_t path;   /* hash64 */
};
struct misses_who misses_who(const struct request *q);

/* A client's request that misses what it asks for. */
struct misses_hit {
	int64_t ts_ns;
	struct misses_who who;
	uint32_t origin, route; /* the tally's numbers, or the final ones */
	const struct example *example; /* a line with both of who */
};
int misses_hit(struct misses *m, const struct misses_hit *hit, struct err *err);

/* Whether it is a miss. */
static inline bool
misses_wanted(int status)
{
	return status == 404 || status == 410;
}

/* Judges what all keepers of the run have. */
int misses_settle(struct run *run, struct err *err);

#endif
