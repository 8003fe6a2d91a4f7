/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batch memory, and the memory below it.
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/mem.h"

Test(arena, pieces_are_aligned_and_do_not_overlap)
{
	static const size_t sizes[] = { 1, 3, 16, 17, 4096, 65536, 70000, 1,
		1048576, 5 };
	enum { N = sizeof sizes / sizeof *sizes };
	struct arena a = { 0 };
	unsigned char *p[N];

	for (size_t i = 0; i < N; i++) {
		p[i] = arena_alloc(&a, sizes[i]);
		cr_assert_eq((uintptr_t)p[i] % alignof(max_align_t), 0);
		memset(p[i], (int)i + 1, sizes[i]);
	}
	for (size_t i = 0; i < N; i++)
		for (size_t k = 0; k < sizes[i]; k++)
			cr_assert_eq(p[i][k], i + 1);
	arena_fini(&a);
}

Test(arena, dup_outlives_its_original)
{
	struct arena a = { 0 };
	char text[] = "a\0b";
	struct str copy = arena_dup(&a, (struct str){ text, 3 });

	memset(text, 'x', sizeof text);
	cr_assert(str_eq(copy, STR("a\0b")));
	cr_assert_eq(arena_dup(&a, (struct str){ NULL, 0 }).n, 0);
	arena_fini(&a);
}

Test(arena, reset_uses_the_same_memory_again)
{
	struct arena a = { 0 };
	void *first = arena_alloc(&a, 100);

	for (int i = 0; i < 100; i++) {
		arena_reset(&a);
		cr_assert_eq(a.used, 0);
		cr_assert_eq(arena_alloc(&a, 100), first);
	}
	arena_fini(&a);
	cr_assert_null(a.chunks);
	arena_reset(&a);
	arena_fini(&a);
}

Test(arena, reset_gives_a_huge_piece_back)
{
	struct arena a = { 0 };

	memset(arena_alloc(&a, 8 << 20), 1, 8 << 20);
	arena_reset(&a);
	cr_assert_null(a.chunks);
	arena_fini(&a);
}

Test(arena, a_size_that_wraps_ends_the_program, .signal = SIGABRT)
{
	struct arena a = { 0 };

	arena_alloc(&a, SIZE_MAX - 3);
}

Test(mem, more_than_there_is_ends_the_program, .exit_code = 71)
{
	volatile size_t n = SIZE_MAX / 32;

	xcalloc(n, 16);
}

Test(mem, a_product_that_wraps_ends_the_program, .exit_code = 71)
{
	volatile size_t n = SIZE_MAX / 8;

	xrealloc(NULL, n, 16);
}

Test(mem, grow_doubles_and_keeps_what_is_there)
{
	size_t cap = 0;
	int *v = NULL;
	int grown = 0;

	for (int i = 0; i < 100000; i++) {
		size_t before = cap;

		v = xgrow(v, (size_t)i + 1, &cap, sizeof *v);
		grown += cap != before;
		cr_assert_geq(cap, (size_t)i + 1);
		v[i] = i;
	}
	for (int i = 0; i < 100000; i++)
		cr_assert_eq(v[i], i);
	cr_assert_lt(grown, 20);
	free(v);
}

Test(mem, zeroed_and_nothing_of_nothing)
{
	unsigned char *p = xcalloc(1000, 1);

	for (int i = 0; i < 1000; i++)
		cr_assert_eq(p[i], 0);
	free(p);
	free(xcalloc(0, 8));
}
