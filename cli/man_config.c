/* SPDX-License-Identifier: Apache-2.0 */
/*
 * telltale.yaml(5), in mdoc, from the tables of keys, rules and thresholds.
 * The page in docs/ is what this prints; a test compares them, and another
 * takes its example for a configuration.
 */
#include "analyzers/judge.h"
#include "cli/command.h"
#include "pipeline/config.h"

#define MANUAL_DATE "November 30, 2026"

/* Letters that roff takes for letters. */
static void
literal(struct buf *out, const char *s)
{
	for (; *s; s++) {
		if (*s == '-')
			buf_char(out, '\\');
		buf_char(out, *s);
	}
}

static void
put_keys(struct buf *out, enum config_map in, const char *heading,
    const char *words)
{
	buf_printf(out, ".Ss %s\n", heading);
	manual_text(out, words);
	buf_cat(out, ".Bl -tag -width Ds\n");
	for (const struct config_key *k = config_keys; k->name; k++) {
		if (k->in != in)
			continue;
		buf_printf(out, ".It Ic %s : Ar \"", k->name);
		literal(out, k->value);
		buf_cat(out, "\"\n");
		manual_text(out, k->help);
	}
	buf_cat(out, ".El\n");
}

static void
put_alerts(struct buf *out)
{
	struct buf words = { 0 };

	buf_cat(out, ".Ss Of alerts\n");
	manual_text(out,
	    "When a finding is told, and to whom. All times are the events' "
	    "own. An option of the command line goes before what stands here.");
	buf_cat(out, ".Bl -tag -width Ds\n");
	for (const struct opt *o = config_alerts_rows; o->name; o++) {
		buf_printf(out, ".It Ic %s : Ar %s\n", o->name, o->arg);
		buf_reset(&words);
		opt_words(&words, o);
		manual_text(out, buf_cstr(&words));
	}
	buf_cat(out, ".El\n");
	buf_fini(&words);
}

/* Each with what it looks like and its range. */
static void
put_thresholds(struct buf *out)
{
	struct buf b = { 0 };

	buf_cat(out, ".Ss Thresholds\n");
	manual_text(out,
	    "What a rule asks for before it calls something a finding. "
	    "A window is what a rule looks at: ten seconds to an hour, "
	    "in eight lengths. Bad is what the rule counts.");
	buf_cat(out, ".Bl -tag -width Ds\n");
	for (int i = 0; i < THRESHOLDS; i++) {
		const struct threshold_info *t = &threshold_infos[i];
		enum threshold what = (enum threshold)i;

		buf_reset(&b);
		buf_printf(&b, "%s It is %s", t->help, threshold_words(what));
		if (t->unit != UNIT_YES) {
			buf_cat(&b, ", from ");
			threshold_put(&b, what, t->min);
			buf_cat(&b, " to ");
			threshold_put(&b, what, t->max);
		}
		buf_char(&b, '.');
		buf_cat(out, ".It Ic ");
		literal(out, t->name);
		buf_char(out, '\n');
		manual_text(out, buf_cstr(&b));
	}
	buf_cat(out, ".El\n");
	buf_fini(&b);
}

/* Its thresholds as they would be written. */
static void
put_rules(struct buf *out)
{
	struct buf b = { 0 };

	buf_cat(out, ".Ss Rules\n");
	manual_text(out,
	    "Each with the thresholds that it has, and their values "
	    "where nothing else is said. The limit slow is the same for "
	    "all rules, so that it stands beside thresholds.");
	buf_cat(out, ".Bl -tag -width Ds\n");
	for (const struct rule_info *r = judge_rules(); r->name; r++) {
		const struct judged every = { .rule = r->name };
		struct gates g;
		bool first = true;

		thresholds_of(&thresholds_default, &every, &g);
		buf_cat(out, ".It Ic ");
		literal(out, r->name);
		buf_char(out, '\n');
		buf_reset(&b);
		buf_cat(&b, r->help);
		if (b.p[0] >= 'a' && b.p[0] <= 'z')
			b.p[0] = (char)(b.p[0] - 'a' + 'A');
		for (int i = 0; i < THRESHOLDS; i++) {
			enum threshold what = (enum threshold)i;

			if (!threshold_has(r->name, what))
				continue;
			buf_printf(&b, "%s%s: ", first ? ". " : ", ",
			    threshold_infos[i].name);
			threshold_put(&b, what, g.v[i]);
			first = false;
		}
		buf_char(&b, '.');
		manual_text(out, buf_cstr(&b));
	}
	buf_cat(out, ".El\n");
	buf_fini(&b);
}

