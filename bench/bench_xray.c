/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What xray_decode, and decoding and assembling, cost beside yyjson_read alone,
 * on generated segments of about 1.3 KB with 0 to 3 subsegments, annotations
 * and metadata; four services a trace, each called by the one before.
 *
 *	bench_xray [documents] [rounds]
 *
 * Both sides read the same texts in turns, and the best round of each counts.
 * The ratio is the claim: CPU of ours over CPU of the bare parser, which makes
 * a tree and picks nothing from it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <yyjson.h>

#include "core/buf.h"
#include "core/mem.h"
#include "ingest/assemble.h"
#include "ingest/xray.h"

struct texts {
	struct buf all;
	size_t *end;
	size_t n;
};

static uint64_t
next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void
put_subsegment(struct buf *b, uint64_t *seed, double start)
{
	buf_printf(b,
	    "{\"id\": \"%016" PRIx64 "\", \"name\": \"dynamodb\", "
	    "\"start_time\": %.7f, \"in_progress\": false, \"http\": "
	    "{\"response\": {\"status\": 200}}, \"aws\": {\"operation\": "
	    "\"GetItem\", \"region\": \"us-west-2\", \"table_name\": "
	    "\"MysfitsTable\"}, "
	    "\"namespace\": \"aws\", \"end_time\": %.7f}",
	    next(seed), start + 0.001, start + 0.012);
}

static void
put_segment(struct buf *b, uint64_t *seed, size_t n)
{
	double start = 1795244520.25 + (double)n / 100;
	uint64_t subs = next(seed) % 4;

	buf_printf(b,
	    "{\"id\": \"%016zx\", \"name\": \"like service %zu\", "
	    "\"start_time\": %.7f, \"in_progress\": false, \"http\": "
	    "{\"request\": {\"url\": \"http://alb-mmtest-1480921653.us-west-2."
	    "elb.amazonaws.com/mysfits/%012" PRIx64
	    "/like\", \"method\": \"POST\", \"user_agent\": \"Mozilla/5.0 "
	    "(Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like "
	    "Gecko) Chrome/70.0.3538.110\", \"client_ip\": \"198.51.100.%d\", "
	    "\"x_forwarded_for\": true}, \"response\": {\"status\": 200, "
	    "\"content_length\": 207}}, \"aws\": {\"xray\": {\"sdk\": \"X-Ray "
	    "for Python\", \"sdk_version\": \"2.15.0\", "
	    "\"sampling_rule_name\": \"Default\"}}, ",
	    n + 1, n % 4, start, next(seed) & 0xffffffffffff,
	    (int)(next(seed) % 250));
	buf_printf(b,
	    "\"annotations\": {\"mysfit\": \"%" PRIu64 "\", \"retry\": "
	    "false, \"shard\": %d}, \"metadata\": {\"default\": "
	    "{\"payload\": {\"items\": [1, 2, 3.5], \"note\": \"none \\u00e9 "
	    "\\n\"}}}, \"subsegments\": [",
	    next(seed), (int)(next(seed) % 16));
	for (uint64_t i = 0; i < subs; i++) {
		if (i > 0)
			buf_cat(b, ", ");
		put_subsegment(b, seed, start);
	}
	buf_printf(b,
	    "], \"trace_id\": \"1-6b0141e8-%024zx\", \"service\": "
	    "{\"runtime\": \"CPython\", \"runtime_version\": \"3.8.18\"}, "
	    "\"end_time\": %.7f",
	    n / 4, start + 0.025);
	if (n % 4 != 0)
		buf_printf(b, ", \"parent_id\": \"%016zx\"", n);
	buf_char(b, '}');
}

static double
cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct str
text_at(const struct texts *t, size_t i)
{
	size_t begin = i ? t->end[i - 1] : 0;

	return (struct str){ t->all.p + begin, t->end[i] - begin };
}

