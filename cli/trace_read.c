/* SPDX-License-Identifier: Apache-2.0 */
/* See the header. */
#include "cli/trace_read.h"

#include "cli/command.h"
#include "cli/progress.h"
#include "cli/reading.h"
#include "cli/trace_store.h"

void
trace_read_options(struct traces_options *o, struct replay_options *r)
{
	replay_options_init(r);
	*o = (struct traces_options){
		.replay = r,
		.assemble = assemble_defaults,
		.budget_bytes = assemble_defaults.bytes_max,
	};
}

static void
say(struct trace_read *t, const struct err *err)
{
	t->status = reading_stopped();
	if (t->status != STATUS_OK)
		return;
	command_say("%s", err->text);
	t->status = t->traces ? STATUS_IO : STATUS_NOINPUT;
}

bool
trace_read_open(struct trace_read *t, const struct traces_options *o,
    char *const *paths, size_t n, bool quiet)
{
	struct progress *shown;
	struct err err = { "" };

	*t = (struct trace_read){ .status = STATUS_OK };
	reading_signals();
	shown = progress_begin(reading_progress(), quiet);
	t->traces = traces_open(o, paths, n, reading_progress(), &err);
	progress_end(shown, false);
	if (!t->traces || reading_progress()->stop) {
		say(t, &err);
		return false;
	}
	return true;
}

bool
trace_read_open_store(struct trace_read *t, const struct traces_options *o,
    const char *path)
{
	*t = (struct trace_read){ .status = STATUS_OK };
	reading_signals();
	t->store = trace_store_open(
	    &(struct trace_store_ask){
		.path = path,
		.assemble = o->assemble,
		.whole = true,
		.where = { .since_ns = o->replay->since_ns,
		    .until_ns = o->replay->until_ns },
		.last_ns = o->replay->last_ns,
		.only = o->only,
	    },
	    &t->status);
	return t->store != NULL;
}

const struct trace *
trace_read_next(struct trace_read *t)
{
	struct err err = { "" };
	struct trace_store_item item;
	const struct trace *trace;

	if (t->store)
		return trace_store_next(t->store, &item, &t->status)
			   ? item.trace
			   : NULL;
	trace = traces_next(t->traces, &err);
	if (!reading_progress()->stop && (trace || !err.text[0]))
		return trace;
	say(t, &err);
	return NULL;
}

void
trace_read_inputs(struct trace_read *t)
{
	int failed;

	if (!t->traces)
		return;
	failed = reading_failed(traces_result(t->traces));
	if (failed != STATUS_OK && t->status != STATUS_NOINPUT)
		t->status = failed;
}

void
trace_read_close(struct trace_read *t)
{
	traces_close(t->traces);
	trace_store_close(t->store);
	t->traces = NULL;
	t->store = NULL;
}
