/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store: traces inserted a second of CPU, and the lab's expression over
 * one hour of them.
 *
 *	bench_store FILE [traces]
 *
 * FILE is made anew.  What making the traces takes is measured again without
 * the store and taken off.  A trace has one segment of one service with a
 * document of 300 bytes, and a root call of its client; they are 14.4 ms apart,
 * so that a million of them is four hours.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "core/when.h"
#include "query/query.h"
#include "query/sql.h"
#include "store/store.h"

static const int64_t begin_ns = INT64_C(1543309800) * NS_PER_SEC;
static const int64_t apart_ns = INT64_C(14400000);

static double
seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
die(const struct err *err)
{
	fprintf(stderr, "bench_store: %s\n", err->text);
	exit(74);
}

/* One trace, as pipeline/view.c would have it; NULL: made only. */
static void
add(struct store *s, size_t i)
{
	static char text[301];
	char id[STORE_ID_SIZE + 1];
	struct str document = { text, 300 };
	struct view_part part = VIEW_PART_NONE;
	struct view_part services[2] = { VIEW_PART_NONE, VIEW_PART_NONE };
	struct view_edge edge = { .from = { .name = STR("like service"),
				      .type = STR("client"),
				      .client = true },
		.to = { .name = STR("like service") } };
	struct trace_view view = { .services = services,
		.n_services = 2,
		.edges = &edge,
		.n_edges = 1 };
	struct store_trace t = { .start_ns = begin_ns + (int64_t)i * apart_ns,
		.service = STR("like service"),
		.view = &view,
		.documents = &document,
		.n_documents = 1 };
	struct err err = { "" };

	snprintf(id, sizeof id, "1-%08zx-%024zx", i,
	    i * UINT64_C(0x9e3779b97f4a7c15));
	snprintf(text, sizeof text,
	    "{\"id\":\"%016zx\",\"trace_id\":\"%s\",\"name\":\"like "
	    "service\",\"start_time\":%zu,\"http\":{\"request\":{\"method\":"
	    "\"POST\",\"url\":\"http://shop.example/mysfits/%zu/like\"},"
	    "\"response\":{\"status\":200}},\"pad\":\"%080d\"}",
	    i, id, i, i % 1000, 0);
	t.id = (struct str){ id, STORE_ID_SIZE };
	part.flags = i % 100 == 0 ? VIEW_ERROR : VIEW_OK;
	part.status = i % 100 == 0 ? 404 : 200;
	part.method = i % 10 == 0 ? STR("POST") : STR("GET");
	part.url = STR("http://shop.example/mysfits/like");
	part.responsetime_ns = part.duration_ns =
	    (int64_t)(i % 997) * 2 * NS_PER_MS;
	view.trace = services[1] = edge.part = part;
	services[1].name = services[0].name = STR("like service");
	services[1].flags |= VIEW_ROOT;
	services[0].type = STR("client");
	services[0].flags = VIEW_CLIENT;
	if (s && store_add_trace(s, &t, &err) != 0)
		die(&err);
}

/* In the order of a replay: partitions one after the other, by time in each. */
static void
add_all(struct store *s, size_t n)
{
	enum { PARTITIONS = 64 };

	for (size_t part = 0; part < PARTITIONS; part++)
		for (size_t i = part; i < n; i += PARTITIONS)
			add(s, i);
}

static void
ask(const char *path, size_t n)
{
	static const char text[] =
	    "service(\"like service\") { responsetime > 1 OR error } AND "
	    "http.method = \"POST\"";
	const int64_t hour = 3600 * NS_PER_SEC;
	struct err err = { "" };
	struct store *s = store_open(path, STORE_READ, &err);
	struct query_error bad;
	struct query *q = query_parse(str_of(text), NULL, &bad);
	struct buf clause = { 0 };
	struct store_where where;
	struct store_row row;
	double best = 1e9;
	size_t found = 0;

	if (!s || !q || query_sql(&clause, q, &err) != 0)
		die(&err);
	where = (struct store_where){ .clause = buf_view(&clause),
		.since_ns = begin_ns + (int64_t)n / 2 * apart_ns };
	where.until_ns = where.since_ns + hour;
	for (int i = 0; i < 5; i++) {
		double start = seconds(CLOCK_PROCESS_CPUTIME_ID);

		found = 0;
		if (store_select(s, &where, false, &err) != 0)
			die(&err);
		while (store_next(s, &row, &err) > 0)
			found++;
		start = seconds(CLOCK_PROCESS_CPUTIME_ID) - start;
		best = start < best ? start : best;
	}
	printf("lab's expression over one hour: %zu traces in %.1f ms of CPU\n",
	    found, best * 1e3);
	query_free(q);
	buf_fini(&clause);
	store_close(s);
}

int
main(int argc, char **argv)
{
	size_t n = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000000;
	struct err err = { "" };
	struct store *s;
	double start, making;

	if (argc < 2)
		return 64;
	unlink(argv[1]);
	s = store_open(argv[1], STORE_WRITE, &err);
	if (!s)
		die(&err);
	start = seconds(CLOCK_PROCESS_CPUTIME_ID);
	if (store_begin(s, &err) != 0)
		die(&err);
	add_all(s, n);
	if (store_commit(s, &err) != 0)
		die(&err);
	store_close(s);
	start = seconds(CLOCK_PROCESS_CPUTIME_ID) - start;
	making = seconds(CLOCK_PROCESS_CPUTIME_ID);
	add_all(NULL, n);
	making = seconds(CLOCK_PROCESS_CPUTIME_ID) - making;
	start -= making;
	printf("%zu traces in %.2f s of CPU: %.0f a second"
	       " (and %.2f s to make them)\n",
	    n, start, (double)n / start, making);
	ask(argv[1], n);
	return 0;
}
