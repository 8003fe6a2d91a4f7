/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts that get coarser with age: three rings, oldest first.
 *
 *	 10-min ───────────────── 1-min ───────────── 10-s ─────► newest
 *	 14 days                  24 h │◄─────── sum ────────►│
 *
 * An entry that has left its tier's span is added to the next tier's newest
 * entry, or dropped behind the last one; that happens when a cell is appended,
 * never by a clock.  `sum` is kept with every change, so that a baseline is one
 * subtraction however long the past is.
 */
#include "analyzers/series.h"

#include <assert.h>
#include <stdlib.h>

#include "analyzers/saturate.h"
#include "core/mem.h"

struct tier_row {
	uint32_t span;   /* in its own cells */
	uint32_t coarse; /* its cells in one of the next tier */
	uint32_t cells;  /* 10-s cells in one of its cells */
};

static const struct tier_row tiers[TIERS] = {
	[TIER_10S] = { 360, 6, 1 },
	[TIER_MINUTE] = { 1440, 10, 6 },
	[TIER_10MIN] = { 2016, 1, 60 },
};

const uint32_t series_window_cells[WINDOWS] = { 1, 2, 3, 6, 12, 30, 90, 360 };

void
series_fini(struct series *s)
{
	for (int t = 0; t < TIERS; t++)
		free(s->tier[t].v);
	*s = (struct series){ 0 };
}

void
sums_add(struct sums *a, const struct entry *e)
{
	a->n += e->n;
	a->bad += e->bad;
	a->us += (uint64_t)e->n * e->mean_us;
}

struct sums
sums_minus(struct sums a, struct sums b)
{
	assert(a.n >= b.n && a.bad >= b.bad);
	return (struct sums){ a.n - b.n, a.bad - b.bad, a.us - b.us };
}

static void
sums_take(struct sums *a, const struct entry *e)
{
	struct sums b = { 0 };

	sums_add(&b, e);
	*a = sums_minus(*a, b);
}

static struct entry *
ring_at(const struct ring *r, uint32_t i)
{
	return &r->v[(r->head + i) & (r->cap - 1)];
}

static void
ring_push(struct ring *r, const struct entry *e)
{
	if (r->n == r->cap) {
		uint32_t cap = r->cap ? r->cap * 2 : 4;
		struct entry *v = xcalloc(cap, sizeof(*v));

		for (uint32_t i = 0; i < r->n; i++)
			v[i] = *ring_at(r, i);
		free(r->v);
		*r = (struct ring){ .v = v, .n = r->n, .cap = cap };
	}
	r->n++;
	*ring_at(r, r->n - 1) = *e;
}

/* Both as one: counts add, the means by their weights. */
static void
entry_merge(struct entry *a, const struct entry *b)
{
	struct sums s = { 0 };

	sums_add(&s, a);
	sums_add(&s, b);
	a->n = add_u32(a->n, b->n);
	a->bad = add_u32(a->bad, b->bad);
	a->mean_us = s.n ? (uint32_t)(s.us / s.n) : 0;
}

/* Adds to a tier's newest cell; `sum` follows, where the tier is in it. */
static void
tier_add(struct series *s, enum tier t, const struct entry *e)
{
	struct ring *r = &s->tier[t];

	if (r->n == 0 || ring_at(r, r->n - 1)->at != e->at) {
		ring_push(r, e);
		if (t != TIER_10MIN)
			sums_add(&s->sum, e);
		return;
	}

	struct entry *last = ring_at(r, r->n - 1);

	if (t != TIER_10MIN)
		sums_take(&s->sum, last);
	entry_merge(last, e);
	if (t != TIER_10MIN)
		sums_add(&s->sum, last);
}

/* Hands what is out of its tier's span down the tiers. */
static void
series_age(struct series *s, uint32_t at)
{
	for (int t = 0; t < TIERS; t++) {
		struct ring *r = &s->tier[t];
		uint32_t now = at / tiers[t].cells;

		while (r->n > 0 && now - ring_at(r, 0)->at >= tiers[t].span) {
			struct entry e = *ring_at(r, 0);

			r->head = (r->head + 1) & (r->cap - 1);
			r->n--;
			if (t == TIER_10MIN)
				continue;
			sums_take(&s->sum, &e);
			e.at /= tiers[t].coarse;
			tier_add(s, (enum tier)(t + 1), &e);
		}
	}
}

struct entry
series_entry(uint32_t at, const struct counts *c)
{
	struct entry e = { .at = at, .n = c->n, .bad = c->bad };
	uint64_t mean = c->n ? c->sum_us / c->n : 0;

	e.mean_us = mean < UINT32_MAX ? (uint32_t)mean : UINT32_MAX;
	return e;
}

void
series_append(struct series *s, const struct entry *e)
{
	series_age(s, e->at);
	tier_add(s, TIER_10S, e);
}

void
series_windows(const struct series *s, struct sums sums[WINDOWS],
    uint32_t entries[WINDOWS])
{
	const struct ring *r = &s->tier[TIER_10S];
	struct sums sum = { 0 };
	uint32_t i = 0;
	uint32_t at = r->n ? ring_at(r, r->n - 1)->at : 0;

	for (int w = 0; w < WINDOWS; w++) {
		while (i < r->n) {
			const struct entry *e = ring_at(r, r->n - 1 - i);

			if (at - e->at >= series_window_cells[w] ||
			    e->at < s->fence)
				break;
			sums_add(&sum, e);
			i++;
		}
		sums[w] = sum;
		entries[w] = i;
	}
}

const struct entry *
series_newest(const struct series *s, uint32_t i)
{
	const struct ring *r = &s->tier[TIER_10S];

	assert(i < r->n);
	return ring_at(r, r->n - 1 - i);
}

void
series_cut(struct series *s, uint32_t entries)
{
	struct ring *r = &s->tier[TIER_10S];

	assert(entries > 0 && entries <= r->n);
	s->fence = ring_at(r, r->n - 1)->at + 1;
	for (uint32_t i = 0; i < entries; i++) {
		sums_take(&s->sum, ring_at(r, r->n - 1));
		r->n--;
	}
}
