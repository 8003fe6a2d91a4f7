/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Error texts are cut, never overrun, and always end.
 */
#include <criterion/criterion.h>

#include "core/err.h"

Test(err, set_and_prefix_read_as_one_sentence)
{
	struct err e = { 0 };

	cr_assert_eq(err_set(&e, "no such file %d", 7), -1);
	cr_assert_eq(err_prefix(&e, "%s: ", "a.gz"), -1);
	cr_assert_eq(err_prefix(&e, "reading "), -1);
	cr_assert_str_eq(e.text, "reading a.gz: no such file 7");
	err_set(&e, "again");
	cr_assert_str_eq(e.text, "again");
}

Test(err, long_texts_are_cut)
{
	struct err e = { 0 };

	err_set(&e, "%0600d", 1);
	cr_assert_eq(strlen(e.text), sizeof e.text - 1);
	err_set(&e, "the reason");
	err_prefix(&e, "%0505d", 1);
	cr_assert_eq(strlen(e.text), sizeof e.text - 1);
	cr_assert_str_eq(e.text + 505, "the re");
	err_prefix(&e, "%0600d", 2);
	cr_assert_eq(strlen(e.text), sizeof e.text - 1);
}
