/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages: lines of the input are events of two streams in turn.  Checks that
 * both ways of cutting agree, and that everything in a record that is not in
 * the arena lies inside of the message.
 *
 *	clang -fsanitize=fuzzer,address,undefined -I. tests/fuzz/fuzz_message.c
 *	    ingest/dialect*.c ingest/message*.c core/...
 */
#include "ingest/message.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct record *a, const struct record *b)
{
	if (a->kind != b->kind || a->ts_ns != b->ts_ns ||
	    a->dialect != b->dialect || a->joined != b->joined ||
	    !str_eq(a->line, b->line) ||
	    a->request.status != b->request.status ||
	    a->request.duration_ns != b->request.duration_ns ||
	    !str_eq(a->request.url, b->request.url) ||
	    !str_eq(a->request.agent, b->request.agent) ||
	    !str_eq(a->request.peer, b->request.peer))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct str streams[] = { { "a", 1 }, { "b", 1 } };
	struct message *hand = message_new(0, NULL);
	static struct message *slow;
	struct arena arena = { 0 };
	struct str rest = { (const char *)data, size };

	/* Patterns take long to compile; its streams do not matter here. */
	if (!slow)
		slow = message_new(MESSAGE_PCRE2, NULL);
	for (int i = 0; rest.n > 0; i++) {
		struct event e = { .ts_ns = i % 3 ? 1 : WHEN_NONE,
			.stream = streams[i % 2] };
		struct record a;
		struct record b;
		const char *bad;

		if (!str_cut(&rest, '\n', &e.message)) {
			e.message = rest;
			rest.n = 0;
		}
		if (message_decode(hand, &e, &arena, &a, &bad) != DECODE_OK)
			continue;
		e.stream = (struct str){ NULL, 0 };
		if (message_decode(slow, &e, &arena, &b, &bad) == DECODE_OK &&
		    a.kind == RECORD_REQUEST && b.kind == RECORD_REQUEST)
			check(&a, &b);
	}
	arena_fini(&arena);
	message_free(hand);
	return 0;
}
