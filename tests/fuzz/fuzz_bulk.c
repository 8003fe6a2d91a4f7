/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzing what goes to Elasticsearch and what comes back with libFuzzer: any
 * bytes are an answer that says something of each of n documents or of none;
 * any line is a pair of lines of a request that reads again as it was, or is
 * refused.
 *
 *	clang -fsanitize=fuzzer,address,undefined … fuzz_bulk.c
 */
#include <assert.h>
#include <string.h>

#include "sinks/bulk.h"
#include "sinks/bulk_reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
try_line(struct str line, struct json *j)
{
	struct bulk *b = bulk_new(), *again = bulk_new();
	struct buf out = { 0 };

	if (bulk_add(b, line, false, j)) {
		assert(b->n == 1 && b->items[0].n == b->text.n);
		/* Two line ends: after the action and after the source. */
		assert(memchr(b->text.p, '\n', b->text.n) ==
		       b->text.p + b->items[0].source - 1);
		assert(memchr(b->text.p + b->items[0].source, '\n',
			   b->text.n - b->items[0].source) ==
		       b->text.p + b->text.n - 1);
		bulk_refused(&out, b, 0, STR("t"), STR("r"));
		out.n--;
		assert(bulk_add(again, buf_view(&out), false, j));
		assert(again->text.n == b->text.n &&
		       memcmp(again->text.p, b->text.p, b->text.n) == 0);
	} else {
		assert(b->n == 0 && b->text.n == 0);
	}
	buf_fini(&out);
	bulk_free(b);
	bulk_free(again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct bulk_reply r;
	static struct json j;
	struct str all = { (const char *)data, n };
	struct str type, reason;

	if (n == 0)
		return 0;
	try_line(all, &j);
	for (size_t items = 0; items < 3; items++)
		if (bulk_reply_read(&r, all, items))
			for (size_t i = 0; i < items; i++)
				assert(r.v[i].status >= 100);
	bulk_reply_error(&r, all, &type, &reason);
	return 0;
}
