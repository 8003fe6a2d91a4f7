/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Facts come sorted by block, service, path and period, so that what can
 * confirm each other stands together: sorted by stream, the nodes of one; then
 * by peer, the streams of one node.  Looking at the nearest is enough: two that
 * are no partners of each other are rare.
 */
#include "pipeline/quorum.h"

#include <stdlib.h>

#include "analyzers/glr.h"
#include "core/hash.h"
#include "core/mem.h"
#include "core/when.h"

enum {
	GROUP_MAX = 64 * 1024, /* facts that may confirm each other */
	NEAR = 32,             /* looked at, before and after */
	LIKELY_MILLI = 4000,   /* -ln of the chance: six of six */
	SURELY_MILLI = 9000,
	SLOTS = 2 * PROBERS_MAX,
};

struct probers {
	uint64_t hash[SLOTS]; /* 0: free */
	uint32_t n;
};

struct group {
	struct fact *v;
	size_t n, cap;
};

struct probers *
probers_new(void)
{
	return xcalloc(1, sizeof(struct probers));
}

void
probers_free(struct probers *p)
{
	free(p);
}

static uint64_t
hash_of(const struct prober *who, int64_t hour)
{
	uint64_t h = hash64_mix(hash64_mix(who->asks, who->peer),
	    hash64_mix((uint64_t)hour, who->service));

	return h ? h : 1;
}

/* Of the service, path and period; told apart from peers by what is mixed. */
static uint64_t
hash_of_period(const struct prober *who, uint32_t period_s)
{
	uint64_t h =
	    hash64_mix(who->asks, (uint64_t)who->service << 32 | period_s);

	return h ? h : 1;
}

static size_t
slot_of(const struct probers *p, uint64_t hash)
{
	size_t at = hash % SLOTS;

	while (p->hash[at] && p->hash[at] != hash)
		at = (at + 1) % SLOTS;
	return at;
}

static void
add(struct probers *p, uint64_t hash)
{
	size_t at = slot_of(p, hash);

	if (p->hash[at] || p->n == PROBERS_MAX)
		return;
	p->hash[at] = hash;
	p->n++;
}

void
probers_add(struct probers *p, const struct prober *who, uint32_t period_s)
{
	add(p, hash_of(who, who->hour));
	if (period_s)
		add(p, hash_of_period(who, period_s));
}

bool
probers_have(const struct probers *p, const struct prober *who)
{
	for (int64_t h = who->hour - 1; h <= who->hour + 1; h++)
		if (p->hash[slot_of(p, hash_of(who, h))])
			return true;
	return false;
}

bool
probers_period(const struct probers *p, const struct prober *who,
    uint32_t period_s)
{
	return p->hash[slot_of(p, hash_of_period(who, period_s))] != 0;
}

void
fact_key(struct fact *f, int64_t block, bool slow)
{
	f->key.hi = spill_time(block * 2 + slow);
	f->key.lo =
	    hash64_mix(f->asks, (uint64_t)f->service << 32 | f->period_s);
}

static int
compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int
by_stream(const void *a, const void *b)
{
	const struct fact *x = a;
	const struct fact *y = b;
	int c = compare(x->stream, y->stream);

	c = c ? c : compare(x->peer, y->peer);
	return c ? c : compare(x->order, y->order);
}

static int
by_peer(const void *a, const void *b)
{
	const struct fact *x = a;
	const struct fact *y = b;
	int c = compare(x->peer, y->peer);

	c = c ? c : compare(x->stream, y->stream);
	return c ? c : compare(x->order, y->order);
}

/*
 * Whether it cannot be what one of two nodes sees of a job, half of it: nine
 * of ten slots, 98 % of the time; or less, but surely more than half.
 */
static bool
is_firm(const struct fact *f)
{
	const struct odds half = odds_of((struct trials){ 0, 0 }, PPM / 2, 1);
	int64_t g = glr_milli((struct trials){ f->slots, f->filled }, &half);

	return g >= SURELY_MILLI ||
	       (g >= LIKELY_MILLI &&
		   f->filled * UINT64_C(10) >= f->slots * UINT64_C(9));
}

/*
 * Another node of the same stream, or the same node on another one.  On a usual
 * path any node of another stream: a kubelet asks the pods of its own node.
 */
