/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hand-written tokenizers against the PCRE2 patterns: equal records on
 * every line of the corpus and of the golden cases, and on seeded mutations of
 * them; and that no line is accepted by two dialects.
 */
#include <criterion/criterion.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/buf.h"
#include "ingest/dialect.h"
#include "ingest/message.h"

enum { LINE_MAX_BYTES = 4000, LINES_MAX = 3000, MUTANTS = 12 };

/* Lines of the corpus: of a file of thousands alike, the first ones. */
struct lines {
	struct buf text;
	size_t at[LINES_MAX + 1];
	size_t n;
};

static void
add_file(struct lines *l, const char *path, size_t most, size_t skip)
{
	FILE *f = fopen(path, "rb");
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	cr_assert(f, "%s", path);
	n = getline(&line, &cap, f);
	while (n > 0 && most > 0 && l->n < LINES_MAX) {
		if (line[n - 1] == '\n')
			n--;
		if (n > (ssize_t)skip && n <= LINE_MAX_BYTES) {
			l->at[l->n++] = l->text.n;
			buf_put(&l->text, line + skip, (size_t)n - skip);
			l->at[l->n] = l->text.n;
			most--;
		}
		n = getline(&line, &cap, f);
	}
	free(line);
	fclose(f);
}

static void
add_all(struct lines *l, const char *pattern, size_t skip)
{
	glob_t g;

	if (glob(pattern, 0, NULL, &g) != 0) {
		fprintf(stderr, "skipped: no %s\n", pattern);
		return;
	}
	for (size_t i = 0; i < g.gl_pathc; i++)
		add_file(l, g.gl_pathv[i], 60, skip);
	globfree(&g);
}

static struct lines *
lines_new(void)
{
	struct lines *l = calloc(1, sizeof *l);

	cr_assert(l);
	add_all(l, "tests/golden/dialects/*.case", 6);
	add_all(l, "../shared/corpus/logs/access/*.log", 0);
	add_all(l, "../shared/corpus/logs/alb/*.log", 0);
	add_all(l, "../shared/corpus/logs/apps/*.log", 0);
	add_all(l, "../shared/corpus/logs/containers/*.log", 0);
	add_all(l, "../shared/corpus/logs/other/*.log", 0);
	cr_assert(l->n > 100);
	return l;
}

static struct str
line_at(const struct lines *l, size_t i)
{
	return (struct str){ l->text.p + l->at[i], l->at[i + 1] - l->at[i] };
}

static void
lines_free(struct lines *l)
{
	buf_fini(&l->text);
	free(l);
}

static uint64_t
next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* A few bytes changed, left out, doubled or swapped for a piece. */
static struct str
mutate(struct str s, char *out, uint64_t *state)
{
	static const char bytes[] = " \"\\-[]:/0.9GTx\t|{},=\x1b\xff";
	size_t n = s.n;

	memcpy(out, s.p, n);
	for (uint64_t k = next(state) % 4 + 1; k > 0 && n > 2; k--) {
		size_t at = (size_t)(next(state) % n);
		char c = bytes[next(state) % (sizeof bytes - 1)];

		switch (next(state) % 5) {
		case 0:
			out[at] = c;
			break;
		case 1:
			memmove(out + at, out + at + 1, n - at - 1);
			n--;
			break;
		case 2:
			memmove(out + at + 1, out + at, n - at);
			out[at] = c;
			n++;
			break;
		case 3:
			n = at + 1;
			break;
		default:
			out[at] = (char)(next(state) & 0xff);
		}
	}
	return (struct str){ out, n };
}

static bool
same_texts(const struct request *a, const struct request *b)
{
	return str_eq(a->method_text, b->method_text) &&
	       str_eq(a->url, b->url) && str_eq(a->path, b->path) &&
	       str_eq(a->host, b->host) && str_eq(a->peer, b->peer) &&
	       str_eq(a->forwarded, b->forwarded) &&
	       str_eq(a->agent, b->agent) && str_eq(a->referer, b->referer) &&
	       str_eq(a->trace_id, b->trace_id) && str_eq(a->target, b->target);
}

