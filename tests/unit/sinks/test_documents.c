/* SPDX-License-Identifier: Apache-2.0 */
/* Documents: valid JSON whatever the bytes, and the contract's fields. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "core/json.h"
#include "core/when.h"
#include "sinks/documents.h"

#define S(literal)                                                             \
	{                                                                      \
		literal, sizeof(literal) - 1                                   \
	}
#define HOSTILE S("a\"b\\c\n\x1b[31m\0\x7f\xff\xc3\x28\xed\xa0\x80</script>")

static struct event event = {
	.place = { .input = 0, .line = 7, .offset = 512 },
	.ts_ns = INT64_C(1543308475123000000),
	.message = HOSTILE,
	.stream = S("app/web/1"),
};

static struct record
request(void)
{
	return (struct record){
		.kind = RECORD_REQUEST,
		.event = &event,
		.ts_ns = event.ts_ns,
		.dialect = "werkzeug",
		.request = {
		    .end_ns = event.ts_ns,
		    .duration_ns = 24 * NS_PER_MS,
		    .bytes = 17,
		    .status = 404,
		    .method = METHOD_POST,
		    .method_text = S("POST"),
		    .url = S("http://h.example:80/like?x=1#f"),
		    .path = S("/like"),
		    .host = S("h.example:80"),
		    .peer = S("::ffff:10.0.0.4"),
		    .forwarded = S("1.2.3.4, 5.6.7.8, 10.0.0.9"),
		    .agent = HOSTILE,
		},
	};
}

static const struct document_origin origin = {
	.path = S("logs/\x1b]0;x\x07.gz"),
	.group = S("like"),
	.service = S("like service"),
};

static const struct document_verdict verdict = {
	.class = CLASS_CLIENT,
	.class_reason = "no sign of a probe",
	.route = S("/like"),
	.slow = true,
	.not_found = true,
	.trace = { 0x5b, 0xfd, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14 },
	.has_trace = true,
};

/* The text at a path of keys, of a line that must be valid JSON. */
static void
expect(const struct buf *line, const char *path, const char *value)
{
	struct json j = { 0 };
	struct json_bad bad = { 0, "" };
	struct str rest = str_of(path);
	struct json_val *v;

	cr_assert_eq(json_parse(&j, buf_view(line), &bad), 0, "%s at %zu: %.*s",
	    bad.what, bad.offset, STR_ARG(buf_view(line)));
	v = json_root(&j);
	while (rest.n > 0) {
		struct str key = rest;

		if (!str_cut(&rest, '.', &key))
			rest.n = 0;
		v = json_get(v, key);
	}
	if (!value)
		cr_expect_null(v, "%s is there", path);
	else
		cr_expect(str_eq(json_text(v), str_of(value)),
		    "%s: %.*s, expected %s in %.*s", path,
		    STR_ARG(json_text(v)), value, STR_ARG(buf_view(line)));
	json_fini(&j);
}

Test(documents, a_request_has_the_contracts_fields)
{
	static const struct {
		const char *path, *value;
	} rows[] = {
		{ "_index", "telltale-requests-2018.11.27" },
		{ "_source.@timestamp", "2018-11-27T08:47:55.123Z" },
		{ "_source.service.name", "like service" },
		{ "_source.http.request.method", "POST" },
		{ "_source.http.response.status_code", "404" },
		{ "_source.url.original", "http://h.example:80/like?x=1#f" },
		{ "_source.url.path", "/like" },
		{ "_source.url.query", "x=1" },
		{ "_source.url.domain", "h.example" },
		{ "_source.url.scheme", "http" },
		{ "_source.client.ip", "5.6.7.8" },
		{ "_source.source.ip", "10.0.0.4" },
		{ "_source.source.address", "::ffff:10.0.0.4" },
		{ "_source.event.duration", "24000000" },
		{ "_source.event.start", "2018-11-27T08:47:55.099Z" },
		{ "_source.event.outcome", "success" },
		{ "_source.telltale.route", "/like" },
		{ "_source.telltale.class", "client" },
		{ "_source.telltale.line", "7" },
		{ "_source.log.offset", "512" },
		{ "_source.aws.cloudwatch.log_group", "like" },
		{ "_source.aws.cloudwatch.log_stream", "app/web/1" },
		{ "_source.trace.id", "5bfd0102030405060708090a0b0c0d0e" },
		{ "_source.aws.xray.trace_id",
		    "1-5bfd0102-030405060708090a0b0c0d0e" },
		{ "_source.tags", NULL },
	};
	struct record r = request();
	struct buf b = { 0 };

	document_request(&b, &origin, &r, &verdict);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		expect(&b, rows[i].path, rows[i].value);
	cr_assert_eq(b.p[b.n - 1], '\n');
	cr_assert_eq(str_find(buf_view(&b), '\n'), b.n - 1);
	buf_fini(&b);
}

