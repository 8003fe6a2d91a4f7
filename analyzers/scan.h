/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who asks for what is not there: one client (not-found-scan), or too many to
 * name (not-found-surge).  See the essay in scan.c.
 *
 * Answers of 404 and 410 are fed twice, in time order: first to see whom to
 * suspect, then to judge.  Between the two come the answers below 400 in the
 * suspects' days, in any order, and the times of which they cannot be had:
 * nobody is called a scanner who may have been answered there.  Last come the
 * texts behind the hashes, in any order.
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

/* A client's request that was answered below 400. */
struct scan_answer {
	int64_t ts_ns;
	uint64_t client;
	uint64_t path;
	uint32_t service;
};

struct scan_service {
	struct str name;
	int64_t first_ns; /* of its records */
	struct gates scan, surge;
};

/* Its thresholds are looked up; the name is borrowed. */
void scan_service_init(struct scan_service *s, struct str name,
    int64_t first_ns, const struct judge_settings *settings);

struct scan;

/* `services`: by number; borrowed. */
struct scan *scan_new(const struct judge_settings *settings,
    const struct scan_service *services);
void scan_free(struct scan *s);

void scan_suspect(struct scan *s, const struct scan_miss *m);
/* Whether a suspect's day is in the span, ends included. */
bool scan_suspects(const struct scan *s, int64_t first_ns, int64_t last_ns);
void scan_answered(struct scan *s, const struct scan_answer *a);
/* Answers in the span are not known. */
void scan_unread(struct scan *s, int64_t first_ns, int64_t last_ns);
void scan_judge(struct scan *s, const struct scan_miss *m);

/* Suspects and days that a finding would be of, were all answers known. */
uint64_t scan_unconfirmed(const struct scan *s);

/* No miss after this; `last_ns` is the records' end. */
void scan_end(struct scan *s, int64_t last_ns, struct findings *out);

/* The last line of each input that findings name, by input; 0: none. */
void scan_lines(const struct scan *s, uint64_t *last);

/* A text whose hash64 is `hash`: a path or an address. */
void scan_text(struct scan *s, uint64_t hash, struct str text,
    struct findings *out);
/* No text after this: the findings get their ids. */
void scan_finish(struct scan *s, struct findings *out);

#endif
