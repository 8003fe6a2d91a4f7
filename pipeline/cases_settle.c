/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the requests of a finding to its causes.
 *
 * A line may be known in two ways, strictly and widely (beside.h); each is
 * asked as a thing of its own, and the one that shows more is told.
 *
 * Log lines and calls are searched together where all requests have both; where
 * only some have a trace, each kind is searched among the requests that could
 * have it.  Places are asked one dimension at a time: of all tasks, say, one
 * has nearly all bad requests, and either fewer of the others in the same
 * window (one of two tasks is broken) or fewer of those before (a new one is).
 *
 * Where nothing is in the requests, a line of the service that was logged for
 * the first time, after up to an hour without it, shortly before the first bad
 * request is named: a start-up banner.  Shortly: one event in that time, none
 * in all the time before, surprises by two nats, that is about a tenth.
 */
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/mem.h"
#include "pipeline/cases.h"
#include "pipeline/run.h"

enum {
	FEW_OTHERS = 5,     /* then those before are taken as well */
	PLACE_PERCENT = 80, /* of the bad requests are in one place */
	SURPRISE_MILLI = 2000,
	BIN_S = 300,
	BEFORE_S = 60, /* shorter than this says nothing of what is usual */
	NEAR_S = 5,    /* what is nearer is as near as can be told */
};

enum what { WHAT_ALL, WHAT_LINES, WHAT_CALLS, WHAT_PLACE };

/* One search: which requests, and what of them. */
struct asking {
	const struct cases *cases;
	const struct sought *sought;
	enum what what;
	struct str dimension; /* of WHAT_PLACE */
	bool sides[CASE_SIDES];
	struct cause_case *v;
	size_t n;
	struct cause_mark *marks;
};

/* A place among all that were asked. */
struct spot {
	struct cause_pick pick;
	struct str dimension;
	uint32_t values;
	bool since;
};

/* Lines become their templates: the number that a search knows them by; 0: of
 * no use. */
static uint64_t
final_id(const struct cases *c, const struct feature *f)
{
	uint32_t number;

	if (f->kind != CAUSE_LINE)
		return f->id;
	number = templates_of(c->templates, f->key);
	if (number == TEMPLATE_OTHER)
		return 0;
	return hash64_mix(hash64(templates_text(c->templates, number)),
		   (uint64_t)f->service << 1 | f->wide) |
	       1;
}

static bool
is_asked(const struct asking *a, const struct feature *f)
{
	bool own_line =
	    f->kind == CAUSE_LINE && f->service == a->sought->service;

	switch (a->what) {
	case WHAT_ALL:
		return f->kind != CAUSE_PLACE;
	case WHAT_LINES:
		return own_line;
	case WHAT_CALLS:
		return f->kind != CAUSE_PLACE && !own_line;
	case WHAT_PLACE:
		break;
	}
	return f->kind == CAUSE_PLACE && str_eq(f->dimension, a->dimension);
}

static int
by_feature(const void *pa, const void *pb)
{
	const struct cause_mark *a = pa;
	const struct cause_mark *b = pb;

	if (a->feature != b->feature)
		return a->feature < b->feature ? -1 : 1;
	return a->at < b->at ? -1 : a->at > b->at;
}

/* The request's marks that are asked for; returns how many. */
static size_t
take_marks(const struct asking *a, const struct request_case *r,
    struct cause_mark *to)
{
	size_t n = 0;
	size_t kept = 0;

	for (uint32_t i = 0; i < r->n; i++) {
		const struct feature *f =
		    cases_feature(a->cases, r->marks[i].feature);

		if (!f || !is_asked(a, f))
			continue;
		to[n] = r->marks[i];
		to[n].feature = final_id(a->cases, f);
		n += to[n].feature != 0;
	}
	if (n > 1)
		qsort(to, n, sizeof *to, by_feature);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || to[i].feature != to[kept - 1].feature)
			to[kept++] = to[i];
	return kept;
}

static bool
could_have(const struct asking *a, const struct request_case *r)
{
	if (!a->sides[r->side])
		return false;
	return a->what == WHAT_CALLS   ? r->traced
	       : a->what == WHAT_LINES ? r->lined
				       : true;
}

static size_t
ask(struct asking *a, struct cause_pick *picks, size_t max)
{
	const struct sought *s = a->sought;
	size_t total = 0;
	size_t found;

	for (size_t i = 0; i < s->n; i++)
		total += s->v[i]->n;
	a->v = xcalloc(s->n + 1, sizeof *a->v);
	a->marks = xcalloc(total + 1, sizeof *a->marks);
	a->n = 0;
	total = 0;
	for (size_t i = 0; i < s->n; i++) {
		struct cause_case *c = &a->v[a->n];

		if (!could_have(a, s->v[i]))
			continue;
		c->bad = s->v[i]->side == CASE_BAD;
		c->marks = &a->marks[total];
		c->n = take_marks(a, s->v[i], &a->marks[total]);
		total += c->n;
		/* A request without the dimension is of no place. */
		a->n += a->what != WHAT_PLACE || c->n > 0;
	}
	found = cause_search(a->v, a->n, picks, max);
	free(a->v);
	free(a->marks);
	return found;
}

