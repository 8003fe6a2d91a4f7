/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The referee against the inflater of this build: same bytes, same verdict,
 * same end, for whole, cut and damaged streams in any pieces.
 */
#include "ingest/deflate.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <zlib.h>

#include "core/buf.h"

enum { OUT = 1 << 20, VARIANTS = 250 };

static unsigned seed = 1;

static unsigned
rnd(void)
{
	seed = seed * 1103515245 + 12345;
	return seed >> 8;
}

struct result {
	enum inflate verdict;
	size_t out, in;
};

/* Runs the stream through the inflater, or through the referee if z is NULL. */
static struct result
run(struct inflater *z, struct str s, size_t piece, uint8_t *out)
{
	struct deflate *d = z ? NULL : calloc(1, sizeof(*d));
	struct result r = { INFLATE_OUTPUT, 0, 0 };
	size_t fed = piece < s.n ? piece : s.n;

	if (z)
		inflate_reset(z);
	else
		deflate_init(d);
	for (;;) {
		struct inflate_io io = {
			.in = (const uint8_t *)s.p + r.in,
			.in_n = fed - r.in,
			.out = out + r.out,
			.out_n = OUT - r.out,
			.last = fed == s.n,
		};
		if (io.out_n < INFLATE_OUT_MIN)
			break;
		r.verdict = z ? inflate_step(z, &io) : deflate_step(d, &io);
		r.in = (size_t)(io.in - (const uint8_t *)s.p);
		r.out = OUT - io.out_n;
		if (r.verdict == INFLATE_OUTPUT)
			continue;
		if (r.verdict != INFLATE_INPUT || fed == s.n)
			break;
		fed = s.n - fed < piece ? s.n : fed + piece;
	}
	free(d);
	return r;
}

static void
stream(struct buf *to, struct str text, int level, int strategy)
{
	z_stream z = { 0 };

	cr_assert_eq(deflateInit2(&z, level, Z_DEFLATED, -15, 8, strategy), 0);
	size_t room = deflateBound(&z, text.n) + 64;
	z.next_out = (Bytef *)buf_room(to, room);
	z.avail_out = (uInt)room;
	z.next_in = (Bytef *)(uintptr_t)text.p;
	z.avail_in = (uInt)text.n;
	cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	to->n += room - z.avail_out;
	deflateEnd(&z);
}

static void
compare(struct inflater *z, struct str s, const char *name, int variant)
{
	static uint8_t a[OUT], b[OUT];
	size_t piece = rnd() % 2 ? 700 : 100000;
	struct result x = run(z, s, piece, a);
	struct result y = run(NULL, s, piece, b);

	cr_assert_eq(x.verdict, y.verdict, "%s %d: %d and %d", name, variant,
	    (int)x.verdict, (int)y.verdict);
	cr_assert_eq(x.out, y.out, "%s %d: %zu and %zu", name, variant, x.out,
	    y.out);
	cr_assert_eq(memcmp(a, b, x.out), 0, "%s %d", name, variant);
	if (x.verdict == INFLATE_END)
		cr_assert_eq(x.in, y.in, "%s %d", name, variant);
}

Test(deflate, agrees_with_the_inflater_on_damaged_streams)
{
	static const struct {
		const char *name;
		int level, strategy;
	} rows[] = {
		{ "stored", 0, Z_DEFAULT_STRATEGY },
		{ "fixed", 6, Z_FIXED },
		{ "dynamic", 6, Z_DEFAULT_STRATEGY },
		{ "literals only", 6, Z_HUFFMAN_ONLY },
		{ "runs", 9, Z_RLE },
	};
	struct inflater *z = inflate_new();
	struct buf text = { 0 }, s = { 0 };

	for (int i = 0; i < 900; i++)
		buf_printf(&text, "10.0.0.%u GET /mysfits/%u/like 200\n",
		    rnd() % 256, rnd() % 100000);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		s.n = 0;
		stream(&s, buf_view(&text), rows[i].level, rows[i].strategy);
		compare(z, buf_view(&s), rows[i].name, -1);
		for (int k = 0; k < VARIANTS; k++) {
			size_t at = rnd() % (k % 2 ? s.n : 200);
			char old = s.p[at];
			s.p[at] = (char)(old ^ (1 << rnd() % 8));
			compare(z, buf_view(&s), rows[i].name, k);
			s.p[at] = old;
			compare(z, str_sub(buf_view(&s), 0, rnd() % s.n),
			    rows[i].name, k);
		}
	}
	inflate_free(z);
	buf_fini(&text);
	buf_fini(&s);
}

Test(deflate, tells_streams_from_text)
{
	struct buf s = { 0 };
	bool ended;

	stream(&s, STR("some text"), 6, 0);
	cr_assert(deflate_plausible((uint8_t *)s.p, s.n, &ended));
	cr_assert(ended);
	cr_assert(!deflate_plausible((const uint8_t *)"", 0, &ended));
	cr_assert(
	    !deflate_plausible((const uint8_t *)"2 + y = z\n", 10, &ended));
	buf_fini(&s);
}
