/* SPDX-License-Identifier: Apache-2.0 */
/* Callers by time and trace: see the header. */
#include "pipeline/callers.h"

#include <stdlib.h>
#include <string.h>

#include "analyzers/fold.h"
#include "analyzers/glr.h"
#include "core/hash.h"
#include "core/mem.h"
#include "pipeline/pairing.h"
#include "pipeline/run.h"

enum {
	PRIOR_PPM = 10000, /* of the baseline: 1 % with the weight of 20 */
	PRIOR_M = 20,
	SHARE = 3, /* of those beyond chance, 1 in so many is the caller's */
	LEAST = 4,
};

static const char masked[] = "masked-failure";

/* How long a request without a duration is taken to have been under way. */
static const int64_t untimed_ns = NS_PER_SEC / 5;
/* Longer than calls take, and no usual period. */
static const int64_t shift_ns = 7300 * NS_PER_MS;

static int
by_end(const void *pa, const void *pb)
{
	struct request_case *const *a = pa;
	struct request_case *const *b = pb;

	return (*a)->end_ns < (*b)->end_ns ? -1 : (*a)->end_ns > (*b)->end_ns;
}

static bool
is_of_answers(const struct finding *f)
{
	return strcmp(f->rule, "server-error") == 0 ||
	       strcmp(f->rule, "not-found") == 0;
}

static void
collect(struct called *c, struct sought *s)
{
	*c = (struct called){ .sought = s,
		.v = xcalloc(s->n, sizeof *c->v),
		.met = xcalloc(s->n, sizeof *c->met) };
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i]->side != CASE_BEFORE)
			c->v[c->n++] = s->v[i];
	if (c->n > 1)
		qsort(c->v, c->n, sizeof(struct request_case *), by_end);
}

void
callers_init(struct callers *c, struct cases *cases)
{
	*c = (struct callers){ .cases = cases,
		.v = xcalloc(cases->n, sizeof *c->v) };
	for (size_t i = 0; i < cases->n; i++)
		if (is_of_answers(cases->v[i].finding) && cases->v[i].n > 0)
			collect(&c->v[c->n++], &cases->v[i]);
}

void
callers_fini(struct callers *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->v[i].v);
		free(c->v[i].met);
	}
	free(c->v);
	*c = (struct callers){ 0 };
}

/* A caller's request: whatever ended in that time it may have asked for. */
struct meeting {
	int64_t from_ns, to_ns;
	const uint8_t *trace; /* NULL */
	enum tell tell;
	bool shifted;
};

