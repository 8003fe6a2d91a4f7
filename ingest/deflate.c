/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The referee of ingest/deflate.h: RFC 1951, one bit at a time.
 *
 * A code of length l is found as in Mark Adler's puff: codes of one length are
 * consecutive numbers, so counting the codes of each length while reading bits
 * finds the symbol without a table.  Symbols are atoms: when the input ends
 * within one, the bits are put back.
 *
 * Never faster than some 50 MB/s; only damage comes here.
 */
#include "ingest/deflate.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

enum { SYMBOL_SHORT = -1, SYMBOL_BAD = -2 };

enum {
	LITS = 286,
	DISTS = 30,
	LENGTHS = 19,
	END_OF_BLOCK = 256,
};

static const uint16_t len_base[29] = { 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17,
	19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227,
	258 };
static const uint8_t len_extra[29] = { 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2,
	2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0 };
static const uint16_t dist_base[DISTS] = { 1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33,
	49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097,
	6145, 8193, 12289, 16385, 24577 };
static const uint8_t dist_extra[DISTS] = { 0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4,
	5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13 };

static bool
need(struct deflate_bits *b, unsigned n)
{
	while (b->n < n) {
		if (b->p == b->end)
			return false;
		b->hold |= (uint64_t)*b->p++ << b->n;
		b->n += 8;
	}
	return true;
}

static unsigned
take(struct deflate_bits *b, unsigned n)
{
	unsigned v = (unsigned)(b->hold & ((1U << n) - 1));

	b->hold >>= n;
	b->n -= n;
	return v;
}

/* The next symbol, or SYMBOL_SHORT, or SYMBOL_BAD. */
static int
symbol(struct deflate_bits *b, const struct deflate_code *c)
{
	unsigned code = 0, first = 0, index = 0;
	unsigned longest = c->longest ? c->longest : 1;

	for (unsigned len = 1; len <= longest; len++) {
		if (!need(b, len))
			return SYMBOL_SHORT;
		code |= (unsigned)(b->hold >> (len - 1)) & 1;
		unsigned count = c->count[len];
		if (code < first + count) {
			take(b, len);
			return c->symbol[index + (code - first)];
		}
		index += count;
		first = (first + count) << 1;
		code <<= 1;
	}
	return SYMBOL_BAD;
}

/* Counts the lengths; the codes of one length are consecutive. */
static void
code_count(struct deflate_code *c, const uint8_t *lengths, unsigned n)
{
	memset(c->count, 0, sizeof(c->count));
	for (unsigned i = 0; i < n; i++)
		c->count[lengths[i]]++;
	c->count[0] = 0;
	c->longest = 15;
	while (c->longest > 0 && c->count[c->longest] == 0)
		c->longest--;
}

/*
 * Over-subscribed codes are invalid, incomplete ones too, except that `lone`
 * allows none at all or a single one of one bit.
 */
static bool
code_valid(const uint8_t *lengths, unsigned n, bool lone)
{
	struct deflate_code c;
	int left = 1;

	code_count(&c, lengths, n);
	for (unsigned len = 1; len < 16; len++) {
		left = left * 2 - c.count[len];
		if (left < 0)
			return false;
	}
	return left == 0 || (lone && c.longest <= 1);
}

/* Sorts the symbols of a valid code. */
static void
code_build(struct deflate_code *c, const uint8_t *lengths, unsigned n)
{
	unsigned at[16] = { 0 };

	code_count(c, lengths, n);
	for (unsigned len = 1; len < 15; len++)
		at[len + 1] = at[len] + c->count[len];
	for (unsigned i = 0; i < n; i++) {
		if (lengths[i])
			c->symbol[at[lengths[i]]++] = (uint16_t)i;
	}
}

/*
 * The code of code lengths as a table: for the next 7 bits, which are the
 * first of the code in the lowest, the symbol and its length.
 */
struct short_code {
	uint8_t symbol[128];
	uint8_t length[128];
};

static void
short_code_build(struct short_code *t, const uint8_t *lengths)
{
	unsigned code = 0;

	for (unsigned len = 1; len <= 7; len++) {
		for (unsigned i = 0; i < LENGTHS; i++) {
			if (lengths[i] != len)
				continue;
			unsigned at = 0;
			for (unsigned k = 0; k < len; k++)
				at |= (code >> k & 1) << (len - 1 - k);
			for (; at < 128; at += 1U << len) {
				t->symbol[at] = (uint8_t)i;
				t->length[at] = (uint8_t)len;
			}
			code++;
		}
		code <<= 1;
	}
}

static int
short_symbol(struct deflate_bits *b, const struct short_code *t)
{
	need(b, 7);
	unsigned at = (unsigned)b->hold & 127;
	if (t->length[at] > b->n)
		return SYMBOL_SHORT;
	take(b, t->length[at]);
	return t->symbol[at];
}

static void
block_fixed(struct deflate_block *b)
{
	b->lits = 288;
	b->dists = 32;
	memset(b->lengths, 8, 144);
	memset(b->lengths + 144, 9, 112);
	memset(b->lengths + 256, 7, 24);
	memset(b->lengths + 280, 8, 8);
	memset(b->lengths + 288, 5, 32);
}