Test(documents, absent_fields_are_left_out)
{
	static const char *const absent[] = { "event.duration", "event.start",
		"http.response", "client", "user_agent", "trace", "aws.xray",
		"telltale.marks", "url.query", "@timestamp" };
	struct event bare = { .ts_ns = WHEN_NONE, .message = S("x") };
	struct record r = {
		.kind = RECORD_REQUEST,
		.event = &bare,
		.ts_ns = WHEN_NONE,
		.request = { .end_ns = WHEN_NONE,
		    .duration_ns = -1,
		    .bytes = -1 },
	};
	struct document_verdict v = { .class_reason = "" };
	struct buf b = { 0 };
	struct buf path = { 0 };

	document_request(&b, &origin, &r, &v);
	expect(&b, "_index", "telltale-requests-undated");
	for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++) {
		buf_reset(&path);
		buf_printf(&path, "_source.%s", absent[i]);
		expect(&b, buf_cstr(&path), NULL);
	}
	buf_fini(&b);
	buf_fini(&path);
}

Test(documents, an_address_that_is_none_is_no_ip)
{
	static const struct {
		const char *name;
		struct str peer;
		const char *ip;
	} rows[] = {
		{ "v4", S("1.2.3.4"), "1.2.3.4" },
		{ "v6", S("2001:DB8::1"), "2001:db8::1" },
		{ "name", S("unknown"), NULL },
		{ "too many", S("1.2.3.4.5"), NULL },
		{ "NUL inside", S("1.2.3.4\0x"), NULL },
		{ "long", S("1111111111111111111111111111111111111111111111"),
		    NULL },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct record r = request();
		struct buf b = { 0 };

		r.request.peer = rows[i].peer;
		document_request(&b, &origin, &r, &verdict);
		expect(&b, "_source.source.ip", rows[i].ip);
		buf_fini(&b);
	}
}

Test(documents, any_bytes_give_valid_json)
{
	for (unsigned c = 0; c < 65536; c += 37) {
		char two[2] = { (char)(c >> 8), (char)c };
		struct str s = { two, 2 };
		struct event e = { .message = s,
			.ts_ns = 0,
			.id = s,
			.group = s,
			.stream = s };
		struct record r = request();
		struct document_origin o = { .path = s, .service = s };
		struct buf b = { 0 };

		r.event = &e;
		r.request.url = r.request.path = r.request.host = s;
		r.request.method_text = r.request.agent = s;
		r.log = (struct logline){ s, s, s };
		r.segment = (struct segment){ .id = s,
			.trace_id = s,
			.name = s,
			.doc = s,
			.user = s,
			.end_ns = WHEN_NONE,
			.start_ns = 0,
			.has_http = true };
		document_request(&b, &o, &r, &verdict);
		expect(&b, "_index", "telltale-requests-2018.11.27");
		buf_reset(&b);
		document_log(&b, &o, &r);
		expect(&b, "_index", "telltale-logs-2018.11.27");
		buf_reset(&b);
		document_segment(&b, &o, &r, &verdict);
		expect(&b, "_index", "telltale-segments-1970.01.01");
		buf_reset(&b);
		document_dead(&b, &o,
		    &(struct dead){ .reason = "bad", .bytes = s });
		expect(&b, "_source.error.message", "bad");
		buf_fini(&b);
	}
}

