/* SPDX-License-Identifier: Apache-2.0 */
/*
 * X-Ray documents: what is accepted, what is refused with which words, and
 * that the quick reader and the tree agree.
 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>

#include "core/json.h"
#include "ingest/xray.h"
#include "ingest/xray_fields.h"

#define CORPUS "../shared/corpus/"
#define T "\"trace_id\":\"1-581cf771-a006649127e371903a2de979\","
#define I "\"id\":\"70de5b6f19ff9a0a\","
#define N "\"name\":\"a\","
#define S "\"start_time\":1478293361.271,"
#define E "\"end_time\":1478293361.449"

struct kit {
	struct xray *x;
	struct xray_names names;
	struct json json;
	struct arena arena;
	struct event event;
	struct record r;
	const char *bad;
};

static void
kit_init(struct kit *k)
{
	*k = (struct kit){ .x = xray_new() };
	xray_names_init(&k->names);
}

static void
kit_fini(struct kit *k)
{
	xray_free(k->x);
	json_fini(&k->json);
	arena_fini(&k->arena);
}

static enum decode
decode(struct kit *k, struct str doc)
{
	k->event = (struct event){ .ts_ns = WHEN_NONE, .message = doc };
	return xray_decode(k->x, &k->event, &k->arena, &k->r, &k->bad);
}

/* The quick reader says no, or the same as the tree; true: it said yes. */
static bool
agree(struct kit *k, struct str doc)
{
	struct xray_fields quick;
	struct xray_fields slow;
	char *copy = malloc(doc.n ? doc.n : 1);
	const char *bad;
	bool yes;

	/* An own copy, so that the sanitizers see a step beyond its end. */
	if (doc.n)
		memcpy(copy, doc.p, doc.n);
	yes = xray_quick(&k->names, (struct str){ copy, doc.n }, &quick, NULL);
	if (yes) {
		bad = xray_tree(&k->json, doc, &k->arena, &slow);
		cr_assert_null(bad, "%s: %.*s", bad, STR_ARG(doc));
		for (int i = 0; i < XRAY_FIELDS; i++) {
			cr_assert_eq(quick.of[i].type, slow.of[i].type,
			    "%s of %.*s", xray_keys[i].name, STR_ARG(doc));
			cr_assert(str_eq(quick.of[i].text, slow.of[i].text),
			    "%s of %.*s", xray_keys[i].name, STR_ARG(doc));
		}
	}
	free(copy);
	return yes;
}

static struct buf
file_read(const char *path)
{
	struct buf b = { 0 };
	FILE *f = fopen(path, "rb");
	size_t n = f ? 1 : 0;

	while (n > 0) {
		n = fread(buf_room(&b, 65536), 1, 65536, f);
		b.n += n;
	}
	if (f)
		fclose(f);
	else
		cr_log_warn("%s is not there: skipped", path);
	return b;
}

/* Whether a document may tell of a failure inside of it. */
static const struct {
	const char *members;
	bool yes;
} within[] = {
	{ "", false },
	{ ",\"fault\":true", false }, /* its own */
	{ ",\"subsegments\":[{\"id\":\"1\",\"fault\":true}]", true },
	{ ",\"subsegments\":[{\"id\":\"1\",\"error\" : true}]", true },
	{ ",\"subsegments\":[{\"error\":false,\"fault\":false}]", false },
	{ ",\"subsegments\":[{\"errors\":true,\"x\":\"fault\"}]", false },
	{ ",\"subsegments\":[{\"subsegments\":[{\"fault\":true}]}]", true },
	{ ",\"subsegments\":[{\"fa\\u0075lt\":true}]", true },
	{ ",\"subsegments\":[{\"throttle\":true}]", false },
	/* The second id takes the marks away, and nothing else. */
	{ ",\"subsegments\":[{\"id\":\"1\",\"id\":\"2\",\"fault\":true}]",
	    true },
};

Test(xray, failures_within)
{
	for (size_t i = 0; i < sizeof within / sizeof within[0]; i++) {
		struct span_marks marks;
		struct xray_fields f;
		struct xray_names names;
		char doc[512];
		int n = snprintf(doc, sizeof doc, "{" I T N S E "%s}",
		    within[i].members);
		struct str text = { doc, (size_t)n };

		xray_names_init(&names);
		cr_assert(xray_quick(&names, text, &f, NULL));
		cr_expect_eq(f.failures_within, within[i].yes, "%s",
		    within[i].members);
		/* What it does not take, the tree says yes of. */
		if (xray_quick(&names, text, &f, &marks))
			cr_expect_eq(f.failures_within, within[i].yes,
			    "with marks: %s", within[i].members);
	}
}

