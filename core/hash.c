/* SPDX-License-Identifier: Apache-2.0 */
/*
 * XXH3 by libxxhash.  Ids are base64url without padding (RFC 4648, section 5)
 * over the canonical, big-endian 16 bytes: 22 characters, the last of which
 * carries 2 bits.
 */
#include "core/hash.h"

#include <xxhash.h>

uint64_t
hash64(struct str s)
{
	return XXH3_64bits(s.p, s.n);
}

uint64_t
hash64_mix(uint64_t h, uint64_t more)
{
	/* Of splitmix64 (Steele, Lea, Flood, OOPSLA 2014). */
	h = (h ^ more) + UINT64_C(0x9E3779B97F4A7C15) + (h << 6);
	h = (h ^ (h >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	h = (h ^ (h >> 27)) * UINT64_C(0x94D049BB133111EB);
	return h ^ (h >> 31);
}

static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				"abcdefghijklmnopqrstuvwxyz0123456789-_";

void
hash_id(char out[HASH_ID_SIZE], const struct str *parts, int n)
{
	XXH3_state_t *state = XXH3_createState();
	XXH128_canonical_t c;
	uint32_t bits = 0;
	int have = 0;
	int o = 0;

	XXH3_128bits_reset(state);
	for (int i = 0; i < n; i++) {
		unsigned char len[8];

		for (int k = 0; k < 8; k++)
			len[k] = (unsigned char)((uint64_t)parts[i].n >>
						 (56 - 8 * k));
		XXH3_128bits_update(state, len, sizeof len);
		XXH3_128bits_update(state, parts[i].p, parts[i].n);
	}
	XXH128_canonicalFromHash(&c, XXH3_128bits_digest(state));
	XXH3_freeState(state);
	for (int i = 0; i < 16; i++) {
		bits = bits << 8 | c.digest[i];
		have += 8;
		while (have >= 6) {
			have -= 6;
			out[o++] = base64url[bits >> have & 63];
		}
	}
	out[o] = base64url[bits << (6 - have) & 63];
}