Test(documents, dead_bytes_are_kept_exactly)
{
	static const struct {
		struct str bytes;
		const char *base64;
	} rows[] = {
		{ S(""), "" },
		{ S("f"), "Zg==" },
		{ S("fo"), "Zm8=" },
		{ S("foo"), "Zm9v" },
		{ S("\xff\xfe\xfd\0"), "//79AA==" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf b = { 0 };

		document_dead(&b, &origin,
		    &(struct dead){ .place = { .line = 3, .offset = 99 },
			.reason = "no JSON",
			.bytes = rows[i].bytes });
		expect(&b, "_source.telltale.dead.bytes", rows[i].base64);
		expect(&b, "_source.telltale.line", "3");
		expect(&b, "_source.event.kind", "pipeline_error");
		buf_fini(&b);
	}
}

Test(documents, ids_follow_the_event_and_not_its_packing)
{
	struct document_origin a = { .path = S("a.log"), .content = 5 };
	struct document_origin b = { .path = S("b.log.gz"), .content = 5 };
	struct event slash = { .message = S("m"), .stream = S("s/1") };
	struct event dash = { .message = S("m"), .stream = S("s-1") };
	struct event bare = { .message = S("m") };
	struct event with_id = { .message = S("x"), .id = S("42") };
	char one[22];
	char two[22];

	document_id(one, &a, &slash);
	document_id(two, &b, &dash);
	cr_expect_arr_eq(one, two, 22);
	document_id(one, &a, &bare);
	document_id(two, &b, &bare);
	cr_expect_arr_eq(one, two, 22);
	b.number = 1;
	document_id(two, &b, &bare);
	cr_expect_arr_neq(one, two, 22);
	document_id(one, &a, &with_id);
	with_id.message = (struct str)S("other");
	document_id(two, &b, &with_id);
	cr_expect_arr_eq(one, two, 22);
}

Test(documents, a_finished_segment_replaces_one_in_progress)
{
	struct record r = request();
	struct buf a = { 0 };
	struct buf b = { 0 };

	r.kind = RECORD_SEGMENT;
	r.segment = (struct segment){ .id = S("0011223344556677"),
		.in_progress = true,
		.end_ns = WHEN_NONE };
	document_segment(&a, &origin, &r, &verdict);
	r.segment.in_progress = false;
	r.segment.end_ns = NS_PER_SEC;
	document_segment(&b, &origin, &r, &verdict);
	cr_expect_eq(memcmp(a.p, b.p, 70), 0, "index and id are equal");
	expect(&b, "_source.event.duration", "1000000000");
	expect(&a, "_source.event.duration", NULL);
	buf_fini(&a);
	buf_fini(&b);
}

static struct finding
finding(char *service, char *route)
{
	return (struct finding){
		.id = "AAAAAAAAAAAAAAAAAAAAAA",
		.rule = "slow-post",
		.judged_by = "slow-post",
		.severity = SEVERITY_CRITICAL,
		.service = service,
		.method = METHOD_POST,
		.route = route,
		.start_ns = INT64_C(1550731903000000000),
		.end_ns = INT64_C(1550732233000000000),
		.detected_ns = INT64_C(1550731913000000000),
		.bad = 69,
		.total = 108,
		.value_ppm = 638888,
		.baseline_ppm = 10000,
		.threshold_ppm = 100000,
		.g_milli = 120345,
		.h_milli = 13816,
		.over_ns = NS_PER_SEC,
		.unit = "requests over 1 s",
		.before_ns = 24 * NS_PER_MS,
		.after_ns = 2800 * NS_PER_MS,
		.evidence = { { .input = 0, .line = 12 },
		    { .has_trace = true, .trace = { 0x5b } } },
		.n_evidence = 2,
	};
}

Test(documents, a_finding_has_numbers_evidence_and_filter)
{
	static const struct {
		const char *path, *value;
	} rows[] = {
		{ "_index", "telltale-findings-2019.02.21" },
		{ "_source.event.start", "2019-02-21T06:51:43.000Z" },
		{ "_source.event.severity", "4" },
		{ "_source.event.action", "finding-resolved" },
		{ "_source.rule.id", "slow-post" },
		{ "_source.telltale.finding.value", "0.638888" },
		{ "_source.telltale.finding.baseline", "0.01" },
		{ "_source.telltale.finding.threshold", "0.1" },
		{ "_source.telltale.finding.g", "120.345" },
		{ "_source.telltale.finding.count", "69" },
		{ "_source.labels.filter",
		    "service(\"li\\\"ke\") AND http.method = \"POST\" AND "
		    "http.url CONTAINS \"/mysfits/\" AND "
		    "http.url CONTAINS \"/like\" AND responsetime > 1" },
	};
	char service[] = "li\"ke";
	char route[] = "/mysfits/{id}/like";
	struct finding f = finding(service, route);
	const struct str paths[] = { HOSTILE };
	struct buf b = { 0 };

	document_finding(&b, &f, paths);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		expect(&b, rows[i].path, rows[i].value);
	buf_fini(&b);
}

Test(documents, filters_reproduce_each_rules_set)
{
	static const struct {
		const char *rule;
		enum method method;
		const char *route;
		const char *filter;
	} rows[] = {
		{ "not-found", METHOD_POST, "/like",
		    "service(\"s\") AND http.method = \"POST\" AND "
		    "http.url CONTAINS \"/like\" AND "
		    "(http.status = 404 OR http.status = 410)" },
		{ "not-found", METHOD_OTHER, "other",
		    "service(\"s\") AND "
		    "(http.status = 404 OR http.status = 410)" },
		{ "slow-post", METHOD_PUT, "/",
		    "service(\"s\") AND http.method = \"PUT\" AND "
		    "http.url ENDSWITH \"/\" AND responsetime > 0.25" },
		{ "target-health", METHOD_NONE, NULL,
		    "service(\"s\") AND (error OR fault)" },
		{ "not-found", METHOD_GET, "/{id}",
		    "service(\"s\") AND http.method = \"GET\" AND "
		    "(http.status = 404 OR http.status = 410)" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char service[] = "s";
		char route[64] = "";
		struct finding f;
		struct buf b = { 0 };

		if (rows[i].route)
			snprintf(route, sizeof route, "%s", rows[i].route);
		f = finding(service, rows[i].route ? route : NULL);
		f.rule = f.judged_by = rows[i].rule;
		f.method = rows[i].method;
		f.over_ns = NS_PER_SEC / 4;
		document_filter(&b, &f);
		cr_expect_str_eq(buf_cstr(&b), rows[i].filter, "%s",
		    buf_cstr(&b));
		buf_fini(&b);
	}
}

/* Every leaf of an object must be a row of the table. */
static void
known(const struct json_val *object, struct buf *path)
{
	struct json_iter it;
	struct json_val *v;
	size_t n = path->n;

	json_iter_init(&it, object);
	for (v = json_iter_next(&it); v; v = json_iter_next(&it)) {
		const struct document_field *f = documents_fields();

		if (json_type(object) == JSON_OBJECT) {
			if (path->n > 0)
				buf_char(path, '.');
			buf_str(path, it.key);
		}
		if (json_type(v) == JSON_OBJECT || json_type(v) == JSON_ARRAY) {
			known(v, path);
		} else {
			while (f->field && strcmp(f->field, buf_cstr(path)))
				f++;
			cr_expect_not_null(f->field, "%s", buf_cstr(path));
		}
		path->n = n;
	}
}

Test(documents, every_field_written_is_in_the_table)
{
	char service[] = "s";
	char route[] = "/r";
	struct finding f = finding(service, route);
	char cause[] = "c";
	const struct str paths[] = { S("p") };
	struct cell sums = { .n = 3,
		.timed = 2,
		.sum_us = 7,
		.status = { 1, 1, 1, 1, 1, 1 } };
	struct record r = request();
	struct buf b[6] = { { 0 } };

	f.causes[0] = (struct cause){ .text = cause,
		.template_text = cause,
		.service = cause };
	f.n_causes = 1;
	r.log = (struct logline){ STR("INFO"), STR("l"), STR("t") };
	r.request.target = STR("10.0.0.1:80");
	r.request.referer = STR("r");
	r.segment = (struct segment){ .id = STR("1"),
		.trace_id = STR("2"),
		.parent_id = STR("3"),
		.name = STR("n"),
		.origin = STR("o"),
		.user = STR("u"),
		.doc = STR("{}"),
		.has_http = true };
	document_request(&b[0], &origin, &r, &verdict);
	document_log(&b[1], &origin, &r);
	document_segment(&b[2], &origin, &r, &verdict);
	document_dead(&b[3], &origin,
	    &(struct dead){ .reason = "x", .bytes = STR("y") });
	document_rollup(&b[4], &(struct document_rollup){ .service = STR("s"),
				   .route = STR("/"),
				   .sums = &sums });
	document_finding(&b[5], &f, paths);
	for (int i = 0; i < 6; i++) {
		struct json j = { 0 };
		struct json_bad bad;
		struct buf path = { 0 };

		cr_assert_eq(json_parse(&j, buf_view(&b[i]), &bad), 0);
		known(json_get(json_root(&j), STR("_source")), &path);
		json_fini(&j);
		buf_fini(&path);
		buf_fini(&b[i]);
	}
}
