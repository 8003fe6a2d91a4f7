/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From findings to what somebody is told, and when: opened, perhaps once more
 * while it lasts, resolved.  All of it is in event time and a function of the
 * findings alone, so that a replay gives the messages that a watcher would
 * have got.
 *
 *	opened    detected_ns, and group_ns later: what else is detected at the
 *	          same service until then is told in the same message
 *	updated   every repeat_ns from then on, while it is open
 *	resolved  quiet_ns after the end of the last finding of the group
 *
 * That no bad minute resolves a finding and no good one opens it again is the
 * judge's business (analyzers/incident.h).  What is left out here is counted,
 * by reason:
 *
 *	below     its severity is less than `least`
 *	cooling   the same entity (rule, service, method, route, client) was
 *	          told to be resolved less than cooldown_ns before, and it was
 *	          resolved again before that time was over; if it was not, it
 *	          is opened then
 *	limited   in a minute of event time more messages than per_minute were
 *	          due: one at its end says how many were not sent.  Whose
 *	          opening that was is opened by its next repetition.  The
 *	          resolution of what was told is always told, as it would stay
 *	          open for ever otherwise
 *
 * The words are Alertmanager's: group_wait, repeat_interval
 * (https://prometheus.io/docs/alerting/latest/configuration/).
 */
#ifndef ANALYZERS_ALERTS_H
#define ANALYZERS_ALERTS_H

#include <stddef.h>
#include <stdint.h>

#include "core/finding.h"

struct alert_policy {
	enum severity least;
	int64_t group_ns;    /* 0: only what is detected in the same instant */
	int64_t repeat_ns;   /* 0: never */
	int64_t cooldown_ns; /* 0: none */
	int64_t quiet_ns;    /* the judge's */
	uint64_t per_minute; /* 0: any number */
};
/* warning, 30 s, never, 10 min, 20 min, 30 a minute. */
extern const struct alert_policy alert_policy_default;

enum alert_state {
	ALERT_OPENED,
	ALERT_UPDATED,
	ALERT_RESOLVED,
	ALERT_SUPPRESSED, /* of a topic, not of a finding */
};
const char *alert_state_name(enum alert_state s); /* "opened", ... */

struct alert {
	enum alert_state state;
	int64_t at_ns;              /* when it is due */
	const struct finding *lead; /* the worst; its id is the alert's.  Of
				     * ALERT_SUPPRESSED the worst left out */
	size_t first, n;   /* all of the group: members[first … first + n) */
	uint32_t sequence; /* of the lead's messages; 0: opened */
	uint64_t left_out; /* of ALERT_SUPPRESSED: so many messages */
};

struct alerts {
	struct alert *v; /* as they are due */
	size_t n, cap;
	const struct finding **members; /* by detection */
	size_t n_members;
	/* findings = told + below + cooling + limited */
	size_t findings, told, below, cooling, limited;
	size_t messages_limited;
};

/*
 * Of findings in any order, which are borrowed; records end at until_ns.  Free
 * with alerts_fini.
 */
void alerts_of(struct alerts *out, const struct findings *findings,
    const struct alert_policy *policy, int64_t until_ns);
void alerts_fini(struct alerts *a);

#endif
