/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who else asks by that clock: what makes a periodic client a balancer.
 *
 * A balancer has a node in each zone, and every node asks every target.  So a
 * lattice is confirmed by another one of the same service, path, period and
 * block of time: from a second peer on its stream, from its peer on a second
 * stream, from another peer on a second stream where the path is one that is
 * usual for health checks (an orchestrator's agent asks the tasks of its own
 * node), or, where lines name no peer, with a second phase.  Or by a user
 * agent: its peer calls itself a health checker of the path in the same hour,
 * in a trace or another log.
 *
 * A job that asks through a balancer must not look like that.  Each of its
 * requests goes through one node, so that by chance any node may see it often
 * enough, and every second of them as if it were another job.  So only firm
 * lattices count at first, of more slots than half would fill.  A lattice that
 * is not firm (a service that answers late, a log with holes) is confirmed
 * when its peer is a prober of the path in the hour, and the period is known.
 */
#ifndef PIPELINE_QUORUM_H
#define PIPELINE_QUORUM_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "pipeline/spill.h"

/* That a peer is a prober of a path, in an hour. */
struct prober {
	uint64_t asks;
	uint64_t peer;
	int64_t hour;
	uint32_t service;
};

/* Probers, PROBERS_MAX of them; those after that are not known. */
enum { PROBERS_MAX = 64 * 1024 };
struct probers;
struct probers *probers_new(void);
void probers_free(struct probers *p);
void probers_add(struct probers *p, const struct prober *who,
    uint32_t period_s);
/* In the hour, or the one before or after it. */
bool probers_have(const struct probers *p, const struct prober *who);
/* Whether one with that period was added for the service and path. */
bool probers_period(const struct probers *p, const struct prober *who,
    uint32_t period_s);

/* A lattice in one aligned block of time; covers two: there are two facts. */
struct fact {
	struct spill_key key; /* fact_key */
	uint64_t order;       /* the lattice's number */
	uint64_t stream, peer, asks;
	int64_t hour;
	uint32_t service;
	uint32_t period_s;
	uint32_t filled, slots;
	bool usual; /* private peer, usual path */
};
void fact_key(struct fact *f, int64_t block, bool slow);

/*
 * Confirmed lattices go into `confirmed`, as keys with the lattice's number as
 * hi, and their peers into the probers; both as sets, which depend on the set
 * of facts only.
 */
int quorum(struct spill *facts, struct probers *probers,
    struct spill *confirmed, struct err *err);

#endif
