/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Borrowed strings.  Every text is copied into heap memory of its exact size,
 * so that a read beyond it is one that the address sanitizer sees.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>

#include "core/buf.h"
#include "core/str.h"

/* The bytes of a literal in memory of just that size. */
static struct str
exact(const char *text)
{
	size_t n = strlen(text);
	char *p = malloc(n ? n : 1);

	cr_assert_not_null(p);
	memcpy(p, text, n);
	return (struct str){ p, n };
}

static void
drop(struct str s)
{
	union {
		const char *in;
		void *out;
	} p = { .in = s.p };

	free(p.out);
}

static const struct str null = { NULL, 0 };

Test(str, of_null_is_empty)
{
	cr_assert_eq(str_of(NULL).n, 0);
	cr_assert_eq(str_of("").n, 0);
	cr_assert_eq(str_of("abc").n, 3);
}

Test(str, every_function_takes_the_null_str)
{
	struct str rest = null;
	struct str head;
	uint64_t u;
	int64_t ns;

	cr_assert(str_eq(null, null));
	cr_assert(str_eq(null, STR("")));
	cr_assert_not(str_eq(null, STR("a")));
	cr_assert(str_starts(null, null));
	cr_assert(str_starts(STR("a"), null));
	cr_assert(str_ends(null, null));
	cr_assert(str_ends(STR("a"), null));
	cr_assert(str_eq_nocase(null, null));
	cr_assert_eq(str_cmp(null, null), 0);
	cr_assert_eq(str_sub(null, 3, 4).n, 0);
	cr_assert_eq(str_from(null, 3).n, 0);
	cr_assert_eq(str_find(null, 'a'), SIZE_MAX);
	cr_assert_eq(str_find_last(null, 'a'), SIZE_MAX);
	cr_assert_eq(str_find_str(null, STR("a")), SIZE_MAX);
	cr_assert_eq(str_find_str(null, null), 0);
	cr_assert_eq(str_trim(null).n, 0);
	cr_assert_not(str_cut(&rest, ',', &head));
	cr_assert_not(str_u64(&rest, &u));
	cr_assert_not(str_seconds_ns(&rest, &ns));
	cr_assert_null(rest.p);
}

Test(str, compares_bytes_and_not_text)
{
	cr_assert(str_eq(STR("a\0b"), STR("a\0b")));
	cr_assert_not(str_eq(STR("a\0b"), STR("a\0c")));
	cr_assert_gt(str_cmp(STR("\xff"), STR("a")), 0);
	cr_assert_lt(str_cmp(STR("ab"), STR("abc")), 0);
	cr_assert_gt(str_cmp(STR("b"), STR("abc")), 0);
	cr_assert_eq(str_cmp(STR("abc"), STR("abc")), 0);
	cr_assert_lt(str_cmp(null, STR("a")), 0);
	cr_assert_gt(str_cmp(STR("a"), null), 0);
}

Test(str, nocase_folds_ascii_letters_only)
{
	cr_assert(
	    str_eq_nocase(STR("eLB-HealthChecker"), STR("ELB-healthchecker")));
	cr_assert_not(str_eq_nocase(STR("@["), STR("`{")));
	cr_assert_not(str_eq_nocase(STR("\xc3\x84"), STR("\xc3\xa4")));
	cr_assert_not(str_eq_nocase(STR("a"), STR("ab")));
}

Test(str, starts_and_ends_need_the_whole_affix)
{
	cr_assert(str_starts(STR("GET /"), STR("GET")));
	cr_assert_not(str_starts(STR("GE"), STR("GET")));
	cr_assert(str_ends(STR("000000.gz"), STR(".gz")));
	cr_assert_not(str_ends(STR("gz"), STR(".gz")));
	cr_assert(str_ends(STR("x"), STR("")));
}

