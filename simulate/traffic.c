/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What arrives, and when: each source fires, sends its request and says when it
 * fires next.
 *
 * Clients are a Poisson stream whose rate is looked at from gap to gap.  Probes
 * have a timer of their own, which drifts by some millionths and jitters by a
 * few milliseconds, as balancers' do.
 */
#include <string.h>

#include "simulate/world.h"

enum {
	CLIENTS = 550,     /* addresses of the documentation's networks */
	JITTER_US = 4000,  /* of a probe */
	DRIFT_PPM = 40,    /* of its timer */
	BURST_MS = 250,    /* between two messages of SNS */
	NUMBERS = 100000,  /* of '%' in a fleet */
	FEW_NUMBERS = 200, /* and elsewhere */
};

static const char health_agent[] = "ELB-HealthChecker/2.0";
static const char kube_agent[] = "kube-probe/1.21+";

static const char *const scanned[] = { "wp-login.php", ".env", ".git/config",
	"phpmyadmin/index.php", "admin/login", "xmlrpc.php", "cgi-bin/luci",
	"actuator/env", "vendor/phpunit/eval-stdin.php", "backup.zip",
	"server-status", "console/login" };
enum { SCANNED = sizeof scanned / sizeof scanned[0] };

/* Three networks that are nobody's (RFC 5737). */
static uint32_t
client_ip(uint32_t n)
{
	static const uint32_t nets[3] = { 0xC0000200, 0xC6336400, 0xCB007100 };

	return nets[n % 3] + 1 + n / 3 % 250;
}

uint32_t
traffic_node(const struct world *w, struct chance *r)
{
	return w->nodes[chance_below(r, 2)];
}

static void
put_text(struct request *r, const char *text)
{
	size_t n = strlen(text);

	if (n > (size_t)(PATH_MAX_SIM - r->path_n))
		n = (size_t)(PATH_MAX_SIM - r->path_n);
	memcpy(r->path + r->path_n, text, n);
	r->path_n += (int)n;
}

static void
put_number(struct request *r, uint32_t n)
{
	char digits[16];
	int at = sizeof digits - 1;

	digits[at] = '\0';
	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	put_text(r, digits + at);
}

static const char *
draw_id(const struct world *w, struct request *r)
{
	if (r->doomed && w->workshop->broken_id)
		return w->workshop->broken_id;
	return w->workshop->ids[chance_below(&r->chance, w->n_ids)];
}

void
traffic_path(const struct world *w, struct request *r,
    const struct route *route)
{
	const struct workshop *ws = w->workshop;
	const struct request *from = r->parent;

	r->path_n = 0;
	for (const char *p = route->path; *p; p++) {
		if (*p == '#') {
			const char *id = draw_id(w, r);
			struct str have = from ? (struct str){ from->path,
				(size_t)from->path_n }
					       : (struct str){ 0 };

			/* A call is about what was asked for. */
			for (int i = 0; from && ws->ids[i]; i++)
				if (str_find_str(have, str_of(ws->ids[i])) !=
				    SIZE_MAX)
					id = ws->ids[i];
			put_text(r, id);
		} else if (*p == '%') {
			put_number(r,
			    1 + chance_below(&r->chance,
				    ws->repeated ? NUMBERS : FEW_NUMBERS));
		} else if (r->path_n < PATH_MAX_SIM) {
			r->path[r->path_n++] = *p;
		}
	}
}

static void
fire_at(struct world *w, struct source *s, int64_t at)
{
	if (at < w->end)
		world_push(w, at,
		    (struct event){ .kind = EVENT_SOURCE, .of.source = s });
}

static struct source *
add(struct world *w, struct source s)
{
	struct source *made = xcalloc(1, sizeof *made);

	w->sources = xgrow(w->sources, w->n_sources + 1, &w->cap_sources,
	    sizeof(struct source *));
	*made = s;
	w->sources[w->n_sources++] = made;
	return made;
}

/* A request of a client's, that comes through the balancer. */
static struct request *
from_client(struct world *w, struct source *s)
{
	struct request *r = request_new(w);

	r->chance.at = chance_next(&s->chance);
	r->peer = traffic_node(w, &r->chance);
	r->client = client_ip(chance_below(&r->chance, CLIENTS));
	r->agent = w->workshop->agents[chance_below(&r->chance, w->n_agents)];
	s->made++;
	return r;
}

static void
ask(struct world *w, struct request *r, int service, int route)
{
	r->service = &w->services[service];
	r->route = &r->service->routes[route];
	r->method = r->route->method;
	r->doomed = incident_dooms(w, r);
	traffic_path(w, r, r->route);
	request_send(w, r);
}