struct bad_case {
	const char *name;
	const char *doc;
	const char *says; /* the beginning of the sentence; NULL: accepted */
};

static const struct bad_case cases[] = {
	{ "least", "{" I T N S E "}", NULL },
	{ "blanks", " {" I T N S E " } \n", NULL },
	{ "in progress", "{" I T N S "\"in_progress\":true}", NULL },
	{ "no progress", "{" I T N S "\"in_progress\":false," E "}", NULL },
	{ "integers", "{" I T N "\"start_time\":1,\"end_time\":2}", NULL },
	{ "string times",
	    "{" I T N "\"start_time\":\"1478293361.2\",\"end_time\":"
	    "\"2016-11-04T21:02:41.5Z\"}",
	    NULL },
	{ "end before start", "{" I T N "\"start_time\":2.5,\"end_time\":1}",
	    NULL },
	{ "W3C trace id",
	    "{\"trace_id\":\"4EFAAF4D1e8720b39541901950019ee5\"," I N S E "}",
	    NULL },
	{ "longer ids", "{\"id\":\"fakeid11111111aaaaaaaa\"," T N S E "}",
	    NULL },
	{ "nulls", "{" I T N S E ",\"parent_id\":null,\"type\":null}", NULL },
	{ "cause is a number", "{" I T N S E ",\"cause\":200}", NULL },
	{ "http is a number", "{" I T N S E ",\"http\":200}", NULL },
	{ "not JSON", "{" I T N S E, "document that is not JSON" },
	{ "trailing comma", "{" I T N S E ",}", "document that is not JSON" },
	{ "text behind", "{" I T N S E "} x", "document that is not JSON" },
	{ "empty", "", "document that is not JSON" },
	{ "array", "[]", "document that is not an object" },
	{ "unknown type", "{" I T N S E ",\"type\":\"x\"}",
	    "segment with an unknown type" },
	{ "no id", "{" T N S E "}", "segment without id" },
	{ "short id", "{\"id\":\"123\"," T N S E "}",
	    "segment with an invalid id" },
	{ "id is a number", "{\"id\":1234567890123456," T N S E "}",
	    "segment with an invalid id" },
	{ "no name", "{" I T S E "}", "segment without name" },
	{ "no trace id", "{" I N S E "}", "segment without trace_id" },
	{ "bad trace id",
	    "{\"trace_id\":\"1-581cf771-a006649127e371903a2de97g\"," I N S E
	    "}",
	    "segment with an invalid trace_id" },
	{ "no start", "{" I T N E "}", "segment without start_time" },
	{ "start is a word", "{" I T N "\"start_time\":\"now\"," E "}",
	    "segment with an unreadable start_time" },
	{ "start in 1960", "{" I T N "\"start_time\":-3e8," E "}",
	    "segment with a start_time before 1970" },
	{ "start far ahead", "{" I T N "\"start_time\":1e300," E "}",
	    "segment with an unreadable start_time" },
	{ "both", "{" I T N S E ",\"in_progress\":true}",
	    "segment in progress with an end_time" },
	{ "no end", "{" I T N S "\"fault\":true}", "segment without end_time" },
	{ "end is a list", "{" I T N S "\"end_time\":[1]}",
	    "segment with an unreadable end_time" },
	{ "subsegment alone", "{" I T N S E ",\"type\":\"subsegment\"}",
	    "independent subsegment without parent_id" },
	{ "bad parent", "{" I T N S E ",\"parent_id\":\"-\"}",
	    "segment with an invalid parent_id" },
};

Test(xray, says_what_it_expected)
{
	struct kit k;

	kit_init(&k);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct bad_case *c = &cases[i];
		enum decode d = decode(&k, str_of(c->doc));

		agree(&k, str_of(c->doc));
		if (!c->says) {
			cr_expect_eq(d, DECODE_OK, "%s: %s", c->name, k.bad);
			continue;
		}
		cr_expect_eq(d, DECODE_BAD, "%s", c->name);
		cr_expect(str_starts(str_of(k.bad), str_of(c->says)) &&
			      str_find_str(str_of(k.bad), STR("expected")) < 99,
		    "%s: %s", c->name, k.bad);
	}
	kit_fini(&k);
}

