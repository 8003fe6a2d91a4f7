/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of envelopes, the choice among them, and the loop that feeds the
 * chosen reader.
 *
 * The choice is made once, on the first SNIFF_BYTES bytes or all there are, so
 * that it does not depend on how the bytes come.  Every reader gives a score;
 * plain text claims everything for one point.  What is no text at all, UTF-16
 * and other binary data, is one dead letter.
 */
#include "ingest/events.h"

#include <stdlib.h>

#include "core/buf.h"
#include "core/mem.h"
#include "ingest/envelope.h"
#include "ingest/source.h"

/* The table; the order is that of the manual. */
static const struct envelope_info infos[ENVELOPES + 1] = {
	[ENVELOPE_S3_EXPORT] = { "s3-export",
	    "lines of a CloudWatch Logs export task: time, blank, message" },
	[ENVELOPE_FILTER_EVENTS] = { "filter-log-events",
	    "JSON of FilterLogEvents, whole or one event a line" },
	[ENVELOPE_GET_EVENTS] = { "get-log-events", "JSON of GetLogEvents" },
	[ENVELOPE_TAIL] = { "logs-tail",
	    "aws logs tail: time with zone, stream, message" },
	[ENVELOPE_TAIL_SHORT] = { "logs-tail-short",
	    "aws logs tail --format short: time, message" },
	[ENVELOPE_TAIL_JSON] = { "logs-tail-json",
	    "aws logs tail --format json: messages printed over lines" },
	[ENVELOPE_SUBSCRIPTION] = { "subscription",
	    "JSON documents of a subscription filter, also side by side as "
	    "Firehose leaves them in S3" },
	[ENVELOPE_LAMBDA] = { "lambda-event",
	    "a Lambda event with awslogs.data: base64 of gzip" },
	[ENVELOPE_KINESIS] = { "kinesis-records",
	    "records of Kinesis, as a Lambda event or from GetRecords" },
	[ENVELOPE_FIREHOSE] = { "firehose-records",
	    "records of Firehose, to a transformation or an HTTP endpoint" },
	[ENVELOPE_INSIGHTS_API] = { "insights-results",
	    "JSON of GetQueryResults of Logs Insights" },
	[ENVELOPE_INSIGHTS_JSON] = { "insights-json",
	    "Logs Insights results downloaded from the console as JSON" },
	[ENVELOPE_INSIGHTS_CSV] = { "insights-csv",
	    "Logs Insights results downloaded from the console as CSV" },
	[ENVELOPE_CONSOLE_CSV] = { "console-csv",
	    "log events downloaded from the console as CSV" },
	[ENVELOPE_DOCKER_JSON] = { "docker-json",
	    "lines of Docker's json-file driver" },
	[ENVELOPE_COMPOSE] = { "compose",
	    "lines of docker compose logs: name, bar, message" },
	[ENVELOPE_CRI] = { "cri",
	    "lines of a Kubernetes node: time, stdout or stderr, F or P" },
	[ENVELOPE_KUBECTL] = { "kubectl",
	    "lines of kubectl logs --prefix: [pod/name/container]" },
	[ENVELOPE_CONTAINER_INSIGHTS] = { "container-insights",
	    "JSON lines of Container Insights: log and kubernetes" },
	[ENVELOPE_FIRELENS] = { "firelens",
	    "JSON lines of FireLens and Fluent Bit: log and the container" },
	[ENVELOPE_XRAY_SEGMENTS] = { "xray-segments",
	    "X-Ray segment documents, one a line, in an array or printed" },
	[ENVELOPE_XRAY_TRACES] = { "xray-traces",
	    "JSON of BatchGetTraces, or single traces of it" },
	[ENVELOPE_XRAY_PUT] = { "xray-put", "requests of PutTraceSegments" },
	[ENVELOPE_XRAY_SUMMARIES] = { "xray-summaries",
	    "JSON of GetTraceSummaries" },
	[ENVELOPE_XRAY_DATAGRAMS] = { "xray-datagrams",
	    "captured datagrams to the X-Ray daemon: header line, document" },
	[ENVELOPE_JSON_LINES] = { "json-lines", "any other JSON objects" },
	[ENVELOPE_TEXT] = { "text", "plain text: every line is an event" },
	[ENVELOPES] = { NULL, NULL },
};

