/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the views of a line that was cut to a request: numbers, times, method,
 * path and host.  The same for every dialect and for both ways of cutting.
 *
 * Nothing is parsed that nobody needs: a time without a zone is not looked at
 * when the envelope has one.
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

	if (n > 0 && s.p[0] == '[') {
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

/*
 * METHOD url[ HTTP/x.y].  Blanks inside of the url belong to it.  What is not
 * of this form was unreadable: no method and no url, but for a balancer's
 * "- http://host:80- ", whose url is kept.
 */
static void
split_request(struct str line, struct request *q)
{
	size_t at = 0;
	struct str m;

	/* Methods are short: no call of memchr. */
	while (at < line.n && at < 33 && line.p[at] != ' ')
		at++;
	if (at >= line.n || line.p[at] != ' ')
		return;
	m = (struct str){ line.p, at };
	line.p += at + 1;
	line.n -= at + 1;
	for (size_t n = 6; n < 10 && n <= line.n; n++) {
		if (line.p[line.n - n] == ' ' && n > 6 &&
		    memcmp(line.p + line.n - n + 1, "HTTP/", 5) == 0) {
			line.n -= n;
			break;
		}
	}
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
	if (!is_method(q->method_text)) {
		bool unreadable =
		    q->method_text.n > 0 && !is_dash(q->method_text);

		q->method_text = (struct str){ NULL, 0 };
		if (unreadable)
			q->url = (struct str){ NULL, 0 };
	}
	q->method = method_fast(q->method_text);
	undash(&q->url);
	if (q->url.n > 0 && q->url.p[0] == '/') {
		path = path_of(q->url);
	} else if (absolute(q->url, &host, &path)) {
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

/* A number of units as nanoseconds; false: none, negative or too large. */
static bool
duration_part(struct str text, enum unit unit, int64_t *ns)
{
	static const int64_t scale[] = { [UNIT_NONE] = 1,
		[UNIT_S] = 1,
		[UNIT_MS] = 1000,
		[UNIT_US] = 1000000,
		[UNIT_NS] = 1000000000 };
	int64_t v;

	if (unit == UNIT_NS) {
		uint64_t u;

		if (!str_u64(&text, &u) || u > INT64_MAX)
			return false;
		*ns = (int64_t)u;
		return true;
	}
	if (!str_seconds_ns(&text, &v) || v < 0)
		return false;
	*ns = v / scale[unit];
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

/* An X-Ray id of "Root=1-...;Self=...", or the text itself when it is one. */
static struct str
trace_of(struct str text)
{
	size_t at = 0;

	if (!scan_text(&text, STR("Root="))) {
		at = str_find_str(text, STR("Root="));
		if (at != SIZE_MAX)
			text = str_from(text, at + 5);
		at = 0;
	}
	while (at < text.n && in_trace[(unsigned char)text.p[at]])
		at++;
	text.n = at;
	if (text.n == 32 && str_find(text, '-') == SIZE_MAX)
		return text;
	if (text.n == 35 && text.p[0] == '1' && text.p[1] == '-' &&
	    text.p[10] == '-' && !memchr(text.p + 2, '-', 8) &&
	    !memchr(text.p + 11, '-', 24))
		return text;
	return (struct str){ NULL, 0 };
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
		q->trace_id = trace_of(q->trace_id);
	if (d->flags & DIALECT_ENCODED) {
		/* CloudFront once encoded blanks twice. */
		q->agent = decode(q->agent, s->arena);
		q->agent = decode(q->agent, s->arena);
	}
}

/* hh:mm:ss as seconds, or -1. */
static int32_t
clock_seconds(const char *p)
{
	int32_t h;
	int32_t m;
	int32_t s;

	for (int i = 0; i < 8; i += 3)
		if (!scan_is_digit(p[i]) || !scan_is_digit(p[i + 1]))
			return -1;
	h = (p[0] - '0') * 10 + p[1] - '0';
	m = (p[3] - '0') * 10 + p[4] - '0';
	s = (p[6] - '0') * 10 + p[7] - '0';
	if (h > 23 || m > 59 || s > 60)
		return -1;
	return h * 3600 + m * 60 + s;
}

/* "[ ][+-]hhmm" as seconds east. */
static bool
zone_seconds(const char *p, int32_t *east)
{
	int32_t h;
	int32_t m;

	if (p[0] != ' ' || (p[1] != '+' && p[1] != '-'))
		return false;
	for (int i = 2; i < 6; i++)
		if (!scan_is_digit(p[i]))
			return false;
	h = (p[2] - '0') * 10 + p[3] - '0';
	m = (p[4] - '0') * 10 + p[5] - '0';
	if (h > 23 || m > 59)
		return false;
	*east = (h * 3600 + m * 60) * (p[1] == '-' ? -1 : 1);
	return true;
}

/* The midnight that the first eleven bytes name; the last one is kept. */
static bool
day_of(const char *p, struct day *day, int64_t *ns)
{
	char text[20] = "           :00:00:00";
	struct str s = { text, sizeof text };

	if (memcmp(p, day->text, sizeof day->text) == 0) {
		*ns = day->ns;
		return true;
	}
	memcpy(text, p, sizeof day->text);
	if (!when_clf(&s, ns))
		return false;
	memcpy(day->text, p, sizeof day->text);
	day->ns = *ns;
	return true;
}

/* 21/Nov/2018[: ]02:50:46[.127][ +0000] */
static bool
clf_time(struct str text, struct day *day, struct stamp *t)
{
	struct str rest = str_from(text, 20);
	int32_t seconds;
	int32_t east = 0;
	int64_t ns = 0;

	if (text.n < 20 || text.p[2] != '/' || text.p[14] != ':' ||
	    text.p[17] != ':' || (text.p[11] != ':' && text.p[11] != ' ') ||
	    !day_of(text.p, day, &t->ns))
		return false;
	seconds = clock_seconds(text.p + 12);
	if (seconds < 0)
		return false;
	t->zoned = false;
	t->fine = false;
	if (rest.n > 1 && rest.p[0] == '.') {
		struct str zero = { "0", 1 };
		char digits[16] = "0";
		size_t n =
		    rest.n < sizeof digits - 1 ? rest.n : sizeof digits - 1;

		memcpy(digits + 1, rest.p, n);
		zero = (struct str){ digits, n + 1 };
		if (!str_seconds_ns(&zero, &ns) || zero.n != 0)
			return false;
		t->fine = true;
	} else if (rest.n > 0) {
		if (rest.n != 6 || !zone_seconds(rest.p, &east))
			return false;
		t->zoned = true;
	}
	ns += (int64_t)(seconds - east) * NS_PER_SEC;
	return !__builtin_add_overflow(t->ns, ns, &t->ns);
}

/* 2018-11-27T08:47:55.ddd...Z, whose day was there before. */
static bool
iso_fast(struct str text, struct day *day, struct stamp *t)
{
	int32_t seconds;
	int64_t ns = 0;
	int64_t unit = NS_PER_SEC;

	if (text.n < 22 || text.n > 30 || text.p[text.n - 1] != 'Z' ||
	    text.p[19] != '.' || text.p[13] != ':' || text.p[16] != ':' ||
	    memcmp(text.p, day->iso, sizeof day->iso) != 0)
		return false;
	seconds = clock_seconds(text.p + 11);
	if (seconds < 0)
		return false;
	for (size_t i = 20; i + 1 < text.n; i++) {
		if (!scan_is_digit(text.p[i]))
			return false;
		unit /= 10;
		ns += unit * (text.p[i] - '0');
	}
	ns += seconds * NS_PER_SEC;
	t->zoned = true;
	t->fine = true;
	return !__builtin_add_overflow(day->iso_ns, ns, &t->ns);
}

/* Keeps the day of a time that iso_time has read, for iso_fast. */
static void
iso_keep(struct str text, struct day *day)
{
	char copy[20] = "           00:00:00Z";
	struct str s = { copy, sizeof copy };

	if (text.p[text.n - 1] != 'Z' || text.p[10] != 'T')
		return;
	memcpy(copy, text.p, sizeof day->iso);
	if (!when_iso(&s, &day->iso_ns))
		return;
	memcpy(day->iso, text.p, sizeof day->iso);
}

/* 2018-11-27T08:47:55[.fraction][zone], all of it. */
static bool
iso_time(struct str text, struct stamp *t)
{
	struct str s = text;

	if (text.n < 19 || !when_iso(&s, &t->ns) || s.n != 0)
		return false;
	t->fine = text.n > 19 && (text.p[19] == '.' || text.p[19] == ',');
	t->zoned = text.p[text.n - 1] == 'Z' ||
		   str_find(str_from(text, 19), '+') != SIZE_MAX ||
		   str_find(str_from(text, 19), '-') != SIZE_MAX;
	return true;
}

static bool
w3c_time(struct str text, struct stamp *t)
{
	char copy[19];

	if (text.n != sizeof copy)
		return false;
	memcpy(copy, text.p, sizeof copy);
	copy[10] = 'T';
	if (!iso_time((struct str){ copy, sizeof copy }, t))
		return false;
	t->zoned = true;
	return true;
}

bool
dialect_time_any(struct str text, struct stamp *t)
{
	struct day day = { .ns = 0 };
	struct str s = text;
	struct str whole = text;
	uint64_t v;

	if (iso_time(text, t) || w3c_time(text, t) || clf_time(text, &day, t))
		return true;
	*t = (struct stamp){ WHEN_NONE, false, false };
	if (text.n == 24 && when_ctime(&s, &t->ns) && s.n == 0)
		return true;
	/* Epoch seconds, or milli-, micro-, nanoseconds by magnitude. */
	if (!str_u64(&whole, &v) || v < 100000000)
		return false;
	t->zoned = true;
	t->fine = v >= 100000000000 || whole.n > 1;
	if (v >= 100000000000000000)
		t->ns = (int64_t)(v <= INT64_MAX ? v : 0);
	else if (v >= 100000000000000)
		t->ns = (int64_t)v * 1000;
	else if (v >= 100000000000)
		return when_epoch_ms(text, &t->ns);
	else
		return when_epoch(text, &t->ns);
	return t->ns != 0 && whole.n == 0;
}

struct stamp
dialect_stamp(struct stamp own, const struct finish *f)
{
	int64_t envelope = f->event->ts_ns;

	if (own.ns != WHEN_NONE && own.zoned)
		return own;
	if (f->prefix_ns != WHEN_NONE && f->prefix_zoned &&
	    (f->prefix_ns % NS_PER_SEC != 0 || envelope == WHEN_NONE))
		return (struct stamp){ f->prefix_ns, true,
			f->prefix_ns % NS_PER_SEC != 0 };
	if (envelope != WHEN_NONE)
		return (
		    struct stamp){ envelope, true, envelope % NS_PER_SEC != 0 };
	if (own.ns != WHEN_NONE)
		return own;
	return (struct stamp){ f->prefix_ns, false,
		f->prefix_ns != WHEN_NONE && f->prefix_ns % NS_PER_SEC != 0 };
}

static bool
own_time(const struct dialect *d, const struct scan *s, struct day *day,
    struct stamp *t)
{
	struct str rest = s->time;

	switch (d->clock) {
	case CLOCK_CLF:
		return clf_time(s->time, day, t);
	case CLOCK_ISO:
		if (iso_fast(s->time, day, t))
			return true;
		if (!iso_time(s->time, t))
			return false;
		iso_keep(s->time, day);
		return true;
	case CLOCK_W3C:
		return w3c_time(s->time, t);
	case CLOCK_CTIME:
		*t = (struct stamp){ WHEN_NONE, false, false };
		return when_ctime(&rest, &t->ns) && rest.n == 0;
	case CLOCK_ANY:
		return dialect_time_any(s->time, t);
	case CLOCK_NONE:
		break;
	}
	return false;
}

/* A time that can have no zone, where the envelope's is better anyway. */
static bool
needless(const struct dialect *d, const struct scan *s)
{
	return d->clock == CLOCK_NONE || d->clock == CLOCK_CTIME ||
	       (d->clock == CLOCK_CLF && s->time.n != 26);
}

static bool
finish_time(const struct dialect *d, struct scan *s, const struct finish *f,
    struct record *r)
{
	struct stamp own = { WHEN_NONE, false, false };
	struct stamp t;
	bool starts = s->starts || (d->flags & DIALECT_STARTS);
	bool envelope = f->event->ts_ns != WHEN_NONE;

	if (s->time.n > 0 && !(envelope && needless(d, s)) &&
	    !own_time(d, s, f->day, &own)) {
		own.ns = WHEN_NONE;
		if (!envelope && f->prefix_ns == WHEN_NONE)
			return false;
	}
	if (own.ns != WHEN_NONE && starts && s->q->duration_ns > 0 &&
	    __builtin_add_overflow(own.ns, s->q->duration_ns, &own.ns))
		return false;
	t = dialect_stamp(own, f);
	r->ts_ns = t.ns;
	s->q->end_ns = t.ns;
	s->q->grain = t.fine || t.ns == WHEN_NONE ? GRAIN_FINE : GRAIN_SECOND;
	return true;
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
	if (!finish_time(d, s, f, r)) {
		*f->bad = bad_time;
		return DECODE_BAD;
	}
	return DECODE_OK;
}
