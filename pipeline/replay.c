/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A replay from end to end: plan, scan, name, join, settle, write; and once
 * more with a better plan when the scan found that the first one does not do.
 * A plan only ever grows, so that at most four are tried.
 */
#include "pipeline/replay.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/opt.h"
#include "pipeline/causes.h"
#include "pipeline/copies.h"
#include "pipeline/outdone.h"
#include "pipeline/probes.h"
#include "pipeline/silent.h"
#include "pipeline/trace_logs.h"
#include "pipeline/worker.h"
#include "pipeline/write.h"

enum {
	MISSES_REST_BYTES = 4 * 1024 * 1024,
	PULSES_REST_BYTES = 512 * 1024,
};

void
replay_options_init(struct replay_options *o)
{
	*o = (struct replay_options){
		.limits = limits_default,
		.since_ns = WHEN_NONE,
		.until_ns = WHEN_NONE,
		.probes = PROBES_FOLD,
		.judge = judge_settings_default,
		.causes = true,
	};
}

static const char *const accounts[ACCOUNTS] = {
	[ACCOUNT_READ] = "read",
	[ACCOUNT_STORED] = "stored",
	[ACCOUNT_FOLDED] = "folded",
	[ACCOUNT_FILTERED] = "filtered",
	[ACCOUNT_DUPLICATE] = "duplicate",
	[ACCOUNT_DEAD] = "dead-lettered",
};

const char *
account_name(enum account a)
{
	return accounts[a];
}

const char *
kind_name(int kind)
{
	return kind == KIND_OTHER ? "other"
				  : record_kind_name((enum record_kind)kind);
}

bool
replay_unjudged(const struct replay_service *s, enum unjudged what)
{
	enum { FEW = 10 };
	uint64_t timed = 0;
	uint64_t answered = 0;

	for (size_t i = 0; i < s->n_routes; i++) {
		timed += s->routes[i].latency.total;
		answered += s->routes[i].n - s->routes[i].status[0];
	}
	if (s->requests == 0)
		return false;
	if (what == UNJUDGED_LATENCY)
		return timed == 0;
	return what == UNJUDGED_STATUS ? answered == 0 : s->requests < FEW;
}

void
replay_service_fini(struct replay_service *s)
{
	for (size_t k = 0; k < s->n_routes; k++) {
		free(s->routes[k].route);
		histogram_fini(&s->routes[k].latency);
	}
	free(s->routes);
	free(s->name);
	free(s->rule);
}

static void
forget_services(struct replay_result *r)
{
	for (size_t i = 0; i < r->n_services; i++)
		replay_service_fini(&r->services[i]);
	free(r->services);
	r->services = NULL;
	r->n_services = 0;
}

/* Empty again, but for the inputs. */
static void
reset_result(struct replay_result *r)
{
	struct inputs inputs = r->inputs;
	struct replay_input *read = r->read;

	forget_services(r);
	findings_fini(&r->findings);
	judge_story_free(r->story);
	free(r->names_used);
	for (size_t i = 0; i < r->n_renamed; i++)
		free(r->renamed[i].from);
	free(r->renamed);
	for (size_t i = 0; read && i < inputs.n; i++) {
		free(read[i].envelope_why);
		free(read[i].error);
		read[i] = (struct replay_input){ .input = &inputs.v[i],
			.first_ns = WHEN_NONE,
			.last_ns = WHEN_NONE };
	}
	*r = (struct replay_result){ .inputs = inputs, .read = read };
}

void
replay_result_fini(struct replay_result *r)
{
	reset_result(r);
	free(r->read);
	inputs_fini(&r->inputs);
	*r = (struct replay_result){ 0 };
}

void
replay_dead_note(struct replay_input *in, const char *reason, uint64_t line)
{
	for (int i = 0; i < REPLAY_DEAD; i++) {
		struct replay_dead *d = &in->dead[i];

		if (d->reason && strcmp(d->reason, reason) != 0)
			continue;
		if (!d->reason)
			*d = (struct replay_dead){ reason, 0, line };
		d->n++;
		return;
	}
}

