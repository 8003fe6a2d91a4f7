/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One replay while it runs: what its steps share.  Steps, in order:
 *
 *	scan       workers read the inputs and count, or make rows (worker.c)
 *	name       origins get their services' names (service.c, join.c)
 *	join       rows in time order: duplicates, joins, probes' traces
 *	settle     sums by service and route; cells in time order to the judge
 *	documents  a second reading writes what --out asks for (write.c)
 *
 * A step that finds that the plan does not do (two inputs share a stream, a
 * trace document turned up) says so in `again`, and replay.c starts over with
 * a plan that does.
 */
#ifndef PIPELINE_RUN_H
#define PIPELINE_RUN_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "ingest/xray.h"
#include "pipeline/replay.h"
#include "pipeline/row.h"
#include "pipeline/tally.h"

struct plan {
	bool rows;       /* requests go through the sort: joins, duplicates */
	bool dedupe;     /* all events do */
	bool one_origin; /* too many origins: all are one */
	int64_t since_ns, until_ns;
};

/* A service while it is made. */
struct service {
	struct str name; /* owned */
	char *rule;
	int rank; /* of the rule: the best origin's is told */
	struct routes *routes;
	uint32_t *final;   /* by route number: its final number */
	struct str *texts; /* by final number */
	uint64_t logs;
	int64_t first_ns, last_ns;
	uint64_t filtered_logs;
};

/* Where an origin of a tally went. */
struct origin_map {
	uint32_t service;
	uint32_t *routes; /* by the origin's number: the service's */
};

/* Streams that were seen, to notice that two inputs share one. */
struct stream_owner {
	uint64_t stream; /* hash; 0: free */
	uint64_t family; /* of the input: parts of one export are one */
};

struct run {
	const struct replay_options *options;
	struct replay_progress *progress;
	struct replay_result *result;
	struct plan plan;

	/* scan */
	int threads;
	struct worker *workers; /* threads of them */
	size_t *order;          /* inputs, largest first */
	_Atomic size_t next;    /* in order */
	_Atomic bool again;     /* the plan does not do */
	_Atomic bool failed;
	pthread_mutex_t lock; /* streams, plan_next, err */
	struct plan plan_next;
	struct stream_owner *streams;
	size_t n_streams, cap_streams;
	struct err err;

	/* name */
	struct service *services;
	size_t n_services, cap_services;
	struct origin_map **maps; /* by tally number, origin index */

	/* join and settle */
	struct tally final;     /* origins are services */
	struct spill *verdicts; /* NULL unless documents are asked for */
	uint32_t service_only;  /* --service: its index; else UINT32_MAX */
};

static inline bool
run_stopped(const struct run *run)
{
	return run->progress->stop || run->again || run->failed;
}

/* worker.c */
int scan(struct run *run, struct err *err);
void scan_fini(struct run *run);

/* service.c: names by rule; votes come from the join. */
int name_services(struct run *run, struct err *err);
void services_fini(struct run *run);
struct origin_map *run_map(const struct run *run, uint32_t origin);

/* join.c */
int join_votes(struct run *run, struct err *err);
int join_rows(struct run *run, struct err *err);

/* settle.c */
int settle(struct run *run, struct err *err);

/* write.c */
int write_documents(struct run *run, struct err *err);

#endif
