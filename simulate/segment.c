/* SPDX-License-Identifier: Apache-2.0 */
/*
 * X-Ray documents, as the SDKs for Python and for Node write them.
 *
 * Python puts blanks behind its separators and seven digits behind the second;
 * Node puts neither and three.  A segment lasts from the moment that a worker
 * took the request: the time in the queue is in no segment.  Calls that nobody
 * answered have an exception and no response.
 */
#include <string.h>

#include "core/json.h"
#include "simulate/world.h"

/* A document being written. */
struct doc {
	struct buf *b;
	bool spaced;
};

static void
comma(struct doc *d)
{
	char last = d->b->n > 0 ? d->b->p[d->b->n - 1] : '{';

	if (last == '{' || last == '[')
		return;
	buf_cat(d->b, d->spaced ? ", " : ",");
}

static void
key(struct doc *d, const char *name)
{
	comma(d);
	buf_char(d->b, '"');
	buf_cat(d->b, name);
	buf_cat(d->b, d->spaced ? "\": " : "\":");
}

static void
open_object(struct doc *d, const char *name)
{
	key(d, name);
	buf_char(d->b, '{');
}

static void
close_object(struct doc *d)
{
	buf_char(d->b, '}');
}

static void
text(struct doc *d, const char *name, const char *value)
{
	key(d, name);
	json_put_str(d->b, str_of(value));
}

static void
flag(struct doc *d, const char *name, bool value)
{
	key(d, name);
	buf_cat(d->b, value ? "true" : "false");
}

static void
number(struct doc *d, const char *name, int64_t v)
{
	key(d, name);
	buf_i64(d->b, v);
}

void
put_hex(struct buf *b, uint64_t v, int digits)
{
	char *p = buf_room(b, (size_t)digits);

	for (int i = digits - 1; i >= 0; i--) {
		p[i] = "0123456789abcdef"[v & 15];
		v >>= 4;
	}
	b->n += (size_t)digits;
}

static void
id(struct doc *d, const char *name, uint64_t v)
{
	key(d, name);
	buf_char(d->b, '"');
	put_hex(d->b, v, 16);
	buf_char(d->b, '"');
}

void
put_trace_id(struct buf *b, const struct request *r)
{
	buf_cat(b, "1-");
	put_hex(b, (uint64_t)r->trace_s, 8);
	buf_char(b, '-');
	put_hex(b, r->trace[0], 8);
	put_hex(b, r->trace[1], 16);
}

static void
trace_id(struct doc *d, const struct request *r)
{
	key(d, "trace_id");
	buf_char(d->b, '"');
	put_trace_id(d->b, r);
	buf_char(d->b, '"');
}

/* Seconds, as a float is printed: without zeros at the end. */
static void
moment(struct doc *d, const char *name, int64_t ns)
{
	int n = d->spaced ? 7 : 3;
	int64_t rest = ns % NS_PER_SEC / (d->spaced ? 100 : NS_PER_MS);
	char digits[8] = { 0 };

	for (int i = n - 1; i >= 0; i--) {
		digits[i] = (char)('0' + rest % 10);
		rest /= 10;
	}
	while (n > 1 && digits[n - 1] == '0')
		n--;
	key(d, name);
	buf_i64(d->b, ns / NS_PER_SEC);
	buf_char(d->b, '.');
	buf_put(d->b, digits, (size_t)n);
}

static void
address(struct doc *d, const char *name, uint32_t ip)
{
	key(d, name);
	buf_char(d->b, '"');
	put_ip(d->b, ip);
	buf_char(d->b, '"');
}

static void
flags(struct doc *d, int status)
{
	if (status >= 500)
		flag(d, "fault", true);
	else if (status >= 400)
		flag(d, "error", true);
}

static void
exception(struct doc *d, uint64_t number_of, const char *type,
    const char *message)
{
	open_object(d, "cause");
	text(d, "working_directory", "/app");
	key(d, "exceptions");
	buf_cat(d->b, "[{");
	id(d, "id", number_of);
	text(d, "message", message);
	text(d, "type", type);
	flag(d, "remote", false);
	key(d, "stack");
	buf_cat(d->b, "[{");
	text(d, "path", "app.py");
	number(d, "line", 1823);
	text(d, "label", "full_dispatch_request");
	buf_cat(d->b, "}]}]");
	close_object(d);
}

