/* SPDX-License-Identifier: Apache-2.0 */
/*
 * telltale check-config: whether a configuration is right, and all that holds
 * with it: the defaults, what it says for every service, and what is different
 * for services and routes, the most specific first.
 */
#include <stdbool.h>
#include <unistd.h>

#include "analyzers/judge.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/report.h"
#include "cli/table.h"
#include "core/json.h"
#include "core/when.h"
#include "pipeline/config.h"

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

/* A threshold and whom it is for. */
struct row {
	struct str service, route;
	enum method method;
	const char *rule; /* NULL: all that judge latency */
	enum threshold what;
	int64_t value;
	uint32_t from;
};

/* Where rows go: a table, or JSON. */
struct list {
	const struct config *config;
	const struct term *term;
	struct table *table; /* NULL: JSON */
	struct buf *json;
	bool scoped; /* the table says whom a row is for */
};

static const struct table_column every_columns[] = {
	{ "rule", false, false, 0 },
	{ "threshold", false, false, 0 },
	{ "value", true, false, 0 },
	{ "from", false, true, 0 },
	{ NULL, false, false, 0 },
};

static const struct table_column scoped_columns[] = {
	{ "service", false, true, 0 },
	{ "method", false, false, 1 },
	{ "route", false, true, 0 },
	{ "rule", false, false, 0 },
	{ "threshold", false, false, 0 },
	{ "value", true, false, 0 },
	{ "from", false, true, 2 },
	{ NULL, false, false, 0 },
};

static const struct table_column name_columns[] = {
	{ "log group, stream, path or segments", false, true, 0 },
	{ "service", false, true, 0 },
	{ "line", true, false, 1 },
	{ NULL, false, false, 0 },
};

static void
json_row(struct buf *out, const struct row *r, struct str value,
    struct str from)
{
	json_item(out);
	buf_char(out, '{');
	if (r->service.n > 0)
		json_member_str(out, "service", r->service);
	if (r->route.n > 0)
		json_member_str(out, "route", r->route);
	if (r->method != METHOD_NONE)
		json_member_str(out, "method", str_of(method_name(r->method)));
	if (r->rule)
		json_member_str(out, "rule", str_of(r->rule));
	json_member_str(out, "threshold",
	    str_of(threshold_infos[r->what].name));
	json_member_str(out, "value", value);
	json_member_str(out, "from", from);
	buf_char(out, '}');
}

static void
table_row(const struct list *l, const struct row *r, struct str value,
    struct str from)
{
	struct table *t = l->table;
	bool utf8 = l->term->utf8;

	if (l->scoped) {
		table_text(t, PLAIN, r->service, utf8);
		table_text(t, PLAIN,
		    r->method == METHOD_NONE ? STR("")
					     : str_of(method_name(r->method)),
		    utf8);
		table_text(t, PLAIN, r->route, utf8);
	}
	table_text(t, PLAIN, r->rule ? str_of(r->rule) : STR("latency"), utf8);
	table_cell(t, PLAIN, str_of(threshold_infos[r->what].name));
	table_cell(t, PLAIN, value);
	table_text(t, PLAIN, from, utf8);
}

static void
put_row(const struct list *l, const struct row *r)
{
	struct buf value = { 0 };
	struct buf from = { 0 };

	threshold_put(&value, r->what, r->value);
	threshold_put_from(&from, &l->config->thresholds, r->what, r->from);
	if (l->table)
		table_row(l, r, buf_view(&value), buf_view(&from));
	else
		json_row(l->json, r, buf_view(&value), buf_view(&from));
	buf_fini(&value);
	buf_fini(&from);
}

/* What holds where nothing more specific does. */
static void
put_every(const struct list *l)
{
	for (const struct rule_info *rule = judge_rules(); rule->name; rule++) {
		const struct judged every = { .rule = rule->name };
		struct gates g;

		thresholds_of(&l->config->thresholds, &every, &g);
		for (int i = 0; i < THRESHOLDS; i++) {
			const struct row r = { .rule = rule->name,
				.what = (enum threshold)i,
				.value = g.v[i],
				.from = g.from[i] };

			if (threshold_has(rule->name, r.what))
				put_row(l, &r);
		}
	}
}

