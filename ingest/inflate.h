/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One raw deflate stream (RFC 1951), inflated in steps.
 *
 * Two files define these functions, inflate_zlib.c and inflate_isal.c, and a
 * build has exactly one of them.  They give the same bytes and the same
 * verdicts, whatever the stream: every literal and match that is complete and
 * stands before the first invalid one, as zlib does it.  Framing, checksums
 * and limits are the caller's (unpack.c).
 */
#ifndef INGEST_INFLATE_H
#define INGEST_INFLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	/* The largest block header is 289 bytes; fewer than this many bytes of
	   input may be left unread until there are more of them. */
	INFLATE_IN_MIN = 512,
	/* The least room for output that a step takes: what ISA-L may hold
	   back within itself. */
	INFLATE_OUT_MIN = 68 << 10,
	/* A stream's end may be found this many bytes before `in`. */
	INFLATE_REWIND = 8,
};

enum inflate {
	INFLATE_INPUT,  /* more input is needed; with `last`: ended early */
	INFLATE_OUTPUT, /* more room for output is needed */
	INFLATE_END,    /* the stream's end; `in` is behind it */
	INFLATE_BAD,    /* invalid from here on */
};

/* What is to be read and where it goes; a step advances both. */
struct inflate_io {
	const uint8_t *in;
	size_t in_n;
	uint8_t *out;
	size_t out_n;
	bool last; /* no input follows */
};

struct inflater;

struct inflater *inflate_new(void);
void inflate_free(struct inflater *z);

/* Back to the start of a stream, without taking memory. */
void inflate_reset(struct inflater *z);

/*
 * Inflates as far as input and output go.  Input that is left must be given
 * again in front of what follows.  After INFLATE_END, INFLATE_BAD, or
 * INFLATE_INPUT with `last`, only a reset is allowed.
 */
enum inflate inflate_step(struct inflater *z, struct inflate_io *io);

/* The checksums of gzip and zlib; they start with 0 and with 1. */
uint32_t inflate_crc32(uint32_t crc, const uint8_t *p, size_t n);
uint32_t inflate_adler32(uint32_t adler, const uint8_t *p, size_t n);

extern const char inflate_name[];

#endif
