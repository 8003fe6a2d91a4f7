/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The workers: threads that take the inputs, largest first, one at a time
 * each, and share nothing but the list and what says that the plan must
 * change.
 */
#include "pipeline/worker.h"

#include <stdlib.h>

#include "core/hash.h"
#include "core/mem.h"
#include "pipeline/silent.h"

enum {
	CELLS_BYTES = 4 * 1024 * 1024,      /* of all workers */
	ROWS_BYTES = 12 * 1024 * 1024,      /* of all workers */
	TRACES_BYTES = 1024 * 1024,         /* of all workers */
	MISSES_BYTES = 4 * 1024 * 1024,     /* of all workers */
	CANDIDATES_BYTES = 4 * 1024 * 1024, /* of all, beside rows */
	PULSES_BYTES = 1024 * 1024,         /* of all workers */
};

static int
by_count(const void *a, const void *b)
{
	const struct {
		const char *name;
		uint64_t n;
	} *x = a, *y = b;

	if (x->n != y->n)
		return x->n > y->n ? -1 : 1;
	if (!x->name || !y->name)
		return (x->name == NULL) - (y->name == NULL);
	return strcmp(x->name, y->name);
}

/* Keeps what the report says of the input. */
static void
finish_input(struct worker *w)
{
	struct str why = events_why(w->reading.events);

	w->read->envelope = events_envelope(w->reading.events);
	w->read->envelope_why = xcalloc(why.n + 1, 1);
	if (why.n)
		memcpy(w->read->envelope_why, why.p, why.n);
	w->read->newest_first = turned_round(&w->reading.turned);
	w->read->notes = *reading_notes(&w->reading);
	qsort(w->dialects, DIALECTS_SEEN, sizeof w->dialects[0], by_count);
	for (int i = 0; i < 4; i++)
		w->read->dialects[i] = w->dialects[i].name;
}

/* Tells how far it is, some hundred times a second at most. */
static void
tell(struct worker *w, uint64_t *records, uint64_t *done)
{
	uint64_t packed = reading_notes(&w->reading)->bytes_packed;

	w->run->progress->bytes_done += packed - *done;
	w->run->progress->records += *records;
	*done = packed;
	*records = 0;
}

static int
read_records(struct worker *w, struct err *err)
{
	uint64_t done = 0;
	uint64_t records = 0;
	struct item item;
	enum flow flow;
	int rc = 0;

	for (flow = reading_next(&w->reading, &item, err);
	     flow == FLOW_OK && rc == 0;
	     flow = reading_next(&w->reading, &item, err)) {
		rc = intake(w, &item, err);
		if (++records < BATCH_EVENTS)
			continue;
		tell(w, &records, &done);
		if (run_stopped(w->run))
			break;
	}
	tell(w, &records, &done);
	if (intake_leave(w, err) != 0)
		rc = -1;
	if (flow == FLOW_FAIL)
		w->read->error = strdup(err->text);
	finish_input(w);
	return w->run->again ? 0 : rc;
}

uint64_t
input_family(const struct input *input, size_t index)
{
	if (input->task.n == 0)
		return index + 1;
	return hash64_mix(hash64(input->task), hash64(input->stream)) | 1;
}

static int
read_input(struct worker *w, size_t index, struct err *err)
{
	struct run *run = w->run;
	const struct input *input = &run->result->inputs.v[index];
	int rc;

	w->index = (uint32_t)index;
	w->read = &run->result->read[index];
	origin_namer_reset(&w->namer);
	w->claimed = 0;
	w->family = input_family(input, w->index);
	memset(w->dialects, 0, sizeof w->dialects);
	if (input->state != INPUT_READ)
		return 0;
	if (reading_open(&w->reading, run->options, input, w->index, err) !=
	    0) {
		w->read->error = strdup(err->text);
		return 0;
	}
	rc = read_records(w, err);
	reading_close(&w->reading);
	return rc;
}

