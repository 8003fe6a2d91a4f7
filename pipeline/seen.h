/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often a hash was met lately: a set of two generations, each of a fixed
 * size, the older one forgotten when the younger is full.  What is met again
 * within SEEN_MAX different hashes is always known; memory is fixed; the
 * answers depend on the sequence asked for only.
 */
#ifndef PIPELINE_SEEN_H
#define PIPELINE_SEEN_H

#include <stdbool.h>
#include <stdint.h>

enum { SEEN_MAX = 8192, SEEN_SLOTS = 2 * SEEN_MAX };

struct seen_slot {
	uint64_t hash; /* 0: free */
	uint32_t count;
};

struct seen {
	struct seen_slot *young, *old; /* NULL until first used */
	uint32_t n;                    /* in young */
};

/* How often the hash was asked for before, as far as is remembered. */
uint32_t seen_again(struct seen *s, uint64_t hash);
/* Whether it was, nothing being remembered. */
bool seen_has(const struct seen *s, uint64_t hash);
void seen_reset(struct seen *s);
void seen_fini(struct seen *s);

#endif