static void
put_scoped(const struct list *l)
{
	const struct thresholds *t = &l->config->thresholds;

	for (size_t i = 0; i < t->n; i++) {
		const struct setting *s = &t->v[i];
		const struct row r = { .service = s->service,
			.route = s->route,
			.method = s->method,
			.rule = s->rule == SETTING_ALL_RULES
				    ? NULL
				    : judge_rules()[s->rule].name,
			.what = s->what,
			.value = s->value,
			.from = s->line };

		if (s->service.n > 0)
			put_row(l, &r);
	}
}

static void
print_rows(struct pen *p, const struct config *c, const char *heading,
    bool scoped)
{
	struct table t = { .columns = scoped ? scoped_columns : every_columns };
	const struct list l = { c, p->term, &t, NULL, scoped };

	if (scoped)
		put_scoped(&l);
	else
		put_every(&l);
	if (t.n > 0) {
		report_heading(p, heading);
		table_print(&t, p, 2);
	}
	table_fini(&t);
}

static void
print_names(struct pen *p, const struct config *c)
{
	struct table t = { .columns = name_columns };

	if (c->n_names == 0)
		return;
	for (size_t i = 0; i < c->n_names; i++) {
		table_text(&t, PLAIN, c->names[i].group, p->term->utf8);
		table_text(&t, PLAIN, c->names[i].name, p->term->utf8);
		table_count(&t, PLAIN, c->names[i].line, "");
	}
	report_heading(p, "Names of services, the first that is so");
	table_print(&t, p, 2);
	table_fini(&t);
}

static void
print_texts(struct pen *p, const char *heading,
    const struct config_texts *texts)
{
	if (texts->n == 0)
		return;
	report_heading(p, heading);
	for (size_t i = 0; i < texts->n; i++) {
		pen_to(p, 2);
		pen_raw(p, PLAIN, texts->v[i], pen_left(p));
		pen_end(p);
	}
}

/* A setting as it would be written; false: it is not set, and has no default.
 */
static bool
put_alert_value(struct buf *b, const struct opt *row,
    const struct config_alerts *alerts)
{
	const void *at = (const char *)alerts + row->offset;
	int choice;

	switch (row->type) {
	case OPT_CHOICE:
		choice = *(const int *)at;
		buf_cat(b, choice < 0 ? row->absent : row->choices[choice]);
		return true;
	case OPT_SPAN:
		if (*(const int64_t *)at > 0)
			when_put_span(b, *(const int64_t *)at, false);
		else
			buf_cat(b, row->absent ? row->absent : "0s");
		return true;
	case OPT_COUNT:
		buf_u64(b, *(const uint64_t *)at);
		return true;
	case OPT_TEXT:
		buf_str(b, str_of(*(const char *const *)at));
		return b->n > 0;
	case OPT_FLAG:
	case OPT_INT:
	case OPT_LIST:
	case OPT_SIZE:
	case OPT_TIME:
		break;
	}
	return false;
}

static const struct table_column alert_columns[] = {
	{ "setting", false, false, 0 },
	{ "value", false, true, 0 },
	{ NULL, false, false, 0 },
};

static void
print_alerts(struct pen *p, const struct config_alerts *alerts)
{
	struct table t = { .columns = alert_columns };
	struct buf value = { 0 };

	for (const struct opt *o = config_alerts_rows; o->name; o++) {
		buf_reset(&value);
		if (!put_alert_value(&value, o, alerts))
			continue;
		table_cell(&t, PLAIN, str_of(o->name));
		table_text(&t, PLAIN, buf_view(&value), p->term->utf8);
	}
	report_heading(p, "Alerts");
	table_print(&t, p, 2);
	table_fini(&t);
	buf_fini(&value);
}

