/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which requests are health checks, from the request alone.
 *
 * (a) The user agent.  An agent can be forged, and what is called a probe is
 * folded away when it succeeds; so the agent must be believed, and what may be
 * folded must be harmless:
 *
 *	- ELB-HealthChecker/, kube-probe/, Envoy/HC and the other checkers of
 *	  the inside are believed from a private peer, or where the source has
 *	  no peer, unless the request was forwarded for a public address: then
 *	  it came through the balancer and not from it.  From outside they are
 *	  a client that pretends.  The path does not matter: any may be
 *	  configured, and the private network is trusted.
 *	- curl/ and Wget/ are a container's own check from 127.0.0.1 or ::1,
 *	  on a usual or configured path.  On another they are whoever has a
 *	  shell, a script or a proxy on the machine: a client, not folded away,
 *	  and its errors are no target's that is out of service.
 *	- Route 53 and Google check from public addresses, which anybody can
 *	  claim to be.  On a usual or configured path that is a probe, there
 *	  being nothing to hide; on another path it is probable: it stays in the
 *	  error counts and in the documents.
 *	- Configured prefixes are believed from anywhere: the user said so.
 *
 * All of them by GET or HEAD, or a POST to the two paths of gRPC checks.
 *
 * (e) No agent in the source, nothing forwarded, a private peer, GET or HEAD
 * of a usual or configured path: probable.  People look the same behind a
 * balancer, so that such requests stay in the error counts.  This is for those
 * that are too few for the clock.  A balancer may be told to ask for any path,
 * so that the clock is looked at whatever it is, if no id is in it; where the
 * source names no peer, on the usual paths.
 *
 * A failing probe is a probe: the verdict is on who asks, not on the answer.
 */
#include "analyzers/probe.h"

#include <stdint.h>
#include <string.h>

#include "analyzers/route_shape.h"

enum believed {
	BELIEVED_INSIDE,   /* private or no peer, not forwarded from outside */
	BELIEVED_LOOPBACK, /* the machine itself, on a usual path */
	BELIEVED_ON_PATH,  /* anywhere, on a usual path */
};

struct agent_row {
	struct str prefix;
	enum believed believed;
	const char *reason;
};

static const struct agent_row agents[] = {
	{ { "ELB-HealthChecker/", 18 }, BELIEVED_INSIDE,
	    "user agent of the load balancer's health checker" },
	{ { "kube-probe/", 11 }, BELIEVED_INSIDE,
	    "user agent of the kubelet's probe" },
	{ { "Envoy/HC", 8 }, BELIEVED_INSIDE,
	    "user agent of Envoy's health check" },
	{ { "Consul Health Check", 19 }, BELIEVED_INSIDE,
	    "user agent of Consul's health check" },
	{ { "curl/", 5 }, BELIEVED_LOOPBACK,
	    "curl from the machine itself: the container's health check" },
	{ { "Wget/", 5 }, BELIEVED_LOOPBACK,
	    "Wget from the machine itself: the container's health check" },
	{ { "Amazon-Route53-Health-Check-Service", 35 }, BELIEVED_ON_PATH,
	    "user agent of Route 53's health checker" },
	{ { "Amazon Route 53 Health Check Service", 36 }, BELIEVED_ON_PATH,
	    "user agent of Route 53's health checker" },
	{ { "GoogleHC/", 9 }, BELIEVED_ON_PATH,
	    "user agent of Google's health checker" },
};

/* What balancers and frameworks check when nobody says otherwise. */
static const struct str usual_paths[] = {
	{ "/", 1 },
	{ "/health", 7 },
	{ "/healthz", 8 },
	{ "/livez", 6 },
	{ "/readyz", 7 },
	{ "/ready", 6 },
	{ "/readiness", 10 },
	{ "/live", 5 },
	{ "/liveness", 9 },
	{ "/ping", 5 },
	{ "/status", 7 },
	{ "/healthcheck", 12 },
	{ "/api/v1/healthz", 15 },
	{ "/actuator/health", 16 },
	{ "/_health", 8 },
	{ "/up", 3 },
	{ "/-/healthy", 10 },
	{ "/AWS.ALB/healthcheck", 20 },
	{ "/grpc.health.v1.Health/Check", 28 },
};

