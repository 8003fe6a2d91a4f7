/* SPDX-License-Identifier: Apache-2.0 */
/* See the header. */
#include "pipeline/indexed_trace.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

static struct json_val *
at(struct json_val *v, const char *a, const char *b)
{
	v = json_get(v, str_of(a));
	return b ? json_get(v, str_of(b)) : v;
}

static struct str
text(struct json_val *of, const char *key)
{
	return json_str(json_get(of, str_of(key)));
}

static int64_t
number(struct json_val *of, const char *key)
{
	int64_t n;

	return json_i64(json_get(of, str_of(key)), &n) ? n : VIEW_NONE;
}

static bool
is_true(struct json_val *of, const char *key)
{
	bool v;

	return json_bool(json_get(of, str_of(key)), &v) && v;
}

static uint32_t
flags(struct json_val *of)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} names[] = {
		{ VIEW_OK, "ok" },
		{ VIEW_ERROR, "error" },
		{ VIEW_THROTTLE, "throttle" },
		{ VIEW_FAULT, "fault" },
		{ VIEW_PARTIAL, "partial" },
		{ VIEW_INFERRED, "inferred" },
		{ VIEW_ROOT, "root" },
		{ VIEW_CLIENT, "client_node" },
	};
	uint32_t all = 0;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (is_true(of, names[i].name))
			all |= names[i].flag;
	return all;
}

/* Room for an array's elements. */
static void *
room(struct json_val *array, size_t size, struct arena *arena)
{
	return arena_alloc(arena, json_size(array) * size + 1);
}

static double
number_of(struct str s)
{
	char copy[64];
	double v;

	if (s.n >= sizeof copy)
		return 0;
	memcpy(copy, s.p, s.n);
	copy[s.n] = '\0';
	v = strtod(copy, NULL);
	if (v > DBL_MAX)
		return DBL_MAX;
	return v < -DBL_MAX ? -DBL_MAX : v;
}

static struct view_annotations
annotations(struct json_val *of, struct arena *arena)
{
	struct json_val *array = at(of, "annotations", NULL);
	struct view_annotation *v = room(array, sizeof *v, arena);
	struct json_val *one;
	struct json_iter it;
	size_t n = 0;

	json_iter_init(&it, array);
	for (one = json_iter_next(&it); one; one = json_iter_next(&it)) {
		struct view_annotation a = { .key = text(one, "key") };
		struct json_val *value = at(one, "number", NULL);

		if (value) {
			a.kind = VIEW_NUMBER;
			a.text = json_raw(value);
			a.number = number_of(a.text);
		} else if (json_bool(at(one, "boolean", NULL), &a.boolean)) {
			a.kind = VIEW_BOOLEAN;
			a.text = a.boolean ? STR("true") : STR("false");
		} else {
			a.text = text(one, "text");
		}
		v[n++] = a;
	}
	return (struct view_annotations){ v, n };
}

static struct view_part
part(struct json_val *of, struct arena *arena)
{
	return (struct view_part){
		.flags = flags(of),
		.responsetime_ns = number(of, "responsetime_ns"),
		.duration_ns = number(of, "duration_ns"),
		.status = number(of, "status"),
		.place = VIEW_NONE,
		.coverage = VIEW_NONE,
		.name = text(of, "name"),
		.type = text(of, "type"),
		.account = text(of, "account"),
		.method = text(of, "method"),
		.url = text(of, "url"),
		.agent = text(of, "agent"),
		.client = text(of, "client"),
		.user = text(of, "user"),
		.zone = text(of, "zone"),
		.instance = text(of, "instance"),
		.arn = text(of, "arn"),
		.annotations = annotations(of, arena),
	};
}

static void
services(struct trace_view *view, struct json_val *source, struct arena *arena)
{
	struct json_val *array = at(source, "services", NULL);
	struct view_part *v = room(array, sizeof *v, arena);
	struct json_val *one;
	struct json_iter it;

	json_iter_init(&it, array);
	for (one = json_iter_next(&it); one; one = json_iter_next(&it))
		v[view->n_services++] = part(one, arena);
	view->services = v;
}

static struct view_node
end(struct json_val *of)
{
	return (struct view_node){ text(of, "name"), text(of, "type"),
		text(of, "account"), is_true(of, "client") };
}

static void
edges(struct trace_view *view, struct json_val *source, struct arena *arena)
{
	struct json_val *array = at(source, "edges", NULL);
	struct view_edge *v = room(array, sizeof *v, arena);
	struct json_val *one;
	struct json_iter it;

	json_iter_init(&it, array);
	for (one = json_iter_next(&it); one; one = json_iter_next(&it))
		v[view->n_edges++] =
		    (struct view_edge){ end(at(one, "from", NULL)),
			    end(at(one, "to", NULL)), part(one, arena) };
	view->edges = v;
}

