/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PCRE2, JIT-compiled, with limits: a match that needs more than the limit of
 * steps is no match, and is counted.  Patterns are compiled once at start;
 * a struct regex is used by one thread (it holds the match data).
 */
#ifndef CORE_REGEX_H
#define CORE_REGEX_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/str.h"

struct regex;

/* NULL with err: the text with the offset of what PCRE2 did not accept. */
struct regex *regex_new(struct str pattern, struct err *err);
void regex_free(struct regex *re);

/* Whether it matches; `limited`, when not NULL, tells that a limit ended it. */
bool regex_match(struct regex *re, struct str text, bool *limited);

/*
 * The groups of the last match, until the next one.  Views, as a pattern is
 * run for every line.
 */
struct regex_spans {
	const char *text;
	const size_t *at; /* of group k: from at[2 * k] to at[2 * k + 1] */
	size_t n;         /* groups from here on are not set */
};
struct regex_spans regex_spans(const struct regex *re);

/* Group k of them; p is NULL when it is not set. */
static inline struct str
regex_group(const struct regex_spans *s, size_t k)
{
	if (k >= s->n || s->at[2 * k] == SIZE_MAX)
		return (struct str){ NULL, 0 };
	return (struct str){ s->text + s->at[2 * k],
		s->at[2 * k + 1] - s->at[2 * k] };
}

/* The number of a named group, or -1. */
int regex_name(const struct regex *re, const char *name);

/* Appends "PCRE2 10.42, JIT": what matches in this process. */
void regex_library(struct buf *out);

#endif
