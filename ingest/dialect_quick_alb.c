/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The quick way of dialect_quick.c for an Application Load Balancer's lines.
 *
 *	https 2026-11-21T02:00:00.003000Z app/shop/50dc6c49 125.62.150.88:53669
 *	10.0.0.1:80 0.001 0.036 0.000 200 200 34 3041
 *	"POST https://shop.example:443/like HTTP/1.1" "Mozilla/5.0"
 *	ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:aws:...
 *"Root=1-6b0141e8-4929..."
 *	...
 *
 * The first six quotes are those of request, agent and trace; what is behind
 * them is nothing to us.  A line fits when
 *
 *	- it is of https, http or h2, and its time is of microseconds, of a day
 *	  that the general way has read before;
 *	- client has one colon, the durations are numbers with a point, the
 *	  status has three digits;
 *	- the request is GET or POST of an absolute URL with a path;
 *	- cipher, protocol and target group stand between agent and trace.
 *
 * Then nothing is to be peeled: the line begins with a small letter, and no
 * bar is behind its first blank.
 */
#include "ingest/dialect.h"

enum {
	TIME = 27,      /* 2018-07-02T22:23:00.186641Z */
	WHOLE_MOST = 8, /* digits of a duration before the point */
	PARTS_MOST = 9, /* ... and behind it */
	BYTES_MOST = 18,
	QUOTES = 6,
	BEHIND = 16, /* bytes that are there behind the first quote */
	VERSION = 9, /* " HTTP/1.1" */
};

/*
 * The first `c` from i on, or `end`.  As far as seven bytes behind `end` are
 * read.
 */
static inline size_t
find(const char *p, size_t i, size_t end, char c)
{
	const uint64_t lanes = SCAN_ONES * (unsigned char)c;

	for (; i < end; i += 8) {
		uint64_t x = scan_load(p + i) ^ lanes;
		uint64_t hit = (x - SCAN_ONES) & ~x & SCAN_HIGHS;

		if (hit) {
			i += (size_t)__builtin_ctzll(hit) / 8;
			return i < end ? i : end;
		}
	}
	return end;
}

/* A word from *at on and the blank behind it, which is before `end`. */
static inline bool
word(const char *p, size_t *at, size_t end, struct str *out)
{
	size_t blank = find(p, *at, end, ' ');

	*out = (struct str){ p + *at, blank - *at };
	*at = blank + 1;
	return blank < end && out->n > 0;
}

/* Digits and a blank; what stops them is before the line's first quote. */
static inline bool
number(const char *p, size_t *at, uint64_t *value)
{
	size_t i = *at;
	uint64_t v = 0;

	while (scan_is_digit(p[i]))
		v = v * 10 + (uint64_t)(p[i++] - '0');
	*value = v;
	if (i == *at || i - *at > BYTES_MOST || p[i] != ' ')
		return false;
	*at = i + 1;
	return true;
}

/* The same, or a dash. */
static inline bool
number_or_dash(const char *p, size_t *at, int64_t *value)
{
	uint64_t v;

	if (p[*at] == '-' && p[*at + 1] == ' ') {
		*at += 2;
		*value = -1;
		return true;
	}
	if (!number(p, at, &v))
		return false;
	*value = (int64_t)v;
	return true;
}

/* [0-9]+\.[0-9]+ seconds and a blank, added to *ns. */
static inline bool
seconds(const char *p, size_t *at, int64_t *ns)
{
	static const int64_t powers[] = { 1000000000, 100000000, 10000000,
		1000000, 100000, 10000, 1000, 100, 10, 1 };
	size_t i = *at;
	size_t point;
	int64_t v = 0;

	while (scan_is_digit(p[i]) && i - *at <= WHOLE_MOST)
		v = v * 10 + (p[i++] - '0');
	point = i++;
	if (point == *at || point - *at > WHOLE_MOST || p[point] != '.')
		return false;
	while (scan_is_digit(p[i]) && i - point <= PARTS_MOST + 1)
		v = v * 10 + (p[i++] - '0');
	if (i == point + 1 || i - point - 1 > PARTS_MOST || p[i] != ' ')
		return false;
	*ns += v * powers[i - point - 1];
	*at = i + 1;
	return true;
}

/* address:port */
static inline bool
client(struct str s, struct str *address)
{
	size_t colon = 0;

	if (!scan_is_digit(s.p[0]))
		return false;
	while (colon < s.n && s.p[colon] != ':')
		colon++;
	for (size_t i = colon + 1; i < s.n; i++)
		if (!scan_is_digit(s.p[i]))
			return false;
	*address = (struct str){ s.p, colon };
	return colon + 1 < s.n;
}