static void
print_text(struct buf *out, const struct config *c)
{
	struct term term;
	struct pen p = { .out = out, .term = &term };

	term_init(&term, STDOUT_FILENO, TERM_COLOR_AUTO, 0);
	print_rows(&p, c, "Thresholds of every service", false);
	print_rows(&p, c, "Thresholds of services and routes, the first holds",
	    true);
	print_names(&p, c);
	print_texts(&p, "Health checks ask for", &c->paths);
	print_texts(&p, "Health checks have an agent that begins with",
	    &c->agents);
	print_alerts(&p, &c->alerts);
}

static void
json_alerts(struct buf *out, const struct config_alerts *alerts)
{
	struct buf value = { 0 };

	json_key(out, "alerts");
	buf_char(out, '{');
	for (const struct opt *o = config_alerts_rows; o->name; o++) {
		buf_reset(&value);
		if (put_alert_value(&value, o, alerts))
			json_member_str(out, o->name, buf_view(&value));
	}
	buf_char(out, '}');
	buf_fini(&value);
}

static void
json_texts(struct buf *out, const char *key, const struct config_texts *texts)
{
	json_key(out, key);
	buf_char(out, '[');
	for (size_t i = 0; i < texts->n; i++) {
		json_item(out);
		json_put_str(out, texts->v[i]);
	}
	buf_char(out, ']');
}

static void
print_json(struct buf *out, const struct config *c)
{
	const struct list l = { c, NULL, NULL, out, true };

	buf_cat(out, "{\"schema\":\"telltale/1\",\"command\":\"check-config\"");
	if (c->thresholds.file)
		json_member_str(out, "file", str_of(c->thresholds.file));
	json_key(out, "thresholds");
	buf_char(out, '[');
	put_scoped(&l);
	put_every(&l);
	buf_char(out, ']');
	json_key(out, "names");
	buf_char(out, '[');
	for (size_t i = 0; i < c->n_names; i++) {
		json_item(out);
		buf_char(out, '{');
		json_member_str(out, "from", c->names[i].group);
		json_member_str(out, "name", c->names[i].name);
		json_member_i64(out, "line", c->names[i].line);
		buf_char(out, '}');
	}
	buf_char(out, ']');
	json_texts(out, "probe_paths", &c->paths);
	json_texts(out, "probe_agents", &c->agents);
	json_alerts(out, &c->alerts);
	buf_cat(out, "}\n");
}

static int
check(const char *path, bool json)
{
	struct config c = { 0 };
	struct buf out = { 0 };
	struct err err = { "" };
	int status;

	opt_defaults(config_alerts_rows, &c.alerts);
	if ((path && config_read(&c, path, &err) != 0) ||
	    thresholds_settle(&c.thresholds, &err) != 0) {
		status = command_config(&err);
	} else {
		if (json)
			print_json(&out, &c);
		else
			print_text(&out, &c);
		status = command_print(&out);
	}
	buf_fini(&out);
	config_fini(&c);
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
		return command_usage(&command_check_config, &err);
	if (f.help)
		return command_help_print(&command_check_config);
	if (n > 1) {
		err_set(&err, "one FILE is expected, %d were given", n);
		return command_usage(&command_check_config, &err);
	}
	return check(n == 1 ? argv[0] : NULL, f.json);
}

static const char *const about[] = {
	"Prints all thresholds that hold with FILE and where each is from; "
	"without FILE, the defaults. What FILE may say is in telltale.yaml(5).",
	NULL,
};

static const struct command_example examples[] = {
	{ "check-config telltale.yaml",
	    "Whether it is right, and what holds with it." },
	{ NULL, NULL },
};

const struct command command_check_config = {
	.name = "check-config",
	.synopsis = "[--json] [FILE]",
	.help = "Check a configuration and show what holds with it.",
	.about = about,
	.examples = examples,
	.opts = opts,
	.run = run,
};
