/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows in time order, held back long enough to join: a sliding window.
 *
 * Rows are pushed in order.  A segment meets the log request that is the same
 * request (path, method, status) and whose time is nearest, once all that can
 * be within the tolerance are there: 50 ms, or a whole second more where the
 * line has only seconds; both must be of one `service`.  A row leaves
 * PAIRING_HOLD after it came, with what it was joined to; by then the root of
 * its trace has been seen as well.
 *
 * Rows with equal keys are one event read twice: the first by (input, number)
 * counts, the others leave at once as duplicates.
 */
#ifndef PIPELINE_PAIRING_H
#define PIPELINE_PAIRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/when.h"
#include "pipeline/row.h"
#include "pipeline/seen.h"

#define PAIRING_TOLERANCE (50 * NS_PER_MS)
#define PAIRING_HOLD (10 * NS_PER_SEC)
enum {
	PAIRING_ROWS = 64 * 1024, /* more leave early, and are counted */
	PAIRING_BUCKETS = 4096,
};

struct held {
	struct row row;
	struct row other; /* joined: its segment, or its log request */
	uint64_t before;  /* number + 1 of the one before in its bucket */
	bool joined;
};

struct pairing {
	struct held *ring; /* by number */
	uint64_t room;     /* how many; up to PAIRING_ROWS, a power of two */
	uint64_t head;     /* number of the oldest held */
	uint64_t meet;     /* of the oldest that may have to look yet */
	uint64_t tail;     /* of the next to come */
	uint64_t *buckets; /* number + 1 of the newest log request */
	uint64_t early;    /* rows that had to leave before their time */
	struct seen probe_traces;
	struct seen failed_calls; /* whose: identities of segments */
};

void pairing_init(struct pairing *w);
void pairing_fini(struct pairing *w);

/*
 * Takes a row in.  True: it is the same event as one before, and *loser is
 * the one of the two that does not count.
 */
bool pairing_push(struct pairing *w, const struct row *row, struct row *loser);

/*
 * The next row that leaves, or NULL: none does before more is pushed.  With
 * `end` set all leave.  Borrowed until the next push.
 */
const struct held *pairing_pop(struct pairing *w, bool end);

/* Whether the row belongs to the trace of a probe, as far as is known. */
bool pairing_probe_trace(const struct pairing *w, const struct row *row);

/* Whether the request was answered well and failed, as its segment says. */
bool pairing_masked(const struct pairing *w, const struct held *h);

#endif
