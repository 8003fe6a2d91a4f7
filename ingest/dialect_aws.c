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

/* Behind the agent's quote: a cipher and a protocol. */
static bool
tls_follows(struct str s)
{
	struct str w;

	return word(&s, &w) && word(&s, &w) &&
	       (str_eq(w, STR("-")) || str_starts(w, STR("TLS")) ||
		   str_starts(w, STR("SSL"))) &&
	       (s.n == 0 || s.p[0] == ' ');
}

static bool
quote_or_end(struct str s)
{
	return s.n == 0 || str_starts(s, STR(" \""));
}

static bool
tls_or_end(struct str s)
{
	return s.n == 0 || tls_follows(s);
}

/* ` "text"`, ending at the first quote behind which `ends` is true. */
static bool
quoted(struct str *rest, struct str *out, bool (*ends)(struct str))
{
	struct str s = *rest;
	size_t at = 0;

	if (!scan_text(&s, STR(" \"")))
		return false;
	for (;;) {
		size_t q = str_find(str_from(s, at), '"');

		if (q == SIZE_MAX)
			return false;
		at += q + 1;
		if (ends(str_from(s, at)))
			break;
	}
	*out = str_sub(s, 0, at - 1);
	*rest = str_from(s, at);
	return true;
}

struct balancer {
	struct str elb, client, target;
	struct str duration[3];
	struct str status, target_status, received, sent;
	struct str request, agent;
	struct str trace;
};

/*
 * elb client target seconds*3 status status bytes bytes
 *     ["request" ["agent" [cipher protocol [...]]]]
 */
static bool
balancer(struct str *rest, struct balancer *b)
{
	struct str w;

	if (!word(rest, &b->elb) || !word(rest, &b->client) ||
	    !word(rest, &b->target))
		return false;
	for (int i = 0; i < 3; i++)
		if (!scan_char(rest, ' ') || !seconds(rest, &b->duration[i]))
			return false;
	if (!number(rest, &b->status) || !number(rest, &b->target_status) ||
	    !number(rest, &b->received) || !number(rest, &b->sent))
		return false;
	if (rest->n == 0)
		return true;
	if (!quoted(rest, &b->request, quote_or_end))
		return false;
	if (rest->n == 0)
		return true;
	if (!quoted(rest, &b->agent, tls_or_end))
		return false;
	return rest->n == 0 || (word(rest, &w) && word(rest, &w));
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
	struct balancer b = { 0 };
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
	struct balancer b = { 0 };
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

/*
 * owner bucket [time] peer requester id OPERATION key "request" status error
 *     bytes size total turnaround "referer" "agent" version ...
 */
bool
aws_s3(struct scan *s)
{
	struct str rest = s->line;
	struct str host = { NULL, 0 };
	struct str time, w, peer, op, request, status, bytes, ms, referer,
	    agent;

	if (!scan_word(&rest, &w) || str_find(w, '[') != SIZE_MAX ||
	    !word(&rest, &w) || str_find(w, '[') != SIZE_MAX ||
	    !scan_text(&rest, STR(" [")) || rest.n < 27 || rest.p[26] != ']')
		return false;
	time = str_sub(rest, 0, 26);
	rest = str_from(rest, 27);
	if (!word(&rest, &peer) || !word(&rest, &w) || !word(&rest, &w) ||
	    !word(&rest, &op) || !operation(op) || !word(&rest, &w) ||
	    !quoted_or_dash(&rest, &request))
		return false;
	if (!number(&rest, &status) || !word(&rest, &w) ||
	    !number(&rest, &bytes) || !number(&rest, &w) ||
	    !number(&rest, &ms) || !number(&rest, &w) ||
	    !quoted_or_dash(&rest, &referer) ||
	    !quoted_or_dash(&rest, &agent) || !s3_tail(rest, &host))
		return false;
	s->time = time;
	s->q->peer = peer;
	s->request = request;
	s->status = status;
	s->bytes = bytes;
	s->duration[0] = ms;
	s->unit = UNIT_MS;
	s->q->referer = referer;
	s->q->agent = agent;
	s->q->host = host;
	return true;
}
