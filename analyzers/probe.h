/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which requests are health checks, from the request alone: evidence (a) user
 * agent, (e) private peer and usual path.  What (b) the trace, (c) the clock
 * and (d) other streams say is added by the pipeline: join.c, probes.c.
 */
#ifndef ANALYZERS_PROBE_H
#define ANALYZERS_PROBE_H

#include <stdbool.h>

#include "analyzers/cells.h"
#include "core/record.h"

struct probe_settings {
	const struct str *agents; /* further prefixes of user agents */
	size_t n_agents;
	const struct str *paths; /* configured probe paths: replace the usual */
	size_t n_paths;
};

/* Why, for telltale.class_reason; a static text. */
struct probe_verdict {
	enum class class;
	const char *reason;
	bool clock; /* no agent: (c) or (d) may tell, before (e) does */
};

struct probe_verdict probe_judge(const struct probe_settings *s,
    const struct request *r);

/* The usual paths, as a list to read. */
extern const char probe_usual_text[];

/* 10/8, 172.16/12, 192.168/16, 100.64/10, 127/8, link-local, fc00::/7, ::1. */
bool probe_private(struct str address);

/* An address, and none of those. */
bool probe_public(struct str address);

#endif
