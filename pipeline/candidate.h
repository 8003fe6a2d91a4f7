/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests whose class the clock decides: GET or HEAD without a user agent,
 * from a private peer, or from nobody named on a usual path.
 *
 * They wait, sorted by key and time, until all of the archive was read; so the
 * first probe of a new task is judged with the same knowledge as the last.  A
 * key is (stream, peer, method, path).
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
enum {
	CANDIDATES_DENSE = 512,
	CANDIDATE_KEYS = 1024, /* remembered by a worker, for their density */
};

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
};

/* A peer that the user agent calls a health checker. */
struct asker {
	struct spill_key key; /* the peer's hash; asks */
	int64_t hour;
	uint32_t origin;
	uint32_t spare;
};

/* One that was put, by its texts: most ask again within the hour. */
enum { ASKED = 64, ASKED_TEXT = 80 };
struct asked {
	char text[ASKED_TEXT]; /* peer and path */
	uint32_t peer_n, path_n;
	int64_t begin_ns; /* of the hour */
	uint32_t origin;
	enum method method;
};

/* What a worker gathers. */
struct candidates {
	struct spill *requests; /* struct candidate */
	struct spill *askers;   /* struct asker, mostly once each */
	struct {
		uint64_t key;
		int64_t cell;
		uint32_t n;
	} dense[CANDIDATE_KEYS];
	struct asked asked[ASKED]; /* askers that were put lately */
};

void candidates_init(struct candidates *c, size_t bytes);
void candidates_seal(struct candidates *c);
void candidates_fini(struct candidates *c);

/* Whether the record waits: the verdict alone is not the last word. */
bool candidate_waits(const struct probe_verdict *v, const struct record *r);

/* When the request began, which is when a prober's clock ticked. */
int64_t candidate_begin(const struct record *r);

/* Who asks for what. */
struct candidate_who {
	uint64_t peer; /* 0: none */
	uint64_t asks; /* method and path */
	uint64_t key;  /* of these and the stream; never 0 */
};
struct candidate_who candidate_who(const struct request *q, uint64_t stream);

/*
 * Whether the key's minute is known to be dense: the request is a client's.
 * Counts it otherwise.
 */
bool candidates_dense(struct candidates *c, uint64_t key, int64_t begin_ns);

/* Notes a probe by its user agent, from a peer that is named. */
int candidates_asker(struct candidates *c, const struct request *q,
    int64_t ts_ns, uint32_t origin, struct err *err);

/* Floor division of a time. */
static inline int64_t
candidate_block(int64_t ns, int64_t block_ns)
{
	int64_t b = ns / block_ns;

	return b * block_ns > ns ? b - 1 : b;
}

#endif
