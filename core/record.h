/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What decoders make of a log event or a trace document.
 *
 * A record is a struct of views into the batch that it came in; nothing in it
 * outlives the batch.  Text is as it was written: escaping is the business of
 * whoever prints.  A field that the source does not have is the empty str,
 * WHEN_NONE, or the value said beside it.
 */
#ifndef CORE_RECORD_H
#define CORE_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/str.h"
#include "core/when.h"

/* Where a record stands, so that a person can open it. */
struct place {
	uint32_t input;  /* index into the run's inputs */
	uint64_t line;   /* from 1, in the inflated content; of a JSON document
			    the line that its value starts on */
	uint64_t offset; /* of its first byte in the inflated content */
};

/* One log event as its envelope gave it, the message not yet looked at. */
struct event {
	struct place place;
	int64_t ts_ns;      /* WHEN_NONE: the envelope has no time */
	struct str message; /* one trailing line end removed, may hold others */
	struct str group;   /* log group; empty: the input's, if any */
	struct str stream;  /* log stream; empty: the input's, if any */
	struct str id;      /* CloudWatch event id */
};

/* Methods with a name of their own; anything else is OTHER. */
enum method {
	METHOD_NONE, /* an unreadable request: "-" */
	METHOD_GET,
	METHOD_HEAD,
	METHOD_POST,
	METHOD_PUT,
	METHOD_DELETE,
	METHOD_PATCH,
	METHOD_OPTIONS,
	METHOD_OTHER,
	METHODS /* how many */
};
enum method method_of(struct str name);
const char *method_name(enum method m); /* "-" for NONE, "OTHER" */

/* How exact a request's end is: what a join must tolerate. */
enum grain {
	GRAIN_FINE, /* milliseconds or better */
	GRAIN_SECOND,
};

/* An HTTP request seen in a log line, or a server segment of a trace. */
struct request {
	int64_t end_ns;      /* when the answer went out; WHEN_NONE: unknown */
	int64_t duration_ns; /* -1: the source has none */
	int64_t bytes;       /* of the answer's body; -1: unknown */
	int status;          /* 100 to 999; 0: the source has none */
	enum method method;
	enum grain grain;
	struct str method_text;
	struct str url;       /* as written: path with query, or absolute */
	struct str path;      /* of url, without query and fragment */
	struct str host;      /* of an absolute url, or the line's own field */
	struct str peer;      /* address of the other end, without port */
	struct str forwarded; /* X-Forwarded-For, or the real client */
	struct str agent; /* user agent; empty: the source has none or "-" */
	struct str referer;
	struct str trace_id; /* printed form, 1-8hex-24hex, or 32 hex digits */
	struct str target;   /* of a balancer: who answered it */
};

/* Any other log line. */
struct logline {
	struct str level;  /* as written: INFO, WARNING, error; may be empty */
	struct str logger; /* module or logger name; may be empty */
	struct str text;   /* without prefix and colours; may hold line ends */
};

/* A segment or an independent subsegment. */
struct segment {
	struct str id;        /* 16 hex digits */
	struct str trace_id;  /* 1-8hex-24hex */
	struct str parent_id; /* empty for a root */
	struct str name;
	struct str origin;
	struct str user;
	struct str doc;   /* the document's own text, JSON */
	struct str marks; /* for span_read; empty unless they were asked for */
	int64_t start_ns;
	int64_t end_ns; /* WHEN_NONE while in progress */
	int64_t status; /* http.response.status as written; 0 */
	bool in_progress;
	bool error, fault, throttle;
	bool given;      /* one of the three was written, if only as false */
	bool subsegment; /* "type": "subsegment" */
	bool inferred;   /* X-Ray made it of a caller's subsegment */
	bool has_http;   /* http.request was there: struct request holds */
	bool failures_within; /* false: no object inside it says "error" or
				 "fault"; true: one may, read it to know */
};

enum record_kind {
	RECORD_LOG,
	RECORD_REQUEST,
	RECORD_SEGMENT, /* request is filled as well where has_http */
	RECORD_KINDS
};
const char *record_kind_name(enum record_kind k); /* "log", ... */

struct record {
	enum record_kind kind;
	const struct event *event; /* what it was made of */
	int64_t ts_ns; /* event time of the record; WHEN_NONE: none known */
	const char *dialect; /* static name: "werkzeug", "alb", ...; NULL */
	bool prefixed;       /* a logger's prefix stood before the line */
	bool joined;     /* continuation of the event before: counted there */
	bool frame;      /* joined, and only dashes or a header that is kept */
	struct str line; /* the message without prefix and colours */
	struct request request; /* of a REQUEST; of a SEGMENT with has_http */
	struct segment segment; /* of a SEGMENT; else only has_http, false */
	struct logline log;
};

/* What could not be decoded, with the bytes (cut to DEAD_BYTES_MAX). */
enum { DEAD_BYTES_MAX = 64 * 1024 };
struct dead {
	struct place place;
	const char *reason; /* static text: what was wrong and what expected */
	struct str bytes;
};

#endif
