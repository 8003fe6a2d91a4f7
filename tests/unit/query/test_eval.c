/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reference's worked example (section 7.9): the guide's trace of
 * Scorekeep, with what each expression must say of it; and what the language
 * leaves to the corners: absent values, types, lists of causes, selectors.
 */
#include <criterion/criterion.h>
#include <math.h>

#include "core/buf.h"
#include "query/query.h"

#define S(literal)                                                             \
	{                                                                      \
		literal, sizeof(literal) - 1                                   \
	}
#define ABSENT .place = VIEW_NONE, .coverage = VIEW_NONE
#define MS INT64_C(1000000)

static const struct view_annotation notes[] = {
	{ .key = S("UserID"), .kind = VIEW_STRING, .text = S("5M388M1E") },
	{ .key = S("Name"), .kind = VIEW_STRING, .text = S("Ola") },
	{ .key = S("premium"), .kind = VIEW_BOOLEAN, .boolean = false },
	{ .key = S("rows"), .kind = VIEW_NUMBER, .number = 2.5 },
	{ .key = S("note"), .kind = VIEW_STRING },
};

static const struct str users[] = { S("5M388M1E"), S("bob") };
static const struct str zones[] = { S("us-west-2c") };

static const struct view_part services[] = {
	{ .name = S("Scorekeep"),
	    .type = S("client"),
	    .flags = VIEW_CLIENT,
	    .responsetime_ns = VIEW_NONE,
	    .duration_ns = VIEW_NONE,
	    .status = VIEW_NONE,
	    ABSENT },
	{ .name = S("Scorekeep"),
	    .type = S("AWS::ElasticBeanstalk::Environment"),
	    .flags = VIEW_OK | VIEW_ROOT,
	    .responsetime_ns = 3232 * MS,
	    .duration_ns = 3232 * MS,
	    .status = 200,
	    .user = S("5M388M1E"),
	    ABSENT },
	{ .name = S("random-name"),
	    .type = S("AWS::Lambda"),
	    .flags = VIEW_OK,
	    .responsetime_ns = 2895 * MS,
	    .duration_ns = 2895 * MS,
	    .status = 200,
	    ABSENT },
	{ .name = S("random-name"),
	    .type = S("AWS::Lambda::Function"),
	    .flags = VIEW_OK,
	    .responsetime_ns = 1740 * MS,
	    .duration_ns = 1740 * MS,
	    .status = VIEW_NONE,
	    .annotations = { notes, 2 },
	    ABSENT },
	{ .name = S("scorekeep-user"),
	    .type = S("AWS::DynamoDB::Table"),
	    .flags = VIEW_OK | VIEW_INFERRED,
	    .responsetime_ns = 20 * MS,
	    .duration_ns = 20 * MS,
	    .status = 200,
	    ABSENT },
};

static const struct view_edge edges[] = {
	{ .from = { S("Scorekeep"), S("client"), { 0 }, true },
	    .to = { .name = S("Scorekeep") },
	    .part = { .flags = VIEW_OK,
		.responsetime_ns = 3232 * MS,
		.duration_ns = 3232 * MS,
		.status = 200,
		ABSENT } },
	{ .from = { .name = S("Scorekeep") },
	    .to = { .name = S("random-name") },
	    .part = { .flags = VIEW_OK,
		.responsetime_ns = 2943 * MS,
		.duration_ns = 2943 * MS,
		.status = 200,
		ABSENT } },
	{ .from = { .name = S("random-name") },
	    .to = { .name = S("random-name") },
	    .part = { .flags = VIEW_OK,
		.responsetime_ns = 1740 * MS,
		.duration_ns = 1740 * MS,
		.status = VIEW_NONE,
		ABSENT } },
};

static const struct view_exception thrown[] = {
	{ S("ValidationException"), S("no id") },
	{ S("IOException"), { 0 } },
};

static const struct view_entity entities[] = {
	{ .name = S("Scorekeep"), .coverage = 1000000000 },
	{ .name = S("Lambda"),
	    .coverage = 910000000,
	    .remote = true,
	    .exceptions = thrown,
	    .n_exceptions = 2 },
};

static const struct view_cause_service path[] = {
	{ S("Scorekeep"), S("AWS::ElasticBeanstalk::Environment"), { 0 }, false,
	    entities, 2 },
	{ S("random-name"), S("AWS::Lambda"), { 0 }, true, NULL, 0 },
};

static const struct view_cause causes[] = {
	{ .services = path, .n_services = 2, .client_impacting = true },
};

