/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replay: archives in, findings out.
 *
 * Inputs are read by `threads` workers, one input at a time each, in any
 * order; everything that is kept is additive or sorted, so that the result
 * depends on the set of records only: not on threads, block sizes, the order
 * of the inputs or their packing.  See docs/architecture.md and pipeline/plan.h
 * for how: directly into cells where no record needs another, through a sort
 * on disk where requests of logs and traces are joined or inputs share a
 * stream.
 *
 * Memory is bounded by the limits and not by the input; sorting spills into
 * unlinked files in $TMPDIR.
 */
#ifndef PIPELINE_REPLAY_H
#define PIPELINE_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "analyzers/cells.h"
#include "analyzers/histogram.h"
#include "analyzers/judge.h"
#include "analyzers/probe.h"
#include "core/err.h"
#include "core/finding.h"
#include "core/limits.h"
#include "core/record.h"
#include "ingest/input.h"
#include "ingest/message.h"
#include "ingest/source.h"

struct elastic;
struct trace_logs;

enum probes {
	PROBES_FOLD, /* successful ones into the roll-up, failing ones kept */
	PROBES_KEEP, /* all are documents */
	PROBES_DROP, /* counted as filtered, in nothing else */
};

/*
 * What the program is called whose log group, stream, path or segments' name is
 * `group`, which may be a pattern (str_glob); the first that is so holds. Where
 * both are there, one is enough for its log and its segments.
 */
struct service_name {
	struct str group;
	struct str name;
	const char *file; /* where it is given; NULL: on the command line */
	uint32_t line;
};

struct replay_options {
	struct limits limits;
	int threads;        /* 0: one a core */
	int64_t since_ns;   /* WHEN_NONE: from the beginning */
	int64_t until_ns;   /* WHEN_NONE: to the end; exclusive */
	int64_t last_ns;    /* 0: all; else the last so long of the archive */
	struct str service; /* empty: all; else only this one's records; one of
			     * which there is nothing is an error */
	enum probes probes;
	struct judge_settings judge;
	struct probe_settings probe;
	unsigned message_flags;              /* enum message_flags */
	const struct dialect_user *dialects; /* NULL: only the built-in ones */
	const struct service_name *names;
	size_t n_names;
	const char *out;         /* --out: a directory, or NULL */
	struct elastic *elastic; /* --es: gets the same, or NULL */
	unsigned out_kinds; /* bits by enum file_kind: only these; 0: all */
	bool causes;        /* what co-occurs with findings is sought */
	struct trace_logs *trace_logs; /* see pipeline/trace_logs.h; NULL */
};
/* All defaults: every service, all of time, the limits' and judge's own. */
void replay_options_init(struct replay_options *o);

/* What became of what was read.  read = the sum of the others, by kind. */
enum account {
	ACCOUNT_READ,
	ACCOUNT_STORED,
	ACCOUNT_FOLDED,    /* probes into the roll-up, lines into their event */
	ACCOUNT_FILTERED,  /* by time, service, --probes drop; control messages
			    */
	ACCOUNT_DUPLICATE, /* the same event, or the same request, again */
	ACCOUNT_DEAD,
	ACCOUNTS
};
const char *account_name(enum account a); /* "read", "stored", ... */

/* The kinds of record, and what never became one. */
enum { KIND_OTHER = RECORD_KINDS, KINDS };
const char *kind_name(int kind); /* "request", ..., "other" */

struct accounts {
	uint64_t n[KINDS][ACCOUNTS];
};

/* Why pieces became dead letters; beyond REPLAY_DEAD reasons only counted. */
enum { REPLAY_DEAD = 6 };
struct replay_dead {
	const char *reason; /* static */
	uint64_t n;
	uint64_t line; /* of the first */
};

struct replay_input {
	const struct input *input; /* path, state, why, group, task, stream */
	const char *envelope;      /* static name; NULL: nothing was read */
	char *envelope_why;
	bool newest_first;       /* see turned.h */
	const char *dialects[4]; /* those met, most frequent first; NULL */
	struct source_notes notes;
	struct accounts accounts;    /* of this input's records */
	uint64_t documents_left_out; /* filtered: see write.c */
	int64_t first_ns, last_ns;   /* event times; WHEN_NONE */
	char *error;                 /* reading failed in the middle: words */
	struct replay_dead dead[REPLAY_DEAD]; /* as met; reason NULL: no more */
};

