/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ordinary segment document, read in one pass and without a tree.
 *
 * Idea.  Of a document of about 1 KB some twenty short fields are wanted; the
 * rest (annotations, metadata, aws, subsegments, stacks) only has to be valid.
 * So the reader knows four objects by their keys (xray_fields.h) and steps
 * over every other value with a checker that keeps one bit a level instead of
 * nodes.  Strings are searched eight bytes at a time for the first byte that
 * is not plain text (Hacker's Delight, 2nd edition, section 6-1, "find first
 * 0-byte").
 *
 * For spans (span_keys.h) more is wanted, at any depth: who asks for marks gets
 * a list of where these values are, so that the text is not searched again.
 *
 * Promise.  A document that this accepts is one that the tree accepts too,
 * with the same fields: it checks literals, numbers, escapes, control
 * characters, UTF-8 and the places of commas itself.  Whatever it is not sure
 * of (an escape in a wanted string or key, a key met twice, null, nesting
 * beyond 60, odd types) it gives back for the tree to judge; saying no is
 * always safe.
 *
 * Bounds.  The text has no NUL at its end, but the last byte of a document is
 * the brace that closes it.  `last` points there and serves as the sentinel: no
 * step but the one that closes an object goes over a '}', so a byte can be
 * looked at before asking whether the text ends.  Only strings are bounded by
 * count.
 */
#include "ingest/xray_fields.h"

#include <string.h>

enum { DEPTH_MAX = 60 };

/* Nothing or one blank is what nearly every writer puts between tokens. */
static inline const char *
space_end(const char *p)
{
	if ((unsigned char)*p > ' ')
		return p;
	if (*p == ' ' && (unsigned char)p[1] > ' ')
		return p + 1;
	while (scan_is_space(*p))
		p++;
	return p;
}

static bool
is_hex(char c)
{
	return scan_is_digit(c) || (unsigned char)((c | 0x20) - 'a') < 6;
}

/* At a backslash: behind the escape.  Surrogates are left to the tree. */
static const char *
escape_end(const char *p, const char *last)
{
	static const char shorts[8] = { '"', '\\', '/', 'b', 'f', 'n', 'r',
		't' };

	if (last - p < 6)
		return NULL;
	if (memchr(shorts, p[1], sizeof shorts))
		return p + 2;
	if (p[1] != 'u')
		return NULL;
	for (int i = 2; i < 6; i++)
		if (!is_hex(p[i]))
			return NULL;
	if ((p[2] == 'd' || p[2] == 'D') && !(p[3] >= '0' && p[3] <= '7'))
		return NULL;
	return p + 6;
}

/* At a byte from 0x80 on: behind the character, if it is valid UTF-8. */
static const char *
utf8_end(const char *s, const char *last)
{
	const unsigned char *p = (const unsigned char *)s;
	unsigned char low = 0x80;
	unsigned char high = 0xbf;
	int n;

	if (last - s < 4 || p[0] < 0xc2 || p[0] > 0xf4)
		return NULL;
	n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (p[1] < low || p[1] > high)
		return NULL;
	for (int i = 2; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return NULL;
	return s + n;
}

/* Behind an opening quote, over text that is not all plain. */
static const char *
rough_end(const char *p, const char *last, bool *escaped)
{
	while (p && p < last && *p != '"') {
		if (*p == '\\') {
			*escaped = true;
			p = escape_end(p, last);
		} else if ((unsigned char)*p >= 0x80) {
			p = utf8_end(p, last);
		} else {
			return NULL;
		}
		if (p)
			p = scan_plain(p, last);
	}
	return p && p < last ? p : NULL;
}

/* Behind an opening quote: at the closing one, or NULL. */
static inline const char *
string_end(const char *p, const char *last, bool *escaped)
{
	p = scan_plain(p, last);
	if (p < last && *p == '"')
		return p;
	return rough_end(p, last, escaped);
}

static inline const char *
digits_end(const char *p)
{
	while (scan_is_digit(*p))
		p++;
	return p;
}

/* number = ["-"] ("0" | 1-9 *digit) ["." 1*digit] [("e"|"E") [sign] 1*digit] */
static const char *
number_end(const char *p)
{
	if (*p == '-')
		p++;
	if (!scan_is_digit(*p))
		return NULL;
	p = *p == '0' ? p + 1 : digits_end(p);
	if (*p == '.') {
		if (!scan_is_digit(p[1]))
			return NULL;
		p = digits_end(p + 1);
	}
	if (*p != 'e' && *p != 'E')
		return p;
	p++;
	if (*p == '+' || *p == '-')
		p++;
	return scan_is_digit(*p) ? digits_end(p) : NULL;
}

/* At the first letter: behind the word, if it is the word. */
static const char *
word_end(const char *p, const char *word)
{
	while (*word && *p == *word) {
		p++;
		word++;
	}
	return *word ? NULL : p;
}

/* At a value that is neither object nor array: behind it. */
static inline const char *
scalar_end(const char *p, const char *last)
{
	bool escaped;

	switch (*p) {
	case '"':
		p = string_end(p + 1, last, &escaped);
		return p ? p + 1 : NULL;
	case 't':
		return word_end(p, "true");
	case 'f':
		return word_end(p, "false");
	case 'n':
		return word_end(p, "null");
	default:
		return number_end(p);
	}
}

static inline bool
tells_failure(const char *key, size_t n)
{
	return n == 5 &&
	       (memcmp(key, "error", 5) == 0 || memcmp(key, "fault", 5) == 0);
}

/*
 * At a key's opening quote: at the member's value.  *failed when that is a
 * failure, or may be one because the key is not plain.
 */
static inline const char *
value_of_key(const char *p, const char *last, bool *failed)
{
	const char *key = p + 1;
	bool escaped = false;
	bool told;

	if (*p != '"')
		return NULL;
	p = string_end(key, last, &escaped);
	if (!p)
		return NULL;
	told = escaped || tells_failure(key, (size_t)(p - key));
	p = space_end(p + 1);
	if (*p != ':')
		return NULL;
	p = space_end(p + 1);
	if (told && *p == 't')
		*failed = true;
	return p;
}

/*
 * The open brackets of a value that is stepped over: one bit a level, the
 * innermost lowest, set for an object.
 */
struct levels {
	uint64_t objects;
	int depth;
	bool failed; /* an object on the way said so */
};

/*
 * Behind a value: over closing brackets and the comma, to the next value; *done
 * when the outermost bracket was closed.
 */
static inline const char *
next_value(const char *p, const char *last, struct levels *l, bool *done)
{
	for (p = space_end(p); *p != ','; p = space_end(p)) {
		if (*p != (l->objects & 1 ? '}' : ']'))
			return NULL;
		/* Behind the last brace nothing may be read. */
		if (p == last)
			return NULL;
		p++;
		l->objects >>= 1;
		if (--l->depth == 0) {
			*done = true;
			return p;
		}
	}
	p = space_end(p + 1);
	return l->objects & 1 ? value_of_key(p, last, &l->failed) : p;
}

/*
 * At an object or array, inside the document's: behind it.  *failed when an
 * object in it says so.
 */
static const char *
container_end(const char *p, const char *last, bool *failed)
{
	struct levels l = { 0, 0, false };
	bool done = false;

	while (p) {
		bool object = *p == '{';

		if (!object && *p != '[') {
			p = scalar_end(p, last);
		} else {
			if (++l.depth > DEPTH_MAX)
				return NULL;
			l.objects = l.objects << 1 | object;
			p = space_end(p + 1);
			if (*p != (object ? '}' : ']')) {
				p = object ? value_of_key(p, last, &l.failed)
					   : p;
				continue;
			}
		}
		p = p ? next_value(p, last, &l, &done) : NULL;
		if (done) {
			*failed |= l.failed;
			return p;
		}
	}
	return NULL;
}

/* At a wanted scalar: reads it.  What is unusual is left to the tree. */
static inline const char *
token_read(const char *p, const char *last, struct xray_token *t)
{
	const char *end;
	bool escaped = false;

	switch (*p) {
	case '"':
		end = string_end(p + 1, last, &escaped);
		if (!end || escaped)
			return NULL;
		t->type = XRAY_STRING;
		t->text = (struct str){ p + 1, (size_t)(end - p - 1) };
		return end + 1;
	case 't':
		t->type = XRAY_TRUE;
		return word_end(p, "true");
	case 'f':
		t->type = XRAY_FALSE;
		return word_end(p, "false");
	default:
		end = number_end(p);
		if (!end)
			return NULL;
		t->type = XRAY_NUMBER;
		t->text = (struct str){ p, (size_t)(end - p) };
		return end;
	}
}

/* A reader's state: what every step needs. */
struct quick {
	const struct xray_names *names;
	const char *doc, *last;
	struct xray_fields *f;
	struct span_marks *marks; /* NULL: not wanted, or not any more */
	uint64_t seen;            /* keys of the span at hand that have marks */
};

static inline const char *
value_end(struct quick *q, const char *p)
{
	return *p == '{' || *p == '['
		   ? container_end(p, q->last, &q->f->failures_within)
		   : scalar_end(p, q->last);
}

/* The document's marks are none. */
static void
marks_lose(struct quick *q)
{
	q->marks->n = 0;
	q->marks = NULL;
}

static inline void
mark(struct quick *q, size_t key, enum span_mark_form form, struct str s)
{
	struct span_marks *m = q->marks;

	if (!m)
		return;
	if (m->n == SPAN_MARKS_MAX) {
		marks_lose(q);
		return;
	}
	m->v[m->n++] = (struct span_mark){
		.at = (uint16_t)(s.p - q->doc),
		.n = (uint16_t)s.n,
		.key = (uint8_t)key,
		.form = (uint8_t)form,
	};
}

static const char *members_read(struct quick *q, const char *p,
    enum span_place place, unsigned depth);

/*
 * At the value of a BLOCK: behind it.  What is marked in it says that it is
 * there; a mark of its own is for one that has nothing.
 */
static inline const char *
block_read(struct quick *q, const char *p, size_t key, unsigned depth)
{
	size_t before = q->marks ? q->marks->n : 0;
	struct str none = { p, 0 };

	p = *p == '{'
		? members_read(q, p, (enum span_place)span_keys[key].at, depth)
		: value_end(q, p);
	if (q->marks && q->marks->n == before)
		mark(q, key, MARK_VALUE, none);
	return p;
}

/* At the value of a key that fills a field: reads it. */
static inline const char *
field_read(struct quick *q, const char *p, size_t key)
{
	const struct span_key *k = &span_keys[key];
	struct xray_token *t = &q->f->of[q->names->field[key]];
	struct str value = { p, 0 };

	if (t->type != XRAY_ABSENT)
		return NULL;
	if (k->what == BLOCK) {
		if (*p != '{')
			return NULL;
		t->type = XRAY_OBJECT;
		return block_read(q, p, key, 0);
	}
	p = token_read(p, q->last, t);
	if (k->what == NO_SPANS)
		return p;
	if (t->type == XRAY_STRING && k->what != TYPE)
		mark(q, key, MARK_TEXT, t->text);
	else if (t->type == XRAY_NUMBER)
		mark(q, key, MARK_WORD, t->text);
	else
		mark(q, key, MARK_VALUE, value);
	return p;
}

/* At an item of "subsegments": behind it. */
static const char *
subsegment_read(struct quick *q, const char *p, unsigned depth)
{
	uint64_t seen = q->seen;
	struct str none = { q->doc, 0 };

	if (*p != '{')
		return value_end(q, p);
	q->seen = 0;
	mark(q, 0, MARK_OPEN, none);
	p = members_read(q, p, IN_SPAN, depth);
	mark(q, 0, MARK_CLOSE, none);
	q->seen = seen;
	return p;
}

/* At the opening bracket of "subsegments": behind the closing one. */
static const char *
subsegments_read(struct quick *q, const char *p, unsigned depth)
{
	p = space_end(p + 1);
	while (*p != ']') {
		p = subsegment_read(q, p, depth + 1);
		if (!p)
			return NULL;
		p = space_end(p);
		if (*p == ']')
			break;
		if (*p != ',')
			return NULL;
		p = space_end(p + 1);
		if (*p == ']')
			return NULL;
	}
	return p + 1;
}

/* At any value that only spans want. */
static const char *
value_mark(struct quick *q, const char *p, size_t key)
{
	struct str s = { p, 0 };
	enum span_mark_form form = MARK_VALUE;
	bool escaped = false;
	const char *end;

	if (*p == '"' && span_keys[key].what <= TIME) {
		end = string_end(p + 1, q->last, &escaped);
		if (!end)
			return NULL;
		if (!escaped) {
			form = MARK_TEXT;
			s.p++;
		}
		s.n = (size_t)(end - s.p);
		end++;
	} else if (scan_is_digit(*p)) {
		end = number_end(p);
		form = MARK_WORD;
		s.n = end ? (size_t)(end - p) : 0;
	} else {
		end = value_end(q, p);
	}
	mark(q, key, form, s);
	return end;
}

/* At the value of a key that only spans want: behind it. */
static const char *
marked_read(struct quick *q, const char *p, size_t key, unsigned depth)
{
	const struct span_key *k = &span_keys[key];

	if (q->seen >> key & 1 || depth > SPAN_MARKS_DEPTH)
		marks_lose(q);
	q->seen |= UINT64_C(1) << key;
	if (!q->marks || k->what == NO_SPANS ||
	    (k->what == SUBSEGMENTS && *p != '['))
		return value_end(q, p);
	if (k->what == SUBSEGMENTS)
		return subsegments_read(q, p, depth);
	if (k->what != BLOCK)
		return value_mark(q, p, key);
	return block_read(q, p, key, depth);
}

/*
 * At the value of the key: behind it.  The document's own span, at depth 0,
 * fills the fields.
 */
static inline const char *
keyed_read(struct quick *q, const char *p, size_t key, unsigned depth)
{
	if (key == KEYS_NONE)
		return value_end(q, p);
	if (depth == 0 && q->names->field[key] != XRAY_FIELDS)
		return field_read(q, p, key);
	if (depth > 0 && *p == 't' &&
	    tells_failure(span_keys[key].name, strlen(span_keys[key].name)))
		q->f->failures_within = true;
	return q->marks ? marked_read(q, p, key, depth) : value_end(q, p);
}

/*
 * At the opening brace of an object that holds wanted fields: behind its
 * closing one; for the document itself, at it.  Recursion goes as deep as the
 * table of keys, three levels, and as subsegments have marks.
 */
static const char *
members_read(struct quick *q, const char *p, enum span_place place,
    unsigned depth)
{
	p = space_end(p + 1);
	while (*p != '}') {
		const char *key = p + 1;
		const char *end;
		bool escaped = false;
		size_t tag;

		if (*p != '"')
			return NULL;
		end = string_end(key, q->last, &escaped);
		if (!end || escaped || q->last - key < 8)
			return NULL;
		p = space_end(end + 1);
		if (*p != ':')
			return NULL;
		p = space_end(p + 1);
		tag = keys_find(&q->names->keys, place,
		    (struct str){ key, (size_t)(end - key) });
		p = keyed_read(q, p, tag, depth);
		if (!p)
			return NULL;
		p = space_end(p);
		if (*p == '}')
			break;
		if (*p != ',')
			return NULL;
		p = space_end(p + 1);
		if (*p == '}')
			return NULL;
	}
	if (place == IN_SPAN && depth == 0)
		return p;
	return p < q->last ? p + 1 : NULL;
}

bool
xray_quick(const struct xray_names *names, struct str doc,
    struct xray_fields *f, struct span_marks *marks)
{
	struct quick q = { .names = names,
		.doc = doc.p,
		.f = f,
		.marks = marks };

	/* Blanks around a document are the envelope's business. */
	if (doc.n < 16 || doc.n > XRAY_DOCUMENT_MAX || doc.p[0] != '{' ||
	    doc.p[doc.n - 1] != '}')
		return false;
	if (marks)
		marks->n = 0;
	f->failures_within = false;
	q.last = doc.p + doc.n - 1;
	for (int i = 0; i < XRAY_FIELDS; i++)
		f->of[i] = (struct xray_token){ .type = XRAY_ABSENT };
	return members_read(&q, doc.p, IN_SPAN, 0) == q.last;
}

void
xray_names_init(struct xray_names *names)
{
	struct keys_name keys[SPAN_KEYS];

	for (size_t i = 0; i < SPAN_KEYS; i++) {
		const struct span_key *k = &span_keys[i];

		keys[i] = (struct keys_name){ k->name, k->place };
		names->field[i] = XRAY_FIELDS;
		for (size_t f = 0; f < XRAY_FIELDS; f++)
			if (xray_keys[f].place == k->place &&
			    strcmp(xray_keys[f].name, k->name) == 0)
				names->field[i] = xray_keys[f].field;
	}
	keys_init(&names->keys, keys, SPAN_KEYS);
}
