/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lines of which there are most, in one go: Werkzeug, common, combined; a
 * balancer's are in dialect_quick_alb.c.
 *
 *	59.141.73.100 - - [21/Nov/2026:02:00:00 +0000]
 *	peer              time
 *
 *	    "GET /like HTTP/1.1" 404    3458  "-"     "Mozilla/5.0"
 *	    request              status bytes referer agent
 *
 * What message.c does with a line in five steps (peel, head, tail, finish,
 * time), each careful about everything that was ever seen, is here one straight
 * pass that is careful about nothing: it fits, or it is left to the five steps.
 * It fits when
 *
 *	- it is of printable bytes without backslashes: no colours, no escapes;
 *	- the peer begins with a digit and has neither port nor bracket: an IPv4
 *	  address, mostly; ident and user are dashes;
 *	- the quotes stand where those of request, referer and agent must, and
 *	  there is no other: none is in need of interpretation;
 *	- the request is GET or POST, a path and " HTTP/" with two digits;
 *	- the status has three digits, the bytes are a dash or up to 18 digits.
 *
 * Then all of the general rules come to the same: nothing to peel, one way to
 * cut it, a host and a port nowhere.  The differential test runs this way and
 * the PCRE2 patterns over the same lines and mutations of them.
 *
 * Where the bytes stand is known from the marks (marks.h).  Times repeat: the
 * text of the last one is kept with what it meant.
 */
#include "ingest/dialect.h"

#include <stdlib.h>

#include "core/mem.h"

enum {
	PEER_MOST = 15,
	MIDDLE = 6, /* " - - [" */
	DATE = 20,
	DATE_ZONE = 26,
	BYTES_MOST = 18,
	LINE_LEAST = 32,
	LINE_MOST = 1023,
};

struct quick {
	marks_fn *mark;
	const char *werkzeug, *common, *combined, *alb;
	char text[DATE_ZONE]; /* of the last time with a zone */
	struct stamp stamp;   /* what it meant */
	struct marks marks;   /* of a line that came without */
};

/* The places of a line in its marks, and what was read of it. */
struct places {
	size_t line, end;      /* the whole of it */
	const uint16_t *quote; /* its quotes, then what is behind it */
	size_t date, date_n;
	size_t request, request_n; /* between the quotes */
	size_t behind;             /* the first byte that was not looked at */
	size_t referer, referer_n;
	size_t agent, agent_n;
	int64_t bytes;
	int status;
	const char *dialect;
};

static const char *
name_of(const char *name)
{
	for (const struct dialect *d = dialect_table(); d->name; d++)
		if (strcmp(d->name, name) == 0)
			return d->name;
	return NULL;
}

struct quick *
quick_new(void)
{
	struct quick *k = xcalloc(1, sizeof *k);

	k->mark = marks_fastest();
	k->werkzeug = name_of("werkzeug");
	k->common = name_of("common");
	k->combined = name_of("combined");
	k->alb = name_of("alb");
	return k;
}

void
quick_free(struct quick *k)
{
	free(k);
}

bool
quick_may(const struct quick *k, const char *dialect)
{
	return dialect == k->combined || dialect == k->werkzeug ||
	       dialect == k->common || dialect == k->alb;
}

/*
 * How many of the first 16 bytes stand before the first blank; all of them are
 * below ':', so that there is no port, bracket or bar.  SIZE_MAX: it is not so.
 */
static inline size_t
peer_length(const char *p)
{
	const uint64_t tops = SCAN_HIGHS;
	const uint64_t add = SCAN_ONES * (0x80 - ':');

	for (size_t i = 0; i < 16; i += 8) {
		uint64_t x = scan_load(p + i);
		uint64_t y = x ^ SCAN_ONES * ' ';
		/* Exact up to the first blank, which is all that counts. */
		uint64_t blank = (y - SCAN_ONES) & ~y & tops;
		/* A carry out of a byte needs a top bit, which is in x. */
		uint64_t above = (((x & ~tops) + add) | x) & tops;

		if (above & (blank - 1) & ~blank)
			return SIZE_MAX;
		if (blank)
			return i + (size_t)__builtin_ctzll(blank) / 8;
	}
	return SIZE_MAX;
}

/* peer - - [time] */
static inline bool
head(const char *p, struct places *at)
{
	size_t i = peer_length(p + at->line);
	const char *d;

	if (i > PEER_MOST || at->end - at->line < i + MIDDLE + DATE_ZONE + 2)
		return false;
	p += at->line;
	d = p + i + MIDDLE;
	if (memcmp(p + i, " - - [", MIDDLE) != 0 || p[4] == '-' || p[4] == '/')
		return false;
	at->date = at->line + i + MIDDLE;
	at->date_n = DATE;
	if (d[2] != '/' || d[6] != '/' || (d[11] != ':' && d[11] != ' ') ||
	    d[14] != ':' || d[17] != ':')
		return false;
	if (d[DATE] == ' ' && d[DATE_ZONE] == ']')
		at->date_n = DATE_ZONE;
	return memcmp(d + at->date_n, "] \"", 3) == 0;
}

