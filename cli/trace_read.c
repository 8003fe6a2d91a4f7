/* SPDX-License-Identifier: Apache-2.0 */
/* See the header. */
#include "cli/trace_read.h"

#include <signal.h>
#include <stdatomic.h>

#include "cli/command.h"
#include "cli/progress.h"
#include "cli/trace_store.h"

/* The counters, and the stop flag that a signal sets. */
static struct replay_progress progress;
static volatile sig_atomic_t stopped_by;

static void
on_signal(int number)
{
	stopped_by = number;
	atomic_store(&progress.stop, true);
}

/* The first signal ends the run in order, the second at once. */
static void
catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal,
		.sa_flags = (int)SA_RESETHAND };

	if (stopped_by != 0)
		return;
	sigemptyset(&sa.sa_mask);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
}

void
trace_read_signals(void)
{
	catch_signals();
}

struct replay_progress *
trace_read_progress(void)
{
	return &progress;
}

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
	if (progress.stop) {
		command_say("interrupted: nothing is printed, since it would "
			    "not be complete");
		t->status = 128 + (stopped_by ? stopped_by : SIGINT);
		return;
	}
	command_say("%s", err->text);
	t->status = t->traces ? STATUS_IO : STATUS_NOINPUT;
}

bool
trace_read_open(struct trace_read *t, const struct traces_options *o,
    char *const *paths, size_t n, bool quiet)
{
	struct progress *shown;
	struct err err = { "" };

	*t = (struct trace_read){ .complete = true, .status = STATUS_OK };
	catch_signals();
	shown = progress_begin(&progress, quiet);
	t->traces = traces_open(o, paths, n, &progress, &err);
	progress_end(shown, false);
	if (!t->traces || progress.stop) {
		say(t, &err);
		return false;
	}
	return true;
}

bool
trace_read_open_store(struct trace_read *t, const struct traces_options *o,
    const char *path)
{
	*t = (struct trace_read){ .complete = true, .status = STATUS_OK };
	catch_signals();
	t->store = trace_store_open(path, o, &t->status);
	return t->store != NULL;
}

const struct trace *
trace_read_next(struct trace_read *t)
{
	struct err err = { "" };
	const struct trace *trace;

	if (t->store)
		return trace_store_next(t->store, &t->status);
	trace = traces_next(t->traces, &err);
	if (!progress.stop && (trace || !err.text[0]))
		return trace;
	say(t, &err);
	return NULL;
}

void
trace_read_inputs(struct trace_read *t)
{
	enum { SAID = 10 };
	const struct replay_result *r;
	size_t n = 0;

	if (!t->traces)
		return;
	r = traces_result(t->traces);
	for (size_t i = 0; i < r->inputs.n; i++) {
		bool failed = r->inputs.v[i].state == INPUT_FAILED;
		const char *error = r->read ? r->read[i].error : NULL;
		const char *why = failed ? r->inputs.v[i].why : error;

		if (!failed && !error)
			continue;
		if (failed)
			t->status = STATUS_NOINPUT;
		else if (t->status == STATUS_OK)
			t->status = STATUS_IO;
		t->complete = false;
		if (n++ < SAID)
			command_say("%s: %s", r->inputs.v[i].path,
			    why ? why : "cannot be read");
	}
	if (n > SAID)
		command_say("and %zu more inputs cannot be read", n - SAID);
}

void
trace_read_close(struct trace_read *t)
{
	traces_close(t->traces);
	trace_store_close(t->store);
	t->traces = NULL;
	t->store = NULL;
}
