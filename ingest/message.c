/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a message to a record: peel, choose the dialect, finish; what no
 * dialect knows is a log line.
 *
 * Each stream has a little state: the dialect that last fitted, an open
 * traceback, CloudFront's columns.  Streams are found by hash in a table of
 * four-way sets that grows to STREAMS_MAX slots; beyond, the slot of its set
 * that was not used for longest is taken over.  An input of one stream, which
 * is the rule, pays for four slots.
 *
 * Which dialect is tried first changes nothing but the time it takes: no line
 * is accepted by two of them.
 */
#include "ingest/message.h"

#include <stdlib.h>

#include "core/hash.h"
#include "core/mem.h"
#include "ingest/dialect.h"

enum {
	WAYS = 4,
	STREAMS_MAX = 1024,
	NAME_MAX_BYTES = 192, /* of the names that are compared, not hashed */
};

struct stream {
	uint64_t hash;
	uint64_t used; /* when, by the decoder's count; 0: the slot is free */
	struct w3c *columns;
	struct join join;
	uint8_t dialect; /* the row that last fitted */
	bool quick;      /* ... and whether it has a quick way */
};

/* The stream of the last event, which is mostly that of the next. */
struct recent {
	struct stream *stream;
	size_t group_n, stream_n;
	char group[NAME_MAX_BYTES];
	char name[NAME_MAX_BYTES];
};

struct message {
	const struct dialect *table;
	struct slow *slow;     /* NULL: by hand */
	struct quick *quick;   /* NULL: every line is looked at in full */
	struct user_run *user; /* NULL: none */
	struct json json;
	struct day day;
	struct stream *streams;
	size_t sets;
	uint64_t count; /* of looks into the table */
	struct recent recent;
};

struct message *
message_new(unsigned flags, const struct dialect_user *user)
{
	struct message *m = xcalloc(1, sizeof *m);

	m->table = dialect_table();
	m->sets = 1;
	m->streams = xcalloc(WAYS, sizeof *m->streams);
	if (flags & MESSAGE_PCRE2)
		m->slow = slow_new();
	if (user)
		m->user = user_run_new(user);
	if (!m->slow && !m->user)
		m->quick = quick_new();
	return m;
}

void
message_free(struct message *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->sets * WAYS; i++)
		w3c_free(m->streams[i].columns);
	free(m->streams);
	slow_free(m->slow);
	quick_free(m->quick);
	user_run_free(m->user);
	json_fini(&m->json);
	free(m);
}

static struct stream *
set_of(const struct message *m, uint64_t hash)
{
	return &m->streams[(hash & (m->sets - 1)) * WAYS];
}

/* The slot of a hash, or the one of its set to take: free or oldest. */
static struct stream *
slot_of(const struct message *m, uint64_t hash)
{
	struct stream *set = set_of(m, hash);
	struct stream *best = set;

	for (int i = 0; i < WAYS; i++) {
		if (set[i].used != 0 && set[i].hash == hash)
			return &set[i];
		if (set[i].used < best->used)
			best = &set[i];
	}
	return best;
}

/* Doubles the table; a set's streams go to two sets, so that all find room. */
static void
grow(struct message *m)
{
	struct stream *old = m->streams;
	size_t n = m->sets * WAYS;

	m->sets *= 2;
	m->streams = xcalloc(m->sets * WAYS, sizeof *m->streams);
	for (size_t i = 0; i < n; i++)
		if (old[i].used != 0)
			*slot_of(m, old[i].hash) = old[i];
	free(old);
}

static struct stream *
find_stream(struct message *m, const struct event *e)
{
	uint64_t hash = hash64_mix(hash64(e->stream), hash64(e->group));
	struct stream *s = slot_of(m, hash);

	while (
	    s->used != 0 && s->hash != hash && m->sets * WAYS < STREAMS_MAX) {
		grow(m);
		s = slot_of(m, hash);
	}
	if (s->used == 0 || s->hash != hash) {
		w3c_free(s->columns);
		*s = (struct stream){ .hash = hash, .quick = true };
	}
	s->used = ++m->count;
	return s;
}

static bool
same(struct str s, const char *p, size_t n)
{
	return s.n == n && (n == 0 || memcmp(s.p, p, n) == 0);
}

static struct stream *
stream_of(struct message *m, const struct event *e)
{
	struct recent *r = &m->recent;

	if (r->stream && same(e->stream, r->name, r->stream_n) &&
	    same(e->group, r->group, r->group_n))
		return r->stream;
	r->stream = NULL;
	if (e->stream.n > NAME_MAX_BYTES || e->group.n > NAME_MAX_BYTES)
		return find_stream(m, e);
	r->stream = find_stream(m, e);
	r->stream_n = e->stream.n;
	r->group_n = e->group.n;
	if (e->stream.n)
		memcpy(r->name, e->stream.p, e->stream.n);
	if (e->group.n)
		memcpy(r->group, e->group.p, e->group.n);
	return r->stream;
}

