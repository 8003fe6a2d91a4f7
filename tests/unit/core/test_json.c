/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON: what hostile text does, what numbers and keys mean, and that whatever
 * is written is valid.
 */
#include <criterion/criterion.h>
#include <inttypes.h>

#include "core/json.h"

#define ROWS(rows) (sizeof rows / sizeof *rows)

/* Parsed, or the test ends. */
static struct json_val *
parsed(struct json *j, struct str text)
{
	struct json_bad bad = { 0, NULL };

	cr_assert_eq(json_parse(j, text, &bad), 0, "'%.*s': %s at %zu",
	    STR_ARG(text), bad.what, bad.offset);
	return json_root(j);
}

/* '[' or '{"a":', n deep, and back. */
static struct str
nested(struct buf *b, const char *open, const char *close, int n)
{
	buf_reset(b);
	for (int i = 0; i < n; i++)
		buf_cat(b, open);
	buf_char(b, '0');
	for (int i = 0; i < n; i++)
		buf_cat(b, close);
	return buf_view(b);
}

static void
check_text(struct buf *b, const char *want)
{
	cr_assert(str_eq(buf_view(b), str_of(want)), "%.*s, not %s",
	    STR_ARG(buf_view(b)), want);
	buf_fini(b);
}

Test(json, absent_nodes_have_empty_answers)
{
	struct json j = { 0 };
	struct json_iter it;
	int64_t i = 7;
	bool b = true;

	cr_assert_null(json_root(&j));
	cr_assert_eq(json_type(NULL), JSON_NONE);
	cr_assert_null(json_get(NULL, STR("a")));
	cr_assert_eq(json_size(NULL), 0);
	cr_assert_eq(json_str(NULL).n, 0);
	cr_assert_eq(json_raw(NULL).n, 0);
	cr_assert_eq(json_text(NULL).n, 0);
	cr_assert_not(json_bool(NULL, &b));
	cr_assert_not(json_i64(NULL, &i));
	cr_assert(b && i == 7);
	json_iter_init(&it, NULL);
	cr_assert_null(json_iter_next(&it));
	json_fini(&j);
}

Test(json, tells_the_types_apart)
{
	struct json j = { 0 };
	struct json_val *root =
	    parsed(&j, STR("[null,true,false,1,\"s\",[],{}]"));
	static const enum json_type want[] = { JSON_NULL, JSON_BOOL, JSON_BOOL,
		JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };
	struct json_iter it;
	struct json_val *v;
	size_t n = 0;

	cr_assert_eq(json_type(root), JSON_ARRAY);
	cr_assert_eq(json_size(root), ROWS(want));
	json_iter_init(&it, root);
	for (v = json_iter_next(&it); v; v = json_iter_next(&it), n++)
		cr_assert_eq(json_type(v), want[n], "%zu", n);
	cr_assert_eq(n, ROWS(want));
	cr_assert_null(json_iter_next(&it));
	json_fini(&j);
}

Test(json, other_types_give_the_empty_answer)
{
	struct json j = { 0 };
	struct json_val *root = parsed(&j, STR("{\"a\":[1],\"s\":\"1\"}"));
	struct json_val *s = json_get(root, STR("s"));
	struct json_iter it;
	int64_t i;
	bool b;

	cr_assert_eq(json_str(root).n, 0);
	cr_assert_eq(json_raw(s).n, 0);
	cr_assert_not(json_i64(s, &i));
	cr_assert_not(json_bool(s, &b));
	cr_assert_null(json_get(s, STR("a")));
	cr_assert_null(json_get(json_get(root, STR("a")), STR("0")));
	cr_assert_eq(json_size(s), 0);
	json_iter_init(&it, s);
	cr_assert_null(json_iter_next(&it));
	cr_assert(str_eq(json_text(s), STR("1")));
	json_fini(&j);
}

