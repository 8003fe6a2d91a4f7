/* SPDX-License-Identifier: Apache-2.0 */
/*
 * New missing paths by the minute: ten minutes each by itself for the windows,
 * and a day in slots of ten minutes for what is before them.
 *
 *	 24 h ──── slots of ten minutes ────┬── ten minutes ──┐
 *	        K new paths in T            │ k new paths     now
 *
 * A slot is base once all of its minutes are behind the longer window.  Both
 * windows have the same base, so that the rise of a slow surge is no base of
 * the fast window.  Logarithms as in glr.c.
 */
#include "analyzers/surge.h"

#include "analyzers/glr.h"
#include "analyzers/saturate.h"

#define MINUTE_NS (60 * NS_PER_SEC)

/* Floor division, also before 1970. */
static int64_t
floor_div(int64_t a, int64_t b)
{
	int64_t q = a / b;

	return q * b > a ? q - 1 : q;
}

static uint32_t
modulo(int64_t a, int64_t b)
{
	return (uint32_t)(a - floor_div(a, b) * b);
}

/* Time goes on; what is behind the rings is forgotten. */
static void
surge_advance(struct surge *s, int64_t minute)
{
	enum { SLOTS = SURGE_SLOTS + 2 };
	int64_t slot = floor_div(s->now, SURGE_MINUTES);
	int64_t slot_now = floor_div(minute, SURGE_MINUTES);

	if (!s->started) {
		s->started = true;
		s->now = minute;
		if (s->first > minute)
			s->first = minute;
		return;
	}
	s->based &= minute == s->now;
	if (minute - s->now > SURGE_MINUTES)
		s->now = minute - SURGE_MINUTES;
	while (s->now < minute)
		s->minute[modulo(++s->now, SURGE_MINUTES)] = 0;
	if (slot_now - slot > SLOTS)
		slot = slot_now - SLOTS;
	while (slot < slot_now)
		s->slot[modulo(++slot, SLOTS)] = 0;
}

/* The newest n of the day are of no base. */
static void
slots_less(struct surge *s, uint32_t n)
{
	int64_t slot = floor_div(s->now, SURGE_MINUTES);

	s->based = false;
	for (int64_t i = 0; i < 2; i++) {
		uint32_t *at = &s->slot[modulo(slot - i, SURGE_SLOTS + 2)];
		uint32_t less = *at < n ? *at : n;

		*at -= less;
		n -= less;
	}
}

void
surge_add(struct surge *s, const struct scan_mark *m, enum surge_use use)
{
	int64_t minute = floor_div(m->ts_ns, MINUTE_NS);
	uint32_t slot =
	    modulo(floor_div(minute, SURGE_MINUTES), SURGE_SLOTS + 2);

	surge_advance(s, minute);
	s->minute[modulo(minute, SURGE_MINUTES)]++;
	if (use == SURGE_BASE)
		s->slot[slot] = add_u32(s->slot[slot], 1);
	s->marks[s->n_marks++ % SURGE_MARKS] = *m;
}

void
surge_take_back(struct surge *s, uint32_t n)
{
	slots_less(s, n);
	for (int64_t i = 0; i < SURGE_MINUTES && n > 0; i++) {
		uint32_t *at = &s->minute[modulo(s->now - i, SURGE_MINUTES)];
		uint32_t less = *at < n ? *at : n;

		*at -= less;
		n -= less;
	}
}

uint32_t
surge_recent(const struct surge *s)
{
	uint32_t n = 0;

	for (int i = 0; i < SURGE_MINUTES; i++)
		n += s->minute[i];
	return n;
}

void
surge_open(struct surge *s)
{
	slots_less(s, surge_recent(s));
}

void
surge_close(struct surge *s, int64_t since_ns, int64_t until_ns)
{
	s->out += (until_ns - since_ns) / MINUTE_NS + 1;
}

int64_t
surge_g(uint64_t k, int64_t lambda_milli)
{
	/* ln 2 in 1/2^16: k is far below 2^31, the logarithm below 2^6. */
	const int64_t ln2 = 45426;
	int64_t k_milli = (int64_t)k * 1000;
	int64_t log;

	if (k > 1000000000)
		k_milli = INT64_C(1000000000000);
	if (k_milli <= lambda_milli)
		return 0;
	log = (int64_t)(log2_fixed((uint64_t)k_milli) -
			log2_fixed((uint64_t)lambda_milli)) >>
	      (LOG2_SHIFT - 16);
	log = log * ln2 >> 16; /* ln(k/λ) in 1/2^16 */
	return (k_milli / 1000 * log * 1000 >> 16) - k_milli + lambda_milli;
}

/* Slots that end before the windows begin; summed once a minute. */
static uint64_t
base_count(struct surge *s)
{
	int64_t last = floor_div(s->now - SURGE_MINUTES + 1, SURGE_MINUTES) - 1;
	uint32_t at = modulo(last - SURGE_SLOTS + 1, SURGE_SLOTS + 2);
	uint64_t sum = 0;

	if (s->based)
		return s->base;
	for (int i = 0; i < SURGE_SLOTS; i++) {
		sum += s->slot[at];
		at = at + 1 < SURGE_SLOTS + 2 ? at + 1 : 0;
	}
	s->base = sum;
	s->based = true;
	return sum;
}

/* The first of those kept that are in the last `minutes`: with the gates of
 * an alarm, more than are kept come at once only. */
static int64_t
first_mark(const struct surge *s, int64_t minutes)
{
	uint32_t n = s->n_marks < SURGE_MARKS ? s->n_marks : SURGE_MARKS;
	int64_t from = (s->now - minutes + 1) * MINUTE_NS;

	for (uint32_t i = n; i > 0; i--) {
		int64_t ts = s->marks[(s->n_marks - i) % SURGE_MARKS].ts_ns;

		if (ts >= from)
			return ts;
	}
	return from;
}

bool
surge_alarm(struct surge *s, const struct gates *gates,
    struct surge_alarm *alarm)
{
	int64_t span = s->now - SURGE_MINUTES + 1 - s->first - s->out;
	uint64_t ten = surge_recent(s);
	uint32_t one = s->minute[modulo(s->now, SURGE_MINUTES)];
	uint64_t least = (uint64_t)gates->v[THRESHOLD_COUNT];
	struct surge_alarm a = { 0 };

	if (span > SURGE_SLOTS * SURGE_MINUTES)
		span = SURGE_SLOTS * SURGE_MINUTES;
	if (span < SURGE_MINUTES || ten < least)
		return false;
	a.before = base_count(s);
	a.before_ns = span * MINUTE_NS;
	for (int64_t minutes = 1; minutes <= SURGE_MINUTES;
	     minutes += SURGE_MINUTES - 1) {
		a.k = minutes == 1 ? one : ten;
		a.window_ns = minutes * MINUTE_NS;
		a.lambda_milli = (int64_t)a.before * 1000 * minutes / span;
		if (a.lambda_milli < SURGE_PRIOR * 1000 * minutes / 10)
			a.lambda_milli = SURGE_PRIOR * 1000 * minutes / 10;
		a.g_milli = surge_g(a.k, a.lambda_milli);
		if (a.k < least || a.g_milli <= gates->v[THRESHOLD_G] ||
		    (int64_t)a.k * 1000 < SURGE_FACTOR * a.lambda_milli)
			continue;
		a.onset_ns = first_mark(s, minutes);
		*alarm = a;
		return true;
	}
	return false;
}
