/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interstella 8888, the fourth workshop: iridium, magnesite and fulfill.
 *
 * aws-samples/amazon-ecs-interstella-workshop, reinvent2017.  Flask 0.12's
 * app.logger in debug mode writes four lines a record, basicConfig prefixes the
 * access lines, the development server serves one request at a time.  Orders
 * come from SNS at :00 and :30; a failure is answered by 200, only the
 * program's lines tell.
 */
#include "simulate/world.h"

enum { FULFILL, IRIDIUM, MAGNESITE };
enum { ROOT, ORDER };

static const struct op root[] = { WORK(500), END };
static const struct op fulfill[] = {
	SAY_AT(41, "Trying to send a request to the API"),
	WORK(38000),
	SAY_AT(46, "API Status Code: 200"),
	SAY_AT(58, "Bundle fulfilled"),
	END,
};
static const struct op iridium[] = {
	SAY_AT(86, "Gathering requested item"),
	SAY_AT(32, "Producing iridium"),
	{ .kind = OP_WORK, .us = 24000, .text = "produceResource" },
	{ .kind = OP_CALL,
	    .service = FULFILL,
	    .route = ORDER,
	    .text = "fulfill",
	    .masked = true },
	SAY_AT(47, "$"),
	{ .kind = OP_SAY,
	    .line = 91,
	    .text = "iridium fulfilled",
	    .well_only = true },
	END,
};
static const struct op magnesite[] = {
	SAY_AT(86, "Gathering requested item"),
	SAY_AT(32, "Producing magnesite"),
	{ .kind = OP_WORK, .us = 27000, .text = "produceResource" },
	{ .kind = OP_CALL,
	    .service = FULFILL,
	    .route = ORDER,
	    .text = "fulfill",
	    .masked = true },
	SAY_AT(47, "$"),
	{ .kind = OP_SAY,
	    .line = 91,
	    .text = "magnesite fulfilled",
	    .well_only = true },
	END,
};

static const struct route fulfill_routes[] = {
	[ROOT] = { "GET", "/", "/", 0, 200, 27, root },
	[ORDER] = { "POST", "/fulfill/", "/fulfill/", 1, 200, 29, fulfill },
};
static const struct route iridium_routes[] = {
	[ROOT] = { "GET", "/iridium/", "/iridium/", 0, 200, 35, root },
	[ORDER] = { "POST", "/iridium/", "/iridium/", 1, 200, 29, iridium },
};
static const struct route magnesite_routes[] = {
	[ROOT] = { "GET", "/magnesite/", "/magnesite/", 0, 200, 37, root },
	[ORDER] = { "POST", "/magnesite/", "/magnesite/", 1, 200, 29,
	    magnesite },
};

static const char *const start[] = {
	("INFO:botocore.vendored.requests.packages.urllib3.connectionpool:"
	 "Starting new HTTP connection (1): 169.254.169.254"),
	"INFO:werkzeug: * Running on http://0.0.0.0:80/ (Press CTRL+C to quit)",
	"INFO:werkzeug: * Restarting with stat",
	("INFO:botocore.vendored.requests.packages.urllib3.connectionpool:"
	 "Starting new HTTP connection (1): 169.254.169.254"),
	"WARNING:werkzeug: * Debugger is active!",
	"INFO:werkzeug: * Debugger PIN: #",
	NULL,
};
static const char *const failure[] = {
	"Traceback (most recent call last):",
	("  File \"/usr/local/lib/python2.7/dist-packages/flask/app.py\", line "
	 "1997, in __call__"),
	"    return self.wsgi_app(environ, start_response)",
	("  File \"/usr/local/lib/python2.7/dist-packages/flask/app.py\", line "
	 "1598, in dispatch_request"),
	"    return self.view_functions[rule.endpoint](**req.view_args)",
	"KeyError: 'Message'",
	NULL,
};
static const char *const agents[] = {
	"Amazon Simple Notification Service Agent",
	NULL,
};

static const struct service services[] = {
	[FULFILL] = {
	    .name = "fulfill",
	    .group = "interstella-fulfill",
	    .stream = "",
	    .module = "fulfill",
	    .dialect = DIALECT_WERKZEUG_INFO,
	    .say = SAY_FLASK_OLD,
	    .sdk = SDK_PYTHON,
	    .plugins = true,
	    .patched = true,
	    .tasks = 1,
	    .workers = 1,
	    .probing = { .route = ROOT,
	        .interval_s = { 10 },
	        .traced = true },
	    .routes = fulfill_routes,
	    .n_routes = 2,
	    .start = start,
	    .failure = failure,
	    .failure_after = true,
	},
	[IRIDIUM] = {
	    .name = "iridium",
	    .group = "interstella-iridium",
	    .stream = "",
	    .module = "iridium",
	    .dialect = DIALECT_WERKZEUG_INFO,
	    .say = SAY_FLASK_OLD,
	    .sdk = SDK_PYTHON,
	    .plugins = true,
	    .patched = true,
	    .tasks = 1,
	    .workers = 1,
	    .probing = { .route = ROOT,
	        .interval_s = { 10 },
	        .traced = true },
	    .routes = iridium_routes,
	    .n_routes = 2,
	    .start = start,
	    .failure = failure,
	    .failure_after = true,
	},
	[MAGNESITE] = {
	    .name = "magnesite",
	    .group = "interstella-magnesite",
	    .stream = "",
	    .module = "magnesite",
	    .dialect = DIALECT_WERKZEUG_INFO,
	    .say = SAY_FLASK_OLD,
	    .sdk = SDK_PYTHON,
	    .plugins = true,
	    .patched = true,
	    .tasks = 1,
	    .workers = 1,
	    .probing = { .route = ROOT,
	        .interval_s = { 10 },
	        .traced = true },
	    .routes = magnesite_routes,
	    .n_routes = 2,
	    .start = start,
	    .failure = failure,
	    .failure_after = true,
	},
};

const struct workshop workshop_interstella = {
	.name = "interstella",
	.help = "Interstella 8888: orders by SNS, three single-threaded "
		"services",
	.services = services,
	.n_services = 3,
	.main = { IRIDIUM, ORDER },
	.dependency = { FULFILL, ORDER },
	.aws = { 0, -1 },
	.front = FULFILL,
	.rate_micro = 600000,
	.host = "interstella-alb-1523380174.us-west-2.elb.amazonaws.com",
	.nodes = { "10.177.11.142", "10.177.10.144" },
	.agents = agents,
	.bursts = true,
};
