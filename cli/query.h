/* SPDX-License-Identifier: Apache-2.0 */
/*
 * telltale query: what its files share.
 *
 * query.c has the options and says what is asked; query_source.c gives the
 * traces that match, of an archive, a store or, by query_index.c, an index;
 * query_list.c and query_group.c print them; query_documents.c does the same
 * for requests and findings.
 */
#ifndef CLI_QUERY_H
#define CLI_QUERY_H

#include <stdbool.h>

#include "analyzers/histogram.h"
#include "cli/indexing.h"
#include "cli/pen.h"
#include "core/buf.h"
#include "core/err.h"
#include "ingest/assemble.h"
#include "query/query.h"
#include "query/view.h"

enum query_form { FORM_TABLE, FORM_JSON, FORM_NDJSON, FORM_CSV };

/* Of --sort; the order is that of the option's choices. */
enum query_sort {
	SORT_TIME,
	SORT_DURATION,
	SORT_RESPONSE,
	SORT_STATUS,
	SORT_URL,
	SORT_SERVICE,
	SORT_COUNT,
	SORT_AVERAGE,
	SORT_KEY,
	SORTS
};

enum query_by {
	BY_NOTHING,
	BY_URL,
	BY_USER,
	BY_METHOD,
	BY_STATUS,
	BY_CLIENT,
	BY_SERVICE,
	BY_CAUSE,
	BY_ANNOTATION,
};

struct query_ask {
	const struct query *query;
	const char *store;               /* NULL: the paths */
	const struct indexing_flags *es; /* goes before both; NULL */
	const char *config;              /* NULL: none */
	char **paths;
	size_t n_paths;
	bool findings, requests, quiet;
	enum query_form form;
	enum query_sort sort;
	bool sorted; /* --sort was given */
	bool reverse;
	uint64_t limit; /* UINT64_MAX: none */
	enum query_by by;
	struct str by_key; /* of an annotation */
	int64_t since_ns, until_ns, last_ns;
	int threads;
	const struct term *term;
};

/* A trace that matches. */
struct query_trace {
	struct str id;
	int64_t start_ns;
	const struct view_part *part;
	struct str service;
	/* Unless asked for whole there is none of: */
	const struct trace_view *view;
	const struct trace *trace; /* NULL where it comes from an index … */
	struct str summary;        /* … which has this: JSON */
};

struct query_source;

/*
 * The matching traces, in no order that counts.  `whole`: with trace and view.
 * NULL: *status is how the command ends, and the words are said.
 */
struct query_source *query_source_open(const struct query_ask *ask, bool whole,
    int *status);
/* False: the end, or a failure that query_source_close tells. */
bool query_source_next(struct query_source *s, struct query_trace *t);
/* How many were looked at, matching or not. */
uint64_t query_source_seen(struct query_source *s);
/* STATUS_OK, or how the command is to end although it has something. */
int query_source_close(struct query_source *s);

/* What is counted of a group's member. */
struct query_member {
	int64_t response_ns; /* VIEW_NONE */
	uint32_t flags;      /* enum view_flag */
};

struct query_groups_by;

struct query_groups_by *query_groups_new(void);
/* A member of the group `key`; absent when the key is NULL. */
void query_groups_put(struct query_groups_by *g, const struct str *key,
    const struct query_member *m);
/* One more of what the shares are of. */
void query_groups_count(struct query_groups_by *g);
void query_groups_print(struct query_groups_by *g, const struct query_ask *ask,
    const char *what, struct buf *out);
void query_groups_free(struct query_groups_by *g);

/* The forms of one command; each prints and returns the status. */
int query_list(const struct query_ask *ask);
int query_group(const struct query_ask *ask);
int query_documents(const struct query_ask *ask);

/* A field of CSV, quoted where it must be; the comma before it unless it is
 * the line's first. */
void query_csv(struct buf *out, struct str text);
/* Seconds with as many digits as count; nothing for VIEW_NONE. */
void query_seconds(struct buf *out, int64_t ns);
/* "error fault throttle partial", "ok". */
void query_flags_put(struct buf *out, uint32_t flags);
/* Whether what came before this status is printed: nothing is of a run that was
 * stopped, nor a part of an index. */
bool query_prints(int status);
/* Prints, and STATUS_FOUND for nothing when nothing was found. */
int query_finish(const struct buf *out, uint64_t found);

#endif
