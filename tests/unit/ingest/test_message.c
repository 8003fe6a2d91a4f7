/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What golden cases cannot say: streams apart from each other, lines written
 * twice, hostile nesting, users' dialects.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/buf.h"
#include "ingest/message.h"

struct fixture {
	struct message *m;
	struct arena arena;
	struct record r;
	const char *bad;
	struct event e;
};

static enum decode
decode(struct fixture *f, struct str stream, struct str line)
{
	f->e = (struct event){ .ts_ns = WHEN_NONE,
		.stream = stream,
		.message = line };
	return message_decode(f->m, &f->e, &f->arena, &f->r, &f->bad);
}

static void
fini(struct fixture *f)
{
	message_free(f->m);
	arena_fini(&f->arena);
}

Test(message, bare_and_prefixed_copies_have_equal_lines)
{
	static const struct {
		const char *bare, *prefixed;
	} rows[] = {
		{ "10.0.0.2 - - [21/Nov/2026 06:46:25] \"GET / HTTP/1.1\" 200 "
		  "-",
		    "INFO:werkzeug:10.0.0.2 - - [21/Nov/2026 06:46:25] \"GET / "
		    "HTTP/1.1\" 200 -" },
		{ "10.0.0.2 - - [21/Nov/2026 06:46:25] \"\033[33mGET /x "
		  "HTTP/1.1\033[0m\" 404 -",
		    "INFO:werkzeug:10.0.0.2 - - [21/Nov/2026 06:46:25] "
		    "\"GET /x HTTP/1.1\" 404 -" },
		{ " * Running on http://0.0.0.0:80/",
		    "INFO:werkzeug: * Running on http://0.0.0.0:80/" },
		{ "Exception on /a [POST]",
		    "ERROR:app:Exception on /a [POST]" },
	};
	struct fixture f = { .m = message_new(0, NULL) };

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct str line;

		decode(&f, STR("a"), str_of(rows[i].bare));
		cr_assert(!f.r.prefixed, "%s", rows[i].bare);
		line = f.r.line;
		decode(&f, STR("a"), str_of(rows[i].prefixed));
		cr_assert(f.r.prefixed, "%s", rows[i].prefixed);
		cr_assert(str_eq(f.r.line, line), "%s", rows[i].prefixed);
	}
	fini(&f);
}

Test(message, keeps_tracebacks_of_streams_apart)
{
	struct fixture f = { .m = message_new(0, NULL) };

	decode(&f, STR("a"), STR("Error on request:"));
	decode(&f, STR("b"), STR("Like received."));
	decode(&f, STR("a"), STR("Traceback (most recent call last):"));
	cr_assert(f.r.joined);
	decode(&f, STR("b"), STR("KeyError: 'Item'"));
	cr_assert(!f.r.joined, "b has no open traceback");
	decode(&f, STR("a"), STR("KeyError: 'Item'"));
	cr_assert(f.r.joined);
	fini(&f);
}

Test(message, joins_nothing_to_an_empty_stream)
{
	struct fixture f = { .m = message_new(0, NULL) };

	decode(&f, STR("a"), STR("    at com.example.X"));
	cr_assert(!f.r.joined);
	decode(&f, STR("a"), STR("    at com.example.Y"));
	cr_assert(f.r.joined);
	fini(&f);
}

Test(message, remembers_a_thousand_streams_and_no_more_memory)
{
	struct fixture f = { .m = message_new(0, NULL) };
	char name[32];

	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 20000; i++) {
			int n = snprintf(name, sizeof name, "stream-%d", i);

			decode(&f, (struct str){ name, (size_t)n },
			    STR("Traceback (most recent call last):"));
			cr_assert(f.r.kind == RECORD_LOG);
			arena_reset(&f.arena);
		}
	}
	/* Few streams, on the other hand, are all remembered. */
	for (int i = 0; i < 200; i++) {
		int n = snprintf(name, sizeof name, "few-%d", i);

		decode(&f, (struct str){ name, (size_t)n }, STR("x"));
	}
	for (int i = 0; i < 200; i++) {
		int n = snprintf(name, sizeof name, "few-%d", i);

		decode(&f, (struct str){ name, (size_t)n }, STR("\tat y"));
		cr_assert(f.r.joined, "%s", name);
	}
	fini(&f);
}