/* What was seen: behind "the first line", "line 3", "the first document". */
static const char *const whys[ENVELOPES] = {
	[ENVELOPE_S3_EXPORT] =
	    "begins with an ISO time of 24 characters and a blank",
	[ENVELOPE_FILTER_EVENTS] = "has log events with message and eventId",
	[ENVELOPE_GET_EVENTS] = "has events without ids, or nextForwardToken",
	[ENVELOPE_TAIL] = "begins with a time with zone and a stream's name",
	[ENVELOPE_TAIL_SHORT] =
	    "begins with an ISO time of 19 characters and a blank",
	[ENVELOPE_TAIL_JSON] =
	    "begins with a time with zone; messages are JSON over lines",
	[ENVELOPE_SUBSCRIPTION] = "has logEvents",
	[ENVELOPE_LAMBDA] = "has awslogs with data",
	[ENVELOPE_KINESIS] = "has Records with kinesis.data or Data",
	[ENVELOPE_FIREHOSE] = "has records with data",
	[ENVELOPE_INSIGHTS_API] = "has results that are rows of fields",
	[ENVELOPE_INSIGHTS_JSON] = "has @message",
	[ENVELOPE_INSIGHTS_CSV] = "names the columns @timestamp and @message",
	[ENVELOPE_CONSOLE_CSV] = "names the columns timestamp and message",
	[ENVELOPE_DOCKER_JSON] = "has log and nothing but stream and time",
	[ENVELOPE_COMPOSE] = "begins with a name, blanks and a bar",
	[ENVELOPE_CRI] = "begins with a time, stdout or stderr, and F or P",
	[ENVELOPE_KUBECTL] = "begins with [pod/name/container]",
	[ENVELOPE_CONTAINER_INSIGHTS] = "has log and kubernetes",
	[ENVELOPE_FIRELENS] = "has log, and other members",
	[ENVELOPE_XRAY_SEGMENTS] = "has id, name and start_time",
	[ENVELOPE_XRAY_TRACES] = "has Traces, or Id and Segments",
	[ENVELOPE_XRAY_PUT] = "has TraceSegmentDocuments",
	[ENVELOPE_XRAY_SUMMARIES] = "has TraceSummaries",
	[ENVELOPE_XRAY_DATAGRAMS] = "is a daemon's header: format, version",
	[ENVELOPE_JSON_LINES] = "is of no other form",
	[ENVELOPE_TEXT] = "fits no other envelope",
};

static const struct envelope_ops *const readers[] = {
	&envelope_timed,
	&envelope_lines,
	&envelope_csv,
	&envelope_json,
	&envelope_text,
	NULL,
};

struct events {
	const struct limits *limits;
	struct source *source;
	struct window window;
	struct envelope *reader; /* NULL before the first bytes are known */
	struct verdict verdict;
	const char *refused; /* why nothing of the input is read */
	struct buf why;      /* for the envelope `told` */
	enum envelope_id told;
	bool failed; /* reading did, for this reason */
	struct err failure;
};

void
batch_dead(struct batch *b, const struct place *place, const char *reason,
    struct str bytes)
{
	struct dead *d;

	if (b->n_dead == b->cap_dead) {
		size_t cap = b->cap_dead ? 2 * b->cap_dead : 16;

		d = arena_alloc(&b->arena, cap * sizeof *d);
		if (b->n_dead > 0)
			memcpy(d, b->dead, b->n_dead * sizeof *d);
		b->dead = d;
		b->cap_dead = cap;
	}
	b->dead[b->n_dead++] = (struct dead){
		.place = *place,
		.reason = reason,
		.bytes =
		    arena_dup(&b->arena, str_sub(bytes, 0, DEAD_BYTES_MAX)),
	};
}

void
batch_reset(struct batch *b)
{
	b->n = 0;
	b->marks = NULL;
	b->dead = NULL;
	b->n_dead = 0;
	b->cap_dead = 0;
	arena_reset(&b->arena);
}

void
batch_fini(struct batch *b)
{
	batch_reset(b);
	arena_fini(&b->arena);
}

