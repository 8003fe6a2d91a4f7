/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lines of which there are most, in one go: Werkzeug, common, combined.
 *
 *	59.141.73.100 - - [21/Nov/2026:02:00:00 +0000] "GET /like HTTP/1.1" 404
 *3458 "-" "Mozilla/5.0" peer              time                         request
 *status   referer agent
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

#include <endian.h>
#include <stdlib.h>

#include "core/mem.h"
#include "ingest/marks.h"

enum {
	PEER_MOST = 15,
	MIDDLE = 6, /* " - - [" */
	DATE = 20,
	DATE_ZONE = 26,
	BYTES_MOST = 18,
};

struct quick {
	marks_fn *find;
	const char *werkzeug, *common, *combined;
	char text[DATE_ZONE]; /* of the last time with a zone */
	struct stamp stamp;   /* what it meant */
	struct marks marks;
};

/* The places in a line, and what was read of it. */
struct places {
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

	k->find = marks_fastest();
	k->werkzeug = name_of("werkzeug");
	k->common = name_of("common");
	k->combined = name_of("combined");
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
	       dialect == k->common;
}

/*
 * Whether the first n bytes, at most 16, are all below ':': no port, bracket or
 * bar.  Sixteen are read.
 */
static inline bool
below_colon(const char *p, size_t n)
{
	const uint64_t tops = UINT64_C(0x8080808080808080);
	const uint64_t add = UINT64_C(0x4646464646464646); /* 0x80 - ':' */
	uint64_t x[2];
	uint64_t y[2];

	memcpy(x, p, sizeof x);
	/* A carry out of a byte needs a top bit, which is in x itself. */
	y[0] = ((x[0] & ~tops) + add) | x[0];
	y[1] = ((x[1] & ~tops) + add) | x[1];
	y[0] = le64toh(y[0] & tops);
	y[1] = le64toh(y[1] & tops);
	if (n < 8)
		return (y[0] & (((uint64_t)1 << n * 8) - 1)) == 0;
	if (n == 16)
		return (y[0] | y[1]) == 0;
	return (y[0] | (y[1] & (((uint64_t)1 << (n - 8) * 8) - 1))) == 0;
}

/* peer - - [time] */
static inline bool
head(const struct marks *m, const char *p, size_t n, struct places *at)
{
	size_t i = (size_t)__builtin_ctzll(m->blank[0] | (uint64_t)1 << 63);
	const char *d;

	if (i > PEER_MOST || n < i + MIDDLE + DATE_ZONE + 2 ||
	    memcmp(p + i, " - - [", MIDDLE) != 0 || !below_colon(p, i) ||
	    p[4] == '-' || p[4] == '/')
		return false;
	at->date = i + MIDDLE;
	at->date_n = DATE;
	d = p + at->date;
	if (d[2] != '/' || d[6] != '/' || (d[11] != ':' && d[11] != ' ') ||
	    d[14] != ':' || d[17] != ':')
		return false;
	if (d[DATE] == ' ' && d[DATE_ZONE] == ']')
		at->date_n = DATE_ZONE;
	return memcmp(d + at->date_n, "] \"", 3) == 0;
}

/* The request between its quotes, and ` status` behind them. */
static inline bool
request(const struct marks *m, const char *p, size_t n, struct places *at)
{
	const char *s;
	size_t end;

	at->request = at->date + at->date_n + 3;
	end = marks_from(m, m->quote, at->request);
	if (end > n - 6) /* SIZE_MAX with it */
		return false;
	at->request_n = end - at->request;
	s = p + end + 1;
	if (s[0] != ' ' || s[4] != ' ' || s[1] < '1' || s[1] > '9' ||
	    !scan_is_digit(s[2]) || !scan_is_digit(s[3]))
		return false;
	at->status = (s[1] - '0') * 100 + (s[2] - '0') * 10 + (s[3] - '0');
	at->behind = end + 6;
	return true;
}

/*
 * A number of n digits, 1 to 8, of which eight bytes are read: shifted to the
 * end of a word, zeros in front, then pairs, fours and eights are added up at
 * once.  The length of a number is nothing that a branch predictor can know.
 */
