/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lexer.  What people bring along from other languages (==, &&, single
 * quotes, %) is recognised, so that the message can name the right word.
 */
#include "query/lex.h"

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_word_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool
is_word(char c)
{
	return is_word_start(c) || is_digit(c) || c == '.' ||
	       (unsigned char)c >= 0x80;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* What is not in the language, and what to write instead. */
static const struct {
	struct str text;
	const char *bad;
} foreign[] = {
	{ { "==", 2 }, "there is no ==; equality is one =" },
	{ { "=>", 2 }, "there is no =>; greater or equal is >=" },
	{ { "=<", 2 }, "there is no =<; less or equal is <=" },
	{ { "=~", 2 }, "there are no regular expressions; use CONTAINS, "
		       "BEGINSWITH or ENDSWITH" },
	{ { "<>", 2 }, "there is no <>; not equal is !=" },
	{ { "&", 1 }, "there is no &; write AND" },
	{ { "|", 1 }, "there is no |; write OR" },
	{ { "'", 1 }, "a string stands in double quotes" },
	{ { "“", 3 }, "a string stands in plain double quotes (\")" },
	{ { "”", 3 }, "a string stands in plain double quotes (\")" },
	{ { "„", 3 }, "a string stands in plain double quotes (\")" },
	{ { "‘", 3 }, "a string stands in double quotes" },
	{ { "’", 3 }, "a string stands in double quotes" },
	{ { "*", 1 }, "there are no wildcards; use CONTAINS, BEGINSWITH or "
		      "ENDSWITH" },
	{ { "%", 1 }, "there are no wildcards; use CONTAINS, BEGINSWITH or "
		      "ENDSWITH" },
	{ { "+", 1 }, "a number has no +, and there is no arithmetic" },
	{ { ".", 1 }, "a number begins with a digit" },
	{ { ";", 1 }, "an expression has no ; in it" },
};

static struct token
bad_token(struct token t, size_t n, const char *why)
{
	t.kind = TOKEN_BAD;
	t.text.n = n;
	t.bad = why;
	return t;
}

/* '"' { character | "\" escape } '"' */
static struct token
string_token(struct token t)
{
	for (size_t i = 1; i < t.text.n; i++) {
		if (t.text.p[i] == '"') {
			t.kind = TOKEN_STRING;
			t.text.n = i + 1;
			return t;
		}
		if (t.text.p[i] == '\\')
			i++;
	}
	return bad_token(t, t.text.n, "this string is not closed by \"");
}

static size_t
digits(struct str s, size_t from)
{
	while (from < s.n && is_digit(s.p[from]))
		from++;
	return from;
}

/* The token of n bytes, unless more is written right behind it. */
static struct token
number_end(struct token t, size_t n)
{
	size_t more = n;

	while (more < t.text.n && is_word(t.text.p[more]))
		more++;
	if (more == n && n < t.text.n && t.text.p[n] == '-')
		return bad_token(t, n + 1,
		    "this is not a number; a trace id is no condition");
	if (more > n && t.text.p[n] == '.')
		return bad_token(t, more, "this is not a number");
	if (more > n)
		return bad_token(t, more,
		    "a number has no unit; times are in seconds");
	if (n > QUERY_NUMBER_MAX)
		return bad_token(t, n, "this number is too long");
	t.text.n = n;
	return t;
}

/* [ "-" ] digits [ "." digits ] [ "e" [ "+" | "-" ] digits ] */
static struct token
number_token(struct token t)
{
	struct str s = t.text;
	size_t from = s.p[0] == '-', n = digits(s, from), more;

	if (n == from)
		return bad_token(t, n, "this - has no digit behind it");
	if (n < s.n && s.p[n] == '.') {
		more = digits(s, n + 1);
		if (more == n + 1)
			return bad_token(t, more,
			    "this number lacks a digit "
			    "behind its point");
		n = more;
	}
	if (n < s.n && (s.p[n] == 'e' || s.p[n] == 'E')) {
		size_t at = n + 1;

		at += at < s.n && (s.p[at] == '+' || s.p[at] == '-');
		more = digits(s, at);
		if (more > at)
			n = more;
	}
	t.kind = TOKEN_NUMBER;
	return number_end(t, n);
}

static struct token
op_token(struct token t)
{
	static const struct {
		struct str text;
		enum query_op op;
	} ops[] = {
		{ { "!=", 2 }, OP_NE },
		{ { "<=", 2 }, OP_LE },
		{ { ">=", 2 }, OP_GE },
		{ { "<", 1 }, OP_LT },
		{ { ">", 1 }, OP_GT },
		{ { "=", 1 }, OP_EQ },
	};

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (!str_starts(t.text, ops[i].text))
			continue;
		t.kind = TOKEN_OP;
		t.op = ops[i].op;
		t.text.n = ops[i].text.n;
		break;
	}
	return t;
}

