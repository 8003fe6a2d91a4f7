/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON access lines.  Programs agree on nothing, so a line is read through a
 * table of usual names: keys are compared without case, '-', '_', ':' and '@',
 * and objects below the root are entered (req, res, http, httpRequest, ...) up
 * to DEPTH_MAX levels and MEMBERS_MAX members.
 *
 * A line is a request when it has a method, a path (or a whole request line)
 * and a status; a log line that only mentions a method is none.
 *
 * Units of a duration: by the name (duration_ms), else by the text ("1.2ms"),
 * else a fraction means seconds (zap), a whole number milliseconds (Envoy).
 * Traefik counts in nanoseconds, and is known by its own names.
 */
#include "ingest/dialect.h"

enum { DEPTH_MAX = 4, MEMBERS_MAX = 256, KEY_MAX = 32 };

enum field {
	F_METHOD,
	F_URL,
	F_REQUEST,
	F_STATUS,
	F_BYTES,
	F_DURATION, /* the unit is guessed */
	F_S,
	F_MS,
	F_US,
	F_NS,
	F_AGENT,
	F_PEER,
	F_FORWARDED,
	F_HOST,
	F_REFERER,
	F_TRACE,
	F_TIME,
	F_START,
	FIELDS,
};

/* Of several keys of one field the one that stands first here counts. */
static const struct {
	const char *key;
	enum field field;
} keys[] = {
	{ "method", F_METHOD },
	{ "httpmethod", F_METHOD },
	{ "requestmethod", F_METHOD },
	{ "verb", F_METHOD },
	{ "url", F_URL },
	{ "uri", F_URL },
	{ "requesturi", F_URL },
	{ "requesturl", F_URL },
	{ "originalurl", F_URL },
	{ "original", F_URL },
	{ "xenvoyoriginpath", F_URL },
	{ "xenvoyoriginalpath", F_URL },
	{ "path", F_URL },
	{ "requestpath", F_URL },
	{ "httppath", F_URL },
	{ "urlpath", F_URL },
	{ "request", F_REQUEST },
	{ "requestline", F_REQUEST },
	{ "status", F_STATUS },
	{ "statuscode", F_STATUS },
	{ "downstreamstatus", F_STATUS },
	{ "responsecode", F_STATUS },
	{ "httpstatus", F_STATUS },
	{ "httpstatuscode", F_STATUS },
	{ "responsestatus", F_STATUS },
	{ "responsestatuscode", F_STATUS },
	{ "bodybytessent", F_BYTES },
	{ "bytessent", F_BYTES },
	{ "downstreamcontentsize", F_BYTES },
	{ "bytesout", F_BYTES },
	{ "bytes", F_BYTES },
	{ "responselength", F_BYTES },
	{ "responsesize", F_BYTES },
	{ "contentlength", F_BYTES },
	{ "size", F_BYTES },
	{ "durationms", F_MS },
	{ "latencyms", F_MS },
	{ "elapsedms", F_MS },
	{ "responsetimems", F_MS },
	{ "timems", F_MS },
	{ "responsetime", F_MS },
	{ "responselatency", F_MS },
	{ "took", F_MS },
	{ "durationus", F_US },
	{ "latencyus", F_US },
	{ "durationns", F_NS },
	{ "latencyns", F_NS },
	{ "durations", F_S },
	{ "requesttime", F_S },
	{ "timetaken", F_S },
	{ "latencyhuman", F_DURATION },
	{ "duration", F_DURATION },
	{ "latency", F_DURATION },
	{ "elapsed", F_DURATION },
	{ "useragent", F_AGENT },
	{ "httpuseragent", F_AGENT },
	{ "requestuseragent", F_AGENT },
	{ "agent", F_AGENT },
	{ "remoteaddr", F_PEER },
	{ "clientaddr", F_PEER },
	{ "remoteip", F_PEER },
	{ "clientip", F_PEER },
	{ "remoteaddress", F_PEER },
	{ "downstreamremoteaddress", F_PEER },
	{ "sourceip", F_PEER },
	{ "ip", F_PEER },
	{ "peer", F_PEER },
	{ "xforwardedfor", F_FORWARDED },
	{ "httpxforwardedfor", F_FORWARDED },
	{ "requestxforwardedfor", F_FORWARDED },
	{ "forwardedfor", F_FORWARDED },
	{ "clienthost", F_FORWARDED },
	{ "requesthost", F_HOST },
	{ "authority", F_HOST },
	{ "httphost", F_HOST },
	{ "domainname", F_HOST },
	{ "vhost", F_HOST },
	{ "host", F_HOST },
	{ "referer", F_REFERER },
	{ "referrer", F_REFERER },
	{ "httpreferer", F_REFERER },
	{ "httpreferrer", F_REFERER },
	{ "xraytraceid", F_TRACE },
	{ "xamzntraceid", F_TRACE },
	{ "amazontraceid", F_TRACE },
	{ "traceid", F_TRACE },
	{ "startutc", F_START },
	{ "starttime", F_START },
	{ "timestamp", F_TIME },
	{ "time", F_TIME },
	{ "ts", F_TIME },
	{ "timeiso8601", F_TIME },
	{ "requesttimeepoch", F_TIME },
	{ "timelocal", F_TIME },
	{ "datetime", F_TIME },
};

enum { KEYS = sizeof keys / sizeof keys[0] };

struct found {
	struct str text[FIELDS];
	uint8_t rank[FIELDS]; /* of the key in the table; KEYS: none */
	bool quoted;          /* the duration was a string */
	bool nanoseconds;     /* Traefik's own names were there */
	int members;
};

