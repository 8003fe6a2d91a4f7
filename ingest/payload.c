/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Payloads are small (a Lambda event holds 6 MB), so they are unpacked in
 * memory, layer by layer, each with a limit on what comes out.
 */
#include "ingest/payload.h"

#include <stdint.h>

#include "ingest/source.h"
#include "ingest/unpack.h"

static const char too_big[] =
    "a payload that inflates to more than the document limit";
static const char corrupt[] =
    "a packed payload that is cut off or corrupt: expected gzip or zlib";

/* The value of a base64 digit; 64: padding or a line end; 65: neither. */
static unsigned
digit_of(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz"
				     "0123456789+/";
	size_t at = str_find(STR(digits), c);

	if (at != SIZE_MAX)
		return (unsigned)at;
	if (c == '-' || c == '_')
		return c == '-' ? 62 : 63;
	return c == '=' || c == '\n' || c == '\r' ? 64 : 65;
}

bool
base64_decode(struct buf *out, struct str text)
{
	char *p = buf_room(out, text.n / 4 * 3 + 3);
	uint32_t bits = 0;
	unsigned have = 0;
	bool padded = false;

	for (size_t i = 0; i < text.n; i++) {
		unsigned d = digit_of(text.p[i]);

		if (d == 65 || (padded && d < 64))
			return false;
		if (d == 64) {
			padded = padded || text.p[i] == '=';
			continue;
		}
		bits = bits << 6 | d;
		have += 6;
		if (have >= 8) {
			have -= 8;
			*p++ = (char)(bits >> have & 0xff);
		}
	}
	out->n = (size_t)(p - out->p);
	return have < 6;
}

static uint8_t
byte(struct str s, size_t i)
{
	return i < s.n ? (uint8_t)s.p[i] : 0;
}

/* False: it is not packed, so far as the first bytes tell. */
static bool
packed(struct str s, enum unpack_kind *kind)
{
	*kind = UNPACK_GZIP;
	if (byte(s, 0) == 0x1f && byte(s, 1) == 0x8b && byte(s, 2) == 8)
		return true;
	*kind = UNPACK_ZLIB;
	return s.n > 6 && byte(s, 0) == 0x78 &&
	       (byte(s, 0) * 256 + byte(s, 1)) % 31 == 0;
}

/* One layer, all of its members. */
static const char *
unpack_layer(enum unpack_kind kind, struct str in, struct buf *out, size_t max)
{
	enum { PIECE = 128 * 1024 };
	struct source_notes notes = { 0 };
	struct unpack *u = unpack_new(kind, 0, &notes);
	enum flow flow = FLOW_OK;

	while (flow != FLOW_END && out->n <= max) {
		size_t n = 0;
		char *room;

		flow = unpack_read(u, buf_room(out, PIECE), PIECE, &n);
		if (flow == FLOW_OK)
			out->n += n;
		if (flow != FLOW_IDLE)
			continue;
		room = unpack_room(u, &n);
		n = n < in.n ? n : in.n;
		if (n > 0)
			memcpy(room, in.p, n);
		unpack_fed(u, n);
		in = str_from(in, n);
	}
	unpack_free(u);
	if (out->n > max)
		return too_big;
	return notes.broken > 0 ? corrupt : NULL;
}

const char *
payload_unpack(struct buf *out, struct str base64, const struct limits *limits)
{
	struct buf next = { 0 };
	const char *why = NULL;
	enum unpack_kind kind = UNPACK_GZIP;

	buf_reset(out);
	if (!base64_decode(out, base64))
		return "a payload that is not base64";
	for (int i = 0; i < limits->inflate_layers; i++) {
		struct buf swap = *out;

		if (!packed(buf_view(out), &kind))
			break;
		buf_reset(&next);
		why = unpack_layer(kind, buf_view(out), &next,
		    limits->document_bytes);
		if (why)
			break;
		*out = next;
		next = swap;
	}
	buf_fini(&next);
	/* Text may begin with the two bytes of zlib. */
	return why == corrupt && kind == UNPACK_ZLIB ? NULL : why;
}
