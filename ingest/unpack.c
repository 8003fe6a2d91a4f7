/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gzip (RFC 1952) and zlib (RFC 1950) framing over a raw inflater.
 *
 *            +-- zeros --> PADDING --+
 *            |                       |
 *   +---> MEMBER --> DATA --> TRAILER --+
 *   |        |         |                |
 *   |        +----+----+ damage         |
 *   |             v                     |
 *   +<---------- SCAN                   |
 *   +<----------------------------------+
 *
 * Every state works on bytes that lie in one piece: `want` of them, or all
 * that are left of the input.  So no state has to stop halfway, except DATA.
 * The checksums are made and compared here for both inflaters.
 *
 * All decisions are made from positions in the stream and never from how the
 * bytes arrived, so that the result is the same for any size of blocks.
 */
#include "ingest/unpack.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "ingest/deflate.h"
#include "ingest/inflate.h"
#include "ingest/source.h"

enum {
	READ = 64 << 10,     /* packed bytes taken at once */
	LOOKBACK = 16 << 10, /* packed bytes kept for the search */
	GRID = 4 << 10,      /* where the search may begin */
	WANT = 8 << 10,      /* bytes a state works on, and a trial sees */
	HEADER_MAX = 128 << 10,
	GZIP_FIXED = 10,
	GZIP_TRAILER = 8,
	ZLIB_TRAILER = 4,
};

enum state {
	AT_MEMBER,
	IN_DATA,
	AT_TRAILER,
	IN_PADDING,
	IN_SCAN,
	AT_END,
};

struct unpack {
	enum unpack_kind kind;
	int layer;
	struct source_notes *notes;
	struct inflater *z;
	uint8_t *in; /* [0, pos) kept, [pos, end) to be read */
	size_t cap, pos, end;
	uint64_t base; /* the offset of in[0] */
	size_t want;
	bool eof;
	enum state state;
	uint64_t header_at; /* the offset of the member */
	uint64_t floor;     /* no search begins before this */
	uint32_t members;
	uint32_t sum;
	uint32_t size;
	bool noted; /* this member is counted as broken */
	bool torn;  /* the last byte given out ends no line */
	bool cut;   /* this member's data did not come to their end */
	uint8_t *spill;
	size_t spill_at, spill_n;
};

struct unpack *
unpack_new(enum unpack_kind kind, int layer, struct source_notes *notes)
{
	struct unpack *u = xcalloc(1, sizeof(*u));

	u->kind = kind;
	u->layer = layer;
	u->notes = notes;
	u->z = inflate_new();
	u->cap = LOOKBACK + READ;
	u->in = xrealloc(NULL, u->cap, 1);
	u->want = WANT;
	return u;
}

void
unpack_free(struct unpack *u)
{
	if (!u)
		return;
	inflate_free(u->z);
	free(u->in);
	free(u->spill);
	free(u);
}

char *
unpack_room(struct unpack *u, size_t *n)
{
	size_t keep = u->pos > LOOKBACK ? u->pos - LOOKBACK : 0;

	if (u->cap - u->end < READ / 4 && keep > 0) {
		memmove(u->in, u->in + keep, u->end - keep);
		u->base += keep;
		u->pos -= keep;
		u->end -= keep;
	}
	if (u->cap - u->end < READ / 4)
		u->in = xgrow(u->in, u->end + READ, &u->cap, 1);
	*n = u->cap - u->end;
	return (char *)u->in + u->end;
}

void
unpack_fed(struct unpack *u, size_t n)
{
	u->end += n;
	if (n == 0)
		u->eof = true;
}

bool
unpack_cut(const struct unpack *u)
{
	return u->cut;
}

uint64_t
unpack_position(const struct unpack *u)
{
	return u->base + u->pos;
}

static uint32_t
le16(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8;
}

static uint32_t
le32(const uint8_t *p)
{
	return le16(p) | le16(p + 2) << 16;
}

static uint32_t
be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

enum header { HEADER_OK, HEADER_SHORT, HEADER_BAD };

/* The bits of a gzip header's fourth byte. */
enum { FHCRC = 2, FEXTRA = 4, FNAME = 8, FCOMMENT = 16, FRESERVED = 0xe0 };

/* Moves *at behind the text that a NUL ends. */
static bool
skip_text(const uint8_t *p, size_t n, size_t *at)
{
	const uint8_t *nul = *at < n ? memchr(p + *at, '\0', n - *at) : NULL;

	if (!nul)
		return false;
	*at = (size_t)(nul - p) + 1;
	return true;
}

/* Is a gzip header at p, as far as its fixed part goes? */
static enum header
gzip_fixed(const uint8_t *p, size_t n)
{
	static const uint8_t magic[] = { 0x1f, 0x8b, 8 };

	if (n == 0 || memcmp(p, magic, n < 3 ? n : 3) != 0)
		return HEADER_BAD;
	if (n > 3 && (p[3] & FRESERVED))
		return HEADER_BAD;
	return n < GZIP_FIXED ? HEADER_SHORT : HEADER_OK;
}

