/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any text as a segment document: the quick reader either says no or reads
 * the fields that the tree reads, and the decoder never fails on it.  Seeds:
 * the documents of ../shared/corpus/xray.
 */
#include <stdint.h>
#include <stdlib.h>

#include "core/json.h"
#include "ingest/xray.h"
#include "ingest/xray_fields.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
compare(struct str doc, struct arena *arena)
{
	struct keys keys;
	struct xray_fields quick;
	struct xray_fields slow;
	struct json json = { 0 };

	xray_keys_init(&keys);
	if (xray_quick(&keys, doc, &quick)) {
		if (xray_tree(&json, doc, arena, &slow))
			abort();
		for (int i = 0; i < XRAY_FIELDS; i++)
			if (quick.of[i].type != slow.of[i].type ||
			    !str_eq(quick.of[i].text, slow.of[i].text))
				abort();
	}
	json_fini(&json);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str doc = { (const char *)data, size };
	struct event e = { .ts_ns = WHEN_NONE, .message = doc };
	struct arena arena = { 0 };
	struct xray *x = xray_new();
	struct record r;
	const char *bad;

	compare(doc, &arena);
	if (xray_decode(x, &e, &arena, &r, &bad) == DECODE_BAD && !bad)
		abort();
	if (xray_decode_summary(x, &e, &arena, &r, &bad) == DECODE_BAD && !bad)
		abort();
	xray_free(x);
	arena_fini(&arena);
	return 0;
}
