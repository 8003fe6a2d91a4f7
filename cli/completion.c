/* SPDX-License-Identifier: Apache-2.0 */
/*
 * telltale completion SHELL: what bash, fish and zsh offer behind a Tab, from
 * the same tables as the help.
 */
#include <stdbool.h>
#include <string.h>

#include "cli/command.h"
#include "cli/options.h"

struct flags {
	bool help;
};

static const struct opt opts[] = {
	{ OPTION_HELP },
	{ .name = NULL },
};

/* Single quotes for a shell: 'it'\''s'. */
static void
quote(struct buf *out, const char *s)
{
	buf_char(out, '\'');
	for (; *s; s++) {
		if (*s == '\'')
			buf_cat(out, "'\\''");
		else
			buf_char(out, *s);
	}
	buf_char(out, '\'');
}

static void
command_names(struct buf *out)
{
	for (size_t i = 0; commands()[i]; i++)
		buf_printf(out, "%s%s", i ? " " : "", commands()[i]->name);
}

static void
choices(struct buf *out, const struct opt *o)
{
	for (size_t i = 0; o->choices[i]; i++)
		buf_printf(out, "%s%s", i ? " " : "", o->choices[i]);
}

static void
bash_command(struct buf *out, const struct command *c)
{
	buf_printf(out, "\t%s)\n\t\tcase $prev in\n", c->name);
	for (const struct opt *o = c->opts; o->name; o++) {
		if (o->type != OPT_CHOICE)
			continue;
		buf_printf(out, "\t\t--%s)\n\t\t\tCOMPREPLY=($(compgen -W '",
		    o->name);
		choices(out, o);
		buf_cat(out, "' -- \"$cur\"))\n\t\t\treturn ;;\n");
	}
	buf_cat(out, "\t\tesac\n\t\twords='");
	for (const struct opt *o = c->opts; o->name; o++)
		buf_printf(out, "%s--%s", o == c->opts ? "" : " ", o->name);
	buf_cat(out, "' ;;\n");
}

static void
bash(struct buf *out)
{
	buf_cat(out, "# bash completion of telltale, printed by "
		     "'telltale completion bash'\n"
		     "_telltale()\n{\n"
		     "\tlocal cur=${COMP_WORDS[COMP_CWORD]}\n"
		     "\tlocal prev=${COMP_WORDS[COMP_CWORD-1]}\n"
		     "\tlocal words=\n"
		     "\tCOMPREPLY=()\n"
		     "\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n"
		     "\t\tCOMPREPLY=($(compgen -W '");
	command_names(out);
	buf_cat(out, "' -- \"$cur\"))\n\t\treturn\n\tfi\n"
		     "\tcase ${COMP_WORDS[1]} in\n");
	for (size_t i = 0; commands()[i]; i++)
		bash_command(out, commands()[i]);
	buf_cat(out, "\tesac\n"
		     "\tcase $cur in\n"
		     "\t-*) COMPREPLY=($(compgen -W \"$words\" -- \"$cur\")) "
		     ";;\n"
		     "\t*) COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n"
		     "\tesac\n}\n"
		     "complete -o filenames -F _telltale telltale\n");
}

static void
fish(struct buf *out)
{
	buf_cat(out, "# fish completion of telltale, printed by "
		     "'telltale completion fish'\n");
	for (size_t i = 0; commands()[i]; i++) {
		const struct command *c = commands()[i];

		buf_printf(out,
		    "complete -c telltale -n __fish_use_subcommand -f -a %s "
		    "-d ",
		    c->name);
		quote(out, c->help);
		buf_char(out, '\n');
		for (const struct opt *o = c->opts; o->name; o++) {
			buf_printf(out,
			    "complete -c telltale -n "
			    "'__fish_seen_subcommand_from %s' -l %s",
			    c->name, o->name);
			if (o->letter)
				buf_printf(out, " -s %c", o->letter);
			if (o->type != OPT_FLAG)
				buf_cat(out, " -r");
			if (o->type == OPT_CHOICE) {
				buf_cat(out, " -f -a '");
				choices(out, o);
				buf_char(out, '\'');
			}
			buf_cat(out, " -d ");
			quote(out, o->help);
			buf_char(out, '\n');
		}
	}
}