/* The request between the line's first quotes, and ` status` behind them. */
static inline bool
request(const char *p, struct places *at)
{
	size_t end = at->quote[1];
	const char *s = p + end + 1;

	at->request = at->date + at->date_n + 3;
	if (at->quote[0] != at->request - 1 || end + 6 > at->end)
		return false;
	at->request_n = end - at->request;
	if (s[0] != ' ' || s[4] != ' ' || s[1] < '1' || s[1] > '9' ||
	    !scan_is_digit(s[2]) || !scan_is_digit(s[3]))
		return false;
	at->status = (s[1] - '0') * 100 + (s[2] - '0') * 10 + (s[3] - '0');
	at->behind = end + 6;
	return true;
}

/*
 * The digits at p, of which eight bytes are read, as a number; how many there
 * are, 0 to 8.  Shifted to the end of a word, zeros in front, then pairs, fours
 * and eights are added up at once: the length of a number is nothing that a
 * branch predictor can know.
 */
static inline size_t
eight_digits(const char *p, uint64_t *value)
{
	const uint64_t zeros = SCAN_ONES * '0';
	uint64_t x = scan_load(p);
	uint64_t above = ((x & ~SCAN_HIGHS) + SCAN_ONES * (0x80 - ':')) | x;
	uint64_t below = ~((x | SCAN_HIGHS) - zeros);
	uint64_t other = (above | below) & SCAN_HIGHS;
	size_t n = other ? (size_t)__builtin_ctzll(other) / 8 : 8;

	if (n == 0)
		return 0;
	x = x << (64 - n * 8) | (zeros >> 4 >> (n * 8 - 4));
	x -= zeros;
	x = x * 10 + (x >> 8);
	x = ((x & UINT64_C(0x000000ff000000ff)) * UINT64_C(0x000f424000000064) +
		((x >> 16) & UINT64_C(0x000000ff000000ff)) *
		    UINT64_C(0x0000271000000001)) >>
	    32;
	*value = x & UINT32_MAX;
	return n;
}

/* A dash or digits, then a blank or the end. */
static inline bool
bytes(const char *p, struct places *at)
{
	size_t i = at->behind;
	size_t n = at->end;
	uint64_t v = 0;

	if (i == n)
		return false;
	if (n - i > 8) {
		i += eight_digits(p + i, &v);
		if (i > at->behind && p[i] == ' ') {
			at->bytes = (int64_t)v;
			at->behind = i;
			return true;
		}
		i = at->behind;
		v = 0;
	}
	if (p[i] == '-') {
		at->bytes = -1;
		i++;
	} else {
		while (i < n && scan_is_digit(p[i]))
			v = v * 10 + (uint64_t)(p[i++] - '0');
		if (i == at->behind || i - at->behind > BYTES_MOST)
			return false;
		at->bytes = (int64_t)v;
	}
	at->behind = i;
	return i == n || p[i] == ' ';
}

/*
 * ` "referer" "agent"` and nothing more, or nothing at all.  A line end is a
 * place as quotes are, but not before the end, where the last quote must be.
 */
static inline bool
tail(const struct quick *k, const char *p, struct places *at)
{
	const uint16_t *q = at->quote;
	size_t i = at->behind;

	at->referer = at->referer_n = 0;
	at->agent = at->agent_n = 0;
	if (i == at->end) {
		at->dialect = p[at->date + 11] == ' ' ? k->werkzeug : k->common;
		return q[2] >= i;
	}
	at->dialect = k->combined;
	if (q[2] != i + 1 || q[4] != q[3] + 2 || p[q[3] + 1] != ' ' ||
	    q[5] != at->end - 1 || q[6] < at->end)
		return false;
	at->referer = i + 2;
	at->referer_n = q[3] - at->referer;
	at->agent = q[4] + 1u;
	at->agent_n = q[5] - at->agent;
	return true;
}

/* METHOD /path[?query] HTTP/d.d */
static inline bool
fill_request(const struct marks *m, const struct places *at, struct request *q)
{
	static const size_t version = 9; /* " HTTP/1.1" */
	struct str s = { m->p + at->request, at->request_n };
	struct str url;
	size_t method;
	size_t from;
	size_t end;

	if (s.n < 4 + 1 + version ||
	    memcmp(s.p + s.n - version, " HTTP/", 6) != 0)
		return false;
	if (memcmp(s.p, "GET ", 4) == 0) {
		method = 3;
		q->method = METHOD_GET;
	} else if (memcmp(s.p, "POST ", 5) == 0) {
		method = 4;
		q->method = METHOD_POST;
	} else {
		return false;
	}
	if (s.p[method + 1] != '/')
		return false;
	q->method_text = (struct str){ s.p, method };
	url = (struct str){ s.p + method + 1, s.n - version - method - 1 };
	q->url = url;
	from = at->request + method + 1;
	end = marks_from(m->query, from, from + url.n) - from;
	url.n = end < url.n ? end : url.n;
	q->path = url;
	return true;
}

