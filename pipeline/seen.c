/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two open-addressed tables; a hash found in the old one moves to the young.
 */
#include "pipeline/seen.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

static struct seen_slot *
slot_of(struct seen_slot *table, uint64_t hash)
{
	uint32_t at = (uint32_t)(hash >> 32) & (SEEN_SLOTS - 1);

	while (table[at].hash && table[at].hash != hash)
		at = (at + 1) & (SEEN_SLOTS - 1);
	return &table[at];
}

uint32_t
seen_again(struct seen *s, uint64_t hash)
{
	struct seen_slot *slot;

	if (hash == 0)
		hash = 1;
	if (!s->young) {
		s->young = xcalloc(SEEN_SLOTS, sizeof *s->young);
		s->old = xcalloc(SEEN_SLOTS, sizeof *s->old);
	}
	slot = slot_of(s->young, hash);
	if (slot->hash)
		return slot->count++;
	if (s->n == SEEN_MAX) {
		struct seen_slot *t = s->old;

		s->old = s->young;
		s->young = t;
		memset(t, 0, SEEN_SLOTS * sizeof *t);
		s->n = 0;
		slot = slot_of(s->young, hash);
	}
	s->n++;
	slot->hash = hash;
	slot->count =
	    slot_of(s->old, hash)->hash ? slot_of(s->old, hash)->count : 0;
	return slot->count++;
}

bool
seen_has(const struct seen *s, uint64_t hash)
{
	if (hash == 0)
		hash = 1;
	return s->young &&
	       (slot_of(s->young, hash)->hash || slot_of(s->old, hash)->hash);
}

void
seen_reset(struct seen *s)
{
	if (!s->young || s->n == 0)
		return;
	memset(s->young, 0, SEEN_SLOTS * sizeof *s->young);
	memset(s->old, 0, SEEN_SLOTS * sizeof *s->old);
	s->n = 0;
}

void
seen_fini(struct seen *s)
{
	free(s->young);
	free(s->old);
	*s = (struct seen){ 0 };
}
