/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The judge on days whose truth is known, and its promises one by one.
 * Precision and recall are printed.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "judge_help.h"

enum { DAY = 8640, HOUR = 360, MINUTE = 6 };

/* What a request of a day does, by time; a day is a table row. */
struct traffic {
	double rate;      /* requests a cell */
	double slow, bad; /* shares over 1 s, and of 404 answers */
	double probe_bad; /* share of probes that fail */
};

static struct traffic
quiet(int at)
{
	(void)at;
	return (struct traffic){ 5, 0.002, 0.005, 0 };
}

static struct traffic
rhythm(int at)
{
	struct traffic t = quiet(at);

	t.rate *= 1 + 0.9 * sin(2 * 3.14159265 * at / DAY);
	return t;
}

static struct traffic
surge(int at)
{
	struct traffic t = quiet(at);

	if (at > 9 * HOUR && at < 10 * HOUR)
		t.rate *= 20;
	return t;
}

static struct traffic
chaos(int at)
{
	struct traffic t = quiet(at);

	if (at >= 12 * HOUR && at < 12 * HOUR + 5 * MINUTE)
		t.slow = 0.64;
	return t;
}

static struct traffic
broken(int at)
{
	struct traffic t = quiet(at);

	if (at >= 12 * HOUR && at < 13 * HOUR)
		t.bad = 0.25;
	return t;
}

static struct traffic
flapping(int at)
{
	struct traffic t = quiet(at);

	if (at >= 12 * HOUR && at < 14 * HOUR && at % (6 * MINUTE) < MINUTE)
		t.bad = 0.9;
	return t;
}

static struct traffic
sparse(int at)
{
	struct traffic t = { 8.0 / 360, 0, 0, 0 };

	if (at >= 12 * HOUR)
		t.bad = 1;
	return t;
}

static struct traffic
restart(int at)
{
	struct traffic t = quiet(at);

	/* One probe refused, ten seconds of nobody, every two hours. */
	if (at % (2 * HOUR) == HOUR)
		t = (struct traffic){ 0, 0, 0, 0.5 };
	return t;
}

static struct traffic
unhealthy(int at)
{
	struct traffic t = quiet(at);

	if (at >= 12 * HOUR && at < 12 * HOUR + 10 * MINUTE)
		t.probe_bad = 1;
	return t;
}

static struct traffic
drift(int at)
{
	struct traffic t = quiet(at);

	if (at >= 12 * HOUR && at < 16 * HOUR)
		t.bad = 0.06;
	return t;
}

struct day {
	const char *name;
	struct traffic (*traffic)(int at);
	const char *rule; /* of the one finding; NULL: there is none */
	int from, to;     /* of the truth, in cells */
	int delay;        /* detected within, cells */
};

static const struct day days[] = {
	{ "clean", quiet, NULL, 0, 0, 0 },
	{ "daily rhythm", rhythm, NULL, 0, 0, 0 },
	{ "surge at constant ratio", surge, NULL, 0, 0, 0 },
	{ "restarts", restart, NULL, 0, 0, 0 },
	{ "chaos, slow POST", chaos, "slow-post", 12 * HOUR,
	    12 * HOUR + 5 * MINUTE, MINUTE },
	{ "25 % 404", broken, "not-found", 12 * HOUR, 13 * HOUR, 3 * MINUTE },
	{ "flapping", flapping, "not-found", 12 * HOUR, 14 * HOUR, 2 * MINUTE },
	{ "8 calls an hour, all 404", sparse, "not-found", 12 * HOUR, DAY,
	    HOUR },
	{ "target down", unhealthy, "target-health", 12 * HOUR,
	    12 * HOUR + 10 * MINUTE, MINUTE },
	{ "6 % 404 for hours", drift, "not-found", 12 * HOUR, 16 * HOUR,
	    30 * MINUTE },
};

