/* SPDX-License-Identifier: Apache-2.0 */
/* The manual: in step with the table, and every example in it is run. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/buf.h"
#include "query/fields.h"
#include "query/group.h"
#include "query/query.h"
#include "world.h"

static const char page[] = "docs/telltale-filter.7";

Test(query_manual, page_is_what_the_table_says)
{
	struct buf want = { 0 }, is = { 0 };
	char part[4096];

	query_manual(&want);
	if (getenv("TELLTALE_WRITE_DOCS")) {
		FILE *out = fopen(page, "w");

		cr_assert(out);
		fwrite(want.p, 1, want.n, out);
		fclose(out);
	}
	FILE *f = fopen(page, "r");

	cr_assert(f, "no %s", page);
	for (size_t n = fread(part, 1, sizeof(part), f); n > 0;
	     n = fread(part, 1, sizeof(part), f))
		buf_put(&is, part, n);
	fclose(f);
	cr_expect(str_eq(buf_view(&want), buf_view(&is)),
	    "%s is out of step; TELLTALE_WRITE_DOCS=1 writes it", page);
	for (const struct query_field *k = query_fields; k->name; k++)
		cr_expect(strstr(buf_cstr(&is), k->name), "%s", k->name);
	buf_fini(&want);
	buf_fini(&is);
}

Test(query_manual, every_example_is_an_expression)
{
	struct query_groups g = { 0 };
	struct query_error bad;
	struct world w;
	struct err err;

	world_init(&w, 1, 50);
	cr_assert(query_groups_add(&g, STR("high_response_time"),
		      STR("responsetime > 3"), &err) == 0);
	for (const struct query_example *e = query_examples; e->expression;
	     e++) {
		struct query *q = query_parse(str_of(e->expression), &g, &bad);

		cr_expect(q, "%s: %s", e->expression, bad.text);
		for (size_t i = 0; q && i < w.n; i++)
			query_eval(q, &w.traces[i]);
		query_free(q);
	}
	query_groups_fini(&g);
	world_fini(&w);
}

Test(query_words, lists_keywords_then_operators)
{
	struct query_word word;
	size_t n = 0;
	bool call = false, operator= false;

	for (; query_word(n, &word); n++) {
		cr_expect(word.text[0] && word.help[0]);
		call = call || (str_eq(str_of(word.text), STR("service")) &&
				   str_eq(str_of(word.behind), STR("(")));
		operator= operator||
		    str_eq(str_of(word.text), STR("BEGINSWITH"));
	}
	cr_expect(n > 45 && call && operator);
	cr_expect(!query_word(SIZE_MAX, &word));
}

Test(query_suggest, finds_the_nearest_word)
{
	static const struct {
		const char *typed, *near;
	} rows[] = {
		{ "responsetme", "responsetime" },
		{ "responstime", "responsetime" },
		{ "RESPONSE_TIME", "responsetime" },
		{ "http.status_code", "http.status" },
		{ "http.useragnet", "http.useragent" },
		{ "statsu", NULL },
		{ "http.sttaus", "http.status" },
		{ "sevrice", "service" },
		{ "egde", "edge" },
		{ "duratoin", "duration" },
		{ "throtle", "throttle" },
		{ "contain", "CONTAINS" },
		{ "group", "group.name" },
		{ "xyzzy", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *near = query_suggest(str_of(rows[i].typed));

		cr_expect(str_eq(str_of(near), str_of(rows[i].near)),
		    "%s: %s, not %s", rows[i].typed, near ? near : "none",
		    rows[i].near ? rows[i].near : "none");
	}
}
