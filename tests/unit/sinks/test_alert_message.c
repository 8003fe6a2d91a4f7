/* SPDX-License-Identifier: Apache-2.0 */
/* Messages within what SNS allows, whatever the names in them. */
#include "sinks/alert_message.h"

#include <string.h>

#include <criterion/criterion.h>

#include "core/json.h"
#include "core/term.h"
#include "core/when.h"

static const struct str paths[] = { { "logs/a.gz", 9 } };

/* A finding of a service and a route. */
static struct finding
finding_of(struct str service, struct str route)
{
	struct finding f = { .rule = "slow-post",
		.judged_by = "slow-post",
		.unit = "requests",
		.phrase = "took over ~ in #",
		.severity = SEVERITY_CRITICAL,
		.method = METHOD_POST,
		.start_ns = NS_PER_SEC,
		.detected_ns = 2 * NS_PER_SEC,
		.end_ns = 3 * NS_PER_SEC,
		.bad = 1,
		.total = 2,
		.before_ns = -1,
		.after_ns = -1,
		.over_ns = NS_PER_SEC,
		.n_evidence = 1 };

	f.service = finding_text(service);
	f.route = finding_text(route);
	f.evidence[0].line = 7;
	memset(f.id, 'f', sizeof f.id);
	return f;
}

static size_t
size_of(const struct alert_message *m)
{
	struct buf text = { 0 };
	size_t n;

	alert_message_text(m, &text);
	n = text.n;
	for (size_t i = 0; i < m->n_attributes; i++)
		n += strlen(m->attributes[i].name) + strlen("String") +
		     m->attributes[i].value.n;
	buf_fini(&text);
	return n;
}

static void
is_valid(const struct alert_message *m, enum alert_format format)
{
	struct buf text = { 0 };
	struct json j = { 0 };
	struct json_bad bad;
	struct str rest;
	uint32_t c;
	bool good = true;

	cr_expect_leq(size_of(m), (size_t)ALERT_BYTES);
	cr_expect(m->subject.n > 0 && m->subject.n <= ALERT_SUBJECT);
	for (size_t i = 0; i < m->subject.n; i++)
		cr_expect(m->subject.p[i] >= ' ' && m->subject.p[i] < 0x7f);
	cr_expect_eq(alert_message_text(m, &text), format != ALERT_TEXT);
	rest = buf_view(&text);
	while (good && rest.n > 0)
		good = term_utf8(&rest, &c);
	cr_expect(good, "no UTF-8");
	if (format != ALERT_TEXT) {
		cr_expect_eq(json_parse(&j, buf_view(&m->body), &bad), 0,
		    "%s at %zu", bad.what, bad.offset);
		cr_expect_eq(json_parse(&j, buf_view(&text), &bad), 0);
		cr_expect_leq(m->sms.n, (size_t)140);
	}
	json_fini(&j);
	buf_fini(&text);
}

static void
long_name(struct buf *b, const char *of, size_t n)
{
	while (b->n < n)
		buf_cat(b, of);
}

static void
try(const struct alert_style *style, enum alert_state state, const char *of,
    size_t n)
{
	struct buf name = { 0 };
	struct finding one;
	const struct finding *members[] = { &one };
	struct alert a = { .state = state,
		.at_ns = NS_PER_SEC,
		.lead = &one,
		.n = 1,
		.left_out = 3 };
	struct alert_message m;

	long_name(&name, of, n);
	one = finding_of(buf_view(&name), buf_view(&name));
	alert_message(&m, &a, members, style, STR("topic"));
	is_valid(&m, style->format);
	cr_expect_leq(m.n_attributes, (size_t)ALERT_ATTRIBUTES);
	alert_message_fini(&m);
	finding_fini(&one);
	buf_fini(&name);
}

Test(alert_message, keeps_within_the_limits)
{
	static const char *const names[] = { "a", "\"", "é", "\xff", "\x01",
		"🔴", "&lt;<>`*_" };
	struct alert_style style = { .region = STR("eu-west-1"),
		.account = STR("123456789012"),
		.environment = STR("prod"),
		.paths = paths,
		.replayed = true };

	for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
		for (int f = ALERT_CLOUDWATCH_ALARM; f <= ALERT_TEXT; f++) {
			style.format = (enum alert_format)f;
			for (int s = ALERT_OPENED; s <= ALERT_SUPPRESSED; s++)
				try(&style, (enum alert_state)s, names[k], 1);
			try(&style, ALERT_OPENED, names[k], 100 * 1000);
		}
}

Test(alert_message, an_id_is_of_topic_alert_and_number)
{
	struct finding one = finding_of(STR("s"), STR("/"));
	const struct finding *members[] = { &one };
	struct alert a = { .lead = &one, .n = 1 }, b = a;
	const struct alert_style style = { .paths = paths };
	struct alert_message x, y;

	alert_message(&x, &a, members, &style, STR("t"));
	one.bad++; /* what is said is not what it is known by */
	alert_message(&y, &b, members, &style, STR("t"));
	cr_expect_arr_eq(x.id, y.id, sizeof x.id);
	alert_message_fini(&y);
	b.sequence = 1;
	alert_message(&y, &b, members, &style, STR("t"));
	cr_expect_arr_neq(x.id, y.id, sizeof x.id);
	cr_expect_arr_eq(x.group, y.group, sizeof x.group);
	alert_message_fini(&y);
	alert_message(&y, &a, members, &style, STR("u"));
	cr_expect_arr_neq(x.id, y.id, sizeof x.id);
	alert_message_fini(&y);
	alert_message_fini(&x);
	finding_fini(&one);
}

Test(alert_message, lists_the_others_and_counts_the_rest)
{
	enum { N = ALERT_OTHERS + 5 };
	struct finding all[N];
	const struct finding *members[N];
	struct alert a = { .lead = &all[3], .n = N };
	const struct alert_style style = { .paths = paths,
		.format = ALERT_TEXT };
	struct alert_message m;
	struct str text, line;
	size_t names = 0;

	for (int i = 0; i < N; i++) {
		all[i] = finding_of(STR("s"), STR("/"));
		members[i] = &all[i];
	}
	alert_message(&m, &a, members, &style, STR("t"));
	text = buf_view(&m.body);
	text = str_from(text, str_find_str(text, STR("also")));
	cr_assert(str_cut(&text, '\n', &line));
	for (struct str name; str_cut(&line, ';', &name);)
		names++;
	cr_expect_eq(names, (size_t)ALERT_OTHERS);
	cr_expect(str_eq(line, STR(" and 4 more")), "%.*s", STR_ARG(line));
	alert_message_fini(&m);
	for (int i = 0; i < N; i++)
		finding_fini(&all[i]);
}
