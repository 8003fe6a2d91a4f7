/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patterns: groups, limits, and the words for what is no pattern.
 */
#include <criterion/criterion.h>

#include "core/buf.h"
#include "core/regex.h"

static struct regex *
compiled(struct str pattern)
{
	struct err err = { 0 };
	struct regex *re = regex_new(pattern, &err);

	cr_assert_not_null(re, "%s", err.text);
	return re;
}

static struct str
group(const struct regex *re, size_t n)
{
	struct regex_spans spans = regex_spans(re);

	return regex_group(&spans, n);
}

Test(regex, groups_by_number_and_by_name)
{
	struct regex *re = compiled(
	    STR("^(?<method>[A-Z]+) (?<path>[^? ]*)(?:\\?(?<query>\\S*))?"));
	struct str text = STR("GET /a/b HTTP/1.1");

	cr_assert(regex_match(re, text, NULL));
	cr_assert(str_eq(group(re, 0), STR("GET /a/b")));
	cr_assert(
	    str_eq(group(re, (size_t)regex_name(re, "path")), STR("/a/b")));
	cr_assert_null(group(re, (size_t)regex_name(re, "query")).p);
	cr_assert_eq(regex_name(re, "status"), -1);
	cr_assert_null(group(re, 99).p);
	cr_assert(regex_match(re, STR("GET /?"), NULL));
	cr_assert_not_null(group(re, 3).p);
	cr_assert_eq(group(re, 3).n, 0);
	cr_assert_not(regex_match(re, STR("get /"), NULL));
	cr_assert_null(group(re, 0).p);
	regex_free(re);
	regex_free(NULL);
}

Test(regex, any_bytes_are_text)
{
	struct regex *re = compiled(STR("^a(.*)z$"));
	bool limited = true;

	cr_assert(regex_match(re, STR("a\0\xff\xfez"), &limited));
	cr_assert_not(limited);
	cr_assert(str_eq(group(re, 1), STR("\0\xff\xfe")));
	/* $ is the very end, not before a last line end. */
	cr_assert_not(regex_match(re, STR("az\n"), &limited));
	cr_assert_not(limited);
	regex_free(re);
}

Test(regex, the_null_str_is_the_empty_text)
{
	struct regex *re = compiled(STR("^(x?)$"));

	cr_assert(regex_match(re, (struct str){ NULL, 0 }, NULL));
	cr_assert_eq(group(re, 0).n, 0);
	cr_assert_eq(group(re, 1).n, 0);
	regex_free(re);
}

Test(regex, a_match_that_explodes_is_no_match_and_says_so)
{
	struct regex *re = compiled(STR("^(a+)+$"));
	struct buf b = { 0 };
	bool limited = false;

	for (int i = 0; i < 5000; i++)
		buf_char(&b, 'a');
	buf_char(&b, 'b');
	cr_assert_not(regex_match(re, buf_view(&b), &limited));
	cr_assert(limited);
	cr_assert_eq(group(re, 0).n, 0);
	/* And the next text is matched as ever. */
	cr_assert(regex_match(re, STR("aaa"), &limited));
	cr_assert_not(limited);
	buf_fini(&b);
	regex_free(re);
}

Test(regex, what_is_no_pattern_is_told_with_its_place)
{
	static const struct {
		const char *pattern, *place;
	} rows[] = {
		{ "a(b", "at offset 3" },
		{ "[z-a]", "at offset" },
		{ "(?<1>a)", "at offset" },
		{ "*", "at offset" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct err err = { 0 };

		cr_assert_null(regex_new(str_of(rows[i].pattern), &err));
		cr_assert_not_null(strstr(err.text, rows[i].place), "%s: %s",
		    rows[i].pattern, err.text);
	}
}
