/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What scan.h is fed with, kept until the services have their names: answers
 * of 404 and 410 one by one, the texts of their paths and clients, and how many
 * requests of each client were answered below 400, by the hour.
 *
 * All of it is additive, a minimum or a set, in spills: one keeper a thread,
 * in any order.  An answered request costs two hashes and a line of a table;
 * what the table has no room for any more goes to a spill that nobody reads
 * unless there is somebody to suspect.
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
struct answers;

struct misses {
	struct spill *rows;
	struct spill *answers;
	struct spill *texts;
	struct answers *table; /* by hash of the key */
	uint64_t *written;     /* texts put last, by hash */
};

/* `bytes`: the budget of all three spills. */
void misses_init(struct misses *m, size_t bytes);
void misses_fini(struct misses *m);
/* No misses_hit after this; -1: the disk is full. */
int misses_seal(struct misses *m, struct err *err);

/* hash64 of the address that a request is from; 0: hidden, or internal. */
uint64_t misses_client(const struct request *q);

/* A client's request, as it is counted. */
struct misses_hit {
	int64_t ts_ns;
	uint64_t client; /* of an answered one any hash of who asked */
	uint64_t path;
	uint32_t origin, route; /* the tally's numbers, or the final ones */
	int status;
	const struct example *example;
};
int misses_hit(struct misses *m, const struct misses_hit *hit, struct err *err);

/* Whether a text is kept for the status. */
static inline bool
misses_wanted(int status)
{
	return status == 404 || status == 410;
}

/* Path and client of a request that is missing what it asks for. */
int misses_texts(struct misses *m, const struct request *q, struct err *err);

/* Judges what all keepers of the run have. */
int misses_settle(struct run *run, struct err *err);

#endif
