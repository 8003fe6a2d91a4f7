/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inflating with zlib: the meaning that inflate_isal.c has to meet.
 */
#include "ingest/inflate.h"

#include <limits.h>
#include <stdlib.h>

#define ZLIB_CONST
#include <zlib.h>

#include "core/mem.h"

struct inflater {
	z_stream z;
};

const char inflate_name[] = "zlib";

static voidpf
take(voidpf opaque, uInt n, uInt size)
{
	(void)opaque;
	return xcalloc(n, size);
}

static void
give(voidpf opaque, voidpf p)
{
	(void)opaque;
	free(p);
}

struct inflater *
inflate_new(void)
{
	struct inflater *z = xcalloc(1, sizeof(*z));

	z->z.zalloc = take;
	z->z.zfree = give;
	if (inflateInit2(&z->z, -MAX_WBITS) != Z_OK)
		abort();
	return z;
}

void
inflate_free(struct inflater *z)
{
	if (!z)
		return;
	inflateEnd(&z->z);
	free(z);
}

void
inflate_reset(struct inflater *z)
{
	inflateReset(&z->z);
}

static uInt
clamp(size_t n)
{
	return n > INT_MAX ? INT_MAX : (uInt)n;
}

enum inflate
inflate_step(struct inflater *z, struct inflate_io *io)
{
	uInt in_n = clamp(io->in_n), out_n = clamp(io->out_n);

	z->z.next_in = io->in;
	z->z.avail_in = in_n;
	z->z.next_out = io->out;
	z->z.avail_out = out_n;
	int r = inflate(&z->z, Z_SYNC_FLUSH);
	io->in += in_n - z->z.avail_in;
	io->in_n -= in_n - z->z.avail_in;
	io->out += out_n - z->z.avail_out;
	io->out_n -= out_n - z->z.avail_out;
	if (r == Z_STREAM_END)
		return INFLATE_END;
	if (r != Z_OK && r != Z_BUF_ERROR)
		return INFLATE_BAD;
	return z->z.avail_out == 0 ? INFLATE_OUTPUT : INFLATE_INPUT;
}

uint32_t
inflate_crc32(uint32_t crc, const uint8_t *p, size_t n)
{
	return (uint32_t)crc32_z(crc, p, n);
}

uint32_t
inflate_adler32(uint32_t adler, const uint8_t *p, size_t n)
{
	return (uint32_t)adler32_z(adler, p, n);
}
