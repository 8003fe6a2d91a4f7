/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is counted: requests by key and 10 seconds of event time.
 *
 * Everything in a cell is additive, or a minimum, so that cells of any two
 * workers merge to the same sum in any order (reference: "Mergeable
 * summaries", Agarwal et al. 2012, without the error).  A key is (origin,
 * method, route); origins and routes are numbers of the worker that saw them
 * and are mapped to the run's when workers are merged.
 */
#ifndef ANALYZERS_CELLS_H
#define ANALYZERS_CELLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzers/thresholds.h"
#include "core/when.h"

#define CELL_NS (10 * NS_PER_SEC)

enum class {
	CLASS_CLIENT,
	CLASS_PROBE,          /* certain: agent, trace parent */
	CLASS_PROBABLE_PROBE, /* by address and path: not in latency */
	CLASSES
};
const char *class_name(enum class c); /* "client", "probe", ... */

/* A record to show for a number: the least in place order wins a merge. */
struct example {
	uint64_t line;      /* 0: none */
	uint32_t input;     /* the run's number; inputs are sorted by path */
	uint32_t has_trace; /* 1: trace holds an id */
	uint8_t trace[16];  /* as xray_trace_id makes it */
};

enum cell_example {
	EXAMPLE_SLOW, /* the slowest */
	EXAMPLE_NOT_FOUND,
	EXAMPLE_SERVER_ERROR,
	EXAMPLE_MASKED, /* it was answered well, and failed */
	EXAMPLE_PROBE,  /* a probe that failed, or the last before those missing
			 */
	EXAMPLES
};

/* The cell of a time: floor division, also before 1970. */
static inline int64_t
cell_of(int64_t ns)
{
	int64_t c = ns / CELL_NS;

	return c * CELL_NS > ns ? c - 1 : c;
}

/*
 * Latency, coarser than in histogram.h: groups of nine of its bins, a fourth of
 * an octave each, from 4 ms to 20 s.  See pace.h.
 */
enum { PACE_BINS = 48, PACE_FIRST = 186, PACE_GROUP = 9 };

/* The bin of a histogram's bin. */
static inline uint32_t
pace_bin(uint32_t bin)
{
	uint32_t b = bin < PACE_FIRST ? 0 : (bin - PACE_FIRST) / PACE_GROUP + 1;

	return b < PACE_BINS ? b : PACE_BINS - 1;
}

struct cell_key {
	int64_t cell; /* ⌊time / 10 s⌋ */
	uint32_t origin;
	uint32_t route;
	uint32_t method; /* enum method */
};

struct cell {
	struct cell_key key;
	uint32_t n;         /* client requests, probable probes with them */
	uint32_t timed;     /* clients with a duration */
	uint32_t slow;      /* of timed: longer than the limit (thresholds.h) */
	uint32_t status[6]; /* of n, by hundreds; [0]: none known */
	uint32_t not_found; /* of n: 404 and 410 */
	uint32_t traced; /* clients answered 2xx or 3xx that have a segment */
	uint32_t masked; /* of traced: it says that they failed */
	uint32_t probes; /* certain and probable */
	uint32_t probes_bad; /* probes with a status not 1xx to 3xx */
	uint32_t missing;    /* probes that should have come (silence.h) */
	struct {
		uint32_t n, not_found, failed;
	} probable; /* in n, with a status: probable probes, theirs of 404 and
		       410, of 5xx */
	/* Of timed: longer than the configuration's other limits, as long as
	 * it is not known which of them is the cell's: see cell_limit. */
	uint32_t over[SLOW_LIMITS - 1];
	uint64_t sum_us;          /* of timed, microseconds, saturating */
	int64_t slowest_ns;       /* of timed: whose example that is */
	uint32_t pace[PACE_BINS]; /* of timed, by how long they took */
	struct example example[EXAMPLES];
};

/* How many were answered that are no probes, not even probable ones. */
uint32_t cell_answered(const struct cell *c);

/* Adds b's counts to a's; keys are the caller's business. */
void cell_add(struct cell *a, const struct cell *b);

/* Its limit is known: `slow` is what was counted for that one. */
void cell_limit(struct cell *c, int limit);

/* The slowest so far has its example, of equals the lesser one. */
void cell_slowest(struct cell *c, int64_t ns, const struct example *example);

/* Time first, then origin, method, route. */
int cell_key_cmp(const struct cell_key *a, const struct cell_key *b);

/* The lesser example by (input, line), none being greatest. */
void example_min(struct example *a, const struct example *b);

#endif
