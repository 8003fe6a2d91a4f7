/* SPDX-License-Identifier: Apache-2.0 */
/*
 * telltale group: expressions with a name, which group.name = "…" stands for.
 */
#include "cli/group.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/options.h"
#include "core/json.h"
#include "core/term.h"
#include "query/group.h"

struct flags {
	bool help, json;
	const char *groups;
};

static const struct opt opts[] = {
	{
	    .name = "groups",
	    .type = OPT_TEXT,
	    .offset = offsetof(struct flags, groups),
	    .arg = "FILE",
	    .absent = "$TELLTALE_GROUPS, else ~/.config/telltale/groups.json",
	    .help = "Keep the groups in FILE, which has the shape of 'aws xray "
		    "get-groups'.",
	},
	{
	    .name = "json",
	    .type = OPT_FLAG,
	    .offset = offsetof(struct flags, json),
	    .help = "With list: print one JSON object.",
	},
	{ OPTION_HELP },
	{ .name = NULL },
};

const char *
group_path(struct buf *path, const char *given)
{
	const char *named = given ? given : getenv("TELLTALE_GROUPS");
	const char *config = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");

	buf_reset(path);
	if (named && *named) {
		buf_cat(path, named);
	} else if (config && *config) {
		buf_printf(path, "%s/telltale/groups.json", config);
	} else if (home && *home) {
		buf_printf(path, "%s/.config/telltale/groups.json", home);
	} else {
		return NULL;
	}
	return buf_cstr(path);
}

/* The folders that lead to the file; what is there already is fine. */
static int
make_folders(const char *path, struct err *err)
{
	struct buf dir = { 0 };
	int rc = 0;

	for (const char *p = path + 1; *p && rc == 0; p++) {
		if (*p != '/')
			continue;
		buf_reset(&dir);
		buf_put(&dir, path, (size_t)(p - path));
		if (mkdir(buf_cstr(&dir), 0777) != 0 && errno != EEXIST)
			rc = err_set(err, "%s: cannot be made: %s", dir.p,
			    strerror(errno));
	}
	buf_fini(&dir);
	return rc;
}

static int
list(const struct query_groups *g, const struct flags *f)
{
	struct buf out = { 0 };
	struct term term;
	int status;

	term_init(&term, STDOUT_FILENO, TERM_COLOR_NEVER, 0);
	if (f->json)
		buf_cat(&out, "{\"schema\":\"telltale/1\",\"command\":"
			      "\"group\",\"Groups\":[");
	for (size_t i = 0; i < g->n; i++) {
		if (f->json) {
			json_item(&out);
			buf_char(&out, '{');
			json_member_str(&out, "GroupName", g->v[i].name);
			json_member_str(&out, "FilterExpression",
			    g->v[i].expression);
			buf_char(&out, '}');
			continue;
		}
		term_text(&out, g->v[i].name, term.utf8);
		buf_cat(&out, "\t");
		term_text(&out, g->v[i].expression, term.utf8);
		buf_char(&out, '\n');
	}
	if (f->json)
		buf_cat(&out, "]}\n");
	status = command_print(&out);
	buf_fini(&out);
	return status;
}

/* A usage error has its words in err and no file to blame. */
static int
change(struct query_groups *g, char **argv, const char *path, struct err *err)
{
	bool add = strcmp(argv[0], "add") == 0;
	int rc =
	    add ? query_groups_add(g, str_of(argv[1]), str_of(argv[2]), err)
		: query_groups_remove(g, str_of(argv[1]), err);

	if (rc != 0)
		return STATUS_USAGE;
	if (make_folders(path, err) != 0 ||
	    query_groups_write(g, path, err) != 0)
		return STATUS_IO;
	return STATUS_OK;
}

static int
run_action(const struct flags *f, int n, char **argv, struct err *err)
{
	static const struct {
		const char *name;
		int arguments;
		const char *wants;
	} actions[] = {
		{ "list", 1, "list has no arguments" },
		{ "add", 3, "add has a NAME and an EXPRESSION" },
		{ "remove", 2, "remove has a NAME" },
	};
	struct query_groups g = { 0 };
	struct buf path = { 0 };
	int at = -1;
	int status = STATUS_USAGE;

	for (int i = 0; i < 3 && n > 0; i++)
		if (strcmp(argv[0], actions[i].name) == 0)
			at = i;
	if (at < 0)
		err_set(err, "what to do is missing: list, add or remove");
	else if (n != actions[at].arguments)
		err_set(err, "%s", actions[at].wants);
	else if (!group_path(&path, f->groups))
		err_set(err, "--groups is missing: there is no $HOME");
	else if (query_groups_read(&g, path.p, err) != 0)
		status = STATUS_NOINPUT;
	else
		status = at == 0 ? list(&g, f) : change(&g, argv, path.p, err);
	query_groups_fini(&g);
	buf_fini(&path);
	return status;
}

static int
run(int argc, char **argv)
{
	struct flags f;
	struct err err = { "" };
	int n;
	int status;

	opt_defaults(opts, &f);
	if (opt_parse(opts, &f, argc, argv, &n, &err) < 0) {
		status = command_usage(&command_group, &err);
	} else if (f.help) {
		status = command_help_print(&command_group);
	} else {
		status = run_action(&f, n, argv, &err);
		if (status == STATUS_USAGE)
			status = command_usage(&command_group, &err);
		else if (err.text[0])
			command_say("%s", err.text);
	}
	opt_fini(opts, &f);
	return status;
}

static const char *const about[] = {
	"A group is an expression with a name: group.name = \"slow\" in "
	"another "
	"expression stands for it. Names have up to 32 letters, digits, - and "
	"_. The group Default, all traces, is always there.",
	NULL,
};

static const struct command_example examples[] = {
	{ "group add slow 'responsetime > 1'", "A name for an expression." },
	{ "query 'group.name = \"slow\" AND fault' traces/",
	    "The group as a part of another expression." },
	{ "group remove slow", "Forget it." },
	{ NULL, NULL },
};

const struct command command_group = {
	.name = "group",
	.synopsis = "[options] list | add NAME EXPRESSION | remove NAME",
	.help = "Keep expressions under a name.",
	.about = about,
	.examples = examples,
	.opts = opts,
	.run = run,
};
