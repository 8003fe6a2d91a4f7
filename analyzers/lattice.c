/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The probe lattice: period and phase of what comes by the clock.
 *
 * For a candidate period P the free times are counted into bins of 50 ms on
 * the circle of t mod P, and the densest arc of width 2w is looked for:
 *
 *	        people      probes        people
 *	0 |--.--.----.---.--|#####|--.------.---.----.--| P
 *	                    <-2w->
 *
 * w goes from 0.05 to 1.2 s, at most P/8, and the first that fills 85 % of the
 * slots is taken: from narrow to wide, because a wide arc on a busy page fills
 * its slots with people.  Otherwise the one that fills most.  It is a lattice
 * when 60 % of the slots between its first and last hit are filled, six at
 * least, and when chance does not do that: of m slots each is filled by
 * chance with at most q = (times outside of the arc a slot) · 2w/(P − 2w), and
 *
 *	P(k of m filled) ≤ exp(−m · KL(k/m ‖ q))                  (Chernoff)
 *
 * must be below e^−18, which leaves some 10^-4 for the thousands of arcs that
 * are looked at in a block; the quorum comes on top.
 *
 * Candidates are the four commonest gaps in whole seconds and the usual
 * intervals: between two probes of a busy page there is somebody else, so that
 * the gaps say nothing there.  A divisor or a multiple of P has half the
 * slots filled or half the hits: the least likely one by chance is P.  Two
 * probes of one prober (10 s and 30 s, as a kubelet's readiness and liveness)
 * may stand so that they look like one of 5 s which misses every third: one
 * that misses nothing goes before it when it has two thirds of its hits.
 *
 * Then one time a slot counts, the nearest to the median, and the clock's own
 * drift is taken off the period; the reach is four times the median distance,
 * at most 2w, at least 0.15 s and a whole second where times have no parts.  On
 *n times it takes O(candidates · (n + bins)); memory is 50 KiB and the block's
 *times.
 */
#include "analyzers/lattice.h"

#include <stdlib.h>
#include <string.h>

#include "analyzers/glr.h"
#include "core/mem.h"

#define BIN_NS (50 * NS_PER_MS)
#define REACH_LEAST (150 * NS_PER_MS)

enum {
	MAX_S = 305,
	BINS = MAX_S * 20,
	COMMONEST = 4,
	CANDIDATES = COMMONEST + 8,
	FILLED_NARROW = 85, /* percent of the slots: no wider arc is tried */
	FILLED_LEAST = 60,
	CHANCE_MILLI = 18000, /* −ln of what chance may do */
	LATE_ONE_OF = 20,
	LATE_BEYOND = 2, /* slots before the first and after the last hit */
	SPARSE = 16,     /* bins a time: fewer times are sorted instead */
};

const struct lattice_scale lattice_fast = {
	.block_ns = 720 * NS_PER_SEC,
	.min_s = 4,
	.max_s = 60,
	.usual_s = { 5, 6, 10, 15, 20, 30, 60 },
};

const struct lattice_scale lattice_slow = {
	.block_ns = 3600 * NS_PER_SEC,
	.min_s = 61,
	.max_s = MAX_S,
	.usual_s = { 120, 180, 300 },
};

enum { WIDEST = 24 };
static const int widths[] = { 1, 4, 12, WIDEST }; /* w in bins of 50 ms */
enum { WIDTHS = sizeof(widths) / sizeof(widths[0]) };

struct hit {
	int64_t slot;
	int64_t offset; /* in the arc */
};

struct lattice_finder {
	uint32_t bins[BINS + 2 * WIDEST]; /* a circle, and its beginning */
	uint32_t few[2 * BINS / SPARSE];  /* or the bins of few times */
	size_t n_few;                     /* 0: they are many */
	uint32_t gaps[MAX_S + 1];
	int64_t t0;   /* the first free time; the others count from it */
	int64_t *t;   /* the free times, */
	uint32_t *ms; /* and in milliseconds, for the bins */
	size_t n, cap_t, cap_ms;
	int64_t grain_ns; /* of the times */
	int64_t surprise; /* of the arc that was tried last */
	int64_t *offsets; /* of an arc's times, or their distances */
	size_t cap_offsets;
	struct hit *hits; /* of an arc: one a slot */
	size_t cap_hits;
};

/* An arc on the circle of one period. */
struct arc {
	int64_t period_ns;
	int64_t from_ns; /* where it begins on the first circle */
	int64_t width_ns;
	size_t inside; /* free times in it */
};

struct lattice_finder *
lattice_finder_new(void)
{
	return xcalloc(1, sizeof(struct lattice_finder));
}

void
lattice_finder_free(struct lattice_finder *f)
{
	if (!f)
		return;
	free(f->t);
	free(f->ms);
	free(f->offsets);
	free(f->hits);
	free(f);
}

static int64_t
floor_div(int64_t a, int64_t b)
{
	int64_t q = a / b;

	return q * b > a ? q - 1 : q;
}

static int
ascending(const void *a, const void *b)
{
	const int64_t *x = a;
	const int64_t *y = b;

	return (*x > *y) - (*x < *y);
}

/* The lower median; the order is lost. */
static int64_t
median(int64_t *v, size_t n)
{
	qsort(v, n, sizeof *v, ascending);
	return v[(n - 1) / 2];
}

/* Counts the free times into bins. */
static void
fill_bins(struct lattice_finder *f, int64_t period_ns)
{
	uint32_t period = (uint32_t)(period_ns / NS_PER_MS);
	size_t bins = (size_t)(period_ns / BIN_NS);

	f->n_few = 0;
	memset(f->bins, 0, bins * sizeof f->bins[0]);
	for (size_t i = 0; i < f->n; i++)
		f->bins[f->ms[i] % period / (uint32_t)(BIN_NS / NS_PER_MS)]++;
	for (size_t i = 0; i < 2 * WIDEST; i++)
		f->bins[bins + i] = f->bins[i];
}

/* The same of few times: each one's bin, in order. */
static void
fill_few(struct lattice_finder *f, int64_t period_ns)
{
	uint32_t period = (uint32_t)(period_ns / NS_PER_MS);
	uint32_t bins = (uint32_t)(period_ns / BIN_NS);
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++) {
		uint32_t bin =
		    f->ms[i] % period / (uint32_t)(BIN_NS / NS_PER_MS);
		size_t at = n++;

		for (; at > 0 && f->few[at - 1] > bin; at--)
			f->few[at] = f->few[at - 1];
		f->few[at] = bin;
	}
	for (size_t i = 0; i < f->n && f->few[i] < 2 * WIDEST; i++)
		f->few[n++] = f->few[i] + bins;
	f->n_few = n;
}

