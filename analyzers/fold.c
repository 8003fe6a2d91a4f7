/* SPDX-License-Identifier: Apache-2.0 */
/* Findings of one incident become one: see the header. */
#include "analyzers/fold.h"

#include <string.h>

#include "core/when.h"

bool
findings_overlap(const struct finding *a, const struct finding *b)
{
	return a->start_ns < b->end_ns && b->start_ns < a->end_ns;
}

static bool
is_rule(const struct finding *f, const char *name)
{
	return strcmp(f->rule, name) == 0;
}

/* A clients' finding of what fails for the probes too. */
static bool
covers(const struct finding *f, const struct finding *probes)
{
	return (is_rule(f, "server-error") || is_rule(f, "not-found")) &&
	       strcmp(f->service, probes->service) == 0 &&
	       strcmp(f->route, probes->route) == 0 &&
	       findings_overlap(f, probes);
}

static void
fold(struct finding *into, const struct finding *from, const char *what)
{
	into->along = what;
	into->along_bad += from->bad;
	into->along_total += from->total;
	if (into->severity < from->severity)
		into->severity = from->severity;
}

/* Another log has the failures that are silence in this one's. */
static bool
answers_for(const struct finding *f, const struct finding *silent)
{
	const int64_t near_ns = 60 * NS_PER_SEC;

	return is_rule(f, "target-health") && !f->silence.target &&
	       silent->silence.target && silent->silence.all == silent->bad &&
	       strcmp(f->route, silent->route) == 0 &&
	       f->start_ns < silent->start_ns + near_ns &&
	       silent->start_ns < f->start_ns + near_ns;
}

static void
tell_silence(struct finding *into, struct finding *from)
{
	into->silence = from->silence;
	from->silence = (struct finding_silence){ 0 };
	if (into->severity < from->severity)
		into->severity = from->severity;
}

/*
 * One missing path that is asked for, where somebody scans the service or
 * everybody asks for many of them: it is one of those.
 */
static bool
is_of_scan(const struct finding *f, const struct finding *other)
{
	return is_rule(f, "not-found-surge") && f->test == TEST_RATIO &&
	       other->test != TEST_RATIO &&
	       strcmp(f->service, other->service) == 0 &&
	       findings_overlap(f, other);
}

/* True: the finding is told of by another one now. */
static bool
fold_into_any(struct findings *all, struct finding *f)
{
	for (size_t i = 0; i < all->n; i++) {
		struct finding *other = &all->v[i];

		if (is_of_scan(f, other))
			return true;
		if (is_rule(f, "target-health") && answers_for(other, f)) {
			tell_silence(other, f);
			return true;
		}
		if (is_rule(f, "target-health") && covers(other, f) &&
		    other->bad > f->bad) {
			fold(other, f, "health checks");
			return true;
		}
		if (is_rule(other, "target-health") && covers(f, other) &&
		    f->bad <= other->bad) {
			fold(other, f, "requests of clients");
			return true;
		}
	}
	return false;
}

void
findings_fold(struct findings *f)
{
	for (size_t i = f->n; i-- > 0;)
		if (fold_into_any(f, &f->v[i]))
			findings_remove(f, i);
}
