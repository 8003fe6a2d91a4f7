/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzers/silence.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define T0 INT64_C(1800000000)

enum { PULSES = 4096 };

/* A stream that is probed every `period` seconds, from begin to end. */
struct target {
	uint64_t stream;
	int begin, end, period;
	uint64_t peer;
	uint32_t program;
};

struct world {
	const char *name;
	struct target targets[8];
	int horizon;      /* of all */
	size_t found;     /* silences */
	uint64_t stream;  /* of the first of them */
	int last;         /* its last probe */
	uint32_t missing; /* and slots */
	uint32_t others;
	bool siblings;
};

static struct pulse pulses[PULSES];
static size_t n_pulses;

static void
put(const struct target *t, int64_t s, uint64_t asks)
{
	int64_t block = s / PULSE_SECONDS;
	struct pulse *p = NULL;

	for (size_t i = 0; i < n_pulses && !p; i++)
		if (pulses[i].stream == t->stream && pulses[i].asks == asks &&
		    pulses[i].peer == t->peer && pulses[i].block == block)
			p = &pulses[i];
	if (!p) {
		p = &pulses[n_pulses++];
		*p = (struct pulse){ .stream = t->stream,
			.peer = t->peer,
			.asks = asks,
			.block = block,
			.program = t->program };
	}
	s -= block * PULSE_SECONDS;
	p->seconds[s / 64] |= UINT64_C(1) << s % 64;
}

static int
by_key(const void *a, const void *b)
{
	const struct pulse *x = a;
	const struct pulse *y = b;

	if (x->stream != y->stream)
		return x->stream < y->stream ? -1 : 1;
	return x->block < y->block ? -1 : x->block > y->block;
}

/* Equal keys the other way round; every pulse twice. */
static int
by_key_backwards(const void *a, const void *b)
{
	const struct pulse *x = a;
	const struct pulse *y = b;
	int c = by_key(a, b);

	if (c)
		return c;
	return x->peer > y->peer ? -1 : x->peer < y->peer;
}

static struct silences
judge(const struct world *w, int (*order)(const void *, const void *),
    int times)
{
	int64_t horizon = T0 + w->horizon;
	struct listener *l = listener_new(&horizon);
	struct silences s;

	n_pulses = 0;
	for (const struct target *t = w->targets; t->stream; t++) {
		if (t->period == 0)
			put(t, T0 + t->begin, PULSE_LIFE);
		for (int at = t->begin; t->period && at <= t->end;
		     at += t->period)
			put(t, T0 + at, 7);
	}
	qsort(pulses, n_pulses, sizeof pulses[0], order);
	for (size_t i = 0; i < n_pulses; i++)
		for (int k = 0; k < times; k++)
			listener_feed(l, &pulses[i]);
	listener_judge(l, &s);
	listener_free(l);
	return s;
}

