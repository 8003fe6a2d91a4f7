/* SPDX-License-Identifier: Apache-2.0 */
/* The rules: names, helps, and one constant each (analyzer.h). */
#include <assert.h>
#include <string.h>

#include "analyzers/analyzer.h"
#include "analyzers/judge.h"

static const struct rule_info infos[RULES + 1] = {
	{ "slow-post",
	    "POST and other changing requests that take over 1 s, or "
	    "longer than they did",
	    &rule_slow_post },
	{ "slow-request", "the same of any request; off unless it is named",
	    &rule_slow_request },
	{ "not-found", "404 and 410 on routes that were answered before",
	    &rule_not_found },
	{ "server-error", "5xx answers", &rule_server_error },
	{ "masked-failure", "failures that are answered 2xx or 3xx",
	    &rule_masked_failure },
	{ "target-health", "health checks that fail, or do not come",
	    &rule_target_health },
	{ "not-found-scan", "a client that asks for what is not there",
	    &rule_not_found_scan },
	{ "not-found-surge",
	    "more new paths that are not there than usual, whoever asks",
	    &rule_not_found_surge },
	{ NULL, NULL, NULL },
};

const struct rule_info *
judge_rules(void)
{
	return infos;
}

int
judge_rule(const char *name)
{
	for (int r = 0; r < RULES; r++)
		if (strcmp(infos[r].name, name) == 0)
			return r;
	assert(false); /* names come from the table */
	return -1;
}

enum trial_is
judge_trial(const char *rule, const struct judge_trial *t)
{
	const struct rule *r = infos[judge_rule(rule)].rule;

	return r->trial ? r->trial(t) : TRIAL_NONE;
}
