/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The workshops' traffic without an account: a small world of balancers,
 * tasks, programs and clients, run event by event, and what it leaves behind.
 *
 *	workshops.c   one row a workshop: its services, routes and what each
 *	              program does and prints for a request, word for word
 *	catalogue.c   one row an incident or decoy; incidents.c does it
 *	engine.c      the events: arrivals, queues, work, calls, answers
 *	traffic.c     clients, health checks, scanners: what arrives, and when
 *	tasks.c       tasks come, go and hang
 *	print.c       access lines and program lines in every dialect
 *	segment.c     X-Ray documents
 *	output.c      log streams as files, standard output, datagrams
 *	labels.c      what really happened
 *
 * The same options give the same bytes, on any machine (of packed files, the
 * bytes in them): chance is counted (chance.h), time is integer nanoseconds,
 * nothing reads a clock but the pacing of a live run.  A run has one thread,
 * its events one order.  Memory is that of the requests in flight and of 64 KiB
 * a log stream; it does not grow with the duration.
 */
#ifndef SIMULATE_SIMULATE_H
#define SIMULATE_SIMULATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"

struct simulate_options {
	uint64_t seed;
	int64_t start_ns;    /* of the first second */
	int64_t duration_ns; /* no request begins after it */
	int64_t rate_micro;  /* clients' requests in 1e6 seconds; 0: the
				workshop's own */
	int services;        /* of the fleet; 0: eight */
	const char *const *incidents; /* KIND[@TIME[+SPAN]] */
	size_t n_incidents;
	const char *dir; /* write an archive there; NULL: lines to stdout */
	const char *udp; /* HOST:PORT for segments; NULL: none */
	bool live;       /* at the pace of the clock, from now on */
};

/* What a run printed. */
struct simulate_totals {
	uint64_t lines, segments, requests, probes;
	bool pipe; /* whoever read standard output is gone; not an error */
};

/*
 * Runs a workshop to its end.  -1 with err: a wrong incident (`usage` is true),
 * or what could not be written.  A folder that is not empty is refused.
 */
int simulate(const char *workshop, const struct simulate_options *o,
    struct simulate_totals *totals, bool *usage, struct err *err);

/* The rows of the tables, for the help; NULL name ends. */
struct simulate_row {
	const char *name;
	const char *help;
};
const struct simulate_row *simulate_workshops(void);

/* All incidents and decoys, one a line: name, what it is, the rule that should
 * find it, what happens. */
void simulate_catalogue(struct buf *out);
void simulate_catalogue_json(struct buf *out);

#endif
