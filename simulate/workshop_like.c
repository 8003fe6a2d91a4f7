/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mythical Mysfits: the Like service and the monolith behind it.
 *
 * aws-samples/amazon-ecs-mythicalmysfits-workshop, workshop-3, with Flask 2.2
 * and Werkzeug 3.0 on Python 3.8.  Like's own health check calls the monolith's
 * through the balancer; a like answers 200 whatever the monolith answered; the
 * monolith writes access lines twice once its logging has a root handler.  The
 * Like service is traced and calls nothing that is; the monolith is not traced.
 */
#include "simulate/world.h"

enum { LIKE, MONOLITH };
enum { LIKE_ROOT, LIKE_LIKE, LIKE_BROKEN };
enum { MONO_ROOT, MONO_LIST, MONO_ONE, MONO_LIKE, MONO_ICON };

static const struct op like_root[] = {
	WORK(900),
	CALL(MONOLITH, MONO_ROOT),
	END,
};
static const struct op like_like[] = {
	SAY("Like received."),
	{ .kind = OP_CHAOS },
	WORK(1500),
	{ .kind = OP_CHAOS_ON },
	SAY("Like processed."),
	SAY("Fulfill processed."),
	CALL_MASKED(MONOLITH, MONO_LIKE),
	END,
};
static const struct op nothing[] = { WORK(400), END };
static const struct op mono_list[] = { WORK(3500), AWS("Scan", 9000), END };
static const struct op mono_one[] = { WORK(1500), AWS("GetItem", 4000), END };
static const struct op mono_like[] = {
	WORK(1800),
	AWS("UpdateItem", 7000),
	END,
};

static const struct route like_routes[] = {
	[LIKE_ROOT] = { "GET", "/", "/", 0, 200, 61, like_root },
	[LIKE_LIKE] = { "POST", "/mysfits/#/like", "/mysfits/{id}/like", 40,
	    200, 49, like_like },
	[LIKE_BROKEN] = { "POST", "/mysfits/#/undefined/like",
	    "/mysfits/{id}/undefined/like", 1, 404, 207, nothing },
};
static const struct route monolith_routes[] = {
	[MONO_ROOT] = { "GET", "/", "/", 0, 200, 61, nothing },
	[MONO_LIST] = { "GET", "/mysfits", "/mysfits", 25, 200, 9120,
	    mono_list },
	[MONO_ONE] = { "GET", "/mysfits/#", "/mysfits/{id}", 12, 200, 760,
	    mono_one },
	[MONO_LIKE] = { "POST", "/mysfits/#/fulfill-like",
	    "/mysfits/{id}/fulfill-like", 0, 200, 38, mono_like },
	[MONO_ICON] = { "GET", "/favicon.ico", "/favicon.ico", 3, 404, 207,
	    nothing },
};

#define DEVELOPMENT                                                            \
	("\033[31m\033[1mWARNING: This is a development server. Do not use "   \
	 "it in a production deployment. Use a production WSGI server "        \
	 "instead.\033[0m")