static void
fire_clients(struct world *w, struct source *s)
{
	struct request *r = from_client(w, s);
	const struct choice *c =
	    &w->choices[chance_below(&r->chance, w->n_choices)];
	/* The mean gap: 1e15 ns over millionths a second and thousandths. */
	int64_t per_s = w->rate_micro * incidents_load(w) / 1000;

	ask(w, r, c->service, c->route);
	fire_at(w, s,
	    w->now + 1 +
		chance_gap(&s->chance,
		    INT64_C(1000000000000000) / (per_s > 0 ? per_s : 1)));
}

/* SNS: at :00 and :30 a message to every subscriber, as many times as the rate
 * says, one after the other. */
static void
fire_burst(struct world *w, struct source *s)
{
	int64_t many = w->rate_micro * incidents_load(w) / 1000 * 30 / 1000000;
	const struct choice *c = &w->choices[s->made % w->n_choices];
	int64_t gap = chance_gap(&s->chance,
	    BURST_MS * NS_PER_MS / (many > 30 ? many / 30 : 1));

	ask(w, from_client(w, s), c->service, c->route);
	if ((int64_t)s->made % (many > 0 ? many : 1) == 0) {
		s->base += 30 * NS_PER_SEC;
		fire_at(w, s, s->base + gap);
	} else {
		fire_at(w, s, w->now + 1 + gap);
	}
}

static void
fire_probe(struct world *w, struct source *s)
{
	struct task *t = s->task;
	const struct probing *p = &t->service->probing;
	struct request *r;

	if (t->down)
		return;
	r = request_new(w);
	r->chance.at = chance_next(&s->chance);
	r->service = t->service;
	r->route = &r->service->routes[p->route];
	r->method = r->route->method;
	r->task = t;
	r->peer = r->client = s->peer;
	r->agent = p->kubelet ? kube_agent : health_agent;
	r->verdict = VERDICT_PROBE;
	r->direct = true;
	traffic_path(w, r, r->route);
	s->base += s->period;
	fire_at(w, s,
	    s->base + chance_below(&s->chance, JITTER_US) * INT64_C(1000));
	request_send(w, r);
}

static void
fire_scan(struct world *w, struct source *s)
{
	const struct incident_kind *k = s->incident->kind;
	struct request *r = from_client(w, s);
	uint32_t path = (uint32_t)s->made;

	if (!incident_on(s->incident, w->now) || path > (uint32_t)k->paths) {
		/* No more; the request was not sent. */
		r->next = w->free;
		w->free = r;
		return;
	}
	r->client = 0xC0000200 + 251 + s->peer % 4;
	if (k->clients > 1)
		r->client = client_ip(CLIENTS + path % (uint32_t)k->clients);
	r->agent = "Mozilla/5.0 zgrab/0.x";
	r->method = "GET";
	r->service = &w->services[w->workshop->front];
	/* The list again in the next place: each path is asked for once. */
	if (path >= SCANNED) {
		put_text(r, "/site");
		put_number(r, path / SCANNED);
	}
	put_text(r, "/");
	put_text(r, scanned[path % SCANNED]);
	r->hit = s->incident;
	s->incident->total++;
	request_send(w, r);
	fire_at(w, s,
	    w->now + 1 + chance_gap(&s->chance, k->every_ms * NS_PER_MS));
}

static void
fire_hammer(struct world *w, struct source *s)
{
	struct request *r;

	if (!incident_on(s->incident, w->now))
		return;
	r = from_client(w, s);
	r->client = 0xC6336400 + 251;
	r->agent = "okhttp/3.12.0";
	r->method = "GET";
	r->service = &w->services[w->workshop->front];
	put_text(r, "/static/app.5f0c1e.js");
	r->hit = s->incident;
	s->incident->total++;
	request_send(w, r);
	fire_at(w, s,
	    w->now + 1 +
		chance_gap(&s->chance,
		    s->incident->kind->every_ms * NS_PER_MS));
}

/* People, or a job, on the path that is probed. */
static void
fire_root(struct world *w, struct source *s)
{
	struct incident *i = s->incident;
	struct request *r;

	if (!incident_on(i, w->now))
		return;
	r = from_client(w, s);
	r->hit = i;
	i->total++;
	if (s->kind == SOURCE_POLL) {
		r->peer = r->client = s->peer;
		r->agent = "python-requests/2.20.1";
		r->direct = true;
		ask(w, r, i->at.service, i->at.route);
		s->base += s->period;
		fire_at(w, s,
		    s->base + chance_below(&s->chance, 20000) * INT64_C(1000));
		return;
	}
	ask(w, r, i->at.service, i->at.route);
	fire_at(w, s,
	    w->now + 1 + chance_gap(&s->chance, i->kind->every_ms * NS_PER_MS));
}

