/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of a trace by its root never says no to one that matches.
 */
#include <criterion/criterion.h>

#include "query/query.h"
#include "world.h"

Test(may, no_trace_that_matches_is_refused_by_its_root)
{
	struct world w;
	struct buf text = { 0 };
	size_t refused = 0;

	world_init(&w, 20261130, 60);
	for (int i = 0; i < 3000; i++) {
		struct query_error bad;
		struct query *q;

		buf_reset(&text);
		world_expression(&w, &text);
		q = query_parse(buf_view(&text), NULL, &bad);
		cr_assert(q, "%s", bad.text);
		for (size_t k = 0; k < w.n; k++) {
			const struct trace_view *t = &w.traces[k];
			bool may = query_may(q, &t->trace);

			refused += !may;
			cr_assert(may || !query_eval(q, t), "%.*s", (int)text.n,
			    text.p);
		}
		query_free(q);
	}
	cr_expect(refused > 1000, "%zu", refused);
	buf_fini(&text);
	world_fini(&w);
}

Test(may, what_the_root_does_not_say_is_left_open)
{
	static const struct {
		const char *text;
		bool post, none; /* of a POST in a second; of no root */
	} rows[] = {
		{ "", true, true },
		{ "http.method = \"POST\"", true, false },
		{ "http.method = \"GET\"", false, false },
		{ "!(http.method = \"POST\")", false, true },
		{ "responsetime >= 1 AND service(\"a\")", true, false },
		{ "responsetime > 1 AND service(\"a\")", false, false },
		{ "responsetime > 1 OR service(\"a\")", true, true },
		{ "duration > 9", true, true },
		{ "http.useragent = \"x\"", true, true },
		{ "throttle", true, true },
		{ "ok", true, false },
		{ "ok = false", false, true },
		{ "user = \"x\" AND fault", false, false },
		{ "annotation.x = 1 AND http.status = 200", true, false },
	};
	struct view_part post = VIEW_PART_NONE;
	struct view_part none = VIEW_PART_NONE;

	post.flags = VIEW_OK;
	post.method = STR("POST");
	post.status = 200;
	post.responsetime_ns = 1000000000;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct query_error bad;
		struct query *q = query_parse(str_of(rows[i].text), NULL, &bad);

		cr_assert(q, "%s: %s", rows[i].text, bad.text);
		cr_expect(query_may(q, &post) == rows[i].post, "%s",
		    rows[i].text);
		cr_expect(query_may(q, &none) == rows[i].none, "%s",
		    rows[i].text);
		query_free(q);
	}
}
