/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Data to measure with: bench/gen DIR MEGABYTES SEGMENTS
 *
 *	DIR/export/shop/<task>/<stream>/000000.gz   8 streams, S3 export lines:
 *	                                            Werkzeug, combined, ALB
 *	DIR/export.txt                              the same, unpacked, in one
 *	DIR/plain.log, DIR/plain.log.gz             combined lines
 *	DIR/segments.ndjson                         X-Ray segments
 *	DIR/interleaved.ndjson                      a million traces, all open
 *	                                            at once: every front
 *	                                            segment, then every back
 *	DIR/hostile.log                             each line a new path, client
 *	                                            and agent
 *
 * Shape after performance.md, section 3: a quarter health checks, a twentieth
 * 404 scans, a tenth POSTs, 98 thousand paths.  The seed is fixed: the same
 * bytes every time.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#define START INT64_C(1795226400) /* 2026-11-21T02:00:00Z */

static uint64_t state = 88172645463325252u;

static uint32_t
rnd(uint32_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)((state >> 32) * n >> 32);
}

static const char *const agents[] = {
	"Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 "
	"Firefox/115.0",
	"Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) Mobile/15E148",
	"Go-http-client/1.1",
	"python-requests/2.31.0",
};
static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
	"Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

struct request {
	const char *method;
	char path[96];
	char peer[24];
	int status, bytes, ms;
	const char *agent;
};

static void
make_request(struct request *r)
{
	uint32_t kind = rnd(100);

	r->agent = agents[rnd(4)];
	r->ms = 5 + (int)rnd(60);
	r->bytes = 200 + (int)rnd(9000);
	r->status = 200;
	r->method = "GET";
	snprintf(r->peer, sizeof r->peer, "%u.%u.%u.%u", 20 + rnd(180),
	    rnd(256), rnd(256), 1 + rnd(250));
	if (kind < 25) {
		snprintf(r->path, sizeof r->path, "/");
		snprintf(r->peer, sizeof r->peer, "10.0.%u.57", rnd(2));
		r->agent = "ELB-HealthChecker/2.0";
		r->bytes = 2;
		r->ms = 1;
	} else if (kind < 30) {
		snprintf(r->path, sizeof r->path, "/wp-%x/admin.php",
		    rnd(60000));
		r->status = 404;
	} else if (kind < 40) {
		snprintf(r->path, sizeof r->path,
		    "/mysfits/%08x-f960-4772-a25a-01b7%08x/like", rnd(98000),
		    rnd(1000));
		r->method = "POST";
		r->ms = rnd(50) == 0 ? 1500 : r->ms;
	} else if (kind < 70) {
		snprintf(r->path, sizeof r->path, "/product/%u", rnd(98000));
	} else {
		snprintf(r->path, sizeof r->path,
		    "/static/img/page-%u.png?v=%u", rnd(40), rnd(3));
	}
}

struct clock {
	int64_t us; /* since START */
	int d, h, m, s, ms;
};

static void
tick(struct clock *c, uint32_t mean_us)
{
	int64_t sec;

	c->us += 1 + rnd(2 * mean_us);
	sec = c->us / 1000000;
	c->d = 21 + (int)(((sec + 7200) / 86400) % 9);
	c->h = (int)((sec + 7200) / 3600 % 24);
	c->m = (int)(sec / 60 % 60);
	c->s = (int)(sec % 60);
	c->ms = (int)(c->us / 1000 % 1000);
}

static int
combined(char *p, size_t n, const struct clock *c, const struct request *r)
{
	return snprintf(p, n,
	    "%s - - [%02d/%s/2026:%02d:%02d:%02d +0000] \"%s %s HTTP/1.1\" "
	    "%d %d \"-\" \"%s\"",
	    r->peer, c->d, months[10], c->h, c->m, c->s, r->method, r->path,
	    r->status, r->bytes, r->agent);
}

static int
werkzeug(char *p, size_t n, const struct clock *c, const struct request *r)
{
	return snprintf(p, n,
	    "%s - - [%02d/%s/2026 %02d:%02d:%02d] \"%s %s HTTP/1.1\" %d -",
	    r->peer, c->d, months[10], c->h, c->m, c->s, r->method, r->path,
	    r->status);
}

