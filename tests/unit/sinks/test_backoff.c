/* SPDX-License-Identifier: Apache-2.0 */
/* Pauses are anything up to a bound that doubles, and as long as asked for. */
#include "sinks/backoff.h"

#include <criterion/criterion.h>

Test(backoff, is_anything_up_to_a_bound_that_doubles)
{
	for (unsigned tries = 0; tries < 80; tries++) {
		struct backoff b = { .dice = 1 };
		int64_t bound = 30000, most = 0, least = INT64_MAX;

		if (tries < 9 && (100 << tries) < bound)
			bound = 100 << tries;
		for (int i = 0; i < 400; i++) {
			int64_t ms = backoff_ms(&b, tries, -1);

			cr_assert(ms >= 0 && ms < bound);
			most = ms > most ? ms : most;
			least = ms < least ? ms : least;
		}
		cr_expect(most > bound * 9 / 10 && least < bound / 10,
		    "%u: %lld to %lld", tries, (long long)least,
		    (long long)most);
	}
}

Test(backoff, is_no_shorter_than_asked_for)
{
	struct backoff b = { 0 };

	cr_expect_eq(backoff_ms(&b, 0, 7), 7000);
	cr_expect_lt(backoff_ms(&b, 0, 0), 100);
	cr_expect_neq(b.dice, 0);
}

Test(backoff, does_not_sleep_when_stopped)
{
	const _Atomic bool stop = true;
	int64_t before = backoff_clock_ms();

	backoff_sleep(1000 * 1000, &stop);
	cr_expect_lt(backoff_clock_ms() - before, 1000 * 1000);
	backoff_sleep(0, NULL);
}
