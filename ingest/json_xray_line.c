/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines that hold one X-Ray document each, the bulk of every trace archive,
 * are recognised by their first members and handed on unscanned.
 *
 * Why that is safe: between "}" at a line's end and "{" at the next one's
 * begin no JSON document can go on, so a line that begins with "{" holds whole
 * documents, if it is JSON at all; one, when "}{" is nowhere in it.  Whether
 * it is JSON, the X-Ray decoder finds out.  All that is looked at is the line
 * and the byte behind it, so the choice does not depend on the window.
 */
#include "ingest/jreader.h"

/* Sixteen bytes at once, as GCC and Clang have them on every machine. */
typedef unsigned char lane __attribute__((vector_size(16)));
typedef uint64_t words __attribute__((vector_size(16)));

/* "}{" anywhere. */
static bool
side_by_side(struct str s)
{
	size_t i = 0;

	for (; i + sizeof(lane) < s.n; i += sizeof(lane)) {
		lane a, b;
		words both;

		memcpy(&a, s.p + i, sizeof a);
		memcpy(&b, s.p + i + 1, sizeof b);
		both = (words)((a == '}') & (b == '{'));
		if ((both[0] | both[1]) != 0)
			return true;
	}
	for (; i + 1 < s.n; i++)
		if (s.p[i] == '}' && s.p[i + 1] == '{')
			return true;
	return false;
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
	    side_by_side(text))
		return STEP_END;
	json_name(r, ENVELOPE_XRAY_SEGMENTS);
	batch_event(b, &w->place)->message = text;
	/* Deeper, a place may be that of what the line was unpacked from. */
	b->what[b->n - 1] = r->depth == 0 ? EVENT_LINE : EVENT_DOCUMENT;
	window_take(w, size, 1);
	return STEP_ON;
}
