/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The probe lattice: which of a key's requests come by the clock.
 *
 * A balancer's node asks every P seconds.  Modulo P its requests stand close
 * together on a circle, a person's do not; that tells them apart where neither
 * address nor path nor user agent does.  A lattice is a period, a phase and a
 * reach: at most one request a slot, the nearest to the phase, belongs to it.
 *
 * Everything is a function of the sorted times, in integers.  A caller cuts a
 * key's times into blocks (LATTICE_FAST, LATTICE_SLOW: a timer drifts tens of
 * ppm, so that a phase stays put in minutes and not over a day), finds
 * lattices in a block until there is none, takes their requests, and asks for
 * a quorum elsewhere: one periodic client is no balancer.
 */
#ifndef ANALYZERS_LATTICE_H
#define ANALYZERS_LATTICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/when.h"

enum {
	LATTICE_HITS = 6,     /* the least that make one */
	LATTICE_MAX = 15,     /* of one block */
	LATTICE_LATE = 128,   /* beside a mark: late for its slot */
	LATTICE_TIMES = 4096, /* of a block: with more there is no lattice */
};

/* Which periods a block of which length can show: at least 12 slots. */
struct lattice_scale {
	int64_t block_ns;
	int min_s, max_s;
	int usual_s[8]; /* looked for in any case; ends with 0 */
};
extern const struct lattice_scale lattice_fast; /* 720 s: 4 to 60 s */
extern const struct lattice_scale lattice_slow; /* 3600 s: 61 to 305 s */

struct lattice {
	int64_t period_ns; /* whole seconds, and the clock's drift */
	int64_t phase_ns;  /* of its first slot */
	int64_t reach_ns;  /* a hit is at most so far from its slot */
	int64_t spread_ns; /* median distance of its hits */
	uint32_t filled;   /* slots with a hit, */
	uint32_t slots;    /* of all from the first to the last hit */
};

/* A block: times ascending, and what each belongs to. */
struct lattice_block {
	const int64_t *t;
	uint8_t *mark; /* 0: free; else the lattice's number, perhaps LATE */
	size_t n;
};

/* Buffers for finding; they grow to what a period and a block need. */
struct lattice_finder;
struct lattice_finder *lattice_finder_new(void);
void lattice_finder_free(struct lattice_finder *f);

/*
 * The least accidental lattice among the free times; false: none.  Marks
 * nothing.
 */
bool lattice_find(struct lattice_finder *f, const struct lattice_scale *scale,
    const struct lattice_block *b, struct lattice *l);

/*
 * Marks its hits with `number` (1 to LATTICE_MAX): of each slot the free time
 * that is nearest, within reach.  How many.
 */
size_t lattice_take(const struct lattice *l, const struct lattice_block *b,
    uint8_t number);

/*
 * Requests that were answered late, of all `n` lattices of a block, numbered
 * from `first`: the first free time in an empty slot is the slot's probe.
 * Only where hardly anybody else asks: what is then still free must be less
 * than a twentieth of the hits, otherwise nothing is marked.  Marks them with
 * number | LATTICE_LATE; after all are taken.  How many.
 */
size_t lattice_late(const struct lattice *l, size_t n,
    const struct lattice_block *b, uint8_t first);

#endif