/* The help inside zsh's '--name[help]': brackets and colons are its own. */
static void
zsh_text(struct buf *out, const char *s)
{
	for (; *s; s++) {
		if (*s == '\'') {
			buf_cat(out, "'\\''");
			continue;
		}
		if (*s == '[' || *s == ']' || *s == ':')
			buf_char(out, '\\');
		buf_char(out, *s);
	}
}

static void
zsh_option(struct buf *out, const struct opt *o)
{
	buf_printf(out, "\t\t\t'%s--%s%s[", o->type == OPT_LIST ? "*" : "",
	    o->name, o->type == OPT_FLAG ? "" : "=");
	zsh_text(out, o->help);
	buf_char(out, ']');
	if (o->type != OPT_FLAG) {
		buf_char(out, ':');
		zsh_text(out, o->arg);
		buf_char(out, ':');
	}
	if (o->type == OPT_CHOICE) {
		buf_char(out, '(');
		choices(out, o);
		buf_char(out, ')');
	} else if (o->type == OPT_TEXT) {
		buf_cat(out, "_files");
	}
	buf_cat(out, "' \\\n");
}

static void
zsh(struct buf *out)
{
	buf_cat(out, "#compdef telltale\n"
		     "# zsh completion of telltale, printed by "
		     "'telltale completion zsh'\n"
		     "_telltale()\n{\n"
		     "\tif (( CURRENT == 2 )); then\n"
		     "\t\tlocal -a names=(\n");
	for (size_t i = 0; commands()[i]; i++) {
		buf_printf(out, "\t\t\t'%s:", commands()[i]->name);
		zsh_text(out, commands()[i]->help);
		buf_cat(out, "'\n");
	}
	buf_cat(out, "\t\t)\n\t\t_describe command names\n\t\treturn\n\tfi\n"
		     "\tlocal name=$words[2]\n"
		     "\tshift words\n\t(( CURRENT-- ))\n"
		     "\tcase $name in\n");
	for (size_t i = 0; commands()[i]; i++) {
		buf_printf(out, "\t%s)\n\t\t_arguments -s \\\n",
		    commands()[i]->name);
		for (const struct opt *o = commands()[i]->opts; o->name; o++)
			zsh_option(out, o);
		buf_cat(out, "\t\t\t'*:path:_files' ;;\n");
	}
	buf_cat(out, "\tesac\n}\n_telltale \"$@\"\n");
}

static const struct {
	const char *name;
	void (*print)(struct buf *out);
} shells[] = { { "bash", bash }, { "fish", fish }, { "zsh", zsh } };

static int
run(int argc, char **argv)
{
	struct flags f;
	struct err err = { "" };
	struct buf out = { 0 };
	int n;
	int status = -1;

	opt_defaults(opts, &f);
	if (opt_parse(opts, &f, argc, argv, &n, &err) < 0)
		return command_usage(&command_completion, &err);
	if (f.help)
		return command_help_print(&command_completion);
	for (size_t i = 0; i < sizeof shells / sizeof shells[0]; i++) {
		if (n != 1 || strcmp(shells[i].name, argv[0]) != 0)
			continue;
		shells[i].print(&out);
		status = command_print(&out);
	}
	buf_fini(&out);
	if (status >= 0)
		return status;
	err_set(&err, "one shell is expected: bash, fish or zsh");
	return command_usage(&command_completion, &err);
}

static const struct command_example examples[] = {
	{ "completion bash > /etc/bash_completion.d/telltale",
	    "Complete commands and options in bash." },
	{ NULL, NULL },
};

const struct command command_completion = {
	.name = "completion",
	.synopsis = "bash | fish | zsh",
	.help = "Print the completion for a shell.",
	.examples = examples,
	.opts = opts,
	.run = run,
};
