/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only file that knows libcurl: its multi interface, driven by the caller
 * who waits.  No thread, no signal, no file name taken from a reply.
 *
 * What is told apart is what a sender needs to know for not losing and not
 * doubling: whether the server can have seen the request.  libcurl says so by
 * the code and by the bytes that went out (CURLINFO_REQUEST_SIZE counts what
 * was sent of the head); a reset of a connection that was kept alive is
 * HTTP_UNKNOWN even where libcurl could have tried again on a fresh one.
 *
 * libcurl brings thirty libraries with it, which take 7 ms to load: as long as
 * a small archive takes to be replayed.  So it is loaded by the first http_open
 * and not with the program.
 */
#include "core/http.h"

#include <assert.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

#include "core/buf.h"
#include "core/mem.h"

enum {
	CONNECT_MS = 10 * 1000,
	TOTAL_MS = 60 * 1000,
	REPLY_MAX = 16 * 1024 * 1024,
	CONNECTIONS = 8,
	WAIT_MS = 1000, /* how long libcurl may sleep at once */
};

/* What is used of it. */
static struct {
	__typeof__(curl_easy_cleanup) *easy_cleanup;
	__typeof__(curl_easy_getinfo) *easy_getinfo;
	__typeof__(curl_easy_header) *easy_header;
	__typeof__(curl_easy_init) *easy_init;
	__typeof__(curl_easy_setopt) *easy_setopt;
	__typeof__(curl_easy_strerror) *easy_strerror;
	__typeof__(curl_global_init) *global_init;
	__typeof__(curl_multi_add_handle) *multi_add_handle;
	__typeof__(curl_multi_cleanup) *multi_cleanup;
	__typeof__(curl_multi_info_read) *multi_info_read;
	__typeof__(curl_multi_init) *multi_init;
	__typeof__(curl_multi_perform) *multi_perform;
	__typeof__(curl_multi_poll) *multi_poll;
	__typeof__(curl_multi_remove_handle) *multi_remove_handle;
	__typeof__(curl_multi_setopt) *multi_setopt;
	__typeof__(curl_slist_append) *slist_append;
	__typeof__(curl_slist_free_all) *slist_free_all;
} curl;
static pthread_once_t loaded = PTHREAD_ONCE_INIT;
static const char *load_failed; /* in words; NULL: it did not */

/* Where a function's address goes, as dlsym(3) gives it. */
static const struct {
	const char *name;
	void **at;
} functions[] = {
	{ "curl_easy_cleanup", (void **)&curl.easy_cleanup },
	{ "curl_easy_getinfo", (void **)&curl.easy_getinfo },
	{ "curl_easy_header", (void **)&curl.easy_header },
	{ "curl_easy_init", (void **)&curl.easy_init },
	{ "curl_easy_setopt", (void **)&curl.easy_setopt },
	{ "curl_easy_strerror", (void **)&curl.easy_strerror },
	{ "curl_global_init", (void **)&curl.global_init },
	{ "curl_multi_add_handle", (void **)&curl.multi_add_handle },
	{ "curl_multi_cleanup", (void **)&curl.multi_cleanup },
	{ "curl_multi_info_read", (void **)&curl.multi_info_read },
	{ "curl_multi_init", (void **)&curl.multi_init },
	{ "curl_multi_perform", (void **)&curl.multi_perform },
	{ "curl_multi_poll", (void **)&curl.multi_poll },
	{ "curl_multi_remove_handle", (void **)&curl.multi_remove_handle },
	{ "curl_multi_setopt", (void **)&curl.multi_setopt },
	{ "curl_slist_append", (void **)&curl.slist_append },
	{ "curl_slist_free_all", (void **)&curl.slist_free_all },
};

static void
load(void)
{
	void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);

	for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
		*functions[i].at =
		    library ? dlsym(library, functions[i].name) : NULL;
		if (!*functions[i].at && !load_failed)
			load_failed = dlerror();
	}
	if (!load_failed && curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		load_failed = "libcurl cannot be started";
}

struct http {
	CURLM *multi;
	struct http_options options;
	char *ca_file;
	struct http_call *first; /* on their way */
	size_t n;
};

struct http_call {
	struct http_call *next;
	CURL *easy;
	struct curl_slist *headers;
	struct buf body;
	size_t reply_max;
	bool too_long, secret;
	char words[CURL_ERROR_SIZE];
	struct http_reply reply;
};

