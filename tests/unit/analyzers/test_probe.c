/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Probes: which addresses are private, and who is taken for a probe.
 */
#include "analyzers/probe.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *address;
	bool private;
} addresses[] = {
	{ "10.0.0.214", true },
	{ "11.0.0.1", false },
	{ "172.16.0.1", true },
	{ "172.31.255.255", true },
	{ "172.32.0.1", false },
	{ "192.168.1.1", true },
	{ "192.169.1.1", false },
	{ "100.64.0.1", true },
	{ "100.128.0.1", false },
	{ "127.0.0.1", true },
	{ "169.254.169.254", true },
	{ "8.8.8.8", false },
	{ "::1", true },
	{ "::", false },
	{ "::2", false },
	{ "fd00::1", true },
	{ "fc00:1:2:3:4:5:6:7", true },
	{ "fe80::1%eth0", true },
	{ "2001:db8::1", false },
	{ "::ffff:10.0.0.1", true },
	{ "::ffff:8.8.8.8", false },
	{ "[fd00::1]", true },
	{ "", false },
	{ "-", false },
	{ "10.0.0", false },
	{ "10.0.0.256", false },
	{ "10.0.0.1.1", false },
	{ "10.0.0.1x", false },
	{ "fd00:::1", false },
	{ "fd00::1::2", false },
	{ "fd00:1", false },
	{ "fd00:1:2:3:4:5:6:7:8", false },
	{ "fd00:1:2:3:4:5:6:7::", false },
	{ "fd00::12345", false },
	{ "ip-10-0-0-1", false },
};

Test(probe, private_addresses_are_those_of_the_rfcs)
{
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		cr_expect_eq(probe_private(str_of(addresses[i].address)),
		    addresses[i].private, "%s", addresses[i].address);
}

#define ELB "ELB-HealthChecker/2.0"
#define R53 "Amazon-Route53-Health-Check-Service (ref 1; report http://x)"

static const struct {
	const char *name;
	enum method method;
	const char *path, *peer, *forwarded, *agent;
	enum class class;
} requests[] = {
	{ "balancer", METHOD_GET, "/", "10.0.0.1", "", ELB, CLASS_PROBE },
	{ "balancer, any path", METHOD_GET, "/iridium/", "10.0.0.1", "-", ELB,
	    CLASS_PROBE },
	{ "balancer, no peer", METHOD_GET, "/", "", "", ELB, CLASS_PROBE },
	{ "balancer, unreadable peer", METHOD_GET, "/", "unix:", "", ELB,
	    CLASS_PROBE },
	{ "forged", METHOD_GET, "/admin.php", "203.0.113.9", "", ELB,
	    CLASS_CLIENT },
	{ "forged, through the balancer", METHOD_GET, "/", "10.0.0.1",
	    "203.0.113.9", ELB, CLASS_CLIENT },
	{ "forged, long list", METHOD_GET, "/", "10.0.0.1",
	    "10.1.1.1, 203.0.113.9", ELB, CLASS_CLIENT },
	{ "forwarded inside", METHOD_GET, "/", "10.0.0.1", "10.0.0.7", ELB,
	    CLASS_PROBE },
	{ "forged, by POST", METHOD_POST, "/", "10.0.0.1", "", ELB,
	    CLASS_CLIENT },
	{ "gRPC", METHOD_POST, "/AWS.ALB/healthcheck", "10.0.0.1", "", ELB,
	    CLASS_PROBE },
	{ "HEAD", METHOD_HEAD, "/", "10.0.0.1", "", ELB, CLASS_PROBE },
	{ "kubelet", METHOD_GET, "/healthz", "10.0.0.1", "", "kube-probe/1.35+",
	    CLASS_PROBE },
	{ "kubelet, public", METHOD_GET, "/healthz", "8.8.8.8", "",
	    "kube-probe/1.21", CLASS_CLIENT },
	{ "container", METHOD_GET, "/health", "127.0.0.1", "", "curl/7.68.0",
	    CLASS_PROBE },
	{ "container, v6", METHOD_GET, "/", "::1", "", "Wget/1.20",
	    CLASS_PROBE },
	{ "curl on the machine, other path", METHOD_GET, "/api/orders/1",
	    "127.0.0.1", "", "curl/7.68.0", CLASS_CLIENT },
	{ "curl from elsewhere", METHOD_GET, "/", "10.0.0.1", "", "curl/7.68.0",
	    CLASS_CLIENT },
	{ "curl without peer", METHOD_GET, "/", "", "", "curl/7.68.0",
	    CLASS_CLIENT },
	{ "Route 53", METHOD_GET, "/health", "54.183.255.130", "", R53,
	    CLASS_PROBE },
	{ "Route 53, through the balancer", METHOD_GET, "/", "10.0.0.1",
	    "54.183.255.130", R53, CLASS_PROBE },
	{ "Route 53, other path", METHOD_GET, "/admin", "54.183.255.130", "",
	    R53, CLASS_PROBABLE_PROBE },
	{ "configured agent", METHOD_GET, "/x", "8.8.8.8", "", "MyMonitor/1",
	    CLASS_PROBE },
	{ "no agent", METHOD_GET, "/", "10.0.0.214", "", "",
	    CLASS_PROBABLE_PROBE },
	{ "no agent, slash at the end", METHOD_GET, "/health/", "10.0.0.214",
	    "", "", CLASS_PROBABLE_PROBE },
	{ "no agent, other path", METHOD_GET, "/mysfits", "10.0.0.214", "", "",
	    CLASS_CLIENT },
	{ "no agent, public", METHOD_GET, "/", "8.8.8.8", "", "",
	    CLASS_CLIENT },
	{ "no agent, forwarded", METHOD_GET, "/", "10.0.0.214", "8.8.8.8", "",
	    CLASS_CLIENT },
	{ "no agent, no peer", METHOD_GET, "/", "", "", "", CLASS_CLIENT },
	{ "person", METHOD_GET, "/", "10.0.0.214", "", "Mozilla/5.0",
	    CLASS_CLIENT },
	{ "own probe", METHOD_GET, "/", "10.0.0.2", "", "python-requests/2.25",
	    CLASS_CLIENT },
	{ "TCP check", METHOD_NONE, "", "10.0.0.214", "", "", CLASS_CLIENT },
};