Test(json, of_equal_keys_the_first_counts_and_all_are_listed)
{
	struct json j = { 0 };
	struct json_val *root =
	    parsed(&j, STR("{\"a\":1,\"a\":2,\"\":3,\"A\":4,\"\\u0061\":5}"));
	static const char *const keys[] = { "a", "a", "", "A", "a" };
	struct json_iter it;
	size_t n = 0;

	cr_assert(str_eq(json_raw(json_get(root, STR("a"))), STR("1")));
	cr_assert(str_eq(json_raw(json_get(root, STR(""))), STR("3")));
	cr_assert(str_eq(json_raw(json_get(root, STR("A"))), STR("4")));
	cr_assert_null(json_get(root, STR("aa")));
	json_iter_init(&it, root);
	for (; json_iter_next(&it); n++)
		cr_assert(str_eq(it.key, str_of(keys[n])), "%zu", n);
	cr_assert_eq(n, ROWS(keys));
	json_fini(&j);
}

Test(json, numbers_stay_as_they_are_written)
{
	static const char *const texts[] = { "0", "-0",
		"34418171512312345678901234567890123456789012345678901234",
		"1795244520.2479196", "1.0E+9", "-0.5e-3", "1e999999" };
	struct json j = { 0 };

	for (size_t i = 0; i < ROWS(texts); i++) {
		struct json_val *v = parsed(&j, str_of(texts[i]));
		struct buf b = { 0 };

		cr_assert_eq(json_type(v), JSON_NUMBER);
		cr_assert(str_eq(json_raw(v), str_of(texts[i])));
		cr_assert(str_eq(json_text(v), str_of(texts[i])));
		json_put_val(&b, v);
		check_text(&b, texts[i]);
	}
	json_fini(&j);
}

Test(json, whole_numbers_of_64_bits)
{
	static const struct {
		const char *text;
		bool ok;
		int64_t want;
	} rows[] = {
		{ "0", true, 0 },
		{ "-0", true, 0 },
		{ "-12", true, -12 },
		{ "9223372036854775807", true, INT64_MAX },
		{ "-9223372036854775808", true, INT64_MIN },
		{ "9223372036854775808", false, 0 },
		{ "-9223372036854775809", false, 0 },
		{ "18446744073709551616", false, 0 },
		{ "1.0", false, 0 },
		{ "1e3", false, 0 },
		{ "\"1\"", false, 0 },
		{ "true", false, 0 },
	};
	struct json j = { 0 };

	for (size_t i = 0; i < ROWS(rows); i++) {
		int64_t v = 0;

		cr_assert_eq(json_i64(parsed(&j, str_of(rows[i].text)), &v),
		    rows[i].ok, "%s", rows[i].text);
		cr_assert_eq(v, rows[i].want, "%s: %" PRId64, rows[i].text, v);
	}
	json_fini(&j);
}

Test(json, strings_are_unescaped_and_may_hold_nul)
{
	const struct {
		const char *text;
		struct str want;
	} rows[] = {
		{ "\"\"", { "", 0 } },
		{ "\"a\\n\\t\\\"\\\\\\/\\b\\f\\r\"", STR("a\n\t\"\\/\b\f\r") },
		{ "\"\\u00e9\"", STR("\xc3\xa9") },
		{ "\"\\ud83d\\ude00\"", STR("\xf0\x9f\x98\x80") },
		{ "\"a\\u0000b\"", STR("a\0b") },
		{ "\"\\u001b[31m\"", STR("\x1b[31m") },
	};
	struct json j = { 0 };

	for (size_t i = 0; i < ROWS(rows); i++)
		cr_assert(str_eq(json_str(parsed(&j, str_of(rows[i].text))),
			      rows[i].want),
		    "%s", rows[i].text);
	json_fini(&j);
}

Test(json, a_document_in_a_string_is_parsed_again)
{
	struct json outer = { 0 };
	struct json inner = { 0 };
	struct str doc = json_str(json_get(
	    parsed(&outer, STR("{\"Document\":\"{\\\"id\\\":\\\"1\\\"}\"}")),
	    STR("Document")));

	cr_assert(str_eq(json_str(json_get(parsed(&inner, doc), STR("id"))),
	    STR("1")));
	json_fini(&outer);
	json_fini(&inner);
}

