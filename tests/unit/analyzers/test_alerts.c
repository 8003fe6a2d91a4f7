/* SPDX-License-Identifier: Apache-2.0 */
/* What is due when, of a few findings with times in minutes. */
#include "analyzers/alerts.h"

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "core/buf.h"
#include "core/when.h"

#define MIN (60 * NS_PER_SEC)

enum { OPEN = -1 };

/* A finding: detected and ended so many minutes after the start. */
struct row {
	const char *id, *service, *route;
	enum severity severity;
	int detected, end; /* OPEN: it never does */
};

static struct findings
findings_of(const struct row *rows, size_t n)
{
	struct findings all = { 0 };

	for (size_t i = 0; i < n; i++) {
		struct finding *f = findings_add(&all);
		const struct row *r = &rows[i];

		f->rule = "slow-post";
		f->severity = r->severity;
		f->service = finding_text(str_of(r->service));
		f->route = finding_text(str_of(r->route));
		f->detected_ns = r->detected * MIN;
		f->open = r->end == OPEN;
		f->end_ns = r->end * MIN;
		memset(f->id, '.', sizeof f->id);
		memcpy(f->id, r->id, strlen(r->id));
	}
	return all;
}

/* "0 opened a 2 0; 21 resolved a 2 1": minute, state, lead, group, sequence. */
static void
put_all(struct buf *out, const struct alerts *a)
{
	for (size_t i = 0; i < a->n; i++) {
		const struct alert *x = &a->v[i];

		buf_printf(out, "%s%lld %s %c", i ? "; " : "",
		    (long long)(x->at_ns / MIN), alert_state_name(x->state),
		    x->lead->id[0]);
		if (x->state == ALERT_SUPPRESSED)
			buf_printf(out, " %llu",
			    (unsigned long long)x->left_out);
		else
			buf_printf(out, " %zu %u", x->n, x->sequence);
	}
}

static const struct {
	const char *name;
	struct alert_policy policy; /* times in minutes; least is warning */
	struct row rows[5];
	const char *want;
	size_t told, below, cooling, limited;
} cases[] = {
	{ .name = "opened, and resolved when it was quiet",
	    .rows = { { "a", "s", "/", SEVERITY_WARNING, 5, 10 } },
	    .want = "5 opened a 1 0; 30 resolved a 1 1",
	    .told = 1 },
	{ .name = "not resolved while it is open",
	    .rows = { { "a", "s", "/", SEVERITY_WARNING, 5, OPEN } },
	    .want = "5 opened a 1 0",
	    .told = 1 },
	{ .name = "below the severity",
	    .rows = { { "a", "s", "/", SEVERITY_INFO, 5, OPEN } },
	    .want = "",
	    .below = 1 },
	{ .name = "repeated until it is resolved",
	    .policy = { .repeat_ns = 10 },
	    .rows = { { "a", "s", "/", SEVERITY_WARNING, 5, 10 } },
	    .want = "5 opened a 1 0; 15 updated a 1 1; 25 updated a 1 2; "
		    "30 resolved a 1 3",
	    .told = 1 },
	{ .name = "repeated until the records end",
	    .policy = { .repeat_ns = 40 },
	    .rows = { { "a", "s", "/", SEVERITY_WARNING, 5, OPEN } },
	    .want = "5 opened a 1 0; 45 updated a 1 1; 85 updated a 1 2",
	    .told = 1 },
	{ .name = "of one service together, the worst first",
	    .policy = { .group_ns = 2 },
	    .rows = { { "a", "s", "/", SEVERITY_WARNING, 5, 10 },
		{ "b", "s", "/b", SEVERITY_CRITICAL, 7, 20 },
		{ "c", "s", "/c", SEVERITY_CRITICAL, 8, 9 },
		{ "d", "t", "/", SEVERITY_WARNING, 6, 7 } },
	    .want = "7 opened b 2 0; 8 opened d 1 0; 10 opened c 1 0; "
		    "27 resolved d 1 1; 29 resolved c 1 1; 40 resolved b 2 1",
	    .told = 4 },
	{ .name = "back while it cools down, and over again",
	    .policy = { .cooldown_ns = 30 },
	    .rows = { { "a", "s", "/", SEVERITY_WARNING, 5, 10 },
		{ "b", "s", "/", SEVERITY_WARNING, 35, 36 },
		{ "c", "s", "/other", SEVERITY_WARNING, 35, 36 } },
	    .want = "5 opened a 1 0; 30 resolved a 1 1; 35 opened c 1 0; "
		    "56 resolved c 1 1",
	    .told = 2,
	    .cooling = 1 },
	{ .name = "back while it cools down, and still there",
	    .policy = { .cooldown_ns = 30 },
	    .rows = { { "a", "s", "/", SEVERITY_WARNING, 5, 10 },
		{ "b", "s", "/", SEVERITY_WARNING, 35, 50 } },
	    .want = "5 opened a 1 0; 30 resolved a 1 1; 60 opened b 1 0; "
		    "70 resolved b 1 1",
	    .told = 2 },
	{ .name = "what was not told does not cool",
	    .policy = { .cooldown_ns = 30 },
	    .rows = { { "a", "s", "/", SEVERITY_WARNING, 5, 10 },
		{ "b", "s", "/", SEVERITY_WARNING, 35, 36 },
		{ "c", "s", "/", SEVERITY_WARNING, 61, 62 } },
	    .want = "5 opened a 1 0; 30 resolved a 1 1; 61 opened c 1 0; "
		    "82 resolved c 1 1",
	    .told = 2,
	    .cooling = 1 },
	{ .name = "more than a minute may have",
	    .policy = { .per_minute = 1 },
	    .rows = { { "a", "s", "/", SEVERITY_WARNING, 5, 10 },
		{ "b", "t", "/", SEVERITY_CRITICAL, 5, 10 },
		{ "c", "u", "/", SEVERITY_WARNING, 5, 10 } },
	    .want = "5 opened a 1 0; 6 suppressed b 2; 30 resolved a 1 1",
	    .told = 1,
	    .limited = 2 },
	{ .name = "opened by the repetition that has room",
	    .policy = { .per_minute = 1, .repeat_ns = 10 },
	    .rows = { { "a", "s", "/", SEVERITY_WARNING, 5, -5 },
		{ "b", "t", "/", SEVERITY_CRITICAL, 5, 10 } },
	    .want = "5 opened a 1 0; 6 suppressed b 1; 15 resolved a 1 1; "
		    "16 suppressed b 1; 25 opened b 1 2; 30 resolved b 1 3",
	    .told = 2 },
};