struct http *
http_open(const struct http_options *options, struct err *err)
{
	struct http *h = xcalloc(1, sizeof *h);

	h->options = *options;
	h->options.connect_ms =
	    options->connect_ms ? options->connect_ms : CONNECT_MS;
	h->options.total_ms = options->total_ms ? options->total_ms : TOTAL_MS;
	h->options.reply_max =
	    options->reply_max ? options->reply_max : REPLY_MAX;
	h->ca_file = options->ca_file ? strdup(options->ca_file) : NULL;
	h->options.ca_file = h->ca_file;
	pthread_once(&loaded, load);
	h->multi = load_failed ? NULL : curl.multi_init();
	if (!h->multi) {
		err_set(err, "no HTTP: %s (Debian's package libcurl4)",
		    load_failed ? load_failed : "out of memory");
		http_close(h);
		return NULL;
	}
	long most =
	    (long)(options->connections ? options->connections : CONNECTIONS);
	curl.multi_setopt(h->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, most);
	curl.multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, most);
	return h;
}

/* A piece of the reply's body; less than it is given ends the call. */
static size_t
take(char *p, size_t size, size_t n, void *to)
{
	struct http_call *call = to;

	n *= size;
	if (n > call->reply_max - call->body.n) {
		call->too_long = true;
		return 0;
	}
	buf_put(&call->body, p, n);
	return n;
}

/* Whether a header is one line, without what would begin another. */
static bool
is_header(const char *s)
{
	for (const char *p = s; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return false;
	return strchr(s, ':') != NULL;
}

static int
add_headers(struct http_call *call, const struct http_request *r,
    struct err *err)
{
	/* A server that waits for the first is slow; the second would be set
	 * from libcurl's guess.  Older ones sign what is left out, too, so a
	 * signed request must do without: its body is below the MiB from which
	 * on libcurl expects anything. */
	static const char expect[] = "Expect:", type[] = "Content-Type:";
	bool typed = r->signature != NULL;

	if (!r->signature)
		call->headers = curl.slist_append(NULL, expect);
	for (size_t i = 0; r->headers && r->headers[i]; i++) {
		const char *header = r->headers[i];

		if (!is_header(header))
			return err_set(err, "a header with control characters");
		typed |= strncasecmp(header, type, strlen(type)) == 0;
		call->headers = curl.slist_append(call->headers, header);
	}
	if (!typed)
		call->headers = curl.slist_append(call->headers, type);
	return 0;
}

/* AWS's signature; libcurl leaves the session's token to us. */
static int
sign(struct http_call *call, const struct http_signature *s, struct err *err)
{
	char words[128];
	struct buf token = { 0 };

	snprintf(words, sizeof words, "aws:amz:%s:%s", s->region, s->service);
	curl.easy_setopt(call->easy, CURLOPT_AWS_SIGV4, words);
	curl.easy_setopt(call->easy, CURLOPT_USERNAME, s->key_id);
	curl.easy_setopt(call->easy, CURLOPT_PASSWORD, s->secret);
	if (!s->token)
		return 0;
	buf_printf(&token, "X-Amz-Security-Token: %s", s->token);
	bool good = is_header(buf_cstr(&token));
	if (good)
		call->headers =
		    curl.slist_append(call->headers, buf_cstr(&token));
	buf_fini(&token);
	return good ? 0
		    : err_set(err, "a session token with control characters");
}

static void
set_body(CURL *easy, const struct http_request *r)
{
	if (r->body.p) {
		curl.easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)r->body.n);
		curl.easy_setopt(easy, CURLOPT_POSTFIELDS, r->body.p);
	} else if (strcmp(r->method, "POST") == 0) {
		curl.easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)0);
		curl.easy_setopt(easy, CURLOPT_POSTFIELDS, "");
	}
	if (strcmp(r->method, "HEAD") == 0)
		curl.easy_setopt(easy, CURLOPT_NOBODY, 1L);
	else
		curl.easy_setopt(easy, CURLOPT_CUSTOMREQUEST, r->method);
}

static int
set_up(struct http *h, struct http_call *call, const struct http_request *r,
    struct err *err)
{
	const struct http_options *o = &h->options;
	CURL *easy = call->easy;

	if (curl.easy_setopt(easy, CURLOPT_URL, r->url) != CURLE_OK ||
	    (strncmp(r->url, "http://", 7) != 0 &&
		strncmp(r->url, "https://", 8) != 0))
		return err_set(err, "an address of http:// or https:// is "
				    "expected");
	curl.easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl.easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl.easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl.easy_setopt(easy, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
	curl.easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl.easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	curl.easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)o->connect_ms);
	curl.easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)o->total_ms);
	curl.easy_setopt(easy, CURLOPT_ERRORBUFFER, call->words);
	curl.easy_setopt(easy, CURLOPT_PRIVATE, call);
	curl.easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
	curl.easy_setopt(easy, CURLOPT_WRITEDATA, call);
	if (o->ca_file)
		curl.easy_setopt(easy, CURLOPT_CAINFO, o->ca_file);
	if (o->proxy == HTTP_PROXY_NONE)
		curl.easy_setopt(easy, CURLOPT_PROXY, "");
	set_body(easy, r);
	if (add_headers(call, r, err) < 0)
		return -1;
	if (r->user) {
		curl.easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
		curl.easy_setopt(easy, CURLOPT_USERNAME, r->user);
		curl.easy_setopt(easy, CURLOPT_PASSWORD, r->password);
	}
	if (r->signature && sign(call, r->signature, err) < 0)
		return -1;
	curl.easy_setopt(easy, CURLOPT_HTTPHEADER, call->headers);
	return 0;
}

