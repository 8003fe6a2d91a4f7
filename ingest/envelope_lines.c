/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What container runtimes put before each line.
 *
 *	like-1  | message                                        compose
 *	2025-12-31T17:37:40.493035218+01:00 stdout F message     cri
 *	[pod/like-7d4f/like] message                             kubectl
 *
 * With --timestamps, compose and kubectl write an RFC 3339 time before the
 * message; it becomes the event's time.  CRI cuts long lines: P marks a piece,
 * F the last one.  A line without the prefix is an event as it stands.
 */
#include <assert.h>

#include "ingest/envelope.h"
#include "ingest/joiner.h"

struct lines {
	struct envelope base;
	struct joiner joiner;
};

static struct lines *
lines_of(struct envelope *self)
{
	assert(self->ops == &envelope_lines);
	return (struct lines *)self;
}

static struct str
without_colour(struct str s)
{
	size_t end;

	while (s.n > 2 && s.p[0] == '\x1b' && s.p[1] == '[') {
		end = str_find(s, 'm');
		if (end == SIZE_MAX || end > 16)
			break;
		s = str_from(s, end + 1);
	}
	return s;
}

static bool
name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

/* name blanks "| " */
static bool
compose_prefix(struct str *line, struct str *name)
{
	struct str s = without_colour(*line);
	size_t n = 0;
	size_t bar;

	while (n < s.n && name_char(s.p[n]))
		n++;
	bar = n;
	while (bar < s.n && s.p[bar] == ' ')
		bar++;
	if (n == 0 || bar == n || bar == s.n || s.p[bar] != '|')
		return false;
	*name = str_sub(s, 0, n);
	s = without_colour(str_from(s, bar + 1));
	if (s.n > 0 && s.p[0] != ' ')
		return false;
	*line = without_colour(str_from(s, 1));
	return true;
}

/* "[pod/" name "/" container "] " */
static bool
kubectl_prefix(struct str *line, struct str *name)
{
	size_t end = str_find(str_sub(*line, 0, 600), ']');

	if (!str_starts(*line, STR("[pod/")) || end == SIZE_MAX)
		return false;
	*name = str_sub(*line, 5, end - 5);
	if (str_find(*name, '/') == SIZE_MAX ||
	    str_find(*name, ' ') != SIZE_MAX)
		return false;
	*line = str_from(*line, end + 1);
	if (line->n > 0 && line->p[0] == ' ')
		*line = str_from(*line, 1);
	return true;
}

/* An RFC 3339 time with zone, and a blank. */
static bool
rfc3339(struct str *line, int64_t *ns)
{
	struct str s = *line;

	if (!when_iso(&s, ns) || s.n == 0 || s.p[0] != ' ' ||
	    line->p[10] != 'T')
		return false;
	*line = str_from(s, 1);
	return true;
}

/* time "stdout" or "stderr", F or P with more tags behind a colon */
static bool
cri_prefix(struct str *line, struct joiner_piece *piece)
{
	struct str s = *line;
	struct str stream;
	struct str tag;

	if (!rfc3339(&s, &piece->event.ts_ns) || !str_cut(&s, ' ', &stream))
		return false;
	if (!str_eq(stream, STR("stdout")) && !str_eq(stream, STR("stderr")))
		return false;
	if (!str_cut(&s, ' ', &tag)) {
		tag = s;
		s = str_from(s, s.n);
	}
	tag = str_sub(tag, 0, str_find(tag, ':'));
	if (!str_eq(tag, STR("F")) && !str_eq(tag, STR("P")))
		return false;
	piece->key = stream.p[3] == 'o';
	piece->whole = tag.p[0] == 'F';
	*line = s;
	return true;
}

static void
take_line(struct lines *l, struct batch *b, struct str line)
{
	struct joiner_piece piece = {
		.event = { .place = l->base.w->place, .ts_ns = WHEN_NONE },
		.key = UINT64_MAX,
		.whole = true,
	};

	switch ((int)l->base.id) {
	case ENVELOPE_CRI:
		cri_prefix(&line, &piece);
		break;
	case ENVELOPE_COMPOSE:
		if (compose_prefix(&line, &piece.event.stream))
			rfc3339(&line, &piece.event.ts_ns);
		break;
	default:
		if (kubectl_prefix(&line, &piece.event.stream))
			rfc3339(&line, &piece.event.ts_ns);
		break;
	}
	piece.event.message = line;
	joiner_put(&l->joiner, &piece, b);
}

static enum step
next_line(struct lines *l, struct batch *b)
{
	struct envelope *self = &l->base;
	struct str line;
	size_t size;

	switch (window_line(self->w, self->limits->line_bytes, &line, &size)) {
	case LINE_OK:
		if (window_is_half(self->w, line, size))
			envelope_half_line(self, b, line);
		else
			take_line(l, b, line_without_cr(line));
		window_take(self->w, size, 1);
		return STEP_ON;
	case LINE_LONG:
		return envelope_long_line(self, b);
	case LINE_MORE:
		return STEP_MORE;
	case LINE_END:
		break;
	}
	return joiner_flush(&l->joiner, b) ? STEP_ON : STEP_END;
}

static enum step
lines_decode(struct envelope *self, struct batch *b)
{
	struct lines *l = lines_of(self);
	enum step step = envelope_skip(self);

	l->joiner.max = self->limits->line_bytes;
	while (step == STEP_ON) {
		if (batch_full(b))
			return STEP_FULL;
		step = next_line(l, b);
	}
	return step;
}

static void
lines_close(struct envelope *self)
{
	joiner_fini(&lines_of(self)->joiner);
}

/* CRI is told by one line; the others by nearly all, for their like occurs. */
static struct verdict
lines_sniff(struct str head)
{
	unsigned compose = 0;
	unsigned kubectl = 0;
	unsigned lines = 0;
	unsigned n = 0;
	bool numbered = false;
	struct str line;

	while (head_line(&head, &n, &line)) {
		struct joiner_piece piece;
		struct str name;
		struct str rest = line;

		lines++;
		if (cri_prefix(&rest, &piece))
			return (struct verdict){ 95 - (n > 1) * 20,
				ENVELOPE_CRI, n };
		if (compose_prefix(&rest, &name)) {
			char last = name.p[name.n - 1];

			compose++;
			numbered = numbered || (last >= '0' && last <= '9');
		} else if (kubectl_prefix(&rest, &name)) {
			kubectl++;
		}
	}
	if (kubectl > 0 && kubectl * 5 >= lines * 4)
		return (struct verdict){ 92, ENVELOPE_KUBECTL, 1 };
	if (compose > 0 && compose * 5 >= lines * 4 &&
	    (compose > 1 || numbered))
		return (struct verdict){ 80, ENVELOPE_COMPOSE, 1 };
	return (struct verdict){ 0 };
}

const struct envelope_ops envelope_lines = {
	.size = sizeof(struct lines),
	.sniff = lines_sniff,
	.decode = lines_decode,
	.close = lines_close,
};
