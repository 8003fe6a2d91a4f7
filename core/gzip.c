/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ten bytes of head, deflate, CRC-32 and size.
 */
#include "core/gzip.h"

#define ZLIB_CONST
#include <zlib.h>

/* A trailer's numbers: the low byte first. */
static void
put_u32(struct buf *out, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		buf_char(out, (char)(v >> (8 * i)));
}

void
gzip_put(struct packer *p, struct buf *out, struct str bytes)
{
	/* Deflate, no flags, no time, fastest, Unix. */
	static const char head[10] = { 31, (char)139, 8, 0, 0, 0, 0, 0, 4, 3 };
	uLong crc = crc32(0, NULL, 0);

	buf_put(out, head, sizeof head);
	pack(p, out, bytes);
	if (bytes.n > 0)
		crc = crc32(crc, (const Bytef *)bytes.p, (uInt)bytes.n);
	put_u32(out, (uint32_t)crc);
	put_u32(out, (uint32_t)bytes.n);
}
