/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of documents: ECS objects of requests, times, places.
 *
 * Members are nested objects, as ECS and Beats write them: "log":{"file":…}.
 * An address goes into a field of type ip only when it is one, because one bad
 * address makes Elasticsearch refuse the whole document.
 */
#include "sinks/document_parts.h"

#include <arpa/inet.h>

#include "core/json.h"

/* ECS's release whose fields are written. */
#define ECS_VERSION "9.0.0"

struct nest
nest_open(struct buf *b, const char *key)
{
	struct nest n = { .before = b->n };

	json_key(b, key);
	buf_char(b, '{');
	n.inside = b->n;
	return n;
}

void
nest_close(struct buf *b, struct nest n)
{
	if (b->n == n.inside)
		b->n = n.before;
	else
		buf_char(b, '}');
}

void
part_head(struct buf *b, const char *kind, int64_t ts_ns,
    const char id[HASH_ID_SIZE])
{
	buf_cat(b, "{\"_index\":\"telltale-");
	buf_cat(b, kind);
	if (ts_ns == WHEN_NONE) {
		buf_cat(b, "-undated");
	} else {
		size_t at;

		buf_char(b, '-');
		at = b->n;
		when_put(b, ts_ns, 0);
		b->p[at + 4] = b->p[at + 7] = '.';
		b->n = at + strlen("2018.11.27");
	}
	buf_cat(b, "\",\"_id\":\"");
	buf_put(b, id, HASH_ID_SIZE);
	buf_cat(b, "\",\"_source\":");
}

void
part_tail(struct buf *b)
{
	buf_cat(b, "}\n");
}

void
part_time(struct buf *b, const char *key, int64_t ns)
{
	if (ns == WHEN_NONE)
		return;
	json_key(b, key);
	buf_char(b, '"');
	when_put(b, ns, 3);
	buf_char(b, '"');
}

void
part_begin(struct buf *b, int64_t ts_ns)
{
	buf_char(b, '{');
	part_time(b, "@timestamp", ts_ns);
	json_key(b, "ecs");
	buf_cat(b, "{\"version\":\"" ECS_VERSION "\"}");
}

void
part_text(struct buf *b, const char *key, struct str s)
{
	if (s.n > 0)
		json_member_str(b, key, s);
}

void
part_text_in(struct buf *b, const char *key, const char *member, struct str s)
{
	struct nest n = nest_open(b, key);

	part_text(b, member, s);
	nest_close(b, n);
}

void
part_words(struct buf *b, const char *key, const char *const *words)
{
	json_key(b, key);
	buf_char(b, '[');
	for (; *words; words++) {
		json_item(b);
		json_put_str(b, str_of(*words));
	}
	buf_char(b, ']');
}

void
part_cloudwatch(struct buf *b, struct str group, struct str stream)
{
	struct nest n = nest_open(b, "cloudwatch");

	part_text(b, "log_group", group);
	part_text(b, "log_stream", stream);
	nest_close(b, n);
}

void
part_log(struct buf *b, const struct part_log *p)
{
	struct nest log = nest_open(b, "log");

	part_text_in(b, "file", "path", p->origin->path);
	json_member_i64(b, "offset", (int64_t)p->place->offset);
	part_text(b, "level", p->level);
	part_text(b, "logger", p->logger);
	nest_close(b, log);
}

static void
hex(struct buf *b, const uint8_t *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		buf_char(b, digits[p[i] >> 4]);
		buf_char(b, digits[p[i] & 15]);
	}
}

void
part_trace_hex(struct buf *b, const uint8_t id[16])
{
	hex(b, id, 16);
}

void
part_trace_xray(struct buf *b, const uint8_t id[16])
{
	buf_cat(b, "1-");
	hex(b, id, 4);
	buf_char(b, '-');
	hex(b, id + 4, 12);
}

/* An address of either family; a.b.c.d is ::ffff:a.b.c.d.  False: none. */
static bool
parse_address(struct str text, struct in6_addr *a)
{
	char in[INET6_ADDRSTRLEN];

	if (text.n == 0 || text.n >= sizeof in)
		return false;
	memcpy(in, text.p, text.n);
	in[text.n] = '\0';
	if (memchr(in, '\0', text.n))
		return false;
	*a = (struct in6_addr){ .s6_addr = { [10] = 0xff, [11] = 0xff } };
	if (inet_pton(AF_INET, in, &a->s6_addr[12]) == 1)
		return true;
	return inet_pton(AF_INET6, in, a) == 1;
}

/* As Elasticsearch takes it, ::ffff:a.b.c.d as a.b.c.d. */
static bool
address(struct str text, char out[INET6_ADDRSTRLEN])
{
	struct in6_addr a;

	if (!parse_address(text, &a))
		return false;
	if (IN6_IS_ADDR_V4MAPPED(&a))
		return inet_ntop(AF_INET, &a.s6_addr[12], out,
			   INET6_ADDRSTRLEN) != NULL;
	return inet_ntop(AF_INET6, &a, out, INET6_ADDRSTRLEN) != NULL;
}