bool
head_line(struct str *head, unsigned *line, struct str *out)
{
	while (head->n > 0 && *line < SNIFF_LINES) {
		if (!str_cut(head, '\n', out)) {
			*out = *head;
			*head = str_from(*head, head->n);
		}
		*out = line_without_cr(*out);
		++*line;
		if (out->n > 0)
			return true;
	}
	return false;
}

struct str
message_trim(struct str message)
{
	if (message.n > 0 && message.p[message.n - 1] == '\n')
		return line_without_cr(str_sub(message, 0, message.n - 1));
	return message;
}

bool
envelope_marks(struct envelope *self, struct batch *b)
{
	if (!window_is_marked(self->w)) {
		if (b->marks)
			return false;
		window_mark(self->w);
	}
	b->marks = self->w->marks;
	return true;
}

enum step
envelope_skip(struct envelope *self)
{
	if (self->w->skipping && !window_skip_line(self->w))
		return STEP_MORE;
	return STEP_ON;
}

enum step
envelope_long_line(struct envelope *self, struct batch *b)
{
	struct str bytes;

	if (!window_dead_line(self->w, &bytes))
		return STEP_MORE;
	batch_dead(b, &self->w->place,
	    "a line over the line limit: its first bytes are kept", bytes);
	self->w->skipping = true;
	return envelope_skip(self);
}

void
envelope_half_line(struct envelope *self, struct batch *b, struct str line)
{
	batch_dead(b, &self->w->place,
	    "half a line: what it was packed in ends early", line);
}

/* A byte order mark, or every second byte of the beginning NUL. */
static bool
is_utf16(struct str head)
{
	size_t n = head.n < 64 ? head.n & ~(size_t)1 : 64;
	bool little = n >= 8;
	bool big = n >= 8;

	if (str_starts(head, STR("\xff\xfe")) ||
	    str_starts(head, STR("\xfe\xff")))
		return true;
	for (size_t i = 0; i < n; i += 2) {
		little = little && head.p[i] != 0 && head.p[i + 1] == 0;
		big = big && head.p[i] == 0 && head.p[i + 1] != 0;
	}
	return little || big;
}

/*
 * Whether more than three bytes of ten can be no text: control characters, or
 * bytes above ASCII beside nothing that could be UTF-8.  NUL does not count:
 * logs that were cut while open begin with thousands of them.
 */
static bool
is_binary(struct str head)
{
	enum { LOOK = 4096 };
	size_t odd = 0;
	size_t counted = 0;

	head = str_sub(head, 0, LOOK);
	for (size_t i = 0; i < head.n; i++) {
		unsigned char c = (unsigned char)head.p[i];
		bool next = i + 1 < head.n &&
			    ((unsigned char)head.p[i + 1] & 0xc0) == 0x80;

		counted += c != 0;
		if (c < 0x20)
			odd += c != 0 && !strchr("\t\n\r\f\b\x1b", c);
		else if (c >= 0xc2 && c < 0xf5 && next)
			i++;
		else
			odd += c == 0x7f || c >= 0xc0;
	}
	return counted >= 32 && odd * 10 > counted * 3;
}

/* More than one CR, and no other line end: as Macs wrote until 2001. */
static bool
is_by_cr(struct str head)
{
	size_t cr = str_find(head, '\r');

	return cr != SIZE_MAX &&
	       str_find(str_from(head, cr + 1), '\r') != SIZE_MAX &&
	       str_find(head, '\n') == SIZE_MAX;
}

struct events *
events_new(const struct input *input, uint32_t index, struct source *source,
    const struct limits *limits)
{
	struct events *e = xcalloc(1, sizeof *e);

	(void)input;
	e->limits = limits;
	e->source = source;
	e->window.place = (struct place){ .input = index, .line = 1 };
	e->window.steady = true;
	return e;
}

/* Asks every reader. */
static void
choose(struct events *e, struct str head)
{
	const struct envelope_ops *best = &envelope_text;

	for (size_t i = 0; readers[i]; i++) {
		struct verdict v = readers[i]->sniff(head);

		if (v.score > e->verdict.score) {
			e->verdict = v;
			best = readers[i];
		}
	}
	e->reader = xcalloc(1, best->size);
	e->reader->ops = best;
	e->reader->w = &e->window;
	e->reader->limits = e->limits;
	e->reader->id = e->verdict.id;
}

/*
 * Another block.  When reading fails the whole lines that are here still count:
 * the input ends behind them, and events_next tells of it after that.
 */
