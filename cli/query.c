/* SPDX-License-Identifier: Apache-2.0 */
/*
 * telltale query: options, what they ask for, and the small things that the
 * forms share.
 */
#include "cli/query.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/options.h"
#include "cli/group.h"
#include "core/when.h"
#include "query/es.h"
#include "query/group.h"
#include "query/sql.h"

struct flags {
	struct indexing_flags es;
	bool help, json, ndjson, csv, quiet, findings, requests, check;
	bool explain_sql, explain_es, reverse;
	const char *store, *config, *by, *groups;
	int64_t since, until, last;
	uint64_t limit;
	int sort, threads, color, width;
};

/* One behind enum query_sort: the first is "as the form has it". */
static const char *const sorts[] = {
	[0] = "default",
	[SORT_TIME + 1] = "time",
	[SORT_DURATION + 1] = "duration",
	[SORT_RESPONSE + 1] = "responsetime",
	[SORT_STATUS + 1] = "status",
	[SORT_URL + 1] = "url",
	[SORT_SERVICE + 1] = "service",
	[SORT_COUNT + 1] = "count",
	[SORT_AVERAGE + 1] = "average",
	[SORT_KEY + 1] = "key",
	[SORTS + 1] = NULL,
};

static const struct opt opts[] = {
	{ .group = "What is asked",
	    OPTION_STORE,
	    .help = "Ask the store FILE that 'telltale replay --store' made, "
		    "instead of an archive." },
	{ OPTION_ES,
	    .help = "Ask the Elasticsearch or OpenSearch at URL that 'telltale "
		    "replay --es' has written to, instead of an archive." },
	{ OPTION_ES_CA },
	{
	    .name = "requests",
	    .type = OPT_FLAG,
	    .offset = offsetof(struct flags, requests),
	    .help = "Ask the requests of logs instead of traces: with a "
		    "finding's filter these are what it counts, as far as "
		    "they were logged.",
	},
	{
	    .name = "findings",
	    .type = OPT_FLAG,
	    .offset = offsetof(struct flags, findings),
	    .help = "Ask findings instead of traces.",
	},
	{ OPTION_SINCE, .help = "Leave out what began before TIME." },
	{ OPTION_UNTIL, .help = "Leave out what began at TIME or later." },
	{ OPTION_LAST,
	    .help = "Look at the last SPAN of the archive or store only." },
	{
	    .name = "groups",
	    .type = OPT_TEXT,
	    .offset = offsetof(struct flags, groups),
	    .arg = "FILE",
	    .absent = "those of 'telltale group'",
	    .help = "Take what group.name stands for from FILE.",
	},
	{
	    .group = "What is printed",
	    .name = "group-by",
	    .type = OPT_TEXT,
	    .offset = offsetof(struct flags, by),
	    .arg = "KEY",
	    .help = "Count by url, user, method, status, client, service, "
		    "rootcause or annotation[key].",
	},
	{
	    .name = "sort",
	    .type = OPT_CHOICE,
	    .offset = offsetof(struct flags, sort),
	    .arg = "KEY",
	    .preset = "default",
	    .choices = sorts,
	    .help = "Sort a list by time (the default), duration, "
		    "responsetime, status, url or service; groups by count "
		    "(the default), average or key.",
	},
	{
	    .name = "reverse",
	    .type = OPT_FLAG,
	    .offset = offsetof(struct flags, reverse),
	    .help = "Turn the order round.",
	},
	{
	    .name = "limit",
	    .letter = 'n',
	    .type = OPT_COUNT,
	    .offset = offsetof(struct flags, limit),
	    .arg = "N",
	    .absent = "50 in a table, all elsewhere",
	    .min = 1,
	    .max = 1000000000,
	    .help = "Print at most N traces or groups.",
	},
	{
	    .name = "json",
	    .type = OPT_FLAG,
	    .offset = offsetof(struct flags, json),
	    .help = "Print one JSON object; traces as X-Ray's "
		    "GetTraceSummaries has them.",
	},
	{
	    .name = "ndjson",
	    .type = OPT_FLAG,
	    .offset = offsetof(struct flags, ndjson),
	    .help = "Print one JSON object a line.",
	},
	{
	    .name = "csv",
	    .type = OPT_FLAG,
	    .offset = offsetof(struct flags, csv),
	    .help = "Print comma-separated values (RFC 4180).",
	},
	{ OPTION_COLOR },
	{ OPTION_WIDTH },
	{
	    .group = "What is done with the expression",
	    .name = "check",
	    .type = OPT_FLAG,
	    .offset = offsetof(struct flags, check),
	    .help = "Read the expression only: exit status 0, or 64 and what "
		    "is wrong with it.",
	},
	{
	    .name = "explain-sql",
	    .type = OPT_FLAG,
	    .offset = offsetof(struct flags, explain_sql),
	    .help = "Print it as the condition of SQLite that a store is "
		    "asked.",
	},
	{
	    .name = "explain-es",
	    .type = OPT_FLAG,
	    .offset = offsetof(struct flags, explain_es),
	    .help = "Print it as a query of Elasticsearch.",
	},
	{ .group = "How it is read",
	    OPTION_CONFIG,
	    .help = "With --findings or --requests: read thresholds, names of "
		    "services and what health checks ask for from FILE, as "
		    "telltale.yaml(5) says." },
	{ OPTION_THREADS },
	{ OPTION_QUIET },
	{ OPTION_HELP },
	{ .name = NULL },
};

