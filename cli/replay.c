/* SPDX-License-Identifier: Apache-2.0 */
/*
 * telltale replay: options to settings, the run, and what is printed.
 *
 * An interrupted run prints nothing of what it has: half an archive's findings
 * look like all of them.
 */
#include "cli/replay.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/alerting.h"
#include "cli/command.h"
#include "cli/indexing.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/reading.h"
#include "cli/replay_json.h"
#include "cli/replay_traces.h"
#include "cli/report.h"
#include "cli/settings.h"
#include "core/mem.h"
#include "pipeline/keep.h"
#include "pipeline/requests.h"

struct flags {
	bool help, json, ndjson, quiet, explain, pcre2, store_requests,
	    store_logs;
	const char *out, *service, *rule, *dialect, *store, *explain_finding,
	    *config;
	int64_t since, until, last, slow, store_keep;
	int fail_on, probes, threads, color, width;
	struct opt_list probe_paths, probe_agents, names;
	struct indexing_flags es;
	const char *es_refused;
	struct alerting_flags alerts;
	size_t block, line, document, store_max;
	uint64_t ratio;
};

static const char *const levels[] = { "never", "info", "warning", "critical",
	NULL };

static const struct opt opts[] = {
	{
	    .group = "What is printed",
	    .name = "json",
	    .type = OPT_FLAG,
	    .offset = offsetof(struct flags, json),
	    .help = "Print one JSON object instead of the report.",
	},
	{
	    .name = "ndjson",
	    .type = OPT_FLAG,
	    .offset = offsetof(struct flags, ndjson),
	    .help = "Print a finding a line, as the document that would be "
		    "stored.",
	},
	{
	    .name = "out",
	    .letter = 'o',
	    .type = OPT_TEXT,
	    .offset = offsetof(struct flags, out),
	    .arg = "DIR",
	    .help = "Write documents as NDJSON files into DIR as well, which "
		    "is made where missing.",
	},
	{ OPTION_COLOR },
	{ OPTION_WIDTH },
	{ OPTION_QUIET },
	{
	    .name = "explain-input",
	    .type = OPT_FLAG,
	    .offset = offsetof(struct flags, explain),
	    .help = "Do not replay; say of each input what it was recognised "
		    "as, why, and show its first record.",
	},
	{ .group = "What is looked at",
	    OPTION_SINCE,
	    .help = "Leave out what happened before TIME, by the events' own "
		    "time." },
	{ OPTION_UNTIL, .help = "Leave out what happened at TIME or later." },
	{ OPTION_LAST, .help = "Look at the last SPAN of the archive only." },
	{
	    .name = "service",
	    .letter = 's',
	    .type = OPT_TEXT,
	    .offset = offsetof(struct flags, service),
	    .arg = "NAME",
	    .help = "Look at one service only, by the name that the report "
		    "gives it. One that there is not is a wrong option.",
	},
	{
	    .name = "service-name",
	    .type = OPT_LIST,
	    .offset = offsetof(struct flags, names),
	    .arg = "GROUP=NAME",
	    .help = "Call a program NAME, in its logs and its traces: GROUP is "
		    "its log group, stream or path, or the name in its "
		    "segments, where * stands for any text and ? for one "
		    "character.",
	},
	{
	    .name = "dialect",
	    .type = OPT_TEXT,
	    .offset = offsetof(struct flags, dialect),
	    .arg = "FILE",
	    .help = "Read further access-line dialects from FILE: lines of "
		    "\"name: pattern\" with named groups: " DIALECT_GROUPS ".",
	},
	{ .group = "What is judged",
	    OPTION_CONFIG,
	    .help = "Read thresholds, names of services and what health checks "
		    "ask for from FILE, as telltale.yaml(5) says. An option "
		    "goes before what FILE says." },
	{
	    .name = "rule",
	    .letter = 'r',
	    .type = OPT_TEXT,
	    .offset = offsetof(struct flags, rule),
	    .arg = "NAME",
	    .help = "Judge by one rule only.",
	},
	{
	    .name = "explain-finding",
	    .type = OPT_TEXT,
	    .offset = offsetof(struct flags, explain_finding),
	    .arg = "ID",
	    .help = "Print how a finding was decided: its windows and cells, "
		    "the baseline and the arithmetic.",
	},
	{
	    .name = "slow",
	    .type = OPT_SPAN,
	    .offset = offsetof(struct flags, slow),
	    .arg = "SPAN",
	    .absent = "the configuration's, else 1s",
	    .min = 1000000,
	    .help = "A request is slow above SPAN, whatever the service and "
		    "route.",
	},
	{
	    .name = "fail-on",
	    .type = OPT_CHOICE,
	    .offset = offsetof(struct flags, fail_on),
	    .arg = "LEVEL",
	    .preset = "never",
	    .choices = levels,
	    .help = "Exit with status 1 when there is a finding of LEVEL or "
		    "above.",
	},
	{ OPTION_PROBES,
	    .help = "What becomes of health checks that succeed: folded into "
		    "the roll-up, kept as documents, or dropped and counted." },
	{
	    .name = "probe-path",
	    .type = OPT_LIST,
	    .offset = offsetof(struct flags, probe_paths),
	    .arg = "PATH",
	    .absent = probe_usual_text,
	    .help = "Health checks ask for PATH.",
	},
	{
	    .name = "probe-agent",
	    .type = OPT_LIST,
	    .offset = offsetof(struct flags, probe_agents),
	    .arg = "PREFIX",
	    .help = "Health checks have a user agent that begins with PREFIX, "
		    "as ELB-HealthChecker/ and kube-probe/ do.",
	},
	{ .group = "What is kept",
	    OPTION_STORE,
	    .help = "Keep findings, roll-ups and traces in the store FILE, "
		    "which is made where missing; 'telltale query' asks it." },
	{
	    .name = "store-requests",
	    .type = OPT_FLAG,
	    .offset = offsetof(struct flags, store_requests),
	    .help = "Keep the requests of logs in the store as well.",
	},
	{
	    .name = "store-logs",
	    .type = OPT_FLAG,
	    .offset = offsetof(struct flags, store_logs),
	    .help = "Keep the other log lines in the store as well, to search "
		    "in.",
	},
	{
	    .name = "store-keep",
	    .type = OPT_SPAN,
	    .offset = offsetof(struct flags, store_keep),
	    .arg = "SPAN",
	    .min = 1000000000,
	    .absent = "for ever",
	    .help = "Delete from the store what is older than SPAN, counted "
		    "from the latest time in it.",
	},
	{
	    .name = "store-max",
	    .type = OPT_SIZE,
	    .offset = offsetof(struct flags, store_max),
	    .arg = "SIZE",
	    .min = 1024 * 1024,
	    .absent = "any size",
	    .help = "Delete the oldest from the store until it has at most "
		    "SIZE.",
	},
	{ .group = "What is indexed",
	    OPTION_ES,
	    .help = "Index the documents that --out would write in the "
		    "Elasticsearch or OpenSearch at URL, each once, however "
		    "often it is replayed. May be given again, for further "
		    "hosts of one cluster. TELLTALE_ES_USER and "
		    "TELLTALE_ES_PASSWORD, or TELLTALE_ES_API_KEY, say who "
		    "asks." },
	{ OPTION_ES_CA },
	{ OPTION_ES_WAIT },
	{ OPTION_ES_BULK },
	{ OPTION_ES_REFUSED },
	{ .group = "Who is told", OPTION_ALERTS },
	OPTIONS_ALERTS,
	{ .group = "How it is read", OPTION_THREADS },
	{
	    .name = "pcre2",
	    .type = OPT_FLAG,
	    .offset = offsetof(struct flags, pcre2),
	    .help = "Decode every line by its dialect's pattern: slower, with "
		    "the same result.",
	},
	{
	    .name = "block-size",
	    .type = OPT_SIZE,
	    .offset = offsetof(struct flags, block),
	    .arg = "SIZE",
	    .preset = "256K",
	    .min = 1,
	    .max = 1024 * 1024,
	    .help = "Read so much at once.",
	},
	{
	    .name = "max-line",
	    .type = OPT_SIZE,
	    .offset = offsetof(struct flags, line),
	    .arg = "SIZE",
	    .preset = "1M",
	    .min = 256,
	    .max = 256 * 1024 * 1024,
	    .help = "A longer line is a dead letter.",
	},
	{
	    .name = "max-document",
	    .type = OPT_SIZE,
	    .offset = offsetof(struct flags, document),
	    .arg = "SIZE",
	    .preset = "8M",
	    .min = 1024,
	    .max = 1024 * 1024 * 1024,
	    .help = "A longer JSON document is a dead letter.",
	},
	{
	    .name = "max-ratio",
	    .type = OPT_COUNT,
	    .offset = offsetof(struct flags, ratio),
	    .arg = "N",
	    .preset = "1200",
	    .min = 1,
	    .max = 1000000,
	    .help = "Stop reading an input that inflates to more than N times "
		    "its size, after the first 64 MiB; its documents are held "
		    "to the same.",
	},
	{ OPTION_HELP },
	{ .name = NULL },
};

