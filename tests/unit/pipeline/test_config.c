/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration: what it says, and what is said of one that is wrong. */
#include "pipeline/config.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "analyzers/judge.h"
#include "core/buf.h"
#include "core/when.h"

/* Of exact size, so that a read beyond it is seen. */
static int
parse(struct config *c, struct str text, struct err *err)
{
	char *copy = malloc(text.n + !text.n);
	int rc;

	if (text.n > 0)
		memcpy(copy, text.p, text.n);
	*c = (struct config){ 0 };
	rc = config_parse(c, "t.yaml", (struct str){ copy, text.n }, err);
	free(copy);
	return rc;
}

static int64_t
gate(const struct config *c, const char *rule, const char *service,
    const char *route, enum method method, enum threshold what)
{
	const struct judged of = { rule, str_of(service), str_of(route),
		method };
	struct gates g;

	thresholds_of(&c->thresholds, &of, &g);
	return g.v[what];
}

Test(config, a_file_says_thresholds_names_and_probes)
{
	struct config c;
	struct err err = { "" };

	cr_assert_eq(
	    parse(&c,
		STR("slow: 2s\n"
		    "thresholds: {not-found-scan: {judge: no}}\n"
		    "services:\n"
		    "- routes:\n"
		    "  - thresholds: {slow-post: {count: 7, ratio: 12.5%}}\n"
		    "    slow: 1500ms\n"
		    "    route: '/a/*'\n"
		    "    method: PUT\n"
		    "  name: shop\n"
		    "  from: [shop-*, \"/ecs/shop\"]\n"
		    "probes: {agents: [Mon/], paths: [/a, /b]}\n"),
		&err),
	    0, "%s", err.text);
	cr_assert_eq(thresholds_settle(&c.thresholds, &err), 0);
	cr_expect_eq(c.thresholds.n_limits, 2);
	cr_expect_eq(
	    gate(&c, "slow-post", "shop", "/a/b", METHOD_PUT, THRESHOLD_SLOW),
	    1500 * NS_PER_MS);
	cr_expect_eq(
	    gate(&c, "slow-post", "shop", "/a/b", METHOD_PUT, THRESHOLD_RATIO),
	    125000);
	cr_expect_eq(
	    gate(&c, "slow-post", "shop", "/a/b", METHOD_POST, THRESHOLD_SLOW),
	    2 * NS_PER_SEC);
	cr_expect_eq(gate(&c, "not-found-scan", "shop", "", METHOD_NONE,
			 THRESHOLD_JUDGE),
	    0);
	cr_assert_eq(c.n_names, 2);
	cr_expect(str_eq(c.names[0].group, STR("/ecs/shop")), "exact first");
	cr_expect(str_eq(c.names[1].name, STR("shop")));
	cr_assert_eq(c.paths.n, 2);
	cr_expect(str_eq(c.paths.v[1], STR("/b")));
	cr_assert_eq(c.agents.n, 1);
	config_fini(&c);
}

Test(config, nothing_is_all_defaults)
{
	static const struct str texts[] = { { "", 0 }, { "# a\n", 4 },
		{ "---\n", 4 }, { "{}\n", 3 }, { "\xef\xbb\xbf{}\n", 6 },
		{ "services: []\r\n", 14 } };

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct config c;
		struct err err = { "" };

		cr_expect_eq(parse(&c, texts[i], &err), 0, "%zu: %s", i,
		    err.text);
		cr_expect_eq(c.thresholds.n, 0);
		config_fini(&c);
	}
}

Test(config, a_value_may_be_of_the_environment)
{
	struct config c;
	struct err err = { "" };

	setenv("TELLTALE_TEST_SLOW", "4s", 1);
	setenv("TELLTALE_TEST_EMPTY", "", 1);
	unsetenv("TELLTALE_TEST_NONE");
	cr_assert_eq(parse(&c,
			 STR("slow: ${TELLTALE_TEST_SLOW}\n"
			     "probes:\n"
			     "  paths: [\"/${TELLTALE_TEST_NONE:-x}/y\", "
			     "\"$${a}$\", \"${TELLTALE_TEST_EMPTY:-}-\"]\n"),
			 &err),
	    0, "%s", err.text);
	cr_expect_eq(c.thresholds.v[0].value, 4 * NS_PER_SEC);
	cr_expect(str_eq(c.paths.v[0], STR("/x/y")));
	cr_expect(str_eq(c.paths.v[1], STR("${a}$")));
	cr_expect(str_eq(c.paths.v[2], STR("-")));
	config_fini(&c);
	cr_expect_eq(parse(&c, STR("slow: ${TELLTALE_TEST_NONE}\n"), &err), -1);
	cr_expect_str_eq(err.text,
	    "t.yaml:1:7: the environment has no TELLTALE_TEST_NONE, expected "
	    "it or ${TELLTALE_TEST_NONE:-text}");
	config_fini(&c);
}

