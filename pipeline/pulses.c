/* SPDX-License-Identifier: Apache-2.0 */
/* Pulses of who asks lately, and the sort of all others. */
#include "pipeline/pulses.h"

#include <stdbool.h>
#include <stdlib.h>

#include "core/mem.h"

void
pulses_init(struct pulses *p, size_t bytes)
{
	p->open = xcalloc(PULSES_OPEN, sizeof *p->open);
	p->spill = spill_new(sizeof(struct pulse_record), bytes);
}

void
pulses_fini(struct pulses *p)
{
	free(p->open);
	spill_free(p->spill);
	*p = (struct pulses){ 0 };
}

static bool
is_used(const struct pulse_record *r)
{
	uint64_t any = 0;

	for (int i = 0; i < PULSE_WORDS; i++)
		any |= r->seconds[i];
	return any != 0;
}

static bool
is_of(const struct pulse_record *r, const struct pulse_of *of, uint64_t block)
{
	return r->key.hi == of->stream && r->key.lo == block &&
	       r->peer == of->peer && r->asks == of->asks &&
	       r->origin == of->origin && r->input == of->input;
}

int
pulses_add(struct pulses *p, const struct pulse_of *of, int64_t begin_ns,
    struct err *err)
{
	int64_t s = pulses_second(begin_ns);
	int64_t block = s / PULSE_SECONDS - (s % PULSE_SECONDS < 0);
	uint64_t bit = (uint64_t)(s - block * PULSE_SECONDS);
	uint64_t h = hash64_mix(of->stream ^ of->peer, of->asks);
	struct pulse_record *r = &p->open[h % PULSES_OPEN];

	if (!is_of(r, of, spill_time(block))) {
		if (is_used(r) && spill_put(p->spill, &r->key, err) != 0)
			return -1;
		*r = (struct pulse_record){ .peer = of->peer,
			.asks = of->asks,
			.origin = of->origin,
			.input = of->input };
		r->key.hi = of->stream;
		r->key.lo = spill_time(block);
	}
	r->seconds[bit / 64] |= UINT64_C(1) << bit % 64;
	return 0;
}

int
pulses_seal(struct pulses *p, struct err *err)
{
	for (int i = 0; i < PULSES_OPEN; i++)
		if (is_used(&p->open[i]) &&
		    spill_put(p->spill, &p->open[i].key, err) != 0)
			return -1;
	spill_seal(p->spill);
	return 0;
}
