/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cases of tests/golden/envelopes: what an input is, and what comes out.
 *
 * A case is a group of lines, groups are divided by blank lines:
 *
 *	# its name
 *	= line_bytes 10           a limit; also document_bytes, event_lines
 *	> a line                  input, with its line end
 *	| a part of a line        input, without
 *	x ff fe                   input, as hexadecimal digits
 *	* 10000 [                 input, a text many times
 *	f logs/x.log              input, a file of the corpus
 *	envelope: …               what is expected, in the notation of dump.h;
 *	...                       any number of lines
 */
#include <criterion/criterion.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#include "dump.h"

struct golden {
	struct str name;
	struct limits limits;
	struct buf input;
	struct buf file; /* path of a corpus file, instead of input */
	struct buf expected;
};

static void
set_limit(struct limits *limits, struct str text)
{
	struct str name;
	uint64_t value = 0;

	cr_assert(str_cut(&text, ' ', &name) && str_u64(&text, &value));
	if (str_eq(name, STR("line_bytes")))
		limits->line_bytes = value;
	else if (str_eq(name, STR("document_bytes")))
		limits->document_bytes = value;
	else if (str_eq(name, STR("event_lines")))
		limits->event_lines = value;
	else
		cr_assert_fail("no such limit: %.*s", STR_ARG(name));
}

static void
put_hex(struct buf *out, struct str text)
{
	struct buf copy = { 0 };

	buf_str(&copy, text);
	for (const char *p = buf_cstr(&copy); *p;) {
		char *end;

		buf_char(out, (char)strtoul(p, &end, 16));
		p = end > p ? end : p + 1;
	}
	buf_fini(&copy);
}

static void
put_many(struct buf *out, struct str text)
{
	uint64_t n = 0;

	cr_assert(str_u64(&text, &n));
	while (n-- > 0)
		buf_str(out, str_from(text, 1));
}

static void
read_line(struct golden *g, struct str line)
{
	struct str text = str_from(line, 2);

	switch (line.n > 1 && line.p[1] == ' ' ? line.p[0] : 0) {
	case '#':
		g->name = text;
		return;
	case '=':
		set_limit(&g->limits, text);
		return;
	case '>':
		buf_str(&g->input, text);
		buf_char(&g->input, '\n');
		return;
	case '|':
		buf_str(&g->input, text);
		return;
	case 'x':
		put_hex(&g->input, text);
		return;
	case '*':
		put_many(&g->input, text);
		return;
	case 'f':
		buf_cat(&g->file, "../shared/corpus/");
		buf_str(&g->file, text);
		return;
	default:
		buf_str(&g->expected, line);
		buf_char(&g->expected, '\n');
	}
}

/* Line by line; "..." passes over lines until the next expected one. */
static bool
matches(struct str expected, struct str got, struct str *at)
{
	struct str want;
	bool any = false;

	while (str_cut(&expected, '\n', &want)) {
		struct str line;

		*at = want;
		if (str_eq(want, STR("..."))) {
			any = true;
			continue;
		}
		do {
			if (!str_cut(&got, '\n', &line))
				return false;
		} while (any && !str_eq(line, want));
		if (!str_eq(line, want))
			return false;
		any = false;
	}
	*at = got;
	return any || got.n == 0;
}

static void
run(const char *path, struct golden *g)
{
	struct buf out = { 0 };
	struct buf probe = { 0 };
	struct str at;

	if (g->file.n > 0 && !dump_file(&probe, buf_cstr(&g->file)))
		fprintf(stderr, "%s is not there: skipped\n",
		    buf_cstr(&g->file));
	else if (g->file.n > 0)
		dump_path(&out, buf_cstr(&g->file), &g->limits);
	else
		dump_bytes(&out, buf_view(&g->input), &g->limits);
	if (out.n > 0)
		cr_expect(matches(buf_view(&g->expected), buf_view(&out), &at),
		    "%s: %.*s: at \"%.*s\", got:\n%s", path, STR_ARG(g->name),
		    STR_ARG(str_sub(at, 0, 200)), buf_cstr(&out));
	buf_fini(&out);
	buf_fini(&probe);
	buf_fini(&g->input);
	buf_fini(&g->file);
	buf_fini(&g->expected);
}

static size_t
run_file(const char *path)
{
	struct golden g = { .limits = limits_default };
	struct buf text = { 0 };
	struct str rest;
	struct str line;
	size_t n = 0;

	cr_assert(dump_file(&text, path));
	buf_cat(&text, "\n");
	rest = buf_view(&text);
	while (str_cut(&rest, '\n', &line)) {
		if (line.n > 0) {
			read_line(&g, line);
		} else if (g.expected.n > 0) {
			run(path, &g);
			g = (struct golden){ .limits = limits_default };
			n++;
		}
	}
	buf_fini(&text);
	return n;
}

Test(events_golden, every_case_comes_out_as_written)
{
	glob_t found;
	size_t n = 0;

	cr_assert_eq(glob("tests/golden/envelopes/*.case", 0, NULL, &found), 0,
	    "no cases: run from the repository's root");
	for (size_t i = 0; i < found.gl_pathc; i++)
		n += run_file(found.gl_pathv[i]);
	globfree(&found);
	cr_expect_geq(n, 50, "only %zu cases were found", n);
}
