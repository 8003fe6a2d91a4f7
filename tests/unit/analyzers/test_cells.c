/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cells: adding is commutative and associative, also at the limits of a count,
 * so that any order of reading gives the same cells.
 */
#include "analyzers/cells.h"

#include <criterion/criterion.h>
#include <string.h>

#include "judge_help.h"

static struct cell
random_cell(uint64_t *seed)
{
	struct cell c = { .n = (uint32_t)random_next(seed),
		.timed = (uint32_t)random_next(seed) >> 4,
		.slow = 3,
		.status = { 1, 2, (uint32_t)random_next(seed), 4, 5, 6 },
		.not_found = 4,
		.probes = 2,
		.probes_bad = 1,
		.sum_us = random_next(seed) };

	for (int i = 0; i < EXAMPLES; i++) {
		c.example[i].line = random_next(seed) % 3;
		if (c.example[i].line > 0)
			c.example[i].input = (uint32_t)random_next(seed) % 2;
	}
	return c;
}

/* Also where counts saturate. */
Test(cells, adding_is_the_same_in_any_order)
{
	uint64_t seed = 5;

	for (int round = 0; round < 200; round++) {
		struct cell a = random_cell(&seed);
		struct cell b = random_cell(&seed);
		struct cell c = random_cell(&seed);
		struct cell ab = a, bc = b, left, right = c;

		cell_add(&ab, &b);
		left = ab;
		cell_add(&left, &c);
		cell_add(&bc, &c);
		cell_add(&right, &b);
		cell_add(&right, &a);
		cell_add(&a, &bc);
		cr_assert_eq(memcmp(&left, &a, sizeof(a)), 0);
		cr_assert_eq(memcmp(&left, &right, sizeof(a)), 0);
	}
}

Test(cells, time_is_floored_also_before_1970)
{
	cr_expect_eq(cell_of(0), 0);
	cr_expect_eq(cell_of(CELL_NS - 1), 0);
	cr_expect_eq(cell_of(CELL_NS), 1);
	cr_expect_eq(cell_of(-1), -1);
	cr_expect_eq(cell_of(-CELL_NS), -1);
	cr_expect_eq(cell_of(-CELL_NS - 1), -2);
	cr_expect_eq(cell_of(INT64_MIN), INT64_C(-922337204));
}

Test(cells, keys_are_ordered_by_time_first)
{
	struct cell_key keys[] = {
		{ .cell = -3, .origin = 9 },
		{ .cell = 1, .origin = 1, .method = 2, .route = 9 },
		{ .cell = 1, .origin = 1, .method = 3, .route = 1 },
		{ .cell = 1, .origin = 1, .method = 3, .route = 2 },
		{ .cell = 1, .origin = 2 },
		{ .cell = 2 },
	};

	for (size_t i = 0; i < 6; i++)
		for (size_t k = 0; k < 6; k++) {
			int c = cell_key_cmp(&keys[i], &keys[k]);

			cr_expect_eq((c > 0) - (c < 0), (i > k) - (i < k));
		}
}

Test(cells, example_is_the_first_in_place_order)
{
	struct example none = { 0 };
	struct example late = { .line = 9, .input = 0 };
	struct example far = { .line = 1, .input = 1 };
	struct example e = none;

	example_min(&e, &far);
	cr_expect_eq(e.input, 1);
	example_min(&e, &late);
	cr_expect_eq(e.line, 9);
	example_min(&e, &none);
	cr_expect_eq(e.line, 9);
}

Test(cells, classes_have_names)
{
	cr_expect_str_eq(class_name(CLASS_CLIENT), "client");
	cr_expect_str_eq(class_name(CLASS_PROBE), "probe");
	cr_expect_str_eq(class_name(CLASS_PROBABLE_PROBE), "probable-probe");
}
