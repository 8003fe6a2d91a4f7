/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The requests of findings, bad ones and others of the same route in the same
 * window, with what they had: log lines, calls, places.
 *
 * Of each kind a finding keeps so many; beyond that, those with the least hash
 * of their identity, so that which are kept depends on the set of records only.
 * A request keeps CASE_MARKS things.  Together at most 40 MiB.
 *
 * Life: init with the run's findings, gather, settle (which fills the
 * findings), fini.
 */
#ifndef PIPELINE_CASES_H
#define PIPELINE_CASES_H

#include <stdbool.h>
#include <stdint.h>

#include "analyzers/cause.h"
#include "analyzers/cells.h"
#include "analyzers/template.h"
#include "core/arena.h"
#include "core/finding.h"
#include "core/record.h"

struct run;

enum {
	SOUGHT_MAX = 64, /* findings looked into: the first, worst ones */
	CASES_ALL = 32768,
	CASES_MOST = 4096, /* of one finding and side */
	CASE_MARKS = 64,
	MATCHES_MAX = 8,    /* findings that one request belongs to */
	ONSET_BINS = 13,    /* of five minutes, back from the onset */
	ONSET_LINES = 4096, /* templates of a finding */
};

/* Which side of its finding a request is on. */
enum case_side {
	CASE_BAD,
	CASE_OTHER,  /* in the finding's window */
	CASE_BEFORE, /* in the hour before it, not bad */
	CASE_SIDES
};

/* Something that requests have. */
struct feature {
	uint64_t id; /* 0: free */
	enum cause_kind kind;
	uint32_t service;
	uint64_t key;         /* of a line: the masked text's */
	bool wide;            /* a line as cases_wide says */
	struct str dimension; /* of a place: "task" */
	struct str text;
};

struct request_case {
	uint64_t priority; /* hash of its identity */
	int64_t begin_ns, end_ns;
	bool coarse; /* end_ns is a whole second */
	enum case_side side;
	bool lined;     /* from a log: lines could be seen */
	bool has_trace; /* trace is set */
	bool traced;    /* a document of it was read */
	uint8_t trace[16];
	uint32_t n, cap;
	struct cause_mark *marks;
};

/* How often a line came around the onset. */
struct onset_line {
	uint64_t feature; /* 0: free */
	uint32_t bins[ONSET_BINS];
	int64_t first_ns;
};

/* A finding and its requests. */
struct sought {
	struct finding *finding;
	uint32_t service, route;
	int64_t from_ns, to_ns; /* the hour before with it */
	int64_t bracket_ns;     /* end of the onset's bins */
	struct request_case **v;
	size_t n, cap;
	size_t n_side[CASE_SIDES];
	unsigned level[CASE_SIDES]; /* priorities below 2^(64 - level) */
	int64_t first_bad_ns;       /* the earliest begin; WHEN_NONE */
	int64_t last_good_ns;       /* before the onset; WHEN_NONE */
	struct evidence more[FINDING_EVIDENCE]; /* least places of bad ones */
	int n_more;               /* that the finding does not show */
	struct onset_line *lines; /* open addressing, or NULL */
	size_t n_lines, n_slots;
};

/* Requests by their trace, after cases_index. */
struct traced_case {
	uint8_t trace[16];
	struct request_case *of;
};

struct cases {
	struct run *run;
	struct sought *v;
	size_t n;
	size_t most; /* cases of a finding and side */
	struct feature *features;
	size_t n_features, n_slots;
	struct arena texts;
	struct templates *templates;
	struct traced_case *traced;
	size_t n_traced;
};

/* A request that was found, while its lines are gathered. */
struct case_draft {
	struct {
		uint32_t sought;
		enum case_side side;
	} matches[MATCHES_MAX];
	int n_matches;               /* 0: of no finding */
	struct place place;          /* of its line or segment */
	struct request_case request; /* marks point at `marks` */
	struct cause_mark marks[CASE_MARKS];
};

void cases_init(struct cases *c, struct run *run);
void cases_fini(struct cases *c);

/* Whether a finding of the service looks at records of this time. */
bool cases_wants(const struct cases *c, uint32_t service, int64_t ts_ns);
/* Whether any does, at a part of a span. */
bool cases_wants_span(const struct cases *c, int64_t first_ns, int64_t last_ns);
bool cases_has_service(const struct cases *c, uint32_t service);

/* A request as the join sees it. */
struct case_request {
	const struct request *request;
	uint32_t service;
	enum class class;
	int64_t ts_ns, duration_ns;
	int64_t end_ns;      /* as fine as can be told */
	bool coarse;         /* ... which is a whole second */
	bool traced, masked; /* it has a segment, which says that it failed */
};

/* Begins a draft: which findings it belongs to; false: none.  Its place is
 * the caller's to set. */
bool cases_match(struct cases *c, const struct case_request *q,
    struct case_draft *d);
/* Keeps the request where it is kept. */
void cases_admit(struct cases *c, const struct case_draft *d);

/* The number of a feature, which is made when it is new. */
uint64_t cases_line(struct cases *c, uint32_t service, struct str text);
/* The same line, where it may be another request's that ran meanwhile. */
uint64_t cases_wide(struct cases *c, uint64_t line);
uint64_t cases_call(struct cases *c, uint32_t service, struct str text);
uint64_t cases_place(struct cases *c, struct str dimension, struct str text);

/* One thing more of a request, unless it has it or too many. */
void case_mark(struct request_case *r, uint64_t feature, int64_t ts_ns);
/* The same of a call: those that begin last come first, behind all lines, for
 * calls are nested, and the innermost says most. */
void case_mark_call(struct request_case *r, uint64_t feature, int64_t ts_ns);

/* A line of a service around the onset of its findings. */
void cases_onset(struct cases *c, uint32_t service, uint64_t feature,
    int64_t ts_ns);

/* All requests are in: they can be found by their trace. */
void cases_index(struct cases *c);
/* The first with the trace; the others follow.  NULL: none. */
struct traced_case *cases_traced(const struct cases *c,
    const uint8_t trace[16]);

/* Fills the findings' causes: cases_settle.c. */
void cases_settle(struct cases *c);

/* A text of a cause, free()d with it; NUL bytes become '?'. */
char *cause_text(struct str s);

/* The feature with the number; NULL: there was no room for it. */
const struct feature *cases_feature(const struct cases *c, uint64_t id);

#endif
