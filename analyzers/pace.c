/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The windows over one ring, each with its sums; what leaves the ring after an
 * hour goes to its hour's sums, and out of `all` after a day.
 *
 *	 hours ──────────────────┬───────────── ring ─────────────┐
 *	                         │            │ window 1 │ w 0 │
 *	 ◄──────────────────────── all ─────────────────────────►
 *
 * A window's base is `all` without the window: two subtractions a bin, however
 * long the past is.
 */
#include "analyzers/pace.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "analyzers/histogram.h"
#include "analyzers/saturate.h"
#include "core/mem.h"

enum {
	HOUR_CELLS = 360,
	BASE_LEAST = 60, /* requests */
	P50 = 500,
	P95 = 950,
};

void
pace_fini(struct pace *p)
{
	free(p->v);
	*p = (struct pace){ 0 };
}

int64_t
pace_limit(uint32_t bin)
{
	return histogram_bin_limit(PACE_FIRST + PACE_GROUP * bin - 1);
}

static struct pace_entry *
entry_at(const struct pace *p, uint32_t i)
{
	return &p->v[(p->head + i) & (p->cap - 1)];
}

static void
push(struct pace *p, struct pace_entry e)
{
	if (p->n == p->cap) {
		uint32_t cap = p->cap ? p->cap * 2 : 16;
		struct pace_entry *v = xcalloc(cap, sizeof *v);

		for (uint32_t i = 0; i < p->n; i++)
			v[i] = *entry_at(p, i);
		free(p->v);
		p->v = v;
		p->head = 0;
		p->cap = cap;
	}
	p->n++;
	*entry_at(p, p->n - 1) = e;
	p->all[e.bin] += e.n;
	for (int w = 0; w < WINDOWS; w++) {
		p->in[w]++;
		p->window[w][e.bin] += e.n;
	}
}

/* What is a day old is no base any more. */
static void
forget_hours(struct pace *p, uint32_t hour)
{
	if (hour == p->hour)
		return;
	p->hour = hour;
	for (int i = 0; i < PACE_HOURS; i++) {
		struct pace_hour *h = &p->hours[i];

		if (hour - h->hour < PACE_HOURS)
			continue;
		for (int b = 0; b < PACE_BINS; b++)
			p->all[b] -= h->n[b];
		*h = (struct pace_hour){ .hour = hour };
	}
}

/* From the ring to its hour, or out. */
static void
hand_down(struct pace *p, const struct pace_entry *e)
{
	uint32_t hour = e->at / HOUR_CELLS;
	struct pace_hour *h = &p->hours[hour % PACE_HOURS];

	if (p->hour - hour >= PACE_HOURS) {
		p->all[e->bin] -= e->n;
		return;
	}
	/* Another hour's slot has been emptied: it was a day ago. */
	h->hour = hour;
	h->n[e->bin] += e->n;
}

static void
age(struct pace *p, uint32_t at)
{
	forget_hours(p, at / HOUR_CELLS);
	for (int w = 0; w < WINDOWS; w++) {
		while (p->in[w] > 0) {
			const struct pace_entry *e =
			    entry_at(p, p->n - p->in[w]);

			if (at - e->at < series_window_cells[w])
				break;
			p->window[w][e->bin] -= e->n;
			p->in[w]--;
		}
	}
	while (p->n > 0 && at - entry_at(p, 0)->at >= HOUR_CELLS) {
		hand_down(p, entry_at(p, 0));
		p->head = (p->head + 1) & (p->cap - 1);
		p->n--;
	}
}

void
pace_append(struct pace *p, uint32_t at, const uint32_t bins[PACE_BINS])
{
	age(p, at);
	for (uint32_t b = 0; b < PACE_BINS; b++)
		if (bins[b] > 0)
			push(p, (struct pace_entry){ at, b, bins[b] });
}

static uint64_t
sum_of(const uint64_t n[PACE_BINS], uint32_t from)
{
	uint64_t sum = 0;

	for (uint32_t b = from; b < PACE_BINS; b++)
		sum += n[b];
	return sum;
}