/* Lower case, without '-', '_', ':', '@', '.'; n = 0 when it is too long. */
static struct str
plain(struct str key, char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < key.n; i++) {
		char c = key.p[i];

		if (c == '-' || c == '_' || c == ':' || c == '@' || c == '.')
			continue;
		if (n == KEY_MAX)
			return (struct str){ out, 0 };
		out[n++] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
	}
	return (struct str){ out, n };
}

static void
note(struct found *f, struct str key, const struct json_val *v)
{
	char buffer[KEY_MAX];
	struct str name = plain(key, buffer);
	struct str text = json_text(v);

	if (str_eq(name, STR("downstreamstatus")))
		f->nanoseconds = true;
	if (text.n == 0)
		return;
	for (size_t k = 0; k < KEYS; k++) {
		enum field at = keys[k].field;

		if (k >= f->rank[at] || !str_eq(name, str_of(keys[k].key)))
			continue;
		f->rank[at] = (uint8_t)k;
		f->text[at] = text;
		if (at == F_DURATION)
			f->quoted = json_type(v) == JSON_STRING;
		return;
	}
}

static void
collect(struct found *f, const struct json_val *object, int depth)
{
	struct json_iter it;
	struct json_val *v;

	json_iter_init(&it, object);
	for (v = json_iter_next(&it); v; v = json_iter_next(&it)) {
		if (++f->members > MEMBERS_MAX)
			return;
		if (json_type(v) != JSON_OBJECT)
			note(f, it.key, v);
		else if (depth < DEPTH_MAX)
			collect(f, v, depth + 1);
	}
}

/* "12.5ms", "3µs", "0.012s", Go's and Google's way; false: no unit. */
static bool
unit_of(struct str *text, uint8_t *unit)
{
	static const struct {
		const char *suffix;
		uint8_t unit;
	} units[] = { { "ms", UNIT_MS }, { "\xc2\xb5s", UNIT_US },
		{ "us", UNIT_US }, { "ns", UNIT_NS }, { "s", UNIT_S } };

	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		struct str suffix = str_of(units[i].suffix);

		if (!str_ends(*text, suffix))
			continue;
		text->n -= suffix.n;
		*unit = units[i].unit;
		return true;
	}
	return false;
}

/* Only digits and one point, as finish_duration reads them. */
static bool
is_number(struct str s)
{
	struct str part;

	if (!scan_digits(&s, &part))
		return false;
	if (scan_char(&s, '.'))
		scan_digits(&s, &part);
	return s.n == 0;
}

static void
keep_duration(struct scan *s, const struct found *f)
{
	static const uint8_t units[] = { UNIT_S, UNIT_MS, UNIT_US, UNIT_NS };
	struct str text = f->text[F_DURATION];
	uint8_t unit = UNIT_MS;

	for (int i = 0; i < 4; i++) {
		if (is_number(f->text[F_S + i])) {
			s->duration[0] = f->text[F_S + i];
			s->unit = units[i];
			return;
		}
	}
	if (f->nanoseconds)
		unit = UNIT_NS;
	else if (f->quoted && unit_of(&text, &unit))
		;
	else if (str_find(text, '.') != SIZE_MAX)
		unit = UNIT_S;
	if (!is_number(text))
		return;
	s->duration[0] = text;
	s->unit = unit;
}

/* The tree's memory is used for the next line: a copy for the record. */
static struct str
lasting(struct scan *s, struct str text)
{
	return text.n > 0 ? arena_dup(s->arena, text) : text;
}

static void
keep_texts(struct scan *s, const struct found *f)
{
	struct request *q = s->q;

	q->method_text = lasting(s, f->text[F_METHOD]);
	q->url = lasting(s, f->text[F_URL]);
	q->agent = lasting(s, f->text[F_AGENT]);
	q->peer = lasting(s, f->text[F_PEER]);
	q->forwarded = lasting(s, f->text[F_FORWARDED]);
	q->host = lasting(s, f->text[F_HOST]);
	q->referer = lasting(s, f->text[F_REFERER]);
	q->trace_id = lasting(s, f->text[F_TRACE]);
	s->status = lasting(s, f->text[F_STATUS]);
	s->bytes = lasting(s, f->text[F_BYTES]);
	keep_duration(s, f);
	s->duration[0] = lasting(s, s->duration[0]);
	s->starts = f->text[F_START].n > 0;
	s->time = lasting(s, f->text[s->starts ? F_START : F_TIME]);
}

bool
json_access(struct scan *s)
{
	struct str text = str_trim(s->line);
	struct json_bad bad;
	struct found f = { 0 };
	struct str request;
	bool line;

	if (text.n < 2 || text.p[0] != '{' || text.p[text.n - 1] != '}' ||
	    json_parse(s->json, text, &bad) != 0)
		return false;
	memset(f.rank, KEYS, sizeof f.rank);
	collect(&f, json_root(s->json), 0);
	request = f.text[F_REQUEST];
	/* "request" may be an id or a body: only a request line counts. */
	line = str_find_str(request, STR(" HTTP/")) != SIZE_MAX;
	if (!is_number(f.text[F_STATUS]) ||
	    (!line && (f.text[F_METHOD].n == 0 || f.text[F_URL].n == 0)))
		return false;
	keep_texts(s, &f);
	if (f.text[F_METHOD].n == 0 || f.text[F_URL].n == 0)
		s->request = lasting(s, request);
	return true;
}
