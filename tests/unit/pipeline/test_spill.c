/* SPDX-License-Identifier: Apache-2.0 */
/* Sorting on disk: order, completeness, several levels of runs, two readings.
 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "core/hash.h"
#include "pipeline/spill.h"

struct rec {
	struct spill_key key;
	uint64_t payload;
};

static struct rec
rec_of(uint64_t i)
{
	uint64_t h = hash64_mix(i, 7);

	return (struct rec){ { h >> 40, h }, i };
}

static struct spill *
fill(uint64_t from, uint64_t to, size_t budget)
{
	struct spill *s = spill_new(sizeof(struct rec), budget);
	struct err err;

	for (uint64_t i = from; i < to; i++) {
		struct rec r = rec_of(i);

		cr_assert_eq(spill_put(s, &r.key, &err), 0, "%s", err.text);
	}
	spill_seal(s);
	return s;
}

/* Reads all: in order, each payload once. */
static void
expect_all(struct spill *const *spills, size_t n, uint64_t total)
{
	struct err err;
	struct merge *m = merge_new(spills, n, &err);
	unsigned char *seen = calloc(total, 1);
	struct spill_key last = { 0, 0 };
	uint64_t count = 0;
	const void *k;

	cr_assert_not_null(m);
	for (k = merge_next(m); k; k = merge_next(m)) {
		const struct rec *r = k;

		cr_assert(r->key.hi > last.hi ||
			      (r->key.hi == last.hi && r->key.lo >= last.lo),
		    "out of order at %llu", (unsigned long long)count);
		last = r->key;
		cr_assert_lt(r->payload, total);
		cr_assert_eq(seen[r->payload], 0, "twice");
		seen[r->payload] = 1;
		count++;
	}
	cr_assert_eq(merge_failed(m, &err), 0);
	cr_assert_eq(count, total);
	merge_free(m);
	free(seen);
}

Test(spill, nothing_gives_nothing)
{
	struct spill *s = fill(0, 0, 4096);

	expect_all(&s, 1, 0);
	spill_free(s);
}

Test(spill, what_fits_is_sorted_in_memory)
{
	struct spill *s = fill(0, 1000, 1 << 20);

	expect_all(&s, 1, 1000);
	expect_all(&s, 1, 1000);
	spill_free(s);
}

Test(spill, runs_are_merged_over_several_levels)
{
	/* 16 records a run at least: 100000 make 6250 runs, three levels. */
	struct spill *s = fill(0, 100000, 1);

	expect_all(&s, 1, 100000);
	expect_all(&s, 1, 100000);
	spill_free(s);
}

Test(spill, several_spills_are_one_sequence)
{
	struct spill *s[4] = { fill(0, 5000, 1000), NULL, fill(5000, 5003, 1),
		fill(5003, 20000, 1 << 20) };

	expect_all(s, 4, 20000);
	for (int i = 0; i < 4; i++)
		spill_free(s[i]);
}

Test(spill, times_keep_their_order_when_negative)
{
	cr_assert_lt(spill_time(-1), spill_time(0));
	cr_assert_lt(spill_time(INT64_MIN), spill_time(INT64_MAX));
	cr_assert_eq(spill_time_of(spill_time(-5)), -5);
}
