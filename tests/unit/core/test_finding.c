/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Findings in words, with all that they may hold and without, and their order.
 */
#include "core/finding.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "core/when.h"

/* 2026-11-21T07:06:00Z */
#define T0 (INT64_C(1795244760) * NS_PER_SEC)

static char service[] = "like service";
static char route[] = "/mysfits/{id}/like";
static char text[] = "stress function activated";

static struct finding
like(void)
{
	return (struct finding){ .rule = "not-found",
		.phrase = "answered 404 in # requests",
		.service = service,
		.method = METHOD_POST,
		.route = route,
		.start_ns = T0,
		.end_ns = T0 + 230 * NS_PER_SEC,
		.open = true,
		.bad = 116,
		.total = 504,
		.value_ppm = 230158,
		.base_total = 409,
		.before_ns = -1,
		.after_ns = -1 };
}

static void
expect(const char *name, const struct finding *f, bool utf8, const char *want)
{
	struct buf b = { 0 };

	finding_sentence(&b, f, utf8);
	cr_expect_str_eq(buf_cstr(&b), want, "%s: %s", name, b.p);
	buf_fini(&b);
}

Test(finding, is_said_in_a_sentence)
{
	struct finding f = like();

	expect("open", &f, true,
	    "POST /mysfits/{id}/like of like service answered 404 in 116 of "
	    "504 requests (23.0 %) from 07:06:00 on; before, 0 of 409.");
	f.open = false;
	expect("resolved", &f, true,
	    "POST /mysfits/{id}/like of like service answered 404 in 116 of "
	    "504 requests (23.0 %) from 07:06:00 to 07:09:50; before, 0 of "
	    "409.");
	f.end_ns += 24 * 3600 * NS_PER_SEC;
	f.base_total = 0;
	expect("of two days, no past", &f, true,
	    "POST /mysfits/{id}/like of like service answered 404 in 116 of "
	    "504 requests (23.0 %) from 2026-11-21 07:06:00 to 2026-11-22 "
	    "07:09:50; there is nothing before to compare with.");
}

Test(finding, names_latency_and_what_co_occurs)
{
	struct finding f = like();

	f.phrase = "took over 1 s in # requests";
	f.bad = 85;
	f.total = 108;
	f.value_ppm = 787037;
	f.base_total = 68;
	f.before_ns = 24 * NS_PER_MS;
	f.after_ns = 2800 * NS_PER_MS;
	f.n_causes = 1;
	f.causes[0] =
	    (struct cause){ .text = text, .a = 69, .b = 16, .c = 0, .d = 23 };
	expect("latency", &f, true,
	    "POST /mysfits/{id}/like of like service took over 1 s in 85 of "
	    "108 requests (78.7 %) from 07:06:00 on, 2.8 s on average; before, "
	    "0 of 68, 24 ms; co-occurs with “stress function activated” in 69 "
	    "of 85 of these and 0 of 23 others.");
	expect("ASCII", &f, false,
	    "POST /mysfits/{id}/like of like service took over 1 s in 85 of "
	    "108 requests (78.7 %) from 07:06:00 on, 2.8 s on average; before, "
	    "0 of 68, 24 ms; co-occurs with \"stress function activated\" in "
	    "69 of 85 of these and 0 of 23 others.");
}

Test(finding, leaves_out_what_it_does_not_have)
{
	struct finding f = { .bad = 2999,
		.total = 3000,
		.value_ppm = 999667,
		.before_ns = -1,
		.after_ns = -1,
		.open = true };

	expect("bare", &f, true,
	    "an unknown service was bad in 2999 of 3000 cases (99.9 %) from "
	    "00:00:00 on; there is nothing before to compare with.");
}

Test(finding, severities_have_names)
{
	for (int s = 0; s < SEVERITIES; s++) {
		enum severity back = SEVERITIES;
		const char *name = severity_name((enum severity)s);

		cr_assert(severity_of(str_of(name), &back));
		cr_expect_eq((int)back, s);
	}

	enum severity same = SEVERITY_WARNING;

	cr_expect_not(severity_of(STR("Critical"), &same));
	cr_expect_eq(same, SEVERITY_WARNING);
}

Test(findings, are_sorted_by_severity_then_onset_then_name)
{
	static const struct {
		enum severity severity;
		int64_t start;
		const char *rule, *service;
	} rows[] = {
		{ SEVERITY_CRITICAL, 9, "b", "x" },
		{ SEVERITY_WARNING, 1, "b", "x" },
		{ SEVERITY_WARNING, 2, "a", "y" },
		{ SEVERITY_WARNING, 2, "b", NULL },
		{ SEVERITY_WARNING, 2, "b", "x" },
		{ SEVERITY_INFO, 0, "a", "x" },
	};
	enum { N = sizeof(rows) / sizeof(rows[0]) };
	struct findings f = { 0 };

	for (int i = 0; i < N; i++) {
		int row = i * 5 % N; /* any order */
		struct finding *at = findings_add(&f);

		at->severity = rows[row].severity;
		at->start_ns = rows[row].start;
		at->rule = rows[row].rule;
		at->service =
		    rows[row].service ? strdup(rows[row].service) : NULL;
	}
	findings_sort(&f);
	for (int i = 0; i < N; i++) {
		cr_expect_eq(f.v[i].severity, rows[i].severity);
		cr_expect_eq(f.v[i].start_ns, rows[i].start);
		cr_expect_str_eq(f.v[i].rule, rows[i].rule);
	}
	findings_fini(&f);
	findings_sort(&f);
	cr_expect_eq(f.n, 0);
}
