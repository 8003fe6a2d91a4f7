/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a JSON document is, told by its members.  The first row that fits
 * counts; a new kind is one row, one predicate, and one function that takes
 * its pieces.
 */
#include "ingest/jreader.h"

/* How much of a first element is looked at. */
enum { PEEK_BYTES = 64 * 1024 };

struct str
json_member(struct str text, const struct jscan *scan, const char *key)
{
	const struct jscan_member *m = jscan_get(scan, text, str_of(key));

	if (!m || m->value_end == 0)
		return (struct str){ 0 };
	return str_sub(text, m->value, m->value_end - m->value);
}

/* A member's value begins with this byte, whether it is closed or not. */
static bool
begins(struct str text, const struct jscan *scan, const char *key, char c)
{
	const struct jscan_member *m = jscan_get(scan, text, str_of(key));

	return m && text.p[m->value] == c;
}

static bool
has(struct str text, const struct jscan *scan, const char *key)
{
	return jscan_get(scan, text, str_of(key)) != NULL;
}

/* The text from the first element of an array on; empty: it has none. */
static struct str
first_of(struct str text, const struct jscan *scan, const char *key)
{
	const struct jscan_member *m = jscan_get(scan, text, str_of(key));
	struct str s;

	if (!m || text.p[m->value] != '[')
		return (struct str){ 0 };
	s = str_from(text, m->value + 1);
	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t' || s.p[0] == '\n' ||
			      s.p[0] == '\r'))
		s = str_from(s, 1);
	if (s.n > 0 && s.p[0] == ']')
		return (struct str){ 0 };
	return str_sub(s, 0, PEEK_BYTES);
}

static bool
first_has(struct str text, const struct jscan *scan, const char *array,
    const char *key)
{
	struct jscan inner;

	text = first_of(text, scan, array);
	jscan_init(&inner);
	jscan_run(&inner, text);
	return has(text, &inner, key);
}

static bool
is_lambda(struct str text, const struct jscan *scan)
{
	return begins(text, scan, "awslogs", '{');
}

static bool
is_subscription(struct str text, const struct jscan *scan)
{
	return begins(text, scan, "logEvents", '[');
}

static bool
is_get_events(struct str text, const struct jscan *scan)
{
	if (!begins(text, scan, "events", '['))
		return false;
	if (has(text, scan, "nextForwardToken") ||
	    has(text, scan, "nextBackwardToken"))
		return true;
	return first_has(text, scan, "events", "timestamp") &&
	       first_has(text, scan, "events", "message") &&
	       !first_has(text, scan, "events", "eventId") &&
	       !first_has(text, scan, "events", "logStreamName");
}

static bool
is_filter_events(struct str text, const struct jscan *scan)
{
	if (!begins(text, scan, "events", '['))
		return false;
	if (first_of(text, scan, "events").n == 0)
		return has(text, scan, "searchedLogStreams") ||
		       has(text, scan, "nextToken") || scan->n_members == 1;
	return first_has(text, scan, "events", "timestamp") &&
	       first_has(text, scan, "events", "message");
}

static bool
is_kinesis(struct str text, const struct jscan *scan)
{
	if (!begins(text, scan, "Records", '['))
		return false;
	return first_has(text, scan, "Records", "kinesis") ||
	       first_has(text, scan, "Records", "Data") ||
	       has(text, scan, "MillisBehindLatest");
}

static bool
is_firehose(struct str text, const struct jscan *scan)
{
	return begins(text, scan, "records", '[') &&
	       first_has(text, scan, "records", "data");
}

static bool
is_insights_api(struct str text, const struct jscan *scan)
{
	struct str first = first_of(text, scan, "results");

	if (!begins(text, scan, "results", '['))
		return false;
	return first.n > 0 ? first.p[0] == '[' : has(text, scan, "statistics");
}

static bool
is_console(struct str text, const struct jscan *scan)
{
	return has(text, scan, "@message");
}

static bool
is_traces(struct str text, const struct jscan *scan)
{
	return begins(text, scan, "Traces", '[');
}

static bool
is_trace(struct str text, const struct jscan *scan)
{
	return begins(text, scan, "Segments", '[');
}

static bool
is_put(struct str text, const struct jscan *scan)
{
	return begins(text, scan, "TraceSegmentDocuments", '[');
}

static bool
is_summaries(struct str text, const struct jscan *scan)
{
	return begins(text, scan, "TraceSummaries", '[');
}

