/* SPDX-License-Identifier: Apache-2.0 */
/* The report and the JSON of a replay, from a result made by hand. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/command.h"
#include "cli/replay_json.h"
#include "cli/report.h"
#include "core/json.h"
#include "core/when.h"

#define T0 INT64_C(1550731584000000000) /* 2019-02-21T06:46:24Z */

static char like[] = "like service";
static char hostile[] = "mono\x1b]0;x\x07lith\xe2\x80\xae";
static char route_like[] = "/mysfits/{id}/like";
static char route_long[] =
    "/a/very/long/route/that/goes/on/and/on/and/on/{id}/until/the/end";
static char rule[] = "from its segments";
static char path_gz[] = "../shared/corpus/like-service/python2-2019/logs/"
			"s3-export/like/e208c0a9-eba8-524c-8953-345191a1c1c1/"
			"awslogs-mythicalmysfits-service-like-service-03907d48/"
			"000000.gz";
static char path_bad[] = "evil\x1b[31m.gz";
static char path_gone[] = "gone.gz";
static char path_skip[] = "aws-logs-write-test";
static char why_gone[] = "No such file or directory";
static char why_skip[] = "the export's write test";

/* A result, with all that hangs on it. */
struct world {
	struct replay_options options;
	struct replay_result result;
	struct input inputs[4];
	struct replay_input read[4];
	struct replay_service services[2];
	struct replay_route routes[3];
	struct finding findings[2];
};

static void
fill_inputs(struct world *w)
{
	static char *const paths[] = { path_gz, path_bad, path_gone,
		path_skip };
	static const enum input_state states[] = { INPUT_READ, INPUT_READ,
		INPUT_FAILED, INPUT_SKIPPED };

	for (int i = 0; i < 4; i++) {
		w->inputs[i] =
		    (struct input){ .path = paths[i], .state = states[i] };
		w->read[i] = (struct replay_input){ .input = &w->inputs[i],
			.first_ns = WHEN_NONE,
			.last_ns = WHEN_NONE };
	}
	w->inputs[2].why = why_gone;
	w->inputs[3].why = why_skip;
	w->read[0].envelope = "s3-export";
	w->read[0].notes.bytes = 1000;
	w->read[1].notes = (struct source_notes){ .bytes = 9,
		.broken = 1,
		.bomb = true,
		.what = "unexpected end \x1b[2J" };
	w->read[1].accounts.n[RECORD_LOG][ACCOUNT_READ] = 2;
	w->read[1].accounts.n[RECORD_LOG][ACCOUNT_DEAD] = 2;
	w->result.inputs = (struct inputs){ .v = w->inputs, .n = 4 };
	w->result.read = w->read;
}

static void
fill_services(struct world *w)
{
	w->routes[0] = (struct replay_route){ METHOD_POST, route_like, 1252,
		{ 0, 0, 1100, 0, 140, 12 }, 130, 0, { 0 } };
	w->routes[1] = (struct replay_route){ METHOD_GET, route_long, 12345678,
		{ 0, 0, 12345678, 0, 0, 0 }, 0, 0, { 0 } };
	w->routes[2] = (struct replay_route){ METHOD_GET, hostile, 1,
		{ 1, 0, 0, 0, 0, 0 }, 0, 184, { 0 } };
	for (int i = 0; i < 100; i++)
		histogram_add(&w->routes[0].latency,
		    (24 + (i > 60) * 2700) * NS_PER_MS);
	w->services[0] = (struct replay_service){ .name = like,
		.rule = rule,
		.requests = 12346930,
		.probes = 184,
		.probes_bad = 3,
		.probable = 2,
		.in_both = 420,
		.from_traces = 1,
		.logs = 99,
		.first_ns = T0,
		.last_ns = T0 + 914 * NS_PER_SEC,
		.routes = w->routes,
		.n_routes = 3 };
	w->services[1] = (struct replay_service){ .name = hostile,
		.first_ns = WHEN_NONE,
		.last_ns = WHEN_NONE };
	for (int i = 0; i < REPLAY_BUCKETS; i++) {
		bool chaos = i > 20 && i < 43;

		if (i == 5)
			continue;
		w->services[0].buckets[i] = (struct replay_bucket){ .n = 20,
			.errors = chaos ? 5 : 0,
			.timed = 20,
			.sum_us = chaos ? 20 * 2800000 : 20 * 24000 };
	}
	w->result.services = w->services;
	w->result.n_services = 2;
	w->result.bucket_ns = 15 * NS_PER_SEC;
}

