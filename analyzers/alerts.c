/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In four steps, each over all findings: who is cooling, who belongs together,
 * what is due when, and what is too much for its minute.
 */
#include "analyzers/alerts.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/str.h"
#include "core/when.h"

#define MINUTE_NS (60 * NS_PER_SEC)

const struct alert_policy alert_policy_default = {
	.least = SEVERITY_WARNING,
	.group_ns = 30 * NS_PER_SEC,
	.cooldown_ns = 10 * MINUTE_NS,
	.quiet_ns = 20 * MINUTE_NS,
	.per_minute = 30,
};

static const char *const states[] = {
	[ALERT_OPENED] = "opened",
	[ALERT_UPDATED] = "updated",
	[ALERT_RESOLVED] = "resolved",
	[ALERT_SUPPRESSED] = "suppressed",
};

const char *
alert_state_name(enum alert_state s)
{
	return states[s];
}

/* A finding that is told of, and when that is due. */
struct due {
	const struct finding *f;
	int64_t at_ns;
	int64_t resolved_ns; /* INT64_MAX: not while there were records */
};

/* Findings of one service that are told of together. */
struct group {
	size_t first, n; /* of the members */
	const struct finding *lead;
	int64_t resolved_ns;
	bool silent; /* its opening was too much */
};

/* A message that may be sent. */
struct message {
	struct alert alert;
	struct group *group;
};

static int64_t
later(int64_t ns, int64_t by)
{
	int64_t sum;

	return __builtin_add_overflow(ns, by, &sum) ? INT64_MAX : sum;
}