Test(json, bad_text_is_refused_with_place_and_reason)
{
	const struct {
		const char *name;
		struct str text;
	} rows[] = {
		{ "nothing", { NULL, 0 } },
		{ "blanks", STR(" \n\t") },
		{ "cut off", STR("{\"a\":\"b") },
		{ "two values", STR("{} {}") },
		{ "trailing comma", STR("[1,]") },
		{ "single quotes", STR("{'a':1}") },
		{ "a comment", STR("[1/* no */]") },
		{ "NaN", STR("[NaN]") },
		{ "infinity", STR("[-Infinity]") },
		{ "a plus", STR("[+1]") },
		{ "leading zero", STR("[01]") },
		{ "no digit behind the point", STR("[1.]") },
		{ "lone high surrogate", STR("[\"\\ud800\"]") },
		{ "lone low surrogate", STR("[\"\\udc00\"]") },
		{ "bad escape", STR("[\"\\x41\"]") },
		{ "raw control character", STR("[\"a\nb\"]") },
		{ "raw NUL", STR("[\"a\0b\"]") },
		{ "NUL behind the end", STR("{}\0") },
		{ "invalid UTF-8", STR("[\"\xff\"]") },
		{ "overlong UTF-8", STR("[\"\xc0\xaf\"]") },
		{ "surrogate in UTF-8", STR("[\"\xed\xa0\x80\"]") },
		{ "a key without quotes", STR("{a:1}") },
		{ "only closing", STR("]") },
	};
	struct json j = { 0 };

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct json_bad bad = { SIZE_MAX, NULL };

		cr_assert_eq(json_parse(&j, rows[i].text, &bad), -1, "%s",
		    rows[i].name);
		cr_assert_not_null(bad.what, "%s", rows[i].name);
		cr_assert_leq(bad.offset, rows[i].text.n, "%s", rows[i].name);
		cr_assert_null(json_root(&j), "%s", rows[i].name);
	}
	/* And the next good text is good. */
	cr_assert_eq(json_type(parsed(&j, STR("{}\n"))), JSON_OBJECT);
	json_fini(&j);
}

Test(json, depth_is_limited_before_anything_recurses)
{
	struct json j = { 0 };
	struct json_bad bad;
	struct buf b = { 0 };
	struct buf out = { 0 };

	parsed(&j, nested(&b, "[", "]", JSON_DEPTH_MAX));
	parsed(&j, nested(&b, "{\"a\":", "}", JSON_DEPTH_MAX));
	json_put_val(&out, json_root(&j));
	cr_assert(str_eq(buf_view(&out), buf_view(&b)));
	cr_assert_eq(
	    json_parse(&j, nested(&b, "[", "]", JSON_DEPTH_MAX + 1), &bad), -1);
	cr_assert_str_eq(bad.what, "nested too deeply");
	cr_assert_eq(bad.offset, JSON_DEPTH_MAX);
	cr_assert_eq(json_parse(&j, nested(&b, "[", "", 10000), &bad), -1);
	cr_assert_eq(json_parse(&j, nested(&b, "{\"a\":", "}", 10000), &bad),
	    -1);
	/* Brackets in strings are no depth, also behind an escaped quote. */
	buf_reset(&b);
	buf_cat(&b, "\"\\\"");
	for (int i = 0; i < 2 * JSON_DEPTH_MAX; i++)
		buf_char(&b, '[');
	buf_char(&b, '"');
	parsed(&j, buf_view(&b));
	json_fini(&j);
	buf_fini(&b);
	buf_fini(&out);
}

Test(json, a_tree_is_a_copy_and_its_memory_is_used_again)
{
	char text[] = "{\"key\":\"value\"}";
	struct json j = { 0 };
	struct json_val *root = parsed(&j, str_of(text));
	size_t size = j.pool_size;

	memset(text, 'x', sizeof text - 1);
	cr_assert(str_eq(json_str(json_get(root, STR("key"))), STR("value")));
	for (int i = 0; i < 1000; i++)
		parsed(&j, STR("[1,2]"));
	cr_assert_eq(j.pool_size, size);
	json_fini(&j);
	cr_assert_null(j.pool);
	json_fini(&j);
}