static bool
same_request(const struct request *a, const struct request *b)
{
	return a->end_ns == b->end_ns && a->duration_ns == b->duration_ns &&
	       a->bytes == b->bytes && a->status == b->status &&
	       a->method == b->method && a->grain == b->grain &&
	       same_texts(a, b);
}

static bool
same_record(const struct record *a, const struct record *b)
{
	return a->kind == b->kind && a->ts_ns == b->ts_ns &&
	       a->dialect == b->dialect && a->prefixed == b->prefixed &&
	       a->joined == b->joined && str_eq(a->line, b->line) &&
	       str_eq(a->log.level, b->log.level) &&
	       str_eq(a->log.text, b->log.text) &&
	       same_request(&a->request, &b->request);
}

struct pair {
	struct message *hand;
	struct message *slow;
	struct arena arena;
	size_t requests;
	size_t wrong;
};

static void
compare(struct pair *p, struct str line, int64_t ts_ns)
{
	struct event e = { .ts_ns = ts_ns, .message = line };
	struct record a;
	struct record b;
	const char *bad_a = NULL;
	const char *bad_b = NULL;
	enum decode da;
	enum decode db;

	arena_reset(&p->arena);
	da = message_decode(p->hand, &e, &p->arena, &a, &bad_a);
	db = message_decode(p->slow, &e, &p->arena, &b, &bad_b);
	p->requests += da == DECODE_OK && a.kind == RECORD_REQUEST;
	if (da == db && bad_a == bad_b &&
	    (da != DECODE_OK || same_record(&a, &b)))
		return;
	p->wrong++;
	fprintf(stderr, "%s by hand, %s by PCRE2: %.*s\n",
	    da == DECODE_OK && a.dialect ? a.dialect : "log or bad",
	    db == DECODE_OK && b.dialect ? b.dialect : "log or bad",
	    STR_ARG(line));
}

Test(dialect_diff, hand_and_pcre2_give_equal_records)
{
	struct lines *l = lines_new();
	struct pair p = { .hand = message_new(0, NULL),
		.slow = message_new(MESSAGE_PCRE2, NULL) };
	uint64_t state = 0x2545f4914f6cdd1d;
	char out[LINE_MAX_BYTES + 8];

	for (size_t i = 0; i < l->n; i++) {
		compare(&p, line_at(l, i), WHEN_NONE);
		for (int k = 0; k < MUTANTS; k++)
			compare(&p, mutate(line_at(l, i), out, &state),
			    k % 2 ? INT64_C(1500000000123000000) : WHEN_NONE);
	}
	cr_assert(p.wrong == 0, "%zu lines", p.wrong);
	cr_assert(p.requests > 1000, "only %zu requests", p.requests);
	arena_fini(&p.arena);
	message_free(p.hand);
	message_free(p.slow);
	lines_free(l);
}

/* The rows that accept a line; each from an empty scan. */
static int
accepted(struct str line, struct json *json, struct arena *arena,
    const char *names[2])
{
	int n = 0;

	for (const struct dialect *d = dialect_table(); d->name; d++) {
		struct request q;
		struct scan s = { .line = line,
			.q = &q,
			.json = json,
			.arena = arena };

		scan_clear(&s);
		if ((d->head && !d->head(&s)) || !d->parse(&s))
			continue;
		if (n < 2)
			names[n] = d->name;
		n++;
	}
	return n;
}

Test(dialect_diff, no_line_is_of_two_dialects)
{
	struct lines *l = lines_new();
	struct json json = { 0 };
	struct arena arena = { 0 };
	uint64_t state = 0x9e3779b97f4a7c15;
	char out[LINE_MAX_BYTES + 8];
	size_t once = 0;

	for (size_t i = 0; i < l->n; i++) {
		for (int k = 0; k < MUTANTS; k++) {
			const char *names[2] = { "", "" };
			struct str line = k ? mutate(line_at(l, i), out, &state)
					    : line_at(l, i);
			int n = accepted(line, &json, &arena, names);

			cr_assert(n < 2, "%s and %s: %.*s", names[0], names[1],
			    STR_ARG(line));
			once += n == 1;
			arena_reset(&arena);
		}
	}
	cr_assert(once > 1000);
	json_fini(&json);
	arena_fini(&arena);
	lines_free(l);
}