static int
order(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int
entity_cmp(const struct finding *a, const struct finding *b)
{
	int c = strcmp(a->rule, b->rule);

	if (c == 0)
		c = str_cmp(str_of(a->service), str_of(b->service));
	if (c == 0)
		c = (int)a->method - (int)b->method;
	if (c == 0)
		c = str_cmp(str_of(a->route), str_of(b->route));
	return c ? c : str_cmp(str_of(a->client), str_of(b->client));
}

/* By entity, then time. */
static int
by_entity(const void *pa, const void *pb)
{
	const struct due *a = pa, *b = pb;
	int c = entity_cmp(a->f, b->f);

	if (c == 0)
		c = order(a->at_ns, b->at_ns);
	return c ? c : memcmp(a->f->id, b->f->id, sizeof a->f->id);
}

/* By service, then time. */
static int
by_service(const void *pa, const void *pb)
{
	const struct due *a = pa, *b = pb;
	int c = str_cmp(str_of(a->f->service), str_of(b->f->service));

	if (c == 0)
		c = order(a->at_ns, b->at_ns);
	return c ? c : memcmp(a->f->id, b->f->id, sizeof a->f->id);
}

/* As they are due: of one instant what is over first, then by id. */
static int
by_time(const void *pa, const void *pb)
{
	const struct alert *a = &((const struct message *)pa)->alert;
	const struct alert *b = &((const struct message *)pb)->alert;
	int c = order(a->at_ns, b->at_ns);

	if (c == 0)
		c = (b->state == ALERT_RESOLVED) - (a->state == ALERT_RESOLVED);
	if (c == 0)
		c = memcmp(a->lead->id, b->lead->id, sizeof a->lead->id);
	return c ? c : order(a->sequence, b->sequence);
}

/* Those that are severe enough; how many. */
static size_t
take_severe(struct alerts *out, const struct findings *all,
    const struct alert_policy *policy, struct due *due)
{
	size_t n = 0;

	for (size_t i = 0; i < all->n; i++) {
		const struct finding *f = &all->v[i];

		if (f->severity < policy->least) {
			out->below++;
			continue;
		}
		due[n++] = (struct due){ f, f->detected_ns,
			f->open ? INT64_MAX
				: later(f->end_ns, policy->quiet_ns) };
	}
	return n;
}

/*
 * Who comes back while its entity cools: not at all where it is over by then,
 * else when that is over.  What counts is the last resolution that was told.
 */
static size_t
cool(struct alerts *out, const struct alert_policy *policy, struct due *due,
    size_t n)
{
	const struct due *told = NULL;
	size_t kept = 0;

	qsort(due, n, sizeof *due, by_entity);
	for (size_t i = 0; i < n; i++) {
		struct due d = due[i];

		if (told && entity_cmp(told->f, d.f) == 0) {
			int64_t cool_ns =
			    later(told->resolved_ns, policy->cooldown_ns);

			if (d.resolved_ns <= cool_ns) {
				out->cooling++;
				continue;
			}
			if (d.at_ns < cool_ns)
				d.at_ns = cool_ns;
		}
		due[kept] = d;
		told = &due[kept++];
	}
	return kept;
}

static bool
is_worse(const struct finding *a, const struct finding *b)
{
	return a->severity > b->severity;
}

/* Services' findings that are due within group_ns of the first. */
static size_t
gather(struct alerts *out, const struct alert_policy *policy, struct due *due,
    size_t n, struct group *groups)
{
	const struct due *first = NULL;
	size_t n_groups = 0;

	qsort(due, n, sizeof *due, by_service);
	for (size_t i = 0; i < n; i++) {
		const struct due *d = &due[i];
		struct group *g;

		out->members[i] = d->f;
		if (!first || strcmp(first->f->service, d->f->service) != 0 ||
		    d->at_ns > later(first->at_ns, policy->group_ns)) {
			first = d;
			groups[n_groups++] =
			    (struct group){ i, 0, d->f, d->resolved_ns, false };
		}
		g = &groups[n_groups - 1];
		g->n++;
		if (is_worse(d->f, g->lead))
			g->lead = d->f;
		if (d->resolved_ns > g->resolved_ns)
			g->resolved_ns = d->resolved_ns;
	}
	return n_groups;
}

struct messages {
	struct message *v;
	size_t n, cap;
};

static void
add(struct messages *m, struct group *g, enum alert_state state, int64_t at_ns,
    uint32_t sequence)
{
	m->v = xgrow(m->v, m->n + 1, &m->cap, sizeof *m->v);
	m->v[m->n++] = (struct message){ { .state = state,
					     .at_ns = at_ns,
					     .lead = g->lead,
					     .first = g->first,
					     .n = g->n,
					     .sequence = sequence },
		g };
}

/* All messages of a group whose first finding is due at first_ns. */
static void
schedule(struct messages *m, struct group *g, int64_t first_ns,
    const struct alert_policy *policy, int64_t until_ns)
{
	int64_t opened_ns = later(first_ns, policy->group_ns);
	int64_t end_ns = g->resolved_ns < until_ns ? g->resolved_ns : until_ns;
	uint32_t sequence = 0;

	add(m, g, ALERT_OPENED, opened_ns, sequence++);
	for (int64_t at = later(opened_ns, policy->repeat_ns);
	     policy->repeat_ns > 0 && at < end_ns;
	     at = later(at, policy->repeat_ns))
		add(m, g, ALERT_UPDATED, at, sequence++);
	if (g->resolved_ns != INT64_MAX)
		add(m, g, ALERT_RESOLVED,
		    g->resolved_ns > opened_ns ? g->resolved_ns : opened_ns,
		    sequence);
}

static void
put(struct alerts *out, const struct alert *a)
{
	out->v = xgrow(out->v, out->n + 1, &out->cap, sizeof *out->v);
	out->v[out->n++] = *a;
}

/* What was too much in the present minute. */
struct minute {
	int64_t end_ns;
	uint64_t sent, left_out;
	const struct finding *worst;
};

static void
minute_end(struct alerts *out, struct minute *m)
{
	if (m->left_out > 0)
		put(out, &(struct alert){ .state = ALERT_SUPPRESSED,
			     .at_ns = m->end_ns,
			     .lead = m->worst,
			     .left_out = m->left_out });
	*m = (struct minute){ 0 };
}

static int64_t
minute_end_ns(int64_t ns)
{
	int64_t rest = ns % MINUTE_NS;

	return later(ns - rest, rest < 0 ? 0 : MINUTE_NS);
}

static void
leave_out(struct alerts *out, struct minute *minute, const struct message *m)
{
	if (m->alert.state == ALERT_OPENED) {
		m->group->silent = true;
		out->limited += m->group->n;
	}
	minute->left_out++;
	out->messages_limited++;
	if (!minute->worst || is_worse(m->alert.lead, minute->worst))
		minute->worst = m->alert.lead;
}

/* There is room for it, or it is the end of what was told. */
static void
let_pass(struct alerts *out, struct minute *minute, const struct message *m)
{
	struct alert a = m->alert;

	if (m->group->silent) {
		m->group->silent = false;
		a.state = ALERT_OPENED;
		out->limited -= m->group->n;
	}
	if (a.state == ALERT_OPENED)
		out->told += m->group->n;
	minute->sent++;
	put(out, &a);
}

/* In order of time, what a minute has room for. */
static void
limit(struct alerts *out, const struct alert_policy *policy,
    const struct messages *messages)
{
	struct minute minute = { 0 };

	for (size_t i = 0; i < messages->n; i++) {
		const struct message *m = &messages->v[i];
		bool last = m->alert.state == ALERT_RESOLVED;

		if (i == 0 || m->alert.at_ns >= minute.end_ns) {
			minute_end(out, &minute);
			minute.end_ns = minute_end_ns(m->alert.at_ns);
		}
		if (last && m->group->silent)
			continue;
		if (!last && policy->per_minute > 0 &&
		    minute.sent >= policy->per_minute)
			leave_out(out, &minute, m);
		else
			let_pass(out, &minute, m);
	}
	minute_end(out, &minute);
}

void
alerts_of(struct alerts *out, const struct findings *findings,
    const struct alert_policy *policy, int64_t until_ns)
{
	struct due *due = xcalloc(findings->n + 1, sizeof *due);
	struct group *groups = xcalloc(findings->n + 1, sizeof *groups);
	struct messages messages = { 0 };
	size_t n, n_groups;

	*out = (struct alerts){ .findings = findings->n };
	n = take_severe(out, findings, policy, due);
	n = cool(out, policy, due, n);
	out->members = xcalloc(n + 1, sizeof(struct finding *));
	out->n_members = n;
	n_groups = gather(out, policy, due, n, groups);
	for (size_t i = 0; i < n_groups; i++)
		schedule(&messages, &groups[i], due[groups[i].first].at_ns,
		    policy, until_ns);
	if (messages.n > 0)
		qsort(messages.v, messages.n, sizeof *messages.v, by_time);
	limit(out, policy, &messages);
	free(messages.v);
	free(groups);
	free(due);
}

void
alerts_fini(struct alerts *a)
{
	free(a->v);
	free(a->members);
	*a = (struct alerts){ 0 };
}