static void
fire_words(struct world *w, struct source *s)
{
	struct incident *i = s->incident;

	if (!incident_on(i, w->now))
		return;
	for (size_t n = 0; n < w->n_tasks; n++) {
		struct task *t = w->tasks[n];

		if (t->up && !t->hung &&
		    t->service == &w->services[w->workshop->main.service])
			print_say(w, t, LEVEL_ERROR, 12, i->kind->cause);
	}
	i->total++;
	fire_at(w, s,
	    w->now + 1 + chance_gap(&s->chance, i->kind->every_ms * NS_PER_MS));
}

void
traffic_fire(struct world *w, struct source *s)
{
	switch (s->kind) {
	case SOURCE_CLIENTS:
		fire_clients(w, s);
		break;
	case SOURCE_BURST:
		fire_burst(w, s);
		break;
	case SOURCE_PROBE:
		fire_probe(w, s);
		break;
	case SOURCE_SCAN:
		fire_scan(w, s);
		break;
	case SOURCE_HAMMER:
		fire_hammer(w, s);
		break;
	case SOURCE_ROOT:
	case SOURCE_POLL:
		fire_root(w, s);
		break;
	case SOURCE_WORDS:
		fire_words(w, s);
		break;
	}
}

void
traffic_probe(struct world *w, struct task *t)
{
	const struct probing *p = &t->service->probing;

	for (uint32_t i = 0; i < 2; i++) {
		int interval = p->interval_s[p->kubelet ? i : 0];
		struct source *s;

		if (interval == 0)
			continue;
		s = add(w, (struct source){ .kind = SOURCE_PROBE, .task = t });
		s->chance = chance_stream(w->options->seed,
		    (UINT64_C(2) << 56) | (t->ordinal * 2 + i));
		s->period = interval * NS_PER_SEC;
		s->period += s->period / 1000000 *
			     ((int64_t)chance_below(&s->chance, 2 * DRIFT_PPM) -
				 DRIFT_PPM);
		s->peer = p->kubelet ? t->host_ip : w->nodes[i];
		/* A balancer asks soon; then at its own pace. */
		s->base = w->now +
			  chance_below(&s->chance, (uint32_t)interval * 1000) *
			      NS_PER_MS;
		fire_at(w, s, s->base);
	}
}

static enum source_kind
source_of(enum effect e)
{
	switch (e) {
	case EFFECT_SCAN:
		return SOURCE_SCAN;
	case EFFECT_HAMMER:
		return SOURCE_HAMMER;
	case EFFECT_ROOT:
		return SOURCE_ROOT;
	case EFFECT_POLL:
		return SOURCE_POLL;
	case EFFECT_WORDS:
		return SOURCE_WORDS;
	case EFFECT_NONE:
	case EFFECT_DELAY:
	case EFFECT_STATUS:
	case EFFECT_THROTTLE:
	case EFFECT_MASK:
	case EFFECT_CHAOS:
	case EFFECT_HANG:
	case EFFECT_LEAVE:
	case EFFECT_LOSE:
	case EFFECT_SERIAL:
	case EFFECT_SURGE:
	case EFFECT_RHYTHM:
		break;
	}
	return SOURCE_CLIENTS;
}

/* Every route of a client, as often as it weighs. */
static void
weigh(struct world *w)
{
	size_t cap = 0;

	for (int s = 0; s < w->n_services; s++)
		for (int r = 0; r < w->services[s].n_routes; r++)
			for (int i = 0; i < w->services[s].routes[r].weight;
			     i++) {
				w->choices = xgrow(w->choices, w->n_choices + 1,
				    &cap, sizeof *w->choices);
				w->choices[w->n_choices++] = (struct choice){
					(uint16_t)s,
					(uint16_t)r,
				};
			}
}

void
traffic_begin(struct world *w)
{
	bool bursts = w->workshop->bursts;
	struct source *s = add(w,
	    (struct source){ .kind = bursts ? SOURCE_BURST : SOURCE_CLIENTS,
		.base = w->start });

	weigh(w);
	s->chance = chance_stream(w->options->seed, UINT64_C(1) << 56);
	if (bursts)
		s->base += 30 * NS_PER_SEC - w->start % (30 * NS_PER_SEC);
	fire_at(w, s, bursts ? s->base : w->start);
	for (size_t n = 0; n < w->n_incidents; n++) {
		struct incident *i = &w->incidents[n];
		enum source_kind kind = source_of(i->kind->effect);

		if (kind == SOURCE_CLIENTS)
			continue;
		s = add(w, (struct source){ .kind = kind,
			       .incident = i,
			       .base = i->start,
			       .period = i->kind->every_ms * NS_PER_MS,
			       .peer = ip_of("10.0.7.31") + (uint32_t)n });
		s->chance =
		    chance_stream(w->options->seed, (UINT64_C(3) << 56) | n);
		fire_at(w, s, i->start);
	}
}