Test(probe, verdict_is_on_who_asks)
{
	struct str mine[] = { STR("MyMonitor/"), { NULL, 0 } };
	struct probe_settings s = { .agents = mine, .n_agents = 2 };

	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		struct request r = {
			.method = requests[i].method,
			.path = str_of(requests[i].path),
			.peer = str_of(requests[i].peer),
			.forwarded = str_of(requests[i].forwarded),
			.agent = str_of(requests[i].agent),
			.status = i % 2 ? 200 : 503,
		};
		struct probe_verdict v = probe_judge(&s, &r);

		cr_expect_eq(v.class, requests[i].class, "%s: %s",
		    requests[i].name, class_name(v.class));
		cr_expect_not_null(v.reason);
	}
}

Test(probe, help_names_the_usual_paths)
{
	static const char source[] = "analyzers/probe.c";
	struct probe_settings s = { .n_paths = 0 };
	struct str rest = str_of(probe_usual_text);
	FILE *f = fopen(source, "r");
	size_t in_table = 0;
	size_t named = 0;
	char line[256];

	while (rest.n > 0) {
		struct request r = { .method = METHOD_GET,
			.peer = STR("10.0.0.1") };

		if (!str_cut(&rest, ',', &r.path)) {
			r.path = rest;
			rest.n = 0;
		}
		r.path = str_trim(r.path);
		cr_expect_eq(probe_judge(&s, &r).class, CLASS_PROBABLE_PROBE,
		    "%.*s", STR_ARG(r.path));
		named++;
	}
	cr_assert_not_null(f, "%s", source);
	while (fgets(line, sizeof line, f))
		in_table += strncmp(line, "\t{ \"/", 5) == 0;
	fclose(f);
	cr_expect_eq(named, in_table, "%zu of %zu", named, in_table);
}

Test(probe, configured_paths_replace_the_usual)
{
	struct str paths[] = { STR("/iridium/") };
	struct probe_settings s = { .paths = paths, .n_paths = 1 };
	struct request r = { .method = METHOD_GET,
		.path = STR("/iridium/"),
		.peer = STR("10.0.0.1") };

	cr_expect_eq(probe_judge(&s, &r).class, CLASS_PROBABLE_PROBE);
	r.peer = STR("127.0.0.1");
	r.agent = STR("curl/8.5.0");
	cr_expect_eq(probe_judge(&s, &r).class, CLASS_PROBE);
	r.path = STR("/");
	cr_expect_eq(probe_judge(&s, &r).class, CLASS_CLIENT);
	r.peer = STR("10.0.0.1");
	r.agent = STR("");
	cr_expect_eq(probe_judge(&s, &r).class, CLASS_CLIENT);
}

Test(probe, the_clock_may_know_more)
{
	static const struct {
		const char *name;
		enum method method;
		const char *path, *peer, *forwarded, *agent;
		bool clock;
	} rows[] = {
		{ "usual", METHOD_GET, "/", "10.0.0.214", "", "", true },
		{ "any path", METHOD_HEAD, "/iridium/", "fd00::1", "", "",
		    true },
		{ "an id in it", METHOD_GET, "/mysfits/12", "10.0.0.214", "",
		    "", false },
		{ "agent", METHOD_GET, "/", "10.0.0.214", "", "Mozilla/5.0",
		    false },
		{ "forwarded", METHOD_GET, "/", "10.0.0.214", "198.51.100.7",
		    "", false },
		{ "public", METHOD_GET, "/", "198.51.100.7", "", "", false },
		{ "POST", METHOD_POST, "/", "10.0.0.214", "", "", false },
		{ "nobody named", METHOD_GET, "/", "", "", "", true },
		{ "nobody named, any path", METHOD_GET, "/api/users", "", "",
		    "", false },
	};
	struct probe_settings s = { 0 };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct request r = {
			.method = rows[i].method,
			.path = str_of(rows[i].path),
			.peer = str_of(rows[i].peer),
			.forwarded = str_of(rows[i].forwarded),
			.agent = str_of(rows[i].agent),
		};

		cr_expect_eq(probe_judge(&s, &r).clock, rows[i].clock, "%s",
		    rows[i].name);
	}
}
