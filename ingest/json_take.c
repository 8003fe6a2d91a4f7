/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a JSON document or an array's element to events.
 *
 * A member is known by its place in the text.  A string without a backslash
 * is used as it stands; one with escapes goes through json_parse, alone.  So
 * an ordinary element needs no tree, and a huge one only for its huge string.
 */
#include "core/hash.h"
#include "ingest/jreader.h"

/* A tree's memory above this is given back at once. */
enum { TREE_KEEP = 4 << 20 };

static const char bad_string[] =
    "a string of the JSON document has an invalid escape or character";

/* Text that must outlive the piece: a view where the window stays. */
static struct str
keep(struct json_reader *r, struct batch *b, struct str s)
{
	return json_level(r)->w->steady ? s : arena_dup(&b->arena, s);
}

/* The text of a JSON string, a number as written; false: broken escapes. */
static bool
unescape(struct json_reader *r, struct batch *b, struct str value,
    struct str *out)
{
	struct json_bad bad;
	bool ok;

	*out = value;
	if (value.n < 2 || value.p[0] != '"') {
		*out = keep(r, b, value);
		return true;
	}
	if (!memchr(value.p, '\\', value.n)) {
		*out = keep(r, b, str_sub(value, 1, value.n - 2));
		return true;
	}
	ok = json_parse(&r->tree, value, &bad) == 0;
	if (ok)
		*out = arena_dup(&b->arena, json_str(json_root(&r->tree)));
	if (r->tree.pool_size > TREE_KEEP)
		json_fini(&r->tree);
	return ok;
}

/* A member that is a string or a number; "" when absent or null. */
static bool
text_of(struct json_reader *r, struct batch *b, const struct piece *piece,
    const char *key, struct str *out)
{
	struct str value = json_member(piece->text, piece->scan, key);

	if (str_eq(value, STR("null")))
		value = (struct str){ 0 };
	return unescape(r, b, value, out);
}

/* A member of a member that is an object, by its own scan. */
static struct str
nested(const struct piece *piece, const char *object, const char *key)
{
	struct str value = json_member(piece->text, piece->scan, object);
	struct jscan scan;

	if (value.n == 0 || value.p[0] != '{')
		return (struct str){ 0 };
	jscan_init(&scan);
	jscan_run(&scan, value);
	return json_member(value, &scan, key);
}

static bool
digits_only(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n > 0;
}

/* Microseconds or nanoseconds since 1970, by the number of digits. */
static int64_t
micro_or_nano(struct str digits)
{
	size_t n = digits.n;
	uint64_t u;

	if (!str_u64(&digits, &u) || u > INT64_MAX)
		return WHEN_NONE;
	if (n > 17)
		return (int64_t)u;
	return u <= INT64_MAX / 1000 ? (int64_t)u * 1000 : WHEN_NONE;
}

/*
 * A time as programs write it: ISO, CLF, or a number whose size tells seconds,
 * milliseconds, microseconds or nanoseconds.
 */
static int64_t
any_time(struct str value)
{
	struct str whole;
	int64_t ns = WHEN_NONE;
	bool ok;

	if (value.n > 1 && value.p[0] == '"')
		value = str_sub(value, 1, value.n - 2);
	whole = str_sub(value, 0, str_find(value, '.'));
	if (whole.n == 0)
		return WHEN_NONE;
	if (!digits_only(whole))
		ok = when_iso(&value, &ns) || when_clf(&value, &ns) ||
		     when_epoch(value, &ns);
	else if (whole.n <= 11)
		ok = when_epoch(value, &ns);
	else if (whole.n <= 14)
		ok = when_epoch_ms(value, &ns);
	else
		return micro_or_nano(whole);
	return ok ? ns : WHEN_NONE;
}

/* CloudWatch's own: milliseconds, or ISO where a program printed it. */
static int64_t
ms_time(struct str value)
{
	int64_t ns;

	if (value.n > 1 && value.p[0] == '"')
		value = str_sub(value, 1, value.n - 2);
	if (when_epoch_ms(value, &ns) || when_iso(&value, &ns))
		return ns;
	return WHEN_NONE;
}

void
json_read_header(struct json_reader *r, struct json_level *l, struct str text,
    const struct jscan *scan)
{
	static const struct {
		const char *key;
		bool group;
	} keys[] = {
		{ "logGroup", true },
		{ "logGroupName", true },
		{ "logStream", false },
		{ "logStreamName", false },
	};
	struct json_bad bad;

	buf_reset(&l->group);
	buf_reset(&l->stream);
	l->control = str_eq(json_member(text, scan, "messageType"),
	    STR("\"CONTROL_MESSAGE\""));
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		struct str value = json_member(text, scan, keys[i].key);
		struct buf *to = keys[i].group ? &l->group : &l->stream;

		if (to->n == 0 && value.n > 0 &&
		    json_parse(&r->tree, value, &bad) == 0)
			buf_str(to, json_str(json_root(&r->tree)));
	}
}

