/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Container:
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
 * Instance:
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
 * STS:
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
 */
#include "sinks/aws_fetch.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/http.h"
#include "core/json.h"
#include "core/when.h"
#include "sinks/aws_arn.h"
#include "sinks/aws_credentials.h"
#include "sinks/aws_query.h"

enum {
	NEAR_MS = 1000, /* of the machine's own services */
	STS_MS = 10 * 1000,
	REPLY_MAX = 64 * 1024,
};

static char *
text(struct str s)
{
	return s.n > 0 ? strndup(s.p, s.n) : NULL;
}

/* Not empty, and all printable; blanks as well where they may be. */
static bool
is_text(struct str s, char least)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < least || s.p[i] == 0x7f)
			return false;
	return s.n > 0;
}

static bool
is_word(struct str s)
{
	return is_text(s, '!');
}

/* The words with which a fetch failed: its status, or why there is none. */
static int
failed(const char *what, const struct http_reply *r, struct err *err)
{
	if (r->end == HTTP_REPLIED)
		return err_set(err, "%s answered %ld", what, r->status);
	return err_set(err, "%s: %s", what, r->words);
}

static int
take(struct aws_credentials *out, struct str id, struct str secret,
    struct str token, struct str expires)
{
	if (!is_word(id) || !is_word(secret) ||
	    (token.n > 0 && !is_word(token)))
		return -1;
	out->key_id = text(id);
	out->secret = text(secret);
	out->token = text(token);
	out->expires_ns = WHEN_NONE;
	return expires.n > 0 && !when_iso(&expires, &out->expires_ns) ? -1 : 0;
}

/* What containers and instances answer: the same object. */
static int
take_json(struct aws_credentials *out, struct str body)
{
	struct json j = { 0 };
	struct json_bad bad;
	struct json_val *v;
	int rc = json_parse(&j, body, &bad);

	if (rc == 0) {
		v = json_root(&j);
		rc = take(out, json_str(json_get(v, STR("AccessKeyId"))),
		    json_str(json_get(v, STR("SecretAccessKey"))),
		    json_str(json_get(v, STR("Token"))),
		    json_str(json_get(v, STR("Expiration"))));
	}
	json_fini(&j);
	return rc;
}

static bool
is_near(struct str host)
{
	static const char *const near[] = { "localhost", "169.254.170.2",
		"169.254.170.23", "[::1]", "[fd00:ec2::23]" };
	char ip[16];
	struct in_addr a;

	for (size_t i = 0; i < sizeof near / sizeof near[0]; i++)
		if (str_eq_nocase(host, str_of(near[i])))
			return true;
	if (host.n >= sizeof ip)
		return false;
	memcpy(ip, host.p, host.n);
	ip[host.n] = '\0';
	return inet_pton(AF_INET, ip, &a) == 1 && ntohl(a.s_addr) >> 24 == 127;
}

bool
aws_fetch_may(const char *url, struct err *err)
{
	struct str rest = str_of(url), host;
	size_t end = 0;

	if (str_starts(rest, STR("https://")))
		return true;
	if (str_starts(rest, STR("http://"))) {
		rest = str_from(rest, strlen("http://"));
		if (str_starts(rest, STR("[")))
			end = str_find(rest, ']');
		while (end < rest.n && !strchr(":/?#@", rest.p[end]))
			end++;
		host = str_sub(rest, 0, end);
		/* What is before an '@' would be no host. */
		if (is_near(host) && str_find(rest, '@') == SIZE_MAX)
			return true;
	}
	err_set(err,
	    "'%s' is neither https nor an address of this machine or "
	    "its container service",
	    url);
	return false;
}