static const struct trace_view scorekeep = {
	.trace = { .flags = VIEW_OK | VIEW_INFERRED,
	    .responsetime_ns = 3232 * MS,
	    .duration_ns = 3232 * MS,
	    .status = 200,
	    .method = S("POST"),
	    .url = S("http://scorekeep.example.com/api/user"),
	    .annotations = { notes, 5 },
	    ABSENT },
	.lists = { [VIEW_USERS] = { users, 2 }, [VIEW_ZONES] = { zones, 1 } },
	.services = services,
	.n_services = 5,
	.edges = edges,
	.n_edges = 3,
	.causes = { [VIEW_CAUSE_RESPONSETIME] = { causes, 1 } },
};

struct row {
	const char *expression;
	bool want;
};

static void
check(const struct row *rows, size_t n)
{
	struct query_error bad;

	for (size_t i = 0; i < n; i++) {
		struct query *q =
		    query_parse(str_of(rows[i].expression), NULL, &bad);

		cr_assert(q, "%s: %s", rows[i].expression, bad.text);
		cr_expect(query_eval(q, &scorekeep) == rows[i].want, "%s",
		    rows[i].expression);
		query_free(q);
	}
}

Test(query_eval, says_of_the_worked_example_what_the_reference_says)
{
	static const struct row rows[] = {
		{ "ok", true },
		{ "fault", false },
		{ "partial", false },
		{ "inferred", true },
		{ "duration > 3 AND responsetime > 3", true },
		{ "http.status = 200 http.method = \"POST\"", true },
		{ "http.url ENDSWITH \"/api/user\"", true },
		{ "user = \"5M388M1E\"", true },
		{ "user = \"5m388m1e\"", false },
		{ "annotation.Name = \"Ola\"", true },
		{ "annotation.name = \"Ola\"", false },
		{ "!annotation.age", true },
		{ "annotation.age != 3", false },
		{ "availabilityzone = \"us-west-2c\"", true },
		{ "service(\"random-name\")", true },
		{ "service(id(name: \"random-name\", type: \"AWS::Lambda\")) "
		  "{ http.status = 200 }",
		    true },
		{ "service(id(name: \"random-name\", type: "
		  "\"AWS::Lambda::Function\")) { http.status = 200 }",
		    false },
		{ "service(\"random-name\") { responsetime > 2 }", true },
		{ "service(id(type: \"AWS::Lambda::Function\")) "
		  "{ responsetime > 2 }",
		    false },
		{ "service(id(type: \"AWS::Lambda::Function\")) "
		  "{ annotation.Name = \"Ola\" }",
		    true },
		{ "service(\"Scorekeep\") { annotation.Name = \"Ola\" }",
		    false },
		{ "service(\"scorekeep-user\") { inferred }", true },
		{ "service(\"DynamoDB\")", false },
		{ "service(\"Scorekeep\") { root }", true },
		{ "service(\"random-name\") { root }", false },
		{ "service() { fault OR error }", false },
		{ "edge(\"Scorekeep\", \"random-name\")", true },
		{ "edge(\"random-name\", \"Scorekeep\")", false },
		{ "edge(\"Scorekeep\", \"random-name\") "
		  "{ responsetime > 2.9 }",
		    true },
		{ "edge(\"random-name\", \"random-name\")", true },
		{ "edge(id(type: \"client\"), \"Scorekeep\") "
		  "{ http.status = 200 }",
		    true },
		{ "rootcause.fault.service", false },
	};

	check(rows, sizeof(rows) / sizeof(rows[0]));
}

Test(query_eval, treats_absent_values_types_and_several_values_by_rule)
{
	static const struct row rows[] = {
		{ "", true },
		{ " \t\r\n", true },
		{ "http.useragent != \"x\"", false },
		{ "!http.useragent = \"x\"", true },
		{ "http.useragent CONTAINS \"\"", false },
		{ "http.url CONTAINS \"\"", true },
		{ "http.url", true },
		{ "user != \"5M388M1E\"", true },
		{ "!(user = \"5M388M1E\")", false },
		{ "instance.id", false },
		{ "responsetime = 3.232", true },
		{ "responsetime = 3.2320000000001", false },
		{ "responsetime != 3.2320000000001", true },
		{ "responsetime < 3.2320000000001", true },
		{ "responsetime <= 3.232", true },
		{ "responsetime >= 3.2319999999999", true },
		{ "responsetime > -1e99", true },
		{ "responsetime < -1e99", false },
		{ "responsetime < 1e99", true },
		{ "http.status > 199.5 AND http.status < 200.5", true },
		{ "annotation.premium", false },
		{ "annotation.premium = false", true },
		{ "annotation.premium != false", false },
		{ "annotation.premium = \"false\"", false },
		{ "annotation.rows > 2 AND annotation.rows = 2.5", true },
		{ "annotation.rows != 2.5", false },
		{ "annotation.rows CONTAINS \"2\"", false },
		{ "annotation.note = \"\"", true },
		{ "annotation.note", true },
		{ "annotation.Name BEGINSWITH \"Ol\"", true },
		{ "ok = \"TRUE\"", true },
		{ "fault = false", true },
		{ "group.name = \"Default\"", true },
		{ "group.name != \"Default\"", false },
	};

	check(rows, sizeof(rows) / sizeof(rows[0]));
}

