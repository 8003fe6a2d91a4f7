/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a request whose class is final; see the header. */
#include "pipeline/probe_finish.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "pipeline/probes.h"
#include "pipeline/silent.h"
#include "pipeline/worker.h"

static int
say(struct run *run, const struct candidate *c, struct err *err)
{
	struct probe_note note = { .key = { c->input, c->seq },
		.clock = c->clock,
		.class = c->judged,
		.how = c->how };

	if (!run->probe_notes || c->how == HOW_UNSTEADY)
		return 0;
	return spill_put(run->probe_notes, &note.key, err);
}

static int64_t
end_of(const struct candidate *c)
{
	return spill_time_of(c->key.lo) +
	       (c->duration_ns > 0 ? c->duration_ns : 0);
}

/* That a stream was probed; one hop on, it is not by whom it seems. */
static int
note_pulse(struct run *run, const struct candidate *c, struct err *err)
{
	const struct tally *t = &run->workers[c->origin >> ORIGIN_BITS].tally;
	uint64_t origin =
	    t->origins[c->origin & ((1u << ORIGIN_BITS) - 1)].hash;

	if (c->judged != CLASS_PROBE || c->how == HOW_CASCADE ||
	    !silent_wanted(run))
		return 0;
	return pulses_add(&run->pulses,
	    &(struct pulse_of){ .stream = pulses_stream(c->stream, origin),
		.peer = c->peer,
		.asks = c->asks,
		.origin = c->origin,
		.input = c->input },
	    spill_time_of(c->key.lo), err);
}

/* Counts it, as the scan has counted what did not have to wait. */
static int
count(struct run *run, const struct candidate *c, struct err *err)
{
	const struct origin_map *map = run_map(run, c->origin);
	const struct service *s = &run->services[map->service];
	enum probes probes = run->options->probes;
	bool probe = c->judged == CLASS_PROBE;
	bool other = run->service_only != UINT32_MAX &&
		     run->service_only != map->service;
	enum account as = ACCOUNT_STORED;
	struct hit hit = {
		.ts_ns = end_of(c),
		.duration_ns = c->duration_ns,
		.status = c->status,
		.method = (enum method)c->method,
		.class = (enum class)c->judged,
		.example = { .line = c->line,
		    .input = c->input,
		    .has_trace = c->has_trace },
	};

	memcpy(hit.example.trace, c->trace, sizeof hit.example.trace);
	if (other || (probe && probes == PROBES_DROP))
		as = ACCOUNT_FILTERED;
	else if (probe && probes == PROBES_FOLD && c->status < 400)
		as = ACCOUNT_FOLDED;
	run->result->read[c->input].accounts.n[RECORD_REQUEST][as]++;
	if (as == ACCOUNT_FILTERED)
		return 0;
	if (misses_wanted(c->status) && c->judged == CLASS_CLIENT &&
	    misses_hit(&run->misses,
		&(struct misses_hit){ .ts_ns = hit.ts_ns,
		    .who = { .path = c->path },
		    .origin = c->origin,
		    .route = c->route,
		    .example = &hit.example },
		err) != 0)
		return -1;
	return tally_hit(&run->final, map->service,
	    s->final[map->routes[c->route]], &hit, err);
}

int
probe_finish(struct run *run, const struct candidate *c, struct err *err)
{
	struct probe_class row = { .key = { spill_time(end_of(c)),
				       c->identity },
		.class = c->judged };

	if (say(run, c, err) != 0 || note_pulse(run, c, err) != 0)
		return -1;
	if (!run->plan.rows && !c->home)
		return count(run, c, err);
	if (!run->plan.rows)
		chain_judge(c->home, (enum class)c->judged);
	else if (c->judged != c->class)
		return spill_put(run->probe_classes, &row.key, err);
	return 0;
}

/* What waited in chains, as it came. */
static int
count_chains(struct run *run, const struct chains *c, struct err *err)
{
	struct chain_cursor *next = xcalloc(c->n, sizeof *next);
	struct candidate one;
	int rc = 0;

	for (size_t i = 0; i < c->n; i++)
		next[i] = chain_read(c, &c->v[i]);
	for (size_t i = 0; i < c->n_order && rc == 0 && !run_stopped(run);
	     i++) {
		chain_next(&next[c->order[i]], &one);
		rc = count(run, &one, err);
	}
	free(next);
	return rc;
}

int
probe_count(struct run *run, struct err *err)
{
	int rc = 0;

	for (int i = 0; i < run->threads && !run->plan.rows && rc == 0; i++)
		rc = count_chains(run, &run->workers[i].candidates.chains, err);
	return rc;
}