/* One more dead letter of the input. */
void replay_dead_note(struct replay_input *in, const char *reason,
    uint64_t line);

struct replay_route {
	enum method method;
	char *route;
	uint64_t n;         /* client requests */
	uint64_t status[6]; /* by hundreds; [0]: none */
	uint64_t not_found;
	uint64_t probes;
	struct histogram latency; /* of timed client requests */
};

enum { REPLAY_BUCKETS = 60 };
struct replay_bucket {
	uint32_t n;      /* client requests */
	uint32_t errors; /* of them with a 4xx or 5xx answer */
	uint32_t timed;
	uint64_t sum_us; /* of timed */
};

struct replay_service {
	char *name;
	char *rule;        /* how the name was found, a sentence */
	uint64_t requests; /* of clients */
	uint64_t undated;  /* of requests: without a time, so judged by none */
	uint64_t probes, probes_bad, probable;
	uint64_t from_traces; /* of requests: seen in a trace only */
	uint64_t in_both;     /* of requests: joined, log and trace */
	uint64_t logs;        /* other log events */
	int64_t first_ns, last_ns;
	struct replay_route *routes; /* by n falling, then method and text */
	size_t n_routes;
	struct replay_bucket buckets[REPLAY_BUCKETS];
};

/* What cannot be judged of a service, whatever happened, for want of facts. */
enum unjudged {
	UNJUDGED_LATENCY, /* no request has a duration */
	UNJUDGED_STATUS,  /* none has a status */
	UNJUDGED_FEW,     /* fewer than ten: only what fails mostly shows */
	UNJUDGED,         /* how many there are */
};
bool replay_unjudged(const struct replay_service *s, enum unjudged what);

/* Segments that name one service, and are called another by options.names. */
struct replay_renamed {
	char *from;
	struct str to;
};

struct replay_result {
	struct inputs inputs;            /* owned */
	struct replay_input *read;       /* inputs.n of them */
	struct accounts accounts;        /* of all */
	int64_t first_ns, last_ns;       /* of all records; WHEN_NONE */
	int64_t bucket_ns;               /* width of a service's buckets */
	uint64_t traces;                 /* different trace ids seen */
	uint64_t bytes, bytes_packed;    /* inflated, and as read */
	uint64_t late;                   /* joins given up: see docs */
	uint64_t unconfirmed;            /* suspects of scans: see scan.h */
	struct replay_service *services; /* by name */
	size_t n_services;
	bool *names_used; /* by options.names: something is called so */
	struct replay_renamed *renamed; /* segments' names; views: options' */
	size_t n_renamed;
	struct findings findings;  /* sorted */
	struct judge_story *story; /* of options.judge.explain; NULL */
	bool interrupted;          /* SIGINT: not complete */
	bool no_service;           /* replay() failed: there is none of the
				    * name in options.service; err names them */
};

/* How far it is; written by the workers, read by whoever shows it. */
struct replay_progress {
	_Atomic uint64_t bytes_done;  /* packed */
	_Atomic uint64_t bytes_total; /* 0: not known (stdin) */
	_Atomic uint64_t records;
	_Atomic int phase; /* 0 reading, 1 judging, 2 reading again */
	_Atomic bool stop; /* set it to end early */
};

/*
 * Reads all paths.  0, also when single inputs failed (see result->read);
 * -1 with err when nothing could be done: no path, disk full, --out failed.
 * The result is always initialised; replay_result_fini frees it.
 */
int replay(const struct replay_options *options, char *const *paths, size_t n,
    struct replay_progress *progress, struct replay_result *result,
    struct err *err);
void replay_result_fini(struct replay_result *result);

/* The service of segments that say they are of `name`. */
struct str replay_called(const struct replay_result *result, struct str name);

#endif