/* A gzip header at p: its size, and whether its own checksum is right. */
static enum header
gzip_header(const uint8_t *p, size_t n, size_t *size, bool *right)
{
	enum header h = gzip_fixed(p, n);
	size_t at = GZIP_FIXED;

	*right = true;
	if (h != HEADER_OK)
		return h;
	if (p[3] & FEXTRA) {
		if (n < at + 2)
			return HEADER_SHORT;
		at += 2 + le16(p + at);
	}
	if ((p[3] & FNAME) && !skip_text(p, n, &at))
		return HEADER_SHORT;
	if ((p[3] & FCOMMENT) && !skip_text(p, n, &at))
		return HEADER_SHORT;
	if (p[3] & FHCRC) {
		if (n < at + 2)
			return HEADER_SHORT;
		*right = (inflate_crc32(0, p, at) & 0xffff) == le16(p + at);
		at += 2;
	}
	*size = at;
	return at <= n ? HEADER_OK : HEADER_SHORT;
}

static enum header
zlib_header(const uint8_t *p, size_t n, size_t *size)
{
	if (n < 2)
		return HEADER_SHORT;
	*size = 2;
	if ((p[0] & 15) != 8 || (p[0] << 8 | p[1]) % 31 != 0 || (p[1] & 0x20))
		return HEADER_BAD;
	return HEADER_OK;
}

/* Puts down that something is wrong, once for a member. */
static void
broken(struct unpack *u, const char *how)
{
	struct source_notes *notes = u->notes;

	if (u->noted)
		return;
	u->noted = true;
	notes->broken++;
	if (notes->what[0])
		return;
	snprintf(notes->what, sizeof(notes->what),
	    "%s%s member %" PRIu32 ", at byte %" PRIu64 ": %s",
	    u->layer > 0 ? "inner " : "",
	    u->kind == UNPACK_GZIP ? "gzip" : "zlib", u->members, u->header_at,
	    how);
}

/*
 * Goes to where the search for another member begins.  The two inflaters see
 * damage within a few bytes of each other; the grid makes that one place.
 */
static void
scan_begin(struct unpack *u)
{
	uint64_t here = unpack_position(u) & ~(uint64_t)(GRID - 1);
	uint64_t from = here > LOOKBACK - GRID ? here - (LOOKBACK - GRID) : 0;

	if (from < u->floor)
		from = u->floor;
	if (from < u->base)
		from = u->base;
	u->pos = (size_t)(from - u->base);
	u->want = WANT;
	u->state = u->kind == UNPACK_GZIP ? IN_SCAN : AT_END;
}

/* What stands where a member should is none. */
static void
garbage(struct unpack *u)
{
	u->want = WANT;
	if (u->noted && u->members > 0) {
		scan_begin(u);
		return;
	}
	u->header_at = unpack_position(u);
	broken(u, u->members > 0 ? "what follows it is no gzip member"
				 : "its header is no gzip header");
	u->pos++;
	u->state = u->kind == UNPACK_GZIP ? IN_SCAN : AT_END;
}

static void
member_begin(struct unpack *u, size_t header, bool right)
{
	u->header_at = unpack_position(u);
	u->pos += header;
	u->floor = u->header_at + 1;
	u->members++;
	if (u->layer == 0)
		u->notes->members++;
	u->noted = false;
	u->cut = false;
	u->size = 0;
	u->sum = u->kind == UNPACK_ZLIB;
	u->want = WANT;
	u->state = IN_DATA;
	inflate_reset(u->z);
	if (!right)
		broken(u, "the header's checksum does not match");
}

static void
at_member(struct unpack *u)
{
	const uint8_t *p = u->in + u->pos;
	size_t n = u->end - u->pos, size = 0;
	bool right = true;

	if (n == 0) {
		u->state = AT_END;
		return;
	}
	if (u->members > 0 && (p[0] == 0 || u->kind == UNPACK_ZLIB)) {
		u->state = IN_PADDING;
		return;
	}
	enum header h = u->kind == UNPACK_GZIP
			    ? gzip_header(p, n, &size, &right)
			    : zlib_header(p, n, &size);
	if (h == HEADER_OK) {
		member_begin(u, size, right);
	} else if (h == HEADER_BAD || n >= HEADER_MAX) {
		garbage(u);
	} else if (!u->eof) {
		u->want = n * 2;
	} else {
		member_begin(u, n, true);
		broken(u, "ended early, within its header");
		scan_begin(u);
	}
}

