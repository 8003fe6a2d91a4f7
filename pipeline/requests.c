/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See the header.
 */
#include "pipeline/requests.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/when.h"

int
requests_folder(struct buf *path, struct err *err)
{
	const char *dir = getenv("TMPDIR");

	buf_reset(path);
	buf_cat(path, dir && *dir ? dir : "/tmp");
	buf_cat(path, "/telltale-XXXXXX");
	buf_cstr(path);
	if (mkdtemp(path->p))
		return 0;
	return err_set(err, "%s: cannot make a folder: %s", path->p,
	    strerror(errno));
}

void
requests_folder_remove(struct buf *path)
{
	struct buf name = { 0 };

	for (int k = 0; k < FILE_KINDS; k++) {
		buf_reset(&name);
		buf_printf(&name, "%s/%s", buf_cstr(path),
		    files_name((enum file_kind)k));
		unlink(buf_cstr(&name));
	}
	rmdir(buf_cstr(path));
	buf_fini(&name);
}

struct requests {
	FILE *file;
	char *line;
	size_t cap;
};

struct requests *
requests_open(const char *dir, enum file_kind kind, struct err *err)
{
	struct requests *r = xcalloc(1, sizeof *r);
	struct buf name = { 0 };

	buf_printf(&name, "%s/%s", dir, files_name(kind));
	r->file = fopen(buf_cstr(&name), "re");
	if (!r->file) {
		err_set(err, "%s: cannot open: %s", name.p, strerror(errno));
		free(r);
		r = NULL;
	}
	buf_fini(&name);
	return r;
}

int
requests_next(struct requests *r, struct str *document, struct err *err)
{
	ssize_t n;

	errno = 0;
	n = getline(&r->line, &r->cap, r->file);
	if (n < 0 && ferror(r->file))
		return err_set(err, "documents: cannot read: %s",
		    strerror(errno));
	if (n <= 0)
		return 0;
	*document = (struct str){ r->line, (size_t)n };
	if (r->line[n - 1] == '\n')
		document->n--;
	return 1;
}

void
requests_close(struct requests *r)
{
	if (!r)
		return;
	fclose(r->file);
	free(r->line);
	free(r);
}

/* A member of members: "http", "request", "method". */
static struct json_val *
at(struct json_val *v, const char *a, const char *b, const char *c)
{
	v = json_get(v, str_of(a));
	if (b)
		v = json_get(v, str_of(b));
	return c ? json_get(v, str_of(c)) : v;
}

static int64_t
number(struct json_val *v)
{
	int64_t n;

	return json_i64(v, &n) ? n : VIEW_NONE;
}

static uint32_t
outcome(const struct document *d)
{
	if (d->status >= 500)
		return VIEW_FAULT;
	if (d->status == 429)
		return VIEW_ERROR | VIEW_THROTTLE;
	if (d->status >= 400)
		return VIEW_ERROR;
	return VIEW_OK;
}

static void
view(struct document *d)
{
	struct view_part *p = &d->view.trace;

	d->view = (struct trace_view){ .trace = VIEW_PART_NONE };
	p->flags = outcome(d);
	p->responsetime_ns = p->duration_ns = d->duration_ns;
	p->status = d->status;
	p->method = d->method;
	p->url = d->url;
	p->agent = d->agent;
	p->client = d->client;
	d->service_part = *p;
	d->service_part.flags |= VIEW_ROOT;
	d->service_part.name = d->service;
	d->view.services = &d->service_part;
	d->view.n_services = d->service.n > 0;
}

bool
document_read(struct document *d, struct str text)
{
	struct json_bad bad;
	struct str time;

	if (json_parse(&d->json, text, &bad) != 0)
		return false;
	d->id = json_str(json_get(json_root(&d->json), STR("_id")));
	d->source = json_get(json_root(&d->json), STR("_source"));
	if (!d->source)
		return false;
	time = json_str(json_get(d->source, STR("@timestamp")));
	if (!when_iso(&time, &d->ts_ns))
		d->ts_ns = WHEN_NONE;
	d->service = json_str(at(d->source, "service", "name", NULL));
	d->method = json_str(at(d->source, "http", "request", "method"));
	d->status = number(at(d->source, "http", "response", "status_code"));
	d->url = json_str(at(d->source, "url", "original", NULL));
	d->agent = json_str(at(d->source, "user_agent", "original", NULL));
	d->client = json_str(at(d->source, "client", "address", NULL));
	d->duration_ns = number(at(d->source, "event", "duration", NULL));
	d->trace = json_str(at(d->source, "aws", "xray", "trace_id"));
	d->route = json_str(at(d->source, "telltale", "route", NULL));
	d->rule = json_str(at(d->source, "rule", "id", NULL));
	d->severity = json_str(at(d->source, "labels", "severity", NULL));
	d->reason = json_str(at(d->source, "event", "reason", NULL));
	d->message = json_str(at(d->source, "message", NULL, NULL));
	d->level = json_str(at(d->source, "log", "level", NULL));
	d->logger = json_str(at(d->source, "log", "logger", NULL));
	d->group = json_str(at(d->source, "aws", "cloudwatch", "log_group"));
	d->stream = json_str(at(d->source, "aws", "cloudwatch", "log_stream"));
	/* A finding has the route that its requests have in common. */
	if (d->rule.n > 0)
		d->url = d->route;
	view(d);
	return true;
}

void
document_fini(struct document *d)
{
	json_fini(&d->json);
}
