/* SPDX-License-Identifier: Apache-2.0 */
/*
 * telltale map: options, the graphs, and in which form they are printed.
 */
#include "cli/map.h"

#include <stdlib.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/options.h"
#include "cli/settings.h"
#include "cli/report.h"
#include "cli/trace_read.h"
#include "core/mem.h"
#include "core/when.h"
#include "ingest/xray.h"
#include "pipeline/trace_graph.h"
#include "pipeline/trace_probe.h"
#include "sinks/xray_api.h"

struct flags {
	bool help, json, dot, quiet;
	const char *trace, *node, *store, *config;
	int64_t series, since, until, last;
	int color, width, threads, probes;
	uint64_t max_nodes;
};

static const struct opt opts[] = {
	{
	    .group = "What is printed",
	    .name = "json",
	    .type = OPT_FLAG,
	    .offset = offsetof(struct flags, json),
	    .help = "Print the body of X-Ray's GetServiceGraph.",
	},
	{
	    .name = "dot",
	    .type = OPT_FLAG,
	    .offset = offsetof(struct flags, dot),
	    .help = "Print the graph for Graphviz.",
	},
	{
	    .name = "series",
	    .type = OPT_SPAN,
	    .offset = offsetof(struct flags, series),
	    .arg = "SPAN",
	    .min = NS_PER_SEC,
	    .help = "Print the body of X-Ray's "
		    "GetTimeSeriesServiceStatistics in steps of SPAN: of what "
		    "clients ask for, or of one --node.",
	},
	{
	    .name = "node",
	    .type = OPT_TEXT,
	    .offset = offsetof(struct flags, node),
	    .arg = "NAME",
	    .help = "With --series: of the service NAME.",
	},
	{
	    .name = "trace",
	    .type = OPT_TEXT,
	    .offset = offsetof(struct flags, trace),
	    .arg = "ID",
	    .help = "Of one trace alone; with --json the body of X-Ray's "
		    "GetTraceGraph.",
	},
	{
	    .name = "max-nodes",
	    .type = OPT_COUNT,
	    .offset = offsetof(struct flags, max_nodes),
	    .arg = "N",
	    .preset = "200",
	    .min = 1,
	    .max = 10000,
	    .help = "Draw at most N nodes, those nearest to the clients.",
	},
	{ OPTION_COLOR },
	{ OPTION_WIDTH },
	{ OPTION_QUIET },
	{ .group = "What is looked at",
	    OPTION_SINCE,
	    .help = "Leave out traces that began before TIME." },
	{ OPTION_UNTIL,
	    .help = "Leave out traces that began at TIME or later." },
	{ OPTION_LAST, .help = "Look at the last SPAN of the archive only." },
	{ OPTION_PROBES,
	    .help = "What becomes of the traces of health checks: counted "
		    "beside, counted like others, or left out. JSON holds "
		    "all but what is left out, as X-Ray's own does." },
	{ .group = "How it is read",
	    OPTION_STORE,
	    .help = "Take the traces from the store FILE that 'telltale "
		    "replay --store' made, instead of an archive." },
	{ OPTION_CONFIG, .help = "Read what health checks ask for from FILE, "
				 "as telltale.yaml(5) says." },
	{ OPTION_THREADS },
	{ OPTION_HELP },
	{ .name = NULL },
};

static int
check(const struct flags *f, int n, uint8_t id[16], struct err *err)
{
	if (options_check_traces(f->store, (size_t)n, err) != 0 ||
	    options_check_range(f->since, f->until, err) != 0)
		return -1;
	if (f->json + f->dot + (f->series > 0) > 1)
		return err_set(err,
		    "--json, --dot and --series exclude each other");
	if (f->node && f->series == 0)
		return err_set(err, "--node is for --series");
	if (f->trace && !xray_trace_id(str_of(f->trace), id))
		return err_set(err,
		    "--trace: '%s' is no trace id: 1-8hex-24hex, or 32 hex "
		    "digits",
		    f->trace);
	return 0;
}

static void
map_init(struct map *m, const struct flags *f)
{
	struct graph_options o = graph_defaults;

	if (f->series > 0)
		o.bucket_ns = f->series;
	*m = (struct map){
		.all = graph_new(&o),
		.clients = graph_new(&o),
		.probes = graph_new(&o),
		.from_ns = WHEN_NONE,
		.to_ns = WHEN_NONE,
		.max_nodes = (size_t)f->max_nodes,
	};
}

static void
map_fini(struct map *m)
{
	graph_free(m->all);
	graph_free(m->clients);
	graph_free(m->probes);
}

static void
map_add(struct map *m, const struct flags *f,
    const struct replay_options *options, const struct trace *t)
{
	bool probe = trace_is_probe(&options->probe, t);

	if (probe && f->probes == PROBES_DROP)
		return;
	m->probe_traces += probe;
	m->traces++;
	trace_graph_add(
	    probe && f->probes == PROBES_FOLD ? m->probes : m->clients, t);
}

