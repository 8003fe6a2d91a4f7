/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Masks by a table of messages; templates from sets of messages, whatever their
 * order and division.
 */
#include "analyzers/template.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "judge_help.h"

static const struct {
	const char *message, *masked;
} masks[] = {
	{ "Like received.", "Like received." },
	{ "  two   blanks\tand a tab \n", "two blanks and a tab" },
	{ "WARN: simulated 404 activated", "WARN: simulated <n> activated" },
	{ "took 12ms, 1,024 rows, -0.5 %", "took <n>ms, <n> rows, <n> %" },
	{ "peer 10.0.1.57:8080 closed", "peer <ip> closed" },
	{ "peer 10.0.1.57, gone", "peer <ip>, gone" },
	{ "version 1.2.3.4.5", "version <n>" },
	{ "from fe80::1:2:3 to 00:1a:2b:3c:4d:5e", "from <ip> to <ip>" },
	{ "id 0e37d916-f960-4772-a25a-01b762b5c1bd!", "id <id>!" },
	{ "at 2018-11-27T08:47:55.123Z or 2018/11/27 08:47:55,1",
	    "at <time> or <time>" },
	{ "at 08:47:55 and 8:47", "at <time> and <time>" },
	{ "GET http://a.b/c?d=1 done", "GET <url> done" },
	{ "open(\"/var/log/messages\"): no", "open(\"<path>\"): no" },
	{ "a / b and /one", "a / b and /one" },
	{ "block blk_-1608999 of blk_1608999", "block blk_<n> of blk_<n>" },
	{ "key a8f3c09be1 and 0xdeadbeef", "key <id> and <id>" },
	{ "utf8 http2 node-11", "utf<n> http<n> node-<n>" },
	{ "facade deadbeef beaded", "facade deadbeef beaded" },
	{ "Stra\303\237e 12", "Stra\303\237e <n>" },
	{ "", "" },
	{ "   ", "" },
};

Test(template, masks_what_is_a_value_by_its_looks)
{
	for (size_t i = 0; i < sizeof masks / sizeof masks[0]; i++) {
		struct buf b = { 0 };

		template_mask(&b, str_of(masks[i].message));
		cr_expect(str_eq(buf_view(&b), str_of(masks[i].masked)),
		    "%s: %.*s", masks[i].message, STR_ARG(buf_view(&b)));
		buf_fini(&b);
	}
}

Test(template, reads_no_more_of_a_message_than_its_bounds)
{
	struct buf b = { 0 };
	struct buf out = { 0 };

	for (int i = 0; i < 1000; i++)
		buf_cat(&b, "a ");
	template_mask(&out, buf_view(&b));
	cr_expect(out.n == 2 * TEMPLATE_WORDS - 1, "%zu", out.n);
	buf_reset(&b);
	buf_reset(&out);
	for (int i = 0; i < 1000; i++)
		buf_cat(&b, "ab");
	template_mask(&out, buf_view(&b));
	cr_expect(out.n == TEMPLATE_BYTES, "%zu", out.n);
	buf_fini(&b);
	buf_fini(&out);
}

/* Message and template; what has one template stands together. */
static const struct {
	const char *message, *template;
} settled[] = {
	{ "Like received.", "Like received." },
	{ "Like processed.", "Like processed." },
	{ "Fulfill processed.", "Fulfill processed." },
	{ "WARN: stress function activated",
	    "WARN: stress function activated" },
	{ "WARN: simulated 404 activated", "WARN: simulated <n> activated" },
	{ "WARN: This thing should NOT be left on..",
	    "WARN: This thing should NOT be left on.." },
	{ "session opened for user root", "session opened for user <*>" },
	{ "session opened for user cyrus", "session opened for user <*>" },
	{ "session opened for user news", "session opened for user <*>" },
	{ "session opened for user alice", "session opened for user <*>" },
	{ "session opened for user bob", "session opened for user <*>" },
	{ "session closed for user root", "session closed for user <*>" },
	{ "session closed for user cyrus", "session closed for user <*>" },
	{ "session closed for user news", "session closed for user <*>" },
	{ "session closed for user alice", "session closed for user <*>" },
	{ "session closed for user bob", "session closed for user <*>" },
	{ "Fetching part 1 of 7", "Fetching part <n> of <n>" },
	{ "Fetching part 2 of 7", "Fetching part <n> of <n>" },
	{ "Tags: red", "Tags: <*>" },
	{ "Tags: green", "Tags: <*>" },
	{ "Tags: blue", "Tags: <*>" },
	{ "Tags: brown", "Tags: <*>" },
	{ "Tags: black", "Tags: <*>" },
};