int
aws_fetch_container(struct aws_credentials *out, const char *ca_file,
    const char *url, struct str token, struct err *err)
{
	static const char what[] = "the container's credentials endpoint";
	const struct http_options options = { .ca_file = ca_file,
		.connect_ms = NEAR_MS,
		.total_ms = 2 * NEAR_MS,
		.reply_max = REPLY_MAX,
		.proxy = HTTP_PROXY_NONE };
	struct buf header = { 0 };
	const char *headers[] = { NULL, NULL };
	struct http *h = NULL;
	struct http_call *call = NULL;
	int rc = -1;

	if (!aws_fetch_may(url, err))
		return -1;
	if (token.n > 0 && !is_text(token, ' '))
		return err_set(err, "the token for %s has control characters",
		    what);
	buf_printf(&header, "Authorization: %.*s", STR_ARG(token));
	if (token.n > 0)
		headers[0] = buf_cstr(&header);
	h = http_open(&options, err);
	if (h)
		call = http_do(h,
		    &(struct http_request){ .method = "GET",
			.url = url,
			.headers = headers,
			.secret = true },
		    err);
	if (call && http_reply(call)->status != 200)
		rc = failed(what, http_reply(call), err);
	else if (call && take_json(out, http_reply(call)->body) < 0)
		rc = err_set(err, "%s: this is no answer of one", what);
	else if (call)
		rc = 1;
	http_call_free(call);
	http_close(h);
	explicit_bzero(header.p, header.cap);
	buf_fini(&header);
	out->from = "the container";
	return rc;
}

/* Whom questions go to. */
struct instance {
	struct http *http;
	const char *endpoint;
};

/* One question to the instance's metadata, its answer's text into `out`. */
static int
ask_instance(const struct instance *at, const char *method, const char *path,
    const char *header, struct buf *out, struct err *err)
{
	static const char what[] = "the instance's metadata";
	const char *const headers[] = { header, NULL };
	struct buf url = { 0 };
	struct http_call *call;
	int rc = -1;

	buf_printf(&url, "%s%s", at->endpoint, path);
	call = http_do(at->http,
	    &(struct http_request){ .method = method,
		.url = buf_cstr(&url),
		.headers = headers,
		.secret = true },
	    err);
	if (call && http_reply(call)->end == HTTP_UNREACHED)
		rc = 0;
	else if (call && http_reply(call)->status != 200)
		rc = failed(what, http_reply(call), err);
	else if (call)
		rc = 1;
	if (rc > 0)
		buf_str(out, http_reply(call)->body);
	http_call_free(call);
	buf_fini(&url);
	return rc;
}

int
aws_fetch_instance(struct aws_credentials *out, const char *endpoint,
    struct err *err)
{
	static const char roles[] =
	    "/latest/meta-data/iam/security-credentials/";
	const struct http_options options = { .connect_ms = NEAR_MS,
		.total_ms = NEAR_MS,
		.reply_max = REPLY_MAX,
		.proxy = HTTP_PROXY_NONE };
	struct buf token = { 0 }, role = { 0 }, path = { 0 }, body = { 0 };
	const struct instance at = { http_open(&options, err), endpoint };
	int rc = at.http ? 1 : -1;

	buf_cat(&token, "X-aws-ec2-metadata-token: ");
	if (rc > 0)
		rc = ask_instance(&at, "PUT", "/latest/api/token",
		    "X-aws-ec2-metadata-token-ttl-seconds: 300", &token, err);
	if (rc > 0)
		rc = ask_instance(&at, "GET", roles, buf_cstr(&token), &role,
		    err);
	if (rc > 0 && !is_word(str_trim(buf_view(&role))))
		rc = err_set(err, "the instance has no role");
	if (rc > 0) {
		struct str name = str_trim(buf_view(&role));

		buf_printf(&path, "%s%.*s", roles, STR_ARG(name));
		rc = ask_instance(&at, "GET", buf_cstr(&path), buf_cstr(&token),
		    &body, err);
	}
	if (rc > 0 && take_json(out, buf_view(&body)) < 0)
		rc = err_set(err, "the instance's metadata: this is no answer "
				  "with credentials");
	explicit_bzero(token.p, token.cap);
	if (body.p)
		explicit_bzero(body.p, body.cap);
	buf_fini(&token);
	buf_fini(&role);
	buf_fini(&path);
	buf_fini(&body);
	http_close(at.http);
	out->from = "the instance";
	return rc;
}

