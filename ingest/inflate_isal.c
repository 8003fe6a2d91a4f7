/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inflating with ISA-L, some 2.5 times as fast as zlib.
 *
 * ISA-L differs from zlib where a stream is damaged: it accepts incomplete
 * codes, and its loop drops literals and matches that stand right before an
 * invalid symbol or before the end of a cut input.  Both are mended here, so
 * that a file reads the same whichever library was there at build time:
 *
 * - The referee (deflate.c) reads every block's header first.  To have ISA-L
 *   stop in front of each, the bit that marks a stream's last block is set in
 *   all of them; the window and the left bits are then carried over.
 * - Before each call the state is noted: the window, the bits read ahead.  When
 *   ISA-L reports an error, or the input ends early, the call's output is
 *   dropped and the referee does it again, and goes on to the stream's end.
 *
 * The referee also reads blocks of a few bytes, as a writer leaves them who
 * flushes after each line: there ISA-L would move a window a block.  When the
 * blocks grow, it hands back.
 *
 * The public members of struct inflate_state are written for this: read_in and
 * read_in_length (bits read ahead), and read: type0_block_len, block_state and
 * tmp_out_* (the window, then what did not fit into the output).
 */
#include "ingest/inflate.h"

#include <stdlib.h>
#include <string.h>

#include <isa-l.h>

#include "core/mem.h"
#include "ingest/deflate.h"

enum {
	PENDING_MAX = 1024,
	STEP_MAX = 1 << 30,
	TINY = 512, /* bytes of a block */
	TINY_RUN = 4,
	SMALL = 2048, /* with less input ISA-L makes its tables faster */
};

struct inflater {
	struct inflate_state s;
	struct deflate_block block; /* the one s is in */
	bool at_block;              /* s is in front of a header */
	struct deflate *exact;      /* NULL, or who has taken over */
	bool exact_on;
	unsigned tiny; /* blocks in a row that were tiny */
	size_t read;   /* bytes of this stream */
	bool small;    /* the stream before was small, so this one may be */
};

/* What a call of isal_inflate may destroy. */
struct before {
	uint8_t bytes[DEFLATE_WINDOW + PENDING_MAX]; /* window, then pending */
	size_t n;
	size_t pending;
	uint64_t hold;
	unsigned bits;
	enum isal_block_state state;
	uint32_t stored;
	struct inflate_io io;
};

const char inflate_name[] = "isal";

struct inflater *
inflate_new(void)
{
	struct inflater *z = xcalloc(1, sizeof(*z));

	isal_inflate_init(&z->s);
	z->at_block = true;
	return z;
}

void
inflate_free(struct inflater *z)
{
	if (!z)
		return;
	free(z->exact);
	free(z);
}

void
inflate_reset(struct inflater *z)
{
	isal_inflate_reset(&z->s);
	z->at_block = true;
	z->exact_on = false;
	z->tiny = 0;
	z->small = z->read > 0 && z->read <= SMALL;
	z->read = 0;
}

/* The bits read ahead; above read_in_length ISA-L leaves some of the next. */
static uint64_t
held_bits(const struct inflate_state *s)
{
	if (s->read_in_length <= 0)
		return 0;
	if (s->read_in_length >= 64)
		return s->read_in;
	return s->read_in & ((UINT64_C(1) << s->read_in_length) - 1);
}

/* Checks the header that comes, and makes its block the last one for ISA-L. */
static enum deflate_verdict
block_begin(struct inflater *z, struct inflate_io *io)
{
	struct deflate_bits bits = {
		.p = io->in,
		.end = io->in + io->in_n,
		.hold = held_bits(&z->s),
		.n = (unsigned)z->s.read_in_length,
	};
	enum deflate_verdict v = deflate_block_read(&z->block, &bits);

	if (v != DEFLATE_OK)
		return v;
	if (z->s.read_in_length == 0) {
		z->s.read_in = *io->in++;
		z->s.read_in_length = 8;
		io->in_n--;
	}
	z->s.read_in |= 1;
	z->at_block = false;
	return DEFLATE_OK;
}