/* The first that ends at the time or later. */
static size_t
first_from(const struct called *c, int64_t ns)
{
	size_t lo = 0;
	size_t hi = c->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (c->v[mid]->end_ns < ns)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* The number of the caller; -1: there are enough of a lesser hash. */
static int
caller_of(struct called *c, const struct caller *like)
{
	int most = 0;

	for (int i = 0; i < c->n_callers; i++) {
		const struct caller *k = &c->callers[i];

		if (k->service == like->service && k->route == like->route &&
		    k->method == like->method)
			return i;
		if (k->hash > c->callers[most].hash)
			most = i;
	}
	if (c->n_callers < CALLERS_MAX) {
		c->callers[c->n_callers] = *like;
		return c->n_callers++;
	}
	if (c->callers[most].hash <= like->hash)
		return -1;
	for (size_t i = 0; i < c->n; i++)
		c->met[i][most] = (struct met){ 0 };
	c->callers[most] = *like;
	return most;
}

/* Both have a trace, and they are not the same. */
static bool
is_another(const struct request_case *r, const uint8_t *trace)
{
	return trace && r->has_trace &&
	       memcmp(r->trace, trace, sizeof r->trace) != 0;
}

/* The request asked, unless one that ended sooner has. */
static void
mark(const struct called *c, size_t i, int caller, const struct case_request *q)
{
	struct met *met = &c->met[i][caller];
	int64_t us = (q->end_ns - c->v[i]->end_ns) / 1000;
	int status = q->request->status;
	uint32_t gap = us < 0                ? 1
		       : us < UINT32_MAX - 1 ? (uint32_t)us + 1
					     : UINT32_MAX;

	if (met->gap_us > 0 && met->gap_us <= gap)
		return;
	met->gap_us = gap;
	met->well = status >= 200 && status < 400;
}

static struct caller
name_caller(const struct run *run, const struct case_request *q)
{
	const struct service *s = &run->services[q->service];
	struct caller k = { .service = q->service,
		.route = s->final[routes_find(s->routes, q->request->path)],
		.method = q->request->method };

	k.hash = hash64_mix(
	    hash64_mix(hash64(s->name), hash64(s->texts[k.route])), k.method);
	return k;
}

/* A whole second may be any time of it. */
static bool
is_met(const struct request_case *r, const struct meeting *m)
{
	return r->end_ns >= m->from_ns - (r->coarse ? NS_PER_SEC : 0) &&
	       r->end_ns <= m->to_ns;
}

/* The requests that ended at these times met this one: now, or later. */
static void
meet(struct callers *c, struct called *of, const struct case_request *q,
    const struct meeting *m)
{
	uint8_t bit = (uint8_t)(1u << m->tell);
	size_t i = first_from(of, m->from_ns - NS_PER_SEC);
	struct caller like;
	int caller;

	if (i == of->n || of->v[i]->end_ns > m->to_ns)
		return;
	like = name_caller(c->cases->run, q);
	caller = caller_of(of, &like);
	if (caller < 0)
		return;
	of->callers[caller].n[m->tell] += !m->shifted;
	for (; i < of->n && of->v[i]->end_ns <= m->to_ns; i++) {
		if (!is_met(of->v[i], m))
			continue;
		if (m->shifted) {
			of->met[i][caller].later |= bit;
		} else if (!is_another(of->v[i], m->trace)) {
			of->met[i][caller].by |= bit;
			mark(of, i, caller, q);
		}
	}
}

void
callers_request(struct callers *c, const struct case_request *q,
    const uint8_t *trace)
{
	bool timed = q->duration_ns >= 0;
	int64_t took = timed ? q->duration_ns : untimed_ns;

	if (q->class == CLASS_PROBE || q->request->status < 100)
		return;
	for (size_t i = 0; i < c->n; i++) {
		struct called *of = &c->v[i];
		struct meeting m = { .trace = trace,
			.tell = timed ? TIMED : UNTIMED,
			.from_ns = q->end_ns - took,
			.to_ns = q->end_ns + NS_PER_MS };

		if (of->sought->service == q->service)
			continue;
		m.to_ns += q->coarse ? NS_PER_SEC : 0;
		meet(c, of, q, &m);
		m.shifted = true;
		m.from_ns -= shift_ns;
		m.to_ns -= shift_ns;
		meet(c, of, q, &m);
	}
}

/*
 * Whether what is seen of the caller is more than chance, and a share.  Where
 * some of its requests have a duration these tell, being so many of them all.
 */
static bool
is_caller(const struct called *c, int caller)
{
	const uint64_t *n = c->callers[caller].n;
	enum tell tell = n[TIMED] > 0 ? TIMED : UNTIMED;
	struct trials met = { .n = c->n };
	struct trials chance = { .n = c->n };
	struct odds p0;

	for (size_t i = 0; i < c->n; i++) {
		met.bad += c->met[i][caller].by >> tell & 1;
		chance.bad += c->met[i][caller].later >> tell & 1;
	}
	if (met.bad <= chance.bad ||
	    (met.bad - chance.bad) * (n[UNTIMED] + n[TIMED]) * SHARE <
		(c->n - chance.bad) * n[tell])
		return false;
	p0 = odds_of(chance, PRIOR_PPM, PRIOR_M);
	return glr_milli(met, &p0) > GLR_LEVEL_MILLI;
}

/* A bit each: those of whom durations tell, if there is one. */
static uint64_t
find_callers(const struct called *c)
{
	uint64_t timed = 0;
	uint64_t all = 0;

	for (int k = 0; k < c->n_callers; k++) {
		if (!is_caller(c, k))
			continue;
		all |= UINT64_C(1) << k;
		timed |= c->callers[k].n[TIMED] > 0 ? UINT64_C(1) << k : 0;
	}
	return timed ? timed : all;
}

/* Bad requests whose callers, of these, all were answered well. */
static uint32_t
count_hidden(const struct called *c, uint64_t callers)
{
	uint32_t hidden = 0;

	for (size_t i = 0; i < c->n; i++) {
		bool well = false;
		bool ill = false;

		for (int k = 0; k < c->n_callers; k++) {
			const struct met *met = &c->met[i][k];

			if (!(callers >> k & 1) || met->gap_us == 0)
				continue;
			well |= met->well;
			ill |= !met->well;
		}
		hidden += c->v[i]->side == CASE_BAD && well && !ill;
	}
	return hidden;
}

static char *
text_dup(struct str s)
{
	struct buf b = { 0 };

	buf_str(&b, s);
	buf_char(&b, '\0');
	return b.p;
}

static void
tell(const struct run *run, const struct caller *by, uint32_t hidden,
    struct sought *s)
{
	struct finding *f = s->finding;
	struct hidden *h = &f->hidden;

	h->service = text_dup(run->services[by->service].name);
	h->route = text_dup(run->services[by->service].texts[by->route]);
	h->method = (enum method)by->method;
	h->bad = hidden;
	h->total = (uint32_t)s->n_side[CASE_BAD];
	f->rule = masked;
}

/* What a caller's own traces told. */
static bool
is_told(const struct run *run, const struct caller *by,
    const struct finding *told, const struct finding *f)
{
	const struct service *s = &run->services[by->service];

	return told != f && told->method == (enum method)by->method &&
	       strcmp(told->judged_by, masked) == 0 &&
	       str_eq(s->name, str_of(told->service)) &&
	       str_eq(s->texts[by->route], str_of(told->route)) &&
	       findings_overlap(told, f);
}

/* Marks what is told twice; removed is it when all are through. */
static void
mark_told(const struct callers *c, const struct called *of, uint64_t callers,
    struct findings *findings)
{
	for (int k = 0; k < of->n_callers; k++)
		for (size_t i = 0; i < findings->n && callers >> k & 1; i++) {
			struct finding *f = &findings->v[i];

			if (is_told(c->cases->run, &of->callers[k], f,
				of->sought->finding))
				f->told = true;
		}
}

/* The one that hides most; of equals the one of the least hash. */
static int
find_most(const struct called *c, uint64_t callers)
{
	uint32_t most = 0;
	int best = -1;

	for (int k = 0; k < c->n_callers; k++) {
		uint32_t n = count_hidden(c, callers & UINT64_C(1) << k);

		if (n > most ||
		    (n == most && n > 0 &&
			c->callers[k].hash < c->callers[best].hash)) {
			best = k;
			most = n;
		}
	}
	return best;
}

static void
settle_one(const struct callers *c, const struct called *of,
    struct findings *findings)
{
	uint64_t callers = find_callers(of);
	uint32_t hidden = count_hidden(of, callers);
	int most = find_most(of, callers);

	if (most < 0 || hidden < LEAST ||
	    2 * (size_t)hidden < of->sought->n_side[CASE_BAD])
		return;
	tell(c->cases->run, &of->callers[most], hidden, of->sought);
	mark_told(c, of, callers, findings);
}

void
callers_settle(struct callers *c, struct findings *findings)
{
	for (size_t i = 0; i < c->n; i++)
		settle_one(c, &c->v[i], findings);
	for (size_t i = findings->n; i-- > 0;)
		if (findings->v[i].told)
			findings_remove(findings, i);
}
