/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of counting: series become the services' routes; partial cells, in
 * order of time, become whole ones and go to the judge, into the services'
 * time lines, and to the roll-ups.
 */
#include <stdlib.h>

#include "analyzers/fold.h"
#include "core/hash.h"
#include "core/mem.h"
#include "pipeline/silent.h"
#include "pipeline/worker.h"
#include "pipeline/write.h"

/* The cells of one cell index, by final key. */
struct slice {
	struct cell *v;
	size_t n, cap;
	uint32_t *slots; /* index + 1 */
	size_t n_slots;
};

/* A service's routes by (final route, method): index + 1. */
struct route_index {
	uint32_t (*at)[METHODS];
	size_t cap; /* of the service's routes */
};

static char *
dup_text(struct str s)
{
	char *p = xcalloc(s.n + 1, 1);

	if (s.n)
		memcpy(p, s.p, s.n);
	return p;
}

static struct replay_route *
route_of(struct run *run, struct route_index *index, uint32_t service,
    uint32_t final, enum method method)
{
	struct replay_service *s = &run->result->services[service];
	uint32_t *at = &index[service].at[final][method];

	if (*at == 0) {
		s->routes = xgrow(s->routes, s->n_routes + 1,
		    &index[service].cap, sizeof *s->routes);
		s->routes[s->n_routes] = (struct replay_route){
			.method = method,
			.route = dup_text(run->services[service].texts[final]),
		};
		*at = (uint32_t)++s->n_routes;
	}
	return &s->routes[*at - 1];
}

static void
add_series(struct run *run, struct route_index *index,
    const struct series *from, uint32_t service, uint32_t final)
{
	struct replay_service *s = &run->result->services[service];
	struct replay_route *r =
	    route_of(run, index, service, final, from->method);

	r->n += from->n;
	for (int i = 0; i < 6; i++)
		r->status[i] += from->status[i];
	r->not_found += from->not_found;
	r->probes += from->probes;
	histogram_merge(&r->latency, &from->latency);
	s->requests += from->n;
	s->undated += from->undated;
	s->probes += from->probes;
	s->probes_bad += from->probes_bad;
	s->probable += from->probable;
	s->from_traces += from->from_traces;
	s->in_both += from->in_both;
}

static int
by_traffic(const void *a, const void *b)
{
	const struct replay_route *x = a;
	const struct replay_route *y = b;
	int c;

	if (x->n != y->n)
		return x->n > y->n ? -1 : 1;
	c = (x->method > y->method) - (x->method < y->method);
	return c ? c : strcmp(x->route, y->route);
}

static void
settle_routes(struct run *run)
{
	size_t n = run->n_services;
	struct route_index *index = xcalloc(n, sizeof *index);

	for (size_t i = 0; i < n; i++)
		index[i].at =
		    xcalloc(run->services[i].n_routes, sizeof *index[i].at);
	for (int t = 0; t < run->threads; t++) {
		const struct tally *tally = &run->workers[t].tally;

		for (size_t k = 0; k < tally->n_series; k++) {
			const struct series *s = &tally->series[k];
			const struct origin_map *map = &run->maps[t][s->origin];

			add_series(run, index, s, map->service,
			    run->services[map->service]
				.final[map->routes[s->route]]);
		}
	}
	for (size_t k = 0; k < run->final.n_series; k++)
		add_series(run, index, &run->final.series[k],
		    run->final.series[k].origin, run->final.series[k].route);
	for (size_t i = 0; i < n; i++) {
		struct replay_service *s = &run->result->services[i];

		if (s->n_routes > 0)
			qsort(s->routes, s->n_routes, sizeof *s->routes,
			    by_traffic);
		free(index[i].at);
	}
	free(index);
}

static void
settle_services(struct run *run)
{
	struct replay_result *r = run->result;

	r->services = xcalloc(run->n_services, sizeof *r->services);
	r->n_services = run->n_services;
	for (size_t i = 0; i < run->n_services; i++) {
		const struct service *s = &run->services[i];

		r->services[i].name = dup_text(s->name);
		r->services[i].rule = dup_text(str_of(s->rule));
		r->services[i].logs = s->logs;
		r->services[i].first_ns = s->first_ns;
		r->services[i].last_ns = s->last_ns;
	}
}

static uint64_t
key_hash(const struct cell_key *k)
{
	return hash64_mix((uint64_t)k->origin << 32 | k->route, k->method);
}

