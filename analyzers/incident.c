/* SPDX-License-Identifier: Apache-2.0 */
/* The life of one finding: see the header for the rule. */
#include "analyzers/incident.h"

#include <assert.h>
#include <string.h>

enum { HOT_FACTOR = 3, SILENCE_FACTOR = 6 };

void
incident_evidence(struct incident *i, const struct example *example)
{
	if (example->line == 0 || i->n_evidence == FINDING_EVIDENCE)
		return;
	for (int k = 0; k < i->n_evidence; k++)
		if (i->evidence[k].input == example->input &&
		    i->evidence[k].line == example->line)
			return;
	i->evidence[i->n_evidence++] = *example;
}

/* Drops what is five minutes old, and adds. */
static struct trials
incident_recent(struct incident *i, const struct entry *e)
{
	struct trials t = { 0 };
	int old = 0;

	while (old < i->n_recent && e->at - i->recent[old].at >= INCIDENT_CELLS)
		old++;
	i->n_recent -= old;
	memmove(i->recent, i->recent + old,
	    (size_t)i->n_recent * sizeof(i->recent[0]));
	assert(i->n_recent < INCIDENT_CELLS);
	i->recent[i->n_recent++] = *e;
	for (int k = 0; k < i->n_recent; k++) {
		t.n += i->recent[k].n;
		t.bad += i->recent[k].bad;
	}
	return t;
}

static void
incident_end(struct incident *i, uint32_t at)
{
	i->end = at;
	i->upto = i->sum;
}

void
incident_add(struct incident *i, const struct entry *e,
    const struct example *example)
{
	struct trials recent = incident_recent(i, e);

	sums_add(&i->sum, e);
	i->seen = e->at;
	if (!trials_over(recent, &i->p0, HOT_FACTOR, 0, EXCEED))
		return;
	i->hot = e->at;
	if (e->bad == 0)
		return;
	incident_end(i, e->at);
	if (example)
		incident_evidence(i, example);
}

void
incident_alarm(struct incident *i)
{
	assert(i->n_recent > 0);
	i->hot = i->recent[i->n_recent - 1].at;
	incident_end(i, i->hot);
}

bool
incident_over(const struct incident *i, uint32_t now, uint32_t quiet)
{
	uint64_t cold = now - i->hot;

	if (cold <= quiet)
		return false;
	return i->seen > i->hot || cold > (uint64_t)SILENCE_FACTOR * quiet;
}
