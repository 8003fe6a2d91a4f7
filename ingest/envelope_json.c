/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk through a JSON input: see jreader.h for what it promises.
 *
 * A level is always in one mode.  Between documents (TOP) a bracket at the
 * begin of a line opens one; other lines are events as they stand.  A document
 * is scanned to its end, or up to document_bytes; then its kind is known.  Is
 * it one piece, it is taken; has it an array, the array is walked (WALK) and
 * what stands behind it is checked (REST).  What is too large is passed over
 * with the scan that found it so (PASS); what is broken is dropped up to the
 * next line that can begin something (DROP).
 *
 *	TOP ──array──→ WALK ──]──→ REST ──}──→ TOP
 *	 ├──too large──→ PASS ──→ TOP, or WALK for an element
 *	 └──broken──→ DROP ──→ TOP
 */
#include <assert.h>

#include "ingest/jreader.h"

static const char cut_off[] = "JSON that is cut off: its brackets do not close";
static const char too_large[] = "a JSON value over the document limit";
static const char behind[] =
    "text behind a JSON document on its line: expected a line end or another "
    "document";

static const char remains[] = "the remains of a broken JSON document";

static struct json_reader *
reader_of(struct envelope *self)
{
	assert(self->ops == &envelope_json);
	return (struct json_reader *)self;
}

/* A line that begins with this can only be what is left of a document. */
static bool
is_remnant(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '"' ||
	       c == ',' || c == ']' || c == '}';
}

/*
 * Where a value that is broken at `wrong` ends: behind its first line when it
 * is broken there, else behind the remnants that follow.  `whole`: nothing
 * comes behind t.  STEP_MORE: not known yet; the search goes on at `seek`.
 */
static enum step
find_end(struct json_level *l, struct str t, bool whole, size_t wrong,
    size_t *end)
{
	size_t first = str_find(t, '\n');
	enum step at_end = whole ? STEP_ON : STEP_MORE;

	*end = t.n;
	if (first == SIZE_MAX)
		return at_end;
	*end = first + 1 > l->seek ? first + 1 : l->seek;
	if (wrong <= first)
		return STEP_ON;
	while (*end < t.n && is_remnant(t.p[*end])) {
		size_t n = str_find(str_from(t, *end), '\n');

		l->seek = *end;
		if (n == SIZE_MAX) {
			*end = t.n;
			return at_end;
		}
		*end += n + 1;
	}
	return *end < t.n ? STEP_ON : at_end;
}

/* The same for the level's text, as far as a document may go. */
static enum step
broken_end(const struct json_reader *r, struct json_level *l, size_t wrong,
    size_t *end)
{
	size_t max = r->base.limits->document_bytes;
	struct str t = level_text(l);

	if (l->bound != UNBOUND) {
		*end = t.n;
		return STEP_ON;
	}
	return find_end(l, str_sub(t, 0, max), t.n <= max && level_closed(l),
	    wrong, end);
}

/* Makes a dead letter of what stands at `at`, broken at `wrong`. */
static enum step
give_up(struct json_reader *r, struct batch *b, size_t wrong, const char *why)
{
	struct json_level *l = json_level(r);
	struct str t = level_text(l);
	size_t max = r->base.limits->document_bytes;
	size_t end;

	if (broken_end(r, l, wrong, &end) == STEP_MORE) {
		if (t.n <= max)
			return STEP_MORE;
		level_dead(l, b, why, str_sub(t, 0, max));
		level_take(l, max);
		l->mode = JSON_DROP;
		l->w->skipping = true;
		return STEP_ON;
	}
	if (l->bound != UNBOUND && str_trim(t).n == 0)
		batch_dead(b, &l->broken_place, why, l->broken);
	else
		level_dead(l, b, why, str_sub(t, 0, end));
	level_take(l, end);
	level_to_top(l);
	l->fresh = true;
	l->remains = true;
	return STEP_ON;
}

/* Into the array of a document that is whole, cut or too large to hold. */
static void
enter(struct json_reader *r, const struct json_kind *kind, struct str t)
{
	struct json_level *l = json_level(r);
	size_t n = 1;

	l->kind = kind;
	l->root_array = kind == &json_kind_array;
	l->mode = JSON_WALK;
	if (!l->root_array) {
		json_name(r, kind->id);
		n = jscan_get(&l->scan, t, str_of(kind->array))->value + 1;
	}
	json_read_header(r, l, t, &l->scan);
	level_take(l, n);
}

/* A document of one piece. */
static void
take_piece(struct json_reader *r, struct batch *b, const struct json_kind *kind,
    struct str text)
{
	struct json_level *l = json_level(r);
	struct piece piece = { text, l->w->place, &l->scan };
	const char *why;

