/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hashes are for ever: documents' ids are made of them.  The values here are
 * those of the reference implementation (xxhsum 0.8, python-xxhash).
 */
#include <criterion/criterion.h>

#include "core/hash.h"

static void
check_id(const struct str *parts, int n, const char *want)
{
	char id[HASH_ID_SIZE + 1] = { 0 };

	hash_id(id, parts, n);
	cr_assert_str_eq(id, want);
}

Test(hash, is_xxh3)
{
	cr_assert_eq(hash64(STR("")), UINT64_C(0x2d06800538d394c2));
	cr_assert_eq(hash64((struct str){ NULL, 0 }), hash64(STR("")));
	cr_assert_eq(hash64(STR("abc")), UINT64_C(0x78af5f94892f3950));
}

Test(hash, mix_depends_on_order_and_on_every_bit)
{
	uint64_t h = hash64(STR("a"));

	cr_assert_neq(hash64_mix(hash64_mix(h, 1), 2),
	    hash64_mix(hash64_mix(h, 2), 1));
	for (int bit = 0; bit < 64; bit++) {
		uint64_t d =
		    hash64_mix(h, 0) ^ hash64_mix(h, UINT64_C(1) << bit);
		int changed = __builtin_popcountll(d);

		cr_assert(changed > 12 && changed < 52, "bit %d: %d", bit,
		    changed);
	}
}

Test(hash, ids_are_fixed_for_ever)
{
	check_id(NULL, 0, "maoG0wFHmNhgAcMkRo1Jfw");
	check_id((struct str[]){ STR("") }, 1, "LAqKmdwUfVRFw7SdA1Zlsg");
	check_id((struct str[]){ STR("a"), STR("bc") }, 2,
	    "dxykE3H7_kSJJLQUs28caw");
}

Test(hash, ids_tell_where_one_part_ends)
{
	struct str a[] = { STR("ab"), STR("c") };
	struct str b[] = { STR("a"), STR("bc") };
	struct str c[] = { STR("abc"), STR("") };
	char ids[3][HASH_ID_SIZE];

	hash_id(ids[0], a, 2);
	hash_id(ids[1], b, 2);
	hash_id(ids[2], c, 2);
	cr_assert_neq(memcmp(ids[0], ids[1], HASH_ID_SIZE), 0);
	cr_assert_neq(memcmp(ids[0], ids[2], HASH_ID_SIZE), 0);
	cr_assert_neq(memcmp(ids[1], ids[2], HASH_ID_SIZE), 0);
}

Test(hash, ids_are_22_characters_of_base64url)
{
	for (int i = 0; i < 1000; i++) {
		char n[4] = { (char)i, (char)(i >> 8), 0, 0 };
		struct str part = { n, 4 };
		char id[HASH_ID_SIZE + 1];

		id[HASH_ID_SIZE] = '#';
		hash_id(id, &part, 1);
		cr_assert_eq(id[HASH_ID_SIZE], '#');
		id[HASH_ID_SIZE] = '\0';
		cr_assert_eq(strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijkl"
					"mnopqrstuvwxyz0123456789-_"),
		    HASH_ID_SIZE);
		/* 128 bits: of the last character only two are free. */
		cr_assert_not_null(strchr("AQgw", id[HASH_ID_SIZE - 1]));
	}
}
