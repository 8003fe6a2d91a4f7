/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One layer of packing: gzip members in a row, or one zlib stream.
 *
 * Bytes are pushed in (unpack_room, unpack_fed) and pulled out (unpack_read).
 * A member that is damaged gives what is readable before the damage; then the
 * next member is searched for: a gzip header whose data can be inflated.  The
 * search begins at most 16 KiB before the place where the damage showed, since
 * a damaged member may have swallowed the head of the one behind it.  Zeros
 * behind the last member are padding.  What came out wrong is put down in the
 * notes, which may be shared by layers.
 *
 * Memory: 80 KiB of packed bytes and the state of one inflater; 68 KiB more
 * when it is read in smaller pieces than that.
 */
#ifndef INGEST_UNPACK_H
#define INGEST_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/flow.h"

struct source_notes;
struct unpack;

enum unpack_kind {
	UNPACK_GZIP,
	UNPACK_ZLIB,
};

/* The outermost layer is 0; only its members are counted in the notes. */
struct unpack *unpack_new(enum unpack_kind kind, int layer,
    struct source_notes *notes);
void unpack_free(struct unpack *u);

/* Where further input goes: at least one byte; then how many came, 0: no more.
 */
char *unpack_room(struct unpack *u, size_t *n);
void unpack_fed(struct unpack *u, size_t n);

/* FLOW_OK with *n > 0, FLOW_IDLE when it is to be fed first, or FLOW_END. */
enum flow unpack_read(struct unpack *u, char *p, size_t cap, size_t *n);

/* Packed bytes that are done with. */
uint64_t unpack_position(const struct unpack *u);

/* After FLOW_END: the bytes ended before their end. */
bool unpack_cut(const struct unpack *u);

#endif
