/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plain text: every line that is not empty is an event, its time unknown.
 * What no other envelope claims is read as this, also the files of CloudFront
 * and other W3C logs, whose "#Fields" lines are for the dialects.
 */
#include "ingest/envelope.h"

static struct verdict
text_sniff(struct str head)
{
	(void)head;
	return (struct verdict){ .score = 1, .id = ENVELOPE_TEXT, .line = 1 };
}

/*
 * The lines that end within the marks, in a loop that keeps its place in
 * registers; what is long or has no end there is left to the caller.
 */
static void
run_of_lines(struct envelope *self, struct batch *b)
{
	struct window *w = self->w;
	const struct marks *m = b->marks;
	size_t max = self->limits->line_bytes;
	struct place place = w->place;
	const char *at = w->at;
	size_t i = w->marks_at;

	while (b->n <= BATCH_EVENTS - BATCH_SPARE) {
		size_t end = marks_line(m, i);
		size_t n = (size_t)(m->p + m->at[end] - at);
		struct str line = { at, n };

		if (end == m->n_at || n > max)
			break;
		line = line_without_cr(line);
		if (line.n > 0) {
			batch_event(b, &place)->message = line;
			b->marked[b->n - 1] = (uint16_t)(i + 1);
		}
		place.offset += n + 1;
		place.line++;
		at += n + 1;
		i = end + 1;
	}
	w->marks_at = i;
	w->at = at;
	w->place = place;
}

static void
take_line(struct envelope *self, struct batch *b, struct str line, size_t size)
{
	struct window *w = self->w;
	bool half = window_is_half(w, line, size);

	line = line_without_cr(line);
	if (half && line.n > 0)
		envelope_half_line(self, b, line);
	else if (line.n > 0)
		batch_event(b, &w->place)->message = line;
	window_take(w, size, 1);
}

static enum step
text_decode(struct envelope *self, struct batch *b)
{
	struct window *w = self->w;
	enum step step = envelope_skip(self);

	while (step == STEP_ON) {
		struct str line;
		size_t size;

		if (batch_full(b))
			return STEP_FULL;
		if (w->searched == 0) {
			if (!envelope_marks(self, b))
				return STEP_FULL;
			run_of_lines(self, b);
		}
		switch (
		    window_line(w, self->limits->line_bytes, &line, &size)) {
		case LINE_OK:
			take_line(self, b, line, size);
			break;
		case LINE_LONG:
			step = envelope_long_line(self, b);
			break;
		case LINE_MORE:
			return STEP_MORE;
		case LINE_END:
			return STEP_END;
		}
	}
	return step;
}

const struct envelope_ops envelope_text = {
	.size = sizeof(struct envelope),
	.sniff = text_sniff,
	.decode = text_decode,
};
