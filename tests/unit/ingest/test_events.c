/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the cases of tests/golden/envelopes cannot say: the table, sizes that
 * are no good to write down, and payloads that must be packed first.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <zlib.h>

#include "core/mem.h"
#include "dump.h"
#include "ingest/events.h"
#include "ingest/payload.h"

enum { MIB = 1 << 20 };

static void
put_many(struct buf *out, const char *text, size_t n)
{
	while (n-- > 0)
		buf_cat(out, text);
}

/* Lines of a dump that begin with a character. */
static size_t
count(struct str dump, char first)
{
	struct str line;
	size_t n = 0;

	while (str_cut(&dump, '\n', &line))
		n += line.n > 0 && line.p[0] == first;
	return n;
}

/* Reads the input and checks how many events and dead letters come out. */
static void
expect_counts(const struct buf *input, const struct limits *limits,
    size_t events, size_t dead)
{
	struct buf out = { 0 };

	dump_bytes(&out, buf_view(input), limits);
	cr_expect_eq(count(buf_view(&out), '+'), events, "%zu events",
	    count(buf_view(&out), '+'));
	cr_expect_eq(count(buf_view(&out), '-'), dead, "%zu dead letters",
	    count(buf_view(&out), '-'));
	buf_fini(&out);
}

Test(events, table_has_a_sentence_for_every_name)
{
	const struct envelope_info *t = events_envelopes();
	size_t n = 0;

	for (; t[n].name; n++) {
		cr_expect(t[n].help && *t[n].help, "%s", t[n].name);
		for (size_t i = 0; i < n; i++)
			cr_expect_str_neq(t[i].name, t[n].name);
	}
	cr_expect_geq(n, 20);
}

Test(events, long_line_is_one_dead_letter_with_its_first_bytes)
{
	struct limits limits = limits_default;
	struct buf in = { 0 };
	struct buf out = { 0 };

	buf_cat(&in, "a\n");
	put_many(&in, "0123456789abcdef", 32 * MIB / 16);
	buf_cat(&in, "\nb\n");
	dump_bytes(&out, buf_view(&in), &limits);
	cr_expect_eq(count(buf_view(&out), '+'), 2);
	cr_expect_eq(count(buf_view(&out), '-'), 1);
	cr_expect_lt(out.n, DEAD_BYTES_MAX + 500);
	cr_expect_gt(out.n, DEAD_BYTES_MAX);
	buf_fini(&in);
	buf_fini(&out);
}

Test(events, list_of_more_events_than_a_batch_holds)
{
	struct buf in = { 0 };

	buf_cat(&in, "{\"events\":[{\"timestamp\":1,\"message\":\"a\","
		     "\"eventId\":\"1\"}");
	put_many(&in, ",{\"timestamp\":1,\"message\":\"a\",\"eventId\":\"1\"}",
	    5 * BATCH_EVENTS);
	buf_cat(&in, "]}\n");
	expect_counts(&in, &limits_default, 5 * BATCH_EVENTS + 1, 0);
	buf_fini(&in);
}

Test(events, list_larger_than_a_document_is_walked)
{
	struct limits limits = limits_default;
	struct buf in = { 0 };

	limits.document_bytes = 256 * 1024;
	buf_cat(&in, "{\"logGroup\":\"g\",\"logEvents\":[");
	put_many(&in, "{\"timestamp\":1,\"message\":\"a\",\"id\":\"1\"},",
	    100000);
	buf_cat(&in, "{\"timestamp\":1,\"message\":\"");
	put_many(&in, "0123456789abcdef", 8 * MIB / 16);
	buf_cat(&in, "\",\"id\":\"1\"},{\"timestamp\":1,\"message\":\"a\"}],");
	buf_cat(&in, "\"messageType\":\"DATA_MESSAGE\"}\n{\"a\":1}\n");
	expect_counts(&in, &limits, 100002, 1);
	buf_fini(&in);
}

Test(events, trace_larger_than_a_document_is_walked)
{
	struct limits limits = limits_default;
	struct buf in = { 0 };

	limits.document_bytes = 64 * 1024;
	buf_cat(&in, "{\"Traces\":[{\"Id\":\"1\",\"Segments\":[");
	put_many(&in, "{\"Id\":\"a\",\"Document\":\"{\\\"id\\\":1}\"},", 50000);
	buf_cat(&in, "{\"Id\":\"a\",\"Document\":{\"id\":1}}]},");
	buf_cat(&in, "{\"Id\":\"2\",\"Segments\":[{\"Document\":{}}]}]}\n");
	expect_counts(&in, &limits, 50002, 0);
	buf_fini(&in);
}

Test(events, broken_lines_cost_no_more_than_themselves)
{
	struct buf in = { 0 };

	for (int i = 0; i < 2000; i++) {
		buf_cat(&in,
		    "{\"a\":1}\n{\"a\":[{\"b\":\n{\"x\":[1,\n{\"c\":\"x\n");
		put_many(&in, "[", 10000);
		buf_cat(&in, "\n");
	}
	expect_counts(&in, &limits_default, 2000, 4 * 2000);
	buf_fini(&in);
}

Test(events, pieces_that_never_end_are_bounded)
{
	struct buf in = { 0 };

	for (int i = 0; i < 20000; i++)
		buf_cat(&in, "{\"log\":\"0123456789abcdef0123456789abcdef"
			     "0123456789abcdef0123456789abcdef\"}\n");
	expect_counts(&in, &limits_default, 0, 1);
	buf_fini(&in);
}

