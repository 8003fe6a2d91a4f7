/* SPDX-License-Identifier: Apache-2.0 */
/* Thresholds: values as text, which setting holds, and what it changes. */
#include <criterion/criterion.h>

#include "analyzers/thresholds.h"

#include "core/when.h"
#include "judge_help.h"

Test(thresholds, a_value_is_read_as_it_is_printed)
{
	for (int t = 0; t < THRESHOLDS; t++) {
		const struct threshold_info *i = &threshold_infos[t];
		const int64_t values[] = { i->min, i->max,
			i->min + (i->max - i->min) / 7 / 1000 * 1000 };

		for (size_t k = 0; k < 3; k++) {
			struct buf b = { 0 };
			struct err err = { "" };
			int64_t again = -1;
			int64_t v =
			    i->unit == UNIT_YES ? (int64_t)k & 1 : values[k];

			threshold_put(&b, (enum threshold)t, v);
			cr_expect_eq(threshold_parse((enum threshold)t,
					 buf_view(&b), &again, &err),
			    0, "%s: %s", i->name, err.text);
			cr_expect_eq(again, v, "%s: %s", i->name, buf_cstr(&b));
			buf_fini(&b);
		}
	}
}

Test(thresholds, a_wrong_value_is_told_with_what_was_expected)
{
	static const struct {
		enum threshold what;
		const char *text, *words;
	} rows[] = {
		{ THRESHOLD_SLOW, "1", "'1' is not a time span such as" },
		{ THRESHOLD_SLOW, "0s", "expected 1ms to 1h" },
		{ THRESHOLD_SLOW, "2h", "'2h' is out of range" },
		{ THRESHOLD_SLOW, "", "'' is not a time span" },
		{ THRESHOLD_JUDGE, "off", "'off' is not yes or no" },
		{ THRESHOLD_COUNT, "4.5", "'4.5' is not a whole number" },
		{ THRESHOLD_COUNT, "0", "expected 1 to 1000000" },
		{ THRESHOLD_COUNT, "-1", "is not a whole number" },
		{ THRESHOLD_COUNT, "99999999999999999999999", "is not a" },
		{ THRESHOLD_RATIO, "10", "'10' is not a share such as 10%" },
		{ THRESHOLD_RATIO, "0.1s", "is not a share" },
		{ THRESHOLD_RATIO, "100.1%", "expected 0% to 100%" },
		{ THRESHOLD_RATIO, "1.00001%", "is not a share" },
		{ THRESHOLD_RATIO, "1.%", "is not a share" },
		{ THRESHOLD_G, "13,8", "is not a number such as 13.816" },
		{ THRESHOLD_G, "0.5", "expected 1 to 1000" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct err err = { "" };
		int64_t v;

		cr_expect_eq(threshold_parse(rows[i].what, str_of(rows[i].text),
				 &v, &err),
		    -1, "'%s'", rows[i].text);
		cr_expect(strstr(err.text, rows[i].words), "'%s': %s",
		    rows[i].text, err.text);
	}
}

static struct setting
slow(const char *service, const char *route, enum method method, int seconds)
{
	return (struct setting){ .service = str_of(service),
		.route = str_of(route),
		.method = method,
		.rule = SETTING_ALL_RULES,
		.what = THRESHOLD_SLOW,
		.value = seconds * NS_PER_SEC,
		.line = (uint32_t)seconds };
}

static int64_t
slow_of(const struct thresholds *t, const char *service, const char *route,
    enum method method)
{
	const struct judged of = { "slow-request", str_of(service),
		str_of(route), method };
	struct gates g;

	thresholds_of(t, &of, &g);
	cr_expect_eq(t->limits[g.limit], g.v[THRESHOLD_SLOW]);
	cr_expect_eq(g.from[THRESHOLD_SLOW],
	    g.v[THRESHOLD_SLOW] == NS_PER_SEC
		? GATE_DEFAULT
		: (uint32_t)(g.v[THRESHOLD_SLOW] / NS_PER_SEC));
	return g.v[THRESHOLD_SLOW] / NS_PER_SEC;
}

/* In either order of the settings. */
Test(thresholds, the_most_specific_setting_holds)
{
	const struct setting settings[] = {
		slow("", "", METHOD_NONE, 2),
		slow("*", "", METHOD_NONE, 3),
		slow("li*", "", METHOD_NONE, 4),
		slow("l*", "/a", METHOD_POST, 5),
		slow("like", "/a*", METHOD_NONE, 6),
		slow("like", "/a", METHOD_NONE, 7),
		slow("like", "/a", METHOD_GET, 8),
	};
	enum { N = sizeof settings / sizeof *settings };

	for (int turn = 0; turn < 2; turn++) {
		struct thresholds t = { .file = "t.yaml" };
		struct err err;

		for (size_t i = 0; i < N; i++)
			thresholds_add(&t, &settings[turn ? N - 1 - i : i]);
		cr_assert_eq(thresholds_settle(&t, &err), 0);
		cr_expect_eq(slow_of(&t, "like", "/a", METHOD_GET), 8);
		cr_expect_eq(slow_of(&t, "like", "/a", METHOD_POST), 7);
		cr_expect_eq(slow_of(&t, "like", "/ab", METHOD_GET), 6);
		cr_expect_eq(slow_of(&t, "like", "/b", METHOD_GET), 4);
		cr_expect_eq(slow_of(&t, "link", "/a", METHOD_POST), 4);
		cr_expect_eq(slow_of(&t, "lake", "/a", METHOD_POST), 5);
		cr_expect_eq(slow_of(&t, "lake", "/a", METHOD_GET), 3);
		thresholds_fini(&t);
	}
}

Test(thresholds, nothing_set_is_the_rules_own)
{
	cr_expect_eq(slow_of(&thresholds_default, "like", "/", METHOD_GET), 1);
	cr_expect(thresholds_judge(&thresholds_default, "slow-post"));
	cr_expect_not(thresholds_judge(&thresholds_default, "slow-request"));
}

Test(thresholds, an_option_goes_before_all_settings)
{
	struct thresholds t = { .file = "t.yaml",
		.slow_ns = 9 * NS_PER_SEC,
		.only = "slow-request" };
	const struct judged of = { "slow-request", STR("like"), STR("/"),
		METHOD_GET };
	struct setting s = slow("like", "/", METHOD_GET, 2);
	struct err err;
	struct gates g;

	thresholds_add(&t, &s);
	cr_assert_eq(thresholds_settle(&t, &err), 0);
	thresholds_of(&t, &of, &g);
	cr_expect_eq(g.v[THRESHOLD_SLOW], 9 * NS_PER_SEC);
	cr_expect_eq(g.from[THRESHOLD_SLOW], GATE_OPTION);
	cr_expect_eq(g.v[THRESHOLD_JUDGE], 1);
	cr_expect_eq(t.n_limits, 1);
	cr_expect_not(thresholds_judge(&t, "slow-post"));
	thresholds_fini(&t);
}

Test(thresholds, there_are_only_so_many_limits)
{
	struct thresholds t = { .file = "t.yaml" };
	struct err err = { "" };

	for (int i = 2; i < 2 + SLOW_LIMITS; i++) {
		struct setting s = slow(i & 1 ? "a" : "b", i & 2 ? "/x" : "/y",
		    METHOD_NONE, i);

		thresholds_add(&t, &s);
		cr_expect_eq(thresholds_settle(&t, &err),
		    i < 1 + SLOW_LIMITS ? 0 : -1, "%d", i);
	}
	cr_expect_str_eq(err.text,
	    "t.yaml: 'slow' has more than 8 different values");
	thresholds_fini(&t);
}

/* One of two routes is judged by other thresholds; its neighbour is not. */
Test(thresholds, the_judge_asks_for_what_is_set_for_the_route)
{
	static const struct {
		enum threshold what;
		int64_t value;
		size_t findings;
		enum severity severity; /* of the finding on /mysfits/… */
	} rows[] = {
		{ THRESHOLD_COUNT, 5, 2, SEVERITY_CRITICAL },
		{ THRESHOLD_COUNT, 500, 1, SEVERITY_CRITICAL },
		{ THRESHOLD_RATIO, 800000, 1, SEVERITY_CRITICAL },
		{ THRESHOLD_ABOVE, 800000, 1, SEVERITY_CRITICAL },
		{ THRESHOLD_G, 1000000, 1, SEVERITY_CRITICAL },
		{ THRESHOLD_JUDGE, 0, 1, SEVERITY_CRITICAL },
		{ THRESHOLD_CRITICAL_COUNT, 1000, 2, SEVERITY_WARNING },
		{ THRESHOLD_CRITICAL_RATIO, 1000000, 2, SEVERITY_WARNING },
		{ THRESHOLD_SLOW, 2 * NS_PER_SEC, 2, SEVERITY_CRITICAL },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct thresholds t = { .file = "t.yaml" };
		struct setting s = { .service = STR("like service"),
			.route = STR("/mysfits/{id}/*"),
			.rule = judge_rule("slow-post"),
			.what = rows[i].what,
			.value = rows[i].value,
			.line = 1 };
		struct err err;
		struct run r;
		bool seen = false;

		thresholds_add(&t, &s);
		cr_assert_eq(thresholds_settle(&t, &err), 0);
		r = run_start_with(&t);
		for (int at = 0; at < 10; at++)
			for (uint32_t route = 1; route < 3; route++)
				run_cell(&r, at, METHOD_POST,
				    (struct cell){ .key = { .route = route },
					.n = 9,
					.timed = 9,
					.slow = 6 });
		run_end(&r);
		cr_expect_eq(r.out.n, rows[i].findings, "row %zu", i);
		for (size_t f = 0; f < r.out.n; f++) {
			const struct finding *one = &r.out.v[f];
			bool set = one->route[1] != '\0';

			seen |= set;
			cr_expect_eq(one->severity,
			    set ? rows[i].severity : SEVERITY_CRITICAL,
			    "row %zu", i);
			cr_expect_eq(one->over_ns,
			    set && rows[i].what == THRESHOLD_SLOW
				? rows[i].value
				: NS_PER_SEC);
		}
		cr_expect_eq(seen, rows[i].findings == 2, "row %zu", i);
		run_fini(&r);
		thresholds_fini(&t);
	}
}

Test(thresholds, a_whole_cell_counts_by_its_own_limit)
{
	struct cell a = { .timed = 9, .slow = 7, .over = { 5, 3 } };
	struct cell b = { .timed = 9, .slow = 1, .over = { 1, 0 } };

	cell_add(&a, &b);
	cell_limit(&a, 0);
	cr_expect_eq(a.slow, 8);
	cell_limit(&a, 2);
	cr_expect_eq(a.slow, 3);
}