static inline struct str
undashed(const char *p, size_t n)
{
	if (n == 1 && p[0] == '-')
		return (struct str){ NULL, 0 };
	return (struct str){ p, n };
}

/* DATE_ZONE bytes, the last eight of them overlapping. */
static inline bool
same_time(const char *a, const char *b)
{
	uint64_t x[4];
	uint64_t y[4];

	memcpy(x, a, 24);
	memcpy(y, b, 24);
	memcpy(x + 3, a + DATE_ZONE - 8, 8);
	memcpy(y + 3, b + DATE_ZONE - 8, 8);
	return ((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) |
		   (x[3] ^ y[3])) == 0;
}

/* The time, kept for the next line when it has a zone. */
static inline bool
time_of(struct quick *k, struct str text, const struct finish *f,
    struct stamp *t)
{
	struct stamp none = { WHEN_NONE, false, false };

	if (text.n == DATE && f->event->ts_ns != WHEN_NONE) {
		*t = dialect_stamp(&none, f);
		return true;
	}
	if (text.n == DATE) {
		if (!dialect_time_clf(text, f->day, &none))
			return false;
		*t = dialect_stamp(&none, f);
		return true;
	}
	if (!same_time(text.p, k->text)) {
		if (!dialect_time_clf(text, f->day, &k->stamp)) {
			k->text[0] = '\0';
			return false;
		}
		memcpy(k->text, text.p, sizeof k->text);
	}
	/* It has a zone: nothing is better. */
	*t = k->stamp;
	return true;
}

/* Gives a line its marks; false: it is none for the quick way. */
static bool
mark(struct quick *k, struct str line, struct marked *marked)
{
	if (line.n < LINE_LEAST || line.n > LINE_MOST ||
	    (!scan_is_digit(line.p[0]) && line.p[0] != 'h'))
		return false;
	if (marked->marks)
		return true;
	k->mark(&k->marks, line.p, line.n);
	*marked = (struct marked){ &k->marks, 0 };
	return marks_line(&k->marks, 0) == k->marks.n_at;
}

/* Werkzeug, common, combined: all but what quick lines have alike. */
static inline bool
quick_clf(struct quick *k, struct marked marked, const struct finish *f,
    struct record *r, struct stamp *t)
{
	static const struct str none = { NULL, 0 };
	const struct marks *m = marked.marks;
	struct request *q = &r->request;
	const char *p = m->p;
	struct places at;

	at.line = (size_t)(f->event->message.p - p);
	at.end = at.line + f->event->message.n;
	at.quote = m->at + marked.at;
	if (!head(p, &at) || !request(p, &at) || !bytes(p, &at) ||
	    !tail(k, p, &at) || !fill_request(m, &at, q) ||
	    !time_of(k, (struct str){ p + at.date, at.date_n }, f, t))
		return false;
	r->dialect = at.dialect;
	q->duration_ns = -1;
	q->bytes = at.bytes;
	q->status = at.status;
	q->host = none;
	q->peer = (struct str){ p + at.line, at.date - MIDDLE - at.line };
	q->trace_id = none;
	q->target = none;
	q->agent = undashed(p + at.agent, at.agent_n);
	q->referer = undashed(p + at.referer, at.referer_n);
	return true;
}

bool
quick_decode(struct quick *k, struct marked marked, const struct finish *f,
    struct record *r)
{
	struct str line = f->event->message;
	struct request *q = &r->request;
	const struct marks *m;
	struct stamp t;
	size_t at;

	if (!mark(k, line, &marked))
		return false;
	m = marked.marks;
	at = (size_t)(line.p - m->p);
	if (m->strange && marks_from(m->odd, at, at + line.n) < at + line.n)
		return false;
	record_clear(r);
	if (line.p[0] == 'h') {
		if (!quick_alb(marked, f, r, &t))
			return false;
		r->dialect = k->alb;
	} else if (!quick_clf(k, marked, f, r, &t)) {
		return false;
	}
	r->kind = RECORD_REQUEST;
	r->event = f->event;
	r->ts_ns = t.ns;
	r->line = line;
	q->end_ns = t.ns;
	q->grain = t.fine || t.ns == WHEN_NONE ? GRAIN_FINE : GRAIN_SECOND;
	q->forwarded = (struct str){ NULL, 0 };
	return true;
}