static void
put_series(struct buf *out, const struct map *m, const struct flags *f)
{
	struct xray_api_series s = {
		.edges = !f->node,
		.from_ns = f->since,
		.to_ns = f->until,
		.period_ns = f->series,
	};
	const struct graph_series **v = NULL;
	size_t cap = 0;

	for (uint32_t i = 0; i < graph_size(m->all); i++) {
		const struct graph_node *n = graph_at(m->all, i);
		bool client = n->flags & GRAPH_CLIENT;

		if (f->node && !client &&
		    str_eq(n->key.name, str_of(f->node))) {
			v = xgrow(v, s.n + 1, &cap, sizeof *v);
			v[s.n++] = &n->series;
		}
		for (size_t k = 0; !f->node && client && k < n->n_edges; k++) {
			v = xgrow(v, s.n + 1, &cap, sizeof *v);
			v[s.n++] = &n->edges[k].series;
		}
	}
	s.v = v;
	xray_api_time_series(out, &s);
	buf_char(out, '\n');
	free(v);
}

/* "1,773 traces, of them 183 of health checks" */
static void
put_head(struct pen *p, const struct map *m, const struct flags *f)
{
	struct buf b = { 0 };

	report_plural(&b, m->traces, "trace", "traces");
	if (m->probe_traces > 0) {
		buf_cat(&b, ", of them ");
		put_count(&b, m->probe_traces);
		buf_cat(&b, m->probe_traces == 1 ? " of a health check"
						 : " of health checks");
		if (f->probes == PROBES_FOLD)
			buf_cat(&b, ", counted beside");
	}
	pen_wrap(p, PLAIN, buf_view(&b), 0);
	pen_end(p);
	buf_fini(&b);
}

static int
print(const struct map *m, const struct flags *f)
{
	struct buf out = { 0 };
	struct term term;
	struct pen p = { .out = &out, .term = &term };
	int status;

	term_init(&term, STDOUT_FILENO, (enum term_color)f->color,
	    (size_t)f->width);
	if (f->series > 0) {
		put_series(&out, m, f);
	} else if (f->json && f->trace) {
		xray_api_trace_graph(&out, m->all);
		buf_char(&out, '\n');
	} else if (f->json) {
		xray_api_service_graph(&out, m->all, f->since, f->until);
		buf_char(&out, '\n');
	} else if (f->dot) {
		map_dot(&out, m);
	} else {
		put_head(&p, m, f);
		map_draw(&p, m);
	}
	status = command_print(&out);
	buf_fini(&out);
	return status;
}

static int
draw(const struct flags *f, const struct replay_options *options,
    struct trace_read *read, struct map *m)
{
	const struct trace *t;
	int printed;

	for (t = trace_read_next(read); t; t = trace_read_next(read))
		map_add(m, f, options, t);
	graph_merge(m->all, m->clients);
	graph_merge(m->all, m->probes);
	if (read->status != STATUS_OK)
		return read->status;
	trace_read_inputs(read);
	if (m->traces == 0 && f->trace) {
		command_say("there is no trace %s", f->trace);
		return STATUS_FOUND;
	}
	printed = print(m, f);
	return printed == STATUS_OK ? read->status : printed;
}

static int
run_map(const struct flags *f, const uint8_t *id, char **paths, size_t n)
{
	const struct settings_given given = { .config = f->config };
	struct settings settings = { 0 };
	struct replay_options options;
	struct traces_options how;
	struct trace_read read;
	struct err err = { "" };
	struct map m;
	int status;

	trace_read_options(&how, &options);
	options.threads = f->threads;
	options.since_ns = f->since;
	options.until_ns = f->until;
	options.last_ns = f->last;
	how.only = f->trace ? id : NULL;
	if (settings_read(&settings, &given, &options, &err) != 0) {
		settings_fini(&settings);
		return command_config(&err);
	}
	map_init(&m, f);
	if (f->store ? trace_read_open_store(&read, &how, f->store)
		     : trace_read_open(&read, &how, paths, n, f->quiet))
		status = draw(f, &options, &read, &m);
	else
		status = read.status;
	trace_read_close(&read);
	map_fini(&m);
	settings_fini(&settings);
	return status;
}

static int
run(int argc, char **argv)
{
	struct flags f;
	struct err err = { "" };
	uint8_t id[16];
	int n;
	int status;

	opt_defaults(opts, &f);
	if (opt_parse(opts, &f, argc, argv, &n, &err) < 0 ||
	    (!f.help && check(&f, n, id, &err) < 0))
		status = command_usage(&command_map, &err);
	else if (f.help)
		status = command_help_print(&command_map);
	else
		status = run_map(&f, id, argv, (size_t)n);
	opt_fini(opts, &f);
	return status;
}

static const char *const about[] = {
	"A service is drawn below the one nearest to the clients that calls "
	"it. A row has the numbers of the calls, as the caller saw them; "
	"where the service's own differ, a row \"itself\" follows. Health "
	"checks are counted beside.",
	"A dashed line is of events that led to traces of their own, as the "
	"links of X-Ray's segments say: how many were received, and how old "
	"they were by then.",
	"Exit status 1: there is no such trace.",
	NULL,
};

static const struct command_example examples[] = {
	{ "map exports/", "Everything below a directory." },
	{ "map --dot exports/ | dot -Tsvg > map.svg", "As a picture." },
	{ "map --series 5m --node 'like service' segments.ndjson",
	    "One service over time." },
	{ NULL, NULL },
};

const struct command command_map = {
	.name = "map",
	.synopsis = "[options] PATH ... | --store FILE",
	.help = "Draw the service graph of archived traces.",
	.about = about,
	.examples = examples,
	.opts = opts,
	.run = run,
};
