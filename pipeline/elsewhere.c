/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of other programs; see the header. */
#include "pipeline/elsewhere.h"

#include <stdlib.h>

#include "core/hash.h"
#include "core/mem.h"
#include "pipeline/run.h"

enum {
	SLOTS = 2 * ELSEWHERE_LINES,
	NEAR_S = 5,    /* what is nearer is as near as can be told */
	BEFORE_S = 60, /* shorter than this says nothing of what is usual */
	LEAST = 3,
	SHARE = 4, /* lines are at least a fourth of the bad requests */
	SURPRISE_MILLI = 4000,
};

void
elsewhere_init(struct elsewhere *e, const struct cases *c)
{
	*e = (struct elsewhere){ .run = c->run,
		.v = xcalloc(c->n, sizeof *e->v),
		.templates = templates_new() };
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].finding->n_causes == 0 &&
		    c->v[i].first_bad_ns != WHEN_NONE)
			e->v[e->n++] =
			    (struct elsewhere_asked){ .sought = &c->v[i] };
}

void
elsewhere_fini(struct elsewhere *e)
{
	for (size_t i = 0; i < e->n; i++)
		free(e->v[i].v);
	free(e->v);
	templates_free(e->templates);
	*e = (struct elsewhere){ 0 };
}

static bool
asks(const struct elsewhere_asked *a, uint32_t service, int64_t ts_ns)
{
	const struct sought *s = a->sought;

	return s->service != service && ts_ns >= s->from_ns && ts_ns < s->to_ns;
}

bool
elsewhere_wants(const struct elsewhere *e, uint32_t service, int64_t ts_ns)
{
	for (size_t i = 0; i < e->n; i++)
		if (asks(&e->v[i], service, ts_ns))
			return true;
	return false;
}

/* The line's slot; NULL: there is no room for another. */
static struct elsewhere_line *
slot_of(struct elsewhere_asked *a, uint64_t id)
{
	size_t i = (size_t)(id >> 1) & (SLOTS - 1);

	if (!a->v)
		a->v = xcalloc(SLOTS, sizeof *a->v);
	while (a->v[i].id && a->v[i].id != id)
		i = (i + 1) & (SLOTS - 1);
	if (a->v[i].id)
		return &a->v[i];
	if (a->n == ELSEWHERE_LINES) {
		a->full = true;
		return NULL;
	}
	a->n++;
	return &a->v[i];
}

static void
count(struct elsewhere_asked *a, const struct elsewhere_line *line)
{
	struct elsewhere_line *l = slot_of(a, line->id);

	if (!l)
		return;
	if (!l->id)
		*l = *line;
	else if (line->first_ns < l->first_ns)
		l->first_ns = line->first_ns;
	l->n++;
}

void
elsewhere_add(struct elsewhere *e, uint32_t service, struct str text,
    int64_t ts_ns)
{
	struct elsewhere_line line = { .key = templates_add(e->templates, text),
		.service = service,
		.first_ns = ts_ns };

	line.id = hash64_mix(line.key, service) | 1;
	for (size_t i = 0; i < e->n; i++)
		if (asks(&e->v[i], service, ts_ns))
			count(&e->v[i], &line);
}

/* A template that began with the finding. */
struct begun {
	uint32_t service, template;
	uint64_t n;
	int64_t first_ns;
};

static int
by_template(const void *pa, const void *pb)
{
	const struct begun *a = pa;
	const struct begun *b = pb;

	if (a->service != b->service)
		return a->service < b->service ? -1 : 1;
	return a->template <b->template ? -1 : a->template > b->template;
}

/* The lines of one template are one; returns how many templates there are. */
static size_t
merge(struct begun *v, size_t n)
{
	size_t kept = 0;

	if (n > 1)
		qsort(v, n, sizeof *v, by_template);
	for (size_t i = 0; i < n; i++) {
		struct begun *last = kept ? &v[kept - 1] : NULL;

		if (!last || by_template(last, &v[i]) != 0) {
			v[kept++] = v[i];
			continue;
		}
		last->n += v[i].n;
		if (v[i].first_ns < last->first_ns)
			last->first_ns = v[i].first_ns;
	}
	return kept;
}

static struct begun *
list(const struct elsewhere *e, const struct elsewhere_asked *a, size_t *n)
{
	struct begun *v = xcalloc(a->n + 1, sizeof *v);

	*n = 0;
	for (size_t i = 0; a->v && i < SLOTS; i++) {
		const struct elsewhere_line *l = &a->v[i];
		struct begun *b = &v[*n];

		if (!l->id)
			continue;
		*b = (struct begun){ .service = l->service,
			.template = templates_of(e->templates, l->key),
			.n = l->n,
			.first_ns = l->first_ns };
		*n += b->template != TEMPLATE_OTHER;
	}
	*n = merge(v, *n);
	return v;
}

/* When the log of v's service begins; its templates stand together. */
static int64_t
begin_of(const struct begun *v, size_t n)
{
	int64_t begin = v->first_ns;

	for (size_t i = 1; i < n && v[i].service == v->service; i++)
		if (v[i].first_ns < begin)
			begin = v[i].first_ns;
	return begin;
}

/* How surprising it is that the line came first where it did. */
static int64_t
surprise_milli(const struct sought *s, const struct begun *b, int64_t begin_ns)
{
	int64_t gap_ns = s->first_bad_ns - b->first_ns;
	struct cause_rate rate = { .now = 1, .now_ns = NEAR_S * NS_PER_SEC };

	/* It may come while the first bad request waits. */
	if (gap_ns < -rate.now_ns || b->n < LEAST ||
	    b->n * SHARE < s->finding->bad)
		return 0;
	if (gap_ns > rate.now_ns)
		rate.now_ns = gap_ns;
	rate.before_ns = b->first_ns - begin_ns;
	if (rate.before_ns < BEFORE_S * NS_PER_SEC)
		return 0;
	return cause_surprise_milli(rate);
}

static void
settle_one(const struct elsewhere *e, const struct elsewhere_asked *a)
{
	struct finding *f = a->sought->finding;
	const struct begun *best = NULL;
	int64_t most = SURPRISE_MILLI;
	int64_t begin = 0;
	struct begun *v;
	size_t n;

	v = list(e, a, &n);
	for (size_t i = 0; i < n && !a->full; i++) {
		int64_t g;

		if (i == 0 || v[i].service != v[i - 1].service)
			begin = begin_of(&v[i], n - i);
		g = surprise_milli(a->sought, &v[i], begin);

		/* Of several that are as near, the one that came oftenest. */
		if (g > most || (g == most && (!best || v[i].n > best->n))) {
			best = &v[i];
			most = g;
		}
	}
	if (best)
		f->causes[f->n_causes++] = (struct cause){
			.kind = CAUSE_ELSEWHERE,
			.text = cause_text(
			    templates_example(e->templates, best->template)),
			.template_text = cause_text(
			    templates_text(e->templates, best->template)),
			.service =
			    cause_text(e->run->services[best->service].name),
			.a = best->n > UINT32_MAX ? UINT32_MAX
						  : (uint32_t)best->n,
			.g2_milli = 2 * most,
			.lag_ms = (a->sought->first_bad_ns - best->first_ns) /
				  1000000,
		};
	free(v);
}

void
elsewhere_settle(struct elsewhere *e)
{
	templates_settle(e->templates);
	for (size_t i = 0; i < e->n; i++)
		settle_one(e, &e->v[i]);
}
