/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log lines of one trace's requests.  Three ways lead from a line to a
 * span, the first that does counts:
 *
 *	request  the line is the request: the join of the replay says so
 *	id       the trace's id stands in the line
 *	beside   a line of the same log stream while the request ran
 *
 * It is a replay whose verdicts are looked at for this trace, so that the
 * lines are those that findings count with.
 */
#ifndef PIPELINE_TRACE_LOGS_H
#define PIPELINE_TRACE_LOGS_H

#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "ingest/assemble.h"
#include "pipeline/replay.h"

struct run;

enum trace_log_how { LOG_REQUEST, LOG_ID, LOG_BESIDE };

struct trace_log {
	enum trace_log_how how;
	uint32_t span; /* beside which it is shown */
	uint32_t input;
	uint64_t line;
	uint64_t offset;
	int64_t ts_ns; /* WHEN_NONE */
	struct str text;
};

enum {
	TRACE_LOGS_MAX = 5000,      /* lines kept */
	TRACE_LOGS_TEXT = 4 * 1024, /* bytes of each */
	TRACE_LOGS_STREAMS = 1000,  /* requests looked beside */
};

/* Where a request of the trace was found: its stream, from its start to its
 * line, which programs write when the answer is out. */
struct trace_log_window {
	uint64_t stream;
	uint64_t offset;
	uint32_t input;
	uint32_t span;
	int64_t from_ns, to_ns;
};

struct trace_logs {
	const struct trace *trace;
	struct replay_result result; /* paths of the inputs */
	struct trace_log *v;         /* by time, then place */
	size_t n, cap;
	uint64_t left_out; /* beyond TRACE_LOGS_MAX */
	struct trace_log_window *windows;
	size_t n_windows;
	struct arena arena;
	char hex[33]; /* the id's other form */
};

/* Fills *l, of which the trace is set and the rest zero; 0, or -1 with err. The
 * trace is borrowed until fini. */
int trace_logs_find(struct trace_logs *l, const struct replay_options *options,
    char *const *paths, size_t n, struct replay_progress *progress,
    struct err *err);
void trace_logs_fini(struct trace_logs *l);

/* The step of the replay that reads the inputs again: for replay.c. */
int trace_logs_read(struct run *run, struct err *err);

#endif