/* elb client target seconds*3 status status bytes bytes, then the quote */
static inline bool
numbers(const char *p, size_t at, size_t quote, struct request *q)
{
	struct str elb;
	struct str from;
	uint64_t status;
	int64_t other;
	size_t i;

	q->duration_ns = 0;
	if (!word(p, &at, quote, &elb) || !word(p, &at, quote, &from) ||
	    !word(p, &at, quote, &q->target) || !client(from, &q->peer) ||
	    !seconds(p, &at, &q->duration_ns) ||
	    !seconds(p, &at, &q->duration_ns) ||
	    !seconds(p, &at, &q->duration_ns))
		return false;
	i = at;
	if (!number(p, &at, &status) || at - i != 4 || status < 100 ||
	    !number_or_dash(p, &at, &other) ||
	    !number_or_dash(p, &at, &other) ||
	    !number_or_dash(p, &at, &q->bytes))
		return false;
	q->status = (int)status;
	return at == quote;
}

/* host or host:port, up to the path */
static inline bool
host_of(struct str s, struct str *host)
{
	size_t colon = 0;

	while (colon < s.n && s.p[colon] != ':' && s.p[colon] != '[')
		colon++;
	*host = (struct str){ s.p, colon };
	if (colon == s.n)
		return s.n > 1;
	for (size_t i = colon + 1; i < s.n; i++)
		if (!scan_is_digit(s.p[i]))
			return false;
	return colon > 1 && colon + 1 < s.n && s.p[colon] == ':';
}

/* METHOD http[s]://host[:port]/path[?query] HTTP/d.d, between two quotes */
static inline bool
request(const struct marks *m, size_t from, size_t end, struct request *q)
{
	const char *p = m->p;
	bool get = memcmp(p + from, "GET ", 4) == 0;
	size_t url = from + (get ? 4 : 5);
	size_t host;
	size_t path;
	size_t query;

	if (end < url + 9 + VERSION ||
	    memcmp(p + end - VERSION, " HTTP/", 6) != 0 ||
	    (!get && memcmp(p + from, "POST ", 5) != 0) ||
	    memcmp(p + url, "http", 4) != 0)
		return false;
	end -= VERSION;
	host = url + (p[url + 4] == 's' ? 8 : 7);
	if (memcmp(p + host - 3, "://", 3) != 0)
		return false;
	path = find(p, host, end, '/');
	query = marks_from(m->query, host, end);
	if (path == end || query < path ||
	    !host_of((struct str){ p + host, path - host }, &q->host))
		return false;
	q->method = get ? METHOD_GET : METHOD_POST;
	q->method_text = (struct str){ p + from, url - 1 - from };
	q->url = (struct str){ p + url, end - url };
	q->path = (struct str){ p + path, (query < end ? query : end) - path };
	return true;
}

/* ` cipher protocol arn `, from behind the agent to before the trace */
static inline bool
between(const char *p, size_t at, size_t quote)
{
	struct str w;

	if (p[at] != ' ')
		return false;
	at++;
	if (!word(p, &at, quote, &w) || !word(p, &at, quote, &w) ||
	    (!str_starts(w, STR("TLS")) && !str_starts(w, STR("SSL")) &&
		!(w.n == 1 && w.p[0] == '-')))
		return false;
	return word(p, &at, quote, &w) && at == quote;
}

/* The length of the type and its blank; 0: it is another. */
static inline size_t
type(const char *p)
{
	if (memcmp(p, "https ", 6) == 0)
		return 6;
	if (memcmp(p, "http ", 5) == 0)
		return 5;
	return memcmp(p, "h2 ", 3) == 0 ? 3 : 0;
}

static inline struct str
undashed(const char *p, size_t from, size_t end)
{
	if (end == from || (end == from + 1 && p[from] == '-'))
		return (struct str){ NULL, 0 };
	return (struct str){ p + from, end - from };
}

bool
quick_alb(struct marked marked, const struct finish *f, struct record *r,
    struct stamp *t)
{
	const struct marks *m = marked.marks;
	const uint16_t *quote = m->at + marked.at;
	const char *p = m->p;
	struct request *q = &r->request;
	size_t line = (size_t)(f->event->message.p - p);
	size_t end = line + f->event->message.n;
	size_t time = line + type(p + line);
	struct str text = { p + time, TIME };

	if (time == line || quote[0] < time + TIME + 1 || quote[5] >= end ||
	    end - quote[0] < BEHIND || p[end - 1] == ' ' ||
	    p[time + TIME] != ' ' || quote[2] != quote[1] + 2 ||
	    p[quote[1] + 1] != ' ')
		return false;
	if (!dialect_time_day(text, f->day, t) ||
	    !numbers(p, time + TIME + 1, quote[0], q) ||
	    !request(m, quote[0] + 1u, quote[1], q) ||
	    !between(p, quote[3] + 1u, quote[4]))
		return false;
	q->target = undashed(q->target.p, 0, q->target.n);
	q->agent = undashed(p, quote[2] + 1u, quote[3]);
	q->referer = (struct str){ NULL, 0 };
	q->trace_id = dialect_trace(
	    (struct str){ p + quote[4] + 1, quote[5] - quote[4] - 1u });
	return true;
}