struct http_call *
http_start(struct http *h, const struct http_request *r, struct err *err)
{
	struct http_call *call = xcalloc(1, sizeof *call);

	call->reply_max = h->options.reply_max;
	call->reply.tag = r->tag;
	call->secret = r->secret;
	call->easy = curl.easy_init();
	if (!call->easy)
		err_set(err, "libcurl has no memory");
	else if (set_up(h, call, r, err) == 0 &&
		 curl.multi_add_handle(h->multi, call->easy) == CURLM_OK) {
		call->next = h->first;
		h->first = call;
		h->n++;
		return call;
	}
	http_call_free(call);
	return NULL;
}

/* Whether a failure came before anything could be sent. */
static bool
is_unreached(CURL *easy, CURLcode code)
{
	long sent = 0;

	switch ((int)code) {
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
		return true;
	default:
		curl.easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &sent);
		return sent == 0;
	}
}

static enum http_end
ended(const struct http_call *call, CURLcode code)
{
	if (code == CURLE_OK)
		return HTTP_REPLIED;
	if (call->too_long)
		return HTTP_TOO_LONG;
	return is_unreached(call->easy, code) ? HTTP_UNREACHED : HTTP_UNKNOWN;
}

/* Takes a call that has ended from those on their way. */
static struct http_call *
taken(struct http *h, const CURLMsg *m)
{
	struct http_call **at = &h->first;
	struct http_reply *reply;
	CURLcode code = m->data.result;
	struct http_call *call;
	curl_off_t after = 0;

	while ((*at)->easy != m->easy_handle)
		at = &(*at)->next;
	call = *at;
	*at = call->next;
	h->n--;
	reply = &call->reply;
	reply->end = ended(call, code);
	reply->body = buf_view(&call->body);
	if (reply->end == HTTP_REPLIED || reply->end == HTTP_TOO_LONG)
		curl.easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE,
		    &reply->status);
	curl.easy_getinfo(call->easy, CURLINFO_RETRY_AFTER, &after);
	reply->retry_after_s = after > 0 ? (int64_t)after : -1;
	reply->words = "";
	if (call->too_long)
		reply->words = "the reply is too long";
	else if (code != CURLE_OK)
		reply->words =
		    call->words[0] ? call->words : curl.easy_strerror(code);
	curl.multi_remove_handle(h->multi, call->easy);
	return call;
}

struct http_call *
http_wait(struct http *h, int timeout_ms)
{
	int sleep_ms = timeout_ms < 0 ? WAIT_MS : timeout_ms;

	for (bool slept = false; h->n > 0; slept = true) {
		int running = 0, left = 0;

		curl.multi_perform(h->multi, &running);
		for (const CURLMsg *m = curl.multi_info_read(h->multi, &left);
		     m; m = curl.multi_info_read(h->multi, &left))
			if (m->msg == CURLMSG_DONE)
				return taken(h, m);
		if (timeout_ms == 0 || (timeout_ms > 0 && slept))
			return NULL;
		curl.multi_poll(h->multi, NULL, 0, sleep_ms, NULL);
	}
	return NULL;
}

struct http_call *
http_do(struct http *h, const struct http_request *r, struct err *err)
{
	struct http_call *call;

	assert(h->n == 0);
	call = http_start(h, r, err);
	return call ? http_wait(h, -1) : NULL;
}

const struct http_reply *
http_reply(const struct http_call *call)
{
	return &call->reply;
}

const char *
http_header(const struct http_call *call, const char *name)
{
	struct curl_header *header;

	return curl.easy_header(call->easy, name, 0, CURLH_HEADER, -1,
		   &header) == CURLHE_OK
		   ? header->value
		   : NULL;
}

void
http_call_free(struct http_call *call)
{
	if (!call)
		return;
	if (call->easy)
		curl.easy_cleanup(call->easy);
	curl.slist_free_all(call->headers);
	if (call->secret && call->body.p)
		explicit_bzero(call->body.p, call->body.cap);
	buf_fini(&call->body);
	free(call);
}

void
http_close(struct http *h)
{
	if (!h)
		return;
	while (h->first) {
		struct http_call *call = h->first;

		h->first = call->next;
		curl.multi_remove_handle(h->multi, call->easy);
		http_call_free(call);
	}
	if (h->multi)
		curl.multi_cleanup(h->multi);
	free(h->ca_file);
	free(h);
}