/* A proxy's of one's own: RFC 1918, 6598, 3927, 4193, 4291. */
static bool
internal(struct str text)
{
	static const struct {
		uint8_t first[2], mask[2];
	} nets[] = { { { 10, 0 }, { 255, 0 } }, { { 172, 16 }, { 255, 240 } },
		{ { 192, 168 }, { 255, 255 } }, { { 100, 64 }, { 255, 192 } },
		{ { 169, 254 }, { 255, 255 } }, { { 127, 0 }, { 255, 0 } } };
	struct in6_addr a;

	if (!parse_address(text, &a))
		return false;
	if (!IN6_IS_ADDR_V4MAPPED(&a))
		return IN6_IS_ADDR_LOOPBACK(&a) || IN6_IS_ADDR_LINKLOCAL(&a) ||
		       (a.s6_addr[0] & 0xfe) == 0xfc;
	for (size_t i = 0; i < sizeof nets / sizeof nets[0]; i++)
		if ((a.s6_addr[12] & nets[i].mask[0]) == nets[i].first[0] &&
		    (a.s6_addr[13] & nets[i].mask[1]) == nets[i].first[1])
			return true;
	return false;
}

struct str
document_client(const struct request *r)
{
	struct str rest = r->forwarded;
	struct str first = { NULL, 0 };

	while (rest.n > 0) {
		size_t comma = str_find_last(rest, ',');
		struct str one =
		    comma == SIZE_MAX ? rest : str_from(rest, comma + 1);

		rest = str_sub(rest, 0, comma == SIZE_MAX ? 0 : comma);
		one = str_trim(one);
		if (one.n == 0)
			continue;
		if (!internal(one))
			return one;
		first = one;
	}
	return first.n > 0 ? first : r->peer;
}

static void
put_address(struct buf *b, const char *key, struct str text)
{
	char ip[INET6_ADDRSTRLEN];
	struct nest n;

	if (text.n == 0)
		return;
	n = nest_open(b, key);
	if (address(text, ip))
		json_member_str(b, "ip", str_of(ip));
	json_member_str(b, "address", text);
	nest_close(b, n);
}

static void
put_http(struct buf *b, const struct request *r)
{
	struct nest http = nest_open(b, "http");
	struct nest n = nest_open(b, "request");

	part_text(b, "method", r->method_text);
	part_text(b, "referrer", r->referer);
	nest_close(b, n);
	n = nest_open(b, "response");
	if (r->status > 0)
		json_member_i64(b, "status_code", r->status);
	if (r->bytes >= 0) {
		json_key(b, "body");
		buf_cat(b, "{\"bytes\":");
		buf_i64(b, r->bytes);
		buf_char(b, '}');
	}
	nest_close(b, n);
	nest_close(b, http);
}

static void
put_url(struct buf *b, const struct request *r)
{
	struct nest n = nest_open(b, "url");
	size_t scheme = str_find_str(r->url, STR("://"));
	size_t query = str_find(r->url, '?');
	struct str host = r->host;
	size_t colon = str_find_last(host, ':');

	part_text(b, "original", r->url);
	part_text(b, "path", r->path);
	if (query != SIZE_MAX) {
		struct str q = str_from(r->url, query + 1);

		part_text(b, "query", str_sub(q, 0, str_find(q, '#')));
	}
	if (scheme != SIZE_MAX && scheme < query && scheme <= 8)
		part_text(b, "scheme", str_sub(r->url, 0, scheme));
	/* A colon behind the brackets of an IPv6 address, or the only one. */
	if (colon != SIZE_MAX &&
	    str_find(str_from(host, colon), ']') == SIZE_MAX &&
	    (host.p[0] == '[' || str_find(host, ':') == colon))
		host = str_sub(host, 0, colon);
	part_text(b, "domain", host);
	nest_close(b, n);
}

void
part_request(struct buf *b, const struct request *r)
{
	put_http(b, r);
	put_url(b, r);
	put_address(b, "client", document_client(r));
	put_address(b, "source", r->peer);
	part_text_in(b, "user_agent", "original", r->agent);
}

void
part_event(struct buf *b, const struct request *r, struct str id)
{
	static const char *const web[] = { "web", NULL };
	static const char *const access[] = { "access", NULL };
	static const char *const failed[] = { "access", "error", NULL };
	const char *outcome = r->status >= 500 ? "failure" : "success";
	struct nest n = nest_open(b, "event");

	json_member_str(b, "kind", STR("event"));
	part_words(b, "category", web);
	part_words(b, "type", r->status >= 400 ? failed : access);
	json_member_str(b, "outcome",
	    str_of(r->status == 0 ? "unknown" : outcome));
	part_text(b, "id", id);
	if (r->duration_ns >= 0) {
		json_member_i64(b, "duration", r->duration_ns);
		if (r->end_ns != WHEN_NONE &&
		    r->end_ns >= INT64_MIN + 1 + r->duration_ns)
			part_time(b, "start", r->end_ns - r->duration_ns);
	}
	part_time(b, "end", r->end_ns);
	nest_close(b, n);
}
