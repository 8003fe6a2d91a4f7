/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The other half of pack.h, by zlib whatever packed it.
 */
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define ZLIB_CONST
#include <zlib.h>

#include "core/mem.h"
#include "core/pack.h"

enum { BITS = 15 };

struct unpacker {
	z_stream inflate;
	bool begun;
};

struct unpacker *
unpacker_new(void)
{
	return xcalloc(1, sizeof(struct unpacker));
}

void
unpacker_free(struct unpacker *p)
{
	if (!p)
		return;
	if (p->begun)
		inflateEnd(&p->inflate);
	free(p);
}

static void
must(int rc)
{
	if (rc == Z_OK)
		return;
	fprintf(stderr, "telltale: zlib: out of memory\n");
	abort();
}

int
unpack(struct unpacker *p, struct buf *out, struct str packed, size_t size)
{
	z_stream *z = &p->inflate;
	int rc;

	if (size > PACK_MAX || packed.n > INT_MAX)
		return -1;
	must(p->begun ? inflateReset(z) : inflateInit2(z, -BITS));
	p->begun = true;
	z->next_in = (const Bytef *)packed.p;
	z->avail_in = (uInt)packed.n;
	z->next_out = (Bytef *)buf_room(out, size + 1);
	z->avail_out = (uInt)size + 1;
	rc = inflate(z, Z_FINISH);
	if (rc != Z_STREAM_END || z->total_out != size)
		return -1;
	out->n += size;
	return 0;
}