static inline bool
eight_digits(const char *p, size_t n, uint64_t *value)
{
	const uint64_t zeros = UINT64_C(0x3030303030303030);
	const uint64_t tops = UINT64_C(0xf0f0f0f0f0f0f0f0);
	const uint64_t six = UINT64_C(0x0606060606060606);
	uint64_t x;

	if (n == 0)
		return false;
	memcpy(&x, p, sizeof x);
	x = le64toh(x);
	x = x << (64 - n * 8) | (zeros >> 4 >> (n * 8 - 4));
	if ((x & tops) != zeros || ((x + six) & tops) != zeros)
		return false;
	x -= zeros;
	x = x * 10 + (x >> 8);
	x = ((x & UINT64_C(0x000000ff000000ff)) * UINT64_C(0x000f424000000064) +
		((x >> 16) & UINT64_C(0x000000ff000000ff)) *
		    UINT64_C(0x0000271000000001)) >>
	    32;
	*value = x & UINT32_MAX;
	return true;
}

/* A dash or digits, then a blank or the end. */
static inline bool
bytes(const struct marks *m, const char *p, size_t n, struct places *at)
{
	size_t i = at->behind;
	uint64_t v = 0;

	if (i == n)
		return false;
	if (n - i > 8) {
		size_t end = marks_from(m, m->blank, i);

		if (end - i <= 8 && eight_digits(p + i, end - i, &v)) {
			at->bytes = (int64_t)v;
			at->behind = end;
			return true;
		}
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

/* ` "referer" "agent"` and nothing more, or nothing at all. */
static inline bool
tail(struct quick *k, const char *p, size_t n, struct places *at)
{
	const struct marks *m = &k->marks;
	size_t i = at->behind;
	size_t end;

	at->referer = at->referer_n = 0;
	at->agent = at->agent_n = 0;
	if (i == n && m->quotes == 2) {
		at->dialect = p[at->date + 11] == ' ' ? k->werkzeug : k->common;
		return true;
	}
	at->dialect = k->combined;
	/* Six quotes, each of which is at the place of one of the six. */
	if (m->quotes != 6 || n - i < 7 || p[i + 1] != '"' || p[n - 1] != '"')
		return false;
	at->referer = i + 2;
	end = i + 3;
	if (p[end] != '"')
		end = marks_from(m, m->quote, at->referer);
	if (end > n - 4 || p[end + 1] != ' ' || p[end + 2] != '"')
		return false;
	at->referer_n = end - at->referer;
	at->agent = end + 3;
	at->agent_n = n - 1 - at->agent;
	return true;
}

/* METHOD /path[?query] HTTP/d.d */
static inline bool
fill_request(const struct marks *m, struct str s, size_t from,
    struct request *q)
{
	static const size_t version = 9; /* " HTTP/1.1" */
	struct str url;
	size_t method;
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
	from += method + 1;
	if (url.n < 64)
		end = (size_t)__builtin_ctzll(
		    marks_word(m->query, from) | (uint64_t)1 << 63);
	else
		end = marks_from(m, m->query, from) - from;
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
		*t = dialect_stamp(none, f);
		return true;
	}
	if (text.n == DATE) {
		if (!dialect_time_clf(text, f->day, &none))
			return false;
		*t = dialect_stamp(none, f);
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

bool
quick_decode(struct quick *k, const struct finish *f, struct record *r)
{
	struct str line = f->event->message;
	static const struct str none = { NULL, 0 };
	struct request *q = &r->request;
	struct places at;
	struct str text;
	struct stamp t;

	if (line.n < MARKS_MIN || line.n > MARKS_MAX ||
	    !scan_is_digit(line.p[0]))
		return false;
	k->find(line.p, line.n, &k->marks);
	if (k->marks.odd || !head(&k->marks, line.p, line.n, &at) ||
	    !request(&k->marks, line.p, line.n, &at) ||
	    !bytes(&k->marks, line.p, line.n, &at) ||
	    !tail(k, line.p, line.n, &at))
		return false;
	text = (struct str){ line.p + at.request, at.request_n };
	if (!fill_request(&k->marks, text, at.request, q) ||
	    !time_of(k, (struct str){ line.p + at.date, at.date_n }, f, &t))
		return false;
	record_clear(r);
	r->kind = RECORD_REQUEST;
	r->event = f->event;
	r->ts_ns = t.ns;
	r->dialect = at.dialect;
	r->line = line;
	q->end_ns = t.ns;
	q->duration_ns = -1;
	q->bytes = at.bytes;
	q->status = at.status;
	q->grain = t.fine || t.ns == WHEN_NONE ? GRAIN_FINE : GRAIN_SECOND;
	q->host = none;
	q->peer = (struct str){ line.p, at.date - MIDDLE };
	q->forwarded = none;
	q->trace_id = none;
	q->target = none;
	q->agent = undashed(line.p + at.agent, at.agent_n);
	q->referer = undashed(line.p + at.referer, at.referer_n);
	return true;
}
