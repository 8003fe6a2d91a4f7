/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON and times from hostile bytes.  The first byte chooses what the rest is
 * given to; what must hold is asserted:
 *
 *	JSON: what we write of a parsed text parses again, and is then written
 *	byte for byte the same; any bytes as a string make valid JSON, whose
 *	value is the bytes where those are UTF-8.
 *	Time: a parser moves its cursor only on success, within the text, and
 *	never gives WHEN_NONE; what is printed parses to the same instant.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/buf.h"
#include "core/json.h"
#include "core/when.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every accessor on every node; how many nodes. */
static size_t
walk(const struct json_val *v)
{
	struct json_iter it;
	struct json_val *item;
	size_t n = 0;
	size_t nodes = 1;
	int64_t i;
	bool b;

	json_i64(v, &i);
	json_bool(v, &b);
	assert(json_text(v).n == json_str(v).n + json_raw(v).n);
	json_iter_init(&it, v);
	for (item = json_iter_next(&it); item; item = json_iter_next(&it)) {
		if (json_type(v) == JSON_OBJECT)
			assert(json_get(v, it.key));
		nodes += walk(item);
		n++;
	}
	assert(n == json_size(v));
	return nodes;
}

static void
try_json(struct str text)
{
	struct json first = { 0 };
	struct json second = { 0 };
	struct json_bad bad = { SIZE_MAX, NULL };
	struct buf once = { 0 };
	struct buf twice = { 0 };

	if (json_parse(&first, text, &bad) != 0) {
		assert(bad.what && bad.offset <= text.n);
		assert(!json_root(&first));
	} else {
		size_t nodes = walk(json_root(&first));

		json_put_val(&once, json_root(&first));
		assert(json_parse(&second, buf_view(&once), &bad) == 0);
		assert(walk(json_root(&second)) == nodes);
		json_put_val(&twice, json_root(&second));
		assert(str_eq(buf_view(&once), buf_view(&twice)));
	}
	json_fini(&first);
	json_fini(&second);
	buf_fini(&once);
	buf_fini(&twice);
}

static void
try_string(struct str text)
{
	struct json j = { 0 };
	struct json_bad bad;
	struct buf once = { 0 };
	struct buf twice = { 0 };

	json_put_str(&once, text);
	assert(json_parse(&j, buf_view(&once), &bad) == 0);
	json_put_str(&twice, json_str(json_root(&j)));
	assert(str_eq(buf_view(&once), buf_view(&twice)));
	for (size_t i = 0; i < once.n; i++)
		assert((unsigned char)once.p[i] >= 0x20 && once.p[i] != 0x7f);
	json_fini(&j);
	buf_fini(&once);
	buf_fini(&twice);
}

/* What was parsed is an instant that survives being printed. */
static void
check_instant(int64_t ns)
{
	struct buf b = { 0 };
	struct str rest;
	int64_t again = 0;

	assert(ns != WHEN_NONE);
	when_put(&b, ns, 9);
	rest = buf_view(&b);
	/* The first and last day of the range print, and are not read. */
	if (when_iso(&rest, &again))
		assert(again == ns && rest.n == 0);
	buf_fini(&b);
}

static void
try_when(struct str text)
{
	bool (*const cursors[])(struct str *, int64_t *) = { when_iso, when_clf,
		when_ctime };
	bool (*const wholes[])(struct str, int64_t *) = { when_epoch,
		when_epoch_ms, when_user };
	struct buf b = { 0 };
	int64_t ns;

	for (size_t i = 0; i < sizeof cursors / sizeof *cursors; i++) {
		struct str rest = text;

		if (cursors[i](&rest, &ns)) {
			assert(rest.n < text.n);
			assert(rest.p + rest.n == text.p + text.n);
			check_instant(ns);
		} else {
			assert(rest.p == text.p && rest.n == text.n);
		}
	}
	for (size_t i = 0; i < sizeof wholes / sizeof *wholes; i++)
		if (wholes[i](text, &ns))
			check_instant(ns);
	if (when_span(text, &ns)) {
		assert(ns >= 0);
		when_put_span(&b, ns, true);
		when_put_span(&b, -ns, false);
	}
	buf_fini(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	void (*const targets[])(
	    struct str) = { try_json, try_string, try_when };
	struct str text;

	if (size < 1)
		return 0;
	text = (struct str){ (const char *)data + 1, size - 1 };
	targets[data[0] % (sizeof targets / sizeof *targets)](text);
	return 0;
}
