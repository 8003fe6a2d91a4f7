/* SPDX-License-Identifier: Apache-2.0 */
/*
 * telltale: finds the command and runs it.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"

static int
unknown(const char *name)
{
	const char *names[16];
	size_t n = 0;
	int near;

	while (commands()[n] && n < sizeof names / sizeof names[0]) {
		names[n] = commands()[n]->name;
		n++;
	}
	near = opt_nearest(str_of(name), names, n);
	if (near >= 0)
		command_say("there is no command '%s'; did you mean '%s'?",
		    name, names[near]);
	else
		command_say("there is no command '%s'; 'telltale help' lists "
			    "them",
		    name);
	return STATUS_USAGE;
}

static int
version(void)
{
	struct buf out = { 0 };
	int status;

	buf_cat(&out, "telltale " TELLTALE_VERSION "\n");
	status = command_print(&out);
	buf_fini(&out);
	return status;
}

int
main(int argc, char **argv)
{
	const struct command *c;
	const char *name = argc > 1 ? argv[1] : "";

	/* A reader that is gone is an error of write(), told by its status. */
	signal(SIGPIPE, SIG_IGN);
	/* So is a file that may not grow any more. */
	signal(SIGXFSZ, SIG_IGN);
	if (argc < 2) {
		command_help.run(0, argv);
		return STATUS_USAGE;
	}
	if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
		return version();
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		return command_help.run(0, argv);
	c = command_find(name);
	if (!c)
		return unknown(name);
	return c->run(argc - 2, argv + 2);
}
