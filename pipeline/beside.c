/* SPDX-License-Identifier: Apache-2.0 */
/* Requests' own lines; see the header. */
#include "pipeline/beside.h"

#include <stdlib.h>

#include "core/mem.h"

/* Clocks of the trace and of the log, and the way of a line to its time. */
#define SLACK_NS (50 * INT64_C(1000000))
/* Without a duration: what is older is no request's. */
#define OLDEST_NS (600 * NS_PER_SEC)

void
beside_init(struct beside *b, struct cases *cases)
{
	*b = (struct beside){ .cases = cases,
		.streams = xcalloc(BESIDE_STREAMS, sizeof *b->streams) };
}

void
beside_fini(struct beside *b)
{
	free(b->streams);
	*b = (struct beside){ 0 };
}

static void
admit(struct beside *b, struct beside_stream *s)
{
	if (s->open)
		cases_admit(b->cases, &s->draft);
	s->open = s->behind = false;
}

struct beside_stream *
beside_find(const struct beside *b, uint64_t stream)
{
	for (int i = 0; i < BESIDE_STREAMS; i++)
		if (b->streams[i].stream == stream && b->streams[i].used)
			return &b->streams[i];
	return NULL;
}

struct beside_stream *
beside_stream(struct beside *b, uint64_t stream)
{
	struct beside_stream *s = beside_find(b, stream);

	if (!s) {
		s = &b->streams[0];
		for (int i = 1; i < BESIDE_STREAMS; i++)
			if (b->streams[i].used < s->used)
				s = &b->streams[i];
		admit(b, s);
		s->stream = stream;
		s->n = s->from = 0;
	}
	s->used = ++b->used;
	return s;
}

static bool
is_traceback(struct str text)
{
	return str_starts(text, STR("Traceback (most recent call last):"));
}

static void
add_line(struct beside_stream *s, uint64_t feature, int64_t ts_ns)
{
	s->lines[s->n++ % BESIDE_LINES] =
	    (struct beside_line){ feature, ts_ns };
}

void
beside_log(struct beside *b, struct beside_stream *s, const struct record *r,
    uint64_t feature)
{
	s->behind = s->open && is_traceback(r->log.text);
	if (s->behind)
		return;
	admit(b, s);
	if (!is_traceback(r->log.text))
		add_line(s, feature, r->ts_ns);
}

/* "KeyError: 'x'", "java.io.IOException": one word, then a colon or the end. */
bool
beside_continues(const struct record *r)
{
	struct str s = r->line;
	size_t n = 0;

	if (r->frame)
		return false;
	while (n < s.n && s.p[n] != ':' && s.p[n] != ' ' && s.p[n] != '\t' &&
	       s.p[n] != '(' && s.p[n] != '"')
		n++;
	return n > 3 && (n == s.n || s.p[n] == ':') &&
	       (str_ends(str_sub(s, 0, n), STR("Error")) ||
		   str_ends(str_sub(s, 0, n), STR("Exception")) ||
		   str_ends(str_sub(s, 0, n), STR("Throwable")) ||
		   str_find(str_sub(s, 0, n), '.') < n);
}

void
beside_more(struct beside_stream *s, const struct record *r, uint64_t feature)
{
	if (s->behind)
		case_mark(&s->draft.request, feature, r->ts_ns);
	else
		add_line(s, feature, r->ts_ns);
}

void
beside_request(struct beside *b, struct beside_stream *s)
{
	admit(b, s);
}

static int64_t
before(int64_t ns, int64_t by)
{
	return ns < INT64_MIN + 1 + by ? INT64_MIN + 1 : ns - by;
}

/*
 * When the request ended: the event's time where the line has whole seconds
 * only, and both are about the same.
 */
static int64_t
end_of(const struct record *r)
{
	int64_t event = r->event->ts_ns;

	if (r->request.grain != GRAIN_SECOND || event == WHEN_NONE ||
	    event < before(r->ts_ns, NS_PER_SEC) ||
	    r->ts_ns < before(event, 2 * NS_PER_SEC))
		return r->ts_ns;
	return event;
}

/* The stream's lines from number `from` on that are not before a time. */
struct range {
	uint64_t from;
	int64_t begin_ns;
	bool wide;
};

static void
mark_range(const struct beside *b, const struct beside_stream *s,
    struct range of, struct request_case *request)
{
	uint64_t i = s->n > BESIDE_LINES ? s->n - BESIDE_LINES : 0;

	for (i = of.from > i ? of.from : i; i < s->n; i++) {
		const struct beside_line *l = &s->lines[i % BESIDE_LINES];

		if (l->ts_ns == WHEN_NONE || l->ts_ns < of.begin_ns)
			continue;
		case_mark(request,
		    of.wide ? cases_wide(b->cases, l->feature) : l->feature,
		    l->ts_ns);
	}
}

/* Without a duration a request begins with its first line. */
static void
find_begin(const struct beside_stream *s, struct range of,
    struct request_case *request)
{
	uint64_t i = s->n > BESIDE_LINES ? s->n - BESIDE_LINES : 0;

	for (i = of.from > i ? of.from : i; i < s->n; i++) {
		const struct beside_line *l = &s->lines[i % BESIDE_LINES];

		if (l->ts_ns != WHEN_NONE && l->ts_ns >= of.begin_ns &&
		    l->ts_ns < request->begin_ns)
			request->begin_ns = l->ts_ns;
	}
}

void
beside_collect(const struct beside *b, const struct beside_stream *s,
    const struct record *r, int64_t duration_ns, struct request_case *request)
{
	bool timed = duration_ns >= 0 && (r->event->ts_ns != WHEN_NONE ||
					     r->request.grain == GRAIN_FINE);
	int64_t begin = before(end_of(r), timed ? duration_ns : OLDEST_NS);
	/* Clocks of the trace and of the log differ. */
	struct range own = { .from = s->from,
		.begin_ns = before(begin, timed ? SLACK_NS : 0) };
	struct range wide = { .begin_ns = begin, .wide = true };

	request->lined = true;
	request->begin_ns =
	    before(end_of(r), duration_ns > 0 ? duration_ns : 0);
	if (duration_ns < 0)
		find_begin(s, own, request);
	mark_range(b, s, own, request);
	if (!timed)
		wide = own;
	wide.wide = true;
	mark_range(b, s, wide, request);
}

void
beside_end(struct beside *b)
{
	for (int i = 0; i < BESIDE_STREAMS; i++) {
		admit(b, &b->streams[i]);
		b->streams[i].used = 0;
	}
}
