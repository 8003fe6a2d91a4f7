/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keywords of the filter language; see query/fields.h.  The places follow
 * the reference of the language: a keyword is accepted where AWS documents it
 * or shows it, and refused elsewhere with the places in the message.
 */
#include "query/fields.h"

#define EVERYWHERE (QUERY_AT_TRACE | QUERY_AT_SERVICE | QUERY_AT_EDGE)
#define CAUSES                                                                 \
	(QUERY_AT_CAUSE_SERVICE | QUERY_AT_CAUSE_ENTITY |                      \
	    QUERY_AT_CAUSE_EXCEPTION)

/* NOLINTBEGIN(bugprone-macro-parentheses): initializers, not expressions */
#define BOOL(word, bit, col, places, sentence)                                 \
	{                                                                      \
		.name = word, .type = QUERY_BOOL, .where = places,             \
		.flag = bit, .list = VIEW_LISTS, .column = col,                \
		.es = "telltale.trace." col, .help = sentence                  \
	}
#define NUMBER(word, member, places, shift, field, sentence)                   \
	{                                                                      \
		.name = word, .type = QUERY_NUMBER, .where = places,           \
		.offset = offsetof(struct view_part, member), .scale = shift,  \
		.list = VIEW_LISTS, .column = #member, .es = field,            \
		.help = sentence                                               \
	}
#define TEXT(word, member, places, several, field, sentence)                   \
	{                                                                      \
		.name = word, .type = QUERY_TEXT, .where = places,             \
		.offset = offsetof(struct view_part, member), .list = several, \
		.column = #member, .es = field, .help = sentence               \
	}
#define FORM(word, kind, places, sentence)                                     \
	{                                                                      \
		.name = word, .type = kind, .where = places,                   \
		.list = VIEW_LISTS, .help = sentence                           \
	}
#define CAUSE(word, of, place, sentence)                                       \
	{                                                                      \
		.name = word, .type = QUERY_CAUSE, .where = QUERY_AT_TRACE,    \
		.list = VIEW_LISTS, .cause = of, .target = place,              \
		.help = sentence                                               \
	}
/* NOLINTEND(bugprone-macro-parentheses) */

