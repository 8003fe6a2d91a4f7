/* SPDX-License-Identifier: Apache-2.0 */
/* Who fell silent, and what its log says of it; see the header. */
#include "pipeline/silent.h"

#include <stdlib.h>
#include <string.h>

#include "analyzers/names.h"
#include "core/hash.h"
#include "core/mem.h"
#include "pipeline/worker.h"

enum {
	BEFORE_S = 30, /* before the last probe a program may say it ends */
	TEXT_MAX = 512,
};

/* Of a prober: its last probe, as the log has it. */
struct last_probe {
	struct example example; /* line 0: it was not read */
	uint32_t route;
	enum method method;
};

struct heard {
	const struct silence *of;
	uint32_t service; /* of the last probes */
	uint64_t family;  /* of its inputs */
	struct last_probe last[SILENCE_PROBERS];
	char *target;
	bool lives; /* or has ended in good order, or was not read */
};

struct silent {
	struct silences found;
	struct heard *v; /* found.n, by stream */
};

/* The second reading. */
struct reader {
	struct run *run;
	struct silent *silent;
	struct heard **families; /* by family */
	struct reading reading;
	struct origin_namer namer;
	struct buf key;
	uint64_t origin; /* hash of the record's */
	uint32_t service;
	uint64_t stream; /* that from and to are of */
	size_t from, to; /* of silent->v */
};

void
silent_free(struct silent *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->found.n; i++)
		free(s->v[i].target);
	free(s->v);
	silences_fini(&s->found);
	free(s);
}

bool
silent_wanted(const struct run *run)
{
	return run->options->probes != PROBES_DROP &&
	       thresholds_judge(&run->options->judge.thresholds,
		   "target-health");
}

struct in_family {
	uint64_t task; /* hash */
	size_t index;
};

