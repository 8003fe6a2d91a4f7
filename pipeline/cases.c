/* SPDX-License-Identifier: Apache-2.0 */
/* The gathering of findings' requests; see the header. */
#include "pipeline/cases.h"

#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/mem.h"
#include "pipeline/run.h"

enum {
	FEATURES_MAX = 65536,
	TEXT_MAX = 256, /* bytes of a feature's text */
	BIN_S = 300,
	BRACKET_S = 90, /* behind the first bad cell: reference, 3.4 */
};

#define HOUR_NS (3600 * NS_PER_SEC)

/* The number of a text among n; n: it is not there. */
static uint32_t
find_text(const struct str *texts, uint32_t n, const char *text)
{
	uint32_t i = 0;

	while (i < n && !str_eq(texts[i], str_of(text)))
		i++;
	return i;
}

/* False: it is no ratio of a route's requests, or its names are not known. */
static bool
seek(struct sought *s, struct run *run, struct finding *f)
{
	uint32_t service = 0;

	if (f->test != TEST_RATIO)
		return false;
	while (service < run->n_services &&
	       !str_eq(run->services[service].name, str_of(f->service)))
		service++;
	if (service == run->n_services)
		return false;
	*s = (struct sought){ .finding = f,
		.service = service,
		.route = find_text(run->services[service].texts,
		    run->services[service].n_routes, f->route),
		.from_ns = f->start_ns - HOUR_NS,
		.to_ns = f->end_ns,
		.bracket_ns = f->start_ns + CELL_NS + BRACKET_S * NS_PER_SEC,
		.first_bad_ns = WHEN_NONE,
		.last_good_ns = WHEN_NONE };
	return s->route < run->services[service].n_routes;
}

void
cases_init(struct cases *c, struct run *run)
{
	struct findings *f = &run->result->findings;
	size_t n = f->n < SOUGHT_MAX ? f->n : SOUGHT_MAX;

	*c = (struct cases){ .run = run,
		.v = xcalloc(n, sizeof *c->v),
		.n_slots = 1024,
		.templates = templates_new() };
	c->features = xcalloc(c->n_slots, sizeof *c->features);
	for (size_t i = 0; i < n; i++)
		c->n += seek(&c->v[c->n], run, &f->v[i]);
	c->most = CASES_ALL / CASE_SIDES / (c->n + 1);
	if (c->most > CASES_MOST)
		c->most = CASES_MOST;
}

static void
case_free(struct request_case *r)
{
	free(r->marks);
	free(r);
}

void
cases_fini(struct cases *c)
{
	for (size_t i = 0; i < c->n; i++) {
		for (size_t k = 0; k < c->v[i].n; k++)
			case_free(c->v[i].v[k]);
		free(c->v[i].v);
		free(c->v[i].lines);
	}
	free(c->v);
	free(c->features);
	free(c->traced);
	arena_fini(&c->texts);
	templates_free(c->templates);
	*c = (struct cases){ 0 };
}

bool
cases_wants(const struct cases *c, uint32_t service, int64_t ts_ns)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].service == service && ts_ns >= c->v[i].from_ns &&
		    (ts_ns < c->v[i].to_ns || ts_ns < c->v[i].bracket_ns))
			return true;
	return false;
}

bool
cases_wants_span(const struct cases *c, int64_t first_ns, int64_t last_ns)
{
	for (size_t i = 0; i < c->n; i++)
		if (first_ns < c->v[i].to_ns && last_ns >= c->v[i].from_ns)
			return true;
	return false;
}

bool
cases_has_service(const struct cases *c, uint32_t service)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].service == service)
			return true;
	return false;
}

