/* SPDX-License-Identifier: Apache-2.0 */
/* See the header. */
#include "sinks/elastic_search.h"

#include <inttypes.h>
#include <stdlib.h>

#include "sinks/backoff.h"
#include "core/http.h"
#include "core/mem.h"
#include "core/when.h"
#include "sinks/bulk_reply.h"
#include "sinks/elastic_server.h"

enum {
	PAGE = 1000, /* hits */
	TRIES = 5,
};

/* Of an index that is not there nothing is found, and a shard that does not
 * answer is a failure, not an answer without its documents. */
#define ALL_OF_IT                                                              \
	"?ignore_unavailable=true&allow_no_indices=true"                       \
	"&allow_partial_search_results=false"
#define COUNT_OF_IT "?ignore_unavailable=true&allow_no_indices=true"

struct elastic_search {
	struct http *http;
	struct elastic_hosts hosts;
	struct bulk_reply said; /* reads what is said of an error */
	struct elastic_ask ask;
	const struct elastic_options *options;
	struct json page;
	struct json_iter hits;
	struct buf path, body;
	struct buf
	    after;   /* the last hit's sort values; empty: the first page */
	size_t size; /* hits of a page */
	size_t n;    /* of this page so far */
	bool first;
};

struct elastic_search *
elastic_search_open(const struct elastic_options *options, struct err *err)
{
	struct elastic_search *s = xcalloc(1, sizeof *s);
	const struct http_options http = { .ca_file = options->ca_file };

	s->options = options;
	s->size = PAGE;
	s->http = http_open(&http, err);
	if (s->http && elastic_hosts_set(&s->hosts, options, err) == 0 &&
	    elastic_hosts_ask(&s->hosts, s->http, err) == 0)
		return s;
	elastic_search_close(s);
	return NULL;
}

void
elastic_search_close(struct elastic_search *s)
{
	if (!s)
		return;
	http_close(s->http);
	elastic_hosts_fini(&s->hosts);
	bulk_reply_fini(&s->said);
	json_fini(&s->page);
	buf_fini(&s->path);
	buf_fini(&s->body);
	buf_fini(&s->after);
	free(s);
}

static bool
is_stopped(const struct elastic_search *s)
{
	return s->options->stop && *s->options->stop;
}

/* Whether all of the reply is there; its tree is s->page. */
static bool
is_whole(struct elastic_search *s, struct str body)
{
	struct json_val *root, *shards;
	struct json_bad bad;
	int64_t failed = 0;
	bool late = false;

	if (json_parse(&s->page, body, &bad) != 0)
		return false;
	root = json_root(&s->page);
	shards = json_get(root, STR("_shards"));
	json_i64(json_get(shards, STR("failed")), &failed);
	json_bool(json_get(root, STR("timed_out")), &late);
	return json_type(shards) == JSON_OBJECT && failed == 0 && !late;
}

/* What became of a request; WRONG: it may be tried again. */
enum went { WENT_WELL, WENT_WRONG, WENT_TOO_LONG, WENT_REFUSED, WENT_NO };

static enum went
went(struct elastic_search *s, const struct http_reply *r, const char *host,
    struct err *err)
{
	struct str type, reason;

	if (r->end == HTTP_TOO_LONG)
		return WENT_TOO_LONG;
	if (r->end != HTTP_REPLIED) {
		err_set(err, "%s: %s", host, r->words);
		return WENT_WRONG;
	}
	if (r->status == 200 && is_whole(s, r->body))
		return WENT_WELL;
	bulk_reply_error(&s->said, r->body, &type, &reason);
	err_set(err, "%s: status %ld%s%.*s", s->hosts.words, r->status,
	    reason.n > 0 ? ": " : "", STR_ARG(str_sub(reason, 0, 200)));
	if (r->status == 400)
		return WENT_REFUSED;
	if (r->status == 200)
		err_set(err, "%s: the answer is not whole", s->hosts.words);
	return r->status == 200 || r->status == 429 || r->status >= 500
		   ? WENT_WRONG
		   : WENT_NO;
}

/* One question, s->body, of the host whose turn it is. */
static enum went
post(struct elastic_search *s, const char *index, const char *what,
    struct err *err)
{
	struct elastic_request r;
	const char *host;
	struct http_call *call;
	enum went end;

	buf_reset(&s->path);
	buf_printf(&s->path, "/%s/%s", index, what);
	elastic_request_init(&r, &s->hosts, "POST", buf_cstr(&s->path),
	    "Content-Type: application/json");
	r.http.body = buf_view(&s->body);
	host = r.host->url;
	call = http_do(s->http, &r.http, err);
	elastic_request_fini(&r);
	if (!call)
		return WENT_NO;
	end = went(s, http_reply(call), host, err);
	http_call_free(call);
	return end;
}

static enum went
post_again(struct elastic_search *s, const char *index, const char *what,
    struct err *err)
{
	struct backoff backoff = { 0 };
	enum went end = post(s, index, what, err);