static void
fill_findings(struct world *w)
{
	for (int i = 0; i < 2; i++)
		w->findings[i] = (struct finding){
			.rule = i ? "not-found" : "slow-post",
			.severity = i ? SEVERITY_WARNING : SEVERITY_CRITICAL,
			.service = i ? hostile : like,
			.method = METHOD_POST,
			.route = route_like,
			.start_ns = T0 + 319 * NS_PER_SEC,
			.end_ns = T0 + 649 * NS_PER_SEC,
			.detected_ns = T0 + 329 * NS_PER_SEC,
			.open = i == 1,
			.bad = 85,
			.total = 108,
			.base_bad = 0,
			.base_total = 68,
			.window_ns = 300 * NS_PER_SEC,
			.window_bad = 69,
			.window_total = 100,
			.value_ppm = 787037,
			.baseline_ppm = 2272,
			.threshold_ppm = 100000,
			.g_milli = 342123,
			.h_milli = 13816,
			.unit = i ? "404 answers" : "requests over 1 s",
			.phrase = i ? "answered 404 in # requests"
				    : "took over 1 s in # requests",
			.before_ns = 24 * NS_PER_MS,
			.after_ns = i ? -1 : 2800 * NS_PER_MS,
			.over_ns = NS_PER_SEC,
			.evidence = { { .input = 0, .line = 1234 },
			    { .input = 1,
				.line = 7,
				.has_trace = true,
				.trace = { 0x5c, 0x6e } },
			    { .has_trace = true, .trace = { 0x5c } } },
			.n_evidence = 3,
			.id = "AAAAAAAAAAAAAAAAAAAAAA",
		};
	w->result.findings = (struct findings){ .v = w->findings, .n = 2 };
}

static void
fill(struct world *w)
{
	uint64_t(*n)[ACCOUNTS] = w->result.accounts.n;

	*w = (struct world){ 0 };
	replay_options_init(&w->options);
	fill_inputs(w);
	fill_services(w);
	fill_findings(w);
	n[RECORD_REQUEST][ACCOUNT_READ] = 12347114;
	n[RECORD_REQUEST][ACCOUNT_STORED] = 12346930;
	n[RECORD_REQUEST][ACCOUNT_FOLDED] = 184;
	n[RECORD_LOG][ACCOUNT_READ] = 101;
	n[RECORD_LOG][ACCOUNT_STORED] = 99;
	n[RECORD_LOG][ACCOUNT_DEAD] = 2;
	w->result.traces = 420;
	w->result.first_ns = T0;
	w->result.last_ns = T0 + 914 * NS_PER_SEC;
}

static void
forget(struct world *w)
{
	histogram_fini(&w->routes[0].latency);
}

/* The report with the escapes of colour taken out again. */
static void
print(struct buf *out, struct world *w, const struct term *term)
{
	const struct report report = { &w->options, &w->result, term, NULL,
		NULL };

	report_print(out, &report);
	/* TELLTALE_SHOW=1: for a look at it. */
	if (getenv("TELLTALE_SHOW"))
		fwrite(out->p, 1, out->n, stdout);
}

/* What is to be copied, and so is not broken. */
static bool
is_reference(struct str line)
{
	return str_ends(line, STR(":1234")) ||
	       str_find_str(line, STR(" trace 1-")) != SIZE_MAX;
}

Test(report, no_line_is_wider_than_the_terminal)
{
	static const size_t widths[] = { 40, 60, 80, 100, 200 };
	struct world w;
	struct buf out = { 0 };

	fill(&w);
	for (size_t i = 0; i < 2 * sizeof widths / sizeof widths[0]; i++) {
		const struct term term = { .utf8 = i & 1,
			.width = widths[i / 2] };
		struct str rest;
		struct str line;

		buf_reset(&out);
		print(&out, &w, &term);
		rest = buf_view(&out);
		while (str_cut(&rest, '\n', &line)) {
			cr_expect(term_columns(line) <= term.width ||
				      is_reference(line),
			    "%zu columns in %zu: %.*s", term_columns(line),
			    term.width, STR_ARG(line));
			cr_expect(!str_ends(line, STR(" ")), "[%.*s]",
			    STR_ARG(line));
		}
	}
	buf_fini(&out);
	forget(&w);
}

