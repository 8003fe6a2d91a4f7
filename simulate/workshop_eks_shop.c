/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AnyCompany Shop on EKS: six services, two pods each.
 *
 * aws-samples/reinvent2018-dev303-code in its 2018 shape, whose catalog reads
 * DynamoDB.  The node's kubelet probes every pod twice; the probes of the
 * Python services are traced, those of the node services are not.  Lines are
 * wrapped by Container Insights.  Behind the Classic balancer the frontend sees
 * the node that forwarded; between services, pods see pods.
 */
#include "simulate/world.h"

enum { FRONTEND, IMAGES, CART, CATALOG, ORDER, RECOMMENDER };
enum {
	WEB_HEALTH,
	WEB_PRODUCTS,
	WEB_PRODUCT,
	WEB_CART,
	WEB_ADD,
	WEB_ORDER,
	WEB_IMAGE,
	WEB_ICON,
};
enum { HEALTH, GET_ONE, OTHER, REMOVE };

static const struct op health[] = { WORK(700), END };
static const struct op products[] = { WORK(6000), CALL(CATALOG, OTHER), END };
static const struct op product[] = {
	WORK(5000),
	CALL(CATALOG, GET_ONE),
	CALL_MASKED(RECOMMENDER, GET_ONE),
	END,
};
static const struct op cart[] = {
	WORK(4000),
	CALL(CART, GET_ONE),
	CALL(CATALOG, GET_ONE),
	END,
};
static const struct op add[] = { WORK(4000), CALL_MASKED(CART, OTHER), END };
static const struct op place[] = {
	WORK(6000),
	CALL_MASKED(ORDER, OTHER),
	CALL_MASKED(CART, REMOVE),
	END,
};
static const struct op image[] = { WORK(2000), CALL(IMAGES, GET_ONE), END };
static const struct op resize[] = {
	{ .kind = OP_WORK, .us = 41000, .text = "ImageResize" },
	END,
};
static const struct op cache[] = { WORK(4000), END };
static const struct op lookup[] = { WORK(3000), AWS("GetItem", 9000), END };
static const struct op scan[] = { WORK(5000), AWS("Scan", 16000), END };
static const struct op charge[] = { WORK(60000), END };
static const struct op recommend[] = { WORK(7000), END };