Test(xray, keeps_nanoseconds_in_every_notation)
{
	static const struct {
		const char *text;
		int64_t ns;
	} rows[] = {
		{ "1795244520.2479196", 1795244520247919600 },
		{ "1795244520.123456789", 1795244520123456789 },
		{ "1795244520.1234567891", 1795244520123456789 },
		{ "1.795244520123456789E9", 1795244520123456789 },
		{ "1795244520", 1795244520000000000 },
		{ "1795244520.0", 1795244520000000000 },
		{ "17952445201234e-4", 1795244520123400000 },
		{ "\"1795244520.5\"", 1795244520500000000 },
		{ "0", 0 },
	};
	struct kit k;

	kit_init(&k);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf b = { 0 };

		buf_printf(&b, "{" I T N "\"start_time\":%s," E "}",
		    rows[i].text);
		cr_assert_eq(decode(&k, buf_view(&b)), DECODE_OK, "%s: %s",
		    rows[i].text, k.bad);
		cr_expect_eq(k.r.segment.start_ns, rows[i].ns, "%s",
		    rows[i].text);
		buf_fini(&b);
	}
	kit_fini(&k);
}

static const char full[] =
    "{" I T N S E ",\"origin\":\"AWS::EC2::Instance\",\"user\":\"u\","
    "\"error\":true,\"annotations\":{\"id\":\"no\",\"x\":[[1,{}]]},"
    "\"http\":{\"request\":{\"method\":\"POST\",\"url\":"
    "\"https://a.example:8080/b/c?d=/e#f\",\"user_agent\":\"curl\","
    "\"client_ip\":\"192.0.2.1\",\"x_forwarded_for\":true},\"response\":"
    "{\"status\":404,\"content_length\":\"12\"}}}";

Test(xray, fills_a_servers_request)
{
	struct kit k;
	const struct request *q = &k.r.request;

	kit_init(&k);
	cr_assert(agree(&k, str_of(full)));
	cr_assert_eq(decode(&k, str_of(full)), DECODE_OK);
	cr_expect(k.r.segment.has_http && k.r.segment.error);
	cr_expect_eq(q->method, METHOD_POST);
	cr_expect(str_eq(q->host, STR("a.example:8080")));
	cr_expect(str_eq(q->path, STR("/b/c")));
	cr_expect(str_eq(q->forwarded, STR("192.0.2.1")) && q->peer.n == 0);
	cr_expect_eq(q->status, 404);
	cr_expect_eq(q->bytes, 12);
	cr_expect_eq(q->duration_ns, 178000000);
	cr_expect_eq(k.r.ts_ns, k.r.segment.end_ns);
	cr_expect(str_eq(k.r.segment.user, STR("u")));
	cr_expect(str_eq(k.r.segment.doc, str_of(full)));
	kit_fini(&k);
}

Test(xray, takes_no_request_from_a_callers_view)
{
	static const char *const more[] = {
		"\"inferred\":true,\"parent_id\":\"70de5b6f19ff9a0b\",",
		"\"type\":\"subsegment\",\"parent_id\":\"70de5b6f19ff9a0b\",",
	};
	struct kit k;

	kit_init(&k);
	for (size_t i = 0; i < 2; i++) {
		struct buf b = { 0 };

		buf_printf(&b, "{%s%s", more[i], full + 1);
		cr_assert_eq(decode(&k, buf_view(&b)), DECODE_OK);
		cr_expect(!k.r.segment.has_http, "%s", more[i]);
		buf_fini(&b);
	}
	kit_fini(&k);
}

Test(xray, counts_64_kib_without_white_space)
{
	struct kit k;
	struct buf b = { 0 };

	kit_init(&k);
	buf_cat(&b, "{" I T N S E ",\"metadata\":{\"a\":\"");
	while (b.n < XRAY_DOCUMENT_MAX - 3)
		buf_char(&b, ' ');
	buf_cat(&b, "\"}}");
	cr_expect_eq(decode(&k, buf_view(&b)), DECODE_OK, "%s", k.bad);
	for (int i = 0; i < 1000; i++)
		buf_char(&b, '\n');
	cr_expect_eq(decode(&k, buf_view(&b)), DECODE_OK, "%s", k.bad);
	b.n -= 1003;
	buf_cat(&b, "x\"}}");
	cr_expect_eq(decode(&k, buf_view(&b)), DECODE_BAD);
	cr_expect(str_starts(str_of(k.bad), STR("segment document too long")));
	buf_fini(&b);
	kit_fini(&k);
}