static int
by_task(const void *a, const void *b)
{
	const struct in_family *x = a;
	const struct in_family *y = b;

	if (x->task != y->task)
		return x->task < y->task ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

/* How far each input tells of its streams: seconds. */
static int64_t *
horizons(const struct replay_result *r)
{
	int64_t *horizon = xcalloc(r->inputs.n, sizeof *horizon);
	struct in_family *v = xcalloc(r->inputs.n, sizeof *v);

	for (size_t i = 0; i < r->inputs.n; i++) {
		const struct input *in = &r->inputs.v[i];

		v[i].index = i;
		v[i].task =
		    in->task.n ? hash64_mix(hash64(in->task), hash64(in->group))
			       : hash64_mix(i, 0);
		horizon[i] = r->read[i].last_ns == WHEN_NONE
				 ? INT64_MIN
				 : r->read[i].last_ns / NS_PER_SEC;
	}
	qsort(v, r->inputs.n, sizeof *v, by_task);
	for (size_t i = 0; i < r->inputs.n;) {
		size_t end = i;
		int64_t last = INT64_MIN;

		for (; end < r->inputs.n && v[end].task == v[i].task; end++)
			if (horizon[v[end].index] > last)
				last = horizon[v[end].index];
		for (; i < end; i++)
			horizon[v[i].index] = last;
	}
	free(v);
	return horizon;
}

struct reads {
	uint64_t as; /* the readable name, hashed */
	uint32_t service;
};

static int
by_reading(const void *a, const void *b)
{
	const struct reads *x = a;
	const struct reads *y = b;

	if (x->as != y->as)
		return x->as < y->as ? -1 : 1;
	return x->service < y->service ? -1 : x->service > y->service;
}

static uint32_t
first_service(const uint32_t *programs, uint32_t service)
{
	while (programs[service] != service)
		service = programs[service];
	return service;
}

/*
 * By service: its program, the first service of those whose logs read alike.
 * A new task that nobody has traced yet has its group's name, and the others
 * that of their segments.
 */
static uint32_t *
programs_of(const struct run *run)
{
	uint32_t *programs = xcalloc(run->n_services, sizeof *programs);
	struct reads *v = xcalloc(run->n_canons, sizeof *v);
	struct buf name = { 0 };
	size_t n = 0;

	for (uint32_t i = 0; i < run->n_services; i++)
		programs[i] = i;
	for (size_t i = 0; i < run->n_canons; i++) {
		const struct origin *o = run->canons[i].origin;

		if (o->kind != ORIGIN_LOG)
			continue;
		buf_reset(&name);
		name_readable(&name, o->group, o->stem, o->path);
		v[n++] = (struct reads){ hash64(buf_view(&name)),
			run->canons[i].service };
	}
	if (n > 0)
		qsort(v, n, sizeof *v, by_reading);
	for (size_t i = 1; i < n; i++) {
		uint32_t a = first_service(programs, v[i - 1].service);
		uint32_t b = first_service(programs, v[i].service);

		if (v[i].as == v[i - 1].as)
			programs[a > b ? a : b] = a < b ? a : b;
	}
	for (uint32_t i = 0; i < run->n_services; i++)
		programs[i] = first_service(programs, i);
	buf_fini(&name);
	free(v);
	return programs;
}

static int
listen_to_all(struct run *run, struct listener *l, const uint32_t *programs,
    struct err *err)
{
	size_t n = (size_t)run->threads;
	struct spill **spills = xcalloc(n + 1, sizeof *spills);
	const void *next;
	struct merge *m;
	int rc = pulses_seal(&run->pulses, err);

	for (size_t i = 0; i < n && rc == 0; i++) {
		rc = pulses_seal(&run->workers[i].pulses, err);
		spills[i] = run->workers[i].pulses.spill;
	}
	spills[n] = run->pulses.spill;
	m = rc == 0 ? merge_new(spills, n + 1, err) : NULL;
	free(spills);
	if (!m)
		return -1;
	for (next = merge_next(m); next; next = merge_next(m)) {
		const struct pulse_record *r = next;
		struct pulse p = { .stream = r->key.hi,
			.peer = r->peer,
			.asks = r->asks,
			.block = spill_time_of(r->key.lo),
			.program = programs[run_map(run, r->origin)->service],
			.input = r->input };

		memcpy(p.seconds, r->seconds, sizeof p.seconds);
		listener_feed(l, &p);
	}
	rc = merge_failed(m, err);
	merge_free(m);
	return rc;
}

static int
by_stream(const void *a, const void *b)
{
	const struct heard *x = a;
	const struct heard *y = b;

	if (x->of->stream != y->of->stream)
		return x->of->stream < y->of->stream ? -1 : 1;
	return x->of->last_s < y->of->last_s ? -1
					     : x->of->last_s > y->of->last_s;
}

static int
by_family(const void *a, const void *b)
{
	const struct heard *const *x = a;
	const struct heard *const *y = b;

	if ((*x)->family != (*y)->family)
		return (*x)->family < (*y)->family ? -1 : 1;
	return (*x)->of < (*y)->of ? -1 : (*x)->of > (*y)->of;
}

/* The first suspect of an input's family, and those behind it. */
static size_t
first_of(const struct reader *r, uint64_t family)
{
	size_t from = 0;
	size_t to = r->silent->found.n;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (r->families[middle]->family < family)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

static bool
is_broken(const struct replay_input *in)
{
	return in->error || in->notes.broken > 0 || in->notes.bomb;
}

/* Whether the input says something of a suspect; of a broken one nothing. */
static bool
wants(struct reader *r, size_t index)
{
	const struct replay_result *result = r->run->result;
	const struct replay_input *in = &result->read[index];
	uint64_t family = input_family(&result->inputs.v[index], index);
	bool wanted = false;

	for (size_t i = first_of(r, family);
	     i < r->silent->found.n && r->families[i]->family == family; i++) {
		struct heard *h = r->families[i];

		if (is_broken(in))
			h->lives = true;
		wanted |= !h->lives && in->first_ns != WHEN_NONE &&
			  in->first_ns / NS_PER_SEC <= h->of->until_s &&
			  in->last_ns / NS_PER_SEC >= h->of->last_s - BEFORE_S;
	}
	return wanted;
}

/* Whether a line says that its program was told to end, and does so. */
static bool
says_end(struct str text)
{
	static const char *const words[] = { "sigterm", "sigint",
		"signal: term", "signal 15", "signal term", "shutting down",
		"shutdown", "worker exiting", "graceful stop",
		"gracefully stop", "stopping server", NULL };
	char low[TEXT_MAX];
	struct str s = { low, text.n < TEXT_MAX ? text.n : TEXT_MAX };

	for (size_t i = 0; i < s.n; i++)
		low[i] = (char)(text.p[i] >= 'A' && text.p[i] <= 'Z'
				    ? text.p[i] - 'A' + 'a'
				    : text.p[i]);
	for (int i = 0; words[i]; i++)
		if (str_find_str(s, str_of(words[i])) != SIZE_MAX)
			return true;
	return false;
}

static void
note_last(struct reader *r, struct heard *h, uint32_t k,
    const struct record *rec, const struct input *input)
{
	const struct service *s = &r->run->services[r->service];
	struct last_probe *last = &h->last[k];
	const struct example here = { .line = rec->event->place.line,
		.input = rec->event->place.input };

	h->service = r->service;
	example_min(&last->example, &here);
	last->route = s->final[routes_find(s->routes, rec->request.path)];
	last->method = rec->request.method;
	if (!h->target)
		h->target = finding_text(origin_task(&r->namer, input, rec));
}

/*
 * What comes later is a sign of life.  Before, it may be from before it hung:
 * a period is a mean, and the gap of two nodes is up to twice as long.
 */
static int64_t
lives_ms(const struct silence *s)
{
	int64_t longest = 0;

	for (uint32_t k = 0; k < s->n_probers; k++)
		if (s->probers[k].period_ms > longest)
			longest = s->probers[k].period_ms;
	return s->last_s * 1000 + 2 * longest + 1000;
}

/* What one record says of one suspect. */
static void
hear(struct reader *r, struct heard *h, const struct record *rec,
    const struct input *input)
{
	const struct silence *s = h->of;
	int64_t last_ms = s->slots[s->n_slots - 1].ms;
	int64_t ms = rec->ts_ns / NS_PER_MS;

	if (ms > lives_ms(s) && ms <= last_ms)
		h->lives = true;
	if (rec->kind == RECORD_LOG) {
		if (ms / 1000 >= s->last_s - BEFORE_S && ms <= last_ms &&
		    says_end(rec->log.text))
			h->lives = true;
		return;
	}
	for (uint32_t k = 0; k < s->n_probers; k++) {
		const struct silence_prober *p = &s->probers[k];

		if (candidate_may_wait(rec) &&
		    pulses_second(candidate_begin(rec)) == p->last_s &&
		    candidate_peer(&rec->request) == p->peer &&
		    candidate_asks(&rec->request) == p->asks)
			note_last(r, h, k, rec, input);
	}
}

/* The suspects of a stream. */
static void
find_stream(struct reader *r, uint64_t stream)
{
	const struct heard *v = r->silent->v;
	size_t n = r->silent->found.n;

	if (stream == r->stream)
		return;
	r->stream = stream;
	for (r->from = 0; r->from < n && v[r->from].of->stream < stream;)
		r->from++;
	for (r->to = r->from; r->to < n && v[r->to].of->stream == stream;)
		r->to++;
}

static void
take(struct reader *r, const struct input *input, const struct item *item)
{
	const struct record *rec = &item->record;

	if (item->fate == FATE_CONTROL || item->fate == FATE_DEAD ||
	    rec->kind == RECORD_SEGMENT || rec->ts_ns == WHEN_NONE)
		return;
	if (origin_name_record(&r->namer, input, rec)) {
		buf_reset(&r->key);
		origin_key(&r->key, &r->namer.name);
		r->origin = hash64(buf_view(&r->key));
		r->service = service_of(r->run, &r->namer.name);
	}
	find_stream(r, pulses_stream(r->reading.identity.stream, r->origin));
	for (size_t i = r->from; i < r->to; i++)
		hear(r, &r->silent->v[i], rec, input);
}

static int
read_input(struct reader *r, uint32_t index, struct err *err)
{
	const struct input *input = &r->run->result->inputs.v[index];
	enum flow flow = FLOW_OK;
	struct item item;

	if (reading_open(&r->reading, r->run->options, input, index, err) != 0)
		return -1;
	origin_namer_reset(&r->namer);
	while (flow == FLOW_OK && !run_stopped(r->run)) {
		flow = reading_next(&r->reading, &item, err);
		if (flow == FLOW_OK)
			take(r, input, &item);
	}
	reading_close(&r->reading);
	return flow == FLOW_FAIL ? -1 : 0;
}

/*
 * What cannot be read again (a file that was changed meanwhile) was not heard:
 * of its streams the last probe is not known, and nothing is told.
 */
static void
read_suspects(struct reader *r)
{
	const struct replay_result *result = r->run->result;
	uint64_t left = SILENT_BYTES;
	struct err ignored;

	/* Twice: all that are broken first, so that order does not matter. */
	for (size_t i = 0; i < result->inputs.n; i++)
		wants(r, i);
	for (size_t i = 0; i < result->inputs.n; i++) {
		uint64_t bytes = result->read[i].notes.bytes;
		uint64_t family = input_family(&result->inputs.v[i], i);
		bool read = false;

		if (result->inputs.v[i].state != INPUT_READ || !wants(r, i))
			continue;
		if (bytes <= left) {
			left -= bytes;
			read = read_input(r, (uint32_t)i, &ignored) == 0;
		}
		for (size_t k = first_of(r, family);
		     !read && k < r->silent->found.n &&
		     r->families[k]->family == family;
		     k++)
			r->families[k]->lives = true;
	}
}

static void
hear_all(struct run *run)
{
	struct silent *s = run->silent;
	struct reader r = { .run = run, .silent = s };

	s->v = xcalloc(s->found.n, sizeof *s->v);
	r.families = xcalloc(s->found.n, sizeof(struct heard *));
	for (size_t i = 0; i < s->found.n; i++) {
		const struct silence *of = &s->found.v[i];

		s->v[i].of = of;
		s->v[i].family =
		    input_family(&run->result->inputs.v[of->input], of->input);
	}
	qsort(s->v, s->found.n, sizeof *s->v, by_stream);
	for (size_t i = 0; i < s->found.n; i++)
		r.families[i] = &s->v[i];
	qsort(r.families, s->found.n, sizeof(struct heard *), by_family);
	r.reading.since_ns = run->plan.since_ns;
	r.reading.until_ns = run->plan.until_ns;
	r.namer.most = run->plan.origins;
	read_suspects(&r);
	reading_fini(&r.reading);
	origin_namer_fini(&r.namer);
	buf_fini(&r.key);
	free(r.families);
}

/* The cell's index of a slot. */
static int64_t
cell_of_slot(const struct silence_slot *slot)
{
	return cell_of(slot->ms * NS_PER_MS);
}

static int
count_all(struct run *run, struct err *err)
{
	const struct silent *s = run->silent;

	for (size_t i = 0; i < s->found.n; i++) {
		const struct heard *h = &s->v[i];

		for (size_t k = 0; !h->lives && k < h->of->n_slots; k++) {
			const struct silence_slot *slot = &h->of->slots[k];
			const struct last_probe *last = &h->last[slot->prober];
			struct cell_key key = { .cell = cell_of_slot(slot),
				.origin = h->service,
				.route = last->route,
				.method = last->method };

			/* To show: the last probe of all. */
			if (last->example.line > 0 &&
			    tally_missing(&run->final, &key,
				&h->last[0].example, err) != 0)
				return -1;
		}
	}
	return 0;
}

int
silent_find(struct run *run, struct err *err)
{
	struct silent *s;
	struct listener *l;
	int64_t *horizon;
	uint32_t *programs;
	int rc;

	if (!silent_wanted(run))
		return 0;
	horizon = horizons(run->result);
	programs = programs_of(run);
	l = listener_new(horizon);
	s = run->silent = xcalloc(1, sizeof *s);
	rc = listen_to_all(run, l, programs, err);
	if (rc == 0)
		listener_judge(l, &s->found);
	listener_free(l);
	free(horizon);
	free(programs);
	if (rc != 0 || s->found.n == 0)
		return rc;
	hear_all(run);
	return run_stopped(run) ? 0 : count_all(run, err);
}

/* Missing probes of a suspect that are the finding's. */
static uint64_t
told_by(const struct run *run, const struct heard *h, const struct finding *f)
{
	const struct service *s = &run->services[h->service];
	uint64_t n = 0;

	if (h->lives || !str_eq(s->name, str_of(f->service)))
		return 0;
	for (size_t k = 0; k < h->of->n_slots; k++) {
		const struct silence_slot *slot = &h->of->slots[k];
		const struct last_probe *last = &h->last[slot->prober];
		int64_t cell = cell_of_slot(slot);

		n += last->example.line > 0 &&
		     str_eq(s->texts[last->route], str_of(f->route)) &&
		     cell >= cell_of(f->start_ns) && cell < cell_of(f->end_ns);
	}
	return n;
}

/* The words of one that is told. */
static void
say(struct finding *f, const struct heard *h, uint64_t missing)
{
	struct finding_silence *to = &f->silence;
	const struct silence *s = h->of;

	free(to->target);
	*to = (struct finding_silence){
		.target = finding_text(str_of(h->target)),
		.missing = missing,
		.last_ns = s->last_s * NS_PER_SEC,
		.period_ms = s->probers[0].period_ms,
		.probers = s->n_probers,
		.others = s->others,
		.siblings = s->siblings,
	};
	for (uint32_t k = 0; k < s->n_probers; k++)
		to->probes += s->probers[k].n;
}

/* When it was known that a prober's third probe does not come: no sooner. */
static int64_t
known_ns(const struct silence *s)
{
	uint32_t seen[SILENCE_PROBERS] = { 0 };

	for (size_t k = 0; k < s->n_slots; k++) {
		const struct silence_slot *slot = &s->slots[k];
		int64_t late_ms = s->probers[slot->prober].period_ms / 2;

		if (++seen[slot->prober] == SILENCE_LEAST)
			return (cell_of((slot->ms + late_ms) * NS_PER_MS) + 1) *
			       CELL_NS;
	}
	return INT64_MAX;
}

/* What all suspects have to say to a finding of health checks. */
static void
tell(const struct run *run, struct finding *f)
{
	const struct silent *s = run->silent;
	int64_t known = INT64_MAX;
	uint64_t all = 0;
	uint64_t most = 0;
	uint32_t targets = 0;

	for (size_t k = 0; k < s->found.n; k++) {
		uint64_t n = told_by(run, &s->v[k], f);

		if (n == 0)
			continue;
		if (n > most)
			say(f, &s->v[k], n);
		if (n > most)
			most = n;
		if (known_ns(s->v[k].of) < known)
			known = known_ns(s->v[k].of);
		all += n;
		targets++;
	}
	if (targets == 0)
		return;
	f->silence.targets = targets;
	f->silence.all = all;
	if (all < f->bad) {
		f->unit = "failed or missing probes";
		f->phrase = "failed or missed # health checks";
		return;
	}
	f->unit = "missing probes";
	f->phrase = "missed # health checks";
	if (f->detected_ns < known)
		f->detected_ns = known;
}

void
silent_tell(struct run *run)
{
	struct findings *all = &run->result->findings;

	if (!run->silent || !run->silent->v)
		return;
	for (size_t i = 0; i < all->n; i++)
		if (strcmp(all->v[i].rule, "target-health") == 0)
			tell(run, &all->v[i]);
}
