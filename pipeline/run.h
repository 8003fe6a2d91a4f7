/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One replay while it runs: what its steps share.  Steps, in order:
 *
 *	scan       workers read the inputs and count, or make rows (worker.c)
 *	outdone    traces are counted; of a segment's documents one counts
 *	name       origins get their services' names (service.c, join.c)
 *	probes     the clock decides what waited for it (probes.c)
 *	silent     probes that are missing (silent.c)
 *	join       rows in time order: duplicates, joins, probes' traces
 *	settle     sums by service and route; cells in time order to the judge
 *	causes     a second reading of what is around a finding (causes.c)
 *	documents  another reading writes what --out asks for (write.c)
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
#include "pipeline/least.h"
#include "pipeline/misses.h"
#include "pipeline/pulses.h"
#include "pipeline/replay.h"
#include "pipeline/row.h"
#include "pipeline/tally.h"

struct plan {
	bool rows;        /* requests go through the sort: joins, duplicates */
	bool dedupe;      /* all events do */
	uint64_t origins; /* greatest hash of an origin told apart */
	int64_t since_ns, until_ns;
};

/* A service while it is made. */
struct service {
	struct str name; /* view into the origin's key or the options */
	char *rule;      /* in words: how the name was found */
	struct routes *routes;
	uint32_t *final;   /* by route number: what it became */
	struct str *texts; /* by final number */
	uint32_t n_routes;
	/* By final number: which of the limits is the route's (thresholds.h);
	 * NULL: there is one only. */
	uint8_t (*limits)[METHODS];
	uint64_t logs;
	int64_t first_ns, last_ns;
};

/* One origin of all tallies together. */
struct canon {
	const struct origin *origin; /* one of them */
	uint64_t requests;           /* of all */
	uint32_t service;
	char *readable;
};

/* Where an origin of a tally went. */
struct origin_map {
	uint32_t canon;
	uint32_t service;
	uint32_t *routes; /* by the origin's number: the service's */
};

/* An input's turn. */
struct order {
	uint64_t size;
	size_t index;
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
	struct order *order;    /* inputs, largest first */
	_Atomic size_t next;    /* in order */
	_Atomic bool again;     /* the plan does not do */
	_Atomic bool failed;
	_Atomic bool crowded; /* too many origins: only they are counted */
	pthread_mutex_t lock; /* streams, origins, plan_next, err */
	struct plan plan_next;
	struct least origins; /* by the hashes of their keys */
	struct stream_owner *streams;
	size_t n_streams, cap_streams;
	struct err err;

	/* name */
	struct canon *canons; /* by kind and key */
	size_t n_canons;
	struct service *services; /* by name */
	size_t n_services;
	struct origin_map **maps; /* by tally number, origin index */

	/* join and settle */
	bool joined;          /* rows are counted */
	struct tally final;   /* origins are services; numbered after workers */
	struct misses misses; /* what the workers could not note */
	struct pulses pulses; /* of probes that the clock has decided */
	struct silent *silent;     /* NULL: not looked for yet, or not asked */
	struct spill *verdicts;    /* NULL unless somebody reads again */
	struct spill *outdone;     /* outdone.c; NULL: no document is */
	struct spill *probe_notes; /* NULL unless somebody reads again */
	struct spill *probe_classes; /* struct probe_class; NULL: no rows */
	struct write *write;         /* NULL unless documents are asked for */
	uint32_t service_only;       /* --service: its index; else UINT32_MAX */
};

static inline bool
run_stopped(const struct run *run)
{
	return run->progress->stop || run->again || run->failed;
}

/* worker.c */
int scan(struct run *run, struct err *err);
void scan_fini(struct run *run);
/* What all workers have noted, as one sequence. */
enum scan_what { SCAN_ROWS, SCAN_TRACES };
struct merge *scan_merge(const struct run *run, enum scan_what what,
    struct err *err);

/* service.c: names by rule; votes come from the join. */
int name_services(struct run *run, struct err *err);
void services_fini(struct run *run);
/* The limit above which a request is slow: its number in thresholds.limits. */
int service_limit(const struct service *s, uint32_t route, enum method method);
/* The service of an origin that the scan has met. */
uint32_t service_of(const struct run *run, const struct origin_name *name);
struct origin_map *run_map(const struct run *run, uint32_t origin);

/* join.c: the segments of `trace` that a log of `log` has, both canons. */
struct vote {
	uint32_t log, trace;
	uint64_t n;
};
struct votes {
	struct vote *v; /* open-addressed, n 0: free */
	size_t n, cap;
	uint64_t *segments; /* by canon: request segments in all */
};
int join_votes(struct run *run, struct votes *votes, struct err *err);
int join_rows(struct run *run, struct err *err);
/* Makes run->verdicts if there are rows, and none were asked for so far. */
int join_verdicts(struct run *run, struct err *err);

/* probes.c */
int judge_probes(struct run *run, struct err *err);

/* replay.c */
void replay_service_fini(struct replay_service *s);

/* settle.c */
int settle(struct run *run, struct err *err);

#endif