static void
put_precedence(struct buf *out)
{
	static const char *const items[] = {
		"that of the command line, --slow or --rule;",
		/* One item, of several literals. */
		("that of the service's own name; then of patterns, the one of "
		 "more characters that are no wildcards first, of equals the "
		 "one that sorts first; then what is said for every service;"),
		"of these, in the same way, by the route;",
		"of these, that of the method, then of any;",
		"the default.",
	};

	buf_cat(out, ".Ss What holds\n");
	manual_text(out,
	    "In a name or route that is a pattern, * stands for any "
	    "text, / too, and ? for one character. For each threshold "
	    "of one rule, service, route and method one value holds, "
	    "whatever the order in the file:");
	buf_cat(out, ".Bl -enum\n");
	for (size_t i = 0; i < sizeof items / sizeof items[0]; i++) {
		buf_cat(out, ".It\n");
		manual_text(out, items[i]);
	}
	buf_cat(out, ".El\n.Pp\n");
	manual_text(out,
	    "telltale check-config prints all of them, and "
	    "telltale replay --explain-finding those of a finding, each "
	    "with the line that it is from.");
}

/* As it is; a line that begins with a dot would be a request. */
static const char example[] =
    "slow: 1s\n"
    "thresholds:\n"
    "  not-found-surge: { count: 40 }\n"
    "probes:\n"
    "  paths: [/, /internal/health]\n"
    "alerts:\n"
    "  topic: arn:aws:sns:eu-west-1:123456789012:alerts\n"
    "  format: chat\n"
    "  cooldown: 1h\n"
    "services:\n"
    "  - name: like service\n"
    "    from: [\"mysfits-MythicalLikeLogGroup-*\", like]\n"
    "    slow: 500ms\n"
    "    routes:\n"
    "      - route: /mysfits/{id}/like\n"
    "        method: POST\n"
    "        slow: 3s\n"
    "        thresholds:\n"
    "          slow-post: { count: 5, ratio: 20% }\n"
    "  - name: \"batch-*\"\n"
    "    thresholds:\n"
    "      slow-post: { judge: no }\n";

void
manual_print_config(struct buf *out)
{
	buf_cat(out, ".\\\" SPDX-License-Identifier: Apache-2.0\n"
		     ".\\\" Generated by 'telltale help --man-config'; do not "
		     "edit.\n"
		     ".Dd " MANUAL_DATE "\n.Dt TELLTALE.YAML 5\n.Os\n"
		     ".Sh NAME\n.Nm telltale.yaml\n"
		     ".Nd configuration of telltale\n"
		     ".Sh DESCRIPTION\n");
	manual_text(out,
	    "A file of any name that --config of telltale(1) names. "
	    "Nothing needs to be in it: the defaults are right for "
	    "most. It is YAML of maps, lists and texts; anchors, "
	    "aliases, tags and further documents are refused. The order "
	    "of keys and items has no meaning. In a value ${NAME} is "
	    "the text that the environment has of that name, "
	    "${NAME:-text} with another one where it has none; $${ is "
	    "${ itself.");
	put_keys(out, CONFIG_FILE, "The file", "Its keys:");
	put_keys(out, CONFIG_PROBES, "Of probes",
	    "An option of the command line replaces the list here.");
	put_keys(out, CONFIG_SERVICE, "Of a service",
	    "The name is needed, and no two have the same.");
	put_keys(out, CONFIG_ROUTE, "Of a route",
	    "The route is needed, and no two have the same route and method.");
	put_alerts(out);
	put_rules(out);
	put_thresholds(out);
	put_precedence(out);
	buf_cat(out, ".Ss Limits\n");
	manual_text(out,
	    "A file has at most 1 MiB, 16 levels, 65,536 keys and "
	    "values, 1,024 services, 1,000 routes a service, 4,096 "
	    "thresholds and 8 different values of slow.");
	buf_cat(out, ".Sh EXAMPLES\n.Bd -literal\n");
	buf_cat(out, example);
	buf_cat(out, ".Ed\n.Sh DIAGNOSTICS\n");
	manual_text(out,
	    "What is not known, given twice, of another kind, in "
	    "another unit or out of range ends the program with status "
	    "78 and FILE:LINE:COLUMN: what was found, what was expected, "
	    "and the nearest word that there is.");
	buf_cat(out, ".Sh SEE ALSO\n.Xr telltale 1\n");
}
