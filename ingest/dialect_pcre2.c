/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The slow way: dialects matched by PCRE2.  Groups go by their names to the
 * places of a struct scan, for the built-in patterns and for users' own.
 */
#include "ingest/dialect.h"

#include <assert.h>
#include <stdlib.h>

#include "core/mem.h"

enum place_in_scan {
	AT_FIRST,
	AT_PEER,
	AT_TIME,
	AT_METHOD,
	AT_URL,
	AT_PATH,
	AT_STATUS,
	AT_BYTES,
	AT_DURATION,  /* the unit is the name's */
	AT_DURATION2, /* further summands */
	AT_DURATION3,
	AT_AGENT,
	AT_REFERER,
	AT_HOST,
	AT_FORWARDED,
	AT_TRACE,
	AT_TARGET,
	AT_REQUEST,
	AT_QUERY,
	AT_VHOST,
	AT_MORE,
	PLACES,
};

static const struct {
	const char *name;
	enum place_in_scan at;
	enum unit unit;
	bool public; /* of those that message.h names */
} names[] = {
	{ "first", AT_FIRST, UNIT_NONE, false },
	{ "peer", AT_PEER, UNIT_NONE, true },
	{ "time", AT_TIME, UNIT_NONE, true },
	{ "method", AT_METHOD, UNIT_NONE, true },
	{ "url", AT_URL, UNIT_NONE, true },
	{ "path", AT_PATH, UNIT_NONE, true },
	{ "status", AT_STATUS, UNIT_NONE, true },
	{ "bytes", AT_BYTES, UNIT_NONE, true },
	{ "duration_s", AT_DURATION, UNIT_S, true },
	{ "duration_ms", AT_DURATION, UNIT_MS, true },
	{ "duration_us", AT_DURATION, UNIT_US, true },
	{ "duration_s2", AT_DURATION2, UNIT_S, false },
	{ "duration_s3", AT_DURATION3, UNIT_S, false },
	{ "agent", AT_AGENT, UNIT_NONE, true },
	{ "referer", AT_REFERER, UNIT_NONE, true },
	{ "host", AT_HOST, UNIT_NONE, true },
	{ "forwarded", AT_FORWARDED, UNIT_NONE, true },
	{ "trace", AT_TRACE, UNIT_NONE, true },
	{ "target", AT_TARGET, UNIT_NONE, false },
	{ "request", AT_REQUEST, UNIT_NONE, false },
	{ "query", AT_QUERY, UNIT_NONE, false },
	{ "vhost", AT_VHOST, UNIT_NONE, false },
	{ "more", AT_MORE, UNIT_NONE, false },
};

enum { NAMES = sizeof names / sizeof names[0] };

/* Where the text of a group goes. */
struct target {
	bool request; /* of the request, else of the scan */
	uint8_t unit; /* of a duration, or UNIT_NONE */
	uint16_t offset;
	uint16_t number; /* of the group */
};

/* The groups that a pattern has; most have a third of the names. */
struct groups {
	size_t n;
	struct target targets[NAMES];
};

static struct target
target_of(size_t name, uint16_t number)
{
	static const struct {
		bool request;
		size_t offset;
	} places[PLACES] = {
		[AT_FIRST] = { false, offsetof(struct scan, first) },
		[AT_PEER] = { true, offsetof(struct request, peer) },
		[AT_TIME] = { false, offsetof(struct scan, time) },
		[AT_METHOD] = { true, offsetof(struct request, method_text) },
		[AT_URL] = { true, offsetof(struct request, url) },
		[AT_PATH] = { true, offsetof(struct request, path) },
		[AT_STATUS] = { false, offsetof(struct scan, status) },
		[AT_BYTES] = { false, offsetof(struct scan, bytes) },
		[AT_DURATION] = { false, offsetof(struct scan, duration[0]) },
		[AT_DURATION2] = { false, offsetof(struct scan, duration[1]) },
		[AT_DURATION3] = { false, offsetof(struct scan, duration[2]) },
		[AT_AGENT] = { true, offsetof(struct request, agent) },
		[AT_REFERER] = { true, offsetof(struct request, referer) },
		[AT_HOST] = { true, offsetof(struct request, host) },
		[AT_FORWARDED] = { true, offsetof(struct request, forwarded) },
		[AT_TRACE] = { true, offsetof(struct request, trace_id) },
		[AT_TARGET] = { true, offsetof(struct request, target) },
		[AT_REQUEST] = { false, offsetof(struct scan, request) },
		[AT_QUERY] = { false, offsetof(struct scan, query) },
		[AT_VHOST] = { false, offsetof(struct scan, vhost) },
		[AT_MORE] = { false, offsetof(struct scan, more) },
	};
	enum place_in_scan at = names[name].at;

	return (struct target){
		.request = places[at].request,
		.unit = (uint8_t)names[name].unit,
		.offset = (uint16_t)places[at].offset,
		.number = number,
	};
}

struct groups *
groups_new(const struct regex *re)
{
	struct groups *g = xcalloc(1, sizeof *g);

	for (size_t i = 0; i < NAMES; i++) {
		int number = regex_name(re, names[i].name);

		if (number < 0)
			continue;
		g->targets[g->n++] = target_of(i, (uint16_t)number);
	}
	return g;
}

void
groups_free(struct groups *g)
{
	free(g);
}

bool
groups_known(struct str name)
{
	for (size_t i = 0; i < NAMES; i++)
		if (names[i].public && str_eq(name, str_of(names[i].name)))
			return true;
	return false;
}

void
groups_fill(const struct groups *g, const struct regex *re, struct scan *s)
{
	struct regex_spans spans = regex_spans(re);

	for (size_t i = 0; i < g->n; i++) {
		const struct target *t = &g->targets[i];
		char *base = t->request ? (char *)s->q : (char *)s;
		struct str text = regex_group(&spans, t->number);

		if (!text.p)
			continue;
		*(struct str *)(void *)(base + t->offset) = text;
		if (t->unit != UNIT_NONE)
			s->unit = t->unit;
	}
}

struct slow {
	struct regex *re[DIALECTS_MAX];
	struct groups *groups[DIALECTS_MAX];
};

struct slow *
slow_new(void)
{
	return xcalloc(1, sizeof(struct slow));
}

void
slow_free(struct slow *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < DIALECTS_MAX; i++) {
		regex_free(w->re[i]);
		groups_free(w->groups[i]);
	}
	free(w);
}

/*
 * A pattern is compiled when a line is first tried by it: all of them take as
 * long as 1,700 lines, of every input.
 */
static void
slow_compile(struct slow *w, size_t dialect)
{
	struct err err;

	w->re[dialect] =
	    regex_new(str_of(dialect_table()[dialect].pattern), &err);
	assert(w->re[dialect]); /* the patterns are ours */
	w->groups[dialect] = groups_new(w->re[dialect]);
}

bool
slow_match(struct slow *w, size_t dialect, struct scan *s)
{
	const struct dialect *d = &dialect_table()[dialect];

	if (!w->re[dialect])
		slow_compile(w, dialect);
	if (!regex_match(w->re[dialect], s->line, NULL))
		return false;
	if (d->gate)
		return d->parse(s);
	groups_fill(w->groups[dialect], w->re[dialect], s);
	if (s->first.n == 0)
		return true;
	if (s->q->peer.n > 0)
		s->q->host = s->first;
	else
		s->q->peer = s->first;
	return true;
}