static void
day_run(struct run *run, const struct day *day, uint64_t seed)
{
	uint64_t line = 0;

	for (int at = 0; at < DAY; at++) {
		struct traffic t = day->traffic(at);
		struct cell c = { .n = random_poisson(&seed, t.rate) };
		struct cell probes = { .probes = 2, .key.route = 2 };

		c.timed = c.n;
		c.slow = random_of(&seed, c.n, t.slow);
		c.not_found = random_of(&seed, c.n, t.bad);
		c.status[4] = c.not_found;
		c.status[2] = c.n - c.not_found;
		c.sum_us = c.n * UINT64_C(24000) + c.slow * UINT64_C(2800000);
		c.example[EXAMPLE_SLOW].line = c.slow ? ++line : 0;
		c.example[EXAMPLE_NOT_FOUND].line = c.not_found ? ++line : 0;
		if (t.rate < 0.001 && t.probe_bad > 0)
			probes.probes_bad = 1;
		else
			probes.probes_bad = random_of(&seed, 2, t.probe_bad);
		probes.status[2] = 2 - probes.probes_bad;
		run_cell(run, at, METHOD_GET, probes);
		if (c.n > 0)
			run_cell(run, at, METHOD_POST, c);
	}
	run_end(run);
}

struct score {
	int right, wrong, missed;
	int delays; /* summed, cells */
};

static void
day_score(const struct day *day, const struct run *run, uint64_t seed,
    struct score *score)
{
	int hits = 0;

	for (size_t i = 0; i < run->out.n; i++) {
		const struct finding *f = &run->out.v[i];
		int from = run_at(f->start_ns), to = run_at(f->end_ns);

		if (!day->rule || strcmp(f->rule, day->rule) != 0 ||
		    to <= day->from || from >= day->to) {
			score->wrong++;
			cr_log_warn("%s, seed %llu: %s at %d, %llu of %llu",
			    day->name, (unsigned long long)seed, f->rule, from,
			    (unsigned long long)f->bad,
			    (unsigned long long)f->total);
			continue;
		}
		hits++;
		score->delays += run_at(f->detected_ns) - day->from;
		cr_expect_leq(run_at(f->detected_ns) - day->from, day->delay,
		    "%s, seed %llu: after %d cells", day->name,
		    (unsigned long long)seed,
		    run_at(f->detected_ns) - day->from);
		cr_expect(from >= day->from - 6 * MINUTE, "%s: onset at %d",
		    day->name, from - day->from);
	}
	if (hits > 0)
		score->right++;
	else if (day->rule)
		score->missed++;
	if (hits > 1)
		score->wrong += hits - 1;
}

Test(judge, finds_what_happened_on_synthetic_days)
{
	enum { SEEDS = 12, N = sizeof(days) / sizeof(days[0]) };
	struct score all = { 0 };

	for (int d = 0; d < N; d++) {
		struct score score = { 0 };

		for (uint64_t seed = 1; seed <= SEEDS; seed++) {
			struct run run = run_start(NULL);

			day_run(&run, &days[d], seed * 7919);
			day_score(&days[d], &run, seed, &score);
			run_fini(&run);
		}
		cr_log_info("%-26s found %2d, missed %d, wrong %d, after %d s",
		    days[d].name, score.right, score.missed, score.wrong,
		    score.right ? score.delays * 10 / score.right : 0);
		all.right += score.right;
		all.wrong += score.wrong;
		all.missed += score.missed;
	}
	cr_log_info("precision %.3f, recall %.3f",
	    (double)all.right / (all.right + all.wrong),
	    (double)all.right / (all.right + all.missed));
	cr_expect_eq(all.missed, 0);
	cr_expect_leq(all.wrong, 2);
}

/* The likes of corpus/like-service/python2-2019, as its README counts them. */
Test(judge, slow_likes_of_the_workshop_are_one_critical_finding)
{
	struct run run = run_start("slow-post");
	uint64_t seed = 6;

	for (int at = 0; at < 92; at++) {
		bool on = at >= 32 && at < 65;
		struct cell c = { .n = 3, .timed = 3, .status = { 0, 0, 3 } };

		c.slow = on ? random_of(&seed, 3, 0.78) : 0;
		c.sum_us =
		    c.slow * UINT64_C(2800000) + (3 - c.slow) * UINT64_C(24000);
		c.example[EXAMPLE_SLOW].line = c.slow ? 1000 - (uint64_t)at : 0;
		run_cell(&run, at, METHOD_POST, c);
	}
	run_end(&run);
	cr_assert_eq(run.out.n, 1);

	const struct finding *f = &run.out.v[0];

	cr_expect_eq(f->severity, SEVERITY_CRITICAL);
	cr_expect_eq(run_at(f->start_ns), 32);
	cr_expect_leq(run_at(f->detected_ns), 35);
	cr_expect_geq(run_at(f->end_ns), 63);
	cr_expect(f->open);
	cr_expect_eq(f->base_bad, 0);
	cr_expect_eq(f->before_ns, 24 * NS_PER_MS);
	cr_expect_gt(f->after_ns, 1500 * NS_PER_MS);
	cr_expect_eq(f->n_evidence, 3);
	cr_expect_eq(f->evidence[0].line, 1000 - 32);
	cr_expect_lt(f->evidence[1].line, f->evidence[0].line);
	cr_expect_eq(f->threshold_ppm, 100000);
	cr_expect_str_eq(f->service, "like service");
	cr_expect_str_eq(f->route, "/mysfits/{id}/like");
	cr_expect_eq(f->method, METHOD_POST);
	run_fini(&run);
}