static void
slice_grow(struct slice *s)
{
	s->n_slots = s->n_slots ? s->n_slots * 2 : 64;
	free(s->slots);
	s->slots = xcalloc(s->n_slots, sizeof *s->slots);
	for (size_t i = 0; i < s->n; i++) {
		size_t at = key_hash(&s->v[i].key) & (s->n_slots - 1);

		while (s->slots[at])
			at = (at + 1) & (s->n_slots - 1);
		s->slots[at] = (uint32_t)i + 1;
	}
}

/* Adds a partial cell whose key is final already. */
static void
slice_add(struct slice *s, const struct cell *c)
{
	size_t at;

	if (s->n * 2 >= s->n_slots)
		slice_grow(s);
	at = key_hash(&c->key) & (s->n_slots - 1);
	for (; s->slots[at]; at = (at + 1) & (s->n_slots - 1)) {
		struct cell *have = &s->v[s->slots[at] - 1];

		if (cell_key_cmp(&have->key, &c->key) == 0) {
			cell_add(have, c);
			return;
		}
	}
	s->v = xgrow(s->v, s->n + 1, &s->cap, sizeof *s->v);
	s->v[s->n++] = *c;
	s->slots[at] = (uint32_t)s->n;
}

static int
by_key(const void *a, const void *b)
{
	const struct cell *x = a;
	const struct cell *y = b;

	return cell_key_cmp(&x->key, &y->key);
}

static void
add_bucket(struct run *run, const struct cell *c)
{
	struct replay_result *r = run->result;
	int64_t at;
	struct replay_bucket *b;

	if (r->bucket_ns == 0)
		return;
	at = (c->key.cell * CELL_NS - r->first_ns + CELL_NS) / r->bucket_ns;
	if (at < 0)
		at = 0;
	if (at >= REPLAY_BUCKETS)
		at = REPLAY_BUCKETS - 1;
	b = &r->services[c->key.origin].buckets[at];
	b->n += c->n;
	b->errors += c->status[4] + c->status[5];
	b->timed += c->timed;
	b->sum_us += c->sum_us;
}

/* All cells of one index: to whoever needs them, in order of their keys. */
static int
end_slice(struct run *run, struct slice *s, struct judge *judge,
    struct err *err)
{
	if (s->n > 0)
		qsort(s->v, s->n, sizeof *s->v, by_key);
	for (size_t i = 0; i < s->n; i++) {
		struct cell *c = &s->v[i];

		if (run->service_only != UINT32_MAX &&
		    c->key.origin != run->service_only)
			continue;
		cell_limit(c, service_limit(&run->services[c->key.origin],
				  c->key.route, (enum method)c->key.method));
		judge_feed(judge, c, &run->result->findings);
		add_bucket(run, c);
		/* A roll-up is of what came. */
		if ((c->n || c->probes) && write_cell(run->write, c, err) != 0)
			return -1;
	}
	s->n = 0;
	if (s->n_slots)
		memset(s->slots, 0, s->n_slots * sizeof *s->slots);
	return 0;
}

/* A partial cell with the run's numbers instead of its tally's. */
static struct cell
final_cell(const struct run *run, const struct cell_record *r)
{
	struct cell c = r->cell;

	if (c.key.origin >> ORIGIN_BITS == run->final.number) {
		c.key.origin &= (1u << ORIGIN_BITS) - 1;
	} else {
		const struct origin_map *map = run_map(run, c.key.origin);

		c.key.route =
		    run->services[map->service].final[map->routes[c.key.route]];
		c.key.origin = map->service;
	}
	return c;
}

static int
feed_cells(struct run *run, struct merge *m, struct judge *judge,
    struct err *err)
{
	struct slice slice = { 0 };
	int64_t at = 0;
	int rc = 0;
	const void *next;

	for (next = merge_next(m); next && rc == 0 && !run_stopped(run);
	     next = merge_next(m)) {
		const struct cell_record *r = next;
		struct cell c = final_cell(run, r);

		if (slice.n > 0 && c.key.cell != at)
			rc = end_slice(run, &slice, judge, err);
		at = c.key.cell;
		slice_add(&slice, &c);
	}
	if (rc == 0)
		rc = end_slice(run, &slice, judge, err);
	if (rc == 0)
		rc = merge_failed(m, err);
	judge_end(judge, &run->result->findings);
	free(slice.v);
	free(slice.slots);
	return rc;
}

