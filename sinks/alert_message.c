/* SPDX-License-Identifier: Apache-2.0 */
/* See the header; the bodies are in alert_body.c. */
#include "sinks/alert_message.h"

#include <stdint.h>
#include <string.h>

#include "core/json.h"
#include "core/term.h"
#include "core/when.h"
#include "sinks/alert_body.h"
#include "sinks/aws_arn.h"
#include "sinks/documents.h"

const char *const alert_formats[] = {
	[ALERT_CLOUDWATCH_ALARM] = "cloudwatch-alarm",
	[ALERT_CHAT] = "chat",
	[ALERT_ECS] = "ecs",
	[ALERT_TEXT] = "text",
	NULL,
};

enum {
	SMS_BYTES = 140,     /* of one, in UTF-8 */
	LONGEST_CUT = 16384, /* of a text, where a message is too long */
	SHORTEST_CUT = 16,
};

/* ALARM: "slow-post: POST …" in EU (Ireland), in ASCII. */
static void
put_subject(struct buf *b, const struct making *m)
{
	static const char *const words[] = { "ALARM", "ALARM", "OK", "INFO" };
	struct buf name = { 0 };
	struct buf end = { 0 };

	buf_printf(b, "%s: \"", words[m->a->state]);
	if (m->a->state == ALERT_SUPPRESSED)
		buf_cat(&name, "alerts suppressed");
	else
		alert_name(&name, m->f);
	buf_char(&end, '"');
	if (m->style->region.n > 0)
		buf_cat(&end, " in ");
	buf_str(&end, aws_region_name(m->style->region));
	for (size_t i = 0; i < name.n; i++) {
		unsigned char c = (unsigned char)name.p[i];

		if (c < 0x80)
			buf_char(b, name.p[i]);
		else if (c >= 0xc0)
			buf_char(b, '?');
	}
	if (b->n + end.n > ALERT_SUBJECT) {
		b->n = ALERT_SUBJECT - end.n - 3;
		buf_cat(b, "...");
	}
	buf_str(b, buf_view(&end));
	buf_fini(&end);
	buf_fini(&name);
}

/* An attribute's value is never empty, and has no control characters. */
static void
add(struct alert_message *m, const char *name, bool number, struct str value)
{
	struct alert_attribute *a = &m->attributes[m->n_attributes];

	if (value.n == 0)
		return;
	a->name = name;
	a->number = number;
	a->value = (struct buf){ 0 };
	term_text(&a->value, str_head(value, LONGEST_CUT), true);
	m->n_attributes++;
}

static void
add_number(struct alert_message *m, const char *name, int64_t n)
{
	struct buf text = { 0 };

	buf_i64(&text, n);
	add(m, name, true, buf_view(&text));
	buf_fini(&text);
}

static struct str
status(enum alert_state s)
{
	switch (s) {
	case ALERT_OPENED:
	case ALERT_UPDATED:
		return STR("open");
	case ALERT_RESOLVED:
		return STR("resolved");
	case ALERT_SUPPRESSED:
		break;
	}
	return STR("suppressed");
}

static void
put_attributes(struct alert_message *m, const struct making *making)
{
	const struct finding *f = making->f;

	add(m, "severity", false, str_of(severity_name(f->severity)));
	add_number(m, "severity_level", document_severity(f->severity));
	add(m, "status", false, status(making->a->state));
	add(m, "rule_id", false, str_of(f->rule));
	add(m, "service", false, str_of(f->service));
	add(m, "environment", false, making->style->environment);
	add(m, "finding_id", false, (struct str){ f->id, FINDING_ID });
	add_number(m, "sequence", making->a->sequence);
	add(m, "schema", false, STR("telltale.alert/1"));
	if (making->style->replayed)
		add(m, "replay", false, STR("true"));
}

static void
put_id(struct alert_message *m, const struct making *making, struct str topic)
{
	const struct alert *a = making->a;
	struct buf number = { 0 };
	struct str parts[4] = { topic, str_of(alert_state_name(a->state)),
		{ a->lead->id, FINDING_ID }, { NULL, 0 } };

	/* A minute has one message of what was left out in it. */
	buf_i64(&number,
	    a->state == ALERT_SUPPRESSED ? a->at_ns : (int64_t)a->sequence);
	parts[3] = buf_view(&number);
	hash_id(m->id, parts, 4);
	buf_fini(&number);
}