static struct view_entity
entity(struct json_val *of, struct arena *arena)
{
	struct json_val *array = at(of, "exceptions", NULL);
	struct view_exception *v = room(array, sizeof *v, arena);
	struct json_val *one;
	struct json_iter it;
	size_t n = 0;

	json_iter_init(&it, array);
	for (one = json_iter_next(&it); one; one = json_iter_next(&it))
		v[n++] = (struct view_exception){ text(one, "name"),
			text(one, "message") };
	return (struct view_entity){ .name = text(of, "name"),
		.coverage = number(of, "coverage"),
		.remote = is_true(of, "remote"),
		.exceptions = v,
		.n_exceptions = n };
}

static struct view_cause_service
cause_service(struct json_val *of, struct arena *arena)
{
	struct json_val *array = at(of, "entities", NULL);
	struct view_entity *v = room(array, sizeof *v, arena);
	struct json_val *one;
	struct json_iter it;
	size_t n = 0;

	json_iter_init(&it, array);
	for (one = json_iter_next(&it); one; one = json_iter_next(&it))
		v[n++] = entity(one, arena);
	return (struct view_cause_service){ .name = text(of, "name"),
		.type = text(of, "type"),
		.account = text(of, "account"),
		.inferred = is_true(of, "inferred"),
		.entities = v,
		.n_entities = n };
}

static struct view_cause
cause(struct json_val *of, struct arena *arena)
{
	struct json_val *array = at(of, "services", NULL);
	struct view_cause_service *v = room(array, sizeof *v, arena);
	struct json_val *one;
	struct json_iter it;
	size_t n = 0;

	json_iter_init(&it, array);
	for (one = json_iter_next(&it); one; one = json_iter_next(&it))
		v[n++] = cause_service(one, arena);
	return (struct view_cause){ .services = v,
		.n_services = n,
		.client_impacting = is_true(of, "client_impacting") };
}

/* Those of one kind, in their order. */
static struct view_causes
causes(struct json_val *source, const char *kind, struct arena *arena)
{
	struct json_val *array = at(source, "causes", NULL);
	struct view_cause *v = room(array, sizeof *v, arena);
	struct json_val *one;
	struct json_iter it;
	size_t n = 0;

	json_iter_init(&it, array);
	for (one = json_iter_next(&it); one; one = json_iter_next(&it))
		if (str_eq(text(one, "kind"), str_of(kind)))
			v[n++] = cause(one, arena);
	return (struct view_causes){ v, n };
}

/* The values of one field, in their order. */
static struct view_texts
values(struct json_val *source, const char *field, struct arena *arena)
{
	struct json_val *array = at(source, "values", NULL);
	struct str *v = room(array, sizeof *v, arena);
	struct json_val *one;
	struct json_iter it;
	size_t n = 0;

	json_iter_init(&it, array);
	for (one = json_iter_next(&it); one; one = json_iter_next(&it))
		if (str_eq(text(one, "field"), str_of(field)))
			v[n++] = text(one, "text");
	return (struct view_texts){ v, n };
}

/* What the root shows has ECS's names. */
static void
trace_part(struct view_part *p, struct json_val *source, struct arena *arena)
{
	struct json_val *own = at(source, "telltale", "trace");
	struct json_val *http = at(source, "http", NULL);

	*p = (struct view_part)VIEW_PART_NONE;
	p->flags = flags(own);
	p->responsetime_ns = number(own, "response_time");
	p->duration_ns = number(at(source, "event", NULL), "duration");
	p->status = number(at(http, "response", NULL), "status_code");
	p->method = text(at(http, "request", NULL), "method");
	p->url = text(at(source, "url", NULL), "original");
	p->agent = text(at(source, "user_agent", NULL), "original");
	p->client = text(at(source, "client", NULL), "address");
	p->annotations = annotations(source, arena);
}

bool
indexed_trace_read(struct indexed_trace *d, struct json_val *source,
    struct arena *arena)
{
	static const char *const lists[VIEW_LISTS] = { "user",
		"availabilityzone", "instance.id", "resource.arn",
		"account.id" };
	static const char *const kinds[VIEW_CAUSES] = { "fault", "error",
		"responsetime" };
	struct json_val *own = at(source, "telltale", "trace");

	*d = (struct indexed_trace){
		.id = text(at(source, "aws", "xray"), "trace_id"),
		.start_ns = number(own, "start_ns"),
		.service = text(at(source, "service", NULL), "name"),
		.summary = text(own, "summary"),
	};
	if (d->id.n == 0 || d->start_ns == VIEW_NONE)
		return false;
	trace_part(&d->view.trace, source, arena);
	services(&d->view, source, arena);
	edges(&d->view, source, arena);
	for (int k = 0; k < VIEW_LISTS; k++)
		d->view.lists[k] = values(source, lists[k], arena);
	for (int k = 0; k < VIEW_CAUSES; k++)
		d->view.causes[k] = causes(source, kinds[k], arena);
	return true;
}
