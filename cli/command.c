/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of commands, and how they talk.
 */
#include "cli/command.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "core/term.h"

static const struct command *const table[] = {
	&command_replay,
	&command_query,
	&command_trace,
	&command_map,
	&command_group,
	&command_setup,
	&command_redrive,
	&command_simulate,
	&command_check_config,
	&command_components,
	&command_completion,
	&command_help,
	NULL,
};

const struct command *const *
commands(void)
{
	return table;
}

const struct command *
command_find(const char *name)
{
	for (size_t i = 0; table[i]; i++)
		if (strcmp(table[i]->name, name) == 0)
			return table[i];
	return NULL;
}

/* 0, or the errno of what failed. */
static int
write_all(int fd, struct str s)
{
	while (s.n > 0) {
		ssize_t n = write(fd, s.p, s.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		s = str_from(s, (size_t)n);
	}
	return 0;
}

void
command_say(const char *fmt, ...)
{
	struct buf raw = { 0 };
	struct buf safe = { 0 };
	struct term term;
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&raw, fmt, ap);
	va_end(ap);
	term_init(&term, STDERR_FILENO, TERM_COLOR_NEVER, 0);
	buf_cat(&safe, "telltale: ");
	term_text(&safe, buf_view(&raw), term.utf8);
	buf_char(&safe, '\n');
	write_all(STDERR_FILENO, buf_view(&safe));
	buf_fini(&raw);
	buf_fini(&safe);
}

int
command_usage(const struct command *c, const struct err *err)
{
	command_say("%s: %s; see 'telltale help %s'", c->name, err->text,
	    c->name);
	return STATUS_USAGE;
}

int
command_config(const struct err *err)
{
	command_say("%s", err->text);
	return STATUS_CONFIG;
}

int
command_print(const struct buf *out)
{
	int failed = write_all(STDOUT_FILENO, buf_view(out));

	if (failed == 0)
		return STATUS_OK;
	if (failed == EPIPE)
		return STATUS_PIPE;
	command_say("standard output: cannot write: %s", strerror(failed));
	return STATUS_IO;
}

int
command_help_print(const struct command *c)
{
	struct buf out = { 0 };
	struct term term;
	int status;

	term_init(&term, STDOUT_FILENO, TERM_COLOR_NEVER, 0);
	buf_printf(&out, "Usage: telltale %s %s\n\n", c->name, c->synopsis);
	opt_wrap(&out, str_of(c->help), 0, 0, term.width);
	for (const struct command_example *e = c->examples; e && e->line; e++) {
		if (e == c->examples)
			buf_cat(&out, "\nExamples:\n");
		buf_printf(&out, "  telltale %s\n", e->line);
		opt_wrap(&out, str_of(e->text), 0, 6, term.width);
	}
	for (size_t i = 0; c->about && c->about[i]; i++) {
		buf_char(&out, '\n');
		opt_wrap(&out, str_of(c->about[i]), 0, 0, term.width);
	}
	buf_char(&out, '\n');
	opt_help(&out, c->opts, term.width);
	status = command_print(&out);
	buf_fini(&out);
	return status;
}
