/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests over HTTP and their replies, by libcurl: connections are kept
 * alive and shared, TLS is verified and at least 1.2, redirects are not
 * followed, nothing but http and https is spoken, and replies are bounded.
 *
 * Life: http_open, then http_start as often as one likes and http_wait until
 * all calls are out, http_close.  One thread.  A call belongs to its http
 * until http_wait gives it out, then to the caller, who frees it.
 */
#ifndef CORE_HTTP_H
#define CORE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

struct http;
struct http_call;

struct http_options {
	const char *ca_file; /* PEM; NULL: the system's authorities */
	int connect_ms;      /* 0: 10 s */
	int total_ms;        /* of a request with its reply; 0: 60 s */
	size_t reply_max;    /* bytes of a reply's body; 0: 16 MiB */
	size_t connections;  /* at one time; 0: 8 */
	enum http_proxy {
		HTTP_PROXY_ENVIRONMENT, /* http_proxy, https_proxy, no_proxy */
		HTTP_PROXY_NONE,        /* for addresses of the own machine */
	} proxy;
};

/*
 * Who asks, as AWS wants it signed: Signature Version 4.  A header X-Amz-Date
 * of the request is the time that it is signed for; without it that is now.
 * A signed request has a Content-Type of its own and a body below 1 MiB.
 */
struct http_signature {
	const char *service; /* "sns", "es" */
	const char *region;
	const char *key_id;
	const char *secret;
	const char *token; /* of a session; NULL: none */
};

/* All is borrowed until the call is out. */
struct http_request {
	const char *method; /* "GET", "POST", "PUT", "DELETE", "HEAD" */
	const char *url;
	const char *const *headers; /* "Name: value", ends with NULL; or NULL */
	struct str body;            /* p NULL: none */
	const char *user;           /* basic authentication; NULL: none */
	const char *password;
	const struct http_signature *signature; /* NULL: none */
	bool secret;  /* the reply's body is wiped when the call is freed */
	uint64_t tag; /* the caller's own */
};

/* How a call ended. */
enum http_end {
	HTTP_REPLIED,   /* a whole reply; `status` says what it means */
	HTTP_UNREACHED, /* no connection: the server has seen nothing */
	HTTP_UNKNOWN,   /* sent, perhaps, and no whole reply: it may have been
			 * done, or not */
	HTTP_TOO_LONG,  /* the reply's body is over reply_max: likewise */
};

/* Borrowed from the call. */
struct http_reply {
	enum http_end end;
	long status;           /* 200; 0 when there is none */
	struct str body;       /* as far as it came */
	int64_t retry_after_s; /* Retry-After, from now; -1: none */
	const char *words;     /* why there is no reply; "" when there is */
	uint64_t tag;
};

struct http *http_open(const struct http_options *options, struct err *err);

/*
 * Begins.  NULL with err: the URL or a header is not to be used (unknown
 * scheme, control characters), nothing was sent.
 */
struct http_call *http_start(struct http *h, const struct http_request *r,
    struct err *err);

/*
 * The next call that ended, in the order in which they end.  NULL: none did,
 * after that time at most (0: looks only; -1: waits for one), or none is on
 * its way.
 */
struct http_call *http_wait(struct http *h, int timeout_ms);

/* One request alone: starts it, waits for it.  NULL with err as above. */
struct http_call *http_do(struct http *h, const struct http_request *r,
    struct err *err);

const struct http_reply *http_reply(const struct http_call *call);

/* A header of the reply, by its name in any case; NULL: none. */
const char *http_header(const struct http_call *call, const char *name);

void http_call_free(struct http_call *call); /* NULL is allowed */

/* Ends what is on its way, too. */
void http_close(struct http *h); /* NULL is allowed */

#endif
