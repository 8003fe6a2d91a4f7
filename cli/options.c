/* SPDX-License-Identifier: Apache-2.0 */
/* See the header. */
#include "cli/options.h"

const char *const option_colors[] = {
	[TERM_COLOR_AUTO] = "auto",
	[TERM_COLOR_ALWAYS] = "always",
	[TERM_COLOR_NEVER] = "never",
	[TERM_COLOR_NEVER + 1] = NULL,
};

const char *const option_probes[] = {
	[PROBES_FOLD] = "fold",
	[PROBES_KEEP] = "keep",
	[PROBES_DROP] = "drop",
	[PROBES_DROP + 1] = NULL,
};

int
options_check_range(int64_t since, int64_t until, struct err *err)
{
	if (since == WHEN_NONE || until == WHEN_NONE || since < until)
		return 0;
	return err_set(err,
	    "--since is not before --until: nothing is between them");
}

int
options_check_paths(size_t n_paths, struct err *err)
{
	if (n_paths > 0)
		return 0;
	return err_set(err, "a PATH is missing: files, directories, or - for "
			    "standard input");
}

int
options_check_traces(const char *store, size_t n_paths, struct err *err)
{
	if (store && n_paths > 0)
		return err_set(err, "--store and a PATH exclude each other");
	if (store || n_paths > 0)
		return 0;
	return err_set(err, "a PATH or --store is missing: files, directories, "
			    "or - for standard input");
}