Test(judge, two_probes_timed_out_are_a_finding_and_one_refused_is_not)
{
	static const struct {
		const char *name;
		int bad[3]; /* cells; 0: none */
		size_t found;
	} rows[] = {
		{ "refused at the start", { 1, 0, 0 }, 0 },
		{ "two, 200 s apart", { 40, 60, 0 }, 1 },
		{ "two, an hour apart", { 40, 400, 0 }, 0 },
	};

	for (size_t i = 0; i < 3; i++) {
		struct run run = run_start("target-health");

		for (int at = 1; at < 500; at++) {
			struct cell c = { .probes = 2, .key.route = 2 };

			for (int k = 0; k < 3; k++)
				c.probes_bad += rows[i].bad[k] == at;
			run_cell(&run, at, METHOD_GET, c);
		}
		run_end(&run);
		cr_expect_eq(run.out.n, rows[i].found, "%s: %zu", rows[i].name,
		    run.out.n);
		if (run.out.n > 0)
			cr_expect_eq(run.out.v[0].severity, SEVERITY_INFO);
		run_fini(&run);
	}
}

/* GET and HEAD probes of one route are one series. */
Test(judge, probes_of_all_methods_count_together)
{
	struct run run = run_start("target-health");

	for (int at = 0; at < 40; at++) {
		struct cell c = { .probes = 1, .probes_bad = at == 39 };

		run_cell(&run, at, METHOD_GET, c);
		run_cell(&run, at, METHOD_HEAD, c);
	}
	run_end(&run);
	cr_assert_eq(run.out.n, 1);
	cr_expect_eq(run.out.v[0].bad, 2);
	cr_expect_eq(run.out.v[0].method, METHOD_NONE);
	run_fini(&run);
}

Test(judge, route_that_never_answered_is_no_broken_route)
{
	struct run run = run_start("not-found");

	for (int at = 0; at < 100; at++) {
		struct cell c = { .n = 5,
			.not_found = 5,
			.status = { 0, 0, 0, 0, 5 } };

		run_cell(&run, at, METHOD_GET, c);
	}
	run_end(&run);
	cr_expect_eq(run.out.n, 0);
	run_fini(&run);
}

Test(judge, reading_methods_are_never_slow_posts)
{
	static const enum method methods[] = { METHOD_NONE, METHOD_GET,
		METHOD_HEAD, METHOD_OPTIONS, METHOD_POST, METHOD_PUT,
		METHOD_DELETE, METHOD_PATCH, METHOD_OTHER };

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		struct run run = run_start("slow-post");

		run_cell(&run, 0, methods[i],
		    (struct cell){ .n = 9, .timed = 9, .slow = 6 });
		run_end(&run);
		cr_expect_eq(run.out.n, i < 4 ? 0 : 1, "%s",
		    method_name(methods[i]));
		run_fini(&run);
	}
}

Test(judge, resolves_after_twenty_quiet_minutes)
{
	struct run run = run_start("slow-post");
	struct cell good = { .n = 9, .timed = 9 };
	struct cell bad = { .n = 9, .timed = 9, .slow = 6 };

	run_cell(&run, 0, METHOD_POST, good);
	run_cell(&run, 10, METHOD_POST, bad);
	run_cell(&run, 41, METHOD_POST, good);
	run_cell(&run, 130, METHOD_GET, good);
	cr_expect_eq(run.out.n, 0);
	run_cell(&run, 131, METHOD_GET, good);
	cr_assert_eq(run.out.n, 1);
	cr_expect_not(run.out.v[0].open);
	cr_expect_eq(run_at(run.out.v[0].end_ns), 11);
	run_cell(&run, 500, METHOD_POST, bad);
	run_end(&run);
	cr_assert_eq(run.out.n, 2);
	cr_expect(run.out.v[1].open);
	cr_expect_neq(memcmp(run.out.v[0].id, run.out.v[1].id, 22), 0);
	run_fini(&run);
}

