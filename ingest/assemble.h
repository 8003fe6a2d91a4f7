/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Segment documents, in any order, to finished traces.
 *
 * What is promised:
 * - The same documents give the same trace, whatever order they came in and
 *   however often: of several documents with one id that of the greatest rank
 *   counts.
 * - An independent subsegment is folded into the entity that its parent_id
 *   names, at any depth; a segment stays a segment below its caller.
 * - Every remote or AWS call that nobody answered for has an inferred callee.
 * - Parents that run in a circle are cut at the earliest span of the circle.
 * - Memory is bounded by the options.  Who does not fit is counted.
 *
 * A trace is finished when the watermark of event time is timeout_ns beyond
 * the latest time of its documents.  Beyond bytes_max or traces_max the trace
 * that would be due first is finished at once: evicted.  A document that comes
 * after its trace was finished begins the trace anew, with revision 2 and so
 * on; whoever stores traces joins them by the documents' ids.
 *
 *	assembler_add(a, record)          any number of times, then
 *	assembler_advance(a, watermark)   or assembler_end(a)
 *	for (t = assembler_next(a); t; t = assembler_next(a)) ...
 *
 * Who has all documents of a trace side by side asks assembler_whole instead.
 *
 * One thread at a time.  No clock is read.
 */
#ifndef INGEST_ASSEMBLE_H
#define INGEST_ASSEMBLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/record.h"
#include "core/str.h"
#include "ingest/span.h"

struct assemble_options {
	int64_t timeout_ns;     /* of event time without a new document */
	size_t traces_max;      /* open at once */
	size_t bytes_max;       /* of all open documents */
	size_t documents_max;   /* of one trace */
	size_t trace_bytes_max; /* of one trace's documents */
};

/* 60 s, 200 000, 64 MiB, 200 000, 32 MiB. */
extern const struct assemble_options assemble_defaults;

/* Of one trace; the documents behind it are not read, and it says so. */
enum { ASSEMBLE_SPANS_MAX = 250000 };

struct assemble_counts {
	uint64_t documents;  /* added */
	uint64_t duplicates; /* of them not used: another one of the same id */
	uint64_t refused;    /* beyond documents_max or trace_bytes_max */
	uint64_t late;       /* came after their trace was finished */
	uint64_t broken;     /* embedded subsegments without name or start */
	uint64_t traces;     /* finished */
	uint64_t evicted;    /* of them before their time */
	uint64_t open;       /* now */
	uint64_t open_bytes; /* now */
};

/* A service of the trace, under the name that the graph shows. */
struct trace_node {
	struct str name;
	struct str type;    /* origin; empty: none */
	struct str account; /* empty: not known */
	bool client;        /* the client of a root: type "client" */
	bool inferred;      /* never reported itself */
	bool root;          /* an entry point */
};

/* One call.  `span` is the caller's record of it: the calling subsegment; for
 * a client's or a segment's call the callee. */
struct trace_call {
	uint32_t from; /* nodes */
	uint32_t to;
	uint32_t span;
	uint32_t callee;
	struct str alias; /* what the caller calls the callee, when different */
	struct str alias_type;
};

/*
 * An event between this trace and another one: what a span's link says, where
 * it names the other service.  X-Ray's limits hold for them.
 */
struct trace_link {
	uint32_t node; /* of the span */
	uint32_t span;
	const struct span_link *link;
};

enum { TRACE_LINKS_MAX = 100, SEGMENT_LINKS_MAX = 20 };

/* A distinct value, and the nodes that it was seen at. */
struct trace_value {
	struct str key;  /* of an annotation; else empty */
	struct str text; /* a number as written, "true", "false" */
	enum span_value value;
	uint32_t nodes; /* trace.refs[nodes] on */
	uint32_t n_nodes;
};

enum trace_list {
	TRACE_ANNOTATIONS, /* by key, then value */
	TRACE_USERS,
	TRACE_ZONES,
	TRACE_INSTANCES,
	TRACE_ARNS,
	TRACE_ACCOUNTS,
	TRACE_LISTS
};

struct trace_values {
	const struct trace_value *v;
	size_t n;
};

