/* SPDX-License-Identifier: Apache-2.0 */
/*
 * telltale simulate: the workshops' traffic without an account.
 */
#include "simulate/simulate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "core/when.h"

#define START "2026-11-21T02:00:00Z"
#define DAEMON "127.0.0.1:2000"

struct flags {
	bool help, live, catalogue, json, quiet;
	const char *out, *udp, *rate;
	uint64_t seed;
	int64_t start_ns, duration_ns;
	int services;
	struct opt_list incidents;
};

static const struct opt opts[] = {
	{
	    .group = "The world",
	    .name = "seed",
	    .type = OPT_COUNT,
	    .offset = offsetof(struct flags, seed),
	    .arg = "N",
	    .preset = "1",
	    .help = "Draw from the seed N; the same options give the same "
		    "bytes.",
	},
	{
	    .name = "start",
	    .type = OPT_TIME,
	    .offset = offsetof(struct flags, start_ns),
	    .arg = "TIME",
	    .absent = START ", with --live now",
	    .help = "Begin at TIME.",
	},
	{
	    .name = "duration",
	    .type = OPT_SPAN,
	    .offset = offsetof(struct flags, duration_ns),
	    .arg = "SPAN",
	    .preset = "1h",
	    .min = NS_PER_SEC,
	    .max = 366 * 86400 * NS_PER_SEC,
	    .help = "Let requests arrive for SPAN; what is in flight then is "
		    "finished.",
	},
	{
	    .name = "rate",
	    .type = OPT_TEXT,
	    .offset = offsetof(struct flags, rate),
	    .arg = "N",
	    .absent = "the workshop's own",
	    .help = "Let N requests of clients arrive a second, on average; "
		    "0.5 is a number.",
	},
	{
	    .name = "services",
	    .type = OPT_INT,
	    .offset = offsetof(struct flags, services),
	    .arg = "N",
	    .absent = "8",
	    .min = 1,
	    .max = 2000,
	    .help = "Make the fleet of N services.",
	},
	{
	    .name = "incident",
	    .type = OPT_LIST,
	    .offset = offsetof(struct flags, incidents),
	    .arg = "KIND[@TIME[+SPAN]]",
	    .help = "Let an incident or a decoy happen, TIME after the start "
		    "(20m) or at a moment, for SPAN; may be given again.",
	},
	{
	    .name = "catalogue",
	    .type = OPT_FLAG,
	    .offset = offsetof(struct flags, catalogue),
	    .help = "List the incidents and decoys, and run nothing.",
	},
	{
	    .name = "json",
	    .type = OPT_FLAG,
	    .offset = offsetof(struct flags, json),
	    .help = "Print the catalogue for programs.",
	},
	{
	    .group = "Where it goes",
	    .name = "out",
	    .letter = 'o',
	    .type = OPT_TEXT,
	    .offset = offsetof(struct flags, out),
	    .arg = "DIR",
	    .absent = "lines to standard output",
	    .help = "Write an archive with labels into DIR, which is made or "
		    "must be empty.",
	},
	{
	    .name = "live",
	    .type = OPT_FLAG,
	    .offset = offsetof(struct flags, live),
	    .help = "Run at the pace of the clock.",
	},
	{
	    .name = "udp",
	    .type = OPT_TEXT,
	    .offset = offsetof(struct flags, udp),
	    .arg = "HOST:PORT",
	    .absent = "none, with --live " DAEMON,
	    .help = "Send segments as datagrams to an X-Ray daemon's address.",
	},
	{
	    .name = "quiet",
	    .letter = 'q',
	    .type = OPT_FLAG,
	    .offset = offsetof(struct flags, quiet),
	    .help = "Do not say how much was written.",
	},
	{
	    .name = "help",
	    .letter = 'h',
	    .type = OPT_FLAG,
	    .offset = offsetof(struct flags, help),
	    .help = "Show this help.",
	},
	{ .name = NULL },
};

/* Millionths a second, of a decimal number. */
static int
read_rate(const char *text, int64_t *micro, struct err *err)
{
	struct str rest = str_of(text);
	int64_t ns;

	*micro = 0;
	if (!text)
		return 0;
	if (!str_seconds_ns(&rest, &ns) || rest.n > 0 || ns < 1000 ||
	    ns > 10000000 * NS_PER_SEC)
		return err_set(err,
		    "--rate: '%s' is no number from 0.000001 "
		    "to 10000000",
		    text);
	*micro = ns / 1000;
	return 0;
}