void
query_csv(struct buf *out, struct str text)
{
	bool quote = false;

	if (out->n > 0 && out->p[out->n - 1] != '\n')
		buf_char(out, ',');
	for (size_t i = 0; i < text.n; i++)
		quote |= memchr("\",\r\n", text.p[i], 4) != NULL;
	if (!quote) {
		buf_str(out, text);
		return;
	}
	buf_char(out, '"');
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '"')
			buf_char(out, '"');
		buf_char(out, text.p[i]);
	}
	buf_char(out, '"');
}

void
query_seconds(struct buf *out, int64_t ns)
{
	uint64_t u = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;

	if (ns == VIEW_NONE)
		return;
	if (ns < 0)
		buf_char(out, '-');
	buf_printf(out, "%" PRIu64 ".%09" PRIu64, u / NS_PER_SEC,
	    u % NS_PER_SEC);
	while (out->p[out->n - 1] == '0')
		out->n--;
	if (out->p[out->n - 1] == '.')
		out->n--;
}

void
query_flags_put(struct buf *out, uint32_t flags)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} names[] = {
		{ VIEW_FAULT, "fault" },
		{ VIEW_ERROR, "error" },
		{ VIEW_THROTTLE, "throttle" },
		{ VIEW_PARTIAL, "partial" },
	};
	size_t before = out->n;

	if (flags & VIEW_OK)
		buf_cat(out, "ok");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (!(flags & names[i].flag))
			continue;
		if (out->n > before)
			buf_char(out, ' ');
		buf_cat(out, names[i].name);
	}
}

bool
query_prints(int status)
{
	return status < 128 && status != STATUS_UNAVAILABLE;
}

int
query_finish(const struct buf *out, uint64_t found)
{
	int status = command_print(out);

	return status == STATUS_OK && found == 0 ? STATUS_FOUND : status;
}

static int
set_by(struct query_ask *ask, const char *by, struct err *err)
{
	static const struct {
		const char *name;
		enum query_by by;
	} keys[] = {
		{ "url", BY_URL },
		{ "user", BY_USER },
		{ "method", BY_METHOD },
		{ "status", BY_STATUS },
		{ "client", BY_CLIENT },
		{ "service", BY_SERVICE },
		{ "rootcause", BY_CAUSE },
	};
	struct str text = str_of(by);

	if (!by)
		return 0;
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (str_eq(text, str_of(keys[i].name))) {
			ask->by = keys[i].by;
			return 0;
		}
	if (str_starts(text, STR("annotation[")) && str_ends(text, STR("]")) &&
	    text.n > sizeof "annotation[]" - 1) {
		ask->by = BY_ANNOTATION;
		ask->by_key = str_trim(str_sub(text, 11, text.n - 12));
		return 0;
	}
	return err_set(err,
	    "--group-by: '%s' is none of url, user, method, status, client, "
	    "service, rootcause and annotation[key]",
	    by);
}