/* The same to read, in the same order. */
const char probe_usual_text[] =
    "/, /health, /healthz, /livez, /readyz, /ready, /readiness, /live, "
    "/liveness, /ping, /status, /healthcheck, /api/v1/healthz, "
    "/actuator/health, /_health, /up, /-/healthy, /AWS.ALB/healthcheck, "
    "/grpc.health.v1.Health/Check";

enum { N_AGENTS = sizeof(agents) / sizeof(agents[0]) };
enum { N_USUAL = sizeof(usual_paths) / sizeof(usual_paths[0]) };

/* The lengths that usual paths have, as bits: most paths have another. */
static const uint32_t usual_lengths =
    1u << 1 | 1u << 3 | 1u << 5 | 1u << 6 | 1u << 7 | 1u << 8 | 1u << 9 |
    1u << 10 | 1u << 12 | 1u << 15 | 1u << 16 | 1u << 20 | 1u << 28;

struct address {
	uint8_t v6[16]; /* an IPv4 address is ::ffff:a.b.c.d */
};

/* a.b.c.d, the whole text; zeros in front do no harm. */
static bool
parse_v4(struct str s, uint8_t out[4])
{
	unsigned part = 0;
	unsigned v = 256; /* no digit yet */

	for (size_t i = 0; i < s.n; i++) {
		unsigned digit = (unsigned)(unsigned char)s.p[i] - '0';

		if (digit < 10) {
			v = (v == 256 ? 0 : v * 10) + digit;
			if (v > 255)
				return false;
			continue;
		}
		if (s.p[i] != '.' || v > 255 || part == 3)
			return false;
		out[part++] = (uint8_t)v;
		v = 256;
	}
	if (part != 3 || v > 255)
		return false;
	out[3] = (uint8_t)v;
	return true;
}

/* One to four hexadecimal digits at the head of *s. */
static bool
parse_group(struct str *s, uint16_t *group)
{
	unsigned v = 0;
	size_t n = 0;

	for (; n < s->n && n < 4; n++) {
		char c = s->p[n];

		if (c >= '0' && c <= '9')
			v = v << 4 | (unsigned)(c - '0');
		else if ((c | 32) >= 'a' && (c | 32) <= 'f')
			v = v << 4 | (unsigned)((c | 32) - 'a' + 10);
		else
			break;
	}
	*group = (uint16_t)v;
	*s = str_from(*s, n);
	return n > 0;
}

/* Puts zeros where the "::" stood, SIZE_MAX: nowhere. */
static bool
expand_v6(const uint8_t bytes[16], size_t n, size_t gap, uint8_t out[16])
{
	if (gap == SIZE_MAX ? n != 16 : n > 14)
		return false;
	if (gap == SIZE_MAX)
		gap = n;
	memset(out, 0, 16);
	memcpy(out, bytes, gap);
	memcpy(out + 16 - (n - gap), bytes + gap, n - gap);
	return true;
}

/*
 * RFC 4291, section 2.2: groups, one "::", perhaps a dotted tail.  A zone is
 * left out.
 */
static bool
parse_v6(struct str s, uint8_t out[16])
{
	uint8_t bytes[16] = { 0 };
	size_t n = 0;
	size_t gap = SIZE_MAX;
	size_t zone = str_find(s, '%');

	if (zone != SIZE_MAX)
		s.n = zone;
	while (s.n > 0 && n < 16) {
		uint16_t group;

		if (gap == SIZE_MAX && str_starts(s, STR("::"))) {
			gap = n;
			s = str_from(s, 2);
			continue;
		}
		if (n > 0 && gap != n) {
			if (s.p[0] != ':')
				return false;
			s = str_from(s, 1);
		}
		if (n <= 12 && parse_v4(s, bytes + n)) {
			n += 4;
			s.n = 0;
			break;
		}
		if (!parse_group(&s, &group))
			return false;
		bytes[n++] = (uint8_t)(group >> 8);
		bytes[n++] = (uint8_t)group;
	}
	if (s.n > 0)
		return false;
	return expand_v6(bytes, n, gap, out);
}

