/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The nearest word, for "did you mean", and the list of words to type.
 *
 * Distance: insertions, deletions, substitutions and swaps of neighbours
 * (optimal string alignment), the letters' case not counting.  A word within a
 * third of its length is near; so is one that begins with the other, as in
 * http.status_code.  The nearest wins, of equals the first in the table.
 */
#include "query/fields.h"
#include "query/query.h"

enum { WORD_MAX = 48 };

/* The keywords are added from the table; these are the rest of the words. */
static const struct query_word operators[] = {
	{ "AND", "both; may be left out between two conditions" },
	{ "OR", "one of two, or both; binds less tightly than AND" },
	{ "NOT", "not the condition behind it; the same as !" },
	{ "CONTAINS", "the text contains the string" },
	{ "BEGINSWITH", "the text begins with the string" },
	{ "ENDSWITH", "the text ends with the string" },
	{ "true", "value of a boolean" },
	{ "false", "value of a boolean" },
	{ "id",
	    "id(name: \"…\", type: \"…\", account.id: \"…\") names a node" },
};

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static int
least(int a, int b)
{
	return a < b ? a : b;
}

/* Both at most WORD_MAX long. */
static int
distance(struct str a, struct str b)
{
	int rows[3][WORD_MAX + 1] = { 0 };
	int *before = rows[0], *above = rows[1], *row = rows[2];

	for (size_t k = 0; k <= b.n; k++)
		row[k] = (int)k;
	for (size_t i = 1; i <= a.n; i++) {
		int *free_row = before;

		before = above;
		above = row;
		row = free_row;
		row[0] = (int)i;
		for (size_t k = 1; k <= b.n; k++) {
			char x = lower(a.p[i - 1]), y = lower(b.p[k - 1]);

			row[k] = least(above[k - 1] + (x != y),
			    least(above[k], row[k - 1]) + 1);
			if (i > 1 && k > 1 && x == lower(b.p[k - 2]) &&
			    y == lower(a.p[i - 2]))
				row[k] = least(row[k], before[k - 2] + 1);
		}
	}
	return row[b.n];
}

/* INT_MAX-like for what is not near. */
static int
farness(struct str word, struct str candidate)
{
	enum { FAR = 1000 };
	size_t shorter = word.n < candidate.n ? word.n : candidate.n;

	if (word.n > WORD_MAX || candidate.n > WORD_MAX)
		return FAR;
	int d = distance(word, candidate);

	if (d <= (int)(candidate.n + 2) / 3 && d < (int)shorter)
		return d;
	if (shorter >= 4 && str_eq_nocase(str_sub(word, 0, shorter),
				str_sub(candidate, 0, shorter)))
		return FAR / 2 - (int)shorter;
	return FAR;
}

const char *
query_suggest(struct str word)
{
	const char *nearest = NULL;
	int best = 1000;

	for (const struct query_field *f = query_fields; f->name; f++) {
		int d = farness(word, str_of(f->name));

		if (d < best) {
			best = d;
			nearest = f->name;
		}
	}
	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
		int d = farness(word, str_of(operators[i].text));

		if (d < best) {
			best = d;
			nearest = operators[i].text;
		}
	}
	return nearest;
}
