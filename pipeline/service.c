/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From origins to services.  An origin's name is, the first that holds:
 *
 *	1. what the command line, then the configuration says of its log
 *	   group, stream or path, or of its segments; a name given to one of
 *	   a program's log and segments is the other's as well, by 3;
 *	2. of segments: their own name;
 *	3. the name of the segments whose requests its lines hold: it has a
 *	   fifth of those that are found in any log, at least three, and
 *	   half of all that service's segments are found in some log;
 *	4. the readable part of its log group, stream or path.
 *
 * What is beyond LEAST_MAX origins is "other".
 *
 * Origins of one name are one service; their routes are one tree.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "pipeline/worker.h"

#include "analyzers/names.h"

struct origin_map *
run_map(const struct run *run, uint32_t origin)
{
	return &run->maps[origin >> ORIGIN_BITS]
			 [origin & ((1u << ORIGIN_BITS) - 1)];
}

/* An origin of one tally, for sorting all of them. */
struct entry {
	const struct origin *origin;
	struct origin_map *map;
};

static int
by_key(const void *a, const void *b)
{
	const struct entry *x = a;
	const struct entry *y = b;

	return str_cmp(x->origin->key, y->origin->key);
}

/* Numbers the origins of all tallies by key, equal keys being one. */
static void
number_origins(struct run *run)
{
	size_t n = 0;
	size_t k = 0;
	struct entry *e;

	run->maps = xcalloc((size_t)run->threads, sizeof(run->maps[0]));
	for (int i = 0; i < run->threads; i++)
		n += run->workers[i].tally.n_origins;
	e = xcalloc(n, sizeof *e);
	for (int i = 0; i < run->threads; i++) {
		struct tally *t = &run->workers[i].tally;

		run->maps[i] = xcalloc(t->n_origins, sizeof *run->maps[i]);
		for (size_t o = 0; o < t->n_origins; o++)
			e[k++] =
			    (struct entry){ &t->origins[o], &run->maps[i][o] };
	}
	if (n > 0)
		qsort(e, n, sizeof *e, by_key);
	run->canons = xcalloc(n, sizeof *run->canons);
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || by_key(&e[i - 1], &e[i]) != 0)
			run->canons[run->n_canons++].origin = e[i].origin;
		run->canons[run->n_canons - 1].requests +=
		    e[i].origin->requests;
		e[i].map->canon = (uint32_t)run->n_canons - 1;
	}
	free(e);
}

/* How a canon is called, while names are collected. */
struct naming {
	struct str name;
	char *rule;
	uint32_t canon;
	const struct service_name *given; /* NULL: by another rule */
};

/* A sentence around a quoted name; who gave it stands before. */
static char *
words(const struct service_name *given, const char *before, struct str s,
    const char *after)
{
	struct buf b = { 0 };

	if (given && given->file)
		buf_printf(&b, "by %s:%u, ", given->file, given->line);
	else if (given)
		buf_cat(&b, "on the command line, ");
	buf_printf(&b, "%s \"%.*s\"%s", before, STR_ARG(s), after);
	buf_cstr(&b);
	return b.p;
}

static void
name_configured(const struct run *run, struct canon *c, struct naming *name)
{
	for (size_t i = 0; i < run->options->n_names; i++) {
		const struct service_name *s = &run->options->names[i];

		if (!str_glob(c->origin->group, s->group) &&
		    !str_glob(c->origin->stem, s->group) &&
		    !str_glob(c->origin->path, s->group))
			continue;
		run->result->names_used[i] = true;
		if (name->given)
			continue;
		name->name = s->name;
		name->rule = words(s, "for", s->group, "");
		name->given = s;
	}
}

/* The trace canon most of whose found requests are in this log; NULL. */
static const struct vote *
voted(const struct run *run, const struct votes *votes, uint32_t log,
    const uint64_t *found)
{
	const struct vote *best = NULL;

	for (size_t i = 0; i < votes->cap; i++) {
		const struct vote *v = &votes->v[i];

		if (v->n < 3 || v->log != log ||
		    run->canons[v->trace].origin->kind != ORIGIN_TRACE ||
		    v->n * 5 < found[v->trace] ||
		    found[v->trace] * 2 < votes->segments[v->trace])
			continue;
		if (!best || v->n > best->n ||
		    (v->n == best->n && v->trace < best->trace))
			best = v;
	}
	return best;
}

/* ": 2,100 of 2,569 requests are in its log" */
static char *
words_voted(const struct naming *name, const char *before, struct str s,
    const struct votes *votes, const struct vote *v)
{
	struct buf after = { 0 };
	char *all;

	buf_printf(&after, ": %llu of %llu requests are in its log",
	    (unsigned long long)v->n,
	    (unsigned long long)votes->segments[v->trace]);
	all = words(name->given, before, s, buf_cstr(&after));
	buf_fini(&after);
	return all;
}

