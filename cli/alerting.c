/* SPDX-License-Identifier: Apache-2.0 */
/* See the header. */
#include "cli/alerting.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzers/alerts.h"
#include "cli/reading.h"
#include "core/mem.h"
#include "core/statedir.h"
#include "sinks/aws_arn.h"
#include "sinks/outbox.h"
#include "sinks/sns.h"

struct alerting {
	const struct alerting_flags *flags;
	struct alert_policy policy;
	struct alert_style style;
	struct alerting_counts counts;
	const char *topic; /* NULL */
	struct statedir *state;
	struct outbox *outbox;
	struct sns *sns;
	FILE *refused;
	struct buf printed;
	struct err err; /* why the rest is not published; "" */
	int status;     /* of that */
};

static bool
is_wanted(const struct alerting_flags *f)
{
	return f->publish || f->print;
}

/* An option of alerts, and nothing that would need it. */
static bool
lacks_alerts(const struct alerting_flags *f)
{
	return !is_wanted(f) &&
	       (f->topic || f->endpoint || f->refused || f->state ||
		   f->format >= 0 || f->severity >= 0);
}

static const char *
topic_of(const struct alerting_flags *f, const struct config_alerts *config)
{
	return f->topic ? f->topic : config->topic;
}

int
alerting_check(const struct alerting_flags *f,
    const struct config_alerts *config, struct err *err)
{
	const char *topic = topic_of(f, config);
	struct aws_arn arn;

	if (lacks_alerts(f))
		return err_set(err, "--alerts is missing: without it nothing "
				    "is published; --print-alerts shows what "
				    "would be");
	if (is_wanted(f) && topic && !aws_arn_parse(str_of(topic), &arn))
		return err_set(err,
		    "--sns: '%s' is no topic, expected "
		    "arn:aws:sns:REGION:ACCOUNT:NAME",
		    topic);
	if (f->publish && !topic)
		return err_set(err, "--alerts needs to know where to: --sns "
				    "ARN, or 'topic' in the configuration's "
				    "'alerts'");
	return 0;
}

static int
first(int given, int configured, int otherwise)
{
	if (given >= 0)
		return given;
	return configured >= 0 ? configured : otherwise;
}

static void
set_up(struct alerting *a, const struct config_alerts *config)
{
	const struct alerting_flags *f = a->flags;
	struct aws_arn arn;

	a->policy = (struct alert_policy){
		.least = (enum severity)first(f->severity, config->severity,
		    SEVERITY_WARNING),
		.group_ns = config->group_ns,
		.repeat_ns = config->repeat_ns,
		.cooldown_ns = config->cooldown_ns,
		.per_minute = config->per_minute,
	};
	a->style = (struct alert_style){
		.format = (enum alert_format)first(f->format, config->format,
		    ALERT_CLOUDWATCH_ALARM),
		.environment = str_of(config->environment),
		.replayed = true,
	};
	a->topic = topic_of(f, config);
	if (a->topic && aws_arn_parse(str_of(a->topic), &arn)) {
		a->style.region = arn.region;
		a->style.account = arn.account;
	}
	if (f->publish)
		a->counts.topic = a->topic;
}

static void
say_waiting(const struct err *why, int64_t wait_ms)
{
	command_say("%s; trying again for %" PRId64 " s", why->text,
	    wait_ms / 1000);
}

/* What publishing needs; STATUS_OK, or said. */
static int
open_ways(struct alerting *a)
{
	const char *ca_file = getenv("AWS_CA_BUNDLE");
	const struct sns_options options = {
		.topic = a->topic,
		.endpoint = a->flags->endpoint,
		.ca_file = ca_file && *ca_file ? ca_file : NULL,
		.wait_ms = a->flags->wait_ns / NS_PER_MS,
		.stop = &reading_progress()->stop,
		.waiting = say_waiting,
	};
	const char *refused = a->flags->refused;

	if (a->flags->state) {
		a->state = statedir_open(a->flags->state, &a->err);
		a->outbox = a->state ? outbox_open(a->state, &a->err) : NULL;
		if (!a->outbox)
			return STATUS_IO;
	}
	if (refused) {
		a->refused = fopen(refused, "ae");
		if (!a->refused) {
			err_set(&a->err, "%s: cannot write: %s", refused,
			    strerror(errno));
			return STATUS_IO;
		}
	}
	a->sns = sns_open(&options, &a->err);
	return a->sns ? STATUS_OK : STATUS_USAGE;
}

struct alerting *
alerting_open(const struct command *c, const struct alerting_flags *f,
    const struct config_alerts *config, int *status)
{
	struct alerting *a;

	*status = STATUS_OK;
	if (!is_wanted(f))
		return NULL;
	a = xcalloc(1, sizeof *a);
	a->flags = f;
	set_up(a, config);
	if (f->publish)
		*status = open_ways(a);
	if (*status == STATUS_OK)
		return a;
	if (*status == STATUS_USAGE)
		command_usage(c, &a->err);
	else
		command_say("%s", a->err.text);
	alerting_close(a);
	return NULL;
}