struct str
replay_called(const struct replay_result *result, struct str name)
{
	for (size_t i = 0; i < result->n_renamed; i++)
		if (str_eq(str_of(result->renamed[i].from), name))
			return result->renamed[i].to;
	return name;
}

static void
run_fini(struct run *run)
{
	write_abandon(run);
	services_fini(run);
	scan_fini(run);
	tally_fini(&run->final);
	misses_fini(&run->misses);
	pulses_fini(&run->pulses);
	silent_free(run->silent);
	run->silent = NULL;
	spill_free(run->verdicts);
	spill_free(run->outdone);
	spill_free(run->probe_notes);
	spill_free(run->probe_classes);
	run->verdicts = run->outdone = NULL;
	run->probe_notes = run->probe_classes = NULL;
}

/* "did you mean 'like service'? There are: like service, mysfits" */
static int
service_unknown(struct run *run, struct err *err)
{
	enum { NAMED = 12 };
	const char **names = xcalloc(run->n_services, sizeof *names);
	struct buf text = { 0 };
	struct buf b = { 0 };
	size_t at = 0;
	int near;

	for (size_t i = 0; i < run->n_services; i++) {
		buf_str(&text, run->services[i].name);
		buf_put(&text, "", 1);
	}
	for (size_t i = 0; i < run->n_services; i++) {
		names[i] = text.p + at;
		at += run->services[i].name.n + 1;
	}
	near = opt_nearest(run->options->service, names, run->n_services);
	if (near >= 0)
		buf_printf(&b, "did you mean '%s'? There are: ", names[near]);
	else
		buf_cat(&b,
		    run->n_services > 0 ? "there are: " : "there is none");
	for (size_t i = 0; i < run->n_services && i < NAMED; i++)
		buf_printf(&b, "%s%s", i > 0 ? ", " : "", names[i]);
	if (run->n_services > NAMED)
		buf_printf(&b, " and %zu more", run->n_services - NAMED);
	run->result->no_service = true;
	err_set(err, "--service: nothing is of a service '%.*s'; %s",
	    STR_ARG(str_sub(run->options->service, 0, 100)), buf_cstr(&b));
	free(names);
	buf_fini(&text);
	buf_fini(&b);
	return -1;
}

/* The service that was asked for. */
static int
choose_service(struct run *run, struct err *err)
{
	run->service_only = UINT32_MAX;
	if (run->options->service.n == 0)
		return 0;
	for (size_t i = 0; i < run->n_services; i++) {
		if (str_eq(run->services[i].name, run->options->service)) {
			run->service_only = (uint32_t)i;
			return 0;
		}
	}
	return service_unknown(run, err);
}

/*
 * What the scan could not count: probes by the clock, and rows.  The tally has
 * the services as its origins.
 */
static int
count_rest(struct run *run, struct err *err)
{
	for (size_t i = 0; i < run->n_services; i++)
		tally_origin(&run->final,
		    &(struct origin_name){ .kind = ORIGIN_LOG,
			.path = run->services[i].name });
	if (judge_probes(run, err) != 0 || silent_find(run, err) != 0 ||
	    (run->plan.rows && join_rows(run, err) != 0))
		return -1;
	if (run->verdicts)
		spill_seal(run->verdicts);
	misses_seal(&run->misses);
	return tally_seal(&run->final, err);
}

/* For what the counting leaves to later steps. */
static void
make_spills(struct run *run)
{
	bool records = write_records(run->options);

	if ((records || run->options->trace_logs) && run->plan.rows)
		run->verdicts =
		    spill_new(sizeof(struct verdict), VERDICTS_BYTES);
	if (records || run->options->causes)
		run->probe_notes =
		    spill_new(sizeof(struct probe_note), 1024 * 1024);
	if (run->plan.rows)
		run->probe_classes =
		    spill_new(sizeof(struct probe_class), 1024 * 1024);
}