static int
alb(char *p, size_t n, const struct clock *c, const struct request *r)
{
	return snprintf(p, n,
	    "https 2026-11-%02dT%02d:%02d:%02d.%06dZ app/shop/50dc6c495c0c9188 "
	    "%s:%u 10.0.0.1:80 0.001 0.%03d 0.000 %d %d 34 %d \"%s "
	    "https://shop.example:443%s HTTP/1.1\" \"%s\" "
	    "ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 "
	    "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/"
	    "shop/73e2d6bc24d8a067 \"Root=1-6b0141e8-%08x%08x%08x\" "
	    "\"shop.example\" \"-\" 0 2026-11-%02dT%02d:%02d:%02d.%06dZ "
	    "\"forward\" \"-\" \"-\" \"10.0.0.1:80\" \"%d\" \"-\" \"-\"",
	    c->d, c->h, c->m, c->s, c->ms * 1000, r->peer, 1024 + rnd(60000),
	    r->ms % 1000, r->status, r->status, r->bytes, r->method, r->path,
	    r->agent, rnd(1u << 31), rnd(1u << 31), rnd(1u << 31), c->d, c->h,
	    c->m, c->s, c->ms * 1000, r->status);
}

static FILE *
out(const char *dir, const char *name)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	for (char *p = path + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(path, 0777) != 0 && errno != EEXIST)
			exit(1);
		*p = '/';
	}
	f = fopen(path, "wb");
	if (!f) {
		perror(path);
		exit(1);
	}
	return f;
}

struct gz {
	z_stream z;
	FILE *f;
};

static void
gz_open(struct gz *g, FILE *f)
{
	*g = (struct gz){ .f = f };
	if (deflateInit2(&g->z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) !=
	    Z_OK)
		exit(1);
}

static void
gz_put(struct gz *g, char *p, size_t n, int flush)
{
	unsigned char to[65536];

	g->z.next_in = (unsigned char *)p;
	g->z.avail_in = (unsigned)n;
	do {
		g->z.next_out = to;
		g->z.avail_out = sizeof to;
		deflate(&g->z, flush);
		fwrite(to, 1, sizeof to - g->z.avail_out, g->f);
	} while (g->z.avail_out == 0);
}

static void
gz_close(struct gz *g)
{
	char none = 0;

	gz_put(g, &none, 0, Z_FINISH);
	deflateEnd(&g->z);
	fclose(g->f);
}

typedef int line_fn(char *, size_t, const struct clock *,
    const struct request *);

static void
export_stream(const char *dir, int k, int64_t bytes, FILE *all)
{
	line_fn *const fns[] = { werkzeug, combined, werkzeug, alb };
	line_fn *fn = fns[k % 4];
	struct clock c = { 0 };
	struct request r;
	struct gz g;
	char name[256];
	char line[2048];

	snprintf(name, sizeof name,
	    "export/shop/4f2c1e7a-1111-4222-8333-%012d/shop-web-%032x/"
	    "000000.gz",
	    k, k * 7919 + 1);
	gz_open(&g, out(dir, name));
	while (bytes > 0) {
		int n;

		tick(&c, 8000);
		make_request(&r);
		n = snprintf(line, sizeof line,
		    "2026-11-%02dT%02d:%02d:%02d.%03dZ ", c.d, c.h, c.m, c.s,
		    c.ms);
		n += fn(line + n, sizeof line - (size_t)n, &c, &r);
		line[n++] = '\n';
		gz_put(&g, line, (size_t)n, Z_NO_FLUSH);
		fwrite(line, 1, (size_t)n, all);
		bytes -= n;
	}
	gz_close(&g);
}

static void
plain(const char *dir, int64_t bytes)
{
	FILE *f = out(dir, "plain.log");
	struct clock c = { 0 };
	struct request r;
	struct gz g;
	char line[2048];

	gz_open(&g, out(dir, "plain.log.gz"));
	while (bytes > 0) {
		int n;

		tick(&c, 2000);
		make_request(&r);
		n = combined(line, sizeof line, &c, &r);
		line[n++] = '\n';
		fwrite(line, 1, (size_t)n, f);
		gz_put(&g, line, (size_t)n, Z_NO_FLUSH);
		bytes -= n;
	}
	gz_close(&g);
	fclose(f);
}

static void
hostile(const char *dir, int64_t bytes)
{
	FILE *f = out(dir, "hostile.log");
	struct clock c = { 0 };

	for (uint32_t i = 0; bytes > 0; i++) {
		tick(&c, 2000);
		bytes -= fprintf(f,
		    "%u.%u.%u.%u - - [%02d/%s/2026:%02d:%02d:%02d +0000] "
		    "\"GET /p%x/q-%x/%c%x HTTP/1.1\" 200 5 \"-\" "
		    "\"agent-%08x\"\n",
		    rnd(256), rnd(256), rnd(256), rnd(256), c.d, months[10],
		    c.h, c.m, c.s, rnd(1u << 30), i, 'a' + (int)rnd(26), i,
		    rnd(1u << 31));
	}
	fclose(f);
}