Test(query_eval, finds_the_client_by_type_or_by_name_without_block)
{
	static const struct row rows[] = {
		{ "service(id(type: \"client\"))", true },
		{ "service(id(name: \"Scorekeep\", type: \"client\"))", true },
		{ "service(id(type: \"client\")) { !fault }", false },
		{ "service() { type = \"client\" }", false },
		{ "edge(\"Scorekeep\", \"Scorekeep\")", true },
		{ "edge(\"Scorekeep\", \"Scorekeep\") { ok }", false },
		{ "edge() { responsetime > 3 }", false },
	};

	check(rows, sizeof(rows) / sizeof(rows[0]));
}

Test(query_eval, holds_one_element_of_causes_to_the_whole_block)
{
	static const struct row rows[] = {
		{ "rootcause.responsetime.service", true },
		{ "rootcause.responsetime.service { last inferred }", true },
		{ "rootcause.responsetime.service { first inferred }", false },
		{ "rootcause.responsetime.service { index = 1 name = "
		  "\"random-name\" }",
		    true },
		{ "rootcause.responsetime.service { index > 1 }", false },
		{ "rootcause.responsetime.entity { remote coverage > 0.9 }",
		    true },
		{ "rootcause.responsetime.entity { remote coverage = 1 }",
		    false },
		{ "rootcause.responsetime.entity { coverage = 0.91 }", true },
		{ "rootcause.error.exception", false },
		{ "rootcause.json = #[{\"Services\":[{\"Name\":\"Scorekeep\"},"
		  "{}]}]",
		    true },
		{ "rootcause.json = #[{\"Services\":[{\"Name\":\"Scorekeep\"}"
		  "]}]",
		    false },
		{ "rootcause.json = #[{}]", true },
		{ "rootcause.json = #[]", false },
		{ "rootcause.json != #[]", true },
		{ "rootcause.json = #[{\"Services\":[{\"EntityPath\":[{},"
		  "{\"Coverage\":0.91,\"Remote\":true,\"Exceptions\":["
		  "{\"Message\":\"no id\"},{\"Name\":\"IOException\"}]}]},"
		  "{\"Type\":\"AWS::Lambda\",\"Inferred\":true,\"Names\":["
		  "\"random-name\"]}]}]",
		    true },
		{ "rootcause.json = #[{\"Services\":[{},{\"Names\":["
		  "\"random-name\",\"b\"]}]}]",
		    false },
		{ "rootcause.json = #[{\"ClientImpacting\":false}]", false },
	};

	check(rows, sizeof(rows) / sizeof(rows[0]));
}

Test(query_eval, selectors_say_which_segments_and_calls_count)
{
	struct query_error bad;
	struct query *q = query_parse_selector(
	    STR("service(\"random-name\") { responsetime > 2 }"), &bad);
	size_t n = 0;

	cr_assert(q, "%s", bad.text);
	for (size_t i = 0; i < 5; i++)
		n += query_selects_service(q, &services[i]);
	cr_expect(n == 1 && !query_selects_edge(q, &edges[0]));
	query_free(q);
	q = query_parse_selector(
	    STR("edge(\"Scorekeep\", id(name: \"random-name\"))"), &bad);
	cr_assert(q, "%s", bad.text);
	cr_expect(!query_selects_edge(q, &edges[0]));
	cr_expect(query_selects_edge(q, &edges[1]));
	query_free(q);
	q = query_parse_selector(STR("id(type: \"AWS::Lambda\")"), &bad);
	cr_assert(q, "%s", bad.text);
	cr_expect(query_selects_service(q, &services[2]));
	query_free(q);
	cr_expect(!query_parse_selector(STR("ok"), &bad));
	cr_expect(!query_parse_selector(STR("service(\"a\") AND ok"), &bad));
	cr_expect(!query_parse_selector(STR(""), &bad));
}
