/* SPDX-License-Identifier: Apache-2.0 */
/* See the header. */
#include "cli/indexing.h"

#include <stdbool.h>
#include <stdlib.h>

#include "cli/reading.h"
#include "sinks/backoff.h"
#include "core/when.h"

enum { APART_MS = 500 };

/* A variable that is empty is not set. */
static const char *
from_environment(const char *name)
{
	const char *v = getenv(name);

	return v && *v ? v : NULL;
}

/* Until it answers or the time is over; 0, else with err. */
static int
wait_for(struct elastic *e, int64_t wait_ns, struct err *err)
{
	const _Atomic bool *stop = &reading_progress()->stop;
	int64_t end_ms = backoff_clock_ms() + wait_ns / NS_PER_MS;
	int rc = elastic_hello(e, err);

	if (rc == 1)
		command_say("%s; trying again for %lld s", err->text,
		    (long long)(wait_ns / NS_PER_SEC));
	while (rc == 1 && backoff_clock_ms() < end_ms && !*stop) {
		backoff_sleep(APART_MS, stop);
		rc = elastic_hello(e, err);
	}
	return rc;
}

void
indexing_options(struct elastic_options *o, const struct indexing_flags *f)
{
	*o = (struct elastic_options){
		.urls = f->urls.v,
		.n_urls = f->urls.n,
		.user = from_environment("TELLTALE_ES_USER"),
		.password = from_environment("TELLTALE_ES_PASSWORD"),
		.api_key = from_environment("TELLTALE_ES_API_KEY"),
		.ca_file = f->ca_file,
		.wait_ms = f->wait_ns / 1000000,
		.bulk_bytes = f->bulk_bytes,
	};
}

struct elastic *
indexing_open(const struct command *c, const struct indexing_flags *f,
    const char *refused, int *status)
{
	struct elastic_options options;
	struct err err = { "" };
	struct elastic *e;

	indexing_options(&options, f);
	options.refused = refused;
	options.stop = &reading_progress()->stop;
	e = elastic_open(&options, &err);

	if (!e) {
		*status = command_usage(c, &err);
		return NULL;
	}
	reading_signals();
	if (wait_for(e, f->wait_ns, &err) == 0)
		return e;
	*status = reading_stopped();
	if (*status == STATUS_OK) {
		command_say("%s", err.text);
		*status = STATUS_UNAVAILABLE;
	}
	elastic_close(e);
	return NULL;
}

int
indexing_status(const struct elastic *e, const char *refused, int status)
{
	const struct elastic_counts *n = elastic_counts(e);

	if (n->refused > 0) {
		command_say("%llu documents were refused, and are %s%s; the "
			    "first: %s",
		    (unsigned long long)n->refused,
		    refused ? "kept in " : "kept nowhere: see --es-refused",
		    refused ? refused : "", n->reasons[0]);
		if (status == STATUS_OK)
			status = STATUS_DATA;
	}
	/* It ended before all had an answer, and for no reason of ours. */
	if (n->in_flight > 0 && !n->unkept && status == STATUS_IO)
		status = STATUS_UNAVAILABLE;
	return status;
}
