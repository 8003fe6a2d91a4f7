/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A borrowed string: pointer and length, any bytes, no NUL at the end.
 *
 * The data path knows only this.  A str never owns what it points to; it dies
 * with the buffer, arena or literal it was cut from.  An empty str may have a
 * NULL pointer, and every function here accepts that.
 *
 * Cursor functions (str_cut, str_number, ...) take the address of the rest of
 * a text, and move it only when they succeed.
 */
#ifndef CORE_STR_H
#define CORE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
	const char *p;
	size_t n;
};

/* A str of a literal, and the two arguments of "%.*s". */
#define STR(literal) ((struct str){ literal, sizeof(literal) - 1 })
#define STR_ARG(s) (int)(s).n, (s).p

/* A str of a C string; NULL gives the empty str. */
struct str str_of(const char *cstr);

static inline bool
str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool
str_starts(struct str s, struct str prefix)
{
	return s.n >= prefix.n &&
	       (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

bool str_ends(struct str s, struct str suffix);

/* Like str_eq, the letters A to Z and a to z being equal. */
bool str_eq_nocase(struct str a, struct str b);

/* Bytewise order, a prefix first: <0, 0, >0. */
int str_cmp(struct str a, struct str b);

/* From `from`, at most `n` bytes; both are cut to what there is. */
static inline struct str
str_sub(struct str s, size_t from, size_t n)
{
	if (from > s.n)
		from = s.n;
	if (n > s.n - from)
		n = s.n - from;
	return (struct str){ s.n ? s.p + from : s.p, n };
}

/* All from `from` on. */
static inline struct str
str_from(struct str s, size_t from)
{
	return str_sub(s, from, SIZE_MAX);
}

/* The place of the first `c`, or of the first `needle`; SIZE_MAX: nowhere. */
size_t str_find(struct str s, char c);
size_t str_find_last(struct str s, char c);
size_t str_find_str(struct str s, struct str needle);

/* Without blanks, tabs and line ends at both ends. */
struct str str_trim(struct str s);

/*
 * Cuts the text before the first `sep` off *rest into *head, and moves *rest
 * behind the separator.  Without one: false, and nothing is changed.
 */
bool str_cut(struct str *rest, char sep, struct str *head);

/*
 * Whether all of s is what the pattern says: '*' is any run of bytes, '?' one
 * byte, anything else itself.  Time is at most s.n times pattern.n.
 */
bool str_glob(struct str s, struct str pattern);

/*
 * Which of two patterns says more: less than 0, the first.  One without
 * wildcards, then the one of more other characters, then the one that sorts
 * first; the empty one, as it stands for none, is last.
 */
int str_glob_cmp(struct str a, struct str b);

/* At most `most` bytes of its head, and no part of a UTF-8 character. */
struct str str_head(struct str s, size_t most);

/*
 * A decimal number without sign at the head of *rest.  False when there is no
 * digit or it does not fit; *rest is moved behind the last digit otherwise.
 */
bool str_u64(struct str *rest, uint64_t *value);

/*
 * A decimal number of seconds ("0.0241", "12", "-1") at the head of *rest, as
 * nanoseconds, without going through floating point.  Digits behind the ninth
 * are dropped.  False when it does not fit into 64 bits.
 */
bool str_seconds_ns(struct str *rest, int64_t *ns);

#endif
