/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/golden/query/NAME.case: an expression on one line, below it what is
 * expected of it, a blank line.  Lines that begin with # are comments.
 * TELLTALE_GOLDEN=NAME prints what is there now instead, to be read and taken.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/buf.h"
#include "query/es.h"
#include "query/group.h"
#include "query/query.h"
#include "query/sql.h"

typedef void make_fn(struct buf *, struct str, struct query *,
    const struct query_error *);

static void
make_errors(struct buf *b, struct str text, struct query *q,
    const struct query_error *bad)
{
	if (q)
		buf_cat(b, "fine\n");
	else
		query_error_print(b, text, bad);
}

static void
make_print(struct buf *b, struct str text, struct query *q,
    const struct query_error *bad)
{
	cr_assert(q, "%.*s: %s", STR_ARG(text), bad->text);
	query_print(b, q);
	buf_char(b, '\n');
}

static void
make_sql(struct buf *b, struct str text, struct query *q,
    const struct query_error *bad)
{
	struct err err;

	cr_assert(q, "%.*s: %s", STR_ARG(text), bad->text);
	cr_assert(query_sql(b, q, &err) == 0, "%s", err.text);
	buf_char(b, '\n');
}

static void
make_es(struct buf *b, struct str text, struct query *q,
    const struct query_error *bad)
{
	struct err err;

	cr_assert(q, "%.*s: %s", STR_ARG(text), bad->text);
	cr_assert(query_es(b, q, &err) == 0, "%s", err.text);
	buf_char(b, '\n');
}

static void
read_file(struct buf *b, const char *path)
{
	char part[4096];
	FILE *f = fopen(path, "r");

	cr_assert(f, "no %s", path);
	for (size_t n = fread(part, 1, sizeof(part), f); n > 0;
	     n = fread(part, 1, sizeof(part), f))
		buf_put(b, part, n);
	fclose(f);
}

static struct str
line(struct str *rest)
{
	struct str l;

	if (!str_cut(rest, '\n', &l)) {
		l = *rest;
		*rest = str_from(*rest, rest->n);
	}
	return l;
}

/* One case off the file: false at its end. */
static bool
next_case(struct str *rest, struct str *text, struct str *expected)
{
	*text = (struct str){ 0 };
	while (rest->n && (text->n == 0 || *text->p == '#'))
		*text = line(rest);
	*expected = (struct str){ rest->p, 0 };
	while (rest->n && *rest->p != '\n') {
		struct str l = line(rest);

		expected->n += l.n + 1;
	}
	return text->n > 0 && *text->p != '#';
}

static void
run(const char *name, make_fn *make)
{
	struct query_groups groups = { 0 };
	struct buf file = { 0 }, path = { 0 }, made = { 0 };
	struct str rest, text, expected;
	struct query_error bad;
	struct err err;
	const char *show = getenv("TELLTALE_GOLDEN");
	size_t n = 0;

	buf_printf(&path, "tests/golden/query/%s.case", name);
	read_file(&file, buf_cstr(&path));
	cr_assert(query_groups_add(&groups, STR("slow"),
		      STR("responsetime > 3"), &err) == 0);
	rest = buf_view(&file);
	while (next_case(&rest, &text, &expected)) {
		struct query *q = query_parse(text, &groups, &bad);

		buf_reset(&made);
		make(&made, text, q, &bad);
		query_free(q);
		n++;
		if (show && str_eq(str_of(show), str_of(name)))
			fprintf(stderr, "%.*s\n%s\n", STR_ARG(text),
			    buf_cstr(&made));
		else
			cr_expect(str_eq(buf_view(&made), expected),
			    "%s: %.*s\nexpected:\n%.*sis:\n%s", name,
			    STR_ARG(text), STR_ARG(expected), buf_cstr(&made));
	}
	cr_expect(n > 0);
	query_groups_fini(&groups);
	buf_fini(&file);
	buf_fini(&path);
	buf_fini(&made);
}

Test(query_golden, errors_name_place_and_expectation)
{
	run("errors", make_errors);
}

Test(query_golden, prints_canonically)
{
	run("print", make_print);
}

Test(query_golden, sql)
{
	run("sql", make_sql);
}

Test(query_golden, es)
{
	run("es", make_es);
}