/* Options and what they point to, freed together. */
struct setup {
	struct replay_options options;
	struct settings settings;
	struct dialect_user *dialects;
};

static int
set_rule(struct setup *s, const char *name, struct err *err)
{
	const char *names[RULES];
	size_t n = 0;
	int near;

	if (!name)
		return 0;
	for (const struct rule_info *r = judge_rules(); r->name; r++) {
		if (strcmp(r->name, name) == 0) {
			s->options.judge.thresholds.only = r->name;
			return 0;
		}
		names[n++] = r->name;
	}
	near = opt_nearest(str_of(name), names, n);
	if (near >= 0)
		return err_set(err,
		    "--rule: there is no rule '%s'; did you mean '%s'?", name,
		    names[near]);
	return err_set(err,
	    "--rule: there is no rule '%s'; 'telltale components' lists them",
	    name);
}

static void
setup_fini(struct setup *s)
{
	settings_fini(&s->settings);
	dialect_user_free(s->dialects);
}

/* Explaining an input is no replay, and both explanations are text. */
static int
check_explain(const struct flags *f, struct err *err)
{
	const char *id = f->explain_finding;

	if (f->explain &&
	    (f->json || f->ndjson || f->out || f->store || f->es.urls.n > 0 ||
		f->alerts.publish || f->alerts.print))
		return err_set(err,
		    "--explain-input does not replay: without --json, "
		    "--ndjson, --out, --store, --es, --alerts and "
		    "--print-alerts");
	if (!id)
		return 0;
	if (f->json || f->ndjson || f->explain || f->alerts.print)
		return err_set(err, "--explain-finding prints text: without "
				    "--json, --ndjson, --print-alerts and "
				    "--explain-input");
	if (strlen(id) != FINDING_ID)
		return err_set(err,
		    "--explain-finding: expected the id of a finding, %d "
		    "characters",
		    FINDING_ID);
	return 0;
}

