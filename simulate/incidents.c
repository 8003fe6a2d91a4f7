/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an incident does, as its row of the catalogue says.
 *
 * Whether a request is struck is drawn from the incident's own stream of
 * chance, when a worker takes the request.
 */
#include <string.h>

#include "core/opt.h"
#include "simulate/world.h"

/* A day's load in thousandths of its mean, hour by hour, UTC. */
static const int16_t day[25] = { 700, 560, 470, 420, 410, 460, 580, 760, 960,
	1140, 1260, 1330, 1370, 1380, 1360, 1320, 1290, 1300, 1350, 1400, 1370,
	1240, 1050, 870, 700 };

enum { HOUR_S = 3600, DAY_S = 24 * HOUR_S };

bool
incident_on(const struct incident *i, int64_t at)
{
	return at >= i->start && at < i->end;
}

static struct point
place(const struct workshop *w, const struct incident_kind *k)
{
	switch (k->where) {
	case AT_DEPENDENCY:
		return w->dependency;
	case AT_AWS:
		return w->aws;
	case AT_PROBES:
	case AT_SERVICE: /* it shows where the service is probed */
		return (struct point){ w->main.service,
			w->services[w->main.service].probing.route };
	case AT_MAIN:
		break;
	}
	if (k->effect >= EFFECT_SCAN)
		return (struct point){ w->front,
			w->services[w->front].probing.route };
	return w->main;
}

static const struct incident_kind *
find(struct str name)
{
	for (int i = 0; i < incident_count; i++)
		if (str_eq(name, str_of(incident_table[i].name)))
			return &incident_table[i];
	return NULL;
}

static int
unknown(struct str name, struct err *err)
{
	const char *names[64];
	int near;

	for (int i = 0; i < incident_count; i++)
		names[i] = incident_table[i].name;
	near = opt_nearest(name, names, (size_t)incident_count);
	if (near >= 0)
		return err_set(err,
		    "there is no incident '%.*s'; did you mean '%s'?",
		    STR_ARG(name), names[near]);
	return err_set(err,
	    "there is no incident '%.*s'; --catalogue lists "
	    "them",
	    STR_ARG(name));
}

/* TIME, a span from the start or a moment, and "+SPAN" behind it. */
static int
read_when(const struct world *w, struct str when, struct incident *i,
    struct err *err)
{
	struct str at = when;
	struct str span = { 0 };
	int64_t ns;

	if (str_cut(&when, '+', &at))
		span = when;
	if (when_span(at, &ns))
		i->start = w->start + ns;
	else if (when_user(at, &ns))
		i->start = ns;
	else
		return err_set(err,
		    "'%.*s' is no time: 20m after the start, or a moment",
		    STR_ARG(at));
	if (span.n > 0 && !when_span(span, &ns))
		return err_set(err, "'%.*s' is no span of time: 90s, 10m",
		    STR_ARG(span));
	if (span.n > 0)
		i->end = i->start + ns;
	return 0;
}

/* Whether the workshop has nothing for it to strike. */
static bool
lacks(const struct world *w, const struct incident *i)
{
	return i->at.route < 0 ||
	       (i->kind->effect == EFFECT_LEAVE &&
		   w->workshop->services[i->at.service].tasks < 2);
}

static int
read_one(struct world *w, const char *text, struct incident *i, struct err *err)
{
	struct str rest = str_of(text);
	struct str name = rest;
	bool timed = str_cut(&rest, '@', &name);
	const struct incident_kind *k = find(name);

	if (!k)
		return unknown(name, err);
	if (k->only && strcmp(k->only, w->workshop->name) != 0)
		return err_set(err, "%s is an incident of %s alone", k->name,
		    k->only);
	i->kind = k;
	i->at = place(w->workshop, k);
	if (lacks(w, i))
		return err_set(err, "%s: the services of %s have no such %s",
		    k->name, w->workshop->name,
		    i->at.route < 0 ? "dependency" : "second task");
	/* What has no span of its own lasts from the start to the end. */
	i->start =
	    k->span_s > 0 ? w->start + (w->end - w->start) / 2 : w->start;
	if (timed && read_when(w, rest, i, err) != 0)
		return -1;
	if (i->end == 0 && k->span_s > 0)
		i->end = i->start + k->span_s * NS_PER_SEC;
	if (i->end == 0 || i->end > w->end)
		i->end = w->end;
	if (i->start < w->start || i->start >= i->end)
		return err_set(err, "%s is not within the run", text);
	return 0;
}

