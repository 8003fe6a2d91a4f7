/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first record of an input, by the same reading that replay uses.
 */
#include "pipeline/explain.h"

#include <stdlib.h>

#include "core/mem.h"
#include "pipeline/reading.h"

struct explain {
	struct reading reading;
	struct item item;
	struct dead dead;
	struct arena arena;
	struct explanation out;
};

struct explain *
explain_open(const struct replay_options *options, const struct input *input,
    uint32_t index, struct err *err)
{
	struct explain *e = xcalloc(1, sizeof *e);
	enum flow flow = FLOW_OK;

	e->reading.since_ns = e->reading.until_ns = WHEN_NONE;
	if (reading_open(&e->reading, options, input, index, err) != 0) {
		reading_fini(&e->reading);
		free(e);
		return NULL;
	}
	e->out.input = input;
	while (flow == FLOW_OK && !e->out.record) {
		flow = reading_next(&e->reading, &e->item, err);
		if (flow != FLOW_OK)
			break;
		if (e->item.fate == FATE_DEAD && !e->out.dead) {
			e->dead = e->item.dead;
			e->dead.bytes =
			    arena_dup(&e->arena, e->item.dead.bytes);
			e->out.dead = &e->dead;
		}
		if (e->item.fate != FATE_DEAD && e->item.fate != FATE_CONTROL)
			e->out.record = &e->item.record;
	}
	e->out.envelope = events_envelope(e->reading.events);
	e->out.envelope_why = events_why(e->reading.events);
	e->out.newest_first = turned_round(&e->reading.turned);
	e->out.notes = reading_notes(&e->reading);
	return e;
}

const struct explanation *
explain_result(const struct explain *e)
{
	return &e->out;
}

void
explain_close(struct explain *e)
{
	if (!e)
		return;
	reading_fini(&e->reading);
	arena_fini(&e->arena);
	free(e);
}
