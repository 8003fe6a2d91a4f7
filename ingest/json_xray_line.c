/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines that hold one X-Ray document each, the bulk of every trace archive,
 * are recognised by their first members and handed on unscanned.
 *
 * Why that is safe: between "}" at a line's end and "{" at the next one's
 * begin no JSON document can go on, so a line that begins with "{" holds whole
 * documents, if it is JSON at all; one, when "}{" is nowhere in it.  Of a line
 * whose braces do not match a document before the break may count, so it is
 * scanned.  Whether the rest is JSON, the X-Ray decoder finds out.  All that is
 * looked at is the line and the byte behind it, so the choice does not depend
 * on the window.
 */
#include "ingest/jreader.h"

/* Sixteen bytes at once, as GCC and Clang have them on every machine. */
typedef unsigned char lane __attribute__((vector_size(16)));
typedef uint64_t words __attribute__((vector_size(16)));

/* The sum of sixteen bytes with sign. */
static int
lane_sum(lane v)
{
	int sum = 0;

	for (size_t i = 0; i < sizeof v; i++)
		sum += (signed char)v[i];
	return sum;
}

/*
 * Whether "}{" is nowhere and as many braces close as open.  Braces in strings
 * count: of a line that is called odd for them, the scanner finds the same.
 */
static bool
is_one_object(struct str s)
{
	enum { FULL = 127 * sizeof(lane) }; /* before a lane overflows */
	lane open = { 0 };
	int depth = 0;
	size_t i = 0;
	size_t full = FULL;

	for (; i + sizeof(lane) < s.n; i += sizeof(lane)) {
		lane a, b, closing;
		words both;

		memcpy(&a, s.p + i, sizeof a);
		memcpy(&b, s.p + i + 1, sizeof b);
		closing = (lane)(a == '}');
		both = (words)(closing & (lane)(b == '{'));
		if ((both[0] | both[1]) != 0)
			return false;
		/* What is true is -1. */
		open += closing - (lane)(a == '{');
		if (i >= full) {
			depth += lane_sum(open);
			open = (lane){ 0 };
			full = i + FULL;
		}
	}
	depth += lane_sum(open);
	for (; i < s.n; i++) {
		if (i + 1 < s.n && s.p[i] == '}' && s.p[i + 1] == '{')
			return false;
		depth += (s.p[i] == '{') - (s.p[i] == '}');
	}
	return depth == 0;
}

/* Passes a string or number that has no escapes; false: anything else. */
static bool
pass_simple(struct str *s)
{
	size_t n = 0;

	while (s->n > 0 && s->p[0] == ' ')
		*s = str_from(*s, 1);
	if (s->n == 0)
		return false;
	if (s->p[0] == '"') {
		n = str_find(str_from(*s, 1), '"');
		if (n == SIZE_MAX || memchr(s->p + 1, '\\', n))
			return false;
		*s = str_from(*s, n + 2);
		return true;
	}
	if (s->p[0] == '{' || s->p[0] == '[')
		return false;
	while (n < s->n && s->p[n] != ',' && s->p[n] != '}')
		n++;
	*s = str_from(*s, n);
	return true;
}

/* Whether id, name and start_time are among the line's first members. */
static bool
is_xray_line(struct str s)
{
	enum { ID = 1, NAME = 2, START = 4, ALL = 7 };
	unsigned seen = 0;

	s = str_from(s, 1);
	for (int i = 0; i < 8 && seen != ALL; i++) {
		size_t colon = str_find(str_sub(s, 0, 64), ':');
		struct str key = str_trim(str_sub(s, 0, colon));

		if (colon == SIZE_MAX)
			return false;
		if (str_eq(key, STR("\"id\"")))
			seen |= ID;
		else if (str_eq(key, STR("\"name\"")))
			seen |= NAME;
		else if (str_eq(key, STR("\"start_time\"")))
			seen |= START;
		s = str_from(s, colon + 1);
		if (!pass_simple(&s) || s.n == 0 || s.p[0] != ',')
			return seen == ALL;
		s = str_from(s, 1);
	}
	return seen == ALL;
}

enum step
json_xray_line(struct json_reader *r, struct batch *b)
{
	struct json_level *l = json_level(r);
	struct window *w = l->w;
	struct str line;
	struct str text;
	size_t size;
	struct str next;

	switch (window_line(w, r->base.limits->line_bytes, &line, &size)) {
	case LINE_OK:
		break;
	case LINE_MORE:
		return STEP_MORE;
	case LINE_LONG:
	case LINE_END:
		return STEP_END;
	}
	next = str_from(window_rest(w), size);
	if (next.n == 0 && !w->eof)
		return STEP_MORE;
	text = line_without_cr(line);
	if (text.n < 2 || text.p[text.n - 1] != '}' ||
	    (next.n > 0 && next.p[0] != '{') || !is_xray_line(text) ||
	    !is_one_object(text))
		return STEP_END;
	json_name(r, ENVELOPE_XRAY_SEGMENTS);
	batch_event(b, &w->place)->message = text;
	/* Deeper, a place may be that of what the line was unpacked from. */
	b->what[b->n - 1] = r->depth == 0 ? EVENT_LINE : EVENT_DOCUMENT;
	window_take(w, size, 1);
	return STEP_ON;
}