/* An arc that has most has one at its end, or it is the first. */
static struct arc
densest_of_few(const struct lattice_finder *f, int64_t period_ns, uint32_t k)
{
	struct arc best = { .period_ns = period_ns, .width_ns = k * BIN_NS };
	size_t from = 0;

	for (size_t i = 0; i < f->n_few; i++) {
		uint32_t at = f->few[i] < k ? 0 : f->few[i] - k + 1;

		if (at * BIN_NS >= period_ns)
			break;
		while (f->few[from] < at)
			from++;
		if (i - from + 1 > best.inside) {
			best.inside = i - from + 1;
			best.from_ns = at * BIN_NS;
		}
	}
	return best;
}

/* The densest arc of so many bins; of equals the first. */
static struct arc
densest(const struct lattice_finder *f, int64_t period_ns, int k)
{
	int bins = (int)(period_ns / BIN_NS);
	uint32_t sum = 0;
	uint32_t best = 0;
	int at = 0;

	if (f->n_few > 0)
		return densest_of_few(f, period_ns, (uint32_t)k);
	for (int i = 0; i < k; i++)
		sum += f->bins[i];
	for (int i = 0; i < bins; i++) {
		if (sum > best) {
			best = sum;
			at = i;
		}
		sum += f->bins[i + k] - f->bins[i];
	}
	return (struct arc){ .period_ns = period_ns,
		.from_ns = at * BIN_NS,
		.width_ns = k * BIN_NS,
		.inside = best };
}

/* Every time that is in the arc, with its slot; how many. */
static size_t
take_arc(struct lattice_finder *f, const struct arc *a)
{
	size_t n = 0;

	f->hits = xgrow(f->hits, f->n, &f->cap_hits, sizeof *f->hits);
	f->offsets =
	    xgrow(f->offsets, f->n, &f->cap_offsets, sizeof *f->offsets);
	for (size_t i = 0; i < f->n; i++) {
		int64_t slot = floor_div(f->t[i] - a->from_ns, a->period_ns);
		int64_t offset = f->t[i] - a->from_ns - slot * a->period_ns;

		if (offset < a->width_ns)
			f->hits[n++] = (struct hit){ slot, offset };
	}
	return n;
}

