/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bookkeeping of bulk requests: what is being filled, what waits for its
 * time, what is on its way.  A document is in exactly one of them until it is
 * counted, so that the counts balance whatever happens.
 */
#include "sinks/elastic.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/gzip.h"
#include "sinks/backoff.h"
#include "core/http.h"
#include "core/mem.h"
#include "sinks/bulk.h"
#include "sinks/bulk_reply.h"
#include "sinks/elastic_server.h"

enum {
	REPLY_MAX = 8 * 1024 * 1024,
	BULK_LEAST = 64 * 1024,
	UNKNOWN_TRIES = 8, /* of documents with a status that nobody knows */
	CALL_MS = 120 * 1000,
	STEP_MS = 500, /* between two looks at the clock and the stop */
};

#define FILTER                                                                 \
	"?filter_path=errors,items.*.status,items.*.error.type,"               \
	"items.*.error.reason"

struct elastic {
	struct elastic_options options;
	struct elastic_hosts hosts;
	struct http *http;
	struct packer *packer;
	struct json json;
	struct bulk_reply reply;
	struct bulk *filling;
	struct bulk *waiting; /* in the order in which they came */
	struct bulk *sent[ELASTIC_CALLS];
	size_t n_waiting, n_sent;
	size_t limit, good; /* calls at one time; that went well since */
	size_t bulk_bytes;
	int64_t progress_ms; /* something was acknowledged */
	struct backoff backoff;
	int refused; /* the file; -1: none yet */
	struct buf text;
	struct elastic_counts counts;
};

struct elastic *
elastic_open(const struct elastic_options *options, struct err *err)
{
	const struct http_options http = { .ca_file = options->ca_file,
		.total_ms = CALL_MS,
		.reply_max = REPLY_MAX,
		.connections = ELASTIC_CALLS };
	struct elastic *e = xcalloc(1, sizeof *e);

	e->options = *options;
	e->refused = -1;
	e->limit = 1;
	e->bulk_bytes =
	    options->bulk_bytes ? options->bulk_bytes : ELASTIC_BULK_BYTES;
	e->filling = bulk_new();
	e->packer = packer_new();
	e->progress_ms = backoff_clock_ms();
	e->http = http_open(&http, err);
	if (e->http && elastic_hosts_set(&e->hosts, options, err) == 0)
		return e;
	elastic_close(e);
	return NULL;
}

int
elastic_hello(struct elastic *e, struct err *err)
{
	int rc = elastic_hosts_ask(&e->hosts, e->http, err);

	e->progress_ms = backoff_clock_ms();
	return rc;
}

const char *
elastic_server(const struct elastic *e)
{
	return e->hosts.words;
}

const struct elastic_counts *
elastic_counts(const struct elastic *e)
{
	return &e->counts;
}

/* At the end of what waits. */
static void
push(struct elastic *e, struct bulk *b)
{
	struct bulk **at = &e->waiting;

	if (b->n == 0) {
		bulk_free(b);
		return;
	}
	while (*at)
		at = &(*at)->next;
	b->next = NULL;
	*at = b;
	e->n_waiting++;
}

/* The first whose time has come; else *due is when the next one's does. */
static struct bulk *
pull(struct elastic *e, int64_t now, int64_t *due)
{
	*due = INT64_MAX;
	for (struct bulk **at = &e->waiting; *at; at = &(*at)->next) {
		struct bulk *b = *at;

		if (b->due_ms <= now) {
			*at = b->next;
			e->n_waiting--;
			return b;
		}
		if (b->due_ms < *due)
			*due = b->due_ms;
	}
	return NULL;
}

static void
pause_for(struct elastic *e, struct bulk *b, int64_t asked_s)
{
	int64_t ms = backoff_ms(&e->backoff, b->tries++, asked_s);

	b->again = true;
	b->due_ms = backoff_clock_ms() + ms;
}

