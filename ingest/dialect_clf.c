/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Common Log Format and its relatives: Werkzeug, Rack, Apache, nginx,
 * gunicorn, morgan, ingress-nginx, Traefik, finagle.
 *
 *	[host ]peer ident user [time] "request" status bytes tail
 *
 * The head is the same for all of them; the tail tells them apart:
 *
 *	werkzeug  nothing, and a blank between date and time
 *	common    nothing, and a colon there
 *	rack      seconds
 *	combined  "referer" "agent"
 *	nginx     "referer" "agent" "forwarded" ...
 *	ingress   "referer" "agent" length seconds [..] [..] upstream ...
 *	traefik   "referer" "agent" count "router" "backend" 12ms
 *	extended  "referer" "agent" and anything else that is not quoted
 *	finagle   milliseconds "agent"
 *
 * The request ends at the first quote that is not escaped and is followed by
 * a status; so a quote that a program forgot to escape does no harm.  When
 * there is no such place, whatever stands where the status belongs is taken
 * for it, and dialect_finish says what is wrong with it.
 */
#include "ingest/dialect.h"

#include <endian.h>

enum {
	PEER_MAX = 255,
	MIDDLE_MAX = 256, /* ident and user */
	DATE = 20,        /* 21/Nov/2018:02:50:46 */
	DATE_ZONE = 26,   /* ... +0000 */
};

bool
scan_quoted(struct str *rest, struct str *out)
{
	const char *p = rest->p;
	const char *end = rest->p + rest->n;
	const char *from;

	if (rest->n < 2 || *p != '"')
		return false;
	from = p + 1;
	for (p = from; p < end; p++) {
		const char *b;

		p = memchr(p, '"', (size_t)(end - p));
		if (!p)
			return false;
		for (b = p; b > from && b[-1] == '\\'; b--)
			continue;
		if ((p - b) % 2 == 0 && (p + 1 == end || p[1] == ' ')) {
			*out = (struct str){ from, (size_t)(p - from) };
			*rest = (struct str){ p + 1, (size_t)(end - p) - 1 };
			return true;
		}
	}
	return false;
}

bool
scan_digits(struct str *rest, struct str *out)
{
	size_t i = 0;

	while (i < rest->n && scan_is_digit(rest->p[i]))
		i++;
	if (i == 0)
		return false;
	*out = (struct str){ rest->p, i };
	*rest = (struct str){ rest->p + i, rest->n - i };
	return true;
}

bool
scan_number(struct str *rest, struct str *out)
{
	if (rest->n > 0 && rest->p[0] == '-') {
		*out = (struct str){ rest->p, 1 };
		*rest = (struct str){ rest->p + 1, rest->n - 1 };
		return true;
	}
	return scan_digits(rest, out);
}

bool
scan_decimal(struct str *rest, struct str *out)
{
	struct str s = *rest;
	struct str part;

	if (!scan_digits(&s, &part) || !scan_char(&s, '.') ||
	    !scan_digits(&s, &part))
		return false;
	*out = str_sub(*rest, 0, rest->n - s.n);
	*rest = s;
	return true;
}

bool
scan_word(struct str *rest, struct str *out)
{
	size_t n = rest->n;
	const char *end = n ? memchr(rest->p, ' ', n) : NULL;

	if (end)
		n = (size_t)(end - rest->p);
	end = n ? memchr(rest->p, '"', n) : NULL;
	if (end)
		n = (size_t)(end - rest->p);
	if (n == 0)
		return false;
	*out = (struct str){ rest->p, n };
	*rest = (struct str){ rest->p + n, rest->n - n };
	return true;
}

/* The top bit of each byte of x that is c; above a true one also others. */
static uint64_t
bytes_that_are(uint64_t x, char c)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t z = x ^ (ones * (unsigned char)c);

	return (z - ones) & ~z & (ones << 7);
}

/*
 * How many bytes stand before the first blank, when none of them is a bracket,
 * a quote or a bar; else 0.  Eight bytes at a time: the length of an address
 * is what a branch predictor cannot guess.
 */
static size_t
peer_length(struct str s)
{
	size_t most = s.n < PEER_MAX + 1 ? s.n : PEER_MAX + 1;
	size_t i = 0;

	for (; i + 8 <= most; i += 8) {
		uint64_t x;
		uint64_t blank;
		uint64_t others;

		memcpy(&x, s.p + i, sizeof x);
		x = le64toh(x);
		blank = bytes_that_are(x, ' ');
		others = bytes_that_are(x, '[') | bytes_that_are(x, '"') |
			 bytes_that_are(x, '|');
		if (blank) {
			if (others & (blank ^ (blank - 1)))
				return 0;
			return i + (size_t)__builtin_ctzll(blank) / 8;
		}
		if (others)
			return 0;
	}
	for (; i < most; i++) {
		if (s.p[i] == ' ')
			return i;
		if (s.p[i] == '[' || s.p[i] == '"' || s.p[i] == '|')
			return 0;
	}
	return 0;
}