static const struct {
	const char *text, *words; /* the beginning of the message */
} wrong[] = {
	{ "thresold: {}",
	    "1:1: 'thresold' is not known here; did you mean 'thresholds'? "
	    "Expected slow, thresholds, probes, alerts or services" },
	{ "xyz: 1", "1:1: 'xyz' is not known here, expected slow," },
	{ "alerts: { group: 1 }", "1:18: group: '1' is not a time span" },
	{ "alerts: { format: xml }",
	    "1:19: format: 'xml' is not known, expected cloudwatch-alarm," },
	{ "alerts: { grup: 1s }", "1:11: 'grup' is not known here; did you "
				  "mean 'group'?" },
	{ "slow: 1", "1:7: slow: '1' is not a time span such as 500ms," },
	{ "slow:", "1:6: found nothing, expected a time span" },
	{ "slow: [1s]", "1:7: found a list, expected a time span" },
	{ "slow: 0ms", "1:7: slow: '0ms' is out of range, expected 1ms to 1h" },
	{ "slow: 1s\nslow: 1s", "2:1: 'slow' is given twice, first in line 1" },
	{ "[]", "1:1: found a list, expected a map, 'key: value'" },
	{ "slow", "1:1: found a text, expected a map, 'key: value'" },
	{ "services: {}", "1:11: found a map, expected a list of services" },
	{ "services: [x]", "1:12: found a text, expected a map" },
	{ "services: [{}]", "1:12: 'name' is missing" },
	{ "services: [{name: ''}]",
	    "1:19: found nothing, expected a name or a pattern" },
	{ "services:\n- name: a\n- name: b\n- name: a\n",
	    "4:9: 'a' is given twice, first in line 2" },
	{ "services: [{name: a*, from: [b]}]",
	    "1:29: 'from' gives a name, and 'a*' is a pattern" },
	{ "services:\n- name: a\n  from: [x]\n- name: b\n  from: [x]\n",
	    "4: 'from' has 'x' twice, also in line 2" },
	{ "services: [{name: a, from: x}]",
	    "1:28: found a text, expected a list" },
	{ "services: [{name: a, routes: [{}]}]", "1:31: 'route' is missing" },
	{ "services: [{name: a, routes: [{route: b}]}]",
	    "1:39: 'b' is no route, expected one such as /mysfits/{id}" },
	{ "services: [{name: a, routes: [{route: /, method: GETS}]}]",
	    "1:50: found a text: GETS, expected GET, HEAD," },
	{ "services: [{name: a, routes: [{route: /, method: get}]}]",
	    "1:50: found a text: get, expected GET, HEAD," },
	{ "services: [{name: a, routes: [{route: /}, {route: /}]}]",
	    "1:51: '/' is given twice, first in line 1" },
	{ "services: [{name: a, routes: [{route: /, "
	  "thresholds: {not-found-scan: {g: 20}}}]}]",
	    "1:55: not-found-scan judges a service as a whole, and no route" },
	{ "services: [{name: a, routes: [{route: /, method: GET, "
	  "thresholds: {target-health: {g: 20}}}]}]",
	    "1:68: target-health judges all methods of a route together" },
	{ "thresholds: {slow-pots: {}}",
	    "1:14: 'slow-pots' is not known here; did you mean 'slow-post'?" },
	{ "thresholds: {slow-post: {slow: 1s}}",
	    "1:26: 'slow' is not known here; did you mean 'slower'?" },
	{ "thresholds: {not-found: {slower: 1s}}",
	    "1:26: 'slower' is not known here" },
	{ "thresholds: {slow-post: off}",
	    "1:25: found a text, expected a map" },
	{ "thresholds: {slow-post: {ratio: 10}}",
	    "1:33: ratio: '10' is not a share such as 10% or 2.5%" },
	{ "thresholds: {slow-post: {judge: off}}",
	    "1:33: judge: 'off' is not yes or no" },
	{ "thresholds: {slow-post: {count: 1e3}}",
	    "1:33: count: '1e3' is not a whole number" },
	{ "a: &x 1", "1:4: an anchor ('&'), which is not taken here" },
	{ "slow: *x", "1:7: an alias ('*'), which is not taken here" },
	{ "slow: !!str 1s", "1:7: a tag ('!'), which is not taken here" },
	{ "<<: {slow: 1s}", "1:1: '<<' is not known here" },
	{ "slow: 1s\n---\nslow: 1s\n", "2:1: a second document" },
	{ "{[a]: b}", "1:2: a key is expected, which is a word" },
	{ "slow: \"1\\0s\"", "1:7: a text with a control character" },
	{ "slow: ${A", "1:7: '${' without '}'" },
	{ "slow: 1s\n  thresholds: {}\n", "2:13: this is no YAML: " },
	{ "slow: \"1s\n", "2:1: this is no YAML: " },
	{ "\tslow: 1s", "1:1: this is no YAML: " },
	{ "slow: 1s\nx\xff: y\n", "2:2: this is no text in UTF-8: " },
	{ "\xc3\xbc: 1\n \xc3(", "2:3: this is no text in UTF-8: " },
	{ "a: \x01", "1:4: this is no text in UTF-8: control characters" },
};