	json_name(r, kind->id);
	buf_reset(&l->group);
	buf_reset(&l->stream);
	l->control = false;
	why = kind->take(r, b, &piece);
	if (why)
		level_dead(l, b, why, text);
	level_take(l, text.n);
	l->fresh = false;
}

/* Of a broken document, the elements before the break are worth having. */
static bool
salvage(struct json_reader *r, struct str t, size_t end)
{
	struct json_level *l = json_level(r);
	const struct json_kind *kind = json_kind_of(t, &l->scan);
	const struct jscan_member *m = NULL;

	if (kind->array)
		m = jscan_get(&l->scan, t, str_of(kind->array));
	if (kind != &json_kind_array && (!m || m->value >= end))
		return false;
	l->broken = message_trim(str_sub(t, 0, end));
	l->broken_place = l->w->place;
	l->bound = end;
	enter(r, kind, t);
	return true;
}

static enum step
broken(struct json_reader *r, struct batch *b, const char *why)
{
	struct json_level *l = json_level(r);
	size_t end;

	if (broken_end(r, l, l->scan.pos, &end) == STEP_ON &&
	    salvage(r, level_text(l), end))
		return STEP_ON;
	return give_up(r, b, l->scan.pos, why);
}

/*
 * A value is too large and no list: a dead letter.  The scan goes on without
 * holding the bytes, but for the last one, which may be a line end.
 */
static enum step
pass_over(struct json_reader *r, struct batch *b, enum json_mode after)
{
	struct json_level *l = json_level(r);
	size_t max = r->base.limits->document_bytes;

	level_dead(l, b, too_large, str_sub(level_text(l), 0, max));
	l->mode = JSON_PASS;
	l->after = after;
	l->scan.rootless = true;
	return STEP_ON;
}

static enum step
pass(struct json_level *l)
{
	struct str t = level_text(l);
	enum jscan_end end = jscan_run(&l->scan, t);
	bool at_line = l->scan.pos > 0 && t.p[l->scan.pos - 1] == '\n';

	if (end == JSCAN_MORE && !level_closed(l)) {
		if (l->scan.pos > 1) {
			level_take(l, l->scan.pos - 1);
			l->scan.pos = 1;
		}
		return STEP_MORE;
	}
	level_take(l, l->scan.pos);
	if (end == JSCAN_DONE) {
		l->mode = l->after;
		l->fresh = false;
		if (l->mode == JSON_TOP)
			level_to_top(l);
		return STEP_ON;
	}
	/* It was broken as well: what follows on its line is lost with it. */
	if (at_line)
		level_to_top(l);
	else
		l->mode = JSON_DROP;
	l->w->skipping = !at_line;
	l->fresh = true;
	return STEP_ON;
}

/* Too large to hold: walked if its array is known. */
static enum step
large(struct json_reader *r, struct batch *b)
{
	struct json_level *l = json_level(r);
	struct str t =
	    str_sub(level_text(l), 0, r->base.limits->document_bytes);
	const struct json_kind *kind = json_kind_of(t, &l->scan);

	if (!kind->array && kind != &json_kind_array)
		return pass_over(r, b, JSON_TOP);
	enter(r, kind, t);
	return STEP_ON;
}

/* The same for an element that may be a list itself, one level deeper. */
static enum step
large_element(struct json_reader *r, struct batch *b)
{
	struct json_level *l = json_level(r);
	struct str t =
	    str_sub(level_text(l), 0, r->base.limits->document_bytes);
	const struct json_kind *kind = json_kind_of(t, &l->scan);
	struct json_level *inner;

	if (l->kind->take != take_any || !kind->array ||
	    r->depth + 1 == JSON_LEVELS)
		return pass_over(r, b, JSON_WALK);
	inner = level_deeper(r);
	inner->w = l->w;
	inner->shared = true;
	inner->scan = l->scan;
	l->scanning = false;
	enter(r, kind, t);
	return STEP_ON;
}

/* A document begins at `at`. */
static enum step
document(struct json_reader *r, struct batch *b)
{
	struct json_level *l = json_level(r);
	size_t max = r->base.limits->document_bytes;
	struct str t = level_text(l);

	if (!l->scanning) {
		if (r->depth == 0 && l->fresh && t.p[0] == '{') {
			enum step step = json_xray_line(r, b);

			if (step != STEP_END)
				return step;
		}
		jscan_init(&l->scan);
		l->scanning = true;
	}
	switch (jscan_run(&l->scan, str_sub(t, 0, max))) {
	case JSCAN_DONE: {
		struct str text = str_sub(t, 0, l->scan.pos);
		const struct json_kind *kind = json_kind_of(text, &l->scan);

		if (kind->array || kind == &json_kind_array)
			enter(r, kind, text);
		else
			take_piece(r, b, kind, text);
		return STEP_ON;
	}
	case JSCAN_BAD:
		return broken(r, b, l->scan.what);
	case JSCAN_MORE:
		break;
	}
	if (t.n > max)
		return large(r, b);
	return level_closed(l) ? broken(r, b, cut_off) : STEP_MORE;
}