Test(xray, refuses_512_levels_and_one)
{
	struct kit k;

	kit_init(&k);
	for (int depth = 50; depth <= 520; depth++) {
		struct buf b = { 0 };

		buf_cat(&b, "{" I T N S E ",\"metadata\":");
		for (int i = 1; i < depth; i++)
			buf_char(&b, '[');
		for (int i = 1; i < depth; i++)
			buf_char(&b, ']');
		buf_char(&b, '}');
		agree(&k, buf_view(&b));
		cr_expect_eq(decode(&k, buf_view(&b)),
		    depth > 512 ? DECODE_BAD : DECODE_OK, "%d", depth);
		if (depth > 512)
			cr_expect(str_starts(str_of(k.bad),
			    STR("document nested too deeply")));
		buf_fini(&b);
	}
	kit_fini(&k);
}

/* Texts that end a document: valid or not, the readers have to agree. */
static const char *const values[] = {
	"0",
	"-0",
	"01",
	"-",
	"1.",
	".5",
	"1.5e",
	"1e+",
	"1e5",
	"1E-05",
	"1e999",
	"123456789012345678901234567890",
	"+1",
	"0x1",
	"NaN",
	"Infinity",
	"-Infinity",
	"true",
	"tru",
	"truex",
	"False",
	"nul",
	"null",
	"\"\"",
	"\"a",
	"\"\\\"\"",
	"\"\\x\"",
	"\"\\u12\"",
	"\"\\u12G4\"",
	"\"\\u00e9\"",
	"\"\\ud83d\\ude00\"",
	"\"\\ud83d\"",
	"\"\\ude00\"",
	"\"\\ud83d\\u0041\"",
	"\"\t\"",
	"\"\n\"",
	"\"\x7f\"",
	"\"\x01\"",
	"\"\xc3\xa9\"",
	"\"\xc3\"",
	"\"\xc0\xaf\"",
	"\"\xe0\x80\x80\"",
	"\"\xed\xa0\x80\"",
	"\"\xf0\x9f\x98\x80\"",
	"\"\xf0\x80\x80\x80\"",
	"\"\xf4\x90\x80\x80\"",
	"\"\xff\"",
	"\"\x80\"",
	"[",
	"]",
	"[]",
	"[1",
	"[1,",
	"[1,]",
	"[,1]",
	"[1 2]",
	"[1,2]",
	"{",
	"{}",
	"{\"a\"}",
	"{\"a\":}",
	"{\"a\":1,}",
	"{,}",
	"{\"a\":1 \"b\":2}",
	"{a:1}",
	"{'a':1}",
	"[{]}",
	"{[}]",
	"[[]",
	"[\"a\":1]",
	"{\"a\":{\"b\":[{},[],{\"c\":null}]}}",
	"[]]",
	"{}}",
	"1/**/",
	"//\n1",
	("\xef\xbb\xbf"
	 "1"),
	"",
	"\"a long text that is not cut at the first word, \\\\ and on\"",
};

Test(xray, quick_and_tree_agree_on_every_value)
{
	static const char *const keys[] = { "x", "error", "user", "http",
		"http\":{\"request", "http\":{\"response\":{\"status",
		"us\\u0065r", "id", "a\x01", "\xc3\xa9", "" };
	struct kit k;
	size_t yes = 0;

	kit_init(&k);
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		for (size_t j = 0; j < sizeof keys / sizeof *keys; j++) {
			struct buf b = { 0 };

			buf_printf(&b, "{" I T N S E ", \"%s\": %s ", keys[j],
			    values[i]);
			for (const char *p = keys[j]; *p; p++)
				if (*p == '{')
					buf_char(&b, '}');
			buf_char(&b, '}');
			yes += agree(&k, buf_view(&b));
			buf_fini(&b);
		}
	}
	cr_expect_gt(yes, 40, "the quick reader took %zu", yes);
	kit_fini(&k);
}

