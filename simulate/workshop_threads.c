/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Monolith to microservices, after the split: users, posts and threads.
 *
 * awslabs/amazon-ecs-nodejs-microservices, 3-microservices, on Fargate.  koa
 * prints method, URL and milliseconds, no status, time, address or agent: a 404
 * shows in the balancer's access log only, a health check as exactly
 * `GET / - <ms>` and there not at all.
 */
#include "simulate/world.h"

enum { USERS, POSTS, THREADS };
enum { ROOT, FIRST, SECOND, ICON };

static const struct op root[] = { WORK(400), END };
static const struct op list[] = { WORK(1800), END };
static const struct op one[] = { WORK(1200), END };

static const struct route users_routes[] = {
	[ROOT] = { "GET", "/", "/", 0, 200, 25, root },
	[FIRST] = { "GET", "/api/users", "/api/users", 20, 200, 1320, list },
	[SECOND] = { "GET", "/api/users/%", "/api/users/{id}", 20, 200, 131,
	    one },
	[ICON] = { "GET", "/favicon.ico", "/favicon.ico", 1, 404, 9, root },
};
static const struct route posts_routes[] = {
	[ROOT] = { "GET", "/", "/", 0, 200, 25, root },
	[FIRST] = { "GET", "/api/posts/in-thread/%",
	    "/api/posts/in-thread/{id}", 30, 200, 512, list },
	[SECOND] = { "GET", "/api/posts/by-user/%", "/api/posts/by-user/{id}",
	    10, 200, 418, list },
};
static const struct route threads_routes[] = {
	[ROOT] = { "GET", "/", "/", 0, 200, 25, root },
	[FIRST] = { "GET", "/api/threads", "/api/threads", 20, 200, 980, list },
	[SECOND] = { "GET", "/api/threads/%", "/api/threads/{id}", 20, 200, 190,
	    one },
};

static const char *const start[] = { "Worker started", NULL };

static const struct service services[] = {
	[USERS] = {
	    .name = "users",
	    .group = "/ecs/users",
	    .stream = "ecs/users-cntr/",
	    .module = "users",
	    .dialect = DIALECT_KOA,
	    .say = SAY_PLAIN,
	    .tasks = 2,
	    .workers = 32,
	    .probing = { .route = ROOT, .interval_s = { 6 } },
	    .routes = users_routes,
	    .n_routes = 4,
	    .start = start,
	},
	[POSTS] = {
	    .name = "posts",
	    .group = "/ecs/posts",
	    .stream = "ecs/posts-cntr/",
	    .module = "posts",
	    .dialect = DIALECT_KOA,
	    .say = SAY_PLAIN,
	    .tasks = 2,
	    .workers = 32,
	    .probing = { .route = ROOT, .interval_s = { 6 } },
	    .routes = posts_routes,
	    .n_routes = 3,
	    .start = start,
	},
	[THREADS] = {
	    .name = "threads",
	    .group = "/ecs/threads",
	    .stream = "ecs/threads-cntr/",
	    .module = "threads",
	    .dialect = DIALECT_KOA,
	    .say = SAY_PLAIN,
	    .tasks = 2,
	    .workers = 32,
	    .probing = { .route = ROOT, .interval_s = { 6 } },
	    .routes = threads_routes,
	    .n_routes = 3,
	    .start = start,
	},
};

const struct workshop workshop_threads = {
	.name = "threads",
	.help = "users, posts and threads behind path rules, with the "
		"balancer's access log",
	.services = services,
	.n_services = 3,
	.main = { POSTS, FIRST },
	.dependency = { 0, -1 },
	.aws = { 0, -1 },
	.front = USERS,
	.rate_micro = 6000000,
	.host = "demo-1298374.us-west-2.elb.amazonaws.com",
	.nodes = { "10.0.0.57", "10.0.1.57" },
	.agents = workshop_agents,
	.access_log = true,
};
