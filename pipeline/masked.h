/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a trace document says of failures that the answer does not show.
 *
 * A call failed when its subsegment, of namespace remote or aws, has a fault,
 * or an error that is no 404 or 410 ("not there" is an answer to a question)
 * and no throttling, which is tried again and shows as latency. A document is
 * read in full only where its first reader met a failure inside of it.
 */
#ifndef PIPELINE_MASKED_H
#define PIPELINE_MASKED_H

#include <stdbool.h>

#include "core/arena.h"
#include "core/record.h"
#include "ingest/span.h"

/* Room to read a document in; zeroed before. */
struct masked {
	struct span_list spans;
	struct arena arena;
};

void masked_fini(struct masked *m);

/* The request of a segment was answered 2xx or 3xx and failed all the same. */
bool masked_request(struct masked *m, const struct record *r);

/* A call that was sent as a document of its own failed. */
bool masked_call(struct masked *m, const struct record *r);

#endif
