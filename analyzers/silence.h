/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Probes that did not come: a target that was probed by the clock falls silent
 * while others go on being probed.
 *
 *	target   | | | | | | | | . . . . .      silence: slots without a probe
 *	sibling   | | | | | | | | | | | | |
 *
 * A target is a log stream.  What is fed are pulses: of a prober (stream, peer,
 * method and path) the seconds in which it asked, a bit each.  They are a set,
 * so that copies and parts of an archive, in any order, are the same pulses.
 *
 * A prober of six probes has a period, the mean of its gaps.  A silence is a
 * time in which nobody's probe came to a stream, and at least three slots of
 * one of its probers, where another stream of the same program, or of the same
 * prober, was probed before and after each slot.  What follows from that:
 * a gap that strikes all, an end of the archive, a service that nobody probes
 * regularly, or one alone, is no silence.
 *
 * A stream that ends is mostly replaced.  For each program, streams that begin
 * after its first ones, whatever is in them (a sign of life is enough), stand
 * against those that end: whoever ends after one
 * more has begun, or three minutes before, was replaced, or is one too many
 * (scaled in).  What has ended without that is silent until the next one
 * begins, fifteen minutes at most.
 *
 * Memory: 40 bytes a run of probes, 32 a stream, 64 Ki of each; 8 Ki times
 * 232 bytes; slots of what is silent.  What is beyond, by the streams' hashes,
 * is not judged.
 */
#ifndef ANALYZERS_SILENCE_H
#define ANALYZERS_SILENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PULSE_SECONDS = 512,
	PULSE_WORDS = PULSE_SECONDS / 64,
	SILENCE_PROBERS =
	    4,             /* of a silence are known; others are not counted */
	SILENCE_LEAST = 3, /* missing probes of one prober */
};

enum { PULSE_LIFE = 0 }; /* that there was something in the stream */

struct pulse {
	uint64_t stream;
	uint64_t peer; /* 0: the source names none */
	uint64_t asks; /* method and path; PULSE_LIFE: of no prober */
	int64_t block; /* seconds since 1970 / PULSE_SECONDS */
	uint32_t program;
	uint32_t input;
	uint64_t seconds[PULSE_WORDS]; /* of the block */
};

struct silence_prober {
	uint64_t peer, asks;
	uint64_t n; /* probes until then */
	int64_t last_s;
	int64_t period_ms;
};

/* A probe that is missing. */
struct silence_slot {
	int64_t ms; /* when it should have come */
	uint32_t prober;
};

struct silence {
	uint64_t stream;
	uint32_t program;
	uint32_t input; /* one with its last probes */
	int64_t last_s; /* the last probe of all */
	int64_t until_s;
	bool ended; /* nobody's probe came afterwards */
	struct silence_prober probers[SILENCE_PROBERS];
	uint32_t n_probers;
	struct silence_slot *slots; /* in order of time; owned */
	size_t n_slots;
	bool siblings;   /* others are of the same program; else of a prober */
	uint32_t others; /* streams that went on */
};

struct silences {
	struct silence *v; /* by program, last_s and stream */
	size_t n;
};

struct listener; /* streams being listened to */

/*
 * horizon_s, by input, outlives it: the last second of which the input would
 * tell if there were something in the stream; INT64_MIN: unknown.
 */
struct listener *listener_new(const int64_t *horizon_s);
void listener_free(struct listener *l);

/* By stream and block, equal ones in any order. */
void listener_feed(struct listener *l, const struct pulse *p);

/* After all are fed; the silences are the caller's. */
void listener_judge(struct listener *l, struct silences *out);
void silences_fini(struct silences *s);

#endif
