/* SPDX-License-Identifier: Apache-2.0 */
/* A gzip member is its head, what pack wrote, and a trailer. */
#include <criterion/criterion.h>

#include "core/gzip.h"

enum { HEAD = 10, TAIL = 8 };

static void
check(struct str bytes, uint32_t crc)
{
	struct packer *p = packer_new();
	struct unpacker *u = unpacker_new();
	struct buf packed = { 0 };
	struct buf out = { 0 };
	const unsigned char *at;

	gzip_put(p, &packed, bytes);
	at = (const unsigned char *)packed.p;
	cr_assert_gt(packed.n, HEAD + TAIL);
	cr_expect(at[0] == 0x1f && at[1] == 0x8b && at[2] == 8 && at[3] == 0);
	cr_expect_eq(
	    unpack(u, &out,
		str_sub(buf_view(&packed), HEAD, packed.n - HEAD - TAIL),
		bytes.n),
	    0);
	cr_expect(str_eq(buf_view(&out), bytes));
	at += packed.n - TAIL;
	for (int i = 0; i < 4; i++) {
		cr_expect_eq(at[i], crc >> (8 * i) & 255);
		cr_expect_eq(at[4 + i], bytes.n >> (8 * i) & 255);
	}
	buf_fini(&packed);
	buf_fini(&out);
	unpacker_free(u);
	packer_free(p);
}

Test(gzip, a_member_is_deflate_between_its_head_and_trailer)
{
	/* CRC-32's check value, and that of nothing. */
	check(STR("123456789"), 0xCBF43926);
	check(STR(""), 0);
}