static void
note(const struct inflater *z, const struct inflate_io *io, struct before *b)
{
	const struct inflate_state *s = &z->s;
	size_t valid = (size_t)s->tmp_out_valid;
	size_t pending = valid - (size_t)s->tmp_out_processed;
	size_t n = valid < sizeof(b->bytes) ? valid : sizeof(b->bytes);

	memcpy(b->bytes, s->tmp_out_buffer + (valid - n), n);
	b->n = n;
	b->pending = pending;
	b->hold = held_bits(s);
	b->bits = (unsigned)s->read_in_length;
	if (s->block_state == ISAL_BLOCK_NEW_HDR && !z->block.final)
		b->hold &= ~UINT64_C(1);
	b->state = s->block_state;
	b->stored = s->block_state == ISAL_BLOCK_TYPE0
			? (uint32_t)s->type0_block_len
			: 0;
	b->io = *io;
}

static struct deflate *
exact_begin(struct inflater *z)
{
	if (!z->exact)
		z->exact = xcalloc(1, sizeof(*z->exact));
	z->exact_on = true;
	deflate_init(z->exact);
	z->exact->pause = true;
	return z->exact;
}

/* The referee goes on from what was noted. */
static void
take_over(struct inflater *z, const struct before *b, struct inflate_io *io)
{
	struct deflate *d = exact_begin(z);

	deflate_history(d, b->bytes, b->n, b->pending);
	d->hold = b->hold;
	d->n = b->bits;
	if (b->state == ISAL_BLOCK_TYPE0 || b->state == ISAL_BLOCK_CODED)
		deflate_enter(d, &z->block, b->stored);
	else if (b->state == ISAL_BLOCK_INPUT_DONE && z->block.final)
		d->at = DEFLATE_AT_END;
	*io = b->io;
}

/* The referee takes the next block, since the last ones were tiny. */
static void
hand_over(struct inflater *z)
{
	const struct inflate_state *s = &z->s;
	struct deflate *d = exact_begin(z);

	deflate_history(d, s->tmp_out_buffer, (size_t)s->tmp_out_valid, 0);
	d->hold = held_bits(s);
	d->n = (unsigned)s->read_in_length;
}

/* ISA-L takes the next block. */
static void
hand_back(struct inflater *z)
{
	struct inflate_state *s = &z->s;
	const struct deflate *d = z->exact;
	size_t from = (d->pos + DEFLATE_WINDOW - d->have) % DEFLATE_WINDOW;

	isal_inflate_reset(s);
	for (size_t i = 0; i < d->have; i++)
		s->tmp_out_buffer[i] = d->window[(from + i) % DEFLATE_WINDOW];
	s->tmp_out_valid = (int32_t)d->have;
	s->tmp_out_processed = s->tmp_out_valid;
	s->read_in = d->hold;
	s->read_in_length = (int32_t)d->n;
	z->at_block = true;
	z->exact_on = false;
	z->tiny = 0;
}

/* The referee's turn, up to a block's end.  True: there is more to do. */
static bool
exact_run(struct inflater *z, struct inflate_io *io, enum inflate *result)
{
	struct deflate *d = z->exact;

	*result = deflate_step(d, io);
	if (*result != INFLATE_OUTPUT || d->at != DEFLATE_AT_BLOCK ||
	    d->pending > 0)
		return false;
	if (d->made > TINY)
		hand_back(z);
	return true;
}

/*
 * ISA-L keeps no window when it thinks that the stream is done.  Makes one of
 * the old window and of what the call gave; what is pending stays behind it.
 */
static void
window_keep(struct inflater *z, const struct before *b,
    const struct inflate_io *io)
{
	struct inflate_state *s = &z->s;
	uint8_t *to = s->tmp_out_buffer;
	size_t pending = (size_t)(s->tmp_out_valid - s->tmp_out_processed);
	size_t got = b->io.out_n - io->out_n;
	size_t old = b->n - b->pending;

	if (got > DEFLATE_WINDOW)
		got = DEFLATE_WINDOW;
	size_t keep = old < DEFLATE_WINDOW - got ? old : DEFLATE_WINDOW - got;
	memmove(to + keep + got, to + s->tmp_out_processed, pending);
	memcpy(to, b->bytes + (old - keep), keep);
	if (got > 0)
		memcpy(to + keep, io->out - got, got);
	s->tmp_out_processed = (int32_t)(keep + got);
	s->tmp_out_valid = (int32_t)(keep + got + pending);
}