static const struct route web_routes[] = {
	[WEB_HEALTH] = { "GET", "/healthz", "/healthz", 0, 200, 2, health },
	[WEB_PRODUCTS] = { "GET", "/products", "/products", 20, 200, 14630,
	    products },
	[WEB_PRODUCT] = { "GET", "/products/#", "/products/{id}", 30, 200, 7210,
	    product },
	[WEB_CART] = { "GET", "/cart", "/cart", 10, 200, 5120, cart },
	[WEB_ADD] = { "POST", "/cart", "/cart", 12, 302, 27, add },
	[WEB_ORDER] = { "POST", "/cart/order", "/cart/order", 12, 302, 33,
	    place },
	[WEB_IMAGE] = { "GET", "/images/%.jpg?w=300", "/images/{id}", 20, 200,
	    18044, image },
	[WEB_ICON] = { "GET", "/favicon.ico", "/favicon.ico", 2, 404, 150,
	    health },
};
static const struct route image_routes[] = {
	[HEALTH] = { "GET", "/healthz", "/healthz", 0, 200, 2, health },
	[GET_ONE] = { "GET", "/%.jpg?w=300", "/{id}", 0, 200, 18044, resize },
};
static const struct route cart_routes[] = {
	[HEALTH] = { "GET", "/api/v1/healthz", "/api/v1/healthz", 0, 200, 15,
	    health },
	[GET_ONE] = { "GET", "/api/v1/cart/#", "/api/v1/cart/{id}", 0, 200, 88,
	    cache },
	[OTHER] = { "POST", "/api/v1/cart", "/api/v1/cart", 0, 200, 64, cache },
	[REMOVE] = { "DELETE", "/api/v1/cart/#", "/api/v1/cart/{id}", 0, 200,
	    27, cache },
};
static const struct route catalog_routes[] = {
	[HEALTH] = { "GET", "/api/v1/healthz", "/api/v1/healthz", 0, 200, 15,
	    health },
	[GET_ONE] = { "GET", "/api/v1/product/#", "/api/v1/product/{id}", 0,
	    200, 604, lookup },
	[OTHER] = { "GET", "/api/v1/products", "/api/v1/products", 0, 200, 5480,
	    scan },
};
static const struct route order_routes[] = {
	[HEALTH] = { "GET", "/api/v1/healthz", "/api/v1/healthz", 0, 200, 15,
	    health },
	[GET_ONE] = { "GET", "/api/v1/order/#", "/api/v1/order/{id}", 0, 200,
	    120, cache },
	[OTHER] = { "POST", "/api/v1/order", "/api/v1/order", 0, 200, 97,
	    charge },
};
static const struct route recommender_routes[] = {
	[HEALTH] = { "GET", "/api/v1/healthz", "/api/v1/healthz", 0, 200, 15,
	    health },
	[GET_ONE] = { "GET", "/api/v1/recommender/#",
	    "/api/v1/recommender/{id}", 0, 200, 310, recommend },
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
static const char *const gunicorn_failure[] = {
	"[ +0000] [8] [ERROR] Error handling request @",
	"Traceback (most recent call last):",
	("  File \"/usr/local/lib/python3.8/site-packages/flask/app.py\", line "
	 "1513, in full_dispatch_request"),
	"    rv = self.dispatch_request()",
	("botocore.errorfactory.ProvisionedThroughputExceededException: An "
	 "error "
	 "occurred (ProvisionedThroughputExceededException) when calling the "
	 "GetItem operation (reached max retries: 9): The level of configured "
	 "provisioned throughput for the table was exceeded."),
	NULL,
};

static const char *const product_ids[] = {
	"f6c41b4a-7bf1-4b4c-8ab1-1ff0dd2c9e11",
	"0a1c4c2d-9e0f-44f1-8d0b-4b06c4e7d8a2",
	"7d3b8f55-6a2e-4d7a-9b1c-58cf2b8f3c40",
	"c2a9e1d7-3f4b-4e21-b6d5-9a3e71c0f5b6",
	"5e8f0b93-1d6c-47a8-8e2f-d4b7a6093c15",
	"91b4d6f2-8c3a-4f5e-a7d9-2e6c0f18b374",
	"a8d2c5e7-4b1f-4c93-9f60-7b3e5d12c8a4",
	"3c7e9a15-2f8d-4a6b-b0c4-e1d5f6a79283",
	"e4f1a6c8-5d2b-4937-8c1e-0f9b6d3a7c52",
	NULL,
};

#define GROUP "/aws/containerinsights/anycompany-shop/application"
static const struct service services[] = {
	[FRONTEND] = {
	    .name = "Frontend",
	    .group = GROUP,
	    .stream = "",
	    .module = "frontend",
	    .host = "frontend:8080",
	    .dialect = DIALECT_COMMON,
	    .sdk = SDK_NODE,
	    .patched = true,
	    .wrapped = true,
	    .tasks = 2,
	    .workers = 64,
	    .probing = { .route = WEB_HEALTH,
	        .interval_s = { 10, 30 },
	        .kubelet = true },
	    .routes = web_routes,
	    .n_routes = 8,
	},
	[IMAGES] = {
	    .name = "ImageService",
	    .group = GROUP,
	    .stream = "",
	    .module = "imageservice",
	    .host = "imageservice:9000",
	    .dialect = DIALECT_COMBINED,
	    .sdk = SDK_NODE,
	    .patched = true,
	    .wrapped = true,
	    .tasks = 2,
	    .workers = 64,
	    .probing = { .route = HEALTH,
	        .interval_s = { 30, 30 },
	        .kubelet = true },
	    .routes = image_routes,
	    .n_routes = 2,
	},
	[CART] = {
	    .name = "cartservice",
	    .group = GROUP,
	    .stream = "",
	    .module = "cartservice",
	    .host = "cartservice:8080",
	    .dialect = DIALECT_GUNICORN,
	    .say = SAY_GUNICORN,
	    .sdk = SDK_PYTHON,
	    .plugins = true,
	    .patched = true,
	    .wrapped = true,
	    .tasks = 2,
	    .workers = 64,
	    .probing = { .route = HEALTH,
	        .interval_s = { 30, 30 },
	        .kubelet = true,
	        .traced = true },
	    .routes = cart_routes,
	    .n_routes = 4,
	    .start = gunicorn_start,
	    .stop = gunicorn_stop,
	    .failure = gunicorn_failure,
	},
	[CATALOG] = {
	    .name = "catalogservice",
	    .group = GROUP,
	    .stream = "",
	    .module = "catalogservice",
	    .host = "catalogservice:8080",
	    .dialect = DIALECT_GUNICORN,
	    .say = SAY_GUNICORN,
	    .sdk = SDK_PYTHON,
	    .plugins = true,
	    .patched = true,
	    .wrapped = true,
	    .tasks = 2,
	    .workers = 64,
	    .probing = { .route = HEALTH,
	        .interval_s = { 30, 15 },
	        .kubelet = true,
	        .traced = true },
	    .routes = catalog_routes,
	    .n_routes = 3,
	    .start = gunicorn_start,
	    .stop = gunicorn_stop,
	    .failure = gunicorn_failure,
	},
	[ORDER] = {
	    .name = "orderservice",
	    .group = GROUP,
	    .stream = "",
	    .module = "orderservice",
	    .host = "orderservice:8080",
	    .dialect = DIALECT_GUNICORN,
	    .say = SAY_GUNICORN,
	    .sdk = SDK_PYTHON,
	    .plugins = true,
	    .patched = true,
	    .wrapped = true,
	    .tasks = 2,
	    .workers = 64,
	    .probing = { .route = HEALTH,
	        .interval_s = { 30, 30 },
	        .kubelet = true,
	        .traced = true },
	    .routes = order_routes,
	    .n_routes = 3,
	    .start = gunicorn_start,
	    .stop = gunicorn_stop,
	    .failure = gunicorn_failure,
	},
	[RECOMMENDER] = {
	    .name = "recommenderservice",
	    .group = GROUP,
	    .stream = "",
	    .module = "recommenderservice",
	    .host = "recommenderservice:8080",
	    .dialect = DIALECT_GUNICORN,
	    .say = SAY_GUNICORN,
	    .sdk = SDK_PYTHON,
	    .plugins = true,
	    .patched = true,
	    .wrapped = true,
	    .tasks = 2,
	    .workers = 64,
	    .probing = { .route = HEALTH,
	        .interval_s = { 30, 30 },
	        .kubelet = true,
	        .traced = true },
	    .routes = recommender_routes,
	    .n_routes = 2,
	    .start = gunicorn_start,
	    .stop = gunicorn_stop,
	    .failure = gunicorn_failure,
	},
};

const struct workshop workshop_eks_shop = {
	.name = "eks-shop",
	.help = "AnyCompany Shop on EKS: six services, DynamoDB behind the "
		"catalog",
	.services = services,
	.n_services = 6,
	.main = { FRONTEND, WEB_ORDER },
	.dependency = { ORDER, OTHER },
	.aws = { CATALOG, GET_ONE },
	.front = FRONTEND,
	.rate_micro = 4000000,
	.host = "a2f1c9-1102938475.us-west-2.elb.amazonaws.com",
	.nodes = { "192.168.42.17", "192.168.81.203" },
	.ids = product_ids,
	.broken_id = "00000000-0000-0000-0000-000000000000",
	.agents = workshop_agents,
};