static int64_t
median_offset(struct lattice_finder *f, size_t from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		f->offsets[i] = f->hits[from + i].offset;
	return median(f->offsets, n);
}

/* Of the hits of each slot the one that is nearest to the middle. */
static size_t
one_a_slot(struct lattice_finder *f, size_t n, int64_t middle)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		struct hit *last = &f->hits[kept ? kept - 1 : 0];

		if (kept == 0 || f->hits[i].slot != last->slot)
			f->hits[kept++] = f->hits[i];
		else if (llabs(f->hits[i].offset - middle) <
			 llabs(last->offset - middle))
			*last = f->hits[i];
	}
	return kept;
}

/*
 * How many times chance puts into an arc, in millionths: as many as outside of
 * it, and half a time more, because that none were seen is no zero.  What an
 * arc covers is whole grains.
 */
static uint64_t
expected(const struct lattice_finder *f, const struct arc *a)
{
	uint64_t others = 2 * (f->n - a->inside) + 1;
	int64_t covered = (a->width_ns / f->grain_ns + 1) * f->grain_ns;

	return others * (uint64_t)(covered * PPM / (a->period_ns - covered)) /
	       2;
}

/*
 * Whether an arc has no more than is usual, whatever its slots: KL is at most
 * (p − q)² / q(1 − q), so that for q up to a half there is no lattice below.
 */
static bool
is_usual(const struct lattice_finder *f, const struct arc *a)
{
	uint64_t e = expected(f, a) / 1000;
	uint64_t k = a->inside * 1000;

	return k <= e || (k - e) * (k - e) < e * (CHANCE_MILLI / 2);
}

/* How little chance would fill so many slots of an arc: m · KL, thousandths. */
static int64_t
surprise(const struct lattice_finder *f, const struct arc *a, uint32_t filled,
    uint32_t slots)
{
	uint64_t q = expected(f, a) / slots; /* millionths */
	struct odds p0;

	if (q >= PPM)
		return 0;
	p0 = odds_of((struct trials){ PPM, q }, PPM / 2, 1);
	return glr_milli((struct trials){ slots, filled }, &p0);
}

/*
 * How much longer than the period the time from slot to slot is: the medians
 * of the first and the last third, as Tukey's resistant line has them.
 */
static int64_t
drift(struct lattice_finder *f, size_t n)
{
	size_t third = n / 3;
	int64_t slots;

	if (third < 3)
		return 0;
	slots = f->hits[n - 1 - third / 2].slot - f->hits[third / 2].slot;
	return (median_offset(f, n - third, third) -
		   median_offset(f, 0, third)) /
	       slots;
}

/* The lattice of f->hits. */
static struct lattice
fit(struct lattice_finder *f, const struct arc *a, size_t n)
{
	int64_t first = f->hits[0].slot;
	struct lattice l = { .filled = (uint32_t)n,
		.slots = (uint32_t)(f->hits[n - 1].slot - first + 1) };
	int64_t more = drift(f, n);
	int64_t middle;

	for (size_t i = 0; i < n; i++)
		f->hits[i].offset -= (f->hits[i].slot - first) * more;
	middle = median_offset(f, 0, n);
	for (size_t i = 0; i < n; i++)
		f->offsets[i] = llabs(f->hits[i].offset - middle);
	l.spread_ns = median(f->offsets, n);
	l.period_ns = a->period_ns + more;
	l.phase_ns = f->t0 + a->from_ns + first * a->period_ns + middle;
	l.reach_ns = 4 * l.spread_ns;
	if (l.reach_ns > a->width_ns)
		l.reach_ns = a->width_ns;
	if (l.reach_ns < REACH_LEAST)
		l.reach_ns = REACH_LEAST;
	if (l.reach_ns < f->grain_ns)
		l.reach_ns = f->grain_ns;
	return l;
}

