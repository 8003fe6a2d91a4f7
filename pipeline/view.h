/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An assembled trace as the filter language sees it (query/view.h).
 */
#ifndef PIPELINE_VIEW_H
#define PIPELINE_VIEW_H

#include "core/arena.h"
#include "ingest/assemble.h"
#include "query/view.h"

/* Fills *view with views into the trace and the arena. */
void trace_view(struct trace_view *view, const struct trace *t,
    struct arena *arena);

#endif