static struct asking
asking_of(const struct cases *c, const struct sought *s, enum what what)
{
	struct asking a = { .cases = c, .sought = s, .what = what };

	a.sides[CASE_BAD] = a.sides[CASE_OTHER] = true;
	a.sides[CASE_BEFORE] = s->n_side[CASE_OTHER] < FEW_OTHERS;
	return a;
}

/* One search does when each request could have all, or none has a trace. */
static bool
is_uniform(const struct sought *s)
{
	size_t traced = 0;
	size_t lined = 0;

	for (size_t i = 0; i < s->n; i++) {
		traced += s->v[i]->traced;
		lined += s->v[i]->lined;
	}
	return (traced == s->n || traced == 0) && (lined == s->n || lined == 0);
}

static int
by_strength(const void *pa, const void *pb)
{
	const struct cause_pick *a = pa;
	const struct cause_pick *b = pb;

	if (a->g2_milli != b->g2_milli)
		return a->g2_milli > b->g2_milli ? -1 : 1;
	return a->feature < b->feature ? -1 : a->feature > b->feature;
}

static size_t
search(const struct cases *c, const struct sought *s,
    struct cause_pick picks[2 * FINDING_CAUSES])
{
	struct asking a = asking_of(c, s, WHAT_ALL);
	size_t n;

	if (is_uniform(s))
		return ask(&a, picks, FINDING_CAUSES);
	a.what = WHAT_LINES;
	n = ask(&a, picks, FINDING_CAUSES);
	a.what = WHAT_CALLS;
	n += ask(&a, picks + n, FINDING_CAUSES);
	if (n > 1)
		qsort(picks, n, sizeof *picks, by_strength);
	return n < FINDING_CAUSES ? n : FINDING_CAUSES;
}

char *
cause_text(struct str s)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < s.n; i++)
		buf_char(&b, s.p[i] ? s.p[i] : '?');
	buf_char(&b, '\0');
	return b.p;
}

/* A feature that became the picked one. */
static const struct feature *
picked(const struct cases *c, uint64_t id)
{
	for (size_t i = 0; i < c->n_slots; i++)
		if (c->features[i].id && final_id(c, &c->features[i]) == id)
			return &c->features[i];
	return NULL;
}

static void
set_texts(const struct cases *c, const struct feature *f, struct cause *to)
{
	struct buf b = { 0 };
	uint32_t number;

	to->kind = f->kind;
	if (f->kind == CAUSE_PLACE) {
		buf_str(&b, f->dimension);
		buf_char(&b, ' ');
		buf_str(&b, f->text);
		to->text = cause_text(buf_view(&b));
		buf_fini(&b);
		return;
	}
	to->service = cause_text(c->run->services[f->service].name);
	if (f->kind == CAUSE_CALL) {
		to->text = cause_text(f->text);
		return;
	}
	number = templates_of(c->templates, f->key);
	to->text = cause_text(templates_example(c->templates, number));
	to->template_text = cause_text(templates_text(c->templates, number));
}

static struct cause *
add_cause(const struct cases *c, struct finding *f,
    const struct cause_pick *pick)
{
	const struct feature *feature = picked(c, pick->feature);
	struct cause *to = &f->causes[f->n_causes];

	if (!feature)
		return NULL;
	*to = (struct cause){
		.a = (uint32_t)pick->table.a,
		.b = (uint32_t)pick->table.b,
		.c = (uint32_t)pick->table.c,
		.d = (uint32_t)pick->table.d,
		.lift_milli = pick->lift_milli,
		.g2_milli = pick->g2_milli,
		.lag_ms = pick->lag_ms,
	};
	set_texts(c, feature, to);
	f->n_causes++;
	return to;
}

/* How many different places of a dimension the requests were in. */
static uint32_t
count_places(const struct cases *c, const struct sought *s,
    struct str dimension)
{
	uint32_t n = 0;

	for (size_t i = 0; i < c->n_slots; i++) {
		const struct feature *f = &c->features[i];
		bool met = false;

		if (!f->id || f->kind != CAUSE_PLACE ||
		    !str_eq(f->dimension, dimension))
			continue;
		for (size_t k = 0; k < s->n && !met; k++)
			for (uint32_t m = 0; m < s->v[k]->n && !met; m++)
				met = s->v[k]->marks[m].feature == f->id;
		n += met;
	}
	return n;
}

