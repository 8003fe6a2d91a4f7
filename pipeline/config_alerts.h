/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the configuration says of alerts: where they go, how they look, and
 * when one is due (analyzers/alerts.h).
 */
#ifndef PIPELINE_CONFIG_ALERTS_H
#define PIPELINE_CONFIG_ALERTS_H

#include <stdint.h>

#include "core/opt.h"

struct config_alerts {
	const char *topic;       /* an ARN of SNS; NULL */
	const char *environment; /* NULL */
	int format;              /* enum alert_format; -1 */
	int severity;            /* the least; enum severity; -1 */
	int64_t group_ns, repeat_ns, cooldown_ns;
	uint64_t per_minute;
};

/* A row a key of `alerts`, with its default and limits. */
extern const struct opt config_alerts_rows[];

/* Names of enum severity; NULL ends. */
extern const char *const config_severities[];

#endif
