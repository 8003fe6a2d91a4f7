/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who asks for what is not there: one client (not-found-scan), or too many to
 * name (not-found-surge).  See the essay in scan.c.
 *
 * Answers of 404 and 410 are fed twice, in time order: first to see whom to
 * suspect, then to judge.  Between the two come the answers below 400, in any
 * order, of which those to the suspects are kept.  Last come the texts behind
 * the hashes, in any order.
 *
 * It reads no clock, and the same misses give the same findings.  Memory: 1.3
 * MB of sketches, 1.3 KB a suspect and day for at most 4,096 of them, and 1 KB
 * a service that has misses.  Suspects beyond that count in the surge only.
 */
#ifndef ANALYZERS_SCAN_H
#define ANALYZERS_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "analyzers/cells.h"
#include "analyzers/judge.h"
#include "core/finding.h"
#include "core/str.h"

/* A client's requests for one path that were answered 404 or 410 at a time. */
struct scan_miss {
	int64_t ts_ns;
	uint64_t client; /* hash64 of its address; 0: hidden, or internal */
	uint64_t path;   /* hash64 */
	uint32_t service;
	uint32_t n;
	bool known; /* its route was answered below 400 at some time */
	struct example example; /* the least of them */
};

/* A client's requests that were answered below 400 in one hour. */
struct scan_answers {
	uint64_t client;
	uint64_t paths; /* a bit a path, by six bits of its hash */
	uint32_t service;
	uint32_t n;
	int64_t hour; /* since 1970 */
};

struct scan_service {
	struct str name;
	int64_t first_ns; /* of its records */
};

struct scan;

/* `services`: by number; borrowed. */
struct scan *scan_new(const struct judge_settings *settings,
    const struct scan_service *services);
void scan_free(struct scan *s);

void scan_suspect(struct scan *s, const struct scan_miss *m);
bool scan_suspects(const struct scan *s); /* whether there is any */
void scan_answered(struct scan *s, const struct scan_answers *a);
void scan_judge(struct scan *s, const struct scan_miss *m);

/* No miss after this; `last_ns` is the records' end. */
void scan_end(struct scan *s, int64_t last_ns, struct findings *out);

/* A text whose hash64 is `hash`: a path or an address. */
void scan_text(struct scan *s, uint64_t hash, struct str text,
    struct findings *out);
/* No text after this: the findings get their ids. */
void scan_finish(struct scan *s, struct findings *out);

#endif