/* A line that is no JSON: an event, or refuse behind a document. */
static enum step
other_line(struct json_reader *r, struct batch *b)
{
	struct json_level *l = json_level(r);
	struct envelope line_of = r->base;
	struct str line;
	size_t size;

	line_of.w = l->w;
	switch (window_line(l->w, r->base.limits->line_bytes, &line, &size)) {
	case LINE_OK:
		break;
	case LINE_MORE:
		return STEP_MORE;
	case LINE_LONG:
		l->fresh = true;
		return envelope_long_line(&line_of, b);
	case LINE_END:
		return STEP_END;
	}
	line = line_without_cr(line);
	if (l->remains && str_starts(str_trim(line), STR("\""))) {
		level_dead(l, b, remains, line);
	} else if (!l->fresh) {
		level_dead(l, b, behind, line);
	} else if (line.n > 0) {
		struct event *e = batch_event(b, &l->w->place);

		e->message = l->w->steady ? line : arena_dup(&b->arena, line);
	}
	level_take(l, size);
	l->fresh = true;
	return STEP_ON;
}

/* Whether the line's first bytes suffice to tell JSON from prose. */
static bool
line_is_known(const struct json_level *l, struct str t, size_t line_max)
{
	if (level_closed(l) || t.n > line_max || memchr(t.p, '\n', t.n))
		return true;
	return t.n > 1 && t.p[0] == '{' && (t.p[1] == '"' || t.p[1] == '}');
}

static size_t
blanks(struct str t)
{
	size_t n = 0;

	while (n < t.n && (t.p[n] == ' ' || t.p[n] == '\t' || t.p[n] == '\r'))
		n++;
	return n;
}

/* What may stand between documents, the more so behind a broken one. */
static bool
is_separator(const struct json_level *l, char c)
{
	if (c == ',')
		return !l->fresh || l->remains;
	return l->remains && (c == ']' || c == '}');
}

/* Between documents. */
static enum step
top(struct json_reader *r, struct batch *b)
{
	struct json_level *l = json_level(r);
	size_t line_max = r->base.limits->line_bytes;
	struct str t = level_text(l);
	size_t n = l->scanning ? 0 : blanks(t);
	struct str rest = str_from(t, n);

	if (l->scanning)
		return document(r, b);
	if (rest.n == 0) {
		if (n > line_max)
			return other_line(r, b);
		if (!level_closed(l))
			return STEP_MORE;
		level_take(l, n);
		return STEP_END;
	}
	if (rest.p[0] == '\n') {
		level_take(l, n + 1);
		l->fresh = true;
		return STEP_ON;
	}
	if (is_separator(l, rest.p[0])) {
		level_take(l, n + 1);
		return STEP_ON;
	}
	if (rest.p[0] == '{' || rest.p[0] == '[') {
		if (!line_is_known(l, rest, line_max))
			return STEP_MORE;
		if (jscan_plausible(rest)) {
			if (n > 0)
				level_take(l, n);
			return document(r, b);
		}
	}
	return other_line(r, b);
}

/* An element begins at `at`, in the array of a document. */
static enum step
element(struct json_reader *r, struct batch *b)
{
	struct json_level *l = json_level(r);
	size_t max = r->base.limits->document_bytes;
	struct str t = level_text(l);
	struct piece piece;
	const char *why;

	if (!l->scanning)
		jscan_init(&l->scan);
	l->scanning = true;
	switch (jscan_run(&l->scan, str_sub(t, 0, max))) {
	case JSCAN_DONE:
		break;
	case JSCAN_BAD:
		return give_up(r, b, l->scan.pos, l->scan.what);
	case JSCAN_MORE:
		if (t.n > max)
			return large_element(r, b);
		return level_closed(l) ? give_up(r, b, t.n, cut_off)
				       : STEP_MORE;
	}
	piece =
	    (struct piece){ str_sub(t, 0, l->scan.pos), l->w->place, &l->scan };
	why = l->kind->take(r, b, &piece);
	if (why)
		level_dead(l, b, why, piece.text);
	level_take(l, piece.text.n);
	return STEP_ON;
}

/* What may stand between elements. */
static size_t
separators(struct str t)
{
	size_t n = 0;

	while (n < t.n && (t.p[n] == ' ' || t.p[n] == ',' || t.p[n] == '\n' ||
			      t.p[n] == '\t' || t.p[n] == '\r'))
		n++;
	return n;
}