static void
subsegments(FILE *f, int n, double at)
{
	for (int i = 0; i < n; i++)
		fprintf(f,
		    "%s{\"id\":\"%08x%08x\",\"name\":\"dynamodb\",\"start_time"
		    "\":%.6f,\"end_time\":%.6f,\"namespace\":\"aws\",\"aws\":{"
		    "\"operation\":\"UpdateItem\",\"table_name\":\"Mysfits\","
		    "\"request_id\":\"%08X%08X%08X\",\"region\":\"us-west-2\"},"
		    "\"http\":{\"response\":{\"status\":200}}}",
		    i ? "," : "", rnd(1u << 31), rnd(1u << 31), at + 0.001 * i,
		    at + 0.001 * i + 0.0009, rnd(1u << 31), rnd(1u << 31),
		    rnd(1u << 31));
}

static void
segments(const char *dir, int64_t n)
{
	FILE *f = out(dir, "segments.ndjson");
	struct clock c = { 0 };
	struct request r;

	for (int64_t i = 0; i < n; i++) {
		double at;

		tick(&c, 4000);
		make_request(&r);
		at = (double)START + (double)c.us / 1e6;
		fprintf(f,
		    "{\"id\":\"%08x%08x\",\"name\":\"like service\","
		    "\"start_time\":%.6f,\"end_time\":%.6f,\"in_progress\":"
		    "false,\"trace_id\":\"1-%08x-%08x%08x%08x\",\"http\":{"
		    "\"request\":{\"url\":\"http://shop.example%s\",\"method\":"
		    "\"%s\",\"user_agent\":\"%s\",\"client_ip\":\"%s\","
		    "\"x_forwarded_for\":true},\"response\":{\"status\":%d,"
		    "\"content_length\":%d}},%s\"annotations\":{\"cart\":%u,"
		    "\"tier\":\"gold\"},\"metadata\":{\"default\":{\"debug\":{"
		    "\"host\":\"ip-10-0-1-57\",\"values\":[1,2,3,4.5,null,true]"
		    ",\"text\":\"a line of \\\"quoted\\\" text\"}}},\"aws\":{"
		    "\"xray\":{\"sdk\":\"X-Ray for Python\",\"sdk_version\":"
		    "\"2.15.0\",\"sampling_rule_name\":\"Default\"}},"
		    "\"service\":{\"runtime\":\"CPython\",\"runtime_version\":"
		    "\"3.8.18\"},\"subsegments\":[",
		    rnd(1u << 31), rnd(1u << 31), at, at + r.ms / 1e3,
		    (unsigned)at, rnd(1u << 31), rnd(1u << 31), rnd(1u << 31),
		    r.path, r.method, r.agent, r.peer, r.status, r.bytes,
		    r.status == 404 ? "\"error\":true," : "", rnd(1000));
		subsegments(f, (int)rnd(4), at);
		fprintf(f, "]}\n");
	}
	fclose(f);
}

/* Two documents a trace, half a minute apart; 40 microseconds between two. */
static void
interleaved(const char *dir)
{
	enum { TRACES = 1000000 };
	FILE *f = out(dir, "interleaved.ndjson");

	for (int half = 0; half < 2; half++)
		for (int i = 0; i < TRACES; i++) {
			double at = (double)START + half * 30 + i * 4e-5;

			fprintf(f,
			    "{\"id\":\"%08x%08x\",\"name\":\"%s\","
			    "\"start_time\":%.6f,\"end_time\":%.6f,"
			    "\"trace_id\":\"1-%08x-%024x\"",
			    half, i, half ? "back" : "front", at, at + 0.01,
			    (unsigned)START, i);
			if (half)
				fprintf(f, ",\"parent_id\":\"%08x%08x\"", 0, i);
			fprintf(f, "}\n");
		}
	fclose(f);
}

int
main(int argc, char **argv)
{
	int64_t bytes;
	FILE *all;

	if (argc != 4) {
		fprintf(stderr, "usage: gen DIR MEGABYTES SEGMENTS\n");
		return 2;
	}
	bytes = strtoll(argv[2], NULL, 10) * 1000000;
	all = out(argv[1], "export.txt");
	for (int k = 0; k < 8; k++)
		export_stream(argv[1], k, bytes / 8, all);
	fclose(all);
	plain(argv[1], bytes);
	hostile(argv[1], bytes / 4);
	segments(argv[1], strtoll(argv[3], NULL, 10));
	interleaved(argv[1]);
	return 0;
}
