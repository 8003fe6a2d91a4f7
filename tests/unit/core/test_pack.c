/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packing: what comes out is what went in, and damage is noticed.
 */
#include <criterion/criterion.h>

#include "core/pack.h"

static const struct {
	const char *name;
	size_t n;
	unsigned values; /* that a byte may have; 1: all are equal */
} rows[] = {
	{ "nothing", 0, 1 },
	{ "one byte", 1, 256 },
	{ "a run", 100000, 1 },
	{ "letters", 65536, 20 },
	{ "noise", 70000, 256 },
	{ "more than a window of noise", 1 << 20, 256 },
	{ "more than a window of letters", 1 << 20, 7 },
};

static void
fill(struct buf *b, size_t n, unsigned values)
{
	uint64_t seed = n + values;

	buf_reset(b);
	for (size_t i = 0; i < n; i++) {
		seed = seed * UINT64_C(6364136223846793005) + 1;
		buf_char(b, (char)((seed >> 40) % values));
	}
}

Test(pack, gives_back_what_it_was_given)
{
	struct packer *p = packer_new();
	struct unpacker *u = unpacker_new();
	struct buf bytes = { 0 }, packed = { 0 }, back = { 0 };

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		fill(&bytes, rows[i].n, rows[i].values);
		buf_reset(&packed);
		buf_reset(&back);
		buf_cat(&back, "in front");
		pack(p, &packed, buf_view(&bytes));
		cr_expect(packed.n <= bytes.n + bytes.n / 4096 + 64, "%s: %zu",
		    rows[i].name, packed.n);
		cr_expect(unpack(u, &back, buf_view(&packed), bytes.n) == 0,
		    "%s", rows[i].name);
		cr_expect(
		    str_eq(str_from(buf_view(&back), 8), buf_view(&bytes)),
		    "%s", rows[i].name);
	}
	packer_free(p);
	unpacker_free(u);
	buf_fini(&bytes);
	buf_fini(&packed);
	buf_fini(&back);
}

Test(pack, depends_on_the_bytes_alone)
{
	struct packer *p = packer_new();
	struct buf bytes = { 0 }, first = { 0 }, again = { 0 };

	fill(&bytes, 50000, 30);
	pack(p, &first, buf_view(&bytes));
	pack(p, &again, STR("something else between"));
	buf_reset(&again);
	pack(p, &again, buf_view(&bytes));
	cr_expect(str_eq(buf_view(&first), buf_view(&again)));
	packer_free(p);
	buf_fini(&bytes);
	buf_fini(&first);
	buf_fini(&again);
}

Test(pack, damage_is_noticed_and_nothing_appended)
{
	struct packer *p = packer_new();
	struct unpacker *u = unpacker_new();
	struct buf bytes = { 0 }, packed = { 0 }, back = { 0 };

	fill(&bytes, 5000, 10);
	pack(p, &packed, buf_view(&bytes));
	cr_expect(unpack(u, &back, buf_view(&packed), 4999) != 0);
	cr_expect(unpack(u, &back, buf_view(&packed), 5001) != 0);
	cr_expect(unpack(u, &back, str_sub(buf_view(&packed), 0, packed.n / 2),
		      5000) != 0);
	cr_expect(unpack(u, &back, STR("\x07\xff\xff\xff"), 4) != 0);
	cr_expect(unpack(u, &back, STR(""), 0) != 0);
	cr_expect(unpack(u, &back, buf_view(&packed), SIZE_MAX) != 0);
	cr_expect(back.n == 0);
	packer_free(p);
	unpacker_free(u);
	buf_fini(&bytes);
	buf_fini(&packed);
	buf_fini(&back);
}
