/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents sorted roughly, by six bits of what their trace is known by: 64
 * partitions, each a list of chunks of memory, and beyond a budget of extents
 * in one unlinked file.  What fits into the budget never touches the disk.
 *
 * A trace is known by the hash of its id and the id, 192 bits; level k of the
 * sort looks at the bits from 6k on, so that a partition that is too large is
 * sorted again at the next level, and traces come out in the order of those
 * bits whatever the budget was.
 *
 * Written by one thread, sealed, then read any number of times.  Inside
 * pipeline/traces*.c only.
 */
#ifndef PIPELINE_TRACES_PARTS_H
#define PIPELINE_TRACES_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/str.h"

enum {
	PARTS_BITS = 6,
	PARTS = 1 << PARTS_BITS,
	PARTS_LEVELS = 32, /* the bits are used up */
};

/* Where a document's text is when it is not with its head. */
struct part_away {
	uint64_t offset; /* in the input, which is a plain file */
	uint64_t hash;   /* of the text */
	uint32_t input;
	uint32_t spare;
};

/* In front of a document's id, text and marks, or id and where the text is, in
 * a chunk. */
struct part_head {
	uint64_t hash; /* of trace */
	uint8_t trace[16];
	int64_t ts_ns;
	uint32_t n; /* of the text */
	uint8_t id_n;
	bool complete;
	bool wanted;      /* its trace is to be assembled */
	bool away;        /* the text is a struct part_away; no marks */
	uint16_t marks_n; /* bytes */
	uint8_t spare[6];
};

struct part_texts {
	struct str id;
	struct str text;  /* of one that is away, its struct part_away */
	struct str marks; /* for span_read */
};

struct parts;

struct parts *parts_new(size_t budget_bytes, unsigned level);
void parts_free(struct parts *p); /* NULL is fine */

/* Copies a document; the head says how long the texts are.  -1: the disk is
 * full, in words. */
int parts_put(struct parts *p, const struct part_head *head,
    const struct part_texts *texts, struct err *err);

/* The same with the bytes of one that parts_take gave. */
int parts_put_raw(struct parts *p, struct str raw, struct err *err);

/* No more comes.  When anything is on disk, all goes there. */
int parts_seal(struct parts *p, struct err *err);

/* Of all its documents, with the texts that are away. */
size_t parts_bytes(const struct parts *p, unsigned part);
bool parts_spilled(const struct parts *p);
/* Whether all documents of the partition are of this one trace. */
bool parts_only(const struct parts *p, unsigned part, const uint8_t trace[16]);
/* The first document's trace; NULL: the partition is empty. */
const uint8_t *parts_first(const struct parts *p, unsigned part);

/*
 * One chunk of a partition after the other, in the order of writing; *at is 0
 * before the first and belongs to the function then.  Of what is on disk the
 * bytes are put behind those in *room; of what is in memory *chunk is where it
 * is.  1, 0 at the end, -1 with err.
 */
int parts_chunk(const struct parts *p, unsigned part, size_t *at,
    struct buf *room, struct str *chunk, struct err *err);

/* Gives a partition's memory back. */
void parts_drop(struct parts *p, unsigned part);

/* Cuts one document off a chunk; false: it is used up. */
bool parts_take(struct str *chunk, struct str *raw);

/* The parts of a document's bytes. */
struct part_head parts_head(struct str raw);
struct str parts_id(struct str raw);
struct str parts_text(struct str raw); /* of one not away */
struct str parts_marks(struct str raw);
struct part_away parts_away(struct str raw); /* of one that is */

#endif
