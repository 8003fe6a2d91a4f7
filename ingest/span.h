/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One segment or subsegment in memory, as the assembler makes it.
 *
 * A span is a view: its texts point into the document that it was read from,
 * or into the arena where one had to be unescaped.  What few spans have (http,
 * aws, sql, links) stands behind pointers that are NULL when it is absent, so
 * that a trace of 100 000 spans stays small.  metadata is not kept: it is in
 * the document.
 *
 * Absent values: the empty str, WHEN_NONE, SPAN_NONE, 0 for a status, -1 for
 * a length.
 */
#ifndef INGEST_SPAN_H
#define INGEST_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/str.h"
#include "core/when.h"
#include "ingest/keys.h"

#define SPAN_NONE UINT32_MAX

enum span_kind {
	SPAN_SEGMENT,    /* a service's own report */
	SPAN_SUBSEGMENT, /* embedded or sent alone */
	SPAN_INFERRED,   /* the callee that did not report: sent as such by
			    X-Ray, or made of the calling subsegment */
};

enum span_flag {
	SPAN_ERROR = 1 << 0, /* from flags, else from the HTTP status */
	SPAN_FAULT = 1 << 1,
	SPAN_THROTTLE = 1 << 2,
	SPAN_IN_PROGRESS = 1 << 3,
	SPAN_REMOTE = 1 << 4, /* namespace remote */
	SPAN_AWS = 1 << 5,    /* namespace aws */
	SPAN_TRACED = 1 << 6, /* the callee says that it reports */
	SPAN_ORPHAN = 1 << 7, /* the parent is not in the trace */
	SPAN_CYCLE = 1 << 8,  /* orphan because its parents ran in a circle */
	SPAN_MADE = 1 << 9,   /* inferred here; no document says it */
	SPAN_PLACEHOLDER = 1 << 10,   /* made for a traced callee: in the graph,
					 not among the API's segments */
	SPAN_CALLEE = 1 << 11,        /* a segment points at this subsegment */
	SPAN_FORWARDED = 1 << 12,     /* client_ip is from X-Forwarded-For */
	SPAN_GIVEN = 1 << 13,         /* a flag was written, if only as false */
	SPAN_SENT_INFERRED = 1 << 14, /* the document says inferred */
	SPAN_ALONE = 1 << 15,         /* top of a document, not embedded */
	SPAN_ROOT = 1 << 16,          /* the trace's root segment */
	SPAN_BROKEN = 1 << 17, /* embedded, without name or start: the trace
				  leaves it out and moves its children up */
};

struct span_http {
	struct str method;
	struct str url;
	struct str agent;
	struct str client_ip;
	int64_t status;
	int64_t length;
};

struct span_aws {
	struct str operation;
	struct str account;
	struct str region;
	struct str request_id;
	struct str table;
	struct str bucket;
	struct str queue_url;
	struct str topic_arn;
	struct str function;
	struct str instance;  /* ec2.instance_id */
	struct str zone;      /* ec2's or ecs's availability_zone */
	struct str container; /* ecs.container */
	struct str log_group; /* the first of cloudwatch_logs */
	int64_t retries;      /* how often it was tried again */
};

struct span_sql {
	struct str url;
	struct str query; /* sanitized_query */
	struct str database;
	struct str user;
};

enum span_value { SPAN_STRING, SPAN_NUMBER, SPAN_BOOLEAN };

struct span_annotation {
	struct str key;
	struct str text; /* a number as written; "true" or "false" */
	enum span_value value;
};

struct span_exception {
	struct str id;
	struct str type;
	struct str message;
	bool remote;
};

/*
 * Another trace that belongs to this one: an event that was sent here and led
 * to it, or the one that led here.  Names, type and times are X-Ray's own word,
 * in attributes "aws.xray.reserved.…"; who writes a link need not know them.
 */
struct span_link {
	struct str trace_id;
	struct str id;
	struct str name; /* the linked service: the first of its names */
	struct str type;
	int64_t received_ns; /* when the event was received: received_event_
				end_time, else dwell_end_time; WHEN_NONE */
	bool to_parent;      /* reference_type parent; else child */
};

struct span {
	struct str id;
	struct str name;
	struct str parent_id;
	struct str origin;
	struct str user;
	struct str resource_arn;
	struct str cause_id; /* cause given as an exception's id */
	int64_t start_ns;
	int64_t end_ns;
	const struct span_http *http;
	const struct span_aws *aws;
	const struct span_sql *sql;
	const struct span_annotation *annotations;
	const struct span_exception *exceptions;
	const struct span_link *links;
	uint32_t n_annotations;
	uint32_t n_exceptions;
	uint32_t n_links;
	uint32_t flags;    /* of enum span_flag */
	uint8_t kind;      /* enum span_kind */
	uint32_t document; /* index into the trace's; SPAN_NONE: made here */
	uint32_t parent;   /* index; SPAN_NONE */
	uint32_t size;     /* spans of its subtree, itself included */
	uint32_t depth;
	uint32_t segment;    /* the segment that it is in, or is; SPAN_NONE */
	uint32_t node;       /* of that segment; index into the trace's nodes */
	int64_t self_ns;     /* time not covered by children */
	int64_t critical_ns; /* of self time: what lies on the critical path */
};

/* 0 while it is in progress or ends before it starts. */
static inline int64_t
span_duration(const struct span *s)
{
	if (s->end_ns == WHEN_NONE || s->end_ns < s->start_ns)
		return 0;
	return s->end_ns - s->start_ns;
}

/* Fills in error, fault and throttle: a status decides where no flag was
 * written. */
void span_outcome(struct span *s);

/* Spans, and what reading them needs.  Zeroed is empty. */
struct span_list {
	struct span *v;
	size_t n;
	size_t cap;
	size_t broken;    /* how many have SPAN_BROKEN */
	struct keys keys; /* the reader's, made when it is first used */
	struct span_annotation *scratch; /* of the object being read */
	size_t scratch_cap;
};

/*
 * Appends a document's spans, the parent before what is in it; `parent` is an
 * index into the list.  The document must be one that xray_decode took; of
 * another one, nothing or only a part may be appended, without harm.  `marks`
 * are those that xray_decode gave for it, or empty, with the same result.
 * Texts are views into doc, or live in the arena.
 */
void span_read(struct span_list *list, struct str doc, struct str marks,
    struct arena *arena);

void span_list_fini(struct span_list *list);

#endif
