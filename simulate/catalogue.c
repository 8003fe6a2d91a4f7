/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The catalogue of what goes wrong, and of what only looks like it.
 *
 * A row says what happens to which requests; the workshop says where that is.
 * Decoys have no rule: whatever is found of them is a false alarm.
 */
#include "core/json.h"
#include "simulate/world.h"

const struct incident_kind incident_table[] = {
	{
	    .name = "chaos",
	    .help = "chaos mode is deployed: 64 % of likes burn for seconds, "
		    "25 % answer 404",
	    .rule = "slow-post",
	    .effect = EFFECT_CHAOS,
	    .where = AT_MAIN,
	    .delay_ms = 1200,
	    .spread_ms = 2400,
	    .deploy = true,
	    .cause = "WARN: stress function activated",
	    .only = "like",
	    .span_s = 600,
	},
	{
	    .name = "slow-post",
	    .help = "two thirds of the requests of a route take seconds",
	    .rule = "slow-post",
	    .effect = EFFECT_DELAY,
	    .where = AT_MAIN,
	    .share_ppm = 640000,
	    .delay_ms = 1200,
	    .spread_ms = 2400,
	    .cause = "lock wait exceeded, working without the cache",
	    .span_s = 600,
	},
	{
	    .name = "slow-drift",
	    .help = "a route gets slower from minute to minute, by three "
		    "seconds in the end",
	    .rule = "slow-post",
	    .effect = EFFECT_DELAY,
	    .where = AT_MAIN,
	    .share_ppm = 1000000,
	    .delay_ms = 3000,
	    .spread_ms = 400,
	    .ramp = true,
	    .span_s = 1800,
	},
	{
	    .name = "small-step",
	    .help = "a route takes three times as long, which is still far "
		    "below a second",
	    .rule = "slow-post",
	    .effect = EFFECT_DELAY,
	    .where = AT_MAIN,
	    .share_ppm = 1000000,
	    .delay_ms = 60,
	    .permille = 2000,
	    .span_s = 1200,
	},
	{
	    .name = "tail",
	    .help = "one request in twelve takes seconds, the median stays",
	    .rule = "slow-post",
	    .effect = EFFECT_DELAY,
	    .where = AT_MAIN,
	    .share_ppm = 80000,
	    .delay_ms = 2000,
	    .spread_ms = 2000,
	    .span_s = 1200,
	},
	{
	    .name = "dependency-slow",
	    .help = "what a route calls is slow, and so is the route",
	    .rule = "slow-post",
	    .effect = EFFECT_DELAY,
	    .where = AT_DEPENDENCY,
	    .share_ppm = 1000000,
	    .delay_ms = 1300,
	    .spread_ms = 1200,
	    .cause = "connection pool exhausted, waiting for a connection",
	    .span_s = 600,
	},
	{
	    .name = "dependency-throttle",
	    .help = "the table is throttled: retries, and faults when they "
		    "run out",
	    .rule = "slow-post",
	    .effect = EFFECT_THROTTLE,
	    .where = AT_AWS,
	    .share_ppm = 700000,
	    .delay_ms = 400,
	    .spread_ms = 2600,
	    .status = 500,
	    .span_s = 600,
	},
	{
	    .name = "not-found",
	    .help = "a deployment forgot a route: it answers 404",
	    .rule = "not-found",
	    .effect = EFFECT_STATUS,
	    .where = AT_MAIN,
	    .share_ppm = 1000000,
	    .status = 404,
	    .deploy = true,
	    .span_s = 600,
	},
	{
	    .name = "not-found-partial",
	    .help = "a quarter of a route's answers are 404",
	    .rule = "not-found",
	    .effect = EFFECT_STATUS,
	    .where = AT_MAIN,
	    .share_ppm = 250000,
	    .status = 404,
	    .cause = "item is not in the index",
	    .span_s = 600,
	},
	{
	    .name = "scan-burst",
	    .help = "a scanner asks for 300 paths in a minute",
	    .rule = "not-found-scan",
	    .effect = EFFECT_SCAN,
	    .clients = 1,
	    .paths = 300,
	    .every_ms = 200,
	    .span_s = 60,
	},
	{
	    .name = "scan-slow",
	    .help = "a scanner asks for a path every twenty seconds",
	    .rule = "not-found-scan",
	    .effect = EFFECT_SCAN,
	    .clients = 1,
	    .paths = 100000,
	    .every_ms = 20000,
	},
	{
	    .name = "scan-distributed",
	    .help = "150 clients scan, two paths each",
	    .rule = "not-found-surge",
	    .effect = EFFECT_SCAN,
	    .clients = 150,
	    .paths = 300,
	    .every_ms = 400,
	    .span_s = 120,
	},
	{
	    .name = "hammer",
	    .help = "one client asks for one missing file twice a second",
	    .rule = "not-found-scan",
	    .effect = EFFECT_HAMMER,
	    .clients = 1,
	    .paths = 1,
	    .every_ms = 500,
	    .span_s = 600,
	},
	{
	    .name = "masked-failure",
	    .help = "half the calls of a dependency fail, the clients see "
		    "success",
	    .rule = "masked-failure",
	    .effect = EFFECT_MASK,
	    .where = AT_DEPENDENCY,
	    .share_ppm = 500000,
	    .status = 500,
	    .span_s = 600,
	},
	{
	    .name = "error-surge",
	    .help = "a third of a route's answers are 500",
	    .rule = "server-error",
	    .effect = EFFECT_STATUS,
	    .where = AT_MAIN,
	    .share_ppm = 300000,
	    .status = 500,
	    .span_s = 600,
	},
	{
	    .name = "probe-fail",
	    .help = "health checks are answered 503, clients are served",
	    .rule = "target-health",
	    .effect = EFFECT_STATUS,
	    .where = AT_PROBES,
	    .share_ppm = 1000000,
	    .status = 503,
	    .cause = "health: a dependency is not ready",
	    .span_s = 300,
	},
	{
	    .name = "target-gone",
	    .help = "a task stops answering and prints nothing more",
	    .rule = "target-health",
	    .effect = EFFECT_HANG,
	    .where = AT_SERVICE,
	    .one_task = true,
	    .span_s = 300,
	},
	{
	    .name = "bad-task",
	    .help = "one task of two is slow",
	    .rule = "slow-post",
	    .effect = EFFECT_DELAY,
	    .where = AT_MAIN,
	    .share_ppm = 1000000,
	    .delay_ms = 1400,
	    .spread_ms = 1400,
	    .deploy = true,
	    .one_task = true,
	    .cause = "falling back to the software renderer",
	    .span_s = 900,
	},
	{
	    .name = "bad-deploy",
	    .help = "a new version fails: 60 % of a route's answers are 500",
	    .rule = "server-error",
	    .effect = EFFECT_STATUS,
	    .where = AT_MAIN,
	    .share_ppm = 600000,
	    .status = 500,
	    .deploy = true,
	    .span_s = 600,
	},
	{
	    .name = "queueing",
	    .help = "requests are served one at a time, each over a second; "
		    "the others of the service wait behind them",
	    .rule = "slow-post",
	    .effect = EFFECT_SERIAL,
	    .where = AT_MAIN,
	    .share_ppm = 1000000,
	    .delay_ms = 1100,
	    .spread_ms = 300,
	    .span_s = 300,
	},
	{
	    .name = "surge",
	    .help = "four times the requests, the same shares",
	    .effect = EFFECT_SURGE,
	    .span_s = 600,
	},
	{
	    .name = "daily-rhythm",
	    .help = "load and latency rise and fall as over a day",
	    .effect = EFFECT_RHYTHM,
	},
	{
	    .name = "redeploy",
	    .help = "a task is replaced by one with another address",
	    .effect = EFFECT_NONE,
	    .deploy = true,
	    .span_s = 300,
	},
	{
	    .name = "scale-in",
	    .help = "a task of several is taken out, and says so",
	    .effect = EFFECT_LEAVE,
	    .where = AT_SERVICE,
	    .cause = "SIGTERM received, shutting down",
	    .span_s = 300,
	},
	{
	    .name = "delivery-gap",
	    .help = "four minutes of all logs are lost on their way",
	    .effect = EFFECT_LOSE,
	    .where = AT_SERVICE,
	    .span_s = 240,
	},
	{
	    .name = "error-lines",
	    .help = "errors of something else fill the log",
	    .effect = EFFECT_WORDS,
	    .every_ms = 700,
	    .cause = "metrics: could not flush 12 series, will try again",
	    .span_s = 600,
	},
	{
	    .name = "busy-root",
	    .help = "people ask for the health check's path, through the "
		    "balancer",
	    .effect = EFFECT_ROOT,
	    .every_ms = 2500,
	},
	{
	    .name = "poller",
	    .help = "a job inside the network asks for the health check's path "
		    "every thirty seconds",
	    .effect = EFFECT_POLL,
	    .every_ms = 30000,
	},
	{
	    .name = "clean",
	    .help = "nothing happens",
	    .effect = EFFECT_NONE,
	},
};
const int incident_count = sizeof incident_table / sizeof incident_table[0];

void
simulate_catalogue(struct buf *out)
{
	for (int i = 0; i < incident_count; i++) {
		const struct incident_kind *k = &incident_table[i];

		buf_printf(out, "%-20s %-8s %-15s %s%s%s\n", k->name,
		    k->rule ? "incident" : "decoy", k->rule ? k->rule : "-",
		    k->help, k->only ? "; only of " : "",
		    k->only ? k->only : "");
	}
}

void
simulate_catalogue_json(struct buf *out)
{
	buf_cat(out, "{\"schema\":\"telltale/1\",\"command\":\"simulate\"");
	json_key(out, "incidents");
	buf_char(out, '[');
	for (int i = 0; i < incident_count; i++) {
		const struct incident_kind *k = &incident_table[i];

		json_item(out);
		buf_char(out, '{');
		json_member_str(out, "name", str_of(k->name));
		json_member_str(out, "class",
		    str_of(k->rule ? "incident" : "decoy"));
		if (k->rule)
			json_member_str(out, "rule", str_of(k->rule));
		json_member_str(out, "help", str_of(k->help));
		if (k->only)
			json_member_str(out, "workshop", str_of(k->only));
		buf_char(out, '}');
	}
	buf_cat(out, "]}\n");
}