Test(report, a_reference_can_be_copied)
{
	struct world w;
	struct buf out = { 0 };

	fill(&w);
	for (size_t width = 40; width < 300; width += 13) {
		const struct term term = { .utf8 = true, .width = width };
		struct buf want = { 0 };

		buf_reset(&out);
		print(&out, &w, &term);
		buf_printf(&want, "%s:1234", path_gz);
		cr_expect(str_find_str(buf_view(&out), buf_view(&want)) !=
			      SIZE_MAX,
		    "at %zu columns", width);
		cr_expect(
		    str_find_str(buf_view(&out),
			STR("trace 1-5c6e0000-000000000000000000000000")) !=
			SIZE_MAX,
		    "at %zu columns", width);
		buf_fini(&want);
	}
	buf_fini(&out);
	forget(&w);
}

Test(report, nothing_hostile_reaches_the_terminal)
{
	struct world w;
	struct buf out = { 0 };

	fill(&w);
	for (int utf8 = 0; utf8 < 2; utf8++) {
		const struct term term = { .utf8 = utf8, .width = 100 };
		struct str rest;
		uint32_t c;

		buf_reset(&out);
		print(&out, &w, &term);
		rest = buf_view(&out);
		while (rest.n > 0) {
			cr_assert(term_utf8(&rest, &c));
			cr_assert(c == '\n' || (c >= ' ' && c < 0x7f) ||
				      (utf8 && c > 0x9f && c != 0x202e),
			    "%x", (unsigned)c);
		}
	}
	buf_fini(&out);
	forget(&w);
}

Test(report, colour_changes_no_character)
{
	const struct term plain = { .utf8 = true, .width = 80 };
	const struct term color = { .utf8 = true, .width = 80, .color = true };
	struct world w;
	struct buf a = { 0 };
	struct buf b = { 0 };
	struct buf stripped = { 0 };

	fill(&w);
	print(&a, &w, &plain);
	print(&b, &w, &color);
	for (size_t i = 0; i < b.n; i++) {
		if (b.p[i] == '\x1b')
			while (b.p[i] != 'm')
				i++;
		else
			buf_char(&stripped, b.p[i]);
	}
	cr_expect(b.n > a.n);
	cr_expect(str_eq(buf_view(&a), buf_view(&stripped)));
	buf_fini(&a);
	buf_fini(&b);
	buf_fini(&stripped);
	forget(&w);
}

Test(report, says_what_a_person_asks)
{
	static const char *const said[] = {
		"read       2 files, 12,347,215 events, 12,347,114 requests, "
		"420 traces\n",
		"span       2019-02-21 06:46:24 to 07:01:38 UTC "
		"(15 m 14 s)\n",
		"are health checks, set apart and folded into the roll-up; 3 "
		"of them failed",
		"2 findings: 1 critical, 1 warning\n",
		"CRITICAL  slow-post  like service  POST /mysfits/{id}/like\n",
		"85 of 108 = 78.7 % (requests over 1 s)\n",
		"0 of 68 before, judged as 0.2 %\n",
		"10 % and G > 13.8; passed by 69 of 100 in 5 m 0 s, G = "
		"342.1\n",
		"2019-02-21 06:51:43 UTC, detected 10 s later, last seen "
		"06:57:13, resolved\n",
		"24 ms -> 2.8 s on average\n",
		"000000.gz:1234\n",
		"trace 1-5c000000-000000000000000000000000\n",
		"service(\"like service\") AND http.method = \"POST\"",
		"evil\\x1b[31m.gz",
		"gone.gz\n",
		"No such file or directory",
		"1 file left out: the export's write test\n",
		"12,347,215 read = 12,347,029 stored + 184 folded + 0 filtered "
		"+ 0 duplicate + 2 dead-lettered: balances\n",
	};
	const struct term term = { .width = 200 };
	struct world w;
	struct buf out = { 0 };

	fill(&w);
	print(&out, &w, &term);
	for (size_t i = 0; i < sizeof said / sizeof said[0]; i++)
		cr_expect(str_find_str(buf_view(&out), str_of(said[i])) !=
			      SIZE_MAX,
		    "not said: %s", said[i]);
	buf_fini(&out);
	forget(&w);
}