Test(alerts, are_due_when_they_should_be)
{
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct alert_policy p = cases[i].policy;
		size_t n = 0;
		struct findings f;
		struct alerts a;
		struct buf got = { 0 };

		while (n < 5 && cases[i].rows[n].id)
			n++;
		p.least = SEVERITY_WARNING;
		p.group_ns *= MIN;
		p.repeat_ns *= MIN;
		p.cooldown_ns *= MIN;
		p.quiet_ns = 20 * MIN;
		f = findings_of(cases[i].rows, n);
		alerts_of(&a, &f, &p, 100 * MIN);
		put_all(&got, &a);
		cr_expect_str_eq(buf_cstr(&got), cases[i].want, "%s: %s",
		    cases[i].name, buf_cstr(&got));
		cr_expect(a.told == cases[i].told &&
			      a.below == cases[i].below &&
			      a.cooling == cases[i].cooling &&
			      a.limited == cases[i].limited,
		    "%s: %zu %zu %zu %zu", cases[i].name, a.told, a.below,
		    a.cooling, a.limited);
		cr_expect_eq(a.findings,
		    a.told + a.below + a.cooling + a.limited, "%s",
		    cases[i].name);
		alerts_fini(&a);
		findings_fini(&f);
		buf_fini(&got);
	}
}

/* A generator whose numbers are all that is needed here. */
static unsigned
draw(unsigned *seed, unsigned n)
{
	*seed = *seed * 1103515245u + 12345u;
	return (*seed >> 16) % n;
}

Test(alerts, balance_and_do_not_depend_on_the_order)
{
	static const char *const services[] = { "s", "t", "u" };
	unsigned seed = 7;

	for (int round = 0; round < 300; round++) {
		struct row rows[40];
		char ids[40][3];
		struct findings f, back;
		struct alerts a, b;
		struct buf one = { 0 }, two = { 0 };
		struct alert_policy p = { .least = SEVERITY_WARNING,
			.group_ns = draw(&seed, 3) * MIN,
			.repeat_ns = draw(&seed, 3) * 7 * MIN,
			.cooldown_ns = draw(&seed, 4) * 11 * MIN,
			.quiet_ns = 20 * MIN,
			.per_minute = draw(&seed, 4) };

		for (int i = 0; i < 40; i++) {
			int at = (int)draw(&seed, 90);

			snprintf(ids[i], sizeof ids[i], "%c%c", 'A' + i % 26,
			    'a' + i / 26);
			rows[i] =
			    (struct row){ ids[i], services[draw(&seed, 3)],
				    draw(&seed, 2) ? "/" : "/x",
				    (enum severity)draw(&seed, SEVERITIES), at,
				    draw(&seed, 4) ? at + (int)draw(&seed, 30)
						   : OPEN };
		}
		f = findings_of(rows, 40);
		for (int i = 0; i < 20; i++) {
			struct row swap = rows[i];

			rows[i] = rows[39 - i];
			rows[39 - i] = swap;
		}
		back = findings_of(rows, 40);
		alerts_of(&a, &f, &p, 120 * MIN);
		alerts_of(&b, &back, &p, 120 * MIN);
		put_all(&one, &a);
		put_all(&two, &b);
		cr_assert_str_eq(buf_cstr(&one), buf_cstr(&two));
		cr_assert_eq(a.findings,
		    a.told + a.below + a.cooling + a.limited);
		for (size_t i = 1; i < a.n; i++)
			cr_assert_leq(a.v[i - 1].at_ns, a.v[i].at_ns);
		alerts_fini(&a);
		alerts_fini(&b);
		findings_fini(&f);
		findings_fini(&back);
		buf_fini(&one);
		buf_fini(&two);
	}
}
