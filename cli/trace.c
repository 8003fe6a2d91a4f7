/* SPDX-License-Identifier: Apache-2.0 */
/*
 * telltale trace: finds the trace, its log lines, and prints it in one of its
 * forms.  The traces are read once for an id that is given whole; a prefix, or
 * an id that is not there, costs one reading more, over all traces.
 */
#include "cli/trace.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/options.h"
#include "cli/settings.h"
#include "cli/reading.h"
#include "cli/trace_read.h"
#include "core/json.h"
#include "core/mem.h"
#include "ingest/xray.h"
#include "pipeline/trace_probe.h"
#include "sinks/xray_api.h"

struct flags {
	bool help, json, summary, raw, no_logs, quiet;
	const char *compare, *store, *config;
	int color, width, threads;
	uint64_t max_spans;
};

static const struct opt opts[] = {
	{
	    .group = "What is printed",
	    .name = "compare",
	    .type = OPT_TEXT,
	    .offset = offsetof(struct flags, compare),
	    .arg = "ID",
	    .help = "Print the trace beside the trace ID: times of the same "
		    "spans, and what is only in one.",
	},
	{
	    .name = "no-logs",
	    .type = OPT_FLAG,
	    .offset = offsetof(struct flags, no_logs),
	    .help = "Do not look for the log lines of its requests.",
	},
	{
	    .name = "raw",
	    .type = OPT_FLAG,
	    .offset = offsetof(struct flags, raw),
	    .help = "Print its documents as they were sent, one a line.",
	},
	{
	    .name = "json",
	    .type = OPT_FLAG,
	    .offset = offsetof(struct flags, json),
	    .help = "Print the body of X-Ray's BatchGetTraces.",
	},
	{
	    .name = "summary",
	    .type = OPT_FLAG,
	    .offset = offsetof(struct flags, summary),
	    .help = "Print the body of X-Ray's GetTraceSummaries.",
	},
	{
	    .name = "max-spans",
	    .type = OPT_COUNT,
	    .offset = offsetof(struct flags, max_spans),
	    .arg = "N",
	    .preset = "300",
	    .min = 1,
	    .max = 250000,
	    .help = "Show at most N spans, the failing and the longest.",
	},
	{ OPTION_COLOR },
	{ OPTION_WIDTH },
	{ OPTION_QUIET },
	{ .group = "How it is read",
	    OPTION_STORE,
	    .help = "Take the trace from the store FILE that 'telltale replay "
		    "--store' made; PATHs are then looked at for log lines "
		    "only." },
	{ OPTION_CONFIG, .help = "Read what health checks ask for from FILE, "
				 "as telltale.yaml(5) says." },
	{ OPTION_THREADS },
	{ OPTION_HELP },
	{ .name = NULL },
};

/* One run: the options, and where traces are read from. */
struct job {
	const struct flags *f;
	struct replay_options options;
	struct settings settings;
	struct traces_options how;
	char **paths;
	size_t n_paths;
};

/* A trace that was looked for, and the reading that holds it. */
struct wanted {
	struct trace_read read;
	const struct trace *trace;
	uint8_t id[16];
};

static void
say_unknown(const struct id_search *s, const char *text)
{
	struct buf b = { 0 };

	if (s->found > 1)
		buf_printf(&b, "%llu traces begin with '%s': ",
		    (unsigned long long)s->found, text);
	else if (s->n_near == 0)
		buf_printf(&b, "there is no trace %s, nor any other", text);
	else
		buf_printf(&b, "there is no trace %s; the nearest: ", text);
	for (size_t i = 0; i < s->n_near && (s->found == 0 || i < s->found);
	     i++) {
		buf_cat(&b, i > 0 ? ", " : "");
		buf_cat(&b, s->near[i].text);
	}
	if (s->found > ID_NEAR)
		buf_cat(&b, ", ...");
	command_say("%s", buf_cstr(&b));
	buf_fini(&b);
}

static bool
job_open(struct job *j, struct trace_read *read)
{
	if (j->f->store)
		return trace_read_open_store(read, &j->how, j->f->store);
	return trace_read_open(read, &j->how, j->paths, j->n_paths,
	    j->f->quiet);
}

