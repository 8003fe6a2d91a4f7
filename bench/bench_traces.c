/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Segments to assembled traces and views of them, beside a loop that parses
 * the same lines with yyjson and picks nothing.
 *
 *	bench_traces FILE [rounds]
 *
 * One thread each, in turns; the best round counts, in CPU seconds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <yyjson.h>

#include "core/mem.h"
#include "pipeline/traces.h"
#include "pipeline/view.h"

static double
cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double
time_yyjson(const char *path, size_t *sum)
{
	enum { POOL = 1 << 20 };
	double start = cpu_seconds();
	FILE *f = fopen(path, "r");
	char *line = NULL;
	char *pool = xcalloc(1, POOL);
	size_t cap = 0;
	ssize_t n;

	if (!f)
		exit(66);
	for (n = getline(&line, &cap, f); n > 0; n = getline(&line, &cap, f)) {
		yyjson_alc alc;
		yyjson_doc *doc;

		yyjson_alc_pool_init(&alc, pool, POOL);
		doc = yyjson_read_opts(line, (size_t)n, 0, &alc, NULL);
		*sum += doc ? yyjson_doc_get_val_count(doc) : 0;
	}
	fclose(f);
	free(line);
	free(pool);
	return cpu_seconds() - start;
}

static double
time_ours(char *path, bool views, size_t *sum)
{
	double start = cpu_seconds();
	struct replay_options replay;
	struct traces_options o = { .replay = &replay,
		.assemble = assemble_defaults };
	struct replay_progress progress = { 0 };
	struct err err = { "" };
	struct arena arena = { 0 };
	struct traces *t;
	const struct trace *trace;

	replay_options_init(&replay);
	replay.threads = 1;
	t = traces_open(&o, &path, 1, &progress, &err);
	if (!t)
		exit(66);
	for (trace = traces_next(t, &err); trace;
	     trace = traces_next(t, &err)) {
		struct trace_view view;

		*sum += trace->n_spans;
		if (!views)
			continue;
		arena_reset(&arena);
		trace_view(&view, trace, &arena);
		*sum += view.n_services;
	}
	arena_fini(&arena);
	traces_close(t);
	return cpu_seconds() - start;
}

int
main(int argc, char **argv)
{
	double best[3] = { 1e9, 1e9, 1e9 };
	int rounds = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 3;
	size_t sum = 0;

	if (argc < 2)
		return 64;
	for (int i = 0; i < rounds; i++) {
		double took[3];

		took[0] = time_yyjson(argv[1], &sum);
		took[1] = time_ours(argv[1], false, &sum);
		took[2] = time_ours(argv[1], true, &sum);
		for (int k = 0; k < 3; k++)
			best[k] = took[k] < best[k] ? took[k] : best[k];
	}
	printf("yyjson loop %.3f s, traces %.3f s (%.2f x its speed), "
	       "with views %.3f s (%.2f x)\n",
	    best[0], best[1], best[0] / best[1], best[2], best[0] / best[2]);
	return sum == 0;
}
