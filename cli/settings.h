/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a configuration says to a reading, and the options that go before it.
 *
 * Life: zeroed; settings_read once; the options of the reading borrow from it;
 * settings_fini, also after a failure.
 */
#ifndef CLI_SETTINGS_H
#define CLI_SETTINGS_H

#include <stdbool.h>

#include "core/err.h"
#include "core/opt.h"
#include "pipeline/config.h"
#include "pipeline/replay.h"

struct settings {
	struct config config;
	bool config_bad; /* it is what is wrong */
	struct str *agents, *paths;
	struct service_name *names;
};

/* What was given on the command line; NULL: nothing. */
struct settings_given {
	const char *config;            /* the file */
	const struct opt_list *names;  /* GROUP=NAME */
	const struct opt_list *agents; /* of health checks: prefixes */
	const struct opt_list *paths;  /* of health checks */
};

/*
 * Fills the thresholds (whose `only` and `slow_ns` are the caller's and are
 * kept), names and probes of the options.  -1 with err.
 */
int settings_read(struct settings *s, const struct settings_given *given,
    struct replay_options *o, struct err *err);

void settings_fini(struct settings *s);

#endif
