/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What AWS itself writes to S3: application and classic load balancers, and
 * S3's own server access log.
 *
 * Fields are only ever added at the end, so what is known is cut from the
 * front and the rest is left alone.  Quotes are not escaped by the balancers:
 * a request ends where a blank and another quote, or nothing, follow; an agent
 * where cipher and protocol follow.  A line may stop after any group of
 * fields that once was the last.
 *
 * ALB writes the time when the answer went out.  Classic balancers and S3
 * write the time when the request came in.
 */
#include "ingest/dialect.h"

enum {
	ISO_LEAST = 20, /* 2018-07-02T22:23:00Z */
	ISO_MOST = 35,
};

/* -?[0-9]+(\.[0-9]+)? */
static bool
seconds(struct str *rest, struct str *out)
{
	struct str s = *rest;
	struct str part;

	scan_char(&s, '-');
	if (!scan_digits(&s, &part))
		return false;
	if (s.n > 1 && s.p[0] == '.' && scan_is_digit(s.p[1])) {
		scan_char(&s, '.');
		scan_digits(&s, &part);
	}
	*out = str_sub(*rest, 0, rest->n - s.n);
	*rest = s;
	return true;
}

static bool
word(struct str *rest, struct str *out)
{
	return scan_char(rest, ' ') && scan_word(rest, out);
}

static bool
number(struct str *rest, struct str *out)
{
	return scan_char(rest, ' ') && scan_number(rest, out);
}

/* ` word`, where no quote can be: the part before the first one. */
static bool
bare(struct str *rest, struct str *out)
{
	struct str s = *rest;
	size_t n;

	if (!scan_char(&s, ' '))
		return false;
	n = str_find(s, ' ');
	*out = str_sub(s, 0, n);
	*rest = str_from(s, out->n);
	return out->n > 0;
}

/* ....-..-..T[^ "]{9,24} */
static bool
iso(struct str *rest, struct str *out)
{
	struct str t;

	if (!scan_word(rest, &t) || t.n < ISO_LEAST || t.n > ISO_MOST ||
	    t.p[4] != '-' || t.p[7] != '-' || t.p[10] != 'T')
		return false;
	*out = t;
	return true;
}

/* A cipher and a protocol, behind the agent's quote. */
static bool
tls(struct str *rest)
{
	struct str s = *rest;
	struct str w;

	if (!word(&s, &w) || !word(&s, &w) ||
	    (!str_eq(w, STR("-")) && !str_starts(w, STR("TLS")) &&
		!str_starts(w, STR("SSL"))) ||
	    (s.n > 0 && s.p[0] != ' '))
		return false;
	*rest = s;
	return true;
}

static bool
ends_request(struct str *rest)
{
	return rest->n == 0 || str_starts(*rest, STR(" \""));
}

static bool
ends_agent(struct str *rest)
{
	return rest->n == 0 || tls(rest);
}

/*
 * ` "text"`, ending at the first quote behind which `ends` is true; that may
 * move behind what it has recognised.
 */
static bool
quoted(struct str *rest, struct str *out, bool (*ends)(struct str *))
{
	struct str s = *rest;
	size_t at = 0;

	if (!scan_text(&s, STR(" \"")))
		return false;
	for (;;) {
		struct str behind = str_from(s, at);
		size_t q = str_find(behind, '"');

		if (q == SIZE_MAX)
			return false;
		at += q + 1;
		behind = str_from(s, at);
		if (ends(&behind)) {
			*out = str_sub(s, 0, at - 1);
			*rest = behind;
			return true;
		}
	}
}

struct balancer {
	struct str elb, client, target;
	struct str duration[3];
	struct str status, target_status, received, sent;
	struct str request, agent;
	struct str trace;
};

/*
 * elb client target seconds*3 status status bytes bytes, up to the first
 * quote or to the end
 */
static bool
balancer_numbers(struct str *rest, struct balancer *b)
{
	size_t quote = str_find(*rest, '"');
	struct str s = str_sub(*rest, 0, quote);

	if (!bare(&s, &b->elb) || !bare(&s, &b->client) ||
	    !bare(&s, &b->target))
		return false;
	for (int i = 0; i < 3; i++)
		if (!scan_char(&s, ' ') || !seconds(&s, &b->duration[i]))
			return false;
	if (!number(&s, &b->status) || !number(&s, &b->target_status) ||
	    !number(&s, &b->received) || !number(&s, &b->sent))
		return false;
	if (quote == SIZE_MAX) {
		*rest = s;
		return s.n == 0;
	}
	*rest = str_from(*rest, quote - 1);
	return str_eq(s, STR(" "));
}

/* numbers ["request" ["agent" [cipher protocol [...]]]] */
static bool
balancer(struct str *rest, struct balancer *b)
{
	static const struct str none = { NULL, 0 };

	b->request = none;
	b->agent = none;
	b->trace = none;
	if (!balancer_numbers(rest, b))
		return false;
	if (rest->n == 0)
		return true;
	if (!quoted(rest, &b->request, ends_request))
		return false;
	return rest->n == 0 || quoted(rest, &b->agent, ends_agent);
}

