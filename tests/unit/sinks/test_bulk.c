/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/bulk.h"

#include <criterion/criterion.h>

#include "sinks/bulk_reply.h"

#define LINE(index, source)                                                    \
	"{\"_index\":\"" index "\",\"_id\":\"aZ_-9\",\"_source\":" source "}"

static const struct {
	const char *name;
	const char *line;
	const char *text; /* NULL: it is no document */
} lines[] = {
	{ "an event", LINE("telltale-requests-2018.11.27", "{\"a\":1}"),
	    "{\"create\":{\"_index\":\"telltale-requests-2018.11.27\","
	    "\"_id\":\"aZ_-9\"}}\n{\"a\":1}\n" },
	{ "a roll-up: of how many requests",
	    LINE("telltale-rollups-2018.11.27",
		"{\"telltale\":{\"rollup\":{\"count\":7,\"probes\":5}}}"),
	    "{\"index\":{\"_index\":\"telltale-rollups-2018.11.27\","
	    "\"_id\":\"aZ_-9\",\"version\":201326598,\"version_type\":"
	    "\"external_gte\"}}\n"
	    "{\"telltale\":{\"rollup\":{\"count\":7,\"probes\":5}}}\n" },
	{ "a finding: likewise",
	    LINE("telltale-findings-2018.11.27",
		"{\"telltale\":{\"finding\":{\"total\":108,\"count\":54}}}"),
	    "{\"index\":{\"_index\":\"telltale-findings-2018.11.27\","
	    "\"_id\":\"aZ_-9\",\"version\":1811939383,\"version_type\":"
	    "\"external_gte\"}}\n"
	    "{\"telltale\":{\"finding\":{\"total\":108,\"count\":54}}}\n" },
	{ "refused before",
	    "{\"_index\":\"i\",\"_id\":\"x\",\"_error\":{\"type\":\"t\","
	    "\"reason\":\",\\\"_source\\\":{\"},\"_source\":{\"a\":{}}}",
	    "{\"create\":{\"_index\":\"i\",\"_id\":\"x\"}}\n{\"a\":{}}\n" },
	{ "nothing", "", NULL },
	{ "no id", "{\"_index\":\"i\",\"_source\":{}}", NULL },
	{ "an index with a quote", LINE("i\\\"", "{}"), NULL },
	{ "an index with a path", LINE("../x", "{}"), NULL },
	{ "no object", LINE("i", "[1]"), NULL },
	{ "cut", "{\"_index\":\"i\",\"_id\":\"x\",\"_source\":{\"a\":1", NULL },
	{ "two lines", LINE("i", "{\"a\":\n1}"), NULL },
};

Test(bulk, takes_the_lines_of_out_and_nothing_else)
{
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		struct bulk *b = bulk_new();
		struct json j = { 0 };
		bool taken = bulk_add(b, str_of(lines[i].line), false, &j);

		cr_expect_eq(taken, lines[i].text != NULL, "%s", lines[i].name);
		cr_expect_str_eq(buf_cstr(&b->text),
		    lines[i].text ? lines[i].text : "", "%s", lines[i].name);
		json_fini(&j);
		bulk_free(b);
	}
}

Test(bulk, has_types_for_servers_that_want_them)
{
	struct bulk *b = bulk_new();
	struct json j = { 0 };

	cr_assert(bulk_add(b, STR(LINE("i", "{}")), true, &j));
	cr_expect_str_eq(buf_cstr(&b->text),
	    "{\"create\":{\"_index\":\"i\",\"_id\":\"aZ_-9\",\"_type\":\"doc\""
	    "}}\n{}\n");
	json_fini(&j);
	bulk_free(b);
}