/* A block is given out whole and another follows. */
static void
block_end(struct inflater *z)
{
	struct inflate_state *s = &z->s;
	uint64_t hold = held_bits(s);
	int32_t bits = s->read_in_length;
	int32_t window = s->tmp_out_valid;

	isal_inflate_reset(s);
	s->tmp_out_valid = window;
	s->tmp_out_processed = window;
	s->read_in = hold;
	s->read_in_length = bits;
	z->at_block = true;
}

static int
call(struct inflater *z, struct inflate_io *io)
{
	struct inflate_state *s = &z->s;
	size_t most = z->small && z->read == 0 ? SMALL : STEP_MAX;
	uint32_t in_n = (uint32_t)(io->in_n < most ? io->in_n : most);
	uint32_t out_n = io->out_n > STEP_MAX ? STEP_MAX : (uint32_t)io->out_n;

	/* ISA-L only reads there, but does not say so. */
	s->next_in = (uint8_t *)(uintptr_t)io->in; /* NOLINT(*-no-int-to-ptr) */
	s->avail_in = in_n;
	s->next_out = io->out;
	s->avail_out = out_n;
	int r = isal_inflate(s);
	z->read += in_n - s->avail_in;
	io->in += in_n - s->avail_in;
	io->in_n -= in_n - s->avail_in;
	io->out += out_n - s->avail_out;
	io->out_n -= out_n - s->avail_out;
	return r;
}

/* True: there is more to do at once.  Else *result says why not. */
static bool
block_run(struct inflater *z, struct inflate_io *io, enum inflate *result)
{
	struct inflate_state *s = &z->s;
	struct before b;

	note(z, io, &b);
	int r = call(z, io);
	if (r != ISAL_DECOMP_OK || s->block_state == ISAL_BLOCK_HDR) {
		take_over(z, &b, io);
		return true;
	}
	if (s->block_state == ISAL_BLOCK_FINISH && z->block.final) {
		io->in -= s->read_in_length / 8;
		io->in_n += (size_t)(s->read_in_length / 8);
		*result = INFLATE_END;
		return false;
	}
	if (s->block_state == ISAL_BLOCK_FINISH ||
	    s->block_state == ISAL_BLOCK_INPUT_DONE)
		window_keep(z, &b, io);
	if (s->block_state == ISAL_BLOCK_FINISH) {
		z->tiny = b.io.out_n - io->out_n > TINY ? 0 : z->tiny + 1;
		block_end(z);
		return true;
	}
	if (s->avail_out == 0) {
		*result = INFLATE_OUTPUT;
		return false;
	}
	if (s->avail_in == 0 && io->in_n > 0)
		return true; /* it was offered a part only */
	if (s->avail_in == 0 && !io->last) {
		*result = INFLATE_INPUT;
		return false;
	}
	take_over(z, &b, io);
	return true;
}

enum inflate
inflate_step(struct inflater *z, struct inflate_io *io)
{
	enum inflate result = INFLATE_OUTPUT;
	bool more = true;

	while (more && io->out_n >= INFLATE_OUT_MIN) {
		if (!z->exact_on && z->at_block && z->tiny >= TINY_RUN)
			hand_over(z);
		if (z->exact_on) {
			more = exact_run(z, io, &result);
			continue;
		}
		if (z->at_block) {
			if (io->in_n < INFLATE_IN_MIN && !io->last)
				return INFLATE_INPUT;
			enum deflate_verdict v = block_begin(z, io);
			if (v == DEFLATE_BAD)
				return INFLATE_BAD;
			if (v == DEFLATE_SHORT)
				return INFLATE_INPUT;
		}
		more = block_run(z, io, &result);
	}
	return more ? INFLATE_OUTPUT : result;
}

uint32_t
inflate_crc32(uint32_t crc, const uint8_t *p, size_t n)
{
	return crc32_gzip_refl(crc, p, n);
}

uint32_t
inflate_adler32(uint32_t adler, const uint8_t *p, size_t n)
{
	return isal_adler32(adler, p, n);
}
