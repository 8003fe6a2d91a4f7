/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evaluations a second of the lab's expression over traces as the lab has
 * them: a page that calls a like service that calls a table, one in three a
 * POST, one in ten slow.  Prints one line for each expression, the best of
 * seven rounds, one core.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/mem.h"
#include "query/query.h"

enum { TRACES = 4096, ROUNDS = 7, PASSES = 100, SERVICES = 4 };

struct lab {
	struct trace_view traces[TRACES];
	struct view_part services[TRACES][SERVICES];
};

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* splitmix64 (Steele, Lea, Flood 2014) */
static uint64_t
random64(uint64_t *seed)
{
	uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static struct lab *
lab_new(void)
{
	static const char *const names[SERVICES] = { "front end",
		"mysfits service", "like service", "MysfitsTable" };
	struct lab *lab = xcalloc(1, sizeof(*lab));
	uint64_t seed = 1;

	for (size_t i = 0; i < TRACES; i++) {
		struct trace_view *t = &lab->traces[i];

		t->trace = (struct view_part)VIEW_PART_NONE;
		t->trace.method =
		    random64(&seed) % 3 ? STR("GET") : STR("POST");
		t->services = lab->services[i];
		t->n_services = SERVICES;
		for (size_t k = 0; k < SERVICES; k++) {
			struct view_part *s = &lab->services[i][k];

			*s = (struct view_part)VIEW_PART_NONE;
			s->name = str_of(names[k]);
			s->responsetime_ns = (int64_t)(seed >> 33) % 1100000000;
			s->flags = VIEW_OK;
		}
	}
	return lab;
}

static void
run(const struct lab *lab, const char *expression)
{
	struct query_error bad;
	struct query *q = query_parse(str_of(expression), NULL, &bad);
	double best = 1e9;
	size_t found = 0;

	if (!q) {
		fprintf(stderr, "%s: %s\n", expression, bad.text);
		exit(1);
	}
	for (int round = 0; round < ROUNDS; round++) {
		double start = now();

		found = 0;
		for (int pass = 0; pass < PASSES; pass++)
			for (size_t i = 0; i < TRACES; i++)
				found += query_eval(q, &lab->traces[i]);
		double took = now() - start;

		if (took < best)
			best = took;
	}
	printf("%7.1f M/s  %4.1f %% match  %s\n",
	    TRACES * (double)PASSES / best / 1e6,
	    100.0 * (double)found / ((double)TRACES * PASSES), expression);
	query_free(q);
}

int
main(void)
{
	struct lab *lab = lab_new();

	run(lab, "service(\"like service\") { responsetime > 1 OR error } AND "
		 "http.method = \"POST\"");
	run(lab, "service(\"like service\") { responsetime > 1 OR error }");
	run(lab, "http.method = \"POST\"");
	run(lab, "service() { fault }");
	free(lab);
	return 0;
}