static double
time_yyjson(const struct texts *t, char *pool, size_t pool_size, size_t *sum)
{
	double start = cpu_seconds();

	for (size_t i = 0; i < t->n; i++) {
		struct str s = text_at(t, i);
		yyjson_alc alc;
		yyjson_doc *doc;

		yyjson_alc_pool_init(&alc, pool, pool_size);
		doc = yyjson_read_opts(t->all.p + (s.p - t->all.p), s.n, 0,
		    &alc, NULL);
		*sum += doc ? yyjson_doc_get_val_count(doc) : 0;
	}
	return cpu_seconds() - start;
}

static double
time_ours(const struct texts *t, struct xray *x, size_t *sum)
{
	double start = cpu_seconds();
	struct arena arena = { 0 };

	for (size_t i = 0; i < t->n; i++) {
		struct event e = { .ts_ns = WHEN_NONE,
			.message = text_at(t, i) };
		struct record r;
		const char *bad;

		if (xray_decode(x, &e, &arena, &r, &bad) == DECODE_OK)
			*sum += (size_t)r.request.status;
	}
	arena_fini(&arena);
	return cpu_seconds() - start;
}

/* Decoded, assembled, and every trace taken when it is due. */
static double
time_traces(const struct texts *t, struct xray *x, size_t *sum)
{
	struct assembler *a = assembler_new(&assemble_defaults);
	double start = cpu_seconds();
	struct arena arena = { 0 };
	const struct trace *trace;

	for (size_t i = 0; i < t->n; i++) {
		struct event e = { .ts_ns = WHEN_NONE,
			.message = text_at(t, i) };
		struct record r;
		const char *bad;

		if (xray_decode(x, &e, &arena, &r, &bad) != DECODE_OK)
			continue;
		assembler_add(a, &r);
		assembler_advance(a, r.ts_ns);
		for (trace = assembler_next(a); trace;
		     trace = assembler_next(a))
			*sum += trace->n_spans;
	}
	assembler_end(a);
	for (trace = assembler_next(a); trace; trace = assembler_next(a))
		*sum += trace->n_spans;
	arena_fini(&arena);
	start = cpu_seconds() - start;
	assembler_free(a);
	return start;
}

static void
generate(struct texts *t, size_t n)
{
	uint64_t seed = UINT64_C(0x9e3779b97f4a7c15);

	t->n = n;
	t->end = xcalloc(n, sizeof *t->end);
	for (size_t i = 0; i < n; i++) {
		put_segment(&t->all, &seed, i);
		t->end[i] = t->all.n;
	}
}

enum { BARE, DECODED, TRACED, SIDES };

static void
report(const struct texts *t, const double best[SIDES])
{
	static const char *const names[SIDES] = { "yyjson_read", "xray_decode",
		"traces" };
	double n = (double)t->n;

	printf("%zu documents, %.0f bytes each\n", t->n, (double)t->all.n / n);
	for (int i = 0; i < SIDES; i++)
		printf("%-12s %7.1f ns a document, %5.2f x the CPU of "
		       "yyjson_read, %5.2f x its speed\n",
		    names[i], best[i] / n * 1e9, best[i] / best[BARE],
		    best[BARE] / best[i]);
}

int
main(int argc, char **argv)
{
	struct texts t = { 0 };
	size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 20000;
	size_t rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 9;
	size_t pool_size = 1024 * 1024;
	char *pool = xcalloc(1, pool_size);
	struct xray *x = xray_new();
	double best[SIDES] = { 1e9, 1e9, 1e9 };
	size_t sum = 0;

	generate(&t, n ? n : 1);
	for (size_t i = 0; i < rounds; i++) {
		double took[SIDES];

		took[BARE] = time_yyjson(&t, pool, pool_size, &sum);
		took[DECODED] = time_ours(&t, x, &sum);
		took[TRACED] = time_traces(&t, x, &sum);
		for (int k = 0; k < SIDES; k++)
			best[k] = took[k] < best[k] ? took[k] : best[k];
	}
	report(&t, best);
	xray_free(x);
	free(pool);
	free(t.end);
	buf_fini(&t.all);
	return sum == 0;
}
