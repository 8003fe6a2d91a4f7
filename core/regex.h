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
 * Of the last match: groups by their numbers, into `out`, both of n; unset
 * groups are empty, p NULL.
 */
void regex_groups(const struct regex *re, const int *numbers, size_t n,
    struct str *out);
/* The number of a named group, or -1. */
int regex_name(const struct regex *re, const char *name);

/* Appends "PCRE2 10.42, JIT": what matches in this process. */
void regex_library(struct buf *out);

#endif
