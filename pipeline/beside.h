/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which lines of a log are a request's.  A program prints while it serves, and
 * its access line when the answer is out:
 *
 *	… 404 -            the access line before
 *	Like received.     }
 *	WARN: …            } this request's
 *	… "POST …" 200 -   its access line
 *	Traceback …        } this request's as well, where it follows at once
 *	KeyError: 'x'      }
 *
 * Those are its lines strictly.  A server may do several things at a time, and
 * another request's access line may come in between.  So where the duration is
 * known, and times are finer than a second, its lines widely are all of its
 * stream from its begin to its end: its own are among them, and others'.
 *
 * Streams may be interleaved in one input: STREAMS of them, the one that was
 * silent for longest gives way.  Lines of the last BESIDE_LINES of a stream.
 */
#ifndef PIPELINE_BESIDE_H
#define PIPELINE_BESIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "pipeline/cases.h"

enum { BESIDE_STREAMS = 64, BESIDE_LINES = 128 };

struct beside_line {
	uint64_t feature;
	int64_t ts_ns;
};

struct beside_stream {
	uint64_t stream; /* 0: free */
	uint64_t used;   /* when it was last */
	uint32_t service;
	struct beside_line lines[BESIDE_LINES]; /* a ring */
	uint64_t n;                             /* lines so far */
	uint64_t from; /* the first behind the last access line */
	bool open;     /* a request whose traceback may follow */
	bool behind;   /* which does */
	struct case_draft draft;
};

struct beside {
	struct cases *cases;
	struct beside_stream *streams;
	uint64_t used;
};

void beside_init(struct beside *b, struct cases *cases);
void beside_fini(struct beside *b);

/* The stream's; what gives way for it is admitted. */
struct beside_stream *beside_stream(struct beside *b, uint64_t stream);
/* NULL: nothing of it was taken, or too long ago. */
struct beside_stream *beside_find(const struct beside *b, uint64_t stream);

/* A log event that is kept, and what it is. */
void beside_log(struct beside *b, struct beside_stream *s,
    const struct record *r, uint64_t feature);
/* A line that continues an event: only what names an exception counts; false:
 * this one does not, and needs no feature. */
bool beside_continues(const struct record *r);
void beside_more(struct beside_stream *s, const struct record *r,
    uint64_t feature);

/* An access line: the request before it in the stream has all that it had. */
void beside_request(struct beside *b, struct beside_stream *s);
/* Marks the request with its lines; it ended with record r. */
void beside_collect(const struct beside *b, const struct beside_stream *s,
    const struct record *r, int64_t duration_ns, struct request_case *request);

/* The input's end: all requests that are open are admitted. */
void beside_end(struct beside *b);

#endif
