/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GetTraceSummaries.  Every list is there, empty or not, and so is Http: that
 * is how the service answers, and clients count on it.
 */
#include "sinks/xray_api.h"

#include "core/json.h"
#include "sinks/xray_api_parts.h"

static void
put_node(struct buf *b, const struct trace *t, uint32_t node)
{
	const struct trace_node *n = &t->nodes[node];

	json_item(b);
	buf_char(b, '{');
	api_service(b, n->name, n->account, n->type);
	buf_char(b, '}');
}

static void
put_nodes(struct buf *b, const struct trace *t, const struct trace_value *v)
{
	api_open(b, "ServiceIds", '[');
	for (uint32_t i = 0; i < v->n_nodes; i++)
		put_node(b, t, t->refs[v->nodes + i]);
	buf_char(b, ']');
}

static void
put_http(struct buf *b, const struct trace *t)
{
	const struct span_http *h =
	    t->root == SPAN_NONE ? NULL : t->spans[t->root].http;

	api_open(b, "Http", '{');
	if (h) {
		api_text(b, "HttpURL", h->url);
		/* An int of the model's; a document may say anything. */
		if (h->status > 0 && h->status <= INT32_MAX)
			json_member_i64(b, "HttpStatus", h->status);
		api_text(b, "HttpMethod", h->method);
		api_text(b, "UserAgent", h->agent);
		api_text(b, "ClientIp", h->client_ip);
	}
	buf_char(b, '}');
}

static void
put_value(struct buf *b, const struct trace_value *v)
{
	api_open(b, "AnnotationValue", '{');
	switch (v->value) {
	case SPAN_NUMBER:
		json_key(b, "NumberValue");
		buf_str(b, v->text);
		break;
	case SPAN_BOOLEAN:
		json_key(b, "BooleanValue");
		buf_str(b, v->text);
		break;
	case SPAN_STRING:
		json_member_str(b, "StringValue", v->text);
		break;
	}
	buf_char(b, '}');
}

/* A list for every key; values of one key follow each other. */
static void
put_annotations(struct buf *b, const struct trace *t)
{
	const struct trace_values *list = &t->lists[TRACE_ANNOTATIONS];

	api_open(b, "Annotations", '{');
	for (size_t i = 0; i < list->n; i++) {
		const struct trace_value *v = &list->v[i];

		if (i == 0 || !str_eq(list->v[i - 1].key, v->key)) {
			if (i > 0)
				buf_char(b, ']');
			json_item(b);
			json_put_str(b, v->key);
			buf_cat(b, ":[");
		}
		json_item(b);
		buf_char(b, '{');
		put_value(b, v);
		put_nodes(b, t, v);
		buf_char(b, '}');
	}
	buf_cat(b, list->n > 0 ? "]}" : "}");
}