static bool
is_summary(struct str text, const struct jscan *scan)
{
	return begins(text, scan, "Id", '"') && has(text, scan, "Duration") &&
	       has(text, scan, "HasFault");
}

static bool
is_segment(struct str text, const struct jscan *scan)
{
	return has(text, scan, "Document") && has(text, scan, "Id");
}

static bool
is_header(struct str text, const struct jscan *scan)
{
	return begins(text, scan, "format", '"') &&
	       has(text, scan, "version") && scan->n_members == 2;
}

static bool
is_document(struct str text, const struct jscan *scan)
{
	if (!begins(text, scan, "id", '"'))
		return false;
	if (has(text, scan, "name") && has(text, scan, "start_time"))
		return true;
	return str_starts(json_member(text, scan, "trace_id"), STR("\"1-"));
}

/* One of logEvents or events on its own, as jq prints them. */
static bool
is_log_event(struct str text, const struct jscan *scan)
{
	enum { ID_DIGITS = 40 };

	return has(text, scan, "timestamp") && has(text, scan, "message") &&
	       (has(text, scan, "eventId") ||
		   has(text, scan, "ingestionTime") ||
		   has(text, scan, "logStreamName") ||
		   json_member(text, scan, "id").n > ID_DIGITS);
}

/* {"log":…,"stream":…,"time":…} and nothing else. */
static bool
is_docker(struct str text, const struct jscan *scan)
{
	size_t known = 0;

	known += has(text, scan, "stream");
	known += has(text, scan, "time");
	known += has(text, scan, "attrs");
	return begins(text, scan, "log", '"') && scan->n_members == known + 1;
}

static bool
is_container_insights(struct str text, const struct jscan *scan)
{
	return begins(text, scan, "log", '"') &&
	       begins(text, scan, "kubernetes", '{');
}

static bool
is_firelens(struct str text, const struct jscan *scan)
{
	return begins(text, scan, "log", '"');
}

static bool
is_any(struct str text, const struct jscan *scan)
{
	(void)text;
	(void)scan;
	return true;
}

const struct json_kind json_kind_array = {
	.id = ENVELOPES,
	.take = take_any,
};

static const struct json_kind kinds[] = {
	{ ENVELOPE_XRAY_SEGMENTS, is_document, NULL, take_document },
	{ ENVELOPE_SUBSCRIPTION, is_subscription, "logEvents", take_log_event },
	{ ENVELOPE_GET_EVENTS, is_get_events, "events", take_log_event },
	{ ENVELOPE_FILTER_EVENTS, is_filter_events, "events", take_log_event },
	{ ENVELOPE_FILTER_EVENTS, is_log_event, NULL, take_log_event },
	{ ENVELOPE_LAMBDA, is_lambda, NULL, take_lambda },
	{ ENVELOPE_KINESIS, is_kinesis, "Records", take_kinesis },
	{ ENVELOPE_FIREHOSE, is_firehose, "records", take_firehose },
	{ ENVELOPE_INSIGHTS_API, is_insights_api, "results", take_row },
	{ ENVELOPE_INSIGHTS_JSON, is_console, NULL, take_console },
	{ ENVELOPE_XRAY_TRACES, is_traces, "Traces", take_any },
	{ ENVELOPE_XRAY_TRACES, is_trace, "Segments", take_segment },
	{ ENVELOPE_XRAY_TRACES, is_segment, NULL, take_segment },
	{ ENVELOPE_XRAY_PUT, is_put, "TraceSegmentDocuments", take_put },
	{ ENVELOPE_XRAY_SUMMARIES, is_summaries, "TraceSummaries",
	    take_summary },
	{ ENVELOPE_XRAY_SUMMARIES, is_summary, NULL, take_summary },
	{ ENVELOPE_XRAY_DATAGRAMS, is_header, NULL, take_header },
	{ ENVELOPE_DOCKER_JSON, is_docker, NULL, take_log },
	{ ENVELOPE_CONTAINER_INSIGHTS, is_container_insights, NULL, take_log },
	{ ENVELOPE_FIRELENS, is_firelens, NULL, take_log },
	{ ENVELOPE_JSON_LINES, is_any, NULL, take_line },
};

const struct json_kind *
json_kind_of(struct str text, const struct jscan *scan)
{
	const struct json_kind *k = kinds;

	if (scan->first > 0 && strchr("{[\"", text.p[scan->first]))
		return &json_kind_array;
	while (!k->is(text, scan))
		k++;
	return k;
}