static enum deflate_verdict
block_stored(struct deflate_block *b, struct deflate_bits *bits)
{
	take(bits, bits->n & 7);
	if (!need(bits, 32))
		return DEFLATE_SHORT;
	unsigned n = take(bits, 16);
	unsigned not_n = take(bits, 16);
	if (n != (not_n ^ 0xffff))
		return DEFLATE_BAD;
	b->stored = n;
	return DEFLATE_OK;
}

/* A repeat code: 16 the last length 3..6 times, 17 and 18 zeros. */
static enum deflate_verdict
repeat(struct deflate_bits *bits, int sym, uint8_t *lengths, unsigned room[2])
{
	static const uint8_t extra[] = { 2, 3, 7 };
	static const uint8_t base[] = { 3, 3, 11 };
	unsigned have = room[0], all = room[1];

	if (!need(bits, extra[sym - 16]))
		return DEFLATE_SHORT;
	if (sym == 16 && have == 0)
		return DEFLATE_BAD;
	unsigned times = base[sym - 16] + take(bits, extra[sym - 16]);
	if (have + times > all)
		return DEFLATE_BAD;
	memset(lengths + have, sym == 16 ? lengths[have - 1] : 0, times);
	room[0] = have + times;
	return DEFLATE_OK;
}

static enum deflate_verdict
lengths_read(struct deflate_bits *bits, const struct short_code *code,
    uint8_t *lengths, unsigned all)
{
	unsigned room[2] = { 0, all };

	while (room[0] < all) {
		int sym = short_symbol(bits, code);
		if (sym == SYMBOL_SHORT)
			return DEFLATE_SHORT;
		if (sym < 16) {
			lengths[room[0]++] = (uint8_t)sym;
			continue;
		}
		enum deflate_verdict v = repeat(bits, sym, lengths, room);
		if (v != DEFLATE_OK)
			return v;
	}
	return DEFLATE_OK;
}

static enum deflate_verdict
block_dynamic(struct deflate_block *b, struct deflate_bits *bits)
{
	static const uint8_t order[LENGTHS] = { 16, 17, 18, 0, 8, 7, 9, 6, 10,
		5, 11, 4, 12, 3, 13, 2, 14, 1, 15 };
	uint8_t lengths[LENGTHS] = { 0 };
	struct short_code code;

	if (!need(bits, 14))
		return DEFLATE_SHORT;
	b->lits = take(bits, 5) + 257;
	b->dists = take(bits, 5) + 1;
	unsigned codes = take(bits, 4) + 4;
	if (b->lits > LITS || b->dists > DISTS)
		return DEFLATE_BAD;
	for (unsigned i = 0; i < codes; i++) {
		if (!need(bits, 3))
			return DEFLATE_SHORT;
		lengths[order[i]] = (uint8_t)take(bits, 3);
	}
	if (!code_valid(lengths, LENGTHS, false))
		return DEFLATE_BAD;
	short_code_build(&code, lengths);
	enum deflate_verdict v =
	    lengths_read(bits, &code, b->lengths, b->lits + b->dists);
	if (v != DEFLATE_OK)
		return v;
	if (b->lengths[END_OF_BLOCK] == 0 ||
	    !code_valid(b->lengths, b->lits, true) ||
	    !code_valid(b->lengths + b->lits, b->dists, true))
		return DEFLATE_BAD;
	return DEFLATE_OK;
}

enum deflate_verdict
deflate_block_read(struct deflate_block *b, struct deflate_bits *bits)
{
	struct deflate_bits at = *bits;
	enum deflate_verdict v = DEFLATE_OK;

	if (!need(&at, 3))
		return DEFLATE_SHORT;
	b->final = take(&at, 1);
	b->type = take(&at, 2);
	b->stored = 0;
	if (b->type == 0)
		v = block_stored(b, &at);
	else if (b->type == 1)
		block_fixed(b);
	else if (b->type == 2)
		v = block_dynamic(b, &at);
	else
		v = DEFLATE_BAD;
	if (v == DEFLATE_OK)
		*bits = at;
	return v;
}

void
deflate_init(struct deflate *d)
{
	d->at = DEFLATE_AT_BLOCK;
	d->hold = 0;
	d->n = 0;
	d->have = 0;
	d->pos = 0;
	d->pending = 0;
	d->made = 0;
	d->fixed = false;
	d->pause = false;
}

static void
emit(struct deflate *d, uint8_t c)
{
	d->window[d->pos] = c;
	d->pos = (d->pos + 1) % DEFLATE_WINDOW;
	if (d->have < DEFLATE_WINDOW)
		d->have++;
	d->pending++;
	d->made++;
}

void
deflate_history(struct deflate *d, const uint8_t *p, size_t n, size_t pending)
{
	for (size_t i = 0; i < n; i++)
		emit(d, p[i]);
	d->pending = pending;
}

/* Gives out what is pending, as far as there is room. */
static void
flush(struct deflate *d, struct inflate_io *io)
{
	while (d->pending > 0 && io->out_n > 0) {
		size_t from = d->pos + DEFLATE_WINDOW - d->pending;
		*io->out++ = d->window[from % DEFLATE_WINDOW];
		io->out_n--;
		d->pending--;
	}
}

