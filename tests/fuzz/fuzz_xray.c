/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any text as a segment document: the quick reader either says no or reads
 * the fields that the tree reads, its marks give the spans that the text gives,
 * and the decoder never fails on it.  Seeds:
 * the documents of ../shared/corpus/xray.
 */
#include <stdint.h>
#include <stdlib.h>

#include "core/json.h"
#include "ingest/span.h"
#include "ingest/xray.h"
#include "ingest/xray_fields.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
compare(struct str doc, struct arena *arena)
{
	struct xray_names names;
	struct xray_fields quick;
	struct xray_fields slow;
	struct json json = { 0 };

	xray_names_init(&names);
	if (xray_quick(&names, doc, &quick, NULL)) {
		if (xray_tree(&json, doc, arena, &slow))
			abort();
		for (int i = 0; i < XRAY_FIELDS; i++)
			if (quick.of[i].type != slow.of[i].type ||
			    !str_eq(quick.of[i].text, slow.of[i].text))
				abort();
	}
	json_fini(&json);
}

/* Marks give the spans that the text gives. */
static void
spans(const struct record *r, struct arena *arena)
{
	struct span_list text = { 0 };
	struct span_list marked = { 0 };
	const struct segment *s = &r->segment;

	span_read(&text, s->doc, (struct str){ NULL, 0 }, arena);
	span_read(&marked, s->doc, s->marks, arena);
	if (text.n != marked.n || text.broken != marked.broken)
		abort();
	for (size_t i = 0; i < text.n; i++)
		if (!str_eq(text.v[i].name, marked.v[i].name) ||
		    text.v[i].flags != marked.v[i].flags ||
		    text.v[i].end_ns != marked.v[i].end_ns ||
		    text.v[i].parent != marked.v[i].parent)
			abort();
	span_list_fini(&text);
	span_list_fini(&marked);
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
	xray_marks_want(x);
	if (xray_decode(x, &e, &arena, &r, &bad) == DECODE_OK)
		spans(&r, &arena);
	else if (!bad)
		abort();
	if (xray_decode_summary(x, &e, &arena, &r, &bad) == DECODE_BAD && !bad)
		abort();
	xray_free(x);
	arena_fini(&arena);
	return 0;
}
