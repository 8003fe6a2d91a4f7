/* SPDX-License-Identifier: Apache-2.0 */
/* See the header. */
#include "sinks/backoff.h"

#include <time.h>
#include <unistd.h>

#include "core/hash.h"

enum {
	PAUSE_MS = 100,
	PAUSE_MOST_MS = 30 * 1000,
	SLICE_MS = 100, /* a stop is seen so soon */
};

int64_t
backoff_clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t
backoff_ms(struct backoff *b, unsigned tries, int64_t asked_s)
{
	int64_t most = PAUSE_MS;

	for (unsigned i = 0; i < tries && most < PAUSE_MOST_MS; i++)
		most *= 2;
	if (most > PAUSE_MOST_MS)
		most = PAUSE_MOST_MS;
	if (b->dice == 0)
		b->dice = hash64_mix((uint64_t)backoff_clock_ms(),
		    (uint64_t)getpid());
	b->dice = hash64_mix(b->dice, tries);
	most = (int64_t)(b->dice % (uint64_t)most);
	return asked_s > 0 && most < asked_s * 1000 ? asked_s * 1000 : most;
}

void
backoff_sleep(int64_t ms, const _Atomic bool *stop)
{
	const int64_t end = backoff_clock_ms() + ms;

	for (int64_t left = ms; left > 0 && !(stop && *stop);
	     left = end - backoff_clock_ms()) {
		int64_t slice = left < SLICE_MS ? left : SLICE_MS;
		struct timespec t = { 0, slice * 1000000 };

		nanosleep(&t, NULL);
	}
}