static size_t
in_data(struct unpack *u, uint8_t *p, size_t cap)
{
	struct inflate_io io = {
		.in = u->in + u->pos,
		.in_n = u->end - u->pos,
		.out = p,
		.out_n = cap,
		.last = u->eof,
	};
	enum inflate r = inflate_step(u->z, &io);
	size_t n = cap - io.out_n;

	u->pos = (size_t)(io.in - u->in);
	u->size += (uint32_t)n;
	u->sum = u->kind == UNPACK_GZIP ? inflate_crc32(u->sum, p, n)
					: inflate_adler32(u->sum, p, n);
	if (n > 0)
		u->torn = p[n - 1] != '\n';
	if (r == INFLATE_END) {
		u->state = AT_TRAILER;
	} else if (r == INFLATE_BAD) {
		broken(u, "its data are corrupt");
		u->cut = true;
		scan_begin(u);
	} else if (r == INFLATE_INPUT && u->eof) {
		broken(u, "ended early");
		u->cut = true;
		scan_begin(u);
	}
	return n;
}

static void
at_trailer(struct unpack *u)
{
	const uint8_t *p = u->in + u->pos;
	size_t n = u->kind == UNPACK_GZIP ? GZIP_TRAILER : ZLIB_TRAILER;

	if (u->end - u->pos < n) {
		broken(u, "ended early, within its checksum");
		scan_begin(u);
		return;
	}
	if (u->kind == UNPACK_ZLIB ? be32(p) != u->sum : le32(p) != u->sum)
		broken(u, "its checksum does not match");
	else if (u->kind == UNPACK_GZIP && le32(p + 4) != u->size)
		broken(u, "its length does not match");
	u->pos += n;
	u->state = AT_MEMBER;
}

static void
in_padding(struct unpack *u)
{
	while (u->pos < u->end && u->in[u->pos] == 0)
		u->pos++;
	u->want = 1;
	if (u->pos == u->end && u->eof) {
		u->notes->zero_tail = true;
		u->state = AT_END;
	} else if (u->pos < u->end) {
		u->want = WANT;
		u->state = AT_MEMBER;
		if (u->kind == UNPACK_ZLIB) {
			broken(u, "something follows it");
			u->state = AT_END;
		}
	}
}

/* Is there a member at p that can be read? */
static bool
member_here(const uint8_t *p, size_t n)
{
	size_t size;
	bool right, ended;

	if (n > WANT)
		n = WANT;
	return gzip_header(p, n, &size, &right) == HEADER_OK && right &&
	       deflate_plausible(p + size, n - size, &ended);
}

/*
 * Looks for another member.  What is left of a line before the break is a line
 * of its own and not the beginning of the member's first one.
 */
static size_t
in_scan(struct unpack *u, uint8_t *out)
{
	size_t limit = u->eof ? u->end : u->end - WANT + 1;

	while (u->pos < limit) {
		const uint8_t *p = memchr(u->in + u->pos, 0x1f, limit - u->pos);
		if (!p) {
			u->pos = limit;
			break;
		}
		u->pos = (size_t)(p - u->in);
		if (member_here(p, u->end - u->pos)) {
			u->state = AT_MEMBER;
			if (!u->torn)
				return 0;
			u->torn = false;
			*out = '\n';
			return 1;
		}
		u->pos++;
	}
	if (u->eof)
		u->state = AT_END;
	return 0;
}

static enum flow
produce(struct unpack *u, uint8_t *p, size_t cap, size_t *n)
{
	*n = 0;
	while (u->state != AT_END && *n == 0) {
		if (!u->eof && u->end - u->pos < u->want)
			return FLOW_IDLE;
		if (u->state == AT_MEMBER)
			at_member(u);
		else if (u->state == IN_DATA)
			*n = in_data(u, p, cap);
		else if (u->state == AT_TRAILER)
			at_trailer(u);
		else if (u->state == IN_PADDING)
			in_padding(u);
		else
			*n = in_scan(u, p);
	}
	return *n > 0 ? FLOW_OK : FLOW_END;
}

enum flow
unpack_read(struct unpack *u, char *p, size_t cap, size_t *n)
{
	if (u->spill_at == u->spill_n && cap >= INFLATE_OUT_MIN)
		return produce(u, (uint8_t *)p, cap, n);
	if (u->spill_at == u->spill_n) {
		if (!u->spill)
			u->spill = xrealloc(NULL, INFLATE_OUT_MIN, 1);
		u->spill_at = 0;
		enum flow f =
		    produce(u, u->spill, INFLATE_OUT_MIN, &u->spill_n);
		if (f != FLOW_OK) {
			*n = 0;
			return f;
		}
	}
	*n = u->spill_n - u->spill_at;
	if (*n > cap)
		*n = cap;
	memcpy(p, u->spill + u->spill_at, *n);
	u->spill_at += *n;
	return FLOW_OK;
}
