/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What went wrong with the environment, in words: a missing file, a full disk,
 * a bad option.  Bad data is no error; it is counted and kept.
 *
 * A struct err is the last parameter; a function that fails sets it and
 * returns -1, and the caller puts what it was doing before the text.
 */
#ifndef CORE_ERR_H
#define CORE_ERR_H

#include <stddef.h>

struct err {
	char text[512]; /* empty: no error; cut when longer */
};

/* Sets the text; always returns -1, for "return err_set(...)". */
int err_set(struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Puts words before the text; returns -1. */
int err_prefix(struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
