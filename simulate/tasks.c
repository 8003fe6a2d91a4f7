/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tasks: how they are called, when they come and go, and which of them the
 * balancer sends to.
 *
 * A deployment starts the new task BOOT before its time and takes the old one
 * out a moment after the new one serves, so that for a while both do; a bad
 * task is taken out at once.  What is in flight is finished.
 */
#include <stdio.h>
#include <string.h>

#include "simulate/world.h"

enum { UNHEALTHY = 3 }; /* failed checks, until nothing is sent any more */

static const int64_t boot_ns = 2500 * NS_PER_MS;
static const int64_t overlap_ns = 4 * NS_PER_SEC;
static const int64_t gone_ns = 3 * NS_PER_SEC;

static void
hex(char *to, struct chance *r, int digits)
{
	for (int i = 0; i < digits; i++)
		to[i] = "0123456789abcdef"[chance_below(r, 16)];
	to[digits] = '\0';
}

static void
uuid(char *to, struct chance *r)
{
	hex(to, r, 36);
	to[8] = to[13] = to[18] = to[23] = '-';
	to[14] = '4';
}

/* Container Insights' wrapping, from behind the line on. */
static void
wrap(struct task *t, const char *pod, struct chance *r)
{
	const char *image = t->service->module;
	struct buf *b = &t->wrap;
	char id[37];
	char hash[65];

	uuid(id, r);
	hex(hash, r, 64);
	buf_printf(b,
	    "\",\"_p\":\"F\",\"kubernetes\":{\"pod_name\":\"%s\","
	    "\"namespace_name\":\"microservices-aws\",\"pod_id\":\"%s\",",
	    pod, id);
	buf_printf(b,
	    "\"host\":\"ip-192-168-%u-%u.us-west-2.compute.internal\","
	    "\"container_name\":\"%s\",\"docker_id\":\"%s\",",
	    t->host_ip >> 8 & 255, t->host_ip & 255, image, t->container);
	buf_printf(b,
	    "\"container_hash\":\"123456789012.dkr.ecr.us-west-2.amazonaws.com"
	    "/%s@sha256:%s\",\"container_image\":\"123456789012.dkr.ecr."
	    "us-west-2.amazonaws.com/%s:latest\"}}",
	    image, hash, image);
}

static void
open_stream(struct world *w, struct task *t, struct chance *r)
{
	struct chance of_group = chance_stream(w->options->seed,
	    (UINT64_C(6) << 56) | (uint64_t)(t->service - w->services));
	struct buf name = { 0 };
	char pod[64];
	char export[37];

	if (t->service->wrapped) {
		char set[11];
		char own[6];

		/* One export a group, and the shop has one group. */
		of_group = chance_stream(w->options->seed, UINT64_C(6) << 56);
		hex(set, &of_group, 10);
		hex(own, r, 5);
		snprintf(pod, sizeof pod, "%s-%s-%s", t->service->module, set,
		    own);
		wrap(t, pod, r);
		buf_printf(&name,
		    "ip-192-168-%u-%u.us-west-2.compute.internal-application."
		    "var.log.containers.%s_microservices-aws_%s-%s.log",
		    t->host_ip >> 8 & 255, t->host_ip & 255, pod,
		    t->service->module, t->container);
	} else {
		buf_cat(&name, t->service->stream);
		buf_cat(&name, t->service->stream[0] ? t->id : t->container);
	}
	uuid(export, &of_group);
	t->stream =
	    output_stream(w->out, t->service->group, export, buf_cstr(&name));
	buf_fini(&name);
}

static struct task *
task_new(struct world *w, int service, int number)
{
	struct task *t = xcalloc(1, sizeof *t);
	struct chance r =
	    chance_stream(w->options->seed, (UINT64_C(4) << 56) | w->n_tasks);

	w->tasks = xgrow(w->tasks, w->n_tasks + 1, &w->cap_tasks,
	    sizeof(struct task *));
	t->ordinal = w->n_tasks;
	w->tasks[w->n_tasks++] = t;
	t->service = &w->services[service];
	t->number = number;
	t->sampled_s = WHEN_NONE;
	/* In the balancer's network, away from its nodes. */
	t->ip = (w->nodes[0] & 0xFFFF0000) + ((2 + chance_below(&r, 2)) << 8) +
		10 + chance_below(&r, 240);
	t->host_ip = w->nodes[number % 2];
	hex(t->id, &r, 32);
	hex(t->container, &r, 64);
	open_stream(w, t, &r);
	return t;
}

static void
print_all(struct world *w, struct task *t, const char *const *lines)
{
	struct buf ip = { 0 };

	put_ip(&ip, t->ip);
	for (; lines && *lines; lines++)
		print_line(w, t, *lines, buf_view(&ip));
	buf_fini(&ip);
}

static void
serve(struct world *w, struct task *t)
{
	struct pool *p = &w->pools[t->service - w->services];

	t->up = true;
	p->v = xgrow(p->v, p->n + 1, &p->cap, sizeof(struct task *));
	p->v[p->n++] = t;
	traffic_probe(w, t);
}