/* All traces: which one is meant.  The status of the command, else. */
static int
search(struct job *j, const struct id_prefix *want, const char *text,
    uint8_t id[16])
{
	struct id_search s = { .want = *want };
	struct trace_read read;
	const struct trace *t;
	int status;

	j->how.only = NULL;
	if (job_open(j, &read))
		for (t = trace_read_next(&read); t; t = trace_read_next(&read))
			id_search_add(&s, t);
	status = read.status;
	if (status == STATUS_OK && s.found == 1) {
		memcpy(id, s.near[0].id, 16);
	} else if (status == STATUS_OK) {
		trace_read_inputs(&read);
		say_unknown(&s, text);
		status = read.status == STATUS_OK ? STATUS_FOUND : read.status;
	}
	trace_read_close(&read);
	return status;
}

/* Reads the trace of w->id.  False: failed, or it is not there. */
static bool
load(struct job *j, struct wanted *w)
{
	j->how.only = w->id;
	if (job_open(j, &w->read))
		w->trace = trace_read_next(&w->read);
	return w->trace != NULL;
}

static int
find(struct job *j, struct wanted *w, const char *text)
{
	struct id_prefix want;
	int status = STATUS_OK;
	bool whole;

	/* run() has checked it. */
	id_prefix_read(&want, text);
	whole = want.n == ID_DIGITS &&
		xray_trace_id((struct str){ want.hex, want.n }, w->id);
	if (whole && load(j, w))
		return STATUS_OK;
	if (whole && w->read.status != STATUS_OK)
		return w->read.status;
	trace_read_close(&w->read);
	status = search(j, &want, text, w->id);
	if (status != STATUS_OK)
		return status;
	if (load(j, w))
		return STATUS_OK;
	/* It was there a moment ago: standard input, or a file that changed. */
	if (w->read.status == STATUS_OK)
		command_say("the trace is no longer there: give its whole id "
			    "for what can be read only once");
	return w->read.status == STATUS_OK ? STATUS_IO : w->read.status;
}

static void
put_json(struct buf *out, const struct trace *a, const struct trace *b)
{
	xray_api_traces_begin(out);
	xray_api_trace(out, a);
	if (b)
		xray_api_trace(out, b);
	xray_api_traces_end(out, NULL, 0);
	buf_char(out, '\n');
}

static void
put_summaries(struct buf *out, const struct trace *a, const struct trace *b)
{
	xray_api_summaries_begin(out);
	xray_api_summary(out, a);
	if (b)
		xray_api_summary(out, b);
	xray_api_summaries_end(out, a->start_ns, b ? 2 : 1);
	buf_char(out, '\n');
}

/* Documents that counted, each on one line. */
static void
put_raw(struct buf *out, const struct trace *t)
{
	struct json json = { 0 };
	struct json_bad bad;

	for (size_t i = 0; t && i < t->n_documents; i++) {
		struct str text = t->documents[i].text;

		if (t->documents[i].span == SPAN_NONE)
			continue;
		if (str_find(text, '\n') == SIZE_MAX)
			buf_str(out, text);
		else if (json_parse(&json, text, &bad) == 0)
			json_put_val(out, json_root(&json));
		buf_char(out, '\n');
	}
	json_fini(&json);
}

/* -1: they could not be looked for, and why was said. */
static int
find_logs(struct job *j, const struct trace *t, struct trace_logs *logs)
{
	struct err err = { "" };
	char **paths = xcalloc(j->n_paths + 1, sizeof *paths);
	size_t n = 0;
	int rc = 0;

	/* What could be read only once has been. */
	for (size_t i = 0; i < j->n_paths; i++)
		if (strcmp(j->paths[i], "-") != 0)
			paths[n++] = j->paths[i];
	*logs = (struct trace_logs){ .trace = t };
	if (n > 0)
		rc = trace_logs_find(logs, &j->options, paths, n,
		    reading_progress(), &err);
	if (rc != 0 && !reading_progress()->stop)
		command_say("log lines: %s", err.text);
	free(paths);
	return rc;
}

