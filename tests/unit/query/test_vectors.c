/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reference's list of expressions: which are fine, which are not.  What is
 * fine must also survive being printed and parsed again.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/buf.h"
#include "query/group.h"
#include "query/query.h"

static const char path[] = "../shared/reference/xray-filter-vectors.tsv";

static struct query_group named[] = {
	{ .name = { "high_response_time", 18 },
	    .arn = { "arn:aws:xray:us-east-2:123456789012:group/TestGroup/"
		     "UniqueID",
		60 },
	    .expression = { "responsetime > 3", 16 } },
	{ .name = { "slow", 4 }, .expression = { "duration > 5", 12 } },
};

static const struct query_groups groups = { .v = named, .n = 2, .cap = 2 };

static void
check_printed(struct query *q, struct str text)
{
	struct query_error bad;
	struct buf once = { 0 }, twice = { 0 };

	query_print(&once, q);
	struct query *again = query_parse(buf_view(&once), &groups, &bad);

	cr_expect(again, "%.*s prints as %s: %s", STR_ARG(text),
	    buf_cstr(&once), bad.text);
	if (again)
		query_print(&twice, again);
	cr_expect(str_eq(buf_view(&once), buf_view(&twice)), "%.*s: %s / %s",
	    STR_ARG(text), buf_cstr(&once), buf_cstr(&twice));
	query_free(again);
	buf_fini(&once);
	buf_fini(&twice);
}

static void
check_line(struct str line, size_t number)
{
	struct query_error bad;
	struct str text, verdict;

	cr_assert(str_cut(&line, '\t', &text), "line %zu", number);
	cr_assert(str_cut(&line, '\t', &verdict), "line %zu", number);
	struct query *q = query_parse(text, &groups, &bad);
	bool want = str_eq(verdict, STR("ok"));

	cr_expect((q != NULL) == want, "line %zu: %.*s: %s", number,
	    STR_ARG(text), q ? "accepted" : bad.text);
	if (q) {
		check_printed(q, text);
	} else {
		cr_expect(bad.text[0], "line %zu: no message", number);
		cr_expect(bad.offset <= text.n, "line %zu", number);
	}
	query_free(q);
}

Test(query_vectors, all_242_yield_what_the_reference_says)
{
	char *line = NULL;
	size_t cap = 0, n = 0;
	FILE *f = fopen(path, "r");

	if (!f) {
		fprintf(stderr, "skipped: no %s\n", path);
		return;
	}
	for (ssize_t len = getline(&line, &cap, f); len >= 0;
	     len = getline(&line, &cap, f))
		check_line((struct str){ line, (size_t)len }, ++n);
	cr_expect(n == 242, "%zu", n);
	free(line);
	fclose(f);
}