static int
set_sort(struct query_ask *ask, int choice, struct err *err)
{
	bool of_groups;

	ask->sorted = choice > 0;
	if (choice == 0) {
		ask->sort = ask->by ? SORT_COUNT : SORT_TIME;
		return 0;
	}
	ask->sort = (enum query_sort)(choice - 1);
	of_groups = ask->sort >= SORT_COUNT;
	if (of_groups == (ask->by != BY_NOTHING))
		return 0;
	return err_set(err, "--sort: %s can be sorted by %s",
	    ask->by ? "groups" : "a list",
	    ask->by ? "count, average or key"
		    : "time, duration, responsetime, status, url or service");
}

static int
set_form(struct query_ask *ask, const struct flags *f, struct err *err)
{
	if (f->json + f->ndjson + f->csv > 1)
		return err_set(err,
		    "--json, --ndjson and --csv exclude each other");
	if (f->check + f->explain_sql + f->explain_es > 1)
		return err_set(err, "--check, --explain-sql and --explain-es "
				    "exclude each other");
	if (f->findings && f->requests)
		return err_set(err,
		    "--findings and --requests exclude each other");
	ask->form = f->json     ? FORM_JSON
		    : f->ndjson ? FORM_NDJSON
		    : f->csv    ? FORM_CSV
				: FORM_TABLE;
	ask->limit = f->limit;
	if (f->limit == 0)
		ask->limit = ask->form == FORM_TABLE ? 50 : UINT64_MAX;
	return 0;
}

/* Whether what is asked and where it is looked for go together. */
static int
check(const struct query_ask *ask, const struct flags *f, struct err *err)
{
	if (options_check_range(f->since, f->until, err) != 0)
		return -1;
	if (f->check || f->explain_sql || f->explain_es)
		return 0;
	if (f->es.urls.n > 0 && (f->store || ask->n_paths > 0))
		return err_set(err, "--es is asked instead of a store or "
				    "PATHs");
	if (f->es.urls.n > 0 && f->config)
		return err_set(err, "--config is for PATHs");
	if (f->es.urls.n > 0)
		return 0;
	if (f->config && (f->store || !(f->findings || f->requests)))
		return err_set(err, "--config is for --findings and "
				    "--requests of PATHs");
	return options_check_traces(f->store, ask->n_paths, err);
}

/* argv: the expression, then the paths. */
static int
ask_init(struct query_ask *ask, const struct flags *f, int n, char **argv,
    struct err *err)
{
	*ask = (struct query_ask){
		.store = f->store,
		.es = f->es.urls.n > 0 ? &f->es : NULL,
		.config = f->config,
		.paths = argv + 1,
		.n_paths = n > 1 ? (size_t)n - 1 : 0,
		.findings = f->findings,
		.requests = f->requests,
		.quiet = f->quiet,
		.reverse = f->reverse,
		.since_ns = f->since,
		.until_ns = f->until,
		.last_ns = f->last,
		.threads = f->threads,
	};
	if (n == 0)
		return err_set(err,
		    "an EXPRESSION is missing; '' finds everything");
	if (set_form(ask, f, err) != 0 || set_by(ask, f->by, err) != 0 ||
	    set_sort(ask, f->sort, err) != 0)
		return -1;
	return check(ask, f, err);
}

static int
explain(const struct flags *f, const struct query *q)
{
	struct buf out = { 0 };
	struct err err = { "" };
	int rc =
	    f->explain_sql ? query_sql(&out, q, &err) : query_es(&out, q, &err);
	int status = STATUS_USAGE;

	buf_char(&out, '\n');
	if (rc == 0)
		status = command_print(&out);
	else
		command_say("query: %s", err.text);
	buf_fini(&out);
	return status;
}