/* The side a request is on; CASE_SIDES: it does not belong to the finding. */
static enum case_side
side_of(const struct sought *s, const struct case_request *q)
{
	const struct finding *f = s->finding;
	struct judge_trial trial = { .class = q->class,
		.status = q->request->status,
		.duration_ns = q->duration_ns,
		.slow_ns = f->over_ns,
		.traced = q->traced,
		.masked = q->masked };
	enum trial_is is;

	if (q->ts_ns == WHEN_NONE || q->ts_ns < s->from_ns ||
	    q->ts_ns >= s->to_ns ||
	    (f->method != METHOD_NONE && f->method != q->request->method))
		return CASE_SIDES;
	is = judge_trial(f->judged_by, &trial);
	if (is == TRIAL_NONE)
		return CASE_SIDES;
	if (q->ts_ns < f->start_ns)
		return is == TRIAL_BAD ? CASE_SIDES : CASE_BEFORE;
	return is == TRIAL_BAD ? CASE_BAD : CASE_OTHER;
}

bool
cases_match(struct cases *c, const struct case_request *q, struct case_draft *d)
{
	const struct service *s = &c->run->services[q->service];
	uint32_t route = UINT32_MAX;

	d->n_matches = 0;
	d->request = (struct request_case){ .marks = d->marks,
		.cap = CASE_MARKS,
		.begin_ns = q->ts_ns,
		.end_ns = q->end_ns,
		.coarse = q->coarse };
	if (q->duration_ns > 0)
		d->request.begin_ns -= q->duration_ns;
	for (uint32_t i = 0; i < c->n && d->n_matches < MATCHES_MAX; i++) {
		enum case_side side;

		if (c->v[i].service != q->service)
			continue;
		if (route == UINT32_MAX)
			route =
			    s->final[routes_find(s->routes, q->request->path)];
		side =
		    c->v[i].route == route ? side_of(&c->v[i], q) : CASE_SIDES;
		if (side == CASE_SIDES)
			continue;
		d->matches[d->n_matches].sought = i;
		d->matches[d->n_matches].side = side;
		d->n_matches++;
	}
	return d->n_matches > 0;
}

static bool
is_kept(const struct sought *s, enum case_side side, uint64_t priority)
{
	return s->level[side] == 0 || priority >> (64 - s->level[side]) == 0;
}

/* Too many of a side: those with the greater half of the priorities go. */
static void
raise_level(struct sought *s, enum case_side side, size_t most)
{
	while (s->n_side[side] > most) {
		size_t kept = 0;

		s->level[side]++;
		for (size_t i = 0; i < s->n; i++) {
			struct request_case *r = s->v[i];

			if (r->side != side || is_kept(s, side, r->priority)) {
				s->v[kept++] = r;
				continue;
			}
			s->n_side[side]--;
			case_free(r);
		}
		s->n = kept;
	}
}

static void
note_times(struct sought *s, const struct case_draft *d, enum case_side side)
{
	int64_t at = d->request.begin_ns;

	if (side == CASE_BAD &&
	    (s->first_bad_ns == WHEN_NONE || at < s->first_bad_ns))
		s->first_bad_ns = at;
	if (side == CASE_BEFORE &&
	    (s->last_good_ns == WHEN_NONE || at > s->last_good_ns))
		s->last_good_ns = at;
}

static bool
is_before(const struct evidence *a, const struct evidence *b)
{
	return a->input != b->input ? a->input < b->input : a->line < b->line;
}

/*
 * The judge has one example a cell, so that a finding of fewer bad cells than
 * it has room for shows less than there is: the least places that it does not
 * have are kept for it.
 */
static void
note_evidence(struct sought *s, const struct case_draft *d)
{
	const struct finding *f = s->finding;
	struct evidence e = { .input = d->place.input,
		.line = d->place.line,
		.has_trace = d->request.has_trace };
	int room = FINDING_EVIDENCE - f->n_evidence;
	int at;

	for (int i = 0; i < f->n_evidence; i++)
		if (f->evidence[i].input == e.input &&
		    f->evidence[i].line == e.line)
			return;
	memcpy(e.trace, d->request.trace, sizeof e.trace);
	at = s->n_more;
	while (at > 0 && is_before(&e, &s->more[at - 1]))
		at--;
	if (at == room)
		return;
	s->n_more += s->n_more < room;
	memmove(&s->more[at + 1], &s->more[at],
	    (size_t)(s->n_more - at - 1) * sizeof e);
	s->more[at] = e;
}

