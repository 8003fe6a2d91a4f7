/* SPDX-License-Identifier: Apache-2.0 */
/* See the header. */
#include "cli/reading.h"

#include <signal.h>
#include <stdatomic.h>

#include "cli/command.h"

static struct replay_progress progress;
static volatile sig_atomic_t stopped_by;

struct replay_progress *
reading_progress(void)
{
	return &progress;
}

static void
on_signal(int number)
{
	stopped_by = number;
	atomic_store(&progress.stop, true);
}

void
reading_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal,
		.sa_flags = (int)SA_RESETHAND };

	if (stopped_by != 0)
		return;
	sigemptyset(&sa.sa_mask);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
}

int
reading_stopped(void)
{
	if (!progress.stop)
		return STATUS_OK;
	command_say("interrupted: nothing is printed, since it would not be "
		    "complete");
	return 128 + (stopped_by ? stopped_by : SIGINT);
}

int
reading_failed(const struct replay_result *r)
{
	enum { SAID = 10 };
	int status = STATUS_OK;
	size_t n = 0;

	for (size_t i = 0; i < r->inputs.n; i++) {
		const struct input *in = &r->inputs.v[i];
		bool failed = in->state == INPUT_FAILED;
		const char *error = r->read ? r->read[i].error : NULL;
		const char *why = failed ? in->why : error;

		if (!failed && !error)
			continue;
		if (failed || r->read[i].notes.bytes == 0)
			status = STATUS_NOINPUT;
		else if (status == STATUS_OK)
			status = STATUS_IO;
		if (n++ < SAID)
			command_say("%s: %s", in->path,
			    why ? why : "cannot be read");
	}
	if (n > SAID)
		command_say("and %zu more inputs cannot be read", n - SAID);
	return status;
}
