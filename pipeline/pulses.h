/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When streams of logs were probed, for who looks for probes that are missing
 * (analyzers/silence.h): a bit a second.
 *
 * What the scan knows to be a probe is noted there; what the clock has decided
 * is noted then, by the run.  Pieces of one pulse are handed out as often as
 * they must; they are sets, so that it does not matter how often.  Of one
 * thread.
 */
#ifndef PIPELINE_PULSES_H
#define PIPELINE_PULSES_H

#include <stdint.h>

#include "analyzers/silence.h"
#include "core/err.h"
#include "core/hash.h"
#include "core/when.h"
#include "pipeline/spill.h"

/* On its way through a sort by stream and time. */
struct pulse_record {
	struct spill_key key; /* hi: stream; lo: block, as spill_time */
	uint64_t peer, asks;
	uint32_t origin; /* tally number and index */
	uint32_t input;
	uint64_t seconds[PULSE_WORDS];
};

enum { PULSES_OPEN = 256 };
struct pulses {
	struct pulse_record *open; /* by hash; seconds all 0: unused */
	struct spill *spill;
};

/* Who asked whom. */
struct pulse_of {
	uint64_t stream; /* pulses_stream */
	uint64_t peer, asks;
	uint32_t origin;
	uint32_t input;
};

/* Streams of one name in two log groups are two: by the origin's hash. */
static inline uint64_t
pulses_stream(uint64_t stream, uint64_t origin)
{
	return hash64_mix(stream, origin);
}

/* The second that a request began in, also before 1970. */
static inline int64_t
pulses_second(int64_t begin_ns)
{
	return begin_ns / NS_PER_SEC - (begin_ns % NS_PER_SEC < 0);
}

void pulses_init(struct pulses *p, size_t bytes);
void pulses_fini(struct pulses *p);
/* -1: the disk is full. */
int pulses_add(struct pulses *p, const struct pulse_of *of, int64_t begin_ns,
    struct err *err);
int pulses_seal(struct pulses *p, struct err *err);

#endif
