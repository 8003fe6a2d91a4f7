/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes packed for keeping: raw deflate (RFC 1951), fast rather than small, by
 * ISA-L where it is present and else by zlib.  Both read what the other wrote.
 * What is packed is our own; what comes from outside is unpacked in ingest/.
 */
#ifndef CORE_PACK_H
#define CORE_PACK_H

#include "core/buf.h"
#include "core/str.h"

enum { PACK_MAX = 1 << 30 }; /* bytes at once */

/* What is kept between calls: 32 to 270 KiB. */
struct packer;

struct packer *packer_new(void);
void packer_free(struct packer *p); /* NULL is fine */

/* Appends the packed bytes, which depend on the bytes and the library alone. */
void pack(struct packer *p, struct buf *out, struct str bytes);

/* Likewise; 7 KiB and a window of 32. */
struct unpacker;

struct unpacker *unpacker_new(void);
void unpacker_free(struct unpacker *p); /* NULL is fine */

/*
 * Appends the `size` bytes that were packed.  -1, and nothing appended: the
 * packed bytes are damaged, or are of another size.
 */
int unpack(struct unpacker *p, struct buf *out, struct str packed, size_t size);

#endif