/* {"timestamp":ms,"message":text,"id"|"eventId":text[,"logStreamName"]} */
const char *
take_log_event(struct json_reader *r, struct batch *b,
    const struct piece *piece)
{
	const struct json_level *l = json_level(r);
	struct str raw = json_member(piece->text, piece->scan, "message");
	struct str message;
	struct str stream;
	struct str id;
	struct event *e;

	if (piece->text.p[0] != '{' || raw.n == 0)
		return "a log event without a message: expected an object "
		       "with timestamp and message";
	if (!unescape(r, b, raw, &message) ||
	    !text_of(r, b, piece, "logStreamName", &stream) ||
	    !text_of(r, b, piece, "eventId", &id) ||
	    (id.n == 0 && !text_of(r, b, piece, "id", &id)))
		return bad_string;
	e = batch_event(b, &piece->place);
	e->ts_ns = ms_time(json_member(piece->text, piece->scan, "timestamp"));
	e->message = message_trim(message);
	e->id = id;
	e->group = arena_dup(&b->arena, buf_view(&l->group));
	e->stream =
	    stream.n > 0 ? stream : arena_dup(&b->arena, buf_view(&l->stream));
	if (l->control)
		b->what[b->n - 1] = EVENT_CONTROL;
	return NULL;
}

/* A string's text without copying it into the batch, if it needs no parsing. */
static const char *
descend(struct json_reader *r, struct batch *b, const struct piece *piece,
    struct str value)
{
	struct str text;

	if (value.n < 2 || value.p[0] != '"')
		return "a record without a base64 text in its data";
	if (!memchr(value.p, '\\', value.n))
		text = str_sub(value, 1, value.n - 2);
	else if (!unescape(r, b, value, &text))
		return bad_string;
	return json_descend_payload(r, piece, text);
}

const char *
take_lambda(struct json_reader *r, struct batch *b, const struct piece *piece)
{
	return descend(r, b, piece, nested(piece, "awslogs", "data"));
}

/* {"kinesis":{"data":…}} in a Lambda event, {"Data":…} of GetRecords */
const char *
take_kinesis(struct json_reader *r, struct batch *b, const struct piece *piece)
{
	struct str data = nested(piece, "kinesis", "data");

	if (data.n == 0)
		data = json_member(piece->text, piece->scan, "Data");
	return descend(r, b, piece, data);
}

const char *
take_firehose(struct json_reader *r, struct batch *b, const struct piece *piece)
{
	return descend(r, b, piece,
	    json_member(piece->text, piece->scan, "data"));
}

/* "123456789012:/ecs/like" → "/ecs/like" */
static struct str
group_of_log(struct str log)
{
	size_t colon = str_find(log, ':');

	return colon == SIZE_MAX ? log : str_from(log, colon + 1);
}

/* [{"field":"@message","value":"…"},…] */
const char *
take_row(struct json_reader *r, struct batch *b, const struct piece *piece)
{
	struct event e = { .place = piece->place, .ts_ns = WHEN_NONE };
	struct json_bad bad;
	struct json_iter it;
	bool found = false;

	if (piece->text.p[0] != '[')
		return "a result row that is no array of fields";
	if (json_parse(&r->tree, piece->text, &bad) < 0)
		return bad_string;
	json_iter_init(&it, json_root(&r->tree));
	for (struct json_val *v = json_iter_next(&it); v;
	     v = json_iter_next(&it)) {
		struct str field = json_str(json_get(v, STR("field")));
		struct str value = json_text(json_get(v, STR("value")));

		if (str_eq(field, STR("@timestamp"))) {
			e.ts_ns = ms_time(value);
		} else if (str_eq(field, STR("@message"))) {
			found = true;
			e.message = arena_dup(&b->arena, message_trim(value));
		} else if (str_eq(field, STR("@logStream"))) {
			e.stream = arena_dup(&b->arena, value);
		} else if (str_eq(field, STR("@log"))) {
			e.group = arena_dup(&b->arena, group_of_log(value));
		}
	}
	if (r->tree.pool_size > TREE_KEEP)
		json_fini(&r->tree);
	if (!found)
		return "a result row without @message: ask for the field";
	*batch_event(b, &piece->place) = e;
	return NULL;
}

/* {"@timestamp":"…","@message":text or object,"@logStream":…,"@log":…} */
const char *
take_console(struct json_reader *r, struct batch *b, const struct piece *piece)
{
	struct str message;
	struct str stream;
	struct str log;
	struct event *e;

	if (!text_of(r, b, piece, "@message", &message) ||
	    !text_of(r, b, piece, "@logStream", &stream) ||
	    !text_of(r, b, piece, "@log", &log))
		return bad_string;
	e = batch_event(b, &piece->place);
	e->ts_ns = ms_time(json_member(piece->text, piece->scan, "@timestamp"));
	e->message = message_trim(message);
	e->stream = stream;
	e->group = group_of_log(log);
	return NULL;
}