Test(message, bears_hostile_lines)
{
	struct fixture f = { .m = message_new(0, NULL) };
	struct buf b = { 0 };

	/* JSON in JSON in JSON, beyond the layers that are peeled. */
	buf_cat(&b, "x");
	for (int i = 0; i < 14; i++) {
		struct buf outer = { 0 };

		buf_cat(&outer, "{\"log\":\"");
		for (size_t k = 0; k < b.n; k++) {
			if (b.p[k] == '"' || b.p[k] == '\\')
				buf_char(&outer, '\\');
			buf_char(&outer, b.p[k]);
		}
		buf_cat(&outer, "\"}");
		buf_fini(&b);
		b = outer;
	}
	cr_assert(decode(&f, STR("a"), buf_view(&b)) == DECODE_OK);
	buf_reset(&b);
	for (int i = 0; i < 10000; i++)
		buf_cat(&b, "{\"a\":[");
	cr_assert(decode(&f, STR("a"), buf_view(&b)) == DECODE_OK);
	buf_reset(&b);
	for (int i = 0; i < 100000; i++)
		buf_cat(&b, "\\\"");
	cr_assert(decode(&f, STR("a"), buf_view(&b)) == DECODE_OK);
	cr_assert(decode(&f, STR("a"), STR("")) == DECODE_OK);
	cr_assert(decode(&f, STR("a"), STR("\0\0\0")) == DECODE_OK);
	cr_assert(decode(&f, STR("a"), STR("\033[")) == DECODE_OK);
	cr_assert(f.r.line.n == 2);
	buf_fini(&b);
	fini(&f);
}

static const char *
write_file(const char *text)
{
	static char path[] = "/tmp/telltale-dialects-XXXXXX";
	int fd;

	memcpy(path + sizeof path - 7, "XXXXXX", 6);
	fd = mkstemp(path);
	cr_assert(fd >= 0);
	cr_assert(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	return path;
}

Test(message, takes_the_users_dialects_first)
{
	const char *path = write_file("# ours\n\n"
				      "mine: ^(?<method>[A-Z]+) (?<path>\\S+) "
				      "(?<status>\\d+) (?<duration_us>\\d+)us "
				      "\\[(?<time>[^]]+)\\]$\r\n"
				      "second: ^hit (?<url>\\S+)$\n");
	struct err err = { "" };
	struct dialect_user *u = dialect_user_load(path, &err);
	struct fixture f = { 0 };

	unlink(path);
	cr_assert(u, "%s", err.text);
	f.m = message_new(0, u);
	cr_assert(decode(&f, STR("a"),
		      STR("GET /a 404 1500us [2026-11-21T02:50:46.5+01:00]")) ==
		  DECODE_OK);
	cr_assert(f.r.kind == RECORD_REQUEST);
	cr_assert_str_eq(f.r.dialect, "mine");
	cr_assert(f.r.request.status == 404);
	cr_assert(f.r.request.duration_ns == 1500000);
	cr_assert(str_eq(f.r.request.path, STR("/a")));
	cr_assert(f.r.ts_ns == INT64_C(1795225846500000000));
	decode(&f, STR("a"), STR("hit /b?c"));
	cr_assert_str_eq(f.r.dialect, "second");
	cr_assert(str_eq(f.r.request.path, STR("/b")));
	decode(&f, STR("a"), STR("GET /api/users - 3"));
	cr_assert_str_eq(f.r.dialect, "koa");
	fini(&f);
	dialect_user_free(u);
}

Test(message, says_what_is_wrong_with_a_users_dialect)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "nothing\n", ", line 1: 'name: pattern' was expected" },
		{ "\na b: x\n", ", line 2: a name of at most 32 letters, "
				"digits, dashes and underlines was expected" },
		{ "a: (?<method>x\n", ", line 1: a PCRE2 pattern was expected: "
				      "at offset 11 of the pattern: missing "
				      "closing parenthesis" },
		{ "a: (?<foo>x)\n", ", line 1: group 'foo': one of peer, time, "
				    "method," },
		{ "a: x\n", ", line 1: a group named method, url, path or "
			    "status was expected" },
		{ "a: (?<url>x)\na: (?<url>y)\n",
		    ", line 2: 'a' is there already: another name was "
		    "expected" },
		{ "# only words\n", ": at least one 'name: pattern' line was "
				    "expected" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *path = write_file(rows[i].text);
		struct err err = { "" };

		cr_assert(!dialect_user_load(path, &err), "%s", rows[i].text);
		unlink(path);
		cr_assert(strncmp(err.text, path, strlen(path)) == 0 &&
			      strncmp(err.text + strlen(path), rows[i].want,
				  strlen(rows[i].want)) == 0,
		    "%s", err.text);
	}
}

Test(message, says_which_file_of_dialects_is_missing)
{
	struct err err = { "" };

	cr_assert(!dialect_user_load("/nonexistent/d", &err));
	cr_assert_str_eq(err.text, "/nonexistent/d: No such file or directory");
}

Test(message, describes_every_dialect)
{
	int n = 0;

	for (const struct dialect_info *d = message_dialects(); d->name; d++) {
		cr_assert(d->help && d->help[0]);
		cr_assert(d->pattern && d->pattern[0]);
		n++;
	}
	cr_assert(n >= 19);
}