/* After its segments, whatever those are called by now. */
static bool
name_voted(const struct run *run, const struct votes *votes,
    const uint64_t *found, const struct naming *names, struct naming *name)
{
	const struct vote *v = voted(run, votes, name->canon, found);

	if (!v)
		return false;
	name->name = names[v->trace].name;
	name->rule = words_voted(&names[v->trace],
	    names[v->trace].given ? "for the segments of"
				  : "after the segments of",
	    run->canons[v->trace].origin->stem, votes, v);
	return true;
}

/*
 * A name that was given to a log is its program's: the segments of the same
 * requests get it, unless they were given one.  Of several such logs the one
 * with most of them, then the first.
 */
static void
name_like_logs(const struct run *run, const struct votes *votes,
    const uint64_t *found, struct naming *names)
{
	const struct vote **by = xcalloc(run->n_canons, sizeof *by);

	for (uint32_t i = 0; i < run->n_canons; i++) {
		const struct vote *v =
		    names[i].given ? voted(run, votes, i, found) : NULL;

		if (v && !names[v->trace].given &&
		    (!by[v->trace] || v->n > by[v->trace]->n))
			by[v->trace] = v;
	}
	for (uint32_t i = 0; i < run->n_canons; i++) {
		if (!by[i])
			continue;
		names[i].name = names[by[i]->log].name;
		names[i].given = names[by[i]->log].given;
		free(names[i].rule);
		names[i].rule = words_voted(&names[i], "for the log of",
		    run->canons[i].origin->stem, votes, by[i]);
	}
	free(by);
}

static void
name_by_text(struct canon *c, struct naming *name)
{
	const struct origin *o = c->origin;
	struct buf b = { 0 };
	struct str of = o->group.n ? o->group : o->stem.n ? o->stem : o->path;

	name_readable(&b, o->group, o->stem, o->path);
	buf_cstr(&b);
	c->readable = b.p;
	name->name = buf_view(&b);
	name->rule = words(NULL,
	    o->group.n  ? "after the log group"
	    : o->stem.n ? "after the log stream"
			: "after the path",
	    of, "");
}

/* The origin of all that are beyond the limit. */
static char *
other_rule(void)
{
	struct buf b = { 0 };

	buf_printf(&b, "for what is left of more than %d streams and services",
	    LEAST_MAX);
	buf_cstr(&b);
	return b.p;
}

static struct naming *
name_canons(struct run *run, const struct votes *votes)
{
	struct naming *names = xcalloc(run->n_canons, sizeof *names);
	uint64_t *found = xcalloc(run->n_canons, sizeof *found);

	for (size_t i = 0; i < votes->cap; i++)
		if (votes->v[i].n)
			found[votes->v[i].trace] += votes->v[i].n;
	for (uint32_t i = 0; i < run->n_canons; i++) {
		struct canon *c = &run->canons[i];

		names[i].canon = i;
		if (c->origin->kind == ORIGIN_OTHER)
			names[i] = (struct naming){ .name = STR("other"),
				.rule = other_rule(),
				.canon = i };
		else
			name_configured(run, c, &names[i]);
		if (names[i].given || c->origin->kind != ORIGIN_TRACE)
			continue;
		names[i].name = c->origin->stem;
		names[i].rule =
		    words(NULL, "as its segments say:", c->origin->stem, "");
	}
	name_like_logs(run, votes, found, names);
	for (uint32_t i = 0; i < run->n_canons; i++)
		if (!names[i].rule &&
		    !name_voted(run, votes, found, names, &names[i]))
			name_by_text(&run->canons[i], &names[i]);
	free(found);
	return names;
}

/* For who reads the traces again. */
static void
note_renamed(struct run *run, const struct naming *names)
{
	struct replay_result *r = run->result;

	r->renamed = xcalloc(run->n_canons, sizeof *r->renamed);
	for (size_t i = 0; i < run->n_canons; i++) {
		const struct origin *o = run->canons[i].origin;
		struct replay_renamed *one = &r->renamed[r->n_renamed];

		if (o->kind != ORIGIN_TRACE || !names[i].given)
			continue;
		one->from = xcalloc(o->stem.n + 1, 1);
		if (o->stem.n > 0)
			memcpy(one->from, o->stem.p, o->stem.n);
		one->to = names[i].name;
		r->n_renamed++;
	}
}

static int
by_name(const void *a, const void *b)
{
	const struct naming *x = a;
	const struct naming *y = b;
	int c = str_cmp(x->name, y->name);

	return c ? c : x->canon < y->canon ? -1 : x->canon > y->canon;
}

