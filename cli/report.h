/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The report of a replay, for people.
 *
 * It says the same for the same records: no clock, no rate, no thread count.
 * No line is wider than the terminal, in which names are elided in the middle;
 * but a reference to evidence, which must be copied, is whole on its line.
 */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include "cli/pen.h"
#include "core/buf.h"
#include "core/term.h"
#include "pipeline/replay.h"

struct alerting_counts;
struct trace_tops;

struct report {
	const struct replay_options *options;
	const struct replay_result *result;
	const struct term *term;
	const struct trace_tops *traces;      /* NULL: there are none */
	const struct alerting_counts *alerts; /* NULL: none were wanted */
};

/* The whole report, appended. */
void report_print(struct buf *out, const struct report *r);

/* Its parts, each in a file of its own. */
void report_head(struct pen *p, const struct report *r);
void report_findings(struct pen *p, const struct report *r);
void report_finding(struct pen *p, const struct finding *f,
    const struct inputs *inputs); /* one of them */
void report_services(struct pen *p, const struct report *r);
void report_traces(struct pen *p, const struct report *r);
void report_inputs(struct pen *p, const struct report *r);
void report_accounting(struct pen *p, const struct report *r);
void report_alerts(struct pen *p, const struct alerting_counts *n);

/* A heading with an empty line before it. */
void report_heading(struct pen *p, const char *text);

/* "  name     " of a labelled line; what follows begins at REPORT_LABEL. */
enum { REPORT_LABEL = 13 };
void report_label(struct pen *p, const char *name);

/* "3 files", "1 file". */
void report_plural(struct buf *b, uint64_t n, const char *one,
    const char *many);

/*
 * A time line of values, one character each: ▁ to █, or ASCII; a blank where
 * there is none (-1).  The greatest value is the full block.
 */
void report_sparkline(struct pen *p, enum style style, const int64_t *values,
    size_t n);

#endif
