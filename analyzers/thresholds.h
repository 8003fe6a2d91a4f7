/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Thresholds: what a rule asks for before it calls something a finding, for
 * every service and route.
 *
 * The defaults are the rules' own (analyzer.h) and are right for most.  A
 * setting replaces one of them, everywhere or for the services, the routes and
 * the method of its scope.  Names may be patterns: '*' stands for any run of
 * characters, '?' for one.  For each threshold of one rule, service, route and
 * method the most specific setting holds, whatever the order they were written
 * in:
 *
 *	1. the option of the command line, where there is one;
 *	2. by the service: its name; then patterns, that of more characters
 *	   that are no wildcards first, of equals the one that sorts first;
 *	   then settings for every service;
 *	3. of those the same by the route;
 *	4. of those the one that names the method.
 *
 * Life: zeroed but for `file`, `slow_ns` and `only`; thresholds_add each
 * setting; thresholds_settle once; thresholds_of at will, from any thread;
 * thresholds_fini.  Texts are borrowed and must live as long.
 */
#ifndef ANALYZERS_THRESHOLDS_H
#define ANALYZERS_THRESHOLDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/record.h"
#include "core/str.h"

enum threshold {
	THRESHOLD_JUDGE,  /* 1: the rule judges */
	THRESHOLD_SLOW,   /* of latency: ns; one for all such rules */
	THRESHOLD_SLOWER, /* of latency: ns */
	THRESHOLD_COUNT,
	THRESHOLD_RATIO, /* ppm */
	THRESHOLD_ABOVE, /* ppm */
	THRESHOLD_G,     /* thousandths of nats */
	THRESHOLD_CRITICAL_RATIO,
	THRESHOLD_CRITICAL_COUNT,
	THRESHOLD_WARNING_RATIO,
	THRESHOLD_WARNING_COUNT,
	THRESHOLDS
};

/* How a value is written: yes, 1s, 20, 2.5%, 13.816. */
enum threshold_unit {
	UNIT_YES,
	UNIT_SPAN,
	UNIT_COUNT,
	UNIT_SHARE,
	UNIT_NATS,
};

struct threshold_info {
	const char *name;
	enum threshold_unit unit;
	int64_t min, max;
	const char *help; /* one sentence */
};
/* By enum threshold: for the parser, the manual and explanations alike. */
extern const struct threshold_info threshold_infos[THRESHOLDS];

/* What the unit's values look like: "a share such as 10% or 2.5%". */
const char *threshold_words(enum threshold t);

/* -1 with err, which says what was expected: the text is no such value. */
int threshold_parse(enum threshold t, struct str text, int64_t *value,
    struct err *err);

/* The value as threshold_parse reads it. */
void threshold_put(struct buf *b, enum threshold t, int64_t value);

enum { SETTING_ALL_RULES = -1 };

struct setting {
	struct str service; /* a name or a pattern; empty: every */
	struct str route;   /* the same */
	enum method method; /* METHOD_NONE: any */
	int rule; /* row of judge_rules(); SETTING_ALL_RULES: of latency */
	enum threshold what;
	int64_t value;
	uint32_t line; /* where it stands, from 1 */
};

enum { SLOW_LIMITS = 8 };

struct thresholds {
	const char *file;  /* where the settings stand; NULL: there are none */
	int64_t slow_ns;   /* --slow; 0: not given */
	const char *only;  /* --rule; NULL: not given */
	struct setting *v; /* once settled, the most specific first */
	size_t n, cap;
	/*
	 * Once settled, the different values of THRESHOLD_SLOW: [0] that of
	 * every service.  A cell counts for each of them, as it is filled when
	 * nobody knows yet what service and route it is of (cells.h).
	 */
	int64_t limits[SLOW_LIMITS];
	size_t n_limits;
};

/* Nothing is set. */
extern const struct thresholds thresholds_default;

void thresholds_add(struct thresholds *t, const struct setting *s);

/* -1 with err: there are more than SLOW_LIMITS different limits. */
int thresholds_settle(struct thresholds *t, struct err *err);
void thresholds_fini(struct thresholds *t);

/* What is judged: a rule by its name, and of whom. */
struct judged {
	const char *rule;
	struct str service;
	struct str route;   /* empty: the rule has none */
	enum method method; /* METHOD_NONE: all of the route's */
};

#define GATE_DEFAULT UINT32_C(0)
#define GATE_OPTION UINT32_MAX

/* The thresholds that hold for one of them. */
struct gates {
	int64_t v[THRESHOLDS];
	uint32_t from[THRESHOLDS]; /* line, or GATE_DEFAULT, GATE_OPTION */
	int limit;                 /* v[THRESHOLD_SLOW] is limits[limit] */
};

void thresholds_of(const struct thresholds *t, const struct judged *of,
    struct gates *g);

/* Whether the rule judges anything at all. */
bool thresholds_judge(const struct thresholds *t, const char *rule);

/* Whether the rule has such a threshold. */
bool threshold_has(const char *rule, enum threshold what);

/* "default", "telltale.yaml:12", "--slow": where a gate is from. */
void threshold_put_from(struct buf *b, const struct thresholds *t,
    enum threshold what, uint32_t from);

#endif
