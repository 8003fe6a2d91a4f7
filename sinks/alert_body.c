/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts come from logs and URLs: for people they go through term_text, which
 * lets no control character pass, and for a chat's mark-up its special
 * characters are escaped besides, so that no line of a log can call a channel.
 */
#include "sinks/alert_body.h"

#include <inttypes.h>

#include "core/json.h"
#include "core/term.h"
#include "core/when.h"
#include "sinks/aws_arn.h"
#include "sinks/document_parts.h"

const char *
alert_action(enum alert_state state)
{
	static const char *const actions[] = {
		[ALERT_OPENED] = "finding-opened",
		[ALERT_UPDATED] = "finding-updated",
		[ALERT_RESOLVED] = "finding-resolved",
		[ALERT_SUPPRESSED] = "alerts-suppressed",
	};

	return actions[state];
}

void
alert_name(struct buf *b, const struct finding *f)
{
	struct buf raw = { 0 };

	buf_printf(&raw, "%s: ", f->rule);
	if (f->method != METHOD_NONE)
		buf_printf(&raw, "%s ", method_name(f->method));
	if (f->route)
		buf_printf(&raw, "%s of ", f->route);
	buf_cat(&raw, f->service);
	if (f->client)
		buf_printf(&raw, ", asked by %s", f->client);
	term_text(b, buf_view(&raw), true);
	buf_fini(&raw);
}

void
alert_sentence(struct buf *b, const struct making *m)
{
	struct buf raw = { 0 };

	if (m->a->state == ALERT_SUPPRESSED) {
		buf_printf(b,
		    "%" PRIu64 " alerts were suppressed in the minute before, "
		    "as more were due than the limit is; the worst of them: ",
		    m->a->left_out);
		alert_name(b, m->f);
		buf_char(b, '.');
		return;
	}
	if (m->a->state == ALERT_UPDATED)
		buf_cat(b, "Still open: ");
	if (m->a->state == ALERT_RESOLVED) {
		buf_cat(b, "Resolved, last seen at ");
		when_put(b, m->f->end_ns, 0);
		buf_cat(b, ": ");
	}
	finding_sentence(&raw, m->f, true);
	term_text(b, buf_view(&raw), true);
	buf_fini(&raw);
}

/* The others of the group. */
static void
put_others(struct buf *b, const struct making *m)
{
	size_t said = 0;

	for (size_t i = 0; i < m->a->n && said < ALERT_OTHERS; i++) {
		const struct finding *f = m->members[m->a->first + i];

		if (f == m->f)
			continue;
		if (said++ > 0)
			buf_cat(b, "; ");
		alert_name(b, f);
	}
	if (m->a->n > said + 1)
		buf_printf(b, "; and %zu more", m->a->n - said - 1);
}

/* "evidence  text", the text at most so long. */
static void
put_line(struct buf *b, const char *label, struct str text, size_t most)
{
	struct buf clean = { 0 };

	if (text.n == 0)
		return;
	term_text(&clean, str_head(text, most), true);
	buf_printf(b, "%-10s", label);
	buf_str(b, buf_view(&clean));
	buf_cat(b, text.n > most ? "…\n" : "\n");
	buf_fini(&clean);
}

static void
put_time_line(struct buf *b, const char *label, int64_t ns)
{
	struct buf text = { 0 };

	if (ns != WHEN_NONE)
		when_put(&text, ns, 0);
	put_line(b, label, buf_view(&text), SIZE_MAX);
	buf_fini(&text);
}

/* Where it is seen: the raw line, and the trace. */
static void
evidence_text(struct buf *b, const struct making *m, const struct evidence *e)
{
	if (e->line > 0) {
		buf_str(b, m->style->paths[e->input]);
		buf_printf(b, ":%" PRIu64, e->line);
	}
	if (e->has_trace) {
		buf_cat(b, e->line > 0 ? ", trace " : "trace ");
		part_trace_xray(b, e->trace);
	}
}

