/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON by yyjson, behind names of our own so that it can be bounded in one
 * place: depth is checked by a scan first (yyjson recurses nowhere, but our
 * readers do), numbers stay text, and the memory of one tree is used for the
 * next.
 */
#include "core/json.h"

#include <stdlib.h>
#include <yyjson.h>

#include "core/mem.h"

/* False when brackets outside of strings nest deeper than JSON_DEPTH_MAX. */
static bool
shallow(struct str s, size_t *offset)
{
	int depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (quoted) {
			if (c == '\\')
				i++;
			else if (c == '"')
				quoted = false;
		} else if (c == '"') {
			quoted = true;
		} else if (c == '{' || c == '[') {
			if (++depth > JSON_DEPTH_MAX) {
				*offset = i;
				return false;
			}
		} else if (c == '}' || c == ']') {
			depth--;
		}
	}
	return true;
}

int
json_parse(struct json *j, struct str text, struct json_bad *bad)
{
	const yyjson_read_flag flags = YYJSON_READ_NUMBER_AS_RAW;
	size_t need = yyjson_read_max_memory_usage(text.n, flags);
	yyjson_alc alc;
	yyjson_read_err why;
	union {
		const char *in;
		char *out;
	} p = { .in = text.p };

	j->doc = NULL;
	if (text.n == 0) {
		*bad = (struct json_bad){ 0, "no text" };
		return -1;
	}
	if (!shallow(text, &bad->offset)) {
		bad->what = "nested too deeply";
		return -1;
	}
	if (need > j->pool_size) {
		free(j->pool);
		j->pool_size = need + need / 2;
		j->pool = xcalloc(1, j->pool_size);
	}
	yyjson_alc_pool_init(&alc, j->pool, j->pool_size);
	/* Not in situ: yyjson copies the text and does not write to it. */
	j->doc = yyjson_read_opts(p.out, text.n, flags, &alc, &why);
	if (j->doc)
		return 0;
	*bad = (struct json_bad){ why.pos, why.msg };
	return -1;
}

struct json_val *
json_root(const struct json *j)
{
	return (struct json_val *)yyjson_doc_get_root(j->doc);
}

void
json_fini(struct json *j)
{
	free(j->pool);
	*j = (struct json){ 0 };
}

/* Nodes are yyjson's; only their name is ours. */
static yyjson_val *
node(const struct json_val *v)
{
	union {
		const struct json_val *in;
		yyjson_val *out;
	} p = { .in = v };

	return p.out;
}

enum json_type
json_type(const struct json_val *v)
{
	if (!v)
		return JSON_NONE;
	switch (yyjson_get_type(node(v))) {
	case YYJSON_TYPE_NULL:
		return JSON_NULL;
	case YYJSON_TYPE_BOOL:
		return JSON_BOOL;
	case YYJSON_TYPE_RAW:
	case YYJSON_TYPE_NUM:
		return JSON_NUMBER;
	case YYJSON_TYPE_STR:
		return JSON_STRING;
	case YYJSON_TYPE_ARR:
		return JSON_ARRAY;
	case YYJSON_TYPE_OBJ:
		return JSON_OBJECT;
	default:
		return JSON_NONE;
	}
}

struct json_val *
json_get(const struct json_val *object, struct str key)
{
	return (struct json_val *)yyjson_obj_getn(node(object), key.p, key.n);
}

size_t
json_size(const struct json_val *array_or_object)
{
	yyjson_val *v = node(array_or_object);

	return yyjson_is_obj(v) ? yyjson_obj_size(v) : yyjson_arr_size(v);
}

struct str
json_str(const struct json_val *v)
{
	if (!yyjson_is_str(node(v)))
		return (struct str){ NULL, 0 };
	return (struct str){ yyjson_get_str(node(v)), yyjson_get_len(node(v)) };
}

struct str
json_raw(const struct json_val *v)
{
	if (!yyjson_is_raw(node(v)))
		return (struct str){ NULL, 0 };
	return (struct str){ yyjson_get_raw(node(v)), yyjson_get_len(node(v)) };
}

struct str
json_text(const struct json_val *v)
{
	return yyjson_is_str(node(v)) ? json_str(v) : json_raw(v);
}

bool
json_bool(const struct json_val *v, bool *value)
{
	if (!yyjson_is_bool(node(v)))
		return false;
	*value = yyjson_get_bool(node(v));
	return true;
}

bool
json_i64(const struct json_val *v, int64_t *value)
{
	struct str s = json_raw(v);
	bool minus = s.n > 0 && s.p[0] == '-';
	uint64_t u;

	if (minus)
		s = str_from(s, 1);
	if (!str_u64(&s, &u) || s.n != 0 || u > (uint64_t)INT64_MAX + minus)
		return false;
	*value = (int64_t)(minus ? 0 - u : u);
	return true;
}

void
json_iter_init(struct json_iter *it, const struct json_val *of)
{
	*it = (struct json_iter){ .of = of };
	if (yyjson_is_obj(node(of)) || yyjson_is_arr(node(of))) {
		it->left = json_size(of);
		it->next = it->left ? unsafe_yyjson_get_first(node(of)) : NULL;
	}
}

