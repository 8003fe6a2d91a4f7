/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a message costs: nanoseconds of CPU time a line, by hand and by PCRE2,
 * on generated Werkzeug, combined and ALB lines.  The two ways alternate, and
 * the best of ROUNDS counts, so that a busy neighbour hurts neither.
 *
 *	build/release/bench_message
 */
#include "ingest/message.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/buf.h"
#include "core/mem.h"

enum { LINES = 512, ROUNDS = 25, REPEAT = 40 };

struct load {
	const char *name;
	struct buf text;
	struct event events[LINES];
	size_t bytes;
};

static uint64_t
next(uint64_t *state)
{
	/* xorshift64: the same lines in every run. */
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void
werkzeug(struct buf *b, uint64_t r, unsigned s)
{
	buf_printf(b,
	    "10.0.%u.%u - - [21/Nov/2026 06:%02u:%02u] \"%s "
	    "/mysfits/%08x-0b1d-4f3c-9d2e-5a1f7c3b2e10/like HTTP/1.1\" %u -",
	    (unsigned)(r % 4), (unsigned)(r >> 8 & 255), s / 60 % 60, s % 60,
	    r & 1 ? "POST" : "GET", (unsigned)(r >> 20), r & 6 ? 200 : 404);
}

static void
combined(struct buf *b, uint64_t r, unsigned s)
{
	buf_printf(b,
	    "10.0.%u.%u - - [21/Nov/2026:06:%02u:%02u +0000] \"%s "
	    "/catalog/items/%u?page=%u HTTP/1.1\" %u %u "
	    "\"https://shop.example.com/\" \"Mozilla/5.0 (X11; Linux x86_64) "
	    "AppleWebKit/537.36 Chrome/%u.0\"",
	    (unsigned)(r % 4), (unsigned)(r >> 8 & 255), s / 60 % 60, s % 60,
	    r & 8 ? "GET" : "POST", (unsigned)(r >> 20 & 0xffff),
	    (unsigned)(r >> 40 & 7), r & 6 ? 200 : 404,
	    (unsigned)(r >> 30 & 0xffff), (unsigned)(r >> 50 & 127));
}

static void
alb(struct buf *b, uint64_t r, unsigned s)
{
	buf_printf(b,
	    "https 2026-11-21T06:%02u:%02u.%06uZ app/shop/50dc6c495c0c9188 "
	    "192.168.%u.%u:%u 10.0.0.%u:80 0.001 0.%03u 0.000 %u 200 34 %u "
	    "\"GET https://shop.example.com:443/catalog/%u HTTP/1.1\" "
	    "\"Mozilla/5.0 (X11; Linux x86_64)\" ECDHE-RSA-AES128-GCM-SHA256 "
	    "TLSv1.2 arn:aws:elasticloadbalancing:us-east-2:123456789012:"
	    "targetgroup/my-targets/73e2d6bc24d8a067 "
	    "\"Root=1-%08x-36d228ad5d99923122bbe354\" \"shop.example.com\" "
	    "\"arn:aws:acm:us-east-2:123456789012:certificate/1\" 1 "
	    "2026-11-21T06:00:00.000000Z \"forward\" \"-\" \"-\" "
	    "\"10.0.0.1:80\" \"200\" \"-\" \"-\" TID_1234abcd5678ef90",
	    s / 60 % 60, s % 60, (unsigned)(r >> 24 & 0x7ffff),
	    (unsigned)(r & 255), (unsigned)(r >> 8 & 255),
	    1024 + (unsigned)(r >> 16 & 0x7fff), (unsigned)(r & 7),
	    (unsigned)(r >> 9 & 511), r & 6 ? 200 : 502,
	    (unsigned)(r >> 30 & 0xffff), (unsigned)(r >> 20 & 0xffff),
	    (unsigned)(r >> 32));
}

static struct load *
load_new(const char *name, void (*line)(struct buf *, uint64_t, unsigned))
{
	struct load *l = xcalloc(1, sizeof *l);
	size_t at[LINES + 1];
	uint64_t state = 0x9e3779b97f4a7c15;

	l->name = name;
	for (size_t i = 0; i < LINES; i++) {
		at[i] = l->text.n;
		line(&l->text, next(&state), (unsigned)i / 8);
	}
	at[LINES] = l->text.n;
	for (size_t i = 0; i < LINES; i++) {
		l->events[i].message =
		    (struct str){ l->text.p + at[i], at[i + 1] - at[i] };
		l->events[i].ts_ns =
		    INT64_C(1795243556123000000) + (int64_t)i * 1000000;
		l->events[i].stream =
		    STR("awslogs-mythicalmysfits-service-like-service-9f");
	}
	l->bytes = l->text.n;
	return l;
}

static int64_t
cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static double
run(struct message *m, const struct load *l, struct arena *arena, uint64_t *sum)
{
	int64_t from = cpu_ns();

	for (int k = 0; k < REPEAT; k++) {
		arena_reset(arena);
		for (size_t i = 0; i < LINES; i++) {
			struct record r;
			const char *bad;

			if (message_decode(m, &l->events[i], arena, &r, &bad) !=
				DECODE_OK ||
			    r.kind != RECORD_REQUEST)
				abort();
			*sum += (uint64_t)r.request.status + r.request.path.n +
				(uint64_t)r.ts_ns;
		}
	}
	return (double)(cpu_ns() - from) / (REPEAT * LINES);
}

static void
bench(const struct load *l)
{
	struct message *hand = message_new(0, NULL);
	struct message *slow = message_new(MESSAGE_PCRE2, NULL);
	struct arena arena = { 0 };
	double best[2] = { 1e9, 1e9 };
	uint64_t sum[2] = { 0, 0 };

	for (int i = 0; i < ROUNDS; i++) {
		double a = run(hand, l, &arena, &sum[0]);
		double b = run(slow, l, &arena, &sum[1]);

		best[0] = a < best[0] ? a : best[0];
		best[1] = b < best[1] ? b : best[1];
	}
	if (sum[0] != sum[1])
		abort();
	printf("%-10s %5.0f bytes %7.1f ns by hand %7.1f ns by PCRE2\n",
	    l->name, (double)l->bytes / LINES, best[0], best[1]);
	arena_fini(&arena);
	message_free(hand);
	message_free(slow);
}

int
main(void)
{
	struct load *loads[] = { load_new("werkzeug", werkzeug),
		load_new("combined", combined), load_new("alb", alb) };

	for (size_t i = 0; i < sizeof loads / sizeof loads[0]; i++) {
		bench(loads[i]);
		buf_fini(&loads[i]->text);
		free(loads[i]);
	}
	return 0;
}
