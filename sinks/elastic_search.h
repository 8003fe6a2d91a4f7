/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents out of Elasticsearch or OpenSearch: all that a query finds, page
 * by page, each behind the last one's values of what is sorted by.  This works
 * on all versions and holds nothing open in the server; a page that is too
 * long to be read is asked for again in halves.
 *
 * The server is waited for as little as a person would: what cannot be reached,
 * or is busy, is tried again for some seconds.
 *
 * One thread.  Life: open, then begin and next as often as one likes, close.
 */
#ifndef SINKS_ELASTIC_SEARCH_H
#define SINKS_ELASTIC_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/json.h"
#include "sinks/elastic.h"

struct elastic_search;

/* Borrowed until the last page. */
struct elastic_ask {
	const char *index; /* "telltale-traces-*" */
	struct str query;  /* the value of "query"; empty: all */
	/* Together they are different for any two documents; NULL ends it. */
	const struct elastic_sort {
		const char *field;
		const char *type; /* "keyword", "long", "date" */
	} * sort;
	const char *const *fields; /* of _source; ends with NULL; NULL: all */
};

enum elastic_found {
	ELASTIC_FAILED = -1,
	ELASTIC_DONE = 0, /* or there is no more */
	ELASTIC_HIT = 1,
	ELASTIC_REFUSED = 2, /* the server does not take such a query */
};

/* NULL with err: it cannot be reached, or says no. */
struct elastic_search *elastic_search_open(
    const struct elastic_options *options, struct err *err);

/* How many there are, of all that the index has. */
enum elastic_found elastic_search_count(struct elastic_search *s,
    const struct elastic_ask *ask, uint64_t *n, struct err *err);

/* The greatest value of a date field, in ns; WHEN_NONE: there is none. */
enum elastic_found elastic_search_latest(struct elastic_search *s,
    const char *index, const char *field, int64_t *ns, struct err *err);

/* The next page is the first. */
void elastic_search_begin(struct elastic_search *s,
    const struct elastic_ask *ask);

/* A hit, with _index, _id and _source; it lives until the next call. */
enum elastic_found elastic_search_next(struct elastic_search *s,
    struct json_val **hit, struct err *err);

void elastic_search_close(struct elastic_search *s); /* NULL is fine */

#endif