static void
sts_url(struct buf *url, const char *region)
{
	const char *given = getenv("AWS_ENDPOINT_URL_STS");

	if (!given || !*given)
		given = getenv("AWS_ENDPOINT_URL");
	if (given && *given)
		buf_cat(url, given);
	else if (region)
		buf_printf(url, "https://sts.%s.%s/", region,
		    aws_domain(str_of(region)));
	else
		buf_cat(url, "https://sts.amazonaws.com/");
}

static int
take_sts(struct aws_credentials *out, struct str xml, struct err *err)
{
	static const char *const names[] = { "AccessKeyId", "SecretAccessKey",
		"SessionToken", "Expiration" };
	struct buf v[4] = { { 0 } };
	bool good = true;

	for (size_t i = 0; i < 4; i++)
		good &= aws_query_text(xml, names[i], &v[i]);
	if (good)
		good = take(out, buf_view(&v[0]), buf_view(&v[1]),
			   buf_view(&v[2]), buf_view(&v[3])) == 0;
	for (size_t i = 0; i < 4; i++) {
		if (v[i].p)
			explicit_bzero(v[i].p, v[i].cap);
		buf_fini(&v[i]);
	}
	return good ? 1
		    : err_set(err, "STS: this is no answer with credentials");
}

/* STS says why in words that hold no secret. */
static int
sts_failed(const struct http_reply *r, struct err *err)
{
	struct buf code = { 0 }, words = { 0 };

	failed("STS", r, err);
	if (aws_query_text(r->body, "Code", &code) &&
	    aws_query_text(r->body, "Message", &words))
		err_set(err, "STS answered %ld, %s: %s", r->status,
		    buf_cstr(&code), buf_cstr(&words));
	buf_fini(&code);
	buf_fini(&words);
	return -1;
}

int
aws_fetch_web_identity(struct aws_credentials *out, const char *ca_file,
    const char *region, struct str token, struct err *err)
{
	static const char *const headers[] = { AWS_QUERY_TYPE, NULL };
	const struct http_options options = { .ca_file = ca_file,
		.total_ms = STS_MS,
		.reply_max = REPLY_MAX };
	const char *role = getenv("AWS_ROLE_ARN");
	const char *session = getenv("AWS_ROLE_SESSION_NAME");
	struct buf url = { 0 }, form = { 0 };
	struct http *h;
	struct http_call *call = NULL;
	int rc = -1;

	if (!role || !*role)
		return err_set(err, "AWS_WEB_IDENTITY_TOKEN_FILE is set and "
				    "AWS_ROLE_ARN is not");
	sts_url(&url, region);
	aws_query_put(&form, "Action", STR("AssumeRoleWithWebIdentity"));
	aws_query_put(&form, "Version", STR("2011-06-15"));
	aws_query_put(&form, "RoleArn", str_of(role));
	aws_query_put(&form, "RoleSessionName",
	    session && *session ? str_of(session) : STR("telltale"));
	aws_query_put(&form, "WebIdentityToken", token);
	h = http_open(&options, err);
	if (h)
		call = http_do(h,
		    &(struct http_request){ .method = "POST",
			.url = buf_cstr(&url),
			.headers = headers,
			.body = buf_view(&form),
			.secret = true },
		    err);
	if (call && http_reply(call)->status != 200)
		rc = sts_failed(http_reply(call), err);
	else if (call)
		rc = take_sts(out, http_reply(call)->body, err);
	http_call_free(call);
	http_close(h);
	explicit_bzero(form.p, form.cap);
	buf_fini(&form);
	buf_fini(&url);
	out->from = "a web identity";
	return rc;
}