static void
put_users(struct buf *b, const struct trace *t)
{
	const struct trace_values *list = &t->lists[TRACE_USERS];

	api_open(b, "Users", '[');
	for (size_t i = 0; i < list->n; i++) {
		json_item(b);
		buf_char(b, '{');
		json_member_str(b, "UserName", list->v[i].text);
		put_nodes(b, t, &list->v[i]);
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

/* "AvailabilityZones":[{"Name":"us-west-2c"}] and its like. */
static void
put_texts(struct buf *b, const struct trace_values *list, const char *key,
    const char *member)
{
	api_open(b, key, '[');
	for (size_t i = 0; i < list->n; i++) {
		json_item(b);
		buf_char(b, '{');
		json_member_str(b, member, list->v[i].text);
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

static void
put_exceptions(struct buf *b, const struct trace_entity *e)
{
	api_open(b, "Exceptions", '[');
	for (uint32_t i = 0; i < e->n_exceptions; i++) {
		json_item(b);
		buf_char(b, '{');
		api_text(b, "Name", e->exceptions[i].type);
		api_text(b, "Message", e->exceptions[i].message);
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

static void
put_entity(struct buf *b, const struct trace *t, const struct trace_entity *e,
    enum trace_cause_kind kind)
{
	json_item(b);
	buf_char(b, '{');
	json_member_str(b, "Name", t->spans[e->span].name);
	if (kind != TRACE_TIME_CAUSE)
		put_exceptions(b, e);
	else if (e->coverage_nano >= 0)
		api_time(b, "Coverage", e->coverage_nano);
	json_member_bool(b, "Remote", e->remote);
	buf_char(b, '}');
}

static void
put_cause(struct buf *b, const struct trace *t, const struct trace_cause *c,
    enum trace_cause_kind kind)
{
	json_item(b);
	buf_char(b, '{');
	api_open(b, "Services", '[');
	for (uint32_t i = 0; i < c->n_services; i++) {
		const struct trace_cause_service *s = &c->services[i];
		const struct trace_node *n = &t->nodes[s->node];

		json_item(b);
		buf_char(b, '{');
		api_service(b, n->name, n->account, n->type);
		json_member_bool(b, "Inferred", n->inferred);
		api_open(b, "EntityPath", '[');
		for (uint32_t k = 0; k < s->n_entities; k++)
			put_entity(b, t, &s->entities[k], kind);
		buf_cat(b, "]}");
	}
	buf_char(b, ']');
	json_member_bool(b, "ClientImpacting", c->client_impacting);
	buf_char(b, '}');
}

static void
put_causes(struct buf *b, const struct trace *t)
{
	static const char *const keys[TRACE_CAUSES] = {
		[TRACE_FAULT_CAUSE] = "FaultRootCauses",
		[TRACE_ERROR_CAUSE] = "ErrorRootCauses",
		[TRACE_TIME_CAUSE] = "ResponseTimeRootCauses",
	};

	for (int k = 0; k < TRACE_CAUSES; k++) {
		const struct trace_causes *list = &t->causes[k];

		api_open(b, keys[k], '[');
		for (size_t i = 0; i < list->n; i++)
			put_cause(b, t, &list->v[i], (enum trace_cause_kind)k);
		buf_char(b, ']');
	}
}

void
xray_api_summary(struct buf *b, const struct trace *t)
{
	json_item(b);
	buf_char(b, '{');
	json_member_str(b, "Id", (struct str){ t->id_text, TRACE_ID_SIZE });
	api_time(b, "StartTime", t->start_ns);
	api_duration(b, "Duration", t->duration_ns);
	api_duration(b, "ResponseTime", t->response_ns);
	json_member_bool(b, "HasFault", t->has_fault);
	json_member_bool(b, "HasError", t->has_error);
	json_member_bool(b, "HasThrottle", t->has_throttle);
	json_member_bool(b, "IsPartial", t->partial);
	put_http(b, t);
	put_annotations(b, t);
	put_users(b, t);
	api_open(b, "ServiceIds", '[');
	for (uint32_t i = 0; i < t->n_nodes; i++)
		put_node(b, t, i);
	buf_char(b, ']');
	put_texts(b, &t->lists[TRACE_ARNS], "ResourceARNs", "ARN");
	put_texts(b, &t->lists[TRACE_INSTANCES], "InstanceIds", "Id");
	put_texts(b, &t->lists[TRACE_ZONES], "AvailabilityZones", "Name");
	if (t->entry != SPAN_NONE) {
		const struct trace_node *n = &t->nodes[t->entry];

		api_open(b, "EntryPoint", '{');
		api_service(b, n->name, n->account, n->type);
		buf_char(b, '}');
	}
	put_causes(b, t);
	json_member_i64(b, "Revision", t->revision);
	buf_char(b, '}');
}

void
xray_api_summaries_begin(struct buf *b)
{
	buf_cat(b, "{\"TraceSummaries\":[");
}

void
xray_api_summaries_end(struct buf *b, int64_t approximate_ns,
    uint64_t processed)
{
	buf_char(b, ']');
	api_time(b, "ApproximateTime", approximate_ns);
	api_count(b, "TracesProcessedCount", processed);
	buf_char(b, '}');
}