/* The distance that follows a length: its value, or SYMBOL_*. */
static int
distance(struct deflate_bits *b, const struct deflate_code *code)
{
	int sym = symbol(b, code);

	if (sym < 0)
		return sym;
	if (sym >= DISTS)
		return SYMBOL_BAD;
	if (!need(b, dist_extra[sym]))
		return SYMBOL_SHORT;
	return dist_base[sym] + (int)take(b, dist_extra[sym]);
}

/* One literal, match or end of block, as an atom. */
static enum deflate_verdict
coded(struct deflate *d, struct deflate_bits *bits)
{
	struct deflate_bits at = *bits;
	int sym = symbol(&at, &d->lit);

	if (sym >= 0 && sym < END_OF_BLOCK) {
		emit(d, (uint8_t)sym);
	} else if (sym == END_OF_BLOCK) {
		d->at = d->block.final ? DEFLATE_AT_END : DEFLATE_AT_BLOCK;
	} else if (sym >= LITS) {
		return DEFLATE_BAD;
	} else if (sym >= 0) {
		sym -= END_OF_BLOCK + 1;
		if (!need(&at, len_extra[sym]))
			return DEFLATE_SHORT;
		unsigned len = len_base[sym] + take(&at, len_extra[sym]);
		int dist = distance(&at, &d->dist);
		if (dist < 0)
			sym = dist;
		else if ((size_t)dist > d->have)
			return DEFLATE_BAD;
		size_t from = d->pos + DEFLATE_WINDOW - (size_t)dist;
		for (; dist > 0 && len > 0; len--)
			emit(d, d->window[from++ % DEFLATE_WINDOW]);
	}
	if (sym < 0)
		return sym == SYMBOL_SHORT ? DEFLATE_SHORT : DEFLATE_BAD;
	*bits = at;
	return DEFLATE_OK;
}

static enum deflate_verdict
stored(struct deflate *d, struct deflate_bits *bits)
{
	if (d->block.stored == 0) {
		d->at = d->block.final ? DEFLATE_AT_END : DEFLATE_AT_BLOCK;
		return DEFLATE_OK;
	}
	if (!need(bits, 8))
		return DEFLATE_SHORT;
	emit(d, (uint8_t)take(bits, 8));
	d->block.stored--;
	return DEFLATE_OK;
}

void
deflate_enter(struct deflate *d, const struct deflate_block *b,
    uint32_t stored_left)
{
	d->at = DEFLATE_IN_BLOCK;
	d->block = *b;
	d->made = 0;
	d->block.stored = stored_left;
	if (b->type == 0 || (b->type == 1 && d->fixed))
		return;
	d->fixed = b->type == 1;
	code_build(&d->lit, b->lengths, b->lits);
	code_build(&d->dist, b->lengths + b->lits, b->dists);
}

static enum deflate_verdict
advance(struct deflate *d, struct deflate_bits *bits)
{
	struct deflate_block b;

	if (d->at == DEFLATE_IN_BLOCK)
		return d->block.type ? coded(d, bits) : stored(d, bits);
	enum deflate_verdict v = deflate_block_read(&b, bits);
	if (v == DEFLATE_OK)
		deflate_enter(d, &b, b.stored);
	return v;
}

enum inflate
deflate_step(struct deflate *d, struct inflate_io *io)
{
	struct deflate_bits bits = { io->in, io->in + io->in_n, d->hold, d->n };
	enum deflate_verdict v = DEFLATE_OK;
	enum inflate result = INFLATE_OUTPUT;

	flush(d, io);
	while (v == DEFLATE_OK && d->pending == 0 && d->at != DEFLATE_AT_END) {
		if (io->out_n == 0)
			break;
		v = advance(d, &bits);
		flush(d, io);
		if (d->pause && d->at == DEFLATE_AT_BLOCK)
			break;
	}
	if (v == DEFLATE_SHORT)
		result = INFLATE_INPUT;
	else if (v == DEFLATE_BAD)
		result = INFLATE_BAD;
	else if (d->at == DEFLATE_AT_END && d->pending == 0)
		result = INFLATE_END;
	if (result == INFLATE_END) {
		bits.p -= bits.n / 8;
		bits.n = 0;
		bits.hold = 0;
	}
	d->hold = bits.hold;
	d->n = bits.n;
	io->in = bits.p;
	io->in_n = (size_t)(bits.end - bits.p);
	return result;
}

bool
deflate_plausible(const uint8_t *p, size_t n, bool *ended)
{
	uint8_t out[1024];
	struct inflate_io io = {
		.in = p,
		.in_n = n,
		.out = out,
		.out_n = sizeof(out),
		.last = true,
	};
	struct deflate *d = xrealloc(NULL, 1, sizeof(*d));

	deflate_init(d);
	enum inflate r = deflate_step(d, &io);
	free(d);
	*ended = r == INFLATE_END;
	if (r == INFLATE_BAD)
		return false;
	return *ended || io.out_n < sizeof(out);
}
