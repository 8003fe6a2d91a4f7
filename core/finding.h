/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A finding: what is wrong, since when, how we know, and where to look.
 * Numbers are integers or thousandths, so that output is byte-equal anywhere.
 */
#ifndef CORE_FINDING_H
#define CORE_FINDING_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/record.h"
#include "core/str.h"

enum severity {
	SEVERITY_INFO,
	SEVERITY_WARNING,
	SEVERITY_CRITICAL,
	SEVERITIES
};
const char *severity_name(enum severity s);
/* False: no such name. */
bool severity_of(struct str name, enum severity *s);

enum {
	FINDING_EVIDENCE = 3,
	FINDING_CAUSES = 3,
	FINDING_BESIDES = 8,
	FINDING_PATHS = 5,
	FINDING_ID = 22,
};

/* What was tested, and thereby what bad and total are. */
enum finding_test {
	TEST_RATIO,  /* of requests, bad ones */
	TEST_SCAN,   /* of a client's different paths, missing ones */
	TEST_HAMMER, /* of a client's requests, those for missing paths */
	TEST_SURGE,  /* new missing paths of a service; total is as many */
};

struct evidence {
	uint32_t input; /* the run's input */
	uint64_t line;  /* 0: none */
	bool has_trace;
	uint8_t trace[16];
};

/*
 * What the finding's requests have and others have not.  Never more than that:
 * it says what co-occurs, not why.
 */
enum cause_kind {
	CAUSE_LINE,      /* a log line while the request ran */
	CAUSE_CALL,      /* something in its trace: a call, how it went */
	CAUSE_PLACE,     /* where it ran or came from: "task 03907d48" */
	CAUSE_ONSET,     /* a log line when it began, in no request */
	CAUSE_ELSEWHERE, /* a log line of another service that began then */
	CAUSE_KINDS
};
const char *cause_kind_name(enum cause_kind k); /* "line", "call", ... */

/*
 * Of a + b bad requests a have it, of c + d others c.  Of an onset: a lines in
 * the minutes around it, c in the time before, b and d are 0.  Of a line
 * elsewhere: a lines until the finding's end, none before.
 */
struct cause {
	enum cause_kind kind;
	char *text;          /* an example; of a place its name, "task x" */
	char *template_text; /* NULL: the text is all there is */
	char *service;       /* whose line or call it is; NULL: of a place */
	uint32_t a, b, c, d;
	uint32_t places;    /* of a place: how many there are of its kind */
	bool since;         /* of a place: the others are those before */
	int64_t lift_milli; /* how much more frequent; c = 0 counts as ½ */
	int64_t g2_milli;
	/* Median from the request's begin; of an onset, and elsewhere, from
	 * the line to the first bad request's, less than 0 behind it. */
	int64_t lag_ms;
};

/*
 * Of `total` bad requests `bad` were asked for by this route and others, and
 * these answered 2xx or 3xx.
 */
struct hidden {
	char *service; /* NULL: not hidden; owned by the finding */
	char *route;
	enum method method;
	uint32_t bad, total;
};

/*
 * Of a health check: bad are all or some that did not come.  Of several targets
 * the one that misses most.
 */
struct finding_silence {
	char *target;      /* a task's id, or its stream; NULL: none is silent.
			      Owned by the finding */
	uint64_t missing;  /* its probes, of bad */
	uint64_t all;      /* of all targets, of bad */
	uint32_t targets;  /* so many are silent */
	uint32_t others;   /* streams that were probed meanwhile, */
	bool siblings;     /* of the same service, or else by the same prober */
	uint64_t probes;   /* that came before, */
	int64_t last_ns;   /* the last of them, in whole seconds; */
	int64_t period_ms; /* one prober's, on average, */
	uint32_t probers;  /* and how many those are */
};

struct finding {
	const char *rule; /* "slow-post": static, from the rule's table row */
	const char
	    *judged_by; /* the rule whose test decided, mostly the same */
	enum severity severity;
	char *service; /* owned by the finding */
	enum method method;
	char *route; /* NULL where the rule has none */
	/* What URLs of other routes hold that have all of this one's words. */
	char *besides[FINDING_BESIDES];
	size_t n_besides;
	int64_t start_ns;    /* onset: begin of the first bad cell */
	int64_t end_ns;      /* end of the last bad cell */
	int64_t detected_ns; /* end of the cell that decided */
	bool open;           /* not resolved when the records ended */
	uint64_t bad, total; /* over the whole finding, from the onset on */
	uint64_t base_bad, base_total; /* of the baseline, frozen at alarm */
	int64_t window_ns;             /* the deciding window */
	uint64_t window_bad, window_total;
	int64_t value_ppm;     /* bad/total in millionths */
	int64_t baseline_ppm;  /* p0 */
	int64_t threshold_ppm; /* the gate on the ratio */
	int64_t g_milli;       /* log-likelihood ratio G, thousandths of nats */
	int64_t h_milli;       /* its threshold */
	const char *unit;      /* of bad: see finding_unit; static */
	const char *phrase;    /* "answered 404 in # requests", static: '#' is
				  where finding_sentence puts "116 of 504", '~'
				  where it puts over_ns */
	int64_t before_ns,
	    after_ns; /* mean latency before and in it; -1: none */
	struct evidence evidence[FINDING_EVIDENCE];
	int n_evidence;
	struct cause causes[FINDING_CAUSES];
	int n_causes;
	uint32_t compared_bad, compared; /* requests looked at for causes */
	uint32_t templates; /* of log lines and calls that they had */
	/* Of the same incident, as fold.h says: clients' requests beside health
	 * checks, or the other way round; 0 of 0: none. */
	const char *along; /* "health checks"; static, NULL */
	uint64_t along_bad, along_total;
	struct hidden hidden;
	struct finding_silence silence;
	bool told;       /* another finding tells of it: to be removed */
	int64_t over_ns; /* slow is above this; 0: not about time */
	bool relative;   /* over_ns is what was rare before */
	enum finding_test test;
	char *client;               /* address of a scan's; else NULL; owned */
	char *paths[FINDING_PATHS]; /* the first that were missing; owned */
	int n_paths;
	int64_t base_ns;        /* of a surge: the time base_bad came in */
	int64_t expected_milli; /* of a surge: λ of the window */
	char id[FINDING_ID];    /* of (rule, entity, first window): no NUL */
};

void finding_fini(struct finding *f);

/* A C string of any bytes: a NUL becomes the %00 that it was in a URL. */
char *finding_text(struct str s);

/*
 * The finding in one sentence, for event.reason and the terminal:
 *
 *	POST /mysfits/{id}/like of like service answered 404 in 116 of 504
 *	requests (23.0 %) from 07:06:00 on; before, 0 of 409; co-occurs with
 *	“simulated 404 activated” in 116 of 116 of these and 4 of 388 others.
 *
 * Names are put in as they are: escaping is the printer's business.
 */
void finding_sentence(struct buf *b, const struct finding *f, bool utf8);

/* What is counted: "requests over 1 s", "404 answers". */
void finding_unit(struct buf *b, const struct finding *f, bool utf8);

struct findings {
	struct finding *v;
	size_t n;
	size_t cap;
};
/* A zeroed finding at the end. */
struct finding *findings_add(struct findings *f);
/* Takes the finding out; those behind it move up. */
void findings_remove(struct findings *f, size_t i);
/* Sorts: severity falling, then onset, rule, service, method, route. */
void findings_sort(struct findings *f);
void findings_fini(struct findings *f);

#endif