static size_t
bytes(const struct alert_message *m)
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

/* The texts, each string in them of `most` bytes at most. */
static void
cut(struct alert_message *m, const struct making *making,
    const struct json_val *body, size_t most)
{
	buf_reset(&m->body);
	buf_reset(&m->email);
	if (making->style->format == ALERT_TEXT) {
		alert_lines(&m->body, making, most);
		return;
	}
	alert_lines(&m->email, making, most);
	json_put_cut(&m->body, body, most);
}

/* Whole, or cut until they fit. */
static void
make(struct alert_message *m, const struct making *making)
{
	struct json_bad bad;
	struct buf whole = { 0 };
	struct json j = { 0 };

	alert_body(&m->body, making);
	if (making->style->format != ALERT_TEXT)
		alert_lines(&m->email, making, SIZE_MAX);
	if (bytes(m) > ALERT_BYTES) {
		buf_str(&whole, buf_view(&m->body));
		if (making->style->format != ALERT_TEXT)
			json_parse(&j, buf_view(&whole), &bad);
		for (size_t most = LONGEST_CUT;
		     bytes(m) > ALERT_BYTES && most >= SHORTEST_CUT; most /= 4)
			cut(m, making, json_root(&j), most);
	}
	json_fini(&j);
	buf_fini(&whole);
}

static void
put_sms(struct alert_message *m, const struct making *making)
{
	struct buf text = { 0 };

	if (making->style->format == ALERT_TEXT)
		return;
	alert_sentence(&text, making);
	buf_str(&m->sms, str_head(buf_view(&text), SMS_BYTES));
	buf_fini(&text);
}

void
alert_message(struct alert_message *m, const struct alert *a,
    const struct finding *const *members, const struct alert_style *style,
    struct str topic)
{
	struct making making = { a, a->lead, members, style, { NULL, 0 } };

	*m = (struct alert_message){ 0 };
	put_id(m, &making, topic);
	making.id = (struct str){ m->id, sizeof m->id };
	/* A finding's messages keep their order. */
	memcpy(m->group, a->state == ALERT_SUPPRESSED ? m->id : a->lead->id,
	    sizeof m->group);
	put_subject(&m->subject, &making);
	put_attributes(m, &making);
	put_sms(m, &making);
	make(m, &making);
}

void
alert_message_fini(struct alert_message *m)
{
	buf_fini(&m->subject);
	buf_fini(&m->body);
	buf_fini(&m->email);
	buf_fini(&m->sms);
	for (size_t i = 0; i < m->n_attributes; i++)
		buf_fini(&m->attributes[i].value);
	*m = (struct alert_message){ 0 };
}

bool
alert_message_text(const struct alert_message *m, struct buf *out)
{
	if (m->email.n == 0) {
		buf_str(out, buf_view(&m->body));
		return false;
	}
	buf_char(out, '{');
	json_member_str(out, "default", buf_view(&m->body));
	json_member_str(out, "email", buf_view(&m->email));
	json_member_str(out, "sms", buf_view(&m->sms));
	buf_char(out, '}');
	return true;
}

void
alert_message_line(const struct alert_message *m, struct buf *out,
    struct str topic, const char *reason)
{
	buf_char(out, '{');
	json_member_str(out, "id", (struct str){ m->id, sizeof m->id });
	if (topic.n > 0)
		json_member_str(out, "topic", topic);
	if (reason)
		json_member_str(out, "reason", str_of(reason));
	json_member_str(out, "subject", buf_view(&m->subject));
	json_key(out, "attributes");
	buf_char(out, '{');
	for (size_t i = 0; i < m->n_attributes; i++) {
		const struct alert_attribute *a = &m->attributes[i];

		if (!a->number) {
			json_member_str(out, a->name, buf_view(&a->value));
			continue;
		}
		json_key(out, a->name);
		buf_str(out, buf_view(&a->value));
	}
	buf_char(out, '}');
	if (m->email.n > 0) {
		json_key(out, "message");
		buf_str(out, buf_view(&m->body));
	} else {
		json_member_str(out, "message", buf_view(&m->body));
	}
	buf_cat(out, "}\n");
}
