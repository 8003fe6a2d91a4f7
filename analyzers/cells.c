/* SPDX-License-Identifier: Apache-2.0 */
/* Adding cells; counts saturate instead of wrapping. */
#include "analyzers/cells.h"

#include <assert.h>
#include <string.h>

#include "analyzers/saturate.h"

const char *class_name(enum class c)
{
	static const char *const names[CLASSES] = {
		[CLASS_CLIENT] = "client",
		[CLASS_PROBE] = "probe",
		[CLASS_PROBABLE_PROBE] = "probable-probe",
	};

	assert((unsigned)c < CLASSES);
	return names[c];
}

void
cell_slowest(struct cell *c, int64_t ns, const struct example *example)
{
	if (ns > c->slowest_ns) {
		c->slowest_ns = ns;
		c->example[EXAMPLE_SLOW] = *example;
	} else if (ns == c->slowest_ns) {
		example_min(&c->example[EXAMPLE_SLOW], example);
	}
}

void
cell_limit(struct cell *c, int limit)
{
	assert(limit >= 0 && limit < SLOW_LIMITS);
	if (limit > 0)
		c->slow = c->over[limit - 1];
}

uint32_t
cell_answered(const struct cell *c)
{
	uint64_t others = (uint64_t)c->status[0] + c->probable.n;

	return c->n > others ? c->n - (uint32_t)others : 0;
}

void
cell_add(struct cell *a, const struct cell *b)
{
	a->n = add_u32(a->n, b->n);
	a->timed = add_u32(a->timed, b->timed);
	a->slow = add_u32(a->slow, b->slow);
	for (int i = 0; i < SLOW_LIMITS - 1 && b->timed > 0; i++)
		a->over[i] = add_u32(a->over[i], b->over[i]);
	for (int i = 0; i < 6; i++)
		a->status[i] = add_u32(a->status[i], b->status[i]);
	a->not_found = add_u32(a->not_found, b->not_found);
	a->traced = add_u32(a->traced, b->traced);
	a->masked = add_u32(a->masked, b->masked);
	a->probes = add_u32(a->probes, b->probes);
	a->probes_bad = add_u32(a->probes_bad, b->probes_bad);
	a->missing = add_u32(a->missing, b->missing);
	a->probable.n = add_u32(a->probable.n, b->probable.n);
	a->probable.not_found =
	    add_u32(a->probable.not_found, b->probable.not_found);
	a->probable.failed = add_u32(a->probable.failed, b->probable.failed);
	a->sum_us = add_u64(a->sum_us, b->sum_us);
	for (int i = 0; i < PACE_BINS && b->timed > 0; i++)
		a->pace[i] = add_u32(a->pace[i], b->pace[i]);
	cell_slowest(a, b->slowest_ns, &b->example[EXAMPLE_SLOW]);
	for (int i = EXAMPLE_SLOW + 1; i < EXAMPLES; i++)
		example_min(&a->example[i], &b->example[i]);
}

static int
cmp_u32(uint32_t a, uint32_t b)
{
	return a < b ? -1 : a > b;
}

int
cell_key_cmp(const struct cell_key *a, const struct cell_key *b)
{
	if (a->cell != b->cell)
		return a->cell < b->cell ? -1 : 1;

	int c = cmp_u32(a->origin, b->origin);

	if (c == 0)
		c = cmp_u32(a->method, b->method);
	if (c == 0)
		c = cmp_u32(a->route, b->route);
	return c;
}

void
example_min(struct example *a, const struct example *b)
{
	if (b->line == 0)
		return;
	if (a->line == 0 || b->input < a->input ||
	    (b->input == a->input && b->line < a->line))
		*a = *b;
}
