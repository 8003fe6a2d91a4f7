/* SPDX-License-Identifier: Apache-2.0 */
/*
 * telltale components: what is built in.
 */
#include <stdbool.h>
#include <unistd.h>

#include "analyzers/judge.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/pen.h"
#include "core/json.h"
#include "core/regex.h"
#include "ingest/events.h"
#include "ingest/message.h"
#include "ingest/source.h"

struct flags {
	bool help, json;
};

static const struct opt opts[] = {
	{
	    .name = "json",
	    .type = OPT_FLAG,
	    .offset = offsetof(struct flags, json),
	    .help = "Print one JSON object.",
	},
	{ OPTION_HELP },
	{ .name = NULL },
};

/* One list, row by row: as a table's line, or as a JSON object. */
struct list {
	struct pen *pen;
	struct buf *json; /* NULL: for people */
};

static void
begin(const struct list *l, const char *name, const char *heading)
{
	if (l->json) {
		json_key(l->json, name);
		buf_char(l->json, '[');
		return;
	}
	pen_cat(l->pen, BOLD, heading);
	pen_end(l->pen);
}

static void
row(const struct list *l, const char *name, const char *help)
{
	enum { HELP_AT = 26 };

	if (l->json) {
		json_item(l->json);
		buf_char(l->json, '{');
		json_member_str(l->json, "name", str_of(name));
		json_member_str(l->json, "help", str_of(help));
		buf_char(l->json, '}');
		return;
	}
	pen_to(l->pen, 2);
	pen_cat(l->pen, PLAIN, name);
	if (l->pen->col + 2 > HELP_AT)
		pen_end(l->pen);
	pen_to(l->pen, HELP_AT);
	pen_wrap(l->pen, DIM, str_of(help), HELP_AT);
}

static void
end(const struct list *l)
{
	if (l->json)
		buf_char(l->json, ']');
	else
		pen_end(l->pen);
}

static void
put_all(const struct list *l)
{
	struct buf name = { 0 };

	begin(l, "envelopes", "Envelopes, recognised from content");
	for (const struct envelope_info *e = events_envelopes(); e->name; e++)
		row(l, e->name, e->help);
	end(l);
	begin(l, "dialects", "Dialects of access lines");
	for (const struct dialect_info *d = message_dialects(); d->name; d++)
		row(l, d->name, d->help);
	end(l);
	begin(l, "rules", "Rules");
	for (const struct rule_info *r = judge_rules(); r->name; r++)
		row(l, r->name, r->help);
	end(l);
	begin(l, "libraries", "Libraries");
	row(l, source_inflater(), "inflates gzip and zlib");
	json_library(&name);
	row(l, buf_cstr(&name), "reads JSON");
	buf_reset(&name);
	regex_library(&name);
	row(l, buf_cstr(&name), "matches the patterns of dialects");
	end(l);
	buf_fini(&name);
}

static int
print(bool json)
{
	struct buf out = { 0 };
	struct term term;
	struct pen p = { .out = &out, .term = &term };
	struct list l = { &p, json ? &out : NULL };
	int status;

	term_init(&term, STDOUT_FILENO, TERM_COLOR_AUTO, 0);
	if (json)
		buf_cat(&out, "{\"schema\":\"telltale/1\","
			      "\"command\":\"components\","
			      "\"version\":\"" TELLTALE_VERSION "\"");
	else
		buf_cat(&out, "telltale " TELLTALE_VERSION "\n\n");
	p.line = out.n;
	put_all(&l);
	if (json)
		buf_cat(&out, "}\n");
	else
		out.n--; /* the empty line behind the last list */
	status = command_print(&out);
	buf_fini(&out);
	return status;
}

static int
run(int argc, char **argv)
{
	struct flags f;
	struct err err = { "" };
	int n;

	opt_defaults(opts, &f);
	if (opt_parse(opts, &f, argc, argv, &n, &err) < 0)
		return command_usage(&command_components, &err);
	if (f.help)
		return command_help_print(&command_components);
	if (n > 0) {
		err_set(&err, "takes no argument, '%s' was given", argv[0]);
		return command_usage(&command_components, &err);
	}
	return print(f.json);
}

const struct command command_components = {
	.name = "components",
	.synopsis = "[--json]",
	.help = "List what is built in: envelopes, dialects, rules, libraries.",
	.opts = opts,
	.run = run,
};