static bool
ask_place(struct asking *a, struct cause_pick *pick)
{
	return ask(a, pick, 1) > 0 &&
	       pick->table.a * 100 >=
		   (pick->table.a + pick->table.b) * PLACE_PERCENT;
}

/* The dimension, if it is better than the best so far. */
static void
try_dimension(const struct cases *c, const struct sought *s,
    struct str dimension, struct spot *best)
{
	struct asking a = asking_of(c, s, WHAT_PLACE);
	struct spot p = { .dimension = dimension };
	bool found;

	a.dimension = dimension;
	a.sides[CASE_BEFORE] = false;
	found = ask_place(&a, &p.pick);
	if (!found) {
		a.sides[CASE_OTHER] = false;
		a.sides[CASE_BEFORE] = true;
		p.since = true;
		found = ask_place(&a, &p.pick);
	}
	if (found && (best->dimension.n == 0 || (best->since && !p.since) ||
			 (best->since == p.since &&
			     p.pick.g2_milli > best->pick.g2_milli)))
		*best = p;
}

static int
by_text(const void *pa, const void *pb)
{
	const struct str *a = pa;
	const struct str *b = pb;

	return str_cmp(*a, *b);
}

/* All dimensions' names, sorted; free() them. */
static struct str *
list_dimensions(const struct cases *c, size_t *n)
{
	struct str *all = xcalloc(c->n_features + 1, sizeof *all);
	size_t k = 0;

	*n = 0;
	for (size_t i = 0; i < c->n_slots; i++)
		if (c->features[i].id && c->features[i].kind == CAUSE_PLACE)
			all[k++] = c->features[i].dimension;
	if (k > 1)
		qsort(all, k, sizeof *all, by_text);
	for (size_t i = 0; i < k; i++)
		if (*n == 0 || !str_eq(all[i], all[*n - 1]))
			all[(*n)++] = all[i];
	return all;
}

static void
find_place(const struct cases *c, struct sought *s)
{
	struct spot best = { 0 };
	struct cause *to;
	size_t n;
	struct str *dimensions = list_dimensions(c, &n);

	for (size_t i = 0; i < n; i++)
		try_dimension(c, s, dimensions[i], &best);
	free(dimensions);
	if (best.dimension.n == 0 || s->finding->n_causes == FINDING_CAUSES)
		return;
	to = add_cause(c, s->finding, &best.pick);
	if (!to)
		return;
	to->places = count_places(c, s, best.dimension);
	to->since = best.since;
	to->lag_ms = 0;
}

/* A template around the onset. */
struct onset {
	uint64_t id; /* final */
	uint64_t now, before;
	int64_t first_ns;
	int64_t g_milli; /* 0: no candidate */
};

static int
by_id(const void *pa, const void *pb)
{
	const struct onset *a = pa;
	const struct onset *b = pb;

	return a->id < b->id ? -1 : a->id > b->id;
}

/* The lines of one template are one; returns how many templates there are. */
static size_t
merge_onsets(struct onset *v, size_t n)
{
	size_t kept = 0;

	if (n > 1)
		qsort(v, n, sizeof *v, by_id);
	for (size_t i = 0; i < n; i++) {
		if (kept == 0 || v[kept - 1].id != v[i].id) {
			v[kept++] = v[i];
			continue;
		}
		v[kept - 1].now += v[i].now;
		v[kept - 1].before += v[i].before;
		if (v[i].first_ns < v[kept - 1].first_ns)
			v[kept - 1].first_ns = v[i].first_ns;
	}
	return kept;
}

/* The bins that are around the onset: back to the last good request. */
static int
bracket_bins(const struct sought *s)
{
	int64_t back_ns = 0;
	int64_t bins;

	if (s->last_good_ns != WHEN_NONE)
		back_ns = s->bracket_ns - s->last_good_ns;
	bins = back_ns / NS_PER_SEC / BIN_S + 1;
	return bins > ONSET_BINS - 1 ? ONSET_BINS - 1 : (int)bins;
}

static struct onset *
list_onsets(const struct cases *c, const struct sought *s, size_t *n)
{
	struct onset *v = xcalloc(s->n_lines + 1, sizeof *v);
	int bins = bracket_bins(s);

	*n = 0;
	for (size_t i = 0; i < s->n_slots; i++) {
		const struct onset_line *l = &s->lines[i];
		const struct feature *f =
		    l->feature ? cases_feature(c, l->feature) : NULL;
		struct onset *o = &v[*n];

		if (!f)
			continue;
		o->id = final_id(c, f);
		o->first_ns = l->first_ns;
		for (int b = 0; b < ONSET_BINS; b++)
			*(b < bins ? &o->now : &o->before) += l->bins[b];
		*n += o->id != 0;
	}
	*n = merge_onsets(v, *n);
	return v;
}