enum { SETTLED = sizeof settled / sizeof settled[0] };

/* Adds all in an order by the seed, some more than once. */
static void
check_order(uint64_t seed)
{
	struct templates *t = templates_new();
	uint64_t keys[SETTLED];
	size_t order[SETTLED];

	for (size_t i = 0; i < SETTLED; i++)
		order[i] = i;
	for (size_t i = SETTLED - 1; i > 0; i--) {
		size_t k = (size_t)(random_next(&seed) % (i + 1));
		size_t keep = order[i];

		order[i] = order[k];
		order[k] = keep;
	}
	for (size_t i = 0; i < SETTLED * 2; i++)
		keys[order[i % SETTLED]] = templates_add(t,
		    str_of(settled[order[i % SETTLED]].message));
	templates_settle(t);
	for (size_t i = 0; i < SETTLED; i++) {
		struct str text = templates_text(t, templates_of(t, keys[i]));

		cr_assert(str_eq(text, str_of(settled[i].template)), "%s: %.*s",
		    settled[i].message, STR_ARG(text));
	}
	cr_assert(templates_left_out(t) == 0);
	templates_free(t);
}

Test(template, finds_the_same_in_any_order)
{
	for (uint64_t seed = 1; seed < 50; seed++)
		check_order(seed);
}

Test(template, shows_the_message_that_sorts_first)
{
	struct templates *t = templates_new();
	uint64_t key = templates_add(t, STR("Took 31 ms"));
	uint32_t number;

	templates_add(t, STR("Took 200 ms"));
	templates_add(t, STR("Took 9 ms"));
	templates_settle(t);
	number = templates_of(t, key);
	cr_expect(str_eq(templates_text(t, number), STR("Took <n> ms")));
	cr_expect(str_eq(templates_example(t, number), STR("Took 200 ms")));
	cr_expect(templates_of(t, key + 1) == TEMPLATE_OTHER);
	cr_expect(templates_count(t) == 2);
	templates_free(t);
}

/* A word of letters for a number. */
static void
put_word(struct buf *b, uint32_t v)
{
	for (int i = 0; i < 5; i++, v /= 26)
		buf_char(b, (char)('a' + v % 26));
}

/* Texts beyond the bound: the same are left, whatever came first. */
Test(template, is_bounded_by_hash)
{
	enum { N = 3 * TEMPLATE_MASKED };
	struct templates *a = templates_new();
	struct templates *b = templates_new();
	struct buf text = { 0 };
	uint64_t *keys = calloc(N, sizeof *keys);
	uint32_t others = 0;

	for (uint32_t i = 0; i < N; i++) {
		buf_reset(&text);
		put_word(&text, i * 7);
		buf_char(&text, ' ');
		put_word(&text, i % 64);
		keys[i] = templates_add(a, buf_view(&text));
	}
	for (uint32_t i = N; i-- > 0;) {
		buf_reset(&text);
		put_word(&text, i * 7);
		buf_char(&text, ' ');
		put_word(&text, i % 64);
		templates_add(b, buf_view(&text));
	}
	templates_settle(a);
	templates_settle(b);
	cr_assert(templates_count(a) == templates_count(b));
	cr_assert(templates_count(a) <= TEMPLATES_MAX);
	for (uint32_t i = 0; i < N; i++) {
		cr_assert(templates_of(a, keys[i]) == templates_of(b, keys[i]));
		others += templates_of(a, keys[i]) == TEMPLATE_OTHER;
	}
	cr_assert(others > N / 2 && others < N);
	cr_assert(templates_left_out(a) >= others - TEMPLATE_MASKED);
	templates_free(a);
	templates_free(b);
	buf_fini(&text);
	free(keys);
}