static bool
parse_address(struct str s, struct address *a)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (s.n > 2 && s.p[0] == '[' && s.p[s.n - 1] == ']')
		s = str_sub(s, 1, s.n - 2);
	memcpy(a->v6, mapped, sizeof(mapped));
	return parse_v4(s, a->v6 + 12) || parse_v6(s, a->v6);
}

static bool
is_v4(const struct address *a)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return memcmp(a->v6, mapped, sizeof(mapped)) == 0;
}

static bool
is_loopback(const struct address *a)
{
	static const uint8_t one[16] = { [15] = 1 };

	return is_v4(a) ? a->v6[12] == 127 : memcmp(a->v6, one, 16) == 0;
}

static bool
is_private(const struct address *a)
{
	const uint8_t *v4 = a->v6 + 12;

	if (is_loopback(a))
		return true;
	if (!is_v4(a))
		return (a->v6[0] & 0xfe) == 0xfc ||
		       (a->v6[0] == 0xfe && (a->v6[1] & 0xc0) == 0x80);
	return v4[0] == 10 || (v4[0] == 172 && (v4[1] & 0xf0) == 16) ||
	       (v4[0] == 192 && v4[1] == 168) ||
	       (v4[0] == 100 && (v4[1] & 0xc0) == 64) ||
	       (v4[0] == 169 && v4[1] == 254);
}

/* Most addresses are public, which their first three letters tell. */
static bool
looks_public(struct str address)
{
	static const char heads[] = "10.100127169172192";

	if (address.n < 3 || address.p[0] < '1' || address.p[0] > '9')
		return false;
	for (size_t i = 0; address.p[0] == '1' && heads[i]; i += 3)
		if (memcmp(address.p, heads + i, 3) == 0)
			return false;
	return true;
}

bool
probe_private(struct str address)
{
	struct address a;

	return !looks_public(address) && parse_address(address, &a) &&
	       is_private(&a);
}

bool
probe_public(struct str address)
{
	struct address a;

	return parse_address(address, &a) && !is_private(&a);
}

/* Nothing forwarded, or for private addresses only: "10.0.0.1, 10.0.0.2". */
static bool
forwarded_inside(struct str list)
{
	while (list.n > 0) {
		struct str one;
		struct address a;

		if (!str_cut(&list, ',', &one)) {
			one = list;
			list.n = 0;
		}
		one = str_trim(one);
		if (one.n == 0 || str_eq(one, STR("-")))
			continue;
		if (!parse_address(one, &a) || !is_private(&a))
			return false;
	}
	return true;
}

static bool
forwarded_empty(struct str list)
{
	return list.n == 0 || str_eq(list, STR("-"));
}

/* The row whose prefix the agent begins with; NULL: none. */
static const struct agent_row *
agent_find(struct str agent)
{
	/* A bit for every letter that one of them begins with. */
	static const uint32_t heads = 1u << ('E' & 31) | 1u << ('K' & 31) |
				      1u << ('C' & 31) | 1u << ('W' & 31) |
				      1u << ('A' & 31) | 1u << ('G' & 31);

	if (agent.n == 0 || !(heads >> (agent.p[0] & 31) & 1))
		return NULL;
	for (size_t i = 0; i < N_AGENTS; i++)
		if (agents[i].prefix.p[0] == agent.p[0] &&
		    str_starts(agent, agents[i].prefix))
			return &agents[i];
	return NULL;
}

static bool
path_in(struct str path, const struct str *paths, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(path, paths[i]))
			return true;
	return false;
}

