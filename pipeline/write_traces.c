/* SPDX-License-Identifier: Apache-2.0 */
/* See the header. */
#include "pipeline/write_traces.h"

#include <stdlib.h>

#include "core/mem.h"
#include "pipeline/trace_probe.h"
#include "pipeline/traces.h"
#include "pipeline/view.h"
#include "sinks/document_trace.h"

/* Beside what the run itself still holds; more goes to disk. */
enum { BUDGET_BYTES = 16 * 1024 * 1024 };

struct write_traces {
	struct run *run;
	struct replay_options replay; /* with the range that the run found */
	struct traces_options options;
	struct inputs with; /* the run's that have segments; borrowed */
	struct traces *traces;
	struct arena arena;
};

static bool
has_segments(const struct replay_result *r, size_t i)
{
	return r->inputs.v[i].state == INPUT_READ && !r->read[i].error &&
	       r->read[i].accounts.n[RECORD_SEGMENT][ACCOUNT_READ] > 0;
}

struct write_traces *
write_traces_open(struct run *run, struct err *err)
{
	const struct replay_result *r = run->result;
	struct write_traces *w = xcalloc(1, sizeof *w);

	w->run = run;
	w->replay = *run->options;
	w->replay.since_ns = run->plan.since_ns;
	w->replay.until_ns = run->plan.until_ns;
	w->replay.last_ns = 0;
	w->with.v = xcalloc(r->inputs.n + 1, sizeof *w->with.v);
	for (size_t i = 0; i < r->inputs.n; i++)
		if (has_segments(r, i))
			w->with.v[w->with.n++] = r->inputs.v[i];
	w->options = (struct traces_options){ .replay = &w->replay,
		.assemble = assemble_defaults,
		.budget_bytes = BUDGET_BYTES,
		.inputs = &w->with };
	if (w->with.n == 0)
		return w;
	w->traces = traces_open(&w->options, NULL, 0, run->progress, err);
	if (w->traces)
		return w;
	write_traces_close(w);
	return NULL;
}

static bool
is_asked(const struct write_traces *w, const struct trace *t, bool probe)
{
	const struct run *run = w->run;

	if (probe && run->options->probes == PROBES_DROP)
		return false;
	return run->service_only == UINT32_MAX ||
	       (t->entry != SPAN_NONE &&
		   str_eq(replay_called(run->result, t->nodes[t->entry].name),
		       run->services[run->service_only].name));
}

int
write_traces_next(struct write_traces *w, struct buf *out, struct err *err)
{
	const struct trace *t;

	if (!w->traces)
		return 0;
	for (t = traces_next(w->traces, err); t;
	     t = traces_next(w->traces, err)) {
		bool probe = trace_is_probe(&w->replay.probe, t);
		struct trace_view view;

		if (!is_asked(w, t, probe))
			continue;
		arena_reset(&w->arena);
		trace_view(&view, t, &w->arena);
		document_trace(out,
		    &(struct document_trace){ t, &view, probe });
		return 1;
	}
	return err->text[0] ? -1 : 0;
}

void
write_traces_close(struct write_traces *w)
{
	if (!w)
		return;
	traces_close(w->traces);
	arena_fini(&w->arena);
	free(w->with.v);
	free(w);
}
