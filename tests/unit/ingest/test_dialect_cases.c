/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the cases in tests/golden/dialects: blocks apart by blank lines, each
 *
 *	line: the message, with \e, \t, \n and \\ as escapes
 *	at: the envelope's time; may be left out
 *	key: value of every field that the record has, in the order below
 *
 * or "bad: reason".  A field that is not named must be empty.  Lines of a file
 * are events of one stream.  '#' begins a comment.  Every case is run by hand
 * and by PCRE2.
 */
#include <criterion/criterion.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/buf.h"
#include "ingest/message.h"

static void
put(struct buf *b, const char *key, struct str v)
{
	if (v.n == 0)
		return;
	buf_printf(b, "%s: ", key);
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] == '\n')
			buf_cat(b, "\\n");
		else if (v.p[i] == '\t')
			buf_cat(b, "\\t");
		else
			buf_char(b, v.p[i]);
	}
	buf_char(b, '\n');
}

static void
put_i64(struct buf *b, const char *key, int64_t v, int64_t none)
{
	if (v != none)
		buf_printf(b, "%s: %" PRId64 "\n", key, v);
}

static void
put_request(struct buf *b, const struct record *r)
{
	const struct request *q = &r->request;

	buf_printf(b, "request: %s\n", r->dialect);
	put(b, "method", str_of(method_name(q->method)));
	if (q->method == METHOD_OTHER)
		put(b, "method_text", q->method_text);
	put(b, "url", q->url);
	put(b, "path", q->path);
	put(b, "host", q->host);
	put_i64(b, "status", q->status, 0);
	put_i64(b, "bytes", q->bytes, -1);
	put_i64(b, "duration", q->duration_ns, -1);
	if (q->grain == GRAIN_SECOND)
		buf_cat(b, "grain: second\n");
	put(b, "peer", q->peer);
	put(b, "forwarded", q->forwarded);
	put(b, "agent", q->agent);
	put(b, "referer", q->referer);
	put(b, "trace", q->trace_id);
	put(b, "target", q->target);
	cr_assert(q->end_ns == r->ts_ns);
}

static void
put_record(struct buf *b, const struct record *r)
{
	if (r->kind == RECORD_REQUEST) {
		put_request(b, r);
	} else {
		buf_printf(b, "log: %s\n", r->joined ? "joined" : "event");
		put(b, "level", r->log.level);
		put(b, "logger", r->log.logger);
		put(b, "text", r->log.text);
	}
	if (r->prefixed)
		buf_cat(b, "prefixed: yes\n");
	if (r->ts_ns != WHEN_NONE) {
		buf_cat(b, "time: ");
		when_put(b, r->ts_ns, 9);
		buf_char(b, '\n');
	}
}

static struct str
unescape(struct str s, struct buf *b)
{
	static const char in[] = "etnr\\";
	static const char out[] = "\033\t\n\r\\";

	buf_reset(b);
	for (size_t i = 0; i < s.n; i++) {
		const char *at = s.p[i] == '\\' && i + 1 < s.n
				     ? strchr(in, s.p[i + 1])
				     : NULL;

		if (at && *at) {
			buf_char(b, out[at - in]);
			i++;
		} else {
			buf_char(b, s.p[i]);
		}
	}
	return buf_view(b);
}

struct runner {
	const char *path;
	struct message *m;
	struct arena arena;
	struct buf line, got;
	int cases, wrong;
};

static bool
keyed(struct str line, struct str key, struct str *value)
{
	if (!str_starts(line, key))
		return false;
	*value = str_from(line, key.n);
	return true;
}

static void
run_block(struct runner *r, struct str block, int at)
{
	struct event e = { .ts_ns = WHEN_NONE };
	struct record record;
	const char *bad = "";
	struct str line;
	struct str value;
	struct str rest = block;

	cr_assert(str_cut(&rest, '\n', &line) &&
		      keyed(line, STR("line: "), &value),
	    "%s:%d: no line", r->path, at);
	e.message = unescape(value, &r->line);
	if (keyed(rest, STR("at: "), &value)) {
		cr_assert(when_iso(&value, &e.ts_ns));
		str_cut(&rest, '\n', &line);
	}
	buf_reset(&r->got);
	if (message_decode(r->m, &e, &r->arena, &record, &bad) == DECODE_OK)
		put_record(&r->got, &record);
	else
		put(&r->got, "bad", str_of(bad));
	r->cases++;
	if (str_eq(rest, buf_view(&r->got)))
		return;
	r->wrong++;
	fprintf(stderr, "%s:%d: expected\n%.*sgot\n%.*s\n", r->path, at,
	    STR_ARG(rest), STR_ARG(buf_view(&r->got)));
}

static void
run_file(struct runner *r, const char *path, unsigned flags)
{
	FILE *f = fopen(path, "r");
	struct buf block = { 0 };
	char *line = NULL;
	size_t cap = 0;
	int number = 0;
	int from = 0;
	ssize_t n;

	cr_assert(f, "%s", path);
	r->path = path;
	r->m = message_new(flags, NULL);
	do {
		n = getline(&line, &cap, f);
		number++;
		if (n > 1 && line[0] != '#') {
			if (block.n == 0)
				from = number;
			buf_put(&block, line, (size_t)n);
		} else if (n <= 1 && block.n > 0) {
			run_block(r, buf_view(&block), from);
			buf_reset(&block);
		}
	} while (n > 0);
	free(line);
	fclose(f);
	buf_fini(&block);
	message_free(r->m);
	arena_fini(&r->arena);
}

static void
run_all(unsigned flags)
{
	struct runner r = { 0 };
	glob_t g;

	cr_assert(glob("tests/golden/dialects/*.case", 0, NULL, &g) == 0);
	for (size_t i = 0; i < g.gl_pathc; i++)
		run_file(&r, g.gl_pathv[i], flags);
	globfree(&g);
	buf_fini(&r.line);
	buf_fini(&r.got);
	cr_assert(r.cases > 60, "only %d cases", r.cases);
	cr_assert(r.wrong == 0, "%d of %d cases", r.wrong, r.cases);
}

Test(dialect_cases, by_hand)
{
	run_all(0);
}

Test(dialect_cases, by_pcre2)
{
	run_all(MESSAGE_PCRE2);
}