Test(str, sub_is_cut_to_what_there_is)
{
	static const struct {
		const char *name;
		size_t from, n;
		const char *want;
	} rows[] = {
		{ "all", 0, SIZE_MAX, "abcde" },
		{ "inside", 1, 3, "bcd" },
		{ "too many", 3, 99, "de" },
		{ "none", 2, 0, "" },
		{ "at the end", 5, 1, "" },
		{ "beyond the end", 9, 1, "" },
		{ "largest", SIZE_MAX, SIZE_MAX, "" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct str s = str_sub(STR("abcde"), rows[i].from, rows[i].n);

		cr_assert(str_eq(s, str_of(rows[i].want)), "%s: got '%.*s'",
		    rows[i].name, STR_ARG(s));
	}
}

Test(str, finds_first_last_and_text)
{
	struct str s = STR("a=b=c");

	cr_assert_eq(str_find(s, '='), 1);
	cr_assert_eq(str_find_last(s, '='), 3);
	cr_assert_eq(str_find(s, 'x'), SIZE_MAX);
	cr_assert_eq(str_find_last(s, 'x'), SIZE_MAX);
	cr_assert_eq(str_find(STR("a\0b"), '\0'), 1);
	cr_assert_eq(str_find_str(s, STR("=c")), 3);
	cr_assert_eq(str_find_str(s, STR("")), 0);
	cr_assert_eq(str_find_str(s, STR("=d")), SIZE_MAX);
	cr_assert_eq(str_find_str(STR("ab"), STR("abc")), SIZE_MAX);
}

Test(str, trims_both_ends_and_nothing_inside)
{
	cr_assert(str_eq(str_trim(STR(" \t\r\na b\n ")), STR("a b")));
	cr_assert(str_eq(str_trim(STR(" \n")), STR("")));
	cr_assert(str_eq(str_trim(STR("\va\f")), STR("\va\f")));
}

Test(str, cuts_at_first_separator)
{
	struct str rest = STR("a,,b");
	struct str head;

	cr_assert(str_cut(&rest, ',', &head));
	cr_assert(str_eq(head, STR("a")));
	cr_assert(str_eq(rest, STR(",b")));
	cr_assert(str_cut(&rest, ',', &head));
	cr_assert_eq(head.n, 0);
	cr_assert(str_eq(rest, STR("b")));
	head = STR("untouched");
	cr_assert_not(str_cut(&rest, ',', &head));
	cr_assert(str_eq(rest, STR("b")));
	cr_assert(str_eq(head, STR("untouched")));
	rest = STR("last,");
	cr_assert(str_cut(&rest, ',', &head));
	cr_assert_eq(rest.n, 0);
}

Test(str, numbers_are_read_or_the_cursor_stays)
{
	static const struct {
		const char *text;
		bool ok;
		uint64_t want;
		const char *rest;
	} rows[] = {
		{ "0", true, 0, "" },
		{ "200 12", true, 200, " 12" },
		{ "00099999", true, 99999, "" },
		{ "18446744073709551615", true, UINT64_MAX, "" },
		{ "18446744073709551616", false, 0, "18446744073709551616" },
		{ "99999999999999999999999", false, 0,
		    "99999999999999999999999" },
		{ "", false, 0, "" },
		{ "-1", false, 0, "-1" },
		{ "+1", false, 0, "+1" },
		{ " 1", false, 0, " 1" },
		{ "/", false, 0, "/" },
		{ ":", false, 0, ":" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct str all = exact(rows[i].text);
		struct str rest = all;
		uint64_t v = 0;

		cr_assert_eq(str_u64(&rest, &v), rows[i].ok, "'%s'",
		    rows[i].text);
		cr_assert_eq(v, rows[i].want, "'%s': %" PRIu64, rows[i].text,
		    v);
		cr_assert(str_eq(rest, str_of(rows[i].rest)), "'%s': '%.*s'",
		    rows[i].text, STR_ARG(rest));
		drop(all);
	}
}

Test(str, seconds_never_go_through_floating_point)
{
	static const struct {
		const char *text;
		bool ok;
		int64_t want;
		const char *rest;
	} rows[] = {
		{ "0.0241", true, 24100000, "" },
		{ "12", true, 12000000000, "" },
		{ "-1", true, -1000000000, "" },
		{ "-0.5 x", true, -500000000, " x" },
		{ "1.", true, 1000000000, "." },
		{ "1.x", true, 1000000000, ".x" },
		{ "0.1", true, 100000000, "" },
		{ "0.123456789", true, 123456789, "" },
		{ "0.1234567899999999999999999", true, 123456789, "" },
		{ "1.2.3", true, 1200000000, ".3" },
		{ "9223372035.999999999", true, 9223372035999999999, "" },
		{ "9223372036", false, 0, "9223372036" },
		{ "99999999999999999999", false, 0, "99999999999999999999" },
		{ ".5", false, 0, ".5" },
		{ "-", false, 0, "-" },
		{ "--1", false, 0, "--1" },
		{ "", false, 0, "" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct str all = exact(rows[i].text);
		struct str rest = all;
		int64_t ns = 0;

		cr_assert_eq(str_seconds_ns(&rest, &ns), rows[i].ok, "'%s'",
		    rows[i].text);
		cr_assert_eq(ns, rows[i].want, "'%s': %" PRId64, rows[i].text,
		    ns);
		cr_assert(str_eq(rest, str_of(rows[i].rest)), "'%s': '%.*s'",
		    rows[i].text, STR_ARG(rest));
		drop(all);
	}
}

Test(str, a_pattern_is_runs_single_bytes_and_itself)
{
	static const struct {
		const char *text, *pattern;
		bool is;
	} rows[] = {
		{ "", "", true },
		{ "", "*", true },
		{ "a", "", false },
		{ "", "?", false },
		{ "like", "like", true },
		{ "like", "lik", false },
		{ "lik", "like", false },
		{ "like", "*", true },
		{ "like", "l*e", true },
		{ "like", "l?k?", true },
		{ "like", "l?e", false },
		{ "/ecs/like-1", "/ecs/*-?", true },
		{ "/ecs/like-12", "/ecs/*-?", false },
		{ "abab", "*ab", true },
		{ "aab", "a*a*b", true },
		{ "ab", "a*a*b", false },
		{ "a*b", "a*b", true },
		{ "/mysfits/{id}", "/mysfits/{id}", true },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct str text = exact(rows[i].text);
		struct str pattern = exact(rows[i].pattern);

		cr_expect_eq(str_glob(text, pattern), rows[i].is, "'%s' '%s'",
		    rows[i].text, rows[i].pattern);
		drop(text);
		drop(pattern);
	}
}

/* A million stars' worth of ways to match, and none of them: soon said. */
Test(str, a_pattern_of_many_stars_takes_no_time)
{
	struct buf text = { 0 };
	struct buf pattern = { 0 };

	for (int i = 0; i < 20000; i++)
		buf_char(&text, 'a');
	for (int i = 0; i < 500; i++)
		buf_cat(&pattern, "*a");
	buf_char(&pattern, 'b');
	cr_expect_not(str_glob(buf_view(&text), buf_view(&pattern)));
	buf_fini(&text);
	buf_fini(&pattern);
}
