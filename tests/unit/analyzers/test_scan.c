/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzers/scan.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "analyzers/surge.h"

#define T0 (INT64_C(1795226400) * NS_PER_SEC)
#define MINUTE (60 * NS_PER_SEC)

/* A path whose line cannot be read again. */
enum { UNREAD = 77 };

/* Misses and answers of a run, fed in both rounds. */
struct archive {
	struct scan_miss misses[4096];
	size_t n_misses;
	struct scan_answer answers[512];
	bool unread; /* the answers of the first day are not all known */
	uint64_t unconfirmed;
	size_t n_answers;
};

static struct archive a;

static void
miss(int64_t at_ns, uint64_t client, uint64_t path)
{
	a.misses[a.n_misses++] = (struct scan_miss){
		.ts_ns = T0 + at_ns,
		.client = client,
		.path = path,
		.n = 1,
		.example = { .line = a.n_misses },
	};
}

/* An answer of a path whose hash has these six bits. */
static void
answer(int64_t at_ns, uint64_t client, unsigned bit)
{
	a.answers[a.n_answers++] = (struct scan_answer){
		.ts_ns = T0 + at_ns,
		.client = client,
		.path = (uint64_t)bit << 58,
	};
}

static void
judge(struct findings *out)
{
	struct scan_service service;
	struct scan *s;

	scan_service_init(&service, STR("shop"), T0, &judge_settings_default);
	s = scan_new(&judge_settings_default, &service);
	for (size_t i = 0; i < a.n_misses; i++)
		scan_suspect(s, &a.misses[i]);
	for (size_t i = a.n_answers; i-- > 0;)
		scan_answered(s, &a.answers[i]);
	if (a.unread)
		scan_unread(s, T0, T0);
	for (size_t i = 0; i < a.n_misses; i++)
		scan_judge(s, &a.misses[i]);
	a.unconfirmed = scan_unconfirmed(s);
	scan_end(s, T0 + 48 * 60 * MINUTE, out);
	scan_text(s, 7, STR("198.51.100.7"), out);
	for (size_t i = 0; i < a.n_misses; i++)
		if (a.misses[i].path != UNREAD)
			scan_text(s, a.misses[i].path, STR("/x"), out);
	scan_finish(s, out);
	scan_free(s);
	a.n_misses = a.n_answers = 0;
	a.unread = false;
}

Test(scan, twelve_failures_without_a_success_are_one)
{
	struct findings out = { 0 };

	for (int i = 0; i < 11; i++)
		miss(i * NS_PER_SEC, 7, 1000 + i);
	judge(&out);
	cr_assert_eq(out.n, 0);
	for (int i = 0; i < 340; i++)
		miss(i * NS_PER_SEC, 7, 1000 + i);
	judge(&out);
	cr_assert_eq(out.n, 1);
	cr_expect_str_eq(out.v[0].rule, "not-found-scan");
	cr_expect_str_eq(out.v[0].client, "198.51.100.7");
	cr_expect_eq(out.v[0].bad, 340);
	cr_expect_eq(out.v[0].total, 340);
	cr_expect_eq(out.v[0].start_ns, T0);
	cr_expect_eq(out.v[0].detected_ns, T0 + 11 * NS_PER_SEC);
	cr_expect_eq(out.v[0].end_ns, T0 + 339 * NS_PER_SEC);
	cr_expect_eq(out.v[0].g_milli, 13832);
	cr_expect_eq(out.v[0].n_paths, FINDING_PATHS);
	cr_expect_not(out.v[0].open);
	findings_fini(&out);
}

Test(scan, a_slow_scan_over_midnight_is_one)
{
	struct findings out = { 0 };

	/* T0 is 02:00; 28 hours, one failure an hour. */
	for (int i = 0; i < 28; i++)
		miss((15 + i) * 60 * MINUTE, 7, 1000 + i);
	judge(&out);
	cr_assert_eq(out.n, 1);
	cr_expect_eq(out.v[0].start_ns, T0 + 15 * 60 * MINUTE);
	cr_expect_eq(out.v[0].detected_ns, T0 + 26 * 60 * MINUTE);
	cr_expect_eq(out.v[0].bad, 28);
	findings_fini(&out);
}

Test(scan, a_crawler_with_dead_links_is_none)
{
	struct findings out = { 0 };

	for (int i = 0; i < 40; i++) {
		miss(i * NS_PER_SEC, 7, 1000 + i);
		answer(i * NS_PER_SEC, 7, i);
	}
	judge(&out);
	cr_expect_eq(out.n, 0);
	/* So many pages that the bitmap is full: the requests count. */
	for (int i = 0; i < 500; i++) {
		miss(i * NS_PER_SEC, 7, 1000 + i);
		answer(i * NS_PER_SEC, 7, i);
	}
	judge(&out);
	cr_expect_eq(out.n, 0);
	findings_fini(&out);
}

