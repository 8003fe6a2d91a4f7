/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One run: the world is set up, runs, and is taken down.
 */
#include "simulate/simulate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulate/world.h"

enum { FLEET = 8 }; /* services, when nobody says how many */

static const struct workshop *
find(const char *name)
{
	const struct workshop *const *all = workshops();

	for (size_t i = 0; all[i]; i++)
		if (strcmp(all[i]->name, name) == 0)
			return all[i];
	return NULL;
}

/* "orders" of the second row is "orders-2", in all its names. */
static const char *
numbered(struct arena *a, const char *text, const char *name, int row)
{
	struct buf b = { 0 };
	struct str made;

	for (; *text; text++) {
		buf_char(&b, *text);
		if (str_ends(buf_view(&b), str_of(name)))
			buf_printf(&b, "-%d", row + 1);
	}
	buf_char(&b, '\0');
	made = arena_dup(a, buf_view(&b));
	buf_fini(&b);
	return made.p;
}

static void
set_services(struct world *w)
{
	const struct workshop *ws = w->workshop;
	int asked = w->options->services;
	int n = !ws->repeated ? ws->n_services : asked > 0 ? asked : FLEET;

	w->services = xcalloc((size_t)n, sizeof *w->services);
	w->counts = xcalloc((size_t)n, sizeof *w->counts);
	w->pools = xcalloc((size_t)n, sizeof *w->pools);
	w->n_services = n;
	for (int i = 0; i < n; i++) {
		struct service *s = &w->services[i];
		const char *name = ws->services[i % ws->n_services].name;
		int row = i / ws->n_services;

		*s = ws->services[i % ws->n_services];
		if (row == 0)
			continue;
		s->name = numbered(&w->names, s->name, name, row);
		s->group = numbered(&w->names, s->group, name, row);
		s->stream = numbered(&w->names, s->stream, name, row);
	}
}

static void
count_names(struct world *w)
{
	const struct workshop *ws = w->workshop;

	for (int i = 0; i < 2; i++)
		w->nodes[i] = ip_of(ws->nodes[i]);
	while (ws->agents[w->n_agents])
		w->n_agents++;
	while (ws->ids && ws->ids[w->n_ids])
		w->n_ids++;
}

/* The object of the hour that the run begins in. */
static void
open_balancer(struct world *w)
{
	struct buf path = { 0 };
	struct buf day = { 0 };

	if (!w->workshop->access_log)
		return;
	when_put(&day, w->start, 0);
	buf_printf(&path,
	    "alb/AWSLogs/123456789012/elasticloadbalancing/us-west-2/"
	    "%.4s/%.2s/%.2s/123456789012_elasticloadbalancing_us-west-2_"
	    "app.demo.50dc6c495c0c9188_%.4s%.2s%.2sT%.2s%.2sZ_10.0.0.57_"
	    "3f1k9s.log.gz",
	    day.p, day.p + 5, day.p + 8, day.p, day.p + 5, day.p + 8,
	    day.p + 11, day.p + 14);
	w->balancer = output_plain(w->out, buf_cstr(&path));
	buf_fini(&day);
	buf_fini(&path);
}

static void
fini(struct world *w)
{
	for (int i = 0; i < w->n_services; i++)
		free(w->pools[i].v);
	free(w->pools);
	free(w->services);
	free(w->counts);
	arena_fini(&w->names);
	arena_fini(&w->requests);
	for (size_t i = 0; i < w->n_tasks; i++) {
		buf_fini(&w->tasks[i]->wrap);
		free(w->tasks[i]);
	}
	for (size_t i = 0; i < w->n_sources; i++)
		free(w->sources[i]);
	free(w->tasks);
	free(w->sources);
	free(w->incidents);
	free(w->choices);
	free(w->heap.v);
	buf_fini(&w->text);
	buf_fini(&w->label);
}

int
simulate(const char *workshop, const struct simulate_options *o,
    struct simulate_totals *totals, bool *usage, struct err *err)
{
	struct world w = { .workshop = find(workshop),
		.options = o,
		.start = o->start_ns };
	int rc = 0;

	*usage = !w.workshop;
	if (!w.workshop)
		return err_set(err, "there is no workshop '%s'", workshop);
	*usage = o->services > 0 && !w.workshop->repeated;
	if (*usage)
		return err_set(err, "--services: %s has its own", workshop);
	if (o->live)
		w.start = output_clock();
	w.now = w.start;
	w.end = w.start + o->duration_ns;
	w.rate_micro =
	    o->rate_micro > 0 ? o->rate_micro : w.workshop->rate_micro;
	count_names(&w);
	set_services(&w);
	rc = incidents_read(&w, err);
	*usage = rc != 0;
	if (rc == 0) {
		w.out = output_open(&(struct output_options){ .dir = o->dir,
		    .udp = o->udp,
		    .live = o->live });
		open_balancer(&w);
		tasks_begin(&w);
		traffic_begin(&w);
		world_run(&w);
		labels_write(&w);
		*totals = w.totals;
		rc = output_close(w.out, &totals->pipe, err);
	}
	fini(&w);
	return rc;
}
