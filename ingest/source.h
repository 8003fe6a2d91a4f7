/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of one input, inflated as often as needed.
 *
 * gzip (any number of members), zlib and gzip in gzip are recognised from
 * content.  ISA-L inflates where it is built in, zlib elsewhere; the bytes are
 * the same.  zstd, bzip2, xz, tar and others are refused with a word.  A stream
 * that breaks in the middle gives all bytes before the break; reading goes on
 * at the next gzip header, if one follows (ingest/unpack.h).  All of it is
 * independent of the size of blocks and of how the bytes arrive.
 *
 * A file is read as far as it went when it was found (input.h): what is
 * appended meanwhile is another run's, so that a second reading sees what the
 * first one saw.  One that became shorter, or another file, is an error.
 *
 * Memory: what is plain is read into the caller's memory.  A layer has 80 KiB
 * of packed bytes and its inflater (ISA-L 87 KiB, zlib 40 KiB).  Until the
 * first bytes are read, source_open's 68 KiB; and again as much for a layer
 * that is read in pieces of less than 68 KiB.
 */
#ifndef INGEST_SOURCE_H
#define INGEST_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/flow.h"
#include "core/limits.h"

struct input;
struct source;

/* What happened on the way, for the report of the input. */
struct source_notes {
	uint64_t bytes_packed; /* read from the file */
	uint64_t bytes;        /* given out */
	uint32_t members;      /* gzip members begun, outermost layer */
	uint32_t broken;       /* members that ended early or were corrupt */
	bool packed;           /* it was inflated: gzip or zlib */
	bool bomb;             /* stopped at the inflate limit */
	bool zero_tail;        /* padding after the last member, ignored */
	char what[160];        /* the first break in words; else empty */
};

/* NULL with err: cannot be opened or read, or a packing that is not built in.
 */
struct source *source_open(const struct input *input,
    const struct limits *limits, struct err *err);

/*
 * Up to cap bytes into p.  FLOW_OK with *n > 0, FLOW_END, or FLOW_FAIL when
 * reading fails (bad content is no failure: see the notes).  FLOW_IDLE when a
 * signal came while it waited: ask again, or stop.  When limits->stop is set,
 * the input ends wherever it is: an endless line can be interrupted.
 */
enum flow source_read(struct source *s, char *p, size_t cap, size_t *n,
    struct err *err);

const struct source_notes *source_notes(const struct source *s);

/*
 * After FLOW_END: the bytes end where a packed stream broke or was stopped, and
 * not where whoever wrote it ended: their last line may be half of one.
 */
bool source_cut(const struct source *s);
void source_close(struct source *s);

/* "isal" or "zlib": what inflates in this build. */
const char *source_inflater(void);

#endif