/* The readings that need what is known at the end only. */
static int
read_again(struct run *run, struct err *err)
{
	if (run->options->trace_logs)
		return trace_logs_read(run, err);
	if (run->options->causes && causes_find(run, err) != 0)
		return -1;
	return write_finish(run, err);
}

static int
run_once(struct run *run, struct err *err)
{
	run->next = 0;
	run->again = run->failed = run->crowded = run->joined = false;
	run->origins = (struct least){ 0 };
	reset_result(run->result);
	run->progress->phase = 0;
	run->progress->bytes_done = 0;
	run->progress->records = 0;
	tally_init(&run->final, (uint32_t)run->threads,
	    &run->options->judge.thresholds, 4 * 1024 * 1024);
	if (scan(run, err) != 0)
		return -1;
	if (run_stopped(run))
		return 0;
	run->progress->phase = 1;
	misses_init(&run->misses, MISSES_REST_BYTES);
	pulses_init(&run->pulses, PULSES_REST_BYTES);
	make_spills(run);
	if (outdone_find(run, err) != 0 || name_services(run, err) != 0 ||
	    choose_service(run, err) != 0)
		return -1;
	if (count_rest(run, err) != 0)
		return -1;
	if (run_stopped(run))
		return 0;
	if (write_open(run, err) != 0 || settle(run, err) != 0)
		return -1;
	run->progress->phase = 2;
	return run_stopped(run) ? 0 : read_again(run, err);
}

static int
run_all(struct run *run, struct err *err)
{
	int rc;

	for (;;) {
		run->plan_next = run->plan;
		rc = run_once(run, err);
		run_fini(run);
		if (rc != 0 || !run->again)
			return rc;
		run->plan = run->plan_next;
	}
}

/* --last: the archive's last time must be known first. */
static int
run_last(struct run *run, struct err *err)
{
	struct replay_options whole = *run->options;
	const struct replay_options *asked = run->options;
	int rc;

	whole.out = NULL;
	whole.elastic = NULL;
	whole.causes = false;
	run->options = &whole;
	rc = run_all(run, err);
	run->options = asked;
	if (rc != 0 || run->progress->stop)
		return rc;
	run->plan.since_ns =
	    when_last(asked->since_ns, run->result->last_ns, asked->last_ns);
	return run_all(run, err);
}

static uint64_t
size_of(const struct inputs *in)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < in->n; i++)
		sum += in->v[i].size;
	return sum;
}

int
replay(const struct replay_options *options, char *const *paths, size_t n,
    struct replay_progress *progress, struct replay_result *result,
    struct err *err)
{
	struct run run = {
		.options = options,
		.progress = progress,
		.result = result,
		.threads = options->threads,
		.plan = { .origins = UINT64_MAX,
		    .since_ns = options->since_ns,
		    .until_ns = options->until_ns },
	};
	int rc;

	*result = (struct replay_result){ 0 };
	if (inputs_collect(&result->inputs, paths, n, err) != 0 ||
	    inputs_spool(&result->inputs, &progress->stop, err) != 0)
		return -1;
	if (!progress->stop)
		copies_find(&result->inputs, &options->limits);
	result->read = xcalloc(result->inputs.n, sizeof *result->read);
	if (run.threads <= 0)
		run.threads = (int)sysconf(_SC_NPROCESSORS_ONLN);
	if ((size_t)run.threads > result->inputs.n)
		run.threads = (int)result->inputs.n;
	if (run.threads <= 0)
		run.threads = 1;
	progress->bytes_total = size_of(&result->inputs);
	pthread_mutex_init(&run.lock, NULL);
	rc = options->last_ns ? run_last(&run, err) : run_all(&run, err);
	pthread_mutex_destroy(&run.lock);
	result->interrupted = progress->stop;
	return rc;
}
