/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A push-down automaton of one bit a level.  Strings, most of every log
 * document, are skipped in a loop of their own.
 */
#include "ingest/jscan.h"

void
jscan_init(struct jscan *s)
{
	s->pos = 0;
	s->state = JSCAN_VALUE;
	s->depth = 0;
	s->escaped = false;
	s->rootless = false;
	s->first = 0;
	s->n_members = 0;
	s->what = NULL;
}

void
jscan_init_rest(struct jscan *s)
{
	jscan_init(s);
	s->state = JSCAN_AFTER;
	s->depth = 1;
	s->array[0] &= ~UINT64_C(1);
	s->rootless = true;
}

static bool
in_array(const struct jscan *s)
{
	unsigned level = s->depth - 1;

	return (s->array[level / 64] >> (level % 64)) & 1;
}

static struct jscan_member *
open_member(struct jscan *s)
{
	struct jscan_member *m;

	if (s->depth != 1 || s->rootless || s->n_members == 0)
		return NULL;
	m = &s->members[s->n_members - 1];
	return m->value_end == 0 ? m : NULL;
}

/* A value begins at pos: the root's members and first element are noted. */
static void
value_begins(struct jscan *s)
{
	struct jscan_member *m;

	if (s->depth != 1 || s->rootless)
		return;
	if (in_array(s)) {
		if (s->first == 0)
			s->first = s->pos;
		return;
	}
	m = open_member(s);
	if (m && m->value == 0)
		m->value = s->pos;
}

/* A value ended before `end`. */
static enum jscan_end
value_ends(struct jscan *s, size_t end)
{
	struct jscan_member *m;

	if (s->depth == 0)
		return JSCAN_DONE;
	m = open_member(s);
	if (m && m->value > 0)
		m->value_end = end;
	s->state = JSCAN_AFTER;
	return JSCAN_MORE;
}

static enum jscan_end
bad(struct jscan *s, const char *what)
{
	s->what = what;
	return JSCAN_BAD;
}

static enum jscan_end
open_bracket(struct jscan *s, struct str text)
{
	bool array = text.p[s->pos] == '[';
	bool at_line = s->pos > 0 && text.p[s->pos - 1] == '\n';
	unsigned level = s->depth;
	uint64_t bit = UINT64_C(1) << (level % 64);

	if (level >= JSON_DEPTH_MAX || (at_line && level >= JSCAN_LINE_DEPTH))
		return bad(s, "JSON is nested too deeply");
	value_begins(s);
	if (array)
		s->array[level / 64] |= bit;
	else
		s->array[level / 64] &= ~bit;
	s->depth++;
	s->state = array ? JSCAN_ITEM : JSCAN_FIRST_KEY;
	s->pos++;
	return JSCAN_MORE;
}

static enum jscan_end
close_bracket(struct jscan *s, char c)
{
	if (in_array(s) != (c == ']'))
		return bad(s,
		    "a JSON bracket is closed by one of another kind");
	s->depth--;
	s->pos++;
	return value_ends(s, s->pos);
}

static void
open_key(struct jscan *s)
{
	if (s->depth == 1 && !s->rootless && s->n_members < JSCAN_MEMBERS)
		s->members[s->n_members++] =
		    (struct jscan_member){ .key = s->pos + 1 };
	s->state = JSCAN_KEY_STRING;
	s->pos++;
}

static enum jscan_end
on_value(struct jscan *s, struct str text)
{
	char c = text.p[s->pos];

	if (c == '{' || c == '[')
		return open_bracket(s, text);
	if (c == ']' && s->state == JSCAN_ITEM)
		return close_bracket(s, c);
	if (c == '"') {
		value_begins(s);
		s->state = JSCAN_STRING;
		s->pos++;
		return JSCAN_MORE;
	}
	if ((c >= '0' && c <= '9') || c == '-' || (c >= 'a' && c <= 'z') ||
	    c == 'N' || c == 'I') {
		value_begins(s);
		s->state = JSCAN_SCALAR;
		return JSCAN_MORE;
	}
	return bad(s, "broken JSON: expected a value");
}

static enum jscan_end
on_after(struct jscan *s, char c)
{
	if (c == ',') {
		s->state = in_array(s) ? JSCAN_VALUE : JSCAN_KEY;
		s->pos++;
		return JSCAN_MORE;
	}
	if (c == '}' || c == ']')
		return close_bracket(s, c);
	return bad(s, "broken JSON: expected a comma or a closing bracket");
}