/* Of a service's origins the log's rule is told, the first by key. */
static void
make_services(struct run *run, struct naming *names)
{
	if (run->n_canons > 0)
		qsort(names, run->n_canons, sizeof *names, by_name);
	run->services = xcalloc(run->n_canons, sizeof *run->services);
	for (size_t i = 0; i < run->n_canons; i++) {
		struct service *s;

		if (i == 0 || !str_eq(names[i - 1].name, names[i].name)) {
			s = &run->services[run->n_services++];
			*s = (struct service){ .name = names[i].name,
				.rule = names[i].rule,
				.routes = routes_new(),
				.first_ns = WHEN_NONE,
				.last_ns = WHEN_NONE };
		} else {
			free(names[i].rule);
		}
		run->canons[names[i].canon].service =
		    (uint32_t)run->n_services - 1;
	}
}

static void
take_origin(struct run *run, const struct origin *o, struct origin_map *map)
{
	struct service *s;

	map->service = run->canons[map->canon].service;
	s = &run->services[map->service];
	map->routes = xcalloc(routes_count(o->routes), sizeof *map->routes);
	routes_merge(s->routes, o->routes, map->routes);
	s->logs += o->logs;
	if (o->first_ns == WHEN_NONE)
		return;
	if (s->first_ns == WHEN_NONE || o->first_ns < s->first_ns)
		s->first_ns = o->first_ns;
	if (s->last_ns == WHEN_NONE || o->last_ns > s->last_ns)
		s->last_ns = o->last_ns;
}

/* Which limit each route and method has, where there is a choice. */
static void
find_limits(const struct thresholds *t, struct service *s)
{
	if (t->n_limits == 1)
		return;
	s->limits = xcalloc(s->n_routes, sizeof *s->limits);
	for (uint32_t i = 0; i < s->n_routes; i++) {
		for (int m = 0; m < METHODS; m++) {
			const struct judged judged = { "slow-request", s->name,
				s->texts[i], (enum method)m };
			struct gates g;

			thresholds_of(t, &judged, &g);
			s->limits[i][m] = (uint8_t)g.limit;
		}
	}
}

int
service_limit(const struct service *s, uint32_t route, enum method method)
{
	return s->limits ? s->limits[route][method] : 0;
}

static void
finish_routes(struct service *s)
{
	s->n_routes = routes_count(s->routes);
	s->final = xcalloc(s->n_routes, sizeof *s->final);
	s->texts = xcalloc(s->n_routes, sizeof *s->texts);
	for (uint32_t i = 0; i < s->n_routes; i++) {
		s->final[i] = routes_final(s->routes, i);
		s->texts[s->final[i]] = routes_text(s->routes, s->final[i]);
	}
}

int
name_services(struct run *run, struct err *err)
{
	struct votes votes = { 0 };
	struct naming *names;
	int rc = 0;

	number_origins(run);
	run->result->names_used =
	    xcalloc(run->options->n_names + 1, sizeof *run->result->names_used);
	votes.segments = xcalloc(run->n_canons, sizeof *votes.segments);
	if (run->plan.rows)
		rc = join_votes(run, &votes, err);
	if (rc == 0) {
		names = name_canons(run, &votes);
		note_renamed(run, names);
		make_services(run, names);
		free(names);
	}
	free(votes.v);
	free(votes.segments);
	if (rc != 0)
		return -1;
	for (int i = 0; i < run->threads; i++) {
		struct tally *t = &run->workers[i].tally;

		for (size_t o = 0; o < t->n_origins; o++)
			take_origin(run, &t->origins[o], &run->maps[i][o]);
	}
	for (size_t i = 0; i < run->n_services; i++) {
		finish_routes(&run->services[i]);
		find_limits(&run->options->judge.thresholds, &run->services[i]);
	}
	return 0;
}

uint32_t
service_of(const struct run *run, const struct origin_name *name)
{
	struct buf key = { 0 };
	size_t lo = 0;
	size_t hi = run->n_canons;

	origin_key(&key, name);
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (str_cmp(run->canons[mid].origin->key, buf_view(&key)) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	buf_fini(&key);
	assert(lo < run->n_canons);
	return run->canons[lo].service;
}

void
services_fini(struct run *run)
{
	for (int i = 0; i < run->threads && run->maps; i++) {
		struct tally *t = &run->workers[i].tally;

		for (size_t o = 0; o < t->n_origins && run->maps[i]; o++)
			free(run->maps[i][o].routes);
		free(run->maps[i]);
	}
	for (size_t i = 0; i < run->n_services; i++) {
		routes_free(run->services[i].routes);
		free(run->services[i].rule);
		free(run->services[i].final);
		free(run->services[i].texts);
		free(run->services[i].limits);
	}
	for (size_t i = 0; i < run->n_canons; i++)
		free(run->canons[i].readable);
	free(run->maps);
	free(run->services);
	free(run->canons);
	run->maps = NULL;
	run->services = NULL;
	run->canons = NULL;
	run->n_services = run->n_canons = 0;
}
