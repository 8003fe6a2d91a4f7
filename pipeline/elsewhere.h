/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What other programs began to print when a finding began: the last thing that
 * is looked for, where the finding's own requests show nothing.
 *
 * A dependency without traces says what ails it in its own log, which nothing
 * joins to the requests that wait for it.  A line is named that was never
 * logged in up to an hour before, for the first time within seconds of the
 * first bad request, and from then on about as often as requests were bad.
 * A line that is new at some time in those minutes is so near by chance once
 * in fifty; so only one is named, and as what it is: it began then.
 *
 * Counts are sums, and the first time a minimum: any order of lines gives the
 * same.  A finding around which there are more than ELSEWHERE_LINES different
 * lines is given no answer.
 *
 * Life: init with the cases that are settled, add all lines, settle, fini.
 */
#ifndef PIPELINE_ELSEWHERE_H
#define PIPELINE_ELSEWHERE_H

#include <stdbool.h>
#include <stdint.h>

#include "pipeline/cases.h"

enum { ELSEWHERE_LINES = 16384 };

struct elsewhere_line {
	uint64_t id; /* of text and service; 0: free */
	uint64_t key;
	uint32_t service;
	uint32_t n;
	int64_t first_ns;
};

/* A finding that has no cause yet. */
struct elsewhere_asked {
	const struct sought *sought;
	struct elsewhere_line *v; /* open addressing */
	size_t n;
	bool full;
};

struct elsewhere {
	const struct run *run;
	struct elsewhere_asked *v;
	size_t n; /* 0: nothing is asked */
	struct templates *templates;
};

void elsewhere_init(struct elsewhere *e, const struct cases *c);
void elsewhere_fini(struct elsewhere *e);

/* Whether lines of the service are asked for at this time. */
bool elsewhere_wants(const struct elsewhere *e, uint32_t service,
    int64_t ts_ns);
void elsewhere_add(struct elsewhere *e, uint32_t service, struct str text,
    int64_t ts_ns);

/* Fills the findings' causes. */
void elsewhere_settle(struct elsewhere *e);

#endif