/* It could not be kept: what is refused must not be lost without a word. */
static int
keep_refused(struct alerting *a, const struct alert_message *m,
    const char *reason)
{
	struct alerting_counts *n = &a->counts;
	struct buf line = { 0 };
	bool good = true;

	if (n->refused++ == 0)
		snprintf(n->reason, sizeof n->reason, "%s", reason);
	if (a->refused) {
		alert_message_line(m, &line, str_of(a->topic), reason);
		good = fwrite(line.p, 1, line.n, a->refused) == line.n &&
		       fflush(a->refused) == 0;
	}
	buf_fini(&line);
	if (good)
		return 0;
	a->status = STATUS_IO;
	return err_set(&a->err, "%s: cannot write: %s", a->flags->refused,
	    strerror(errno));
}

/* Before it is sent: 0; 1: it need not be; -1: it must not be. */
static int
intend(struct alerting *a, const struct alert_message *m, bool *doubtful)
{
	enum outbox_state state =
	    a->outbox ? outbox_state(a->outbox, m->id) : OUTBOX_NEW;

	*doubtful = state == OUTBOX_IN_DOUBT;
	if (state == OUTBOX_SETTLED)
		return 1;
	if (state == OUTBOX_NEW && a->outbox &&
	    outbox_intend(a->outbox, m->id, buf_view(&m->subject), &a->err) !=
		0) {
		a->status = STATUS_IO;
		return -1;
	}
	return 0;
}

/* -1: no more is sent. */
static int
publish(struct alerting *a, const struct alert_message *m)
{
	struct alerting_counts *n = &a->counts;
	struct buf receipt = { 0 };
	struct err err = { "" };
	bool doubtful;
	int rc = intend(a, m, &doubtful);

	if (rc != 0) {
		n->there += rc > 0;
		return rc > 0 ? 0 : -1;
	}
	switch (sns_publish(a->sns, m, &receipt, &err)) {
	case SNS_PUBLISHED:
		n->published++;
		n->doubtful += doubtful;
		if (a->outbox)
			rc = outbox_settle(a->outbox, m->id, buf_view(&receipt),
			    &a->err);
		if (rc != 0)
			a->status = STATUS_IO;
		break;
	case SNS_REFUSED:
		rc = keep_refused(a, m, err.text);
		break;
	case SNS_FAILED:
		a->err = err;
		a->status = STATUS_UNAVAILABLE;
		rc = -1;
		break;
	}
	buf_fini(&receipt);
	return rc;
}

static void
send_all(struct alerting *a, const struct alerts *alerts)
{
	struct alerting_counts *n = &a->counts;
	const char *note;
	bool going = a->sns != NULL;

	for (size_t i = 0; i < alerts->n; i++) {
		struct alert_message m;

		alert_message(&m, &alerts->v[i], alerts->members, &a->style,
		    str_of(a->topic));
		if (a->flags->print)
			alert_message_line(&m, &a->printed, str_of(a->topic),
			    NULL);
		going = going && publish(a, &m) == 0;
		alert_message_fini(&m);
	}
	if (!a->sns)
		return;
	n->unsent = n->messages - n->published - n->there - n->refused;
	n->again = sns_again(a->sns);
	note = sns_note(a->sns);
	if (note)
		command_say("%s", note);
}

void
alerting_run(struct alerting *a, const struct replay_options *options,
    const struct replay_result *result)
{
	struct alerting_counts *n = &a->counts;
	struct str *paths = xcalloc(result->inputs.n + 1, sizeof *paths);
	struct alerts alerts;

	for (size_t i = 0; i < result->inputs.n; i++)
		paths[i] = str_of(result->inputs.v[i].path);
	a->style.paths = paths;
	a->policy.quiet_ns = options->judge.quiet_ns;
	alerts_of(&alerts, &result->findings, &a->policy, result->last_ns);
	n->findings = alerts.findings;
	n->told = alerts.told;
	n->below = alerts.below;
	n->cooling = alerts.cooling;
	n->limited = alerts.limited;
	n->suppressed = alerts.messages_limited;
	n->messages = alerts.n;
	send_all(a, &alerts);
	alerts_fini(&alerts);
	a->style.paths = NULL;
	free(paths);
}

const struct alerting_counts *
alerting_counts(const struct alerting *a)
{
	return a ? &a->counts : NULL;
}

const struct buf *
alerting_printed(const struct alerting *a)
{
	return a && a->flags->print ? &a->printed : NULL;
}

int
alerting_status(const struct alerting *a, int status)
{
	const struct alerting_counts *n;

	if (!a)
		return status;
	n = &a->counts;
	if (n->refused > 0)
		command_say("%" PRIu64 " alerts were refused%s%s; the first: "
			    "%s",
		    n->refused,
		    a->flags->refused ? ", and are kept in "
				      : ", and are kept nowhere: see "
					"--alert-refused",
		    a->flags->refused ? a->flags->refused : "", n->reason);
	if (a->status != STATUS_OK)
		command_say("%s; %" PRIu64 " of %" PRIu64 " alerts are not "
			    "published",
		    a->err.text, n->unsent, n->messages);
	if (status != STATUS_OK && status != STATUS_FOUND)
		return status;
	if (a->status != STATUS_OK)
		return a->status;
	return n->refused > 0 ? STATUS_DATA : status;
}

void
alerting_close(struct alerting *a)
{
	if (!a)
		return;
	sns_close(a->sns);
	outbox_close(a->outbox);
	statedir_close(a->state);
	if (a->refused)
		fclose(a->refused);
	buf_fini(&a->printed);
	free(a);
}