int
incidents_read(struct world *w, struct err *err)
{
	const struct simulate_options *o = w->options;

	w->incidents = xcalloc(o->n_incidents, sizeof *w->incidents);
	w->struck_from = INT64_MAX;
	w->struck_until = INT64_MIN;
	for (size_t n = 0; n < o->n_incidents; n++) {
		struct incident *i = &w->incidents[n];

		if (read_one(w, o->incidents[n], i, err) != 0)
			return -1;
		i->chance = chance_stream(o->seed, (UINT64_C(5) << 56) | n);
		w->n_incidents++;
		if (i->start < w->struck_from)
			w->struck_from = i->start;
		if (i->end > w->struck_until)
			w->struck_until = i->end;
	}
	return 0;
}

/* It is on, and this request is where it strikes. */
static bool
strikes(const struct world *w, const struct incident *i,
    const struct request *r)
{
	const struct service *s = &w->services[i->at.service];
	bool probe = r->verdict != VERDICT_CLIENT;

	if (r->service != s || !incident_on(i, w->now) ||
	    (i->kind->deploy && r->task->incident != i))
		return false;
	if (i->kind->where == AT_PROBES)
		return r->verdict == VERDICT_PROBE;
	return !probe && r->route == &s->routes[i->at.route];
}

static int64_t
delay(const struct world *w, struct incident *i)
{
	const struct incident_kind *k = i->kind;
	int64_t ms = k->delay_ms;

	if (k->spread_ms > 0)
		ms += chance_below(&i->chance, (uint32_t)k->spread_ms);
	if (k->ramp)
		return ms * NS_PER_MS / 1000 *
		       ((w->now - i->start) / ((i->end - i->start) / 1000));
	return ms * NS_PER_MS;
}

/* The route's own work, for what takes a multiple of it. */
static int64_t
own_work(const struct route *route)
{
	int64_t us = 0;

	for (const struct op *op = route->ops; op->kind != OP_END; op++)
		us += op->us;
	return us * 1000;
}

static void
strike(struct world *w, struct incident *i, struct request *r)
{
	const struct incident_kind *k = i->kind;

	i->total++;
	if (k->effect == EFFECT_MASK ? !r->doomed
				     : !chance_ppm(&i->chance, k->share_ppm))
		return;
	switch (k->effect) {
	case EFFECT_DELAY:
	case EFFECT_SERIAL:
		r->extra_ns += delay(w, i);
		if (k->permille > 0)
			r->extra_ns += own_work(r->route) / 1000 * k->permille;
		break;
	case EFFECT_STATUS:
	case EFFECT_MASK:
		r->status = k->status;
		r->failed = true;
		break;
	case EFFECT_NONE:
	case EFFECT_THROTTLE:
	case EFFECT_CHAOS:
	case EFFECT_HANG:
	case EFFECT_LEAVE:
	case EFFECT_LOSE:
	case EFFECT_SCAN:
	case EFFECT_HAMMER:
	case EFFECT_SURGE:
	case EFFECT_RHYTHM:
	case EFFECT_ROOT:
	case EFFECT_POLL:
	case EFFECT_WORDS:
		return;
	}
	r->hit = i;
	if (k->cause)
		print_say(w, r->task, LEVEL_WARNING, 77, k->cause);
}