static void
put_details(struct buf *b, const struct making *m, size_t most)
{
	const struct finding *f = m->f;
	struct buf text = { 0 };

	put_time_line(b, "began", f->start_ns);
	put_time_line(b, "detected", f->detected_ns);
	put_time_line(b, "last seen", f->end_ns);
	for (int i = 0; i < f->n_evidence; i++) {
		buf_reset(&text);
		evidence_text(&text, m, &f->evidence[i]);
		put_line(b, i == 0 ? "evidence" : "", buf_view(&text), most);
	}
	buf_reset(&text);
	document_filter(&text, f);
	put_line(b, "filter", buf_view(&text), most);
	buf_reset(&text);
	put_others(&text, m);
	put_line(b, "also", buf_view(&text), most);
	put_line(b, "finding", (struct str){ f->id, FINDING_ID }, most);
	buf_fini(&text);
}

void
alert_lines(struct buf *b, const struct making *m, size_t most)
{
	struct buf text = { 0 };

	alert_sentence(&text, m);
	buf_str(b, str_head(buf_view(&text), most));
	buf_cat(b, text.n > most ? "…\n\n" : "\n\n");
	buf_reset(&text);
	put_line(b, "severity", str_of(severity_name(m->f->severity)), most);
	put_time_line(b, "due", m->a->at_ns);
	if (m->a->state != ALERT_SUPPRESSED)
		put_details(b, m, most);
	if (m->style->replayed)
		buf_cat(b, "\nReplayed from archived logs: not as it "
			   "happened.\n");
	buf_fini(&text);
}

/* {"value":"POST","name":"Method"} */
static void
put_dimension(struct buf *b, const char *name, struct str value)
{
	if (value.n == 0)
		return;
	json_item(b);
	buf_char(b, '{');
	json_member_str(b, "value", value);
	json_member_str(b, "name", str_of(name));
	buf_char(b, '}');
}

/* Hundredths of a per cent as per cent: 1234 ppm is 0.1234. */
static void
member_percent(struct buf *b, const char *key, int64_t ppm)
{
	json_key(b, key);
	buf_printf(b, "%" PRId64 ".%04" PRId64, ppm / 10000, ppm % 10000);
}

/* The alarm that this would be: a ratio in per cent above a threshold. */
static void
put_trigger(struct buf *b, const struct finding *f)
{
	struct nest n = nest_open(b, "Trigger");

	json_member_str(b, "MetricName", str_of(f->rule));
	json_member_str(b, "Namespace", STR("Telltale"));
	json_member_str(b, "StatisticType", STR("Statistic"));
	json_member_str(b, "Statistic", STR("AVERAGE"));
	json_member_str(b, "Unit", STR("Percent"));
	json_key(b, "Dimensions");
	buf_char(b, '[');
	put_dimension(b, "Service", str_of(f->service));
	if (f->method != METHOD_NONE)
		put_dimension(b, "Method", str_of(method_name(f->method)));
	put_dimension(b, "Route", str_of(f->route));
	put_dimension(b, "Client", str_of(f->client));
	buf_char(b, ']');
	json_member_i64(b, "Period", f->window_ns / NS_PER_SEC);
	json_member_i64(b, "EvaluationPeriods", 1);
	json_member_str(b, "ComparisonOperator", STR("GreaterThanThreshold"));
	member_percent(b, "Threshold", f->threshold_ppm);
	json_member_str(b, "TreatMissingData", STR("missing"));
	nest_close(b, n);
}

static void
member_buf(struct buf *b, const char *key, struct buf *text)
{
	if (text->n > 0)
		json_member_str(b, key, buf_view(text));
	buf_reset(text);
}

/* What an alarm has no place for. */
static void
put_ours(struct buf *b, const struct making *m)
{
	const struct finding *f = m->f;
	struct nest n = nest_open(b, "Telltale");
	struct buf text = { 0 };

	json_member_str(b, "Action", str_of(alert_action(m->a->state)));
	json_member_str(b, "FindingId", (struct str){ f->id, FINDING_ID });
	json_member_i64(b, "Sequence", m->a->sequence);
	json_member_str(b, "Severity", str_of(severity_name(f->severity)));
	json_member_bool(b, "Replayed", m->style->replayed);
	member_percent(b, "Value", f->value_ppm);
	json_key(b, "Evidence");
	buf_char(b, '[');
	for (int i = 0; i < f->n_evidence; i++) {
		evidence_text(&text, m, &f->evidence[i]);
		json_item(b);
		json_put_str(b, buf_view(&text));
		buf_reset(&text);
	}
	buf_char(b, ']');
	document_filter(&text, f);
	member_buf(b, "Filter", &text);
	put_others(&text, m);
	member_buf(b, "Also", &text);
	nest_close(b, n);
	buf_fini(&text);
}