void
cases_admit(struct cases *c, const struct case_draft *d)
{
	for (int i = 0; i < d->n_matches; i++) {
		struct sought *s = &c->v[d->matches[i].sought];
		enum case_side side = d->matches[i].side;
		struct request_case *r;

		note_times(s, d, side);
		if (side == CASE_BAD)
			note_evidence(s, d);
		if (!is_kept(s, side, d->request.priority))
			continue;
		r = xcalloc(1, sizeof *r);
		*r = d->request;
		r->side = side;
		r->cap = r->n;
		r->marks = xcalloc(r->n + 1, sizeof *r->marks);
		memcpy(r->marks, d->marks, r->n * sizeof *r->marks);
		s->v = xgrow(s->v, s->n + 1, &s->cap, sizeof *s->v);
		s->v[s->n++] = r;
		s->n_side[side]++;
		raise_level(s, side, c->most);
	}
}

static struct feature *
feature_slot(const struct cases *c, uint64_t id)
{
	size_t i = (size_t)(id >> 1) & (c->n_slots - 1);

	while (c->features[i].id && c->features[i].id != id)
		i = (i + 1) & (c->n_slots - 1);
	return &c->features[i];
}

const struct feature *
cases_feature(const struct cases *c, uint64_t id)
{
	const struct feature *f = feature_slot(c, id);

	return f->id ? f : NULL;
}

static void
features_grow(struct cases *c)
{
	struct feature *old = c->features;
	size_t n = c->n_slots;

	c->n_slots *= 2;
	c->features = xcalloc(c->n_slots, sizeof *c->features);
	for (size_t i = 0; i < n; i++)
		if (old[i].id)
			*feature_slot(c, old[i].id) = old[i];
	free(old);
}

static uint64_t
feature_get(struct cases *c, const struct feature *like)
{
	struct feature f = *like;
	struct feature *slot;

	f.id = hash64_mix(hash64(f.dimension),
	    f.kind == CAUSE_LINE ? f.key : hash64(f.text));
	f.id = hash64_mix(f.id,
		   (uint64_t)f.service << 3 | (uint64_t)f.wide << 2 | f.kind) |
	       1;
	slot = feature_slot(c, f.id);
	if (slot->id || c->n_features == FEATURES_MAX)
		return f.id;
	f.text = arena_dup(&c->texts, str_sub(f.text, 0, TEXT_MAX));
	f.dimension = arena_dup(&c->texts, str_sub(f.dimension, 0, TEXT_MAX));
	*slot = f;
	if (++c->n_features * 2 > c->n_slots)
		features_grow(c);
	return f.id;
}

uint64_t
cases_line(struct cases *c, uint32_t service, struct str text)
{
	struct feature f = { .kind = CAUSE_LINE, .service = service };

	f.key = templates_add(c->templates, text);
	return feature_get(c, &f);
}

uint64_t
cases_wide(struct cases *c, uint64_t line)
{
	const struct feature *of = cases_feature(c, line);
	struct feature f;

	if (!of)
		return line;
	f = *of;
	f.wide = true;
	return feature_get(c, &f);
}

uint64_t
cases_call(struct cases *c, uint32_t service, struct str text)
{
	struct feature f = { .kind = CAUSE_CALL,
		.service = service,
		.text = str_sub(text, 0, TEXT_MAX) };

	return feature_get(c, &f);
}

uint64_t
cases_place(struct cases *c, struct str dimension, struct str text)
{
	struct feature f = { .kind = CAUSE_PLACE,
		.dimension = dimension,
		.text = str_sub(text, 0, TEXT_MAX) };

	return feature_get(c, &f);
}

/* Whole milliseconds, within what fits. */
static int32_t
lag_ms(int64_t from_ns, int64_t to_ns)
{
	int64_t ms;

	if (from_ns == WHEN_NONE || to_ns == WHEN_NONE)
		return 0;
	ms = to_ns / 1000000 - from_ns / 1000000;
	if (ms > INT32_MAX)
		return INT32_MAX;
	return ms < 0 ? 0 : (int32_t)ms;
}