/* ⌈total · permille / 1000⌉ */
static uint64_t
rank_of(uint64_t total, unsigned permille)
{
	return total / 1000 * permille + (total % 1000 * permille + 999) / 1000;
}

static uint64_t
root(uint64_t x)
{
	uint64_t r = 0;

	for (uint64_t bit = UINT64_C(1) << 31; bit; bit >>= 1)
		if ((r | bit) * (r | bit) <= x)
			r |= bit;
	return r;
}

/* The rank less four standard deviations, 4·√(n·q·(1 − q)); 0: none. */
static uint64_t
rank_low(uint64_t total, unsigned permille)
{
	uint64_t rank = rank_of(total, permille);
	uint64_t q = (uint64_t)16 * permille * (1000 - permille);
	uint64_t four =
	    root(total / 1000000 * q + total % 1000000 * q / 1000000);

	return rank > four ? rank - four : 0;
}

/* The bin of a rank, which becomes that within the bin. */
static uint32_t
bin_of(const uint64_t n[PACE_BINS], uint64_t *rank)
{
	uint32_t b = 0;

	while (b < PACE_BINS - 1 && *rank > n[b])
		*rank -= n[b++];
	return b;
}

/* Linear within the bin; 0 of no rank. */
static int64_t
value_of(const uint64_t n[PACE_BINS], uint64_t rank)
{
	if (rank == 0)
		return 0;

	uint32_t b = bin_of(n, &rank);
	int64_t low = b > 0 ? pace_limit(b - 1) : 0;
	uint64_t width_us = (uint64_t)(pace_limit(b) - low) / 1000;

	/* Microseconds below 2^24, ranks below 2^32. */
	if (n[b] == 0 || rank > n[b] || n[b] >> 32)
		return pace_limit(b);
	return low + (int64_t)(width_us * rank / n[b]) * 1000;
}

bool
pace_look(const struct pace *p, int window, struct pace_view *v)
{
	uint64_t base[PACE_BINS];
	const uint64_t *in = p->window[window];
	uint64_t rank;

	for (int b = 0; b < PACE_BINS; b++)
		base[b] = p->all[b] - in[b];
	v->base.n = sum_of(base, 0);
	if (v->base.n < BASE_LEAST)
		return false;
	rank = rank_of(v->base.n, P95);
	v->bin = bin_of(base, &rank);
	v->base.bad = sum_of(base, v->bin + 1);
	v->in.n = sum_of(in, 0);
	v->in.bad = sum_of(in, v->bin + 1);
	v->median_ns = value_of(in, rank_low(v->in.n, P50));
	v->p95_ns = value_of(in, rank_low(v->in.n, P95));
	v->base_median_ns = value_of(base, rank_of(v->base.n, P50));
	v->base_p95_ns = value_of(base, rank_of(v->base.n, P95));
	return true;
}

uint32_t
pace_over(const struct pace *p, uint32_t at, uint32_t bin)
{
	uint32_t n = 0;

	for (uint32_t i = p->n; i-- > 0 && entry_at(p, i)->at >= at;) {
		const struct pace_entry *e = entry_at(p, i);

		if (e->at == at && e->bin > bin)
			n = add_u32(n, e->n);
	}
	return n;
}

uint32_t
pace_bins_over(const uint32_t bins[PACE_BINS], uint32_t bin)
{
	uint32_t n = 0;

	for (uint32_t b = bin + 1; b < PACE_BINS; b++)
		n = add_u32(n, bins[b]);
	return n;
}

void
pace_cut(struct pace *p, uint32_t at)
{
	while (p->n > 0 && entry_at(p, p->n - 1)->at >= at) {
		const struct pace_entry *e = entry_at(p, p->n - 1);

		p->all[e->bin] -= e->n;
		p->n--;
	}
	/* No window reaches over what was taken. */
	memset(p->window, 0, sizeof p->window);
	memset(p->in, 0, sizeof p->in);
}