/* What one arc makes; false: no lattice. */
static bool
try_arc(struct lattice_finder *f, const struct arc *a, struct lattice *l)
{
	uint64_t slots;
	size_t n;

	if (a->inside < LATTICE_HITS || is_usual(f, a))
		return false;
	n = take_arc(f, a);
	n = one_a_slot(f, n, median_offset(f, 0, n));
	slots = (uint64_t)(f->hits[n - 1].slot - f->hits[0].slot + 1);
	if (n < LATTICE_HITS || n * 100 < slots * FILLED_LEAST)
		return false;
	f->surprise = surprise(f, a, (uint32_t)n, (uint32_t)slots);
	if (f->surprise < CHANCE_MILLI)
		return false;
	*l = fit(f, a, n);
	return true;
}

/* The best of one period: from narrow to wide; its surprise, 0: none. */
static int64_t
try_period(struct lattice_finder *f, int64_t period_ns, struct lattice *best)
{
	int64_t found = 0;

	if (f->n * SPARSE <= (size_t)(period_ns / BIN_NS))
		fill_few(f, period_ns);
	else
		fill_bins(f, period_ns);
	if (densest(f, period_ns, 2 * WIDEST).inside < LATTICE_HITS)
		return 0;
	for (int w = 0; w < WIDTHS; w++) {
		struct arc a;
		struct lattice l;

		if (widths[w] * BIN_NS > period_ns / 8)
			break;
		a = densest(f, period_ns, 2 * widths[w]);
		if (!try_arc(f, &a, &l) || (found && l.filled <= best->filled))
			continue;
		*best = l;
		found = f->surprise;
		if (l.filled * 100 >= l.slots * FILLED_NARROW)
			break;
	}
	return found;
}

/* The commonest gaps of free times in whole seconds; how many. */
static int
common_gaps(struct lattice_finder *f, const struct lattice_scale *scale,
    int *out)
{
	int n = 0;

	memset(f->gaps, 0, sizeof f->gaps);
	for (size_t i = 1; i < f->n; i++) {
		int64_t gap =
		    (f->t[i] - f->t[i - 1] + NS_PER_SEC / 2) / NS_PER_SEC;

		if (gap >= scale->min_s && gap <= scale->max_s)
			f->gaps[gap]++;
	}
	for (; n < COMMONEST; n++) {
		int best = scale->min_s;

		for (int s = scale->min_s; s <= scale->max_s; s++)
			if (f->gaps[s] > f->gaps[best])
				best = s;
		if (f->gaps[best] < 2)
			break;
		out[n] = best;
		f->gaps[best] = 0;
	}
	return n;
}

static int
candidates(struct lattice_finder *f, const struct lattice_scale *scale,
    int out[CANDIDATES])
{
	int n = common_gaps(f, scale, out);

	for (int k = 0; scale->usual_s[k]; k++) {
		int have = 0;

		for (int i = 0; i < n; i++)
			have |= out[i] == scale->usual_s[k];
		if (!have)
			out[n++] = scale->usual_s[k];
	}
	return n;
}

/* The block's free times; lines have whole seconds, or milliseconds. */
static void
take_free(struct lattice_finder *f, const struct lattice_block *b)
{
	f->t = xgrow(f->t, b->n, &f->cap_t, sizeof *f->t);
	f->ms = xgrow(f->ms, b->n, &f->cap_ms, sizeof *f->ms);
	f->n = 0;
	f->grain_ns = NS_PER_SEC;
	for (size_t i = 0; i < b->n; i++) {
		if (b->mark[i])
			continue;
		f->t0 = f->n == 0 ? b->t[i] : f->t0;
		f->t[f->n] = b->t[i] - f->t0;
		f->ms[f->n++] = (uint32_t)((b->t[i] - f->t0) / NS_PER_MS);
		if (b->t[i] % NS_PER_SEC != 0)
			f->grain_ns = NS_PER_MS;
	}
}

/* The best lattice of its kind; surprise 0: none. */
struct best {
	struct lattice l;
	int64_t surprise;
};

static bool
is_full(const struct lattice *l)
{
	return l->filled * 100 >= l->slots * FILLED_NARROW;
}

/* Of the best that is full and the best that is not. */
static const struct best *
choose(const struct best *full, const struct best *other)
{
	if (full->surprise >= other->surprise)
		return full;
	return full->surprise > 0 && full->l.filled * 3 >= other->l.filled * 2
		   ? full
		   : other;
}