/* How surprising it is that the line came first where it did. */
static int64_t
surprise_milli(const struct cases *c, const struct sought *s,
    const struct onset *o)
{
	int64_t begin = c->run->services[s->service].first_ns;
	int64_t gap_ns = s->first_bad_ns - o->first_ns;
	struct cause_rate rate = { .now = 1, .now_ns = NEAR_S * NS_PER_SEC };

	if (o->before > 0 || o->now == 0 || gap_ns < 0 || begin == WHEN_NONE)
		return 0;
	if (gap_ns > rate.now_ns)
		rate.now_ns = gap_ns;
	if (begin < s->from_ns)
		begin = s->from_ns;
	rate.before_ns = o->first_ns - begin;
	if (rate.before_ns < BEFORE_S * NS_PER_SEC)
		return 0;
	return cause_surprise_milli(rate);
}

/* The earliest of those that are about as surprising as the most is. */
static const struct onset *
choose_onset(const struct onset *v, size_t n)
{
	const struct onset *best = NULL;
	int64_t most = SURPRISE_MILLI;

	for (size_t i = 0; i < n; i++)
		if (v[i].g_milli > most)
			most = v[i].g_milli;
	for (size_t i = 0; i < n; i++)
		if (v[i].g_milli >= most / 10 * 9 &&
		    v[i].g_milli >= SURPRISE_MILLI &&
		    (!best || v[i].first_ns < best->first_ns))
			best = &v[i];
	return best;
}

static void
find_onset(const struct cases *c, struct sought *s)
{
	const struct onset *best;
	struct cause *to;
	struct onset *v;
	size_t n;

	if (s->first_bad_ns == WHEN_NONE)
		return;
	v = list_onsets(c, s, &n);
	for (size_t i = 0; i < n; i++)
		v[i].g_milli = surprise_milli(c, s, &v[i]);
	best = choose_onset(v, n);
	if (best) {
		struct cause_pick pick = { .feature = best->id,
			.table = { .a = best->now },
			.g2_milli = 2 * best->g_milli,
			.lag_ms =
			    (s->first_bad_ns - best->first_ns) / 1000000 };

		to = add_cause(c, s->finding, &pick);
		if (to)
			to->kind = CAUSE_ONSET;
	}
	free(v);
}

static int
by_number(const void *pa, const void *pb)
{
	const uint64_t *a = pa;
	const uint64_t *b = pb;

	return *a < *b ? -1 : *a > *b;
}

/* Different templates and calls of the requests. */
static uint32_t
count_templates(const struct cases *c, const struct sought *s)
{
	uint64_t *ids = xcalloc(c->n_features + 1, sizeof *ids);
	size_t n = 0;
	uint32_t different = 0;

	for (size_t i = 0; i < c->n_slots; i++) {
		const struct feature *f = &c->features[i];
		bool met = false;

		if (!f->id || f->kind == CAUSE_PLACE || f->wide)
			continue;
		for (size_t k = 0; k < s->n && !met; k++)
			for (uint32_t m = 0; m < s->v[k]->n && !met; m++)
				met = s->v[k]->marks[m].feature == f->id;
		if (met)
			ids[n++] = final_id(c, f);
	}
	if (n > 1)
		qsort(ids, n, sizeof *ids, by_number);
	for (size_t i = 0; i < n; i++)
		different += i == 0 || ids[i] != ids[i - 1];
	free(ids);
	return different;
}

static void
show_more(struct finding *f, const struct sought *s)
{
	for (int i = 0; i < s->n_more && f->n_evidence < FINDING_EVIDENCE; i++)
		f->evidence[f->n_evidence++] = s->more[i];
}

static void
settle_one(const struct cases *c, struct sought *s)
{
	struct cause_pick picks[2 * FINDING_CAUSES];
	struct finding *f = s->finding;
	size_t n = search(c, s, picks);

	f->compared_bad = (uint32_t)s->n_side[CASE_BAD];
	f->compared = (uint32_t)s->n_side[CASE_OTHER];
	if (s->n_side[CASE_OTHER] < FEW_OTHERS)
		f->compared += (uint32_t)s->n_side[CASE_BEFORE];
	f->templates = count_templates(c, s);
	show_more(f, s);
	for (size_t i = 0; i < n && f->n_causes < FINDING_CAUSES; i++)
		add_cause(c, f, &picks[i]);
	if (n == 0)
		find_onset(c, s);
	find_place(c, s);
}

void
cases_settle(struct cases *c)
{
	templates_settle(c->templates);
	for (size_t i = 0; i < c->n; i++)
		settle_one(c, &c->v[i]);
}