/* The first time among the fields that loggers use. */
static int64_t
usual_time(const struct piece *piece)
{
	static const char *const keys[] = { "time", "timestamp", "@timestamp",
		"ts" };

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		int64_t ns =
		    any_time(json_member(piece->text, piece->scan, keys[i]));

		if (ns != WHEN_NONE)
			return ns;
	}
	return WHEN_NONE;
}

/* Whether a container's line ends with this piece. */
static bool
ends_line(const struct piece *piece, const struct json_kind *kind,
    struct str log)
{
	static const char *const marks[] = { "_p", "logtag" };

	if (kind->id == ENVELOPE_DOCKER_JSON)
		return log.n > 0 && log.p[log.n - 1] == '\n';
	for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
		if (str_eq(json_member(piece->text, piece->scan, marks[i]),
			STR("\"P\"")))
			return false;
	return true;
}

/* The pod or container that a line is of; docker's files have one only. */
static struct str
container_of(const struct piece *piece)
{
	static const char *const keys[] = { "container_name", "container_id" };
	struct str value = nested(piece, "kubernetes", "pod_name");

	for (size_t i = 0; value.n == 0 && i < sizeof keys / sizeof *keys; i++)
		value = json_member(piece->text, piece->scan, keys[i]);
	return value;
}

/* {"log":line,…} of docker, Fluent Bit and FireLens */
const char *
take_log(struct json_reader *r, struct batch *b, const struct piece *piece)
{
	const struct json_kind *kind = json_kind_of(piece->text, piece->scan);
	struct str stream = json_member(piece->text, piece->scan, "stream");
	struct joiner_piece line = {
		.event = { .place = piece->place, .ts_ns = usual_time(piece) },
	};

	if (!text_of(r, b, piece, "log", &line.event.message) ||
	    !unescape(r, b, container_of(piece), &line.event.stream))
		return bad_string;
	line.key = hash64_mix(hash64(line.event.stream), hash64(stream));
	line.whole = ends_line(piece, kind, line.event.message);
	joiner_put(&r->joiner, &line, b);
	return NULL;
}

/* A line of JSON, for the dialects; an empty array is nothing. */
const char *
take_line(struct json_reader *r, struct batch *b, const struct piece *piece)
{
	struct event *e;

	if (piece->text.p[0] == '[' && piece->scan->first == 0)
		return NULL;
	e = batch_event(b, &piece->place);
	e->ts_ns = usual_time(piece);
	e->message = keep(r, b, piece->text);
	return NULL;
}

/* An X-Ray document is decoded elsewhere, from its own text. */
static const char *
give_document(struct batch *b, const struct piece *piece, struct str text)
{
	if (text.n == 0 || text.p[0] != '{')
		return "a trace segment that is no JSON object";
	batch_event(b, &piece->place)->message = text;
	b->what[b->n - 1] = EVENT_DOCUMENT;
	return NULL;
}

const char *
take_document(struct json_reader *r, struct batch *b, const struct piece *piece)
{
	return give_document(b, piece, keep(r, b, piece->text));
}

/* {"Id":…,"Document":"{…}"}, the document as an object, or bare */
const char *
take_segment(struct json_reader *r, struct batch *b, const struct piece *piece)
{
	struct str value = json_member(piece->text, piece->scan, "Document");
	struct str text;

	if (piece->text.p[0] != '{')
		return "a trace segment that is no JSON object";
	if (value.n == 0)
		value = piece->text;
	if (!unescape(r, b, value, &text))
		return bad_string;
	return give_document(b, piece, str_trim(text));
}

/* "{…}", or the document itself */
const char *
take_put(struct json_reader *r, struct batch *b, const struct piece *piece)
{
	struct str text;

	if (!unescape(r, b, piece->text, &text))
		return bad_string;
	return give_document(b, piece, str_trim(text));
}

const char *
take_summary(struct json_reader *r, struct batch *b, const struct piece *piece)
{
	if (piece->text.p[0] != '{')
		return "a trace summary that is no JSON object";
	batch_event(b, &piece->place)->message = keep(r, b, piece->text);
	b->what[b->n - 1] = EVENT_SUMMARY;
	return NULL;
}

/* {"format":"json","version":1}: the document follows on the next line. */
const char *
take_header(struct json_reader *r, struct batch *b, const struct piece *piece)
{
	struct str format;

	if (!text_of(r, b, piece, "format", &format))
		return bad_string;
	if (!str_eq_nocase(format, STR("json")) ||
	    !str_eq(json_member(piece->text, piece->scan, "version"), STR("1")))
		return "an X-Ray datagram's header must be format json, "
		       "version 1";
	return NULL;
}

const char *
take_any(struct json_reader *r, struct batch *b, const struct piece *piece)
{
	const struct json_kind *kind = json_kind_of(piece->text, piece->scan);

	if (kind->array || kind == &json_kind_array)
		return json_descend(r, piece);
	json_name(r, kind->id);
	return kind->take(r, b, piece);
}