static void
schedule(struct world *w, enum event_kind kind, struct task *t, int64_t at)
{
	if (at < w->end)
		world_push(w, at, (struct event){ .kind = kind, .of.task = t });
}

/* A new task that serves from `at` on. */
static struct task *
deploy(struct world *w, int service, int number, int64_t at)
{
	struct task *t = task_new(w, service, number);

	schedule(w, EVENT_TASK_START, t,
	    at - boot_ns > w->start ? at - boot_ns : w->start);
	schedule(w, EVENT_TASK_UP, t, at);
	return t;
}

/* Tasks of an incident: which it needs, and when they are gone again. */
static void
plan(struct world *w, struct incident *i)
{
	const struct service *s = &w->services[i->at.service];
	int n = s->tasks;
	int first = 0;

	/* The bad task of a service that had one is a second. */
	if (i->kind->one_task) {
		first = n == 1 ? 1 : 0;
		n = first + 1;
	}
	for (int k = first; k < n; k++) {
		struct task *t = deploy(w, i->at.service, k, i->start);

		if (i->kind->rule)
			t->incident = i;
		if (i->kind->rule && k >= s->tasks)
			schedule(w, EVENT_TASK_DOWN, t, i->end);
		else if (i->kind->rule)
			deploy(w, i->at.service, k, i->end);
	}
}

void
tasks_begin(struct world *w)
{
	for (int s = 0; s < w->n_services; s++)
		for (int k = 0; k < w->services[s].tasks; k++) {
			struct task *t = task_new(w, s, k);

			print_all(w, t, t->service->start);
			serve(w, t);
		}
	for (size_t n = 0; n < w->n_incidents; n++) {
		struct incident *i = &w->incidents[n];
		struct task *t = w->pools[i->at.service].v[0];

		if (i->kind->effect == EFFECT_HANG) {
			schedule(w, EVENT_TASK_HANG, t, i->start);
			deploy(w, i->at.service, 0, i->end);
			i->total = 1;
		} else if (i->kind->effect == EFFECT_LEAVE) {
			t->incident = i;
			schedule(w, EVENT_TASK_DOWN, t, i->start);
		} else if (i->kind->deploy) {
			plan(w, i);
		}
	}
}

/* Nothing is sent there any more. */
static void
leave(struct world *w, struct task *t)
{
	struct pool *p = &w->pools[t->service - w->services];

	for (size_t i = 0; i < p->n; i++)
		if (p->v[i] == t) {
			p->n--;
			memmove(&p->v[i], &p->v[i + 1],
			    (p->n - i) * sizeof(struct task *));
			break;
		}
	t->up = false;
	t->down = true;
	world_push(w, w->now + gone_ns,
	    (struct event){ .kind = EVENT_TASK_GONE, .of.task = t });
}

/* The one before it in its place goes. */
static void
replace(struct world *w, const struct task *t)
{
	struct pool *p = &w->pools[t->service - w->services];

	for (size_t i = 0; i < p->n; i++) {
		struct task *old = p->v[i];

		if (old == t || old->number != t->number)
			continue;
		if (old->incident || old->hung)
			leave(w, old);
		else
			world_push(w, w->now + overlap_ns,
			    (struct event){ .kind = EVENT_TASK_DOWN,
				.of.task = old });
		return;
	}
}

static void
hang(struct world *w, struct task *t)
{
	t->hung = true;
	while (t->head) {
		struct request *r = t->head;

		t->head = r->next;
		request_lost(w, r, 504, 5 * NS_PER_SEC);
	}
	t->tail = NULL;
	t->queued = 0;
}

void
task_event(struct world *w, enum event_kind kind, struct task *t)
{
	switch (kind) {
	case EVENT_TASK_START:
		print_all(w, t, t->service->start);
		break;
	case EVENT_TASK_UP:
		serve(w, t);
		replace(w, t);
		break;
	case EVENT_TASK_DOWN:
		if (!t->down)
			leave(w, t);
		break;
	case EVENT_TASK_GONE:
		if (t->hung)
			break;
		print_all(w, t, t->service->stop);
		if (t->incident && t->incident->kind->effect == EFFECT_LEAVE)
			print_say(w, t, LEVEL_INFO, 3,
			    t->incident->kind->cause);
		break;
	case EVENT_TASK_HANG:
		hang(w, t);
		break;
	case EVENT_SOURCE:
	case EVENT_ARRIVE:
	case EVENT_STEP:
	case EVENT_LATE:
		break;
	}
}

struct task *
task_pick(struct world *w, int service)
{
	struct pool *p = &w->pools[service];
	struct task *t = NULL;

	/* When all are unhealthy, all are sent to. */
	for (size_t i = 0; i < p->n; i++) {
		t = p->v[p->turn++ % p->n];
		if (t->failed_probes < UNHEALTHY)
			break;
	}
	return t;
}
