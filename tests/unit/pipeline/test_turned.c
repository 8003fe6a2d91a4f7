/* SPDX-License-Identifier: Apache-2.0 */
/* Inputs that are newest first come in order of time; others as they are. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ingest/input.h"
#include "ingest/source.h"
#include "pipeline/turned.h"

/* What one line of an export says. */
struct at {
	int s;      /* seconds since two o'clock */
	size_t pad; /* bytes of its message */
};

static void
put_line(FILE *f, struct at a)
{
	fprintf(f, "2026-11-21T%02d:%02d:%02d.000Z ", 2 + a.s / 3600,
	    a.s / 60 % 60, a.s % 60);
	for (size_t i = 0; i < a.pad; i++)
		fputc('x', f);
	fputc('\n', f);
}

/* Reads all; *round is whether it was turned. */
static size_t
read_lines(const char *path, size_t block, struct place *places, int64_t *times,
    bool *round)
{
	struct limits limits = limits_default;
	char name[256];
	struct input input = { .path = name };
	struct turned t = { 0 };
	struct batch b = { 0 };
	struct err err = { "" };
	struct source *source;
	struct events *e;
	size_t n = 0;

	snprintf(name, sizeof name, "%s", path);
	limits.block_bytes = block;
	source = source_open(&input, &limits, &err);
	cr_assert_not_null(source, "%s", err.text);
	e = events_new(&input, 0, source, &limits);
	turned_begin(&t);
	while (turned_next(&t, e, &b, &err) == FLOW_OK) {
		for (size_t i = 0; i < b.n; i++, n++) {
			places[n] = b.events[i].place;
			times[n] = b.events[i].ts_ns;
			for (size_t k = 0; k < b.events[i].message.n; k++)
				cr_assert_eq(b.events[i].message.p[k], 'x');
		}
		cr_assert_eq(b.n_dead, 0);
	}
	*round = turned_round(&t);
	turned_fini(&t);
	events_free(e);
	batch_fini(&b);
	return n;
}

static struct at
rising(int i, int n)
{
	(void)n;
	return (struct at){ i / 3, 40 };
}

static struct at
falling(int i, int n)
{
	return (struct at){ (n - 1 - i) / 3, 40 };
}

/* Two in a thousand are late by an hour. */
static struct at
jumping(int i, int n)
{
	int late = i > 100 && i % 500 == 0 ? 1800 : 0;

	return (struct at){ (n - 1 - i) / 8 + late, 90 };
}

/* One message is greater than what is read back at once. */
static struct at
great(int i, int n)
{
	return (struct at){ n - i, i % 100 == 50 ? 200000 : 3000 };
}

static struct at
level(int i, int n)
{
	(void)i;
	(void)n;
	return (struct at){ 7, 30 };
}

/* It turns after more than a look. */
static struct at
late_fall(int i, int n)
{
	return (struct at){ i < 2000 ? i : n - i, 30 };
}

static const struct {
	const char *name;
	struct at (*line)(int i, int n);
	int n;
	bool round;
} cases[] = {
	{ "rising", rising, 5000, false },
	{ "falling", falling, 5000, true },
	{ "falling, few", falling, 4, true },
	{ "falling, on disk", falling, 20000, true },
	{ "falling, some late", jumping, 20000, true },
	{ "falling, great", great, 600, true },
	{ "level", level, 3000, false },
	{ "level, few", level, 3, false },
	{ "one", level, 1, false },
	{ "rising first", late_fall, 4000, false },
};

/* In order of time, of equal times the greater line first; or as it was. */
static void
expect_order(const char *name, const struct place *p, const int64_t *t,
    size_t n, bool round)
{
	for (size_t i = 0; i < n; i++) {
		if (!round)
			cr_assert_eq(p[i].line, i + 1, "%s: line %zu", name, i);
		else if (i > 0)
			cr_assert(
			    t[i] > t[i - 1] ||
				(t[i] == t[i - 1] && p[i].line < p[i - 1].line),
			    "%s: event %zu", name, i);
	}
}

Test(turned, gives_the_order_of_time)
{
	static struct place places[20000];
	static int64_t times[20000];
	static const size_t blocks[] = { 256 * 1024, 977 };

	for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
		const char *dir = getenv("TMPDIR");
		char path[256];
		FILE *f;

		snprintf(path, sizeof path, "%s/turned-XXXXXX",
		    dir ? dir : "/tmp");
		f = fdopen(mkstemp(path), "w");

		for (int i = 0; i < cases[c].n; i++)
			put_line(f, cases[c].line(i, cases[c].n));
		fclose(f);
		for (size_t k = 0; k < 2; k++) {
			bool round;
			size_t n =
			    read_lines(path, blocks[k], places, times, &round);

			cr_assert_eq(n, (size_t)cases[c].n, "%s: %zu",
			    cases[c].name, n);
			cr_assert_eq(round, cases[c].round, "%s",
			    cases[c].name);
			expect_order(cases[c].name, places, times, n, round);
		}
		unlink(path);
	}
}
