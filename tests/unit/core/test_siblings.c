/* SPDX-License-Identifier: Apache-2.0 */
/* Which words tell a route from others. */
#include <criterion/criterion.h>

#include "core/siblings.h"
#include "core/buf.h"

static void
expect(struct str route, const char *want)
{
	const struct str texts[] = {
		STR("other"),
		STR("/mysfits/{id}/like"),
		STR("/mysfits/{id}/undefined/like"),
		STR("/mysfits/{id}/fulfill-like"),
		STR("/mysfits/{id}/like/{n}/again"),
		STR(""),
		STR("/mysfits"),
		STR("/"),
		STR("/phpmyadmin/"),
	};
	struct str out[FINDING_BESIDES];
	size_t n = siblings(route, texts, sizeof texts / sizeof texts[0], out);
	struct buf got = { 0 };

	for (size_t i = 0; i < n; i++) {
		buf_cat(&got, i > 0 ? " " : "");
		buf_str(&got, out[i]);
	}
	cr_expect_str_eq(buf_cstr(&got), want, "%.*s: %s", (int)route.n,
	    route.p, buf_cstr(&got));
	buf_fini(&got);
}

Test(siblings, are_told_by_a_piece)
{
	expect(STR("/mysfits/{id}/like"), "/like/ /undefined/like");
	expect(STR("/mysfits/{id}/fulfill-like"), "");
	expect(STR("/mysfits"), "/mysfits/");
	expect(STR("/"), "/phpmyadmin/");
}

Test(siblings, are_the_first_few)
{
	const struct str many[] = { STR("/a"), STR("/a/j"), STR("/a/i"),
		STR("/a/h"), STR("/a/g"), STR("/a/f"), STR("/a/e"), STR("/a/d"),
		STR("/a/c"), STR("/a/b"), STR("/a/b") };
	struct str out[FINDING_BESIDES];

	cr_assert_eq(siblings(many[0], many, 11, out), FINDING_BESIDES);
	cr_expect(str_eq(out[0], STR("/a/b")));
	cr_expect(str_eq(out[7], STR("/a/i")));
}

Test(siblings, pieces_are_what_is_between_braces)
{
	struct str route = STR("{a}/b/{c}{d}/e{");
	struct str piece;

	cr_assert(siblings_piece(&route, &piece));
	cr_expect(str_eq(piece, STR("/b/")));
	cr_assert(siblings_piece(&route, &piece));
	cr_expect(str_eq(piece, STR("/e")));
	cr_expect(!siblings_piece(&route, &piece));
}