/* Every document with every byte replaced, and cut at every place. */
Test(xray, quick_and_tree_agree_on_mutated_documents)
{
	static const char bytes[] = "\"\\{}[]:,0-. tn\x01\x80\xc3\xff";
	struct kit k;
	char text[sizeof full];

	kit_init(&k);
	for (size_t at = 0; at < sizeof full - 1; at++) {
		agree(&k, (struct str){ full, at });
		for (size_t i = 0; i < sizeof bytes - 1; i++) {
			memcpy(text, full, sizeof full);
			text[at] = bytes[i];
			agree(&k, (struct str){ text, sizeof full - 1 });
		}
		arena_reset(&k.arena);
	}
	kit_fini(&k);
}

struct totals {
	const char *folder;
	size_t n, error, forwarded, post;
	int64_t duration_ns, status, bytes;
};

/* Counted by python's json with decimal numbers. */
static const struct totals like[] = {
	{ "python2-2019", 426, 91, 264, 232, 134446186000, 103796, 19108 },
	{ "python3", 603, 75, 537, 522, 85699712100, 135915, 18279 },
};

static void
like_add(struct totals *t, const struct record *r)
{
	cr_assert(r->segment.has_http);
	t->n++;
	t->error += r->segment.error;
	t->forwarded += r->request.forwarded.n > 0;
	t->post += r->request.method == METHOD_POST;
	t->duration_ns += r->request.duration_ns;
	t->status += r->request.status;
	t->bytes += r->request.bytes;
}

Test(xray, reads_the_like_service)
{
	struct kit k;

	kit_init(&k);
	for (size_t i = 0; i < 2; i++) {
		struct totals sum = { .folder = like[i].folder };
		struct buf path = { 0 };
		struct buf file;
		struct str rest;
		struct str line;
		size_t quick = 0;

		buf_printf(&path, CORPUS "like-service/%s/xray/segments.ndjson",
		    like[i].folder);
		file = file_read(buf_cstr(&path));
		rest = buf_view(&file);
		while (str_cut(&rest, '\n', &line)) {
			quick += agree(&k, line);
			cr_assert_eq(decode(&k, line), DECODE_OK, "%s", k.bad);
			like_add(&sum, &k.r);
		}
		if (file.n > 0) {
			cr_expect_eq(quick, sum.n, "%zu quick", quick);
			cr_expect_eq(sum.n, like[i].n);
			cr_expect_eq(sum.error, like[i].error);
			cr_expect_eq(sum.forwarded, like[i].forwarded);
			cr_expect_eq(sum.post, like[i].post);
			cr_expect_eq(sum.duration_ns, like[i].duration_ns);
			cr_expect_eq(sum.status, like[i].status);
			cr_expect_eq(sum.bytes, like[i].bytes);
		}
		buf_fini(&file);
		buf_fini(&path);
	}
	kit_fini(&k);
}