/* An option of the store, and not --store itself. */
static bool
lacks_store(const struct flags *f)
{
	return !f->store && (f->store_requests || f->store_logs ||
				f->store_keep > 0 || f->store_max > 0);
}

/* An option of what is indexed, and not --es itself. */
static bool
lacks_es(const struct flags *f)
{
	return f->es.urls.n == 0 && (f->es.ca_file || f->es_refused);
}

/* Options that do not go together. */
static int
check(const struct flags *f, struct err *err)
{
	if (f->json + f->ndjson + f->alerts.print > 1)
		return err_set(err, "--json, --ndjson and --print-alerts "
				    "exclude each other");
	if (check_explain(f, err) != 0)
		return -1;
	if (lacks_store(f))
		return err_set(err, "--store is missing: the other options of "
				    "the store need its FILE");
	if (lacks_es(f))
		return err_set(err, "--es is missing: the other options of "
				    "what is indexed need its URL");
	return options_check_range(f->since, f->until, err);
}

static int
setup_init(struct setup *s, const struct flags *f, struct err *err)
{
	struct replay_options *o = &s->options;
	const struct settings_given given = { .config = f->config,
		.names = &f->names,
		.agents = &f->probe_agents,
		.paths = &f->probe_paths };

	*s = (struct setup){ 0 };
	replay_options_init(o);
	if (check(f, err) != 0)
		return -1;
	o->judge.explain = f->explain_finding;
	o->limits.block_bytes = f->block;
	o->limits.line_bytes = f->line;
	o->limits.document_bytes = f->document;
	o->limits.inflate_ratio = f->ratio;
	o->threads = f->threads;
	o->since_ns = f->since;
	o->until_ns = f->until;
	o->last_ns = f->last;
	o->service = str_of(f->service);
	o->probes = (enum probes)f->probes;
	o->out = f->out;
	if (f->pcre2)
		o->message_flags |= MESSAGE_PCRE2;
	o->limits.stop = &reading_progress()->stop;
	o->judge.thresholds.slow_ns = f->slow;
	if (set_rule(s, f->rule, err) < 0 ||
	    settings_read(&s->settings, &given, o, err) < 0 ||
	    alerting_check(&f->alerts, &s->settings.config.alerts, err) < 0)
		return -1;
	if (!f->dialect)
		return 0;
	s->dialects = dialect_user_load(f->dialect, err);
	o->dialects = s->dialects;
	return s->dialects ? 0 : -1;
}