struct json_val *
json_iter_next(struct json_iter *it)
{
	yyjson_val *v = it->next;

	if (!v || it->left == 0)
		return NULL;
	it->left--;
	if (yyjson_is_obj(node(it->of))) {
		it->key = (struct str){ yyjson_get_str(v), yyjson_get_len(v) };
		v++; /* a value stands behind its key */
	}
	it->next = unsafe_yyjson_get_next(v);
	return (struct json_val *)v;
}

/*
 * How many bytes of s, 2 to 4, are one character beyond ASCII in valid UTF-8;
 * 0: none.  The second byte's range depends on the first (Unicode, table 3-7):
 * it excludes overlong forms, surrogates, and what is beyond U+10FFFF.
 */
static size_t
utf8_length(struct str s)
{
	static const struct {
		unsigned char first, last; /* of the first byte */
		unsigned char low, high;   /* of the second */
		unsigned char n;
	} forms[] = {
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};
	const unsigned char *p = (const unsigned char *)s.p;
	size_t f = 0;

	while (f < sizeof forms / sizeof *forms && p[0] > forms[f].last)
		f++;
	if (f == sizeof forms / sizeof *forms || p[0] < forms[f].first ||
	    s.n < forms[f].n || p[1] < forms[f].low || p[1] > forms[f].high)
		return 0;
	for (size_t i = 2; i < forms[f].n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return forms[f].n;
}

static void
put_escape(struct buf *b, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	static const char shorts[] = "\"\"\\\\\bb\ff\nn\rr\tt";

	for (const char *s = shorts; *s; s += 2) {
		if ((unsigned char)s[0] == c) {
			buf_put(b, (char[]){ '\\', s[1] }, 2);
			return;
		}
	}
	buf_put(b, (char[]){ '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] },
	    6);
}

static bool
plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

void
json_put_str(struct buf *b, struct str s)
{
	buf_char(b, '"');
	while (s.n > 0) {
		size_t n = 0;

		while (n < s.n && plain((unsigned char)s.p[n]))
			n++;
		buf_put(b, s.p, n);
		s = str_from(s, n);
		if (s.n == 0)
			break;
		if ((unsigned char)s.p[0] < 0x80) {
			put_escape(b, (unsigned char)s.p[0]);
			n = 1;
		} else {
			n = utf8_length(s);
			if (n == 0)
				buf_put(b, "\xef\xbf\xbd", 3);
			else
				buf_put(b, s.p, n);
			n = n ? n : 1;
		}
		s = str_from(s, n);
	}
	buf_char(b, '"');
}

void
json_item(struct buf *b)
{
	if (b->n > 0 && b->p[b->n - 1] != '{' && b->p[b->n - 1] != '[')
		buf_char(b, ',');
}

void
json_key(struct buf *b, const char *key)
{
	json_item(b);
	json_put_str(b, str_of(key));
	buf_char(b, ':');
}

void
json_member_str(struct buf *b, const char *key, struct str s)
{
	json_key(b, key);
	json_put_str(b, s);
}

void
json_member_i64(struct buf *b, const char *key, int64_t v)
{
	json_key(b, key);
	buf_i64(b, v);
}

void
json_member_bool(struct buf *b, const char *key, bool v)
{
	json_key(b, key);
	buf_cat(b, v ? "true" : "false");
}

void
json_member_milli(struct buf *b, const char *key, int64_t milli)
{
	uint64_t u = milli < 0 ? -(uint64_t)milli : (uint64_t)milli;

	json_key(b, key);
	buf_printf(b, "%s%llu.%03llu", milli < 0 ? "-" : "",
	    (unsigned long long)(u / 1000), (unsigned long long)(u % 1000));
}

/* At most JSON_DEPTH_MAX deep, by json_parse. */
static void
put_cut(struct buf *b, struct str s, size_t most)
{
	struct buf cut = { 0 };

	if (s.n <= most) {
		json_put_str(b, s);
		return;
	}
	buf_str(&cut, str_head(s, most));
	buf_cat(&cut, "…");
	json_put_str(b, buf_view(&cut));
	buf_fini(&cut);
}

void
json_put_cut(struct buf *b, const struct json_val *v, size_t most)
{
	struct json_iter it;
	struct json_val *item;
	bool value = false;

	switch (json_type(v)) {
	case JSON_STRING:
		put_cut(b, json_str(v), most);
		return;
	case JSON_NUMBER:
		buf_str(b, json_raw(v));
		return;
	case JSON_BOOL:
		json_bool(v, &value);
		buf_cat(b, value ? "true" : "false");
		return;
	case JSON_NONE:
	case JSON_NULL:
		buf_cat(b, "null");
		return;
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
	buf_char(b, json_type(v) == JSON_ARRAY ? '[' : '{');
	json_iter_init(&it, v);
	for (item = json_iter_next(&it); item; item = json_iter_next(&it)) {
		json_item(b);
		if (json_type(v) == JSON_OBJECT) {
			json_put_str(b, it.key);
			buf_char(b, ':');
		}
		json_put_cut(b, item, most);
	}
	buf_char(b, json_type(v) == JSON_ARRAY ? ']' : '}');
}

void
json_put_val(struct buf *b, const struct json_val *v)
{
	json_put_cut(b, v, SIZE_MAX);
}

void
json_library(struct buf *out)
{
	uint32_t v = yyjson_version();

	buf_printf(out, "yyjson %u.%u.%u", (unsigned)(v >> 16),
	    (unsigned)(v >> 8 & 255), (unsigned)(v & 255));
}