/* Root causes: services from the root on, in each the path of entities. */
struct trace_entity {
	uint32_t span;
	bool remote;           /* a call to another service */
	int64_t coverage_nano; /* share of the root's time, 1e-9; -1: none */
	const struct span_exception *exceptions;
	uint32_t n_exceptions;
};

struct trace_cause_service {
	uint32_t node;
	uint32_t n_entities;
	const struct trace_entity *entities;
};

struct trace_cause {
	const struct trace_cause_service *services;
	uint32_t n_services;
	bool client_impacting; /* begins at the trace's root */
};

enum trace_cause_kind {
	TRACE_FAULT_CAUSE,
	TRACE_ERROR_CAUSE,
	TRACE_TIME_CAUSE,
	TRACE_CAUSES
};

struct trace_causes {
	const struct trace_cause *v;
	size_t n;
};

struct trace_document {
	struct str text;
	struct str marks; /* for span_read, or empty */
	uint32_t span;    /* its top; SPAN_NONE: another copy counted */
};

enum { TRACE_ID_SIZE = 35 };

struct trace {
	uint8_t id[16];
	char id_text[TRACE_ID_SIZE + 1]; /* 1-8hex-24hex, lower case */
	uint32_t revision;               /* 1, or more when it came back */
	bool evicted;
	bool limit_exceeded; /* documents were refused, or over 500 kB */
	bool partial;
	bool has_fault, has_error; /* of the root */
	bool has_throttle;         /* of any segment */
	bool has_inferred;
	int64_t start_ns;    /* earliest segment; else earliest span */
	int64_t end_ns;      /* latest end of a segment; WHEN_NONE */
	int64_t duration_ns; /* -1: no segment has ended */
	int64_t response_ns; /* the root's; -1 */
	uint32_t root;       /* span; SPAN_NONE: its document is missing */
	uint32_t entry;      /* node of the root, else of the first segment */

	/* Preorder: a span's children are i + 1, then each the size of the
	 * one before further on; sorted by start.  Roots first, then orphans.
	 */
	const struct span *spans;
	size_t n_spans;
	const struct trace_node *nodes; /* in order of appearance */
	size_t n_nodes;
	const struct trace_call *calls;
	size_t n_calls;
	const struct trace_link *links;
	size_t n_links;
	uint64_t links_left_out; /* beyond the limits */
	struct trace_values lists[TRACE_LISTS];
	const uint32_t *refs;
	struct trace_causes causes[TRACE_CAUSES];
	const struct trace_document *documents; /* by id */
	size_t n_documents;
	size_t bytes; /* of them */
};

struct assembler;

struct assembler *assembler_new(const struct assemble_options *options);

/* Takes a RECORD_SEGMENT; its document is copied. */
void assembler_add(struct assembler *a, const struct record *r);

/* Nothing before the watermark will come; it never goes back. */
void assembler_advance(struct assembler *a, int64_t watermark_ns);

/* Nothing will come: all traces are due. */
void assembler_end(struct assembler *a);

/*
 * The next finished trace, in order of (latest time, id); NULL: none is due.
 * It is valid until the next call of any function here.  To be called until
 * NULL after every batch that was added, for memory's sake.
 */
const struct trace *assembler_next(struct assembler *a);

/*
 * Which of several documents with one id counts, the greatest: a finished one
 * before one in progress, then the longer one, then by a hash of the text, so
 * that who counts documents elsewhere comes to the same.
 */
uint64_t assemble_rank(bool complete, struct str text);

/* A document of a trace that is all there. */
struct assemble_document {
	struct str id; /* of its segment, 1 to 64 bytes */
	struct str text;
	struct str marks; /* for span_read, or empty */
	bool complete;    /* not in progress */
};

/*
 * The trace of these documents alone, whatever is open: what adding them, in
 * any order, and ending would give, but nothing is copied, so the texts outlive
 * the trace, and `v` is sorted.  NULL, and nothing is counted: they are more
 * than the options allow, and have to be added one by one.
 */
const struct trace *assembler_whole(struct assembler *a, const uint8_t id[16],
    struct assemble_document *v, size_t n);

const struct assemble_counts *assembler_counts(const struct assembler *a);
void assembler_free(struct assembler *a);

#endif
