/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests whose class the clock decides: GET or HEAD without a user agent,
 * from a private peer, or from nobody named on a usual path.
 *
 * They wait until all of the archive was read; so the first probe of a new task
 * is judged with the same knowledge as the last.  A key is (stream, peer,
 * method, path).
 *
 * More than CANDIDATES_DENSE of a key in a minute hide any clock: those are
 * clients, and what a worker has beyond that many of a minute it need not hand
 * over.  The others are so many already, however a stream is divided among
 * workers.
 */
#ifndef PIPELINE_CANDIDATE_H
#define PIPELINE_CANDIDATE_H

#include <stdbool.h>
#include <stdint.h>

#include "analyzers/lattice.h"
#include "analyzers/probe.h"
#include "core/err.h"
#include "core/record.h"
#include "pipeline/spill.h"

#define CANDIDATE_CELL_NS (60 * NS_PER_SEC)
enum { CANDIDATES_DENSE = 512 };

/* A lattice, as far as words need it; slots is 0 where there is none. */
struct probe_clock {
	uint32_t period_ms;
	uint16_t spread_ms;
	uint16_t filled, slots;
	uint16_t spare;
};

/* One request that waits. */
struct candidate {
	struct spill_key key; /* the key's hash; when it began (spill_time) */
	uint64_t identity;    /* of the event, where copies are looked for */
	uint64_t stream;
	uint64_t peer; /* 0: the source has none */
	uint64_t asks; /* method and path */
	uint64_t path; /* its hash64 alone */
	int64_t duration_ns;
	uint64_t line;
	uint64_t seq;
	uint8_t trace[16];
	uint32_t input;
	uint32_t origin; /* tally number and index */
	uint32_t route;  /* in the origin's routes */
	int16_t status;
	uint8_t method;
	uint8_t class; /* of the request alone */
	uint8_t has_trace;
	uint8_t judged;           /* its class so far, */
	uint8_t how;              /* and enum probe_how of it, */
	struct probe_clock clock; /* and by which clock */
	uint64_t *home;           /* in a chain, for chain_judge; or NULL */
};

/* A peer that the user agent calls a health checker. */
struct asker {
	struct spill_key key; /* the peer's hash; asks */
	int64_t hour;
	uint32_t origin;
	uint32_t spare;
};

/* Whether it is a request of a log, at a time that can be reckoned with. */
bool candidate_may_wait(const struct record *r);
/* Whether the record waits: the verdict alone is not the last word. */
bool candidate_waits(const struct probe_verdict *v, const struct record *r);

/* When the request began, which is when a prober's clock ticked. */
int64_t candidate_begin(const struct record *r);

/* Who asks for what. */
struct candidate_who {
	uint64_t peer; /* 0: none */
	uint64_t asks; /* method and path */
	uint64_t key;  /* of these and the stream; never 0 */
	uint64_t path; /* its hash64 */
};
uint64_t candidate_peer(const struct request *q);
uint64_t candidate_asks(const struct request *q);
struct candidate_who candidate_who(const struct request *q, uint64_t stream);

/* Floor division of a time. */
static inline int64_t
candidate_block(int64_t ns, int64_t block_ns)
{
	int64_t b = ns / block_ns;

	return b * block_ns > ns ? b - 1 : b;
}

#endif
