/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the bad requests have and the others do not: a table of two by two for
 * every feature, the likelihood ratio of the table, and a choice of at most a
 * few that do not repeat each other.  cause.c says how; pure, no state.
 */
#ifndef ANALYZERS_CAUSE_H
#define ANALYZERS_CAUSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzers/glr.h"

/* A request has a feature: a template, a call, a task. */
struct cause_mark {
	uint64_t feature;
	int32_t lag_ms; /* from the begin of the request */
	uint32_t at;    /* the how manieth thing of the request */
};

struct cause_case {
	const struct cause_mark *marks; /* by feature, each once */
	size_t n;
	bool bad;
};

struct cause_pick {
	uint64_t feature;
	struct fourfold table;
	int64_t lift_milli; /* (a/(a+b)) / (c/(c+d)); c = 0 counts as ½ */
	int64_t g2_milli;
	int64_t lag_ms; /* median of a */
};

/* Fills `picks`, the strongest first, at most `max`; returns how many. */
size_t cause_search(const struct cause_case *cases, size_t n,
    struct cause_pick *picks, size_t max);

/* One-sided probability, in millionths and rounded up, that a table with these
 * sums has a or more by chance (Fisher's exact test); at most 60 requests. */
enum { FISHER_MAX = 60 };
int64_t fisher_ppm(struct fourfold t);

/*
 * How surprising `now` events in `now_ns` are after `before` in `before_ns`, by
 * Poisson's likelihood ratio, in thousandths of nats; 0: not more than usual.
 */
struct cause_rate {
	uint64_t now, before;
	int64_t now_ns, before_ns; /* below a day */
};
int64_t cause_surprise_milli(struct cause_rate r);

#endif
