/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hosts of one cluster, and who answers there.
 *
 * Asked is GET /, which says "distribution": "opensearch" or a version.  Where
 * that is not answered (a role may be allowed less, and the server of
 * Elasticsearch's own integration tests has no such handler) the nodes are
 * asked.  A server that says neither is taken for the newest.
 */
#ifndef SINKS_ELASTIC_SERVER_H
#define SINKS_ELASTIC_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/http.h"
#include "sinks/elastic.h"

struct elastic_host {
	char *url; /* without user, and without a slash at the end */
	char *user, *password; /* NULL: none */
	bool near;             /* of this machine: nothing is packed for it */
};

struct elastic_hosts {
	struct elastic_host v[ELASTIC_HOSTS];
	size_t n, turn;
	struct buf authorization; /* a header; empty: none */
	bool opensearch;
	int major;       /* 0: unknown */
	bool typed;      /* documents have types: before 7 */
	char words[160]; /* "OpenSearch 2.19.1 at …", or the first address */
};

/* Zeroed before.  -1 with err, which never holds a password. */
int elastic_hosts_set(struct elastic_hosts *h,
    const struct elastic_options *options, struct err *err);

/* As elastic_hello. */
int elastic_hosts_ask(struct elastic_hosts *h, struct http *http,
    struct err *err);

/* In turns. */
struct elastic_host *elastic_hosts_next(struct elastic_hosts *h);

void elastic_hosts_fini(struct elastic_hosts *h);

/*
 * A request of the host whose turn it is, by who asks.  Begins with the path
 * and the Content-Type ("Content-Type: …"; NULL: there is no body); the rest of
 * http is the caller's.  It may be freed when the call has begun.
 */
struct elastic_request {
	const struct elastic_host *host;
	struct http_request http;
	const char *headers[4];
	size_t n; /* of the headers; the last one is NULL */
	struct buf url;
};
void elastic_request_init(struct elastic_request *r, struct elastic_hosts *h,
    const char *method, const char *path, const char *type);
void elastic_request_fini(struct elastic_request *r);

#endif
