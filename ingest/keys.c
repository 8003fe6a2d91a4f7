/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows of a set of keys, sorted by place and length.
 */
#include "ingest/keys.h"

#include <assert.h>

/* Eight bytes of s from `from` on, zeros where there are none. */
static uint64_t
word_at(struct str s, size_t from)
{
	char bytes[8] = { 0 };
	struct str part = str_sub(s, from, sizeof bytes);

	memcpy(bytes, part.p, part.n);
	return scan_load(bytes);
}

static void
rows_of(struct keys *k, const struct keys_name *names, size_t n, size_t place)
{
	for (size_t length = 0; length <= KEYS_LENGTH; length++) {
		k->begin[place][length] = (uint8_t)k->n;
		for (size_t i = 0; i < n; i++) {
			struct str s = str_of(names[i].name);

			if (names[i].place != place || s.n != length)
				continue;
			k->row[k->n++] = (struct keys_row){
				.first = word_at(s, 0),
				.middle = s.n > 16 ? word_at(s, 8) : 0,
				.last = s.n > 8 ? word_at(s, s.n - 8) : 0,
				.tag = i,
			};
		}
	}
	k->begin[place][KEYS_LENGTH + 1] = (uint8_t)k->n;
}

void
keys_init(struct keys *k, const struct keys_name *names, size_t n)
{
	assert(n <= KEYS_MAX);
	k->n = 0;
	for (size_t place = 0; place < KEYS_PLACES; place++)
		rows_of(k, names, n, place);
	assert(k->n == n);
}
