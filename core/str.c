/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Borrowed strings: comparing, searching, cutting, and the two kinds of number
 * that the data path reads.  No locale, no allocation.
 */
#include "core/str.h"

struct str
str_of(const char *cstr)
{
	return (struct str){ cstr, cstr ? strlen(cstr) : 0 };
}

bool
str_ends(struct str s, struct str suffix)
{
	return s.n >= suffix.n && str_eq(str_from(s, s.n - suffix.n), suffix);
}

static unsigned char
lower(char c)
{
	unsigned char u = (unsigned char)c;

	return u >= 'A' && u <= 'Z' ? (unsigned char)(u + 32) : u;
}

bool
str_eq_nocase(struct str a, struct str b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	return true;
}

int
str_cmp(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n ? memcmp(a.p, b.p, n) : 0;

	if (c != 0)
		return c;
	return a.n < b.n ? -1 : a.n > b.n;
}

size_t
str_find(struct str s, char c)
{
	const char *at = s.n ? memchr(s.p, c, s.n) : NULL;

	return at ? (size_t)(at - s.p) : SIZE_MAX;
}

size_t
str_find_last(struct str s, char c)
{
	const char *at = s.n ? memrchr(s.p, c, s.n) : NULL;

	return at ? (size_t)(at - s.p) : SIZE_MAX;
}

size_t
str_find_str(struct str s, struct str needle)
{
	const char *at;

	if (needle.n == 0)
		return 0;
	at = s.n ? memmem(s.p, s.n, needle.p, needle.n) : NULL;
	return at ? (size_t)(at - s.p) : SIZE_MAX;
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

struct str
str_trim(struct str s)
{
	while (s.n > 0 && is_space(s.p[s.n - 1]))
		s.n--;
	while (s.n > 0 && is_space(s.p[0])) {
		s.p++;
		s.n--;
	}
	return s;
}

bool
str_cut(struct str *rest, char sep, struct str *head)
{
	size_t at = str_find(*rest, sep);

	if (at == SIZE_MAX)
		return false;
	*head = str_sub(*rest, 0, at);
	*rest = str_from(*rest, at + 1);
	return true;
}

bool
str_glob(struct str s, struct str pattern)
{
	size_t at = 0;
	size_t p = 0;
	size_t star = SIZE_MAX; /* behind the last '*' */
	size_t from = 0;        /* what that one has eaten ends here */

	while (at < s.n) {
		if (p < pattern.n && pattern.p[p] == '*') {
			star = ++p;
			from = at;
		} else if (p < pattern.n &&
			   (pattern.p[p] == '?' || pattern.p[p] == s.p[at])) {
			p++;
			at++;
		} else if (star != SIZE_MAX) {
			p = star;
			at = ++from;
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.p[p] == '*')
		p++;
	return p == pattern.n;
}

/* Characters that are no wildcards; a name has more than any pattern. */
static size_t
exactness(struct str pattern)
{
	size_t n = 0;

	for (size_t i = 0; i < pattern.n; i++)
		n += pattern.p[i] != '*' && pattern.p[i] != '?';
	return n == pattern.n && n > 0 ? SIZE_MAX : n;
}

int
str_glob_cmp(struct str a, struct str b)
{
	size_t x = exactness(a);
	size_t y = exactness(b);

	/* "*" has no character either, and says more than nothing. */
	if (x == y && (a.n == 0) != (b.n == 0))
		return a.n == 0 ? 1 : -1;
	if (x == y)
		return str_cmp(a, b);
	return x > y ? -1 : 1;
}

struct str
str_head(struct str s, size_t most)
{
	if (s.n <= most)
		return s;
	while (most > 0 && ((unsigned char)s.p[most] & 0xc0) == 0x80)
		most--;
	return str_sub(s, 0, most);
}

bool
str_u64(struct str *rest, uint64_t *value)
{
	uint64_t v = 0;
	size_t i = 0;

	for (; i < rest->n && rest->p[i] >= '0' && rest->p[i] <= '9'; i++) {
		uint64_t digit = (uint64_t)(rest->p[i] - '0');

		if (v > (UINT64_MAX - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	if (i == 0)
		return false;
	*value = v;
	*rest = str_from(*rest, i);
	return true;
}

/* The digits behind a point, as nanoseconds; moves behind all of them. */
static int64_t
fraction_ns(struct str *rest)
{
	int64_t ns = 0;
	int64_t unit = 100000000;
	size_t i = 0;

	for (; i < rest->n && rest->p[i] >= '0' && rest->p[i] <= '9'; i++) {
		ns += unit * (rest->p[i] - '0');
		unit /= 10;
	}
	*rest = str_from(*rest, i);
	return ns;
}

bool
str_seconds_ns(struct str *rest, int64_t *ns)
{
	struct str s = *rest;
	bool minus = s.n > 0 && s.p[0] == '-';
	uint64_t whole;
	int64_t v;

	if (minus)
		s = str_from(s, 1);
	if (!str_u64(&s, &whole) || whole > INT64_MAX / 1000000000 - 1)
		return false;
	v = (int64_t)whole * 1000000000;
	if (s.n > 1 && s.p[0] == '.' && s.p[1] >= '0' && s.p[1] <= '9') {
		s = str_from(s, 1);
		v += fraction_ns(&s);
	}
	*ns = minus ? -v : v;
	*rest = s;
	return true;
}