Test(json, writes_strings_that_are_always_valid)
{
	const struct {
		const char *name;
		struct str text;
		const char *want;
	} rows[] = {
		{ "null str", { NULL, 0 }, "\"\"" },
		{ "plain", STR("GET /"), "\"GET /\"" },
		{ "quotes", STR("a\"b\\"), "\"a\\\"b\\\\\"" },
		{ "controls", STR("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\"" },
		{ "escape and DEL", STR("\x1b[0m\x7f"),
		    "\"\\u001b[0m\\u007f\"" },
		{ "NUL", STR("a\0b"), "\"a\\u0000b\"" },
		{ "two bytes", STR("\xc3\xa9"), "\"\xc3\xa9\"" },
		{ "first and last of two", STR("\xc2\x80\xdf\xbf"),
		    "\"\xc2\x80\xdf\xbf\"" },
		{ "first and last of three", STR("\xe0\xa0\x80\xef\xbf\xbf"),
		    "\"\xe0\xa0\x80\xef\xbf\xbf\"" },
		{ "around the surrogates", STR("\xed\x9f\xbf\xee\x80\x80"),
		    "\"\xed\x9f\xbf\xee\x80\x80\"" },
		{ "first and last of four",
		    STR("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"),
		    "\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"" },
		{ "a stray byte", STR("a\xff"), "\"a\xef\xbf\xbd\"" },
		{ "a stray second byte", STR("\x80"), "\"\xef\xbf\xbd\"" },
		{ "cut off", STR("\xe2\x82"), "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "overlong", STR("\xc0\xaf"), "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "overlong of three", STR("\xe0\x9f\xbf"),
		    "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "surrogate", STR("\xed\xa0\x80"),
		    "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "beyond U+10FFFF", STR("\xf4\x90\x80\x80"),
		    "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "bad third byte",
		    STR("\xe2\x82"
			"a"),
		    "\"\xef\xbf\xbd\xef\xbf\xbd"
		    "a\"" },
	};
	struct json j = { 0 };

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct buf b = { 0 };

		json_put_str(&b, rows[i].text);
		cr_assert(str_eq(buf_view(&b), str_of(rows[i].want)),
		    "%s: %.*s", rows[i].name, STR_ARG(buf_view(&b)));
		parsed(&j, buf_view(&b));
		buf_fini(&b);
	}
	json_fini(&j);
}

Test(json, commas_come_by_themselves)
{
	struct buf b = { 0 };

	buf_char(&b, '{');
	json_member_str(&b, "a", STR("x"));
	json_member_i64(&b, "b", INT64_MIN);
	json_member_bool(&b, "c", false);
	json_key(&b, "d");
	buf_char(&b, '[');
	json_item(&b);
	json_put_str(&b, STR("["));
	json_item(&b);
	buf_cat(&b, "{}");
	buf_cat(&b, "]}");
	check_text(&b, "{\"a\":\"x\",\"b\":-9223372036854775808,\"c\":false,"
		       "\"d\":[\"[\",{}]}");
}

Test(json, thousandths_have_three_digits)
{
	static const struct {
		int64_t milli;
		const char *want;
	} rows[] = {
		{ 0, "\"m\":0.000" },
		{ 1234, "\"m\":1.234" },
		{ -5, "\"m\":-0.005" },
		{ 1000, "\"m\":1.000" },
		{ INT64_MAX, "\"m\":9223372036854775.807" },
		{ INT64_MIN, "\"m\":-9223372036854775.808" },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct buf b = { 0 };

		json_member_milli(&b, "m", rows[i].milli);
		check_text(&b, rows[i].want);
	}
}

Test(json, writes_a_tree_compactly_and_in_order)
{
	struct json j = { 0 };
	struct buf b = { 0 };

	json_put_val(&b, parsed(&j, STR(" { \"b\" : [ 1 , true , null , "
					"\"\\u00e9\\n\" ] , \"a\" : { } }")));
	check_text(&b, "{\"b\":[1,true,null,\"\xc3\xa9\\n\"],\"a\":{}}");
	json_put_val(&b, NULL);
	check_text(&b, "null");
	json_fini(&j);
}
