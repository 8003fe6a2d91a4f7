/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where lines and documents go.
 *
 * Into a folder, as an export task leaves them, with the segments and labels
 * beside:
 *
 *	logs/<group>/<task>/<stream>/000000.gz logs/<group>/aws-logs-write-test
 *	alb/AWSLogs/...log.gz                    xray/segments.ndjson
 *	labels.json                              labels.ndjson
 *
 * or to standard output, as `aws logs tail --format detailed` prints it.
 * Segments also go as datagrams to an X-Ray daemon's address.  Names of files
 * have '/' and ':' replaced as an export does.
 *
 * What fails is kept and told by output_close; after it nothing is written.
 */
#ifndef SIMULATE_OUTPUT_H
#define SIMULATE_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"

struct output;

enum output_file { OUTPUT_SEGMENTS, OUTPUT_LABELS, OUTPUT_FILES };

struct output_options {
	const char *dir; /* NULL: standard output */
	const char *udp; /* NULL: no datagrams */
	bool live;
};

/* Never NULL; what went wrong is told by output_failed. */
struct output *output_open(const struct output_options *how);
bool output_failed(const struct output *o);

/*
 * A log stream, for good; the first of a group adds the object that tests the
 * bucket.  `task` is the export task's id.
 */
size_t output_stream(struct output *o, const char *group, const char *task,
    const char *stream);
/* A file whose lines have no time before them: the balancer's log. */
size_t output_plain(struct output *o, const char *name);

/* One line: begin, append to the buf without a line end, end.  The number of
 * the line in its file is returned, from 1. */
struct buf *output_begin(struct output *o, size_t stream, int64_t at_ns);
/* The line that was begun is lost. */
void output_drop(struct output *o, size_t stream);
/* The buf again, of a line that was begun. */
struct buf *output_again(struct output *o, size_t stream);
uint64_t output_end(struct output *o, size_t stream);

/* Its file's path below the folder. */
const char *output_path(const struct output *o, size_t stream);
bool output_labelled(const struct output *o); /* there is a folder */
bool output_traced(const struct output *o);   /* segments go somewhere */

/* A document a line, into a file of the folder; the line's number.  Segments
 * also leave as datagrams. */
uint64_t output_document(struct output *o, enum output_file f, struct str doc);

/* A whole file of the folder. */
void output_whole(struct output *o, const char *path, struct str text);

/* Live: sleeps until the clock shows that time, what is printed being out
 * before.  False: whoever read is gone, or writing failed. */
bool output_wait(struct output *o, int64_t at_ns);

/* The clock, for the start of a live run. */
int64_t output_clock(void);

/* Flushes; -1 with err; *pipe: the reader is gone. */
int output_close(struct output *o, bool *pipe, struct err *err);

/* Printed times; each second is worked out once. */
struct moment {
	int64_t s;
	char iso[20]; /* 2018-11-27T08:47:55, no NUL counted */
	char clf[21]; /* 27/Nov/2018:08:47:55 */
};
const struct moment *output_moment(struct output *o, int64_t at_ns);

#endif