const struct query_field query_fields[] = {
	BOOL("ok", VIEW_OK, "ok", EVERYWHERE,
	    "the answer was neither error, throttle nor fault"),
	BOOL("error", VIEW_ERROR, "error", EVERYWHERE,
	    "the answer was a client error (4xx)"),
	BOOL("throttle", VIEW_THROTTLE, "throttle", EVERYWHERE,
	    "a call was throttled (429); of a trace: in any segment"),
	BOOL("fault", VIEW_FAULT, "fault", EVERYWHERE,
	    "the answer was a server fault (5xx)"),
	BOOL("partial", VIEW_PARTIAL, "partial", EVERYWHERE,
	    "segments are incomplete or missing"),
	BOOL("inferred", VIEW_INFERRED, "inferred",
	    QUERY_AT_TRACE | QUERY_AT_SERVICE | QUERY_AT_CAUSE_SERVICE,
	    "the segment was inferred from its caller's"),
	BOOL("root", VIEW_ROOT, "root", QUERY_AT_SERVICE,
	    "the segment is the root of its trace"),
	BOOL("first", VIEW_FIRST, "first", CAUSES,
	    "the element is the first of its list"),
	BOOL("last", VIEW_LAST, "last", CAUSES,
	    "the element is the last of its list"),
	BOOL("remote", VIEW_REMOTE, "remote", QUERY_AT_CAUSE_ENTITY,
	    "the entity is a call to another service"),
	NUMBER("responsetime", responsetime_ns, EVERYWHERE, 9,
	    "telltale.trace.response_time", "seconds until the answer"),
	NUMBER("duration", duration_ns, EVERYWHERE, 9, "event.duration",
	    "seconds from the first start to the last end"),
	NUMBER("http.status", status, EVERYWHERE, 0,
	    "http.response.status_code", "the status of the answer"),
	NUMBER("index", place, CAUSES, 0, "",
	    "the element's place in its list, from 0"),
	NUMBER("coverage", coverage, QUERY_AT_RESPONSE_ENTITY, 9, "",
	    "the entity's share of the root's response time, 0 to 1"),
	TEXT("http.url", url, EVERYWHERE, VIEW_LISTS, "url.original",
	    "the URL of the request"),
	TEXT("http.method", method, EVERYWHERE, VIEW_LISTS,
	    "http.request.method", "the method of the request"),
	TEXT("http.useragent", agent, EVERYWHERE, VIEW_LISTS,
	    "user_agent.original", "the user agent of the request"),
	TEXT("http.clientip", client, EVERYWHERE, VIEW_LISTS, "client.address",
	    "the address of the client"),
	TEXT("user", user, EVERYWHERE, VIEW_USERS, "",
	    "a user; of a trace: of any segment"),
	TEXT("availabilityzone", zone, EVERYWHERE, VIEW_ZONES, "",
	    "an availability zone; of a trace: of any segment"),
	TEXT("instance.id", instance, EVERYWHERE, VIEW_INSTANCES, "",
	    "an EC2 instance; of a trace: of any segment"),
	TEXT("resource.arn", arn, EVERYWHERE, VIEW_ARNS, "",
	    "a resource; of a trace: of any segment"),
	TEXT("name", name, QUERY_AT_SERVICE | CAUSES, VIEW_LISTS, "",
	    "the name of the service, entity or exception"),
	TEXT("type", type, QUERY_AT_SERVICE | QUERY_AT_CAUSE_SERVICE,
	    VIEW_LISTS, "", "the type of the service"),
	TEXT("message", message, QUERY_AT_CAUSE_EXCEPTION, VIEW_LISTS, "",
	    "the message of the exception"),
	TEXT("account.id", account,
	    QUERY_AT_TRACE | QUERY_AT_SERVICE | QUERY_AT_CAUSE_SERVICE,
	    VIEW_ACCOUNTS, "", "an account; of a trace: of any service"),
	FORM("annotation", QUERY_ANNOTATION, EVERYWHERE,
	    "annotation.key or annotation[key], of any type"),
	FORM("service", QUERY_SERVICE, QUERY_AT_TRACE,
	    "service(node) { condition on one of its segments }"),
	FORM("edge", QUERY_EDGE, QUERY_AT_TRACE,
	    "edge(caller, callee) { condition on one call }"),
	CAUSE("rootcause.fault.service", VIEW_CAUSE_FAULT,
	    QUERY_AT_CAUSE_SERVICE, "a service on the way to a fault"),
	CAUSE("rootcause.fault.entity", VIEW_CAUSE_FAULT, QUERY_AT_CAUSE_ENTITY,
	    "a segment or subsegment on that way"),
	CAUSE("rootcause.fault.exception", VIEW_CAUSE_FAULT,
	    QUERY_AT_CAUSE_EXCEPTION, "an exception of such an entity"),
	CAUSE("rootcause.error.service", VIEW_CAUSE_ERROR,
	    QUERY_AT_CAUSE_SERVICE, "a service on the way to an error"),
	CAUSE("rootcause.error.entity", VIEW_CAUSE_ERROR, QUERY_AT_CAUSE_ENTITY,
	    "a segment or subsegment on that way"),
	CAUSE("rootcause.error.exception", VIEW_CAUSE_ERROR,
	    QUERY_AT_CAUSE_EXCEPTION, "an exception of such an entity"),
	CAUSE("rootcause.responsetime.service", VIEW_CAUSE_RESPONSETIME,
	    QUERY_AT_CAUSE_SERVICE, "a service where the time was spent"),
	CAUSE("rootcause.responsetime.entity", VIEW_CAUSE_RESPONSETIME,
	    QUERY_AT_CAUSE_ENTITY | QUERY_AT_RESPONSE_ENTITY,
	    "a segment or subsegment where the time was spent"),
	FORM("rootcause.json", QUERY_CAUSE_JSON, QUERY_AT_TRACE,
	    "a list of root causes as the API prints them"),
	{
	    .name = "group.name",
	    .type = QUERY_GROUP,
	    .where = QUERY_AT_TRACE,
	    .by = QUERY_GROUP_NAME,
	    .list = VIEW_LISTS,
	    .help = "the expression of the group of that name",
	},
	{
	    .name = "group.arn",
	    .type = QUERY_GROUP,
	    .where = QUERY_AT_TRACE,
	    .by = QUERY_GROUP_ARN,
	    .list = VIEW_LISTS,
	    .help = "the expression of the group of that ARN",
	},
	{ .name = NULL },
};

const struct query_field *
query_field_find(struct str name)
{
	for (const struct query_field *f = query_fields; f->name; f++)
		if (str_eq_nocase(str_of(f->name), name))
			return f;
	return NULL;
}

const char *
query_scope_name(unsigned scope)
{
	static const struct {
		unsigned scope;
		const char *name;
	} names[] = {
		{ EVERYWHERE,
		    "outside of braces, or in those of service and edge" },
		{ QUERY_AT_TRACE | QUERY_AT_SERVICE | QUERY_AT_CAUSE_SERVICE,
		    "outside of braces, or in those of service and "
		    "rootcause.*.service" },
		{ QUERY_AT_SERVICE | CAUSES,
		    "in the braces of service and rootcause.*" },
		{ QUERY_AT_SERVICE | QUERY_AT_CAUSE_SERVICE,
		    "in the braces of service and rootcause.*.service" },
		{ CAUSES, "in the braces of rootcause.*" },
		{ QUERY_AT_TRACE, "outside of braces" },
		{ QUERY_AT_SERVICE, "in the braces of service" },
		{ QUERY_AT_EDGE, "in the braces of edge" },
		{ QUERY_AT_CAUSE_SERVICE,
		    "in the braces of rootcause.*.service" },
		{ QUERY_AT_CAUSE_ENTITY,
		    "in the braces of rootcause.*.entity" },
		{ QUERY_AT_CAUSE_EXCEPTION,
		    "in the braces of rootcause.*.exception" },
		{ QUERY_AT_RESPONSE_ENTITY,
		    "in the braces of rootcause.responsetime.entity" },
		{ QUERY_AT_CAUSE_ENTITY | QUERY_AT_RESPONSE_ENTITY,
		    "in the braces of rootcause.responsetime.entity" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].scope == scope)
			return names[i].name;
	return "another place";
}