/* A name that was typed and is nobody's: a slip of the keyboard, perhaps.  A
 * file is for many archives. */
static void
say_unused(const struct replay_options *o, const struct replay_result *r)
{
	for (size_t i = 0; r->names_used && i < o->n_names; i++)
		if (!r->names_used[i] && !o->names[i].file)
			command_say("--service-name: no log group, stream, "
				    "path or traced service is '%.*s'",
			    STR_ARG(o->names[i].group));
}

static bool
judged_bad(const struct replay_result *r, int fail_on)
{
	for (size_t i = 0; i < r->findings.n; i++)
		if (fail_on > 0 &&
		    (int)r->findings.v[i].severity + 1 >= fail_on)
			return true;
	return false;
}

/* One run: what was asked for, and where it goes. */
struct job {
	const struct flags *f;
	struct replay_options *options;
	const struct term *term;
	struct alerting *alerts; /* NULL: none are wanted */
	char **paths;
	size_t n_paths;
};

static int
print(const struct job *job, const struct replay_result *result,
    const struct trace_tops *traces)
{
	const struct flags *f = job->f;
	const struct report report = { job->options, result, job->term, traces,
		alerting_counts(job->alerts) };
	const struct buf *messages = alerting_printed(job->alerts);
	struct buf out = { 0 };
	bool explained = true;
	int status;

	if (f->explain_finding)
		explained =
		    replay_explain_finding(&out, &report, f->explain_finding);
	else if (messages)
		buf_str(&out, buf_view(messages));
	else if (f->json)
		replay_json(&out, &report);
	else if (f->ndjson)
		replay_ndjson(&out, result);
	else
		report_print(&out, &report);
	status = command_print(&out);
	buf_fini(&out);
	if (!explained && status == STATUS_OK) {
		command_say("there is no finding '%s' in these inputs, with "
			    "these options",
		    f->explain_finding);
		status = STATUS_NOINPUT;
	}
	return status;
}

/* Into the store, while progress is still shown. */
static int
keep_result(const struct flags *f, const struct replay_options *options,
    const struct replay_result *result, struct err *err)
{
	const struct keep_options k = {
		.path = f->store,
		.documents = options->out,
		.requests = f->store_requests,
		.logs = f->store_logs,
		.keep_ns = f->store_keep,
		.max_bytes = f->store_max,
	};
	struct keep_counts counts;

	if (!f->store || result->interrupted)
		return 0;
	return keep(&k, options, result, reading_progress(), &counts, err);
}

/* Alerts first, as the report counts them. */
static int
tell(const struct job *job, const struct replay_result *result,
    const struct trace_tops *traces)
{
	int failed = reading_failed(result);
	int status;

	say_unused(job->options, result);
	if (job->alerts)
		alerting_run(job->alerts, job->options, result);
	status = reading_stopped();
	if (status == STATUS_OK)
		status = print(job, result, traces);
	if (status == STATUS_OK)
		status =
		    judged_bad(result, job->f->fail_on) ? STATUS_FOUND : failed;
	return status;
}

static int
run_replay(const struct job *job)
{
	const struct flags *f = job->f;
	const struct replay_options *options = job->options;
	struct replay_result result;
	struct trace_tops traces;
	struct replay_progress *progress = reading_progress();
	struct progress *shown;
	struct err err = { "" };
	int status;
	int rc;

	reading_signals();
	trace_tops_init(&traces, options->judge.thresholds.limits[0]);
	shown = progress_begin(progress, f->quiet);
	rc = replay(options, job->paths, job->n_paths, progress, &result, &err);
	if (rc == 0)
		rc = keep_result(f, options, &result, &err);
	if (rc == 0 && !f->ndjson && !f->explain_finding && !result.interrupted)
		rc = replay_traces(&traces, options, &result, progress, &err);
	progress_end(shown, rc == 0 && !progress->stop);
	status = reading_stopped();
	if (status == STATUS_OK && rc < 0) {
		if (result.no_service)
			reading_failed(&result);
		command_say("%s", err.text);
		status = result.no_service      ? STATUS_USAGE
			 : result.inputs.n == 0 ? STATUS_NOINPUT
						: STATUS_IO;
	} else if (status == STATUS_OK) {
		status = tell(job, &result, &traces);
	}
	trace_tops_fini(&traces);
	replay_result_fini(&result);
	return status;
}