static const struct world worlds[] = {
	{ "one of three",
	    { { 1, 0, 3600, 10, 9, 0 }, { 2, 1, 1201, 10, 9, 0 },
		{ 3, 2, 3600, 10, 9, 0 } },
	    3600, 1, 2, 1201, 89, 2, true },
	{ "two of three slots",
	    { { 1, 0, 3600, 10, 9, 0 }, { 2, 1, 1201, 10, 9, 0 },
		{ 2, 1231, 3600, 10, 9, 0 } },
	    3600, 0, 0, 0, 0, 0, false },
	{ "three slots, then it is back",
	    { { 1, 0, 3600, 10, 9, 0 }, { 2, 1, 1201, 10, 9, 0 },
		{ 2, 1241, 3600, 10, 9, 0 } },
	    3600, 1, 2, 1201, 3, 1, true },
	{ "nobody else", { { 2, 1, 1201, 10, 9, 0 } }, 3600, 0, 0, 0, 0, 0,
	    false },
	{ "another program's, of the same prober",
	    { { 1, 0, 3600, 10, 9, 1 }, { 2, 1, 1201, 10, 9, 0 } }, 3600, 1, 2,
	    1201, 89, 1, false },
	{ "another program's, of another prober",
	    { { 1, 0, 3600, 10, 8, 1 }, { 2, 1, 1201, 10, 9, 0 } }, 3600, 0, 0,
	    0, 0, 0, false },
	{ "nobody is named: another program's is no other",
	    { { 1, 0, 3600, 10, 0, 1 }, { 2, 1, 1201, 10, 0, 0 } }, 3600, 0, 0,
	    0, 0, 0, false },
	{ "all at once",
	    { { 1, 0, 1200, 10, 9, 0 }, { 2, 1, 1201, 10, 9, 0 },
		{ 1, 1500, 3600, 10, 9, 0 }, { 2, 1501, 3600, 10, 9, 0 } },
	    3600, 0, 0, 0, 0, 0, false },
	{ "the other went on for a minute",
	    { { 1, 0, 1265, 10, 9, 0 }, { 2, 1, 1201, 10, 9, 0 },
		{ 1, 1500, 3600, 10, 9, 0 }, { 2, 1501, 3600, 10, 9, 0 } },
	    3600, 1, 2, 1201, 5, 1, true },
	{ "its input says nothing more",
	    { { 1, 0, 3600, 10, 9, 0 }, { 2, 1, 1201, 10, 9, 0 } }, 1300, 0, 0,
	    0, 0, 0, false },
	{ "five probes",
	    { { 1, 0, 3600, 10, 9, 0 }, { 2, 1161, 1201, 10, 9, 0 } }, 3600, 0,
	    0, 0, 0, 0, false },
	{ "another node goes on",
	    { { 1, 0, 3600, 10, 9, 0 }, { 2, 1, 1201, 10, 9, 0 },
		{ 2, 3, 3600, 10, 8, 0 } },
	    3600, 0, 0, 0, 0, 0, false },
	{ "two nodes: the slots of either",
	    { { 1, 0, 3600, 10, 9, 0 }, { 2, 1, 1201, 10, 9, 0 },
		{ 2, 4, 1204, 10, 8, 0 } },
	    3600, 1, 2, 1204, 178, 1, true },
	{ "replaced a minute later",
	    { { 1, 0, 3600, 10, 9, 0 }, { 2, 1, 1201, 10, 9, 0 },
		{ 3, 1260, 3600, 10, 9, 0 } },
	    3600, 0, 0, 0, 0, 0, false },
	{ "replaced, and nobody asks the new one yet",
	    { { 1, 0, 3600, 10, 9, 0 }, { 2, 1, 1201, 10, 9, 0 },
		{ 3, 1260, 1260, 0, 0, 0 } },
	    3600, 0, 0, 0, 0, 0, false },
	{ "another program's task is no replacement",
	    { { 1, 0, 3600, 10, 9, 0 }, { 2, 1, 1201, 10, 9, 0 },
		{ 3, 100, 3600, 10, 9, 1 }, { 4, 1260, 3600, 10, 9, 1 } },
	    3600, 1, 2, 1201, 89, 1, true },
	{ "replaced five minutes later",
	    { { 1, 0, 3600, 10, 9, 0 }, { 2, 1, 1201, 10, 9, 0 },
		{ 3, 1501, 3600, 10, 9, 0 } },
	    3600, 1, 2, 1201, 29, 1, true },
	{ "there was one more than at first",
	    { { 1, 0, 3600, 10, 9, 0 }, { 2, 1, 1201, 10, 9, 0 },
		{ 3, 600, 3600, 10, 9, 0 } },
	    3600, 0, 0, 0, 0, 0, false },
	{ "and one replaced two: the second is missed",
	    { { 1, 0, 3600, 10, 9, 0 }, { 2, 1, 1201, 10, 9, 0 },
		{ 3, 600, 3600, 10, 9, 0 }, { 4, 2, 1802, 10, 9, 0 } },
	    3600, 1, 4, 1802, 89, 2, true },
};
enum { WORLDS = sizeof worlds / sizeof worlds[0] };

static void
check(const struct world *w, struct silences *s)
{
	cr_expect_eq(s->n, w->found, "%s: %zu silences", w->name, s->n);
	if (s->n == 1 && w->found == 1) {
		const struct silence *f = s->v;

		cr_expect_eq(f->stream, w->stream, "%s: stream", w->name);
		cr_expect_eq(f->last_s, T0 + w->last, "%s: last", w->name);
		cr_expect_eq(f->n_slots, w->missing, "%s: %zu slots", w->name,
		    f->n_slots);
		cr_expect_eq(f->others, w->others, "%s: %u others", w->name,
		    f->others);
		cr_expect_eq(f->siblings, w->siblings, "%s: kin", w->name);
		cr_expect_eq(f->probers[0].period_ms, 10000, "%s: period",
		    w->name);
		for (size_t i = 1; i < f->n_slots; i++)
			cr_expect_leq(f->slots[i - 1].ms, f->slots[i].ms,
			    "%s: in order", w->name);
	}
	silences_fini(s);
}

Test(silence, is_told_where_others_go_on)
{
	for (int i = 0; i < WORLDS; i++) {
		struct silences s = judge(&worlds[i], by_key, 1);

		check(&worlds[i], &s);
	}
}

Test(silence, depends_on_the_set_of_pulses_alone)
{
	for (int i = 0; i < WORLDS; i++) {
		struct silences s = judge(&worlds[i], by_key_backwards, 2);

		check(&worlds[i], &s);
	}
}

Test(silence, of_a_crowd_of_probers_is_not_judged)
{
	struct world w = { "crowd", { { 1, 0, 3600, 10, 9, 0 } }, 3600, 0, 0, 0,
		0, 0, false };
	int64_t horizon = T0 + 3600;
	struct listener *l = listener_new(&horizon);
	struct silences s;

	n_pulses = 0;
	for (int at = 0; at <= 3600; at += 10)
		put(&w.targets[0], T0 + at, 7);
	for (uint64_t peer = 1; peer <= 17; peer++)
		for (int at = 0; at <= 1200; at += 10)
			put(&(struct target){ .stream = 2, .peer = peer },
			    T0 + at, 7);
	qsort(pulses, n_pulses, sizeof pulses[0], by_key);
	for (size_t i = 0; i < n_pulses; i++)
		listener_feed(l, &pulses[i]);
	listener_judge(l, &s);
	listener_free(l);
	cr_expect_eq(s.n, 0);
	silences_fini(&s);
}

Test(silence, of_nothing_is_nothing)
{
	struct listener *l = listener_new(NULL);
	struct silences s;

	listener_judge(l, &s);
	cr_expect_eq(s.n, 0);
	listener_free(l);
}
