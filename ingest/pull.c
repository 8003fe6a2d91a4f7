/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cursor of pull.h.  Strings are searched with memchr, which is faster
 * than anything portable; a quote behind an odd run of backslashes is no end.
 */
#include "ingest/pull.h"

#include <stdint.h>

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

char
pull_peek(struct pull *c)
{
	while (c->p < c->end && is_space(*c->p))
		c->p++;
	return c->p < c->end ? *c->p : '\0';
}

bool
pull_open(struct pull *c, char bracket)
{
	if (pull_peek(c) != bracket)
		return false;
	c->p++;
	return true;
}

/* Behind an opening quote: at the closing one, or at the end. */
static const char *
quote_find(const char *p, const char *end)
{
	const char *from = p;

	while (p < end) {
		const char *q = memchr(p, '"', (size_t)(end - p));
		const char *s = q;

		if (!q)
			return end;
		while (s > from && s[-1] == '\\')
			s--;
		if ((q - s) % 2 == 0)
			return q;
		p = q + 1;
	}
	return end;
}

static unsigned
hex4(const char *p)
{
	unsigned v = 0;

	for (int i = 0; i < 4; i++) {
		char c = p[i];

		v = v << 4 |
		    (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	return v & 0xffff;
}

static char *
utf8_put(char *out, unsigned c)
{
	if (c < 0x80) {
		*out++ = (char)c;
		return out;
	}
	if (c < 0x800) {
		*out++ = (char)(0xc0 | c >> 6);
	} else if (c < 0x10000) {
		*out++ = (char)(0xe0 | c >> 12);
		*out++ = (char)(0x80 | (c >> 6 & 0x3f));
	} else {
		*out++ = (char)(0xf0 | c >> 18);
		*out++ = (char)(0x80 | (c >> 12 & 0x3f));
		*out++ = (char)(0x80 | (c >> 6 & 0x3f));
	}
	*out++ = (char)(0x80 | (c & 0x3f));
	return out;
}

/* At a \u: the character, a pair of surrogates being one; moves *i. */
static unsigned
unicode_escape(struct str s, size_t *i)
{
	unsigned c;

	if (s.n - *i < 6) {
		*i = s.n;
		return 0xfffd;
	}
	c = hex4(s.p + *i + 2);
	*i += 6;
	if (c >= 0xd800 && c < 0xdc00 && s.n - *i >= 6 && s.p[*i] == '\\') {
		unsigned low = hex4(s.p + *i + 2);

		*i += 6;
		c = 0x10000 + ((c & 0x3ff) << 10 | (low & 0x3ff));
	}
	return c;
}

/* No escape is shorter than what it stands for. */
static struct str
unescape(struct arena *arena, struct str s)
{
	static const char names[] = "b\bf\fn\nr\rt\t";
	char *text = arena_alloc(arena, s.n + 4); /* a torn \u is 3 bytes */
	char *out = text;
	size_t i = 0;

	while (i < s.n) {
		const char *name;
		char c = s.p[i];

		if (c != '\\' || i + 1 == s.n) {
			*out++ = c;
			i++;
			continue;
		}
		c = s.p[i + 1];
		if (c == 'u') {
			out = utf8_put(out, unicode_escape(s, &i));
			continue;
		}
		for (name = names; *name && *name != c;)
			name += 2;
		*out++ = *name ? name[1] : c;
		i += 2;
	}
	return (struct str){ text, (size_t)(out - text) };
}

/* At a quote: the string, and over it. */
static struct str
string_read(struct pull *c)
{
	const char *from = c->p + 1;
	const char *quote = quote_find(from, c->end);
	struct str s = { from, (size_t)(quote - from) };

	c->p = quote < c->end ? quote + 1 : quote;
	if (s.n > 0 && memchr(s.p, '\\', s.n))
		return unescape(c->arena, s);
	return s;
}

bool
pull_member(struct pull *c, struct str *key)
{
	char next = pull_peek(c);

	if (next == ',') {
		c->p++;
		next = pull_peek(c);
	}
	if (next != '"') {
		c->p = next ? c->p + 1 : c->end;
		return false;
	}
	*key = string_read(c);
	if (pull_peek(c) == ':')
		c->p++;
	return true;
}

bool
pull_item(struct pull *c)
{
	char next = pull_peek(c);

	if (next == ',') {
		c->p++;
		next = pull_peek(c);
	}
	if (next != ']' && next != '\0')
		return true;
	c->p = next ? c->p + 1 : c->end;
	return false;
}

static bool
ends_word(char c)
{
	return c == ',' || c == '}' || c == ']' || is_space(c);
}

/* A number or a literal; of other bytes one, so that every step moves. */
static struct str
word_read(struct pull *c)
{
	const char *from = c->p;

	while (c->p < c->end && !ends_word(*c->p))
		c->p++;
	if (c->p == from && c->p < c->end)
		c->p++;
	return (struct str){ from, (size_t)(c->p - from) };
}

static void
brackets_skip(struct pull *c)
{
	size_t depth = 0;

	while (c->p < c->end) {
		char b = *c->p++;

		if (b == '"') {
			c->p = quote_find(c->p, c->end);
			c->p += c->p < c->end;
		} else if (b == '{' || b == '[') {
			depth++;
		} else if ((b == '}' || b == ']') && --depth == 0) {
			return;
		}
	}
}

struct str
pull_text(struct pull *c)
{
	switch (pull_peek(c)) {
	case '\0':
		return (struct str){ NULL, 0 };
	case '"':
		return string_read(c);
	case '{':
	case '[':
		brackets_skip(c);
		return (struct str){ NULL, 0 };
	default:
		return word_read(c);
	}
}

void
pull_skip(struct pull *c)
{
	char next = pull_peek(c);

	if (next == '{' || next == '[') {
		brackets_skip(c);
	} else if (next == '"') {
		c->p = quote_find(c->p + 1, c->end);
		c->p += c->p < c->end;
	} else if (next) {
		word_read(c);
	}
}
