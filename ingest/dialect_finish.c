/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the views of a line that was cut to a request: numbers, times, method,
 * path and host.  The same for every dialect and for both ways of cutting.
 */
#include "ingest/dialect.h"

static const char bad_status[] = "a status of three digits was expected";
static const char bad_time[] =
    "a time that exists was expected, as 21/Nov/2018:02:50:46 +0000";

static bool
is_dash(struct str s)
{
	return s.n == 1 && s.p[0] == '-';
}

static void
undash(struct str *s)
{
	if (is_dash(*s))
		*s = (struct str){ NULL, 0 };
}

/* 10.0.0.1:80, [::1]:80 and [::1] lose port and brackets; ::1 is left. */
static struct str
without_port(struct str s)
{
	size_t n = s.n;

	if (n == 0 || !memchr(s.p, ':', n))
		return s;
	if (s.p[0] == '[') {
		size_t end = str_find(s, ']');

		return end == SIZE_MAX ? s : str_sub(s, 1, end - 1);
	}
	while (n > 0 && scan_is_digit(s.p[n - 1]))
		n--;
	if (n < 2 || n == s.n || s.p[n - 1] != ':' || memchr(s.p, ':', n - 1))
		return s;
	return (struct str){ s.p, n - 1 };
}

static enum method
method_fast(struct str m)
{
	if (m.n == 3 && memcmp(m.p, "GET", 3) == 0)
		return METHOD_GET;
	if (m.n == 4 && memcmp(m.p, "POST", 4) == 0)
		return METHOD_POST;
	return method_of(m);
}

/* Letters, digits, dashes and underlines, at most 32, a letter first. */
static bool
is_method(struct str m)
{
	if (m.n == 0 || m.n > 32 || scan_is_digit(m.p[0]))
		return false;
	for (size_t i = 0; i < m.n; i++) {
		char c = m.p[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
			scan_is_digit(c) || (i > 0 && (c == '-' || c == '_'))))
			return false;
	}
	return true;
}

/* Without " HTTP/1.1", " HTTP/2" at the end. */
static struct str
without_version(struct str s)
{
	if (s.n >= 9 && memcmp(s.p + s.n - 9, " HTTP/1.1", 9) == 0) {
		s.n -= 9;
		return s;
	}
	for (size_t n = 7; n < 10 && n <= s.n; n++)
		if (memcmp(s.p + s.n - n, " HTTP/", 6) == 0)
			return (struct str){ s.p, s.n - n };
	return s;
}

/*
 * METHOD url[ HTTP/x.y].  Blanks inside of the url belong to it.  What is not
 * of this form was unreadable: no method and no url, but for a balancer's
 * "- http://host:80- ", whose url is kept.
 */
static void
split_request(struct str line, struct request *q)
{
	size_t at = 0;
	size_t most = line.n < 33 ? line.n : 33;
	struct str m;

	/* Methods are short: no call of memchr. */
	while (at < most && line.p[at] != ' ')
		at++;
	if (at >= line.n || line.p[at] != ' ')
		return;
	m = (struct str){ line.p, at };
	line.p += at + 1;
	line.n -= at + 1;
	line = without_version(line);
	if (is_dash(m)) {
		while (line.n > 0 && line.p[line.n - 1] == ' ')
			line.n--;
		if (line.n > 0 && line.p[0] != '-')
			q->url = line;
		return;
	}
	q->method_text = m;
	q->url = line;
}

/* Where query or fragment begin. */
static struct str
path_of(struct str s)
{
	const char *end = s.n ? memchr(s.p, '?', s.n) : NULL;

	if (end)
		s.n = (size_t)(end - s.p);
	end = s.n ? memchr(s.p, '#', s.n) : NULL;
	if (end)
		s.n = (size_t)(end - s.p);
	return s;
}

/* scheme://host[:port]/path; false: the url is not absolute. */
static bool
absolute(struct str url, struct str *host, struct str *path)
{
	size_t at = 0;
	size_t end;

	while (at < url.n && at < 16 &&
	       ((url.p[at] >= 'a' && url.p[at] <= 'z') ||
		   (url.p[at] >= 'A' && url.p[at] <= 'Z')))
		at++;
	if (at == 0 || !str_starts(str_from(url, at), STR("://")))
		return false;
	url = str_from(url, at + 3);
	for (end = 0; end < url.n; end++)
		if (url.p[end] == '/' || url.p[end] == '?' || url.p[end] == '#')
			break;
	*host = str_sub(url, 0, end);
	*path = path_of(str_from(url, end));
	return true;
}