/* CloudWatch's times: 2026-11-21T06:52:10.000+0000 */
static void
put_change_time(struct buf *b, int64_t ns)
{
	struct buf text = { 0 };

	when_put(&text, ns, 3);
	text.n--; /* the Z */
	buf_cat(&text, "+0000");
	member_buf(b, "StateChangeTime", &text);
	buf_fini(&text);
}

static const struct {
	const char *now, *before;
} cloudwatch_states[] = {
	[ALERT_OPENED] = { "ALARM", "OK" },
	[ALERT_UPDATED] = { "ALARM", "ALARM" },
	[ALERT_RESOLVED] = { "OK", "ALARM" },
	[ALERT_SUPPRESSED] = { "INSUFFICIENT_DATA", "INSUFFICIENT_DATA" },
};

static void
put_alarm(struct buf *b, const struct making *m)
{
	enum alert_state state = m->a->state;
	struct buf text = { 0 };

	buf_char(b, '{');
	if (state == ALERT_SUPPRESSED)
		buf_cat(&text, "Telltale: alerts suppressed");
	else
		alert_name(&text, m->f);
	member_buf(b, "AlarmName", &text);
	alert_name(&text, m->f);
	member_buf(b, "AlarmDescription", &text);
	json_member_str(b, "AWSAccountId", m->style->account);
	json_member_str(b, "NewStateValue",
	    str_of(cloudwatch_states[state].now));
	alert_sentence(&text, m);
	member_buf(b, "NewStateReason", &text);
	put_change_time(b, m->a->at_ns);
	json_member_str(b, "Region", aws_region_name(m->style->region));
	/* There is no such alarm, so this is no ARN. */
	buf_cat(&text, "urn:telltale:finding:");
	buf_put(&text, m->f->id, FINDING_ID);
	member_buf(b, "AlarmArn", &text);
	json_member_str(b, "OldStateValue",
	    str_of(cloudwatch_states[state].before));
	put_trigger(b, m->f);
	put_ours(b, m);
	buf_char(b, '}');
	buf_fini(&text);
}

/* Mark-up's own characters; a backquote would end what is quoted. */
static void
markdown(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		switch (s.p[i]) {
		case '&':
			buf_cat(b, "&amp;");
			break;
		case '<':
			buf_cat(b, "&lt;");
			break;
		case '>':
			buf_cat(b, "&gt;");
			break;
		case '`':
			buf_char(b, '\'');
			break;
		case '*':
		case '_':
		case '~':
		case '[':
		case ']':
			buf_char(b, '\\');
			buf_char(b, s.p[i]);
			break;
		default:
			buf_char(b, s.p[i]);
		}
}

static void
member_markdown(struct buf *b, const char *key, struct buf *text)
{
	struct buf marked = { 0 };

	markdown(&marked, buf_view(text));
	buf_reset(text);
	member_buf(b, key, &marked);
	buf_fini(&marked);
}

/* Steps are code where they are to be copied. */
static void
put_steps(struct buf *b, const struct making *m)
{
	struct buf text = { 0 };
	struct buf step = { 0 };

	json_key(b, "nextSteps");
	buf_char(b, '[');
	document_filter(&text, m->f);
	buf_cat(&step, "Its traces in X-Ray: `");
	/* Inside backquotes nothing is mark-up but another one. */
	for (size_t i = 0; i < text.n; i++)
		buf_char(&step, text.p[i] == '`' ? '\'' : text.p[i]);
	buf_char(&step, '`');
	json_item(b);
	json_put_str(b, buf_view(&step));
	for (int i = 0; i < m->f->n_evidence; i++) {
		buf_reset(&text);
		buf_reset(&step);
		evidence_text(&text, m, &m->f->evidence[i]);
		buf_cat(&step, "Evidence: ");
		markdown(&step, buf_view(&text));
		json_item(b);
		json_put_str(b, buf_view(&step));
	}
	buf_char(b, ']');
	buf_fini(&step);
	buf_fini(&text);
}