static void
add_mark(struct request_case *r, struct cause_mark mark)
{
	size_t cap = r->cap;

	for (uint32_t i = 0; i < r->n; i++)
		if (r->marks[i].feature == mark.feature)
			return;
	if (r->n == CASE_MARKS)
		return;
	if (r->n == r->cap) {
		r->marks = xgrow(r->marks, r->n + 1, &cap, sizeof *r->marks);
		r->cap = (uint32_t)cap;
	}
	r->marks[r->n++] = mark;
}

void
case_mark(struct request_case *r, uint64_t feature, int64_t ts_ns)
{
	add_mark(r, (struct cause_mark){ .feature = feature,
			.lag_ms = lag_ms(r->begin_ns, ts_ns),
			.at = r->n });
}

void
case_mark_call(struct request_case *r, uint64_t feature, int64_t ts_ns)
{
	int64_t us = r->begin_ns == WHEN_NONE || ts_ns < r->begin_ns
			 ? 0
			 : (ts_ns - r->begin_ns) / 1000;

	add_mark(r, (struct cause_mark){ .feature = feature,
			.lag_ms = lag_ms(r->begin_ns, ts_ns),
			.at = us < INT32_MAX ? UINT32_MAX - (uint32_t)us
					     : (uint32_t)INT32_MAX });
}

static struct onset_line *
onset_slot(const struct sought *s, uint64_t feature)
{
	size_t i = (size_t)(feature >> 1) & (s->n_slots - 1);

	while (s->lines[i].feature && s->lines[i].feature != feature)
		i = (i + 1) & (s->n_slots - 1);
	return &s->lines[i];
}

static void
add_onset(struct sought *s, uint64_t feature, int64_t ts_ns)
{
	int64_t bin = (s->bracket_ns - 1 - ts_ns) / NS_PER_SEC / BIN_S;
	struct onset_line *l;

	if (ts_ns >= s->bracket_ns || bin >= ONSET_BINS)
		return;
	if (!s->lines) {
		s->n_slots = ONSET_LINES * 2;
		s->lines = xcalloc(s->n_slots, sizeof *s->lines);
	}
	l = onset_slot(s, feature);
	if (!l->feature) {
		if (s->n_lines == ONSET_LINES)
			return;
		s->n_lines++;
		l->feature = feature;
		l->first_ns = ts_ns;
	}
	l->bins[bin]++;
	if (ts_ns < l->first_ns)
		l->first_ns = ts_ns;
}

void
cases_onset(struct cases *c, uint32_t service, uint64_t feature, int64_t ts_ns)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].service == service)
			add_onset(&c->v[i], feature, ts_ns);
}

static int
by_trace(const void *pa, const void *pb)
{
	const struct traced_case *a = pa;
	const struct traced_case *b = pb;
	int d = memcmp(a->trace, b->trace, sizeof a->trace);

	if (d != 0)
		return d;
	return a->of->priority < b->of->priority
		   ? -1
		   : a->of->priority > b->of->priority;
}

void
cases_index(struct cases *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		n += c->v[i].n;
	c->traced = xcalloc(n + 1, sizeof *c->traced);
	for (size_t i = 0; i < c->n; i++) {
		for (size_t k = 0; k < c->v[i].n; k++) {
			struct request_case *r = c->v[i].v[k];
			struct traced_case *t = &c->traced[c->n_traced];

			if (!r->has_trace)
				continue;
			memcpy(t->trace, r->trace, sizeof t->trace);
			t->of = r;
			c->n_traced++;
		}
	}
	if (c->n_traced > 1)
		qsort(c->traced, c->n_traced, sizeof *c->traced, by_trace);
}

struct traced_case *
cases_traced(const struct cases *c, const uint8_t trace[16])
{
	size_t lo = 0;
	size_t hi = c->n_traced;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (memcmp(c->traced[mid].trace, trace, 16) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == c->n_traced || memcmp(c->traced[lo].trace, trace, 16) != 0)
		return NULL;
	return &c->traced[lo];
}