static int
run_query(const struct flags *f, struct query_ask *ask)
{
	struct term term;
	int status;

	if (f->check)
		return STATUS_OK;
	if (f->explain_sql || f->explain_es)
		return explain(f, ask->query);
	term_init(&term, STDOUT_FILENO, (enum term_color)f->color,
	    (size_t)f->width);
	ask->term = &term;
	if (ask->findings || ask->requests)
		status = query_documents(ask);
	else
		status = ask->by ? query_group(ask) : query_list(ask);
	ask->term = NULL;
	return status;
}

/* What is wrong with the expression, with a caret below it. */
static int
say_bad(struct str text, const struct query_error *bad)
{
	struct buf words = { 0 };
	struct buf safe = { 0 };
	struct str rest;
	struct str line;
	struct term term;

	term_init(&term, STDERR_FILENO, TERM_COLOR_NEVER, 0);
	query_error_print(&words, text, bad);
	rest = str_trim(buf_view(&words));
	buf_cat(&safe, "telltale: query: ");
	while (str_cut(&rest, '\n', &line)) {
		term_text(&safe, line, term.utf8);
		buf_char(&safe, '\n');
	}
	term_text(&safe, rest, term.utf8);
	buf_char(&safe, '\n');
	if (write(STDERR_FILENO, safe.p, safe.n) < 0)
		safe.n = 0; /* there is nobody to tell */
	buf_fini(&words);
	buf_fini(&safe);
	return STATUS_USAGE;
}

/* Parses the expression with its groups, and answers it. */
static int
run_text(const struct flags *f, struct query_ask *ask, struct str text,
    struct err *err)
{
	struct query_groups groups = { 0 };
	struct query_error bad;
	struct buf path = { 0 };
	struct query *q;
	int status;

	if (group_path(&path, f->groups) &&
	    query_groups_read(&groups, path.p, err) != 0) {
		command_say("%s", err->text);
		status = STATUS_NOINPUT;
	} else {
		q = query_parse(text, &groups, &bad);
		ask->query = q;
		status = q ? run_query(f, ask) : say_bad(text, &bad);
		query_free(q);
	}
	query_groups_fini(&groups);
	buf_fini(&path);
	return status;
}

static int
run(int argc, char **argv)
{
	struct flags f;
	struct query_ask ask;
	struct err err = { "" };
	int n;
	int status;

	opt_defaults(opts, &f);
	if (opt_parse(opts, &f, argc, argv, &n, &err) < 0 ||
	    (!f.help && ask_init(&ask, &f, n, argv, &err) != 0))
		status = command_usage(&command_query, &err);
	else if (f.help)
		status = command_help_print(&command_query);
	else
		status = run_text(&f, &ask, str_of(argv[0]), &err);
	opt_fini(opts, &f);
	return status;
}

static const char *const about[] = {
	"EXPRESSION is one of X-Ray's filter expressions, which "
	"telltale-filter(7) describes; '' finds everything. PATH is what "
	"'telltale replay' takes; a store answers the same as the archives "
	"that it was made of.",
	"Exit status 1 says that nothing was found.",
	NULL,
};

static const struct command_example examples[] = {
	{ "query 'service(\"like service\") { responsetime > 1 OR error } AND "
	  "http.method = \"POST\"' traces/",
	    "Traces in which one service was slow or failed." },
	{ "query --group-by url --sort average 'ok = false' traces/",
	    "Where the failing ones are, the slowest first." },
	{ "query --store telltale.db --last 1h --json 'fault'",
	    "The last hour of a store, for a program." },
	{ "query --check 'duration >'", "Is that an expression?" },
	{ NULL, NULL },
};

const struct command command_query = {
	.name = "query",
	.synopsis = "[options] EXPRESSION [PATH ...]",
	.help = "Find traces, requests or findings by an expression.",
	.about = about,
	.examples = examples,
	.opts = opts,
	.run = run,
};
