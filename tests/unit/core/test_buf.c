/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Growing text: what is in it, that it grows by half and not by one, and that
 * numbers are printed as printf prints them.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>

#include "core/buf.h"

/* n is within cap, and memory is there when there is content. */
static void
check(const struct buf *b)
{
	cr_assert_leq(b->n, b->cap);
	cr_assert((b->cap == 0) == (b->p == NULL));
}

Test(buf, zeroed_is_empty_and_usable)
{
	struct buf b = { 0 };

	cr_assert_eq(buf_view(&b).n, 0);
	buf_put(&b, NULL, 0);
	buf_str(&b, (struct str){ NULL, 0 });
	buf_cat(&b, "");
	cr_assert_eq(b.n, 0);
	check(&b);
	buf_fini(&b);
}

Test(buf, keeps_all_bytes_in_order)
{
	struct buf b = { 0 };

	buf_cat(&b, "a");
	check(&b);
	buf_put(&b, "\0b", 2);
	check(&b);
	buf_str(&b, STR("cd"));
	buf_char(&b, '\n');
	check(&b);
	cr_assert(str_eq(buf_view(&b), STR("a\0bcd\n")));
	cr_assert_eq(buf_cstr(&b)[b.n], '\0');
	cr_assert_eq(b.n, 6);
	check(&b);
	buf_reset(&b);
	cr_assert_eq(b.n, 0);
	cr_assert_str_eq(buf_cstr(&b), "");
	check(&b);
	buf_fini(&b);
	check(&b);
}

Test(buf, grows_a_few_times_for_a_million_bytes)
{
	struct buf b = { 0 };
	size_t cap = 0;
	int grown = 0;

	for (int i = 0; i < 1000000; i++) {
		buf_char(&b, (char)('a' + i % 26));
		if (b.cap != cap)
			grown++;
		cap = b.cap;
	}
	check(&b);
	cr_assert_lt(grown, 30);
	for (int i = 0; i < 1000000; i++)
		cr_assert_eq(b.p[i], 'a' + i % 26);
	buf_fini(&b);
}

Test(buf, room_is_writable_to_its_last_byte)
{
	static const size_t sizes[] = { 1, 63, 64, 65, 100000 };
	struct buf b = { 0 };

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		size_t before = b.n;

		memset(buf_room(&b, sizes[i]), 'x', sizes[i]);
		cr_assert_eq(b.n, before);
		cr_assert_geq(b.cap - b.n, sizes[i]);
		b.n += sizes[i];
		check(&b);
	}
	buf_fini(&b);
}

Test(buf, numbers_are_those_of_printf)
{
	static const int64_t numbers[] = { 0, 1, -1, 9, 10, -10, 99, 100,
		INT64_C(1795244520247919600), INT64_MAX, INT64_MIN };
	char want[64];

	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		struct buf b = { 0 };

		buf_i64(&b, numbers[i]);
		snprintf(want, sizeof want, "%" PRId64, numbers[i]);
		cr_assert_str_eq(buf_cstr(&b), want);
		buf_reset(&b);
		buf_u64(&b, (uint64_t)numbers[i]);
		snprintf(want, sizeof want, "%" PRIu64, (uint64_t)numbers[i]);
		cr_assert_str_eq(buf_cstr(&b), want);
		buf_fini(&b);
	}
}

Test(buf, printf_appends_text_of_any_length)
{
	struct buf b = { 0 };

	buf_cat(&b, "> ");
	buf_printf(&b, "%s-%d", "a", 5);
	cr_assert_str_eq(buf_cstr(&b), "> a-5");
	buf_printf(&b, "%s", "");
	cr_assert_eq(b.n, 5);
	buf_printf(&b, "%05000d", 7);
	cr_assert_eq(b.n, 5005);
	cr_assert_eq(b.p[5004], '7');
	check(&b);
	buf_fini(&b);
}
