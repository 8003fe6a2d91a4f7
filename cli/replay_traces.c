/* SPDX-License-Identifier: Apache-2.0 */
/* See the header. */
#include "cli/replay_traces.h"

#include <stdlib.h>

#include "core/mem.h"
#include "pipeline/trace_probe.h"
#include "pipeline/traces.h"

static bool
has_traces(const struct replay_result *r, size_t i)
{
	return r->inputs.v[i].state == INPUT_READ && !r->read[i].error &&
	       r->read[i].accounts.n[RECORD_SEGMENT][ACCOUNT_READ] > 0;
}

static bool
is_asked(const struct replay_options *o, const struct replay_result *r,
    const struct trace *t)
{
	if (trace_is_probe(&o->probe, t))
		return false;
	return o->service.n == 0 ||
	       (t->entry != SPAN_NONE &&
		   str_eq(replay_called(r, t->nodes[t->entry].name),
		       o->service));
}

int
replay_traces(struct trace_tops *tops, const struct replay_options *options,
    const struct replay_result *result, struct replay_progress *progress,
    struct err *err)
{
	struct replay_options o = *options;
	/* Those of the replay that have traces: they are read again. */
	struct inputs with = { .v = xcalloc(result->inputs.n + 1,
				   sizeof *with.v) };
	struct traces_options how = { .replay = &o,
		.assemble = assemble_defaults,
		.inputs = &with };
	struct traces *traces = NULL;
	const struct trace *t;
	int rc = 0;

	tops->names = result;
	tops->too_many = result->accounts.n[RECORD_SEGMENT][ACCOUNT_READ] >
			 REPLAY_SEGMENTS_MAX;
	for (size_t i = 0; i < result->inputs.n; i++)
		if (!tops->too_many && has_traces(result, i))
			with.v[with.n++] = result->inputs.v[i];
	/* The last so long of the whole archive, not of these inputs. */
	o.since_ns = when_last(o.since_ns, result->last_ns, o.last_ns);
	o.last_ns = 0;
	if (with.n > 0) {
		traces = traces_open(&how, NULL, 0, progress, err);
		rc = traces ? 0 : -1;
	}
	for (t = traces ? traces_next(traces, err) : NULL; t;
	     t = traces_next(traces, err))
		if (is_asked(&o, result, t))
			trace_tops_add(tops, t);
	if (err->text[0])
		rc = -1;
	traces_close(traces);
	trace_tops_end(tops);
	free(with.v);
	return rc;
}