static void
put_content(struct buf *b, const struct making *m)
{
	static const char *const marks[] = { "🔴", "🔴", "🟢", "⚪" };
	struct nest n = nest_open(b, "content");
	struct buf text = { 0 };

	json_member_str(b, "textType", STR("client-markdown"));
	buf_printf(&text, "%s %s ", marks[m->a->state],
	    severity_name(m->f->severity));
	alert_name(&text, m->f);
	member_markdown(b, "title", &text);
	alert_sentence(&text, m);
	if (m->a->n > 1) {
		buf_cat(&text, "\nAlso: ");
		put_others(&text, m);
	}
	member_markdown(b, "description", &text);
	if (m->a->state != ALERT_SUPPRESSED)
		put_steps(b, m);
	json_key(b, "keywords");
	buf_char(b, '[');
	json_put_str(b, str_of(m->f->rule));
	json_item(b);
	json_put_str(b, str_of(m->f->service));
	json_item(b);
	json_put_str(b, str_of(severity_name(m->f->severity)));
	buf_char(b, ']');
	nest_close(b, n);
	buf_fini(&text);
}

static void
put_chat(struct buf *b, const struct making *m)
{
	struct str finding = { m->f->id, FINDING_ID };
	struct buf text = { 0 };
	struct nest meta, more;

	buf_char(b, '{');
	json_member_str(b, "version", STR("1.0"));
	json_member_str(b, "source", STR("custom"));
	json_member_str(b, "id", m->id);
	put_content(b, m);
	meta = nest_open(b, "metadata");
	json_member_str(b, "threadId",
	    m->a->state == ALERT_SUPPRESSED ? m->id : finding);
	alert_name(&text, m->f);
	member_buf(b, "summary", &text);
	json_member_str(b, "eventType", str_of(alert_action(m->a->state)));
	json_key(b, "relatedResources");
	buf_char(b, '[');
	json_put_str(b, str_of(m->f->service));
	buf_char(b, ']');
	more = nest_open(b, "additionalContext");
	json_member_str(b, "finding", finding);
	json_member_str(b, "severity", str_of(severity_name(m->f->severity)));
	json_member_str(b, "replayed",
	    m->style->replayed ? STR("true") : STR("false"));
	nest_close(b, more);
	nest_close(b, meta);
	buf_char(b, '}');
	buf_fini(&text);
}

/* What was left out has no finding's document. */
static void
put_suppressed(struct buf *b, const struct making *m)
{
	struct buf reason = { 0 };
	struct nest n;

	part_begin(b, m->a->at_ns);
	n = nest_open(b, "event");
	json_member_str(b, "kind", STR("event"));
	json_member_str(b, "action", str_of(alert_action(m->a->state)));
	json_member_str(b, "id", m->id);
	json_member_i64(b, "severity", document_severity(m->f->severity));
	alert_sentence(&reason, m);
	json_member_str(b, "reason", buf_view(&reason));
	nest_close(b, n);
	buf_char(b, '}');
	buf_fini(&reason);
}

static void
put_document(struct buf *b, const struct making *m)
{
	const struct finding *others[ALERT_OTHERS];
	struct document_alert alert = {
		.action = alert_action(m->a->state),
		.sequence = m->a->sequence,
		.at_ns = m->a->at_ns,
		.others = others,
		.replayed = m->style->replayed,
	};
	struct finding as = *m->f;

	if (m->a->state == ALERT_SUPPRESSED) {
		put_suppressed(b, m);
		return;
	}
	for (size_t i = 0; i < m->a->n && alert.n_others < ALERT_OTHERS; i++) {
		const struct finding *f = m->members[m->a->first + i];

		if (f != m->f)
			others[alert.n_others++] = f;
	}
	as.open = m->a->state != ALERT_RESOLVED;
	document_finding_source(b, &as, m->style->paths, &alert);
}

void
alert_body(struct buf *b, const struct making *m)
{
	switch (m->style->format) {
	case ALERT_CLOUDWATCH_ALARM:
		put_alarm(b, m);
		break;
	case ALERT_CHAT:
		put_chat(b, m);
		break;
	case ALERT_ECS:
		put_document(b, m);
		break;
	case ALERT_TEXT:
		alert_lines(b, m, SIZE_MAX);
		break;
	}
}
