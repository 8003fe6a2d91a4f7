/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access lines of single programs that resemble nothing else: koa's sample
 * services, morgan's short forms, uWSGI, HAProxy, Envoy.
 */
#include "ingest/dialect.h"

static bool
method(struct str *rest, struct str *out)
{
	size_t i = 0;

	while (i < rest->n && rest->p[i] >= 'A' && rest->p[i] <= 'Z')
		i++;
	if (i == 0 || method_of(str_sub(*rest, 0, i)) == METHOD_OTHER)
		return false;
	*out = str_sub(*rest, 0, i);
	*rest = str_from(*rest, i);
	return true;
}

/* METHOD /url */
static bool
method_url(struct str *rest, struct str *m, struct str *url)
{
	struct str s = *rest;
	size_t end;

	if (!method(&s, m) || !scan_char(&s, ' ') || s.n == 0 || s.p[0] != '/')
		return false;
	end = str_find(s, ' ');
	*url = str_sub(s, 0, end);
	*rest = str_from(s, url->n);
	return true;
}

/* [0-9]+(\.[0-9]+)? */
static bool
millis(struct str *rest, struct str *out)
{
	return scan_decimal(rest, out) || scan_digits(rest, out);
}

static void
keep_ms(struct scan *s, struct str m, struct str url, struct str ms)
{
	s->q->method_text = m;
	s->q->url = url;
	s->duration[0] = ms;
	s->unit = UNIT_MS;
}

/* GET /api/users - 3 */
bool
app_koa(struct scan *s)
{
	struct str rest = s->line;
	struct str m, url, ms;

	if (!method_url(&rest, &m, &url) || !scan_text(&rest, STR(" - ")) ||
	    !millis(&rest, &ms))
		return false;
	scan_text(&rest, STR("ms"));
	if (rest.n != 0)
		return false;
	keep_ms(s, m, url, ms);
	return true;
}

/* [0-9.]+ or a dash */
static bool
millis_or_dash(struct str *rest, struct str *out)
{
	return millis(rest, out) || scan_number(rest, out);
}

/* GET /healthz 200 15 - 3.123 ms */
bool
app_morgan_tiny(struct scan *s)
{
	struct str rest = s->line;
	struct str m, url, status, bytes, ms;

	if (!method_url(&rest, &m, &url) || !scan_char(&rest, ' ') ||
	    !scan_number(&rest, &status) || !scan_char(&rest, ' ') ||
	    !scan_number(&rest, &bytes) || !scan_text(&rest, STR(" - ")) ||
	    !millis_or_dash(&rest, &ms) || !str_eq(rest, STR(" ms")))
		return false;
	keep_ms(s, m, url, ms);
	s->status = status;
	s->bytes = bytes;
	return true;
}

/* GET /healthz 200 3.123 ms - 15 */
bool
app_morgan_dev(struct scan *s)
{
	struct str rest = s->line;
	struct str m, url, status, bytes, ms;

	if (!method_url(&rest, &m, &url) || !scan_char(&rest, ' ') ||
	    !scan_number(&rest, &status) || !scan_char(&rest, ' ') ||
	    !millis_or_dash(&rest, &ms) || !scan_text(&rest, STR(" ms - ")) ||
	    !scan_number(&rest, &bytes) || rest.n != 0)
		return false;
	keep_ms(s, m, url, ms);
	s->status = status;
	s->bytes = bytes;
	return true;
}

/* open [^close]* close */
static bool
between(struct str *rest, struct str open, char close, struct str *out)
{
	struct str s = *rest;
	size_t at;

	if (!scan_text(&s, open))
		return false;
	at = str_find(s, close);
	if (at == SIZE_MAX)
		return false;
	*out = str_sub(s, 0, at);
	*rest = str_from(s, at + 1);
	return true;
}

/* Without any of the two bytes that end a part of the worker's bracket. */
static bool
has(struct str s, char c)
{
	return str_find(s, c) != SIZE_MAX;
}

/* [pid: 14|app: 0|req: 66/69] */
static bool
uwsgi_worker(struct str *rest)
{
	struct str in;
	struct str pid;
	struct str app;

	return between(rest, STR("[pid: "), ']', &in) &&
	       str_cut(&in, '|', &pid) && scan_digits(&pid, &app) &&
	       pid.n == 0 && scan_text(&in, STR("app: ")) &&
	       str_cut(&in, '|', &app) && app.n > 0 &&
	       scan_text(&in, STR("req: ")) && in.n > 0;
}

/* 12 msecs, 68 micros */
static bool
uwsgi_time(struct str *rest, struct str *out, uint8_t *unit)
{
	if (!scan_digits(rest, out))
		return false;
	*unit = UNIT_MS;
	if (scan_text(rest, STR(" msecs")))
		return true;
	*unit = UNIT_US;
	return scan_text(rest, STR(" micros"));
}

/* An optional ` via sendfile()`, then ` (HTTP/1.1 404)`. */
static bool
uwsgi_answer(struct str *rest, struct str *status)
{
	struct str s = *rest;
	size_t i = 0;

	if (scan_text(&s, STR(" via "))) {
		while (i < s.n && s.p[i] >= 'a' && s.p[i] <= 'z')
			i++;
		s = str_from(s, i);
		if (i == 0 || !scan_text(&s, STR("()")))
			return false;
	}
	if (!scan_text(&s, STR(" (HTTP/")))
		return false;
	for (i = 0; i < s.n && (scan_is_digit(s.p[i]) || s.p[i] == '.'); i++)
		continue;
	s = str_from(s, i);
	if (i == 0 || !scan_char(&s, ' ') || !scan_digits(&s, status) ||
	    !scan_char(&s, ')'))
		return false;
	*rest = s;
	return true;
}

struct uwsgi {
	struct str peer, time, method;
};