static void
finish_url(struct scan *s)
{
	struct request *q = s->q;
	struct str host;
	struct str path;

	if (s->request.n > 0)
		split_request(s->request, q);
	q->method = method_fast(q->method_text);
	if (q->method == METHOD_NONE)
		q->method_text = (struct str){ NULL, 0 };
	if (q->method == METHOD_OTHER && !is_method(q->method_text)) {
		q->method = METHOD_NONE;
		q->method_text = (struct str){ NULL, 0 };
		q->url = (struct str){ NULL, 0 };
	}
	undash(&q->url);
	bool rooted = q->url.n > 0 && q->url.p[0] == '/';
	if (!rooted && absolute(q->url, &host, &path)) {
		/* "http://host:80-" is a balancer's word for: no path. */
		if (q->method == METHOD_NONE && str_ends(host, STR("-")))
			host.n--;
		else if (path.n == 0)
			path = STR("/");
		q->host = host;
	} else {
		path = path_of(q->url);
	}
	if (q->path.n == 0)
		q->path = path;
	if (q->url.n == 0)
		q->url = q->path;
}

static bool
finish_status(const struct dialect *d, struct scan *s)
{
	const char *p = s->status.p;
	struct str text = s->status;
	uint64_t v;

	if (text.n == 3 && scan_is_digit(p[0]) && scan_is_digit(p[1]) &&
	    scan_is_digit(p[2])) {
		s->q->status =
		    (p[0] - '0') * 100 + (p[1] - '0') * 10 + (p[2] - '0');
		if (s->q->status >= 100)
			return true;
		/* 000: the client was gone before there was an answer. */
		return s->q->status == 0 && (d->flags & DIALECT_ZERO);
	}
	if (text.n == 0 || is_dash(text))
		return true;
	return (d->flags & DIALECT_ZERO) && str_u64(&text, &v) && v == 0 &&
	       text.n == 0;
}

static void
finish_bytes(struct scan *s)
{
	uint64_t v = 0;
	struct str text = s->bytes;

	if (text.n == 0 || text.n > 18) {
		if (str_u64(&text, &v) && text.n == 0 && v <= INT64_MAX)
			s->q->bytes = (int64_t)v;
		return;
	}
	for (size_t i = 0; i < text.n; i++) {
		if (!scan_is_digit(text.p[i]))
			return;
		v = v * 10 + (uint64_t)(text.p[i] - '0');
	}
	s->q->bytes = (int64_t)v;
}

/* Digits and at most one point, as value * 10^-places; false: too long. */
static bool
decimal(struct str s, uint64_t *value, int *places)
{
	uint64_t v = 0;
	int behind = 0;
	bool point = false;

	if (s.n > 18)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '.' && !point && i > 0) {
			point = true;
			continue;
		}
		if (!scan_is_digit(s.p[i]))
			return false;
		v = v * 10 + (uint64_t)(s.p[i] - '0');
		behind += point;
	}
	*value = v;
	*places = behind;
	return s.n > 0;
}

/* A number of units as nanoseconds; false: none, negative or too large. */
static bool
duration_part(struct str text, enum unit unit, int64_t *ns)
{
	static const int digits[] = { [UNIT_NONE] = 9,
		[UNIT_S] = 9,
		[UNIT_MS] = 6,
		[UNIT_US] = 3,
		[UNIT_NS] = 0 };
	static const int64_t powers[] = { 1, 10, 100, 1000, 10000, 100000,
		1000000, 10000000, 100000000, 1000000000 };
	uint64_t v;
	int places;
	int64_t whole;

	if (decimal(text, &v, &places) && places <= digits[unit])
		return !__builtin_mul_overflow(v, powers[digits[unit] - places],
		    ns);
	/* The unusual ones: many digits, something behind the number. */
	if (!str_seconds_ns(&text, &whole) || whole < 0)
		return false;
	*ns = whole / powers[9 - digits[unit]];
	return true;
}

static void
finish_duration(struct scan *s)
{
	int64_t sum = 0;

	if (s->duration[0].n == 0)
		return;
	for (int i = 0; i < 3 && s->duration[i].n > 0; i++) {
		int64_t ns;

		if (!duration_part(s->duration[i], (enum unit)s->unit, &ns) ||
		    __builtin_add_overflow(sum, ns, &sum))
			return;
	}
	s->q->duration_ns = sum;
}

/* Hex digits and the dash. */
static const bool in_trace[256] = { ['0'] = true,
	['1'] = true,
	['2'] = true,
	['3'] = true,
	['4'] = true,
	['5'] = true,
	['6'] = true,
	['7'] = true,
	['8'] = true,
	['9'] = true,
	['a'] = true,
	['b'] = true,
	['c'] = true,
	['d'] = true,
	['e'] = true,
	['f'] = true,
	['A'] = true,
	['B'] = true,
	['C'] = true,
	['D'] = true,
	['E'] = true,
	['F'] = true,
	['-'] = true };

