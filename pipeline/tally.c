/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counting, as short as it can be: a request costs two array look-ups and a
 * dozen additions.  Nothing here depends on the order of what is counted
 * except which partial cells are handed out, and those are added up again.
 */
#include "pipeline/tally.h"

#include <stdlib.h>

#include "core/hash.h"
#include "core/mem.h"

void
tally_init(struct tally *t, uint32_t number,
    const struct thresholds *thresholds, size_t cells_bytes)
{
	*t = (struct tally){ .number = number, .thresholds = thresholds };
	t->n_slots = 64;
	t->slots = xcalloc(t->n_slots, sizeof *t->slots);
	t->cells = spill_new(sizeof(struct cell_record), cells_bytes);
}

void
tally_fini(struct tally *t)
{
	for (size_t i = 0; i < t->n_origins; i++) {
		union {
			const char *in;
			char *out;
		} key = { .in = t->origins[i].key.p };

		free(key.out);
		free(t->origins[i].series);
		routes_free(t->origins[i].routes);
	}
	for (size_t i = 0; i < t->n_series; i++)
		histogram_fini(&t->series[i].latency);
	free(t->origins);
	free(t->slots);
	free(t->series);
	spill_free(t->cells);
	*t = (struct tally){ 0 };
}

/* The parts are held apart by NUL, which none of them may smuggle in. */
void
origin_key(struct buf *b, const struct origin_name *name)
{
	const struct str parts[] = { name->group, name->stem, name->path };

	buf_char(b, "lto"[name->kind]);
	for (int i = 0; i < 3; i++) {
		for (size_t k = 0; k < parts[i].n; k++)
			buf_char(b, parts[i].p[k] ? parts[i].p[k] : ' ');
		buf_char(b, '\0');
	}
}

static void
slots_grow(struct tally *t)
{
	size_t n = t->n_slots * 2;
	uint32_t *slots = xcalloc(n, sizeof *slots);

	for (size_t i = 0; i < t->n_origins; i++) {
		size_t at = hash64(t->origins[i].key) & (n - 1);

		while (slots[at])
			at = (at + 1) & (n - 1);
		slots[at] = (uint32_t)i + 1;
	}
	free(t->slots);
	t->slots = slots;
	t->n_slots = n;
}

static void
origin_init(struct origin *o, const struct origin_name *name, struct str key)
{
	*o = (struct origin){
		.kind = name->kind,
		.key = key,
		.hash = hash64(key),
		.first_ns = WHEN_NONE,
		.last_ns = WHEN_NONE,
	};
	o->group = str_sub(key, 1, name->group.n);
	o->stem = str_sub(key, name->group.n + 2, name->stem.n);
	o->path = str_sub(key, name->group.n + name->stem.n + 3, name->path.n);
	o->routes = routes_new();
}

uint32_t
tally_origin(struct tally *t, const struct origin_name *name)
{
	struct buf b = { 0 };
	size_t at;

	origin_key(&b, name);
	at = hash64(buf_view(&b)) & (t->n_slots - 1);
	while (t->slots[at]) {
		uint32_t i = t->slots[at] - 1;

		if (str_eq(t->origins[i].key, buf_view(&b))) {
			buf_fini(&b);
			return i;
		}
		at = (at + 1) & (t->n_slots - 1);
	}
	t->origins = xgrow(t->origins, t->n_origins + 1, &t->cap_origins,
	    sizeof *t->origins);
	origin_init(&t->origins[t->n_origins++], name, buf_view(&b));
	t->slots[at] = (uint32_t)t->n_origins;
	if (t->n_origins * 2 > t->n_slots)
		slots_grow(t);
	return (uint32_t)t->n_origins - 1;
}

static struct series *
series_new(struct tally *t, uint32_t origin, uint32_t route, enum method m)
{
	struct origin *o = &t->origins[origin];

	if (route >= o->n_series_routes) {
		size_t n = o->n_series_routes ? o->n_series_routes : 8;

		while (n <= route)
			n *= 2;
		o->series = xrealloc(o->series, n, sizeof *o->series);
		memset(o->series + o->n_series_routes, 0,
		    (n - o->n_series_routes) * sizeof *o->series);
		o->n_series_routes = n;
	}
	t->series = xgrow(t->series, t->n_series + 1, &t->cap_series,
	    sizeof *t->series);
	t->series[t->n_series] = (struct series){
		.origin = origin,
		.route = route,
		.method = m,
	};
	o->series[route][m] = (uint32_t)++t->n_series;
	return &t->series[t->n_series - 1];
}

static int
hand_out(struct tally *t, struct cell *cell, struct err *err)
{
	struct cell_record r = { .cell = *cell };

	r.key.hi = spill_time(cell->key.cell);
	r.key.lo = (uint64_t)cell->key.origin << 32 | cell->key.route;
	*cell = (struct cell){ 0 };
	return spill_put(t->cells, &r.key, err);
}

