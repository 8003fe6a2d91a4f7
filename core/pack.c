/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zlib at its first level: the store is written far more often than read.  A
 * stream is made anew each time; nothing is kept between calls.
 */
#include "core/pack.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#define ZLIB_CONST
#include <zlib.h>

enum { LEVEL = 1, RAW_BITS = -15, MEMORY = 8 };

static void
die(const char *what)
{
	fprintf(stderr, "telltale: zlib: cannot %s: out of memory\n", what);
	abort();
}

/* zlib counts in unsigned int. */
static void
feed(z_stream *z, struct str *rest)
{
	size_t n = rest->n < INT_MAX ? rest->n : INT_MAX;

	z->next_in = (const Bytef *)rest->p;
	z->avail_in = (uInt)n;
	*rest = str_from(*rest, n);
}

void
pack(struct buf *out, struct str bytes)
{
	enum { ROOM = 64 * 1024 };
	z_stream z = { 0 };
	int rc = Z_OK;

	if (deflateInit2(&z, LEVEL, Z_DEFLATED, RAW_BITS, MEMORY,
		Z_DEFAULT_STRATEGY) != Z_OK)
		die("pack");
	while (rc != Z_STREAM_END) {
		if (z.avail_in == 0 && bytes.n > 0)
			feed(&z, &bytes);
		z.next_out = (Bytef *)buf_room(out, ROOM);
		z.avail_out = ROOM;
		rc = deflate(&z, bytes.n == 0 ? Z_FINISH : Z_NO_FLUSH);
		out->n += ROOM - z.avail_out;
	}
	deflateEnd(&z);
}

int
unpack(struct buf *out, struct str packed, size_t size)
{
	z_stream z = { 0 };
	size_t before = out->n;
	int rc = Z_OK;

	if (size > INT_MAX || packed.n > INT_MAX)
		return -1;
	if (inflateInit2(&z, RAW_BITS) != Z_OK)
		die("unpack");
	feed(&z, &packed);
	z.next_out = (Bytef *)buf_room(out, size + 1);
	z.avail_out = (uInt)size + 1;
	rc = inflate(&z, Z_FINISH);
	inflateEnd(&z);
	if (rc != Z_STREAM_END || z.total_out != size)
		return -1;
	out->n = before + size;
	return 0;
}