static bool
try_row(const struct message *m, size_t row, struct scan *s)
{
	const struct dialect *d = &m->table[row];

	if (m->slow && !s->columns)
		return slow_match(m->slow, row, s);
	return (!d->head || d->head(s)) && d->parse(s);
}

/*
 * The row that fits, by hand: the likely one, then all.  A head is run once
 * for its family.
 */
static bool
search(const struct message *m, struct scan *s, uint8_t *row)
{
	const struct dialect *d = m->table;
	bool (*head)(struct scan *) = NULL;
	bool headed = false;

	if (try_row(m, *row, s))
		return true;
	for (size_t i = 0; d[i].name; i++) {
		if (d[i].head != head || !head) {
			if (headed)
				scan_clear(s);
			head = d[i].head;
			headed = head && !m->slow && head(s);
		}
		if (head && !m->slow && !headed)
			continue;
		if (headed ? d[i].parse(s) : try_row(m, i, s)) {
			*row = (uint8_t)i;
			return true;
		}
	}
	return false;
}

static const struct dialect *
choose(struct message *m, struct stream *st, struct scan *s)
{
	const struct dialect *d = m->user ? user_run_match(m->user, s) : NULL;
	uint8_t row = st->dialect;

	if (d)
		return d;
	if (!search(m, s, &row))
		return NULL;
	st->dialect = row;
	st->quick = m->quick && quick_may(m->quick, m->table[row].name);
	return &m->table[row];
}

/* level=info of a logfmt line */
static struct str
logfmt_level(struct str line)
{
	struct str word = { NULL, 0 };
	struct str rest;
	size_t at;

	if (!str_starts(line, STR("time=")) && !str_starts(line, STR("level=")))
		return word;
	at = str_find_str(line, STR("level="));
	if (at == SIZE_MAX || (at > 0 && line.p[at - 1] != ' '))
		return word;
	rest = str_from(line, at + 6);
	scan_word(&rest, &word);
	return word;
}

static void
log_line(struct stream *st, const struct peel *p, const struct finish *f,
    struct arena *arena, struct record *r)
{
	struct stamp none = { WHEN_NONE, false, false };

	r->kind = RECORD_LOG;
	r->ts_ns = dialect_stamp(&none, f).ns;
	r->log.level = p->level;
	r->log.logger = p->logger;
	r->log.text = p->line;
	if (p->line.n > 0 && p->line.p[0] == '#') {
		struct w3c *columns = w3c_new(p->line);

		if (columns || str_starts(p->line, STR("#Fields:"))) {
			w3c_free(st->columns);
			st->columns = columns;
		}
	}
	join_log(&st->join, r, p->bare, arena);
	if (r->log.level.n == 0)
		r->log.level = logfmt_level(r->line);
}

enum decode
message_decode_marked(struct message *m, struct marked marked,
    const struct event *e, struct arena *arena, struct record *r,
    const char **bad)
{
	struct stream *st = stream_of(m, e);
	struct peel p;
	const struct dialect *d;
	struct scan s;
	struct finish f = { .event = e,
		.prefix_ns = WHEN_NONE,
		.day = &m->day,
		.bad = bad };

	if (m->quick && st->quick && quick_decode(m->quick, marked, &f, r)) {
		join_request(&st->join);
		return DECODE_OK;
	}
	peel(&p, e->message, marked.marks && !marked.marks->strange, &m->json,
	    arena);
	f.prefix_ns = p.ns;
	f.prefix_zoned = p.zoned;
	record_clear(r);
	r->event = e;
	r->prefixed = p.prefixed;
	r->line = p.line;
	s.line = p.line;
	s.q = &r->request;
	s.columns = st->columns;
	s.json = &m->json;
	s.arena = arena;
	scan_clear(&s);
	d = choose(m, st, &s);
	if (!d) {
		scan_clear(&s);
		log_line(st, &p, &f, arena, r);
		return DECODE_OK;
	}
	join_request(&st->join);
	r->kind = RECORD_REQUEST;
	r->dialect = d->name;
	return dialect_finish(d, &s, &f, r);
}

enum decode
message_decode(struct message *m, const struct event *e, struct arena *arena,
    struct record *r, const char **bad)
{
	struct marked none = { NULL, 0 };

	return message_decode_marked(m, none, e, arena, r, bad);
}
