/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The traces of an archive do not depend on how it is read: any order of its
 * documents and files, any number of threads, any budget give the same traces
 * in the same order.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/hash.h"
#include "core/mem.h"
#include "pipeline/traces.h"

enum { FILES = 5 };

struct archive {
	char dir[64];
	char path[FILES][96];
	char *paths[FILES];
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
archive_begin(struct archive *a)
{
	snprintf(a->dir, sizeof a->dir, "%s/traces-XXXXXX",
	    getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	cr_assert(mkdtemp(a->dir));
	for (int i = 0; i < FILES; i++) {
		snprintf(a->path[i], sizeof a->path[i], "%s/%d.ndjson", a->dir,
		    i);
		a->paths[i] = a->path[i];
	}
}

static void
archive_end(struct archive *a)
{
	for (int i = 0; i < FILES; i++)
		unlink(a->path[i]);
	rmdir(a->dir);
}

/* Every line of lines goes to one of the files, in an order of the seed's. */
static void
archive_write(struct archive *a, struct str *lines, size_t n, uint64_t seed)
{
	FILE *f[FILES];

	for (int i = 0; i < FILES; i++)
		f[i] = fopen(a->path[i], "w");
	for (size_t i = n; i > 1; i--) {
		size_t k = next(&seed) % i;
		struct str line = lines[k];

		lines[k] = lines[i - 1];
		lines[i - 1] = line;
	}
	for (size_t i = 0; i < n; i++) {
		FILE *to = f[next(&seed) % FILES];

		fwrite(lines[i].p, 1, lines[i].n, to);
		fputc('\n', to);
	}
	for (int i = 0; i < FILES; i++)
		fclose(f[i]);
}

/* Traces of one to eight segments; every fifth document comes twice. */
static size_t
lines_make(struct arena *arena, struct str *lines, size_t traces)
{
	uint64_t seed = 77;
	size_t n = 0;

	for (size_t t = 0; t < traces; t++) {
		size_t segments = 1 + next(&seed) % 8;

		for (size_t s = 0; s < segments; s++) {
			struct buf b = { 0 };

			buf_printf(&b,
			    "{\"id\":\"%016zx\",\"name\":\"s%zu\","
			    "\"start_time\":%zu.5,\"end_time\":%zu.75,"
			    "\"trace_id\":\"1-5bfd0a%02zx-%024zx\"",
			    s + 1, s, 1543309800 + t, 1543309800 + t + s, t % 7,
			    t);
			if (s > 0)
				buf_printf(&b, ",\"parent_id\":\"%016zx\"", s);
			buf_printf(&b, ",\"annotations\":{\"pad\":\"%0*d\"}}",
			    (int)(next(&seed) % 300) + 1, 7);
			lines[n++] = arena_dup(arena, buf_view(&b));
			if (n % 5 == 0) {
				lines[n] = lines[n - 1];
				n++;
			}
			buf_fini(&b);
		}
	}
	return n;
}

struct digest {
	uint64_t hash;
	size_t traces, spans, documents, duplicates;
};

static struct digest
digest_of(const struct archive *a, const struct traces_options *o)
{
	struct replay_progress progress = { 0 };
	struct digest d = { 0 };
	struct err err = { "" };
	struct traces *t = traces_open(o, a->paths, FILES, &progress, &err);
	const struct trace *trace;

	cr_assert(t, "%s", err.text);
	for (trace = traces_next(t, &err); trace;
	     trace = traces_next(t, &err)) {
		d.hash = hash64_mix(d.hash, hash64(str_of(trace->id_text)));
		for (size_t i = 0; i < trace->n_documents; i++)
			d.hash = hash64_mix(d.hash,
			    hash64(trace->documents[i].text));
		d.traces++;
		d.spans += trace->n_spans;
		d.documents += trace->n_documents;
		cr_assert(trace->revision == 1);
	}
	cr_assert(!err.text[0], "%s", err.text);
	d.duplicates = traces_counts(t)->duplicates;
	traces_close(t);
	return d;
}

static void
options_init(struct traces_options *o, struct replay_options *replay)
{
	replay_options_init(replay);
	*o = (struct traces_options){ .replay = replay,
		.assemble = assemble_defaults };
}

Test(traces, any_order_threads_and_budget_give_the_same_traces)
{
	static const struct {
		const char *name;
		int threads;
		size_t budget;
		uint64_t seed;
	} rows[] = {
		{ "in memory", 1, 0, 11 },
		{ "three threads", 3, 0, 12 },
		{ "spilled", 1, 100000, 13 },
		{ "spilled by four threads", 4, 100000, 14 },
		{ "partitions split again", 2, 6000, 15 },
		{ "a byte of budget", 1, 1, 16 },
		{ "a byte of budget, five threads", 5, 1, 17 },
	};
	struct traces_options o;
	struct replay_options replay;
	struct archive a;
	struct arena arena = { 0 };
	struct str *lines = xcalloc(20000, sizeof *lines);
	size_t n = lines_make(&arena, lines, 1500);
	struct digest first = { 0 };

	archive_begin(&a);
	options_init(&o, &replay);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct digest d;

		archive_write(&a, lines, n, rows[i].seed);
		replay.threads = rows[i].threads;
		o.budget_bytes = rows[i].budget;
		d = digest_of(&a, &o);
		if (i == 0)
			first = d;
		cr_expect(d.traces == 1500, "%s: %zu traces", rows[i].name,
		    d.traces);
		cr_expect(d.documents + d.duplicates == n, "%s", rows[i].name);
		cr_expect(d.hash == first.hash && d.spans == first.spans,
		    "%s: another answer", rows[i].name);
	}
	archive_end(&a);
	arena_fini(&arena);
	free(lines);
}

/* Partitions are 64, as the sort has them. */
Test(traces, by_start_they_come_in_order_within_a_partition)
{
	struct traces_options o;
	struct replay_options replay;
	struct replay_progress progress = { 0 };
	struct archive a;
	struct arena arena = { 0 };
	struct str *lines = xcalloc(20000, sizeof *lines);
	size_t n = lines_make(&arena, lines, 1500);
	size_t traces = 0, back = 0, documents = 0;
	int64_t last_ns = 0;
	struct err err = { "" };

	archive_begin(&a);
	options_init(&o, &replay);
	archive_write(&a, lines, n, 5);
	o.by_start = true;

	struct traces *t = traces_open(&o, a.paths, FILES, &progress, &err);

	cr_assert(t, "%s", err.text);
	for (const struct trace *trace = traces_next(t, &err); trace;
	     trace = traces_next(t, &err)) {
		back += trace->start_ns < last_ns;
		last_ns = trace->start_ns;
		traces++;
		documents += trace->n_documents;
	}
	documents += traces_counts(t)->duplicates;
	cr_expect(traces == 1500 && documents == n, "%zu %zu", traces,
	    documents);
	cr_expect(back < 64, "%zu times back", back);
	traces_close(t);
	archive_end(&a);
	arena_fini(&arena);
	free(lines);
}

Test(traces, one_trace_larger_than_the_budget_is_whole)
{
	struct traces_options o;
	struct replay_options replay;
	struct archive a;
	struct arena arena = { 0 };
	struct str *lines = xcalloc(3000, sizeof *lines);
	struct digest d;

	for (size_t i = 0; i < 3000; i++) {
		struct buf b = { 0 };

		buf_printf(&b,
		    "{\"id\":\"%016zx\",\"name\":\"big\",\"start_time\":%zu,"
		    "\"end_time\":%zu,\"trace_id\":"
		    "\"1-5bfd0a00-000000000000000000000001\"}",
		    i + 1, 1543309800 + i, 1543309801 + i);
		lines[i] = arena_dup(&arena, buf_view(&b));
		buf_fini(&b);
	}
	archive_begin(&a);
	archive_write(&a, lines, 3000, 5);
	options_init(&o, &replay);
	replay.threads = 2;
	o.budget_bytes = 10000;
	d = digest_of(&a, &o);
	cr_assert(d.traces == 1 && d.documents == 3000);
	archive_end(&a);
	arena_fini(&arena);
	free(lines);
}

Test(traces, one_id_and_a_range_of_time_choose)
{
	uint8_t id[16] = { 0x5b, 0xfd, 0x0a, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		10 };
	struct traces_options o;
	struct replay_options replay;
	struct archive a;
	struct arena arena = { 0 };
	struct str *lines = xcalloc(2000, sizeof *lines);
	size_t n = lines_make(&arena, lines, 100);

	archive_begin(&a);
	archive_write(&a, lines, n, 9);
	options_init(&o, &replay);
	o.only = id;
	cr_expect(digest_of(&a, &o).traces == 1);
	o.only = NULL;
	replay.since_ns = INT64_C(1543309810) * NS_PER_SEC;
	replay.until_ns = INT64_C(1543309820) * NS_PER_SEC;
	cr_expect(digest_of(&a, &o).traces == 10);
	replay.since_ns = replay.until_ns = WHEN_NONE;
	replay.last_ns = 20 * NS_PER_SEC;
	size_t last = digest_of(&a, &o).traces;

	cr_expect(last > 0 && last < 40, "%zu", last);
	archive_end(&a);
	arena_fini(&arena);
	free(lines);
}