/* worker peer () {36 vars in 446 bytes} [ctime] METHOD */
static bool
uwsgi_head(struct str *rest, struct uwsgi *u)
{
	struct str w;

	return uwsgi_worker(rest) && scan_char(rest, ' ') &&
	       str_cut(rest, ' ', &u->peer) &&
	       between(rest, STR("("), ')', &w) &&
	       between(rest, STR(" {"), '}', &w) &&
	       between(rest, STR(" ["), ']', &u->time) && u->time.n == 24 &&
	       scan_char(rest, ' ') && str_cut(rest, ' ', &u->method) &&
	       u->method.n > 0;
}

/* head URL => generated 0 bytes in 0 msecs (HTTP/1.1 404) ... */
bool
app_uwsgi(struct scan *s)
{
	static const struct str arrow = { " => generated ", 14 };
	struct str rest = s->line;
	struct uwsgi u;
	struct str url, bytes, took, status;
	uint8_t unit;
	size_t at;

	if (!uwsgi_head(&rest, &u))
		return false;
	at = str_find_str(rest, arrow);
	if (at == SIZE_MAX)
		return false;
	url = str_sub(rest, 0, at);
	rest = str_from(rest, at + arrow.n);
	if (!scan_digits(&rest, &bytes) ||
	    !scan_text(&rest, STR(" bytes in ")) ||
	    !uwsgi_time(&rest, &took, &unit) || !uwsgi_answer(&rest, &status))
		return false;
	s->q->peer = u.peer;
	s->time = u.time;
	s->q->method_text = u.method;
	s->q->url = url;
	s->bytes = bytes;
	s->duration[0] = took;
	s->unit = unit;
	s->status = status;
	return true;
}

/* Tq/Tw/Tc/Tr/Tt, the last with a plus when logged early. */
static bool
haproxy_timers(struct str *rest, struct str *total)
{
	struct str w;

	for (int i = 0; i < 4; i++) {
		scan_char(rest, '-');
		if (!scan_digits(rest, &w) || !scan_char(rest, '/'))
			return false;
	}
	scan_char(rest, '+');
	return scan_digits(rest, total);
}

static bool
word(struct str *rest, struct str *out)
{
	return scan_char(rest, ' ') && scan_word(rest, out);
}

struct haproxy {
	struct str peer, time, target, total, status, bytes;
};

/* peer [14/Jan/2015:12:48:57.127] */
static bool
haproxy_head(struct str *rest, struct haproxy *h)
{
	struct str t;

	if (!scan_word(rest, &h->peer) || has(h->peer, '[') ||
	    !between(rest, STR(" ["), ']', &t) || t.n != 24)
		return false;
	h->time = t;
	return t.p[2] == '/' && t.p[6] == '/' && t.p[11] == ':' &&
	       t.p[20] == '.';
}

/* ` frontend backend/server timers status bytes ` */
static bool
haproxy_numbers(struct str *rest, struct haproxy *h)
{
	struct str w;

	if (!word(rest, &w) || !word(rest, &h->target) ||
	    !scan_char(rest, ' ') || !haproxy_timers(rest, &h->total) ||
	    !scan_char(rest, ' '))
		return false;
	h->status = (struct str){ NULL, 0 };
	if (!scan_text(rest, STR("-1")) && !scan_digits(rest, &h->status))
		return false;
	if (!scan_char(rest, ' '))
		return false;
	scan_char(rest, '+');
	return scan_digits(rest, &h->bytes) && scan_char(rest, ' ');
}

/* head numbers - - --NN a/b/c/d/e q/q {...} "request" */
bool
app_haproxy(struct scan *s)
{
	struct str rest = s->line;
	struct haproxy h;
	size_t at;

	if (rest.n == 0 || rest.p[rest.n - 1] != '"' ||
	    !haproxy_head(&rest, &h) || !haproxy_numbers(&rest, &h))
		return false;
	at = str_find(rest, '"');
	if (at == SIZE_MAX || at + 1 == rest.n || at == 0 ||
	    rest.p[at - 1] != ' ')
		return false;
	s->q->peer = h.peer;
	s->time = h.time;
	s->q->target = h.target;
	s->duration[0] = h.total;
	s->unit = UNIT_MS;
	s->status = h.status;
	s->bytes = h.bytes;
	s->request = str_sub(rest, at + 1, rest.n - at - 2);
	return true;
}

static bool
quoted(struct str *rest, struct str *out)
{
	return scan_char(rest, ' ') && scan_quoted(rest, out);
}

static bool
number(struct str *rest, struct str *out)
{
	return scan_char(rest, ' ') && scan_number(rest, out);
}

/*
 * [start] "request" status flags received sent ms upstream-ms "forwarded"
 *     "agent" "id" "authority" "upstream"
 */
bool
app_envoy(struct scan *s)
{
	struct str rest = s->line;
	struct str time, request, status, w, bytes, ms;
	struct str forwarded, agent, host, target;

	if (!between(&rest, STR("["), ']', &time) || !quoted(&rest, &request) ||
	    !number(&rest, &status) || !word(&rest, &w) || !number(&rest, &w) ||
	    !number(&rest, &bytes) || !number(&rest, &ms) || !number(&rest, &w))
		return false;
	if (!quoted(&rest, &forwarded) || !quoted(&rest, &agent) ||
	    !quoted(&rest, &w) || !quoted(&rest, &host) ||
	    !quoted(&rest, &target) || rest.n != 0)
		return false;
	s->time = time;
	s->request = request;
	s->status = status;
	s->bytes = bytes;
	s->duration[0] = ms;
	s->unit = UNIT_MS;
	s->q->forwarded = forwarded;
	s->q->agent = agent;
	s->q->host = host;
	s->q->target = target;
	return true;
}
