/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An assembled trace as the filter language sees it (query/view.h).
 */
#ifndef PIPELINE_VIEW_H
#define PIPELINE_VIEW_H

#include "core/arena.h"
#include "core/record.h"
#include "ingest/assemble.h"
#include "query/view.h"

/* Fills *view with views into the trace and the arena. */
void trace_view(struct trace_view *view, const struct trace *t,
    struct arena *arena);

/*
 * What the trace itself shows when this segment is its root: flags, times and
 * http of view.trace, but for duration, user agent and the flags that other
 * segments have a say in.  False: it is no root, whatever else comes.
 */
bool view_root(struct view_part *p, const struct record *r);

#endif
