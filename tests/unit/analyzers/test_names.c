/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of services: what is read out of a log group, a stream or the path of a
 * file.
 */
#include "analyzers/names.h"

#include <criterion/criterion.h>

#define HEX32 "36a6e70892a1488f94f79161710aadf3"
#define HEX64 HEX32 HEX32
#define UUID "9fffe739-4799-4520-a982-9ac80141d979"

static const struct {
	const char *group, *stream, *path, *name;
} names[] = {
	/* by_pod */
	{ "/aws/containerinsights/c/application",
	    "ip-10-0-1-5.ec2.internal-application.var.log.containers."
	    "cart-7d4b9c6f58-x2x9z_microservices-aws_cartservice-" HEX64 ".log",
	    "", "cartservice" },
	{ "/aws/containerinsights/c/application",
	    "h-application.var.log.containers.cart-7d4b9c6f58-x2x9z_shop_"
	    "app-" HEX64 ".log",
	    "", "cart" },
	{ "", "", "/var/log/containers/web-x2x9z_shop_web-" HEX64 ".log",
	    "web" },
	/* by_aws_group */
	{ "/aws/lambda/resize-image", "2018/11/27/[$LATEST]" HEX32, "",
	    "resize-image" },
	{ "/aws/elasticbeanstalk/shop-env/var/log/nginx/access.log",
	    "i-0123456789abcdef0", "", "shop-env" },
	{ "/aws/rds/instance/orders/postgresql", "orders.0", "", "orders" },
	{ "/aws/containerinsights/c/application", "", "", "c" },
	/* by_container */
	{ "", "ecs/users-cntr/" HEX32, "", "users" },
	{ "/ecs/core-monolith", "ecs/core-monolith-cntr/" UUID, "",
	    "monolith" },
	{ "/ecs/shop", "ecs/order-history/" HEX32, "", "order-history" },
	{ "ECSLogGroup-demo", "ecs/posts/" UUID, "", "posts" },
	{ "mmtest-MythicalLikeLogGroup-1V9KQ3Z0XJ7TD",
	    "awslogs-mythicalmysfits-service/like-service/" HEX32, "", "like" },
	{ "mmtest-MythicalLikeLogGroup-1V9KQ3Z0XJ7TD",
	    "awslogs-mythicalmysfits-service/like-service", "", "like" },
	{ "/ecs/shop-web", "ecs/app/" HEX32, "", "web" },
	/* by_stack_group */
	{ "mysfits-MythicalLikeLogGroup-2Y", "", "", "like" },
	{ "mmtest-MythicalMonolithLogGroup-8R2M5C6WNA4P", HEX64, "",
	    "monolith" },
	{ "OrderServiceLogGroup", "", "", "order" },
	/* by_group */
	{ "/ecs/core-monolith", "", "", "monolith" },
	{ "/ecs/like", "", "", "like" },
	{ "interstella-iridium", HEX64, "", "iridium" },
	{ "like", "awslogs-mythicalmysfits-service-like-service-" HEX32, "",
	    "like" },
	{ "prod-order-history", "", "", "order-history" },
	{ "mysfits-order-history", "", "", "mysfits-order-history" },
	{ "exports/2018/like", "", "", "like" },
	/* by_stream */
	{ "", "awslogs-mythicalmysfits-service-monolith-service-" HEX32, "",
	    "monolith" },
	{ "", "awslogs-mythicalmysfits-service-monolith-service-" UUID, "",
	    "monolith" },
	{ "exportedlogs", "ecs-web-" HEX32, "", "web" },
	/* by_balancer, by_distribution */
	{ "", "",
	    "AWSLogs/123456789012/elasticloadbalancing/us-west-2/2026/11/21/"
	    "123456789012_elasticloadbalancing_us-west-2_app.demo."
	    "50dc6c495c0c9188_20261121T0200Z_10.0.0.57_3f1k9s.log.gz",
	    "demo" },
	{ "", "",
	    "123456789012_elasticloadbalancing_us-east-1_net.edge-nlb."
	    "50dc6c495c0c9188_20261121T0200Z_3f1k9s.log.gz",
	    "edge-nlb" },
	{ "", "",
	    "123456789012_elasticloadbalancing_us-west-2_my-loadbalancer_"
	    "20180215T2340Z_172.160.001.192_20sg8hgm.log",
	    "loadbalancer" },
	{ "", "", "cf/EMLARXS9EXAMPLE.2019-11-14-20.RT4KCN4SGK9.gz",
	    "EMLARXS9EXAMPLE" },
	{ "", "", "s3/logs-shop/2026-11-21-02-00-00-0123456789ABCDEF", "shop" },
	/* by_path */
	{ "", "", "shop/access.log.gz", "shop" },
	{ "", "", "/var/log/shop/access.log.2.gz", "shop" },
	{ "", "", "iridium-access.log", "iridium" },
	{ "", "", "logs/like.log", "like" },
	{ "", "", "a/" UUID "/000000.gz", "a" },
	{ "", "", "nginx-access-beats.log", "beats" },
	/* by_descriptor */
	{ "", "", "-", "stdin" },
	{ "", "", "/dev/stdin", "stdin" },
	{ "", "", "/dev/fd/0", "stdin" },
	{ "", "", "/dev/fd/63", "fd63" },
	{ "", "", "/proc/self/fd/63", "fd63" },
	{ "", "", "fd63", "fd63" },
	{ "", "", "/dev/fd/shop", "shop" },
	/* by_anything */
	{ "", "", "access.log", "access" },
	{ "ECSLogGroup-demo", "", "", "ECSLogGroup-demo" },
	{ "", HEX64, "", "unknown" },
	{ "", "", "", "unknown" },
	{ "-", "-", "/", "-" },
	{ "////", "_-_", "..", "_-_" },
};