static void *
work(void *arg)
{
	struct worker *w = arg;
	struct run *run = w->run;
	int rc = 0;

	while (rc == 0 && !run_stopped(run)) {
		size_t i = run->next++;

		if (i >= run->result->inputs.n)
			break;
		rc = read_input(w, run->order[i].index, &w->err);
	}
	if (rc == 0 && !run_stopped(run))
		rc = tally_seal(&w->tally, &w->err);
	misses_seal(&w->misses);
	if (w->rows)
		spill_seal(w->rows);
	spill_seal(w->traces);
	spill_seal(w->candidates.askers);
	if (rc != 0)
		run->failed = true;
	return NULL;
}

static void
worker_init(struct worker *w, struct run *run, uint32_t number)
{
	size_t n = (size_t)run->threads;

	*w = (struct worker){ .run = run };
	tally_init(&w->tally, number, &run->options->judge.thresholds,
	    CELLS_BYTES / n);
	if (run->plan.rows)
		w->rows = spill_new(sizeof(struct row), ROWS_BYTES / n);
	w->traces = spill_new(sizeof(struct spill_key), TRACES_BYTES / n);
	misses_init(&w->misses, MISSES_BYTES / n);
	candidates_init(&w->candidates,
	    (run->plan.rows ? CANDIDATES_BYTES : ROWS_BYTES) / n);
	pulses_init(&w->pulses, PULSES_BYTES / n);
	w->listens = silent_wanted(run);
	w->namer.most = run->plan.origins;
	w->reading.since_ns = run->plan.since_ns;
	w->reading.until_ns = run->plan.until_ns;
}

static void
worker_fini(struct worker *w)
{
	tally_fini(&w->tally);
	misses_fini(&w->misses);
	spill_free(w->rows);
	spill_free(w->traces);
	candidates_fini(&w->candidates);
	pulses_fini(&w->pulses);
	reading_fini(&w->reading);
	origin_namer_fini(&w->namer);
	masked_fini(&w->masked);
	free(w->shares);
}

static int
largest_first(const void *a, const void *b)
{
	const struct order *x = a;
	const struct order *y = b;

	if (x->size != y->size)
		return x->size > y->size ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

/* Largest first: the last to end then is a small one. */
static void
order_inputs(struct run *run)
{
	const struct inputs *in = &run->result->inputs;

	run->order = xcalloc(in->n, sizeof *run->order);
	for (size_t i = 0; i < in->n; i++)
		run->order[i] = (struct order){ in->v[i].size, i };
	qsort(run->order, in->n, sizeof *run->order, largest_first);
}

int
scan(struct run *run, struct err *err)
{
	int started = 0;

	order_inputs(run);
	run->workers = xcalloc((size_t)run->threads, sizeof *run->workers);
	for (int i = 0; i < run->threads; i++)
		worker_init(&run->workers[i], run, (uint32_t)i);
	for (; started < run->threads - 1; started++)
		if (pthread_create(&run->workers[started].thread, NULL, work,
			&run->workers[started]) != 0)
			break;
	/* This thread is the last worker, or the only one. */
	work(&run->workers[started]);
	for (int i = 0; i < started; i++)
		pthread_join(run->workers[i].thread, NULL);
	for (int i = started + 1; i < run->threads; i++)
		work(&run->workers[i]); /* nothing is left: it only seals */
	if (run->crowded && !run_stopped(run)) {
		run->plan_next.origins = least_limit(&run->origins);
		run->again = true;
	}
	for (int i = 0; i < run->threads; i++)
		if (run->failed && run->workers[i].err.text[0])
			return err_set(err, "%s", run->workers[i].err.text);
	return 0;
}

struct merge *
scan_merge(const struct run *run, enum scan_what what, struct err *err)
{
	size_t n = (size_t)run->threads;
	struct spill **spills = xcalloc(n, sizeof *spills);
	struct merge *m;

	for (size_t i = 0; i < n; i++)
		spills[i] = what == SCAN_ROWS ? run->workers[i].rows
					      : run->workers[i].traces;
	m = merge_new(spills, n, err);
	free(spills);
	return m;
}

void
scan_fini(struct run *run)
{
	for (int i = 0; i < run->threads && run->workers; i++)
		worker_fini(&run->workers[i]);
	free(run->workers);
	free(run->order);
	free(run->streams);
	run->workers = NULL;
	run->order = NULL;
	run->streams = NULL;
	run->n_streams = run->cap_streams = 0;
}