/* In the array: white space, commas, elements, and its end. */
static enum step
walk(struct json_reader *r, struct batch *b)
{
	struct json_level *l = json_level(r);
	struct str t = level_text(l);
	size_t n;

	if (l->scanning)
		return element(r, b);
	n = separators(t);
	if (n > 0) {
		level_take(l, n);
		return STEP_ON;
	}
	if (t.n == 0)
		return level_closed(l) ? give_up(r, b, 0, cut_off) : STEP_MORE;
	if (t.p[0] == ']') {
		level_take(l, 1);
		l->fresh = false;
		if (l->root_array)
			level_to_top(l);
		else
			l->mode = JSON_REST;
		return STEP_ON;
	}
	if (t.p[0] != '{' && t.p[0] != '[' && t.p[0] != '"')
		return give_up(r, b, 0,
		    "an array's element that is no object, array or text");
	return element(r, b);
}

/* Behind the array, up to the document's end. */
static enum step
rest(struct json_reader *r, struct batch *b)
{
	struct json_level *l = json_level(r);
	size_t max = r->base.limits->document_bytes;
	struct str t = level_text(l);

	if (!l->scanning)
		jscan_init_rest(&l->scan);
	l->scanning = true;
	switch (jscan_run(&l->scan, str_sub(t, 0, max))) {
	case JSCAN_DONE:
		level_take(l, l->scan.pos);
		level_to_top(l);
		l->fresh = false;
		return STEP_ON;
	case JSCAN_BAD:
		return give_up(r, b, l->scan.pos, l->scan.what);
	case JSCAN_MORE:
		break;
	}
	if (t.n > max)
		return pass_over(r, b, JSON_TOP);
	return level_closed(l) ? give_up(r, b, t.n, cut_off) : STEP_MORE;
}

/* Drops lines until one can begin something. */
static enum step
drop(struct json_level *l)
{
	struct str t;

	if (l->w->skipping && !window_skip_line(l->w))
		return STEP_MORE;
	t = window_rest(l->w);
	if (t.n == 0)
		return l->w->eof ? STEP_END : STEP_MORE;
	if (is_remnant(t.p[0])) {
		l->w->skipping = true;
		return STEP_ON;
	}
	level_to_top(l);
	l->fresh = true;
	return STEP_ON;
}

static enum step
one_step(struct json_reader *r, struct batch *b)
{
	struct json_level *l = json_level(r);

	if (l->w->skipping && l->mode != JSON_DROP && !window_skip_line(l->w))
		return STEP_MORE;
	switch (l->mode) {
	case JSON_TOP:
		return top(r, b);
	case JSON_WALK:
		return walk(r, b);
	case JSON_REST:
		return rest(r, b);
	case JSON_PASS:
		return pass(l);
	case JSON_DROP:
		return drop(l);
	case JSON_OVER:
		break;
	}
	return STEP_END;
}

static enum step
json_decode(struct envelope *self, struct batch *b)
{
	struct json_reader *r = reader_of(self);
	enum step step = STEP_ON;

	if (!r->levels[0].w) {
		r->levels[0].w = self->w;
		r->levels[0].fresh = true;
		level_to_top(&r->levels[0]);
		r->joiner.max = self->limits->line_bytes;
	}
	while (step == STEP_ON) {
		if (batch_full(b))
			return STEP_FULL;
		step = one_step(r, b);
		if (step != STEP_END)
			continue;
		if (r->depth > 0) {
			r->depth--;
			step = STEP_ON;
		} else if (joiner_flush(&r->joiner, b)) {
			step = STEP_ON;
		}
	}
	return step;
}

static void
json_close(struct envelope *self)
{
	struct json_reader *r = reader_of(self);

	for (size_t i = 0; i < JSON_LEVELS; i++) {
		buf_fini(&r->levels[i].group);
		buf_fini(&r->levels[i].stream);
		buf_fini(&r->levels[i].payload);
	}
	joiner_fini(&r->joiner);
	json_fini(&r->tree);
}

/* The first line, or half of the first lines, opens a document. */
static struct verdict
json_sniff(struct str head)
{
	struct str text = head;
	struct str line;
	unsigned lines = 0;
	unsigned json = 0;
	unsigned n = 0;

	while (head_line(&head, &n, &line)) {
		size_t skip = blanks(line);
		size_t at = (size_t)(line.p - text.p) + skip;

		lines++;
		if (line.n > skip && jscan_plausible(str_from(text, at))) {
			json++;
			if (lines == 1)
				return (struct verdict){ 97,
					ENVELOPE_JSON_LINES, n };
		}
	}
	if (json * 2 >= lines && json > 0)
		return (struct verdict){ 50, ENVELOPE_JSON_LINES, 1 };
	return (struct verdict){ 0 };
}

const struct envelope_ops envelope_json = {
	.size = sizeof(struct json_reader),
	.sniff = json_sniff,
	.decode = json_decode,
	.close = json_close,
};
