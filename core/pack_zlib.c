/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zlib at its first level: the store is written far more often than read.
 */
#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define ZLIB_CONST
#include <zlib.h>

#include "core/mem.h"
#include "core/pack.h"

enum {
	LEVEL = 1,
	BITS = 15,
	MEMORY = 8,
	ROOM = 64 * 1024,
};

struct packer {
	z_stream deflate;
	bool begun;
};

struct packer *
packer_new(void)
{
	return xcalloc(1, sizeof(struct packer));
}

void
packer_free(struct packer *p)
{
	if (!p)
		return;
	if (p->begun)
		deflateEnd(&p->deflate);
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

void
pack(struct packer *p, struct buf *out, struct str bytes)
{
	z_stream *z = &p->deflate;
	int rc = Z_OK;

	if (p->begun)
		must(deflateReset(z));
	else
		must(deflateInit2(z, LEVEL, Z_DEFLATED, -BITS, MEMORY,
		    Z_DEFAULT_STRATEGY));
	p->begun = true;

	assert(bytes.n <= PACK_MAX);
	z->next_in = (const Bytef *)bytes.p;
	z->avail_in = (uInt)bytes.n;
	while (rc != Z_STREAM_END) {
		z->next_out = (Bytef *)buf_room(out, ROOM);
		z->avail_out = ROOM;
		rc = deflate(z, Z_FINISH);
		out->n += ROOM - z->avail_out;
	}
}