Test(config, what_is_wrong_is_said_with_its_place)
{
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct config c;
		struct err err = { "" };
		struct buf want = { 0 };

		buf_cat(&want, "t.yaml:");
		buf_cat(&want, wrong[i].words);
		cr_expect_eq(parse(&c, str_of(wrong[i].text), &err), -1, "%s",
		    wrong[i].text);
		cr_expect(str_starts(str_of(err.text), buf_view(&want)),
		    "%s\n got: %s\nwant: %s", wrong[i].text, err.text,
		    buf_cstr(&want));
		config_fini(&c);
		buf_fini(&want);
	}
}

static void
expect_bad(const struct buf *text, const char *words)
{
	struct config c;
	struct err err = { "" };

	cr_expect_eq(parse(&c, buf_view(text), &err), -1, "%s", words);
	cr_expect(strstr(err.text, words), "got: %s\nwant: %s", err.text,
	    words);
	config_fini(&c);
}

Test(config, nothing_is_without_a_limit)
{
	struct buf b = { 0 };

	for (int i = 0; i < 200000; i++)
		buf_char(&b, '[');
	expect_bad(&b, "t.yaml:1:17: more than 16 lists and maps");
	buf_reset(&b);
	for (int i = 0; i < 100; i++) {
		for (int k = 0; k < i; k++)
			buf_char(&b, ' ');
		buf_cat(&b, "a:\n");
	}
	expect_bad(&b, "t.yaml:17:17: more than 16 lists and maps");
	buf_reset(&b);
	buf_cat(&b, "probes: {paths: [");
	for (int i = 0; i < 70000; i++)
		buf_cat(&b, "a,");
	buf_cat(&b, "]}");
	expect_bad(&b, "more than 65536 keys and values");
	buf_reset(&b);
	buf_cat(&b, "slow: ");
	for (int i = 0; i < 5000; i++)
		buf_char(&b, 'a');
	expect_bad(&b, "t.yaml:1:7: a text of more than 4096 bytes");
	buf_reset(&b);
	buf_cat(&b, "services:\n");
	for (int i = 0; i < 1025; i++)
		buf_printf(&b, "- name: s%d\n", i);
	expect_bad(&b, "t.yaml:1026:3: more than 1024 services");
	buf_reset(&b);
	buf_cat(&b, "services:\n- name: s\n  routes:\n");
	for (int i = 0; i < 1001; i++)
		buf_printf(&b, "  - route: /%d\n", i);
	expect_bad(&b, "t.yaml:1004:5: more than 1000 routes");
	buf_reset(&b);
	buf_cat(&b, "services:\n");
	for (int i = 0; i < 1000; i++)
		buf_printf(&b,
		    "- name: s%d\n  slow: 1s\n  thresholds:\n    slow-post: "
		    "{count: 1, g: 2, ratio: 1%%, above: 1%%}\n",
		    i);
	expect_bad(&b, "more than 4096 thresholds");
	buf_fini(&b);
}
