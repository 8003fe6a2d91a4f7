/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A production fleet: as many services as asked for, four kinds in turn, each
 * behind the same balancer, with the load of a day.
 *
 * Orders are a Rack program, whose lines have durations, and reserve in the
 * stock next to them; profiles sit behind nginx; search is a traced Python
 * program.
 */
#include "simulate/world.h"

enum { ORDERS, STOCK, PROFILES, SEARCH };
enum { HEALTH, READ, LIST, WRITE, MISSING };

static const struct op health[] = { WORK(300), END };
static const struct op read_one[] = { WORK(11000), END };
static const struct op list[] = { WORK(26000), END };
static const struct op write_one[] = { WORK(45000), END };
static const struct op order[] = {
	WORK(32000),
	CALL(STOCK, WRITE),
	END,
};
static const struct op reserve[] = {
	WORK(8000),
	AWS("UpdateItem", 12000),
	END,
};

static const struct route orders_routes[] = {
	[HEALTH] = { "GET", "/health", "/health", 0, 200, 15, health },
	[READ] = { "GET", "/v1/orders/%", "/v1/orders/{id}", 60, 200, 1150,
	    read_one },
	[LIST] = { "GET", "/v1/orders", "/v1/orders", 20, 200, 9420, list },
	[WRITE] = { "POST", "/v1/orders", "/v1/orders", 15, 201, 310, order },
	[MISSING] = { "GET", "/favicon.ico", "/favicon.ico", 2, 404, 18,
	    health },
};
static const struct route stock_routes[] = {
	[HEALTH] = { "GET", "/health", "/health", 0, 200, 15, health },
	[READ] = { "GET", "/v1/stock/%", "/v1/stock/{id}", 70, 200, 420,
	    read_one },
	[LIST] = { "GET", "/v1/stock", "/v1/stock", 15, 200, 8800, list },
	[WRITE] = { "POST", "/v1/reservations", "/v1/reservations", 0, 200, 96,
	    reserve },
};
static const struct route profiles_routes[] = {
	[HEALTH] = { "GET", "/health", "/health", 0, 200, 15, health },
	[READ] = { "GET", "/v1/profiles/%", "/v1/profiles/{id}", 75, 200, 830,
	    read_one },
	[LIST] = { "GET", "/v1/profiles", "/v1/profiles", 5, 200, 12040, list },
	[WRITE] = { "PUT", "/v1/profiles/%", "/v1/profiles/{id}", 10, 204, 0,
	    write_one },
};
static const struct route search_routes[] = {
	[HEALTH] = { "GET", "/health", "/health", 0, 200, 15, health },
	[READ] = { "GET", "/v1/documents/%", "/v1/documents/{id}", 40, 200,
	    2210, read_one },
	[LIST] = { "GET", "/v1/suggest", "/v1/suggest", 30, 200, 640, list },
	[WRITE] = { "POST", "/v1/search", "/v1/search", 30, 200, 5070,
	    write_one },
};

static const char *const gunicorn_start[] = {
	"[ +0000] [7] [INFO] Starting gunicorn 20.1.0",
	"[ +0000] [7] [INFO] Listening at: http://0.0.0.0:8080 (7)",
	"[ +0000] [7] [INFO] Using worker: gevent",
	"[ +0000] [8] [INFO] Booting worker with pid: 8",
	NULL,
};
static const char *const gunicorn_stop[] = {
	"[ +0000] [7] [INFO] Handling signal: term",
	"[ +0000] [8] [INFO] Worker exiting (pid: 8)",
	NULL,
};

static const struct service services[] = {
	[ORDERS] = {
	    .name = "orders",
	    .group = "/fleet/orders",
	    .stream = "fleet/orders/",
	    .module = "orders",
	    .dialect = DIALECT_RACK,
	    .tasks = 2,
	    .workers = 512,
	    .probing = { .route = HEALTH, .interval_s = { 15 } },
	    .routes = orders_routes,
	    .n_routes = 5,
	},
	[STOCK] = {
	    .name = "stock",
	    .group = "/fleet/stock",
	    .stream = "fleet/stock/",
	    .module = "stock",
	    .dialect = DIALECT_COMBINED,
	    .tasks = 2,
	    .workers = 512,
	    .probing = { .route = HEALTH, .interval_s = { 15 } },
	    .routes = stock_routes,
	    .n_routes = 4,
	},
	[PROFILES] = {
	    .name = "profiles",
	    .group = "/fleet/profiles",
	    .stream = "fleet/profiles/",
	    .module = "profiles",
	    .dialect = DIALECT_NGINX,
	    .tasks = 2,
	    .workers = 512,
	    .probing = { .route = HEALTH, .interval_s = { 15 } },
	    .routes = profiles_routes,
	    .n_routes = 4,
	},
	[SEARCH] = {
	    .name = "search",
	    .group = "/fleet/search",
	    .stream = "fleet/search/",
	    .module = "search",
	    .dialect = DIALECT_GUNICORN,
	    .say = SAY_GUNICORN,
	    .sdk = SDK_PYTHON,
	    .plugins = true,
	    .tasks = 2,
	    .workers = 512,
	    .probing = { .route = HEALTH, .interval_s = { 15 } },
	    .routes = search_routes,
	    .n_routes = 4,
	    .start = gunicorn_start,
	    .stop = gunicorn_stop,
	},
};

const struct workshop workshop_fleet = {
	.name = "fleet",
	.help = "as many services as asked for (--services), with the load of "
		"a day",
	.services = services,
	.n_services = 4,
	.main = { ORDERS, WRITE },
	.dependency = { STOCK, WRITE },
	.aws = { STOCK, WRITE },
	.front = ORDERS,
	.rate_micro = 40000000,
	.host = "fleet-2094417.us-west-2.elb.amazonaws.com",
	.nodes = { "10.8.0.31", "10.8.64.112" },
	.agents = workshop_agents,
	.repeated = true,
	.daily = true,
};