static int
settle_cells(struct run *run, struct err *err)
{
	size_t n = (size_t)run->threads;
	struct spill **spills = xcalloc(n + 1, sizeof *spills);
	struct str *names = xcalloc(run->n_services, sizeof *names);
	const struct str **routes = xcalloc(run->n_services, sizeof *routes);
	uint32_t *n_routes = xcalloc(run->n_services, sizeof *n_routes);
	struct judge_names jn = { names, routes, n_routes };
	struct judge *judge = judge_new(&run->options->judge, &jn);
	struct merge *m;
	int rc = -1;

	for (size_t i = 0; i < run->n_services; i++) {
		names[i] = run->services[i].name;
		routes[i] = run->services[i].texts;
		n_routes[i] = run->services[i].n_routes;
	}
	for (size_t i = 0; i < n; i++)
		spills[i] = run->workers[i].tally.cells;
	spills[n] = run->final.cells;
	m = merge_new(spills, n + 1, err);
	if (m)
		rc = feed_cells(run, m, judge, err);
	merge_free(m);
	run->result->story = judge_take_story(judge);
	judge_free(judge);
	free(spills);
	free(names);
	free(routes);
	free(n_routes);
	return rc;
}

/* What other services gave is filtered: known only now that all have names. */
static void
filter_shares(struct run *run)
{
	for (int t = 0; t < run->threads; t++) {
		const struct worker *w = &run->workers[t];

		for (size_t i = 0; i < w->n_shares; i++) {
			const struct share *s = &w->shares[i];
			struct accounts *a =
			    &run->result->read[s->input].accounts;

			/* With rows, only the log lines have an account. */
			if (run->maps[t][s->origin].service ==
			    run->service_only)
				continue;
			for (int k = 0; k < KINDS; k++) {
				uint64_t moved =
				    s->accounts.n[k][ACCOUNT_STORED] +
				    s->accounts.n[k][ACCOUNT_FOLDED];

				a->n[k][ACCOUNT_STORED] -=
				    s->accounts.n[k][ACCOUNT_STORED];
				a->n[k][ACCOUNT_FOLDED] -=
				    s->accounts.n[k][ACCOUNT_FOLDED];
				a->n[k][ACCOUNT_FILTERED] += moved;
			}
		}
	}
}

static void
settle_span(struct run *run)
{
	struct replay_result *r = run->result;
	int64_t span;

	r->first_ns = r->last_ns = WHEN_NONE;
	for (size_t i = 0; i < r->inputs.n; i++) {
		const struct replay_input *in = &r->read[i];

		r->bytes += in->notes.bytes;
		r->bytes_packed += in->notes.bytes_packed;
		for (int k = 0; k < KINDS; k++)
			for (int a = 0; a < ACCOUNTS; a++)
				r->accounts.n[k][a] += in->accounts.n[k][a];
		if (in->first_ns == WHEN_NONE)
			continue;
		if (r->first_ns == WHEN_NONE || in->first_ns < r->first_ns)
			r->first_ns = in->first_ns;
		if (r->last_ns == WHEN_NONE || in->last_ns > r->last_ns)
			r->last_ns = in->last_ns;
	}
	if (r->first_ns == WHEN_NONE)
		return;
	/* Half the span first: the whole may not fit into 63 bits. */
	span = r->last_ns / 2 - r->first_ns / 2 + 1;
	r->bucket_ns = span / (REPLAY_BUCKETS / 2) / CELL_NS * CELL_NS;
	r->bucket_ns += CELL_NS;
}

/*
 * A log whose every record was read elsewhere too is no service, and one that
 * was not asked for is not told of.
 */
static void
drop_services(struct run *run)
{
	struct replay_result *r = run->result;
	size_t kept = 0;

	for (size_t i = 0; i < r->n_services; i++) {
		struct replay_service *s = &r->services[i];

		if ((s->requests || s->probes || s->logs || s->n_routes) &&
		    (run->service_only == UINT32_MAX ||
			run->service_only == i)) {
			r->services[kept++] = *s;
			continue;
		}
		replay_service_fini(s);
	}
	r->n_services = kept;
}

int
settle(struct run *run, struct err *err)
{
	int rc;

	settle_services(run);
	filter_shares(run);
	settle_span(run);
	settle_routes(run);
	rc = settle_cells(run, err);
	silent_tell(run);
	if (rc == 0)
		rc = misses_settle(run, err);
	findings_fold(&run->result->findings);
	findings_sort(&run->result->findings);
	drop_services(run);
	return rc;
}
