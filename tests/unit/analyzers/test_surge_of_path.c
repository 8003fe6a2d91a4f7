/* SPDX-License-Identifier: Apache-2.0 */
/*
 * not-found-surge of one path: days of a service that answers one route and
 * has a missing one beside it.
 */
#include <criterion/criterion.h>
#include <math.h>

#include "judge_help.h"

enum { DAY = 8640, HOUR = 360, MINUTE = 6, TEMPLATE = 1, LITERAL = 2 };

/* Requests a cell: of the route that answers, and of the missing one. */
struct load {
	double answered, missing;
};

static struct load
never(int at)
{
	(void)at;
	return (struct load){ 20, 0 };
}

static struct load
favicon(int at)
{
	/* With the day's rhythm, and a surge at constant ratio. */
	double rate = 10 + 9 * sin(2 * 3.14159265 * at / DAY);

	if (at > 9 * HOUR && at < 10 * HOUR)
		rate *= 10;
	return (struct load){ rate, rate * 0.08 };
}

/* People have browsers, and sleep; programs do not. */
static struct load
favicon_by_day(int at)
{
	double people = 5 + 5 * sin(2 * 3.14159265 * at / DAY);

	return (struct load){ 10 + people, people * 0.3 };
}

static struct load
deployed(int at)
{
	return (struct load){ 20, at >= 12 * HOUR ? 8 : 0 };
}

static struct load
deployed_after_strays(int at)
{
	struct load l = deployed(at);

	if (at == HOUR || at == 5 * HOUR)
		l.missing = 1;
	return l;
}

static struct load
from_the_start(int at)
{
	(void)at;
	return (struct load){ 20, 8 };
}

static struct load
of_no_weight(int at)
{
	return (struct load){ 2000, at >= 12 * HOUR ? 20 : 0 };
}

static struct load
now_and_then(int at)
{
	return (struct load){ 0.1, at % (20 * MINUTE) == 0 ? 1 : 0 };
}

static const struct {
	const char *name;
	struct load (*load)(int at);
	uint32_t route;
	unsigned findings;
} days[] = {
	{ "never", never, LITERAL, 0 },
	{ "always, with the traffic", favicon, LITERAL, 0 },
	{ "by day, and not by night", favicon_by_day, LITERAL, 0 },
	{ "from noon on", deployed, LITERAL, 1 },
	{ "from noon on, and twice before", deployed_after_strays, LITERAL, 1 },
	{ "of many paths", deployed, TEMPLATE, 0 },
	{ "from the records' start", from_the_start, LITERAL, 0 },
	{ "one in a hundred", of_no_weight, LITERAL, 0 },
	{ "now and then, of a quiet service", now_and_then, LITERAL, 0 },
};

static void
feed(struct run *run, int at, uint32_t route, unsigned n, bool missing)
{
	struct cell c = { .key.route = route, .n = n };

	if (n == 0)
		return;
	c.not_found = missing ? n : 0;
	c.status[missing ? 4 : 2] = n;
	run_cell(run, at, METHOD_GET, c);
}

Test(surge_of_path, is_what_was_not_asked_for_before)
{
	for (size_t i = 0; i < sizeof days / sizeof days[0]; i++) {
		uint32_t other = days[i].route == LITERAL ? TEMPLATE : LITERAL;
		struct run run = run_start("not-found-surge");
		uint64_t random = 7;
		const struct finding *f;

		for (int at = 0; at < DAY; at++) {
			struct load l = days[i].load(at);
			unsigned good = random_poisson(&random, l.answered);
			unsigned bad = random_poisson(&random, l.missing);

			/* In the order of the routes' numbers. */
			if (other < days[i].route)
				feed(&run, at, other, good, false);
			feed(&run, at, days[i].route, bad, true);
			if (other > days[i].route)
				feed(&run, at, other, good, false);
		}
		run_end(&run);
		cr_expect_eq(run.out.n, days[i].findings, "%s: %zu",
		    days[i].name, run.out.n);
		f = run.out.v;
		if (run.out.n == 1) {
			cr_expect_eq(run_at(f->start_ns), 12 * HOUR, "%s",
			    days[i].name);
			cr_expect_leq(run_at(f->detected_ns), 12 * HOUR + 4,
			    "%s", days[i].name);
			cr_expect_leq(f->base_bad, 2);
			/* Of all that its service was asked for. */
			cr_expect_geq(f->total, f->bad * 3, "%s: %llu of %llu",
			    days[i].name, (unsigned long long)f->bad,
			    (unsigned long long)f->total);
			cr_expect_eq(f->test, TEST_RATIO);
		}
		run_fini(&run);
	}
}
