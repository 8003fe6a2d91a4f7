/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines that begin with the event's time: the S3 export task and `aws logs
 * tail`.
 *
 *	2018-11-27T08:47:55.123Z message                         s3-export
 *	2018-06-04T21:58:13.187000+00:00 stream message          logs-tail
 *	2018-06-04T21:58:13 message                              logs-tail-short
 *
 * A line without a time continues the event before it, up to event_lines lines
 * and line_bytes bytes; what goes on behind that begins another event of the
 * same time.  Lines before the first time are events of their own, without
 * time.  An event's end is known when the next time is seen, so the reader is
 * always one line ahead.
 *
 * The export's time is the hot spot of every replay.  Its 24 bytes are three
 * words; digits and separators of a word are tested together, and the value up
 * to the minute is kept, because neighbours mostly share it.
 */
#include <assert.h>

#include "ingest/envelope.h"

enum {
	EXPORT_TIME = 24,
	SHORT_TIME = 19,
	/* A time with its blank fits into this many bytes, in every format. */
	HEAD_BYTES = 40,
};

/* The present event; it begins at the window's `at`. */
struct timed {
	struct envelope base;
	size_t size; /* bytes of its whole lines; 0: no line seen yet */
	size_t head; /* bytes of its time and blank; 0: it has none */
	size_t lines;
	int64_t ts_ns;      /* of the event, or of the one before it */
	bool seen;          /* there was a time: ts_ns holds */
	bool headed;        /* `head` and ts_ns of the line at `at` are known */
	bool crs;           /* carriage returns inside: copied without them */
	uint64_t minute[2]; /* text of the minute that minute_ns belongs to */
	int64_t minute_ns;
};

static struct timed *
timed_of(struct envelope *self)
{
	assert(self->ops == &envelope_timed);
	return (struct timed *)self;
}

static uint64_t
word(const char *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof w);
	return w;
}

/*
 * Whether 8 bytes have the shape: '0' stands for any digit, all else for
 * itself.  A byte 0x30 to 0x3f passes the first test; adding 6 carries what
 * lies above '9' out of that range for the second.
 */
static inline bool
shaped(uint64_t w, const char *shape, const char *mask, const char *six)
{
	uint64_t m = word(mask);
	uint64_t s = word(shape);

	return (w & m) == s && ((w + word(six)) & m) == s;
}

static inline int64_t
two(const char *p)
{
	return (p[0] - '0') * 10 + (p[1] - '0');
}

/* The minute of a time that has the shape; false: there is no such minute. */
static bool
minute_of(struct timed *t, const char *p)
{
	int64_t days;
	int64_t hour = two(p + 11);
	int64_t minute = two(p + 14);
	int year = (int)(two(p) * 100 + two(p + 2));

	if (!when_days(year, (int)two(p + 5), (int)two(p + 8), &days) ||
	    hour > 23 || minute > 59)
		return false;
	t->minute[0] = word(p);
	t->minute[1] = word(p + 8);
	t->minute_ns = ((days * 24 + hour) * 60 + minute) * 60 * NS_PER_SEC;
	return true;
}

/* YYYY-MM-DDTHH:MM:SS.mmmZ; p has EXPORT_TIME bytes. */
static inline bool
export_time(struct timed *t, const char *p, int64_t *ns)
{
	uint64_t a = word(p);
	uint64_t b = word(p + 8);
	int64_t second;
	int64_t ms;

	if (!shaped(word(p + 16), ":00.000Z",
		"\xff\xf0\xf0\xff\xf0\xf0\xf0\xff", "\0\6\6\0\6\6\6\0"))
		return false;
	if (a != t->minute[0] || b != t->minute[1]) {
		if (!shaped(a, "0000-00-", "\xf0\xf0\xf0\xf0\xff\xf0\xf0\xff",
			"\6\6\6\6\0\6\6\0") ||
		    !shaped(b, "00T00:00", "\xf0\xf0\xff\xf0\xf0\xff\xf0\xf0",
			"\6\6\0\6\6\0\6\6") ||
		    !minute_of(t, p))
			return false;
	}
	second = two(p + 17);
	if (second > 60)
		return false;
	ms = two(p + 20) * 10 + (p[22] - '0');
	*ns = t->minute_ns + second * NS_PER_SEC + ms * NS_PER_MS;
	return true;
}

/* The first word of a tail line; *head is what it takes with its blank. */
static bool
tail_time(struct str line, enum envelope_id id, int64_t *ns, size_t *head)
{
	struct str first = str_sub(line, 0, str_find(line, ' '));
	size_t n = first.n;

	if (n == line.n || n < SHORT_TIME || first.p[10] != 'T')
		return false;
	if (id == ENVELOPE_TAIL_SHORT) {
		if (n != SHORT_TIME)
			return false;
	} else if ((n != 25 && n != 32) || first.p[n - 3] != ':' ||
		   (first.p[n - 6] != '+' && first.p[n - 6] != '-')) {
		return false;
	}
	*head = n + 1;
	return when_iso(&first, ns) && first.n == 0;
}

/* Whether a line that begins with `rest` has a time; it is long enough. */
static bool
timed_head(struct timed *t, struct str rest, int64_t *ns, size_t *head)
{
	if (t->base.id == ENVELOPE_S3_EXPORT) {
		if (rest.n < EXPORT_TIME || !export_time(t, rest.p, ns))
			return false;
		if (rest.n > EXPORT_TIME && rest.p[EXPORT_TIME] == ' ')
			*head = EXPORT_TIME + 1;
		else if (rest.n == EXPORT_TIME || rest.p[EXPORT_TIME] == '\n' ||
			 rest.p[EXPORT_TIME] == '\r')
			*head = EXPORT_TIME;
		else
			return false;
		return true;
	}
	rest = str_sub(rest, 0, str_find(rest, '\n'));
	return tail_time(rest, t->base.id, ns, head);
}

/* Without the carriage returns before line ends. */
static struct str
without_crs(struct str s, struct arena *arena)
{
	char *p = arena_alloc(arena, s.n);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\r' && i + 1 < s.n && s.p[i + 1] == '\n')
			continue;
		p[n++] = s.p[i];
	}
	return (struct str){ p, n };
}

/*
 * The event's message from its whole lines.  Where the message itself ended
 * in a line end, a lone empty line closes the event: both ends go.
 */
static struct str
message_of(struct timed *t, struct batch *b, struct str text)
{
	text = message_trim(text);
	if (t->lines == 1)
		return text;
	if (t->crs)
		text = without_crs(text, &b->arena);
	return message_trim(text);
}

/* The second word of a tail line. */
static struct str
cut_stream(struct str *message)
{
	struct str line = str_sub(*message, 0, str_find(*message, '\n'));
	struct str stream = str_sub(line, 0, str_find(line, ' '));

	*message = str_from(*message, stream.n);
	if (message->n > 0)
		*message = str_from(*message, 1);
	return stream;
}

static void
emit(struct timed *t, struct batch *b)
{
	struct window *w = t->base.w;
	struct str text = { w->at + t->head, t->size - t->head };
	struct str message = message_of(t, b, text);

	/* Empty lines are no events, an empty message with a time is. */
	if (t->head > 0 || message.n > 0) {
		struct event *e = batch_event(b, &w->place);

		if (t->seen)
			e->ts_ns = t->ts_ns;
		if (t->base.id != ENVELOPE_S3_EXPORT && t->head > 0 &&
		    t->base.id != ENVELOPE_TAIL_SHORT)
			e->stream = cut_stream(&message);
		e->message = message;
	}
	window_take(w, t->size, t->lines);
	t->size = 0;
	t->lines = 0;
	t->headed = false;
	t->crs = false;
}

/* The line at `size` is over the limit: what is open goes out before it. */
static enum step
long_line(struct timed *t, struct batch *b)
{
	if (t->size > 0) {
		emit(t, b);
		return STEP_ON;
	}
	t->headed = false;
	return envelope_long_line(&t->base, b);
}

/* The event is full: the line at `size` begins another of the same time. */
static enum step
begin_again(struct timed *t, struct batch *b)
{
	emit(t, b);
	t->head = 0;
	t->headed = true;
	return STEP_ON;
}

/* Adds the line at `size` to the event. */
static enum step
add_line(struct timed *t, struct batch *b)
{
	struct window *w = t->base.w;
	const struct limits *limits = t->base.limits;
	size_t n = (size_t)(w->end - w->at);
	size_t from = t->size > w->searched ? t->size : w->searched;
	const char *nl = n > from ? memchr(w->at + from, '\n', n - from) : NULL;
	size_t line = (nl ? (size_t)(nl - w->at) : n) - t->size;

	if (!nl)
		w->searched = n;
	if (line > limits->line_bytes)
		return long_line(t, b);
	if (!nl && !w->eof)
		return STEP_MORE;
	if (t->size > 0 && (t->lines >= limits->event_lines ||
			       t->size + line > limits->line_bytes))
		return begin_again(t, b);
	t->crs = t->crs || (nl && line > 0 && nl[-1] == '\r');
	t->size += line + (nl != NULL);
	t->lines++;
	return STEP_ON;
}

/* One line further: the event at `at` grows by it, or ends before it. */
static enum step
advance(struct timed *t, struct batch *b)
{
	struct window *w = t->base.w;
	struct str rest = { w->at + t->size,
		(size_t)(w->end - w->at) - t->size };
	size_t head;
	int64_t ns;

	if (rest.n == 0 && w->eof) {
		if (t->size == 0)
			return STEP_END;
		emit(t, b);
		return STEP_ON;
	}
	if (t->size == 0 && t->headed)
		return add_line(t, b);
	if (rest.n < HEAD_BYTES && !w->eof && str_find(rest, '\n') == SIZE_MAX)
		return STEP_MORE;
	if (timed_head(t, rest, &ns, &head)) {
		if (t->size > 0)
			emit(t, b);
		t->ts_ns = ns;
		t->seen = true;
		t->head = head;
		t->headed = true;
		return STEP_ON;
	}
	if (t->size == 0) {
		t->head = 0;
		t->headed = true;
	} else if (!t->seen) {
		emit(t, b);
		return STEP_ON;
	}
	return add_line(t, b);
}

/*
 * The export's ordinary line, one event between two times, in a loop of its
 * own: nine tenths of every archive.  What is not ordinary, a line that goes
 * on, is too long, or ends near the window's end, is left to advance, and all
 * that is done here advance would do in the same way.
 */
static void
run_of_lines(struct timed *t, struct batch *b)
{
	struct window *w = t->base.w;
	const struct marks *m = b->marks;
	size_t max = t->base.limits->line_bytes;
	struct place place = w->place;
	const char *at = w->at;
	size_t i = w->marks_at;
	int64_t ns = t->ts_ns;

	while (b->n <= BATCH_EVENTS - BATCH_SPARE) {
		size_t end = marks_line(m, i);
		size_t n = (size_t)(m->p + m->at[end] + 1 - at);
		const char *next = at + n;
		struct str message = { at + EXPORT_TIME + 1,
			n - EXPORT_TIME - 2 };
		int64_t next_ns;
		struct event *e;

		if (end == m->n_at || n > max || w->end - next < HEAD_BYTES ||
		    !export_time(t, next, &next_ns) || next[EXPORT_TIME] != ' ')
			break;
		e = batch_event(b, &place);
		b->marked[b->n - 1] = (uint16_t)(i + 1);
		e->ts_ns = ns;
		e->message = line_without_cr(message);
		place.line++;
		place.offset += n;
		at = next;
		ns = next_ns;
		i = end + 1;
	}
	w->marks_at = i;
	w->at = at;
	w->place = place;
	t->ts_ns = ns;
}

static enum step
timed_decode(struct envelope *self, struct batch *b)
{
	struct timed *t = timed_of(self);
	enum step step = envelope_skip(self);

	while (step == STEP_ON) {
		if (batch_full(b))
			return STEP_FULL;
		if (t->headed && t->size == 0 && t->head > EXPORT_TIME &&
		    self->id == ENVELOPE_S3_EXPORT && self->w->searched == 0) {
			if (!envelope_marks(self, b))
				return STEP_FULL;
			run_of_lines(t, b);
		}
		step = advance(t, b);
	}
	return step;
}

static bool
shape_of(struct timed *t, struct str line, enum envelope_id *id)
{
	static const enum envelope_id ids[] = { ENVELOPE_S3_EXPORT,
		ENVELOPE_TAIL, ENVELOPE_TAIL_SHORT };
	size_t head;
	int64_t ns;

	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
		t->base.id = ids[i];
		if (timed_head(t, line, &ns, &head)) {
			*id = ids[i];
			return true;
		}
	}
	return false;
}

/* A tail line must have a word for its stream; "{" alone opens JSON. */
static bool
tail_fits(struct str line, enum envelope_id *id)
{
	struct str rest = line;
	struct str word;

	/* The time, and the stream. */
	for (int i = 0; i < 2; i++)
		if (!str_cut(&rest, ' ', &word))
			return str_find(rest, '{') == SIZE_MAX;
	line = rest;
	line = str_trim(line);
	if (str_eq(line, STR("{")) || str_eq(line, STR("[")))
		*id = ENVELOPE_TAIL_JSON;
	return true;
}

static struct verdict
timed_sniff(struct str head)
{
	static const int scores[ENVELOPES] = {
		[ENVELOPE_S3_EXPORT] = 90,
		[ENVELOPE_TAIL] = 85,
		[ENVELOPE_TAIL_JSON] = 85,
		[ENVELOPE_TAIL_SHORT] = 60,
	};
	struct timed t = { 0 };
	struct verdict v = { 0 };
	struct str line;
	unsigned n = 0;

	while (v.score == 0 && head_line(&head, &n, &line)) {
		if (!shape_of(&t, line, &v.id))
			continue;
		v.line = n;
		v.score = scores[v.id] - (n > 1) * 20;
		if (v.id == ENVELOPE_TAIL && !tail_fits(line, &v.id))
			v.score = 0;
	}
	/* The message of a later line decides whether JSON is printed. */
	while (v.id == ENVELOPE_TAIL && head_line(&head, &n, &line)) {
		enum envelope_id id;

		if (shape_of(&t, line, &id) && id == ENVELOPE_TAIL)
			tail_fits(line, &v.id);
	}
	return v;
}

const struct envelope_ops envelope_timed = {
	.size = sizeof(struct timed),
	.sniff = timed_sniff,
	.decode = timed_decode,
};
