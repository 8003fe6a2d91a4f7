/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The step between the scan and the counting: what waited for the clock gets
 * its final class.
 *
 *	candidates by key and time ─► blocks ─► lattices ─► facts by time
 *	                                │                      │ quorum
 *	                                ▼                      ▼
 *	          class of each ◄── one request a slot ◄── confirmed
 *	                │
 *	                └─ what is left of known nodes, all streams of a service
 *	                   together ─► lattices: the cascade of probes one hop
 *on
 *
 * All of it goes through sorts; a block of one key, at most two hours of it,
 * is in memory, and the probers' set.
 */
#ifndef PIPELINE_PROBES_H
#define PIPELINE_PROBES_H

#include <stdint.h>

#include "core/buf.h"
#include "core/record.h"
#include "pipeline/candidate.h"

/* How a class came about. */
enum probe_how {
	HOW_ALONE,    /* from the request alone, the clock says nothing */
	HOW_LATTICE,  /* by the clock, and it is a balancer's */
	HOW_LATE,     /* answered late, in a slot that is otherwise empty */
	HOW_KNOWN,    /* its peer probes the path in another stream */
	HOW_CASCADE,  /* by the clock of probes, one hop further on */
	HOW_PERIODIC, /* by the clock, but nobody else's: a client */
	HOW_UNSTEADY, /* not by the clock: a client */
};

/*
 * What the second reading must know of one that waited; there is none of a
 * client's that is HOW_UNSTEADY, which most are.
 */
struct probe_note {
	struct spill_key key; /* input, seq */
	struct probe_clock clock;
	uint8_t class;
	uint8_t how; /* enum probe_how */
	uint8_t spare[2];
};

/* What the join must know: a row's class. */
struct probe_class {
	struct spill_key key; /* the row's */
	uint64_t class;
};

/* The note in words, for telltale.class_reason; not for HOW_ALONE. */
void probe_words(struct buf *b, const struct probe_note *note,
    const struct request *q);

#endif
