/* SPDX-License-Identifier: Apache-2.0 */
/* Options: values, messages, help, manual. */
#include <criterion/criterion.h>
#include <stdbool.h>
#include <stdio.h>

#include "core/opt.h"
#include "core/when.h"

struct settings {
	bool quiet;
	bool all;
	const char *out;
	int threads;
	uint64_t ratio;
	size_t block;
	size_t store_max;
	int64_t slow;
	int64_t since;
	int probes;
	struct opt_list paths;
};

static const char *const probes[] = { "fold", "keep", "drop", NULL };

static const struct opt table[] = {
	{ .name = "quiet",
	    .letter = 'q',
	    .type = OPT_FLAG,
	    .offset = offsetof(struct settings, quiet),
	    .group = "Words",
	    .help = "No progress." },
	{ .name = "all",
	    .letter = 'a',
	    .type = OPT_FLAG,
	    .offset = offsetof(struct settings, all),
	    .help = "Everything." },
	{ .name = "out",
	    .letter = 'o',
	    .type = OPT_TEXT,
	    .offset = offsetof(struct settings, out),
	    .arg = "DIR",
	    .help = "Where documents go." },
	{ .name = "threads",
	    .letter = 'j',
	    .type = OPT_INT,
	    .offset = offsetof(struct settings, threads),
	    .arg = "N",
	    .absent = "one a core",
	    .min = 0,
	    .max = 256,
	    .help = "Workers." },
	{ .name = "max-ratio",
	    .type = OPT_COUNT,
	    .offset = offsetof(struct settings, ratio),
	    .arg = "N",
	    .preset = "1200",
	    .help = "Inflation." },
	{ .name = "block-size",
	    .type = OPT_SIZE,
	    .offset = offsetof(struct settings, block),
	    .arg = "SIZE",
	    .preset = "256K",
	    .min = 1,
	    .max = 1 << 20,
	    .help = "Read." },
	{ .name = "slow",
	    .type = OPT_SPAN,
	    .offset = offsetof(struct settings, slow),
	    .arg = "SPAN",
	    .preset = "1s",
	    .min = NS_PER_MS,
	    .help = "Slow is above." },
	{ .name = "since",
	    .type = OPT_TIME,
	    .offset = offsetof(struct settings, since),
	    .arg = "TIME",
	    .help = "From then on." },
	{ .name = "store-max",
	    .type = OPT_SIZE,
	    .offset = offsetof(struct settings, store_max),
	    .arg = "SIZE",
	    .min = 1 << 20,
	    .help = "At least, and nothing at most." },
	{ .name = "probes",
	    .type = OPT_CHOICE,
	    .offset = offsetof(struct settings, probes),
	    .arg = "HOW",
	    .preset = "fold",
	    .choices = probes,
	    .help = "Probes." },
	{ .name = "probe-path",
	    .type = OPT_LIST,
	    .offset = offsetof(struct settings, paths),
	    .arg = "PATH",
	    .help = "A path of probes." },
	{ .name = NULL },
};

enum { ARGS = 6 };

static int
parse(struct settings *s, const char *const *args, int *rest, struct err *err)
{
	static char text[ARGS][256];
	char *argv[ARGS + 1] = { NULL };
	int argc = 0;

	for (; argc < ARGS && args[argc]; argc++) {
		snprintf(text[argc], sizeof text[argc], "%s", args[argc]);
		argv[argc] = text[argc];
	}
	opt_defaults(table, s);
	return opt_parse(table, s, argc, argv, rest, err);
}

Test(opt, defaults_are_read_from_the_rows_text)
{
	struct settings s;

	opt_defaults(table, &s);
	cr_assert_eq(s.block, (size_t)262144);
	cr_assert_eq(s.slow, NS_PER_SEC);
	cr_assert_eq(s.since, WHEN_NONE);
	cr_assert_eq(s.ratio, UINT64_C(1200));
	cr_assert_eq(s.threads, 0);
	cr_assert_null(s.out);
}

Test(opt, values_reach_their_members)
{
	static const char *const args[] = { "-qaj4", "--slow=250ms", "-oDIR",
		"--probes", "drop", NULL };
	struct settings s;
	struct err err = { "" };
	int rest;

	cr_assert_eq(parse(&s, args, &rest, &err), 0, "%s", err.text);
	cr_assert(s.quiet && s.all);
	cr_assert_eq(s.threads, 4);
	cr_assert_eq(s.slow, 250 * NS_PER_MS);
	cr_assert_str_eq(s.out, "DIR");
	cr_assert_eq(s.probes, 2);
	cr_assert_eq(rest, 0);
}

Test(opt, arguments_keep_their_order_around_options)
{
	char a[] = "a", q[] = "-q", dash[] = "-", end[] = "--", b[] = "-b";
	char *argv[] = { a, q, dash, end, b };
	struct settings s;
	struct err err = { "" };
	int rest;

	opt_defaults(table, &s);
	cr_assert_eq(opt_parse(table, &s, 5, argv, &rest, &err), 0);
	cr_assert_eq(rest, 3);
	cr_assert_str_eq(argv[0], "a");
	cr_assert_str_eq(argv[1], "-");
	cr_assert_str_eq(argv[2], "-b");
}