static const struct bad_case files[] = {
	{ "guide-segment-minimal.json", NULL, NULL },
	{ "guide-segment-in-progress.json", NULL, NULL },
	{ "guide-segment-embedded-subsegment.json", NULL, NULL },
	{ "guide-segment-inferred-http.json", NULL, NULL },
	{ "guide-subsegment-http-downstream.json", NULL,
	    "segment without trace_id" },
	{ "guide-subsegment-sql.json", NULL, "segment without trace_id" },
	{ "guide-subsegment-metadata-nested-dynamodb.json", NULL,
	    "segment without trace_id" },
	{ "guide-segment-ec2-http.malformed.txt", NULL, "document that is" },
	{ "guide-segment-smart-quotes.malformed.txt", NULL,
	    "document that is" },
	{ "guide-subsegment-dynamodb.malformed.txt", NULL, "document that is" },
	{ "guide-subsegment-independent.malformed.txt", NULL,
	    "document that is" },
	{ "guide-nodejs-v3-dynamodb-subsegment.malformed.txt", NULL,
	    "document that is" },
	{ "guide-aws-block-plugins.malformed.txt", NULL, "document that is" },
	{ "awscli-put-trace-segments.document.json", NULL, NULL },
	{ "iatk-segment-apigateway.json", NULL, NULL },
	{ "iatk-segment-eventbridge-inferred.json", NULL, NULL },
	{ "iatk-segment-lambda-async.json", NULL, NULL },
	{ "moto-segment-integer-times.json", NULL, NULL },
	{ "nodesdk-segment-in-progress.json", NULL, NULL },
	{ "nodesdk-subsegment-in-progress.json", NULL, NULL },
	{ "otel-awsMissingAwsField.json", NULL, NULL },
	{ "otel-awsValidAwsFields.json", NULL, NULL },
	{ "otel-ddbSample.json", NULL, NULL },
	{ "otel-indepSubsegment.json", NULL, NULL },
	{ "otel-indepSubsegmentWithSql.json", NULL, NULL },
	{ "otel-invalidNamespace.json", NULL, NULL },
	{ "otel-minCauseIsExceptionId.json", NULL, NULL },
	{ "otel-minCauseIsInvalid.json", NULL, NULL },
	{ "otel-minInProgress.json", NULL, NULL },
	{ "otel-minOtherFields.json", NULL, NULL },
	{ "otel-segmentValidationFailed.json", NULL,
	    "segment without start_time" },
	{ "otel-serverSample.json", NULL, NULL },
	{ "pysdk-cause-by-id.json", NULL, NULL },
	{ "pysdk-deep-nesting-in-progress.json", NULL, NULL },
	{ "pysdk-dynamodb-batchwrite-fault.json", NULL, NULL },
	{ "pysdk-flask-404.json", NULL, NULL },
	{ "pysdk-flask-500-exception.json", NULL, NULL },
	{ "pysdk-flask-500-no-exception.json", NULL, NULL },
	{ "pysdk-flask-template-subsegment.json", NULL, NULL },
	{ "pysdk-inprogress-dynamodb-403.json", NULL, NULL },
	{ "pysdk-metadata-namespaces.json", NULL, NULL },
	{ "pysdk-sqlite-fault.json", NULL, NULL },
	{ "pysdk-sqs-list-queues.json", NULL, NULL },
	{ "pysdk-streamed-subsegment.json", NULL, NULL },
	{ "pysdk-two-exceptions.json", NULL, NULL },
	{ "zipkin-segment-no-name-no-times.json", NULL,
	    "segment without name" },
};

Test(xray, judges_every_document_of_the_corpus)
{
	struct kit k;

	kit_init(&k);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		const struct bad_case *c = &files[i];
		struct buf path = { 0 };
		struct buf file;
		enum decode d;

		buf_printf(&path, CORPUS "xray/%s", c->name);
		file = file_read(buf_cstr(&path));
		if (file.n > 0) {
			agree(&k, str_trim(buf_view(&file)));
			d = decode(&k, buf_view(&file));
			cr_expect_eq(d, c->says ? DECODE_BAD : DECODE_OK,
			    "%s: %s", c->name, k.bad);
			if (c->says)
				cr_expect(
				    str_starts(str_of(k.bad), str_of(c->says)),
				    "%s: %s", c->name, k.bad);
		}
		buf_fini(&file);
		buf_fini(&path);
	}
	kit_fini(&k);
}

Test(xray, makes_requests_of_summaries)
{
	static const char doc[] =
	    "{\"Id\":\"1-59602606-a43a1ac52fc7ee0eea12a82c\",\"StartTime\":"
	    "1499473304.5,\"Duration\":3,\"ResponseTime\":0.084,\"Http\":"
	    "{\"HttpURL\":\"http://h/api\",\"HttpStatus\":200,\"HttpMethod\":"
	    "\"POST\",\"ClientIp\":\"192.0.2.7\"}}";
	struct kit k;
	struct event e = { .message = STR(doc) };

	kit_init(&k);
	cr_assert_eq(xray_decode_summary(k.x, &e, &k.arena, &k.r, &k.bad),
	    DECODE_OK);
	cr_expect_eq(k.r.kind, RECORD_REQUEST);
	cr_expect_eq(k.r.request.duration_ns, 84000000);
	cr_expect_eq(k.r.ts_ns, 1499473304584000000);
	cr_expect_eq(k.r.request.status, 200);
	cr_expect(str_eq(k.r.request.path, STR("/api")));
	e.message = STR("{\"Id\":\"x\"}");
	cr_assert_eq(xray_decode_summary(k.x, &e, &k.arena, &k.r, &k.bad),
	    DECODE_BAD);
	kit_fini(&k);
}