static void
keep(struct scan *s, const struct balancer *b)
{
	s->q->peer = b->client;
	s->q->target = b->target;
	memcpy(s->duration, b->duration, sizeof s->duration);
	s->unit = UNIT_S;
	s->status = b->status;
	s->bytes = b->sent;
	s->request = b->request;
	s->q->agent = b->agent;
	s->q->trace_id = b->trace;
}

/* type time balancer... [arn "trace" ...] */
bool
aws_alb(struct scan *s)
{
	static const struct str types[] = { { "https", 5 }, { "http", 4 },
		{ "h2", 2 }, { "grpcs", 5 }, { "wss", 3 }, { "ws", 2 } };
	struct str rest = s->line;
	struct balancer b;
	struct str type;
	struct str time;
	struct str w;
	size_t i = 0;

	if (rest.n == 0 || !strchr("hgw", rest.p[0]) ||
	    !scan_word(&rest, &type))
		return false;
	while (i < sizeof types / sizeof types[0] && !str_eq(type, types[i]))
		i++;
	if (i == sizeof types / sizeof types[0] || !scan_char(&rest, ' ') ||
	    !iso(&rest, &time) || !balancer(&rest, &b))
		return false;
	if (rest.n > 0 && word(&rest, &w) && scan_text(&rest, STR(" \""))) {
		size_t at = str_find(rest, '"');

		if (at != SIZE_MAX)
			b.trace = str_sub(rest, 0, at);
	}
	s->time = time;
	keep(s, &b);
	return true;
}

/* time balancer, and nothing behind the protocol */
bool
aws_elb(struct scan *s)
{
	struct str rest = s->line;
	struct balancer b;
	struct str time;

	if (rest.n == 0 || !scan_is_digit(rest.p[0]) || !iso(&rest, &time) ||
	    !balancer(&rest, &b) || rest.n != 0)
		return false;
	s->time = time;
	keep(s, &b);
	return true;
}

/* [A-Z0-9_]+\.[A-Z0-9_.]+ */
static bool
operation(struct str w)
{
	size_t dot = str_find(w, '.');

	if (dot == SIZE_MAX || dot == 0 || dot + 1 == w.n)
		return false;
	for (size_t i = 0; i < w.n; i++) {
		char c = w.p[i];

		if (!(c >= 'A' && c <= 'Z') && !scan_is_digit(c) && c != '_' &&
		    c != '.')
			return false;
	}
	return true;
}

/* ` "text"` or ` -` */
static bool
quoted_or_dash(struct str *rest, struct str *out)
{
	if (!scan_char(rest, ' '))
		return false;
	if (rest->n > 0 && rest->p[0] == '"')
		return scan_quoted(rest, out);
	*out = str_sub(*rest, 0, 1);
	return scan_char(rest, '-');
}

/* Behind the agent: version [id signature cipher auth host ...] */
static bool
s3_tail(struct str rest, struct str *host)
{
	struct str w = { NULL, 0 };

	if (rest.n == 0)
		return true;
	if (!word(&rest, &w))
		return false;
	if (rest.n > 0 && rest.p[0] != ' ')
		return false;
	for (int i = 0; i < 5; i++)
		if (!word(&rest, &w))
			return true;
	if (rest.n == 0 || rest.p[0] == ' ')
		*host = w;
	return true;
}

struct s3 {
	struct str time, peer, request, status, bytes, ms;
	struct str referer, agent, host;
};

/* owner bucket [time] */
static bool
s3_head(struct str *rest, struct s3 *l)
{
	struct str w;

	if (!scan_word(rest, &w) || str_find(w, '[') != SIZE_MAX ||
	    !word(rest, &w) || str_find(w, '[') != SIZE_MAX ||
	    !scan_text(rest, STR(" [")) || rest->n < 27 || rest->p[26] != ']')
		return false;
	l->time = str_sub(*rest, 0, 26);
	*rest = str_from(*rest, 27);
	return true;
}

/* ` peer requester id OPERATION key "request"` */
static bool
s3_request(struct str *rest, struct s3 *l)
{
	struct str w;

	return word(rest, &l->peer) && word(rest, &w) && word(rest, &w) &&
	       word(rest, &w) && operation(w) && word(rest, &w) &&
	       quoted_or_dash(rest, &l->request);
}

/* ` status error bytes size total turnaround` */
static bool
s3_numbers(struct str *rest, struct s3 *l)
{
	struct str w;

	return number(rest, &l->status) && word(rest, &w) &&
	       number(rest, &l->bytes) && number(rest, &w) &&
	       number(rest, &l->ms) && number(rest, &w);
}

/* head request numbers "referer" "agent" version ... */
bool
aws_s3(struct scan *s)
{
	struct str rest = s->line;
	struct s3 l = { 0 };

	if (!s3_head(&rest, &l) || !s3_request(&rest, &l) ||
	    !s3_numbers(&rest, &l) || !quoted_or_dash(&rest, &l.referer) ||
	    !quoted_or_dash(&rest, &l.agent) || !s3_tail(rest, &l.host))
		return false;
	s->time = l.time;
	s->q->peer = l.peer;
	s->request = l.request;
	s->status = l.status;
	s->bytes = l.bytes;
	s->duration[0] = l.ms;
	s->unit = UNIT_MS;
	s->q->referer = l.referer;
	s->q->agent = l.agent;
	s->q->host = l.host;
	return true;
}