/* One byte that is no white space, outside of strings and scalars. */
static enum jscan_end
on_byte(struct jscan *s, struct str text)
{
	char c = text.p[s->pos];

	switch (s->state) {
	case JSCAN_VALUE:
	case JSCAN_ITEM:
		return on_value(s, text);
	case JSCAN_FIRST_KEY:
	case JSCAN_KEY:
		if (c == '}' && s->state == JSCAN_FIRST_KEY)
			return close_bracket(s, c);
		if (c != '"')
			return bad(s, "broken JSON: expected a key in quotes");
		open_key(s);
		return JSCAN_MORE;
	case JSCAN_COLON:
		if (c != ':')
			return bad(s, "broken JSON: expected a colon");
		s->state = JSCAN_VALUE;
		s->pos++;
		return JSCAN_MORE;
	case JSCAN_AFTER:
		return on_after(s, c);
	case JSCAN_STRING:
	case JSCAN_KEY_STRING:
	case JSCAN_SCALAR:
	case JSCAN_STATES:
		break;
	}
	return JSCAN_MORE;
}

/* Whether any byte of w equals the one that `all` is made of. */
static bool
any_byte(uint64_t w, uint64_t all)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);

	w ^= all;
	return ((w - ones) & ~w & (ones << 7)) != 0;
}

/*
 * From i on, over words of eight bytes in which nothing ends or escapes: no
 * quote, no backslash, nothing below 0x20.
 */
static size_t
pass_plain(struct str text, size_t i)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);

	while (text.n - i >= 8) {
		uint64_t w;

		memcpy(&w, text.p + i, 8);
		if (((w - 0x20 * ones) & ~w & (ones << 7)) != 0 ||
		    any_byte(w, '"' * ones) || any_byte(w, '\\' * ones))
			break;
		i += 8;
	}
	return i;
}

/* Skips to the closing quote. */
static enum jscan_end
in_string(struct jscan *s, struct str text)
{
	size_t i = s->escaped ? s->pos : pass_plain(text, s->pos);

	for (; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c < 0x20) {
			s->pos = i;
			return bad(s, "broken JSON: a line end or control "
				      "character inside a string");
		}
		if (s->escaped) {
			s->escaped = false;
			i = pass_plain(text, i + 1) - 1;
		} else if (c == '\\') {
			s->escaped = true;
		} else if (c == '"') {
			break;
		}
	}
	s->pos = i;
	if (i == text.n)
		return JSCAN_MORE;
	s->pos = i + 1;
	if (s->state == JSCAN_STRING)
		return value_ends(s, s->pos);
	if (s->depth == 1 && !s->rootless && s->n_members > 0 &&
	    s->members[s->n_members - 1].key_end == 0)
		s->members[s->n_members - 1].key_end = i;
	s->state = JSCAN_COLON;
	return JSCAN_MORE;
}

static bool
scalar_byte(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || c == '.' || c == '+' || c == '-';
}

static enum jscan_end
in_scalar(struct jscan *s, struct str text)
{
	while (s->pos < text.n && scalar_byte(text.p[s->pos]))
		s->pos++;
	return s->pos < text.n ? value_ends(s, s->pos) : JSCAN_MORE;
}

enum jscan_end
jscan_run(struct jscan *s, struct str text)
{
	enum jscan_end end = JSCAN_MORE;

	while (s->pos < text.n && end == JSCAN_MORE) {
		char c = text.p[s->pos];

		if (s->state == JSCAN_STRING || s->state == JSCAN_KEY_STRING)
			end = in_string(s, text);
		else if (s->state == JSCAN_SCALAR)
			end = in_scalar(s, text);
		else if (c == ' ' || c == '\n' || c == '\r' || c == '\t')
			s->pos++;
		else
			end = on_byte(s, text);
	}
	return end;
}

const struct jscan_member *
jscan_get(const struct jscan *s, struct str text, struct str key)
{
	for (size_t i = 0; i < s->n_members; i++) {
		const struct jscan_member *m = &s->members[i];

		if (m->value > 0 && m->key_end - m->key == key.n &&
		    memcmp(text.p + m->key, key.p, key.n) == 0)
			return m;
	}
	return NULL;
}

bool
jscan_plausible(struct str text)
{
	bool object = text.n > 0 && text.p[0] == '{';
	size_t i = 1;
	struct jscan s;

	if (text.n == 0 || (!object && text.p[0] != '['))
		return false;
	text = str_sub(text, 0, str_find(text, '\n'));
	while (i < text.n && strchr(" \t\r", text.p[i]) && text.p[i])
		i++;
	if (i == text.n)
		return true;
	if (object)
		return text.p[i] == '"' || text.p[i] == '}';
	if (strchr("{[\"]", text.p[i]) && text.p[i])
		return true;
	/* An array of numbers, or a time or level in brackets. */
	jscan_init(&s);
	return jscan_run(&s, text) == JSCAN_DONE &&
	       str_trim(str_from(text, s.pos)).n == 0;
}