/* The open cell of a time; NULL: the disk is full. */
static struct cell *
cell_at(struct tally *t, struct series *s, int64_t ts_ns, struct err *err)
{
	int64_t index = cell_of(ts_ns);
	struct cell *c = &s->open[index & 1];

	if ((c->n || c->probes) && c->key.cell == index)
		return c;
	if ((c->n || c->probes) && hand_out(t, c, err) != 0)
		return NULL;
	c->key = (struct cell_key){
		.cell = index,
		.origin = t->number << ORIGIN_BITS | s->origin,
		.route = s->route,
		.method = s->method,
	};
	return c;
}

static int
status_class(int status)
{
	return status >= 100 && status < 600 ? status / 100 : 0;
}

static void
add_probe(struct series *s, struct cell *c, const struct hit *hit)
{
	bool bad = hit->status >= 400;

	s->probes += hit->class == CLASS_PROBE;
	s->probes_bad += bad;
	c->probes++;
	c->probes_bad += bad;
	if (bad)
		example_min(&c->example[EXAMPLE_PROBE], &hit->example);
}

static void
add_client(struct series *s, struct cell *c, const struct hit *hit)
{
	int class = status_class(hit->status);
	bool missing = hit->status == 404 || hit->status == 410;

	s->n++;
	s->undated += hit->ts_ns == WHEN_NONE;
	s->status[class]++;
	s->not_found += missing;
	s->from_traces += hit->from_trace;
	s->in_both += hit->in_both;
	c->n++;
	c->status[class]++;
	c->not_found += missing;
	if (missing)
		example_min(&c->example[EXAMPLE_NOT_FOUND], &hit->example);
	if (class == 5)
		example_min(&c->example[EXAMPLE_SERVER_ERROR], &hit->example);
}

/* What the rules about answers leave to that about probes. */
static void
add_probable(struct series *s, struct cell *c, const struct hit *hit)
{
	int class = status_class(hit->status);

	s->probable++;
	c->probable.n += class != 0;
	c->probable.not_found += hit->status == 404 || hit->status == 410;
	c->probable.failed += class == 5;
}

/* Only a segment can say that a request failed behind its answer. */
static void
add_traced(struct cell *c, const struct hit *hit)
{
	int class = status_class(hit->status);

	if ((!hit->from_trace && !hit->in_both) || (class != 2 && class != 3))
		return;
	c->traced++;
	c->masked += hit->masked;
	if (hit->masked)
		example_min(&c->example[EXAMPLE_MASKED], &hit->example);
}

static void
add_time(const struct tally *t, struct series *s, struct cell *c,
    const struct hit *hit)
{
	uint32_t bin = histogram_add(&s->latency, hit->duration_ns);

	c->pace[pace_bin(bin)]++;
	c->timed++;
	c->sum_us += (uint64_t)(hit->duration_ns / 1000);
	c->slow += hit->duration_ns > t->thresholds->limits[0];
	for (size_t i = 1; i < t->thresholds->n_limits; i++)
		c->over[i - 1] += hit->duration_ns > t->thresholds->limits[i];
	cell_slowest(c, hit->duration_ns, &hit->example);
}

int
tally_hit(struct tally *t, uint32_t origin, uint32_t route,
    const struct hit *hit, struct err *err)
{
	struct origin *o = &t->origins[origin];
	uint32_t number =
	    route < o->n_series_routes ? o->series[route][hit->method] : 0;
	struct series *s = number ? &t->series[number - 1]
				  : series_new(t, origin, route, hit->method);
	struct cell *c = &t->undated;

	if (hit->ts_ns != WHEN_NONE) {
		c = cell_at(t, s, hit->ts_ns, err);
		if (!c)
			return -1;
	}
	if (hit->class != CLASS_CLIENT)
		add_probe(s, c, hit);
	if (hit->class == CLASS_PROBABLE_PROBE)
		add_probable(s, c, hit);
	if (hit->class != CLASS_PROBE)
		add_client(s, c, hit);
	if (hit->class == CLASS_CLIENT)
		add_traced(c, hit);
	if (hit->class == CLASS_CLIENT && hit->duration_ns >= 0)
		add_time(t, s, c, hit);
	return 0;
}

int
tally_missing(struct tally *t, const struct cell_key *key,
    const struct example *last, struct err *err)
{
	struct cell c = { .key = *key, .missing = 1 };

	c.key.origin |= t->number << ORIGIN_BITS;
	c.example[EXAMPLE_PROBE] = *last;
	return hand_out(t, &c, err);
}

int
tally_seal(struct tally *t, struct err *err)
{
	for (size_t i = 0; i < t->n_series; i++) {
		for (int k = 0; k < 2; k++) {
			struct cell *c = &t->series[i].open[k];

			if ((c->n || c->probes) && hand_out(t, c, err) != 0)
				return -1;
		}
	}
	spill_seal(t->cells);
	return 0;
}