/* What does not go together. */
static int
check(const struct flags *f, int n, struct err *err)
{
	if (n != 1)
		return err_set(err, n == 0 ? "a workshop is missing"
					   : "one workshop at a time");
	if (f->json)
		return err_set(err, "--json is of --catalogue");
	if (f->live && f->out)
		return err_set(err, "--live writes no archive: without --out");
	if (f->live && f->start_ns != WHEN_NONE)
		return err_set(err, "--live begins now: without --start");
	if (f->start_ns != WHEN_NONE && f->start_ns < 0)
		return err_set(err, "--start: before 1970");
	return 0;
}

static int
print_catalogue(bool json)
{
	struct buf out = { 0 };
	int status;

	if (json)
		simulate_catalogue_json(&out);
	else
		simulate_catalogue(&out);
	status = command_print(&out);
	buf_fini(&out);
	return status;
}

static int
simulate_one(const struct flags *f, const char *workshop)
{
	struct simulate_options o = { .seed = f->seed,
		.start_ns = f->start_ns,
		.duration_ns = f->duration_ns,
		.services = f->services,
		.incidents = f->incidents.v,
		.n_incidents = f->incidents.n,
		.dir = f->out,
		.udp = f->udp,
		.live = f->live };
	struct simulate_totals t = { 0 };
	struct str start = STR(START);
	struct err err = { 0 };
	bool usage;

	if (f->start_ns == WHEN_NONE)
		when_iso(&start, &o.start_ns);
	if (f->live && !f->udp)
		o.udp = DAEMON;
	if (read_rate(f->rate, &o.rate_micro, &err) != 0)
		return command_usage(&command_simulate, &err);
	if (simulate(workshop, &o, &t, &usage, &err) != 0) {
		if (usage)
			return command_usage(&command_simulate, &err);
		command_say("%s", err.text);
		return STATUS_IO;
	}
	if (t.pipe)
		return STATUS_PIPE;
	if (!f->quiet)
		command_say("%llu lines, %llu segments; %llu requests, %llu of "
			    "them health checks",
		    (unsigned long long)t.lines, (unsigned long long)t.segments,
		    (unsigned long long)t.requests,
		    (unsigned long long)t.probes);
	return STATUS_OK;
}

static int
simulate_run(int argc, char **argv)
{
	struct flags f = { 0 };
	struct err err = { 0 };
	int rest = 0;
	int status;

	opt_defaults(opts, &f);
	if (opt_parse(opts, &f, argc, argv, &rest, &err) == 0 && f.help)
		status = command_help_print(&command_simulate);
	else if (!err.text[0] && f.catalogue)
		status = print_catalogue(f.json);
	else if (!err.text[0] && check(&f, rest, &err) == 0)
		status = simulate_one(&f, argv[0]);
	else
		status = command_usage(&command_simulate, &err);
	opt_fini(opts, &f);
	return status;
}

static const struct command_example examples[] = {
	{ "simulate like --incident chaos@20m -o mysfits",
	    "An hour of Mythical Mysfits, chaos mode on for ten minutes; "
	    "'telltale replay mysfits/logs mysfits/xray' finds it." },
	{ "simulate fleet --services 40 --duration 1d -o fleet",
	    "A day of forty services." },
	{ "simulate eks-shop --live",
	    "Lines to standard output and segments to " DAEMON
	    ", until the hour is over." },
	{ "simulate --catalogue", "What can go wrong." },
	{ NULL, NULL },
};

static const char *const about[] = {
	"WORKSHOP is 'like' (Mythical Mysfits: the Like service and the "
	"monolith behind it), 'interstella' (orders by SNS, three "
	"single-threaded services), 'eks-shop' (six services, DynamoDB behind "
	"the catalog), 'threads' (users, posts and threads behind path rules, "
	"with the balancer's access log) or 'fleet' (as many services as asked "
	"for, with the load of a day). Lines, envelopes and segments are those "
	"that the workshops' programs print.",
	"An archive is what an export task leaves (logs/), the balancer's log "
	"(alb/), the segments (xray/segments.ndjson) and what really happened: "
	"labels.json has the services with their true counts and the incidents "
	"with the rule and the cause that should be found, labels.ndjson each "
	"record that is a health check or slow, not found, failed or masked, "
	"by file and line. Replay logs, alb and xray, not the labels.",
	"Without --out lines go to standard output as 'aws logs tail' prints "
	"them, as fast as they can be made.",
	"Every draw is counted from the seed, and an incident draws for "
	"itself: "
	"two runs that differ in an incident differ in nothing else.",
	NULL,
};

const struct command command_simulate = {
	.name = "simulate",
	.synopsis = "[options] WORKSHOP",
	.help = "Write the logs, segments and labels of a workshop's services, "
		"incidents included, without an account.",
	.about = about,
	.examples = examples,
	.opts = opts,
	.run = simulate_run,
};