static int
start(struct elastic *e, struct bulk *b, struct err *err)
{
	struct elastic_request r;
	struct http_call *call;
	size_t slot = 0;

	while (e->sent[slot])
		slot++;
	elastic_request_init(&r, &e->hosts, "POST", "/_bulk" FILTER,
	    "Content-Type: application/x-ndjson");
	r.http.tag = slot;
	r.http.body = buf_view(&b->text);
	if (!r.host->near) {
		buf_reset(&b->packed);
		gzip_put(e->packer, &b->packed, r.http.body);
		r.http.body = buf_view(&b->packed);
		r.headers[r.n++] = "Content-Encoding: gzip";
	}
	e->counts.requests++;
	e->counts.again += b->again;
	call = http_start(e->http, &r.http, err);
	elastic_request_fini(&r);
	if (!call) {
		push(e, b);
		return -1;
	}
	e->sent[slot] = b;
	e->n_sent++;
	return 0;
}

/* Into the file, where there is one. */
static int
keep_refused(struct elastic *e, const struct bulk *b, size_t item,
    const struct bulk_verdict *v, struct err *err)
{
	const char *path = e->options.refused;
	struct str s;

	if (!path)
		return 0;
	if (e->refused < 0)
		e->refused =
		    open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	buf_reset(&e->text);
	bulk_refused(&e->text, b, item, v->type, v->reason);
	s = buf_view(&e->text);
	while (e->refused >= 0 && s.n > 0) {
		ssize_t n = write(e->refused, s.p, s.n);

		if (n < 0 && errno != EINTR)
			break;
		if (n > 0)
			s = str_from(s, (size_t)n);
	}
	if (s.n == 0)
		return 0;
	e->counts.unkept = true;
	return err_set(err, "%s: cannot write: %s", path, strerror(errno));
}

static void
note_reason(struct elastic_counts *c, const struct bulk_verdict *v)
{
	char words[sizeof c->reasons[0]];
	size_t i = 0;

	snprintf(words, sizeof words, "%d %.*s: %.*s", v->status,
	    STR_ARG(str_sub(v->type, 0, 64)),
	    STR_ARG(str_sub(v->reason, 0, 160)));
	while (i + 1 < ELASTIC_REASONS && c->n_reasons[i] > 0 &&
	       strcmp(c->reasons[i], words) != 0)
		i++;
	if (c->n_reasons[i]++ == 0)
		memcpy(c->reasons[i], words, sizeof words);
}

static int
refuse(struct elastic *e, const struct bulk *b, size_t item,
    const struct bulk_verdict *v, struct err *err)
{
	if (keep_refused(e, b, item, v, err) != 0)
		return -1;
	note_reason(&e->counts, v);
	e->counts.refused++;
	e->counts.in_flight--;
	e->progress_ms = backoff_clock_ms();
	return 0;
}

/* Busy: fewer at one time.  Well: one more, once all of them went so. */
static void
adapt(struct elastic *e, bool busy)
{
	if (busy) {
		e->limit = e->limit > 1 ? e->limit / 2 : 1;
		e->good = 0;
	} else if (++e->good >= e->limit && e->limit < ELASTIC_CALLS) {
		e->limit++;
		e->good = 0;
	}
}

/* One document; -1: it could not be kept, and is still in flight. */
static int
judge_one(struct elastic *e, const struct bulk *b, size_t item,
    struct bulk *again, struct err *err)
{
	const struct bulk_verdict *v = &e->reply.v[item];
	enum bulk_class class = v->class;

	if (class == BULK_UNKNOWN)
		class = b->tries < UNKNOWN_TRIES ? BULK_AGAIN : BULK_REFUSED;
	if (class == BULK_REFUSED)
		return refuse(e, b, item, v, err);
	if (class == BULK_AGAIN) {
		bulk_copy(again, b, item, 1);
		return 0;
	}
	if (class == BULK_STORED)
		e->counts.stored++;
	else
		e->counts.there++;
	e->counts.in_flight--;
	e->progress_ms = backoff_clock_ms();
	return 0;
}

/*
 * Document by document.  What must go again goes as a request of its own; after
 * a failure that is all that was not judged.
 */