Test(names, readable_part_is_found)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct buf b = { 0 };
		struct str got;

		name_readable(&b, str_of(names[i].group),
		    str_of(names[i].stream), str_of(names[i].path));
		got = buf_view(&b);
		cr_expect(str_eq(got, str_of(names[i].name)),
		    "[%s] [%s] [%s]: %.*s, not %s", names[i].group,
		    names[i].stream, names[i].path, STR_ARG(got),
		    names[i].name);
		buf_fini(&b);
	}
}

/* A readable name of a path stands for the path afterwards. */
Test(names, name_of_a_path_is_its_own_name)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct buf b = { 0 };
		struct buf again = { 0 };

		name_readable(&b, STR(""), STR(""), str_of(names[i].path));
		name_readable(&again, STR(""), STR(""), buf_view(&b));
		cr_expect(str_eq(buf_view(&b), buf_view(&again)), "%s: %.*s",
		    names[i].path, STR_ARG(buf_view(&again)));
		buf_fini(&b);
		buf_fini(&again);
	}
}

static const struct {
	const char *stream, *stem;
} stems[] = {
	{ "ecs/web/" HEX32, "ecs/web" },
	{ "ecs/web/" UUID, "ecs/web" },
	{ "ecs-web-" HEX32, "ecs-web" },
	{ "ecs-web-" UUID, "ecs-web" },
	{ HEX64, "" },
	{ "i-0123456789abcdef0", "" },
	{ "2018/11/27/[$LATEST]" HEX32, "" },
	{ "2018-11-27-[$LATEST]" HEX32, "" },
	{ "2018-11-27-[17]" HEX32, "" },
	{ "[$LATEST]" HEX32, "" },
	{ "like-[x]" HEX32, "like-[x]" HEX32 },
	{ "ip-10-0-3-17", "" },
	{ "ip-10-0-3-17.eu-west-1.compute.internal", "" },
	{ "ip-10-0-3-17/web", "web" },
	{ "ip-ranges-1", "ip-ranges-1" },
	{ "cart-7d4b9c6f58-x2x9z", "cart" },
	{ "web-api", "web-api" },
	{ "like", "like" },
	{ "node1-application.var.log.containers.cart-7d4b9c6f58-x2x9z_shop_"
	  "cart-" HEX64 ".log",
	    "log.containers.cart_shop_cart" },
	{ "node2-application.var.log.containers.cart-7d4b9c6f58-bcdfg_shop_"
	  "cart-" HEX64 ".log",
	    "log.containers.cart_shop_cart" },
	{ "h-application.var.log.containers.db-0_shop_db-" HEX64 ".log",
	    "log.containers.db_shop_db" },
	{ "", "" },
	{ "/", "" },
	{ "-", "-" },
};

Test(names, stem_is_the_stream_without_its_id)
{
	for (size_t i = 0; i < sizeof(stems) / sizeof(stems[0]); i++) {
		struct buf b = { 0 };
		struct buf again = { 0 };

		name_stem(&b, str_of(stems[i].stream));
		cr_expect(str_eq(buf_view(&b), str_of(stems[i].stem)),
		    "%s: %.*s", stems[i].stream, STR_ARG(buf_view(&b)));
		name_stem(&again, buf_view(&b));
		cr_expect(str_eq(buf_view(&b), buf_view(&again)),
		    "%s: not stable", stems[i].stream);
		buf_fini(&b);
		buf_fini(&again);
	}
}
