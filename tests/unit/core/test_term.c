/* SPDX-License-Identifier: Apache-2.0 */
/* The terminal: safe text, columns, abilities. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "core/term.h"

#define S(literal)                                                             \
	{                                                                      \
		literal, sizeof(literal) - 1                                   \
	}

Test(term, hostile_text_never_passes_raw)
{
	static const struct {
		const char *name;
		struct str in;
		const char *utf8, *ascii;
	} rows[] = {
		{ "plain", S("/like?a=1"), "/like?a=1", "/like?a=1" },
		{ "escape", S("\x1b[2Jx"), "\\x1b[2Jx", "\\x1b[2Jx" },
		{ "newline, tab, NUL, DEL", S("a\nb\tc\0d\x7f"),
		    "a\\x0ab\\x09c\\x00d\\x7f", "a\\x0ab\\x09c\\x00d\\x7f" },
		{ "C1 as UTF-8",
		    S("\xc2\x9b"
		      "31m"),
		    "\\u{9b}31m", "\\u{9b}31m" },
		{ "C1 as a byte",
		    S("\x9b"
		      "31m"),
		    "\\x9b31m", "\\x9b31m" },
		{ "override",
		    S("a\xe2\x80\xae"
		      "b"),
		    "a\\u{202e}b", "a\\u{202e}b" },
		{ "isolate", S("\xe2\x81\xa6"), "\\u{2066}", "\\u{2066}" },
		{ "mark", S("\xef\xbb\xbf"), "\\u{feff}", "\\u{feff}" },
		{ "tag", S("\xf3\xa0\x81\x81"), "\\u{e0041}", "\\u{e0041}" },
		{ "umlaut", S("\xc3\xa4"), "\xc3\xa4", "\\u{e4}" },
		{ "overlong", S("\xc0\xaf"), "\\xc0\\xaf", "\\xc0\\xaf" },
		{ "surrogate", S("\xed\xa0\x80"), "\\xed\\xa0\\x80",
		    "\\xed\\xa0\\x80" },
		{ "cut", S("\xe2\x82"), "\\xe2\\x82", "\\xe2\\x82" },
		{ "beyond", S("\xf5\x80\x80\x80"), "\\xf5\\x80\\x80\\x80",
		    "\\xf5\\x80\\x80\\x80" },
		{ "empty", { NULL, 0 }, "", "" },
	};
	struct buf b = { 0 };

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		buf_reset(&b);
		term_text(&b, rows[i].in, true);
		cr_expect_str_eq(buf_cstr(&b), rows[i].utf8, "%s: %s",
		    rows[i].name, buf_cstr(&b));
		buf_reset(&b);
		term_text(&b, rows[i].in, false);
		cr_expect_str_eq(buf_cstr(&b), rows[i].ascii, "%s: %s",
		    rows[i].name, buf_cstr(&b));
	}
	buf_fini(&b);
}

Test(term, every_byte_pair_is_safe)
{
	struct buf b = { 0 };

	for (unsigned i = 0; i < 65536; i++) {
		char two[2] = { (char)(i >> 8), (char)(i & 255) };

		buf_reset(&b);
		term_text(&b, (struct str){ two, 2 }, i & 1);
		for (size_t k = 0; k < b.n; k++) {
			unsigned char c = (unsigned char)b.p[k];

			cr_assert(c >= ' ' && c != 0x7f, "%04x", i);
		}
	}
	buf_fini(&b);
}

Test(term, columns_count_wide_and_combining)
{
	static const struct {
		const char *name;
		struct str in;
		size_t columns;
	} rows[] = {
		{ "ascii", S("abc"), 3 },
		{ "umlaut", S("\xc3\xa4"), 1 },
		{ "combining", S("a\xcc\x88"), 1 },
		{ "wide", S("\xe6\xbc\xa2\xe5\xad\x97"), 4 },
		{ "emoji", S("\xf0\x9f\x94\xa5"), 2 },
		{ "hangul", S("\xed\x95\x9c"), 2 },
		{ "block", S("\xe2\x96\x88"), 1 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		cr_expect_eq(term_columns(rows[i].in), rows[i].columns, "%s",
		    rows[i].name);
}

Test(term, elide_takes_the_middle_and_keeps_the_width)
{
	static const struct {
		const char *name;
		struct str in;
		size_t width;
		bool utf8;
		const char *out;
	} rows[] = {
		{ "fits", S("abcdef"), 6, true, "abcdef" },
		{ "utf8", S("abcdefghij"), 7, true, "abc…hij" },
		{ "ascii", S("abcdefghij"), 7, false, "ab...ij" },
		{ "tiny", S("abcdefghij"), 2, true, "ab" },
		{ "zero", S("abc"), 0, true, "" },
		{ "wide does not split",
		    S("\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2"), 4, true,
		    "…\xe6\xbc\xa2" },
	};
	struct buf b = { 0 };

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t n;

		buf_reset(&b);
		n = term_elide(&b, rows[i].in, rows[i].width, rows[i].utf8);
		cr_expect_str_eq(buf_cstr(&b), rows[i].out, "%s: %s",
		    rows[i].name, buf_cstr(&b));
		cr_expect_eq(n, term_columns(buf_view(&b)), "%s", rows[i].name);
		cr_expect(n <= rows[i].width, "%s", rows[i].name);
	}
	buf_fini(&b);
}

static void
clear_environment(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG",
		"NO_COLOR", "CLICOLOR_FORCE", "COLUMNS", "TERM" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		unsetenv(names[i]);
}

Test(term, abilities_follow_the_environment)
{
	static const struct {
		const char *name;
		const char *var, *value;
		enum term_color color;
		size_t wish;
		bool utf8, colored;
		size_t width;
	} rows[] = {
		{ "nothing", "TERM", "xterm", TERM_COLOR_AUTO, 0, 0, 0, 80 },
		{ "utf8", "LANG", "en_US.UTF-8", TERM_COLOR_AUTO, 0, 1, 0, 80 },
		{ "utf8, spelt so", "LC_ALL", "C.utf8", TERM_COLOR_AUTO, 0, 1,
		    0, 80 },
		{ "modifier", "LC_CTYPE", "de_DE.UTF-8@euro", TERM_COLOR_AUTO,
		    0, 1, 0, 80 },
		{ "latin", "LANG", "de_DE.ISO-8859-1", TERM_COLOR_AUTO, 0, 0, 0,
		    80 },
		{ "forced", "CLICOLOR_FORCE", "1", TERM_COLOR_AUTO, 0, 0, 1,
		    80 },
		{ "forced off", "CLICOLOR_FORCE", "0", TERM_COLOR_AUTO, 0, 0, 0,
		    80 },
		{ "always wins", "NO_COLOR", "1", TERM_COLOR_ALWAYS, 0, 0, 1,
		    80 },
		{ "columns", "COLUMNS", "123", TERM_COLOR_AUTO, 0, 0, 0, 123 },
		{ "the wish wins", "COLUMNS", "123", TERM_COLOR_AUTO, 90, 0, 0,
		    90 },
		{ "silly columns", "COLUMNS", "9999999999999999999999",
		    TERM_COLOR_AUTO, 0, 0, 0, 80 },
		{ "narrow", "COLUMNS", "3", TERM_COLOR_AUTO, 0, 0, 0, 40 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct term t;

		clear_environment();
		setenv(rows[i].var, rows[i].value, 1);
		term_init(&t, -1, rows[i].color, rows[i].wish);
		cr_expect(!t.tty, "%s", rows[i].name);
		cr_expect_eq(t.utf8, rows[i].utf8, "%s", rows[i].name);
		cr_expect_eq(t.color, rows[i].colored, "%s", rows[i].name);
		cr_expect_eq(t.width, rows[i].width, "%s", rows[i].name);
	}
}

Test(term, lc_all_wins_over_lang)
{
	struct term t;

	clear_environment();
	setenv("LANG", "en_US.UTF-8", 1);
	setenv("LC_ALL", "C", 1);
	term_init(&t, -1, TERM_COLOR_AUTO, 0);
	cr_assert(!t.utf8);
}