/* [^ \["|]{1,255} and a blank behind it. */
static bool
peer(struct str *rest, struct str *out)
{
	size_t i = peer_length(*rest);

	if (i == 0)
		return false;
	*out = (struct str){ rest->p, i };
	*rest = (struct str){ rest->p + i + 1, rest->n - i - 1 };
	return true;
}

static bool
is_address_byte(char c)
{
	return scan_is_digit(c) || (c >= 'a' && c <= 'f') ||
	       (c >= 'A' && c <= 'F') || c == '.' || c == ':';
}

/* An address and " - ": what stands before it was a virtual host. */
static bool
address_follows(struct str s)
{
	size_t i = 0;
	bool mark = false;

	while (i < s.n && is_address_byte(s.p[i])) {
		mark |= s.p[i] == '.' || s.p[i] == ':';
		i++;
	}
	return mark && str_starts(str_from(s, i), STR(" - "));
}

/* Ident and user: [^\["|]{2,256} that ends in a blank, then the bracket. */
static bool
middle(struct str *rest)
{
	size_t i = 0;

	if (rest->n > 5 && memcmp(rest->p, "- - [", 5) == 0) {
		*rest = (struct str){ rest->p + 5, rest->n - 5 };
		return true;
	}
	while (i < rest->n && i <= MIDDLE_MAX) {
		char c = rest->p[i];

		if (c == '[' || c == '"' || c == '|')
			break;
		i++;
	}
	if (i < 2 || i > MIDDLE_MAX || i == rest->n || rest->p[i] != '[' ||
	    rest->p[i - 1] != ' ')
		return false;
	*rest = str_from(*rest, i + 1);
	return true;
}

/* ../.../....[: ]..:..:.. and a zone or none, then "] ". */
static bool
date(struct str *rest, struct str *out)
{
	const char *p = rest->p;
	size_t n = DATE;

	if (rest->n < DATE + 2 || p[2] != '/' || p[6] != '/' ||
	    (p[11] != ':' && p[11] != ' ') || p[14] != ':' || p[17] != ':')
		return false;
	if (p[DATE] == ' ' && rest->n > DATE_ZONE && p[DATE_ZONE] == ']')
		n = DATE_ZONE;
	if (p[n] != ']' || rest->n < n + 2 || p[n + 1] != ' ')
		return false;
	*out = (struct str){ p, n };
	*rest = (struct str){ p + n + 2, rest->n - n - 2 };
	return true;
}

/* Behind a quote: a blank, a status or a dash, and a blank or the end. */
static bool
status_follows(struct str s, struct str *status, struct str *rest)
{
	if (!scan_char(&s, ' ') || !scan_number(&s, status) ||
	    (s.n > 0 && s.p[0] != ' '))
		return false;
	*rest = s;
	return true;
}

/* "request" status; moves *rest behind the status. */
static bool
request(struct str *rest, struct str *out, struct str *status)
{
	const char *end = rest->p + rest->n;
	const char *from = rest->p + 1;
	const char *loose = NULL;

	if (rest->n < 2 || rest->p[0] != '"')
		return false;
	for (const char *p = from; p < end; p++) {
		const char *b;

		p = memchr(p, '"', (size_t)(end - p));
		if (!p)
			break;
		for (b = p; b > from && b[-1] == '\\'; b--)
			continue;
		if ((p - b) % 2 != 0)
			continue;
		if (!loose)
			loose = p;
		*out = (struct str){ from, (size_t)(p - from) };
		if (status_follows((struct str){ p + 1, (size_t)(end - p) - 1 },
			status, rest))
			return true;
	}
	if (!loose || end - loose < 3 || loose[1] != ' ' || loose[2] == ' ')
		return false;
	*out = (struct str){ from, (size_t)(loose - from) };
	*rest = (struct str){ loose + 2, (size_t)(end - loose) - 2 };
	*status = str_sub(*rest, 0, str_find(*rest, ' '));
	*rest = str_from(*rest, status->n);
	return true;
}

bool
clf_head(struct scan *s)
{
	struct str rest = s->line;
	struct str host = { NULL, 0 };
	struct str from;
	struct str time;
	struct str line;
	struct str status;
	struct str bytes;

	if (!peer(&rest, &from))
		return false;
	if (rest.n > 0 && rest.p[0] != '-' && address_follows(rest)) {
		host = from;
		if (!peer(&rest, &from))
			return false;
	}
	if (!middle(&rest) || !date(&rest, &time) ||
	    !request(&rest, &line, &status) || !scan_char(&rest, ' ') ||
	    !scan_number(&rest, &bytes))
		return false;
	s->q->peer = from;
	s->q->host = host;
	s->time = time;
	s->request = line;
	s->status = status;
	s->bytes = bytes;
	s->rest = rest;
	return true;
}

bool
clf_werkzeug(struct scan *s)
{
	return s->rest.n == 0 && s->time.p[11] == ' ';
}

bool
clf_common(struct scan *s)
{
	return s->rest.n == 0 && s->time.p[11] == ':';
}

