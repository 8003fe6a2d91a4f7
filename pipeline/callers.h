/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who asked for the requests of a finding, and what they were answered: a
 * failure whose callers answer 2xx or 3xx is hidden from the users.
 *
 * A caller's request is under way when the called one ends, and where both have
 * a trace it is the same.  In a log without traces that may be chance.  So all
 * requests of the finding, good and bad, are held against the requests of each
 * route of another service: how many end while one of these is under way, and
 * how many would if they had ended some seconds later.  The test of the judge
 * (glr.h) tells whether the route is a caller; the shifted times are its
 * baseline, so that a busy route is none for being busy; and of those beyond
 * chance it must be a third.  Of several requests of the caller the one that
 * ends next is taken to have asked.  A request without a duration is taken to
 * have been under way for 200 ms; as the next call of the same caller would
 * look like one, such requests count only where no others tell.
 *
 * A finding with at least half of its bad requests hidden that way becomes a
 * masked-failure: its counts, test and id stay, and it says who hides it. Where
 * the traces of the callers have told the same (rule masked-failure), that
 * finding goes: one incident is one finding.
 *
 * Bounds: CALLERS_MAX routes a finding, those of the least hash; half a KiB a
 * request of a finding, together 16 MiB at most.
 */
#ifndef PIPELINE_CALLERS_H
#define PIPELINE_CALLERS_H

#include "pipeline/cases.h"

enum { CALLERS_MAX = 64 };

/* Whether the requests of a route that met have a duration. */
enum tell { UNTIMED, TIMED, TELLS };

/* A route that may have called. */
struct caller {
	uint32_t service, route, method;
	uint64_t hash;
	uint64_t n[TELLS]; /* its requests near to some */
};

/* What one request and one caller have with each other. */
struct met {
	uint32_t gap_us; /* 1 + how long before the caller it ended; 0: never */
	uint8_t well;    /* 1: that one was answered 2xx or 3xx */
	uint8_t by;      /* bits by enum tell: they met */
	uint8_t later;   /* the same: they would, if it had ended later */
};

/* A finding's requests by their end, and their callers so far. */
struct called {
	struct sought *sought;
	struct request_case **v;
	struct met (*met)[CALLERS_MAX]; /* by request */
	size_t n;
	struct caller callers[CALLERS_MAX];
	int n_callers;
};

struct callers {
	struct cases *cases;
	struct called *v;
	size_t n; /* 0: no finding is of answers */
};

/* After cases_index. */
void callers_init(struct callers *c, struct cases *cases);
void callers_fini(struct callers *c);

/* A request of any service; `trace`: NULL, it has none. */
void callers_request(struct callers *c, const struct case_request *q,
    const uint8_t *trace);

/* Tells it in the findings; some of them may go, and the order is lost. */
void callers_settle(struct callers *c, struct findings *findings);

#endif
