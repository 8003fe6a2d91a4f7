/* SPDX-License-Identifier: Apache-2.0 */
/* See the header. */
#include "sinks/elastic_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/http.h"
#include "core/json.h"
#include "core/mem.h"

static char *
dup(struct str s)
{
	char *p = xcalloc(s.n + 1, 1);

	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return p;
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= ' ';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "%40" → "@"; in place. */
static void
percent_decode(char *s)
{
	char *to = s;

	for (const char *p = s; *p; p++) {
		int high = *p == '%' ? hex_value(p[1]) : -1;
		int low = high >= 0 ? hex_value(p[2]) : -1;

		if (low >= 0) {
			*to++ = (char)(high << 4 | low);
			p += 2;
		} else {
			*to++ = *p;
		}
	}
	*to = '\0';
}

/* Whether a host, with its port, is this machine's own. */
static bool
is_near(struct str host)
{
	return str_starts(host, STR("127.")) ||
	       str_starts(host, STR("localhost")) ||
	       str_starts(host, STR("[::1]"));
}

static int
set_host(struct elastic_host *host, const char *address, struct err *err)
{
	struct str rest = str_of(address), scheme, who, user;
	struct str path = { NULL, 0 };
	size_t at, slash;
	struct buf url = { 0 };

	if (str_starts(rest, STR("https://")))
		scheme = str_sub(rest, 0, 8);
	else if (str_starts(rest, STR("http://")))
		scheme = str_sub(rest, 0, 7);
	else
		return err_set(err,
		    "--es: an address such as http://127.0.0.1:9200 is "
		    "expected");
	rest = str_from(rest, scheme.n);
	slash = str_find(rest, '/');
	if (slash != SIZE_MAX) {
		path = str_from(rest, slash);
		rest = str_sub(rest, 0, slash);
	}
	at = str_find_last(rest, '@');
	if (at != SIZE_MAX) {
		who = str_sub(rest, 0, at);
		rest = str_from(rest, at + 1);
		str_cut(&who, ':', &user);
		host->user = dup(user);
		host->password = dup(who);
		percent_decode(host->user);
		percent_decode(host->password);
	}
	while (path.n > 0 && path.p[path.n - 1] == '/')
		path.n--;
	if (rest.n == 0 || str_find(path, '?') != SIZE_MAX ||
	    str_find(path, '#') != SIZE_MAX)
		return err_set(err, "--es: the address has no host, or more "
				    "than a host and a path");
	buf_str(&url, scheme);
	buf_str(&url, rest);
	buf_str(&url, path);
	host->url = dup(buf_view(&url));
	host->near = is_near(rest);
	buf_fini(&url);
	return 0;
}

static char *
dup_or_null(const char *s)
{
	return s ? dup(str_of(s)) : NULL;
}

int
elastic_hosts_set(struct elastic_hosts *h, const struct elastic_options *o,
    struct err *err)
{
	if (o->n_urls == 0 || o->n_urls > ELASTIC_HOSTS)
		return err_set(err, "--es: 1 to %d addresses are expected",
		    ELASTIC_HOSTS);
	for (size_t i = 0; i < o->n_urls; i++) {
		struct elastic_host *host = &h->v[h->n++];

		if (set_host(host, o->urls[i], err) != 0)
			return -1;
		if (!host->user && o->user && !o->api_key) {
			host->user = dup_or_null(o->user);
			host->password =
			    dup_or_null(o->password ? o->password : "");
		}
	}
	if (o->api_key)
		buf_printf(&h->authorization, "Authorization: ApiKey %s",
		    o->api_key);
	snprintf(h->words, sizeof h->words, "%s", h->v[0].url);
	return 0;
}

struct elastic_host *
elastic_hosts_next(struct elastic_hosts *h)
{
	return &h->v[h->turn++ % h->n];
}

/* The version of either answer's text: "8.19.0". */
static void
understand(struct elastic_hosts *h, const struct elastic_host *host,
    struct str body)
{
	struct json j = { 0 };
	struct json_bad bad;
	struct json_val *root, *version;
	struct json_iter it;
	struct str number, major;

	if (json_parse(&j, body, &bad) != 0) {
		json_fini(&j);
		return;
	}
	root = json_root(&j);
	version = json_get(root, STR("version"));
	number = json_str(json_get(version, STR("number")));
	h->opensearch = str_eq(json_str(json_get(version, STR("distribution"))),
	    STR("opensearch"));
	if (number.n == 0) {
		json_iter_init(&it, json_get(root, STR("nodes")));
		number =
		    json_str(json_get(json_iter_next(&it), STR("version")));
	}
	if (number.n > 0) {
		uint64_t v;

		major = number;
		if (str_u64(&major, &v) && v < 1000)
			h->major = (int)v;
		snprintf(h->words, sizeof h->words, "%s %.*s at %s",
		    h->opensearch ? "OpenSearch" : "Elasticsearch",
		    STR_ARG(str_sub(number, 0, 24)), host->url);
		h->typed = !h->opensearch && h->major > 0 && h->major < 7;
	}
	json_fini(&j);
}

void
elastic_request_init(struct elastic_request *r, struct elastic_hosts *h,
    const char *method, const char *path, const char *type)
{
	*r = (struct elastic_request){ .host = elastic_hosts_next(h) };
	buf_cat(&r->url, r->host->url);
	buf_cat(&r->url, path);
	if (type)
		r->headers[r->n++] = type;
	if (h->authorization.n > 0)
		r->headers[r->n++] = buf_cstr(&h->authorization);
	r->http = (struct http_request){ .method = method,
		.url = buf_cstr(&r->url),
		.headers = r->headers,
		.user = r->host->user,
		.password = r->host->password };
}

void
elastic_request_fini(struct elastic_request *r)
{
	buf_fini(&r->url);
}

/* One question; 0: *status, as elastic_hello else. */
static int
ask(struct elastic_hosts *h, struct http *http, const char *path, long *status,
    struct err *err)
{
	struct elastic_request r;
	const struct elastic_host *host;
	const struct http_reply *reply;
	struct http_call *call;
	int rc = 0;

	elastic_request_init(&r, h, "GET", path, NULL);
	host = r.host;
	call = http_do(http, &r.http, err);
	elastic_request_fini(&r);
	if (!call)
		return -1;
	reply = http_reply(call);
	*status = reply->status;
	if (reply->end != HTTP_REPLIED || reply->status == 429 ||
	    reply->status >= 500)
		rc = 1;
	if (rc == 1 && reply->end != HTTP_REPLIED)
		err_set(err, "%s: %s", host->url, reply->words);
	else if (rc == 1)
		err_set(err, "%s: status %ld", host->url, reply->status);
	else if (reply->status == 200)
		understand(h, host, reply->body);
	http_call_free(call);
	return rc;
}

int
elastic_hosts_ask(struct elastic_hosts *h, struct http *http, struct err *err)
{
	long status = 0;
	int rc = ask(h, http, "/", &status, err);

	/* 403: who may write need not be allowed to ask. */
	if (rc == 0 && status == 401)
		return err_set(err,
		    "%s: not allowed (status %ld): see TELLTALE_ES_USER, "
		    "TELLTALE_ES_PASSWORD and TELLTALE_ES_API_KEY",
		    h->v[0].url, status);
	if (rc == 0 && h->major == 0)
		rc = ask(h, http, "/_nodes/_local?filter_path=nodes.*.version",
		    &status, err);
	return rc;
}

void
elastic_hosts_fini(struct elastic_hosts *h)
{
	for (size_t i = 0; i < h->n; i++) {
		free(h->v[i].url);
		free(h->v[i].user);
		if (h->v[i].password)
			explicit_bzero(h->v[i].password,
			    strlen(h->v[i].password));
		free(h->v[i].password);
	}
	buf_fini(&h->authorization);
}