Test(opt, lists_collect_all_values)
{
	static const char *const args[] = { "--probe-path", "/a",
		"--probe-path=/b", NULL };
	struct settings s;
	struct err err = { "" };
	int rest;

	cr_assert_eq(parse(&s, args, &rest, &err), 0);
	cr_assert_eq(s.paths.n, (size_t)2);
	cr_assert_str_eq(s.paths.v[1], "/b");
	opt_fini(table, &s);
	cr_assert_eq(s.paths.n, (size_t)0);
}

Test(opt, messages_say_what_and_what_was_expected)
{
	static const struct {
		const char *name;
		const char *args[3];
		const char *message;
	} rows[] = {
		{ "mistyped", { "--thread=3" },
		    "there is no option --thread; did you mean --threads?" },
		{ "swapped", { "--solw=3s" },
		    "there is no option --solw; did you mean --slow?" },
		{ "far away", { "--xyzzyxyzzy" },
		    "there is no option --xyzzyxyzzy" },
		{ "letter", { "-z" }, "there is no option -z" },
		{ "letter that is no letter", { "-\x1b" },
		    "there is no option -\\x1b" },
		{ "word", { "--threads=many" },
		    "--threads: 'many' is not a whole number" },
		{ "negative", { "--threads=-1" },
		    "--threads: '-1' is not a whole number" },
		{ "range", { "--threads=257" },
		    "--threads: '257' is out of range, expected 0 to 256" },
		{ "beyond 64 bits", { "--max-ratio=99999999999999999999" },
		    "--max-ratio: '99999999999999999999' is not a whole "
		    "number" },
		{ "size unit", { "--block-size=3X" },
		    "--block-size: '3X' is not a size such as 64K, 8M or 1G" },
		{ "size range", { "--block-size=2M" },
		    "--block-size: '2M' is out of range, expected 1 to "
		    "1048576 bytes" },
		{ "size overflow", { "--block-size=99999999999999999G" },
		    "--block-size: '99999999999999999G' is out of range, "
		    "expected 1 to 1048576 bytes" },
		{ "span", { "--slow=fast" },
		    "--slow: 'fast' is not a time span such as 500ms, 90s, "
		    "15m, 2h or 1d" },
		{ "span too short", { "--slow=1us" },
		    "--slow: '1us' is too short, expected at least 1 ms" },
		{ "time", { "--since=yesterday" },
		    "--since: 'yesterday' is not a time such as "
		    "2018-11-27T08:47:55Z, 2018-11-27 or seconds since 1970" },
		{ "choice", { "--probes=eat" },
		    "--probes: 'eat' is not known, expected fold, keep or "
		    "drop" },
		{ "text is empty", { "--out=" }, "--out: its DIR is empty" },
		{ "list has an empty one", { "--probe-path=" },
		    "--probe-path: its PATH is empty" },
		{ "below its only bound", { "--store-max=1023" },
		    "--store-max: '1023' is out of range, expected at least "
		    "1048576 bytes" },
		{ "no value", { "--out" }, "--out needs a value: DIR" },
		{ "flag with value", { "--quiet=1" },
		    "--quiet takes no value" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct settings s;
		struct err err = { "" };
		int rest;

		cr_expect_eq(parse(&s, rows[i].args, &rest, &err), -1, "%s",
		    rows[i].name);
		cr_expect_str_eq(err.text, rows[i].message, "%s: %s",
		    rows[i].name, err.text);
		opt_fini(table, &s);
	}
}

Test(opt, help_wraps_and_names_defaults)
{
	struct buf out = { 0 };
	struct str rest;
	struct str line;

	opt_help(&out, table, 60);
	rest = buf_view(&out);
	cr_assert_neq(str_find_str(rest, STR("-j, --threads N")), SIZE_MAX);
	cr_assert_neq(str_find_str(rest, STR("Default: 256K.")), SIZE_MAX);
	cr_assert_neq(str_find_str(rest, STR("fold, keep, drop.")), SIZE_MAX);
	while (str_cut(&rest, '\n', &line))
		cr_expect(line.n <= 60, "%.*s", STR_ARG(line));
	buf_fini(&out);
}

Test(opt, nearest_gives_nothing_for_what_is_far)
{
	static const char *const names[] = { "replay", "help", "components" };

	cr_expect_eq(opt_nearest(STR("rpelay"), names, 3), 0);
	cr_expect_eq(opt_nearest(STR("component"), names, 3), 2);
	cr_expect_eq(opt_nearest(STR("comp"), names, 3), 2);
	cr_expect_eq(opt_nearest(STR("qqqqq"), names, 3), -1);
	cr_expect_eq(opt_nearest(STR(""), names, 3), -1);
}
