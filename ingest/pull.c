/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What pull.h does not do inline: escapes, words, and stepping over values.
 */
#include "ingest/pull.h"

#include <stdint.h>

/* Behind an opening quote: at the closing one, or at the end. */
static inline const char *
quote_find(const char *p, const char *end)
{
	for (p = scan_plain(p, end); p < end && *p != '"';
	     p = scan_plain(p, end))
		p += *p == '\\' && end - p > 1 ? 2 : 1;
	return p;
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

/* No escape is shorter than what it stands for, but a torn one. */
static struct str
unescape(struct arena *arena, struct str s)
{
	static const char names[] = "b\bf\fn\nr\rt\t";
	char *text = arena_alloc(arena, s.n + PULL_ROOM);
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

struct str
pull_rough(struct pull *c)
{
	const char *from = c->p + 1;
	const char *quote = quote_find(from, c->end);
	struct str s = { from, (size_t)(quote - from) };

	c->p = quote < c->end ? quote + 1 : quote;
	if (s.n > 0 && memchr(s.p, '\\', s.n))
		return unescape(c->arena, s);
	return s;
}

/* What ends a number or a literal. */
static const bool ends_word[256] = {
	[','] = true,
	['}'] = true,
	[']'] = true,
	[' '] = true,
	['\t'] = true,
	['\n'] = true,
	['\r'] = true,
};

/* A number or a literal; of other bytes one, so that every step moves. */
static struct str
word_read(struct pull *c)
{
	const char *from = c->p;
	const char *p = from;

	while (p < c->end && !ends_word[(unsigned char)*p])
		p++;
	if (p == from && p < c->end)
		p++;
	c->p = p;
	return (struct str){ from, (size_t)(p - from) };
}

/* Over a string whose opening quote is at p. */
static inline const char *
string_skip(const char *p, const char *end)
{
	p = quote_find(p + 1, end);
	return p < end ? p + 1 : p;
}

static void
brackets_skip(struct pull *c)
{
	const char *p = c->p;
	size_t depth = 0;

	while (p < c->end) {
		char b = *p;

		if (b == '"') {
			p = string_skip(p, c->end);
			continue;
		}
		p++;
		/* '{' and '[' differ in the bit 0x20 only, as do their ends. */
		if ((b | 0x20) == '{')
			depth++;
		else if ((b | 0x20) == '}' && --depth == 0)
			break;
	}
	c->p = p;
}

struct str
pull_text(struct pull *c)
{
	switch (pull_peek(c)) {
	case '\0':
		return (struct str){ NULL, 0 };
	case '"':
		return pull_string(c);
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
		c->p = string_skip(c->p, c->end);
	} else if (next) {
		word_read(c);
	}
}