bool
lattice_find(struct lattice_finder *f, const struct lattice_scale *scale,
    const struct lattice_block *b, struct lattice *l)
{
	struct best best[2] = { { .surprise = 0 } }; /* [1]: full */
	const struct best *chosen;
	int period_s[CANDIDATES];
	int n;

	if (b->n < LATTICE_HITS || b->n > LATTICE_TIMES)
		return false;
	take_free(f, b);
	if (f->n < LATTICE_HITS)
		return false;
	n = candidates(f, scale, period_s);
	for (int i = 0; i < n; i++) {
		struct lattice one;
		int64_t s = try_period(f, period_s[i] * NS_PER_SEC, &one);
		struct best *of = s ? &best[is_full(&one)] : NULL;

		if (!of || s < of->surprise ||
		    (s == of->surprise && one.period_ns > of->l.period_ns))
			continue;
		*of = (struct best){ one, s };
	}
	chosen = choose(&best[1], &best[0]);
	*l = chosen->l;
	return chosen->surprise > 0;
}

/* The slot that a time is nearest to. */
static int64_t
slot_of(const struct lattice *l, int64_t t)
{
	return floor_div(t - l->phase_ns + l->period_ns / 2, l->period_ns);
}

size_t
lattice_take(const struct lattice *l, const struct lattice_block *b,
    uint8_t number)
{
	int64_t slot_before = INT64_MIN;
	int64_t best = 0;
	size_t chosen = 0;
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++) {
		int64_t slot = slot_of(l, b->t[i]);
		int64_t d = llabs(b->t[i] - l->phase_ns - slot * l->period_ns);

		if (b->mark[i] || d > l->reach_ns)
			continue;
		if (slot == slot_before) {
			if (d >= best)
				continue;
			b->mark[chosen] = 0;
			n--;
		}
		b->mark[i] = number;
		slot_before = slot;
		chosen = i;
		best = d;
		n++;
	}
	return n;
}

/* The outermost slots of a lattice that have a hit, and how many have one. */
struct span {
	int64_t first, last;
	size_t hits;
};

/* Answers are late rather than early: a quarter before, three behind. */
static int64_t
slot_behind(const struct lattice *l, int64_t t)
{
	return floor_div(t - l->phase_ns + l->period_ns / 4, l->period_ns);
}

static struct span
span_of(const struct lattice *l, const struct lattice_block *b, uint8_t number)
{
	struct span s = { 0 };

	for (size_t i = 0; i < b->n; i++) {
		if (b->mark[i] != number)
			continue;
		s.last = slot_of(l, b->t[i]);
		s.first = s.hits ? s.first : s.last;
		s.hits++;
	}
	return s;
}

/* Marks the first free time of each empty slot in the span. */
static size_t
fill_empty(const struct lattice *l, const struct lattice_block *b,
    uint8_t number, const struct span *span)
{
	size_t marked = 0;

	for (size_t i = 0; i < b->n;) {
		int64_t slot = slot_behind(l, b->t[i]);
		size_t first = SIZE_MAX;
		bool hit = false;

		for (; i < b->n && slot_behind(l, b->t[i]) == slot; i++) {
			hit = hit || b->mark[i] == number;
			if (!b->mark[i] && first == SIZE_MAX)
				first = i;
		}
		if (hit || first == SIZE_MAX ||
		    slot < span->first - LATE_BEYOND ||
		    slot > span->last + LATE_BEYOND)
			continue;
		b->mark[first] = number | LATTICE_LATE;
		marked++;
	}
	return marked;
}

static size_t
count_free(const struct lattice_block *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++)
		n += b->mark[i] == 0;
	return n;
}

size_t
lattice_late(const struct lattice *l, size_t n, const struct lattice_block *b,
    uint8_t first)
{
	size_t hits = 0;
	size_t marked = 0;

	for (size_t k = 0; k < n; k++) {
		struct span s = span_of(&l[k], b, (uint8_t)(first + k));

		hits += s.hits;
		if (s.hits > 0 && l[k].slots > 0)
			marked +=
			    fill_empty(&l[k], b, (uint8_t)(first + k), &s);
	}
	if (count_free(b) * LATE_ONE_OF <= hits)
		return marked;
	for (size_t i = 0; i < b->n; i++)
		if (b->mark[i] & LATTICE_LATE)
			b->mark[i] = 0;
	return 0;
}