static void
fill(struct events *e)
{
	struct window *w = &e->window;
	const char *nl;

	if (window_fill(w, e->source, e->limits->block_bytes, &e->failure) !=
	    FLOW_FAIL)
		return;
	e->failed = true;
	w->eof = true;
	nl = w->end > w->at ? memrchr(w->at, '\n', (size_t)(w->end - w->at))
			    : NULL;
	w->end = nl ? nl + 1 : w->at;
}

/* Reads until the first bytes are there; then a reader is chosen. */
static void
sniff(struct events *e, struct batch *b)
{
	struct window *w = &e->window;
	struct str head;

	while (window_rest(w).n < SNIFF_BYTES && !w->eof)
		fill(e);
	head = str_sub(window_rest(w), 0, SNIFF_BYTES);
	if (is_utf16(head))
		e->refused = "UTF-16 text: expected UTF-8; convert it first";
	else if (is_binary(head))
		e->refused = "binary data: expected text, JSON or gzip";
	if (e->refused)
		batch_dead(b, &w->place, e->refused, head);
	else if (is_by_cr(head))
		window_by_cr(w);
	if (str_starts(head, STR("\xef\xbb\xbf"))) {
		window_take(w, 3, 0);
		head = str_from(head, 3);
	}
	choose(e, e->refused ? (struct str){ 0 } : head);
	if (head.n == 0)
		e->verdict.line = 0;
}

/* What is refused is read to its end, for the source's notes. */
static enum flow
drain(struct events *e)
{
	struct window *w = &e->window;

	for (;;) {
		window_take(w, window_rest(w).n, 0);
		if (w->eof)
			return FLOW_END;
		fill(e);
	}
}

static enum envelope_id
envelope_of(const struct events *e)
{
	return e->reader ? e->reader->id : ENVELOPE_TEXT;
}

/* Puts into words why the envelope was chosen. */
static void
tell(struct events *e)
{
	enum envelope_id id = envelope_of(e);
	bool json = e->reader->ops == &envelope_json;

	if (e->why.n > 0 && e->told == id)
		return;
	e->told = id;
	buf_reset(&e->why);
	if (e->refused)
		buf_cat(&e->why, e->refused);
	else if (e->verdict.line == 0)
		buf_cat(&e->why, "the input is empty");
	else if (json)
		buf_printf(&e->why, "the first JSON document %s", whys[id]);
	else if (e->verdict.line > 1)
		buf_printf(&e->why, "line %u %s", e->verdict.line, whys[id]);
	else
		buf_printf(&e->why, "the first line %s", whys[id]);
	if (e->window.by_cr)
		buf_cat(&e->why, "; its lines end in CR alone");
}

/* Lets the reader work until there is something to hand out. */
static enum flow
decode(struct events *e, struct batch *b)
{
	for (;;) {
		enum step step = e->reader->ops->decode(e->reader, b);

		/* Bytes may move only when no event points at them. */
		if (b->n > 0 || b->n_dead > 0)
			return FLOW_OK;
		if (step == STEP_END)
			return FLOW_END;
		if (step == STEP_FULL)
			batch_reset(b);
		else
			fill(e);
	}
}

enum flow
events_next(struct events *e, struct batch *b, struct err *err)
{
	enum flow flow;

	batch_reset(b);
	if (!e->reader)
		sniff(e, b);
	if (e->refused)
		flow = b->n_dead > 0 ? FLOW_OK : drain(e);
	else
		flow = decode(e, b);
	tell(e);
	if (flow != FLOW_END || !e->failed)
		return flow;
	*err = e->failure;
	return FLOW_FAIL;
}

const char *
events_envelope(const struct events *e)
{
	return infos[envelope_of(e)].name;
}

struct str
events_why(const struct events *e)
{
	return buf_view(&e->why);
}

struct source *
events_source(const struct events *e)
{
	return e->source;
}

void
events_free(struct events *e)
{
	if (!e)
		return;
	if (e->reader) {
		if (e->reader->ops->close)
			e->reader->ops->close(e->reader);
		free(e->reader);
	}
	window_fini(&e->window);
	buf_fini(&e->why);
	source_close(e->source);
	free(e);
}

const struct envelope_info *
events_envelopes(void)
{
	return infos;
}
