/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two ways to make marks against each other and against a look at every
 * byte, on texts that end where their memory does.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/marks.h"

static uint64_t
next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static bool
bit(const uint64_t *v, size_t i)
{
	return v[i / 64] >> i % 64 & 1;
}

/* Whether the marks are those of the text, looked at byte by byte. */
static bool
right(const struct marks *m, const char *p, size_t n)
{
	size_t quotes = 0;
	bool odd = false;

	for (size_t i = 0; i < m->words * 64 + 64; i++) {
		char c = i < n ? p[i] : 'x';

		if (bit(m->quote, i) != (c == '"') ||
		    bit(m->blank, i) != (c == ' ') ||
		    bit(m->query, i) != (c == '?' || c == '#'))
			return false;
		quotes += c == '"';
		odd |= c == '\\' || (unsigned char)c < 0x20;
	}
	return m->words == n / 64 + 1 && m->quotes == quotes && m->odd == odd;
}

static void
fill(char *p, size_t n, uint64_t *state)
{
	static const char bytes[] = "\" ?#ab09.\\\x1f\x20\x80\xff!\x21";
	bool tame = next(state) % 2;

	for (size_t i = 0; i < n; i++) {
		uint64_t r = next(state);

		p[i] = r % 3 ? bytes[r >> 8 & 15] : (char)(r >> 16);
		if (tame && (p[i] == '\\' || (unsigned char)p[i] < 0x20))
			p[i] = 'x';
	}
}

static void
check(marks_fn *find, const char *name)
{
	uint64_t state = 0x9e3779b97f4a7c15;

	for (size_t n = MARKS_MIN; n <= MARKS_MAX; n++) {
		for (int k = 0; k < 8; k++) {
			char *p = malloc(n);
			struct marks m;

			cr_assert(p);
			memset(&m, 0xff, sizeof m);
			fill(p, n, &state);
			find(p, n, &m);
			cr_assert(right(&m, p, n), "%s: %zu bytes", name, n);
			free(p);
		}
	}
}

Test(marks, of_plain_c_are_right)
{
	check(marks_swar, "plain C");
}

Test(marks, of_this_processor_are_right)
{
	check(marks_fastest(), "fastest");
}

Test(marks, are_found_from_any_place)
{
	char text[300];
	struct marks m;

	for (size_t at = 0; at < sizeof text; at++) {
		memset(text, 'x', sizeof text);
		text[at] = '"';
		marks_fastest()(text, sizeof text, &m);
		for (size_t from = 0; from <= sizeof text; from++)
			cr_assert(marks_from(&m, m.quote, from) ==
				      (from <= at ? at : SIZE_MAX),
			    "%zu from %zu", at, from);
	}
}