static int
print(struct job *j, const struct trace *a, const struct trace *b)
{
	const struct flags *f = j->f;
	struct trace_logs logs = { 0 };
	struct buf out = { 0 };
	struct term term;
	struct pen p = { .out = &out, .term = &term };
	int status = STATUS_OK;
	int stopped;

	term_init(&term, STDOUT_FILENO, (enum term_color)f->color,
	    (size_t)f->width);
	if (f->json) {
		put_json(&out, a, b);
	} else if (f->summary) {
		put_summaries(&out, a, b);
	} else if (f->raw) {
		put_raw(&out, a);
		put_raw(&out, b);
	} else if (b) {
		trace_compare(&p, a, b, (size_t)f->max_spans);
	} else {
		struct waterfall w = { .t = a,
			.max_spans = (size_t)f->max_spans,
			.probe = trace_is_probe(&j->options.probe, a) };

		if (!f->no_logs && find_logs(j, a, &logs) != 0)
			status = STATUS_IO;
		w.logs = f->no_logs ? NULL : &logs;
		trace_draw(&p, &w);
	}
	stopped = reading_stopped();
	if (stopped == STATUS_OK)
		stopped = command_print(&out);
	if (stopped != STATUS_OK)
		status = stopped;
	trace_logs_fini(&logs);
	buf_fini(&out);
	return status;
}

static int
run_trace(const struct flags *f, int argc, char **argv)
{
	struct job j = { .f = f,
		.paths = argv + 1,
		.n_paths = (size_t)argc - 1 };
	struct wanted a = { .trace = NULL };
	struct wanted b = { .trace = NULL };
	const struct settings_given given = { .config = f->config };
	struct err err = { "" };
	int status;

	trace_read_options(&j.how, &j.options);
	j.options.threads = f->threads;
	if (settings_read(&j.settings, &given, &j.options, &err) != 0) {
		settings_fini(&j.settings);
		return command_config(&err);
	}
	status = find(&j, &a, argv[0]);
	if (status == STATUS_OK && f->compare)
		status = find(&j, &b, f->compare);
	if (status == STATUS_OK) {
		status = print(&j, a.trace, b.trace);
		trace_read_inputs(&a.read);
		if (status == STATUS_OK)
			status = a.read.status;
	}
	trace_read_close(&a.read);
	trace_read_close(&b.read);
	settings_fini(&j.settings);
	return status;
}

static int
check_id(const char *text, struct err *err)
{
	struct id_prefix id;

	if (id_prefix_read(&id, text))
		return 0;
	return err_set(err,
	    "'%s' is no trace id: 1-8hex-24hex, 32 hex digits, or at least "
	    "the first 8 of them",
	    text);
}

static int
check(const struct flags *f, int n, char **argv, struct err *err)
{
	if (n == 0)
		return err_set(err, "an ID is missing, and PATHs to look for "
				    "it in");
	if (check_id(argv[0], err) < 0 ||
	    (f->compare && check_id(f->compare, err) < 0))
		return -1;
	if (n == 1 && options_check_traces(f->store, 0, err) != 0)
		return -1;
	if (f->json + f->raw + f->summary > 1)
		return err_set(err,
		    "--json, --summary and --raw exclude each other");
	for (int i = 1; f->compare && i < n; i++)
		if (strcmp(argv[i], "-") == 0)
			return err_set(err, "--compare reads twice: standard "
					    "input cannot be");
	return 0;
}

static int
run(int argc, char **argv)
{
	struct flags f;
	struct err err = { "" };
	int n;
	int status;

	opt_defaults(opts, &f);
	if (opt_parse(opts, &f, argc, argv, &n, &err) < 0 ||
	    (!f.help && check(&f, n, argv, &err) < 0))
		status = command_usage(&command_trace, &err);
	else if (f.help)
		status = command_help_print(&command_trace);
	else
		status = run_trace(&f, n, argv);
	opt_fini(opts, &f);
	return status;
}

static const char *const about[] = {
	"ID is a trace's id, 1-8hex-24hex or 32 hex digits, or the first 8 or "
	"more of its digits. Bars are to the scale of the whole trace; self "
	"is a span's time without its children's.",
	"Log lines stand beside the span of their request: the request's own "
	"line, lines with the trace's id, and lines that the same log stream "
	"has while the request ran.",
	"Exit status 1: there is no such trace, or more than one.",
	NULL,
};

static const struct command_example examples[] = {
	{ "trace 1-6b013e24-cc7287ee0603f3c5f5264fde exports/",
	    "A trace with its log lines." },
	{ "trace 6b013e24 --compare 6b0140f1 segments.ndjson",
	    "A slow trace beside a fast one." },
	{ NULL, NULL },
};

const struct command command_trace = {
	.name = "trace",
	.synopsis = "[options] ID [PATH ... | --store FILE]",
	.help = "Show one trace as a waterfall, with its log lines.",
	.about = about,
	.examples = examples,
	.opts = opts,
	.run = run,
};
