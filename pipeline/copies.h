/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tells the content of an input from that of others, where no path names
 * its stream: input->content, part of each event's identity (identity.h).
 *
 * It is a hash of the first 64 KiB, inflated: a copy is the same, however it is
 * packed and called.  An input that is all there is within 64 KiB, and with
 * which another begins, is an earlier state of that one (a log fetched twice,
 * or rotated by copying): it gets the content of the longest such.  Less than
 * 512 bytes prove nothing: tasks of one program begin with the same banner.
 *
 * Two programs may have written the same bytes all the same: those that only
 * answer one balancer's probes do.  Inputs count as one content only if they
 * lie in one folder, where they are copies under other names, or go by the
 * same readable name (names.h); what a pipe brings may be anything.  Of those
 * that are kept apart the first, by path, has the hash as it is, so that the
 * ids of its documents are those it has alone.
 */
#ifndef PIPELINE_COPIES_H
#define PIPELINE_COPIES_H

#include "core/limits.h"
#include "ingest/input.h"

/* Sets the content of every input that is read and has no stream; once.  What
 * cannot be opened is told from others by its path. */
void copies_find(struct inputs *in, const struct limits *limits);

#endif