/* How many hex digits and dashes a text begins with, as far as 36. */
static size_t
trace_bytes(struct str s)
{
	size_t n = 0;

	while (n < s.n && n < 36 && in_trace[(unsigned char)s.p[n]])
		n++;
	return n;
}

struct str
dialect_trace(struct str text)
{
	static const struct str none = { NULL, 0 };
	static const struct str root = { "Root=", 5 };
	size_t at = str_starts(text, root) ? 0 : str_find_str(text, root);

	if (at != SIZE_MAX)
		text = str_from(text, at + root.n);
	text.n = trace_bytes(text);
	if (text.n == 32)
		return str_find(text, '-') == SIZE_MAX ? text : none;
	if (text.n == 35 && text.p[0] == '1' && text.p[1] == '-' &&
	    text.p[10] == '-' && !memchr(text.p + 2, '-', 8) &&
	    !memchr(text.p + 11, '-', 24))
		return text;
	return none;
}

/* Fields that a user appended: a trace header, nginx's rt= or request_time=. */
static void
finish_more(struct scan *s)
{
	static const struct str times[] = { { "rt=", 3 },
		{ "request_time=", 13 } };
	size_t at = str_find_str(s->more, STR("Root=1-"));

	if (at != SIZE_MAX)
		s->q->trace_id = str_from(s->more, at);
	for (size_t i = 0; i < 2 && s->duration[0].n == 0; i++) {
		at = str_find_str(s->more, times[i]);
		if (at == SIZE_MAX || at == 0 || s->more.p[at - 1] != ' ')
			continue;
		s->duration[0] = str_from(s->more, at + times[i].n);
		s->unit = UNIT_S;
	}
}

static int
hex_value(char c)
{
	if (scan_is_digit(c))
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* URL-decoded text in the arena. */
static struct str
decode(struct str s, struct arena *arena)
{
	char *p;
	size_t n = 0;

	if (str_find(s, '%') == SIZE_MAX)
		return s;
	p = arena_alloc(arena, s.n);
	for (size_t i = 0; i < s.n; i++) {
		int hi =
		    i + 2 < s.n && s.p[i] == '%' ? hex_value(s.p[i + 1]) : -1;
		int lo = hi >= 0 ? hex_value(s.p[i + 2]) : -1;

		if (lo >= 0) {
			p[n++] = (char)(hi * 16 + lo);
			i += 2;
		} else {
			p[n++] = s.p[i];
		}
	}
	return (struct str){ p, n };
}

static void
join_query(struct scan *s)
{
	struct request *q = s->q;
	char *p;

	if (s->query.n == 0 || is_dash(s->query))
		return;
	p = arena_alloc(s->arena, q->url.n + 1 + s->query.n);
	if (q->url.n)
		memcpy(p, q->url.p, q->url.n);
	p[q->url.n] = '?';
	memcpy(p + q->url.n + 1, s->query.p, s->query.n);
	q->url = (struct str){ p, q->url.n + 1 + s->query.n };
}

static void
finish_texts(const struct dialect *d, struct scan *s)
{
	struct request *q = s->q;

	undash(&q->agent);
	undash(&q->referer);
	undash(&q->forwarded);
	undash(&q->target);
	if (s->vhost.n > 0 && !is_dash(s->vhost))
		q->host = s->vhost;
	if (q->host.n > 0) {
		undash(&q->host);
		q->host = without_port(q->host);
	}
	undash(&q->peer);
	q->peer = without_port(q->peer);
	if (q->trace_id.n > 0)
		q->trace_id = dialect_trace(q->trace_id);
	if (d->flags & DIALECT_ENCODED) {
		/* CloudFront once encoded blanks twice. */
		q->agent = decode(q->agent, s->arena);
		q->agent = decode(q->agent, s->arena);
	}
}

enum decode
dialect_finish(const struct dialect *d, struct scan *s, const struct finish *f,
    struct record *r)
{
	if (!finish_status(d, s)) {
		*f->bad = bad_status;
		return DECODE_BAD;
	}
	if (s->more.n > 0)
		finish_more(s);
	finish_url(s);
	if (s->query.n > 0)
		join_query(s);
	finish_bytes(s);
	finish_duration(s);
	finish_texts(d, s);
	if (!dialect_time(d, s, f, r)) {
		*f->bad = bad_time;
		return DECODE_BAD;
	}
	return DECODE_OK;
}
