/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents into Elasticsearch or OpenSearch, each exactly once.
 *
 * Ids are functions of the events, so that whatever is sent twice is stored
 * once.  That is why nothing needs to be guessed: a request whose answer did
 * not come, cannot be read or has another number of items is sent again as it
 * was.  Documents are judged one by one; what the server is too busy for is
 * tried again, what it refuses for good is kept with its reason
 * (sinks/bulk_reply.h).  A request that is too large (413) is halved, one
 * that it does not understand (400) as well, until the one document is found.
 *
 * While the server is slow, elastic_put waits: what is on its way is bounded.
 * Requests at one time grow one by one while all goes well, and are halved
 * when it is busy; pauses double, with full jitter, and are no shorter than
 * the server asks for.  Where nothing at all gets through for `wait_ms`, or
 * the server says no (401, 403), the run fails and says what is not stored;
 * to run it again is safe.
 *
 * Every version from 6 on, and OpenSearch; unknown ones are taken for the
 * newest.  Several addresses are hosts of one cluster, used in turns.
 *
 * One thread.  Life: open, hello until it is 0, put …, finish, close.
 */
#ifndef SINKS_ELASTIC_H
#define SINKS_ELASTIC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

enum {
	ELASTIC_HOSTS = 16,
	ELASTIC_BULK_BYTES = 2 * 1024 * 1024, /* of a request, unpacked */
	ELASTIC_CALLS = 4,                    /* requests at one time */
	ELASTIC_REASONS = 3,
};

struct elastic_options {
	const char *const *urls; /* http://[user:password@]host[:port][/path] */
	size_t n_urls;
	const char *user;     /* of addresses that have none; NULL */
	const char *password; /* likewise */
	const char *api_key;  /* base64 of id:key; NULL; goes before them */
	const char *ca_file;  /* PEM; NULL: the system's */
	int64_t wait_ms;      /* how long nothing may get through */
	size_t bulk_bytes;    /* 0: ELASTIC_BULK_BYTES */
	const char *refused;  /* a file that gets what is refused; NULL: none */
	const _Atomic bool *stop; /* ends early; NULL */
};

/* made = stored + there + refused + in_flight, at any moment. */
struct elastic_counts {
	uint64_t made;
	uint64_t stored;
	uint64_t there;     /* already, the same or a newer state */
	uint64_t refused;   /* for good */
	uint64_t in_flight; /* not acknowledged */
	uint64_t requests;  /* that were sent */
	uint64_t again;     /* of them: not the first time for its documents */
	bool unkept;        /* it ended, as the file could not be written */
	/* The first reasons of refusals, and how many had each. */
	char reasons[ELASTIC_REASONS][256];
	uint64_t n_reasons[ELASTIC_REASONS];
};

struct elastic;

/* Sends nothing.  NULL with err: an address is none. */
struct elastic *elastic_open(const struct elastic_options *options,
    struct err *err);

/*
 * Asks the server who it is.  0: it is known; 1 with err: it cannot be reached
 * for now; -1 with err: it says no.
 */
int elastic_hello(struct elastic *e, struct err *err);

/* "OpenSearch 2.19.1 at http://127.0.0.1:9200", once it is known. */
const char *elastic_server(const struct elastic *e);

/* Whole lines of --out.  -1 with err: it has failed for good. */
int elastic_put(struct elastic *e, struct str lines, struct err *err);

/* One line without its end; 1: it is no document, and not counted. */
int elastic_put_line(struct elastic *e, struct str line, struct err *err);

/* Waits until all has been answered. */
int elastic_finish(struct elastic *e, struct err *err);

const struct elastic_counts *elastic_counts(const struct elastic *e);

void elastic_close(struct elastic *e); /* NULL is allowed */

#endif