Test(scan, what_others_were_answered_does_not_count)
{
	struct findings out = { 0 };

	for (int i = 0; i < 20; i++) {
		miss(i * NS_PER_SEC, 7, 1000 + i);
		answer(i * NS_PER_SEC, 8, i);
	}
	judge(&out);
	cr_expect_eq(out.n, 1);
	findings_fini(&out);
}

Test(scan, one_missing_file_is_hammered_in_an_hour)
{
	struct findings out = { 0 };

	for (int i = 0; i < 60; i++)
		miss(i * 10 * MINUTE, 7, 5); /* six an hour */
	judge(&out);
	cr_assert_eq(out.n, 0);
	for (int i = 0; i < 60; i++)
		miss(i * MINUTE, 7, 5);
	judge(&out);
	cr_assert_eq(out.n, 1);
	cr_expect_eq(out.v[0].test, TEST_HAMMER);
	cr_expect_eq(out.v[0].bad, 60);
	cr_expect_eq(out.v[0].n_paths, 1);
	cr_expect_eq(out.v[0].detected_ns, T0 + 11 * MINUTE);
	findings_fini(&out);
}

Test(scan, hidden_clients_are_a_surge)
{
	struct findings out = { 0 };

	for (int i = 0; i < 60; i++) /* a dead link every two minutes */
		miss(i * 2 * MINUTE, 0, 10 + i);
	judge(&out);
	cr_assert_eq(out.n, 0);
	for (int i = 0; i < 60; i++)
		miss(i * 2 * MINUTE, 0, 10 + i);
	for (int i = 0; i < 100; i++)
		miss(121 * MINUTE + i * NS_PER_SEC, 0, 1000 + i);
	judge(&out);
	cr_assert_eq(out.n, 1);
	cr_expect_str_eq(out.v[0].rule, "not-found-surge");
	cr_expect_null(out.v[0].client);
	cr_expect_eq(out.v[0].detected_ns, T0 + 121 * MINUTE + 14 * NS_PER_SEC);
	cr_expect_geq(out.v[0].bad, 100);
	findings_fini(&out);
}

Test(scan, a_client_with_a_finding_makes_no_surge)
{
	struct findings out = { 0 };

	miss(0, 0, 1);
	for (int i = 0; i < 300; i++)
		miss(120 * MINUTE + i * NS_PER_SEC, 7, 1000 + i);
	judge(&out);
	cr_assert_eq(out.n, 1);
	cr_expect_str_eq(out.v[0].rule, "not-found-scan");
	findings_fini(&out);
}

Test(scan, paths_of_known_routes_make_no_surge)
{
	struct findings out = { 0 };

	for (int i = 0; i < 300; i++) {
		miss(120 * MINUTE + i * NS_PER_SEC, 0, 1000 + i);
		a.misses[a.n_misses - 1].known = true;
	}
	judge(&out);
	cr_expect_eq(out.n, 0);
	findings_fini(&out);
}

Test(scan, nobody_is_accused_whose_answers_are_not_known)
{
	static const struct {
		int missing, there;
		uint64_t unconfirmed;
	} rows[] = { { 12, 0, 1 }, { 12, 1, 0 }, { 11, 0, 0 } };

	for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
		struct findings out = { 0 };

		for (int i = 0; i < rows[k].missing; i++)
			miss(i * NS_PER_SEC, 7, 100 + i);
		for (int i = 0; i < rows[k].there; i++)
			answer(i * NS_PER_SEC, 7, (unsigned)i);
		a.unread = true;
		judge(&out);
		cr_expect_eq(out.n, 0, "row %zu", k);
		cr_expect_eq(a.unconfirmed, rows[k].unconfirmed, "row %zu", k);
		findings_fini(&out);
	}
}

Test(surge, likelihood_is_that_of_the_formula)
{
	static const struct {
		uint64_t k;
		int64_t lambda_milli;
	} rows[] = { { 15, 500 }, { 15, 5000 }, { 100, 33333 }, { 1000, 1 },
		{ 1000000, 250000 } };

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		double k = (double)rows[i].k;
		double l = (double)rows[i].lambda_milli / 1000;
		double want = k * log(k / l) - k + l;

		cr_expect_float_eq(
		    (double)surge_g(rows[i].k, rows[i].lambda_milli) / 1000,
		    want, 0.002 + want * 1e-4, "row %zu", i);
	}
	cr_expect_eq(surge_g(3, 3000), 0);
	cr_expect_eq(surge_g(2, 3000), 0);
}

Test(scan, a_path_that_cannot_be_read_again_is_left_out)
{
	struct findings out = { 0 };

	miss(0, 7, UNREAD);
	for (int i = 1; i < 12; i++)
		miss(i * NS_PER_SEC, 7, 1000 + i);
	judge(&out);
	cr_assert_eq(out.n, 1);
	cr_assert_eq(out.v[0].n_paths, 4);
	for (int i = 0; i < 4; i++)
		cr_assert_str_eq(out.v[0].paths[i], "/x");
	findings_fini(&out);
}
