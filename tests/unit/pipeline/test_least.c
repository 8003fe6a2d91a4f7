/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "core/hash.h"
#include "pipeline/least.h"

enum { MANY = 3 * LEAST_MAX };

static uint64_t
nth(uint64_t i)
{
	return hash64_mix(7, i % MANY);
}

Test(least, keeps_the_same_of_a_set_in_any_order)
{
	static struct least up, down;
	size_t below = 0;

	for (uint64_t i = 0; i < MANY; i++) {
		least_add(&up, nth(i));
		least_add(&down, nth(MANY - 1 - i));
		least_add(&down, nth(MANY - 1 - i));
	}
	cr_assert(up.beyond && down.beyond);
	cr_assert(up.n == LEAST_MAX && down.n == LEAST_MAX);
	for (size_t i = 0; i < LEAST_MAX; i++) {
		cr_assert(up.v[i] == down.v[i], "at %zu", i);
		cr_assert(i == 0 || up.v[i - 1] < up.v[i], "at %zu", i);
	}
	for (uint64_t i = 0; i < MANY; i++)
		below += nth(i) <= least_limit(&up);
	cr_assert(below == LEAST_MAX);
}

Test(least, has_no_limit_until_there_is_one_more)
{
	static struct least l;

	for (uint64_t i = 0; i < 2 * LEAST_MAX; i++)
		least_add(&l, nth(i % LEAST_MAX));
	cr_assert(l.n == LEAST_MAX && least_limit(&l) == UINT64_MAX);
	least_add(&l, UINT64_MAX - 1);
	cr_assert(l.beyond && least_limit(&l) < UINT64_MAX - 1);
}