	for (unsigned i = 1; end == WENT_WRONG && i < TRIES && !is_stopped(s);
	     i++) {
		backoff_sleep(backoff_ms(&backoff, i, 0), s->options->stop);
		end = post(s, index, what, err);
	}
	return end;
}

static enum elastic_found
found(enum went end, struct err *err)
{
	if (end == WENT_WELL) {
		err->text[0] = '\0'; /* of an attempt before */
		return ELASTIC_DONE;
	}
	if (end == WENT_TOO_LONG)
		err_set(err, "one document is more than can be read");
	return end == WENT_REFUSED ? ELASTIC_REFUSED : ELASTIC_FAILED;
}

static void
put_query(struct elastic_search *s, struct str query)
{
	json_key(&s->body, "query");
	if (query.n > 0)
		buf_str(&s->body, query);
	else
		buf_cat(&s->body, "{\"match_all\":{}}");
}

enum elastic_found
elastic_search_count(struct elastic_search *s, const struct elastic_ask *ask,
    uint64_t *n, struct err *err)
{
	enum elastic_found end;
	int64_t count = 0;

	buf_reset(&s->body);
	buf_char(&s->body, '{');
	put_query(s, ask->query);
	buf_char(&s->body, '}');
	end = found(post_again(s, ask->index, "_count" COUNT_OF_IT, err), err);
	if (end == ELASTIC_DONE)
		json_i64(json_get(json_root(&s->page), STR("count")), &count);
	*n = (uint64_t)count;
	return end;
}

enum elastic_found
elastic_search_latest(struct elastic_search *s, const char *index,
    const char *field, int64_t *ns, struct err *err)
{
	enum elastic_found end;
	struct json_val *v;
	struct str time;

	*ns = WHEN_NONE;
	buf_reset(&s->body);
	buf_printf(&s->body,
	    "{\"size\":0,\"aggs\":{\"last\":{\"max\":{\"field\":\"%s\"}}}}",
	    field);
	end = found(post_again(s, index, "_search" ALL_OF_IT, err), err);
	if (end != ELASTIC_DONE)
		return end;
	v = json_get(json_root(&s->page), STR("aggregations"));
	v = json_get(v, STR("last"));
	time = json_str(json_get(v, STR("value_as_string")));
	if (!when_iso(&time, ns))
		*ns = WHEN_NONE;
	return end;
}

void
elastic_search_begin(struct elastic_search *s, const struct elastic_ask *ask)
{
	s->ask = *ask;
	s->first = true;
	s->n = 0;
	buf_reset(&s->after);
	json_iter_init(&s->hits, NULL);
}

static void
put_page(struct elastic_search *s)
{
	struct buf *b = &s->body;

	buf_reset(b);
	buf_char(b, '{');
	json_member_i64(b, "size", (int64_t)s->size);
	json_member_bool(b, "track_total_hits", false);
	json_key(b, "sort");
	buf_char(b, '[');
	for (const struct elastic_sort *f = s->ask.sort; f->field; f++) {
		json_item(b);
		buf_printf(b, "{\"%s\":{\"unmapped_type\":\"%s\"}}", f->field,
		    f->type);
	}
	buf_char(b, ']');
	if (s->after.n > 0) {
		json_key(b, "search_after");
		buf_str(b, buf_view(&s->after));
	}
	if (s->ask.fields) {
		json_key(b, "_source");
		buf_char(b, '[');
		for (const char *const *f = s->ask.fields; *f; f++) {
			json_item(b);
			json_put_str(b, str_of(*f));
		}
		buf_char(b, ']');
	}
	put_query(s, s->ask.query);
	buf_char(b, '}');
}

static enum elastic_found
next_page(struct elastic_search *s, struct err *err)
{
	struct json_val *hits;
	enum went end;

	put_page(s);
	end = post_again(s, s->ask.index, "_search" ALL_OF_IT, err);
	while (end == WENT_TOO_LONG && s->size > 1) {
		s->size /= 2;
		put_page(s);
		end = post_again(s, s->ask.index, "_search" ALL_OF_IT, err);
	}
	if (end != WENT_WELL)
		return found(end, err);
	err->text[0] = '\0';
	s->first = false;
	s->n = 0;
	hits = json_get(json_root(&s->page), STR("hits"));
	json_iter_init(&s->hits, json_get(hits, STR("hits")));
	return ELASTIC_HIT;
}

enum elastic_found
elastic_search_next(struct elastic_search *s, struct json_val **hit,
    struct err *err)
{
	for (;;) {
		struct json_val *sort;
		enum elastic_found end;

		*hit = json_iter_next(&s->hits);
		if (*hit) {
			s->n++;
			sort = json_get(*hit, STR("sort"));
			buf_reset(&s->after);
			json_put_val(&s->after, sort);
			return ELASTIC_HIT;
		}
		if (!s->first && s->n == 0)
			return ELASTIC_DONE;
		if (is_stopped(s)) {
			err_set(err, "interrupted");
			return ELASTIC_FAILED;
		}
		end = next_page(s, err);
		if (end != ELASTIC_HIT)
			return end;
	}
}
