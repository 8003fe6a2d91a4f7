/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one thread counts: origins, their routes, sums by (origin, method,
 * route), and cells.
 *
 * An origin is what gets one service name: the streams of a log group that
 * differ in a task's or container's id only, a file without a stream, or the
 * segments of one name.  Its number holds the tally's own number in the upper
 * half, so that numbers of several tallies can stand in one sort.
 *
 * Cells are not kept: a series has the two it is at, and hands out a partial
 * cell when its time moves on.  Cells add up, so it does not matter how often.
 */
#ifndef PIPELINE_TALLY_H
#define PIPELINE_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#include "analyzers/cells.h"
#include "analyzers/histogram.h"
#include "analyzers/routes.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/record.h"
#include "pipeline/spill.h"

enum {
	ORIGIN_BITS = 16,
};

enum origin_kind {
	ORIGIN_LOG,
	ORIGIN_TRACE, /* named by its segments */
	ORIGIN_OTHER, /* all beyond the limit */
};

struct origin {
	enum origin_kind kind;
	struct str key;   /* unique among kinds; owned by the tally */
	uint64_t hash;    /* of the key */
	struct str group; /* views into key */
	struct str stem;
	struct str path;
	struct routes *routes;
	uint64_t requests; /* read, probes with them */
	uint64_t logs;
	int64_t first_ns, last_ns;   /* WHEN_NONE */
	uint32_t (*series)[METHODS]; /* by route: number + 1 */
	size_t n_series_routes;
};

/* The sums of one (origin, method, route). */
struct series {
	uint32_t origin; /* index */
	uint32_t route;
	enum method method;
	uint64_t n;
	uint64_t undated; /* of n: they are in no cell */
	uint64_t status[6];
	uint64_t not_found;
	uint64_t probes, probes_bad, probable;
	uint64_t from_traces, in_both;
	struct histogram latency;
	struct cell open[2]; /* by the cell's parity; n, probes 0: unused */
};

struct tally {
	uint32_t number;
	const struct thresholds *thresholds; /* for their limits */
	struct origin *origins;
	size_t n_origins, cap_origins;
	uint32_t *slots; /* of the hash table over the origins: index + 1 */
	size_t n_slots;
	struct series *series;
	size_t n_series, cap_series;
	struct spill *cells; /* records: struct cell_record */
	struct cell undated; /* what has no time is counted into nothing */
};

/* A cell on its way through a sort by time. */
struct cell_record {
	struct spill_key key; /* hi: the cell's index; lo: origin, route */
	struct cell cell;
};

/* One request, as it is counted. */
struct hit {
	int64_t ts_ns; /* WHEN_NONE: in the sums, in no cell */
	int64_t duration_ns;
	int status;
	enum method method;
	enum class class;
	bool from_trace, in_both;
	bool masked; /* answered well, and failed */
	struct example example;
};

void tally_init(struct tally *t, uint32_t number,
    const struct thresholds *thresholds, size_t cells_bytes);
void tally_fini(struct tally *t);

/* What an origin is known by. */
struct origin_name {
	enum origin_kind kind;
	struct str group, stem, path;
};

/* The key that the name makes: what origins are compared by. */
void origin_key(struct buf *b, const struct origin_name *name);

/* The origin's index, made when it is new. */
uint32_t tally_origin(struct tally *t, const struct origin_name *name);

/* Counts a hit; -1: the disk is full. */
int tally_hit(struct tally *t, uint32_t origin, uint32_t route,
    const struct hit *hit, struct err *err);

/* One missing probe of a final key; it is in no sum.  -1: the disk is full. */
int tally_missing(struct tally *t, const struct cell_key *key,
    const struct example *last, struct err *err);

/* Hands out all open cells and seals the sort. */
int tally_seal(struct tally *t, struct err *err);

#endif
