/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes packed for keeping: raw deflate, fast rather than small.  What is
 * packed is our own; what comes from outside is unpacked in ingest/.
 */
#ifndef CORE_PACK_H
#define CORE_PACK_H

#include "core/buf.h"
#include "core/str.h"

/* What is kept between calls: zlib's 270 KiB. */
struct packer;

struct packer *packer_new(void);
void packer_free(struct packer *p); /* NULL is fine */

/* Appends the packed bytes, which depend on the bytes alone. */
void pack(struct packer *p, struct buf *out, struct str bytes);

/*
 * Appends the `size` bytes that were packed.  -1, and nothing appended: the
 * packed bytes are damaged, or are of another size.
 */
int unpack(struct packer *p, struct buf *out, struct str packed, size_t size);

#endif