static struct token
other_token(struct token t)
{
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		if (str_starts(t.text, foreign[i].text))
			return bad_token(t, foreign[i].text.n, foreign[i].bad);
	t = op_token(t);
	if (t.kind == TOKEN_OP)
		return t;
	if (t.text.p[0] == '!') {
		t.kind = TOKEN_NOT;
		t.text.n = 1;
		return t;
	}
	if (str_find(STR("(){}[],:#"), t.text.p[0]) != SIZE_MAX) {
		t.kind = TOKEN_MARK;
		t.mark = t.text.p[0];
		t.text.n = 1;
		return t;
	}
	size_t n = utf8_length(t.text);

	return bad_token(t, n ? n : 1, "this character has no meaning here");
}

static struct token
word_token(struct token t)
{
	size_t n = 1;

	while (n < t.text.n && is_word(t.text.p[n]))
		n++;
	t.kind = TOKEN_WORD;
	t.text.n = n;
	return t;
}

struct token
lex_next(struct str text, size_t *pos)
{
	while (*pos < text.n && is_blank(text.p[*pos]))
		*pos += 1;
	struct token t = {
		.kind = TOKEN_END,
		.offset = *pos,
		.text = str_from(text, *pos),
	};

	if (t.text.n == 0)
		return t;
	char c = t.text.p[0];

	if (is_word_start(c))
		t = word_token(t);
	else if (c == '"')
		t = string_token(t);
	else if (is_digit(c) || c == '-')
		t = number_token(t);
	else
		t = other_token(t);
	*pos += t.text.n;
	return t;
}

static bool
hex4(struct str s, uint32_t *code)
{
	if (s.n < 4)
		return false;
	*code = 0;
	for (size_t i = 0; i < 4; i++) {
		char c = s.p[i];

		*code <<= 4;
		if (is_digit(c))
			*code |= (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			*code |= (uint32_t)(c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			*code |= (uint32_t)(c - 'A' + 10);
		else
			return false;
	}
	return true;
}

/* Behind "\u": one character, of one escape or a surrogate pair of two. */
static bool
unicode(struct str *s, struct buf *b, const char **why)
{
	uint32_t code, low;

	*why = "\\u takes four hexadecimal digits";
	if (!hex4(*s, &code))
		return false;
	*s = str_from(*s, 4);
	*why = "half of a surrogate pair is no character";
	if (code >= 0xdc00 && code <= 0xdfff)
		return false;
	if (code >= 0xd800 && code <= 0xdbff) {
		if (!str_starts(*s, STR("\\u")) ||
		    !hex4(str_from(*s, 2), &low) || low < 0xdc00 ||
		    low > 0xdfff)
			return false;
		*s = str_from(*s, 6);
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	}
	*why = "a string cannot hold the character 0";
	if (code == 0)
		return false;
	utf8_put(b, code);
	return true;
}

bool
lex_string(struct str token, struct buf *b, size_t *bad_at, const char **why)
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	struct str s = str_sub(token, 1, token.n - 2);

	while (s.n) {
		*bad_at = (size_t)(s.p - token.p);
		if (*s.p != '\\') {
			buf_char(b, *s.p);
			s = str_from(s, 1);
			continue;
		}
		char c = s.n > 1 ? s.p[1] : '\0';
		size_t which = str_find(STR(names), c);

		s = str_from(s, 2);
		if (c == 'u') {
			if (!unicode(&s, b, why))
				return false;
			continue;
		}
		*why =
		    "unknown escape; there are \\\" \\\\ \\/ \\b \\f \\n \\r "
		    "\\t \\uXXXX";
		if (which == SIZE_MAX)
			return false;
		buf_char(b, values[which]);
	}
	return true;
}

size_t
lex_json(struct str text, size_t pos)
{
	size_t depth = 0;
	bool quoted = false;

	for (; pos < text.n; pos++) {
		char c = text.p[pos];

		if (quoted) {
			if (c == '\\')
				pos++;
			else if (c == '"')
				quoted = false;
			continue;
		}
		quoted = c == '"';
		if (c == '[' || c == '{')
			depth++;
		if ((c == ']' || c == '}') && --depth == 0)
			return pos + 1;
	}
	return 0;
}