Test(judge, silence_is_no_recovery_for_two_hours)
{
	struct run run = run_start("slow-post");
	struct cell good = { .n = 9, .timed = 9 };
	struct cell bad = { .n = 9, .timed = 9, .slow = 6 };

	run_cell(&run, 0, METHOD_POST, bad);
	run_cell(&run, 700, METHOD_POST, bad);
	run_cell(&run, 1420, METHOD_GET, good);
	cr_expect_eq(run.out.n, 0);
	run_cell(&run, 1421, METHOD_GET, good);
	cr_assert_eq(run.out.n, 1);
	cr_expect_eq(run_at(run.out.v[0].end_ns), 701);
	run_fini(&run);
}

/* Entities do not look at each other. */
Test(judge, one_route_says_nothing_about_another)
{
	struct run both = run_start(NULL), alone = run_start(NULL);
	uint64_t seed = 12;

	for (int at = 0; at < 3000; at++) {
		struct cell a = { .n = 6, .timed = 6, .status = { 0, 0, 6 } };
		struct cell b = a;

		a.slow = random_of(&seed, 6, at % 1000 > 900 ? 0.4 : 0);
		b.not_found = random_of(&seed, 6, 0.3);
		b.key.route = 2;
		run_cell(&alone, at, METHOD_POST, a);
		run_cell(&both, at, METHOD_POST, a);
		run_cell(&both, at, METHOD_POST, b);
	}
	run_end(&both);
	run_end(&alone);

	size_t same = 0;

	for (size_t i = 0; i < both.out.n; i++) {
		const struct finding *f = &both.out.v[i];

		if (strcmp(f->route, "/") == 0)
			continue;
		cr_assert_lt(same, alone.out.n);
		cr_expect_eq(memcmp(f->id, alone.out.v[same].id, sizeof(f->id)),
		    0);
		cr_expect_eq(f->bad, alone.out.v[same].bad);
		same++;
	}
	cr_expect_eq(same, alone.out.n);
	cr_expect_gt(same, 1);
	run_fini(&both);
	run_fini(&alone);
}

Test(judge, times_before_1970_and_far_apart_are_times)
{
	struct run run = run_start("slow-post");
	struct cell bad = { .n = 9, .timed = 9, .slow = 6 };

	run_cell(&run, (int)(cell_of(INT64_MIN + 1) / 8) - START, METHOD_POST,
	    bad);
	run_cell(&run, 0, METHOD_POST, bad);
	run_end(&run);
	cr_expect_eq(run.out.n, 2);
	run_fini(&run);
}

Test(judge, rules_are_listed_with_help)
{
	const struct rule_info *r = judge_rules();
	int n = 0;

	for (; r[n].name; n++)
		cr_expect_not_null(r[n].help);
	cr_expect_eq(n, 8);
}

Test(judge, counts_that_do_not_fit_are_cut)
{
	struct run run = run_start(NULL);
	struct cell odd = { .n = 3,
		.timed = 2,
		.slow = 9,
		.not_found = 70,
		.status = { 5, 0, 1 },
		.probes = 1,
		.probes_bad = 9 };
	struct cell huge = { .n = UINT32_MAX,
		.timed = UINT32_MAX,
		.slow = UINT32_MAX,
		.not_found = UINT32_MAX,
		.status = { 0, 0, 1 },
		.probes = UINT32_MAX,
		.probes_bad = UINT32_MAX,
		.sum_us = UINT64_MAX };

	for (int at = 0; at < 50; at++)
		run_cell(&run, at, METHOD_POST, at % 2 ? odd : huge);
	run_end(&run);
	for (size_t i = 0; i < run.out.n; i++)
		cr_expect_leq(run.out.v[i].bad, run.out.v[i].total);
	cr_expect_gt(run.out.n, 0);
	run_fini(&run);
}
