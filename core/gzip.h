/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files for others: what is packed, as a gzip member (RFC 1952).  Members one
 * behind the other are a file.
 */
#ifndef CORE_GZIP_H
#define CORE_GZIP_H

#include "core/pack.h"

/* Appends a whole member, without name and time. */
void gzip_put(struct packer *p, struct buf *out, struct str bytes);

#endif
