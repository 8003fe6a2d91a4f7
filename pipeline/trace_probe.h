/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a whole trace is a health check's: its root request is one.
 */
#ifndef PIPELINE_TRACE_PROBE_H
#define PIPELINE_TRACE_PROBE_H

#include <stdbool.h>

#include "analyzers/probe.h"
#include "ingest/assemble.h"

bool trace_is_probe(const struct probe_settings *settings,
    const struct trace *t);

/* The path of a request's url, without host, query and fragment. */
struct str trace_path(struct str url);

#endif