/* Roll-ups, requests and logs reach the store by way of documents: in a folder
 * of their own when nobody asked for them. */
static int
run_with_folder(const struct job *job)
{
	const struct flags *f = job->f;
	struct replay_options *options = job->options;
	struct buf folder = { 0 };
	struct err err = { "" };
	int status;

	if (!f->store || options->out)
		return run_replay(job);
	if (requests_folder(&folder, &err) != 0) {
		command_say("%s", err.text);
		buf_fini(&folder);
		return STATUS_IO;
	}
	options->out = buf_cstr(&folder);
	options->out_kinds = 1u << FILE_ROLLUPS |
			     (unsigned)f->store_requests << FILE_REQUESTS |
			     (unsigned)f->store_logs << FILE_LOGS;
	status = run_replay(job);
	options->out = NULL;
	requests_folder_remove(&folder);
	buf_fini(&folder);
	return status;
}

/* With a server to index in, where one is asked for. */
static int
run_indexed(const struct job *job)
{
	const struct flags *f = job->f;
	struct replay_options *options = job->options;
	int status = STATUS_OK;

	if (f->es.urls.n == 0)
		return run_with_folder(job);
	options->elastic =
	    indexing_open(&command_replay, &f->es, f->es_refused, &status);
	if (!options->elastic)
		return status;
	status = run_with_folder(job);
	status = indexing_status(options->elastic, f->es_refused, status);
	elastic_close(options->elastic);
	options->elastic = NULL;
	return status;
}

/* With somebody to tell, where that is asked for. */
static int
run_alerting(struct job *job, const struct config_alerts *config)
{
	int status;

	job->alerts =
	    alerting_open(&command_replay, &job->f->alerts, config, &status);
	if (status == STATUS_OK)
		status = alerting_status(job->alerts, run_indexed(job));
	alerting_close(job->alerts);
	return status;
}

static int
prepare(struct setup *s, const struct flags *f, size_t paths, struct err *err)
{
	if (options_check_paths(paths, err) != 0)
		return -1;
	return setup_init(s, f, err);
}

static int
run(int argc, char **argv)
{
	struct flags f;
	struct setup s = { 0 };
	struct err err = { "" };
	struct term term;
	int n;
	int status;

	opt_defaults(opts, &f);
	if (opt_parse(opts, &f, argc, argv, &n, &err) < 0 ||
	    (!f.help && prepare(&s, &f, (size_t)n, &err) < 0)) {
		status = s.settings.config_bad
			     ? command_config(&err)
			     : command_usage(&command_replay, &err);
	} else if (f.help) {
		status = command_help_print(&command_replay);
	} else {
		term_init(&term, STDOUT_FILENO, (enum term_color)f.color,
		    (size_t)f.width);
		struct job job = { &f, &s.options, &term, NULL, argv,
			(size_t)n };

		status =
		    f.explain
			? replay_explain(&s.options, &term, argv, (size_t)n)
			: run_alerting(&job, &s.settings.config.alerts);
	}
	setup_fini(&s);
	opt_fini(opts, &f);
	return status;
}

static const char *const about[] = {
	"PATH is a file, a directory (everything below it is read), or - for "
	"standard input. Formats are recognised from content: CloudWatch Logs "
	"exports and API answers, X-Ray segments, access logs, plain or in "
	"gzip. Nothing is left behind unless --out says so.",
	"The report goes to standard output and is the same for the same "
	"records, whatever the number of threads, the order of the inputs or "
	"their packing. Progress goes to standard error when that is a "
	"terminal.",
	NULL,
};

static const struct command_example examples[] = {
	{ "replay exports/", "Everything below a directory." },
	{ "replay --last 2h --service api logs/ segments.ndjson",
	    "The last two hours of one service, logs and traces together." },
	{ "replay --json --fail-on critical logs/ > findings.json",
	    "For scripts: exit status 1 when something is critical." },
	{ "replay --explain-input mystery.gz",
	    "What this file was taken for." },
	{ NULL, NULL },
};

const struct command command_replay = {
	.name = "replay",
	.synopsis = "[options] PATH ...",
	.help = "Turn archived logs and traces into findings.",
	.about = about,
	.examples = examples,
	.opts = opts,
	.run = run,
};