/* Where a request was sent, without its path. */
static void
put_host(struct buf *b, const struct world *w, const struct request *r)
{
	buf_cat(b, "http://");
	if (r->verdict == VERDICT_PROBE || r->direct) {
		put_ip(b, r->task->ip);
		buf_cat(b, r->service->wrapped ? ":8080" : "");
	} else if (r->parent && r->service->host) {
		buf_cat(b, r->service->host);
	} else {
		buf_cat(b, w->workshop->host);
	}
}

static void
put_http(struct doc *d, const struct world *w, const struct request *r)
{
	bool forwarded = !r->direct && !(r->parent && r->service->wrapped);

	open_object(d, "http");
	open_object(d, "request");
	key(d, "url");
	buf_char(d->b, '"');
	put_host(d->b, w, r);
	buf_put(d->b, r->path, (size_t)r->path_n);
	buf_char(d->b, '"');
	text(d, "method", r->method);
	text(d, "user_agent", r->agent);
	address(d, "client_ip", forwarded ? r->client : r->peer);
	if (forwarded)
		flag(d, "x_forwarded_for", true);
	close_object(d);
	open_object(d, "response");
	number(d, "status", r->status);
	/* Likes are answered in pieces, of unknown length. */
	if (r->status != 200 || r->service->plugins ||
	    r->verdict == VERDICT_PROBE)
		number(d, "content_length", r->bytes);
	close_object(d);
	close_object(d);
}

static void
put_aws(struct doc *d, const struct request *r)
{
	bool node = r->service->sdk == SDK_NODE;

	open_object(d, "aws");
	if (r->service->plugins) {
		open_object(d, "ec2");
		text(d, "instance_id",
		    r->task->number % 2 ? "i-0b5a4678fc325bg98"
					: "i-0a1d026d92e0f8d8e");
		text(d, "availability_zone",
		    r->task->number % 2 ? "us-west-2b" : "us-west-2a");
		close_object(d);
		open_object(d, "ecs");
		key(d, "container");
		buf_char(d->b, '"');
		buf_put(d->b, r->task->container, 12);
		buf_char(d->b, '"');
		close_object(d);
	}
	open_object(d, "xray");
	text(d, "sdk", node ? "X-Ray for Node.js" : "X-Ray for Python");
	text(d, "sdk_version", node ? "2.3.3" : "2.15.0");
	if (node)
		text(d, "package", "aws-xray-sdk");
	text(d, node ? "rule_name" : "sampling_rule_name", "Default");
	close_object(d);
	close_object(d);
}

/* The head of a subsegment, up to its times. */
static void
open_part(struct doc *d, const struct request *r, const struct part *p,
    uint64_t own, const char *name)
{
	comma(d);
	buf_char(d->b, '{');
	id(d, "id", own);
	text(d, "name", name);
	moment(d, "start_time", p->start);
	moment(d, "end_time", p->end);
	if (!d->spaced)
		return;
	flag(d, "in_progress", false);
	trace_id(d, r);
	text(d, "type", "subsegment");
}

static void
put_call(struct doc *d, const struct world *w, const struct request *r,
    const struct part *p)
{
	const struct service *to = &w->services[p->op->service];
	const struct route *route = &to->routes[p->op->route];
	const char *host = to->host ? to->host : w->workshop->host;
	const char *colon = strchr(host, ':');
	char name[128];
	size_t n = colon ? (size_t)(colon - host) : strlen(host);

	memcpy(name, host, n);
	name[n] = '\0';
	open_part(d, r, p, p->id, name);
	text(d, "namespace", "remote");
	open_object(d, "http");
	open_object(d, "request");
	key(d, "url");
	buf_cat(d->b, "\"http://");
	buf_cat(d->b, host);
	for (const char *c = route->path; *c && *c != '#' && *c != '%'; c++)
		buf_char(d->b, *c);
	buf_char(d->b, '"');
	text(d, "method", route->method);
	close_object(d);
	if (!p->refused) {
		open_object(d, "response");
		number(d, "status", p->status);
		close_object(d);
	}
	close_object(d);
	flags(d, p->status);
	if (p->refused)
		exception(d, p->id ^ 1, "ConnectionError",
		    "connection refused");
	close_object(d);
}

