/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one table of a span's keys: where each stands, what it is, and where it
 * goes.  Of equal keys the first counts, as in core/json.h: readers keep one
 * bit a row that says that it was met, so there are at most 64 rows.
 */
#include "ingest/span_keys.h"

#include "ingest/span.h"

_Static_assert(SPAN_KEYS <= 64, "one bit a row");

#define IN(type, member) (uint16_t) offsetof(struct type, member)

const struct span_key span_keys[SPAN_KEYS] = {
	{ "id", IN_SPAN, TEXT, IN(span, id) },
	{ "name", IN_SPAN, TEXT, IN(span, name) },
	{ "start_time", IN_SPAN, TIME, IN(span, start_ns) },
	{ "end_time", IN_SPAN, TIME, IN(span, end_ns) },
	{ "parent_id", IN_SPAN, TEXT, IN(span, parent_id) },
	{ "in_progress", IN_SPAN, FLAG, 0 },
	{ "http", IN_SPAN, BLOCK, IN_HTTP },
	{ "aws", IN_SPAN, BLOCK, IN_AWS },
	{ "namespace", IN_SPAN, NAMESPACE, 0 },
	{ "subsegments", IN_SPAN, SUBSEGMENTS, 0 },
	{ "annotations", IN_SPAN, ANNOTATIONS, 0 },
	{ "error", IN_SPAN, FLAG, 1 },
	{ "fault", IN_SPAN, FLAG, 2 },
	{ "throttle", IN_SPAN, FLAG, 3 },
	{ "cause", IN_SPAN, CAUSE, 0 },
	{ "origin", IN_SPAN, TEXT, IN(span, origin) },
	{ "user", IN_SPAN, TEXT, IN(span, user) },
	{ "sql", IN_SPAN, BLOCK, IN_SQL },
	{ "resource_arn", IN_SPAN, TEXT, IN(span, resource_arn) },
	{ "inferred", IN_SPAN, FLAG, 4 },
	{ "traced", IN_SPAN, FLAG, 5 },
	{ "links", IN_SPAN, LINKS, 0 },
	{ "type", IN_SPAN, TYPE, 0 },
	{ "trace_id", IN_SPAN, NO_SPANS, 0 },
	{ "request", IN_HTTP, BLOCK, IN_REQUEST },
	{ "response", IN_HTTP, BLOCK, IN_RESPONSE },
	{ "url", IN_REQUEST, TEXT, IN(span_http, url) },
	{ "method", IN_REQUEST, TEXT, IN(span_http, method) },
	{ "user_agent", IN_REQUEST, TEXT, IN(span_http, agent) },
	{ "client_ip", IN_REQUEST, TEXT, IN(span_http, client_ip) },
	{ "x_forwarded_for", IN_REQUEST, FLAG, 6 },
	{ "traced", IN_REQUEST, FLAG, 5 },
	{ "status", IN_RESPONSE, INTEGER, IN(span_http, status) },
	{ "content_length", IN_RESPONSE, INTEGER, IN(span_http, length) },
	{ "operation", IN_AWS, TEXT, IN(span_aws, operation) },
	{ "region", IN_AWS, TEXT, IN(span_aws, region) },
	{ "request_id", IN_AWS, TEXT, IN(span_aws, request_id) },
	{ "table_name", IN_AWS, TEXT, IN(span_aws, table) },
	{ "table_names", IN_AWS, TABLES, 0 },
	{ "bucket_name", IN_AWS, TEXT, IN(span_aws, bucket) },
	{ "queue_url", IN_AWS, TEXT, IN(span_aws, queue_url) },
	{ "topic_arn", IN_AWS, TEXT, IN(span_aws, topic_arn) },
	{ "function_name", IN_AWS, TEXT, IN(span_aws, function) },
	{ "account_id", IN_AWS, TEXT, IN(span_aws, account) },
	{ "retries", IN_AWS, INTEGER, IN(span_aws, retries) },
	{ "ec2", IN_AWS, BLOCK, IN_EC2 },
	{ "ecs", IN_AWS, BLOCK, IN_ECS },
	{ "cloudwatch_logs", IN_AWS, LOGS, 0 },
	{ "instance_id", IN_EC2, TEXT, IN(span_aws, instance) },
	{ "availability_zone", IN_EC2, TEXT, IN(span_aws, zone) },
	{ "container", IN_ECS, TEXT, IN(span_aws, container) },
	{ "availability_zone", IN_ECS, TEXT, IN(span_aws, zone) },
	{ "url", IN_SQL, TEXT, IN(span_sql, url) },
	{ "sanitized_query", IN_SQL, TEXT, IN(span_sql, query) },
	{ "database_type", IN_SQL, TEXT, IN(span_sql, database) },
	{ "user", IN_SQL, TEXT, IN(span_sql, user) },
};