Test(bulk, is_split_and_told_of_by_document)
{
	struct bulk *b = bulk_new(), *half = bulk_new(), *again = bulk_new();
	struct json j = { 0 };
	struct buf out = { 0 };

	for (int i = 0; i < 3; i++)
		cr_assert(bulk_add(b,
		    i == 1 ? STR(LINE("i-findings-1", "{\"b\":\"\\n\"}"))
			   : STR(LINE("i", "{\"a\":1}")),
		    false, &j));
	bulk_copy(half, b, 1, 2);
	cr_assert_eq(half->n, 2);
	cr_expect_eq(half->text.n, b->items[1].n + b->items[2].n);
	bulk_refused(&out, half, 0, STR("a \"type\""), STR("why\n"));
	cr_expect_str_eq(buf_cstr(&out),
	    "{\"_index\":\"i-findings-1\",\"_id\":\"aZ_-9\",\"_error\":{"
	    "\"type\":\"a \\\"type\\\"\",\"reason\":\"why\\n\"},\"_source\":{"
	    "\"b\":\"\\n\"}}\n");
	/* What was refused can be sent again. */
	out.n--;
	cr_assert(bulk_add(again, buf_view(&out), false, &j));
	cr_expect_eq(again->text.n, half->items[0].n);
	cr_expect_eq(memcmp(again->text.p, half->text.p, again->text.n), 0);
	json_fini(&j);
	buf_fini(&out);
	bulk_free(b);
	bulk_free(half);
	bulk_free(again);
}

static const struct {
	const char *name;
	const char *body;
	int classes[3]; /* -1: nothing can be said */
} replies[] = {
	{ "all",
	    "{\"took\":1,\"errors\":false,\"items\":[{\"create\":{\"status\":"
	    "201}},{\"index\":{\"status\":200}}]}",
	    { BULK_STORED, BULK_STORED } },
	{ "there, and busy",
	    "{\"items\":[{\"create\":{\"status\":409}},"
	    "{\"create\":{\"status\":429,\"error\":{\"type\":\"t\","
	    "\"reason\":\"r\"}}}],\"errors\":true}",
	    { BULK_THERE, BULK_AGAIN } },
	{ "refused, and odd",
	    "{\"items\":[{\"create\":{\"status\":400}},"
	    "{\"create\":{\"status\":299}}]}",
	    { BULK_REFUSED, BULK_STORED } },
	{ "one too few", "{\"items\":[{\"create\":{\"status\":201}}]}",
	    { -1 } },
	{ "one too many",
	    "{\"items\":[{\"create\":{\"status\":201}},{\"create\":{\"status\""
	    ":201}},{\"create\":{\"status\":201}}]}",
	    { -1 } },
	{ "cut", "{\"items\":[{\"create\":{\"status\":201}},{\"create\":{",
	    { -1 } },
	{ "a page", "<html>ok</html>", { -1 } },
	{ "nothing", "", { -1 } },
	{ "no items", "{\"errors\":false}", { -1 } },
	{ "no status", "{\"items\":[{\"create\":{}},{\"create\":{}}]}",
	    { -1 } },
	{ "no object", "{\"items\":[1,2]}", { -1 } },
	{ "no number",
	    "{\"items\":[{\"create\":{\"status\":\"201\"}},{\"create\":{"
	    "\"status\":201}}]}",
	    { -1 } },
};

Test(bulk, reply_that_is_not_whole_says_nothing)
{
	struct bulk_reply r = { 0 };

	for (size_t i = 0; i < sizeof replies / sizeof replies[0]; i++) {
		bool read = bulk_reply_read(&r, str_of(replies[i].body), 2);

		cr_expect_eq(read, replies[i].classes[0] >= 0, "%s",
		    replies[i].name);
		for (size_t k = 0; read && k < 2; k++)
			cr_expect_eq((int)r.v[k].class, replies[i].classes[k],
			    "%s: %zu", replies[i].name, k);
	}
	bulk_reply_fini(&r);
}

Test(bulk, statuses_have_their_class)
{
	static const struct {
		int status;
		enum bulk_class class;
	} of[] = { { 200, BULK_STORED }, { 201, BULK_STORED },
		{ 409, BULK_THERE }, { 403, BULK_AGAIN }, { 408, BULK_AGAIN },
		{ 429, BULK_AGAIN }, { 500, BULK_AGAIN }, { 503, BULK_AGAIN },
		{ 400, BULK_REFUSED }, { 404, BULK_REFUSED },
		{ 413, BULK_REFUSED }, { 100, BULK_UNKNOWN },
		{ 418, BULK_UNKNOWN }, { 600, BULK_UNKNOWN } };

	for (size_t i = 0; i < sizeof of / sizeof of[0]; i++)
		cr_expect_eq(bulk_class_of(of[i].status), of[i].class, "%d",
		    of[i].status);
}
