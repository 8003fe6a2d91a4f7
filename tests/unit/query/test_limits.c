/* SPDX-License-Identifier: Apache-2.0 */
/* What is too long, too deep or too much is refused with a clear word. */
#include <criterion/criterion.h>

#include "core/buf.h"
#include "query/es.h"
#include "query/group.h"
#include "query/query.h"
#include "query/sql.h"
#include "world.h"

static void
repeat(struct buf *b, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_cat(b, text);
}

static void
refused(const struct buf *b, const struct query_groups *g, const char *why)
{
	struct query_error bad;
	struct query *q = query_parse(buf_view(b), g, &bad);

	cr_expect(!q, "accepted, not: %s", why);
	cr_expect(strstr(bad.text, why), "%s: %s", why, bad.text);
	query_free(q);
}

Test(query_limits, refuses_10000_nested_brackets_of_any_kind)
{
	static const char *const open[] = { "(", "!(", "service() { (",
		"edge() { ((", "rootcause.json = #[[", "NOT (ok OR (" };

	for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++) {
		struct query_error bad;
		struct buf b = { 0 }, words = { 0 };

		repeat(&b, "(", i == 4 ? 0 : 10000);
		repeat(&b, open[i], 1);
		repeat(&b, i == 4 ? "[" : "(", 10000);
		struct query *q = query_parse(buf_view(&b), NULL, &bad);

		cr_expect(!q && bad.text[0], "%s", open[i]);
		query_error_print(&words, buf_view(&b), &bad);
		cr_expect(words.n < 1000, "%s", open[i]);
		buf_fini(&words);
		buf_fini(&b);
	}
}

Test(query_limits, takes_64_levels_and_no_65th)
{
	struct query_error bad;
	struct buf b = { 0 };

	repeat(&b, "(", QUERY_DEPTH_MAX);
	repeat(&b, "ok", 1);
	repeat(&b, ")", QUERY_DEPTH_MAX);
	struct query *q = query_parse(buf_view(&b), NULL, &bad);

	cr_expect(q, "%s", bad.text);
	query_free(q);
	buf_reset(&b);
	repeat(&b, "(", QUERY_DEPTH_MAX + 1);
	repeat(&b, "ok", 1);
	refused(&b, NULL, "nested more than 64 deep");
	buf_fini(&b);
}

Test(query_limits, refuses_100_kib_and_takes_64)
{
	struct query_error bad;
	struct buf b = { 0 };

	repeat(&b, "fault OR ", 7000);
	repeat(&b, "ok", 1);
	struct query *q = query_parse(buf_view(&b), NULL, &bad);

	cr_expect(q, "%s", bad.text);
	query_free(q);
	repeat(&b, " OR ok", 100 * 1024 / 6);
	refused(&b, NULL, "bytes; at most 65536");
	buf_fini(&b);
}

Test(query_limits, refuses_what_is_not_utf8)
{
	struct buf b = { 0 };

	repeat(&b, "user = \"a\xff\"", 1);
	refused(&b, NULL, "not UTF-8");
	buf_reset(&b);
	repeat(&b, "user = \"\xed\xa0\x80\"", 1);
	refused(&b, NULL, "not UTF-8");
	buf_reset(&b);
	buf_put(&b, "annotation[a\0] = 1", 18);
	refused(&b, NULL, "the character 0");
	buf_fini(&b);
}

Test(query_limits, groups_of_groups_cannot_blow_it_up)
{
	struct query_groups g = { 0 };
	struct buf name = { 0 }, text = { 0 };
	struct err err = { .text = "" };
	int rc = 0;

	cr_assert(query_groups_add(&g, STR("g0"), STR("ok"), &err) == 0);
	for (int i = 1; i < 40 && rc == 0; i++) {
		buf_reset(&name);
		buf_reset(&text);
		buf_printf(&name, "g%d", i);
		for (int k = 0; k < 8; k++)
			buf_printf(&text, "group.name = \"g%d\" ", i - 1);
		rc = query_groups_add(&g, buf_view(&name), buf_view(&text),
		    &err);
	}
	cr_expect(rc < 0);
	cr_expect(strstr(err.text, "more than 65536 terms"), "%s", err.text);
	buf_fini(&name);
	buf_fini(&text);
	query_groups_fini(&g);
}

Test(query_limits, elasticsearch_gets_no_more_levels_than_it_takes)
{
	struct query_error bad;
	struct err err;
	struct buf b = { 0 }, out = { 0 };

	repeat(&b, "ok OR fault (", 40);
	repeat(&b, "ok", 1);
	repeat(&b, ")", 40);
	struct query *q = query_parse(buf_view(&b), NULL, &bad);

	cr_assert(q, "%s", bad.text);
	cr_expect(query_es(&out, q, &err) < 0);
	cr_expect(out.n == 0 && strstr(err.text, "30 levels"));
	query_free(q);
	buf_fini(&b);
	buf_fini(&out);
}

Test(query_limits, error_messages_carry_no_control_characters)
{
	static const char *const rows[] = {
		"user = \"\x1b[2J\" \x1b x",
		"group.name = \"\\u001b[31m\"",
		"rootcause.json = #[{\"\\u001b[31m\\u009b\":1}]",
		"\x01",
		"annotation[\x1b] = = 1",
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct query_error bad;
		struct buf b = { 0 };
		struct str text = str_of(rows[i]);

		cr_assert(!query_parse(text, NULL, &bad), "%zu", i);
		query_error_print(&b, text, &bad);
		for (size_t k = 0; k < b.n; k++)
			cr_expect((unsigned char)b.p[k] >= ' ' ||
				      b.p[k] == '\n',
			    "row %zu", i);
		buf_fini(&b);
	}
}

Test(query_print, is_the_same_tree_again)
{
	struct world w;
	struct query_error bad;
	struct buf text = { 0 }, once = { 0 }, twice = { 0 };

	world_init(&w, 5, 20);
	for (int i = 0; i < 3000; i++) {
		buf_reset(&text);
		buf_reset(&once);
		buf_reset(&twice);
		world_expression(&w, &text);
		struct query *q = query_parse(buf_view(&text), NULL, &bad);

		cr_assert(q, "%s", bad.text);
		query_print(&once, q);
		struct query *again = query_parse(buf_view(&once), NULL, &bad);

		cr_assert(again, "%s: %s", buf_cstr(&once), bad.text);
		query_print(&twice, again);
		cr_assert(str_eq(buf_view(&once), buf_view(&twice)), "%s\n%s",
		    buf_cstr(&once), buf_cstr(&twice));
		for (size_t k = 0; k < w.n; k++)
			cr_assert(query_eval(q, &w.traces[k]) ==
				      query_eval(again, &w.traces[k]),
			    "%s", buf_cstr(&once));
		query_free(q);
		query_free(again);
	}
	buf_fini(&text);
	buf_fini(&once);
	buf_fini(&twice);
	world_fini(&w);
}