static void
put_dynamodb(struct doc *d, const struct request *r, const struct part *p)
{
	static const char name[] = "dynamodb";

	open_part(d, r, p, p->id, d->spaced ? name : "DynamoDB");
	text(d, "namespace", "aws");
	open_object(d, "aws");
	text(d, "operation", p->op->text);
	text(d, "region", "us-west-2");
	text(d, "table_name", "ProductCatalog");
	number(d, "retries", p->retries);
	key(d, "request_id");
	buf_char(d->b, '"');
	put_hex(d->b, p->id * 3, 16);
	put_hex(d->b, p->id * 5, 16);
	buf_char(d->b, '"');
	close_object(d);
	open_object(d, "http");
	open_object(d, "response");
	number(d, "status", p->status);
	close_object(d);
	close_object(d);
	flags(d, p->status);
	if (p->status >= 400) {
		flag(d, "throttle", true);
		exception(d, p->id ^ 1,
		    "ProvisionedThroughputExceededException",
		    "The level of configured provisioned throughput for the "
		    "table was exceeded");
	}
	close_object(d);
}

static void
put_part(struct doc *d, const struct world *w, const struct request *r,
    const struct part *p)
{
	if (p->op->kind == OP_AWS) {
		put_dynamodb(d, r, p);
		return;
	}
	if (p->op->kind == OP_WORK) {
		open_part(d, r, p, p->id, p->op->text);
		close_object(d);
		return;
	}
	if (!p->op->text) {
		put_call(d, w, r, p);
		return;
	}
	open_part(d, r, p, p->id ^ UINT64_C(0x5555), p->op->text);
	key(d, "subsegments");
	buf_char(d->b, '[');
	put_call(d, w, r, p);
	buf_char(d->b, ']');
	close_object(d);
}

static void
put_service(struct doc *d, const struct request *r)
{
	bool node = r->service->sdk == SDK_NODE;

	open_object(d, "service");
	if (node) {
		text(d, "name", r->service->module);
		text(d, "version", "1.0.0");
	}
	text(d, "runtime", node ? "node" : "CPython");
	text(d, "runtime_version", node ? "v12.22.12" : "3.8.18");
	close_object(d);
}

/* What the frontend's handlers add. */
static void
put_annotations(struct doc *d, const struct request *r)
{
	struct str path = { r->path, (size_t)r->path_n };
	size_t slash = str_find_last(path, '/');

	if (r->service->sdk != SDK_NODE || !r->route ||
	    !strchr(r->route->path, '#') || slash == SIZE_MAX)
		return;
	open_object(d, "annotations");
	key(d, "ProductID");
	json_put_str(d->b, str_from(path, slash + 1));
	close_object(d);
}

void
segment_write(struct world *w, struct request *r)
{
	struct buf doc = w->text;
	struct doc d = { &doc, r->service->sdk == SDK_PYTHON };

	buf_reset(&doc);
	buf_char(&doc, '{');
	id(&d, "id", r->id);
	text(&d, "name", r->service->name);
	moment(&d, "start_time", r->begun);
	if (d.spaced)
		flag(&d, "in_progress", false);
	if (r->parent_id)
		id(&d, "parent_id", r->parent_id);
	put_http(&d, w, r);
	put_aws(&d, r);
	trace_id(&d, r);
	if (r->service->plugins)
		text(&d, "origin", "AWS::ECS::Container");
	put_service(&d, r);
	put_annotations(&d, r);
	flags(&d, r->status);
	if (r->failed && r->status == 500 && d.spaced)
		exception(&d, r->id ^ 1, "RuntimeError",
		    "the request could not be processed");
	if (r->n_parts > 0 && r->service->patched) {
		key(&d, "subsegments");
		buf_char(&doc, '[');
		for (int i = 0; i < r->n_parts; i++)
			put_part(&d, w, r, &r->parts[i]);
		buf_char(&doc, ']');
	}
	moment(&d, "end_time", w->now);
	buf_char(&doc, '}');
	w->totals.segments++;
	w->counts[r->service - w->services].segments++;
	label_segment(w, r,
	    output_document(w->out, OUTPUT_SEGMENTS, buf_view(&doc)));
	w->text = doc;
}