Test(report, no_findings_names_what_was_judged)
{
	const struct term term = { .width = 200 };
	struct world w;
	struct buf out = { 0 };

	fill(&w);
	w.result.findings.n = 0;
	w.options.judge.thresholds.only = "not-found";
	print(&out, &w, &term);
	cr_expect(str_find_str(buf_view(&out),
		      STR("No findings\n  Judged 12,346,930 client requests on "
			  "3 routes of 2 services by not-found: nothing stands "
			  "out.\n")) != SIZE_MAX);
	buf_fini(&out);
	forget(&w);
}

Test(report, an_account_that_does_not_balance_is_not_hidden)
{
	const struct term term = { .width = 200 };
	struct world w;
	struct buf out = { 0 };

	fill(&w);
	w.result.accounts.n[RECORD_LOG][ACCOUNT_READ]++;
	print(&out, &w, &term);
	cr_expect(
	    str_find_str(buf_view(&out), STR("DOES NOT BALANCE")) != SIZE_MAX);
	buf_fini(&out);
	forget(&w);
}

Test(report, an_empty_run_has_a_report)
{
	const struct term term = { .width = 80, .utf8 = true };
	struct world w = { 0 };
	struct buf out = { 0 };

	replay_options_init(&w.options);
	w.result.first_ns = w.result.last_ns = WHEN_NONE;
	print(&out, &w, &term);
	cr_expect(str_find_str(buf_view(&out), STR("no event with a time")) !=
		  SIZE_MAX);
	buf_fini(&out);
}

Test(report, sparklines_scale_to_their_greatest)
{
	static const struct {
		const char *name;
		int64_t values[4];
		const char *utf8, *ascii;
	} rows[] = {
		{ "rising", { 0, 10, 40, 80 }, "▁▂▅█", "_.=#" },
		{ "holes", { -1, 1, -1, 1 }, " █ █", " # #" },
		{ "zeros", { 0, 0, 0, 0 }, "▁▁▁▁", "____" },
		{ "huge", { INT64_MAX, 0, INT64_MAX / 2, -1 }, "█▁▄ ", "#_~ " },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		for (int utf8 = 0; utf8 < 2; utf8++) {
			const struct term term = { .utf8 = utf8, .width = 80 };
			struct buf out = { 0 };
			struct pen pen = { .out = &out, .term = &term };

			report_sparkline(&pen, PLAIN, rows[i].values, 4);
			cr_expect_str_eq(buf_cstr(&out),
			    utf8 ? rows[i].utf8 : rows[i].ascii, "%s: %s",
			    rows[i].name, buf_cstr(&out));
			buf_fini(&out);
		}
	}
}

Test(report, json_is_one_valid_object)
{
	static const char *const members[] = { "schema", "inputs", "accounting",
		"services", "trace_services", "findings" };
	struct trace_tops traces = { .too_many = true };
	struct world w;
	struct buf out = { 0 };
	struct json j = { 0 };
	struct json_bad bad = { 0, "" };
	struct json_val *root;

	fill(&w);
	replay_json(&out,
	    &(struct report){ &w.options, &w.result, NULL, &traces, NULL });
	cr_assert_eq(json_parse(&j, buf_view(&out), &bad), 0, "%s at %zu",
	    bad.what, bad.offset);
	root = json_root(&j);
	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
		cr_expect_not_null(json_get(root, str_of(members[i])), "%s",
		    members[i]);
	cr_expect_eq(json_size(json_get(root, STR("inputs"))), (size_t)4);
	cr_expect_eq(json_size(json_get(root, STR("findings"))), (size_t)2);
	json_fini(&j);
	buf_reset(&out);
	replay_ndjson(&out, &w.result);
	cr_expect_eq(out.p[str_find(buf_view(&out), '\n') + 1], '{');
	buf_fini(&out);
	forget(&w);
}

Test(report, tables_do_not_wrap_shares)
{
	cr_expect_eq(share_ppm(0, 0), 0);
	cr_expect_eq(share_ppm(1, 3), 333333);
	cr_expect_eq(share_ppm(UINT64_MAX, UINT64_MAX), 1000000);
}
