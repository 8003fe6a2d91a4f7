/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper of misses.  Rows of one time, client and path are one, whichever
 * thread had them; services are looked up when all have names.
 */
#include "pipeline/misses.h"

#include <stdlib.h>
#include <string.h>

#include "analyzers/probe.h"
#include "analyzers/saturate.h"
#include "analyzers/scan.h"
#include "core/hash.h"
#include "core/mem.h"
#include "pipeline/answers.h"
#include "pipeline/run.h"
#include "pipeline/texts.h"
#include "pipeline/worker.h"
#include "sinks/documents.h"

struct miss {
	struct spill_key key; /* time; client and path */
	uint64_t client;
	uint64_t path;
	uint32_t origin, route;
	struct example example;
};

void
misses_init(struct misses *m, size_t bytes)
{
	*m = (struct misses){
		.rows = spill_new(sizeof(struct miss), bytes),
	};
}

void
misses_fini(struct misses *m)
{
	spill_free(m->rows);
	*m = (struct misses){ 0 };
}

void
misses_seal(struct misses *m)
{
	spill_seal(m->rows);
}

struct misses_who
misses_who(const struct request *q)
{
	struct str client = document_client(q);

	return (struct misses_who){
		.client = probe_public(client) ? hash64(client) : 0,
		.path = hash64(q->path),
	};
}

int
misses_hit(struct misses *m, const struct misses_hit *hit, struct err *err)
{
	struct miss row;

	if (hit->ts_ns == WHEN_NONE)
		return 0;
	row = (struct miss){
		.key = { spill_time(hit->ts_ns),
		    hash64_mix(hit->who.client, hit->who.path) },
		.client = hit->who.client,
		.path = hit->who.path,
		.origin = hit->origin,
		.route = hit->route,
		.example = *hit->example,
	};
	return spill_put(m->rows, &row.key, err);
}

/* All keepers' rows. */
static struct merge *
merge_rows(const struct run *run, struct err *err)
{
	size_t n = (size_t)run->threads;
	struct spill **spills = xcalloc(n + 1, sizeof *spills);
	struct merge *m;

	for (size_t i = 0; i < n; i++)
		spills[i] = run->workers[i].misses.rows;
	spills[n] = run->misses.rows;
	m = merge_new(spills, n + 1, err);
	free(spills);
	return m;
}

/* Routes that were answered below 400, by service and final number. */
static bool **
known_routes(const struct run *run)
{
	bool **known = xcalloc(run->n_services, sizeof *known);

	for (size_t i = 0; i < run->n_services; i++)
		known[i] = xcalloc(run->services[i].n_routes, sizeof(bool));
	for (int t = 0; t <= run->threads; t++) {
		bool last = t == run->threads;
		const struct tally *tally =
		    last ? &run->final : &run->workers[t].tally;

		for (size_t k = 0; k < tally->n_series; k++) {
			const struct series *s = &tally->series[k];
			const struct origin_map *map =
			    last ? NULL : &run->maps[t][s->origin];
			uint32_t service = last ? s->origin : map->service;
			uint32_t route =
			    last ? s->route
				 : run->services[service]
				       .final[map->routes[s->route]];

			known[service][route] |=
			    (s->status[1] | s->status[2] | s->status[3]) != 0;
		}
	}
	return known;
}

/* The settling of one run. */
struct judging {
	struct run *run;
	struct scan *scan;
	bool **known;
	struct scan_miss *same; /* of one time, client and path: by service */
	size_t n_same, cap_same;
};

typedef void scan_round(struct scan *s, const struct scan_miss *m);

static bool
left_out(const struct run *run, uint32_t service)
{
	return run->service_only != UINT32_MAX && run->service_only != service;
}

/* Adds a row to those of its time, client and path. */
static void
same_add(struct judging *j, const struct miss *row)
{
	const struct run *run = j->run;
	struct scan_miss m = {
		.ts_ns = spill_time_of(row->key.hi),
		.client = row->client,
		.path = row->path,
		.service = row->origin,
		.n = 1,
		.example = row->example,
	};
	uint32_t route = row->route;

	if (!run->plan.rows) {
		const struct origin_map *map = run_map(run, row->origin);

		m.service = map->service;
		route = run->services[m.service].final[map->routes[route]];
	}
	if (left_out(run, m.service))
		return;
	m.known = j->known[m.service][route];
	for (size_t i = 0; i < j->n_same; i++) {
		if (j->same[i].service != m.service)
			continue;
		j->same[i].n = add_u32(j->same[i].n, 1);
		example_min(&j->same[i].example, &m.example);
		return;
	}
	j->same = xgrow(j->same, j->n_same + 1, &j->cap_same, sizeof *j->same);
	j->same[j->n_same++] = m;
}

static int
by_service(const void *a, const void *b)
{
	const struct scan_miss *x = a;
	const struct scan_miss *y = b;

	return (x->service > y->service) - (x->service < y->service);
}

static void
same_end(struct judging *j, scan_round *feed)
{
	if (j->n_same > 1)
		qsort(j->same, j->n_same, sizeof *j->same, by_service);
	for (size_t i = 0; i < j->n_same; i++)
		feed(j->scan, &j->same[i]);
	j->n_same = 0;
}

/* All misses in time order. */
static int
go_round(struct judging *j, scan_round *feed, struct err *err)
{
	struct merge *m = merge_rows(j->run, err);
	struct spill_key at = { 0, 0 };
	const void *next;
	int rc;

	if (!m)
		return -1;
	for (next = merge_next(m); next; next = merge_next(m)) {
		const struct miss *row = next;

		if (row->key.hi != at.hi || row->key.lo != at.lo)
			same_end(j, feed);
		at = row->key;
		same_add(j, row);
	}
	same_end(j, feed);
	rc = merge_failed(m, err);
	merge_free(m);
	return rc;
}

int
misses_settle(struct run *run, struct err *err)
{
	struct replay_result *r = run->result;
	struct scan_service *services =
	    xcalloc(run->n_services, sizeof *services);
	struct judging j = { .run = run, .known = known_routes(run) };
	size_t before = r->findings.n;
	int rc;

	for (size_t i = 0; i < run->n_services; i++)
		scan_service_init(&services[i], run->services[i].name,
		    run->services[i].first_ns, &run->options->judge);
	j.scan = scan_new(&run->options->judge, services);
	rc = go_round(&j, scan_suspect, err);
	if (rc == 0)
		rc = answers_read(run, j.scan, err);
	if (rc == 0)
		rc = go_round(&j, scan_judge, err);
	if (rc == 0) {
		scan_end(j.scan, r->last_ns, &r->findings);
		if (r->findings.n > before)
			texts_read(run, j.scan);
		scan_finish(j.scan, &r->findings);
		r->unconfirmed = scan_unconfirmed(j.scan);
	}
	for (size_t i = 0; i < run->n_services; i++)
		free(j.known[i]);
	free(j.known);
	free(j.same);
	free(services);
	scan_free(j.scan);
	return rc;
}