static const char *const like_start[] = {
	"[,] INFO in middleware: initializing xray middleware",
	" * Serving Flask app 'mysfits_like'",
	" * Debug mode: on",
	DEVELOPMENT,
	" * Running on all addresses (0.0.0.0)",
	" * Running on http://127.0.0.1:80",
	" * Running on http://@:80",
	"\033[33mPress CTRL+C to quit\033[0m",
	" * Restarting with stat",
	"[,] INFO in middleware: initializing xray middleware",
	" * Debugger is active!",
	" * Debugger PIN: #",
	NULL,
};
static const char *const like_failure[] = {
	"[,] ERROR in app: Exception on @",
	"Traceback (most recent call last):",
	("  File \"/usr/local/lib/python3.8/site-packages/flask/app.py\", line "
	 "1823, in full_dispatch_request"),
	"    rv = self.dispatch_request()",
	("  File \"/MythicalMysfitsService/mysfits_like.py\", line 52, in "
	 "likeMysfit"),
	"    process_like_request()",
	"RuntimeError: the request could not be processed",
	NULL,
};
static const char *const monolith_start[] = {
	" * Serving Flask app 'mythicalMysfitsService'",
	" * Debug mode: off",
	DEVELOPMENT,
	" * Running on all addresses (0.0.0.0)",
	" * Running on http://127.0.0.1:80",
	" * Running on http://@:80",
	"\033[33mPress CTRL+C to quit\033[0m",
	NULL,
};
static const char *const monolith_failure[] = {
	"ERROR:mythicalMysfitsService:Exception on @",
	"Traceback (most recent call last):",
	("  File \"/usr/local/lib/python3.8/site-packages/flask/app.py\", line "
	 "2529, in wsgi_app"),
	"    response = self.full_dispatch_request()",
	"  File \"mythicalMysfitsService.py\", line 61, in likeMysfit",
	"    serviceResponse = mysfitsTableClient.likeMysfit(mysfit_id)",
	("  File "
	 "\"/usr/local/lib/python3.8/site-packages/botocore/client.py\", "
	 "line 964, in _make_api_call"),
	"    raise error_class(parsed_response, operation_name)",
	("botocore.exceptions.ClientError: An error occurred "
	 "(ValidationException) when calling the UpdateItem operation: The "
	 "provided expression refers to an attribute that does not exist in "
	 "the "
	 "item"),
	NULL,
};

static const char *const mysfits[] = {
	"4e53920c-505a-4a90-a694-b9300791f0ae",
	"2b473002-36f8-4b87-954e-9a377e0ccbec",
	"0e37d916-f960-4772-a25a-01b762b5c1bd",
	"da5303ae-5aba-495c-b5d6-eb5c4a66b941",
	"a901bb08-1985-42f5-bb77-27439ac14300",
	"b41ff031-141e-4a8d-bb56-158a22bea0b3",
	"3f0f196c-4a7b-43af-9e29-6522a715342d",
	"c0684344-1eb7-40e7-b334-06d25ac9268c",
	"ac3e95f3-eb40-4e4e-a605-9fdd0224877c",
	"33e1fbd4-2fd8-45fb-a42f-f92551694506",
	"b6d16e02-6aeb-413c-b457-321151bb403d",
	NULL,
};

static const struct service services[] = {
	[LIKE] = {
	    .name = "like service",
	    .group = "mysfits-MythicalLikeLogGroup-1HX5K0J2TQ9ZP",
	    .stream = "awslogs-mythicalmysfits-service/like-service/",
	    .module = "mysfits_like",
	    .dialect = DIALECT_WERKZEUG,
	    .say = SAY_FLASK,
	    .sdk = SDK_PYTHON,
	    .tasks = 1,
	    .workers = 64,
	    .probing = { .route = LIKE_ROOT,
	        .interval_s = { 10 },
	        .traced = true },
	    .routes = like_routes,
	    .n_routes = 3,
	    .start = like_start,
	    .failure = like_failure,
	},
	[MONOLITH] = {
	    .name = "monolith",
	    .group = "mysfits-MythicalMonolithLogGroup-7QK2VX0N3W1D",
	    .stream = "awslogs-mythicalmysfits-service/monolith-service/",
	    .module = "root",
	    .dialect = DIALECT_WERKZEUG_TWICE,
	    .say = SAY_PLAIN,
	    .tasks = 1,
	    .workers = 64,
	    .probing = { .route = MONO_ROOT, .interval_s = { 10 } },
	    .routes = monolith_routes,
	    .n_routes = 5,
	    .start = monolith_start,
	    .failure = monolith_failure,
	},
};

const struct workshop workshop_like = {
	.name = "like",
	.help = "Mythical Mysfits: the Like service and the monolith behind it",
	.services = services,
	.n_services = 2,
	.main = { LIKE, LIKE_LIKE },
	.dependency = { MONOLITH, MONO_LIKE },
	.aws = { MONOLITH, MONO_LIKE },
	.front = MONOLITH,
	.rate_micro = 4000000,
	.host = "alb-mysfits-1480921653.us-west-2.elb.amazonaws.com",
	.nodes = { "10.0.0.214", "10.0.1.87" },
	.ids = mysfits,
	.broken_id = "0e37d916-f960-4772-a25a-01b762b5c1b",
	.agents = workshop_agents,
};