static bool
partners(const struct fact *a, const struct fact *b)
{
	if (a->stream != b->stream)
		return a->peer == b->peer || (a->usual && b->usual);
	return a->peer != b->peer || (a->peer == 0 && a->order != b->order);
}

static struct prober
prober_of(const struct fact *f)
{
	return (struct prober){ .asks = f->asks,
		.peer = f->peer,
		.hour = f->hour,
		.service = f->service };
}

static int
confirm(const struct fact *f, struct probers *probers, struct spill *confirmed,
    struct err *err)
{
	struct spill_key key = { .hi = f->order };
	struct prober who = prober_of(f);

	probers_add(probers, &who, f->period_s);
	return spill_put(confirmed, &key, err);
}

/* Confirms what has a partner among those beside it in the order. */
static int
confirm_near(const struct group *g, struct probers *probers,
    struct spill *confirmed, struct err *err)
{
	for (size_t i = 0; i < g->n; i++) {
		size_t k = i < NEAR ? 0 : i - NEAR;
		size_t end = g->n - i > NEAR ? i + NEAR : g->n;

		while (k < end && !partners(&g->v[i], &g->v[k]))
			k++;
		if (k < end && confirm(&g->v[i], probers, confirmed, err) != 0)
			return -1;
	}
	return 0;
}

/* The firm ones, by each other or by a user agent. */
static int
confirm_firm(struct group *g, struct probers *probers, struct spill *confirmed,
    struct err *err)
{
	size_t firm = 0;

	for (size_t i = 0; i < g->n; i++)
		if (is_firm(&g->v[i]))
			g->v[firm++] = g->v[i];
	g->n = firm;
	for (size_t i = 0; i < g->n; i++) {
		struct prober who = prober_of(&g->v[i]);

		if (probers_have(probers, &who) &&
		    confirm(&g->v[i], probers, confirmed, err) != 0)
			return -1;
	}
	if (g->n < 2)
		return 0;
	qsort(g->v, g->n, sizeof *g->v, by_stream);
	if (confirm_near(g, probers, confirmed, err) != 0)
		return -1;
	qsort(g->v, g->n, sizeof *g->v, by_peer);
	return confirm_near(g, probers, confirmed, err);
}

static int
read_firm(struct spill *facts, struct probers *probers, struct spill *confirmed,
    struct err *err)
{
	struct merge *m = merge_new(&facts, 1, err);
	struct group g = { 0 };
	const void *next;
	int rc = 0;

	if (!m)
		return -1;
	for (next = merge_next(m); next && rc == 0; next = merge_next(m)) {
		const struct fact *f = next;

		if (g.n > 0 && (f->key.hi != g.v[0].key.hi ||
				   f->key.lo != g.v[0].key.lo)) {
			rc = confirm_firm(&g, probers, confirmed, err);
			g.n = 0;
		}
		if (g.n == GROUP_MAX)
			continue;
		g.v = xgrow(g.v, g.n + 1, &g.cap, sizeof *g.v);
		g.v[g.n++] = *f;
	}
	if (rc == 0)
		rc = confirm_firm(&g, probers, confirmed, err);
	if (rc == 0)
		rc = merge_failed(m, err);
	merge_free(m);
	free(g.v);
	return rc;
}

/* The others, by probers that are known now; these make no further ones. */
static int
read_rest(struct spill *facts, const struct probers *probers,
    struct spill *confirmed, struct err *err)
{
	struct merge *m = merge_new(&facts, 1, err);
	const void *next;
	int rc = 0;

	if (!m)
		return -1;
	for (next = merge_next(m); next && rc == 0; next = merge_next(m)) {
		const struct fact *f = next;
		struct spill_key key = { .hi = f->order };
		struct prober who = prober_of(f);

		if (probers_period(probers, &who, f->period_s) &&
		    probers_have(probers, &who))
			rc = spill_put(confirmed, &key, err);
	}
	if (rc == 0)
		rc = merge_failed(m, err);
	merge_free(m);
	return rc;
}

int
quorum(struct spill *facts, struct probers *probers, struct spill *confirmed,
    struct err *err)
{
	if (read_firm(facts, probers, confirmed, err) != 0)
		return -1;
	return read_rest(facts, probers, confirmed, err);
}
