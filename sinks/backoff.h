/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long to wait before something is tried again: anything up to a bound
 * that doubles, so that many who were turned away do not come back together
 * ("full jitter",
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 */
#ifndef SINKS_BACKOFF_H
#define SINKS_BACKOFF_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Zeroed: no attempt has failed, and the dice are to be cast. */
struct backoff {
	uint64_t dice;
};

/*
 * In ms, after so many attempts that failed before: up to 100 ms, doubling to
 * 30 s, and not less than what the server asks for (seconds; 0 or less:
 * nothing).
 */
int64_t backoff_ms(struct backoff *b, unsigned tries, int64_t asked_s);

/* Sleeps, or returns early when *stop is set; NULL: never. */
void backoff_sleep(int64_t ms, const _Atomic bool *stop);

/* A clock that only goes forward. */
int64_t backoff_clock_ms(void);

#endif
