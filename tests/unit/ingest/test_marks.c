/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ways to make marks against a look at every byte, on texts that end where
 * their memory does.
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
	size_t n_at = 0;
	bool strange = false;

	for (size_t i = 0; i < n / 64 * 64 + 128; i++) {
		unsigned char c = i < n ? (unsigned char)p[i] : 'x';
		bool odd = c == '\\' || (c < 0x20 && c != '\n');

		if (bit(m->query, i) != (c == '?' || c == '#') ||
		    bit(m->odd, i) != odd)
			return false;
		if ((c == '"' || c == '\n') && m->at[n_at++] != i)
			return false;
		strange |= odd;
	}
	for (size_t i = 0; i < 8; i++)
		if (m->at[n_at + i] != n)
			return false;
	return m->p == p && m->n == n && m->n_at == n_at &&
	       m->strange == strange;
}

static void
fill(char *p, size_t n, uint64_t *state)
{
	static const char bytes[] = "\" ?#ab09\n\\\x1f\x20\x80\xff!\x21";
	bool tame = next(state) % 2;

	for (size_t i = 0; i < n; i++) {
		uint64_t r = next(state);

		p[i] = r % 3 ? bytes[r >> 8 & 15] : (char)(r >> 16);
		if (tame && (p[i] == '\\' || (unsigned char)p[i] < 0x20))
			p[i] = 'x';
	}
}

static void
check_one(marks_fn *mark, size_t n, struct marks *m, uint64_t *state)
{
	char *p = malloc(n ? n : 1);

	cr_assert(p);
	memset(m, 0xff, sizeof *m);
	fill(p, n, state);
	mark(m, p, n);
	cr_assert(right(m, p, n), "%zu bytes", n);
	free(p);
}

static void
check(marks_fn *mark)
{
	static const size_t sizes[] = { 4095, 4096, 16319, 16321,
		MARKS_BYTES - 1, MARKS_BYTES };
	uint64_t state = 0x9e3779b97f4a7c15;
	struct marks m;

	for (size_t n = 0; n < 400; n++)
		for (int k = 0; k < 4; k++)
			check_one(mark, n, &m, &state);
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
		check_one(mark, sizes[i], &m, &state);
}

Test(marks, of_all_ways_are_right)
{
	marks_fn *ways[MARKS_WAYS];
	size_t n = marks_ways(ways);

	cr_assert(n > 0 && ways[0] == marks_fastest());
	cr_assert(ways[n - 1] == marks_swar);
	for (size_t i = 0; i < n; i++)
		check(ways[i]);
}

Test(marks, of_nothing_but_quotes_are_right)
{
	static char text[MARKS_BYTES];
	struct marks m;

	memset(text, '"', sizeof text);
	marks_fastest()(&m, text, sizeof text);
	cr_assert(right(&m, text, sizeof text));
}

Test(marks, are_found_from_any_place)
{
	char text[300];
	struct marks m;

	for (size_t at = 0; at < sizeof text; at++) {
		memset(text, 'x', sizeof text);
		text[at] = '?';
		marks_fastest()(&m, text, sizeof text);
		for (size_t from = 0; from <= sizeof text; from++) {
			size_t found = marks_from(m.query, from, sizeof text);

			cr_assert(found == (from <= at ? at : sizeof text),
			    "%zu from %zu", at, from);
		}
	}
}

Test(marks, of_a_line_end_at_its_line_end)
{
	static const char text[] = "a \"b\" c\nd\n\"";
	struct marks m;

	marks_fastest()(&m, text, sizeof text - 1);
	cr_assert(marks_line(&m, 0) == 2);
	cr_assert(marks_line(&m, 2) == 2);
	cr_assert(marks_line(&m, 3) == 3);
	cr_assert(marks_line(&m, 4) == m.n_at);
}
