/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a replay's findings say to whom: the options, the run's messages, their
 * way to the topic, and what became of them.
 *
 * A replay publishes nothing unless --alerts is given.  With --state the
 * messages that were accepted are remembered, and are not sent again by the
 * next replay of the same findings.
 */
#ifndef CLI_ALERTING_H
#define CLI_ALERTING_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/command.h"
#include "core/err.h"
#include "core/opt.h"
#include "core/when.h"
#include "pipeline/config.h"
#include "pipeline/config_alerts.h"
#include "pipeline/replay.h"
#include "sinks/alert_message.h"

struct alerting_flags {
	bool publish, print;
	const char *topic, *endpoint, *refused, *state;
	int format, severity; /* -1: the configuration's */
	int64_t wait_ns;
};

#define OPTION_ALERTS                                                          \
	.name = "alerts", .type = OPT_FLAG,                                    \
	.offset = offsetof(struct flags, alerts.publish),                      \
	.help = "Publish a message when a finding was opened and when it was " \
		"resolved, marked as replayed. The credentials are looked "    \
		"for as AWS's own tools do; AWS_CA_BUNDLE names authorities."

/* The rows behind it. */
#define OPTIONS_ALERTS                                                         \
	{                                                                      \
		.name = "print-alerts",                                        \
		.type = OPT_FLAG,                                              \
		.offset = offsetof(struct flags, alerts.print),                \
		.help =                                                        \
		    "Print the messages instead of the report, one a line, "   \
		    "whether they are published or not.",                      \
	},                                                                     \
	    {                                                                  \
		    .name = "sns",                                             \
		    .type = OPT_TEXT,                                          \
		    .offset = offsetof(struct flags, alerts.topic),            \
		    .arg = "ARN",                                              \
		    .help = "The topic of Amazon SNS that gets them.",         \
	    },                                                                 \
	    {                                                                  \
		    .name = "sns-endpoint",                                    \
		    .type = OPT_TEXT,                                          \
		    .offset = offsetof(struct flags, alerts.endpoint),         \
		    .arg = "URL",                                              \
		    .absent = "AWS_ENDPOINT_URL_SNS, AWS_ENDPOINT_URL, else "  \
			      "the region's",                                  \
		    .help = "Where SNS is, for emulators and private "         \
			    "endpoints.",                                      \
	    },                                                                 \
	    {                                                                  \
		    .name = "alert-format",                                    \
		    .type = OPT_CHOICE,                                        \
		    .offset = offsetof(struct flags, alerts.format),           \
		    .arg = "FORMAT",                                           \
		    .choices = alert_formats,                                  \
		    .absent = "the configuration's, else cloudwatch-alarm",    \
		    .help = "What a message looks like.",                      \
	    },                                                                 \
	    {                                                                  \
		    .name = "alert-severity",                                  \
		    .type = OPT_CHOICE,                                        \
		    .offset = offsetof(struct flags, alerts.severity),         \
		    .arg = "LEVEL",                                            \
		    .choices = config_severities,                              \
		    .absent = "the configuration's, else warning",             \
		    .help = "Findings below LEVEL are no alerts.",             \
	    },                                                                 \
	    {                                                                  \
		    .name = "alert-wait",                                      \
		    .type = OPT_SPAN,                                          \
		    .offset = offsetof(struct flags, alerts.wait_ns),          \
		    .arg = "SPAN",                                             \
		    .preset = "5m",                                            \
		    .min = NS_PER_MS,                                          \
		    .help =                                                    \
			"Give up when a message is not accepted for SPAN.",    \
	    },                                                                 \
	    {                                                                  \
		    .name = "alert-refused",                                   \
		    .type = OPT_TEXT,                                          \
		    .offset = offsetof(struct flags, alerts.refused),          \
		    .arg = "FILE",                                             \
		    .help = "Append to FILE what SNS refuses for good, with "  \
			    "the reason.",                                     \
	    },                                                                 \
	{                                                                      \
		.name = "state", .type = OPT_TEXT,                             \
		.offset = offsetof(struct flags, alerts.state), .arg = "DIR",  \
		.help = "Remember in DIR, which is made where missing, what "  \
			"was published, so that a replay of the same "         \
			"findings does not publish it again.",                 \
	}

/* findings = told + below + cooling + limited;
 * messages = published + there + refused + unsent. */
struct alerting_counts {
	const char *topic; /* NULL: nothing is published */
	uint64_t findings, told, below, cooling, limited;
	uint64_t messages;
	uint64_t published;
	uint64_t there; /* by --state: published by a run before */
	uint64_t refused;
	uint64_t unsent;
	uint64_t doubtful;   /* of published: perhaps for the second time */
	uint64_t suppressed; /* messages that were none, as their minute was
			      * full */
	uint64_t again;      /* requests beyond one a message */
	char reason[256];    /* of the first that was refused; "" */
};

struct alerting;

/*
 * Options that do not go together: -1 with err.  `config`: what the file says.
 */
int alerting_check(const struct alerting_flags *f,
    const struct config_alerts *config, struct err *err);

/*
 * Opens the state and the way to the topic; sends nothing.  NULL: no alerts are
 * wanted, and *status is STATUS_OK; or it failed, and was said.
 */
struct alerting *alerting_open(const struct command *c,
    const struct alerting_flags *f, const struct config_alerts *config,
    int *status);

/*
 * Makes the messages of the result's findings and publishes them.  What
 * goes wrong is kept for alerting_status.
 */
void alerting_run(struct alerting *a, const struct replay_options *options,
    const struct replay_result *result);

/* NULL is allowed, and gives NULL. */
const struct alerting_counts *alerting_counts(const struct alerting *a);

/* Of --print-alerts; NULL: the report is printed. */
const struct buf *alerting_printed(const struct alerting *a);

/*
 * Says what went wrong, with STATUS_DATA, STATUS_UNAVAILABLE or STATUS_IO; or
 * gives `status` as it is.  NULL is allowed.
 */
int alerting_status(const struct alerting *a, int status);

void alerting_close(struct alerting *a); /* NULL is allowed */

#endif
