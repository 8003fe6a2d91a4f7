/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One assembled trace as the filter language sees it: plain arrays, filled by
 * whoever has a trace (assembly, the store, a test), read by query_eval.  No
 * callbacks, no ownership: everything is borrowed and outlives the call only
 * as long as the filler says.
 *
 * Rules that the evaluator, the SQL and the Elasticsearch translation share:
 *
 * - A text that is empty is absent.  A number that is absent is VIEW_NONE.  A
 *   flag is never absent; it is set or not.
 * - Every comparison with an absent value is false, != too.
 * - A node that goes by several names is one entry for each of its names.
 * - A service entry is a pair of node and segment: a node with two segments
 *   in the trace is two entries.  An inferred node's entry carries what the
 *   calling subsegment knows.  The client node is an entry with VIEW_CLIENT
 *   and no segment; it is found by its type, or by its name when the selector
 *   has no block, and never by service() or an account alone.
 */
#ifndef QUERY_VIEW_H
#define QUERY_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

#define VIEW_NONE INT64_MIN

enum view_flag {
	VIEW_OK = 1 << 0,       /* none of error, throttle, fault */
	VIEW_ERROR = 1 << 1,    /* 4xx */
	VIEW_THROTTLE = 1 << 2, /* 429; of a trace: of any segment */
	VIEW_FAULT = 1 << 3,    /* 5xx */
	VIEW_PARTIAL = 1 << 4,
	VIEW_INFERRED = 1 << 5, /* of a trace: any segment is inferred */
	VIEW_ROOT = 1 << 6,     /* the segment is the root */
	VIEW_CLIENT = 1 << 7,   /* the entry is the client node */
	VIEW_FIRST = 1 << 8,    /* set by the evaluator in lists of causes */
	VIEW_LAST = 1 << 9,
	VIEW_REMOTE = 1 << 10, /* a root cause's entity is a remote call */
};

/*
 * The type of an annotation's value; exactly one member of it counts.  text is
 * that of a string, or of another value how it was written, where that is
 * known.
 */
enum view_kind {
	VIEW_STRING,
	VIEW_NUMBER, /* finite */
	VIEW_BOOLEAN,
};

struct view_annotation {
	struct str key;
	struct str text; /* may be empty: the entry itself says it is there */
	double number;
	bool boolean;
	enum view_kind kind;
};

struct view_annotations {
	const struct view_annotation *v;
	size_t n;
};

/*
 * What a trace, a segment, a call and a link of a root cause have in common;
 * query/fields.c says which keyword reads which member where.
 */
struct view_part {
	uint32_t flags; /* of enum view_flag */
	int64_t responsetime_ns;
	int64_t duration_ns;
	int64_t status;   /* of HTTP */
	int64_t place;    /* in a list of causes; set by the evaluator */
	int64_t coverage; /* of a root cause's entity, in 1e-9 */
	struct str name;
	struct str type;
	struct str account;
	struct str method;
	struct str url;
	struct str agent;
	struct str client;
	struct str user;
	struct str zone;
	struct str instance;
	struct str arn;
	struct str message;
	struct view_annotations annotations;
};

/* A part of which nothing is known yet. */
#define VIEW_PART_NONE                                                         \
	{                                                                      \
		.responsetime_ns = VIEW_NONE, .duration_ns = VIEW_NONE,        \
		.status = VIEW_NONE, .place = VIEW_NONE, .coverage = VIEW_NONE \
	}

/*
 * A call.  The part is the caller's view of it: the remote subsegment; for
 * client to root the root segment; where the parent is a segment, the callee.
 */
struct view_node {
	struct str name;
	struct str type;
	struct str account;
	bool client;
};

struct view_edge {
	struct view_node from;
	struct view_node to;
	struct view_part part;
};

/* Root causes, from the root's service to the deepest one responsible. */
struct view_exception {
	struct str name;
	struct str message;
};

struct view_entity {
	struct str name;
	int64_t coverage; /* in 1e-9; VIEW_NONE in causes of faults, errors */
	bool remote;
	const struct view_exception *exceptions;
	size_t n_exceptions;
};

struct view_cause_service {
	struct str name;
	struct str type;
	struct str account;
	bool inferred;
	const struct view_entity *entities;
	size_t n_entities;
};

struct view_cause {
	const struct view_cause_service *services;
	size_t n_services;
	bool client_impacting;
};

enum view_cause_kind {
	VIEW_CAUSE_FAULT,
	VIEW_CAUSE_ERROR,
	VIEW_CAUSE_RESPONSETIME,
	VIEW_CAUSES,
};

struct view_causes {
	const struct view_cause *v;
	size_t n;
};

/* Texts that a trace has several of: the distinct ones of all segments. */
enum view_list {
	VIEW_USERS,
	VIEW_ZONES,
	VIEW_INSTANCES,
	VIEW_ARNS,
	VIEW_ACCOUNTS,
	VIEW_LISTS,
};

struct view_texts {
	const struct str *v;
	size_t n;
};

struct trace_view {
	/* The root segment's http, responsetime and ok, error, fault flags;
	 * the trace's duration, throttle, partial, inferred; annotations of
	 * all segments and subsegments.  user to arn stay empty: see lists. */
	struct view_part trace;
	struct view_texts lists[VIEW_LISTS];
	const struct view_part *services;
	size_t n_services;
	const struct view_edge *edges;
	size_t n_edges;
	struct view_causes causes[VIEW_CAUSES];
};

#endif