static int
judge(struct elastic *e, struct bulk *b, struct err *err)
{
	struct bulk *again = bulk_new();
	int rc = 0;

	for (size_t i = 0; i < b->n; i++) {
		if (rc == 0)
			rc = judge_one(e, b, i, again, err);
		if (rc != 0)
			bulk_copy(again, b, i, 1);
	}
	again->tries = b->tries;
	adapt(e, again->n > 0);
	if (again->n > 0)
		pause_for(e, again, 0);
	push(e, again);
	bulk_free(b);
	return rc;
}

/* Nothing is known, or it was too busy: the same once more. */
static int
repeat(struct elastic *e, struct bulk *b, int64_t asked_s)
{
	adapt(e, true);
	pause_for(e, b, asked_s);
	push(e, b);
	return 0;
}

/* In two halves; the one document that is left is refused. */
static int
halve(struct elastic *e, struct bulk *b, const struct http_reply *reply,
    struct err *err)
{
	struct bulk_verdict v = { .status = (int)reply->status };
	struct bulk *half[2];
	int rc;

	if (b->n > 1) {
		for (size_t i = 0; i < 2; i++) {
			size_t from = i * (b->n / 2);

			half[i] = bulk_new();
			bulk_copy(half[i], b, from,
			    i == 0 ? b->n / 2 : b->n - from);
			half[i]->tries = b->tries;
			half[i]->again = true;
			push(e, half[i]);
		}
		bulk_free(b);
		return 0;
	}
	bulk_reply_error(&e->reply, reply->body, &v.type, &v.reason);
	rc = refuse(e, b, 0, &v, err);
	if (rc == 0)
		bulk_free(b);
	else
		push(e, b);
	return rc;
}

/* What makes the whole run fail, with the document where it was. */
static int
fail(struct elastic *e, struct bulk *b, const struct http_reply *reply,
    struct err *err)
{
	struct str type, reason;

	push(e, b);
	bulk_reply_error(&e->reply, reply->body, &type, &reason);
	if (reply->status == 401 || reply->status == 403)
		return err_set(err,
		    "%s: not allowed to write (status %ld)%s%.*s",
		    e->hosts.words, reply->status, reason.n ? ": " : "",
		    STR_ARG(str_sub(reason, 0, 200)));
	return err_set(err, "%s: the answer to _bulk has status %ld%s%.*s",
	    e->hosts.words, reply->status, reason.n ? ": " : "",
	    STR_ARG(str_sub(reason, 0, 200)));
}

static int
settle(struct elastic *e, struct bulk *b, const struct http_reply *reply,
    struct err *err)
{
	if (reply->end == HTTP_TOO_LONG && b->n > 1)
		return halve(e, b, reply, err);
	if (reply->end != HTTP_REPLIED)
		return repeat(e, b, 0);
	if (reply->status == 200 || reply->status == 201) {
		if (bulk_reply_read(&e->reply, reply->body, b->n))
			return judge(e, b, err);
		return repeat(e, b, 0);
	}
	switch (reply->status) {
	case 413:
		if (e->bulk_bytes / 2 >= BULK_LEAST)
			e->bulk_bytes /= 2;
		return halve(e, b, reply, err);
	case 400:
		return halve(e, b, reply, err);
	case 408:
	case 429:
		return repeat(e, b, reply->retry_after_s);
	default:
		if (reply->status >= 500)
			return repeat(e, b, reply->retry_after_s);
		return fail(e, b, reply, err);
	}
}

/* Nothing got through for too long, or somebody wants an end. */
static int
check(struct elastic *e, int64_t now, struct err *err)
{
	if (e->options.stop && *e->options.stop)
		return err_set(err, "interrupted");
	if (now - e->progress_ms <= e->options.wait_ms)
		return 0;
	return err_set(err,
	    "%s: nothing was acknowledged for %lld s: %llu documents are not "
	    "stored; run it again when the server is back: nothing is doubled",
	    e->hosts.words, (long long)(e->options.wait_ms / 1000),
	    (unsigned long long)e->counts.in_flight);
}