static void
pack(struct buf *out, struct str in, int window_bits)
{
	z_stream z = { 0 };
	size_t room = in.n + 1000;

	cr_assert_eq(deflateInit2(&z, 6, Z_DEFLATED, window_bits, 8, 0), Z_OK);
	z.next_in = (Bytef *)(uintptr_t)in.p;
	z.avail_in = (uInt)in.n;
	z.next_out = (Bytef *)buf_room(out, room);
	z.avail_out = (uInt)room;
	cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	out->n += room - z.avail_out;
	deflateEnd(&z);
}

static void
put_base64(struct buf *out, struct str in)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz"
				     "0123456789+/";

	for (size_t i = 0; i < in.n; i += 3) {
		uint32_t v = 0;

		for (size_t j = 0; j < 3; j++)
			v = v << 8 |
			    (i + j < in.n ? (unsigned char)in.p[i + j] : 0);
		for (size_t j = 0; j < 4; j++)
			buf_char(out, i + j > in.n
					  ? '='
					  : digits[v >> (18 - 6 * j) & 63]);
	}
}

/* A Firehose request with one record, packed some times. */
static void
put_request(struct buf *out, struct str text, int layers, int window_bits)
{
	struct buf a = { 0 };

	buf_str(&a, text);
	while (layers-- > 0) {
		struct buf b = { 0 };

		pack(&b, buf_view(&a), window_bits);
		buf_fini(&a);
		a = b;
	}
	buf_cat(out, "{\"records\":[{\"data\":\"");
	put_base64(out, buf_view(&a));
	buf_cat(out, "\"}]}\n");
	buf_fini(&a);
}

static const char document[] =
    "{\"logGroup\":\"g\",\"logStream\":\"s\",\"logEvents\":["
    "{\"id\":\"1\",\"timestamp\":1,\"message\":\"a\"}]}";

Test(events, payloads_are_unpacked_layer_by_layer)
{
	enum { GZIP = 31, ZLIB = 15 };
	struct buf in = { 0 };
	struct buf out = { 0 };

	put_request(&in, str_of(document), 0, GZIP);
	put_request(&in, str_of(document), 1, GZIP);
	put_request(&in, str_of(document), 3, GZIP);
	put_request(&in, str_of(document), 1, ZLIB);
	put_request(&in, STR("x^ is plain text, not zlib"), 0, ZLIB);
	dump_bytes(&out, buf_view(&in), &limits_default);
	cr_expect_eq(count(buf_view(&out), '+'), 5, "%s", buf_cstr(&out));
	cr_expect_eq(count(buf_view(&out), '-'), 0, "%s", buf_cstr(&out));
	buf_fini(&in);
	buf_fini(&out);
}

Test(events, payload_bomb_is_one_dead_letter)
{
	struct buf zeros = { 0 };
	struct buf in = { 0 };
	struct buf out = { 0 };

	memset(buf_room(&zeros, 40 * MIB), ' ', 40 * MIB);
	zeros.n = 40 * MIB;
	put_request(&in, buf_view(&zeros), 1, 31);
	put_request(&in, str_of(document), 1, 31);
	dump_bytes(&out, buf_view(&in), &limits_default);
	cr_expect_eq(count(buf_view(&out), '+'), 1);
	cr_expect_eq(count(buf_view(&out), '-'), 1);
	cr_expect_neq(str_find_str(buf_view(&out),
			  STR("a payload that inflates to more than the "
			      "document limit")),
	    SIZE_MAX);
	buf_fini(&zeros);
	buf_fini(&in);
	buf_fini(&out);
}

Test(events, lambda_payload_with_many_events)
{
	struct buf doc = { 0 };
	struct buf in = { 0 };
	struct buf packed = { 0 };

	buf_cat(&doc, "{\"logGroup\":\"g\",\"logEvents\":[");
	put_many(&doc, "{\"id\":\"1\",\"timestamp\":1,\"message\":\"a\\n\"},",
	    3 * BATCH_EVENTS);
	buf_cat(&doc, "{\"id\":\"1\",\"timestamp\":1,\"message\":\"a\"}]}");
	pack(&packed, buf_view(&doc), 31);
	buf_cat(&in, "{\"awslogs\":{\"data\":\"");
	put_base64(&in, buf_view(&packed));
	buf_cat(&in, "\"}}\n");
	expect_counts(&in, &limits_default, 3 * BATCH_EVENTS + 1, 0);
	buf_fini(&doc);
	buf_fini(&in);
	buf_fini(&packed);
}

Test(payload, base64_is_strict_about_what_is_none)
{
	static const struct {
		const char *text;
		const char *bytes; /* NULL: no base64 */
	} rows[] = {
		{ "", "" },
		{ "SGk=", "Hi" },
		{ "SGk", "Hi" },
		{ "SG\nk=\r\n", "Hi" },
		{ "_-8", "\xff\xef" },
		{ "/+8=", "\xff\xef" },
		{ "S", NULL },
		{ "SGk=SGk", NULL },
		{ "SG k", NULL },
		{ "SG\xffk", NULL },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf out = { 0 };
		bool ok = base64_decode(&out, str_of(rows[i].text));

		cr_expect_eq(ok, rows[i].bytes != NULL, "%s", rows[i].text);
		if (ok && rows[i].bytes)
			cr_expect(str_eq(buf_view(&out), str_of(rows[i].bytes)),
			    "%s", rows[i].text);
		buf_fini(&out);
	}
}
