/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a request had in its trace: calls and how they went, what was thrown,
 * where it ran, and the log lines of the services that it came to.
 */
#ifndef PIPELINE_CASE_CALLS_H
#define PIPELINE_CASE_CALLS_H

#include "core/buf.h"
#include "core/json.h"
#include "ingest/span.h"
#include "pipeline/cases.h"

struct case_calls {
	struct cases *cases;
	struct span_list spans;
	struct arena arena;
	struct json json;
	struct buf text;
};

/* Zeroed before; after cases_index. */
void case_calls_init(struct case_calls *c, struct cases *cases);
void case_calls_fini(struct case_calls *c);

/* A document of a service: if its trace is one of the requests'. */
void case_calls_segment(struct case_calls *c, const struct record *r,
    uint32_t service);

/* What a request of another service had, to the requests of its trace. */
void case_calls_request(struct case_calls *c,
    const struct request_case *called);

/* A line, if the id of such a trace stands in it. */
void case_calls_line(struct case_calls *c, const struct record *r,
    uint64_t feature);

#endif
