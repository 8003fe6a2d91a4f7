/* SPDX-License-Identifier: Apache-2.0 */
/*
 * telltale trace: one trace, as a waterfall with its log lines, or beside
 * another one.
 */
#ifndef CLI_TRACE_H
#define CLI_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/pen.h"
#include "ingest/assemble.h"
#include "pipeline/trace_logs.h"

/* What is drawn. */
struct waterfall {
	const struct trace *t;
	const struct trace_logs *logs; /* NULL: not looked for */
	size_t max_spans;
	bool probe; /* its root is a health check */
};

void trace_draw(struct pen *p, const struct waterfall *w);

/* What is known of a span, in lines from column `indent` on. */
void trace_details(struct pen *p, const struct trace *t, uint32_t span,
    size_t indent);

/*
 * Which spans are shown when there are more than `max`: the failing and the
 * longest, and whatever is above them.  A byte a span; free() it.
 */
uint8_t *trace_choose(const struct trace *t, size_t max);

void trace_compare(struct pen *p, const struct trace *a, const struct trace *b,
    size_t max);

/* The words for a span's outcome: "fault", "error", ... or NULL: fine. */
const char *trace_outcome(uint32_t flags);
enum style trace_style(uint32_t flags);

/*
 * An id as people give it: printed, 32 hex digits, or a prefix of at least 8
 * of them.  Digits, lower case, without dashes; false: it is none.
 */
enum { ID_DIGITS = 32, ID_PREFIX_MIN = 8 };
struct id_prefix {
	char hex[ID_DIGITS];
	size_t n;
};
bool id_prefix_read(struct id_prefix *id, const char *text);

/* Ids that begin so, or those that are nearest to it, while traces go by. */
enum { ID_NEAR = 3 };
struct id_search {
	struct id_prefix want;
	uint64_t found;
	struct {
		char text[TRACE_ID_SIZE + 1];
		uint8_t id[16];
		size_t common; /* digits that agree */
	} near[ID_NEAR];
	size_t n_near;
};
void id_search_add(struct id_search *s, const struct trace *t);

#endif
