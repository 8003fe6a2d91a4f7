/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zlib at its first level: the store is written far more often than read.
 */
#include "core/pack.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define ZLIB_CONST
#include <zlib.h>

#include "core/mem.h"

enum {
	LEVEL = 1,
	BITS = 15,
	MEMORY = 8,
	ROOM = 64 * 1024,
};

struct packer {
	z_stream deflate;
	bool deflating;
	z_stream inflate;
	bool inflating;
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
	if (p->deflating)
		deflateEnd(&p->deflate);
	if (p->inflating)
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
pack(struct packer *p, struct buf *out, struct str bytes)
{
	z_stream *z = &p->deflate;
	int rc = Z_OK;

	if (p->deflating)
		must(deflateReset(z));
	else
		must(deflateInit2(z, LEVEL, Z_DEFLATED, -BITS, MEMORY,
		    Z_DEFAULT_STRATEGY));
	p->deflating = true;

	z->avail_in = 0;
	while (rc != Z_STREAM_END) {
		if (z->avail_in == 0 && bytes.n > 0)
			feed(z, &bytes);
		z->next_out = (Bytef *)buf_room(out, ROOM);
		z->avail_out = ROOM;
		rc = deflate(z, bytes.n == 0 ? Z_FINISH : Z_NO_FLUSH);
		out->n += ROOM - z->avail_out;
	}
}

int
unpack(struct packer *p, struct buf *out, struct str packed, size_t size)
{
	z_stream *z = &p->inflate;
	int rc;

	if (size >= INT_MAX || packed.n > INT_MAX)
		return -1;
	if (p->inflating)
		must(inflateReset(z));
	else
		must(inflateInit2(z, -BITS));
	p->inflating = true;
	feed(z, &packed);
	z->next_out = (Bytef *)buf_room(out, size + 1);
	z->avail_out = (uInt)size + 1;
	rc = inflate(z, Z_FINISH);
	if (rc != Z_STREAM_END || z->total_out != size)
		return -1;
	out->n += size;
	return 0;
}
