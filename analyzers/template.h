/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log templates: "Took 31 ms" and "Took 9 ms" are "Took <n> ms".
 *
 * Two steps.  Masking looks at one message: numbers, addresses, ids, times,
 * paths become <n>, <ip>, <id>, <time>, <path>.  Settling looks at the set of
 * masked texts and finds the words that vary between texts of one kind; they
 * become <*> (template.c says how).
 *
 * The templates depend on the set of messages only, not on their order, on
 * how often each came, or on how they were divided.  What is beyond the bounds
 * is chosen by hash, is template 0, "other", and is counted.
 *
 * Life: new, add all, settle once, then ask.
 */
#ifndef ANALYZERS_TEMPLATE_H
#define ANALYZERS_TEMPLATE_H

#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/str.h"

enum {
	TEMPLATE_OTHER = 0,
	TEMPLATES_MAX = 4096,    /* templates, "other" with them */
	TEMPLATE_MASKED = 16384, /* different masked texts */
	TEMPLATE_BYTES = 512,    /* of a message; what is behind is not read */
	TEMPLATE_WORDS = 64,     /* likewise */
};

struct templates;

struct templates *templates_new(void);
void templates_free(struct templates *t);

/* The key of the message's masked text, by which templates_of knows it. */
uint64_t templates_add(struct templates *t, struct str message);

/* Finds the templates; nothing can be added after it. */
void templates_settle(struct templates *t);

/* How many there are; all numbers are below.  At least 1, for "other". */
uint32_t templates_count(const struct templates *t);

/* The template of a key that templates_add gave. */
uint32_t templates_of(const struct templates *t, uint64_t key);

/* The text, and of its messages the one that sorts first; borrowed. */
struct str templates_text(const struct templates *t, uint32_t number);
struct str templates_example(const struct templates *t, uint32_t number);

/* Messages, each time it came, whose text was beyond a bound. */
uint64_t templates_left_out(const struct templates *t);

/* Appends the masked text of a message, words separated by one blank. */
void template_mask(struct buf *out, struct str message);

#endif
