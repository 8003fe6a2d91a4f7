/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events in order of (time, number), and requests that run their scripts.
 *
 * A request waits in its task's queue until a worker is free, as a listening
 * socket holds connections; what is behind QUEUE others is refused.  A worker
 * keeps it until the answer, also while it waits for a call.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "simulate/world.h"

enum { QUEUE = 512 };

/* What a caller waits for no answer; a refusal comes at once. */
static const int64_t patience_ns = 5 * NS_PER_SEC;
/* One way through the balancer, or between two pods. */
static const int64_t hop_ns = 400000;

static bool
before(const struct event *a, const struct event *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

void
world_push(struct world *w, int64_t at, struct event e)
{
	struct heap *h = &w->heap;
	size_t i = h->n;

	h->v = xgrow(h->v, h->n + 1, &h->cap, sizeof *h->v);
	h->n++;
	e.at = at;
	e.order = h->order++;
	while (i > 0 && before(&e, &h->v[(i - 1) / 2])) {
		h->v[i] = h->v[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	h->v[i] = e;
}

static struct event
pop(struct heap *h)
{
	struct event first = h->v[0];
	struct event last = h->v[--h->n];
	size_t i = 0;

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= h->n)
			break;
		if (child + 1 < h->n && before(&h->v[child + 1], &h->v[child]))
			child++;
		if (!before(&h->v[child], &last))
			break;
		h->v[i] = h->v[child];
		i = child;
	}
	h->v[i] = last;
	return first;
}

struct request *
request_new(struct world *w)
{
	struct request *r = w->free;

	if (r)
		w->free = r->next;
	else
		r = arena_alloc(&w->requests, sizeof *r);
	/* What lies behind it is written before it is read. */
	memset(r, 0, offsetof(struct request, parts));
	return r;
}

static void
release(struct world *w, struct request *r)
{
	r->next = w->free;
	w->free = r;
}

static void
step_at(struct world *w, struct request *r, int64_t at)
{
	world_push(w, at,
	    (struct event){ .kind = EVENT_STEP, .of.request = r });
}

/* No program ever answers this: the caller, or the balancer, does so later. */
void
request_lost(struct world *w, struct request *r, int status, int64_t after)
{
	r->status = status;
	r->task = NULL;
	world_push(w, w->now + after,
	    (struct event){ .kind = EVENT_LATE, .of.request = r });
}

static int
workers(const struct world *w, const struct task *t)
{
	if (w->now < w->struck_from || w->now >= w->struck_until)
		return t->service->workers;
	for (size_t n = 0; n < w->n_incidents; n++) {
		const struct incident *i = &w->incidents[n];

		if (i->kind->effect == EFFECT_SERIAL &&
		    t->service == &w->services[i->at.service] &&
		    incident_on(i, w->now))
			return 1;
	}
	return t->service->workers;
}

/* The SDK's default rule: the first of a second, then one in twenty. */
static void
decide_sampling(struct world *w, struct request *r)
{
	int64_t s = w->now / NS_PER_SEC;

	if (r->service->sdk == SDK_NONE || r->decided)
		return;
	r->decided = true;
	if (r->verdict == VERDICT_PROBE && !r->service->probing.traced)
		return;
	if (r->task->sampled_s != s) {
		r->task->sampled_s = s;
		r->sampled = true;
	} else {
		r->sampled = chance_ppm(&r->chance, 50000);
	}
	r->trace_s = s;
	r->trace[0] = chance_next(&r->chance);
	r->trace[1] = chance_next(&r->chance);
}

static void step(struct world *w, struct request *r);

static void
begin(struct world *w, struct request *r)
{
	struct task *t = r->task;

	t->busy++;
	r->begun = w->now;
	r->id = chance_next(&r->chance);
	decide_sampling(w, r);
	if (!r->route) {
		r->status = 404;
		r->bytes = 207;
		r->op = NULL;
		step_at(w, r, w->now + chance_spread(&r->chance, 400000));
		return;
	}
	r->status = r->route->status;
	r->bytes = r->route->bytes;
	r->op = r->route->ops;
	incidents_strike(w, r);
	/* A router that does not know the route asks nobody. */
	if (r->failed && r->status == 404) {
		r->op = NULL;
		step_at(w, r, w->now + chance_spread(&r->chance, 500000));
		return;
	}
	step(w, r);
}

void
request_send(struct world *w, struct request *r)
{
	struct task *t = r->task;

	r->sent = w->now;
	if (!t)
		t = r->task = task_pick(w, (int)(r->service - w->services));
	if (!t || t->down) {
		request_lost(w, r, 503, NS_PER_MS);
		return;
	}
	if (t->hung) {
		t->failed_probes += r->verdict == VERDICT_PROBE;
		request_lost(w, r, 504, patience_ns);
		return;
	}
	if (t->busy < workers(w, t)) {
		begin(w, r);
		return;
	}
	if (t->queued >= QUEUE) {
		request_lost(w, r, 502, NS_PER_MS);
		return;
	}
	r->next = NULL;
	if (t->tail)
		t->tail->next = r;
	else
		t->head = r;
	t->tail = r;
	t->queued++;
}

/* A worker is free. */
static void
take_next(struct world *w, struct task *t)
{
	while (t->head && t->busy < workers(w, t) && !t->hung) {
		struct request *r = t->head;

		t->head = r->next;
		if (!t->head)
			t->tail = NULL;
		t->queued--;
		begin(w, r);
	}
}

/* The answer is there: the caller goes on. */
static void
answer(struct world *w, struct request *child)
{
	struct request *r = child->parent;
	struct part *p;

	if (!r)
		return;
	p = &r->parts[r->n_parts - 1];
	p->status = child->status;
	p->refused = !child->task;
	if (child->status >= 500 && (p->op->masked || child->doomed)) {
		r->masked = true;
	} else if (child->status >= 500) {
		r->status = 500;
		r->failed = true;
	}
	step_at(w, r, w->now + hop_ns);
}

/* What has a line: totals and labels are of what there is to read. */
static void
count(struct world *w, const struct request *r)
{
	struct service_counts *c = &w->counts[r->service - w->services];

	if (incidents_lose(w))
		return;
	w->totals.requests++;
	w->totals.probes += r->verdict == VERDICT_PROBE;
	if (r->verdict == VERDICT_PROBE)
		c->probes++;
	else if (r->verdict == VERDICT_CASCADE)
		c->cascade++;
	else
		c->requests++;
	c->not_found += r->status == 404;
	c->errors += r->status >= 500;
	c->slow += w->now - r->begun > NS_PER_SEC;
}

static void
finish(struct world *w, struct request *r)
{
	struct task *t = r->task;

	count(w, r);
	if (r->hit)
		incident_saw(r->hit, r, w->now);
	print_access(w, r);
	if (r->sampled && r->service->sdk != SDK_NONE && output_traced(w->out))
		segment_write(w, r);
	if (!r->parent && r->verdict == VERDICT_CLIENT && !r->direct)
		print_balancer(w, r);
	answer(w, r);
	t->busy--;
	release(w, r);
	if (t->head)
		take_next(w, t);
}

static struct part *
part(struct request *r, const struct op *op, int64_t start)
{
	struct part *p = &r->parts[r->n_parts];

	assert(r->n_parts < PARTS);
	r->n_parts++;
	*p = (struct part){ .op = op,
		.id = chance_next(&r->chance),
		.start = start,
		.end = start,
		.status = 200 };
	return p;
}

/* False: what failed calls nobody, and a fleet may end before its service. */
static bool
call(struct world *w, struct request *r, const struct op *op)
{
	const struct workshop *ws = w->workshop;
	/* In a fleet, of the services next to it. */
	int group = ws->repeated ? (int)(r->service - w->services) /
				       ws->n_services * ws->n_services
				 : 0;
	struct part *p;
	struct request *c;

	if (r->failed || group + op->service >= w->n_services)
		return false;
	p = part(r, op, w->now);
	c = request_new(w);
	c->parent = r;
	c->service = &w->services[group + op->service];
	c->chance.at = chance_next(&r->chance);
	c->route = &c->service->routes[op->route];
	c->verdict =
	    r->verdict == VERDICT_CLIENT ? VERDICT_CLIENT : VERDICT_CASCADE;
	c->doomed = r->doomed;
	c->method = c->route->method;
	c->client = r->client;
	c->agent = r->service->sdk == SDK_NODE ? "axios/0.18.0"
					       : "python-requests/2.20.1";
	c->peer =
	    r->service->wrapped ? r->task->ip : traffic_node(w, &c->chance);
	if (r->service->patched && r->sampled) {
		c->decided = c->sampled = true;
		c->trace_s = r->trace_s;
		c->trace[0] = r->trace[0];
		c->trace[1] = r->trace[1];
		c->parent_id = p->id;
	} else if (r->service->patched) {
		c->decided = true;
	}
	traffic_path(w, c, c->route);
	world_push(w, w->now + hop_ns,
	    (struct event){ .kind = EVENT_ARRIVE, .of.request = c });
	return true;
}

/* The Like service's switch, as its mmchaos.py draws. */
static void
chaos(struct world *w, struct request *r, enum op_kind op)
{
	struct incident *i = r->task->incident;
	uint32_t draw;

	if (!i || i->kind->effect != EFFECT_CHAOS)
		return;
	if (op == OP_CHAOS_ON) {
		print_say(w, r->task, LEVEL_WARNING, 62,
		    "WARN: This thing should NOT be left on..");
		return;
	}
	draw = 1 + chance_below(&r->chance, 100);
	i->total++;
	if (draw >= 65 && draw <= 89) {
		print_say(w, r->task, LEVEL_WARNING, 60,
		    "WARN: simulated 404 activated");
		r->status = 404;
		r->bytes = 207;
		r->op = NULL;
		r->hit = i;
		return;
	}
	if (draw > 89)
		return;
	print_say(w, r->task, LEVEL_WARNING, 57, i->kind->cause);
	r->extra_ns +=
	    i->kind->delay_ms * NS_PER_MS +
	    chance_below(&r->chance, (uint32_t)i->kind->spread_ms) * NS_PER_MS;
	r->hit = i;
}

static void
say(struct world *w, const struct request *r, const struct op *op)
{
	const struct part *last =
	    r->n_parts > 0 ? &r->parts[r->n_parts - 1] : NULL;
	char status[16];

	if (r->failed || (op->well_only && last && last->status >= 400))
		return;
	if (strcmp(op->text, "$") != 0) {
		print_say(w, r->task, op->level, op->line, op->text);
		return;
	}
	snprintf(status, sizeof status, "%d", last ? last->status : 0);
	print_say(w, r->task, op->level, op->line, status);
}

/* Time that passes; the next step is when it has. */
static void
work(struct world *w, struct request *r, const struct op *op)
{
	int64_t ns = chance_spread(&r->chance, op->us * INT64_C(1000)) *
		     incidents_burden(w) / 1000;
	struct part *p = NULL;

	if (op->kind == OP_AWS || op->text)
		p = part(r, op, w->now);
	if (op->kind == OP_AWS) {
		if (incident_throttle(w, r, p, &ns)) {
			r->status = 500;
			r->failed = true;
		}
	} else {
		ns += r->extra_ns;
		r->extra_ns = 0;
	}
	if (p)
		p->end = w->now + ns;
	step_at(w, r, w->now + ns);
}

static void
step(struct world *w, struct request *r)
{
	if (r->n_parts > 0 && r->parts[r->n_parts - 1].op->kind == OP_CALL)
		r->parts[r->n_parts - 1].end = w->now;
	while (r->op && r->op->kind != OP_END) {
		const struct op *op = r->op++;

		switch (op->kind) {
		case OP_SAY:
			say(w, r, op);
			break;
		case OP_CHAOS:
		case OP_CHAOS_ON:
			chaos(w, r, op->kind);
			break;
		case OP_WORK:
		case OP_AWS:
			work(w, r, op);
			return;
		case OP_CALL:
			if (!call(w, r, op))
				break;
			return;
		case OP_END:
			break;
		}
	}
	finish(w, r);
}

/* Nobody answered: no line was printed but, perhaps, the balancer's. */
static void
late(struct world *w, struct request *r)
{
	if (!r->parent && r->verdict == VERDICT_CLIENT && !r->direct)
		print_balancer(w, r);
	answer(w, r);
	release(w, r);
}

/* A request goes on, unless its task hangs. */
static void
resume(struct world *w, struct request *r)
{
	if (r->task->hung) {
		r->task->busy--;
		request_lost(w, r, 504, patience_ns);
		return;
	}
	step(w, r);
}

static void
take(struct world *w, const struct event *e)
{
	switch (e->kind) {
	case EVENT_SOURCE:
		traffic_fire(w, e->of.source);
		break;
	case EVENT_ARRIVE:
		request_send(w, e->of.request);
		break;
	case EVENT_STEP:
		resume(w, e->of.request);
		break;
	case EVENT_LATE:
		late(w, e->of.request);
		break;
	case EVENT_TASK_START:
	case EVENT_TASK_UP:
	case EVENT_TASK_DOWN:
	case EVENT_TASK_GONE:
	case EVENT_TASK_HANG:
		task_event(w, e->kind, e->of.task);
		break;
	}
}

void
world_run(struct world *w)
{
	while (w->heap.n > 0) {
		struct event e = pop(&w->heap);

		w->now = e.at;
		if (w->options->live ? !output_wait(w->out, e.at)
				     : output_failed(w->out))
			return;
		take(w, &e);
	}
}