/* Sends what may be sent; *due is when the next may be. */
static int
send_due(struct elastic *e, int64_t now, int64_t *due, struct err *err)
{
	*due = INT64_MAX;
	while (e->n_sent < e->limit) {
		struct bulk *b = pull(e, now, due);

		if (!b)
			return 0;
		if (start(e, b, err) != 0)
			return -1;
	}
	return 0;
}

/* Sends what may be sent, and settles one reply, if one comes in time. */
static int
step(struct elastic *e, int64_t wait_ms, struct err *err)
{
	int64_t now = backoff_clock_ms(), due;
	const struct http_reply *reply;
	struct http_call *call;
	struct bulk *b;
	int rc;

	if (send_due(e, now, &due, err) != 0)
		return -1;
	if (wait_ms > due - now)
		wait_ms = due - now;
	if (e->n_sent == 0 && wait_ms > 0) {
		struct timespec t = { 0, (long)wait_ms * 1000000 };

		nanosleep(&t, NULL);
	}
	call = http_wait(e->http, (int)wait_ms);
	if (!call)
		return check(e, backoff_clock_ms(), err);
	reply = http_reply(call);
	b = e->sent[reply->tag];
	e->sent[reply->tag] = NULL;
	e->n_sent--;
	rc = settle(e, b, reply, err);
	http_call_free(call);
	return rc == 0 ? check(e, backoff_clock_ms(), err) : rc;
}

/* What is filled is on its way; waits while as much is as may be. */
static int
flush(struct elastic *e, struct err *err)
{
	struct bulk *full = e->filling;

	e->filling = bulk_new();
	/* Nothing is late that was not sent before. */
	if (e->n_waiting + e->n_sent == 0)
		e->progress_ms = backoff_clock_ms();
	push(e, full);
	while (e->n_waiting + e->n_sent > ELASTIC_CALLS)
		if (step(e, STEP_MS, err) != 0)
			return -1;
	return 0;
}

int
elastic_put_line(struct elastic *e, struct str line, struct err *err)
{
	if (!bulk_add(e->filling, line, e->hosts.typed, &e->json))
		return 1;
	e->counts.made++;
	e->counts.in_flight++;
	return e->filling->text.n < e->bulk_bytes ? 0 : flush(e, err);
}

int
elastic_put(struct elastic *e, struct str lines, struct err *err)
{
	struct str line;
	int rc = 0;

	while (rc == 0 && lines.n > 0) {
		str_cut(&lines, '\n', &line);
		rc = elastic_put_line(e, line, err);
		assert(rc <= 0); /* these are our own */
	}
	/* The network goes on while there is no need to wait for it. */
	if (rc == 0 && e->n_waiting + e->n_sent > 0)
		rc = step(e, 0, err);
	return rc;
}

int
elastic_finish(struct elastic *e, struct err *err)
{
	if (flush(e, err) != 0)
		return -1;
	while (e->n_waiting + e->n_sent > 0)
		if (step(e, STEP_MS, err) != 0)
			return -1;
	assert(e->counts.in_flight == 0);
	/* EINVAL: it is a pipe or a device. */
	if (e->refused < 0 || fsync(e->refused) == 0 || errno == EINVAL)
		return 0;
	return err_set(err, "%s: cannot write: %s", e->options.refused,
	    strerror(errno));
}

static void
free_all(struct bulk *b)
{
	while (b) {
		struct bulk *next = b->next;

		bulk_free(b);
		b = next;
	}
}

void
elastic_close(struct elastic *e)
{
	if (!e)
		return;
	http_close(e->http);
	bulk_free(e->filling);
	free_all(e->waiting);
	for (size_t i = 0; i < ELASTIC_CALLS; i++)
		bulk_free(e->sent[i]);
	packer_free(e->packer);
	json_fini(&e->json);
	bulk_reply_fini(&e->reply);
	elastic_hosts_fini(&e->hosts);
	buf_fini(&e->text);
	if (e->refused >= 0)
		close(e->refused);
	free(e);
}
