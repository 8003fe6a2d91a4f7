/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The nearest word, for "did you mean", and the list of words to type.
 *
 * Distance: insertions, deletions, substitutions and swaps of neighbours
 * (optimal string alignment), the letters' case not counting.  First come the
 * words at a distance of one or two, then those that begin like it, as in
 * http.status_code, then those within a third of their length; of equals the
 * first in the table.
 */
#include "query/fields.h"
#include "query/query.h"

enum {
	WORD_MAX = 48,
	FAR = 1000, /* the distance of what is not near */
};

/* The keywords are added from the table; these are the rest of the words. */
static const struct query_word operators[] = {
	{ "AND", "", "both; may be left out between two conditions" },
	{ "OR", "", "one of two, or both; binds less tightly than AND" },
	{ "NOT", "", "not the condition behind it; the same as !" },
	{ "CONTAINS", "", "the text contains the string" },
	{ "BEGINSWITH", "", "the text begins with the string" },
	{ "ENDSWITH", "", "the text ends with the string" },
	{ "true", "", "value of a boolean" },
	{ "false", "", "value of a boolean" },
	{ "id", "(", "a node by name:, type: and account.id:" },
};

enum { OPERATORS = sizeof(operators) / sizeof(operators[0]) };

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

static int
farness(struct str word, struct str candidate)
{
	size_t shorter = word.n < candidate.n ? word.n : candidate.n;

	if (word.n > WORD_MAX || candidate.n > WORD_MAX)
		return FAR;
	int d = distance(word, candidate);

	if (d <= (int)(candidate.n + 1) / 3 && d <= 2 && d < (int)shorter)
		return d;
	if (shorter >= 4 && str_eq_nocase(str_sub(word, 0, shorter),
				str_sub(candidate, 0, shorter)))
		return FAR / 2 - (int)shorter;
	return d <= (int)(candidate.n + 1) / 3 && d < (int)shorter ? FAR / 2 + d
								   : FAR;
}

static const char *
behind(enum query_type type)
{
	if (type == QUERY_SERVICE || type == QUERY_EDGE)
		return "(";
	return type == QUERY_ANNOTATION ? "." : "";
}

bool
query_word(size_t i, struct query_word *word)
{
	size_t n = 0;

	while (query_fields[n].name && n < i)
		n++;
	const struct query_field *f = &query_fields[n];

	if (f->name) {
		*word =
		    (struct query_word){ f->name, behind(f->type), f->help };
		return true;
	}
	if (i - n >= OPERATORS)
		return false;
	*word = operators[i - n];
	return true;
}

const char *
query_suggest(struct str text)
{
	struct query_word word;
	const char *nearest = NULL;
	int best = FAR;

	for (size_t i = 0; query_word(i, &word); i++) {
		int d = farness(text, str_of(word.text));

		if (d < best) {
			best = d;
			nearest = word.text;
		}
	}
	return nearest;
}
