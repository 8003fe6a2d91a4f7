/* SPDX-License-Identifier: Apache-2.0 */
/* See the header. */
#include "pipeline/config_alerts.h"

#include "core/when.h"
#include "sinks/alert_message.h"

const char *const config_severities[] = { "info", "warning", "critical", NULL };

#define HOUR_NS (3600 * NS_PER_SEC)

const struct opt config_alerts_rows[] = {
	{
	    .name = "topic",
	    .type = OPT_TEXT,
	    .offset = offsetof(struct config_alerts, topic),
	    .arg = "ARN",
	    .help = "The topic of Amazon SNS that gets the messages.",
	},
	{
	    .name = "format",
	    .type = OPT_CHOICE,
	    .offset = offsetof(struct config_alerts, format),
	    .arg = "FORMAT",
	    .choices = alert_formats,
	    .absent = "cloudwatch-alarm",
	    .help = "What a message looks like.",
	},
	{
	    .name = "severity",
	    .type = OPT_CHOICE,
	    .offset = offsetof(struct config_alerts, severity),
	    .arg = "LEVEL",
	    .choices = config_severities,
	    .absent = "warning",
	    .help = "Findings below LEVEL are no alerts.",
	},
	{
	    .name = "environment",
	    .type = OPT_TEXT,
	    .offset = offsetof(struct config_alerts, environment),
	    .arg = "NAME",
	    .help = "A message's attribute of that name, for the filter "
		    "policies of subscriptions.",
	},
	{
	    .name = "group",
	    .type = OPT_SPAN,
	    .offset = offsetof(struct config_alerts, group_ns),
	    .arg = "SPAN",
	    .preset = "30s",
	    .max = 600 * NS_PER_SEC,
	    .help = "What is found at one service within SPAN is told in one "
		    "message.",
	},
	{
	    .name = "repeat",
	    .type = OPT_SPAN,
	    .offset = offsetof(struct config_alerts, repeat_ns),
	    .arg = "SPAN",
	    .min = 60 * NS_PER_SEC,
	    .max = 24 * 366 * HOUR_NS,
	    .absent = "never",
	    .help = "Say so again every SPAN while it lasts.",
	},
	{
	    .name = "cooldown",
	    .type = OPT_SPAN,
	    .offset = offsetof(struct config_alerts, cooldown_ns),
	    .arg = "SPAN",
	    .preset = "10m",
	    .max = 24 * 366 * HOUR_NS,
	    .help = "What was resolved and comes back within SPAN is told "
		    "only if it is still there when that is over.",
	},
	{
	    .name = "per-minute",
	    .type = OPT_COUNT,
	    .offset = offsetof(struct config_alerts, per_minute),
	    .arg = "N",
	    .preset = "30",
	    .max = 1000000,
	    .help = "Of more than N messages in a minute one says how many "
		    "were suppressed; 0 is no limit.",
	},
	{ .name = NULL },
};