void
incidents_strike(struct world *w, struct request *r)
{
	if (w->now < w->struck_from || w->now >= w->struck_until || !r->route)
		return;
	for (size_t n = 0; n < w->n_incidents; n++)
		if (w->incidents[n].kind->effect != EFFECT_THROTTLE &&
		    w->incidents[n].kind->effect != EFFECT_CHAOS &&
		    strikes(w, &w->incidents[n], r))
			strike(w, &w->incidents[n], r);
}

void
incident_saw(struct incident *i, const struct request *r, int64_t at)
{
	bool apart = i->kind->effect == EFFECT_CHAOS && r->status == 404;
	struct struck *s = &i->struck[apart ? STRUCK_MISSING : STRUCK_MAIN];

	if (s->n++ == 0)
		s->first = at;
	s->last = at;
}

bool
incident_throttle(struct world *w, struct request *r, struct part *p,
    int64_t *ns)
{
	for (size_t n = 0; n < w->n_incidents; n++) {
		struct incident *i = &w->incidents[n];

		if (i->kind->effect != EFFECT_THROTTLE || !strikes(w, i, r))
			continue;
		i->total++;
		if (!chance_ppm(&i->chance, i->kind->share_ppm))
			continue;
		r->hit = i;
		*ns += delay(w, i);
		/* botocore waits 50 ms·2^k at random between tries. */
		p->retries = *ns > 2500 * NS_PER_MS  ? 9
			     : *ns > 800 * NS_PER_MS ? 6
						     : 4;
		p->status = p->retries == 9 ? 400 : 200;
		return p->retries == 9;
	}
	return false;
}

bool
incidents_lose(const struct world *w)
{
	for (size_t n = 0; n < w->n_incidents; n++)
		if (w->incidents[n].kind->effect == EFFECT_LOSE &&
		    incident_on(&w->incidents[n], w->now))
			return true;
	return false;
}

bool
incident_dooms(struct world *w, const struct request *r)
{
	const struct point *main = &w->workshop->main;

	for (size_t n = 0; n < w->n_incidents; n++) {
		struct incident *i = &w->incidents[n];

		if (i->kind->effect == EFFECT_MASK && incident_on(i, w->now) &&
		    r->service == &w->services[main->service] &&
		    r->route == &r->service->routes[main->route])
			return chance_ppm(&i->chance, i->kind->share_ppm);
	}
	return false;
}

/* The curve of a day at a second of it. */
static int64_t
curve(int64_t second)
{
	int64_t hour = second / HOUR_S;

	return day[hour] +
	       (day[hour + 1] - day[hour]) * (second % HOUR_S) / HOUR_S;
}

/* Its span is a day. */
static int64_t
rhythm(const struct world *w, const struct incident *i)
{
	int64_t part = (w->now - i->start) / ((i->end - i->start) / 1000 + 1);

	return curve(part * DAY_S / 1001);
}

int64_t
incidents_load(const struct world *w)
{
	int64_t load = 1000;

	if (w->workshop->daily)
		load = curve(w->now / NS_PER_SEC % DAY_S);
	for (size_t n = 0; n < w->n_incidents; n++) {
		const struct incident *i = &w->incidents[n];

		if (!incident_on(i, w->now))
			continue;
		if (i->kind->effect == EFFECT_SURGE)
			load *= 4;
		else if (i->kind->effect == EFFECT_RHYTHM)
			load = load * rhythm(w, i) / 1000;
	}
	return load;
}

int64_t
incidents_burden(const struct world *w)
{
	for (size_t n = 0; n < w->n_incidents; n++) {
		const struct incident *i = &w->incidents[n];

		/* 40 % between the quietest and the busiest hour. */
		if (i->kind->effect == EFFECT_RHYTHM && incident_on(i, w->now))
			return 840 + rhythm(w, i) * 2 / 5;
	}
	return 1000;
}