static bool
path_expected(const struct probe_settings *s, struct str path)
{
	struct str bare = path;

	if (s->n_paths > 0)
		return path_in(path, s->paths, s->n_paths);
	if (bare.n > 1 && bare.p[bare.n - 1] == '/')
		bare.n--;
	if (bare.n > 31 || !(usual_lengths >> bare.n & 1))
		return false;
	return path_in(bare, usual_paths, N_USUAL);
}

static bool
method_asks(const struct request *r)
{
	return r->method == METHOD_GET || r->method == METHOD_HEAD ||
	       (r->method == METHOD_POST &&
		   path_in(r->path, usual_paths + N_USUAL - 2, 2));
}

static struct probe_verdict
client(const char *reason)
{
	return (struct probe_verdict){ CLASS_CLIENT, reason, false };
}

/* By the table's row, the agent being what it is. */
static struct probe_verdict
agent_judge(const struct probe_settings *s, const struct request *r,
    const struct agent_row *row)
{
	struct address a;
	bool known = r->peer.n > 0 && parse_address(r->peer, &a);
	bool inside =
	    (!known || is_private(&a)) && forwarded_inside(r->forwarded);
	struct probe_verdict yes = { CLASS_PROBE, row->reason, false };

	switch (row->believed) {
	case BELIEVED_INSIDE:
		return inside ? yes
			      : client("a health checker's user agent, but "
				       "from a public address");
	case BELIEVED_LOOPBACK:
		return known && is_loopback(&a) &&
			       forwarded_empty(r->forwarded) &&
			       path_expected(s, r->path)
			   ? yes
			   : client("");
	case BELIEVED_ON_PATH:
		break;
	}
	if (path_expected(s, r->path))
		return yes;
	return (struct probe_verdict){ CLASS_PROBABLE_PROBE,
		"a public health checker's user agent, on an unusual path",
		false };
}

/* Whether a segment of the path is a number or another id. */
static bool
has_id(struct str path)
{
	struct segment_text segments[SEGMENTS_MAX];
	size_t digits = 0;
	size_t n;

	/* Most ids are numbers at the end. */
	while (digits < path.n &&
	       (unsigned char)(path.p[path.n - digits - 1] - '0') < 10)
		digits++;
	if (digits > 0 && digits < path.n && path.p[path.n - digits - 1] == '/')
		return true;
	n = route_split(path, segments);

	for (size_t i = 0; i < n; i++)
		if (segments[i].kind == SEGMENT_ID)
			return true;
	return false;
}

/* Nothing but address and path: the clock may know more. */
static struct probe_verdict
without_agent(const struct probe_settings *s, const struct request *r)
{
	bool get = r->method == METHOD_GET || r->method == METHOD_HEAD;
	struct probe_verdict v = client("");
	bool expected;

	if (looks_public(r->peer))
		return v;
	expected = path_expected(s, r->path);
	if (r->peer.n == 0) {
		v.clock = get && expected;
		return v;
	}
	if (!expected && (!get || has_id(r->path)))
		return v;
	if (!probe_private(r->peer))
		return v;
	if (!expected) {
		v.clock = true;
		return v;
	}
	v.clock = get;
	v.class = CLASS_PROBABLE_PROBE;
	v.reason = s->n_paths > 0 ? "private peer, configured path"
				  : "private peer, usual path";
	return v;
}

struct probe_verdict
probe_judge(const struct probe_settings *s, const struct request *r)
{
	const struct agent_row *row;

	if (!method_asks(r))
		return client("");
	for (size_t i = 0; i < s->n_agents; i++)
		if (s->agents[i].n > 0 && str_starts(r->agent, s->agents[i]))
			return (struct probe_verdict){ CLASS_PROBE,
				"configured user agent", false };
	row = agent_find(r->agent);
	if (row)
		return agent_judge(s, r, row);
	if (r->agent.n > 0 || !forwarded_empty(r->forwarded))
		return client("");
	return without_agent(s, r);
}