bool
clf_rack(struct scan *s)
{
	struct str rest = s->rest;
	struct str seconds;

	if (!scan_char(&rest, ' ') || !scan_decimal(&rest, &seconds) ||
	    rest.n != 0)
		return false;
	s->duration[0] = seconds;
	s->unit = UNIT_S;
	return true;
}

bool
clf_finagle(struct scan *s)
{
	struct str rest = s->rest;
	struct str ms;
	struct str agent;

	if (!scan_char(&rest, ' ') || !scan_digits(&rest, &ms) ||
	    !scan_char(&rest, ' ') || !scan_quoted(&rest, &agent) ||
	    rest.n != 0)
		return false;
	s->duration[0] = ms;
	s->unit = UNIT_MS;
	s->q->agent = agent;
	return true;
}

struct tail {
	struct str referer;
	struct str agent;
	struct str rest;
};

/* ` "referer" "agent"` */
static bool
tail(const struct scan *s, struct tail *t)
{
	t->rest = s->rest;
	return scan_char(&t->rest, ' ') && scan_quoted(&t->rest, &t->referer) &&
	       scan_char(&t->rest, ' ') && scan_quoted(&t->rest, &t->agent);
}

static void
keep(struct scan *s, const struct tail *t)
{
	s->q->referer = t->referer;
	s->q->agent = t->agent;
}

bool
clf_combined(struct scan *s)
{
	struct tail t;

	if (!tail(s, &t) || t.rest.n != 0)
		return false;
	keep(s, &t);
	return true;
}

bool
clf_nginx(struct scan *s)
{
	struct tail t;
	struct str forwarded;

	if (!tail(s, &t) || !scan_char(&t.rest, ' ') ||
	    !scan_quoted(&t.rest, &forwarded))
		return false;
	keep(s, &t);
	s->q->forwarded = forwarded;
	s->more = t.rest;
	return true;
}

/* [^\]]*\] behind a blank and a bracket */
static bool
bracketed(struct str *rest)
{
	struct str s = *rest;
	size_t at;

	if (!scan_text(&s, STR(" [")))
		return false;
	at = str_find(s, ']');
	if (at == SIZE_MAX)
		return false;
	*rest = str_from(s, at + 1);
	return true;
}

/* ` length seconds [service] [alternative] upstream[, upstream]... ...` */
static bool
ingress_tail(struct str rest, struct str *seconds, struct str *target)
{
	struct str s;
	struct str length;

	if (!scan_char(&rest, ' ') || !scan_digits(&rest, &length) ||
	    !scan_char(&rest, ' ') || !scan_decimal(&rest, seconds) ||
	    !bracketed(&rest) || !bracketed(&rest) || !scan_char(&rest, ' '))
		return false;
	/* Of several upstreams the last one answered. */
	do {
		size_t n = 0;

		while (n < rest.n && rest.p[n] != ' ' && rest.p[n] != ',')
			n++;
		if (n == 0)
			return false;
		*target = str_sub(rest, 0, n);
		s = str_from(rest, n);
		rest = s;
	} while (scan_text(&rest, STR(", ")));
	return s.n == 0 || s.p[0] == ' ';
}

bool
clf_ingress(struct scan *s)
{
	struct tail t;
	struct str seconds;
	struct str target;

	if (!tail(s, &t) || !ingress_tail(t.rest, &seconds, &target))
		return false;
	keep(s, &t);
	s->duration[0] = seconds;
	s->unit = UNIT_S;
	s->q->target = target;
	return true;
}

/* ` count "router" "backend" 12ms` */
static bool
traefik_tail(struct str rest, struct str *ms, struct str *target)
{
	struct str count;
	struct str router;

	return scan_char(&rest, ' ') && scan_number(&rest, &count) &&
	       scan_char(&rest, ' ') && scan_quoted(&rest, &router) &&
	       scan_char(&rest, ' ') && scan_quoted(&rest, target) &&
	       scan_char(&rest, ' ') && scan_digits(&rest, ms) &&
	       str_eq(rest, STR("ms"));
}

bool
clf_traefik(struct scan *s)
{
	struct tail t;
	struct str ms;
	struct str target;

	if (!tail(s, &t) || !traefik_tail(t.rest, &ms, &target))
		return false;
	keep(s, &t);
	s->duration[0] = ms;
	s->unit = UNIT_MS;
	s->q->target = target;
	return true;
}

bool
clf_extended(struct scan *s)
{
	struct tail t;
	struct str a;
	struct str b;

	if (!tail(s, &t) || t.rest.n < 2 || t.rest.p[1] == '"' ||
	    ingress_tail(t.rest, &a, &b) || traefik_tail(t.rest, &a, &b))
		return false;
	keep(s, &t);
	s->more = t.rest;
	/* A lone decimal is seconds: nginx and gunicorn users append it. */
	b = str_from(t.rest, 1);
	if (scan_decimal(&b, &a) && b.n == 0) {
		s->duration[0] = a;
		s->unit = UNIT_S;
		s->more = (struct str){ NULL, 0 };
	}
	return true;
}
