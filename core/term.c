/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The terminal: its abilities, and text that is safe and fits.
 *
 * Widths follow Unicode 15 East Asian Width (W and F are two columns) and the
 * combining marks of general categories Mn and Me, in ranges that are merged
 * where only unassigned characters lie between.
 */
#include "core/term.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct range {
	uint32_t first, last;
};

/* No column of their own. */
static const struct range combining[] = {
	{ 0x0300, 0x036f },
	{ 0x0483, 0x0489 },
	{ 0x0591, 0x05bd },
	{ 0x05bf, 0x05bf },
	{ 0x05c1, 0x05c2 },
	{ 0x05c4, 0x05c5 },
	{ 0x05c7, 0x05c7 },
	{ 0x0610, 0x061a },
	{ 0x064b, 0x065f },
	{ 0x0670, 0x0670 },
	{ 0x06d6, 0x06dc },
	{ 0x06df, 0x06e4 },
	{ 0x06e7, 0x06e8 },
	{ 0x06ea, 0x06ed },
	{ 0x0711, 0x0711 },
	{ 0x0730, 0x074a },
	{ 0x07a6, 0x07b0 },
	{ 0x0816, 0x082d },
	{ 0x08d3, 0x0902 },
	{ 0x093a, 0x093a },
	{ 0x093c, 0x093c },
	{ 0x0941, 0x0948 },
	{ 0x094d, 0x094d },
	{ 0x0951, 0x0957 },
	{ 0x0962, 0x0963 },
	{ 0x0e31, 0x0e31 },
	{ 0x0e34, 0x0e3a },
	{ 0x0e47, 0x0e4e },
	{ 0x1160, 0x11ff },
	{ 0x1ab0, 0x1aff },
	{ 0x1dc0, 0x1dff },
	{ 0x200c, 0x200d },
	{ 0x20d0, 0x20f0 },
	{ 0x302a, 0x302d },
	{ 0x3099, 0x309a },
	{ 0xfe00, 0xfe0f },
	{ 0xfe20, 0xfe2f },
	{ 0x1f3fb, 0x1f3ff },
	{ 0xe0100, 0xe01ef },
};

/* Two columns. */
static const struct range wide[] = {
	{ 0x1100, 0x115f },
	{ 0x231a, 0x231b },
	{ 0x2329, 0x232a },
	{ 0x23e9, 0x23ec },
	{ 0x23f0, 0x23f0 },
	{ 0x23f3, 0x23f3 },
	{ 0x25fd, 0x25fe },
	{ 0x2614, 0x2615 },
	{ 0x2648, 0x2653 },
	{ 0x267f, 0x267f },
	{ 0x2693, 0x2693 },
	{ 0x26a1, 0x26a1 },
	{ 0x26aa, 0x26ab },
	{ 0x26bd, 0x26be },
	{ 0x26c4, 0x26c5 },
	{ 0x26ce, 0x26ce },
	{ 0x26d4, 0x26d4 },
	{ 0x26ea, 0x26ea },
	{ 0x26f2, 0x26f3 },
	{ 0x26f5, 0x26f5 },
	{ 0x26fa, 0x26fa },
	{ 0x26fd, 0x26fd },
	{ 0x2705, 0x2705 },
	{ 0x270a, 0x270b },
	{ 0x2728, 0x2728 },
	{ 0x274c, 0x274c },
	{ 0x274e, 0x274e },
	{ 0x2753, 0x2755 },
	{ 0x2757, 0x2757 },
	{ 0x2795, 0x2797 },
	{ 0x27b0, 0x27b0 },
	{ 0x27bf, 0x27bf },
	{ 0x2b1b, 0x2b1c },
	{ 0x2b50, 0x2b50 },
	{ 0x2b55, 0x2b55 },
	{ 0x2e80, 0x3029 },
	{ 0x302e, 0x303e },
	{ 0x3041, 0x3098 },
	{ 0x309b, 0x3247 },
	{ 0x3250, 0x4dbf },
	{ 0x4e00, 0xa4cf },
	{ 0xa960, 0xa97f },
	{ 0xac00, 0xd7a3 },
	{ 0xf900, 0xfaff },
	{ 0xfe10, 0xfe19 },
	{ 0xfe30, 0xfe6f },
	{ 0xff01, 0xff60 },
	{ 0xffe0, 0xffe6 },
	{ 0x16fe0, 0x18cff },
	{ 0x1aff0, 0x1b2ff },
	{ 0x1f004, 0x1f004 },
	{ 0x1f0cf, 0x1f0cf },
	{ 0x1f18e, 0x1f18e },
	{ 0x1f191, 0x1f19a },
	{ 0x1f200, 0x1f320 },
	{ 0x1f32d, 0x1f335 },
	{ 0x1f337, 0x1f37c },
	{ 0x1f37e, 0x1f393 },
	{ 0x1f3a0, 0x1f3ca },
	{ 0x1f3cf, 0x1f3d3 },
	{ 0x1f3e0, 0x1f3f0 },
	{ 0x1f3f4, 0x1f3f4 },
	{ 0x1f3f8, 0x1f3fa },
	{ 0x1f400, 0x1f43e },
	{ 0x1f440, 0x1f440 },
	{ 0x1f442, 0x1f4fc },
	{ 0x1f4ff, 0x1f53d },
	{ 0x1f54b, 0x1f54e },
	{ 0x1f550, 0x1f567 },
	{ 0x1f57a, 0x1f57a },
	{ 0x1f595, 0x1f596 },
	{ 0x1f5a4, 0x1f5a4 },
	{ 0x1f5fb, 0x1f64f },
	{ 0x1f680, 0x1f6c5 },
	{ 0x1f6cc, 0x1f6cc },
	{ 0x1f6d0, 0x1f6d2 },
	{ 0x1f6d5, 0x1f6d7 },
	{ 0x1f6dc, 0x1f6df },
	{ 0x1f6eb, 0x1f6ec },
	{ 0x1f6f4, 0x1f6fc },
	{ 0x1f7e0, 0x1f7f0 },
	{ 0x1f90c, 0x1f93a },
	{ 0x1f93c, 0x1f945 },
	{ 0x1f947, 0x1f9ff },
	{ 0x1fa70, 0x1faff },
	{ 0x20000, 0x3fffd },
};

/* Valid, and yet not shown: they move, hide or turn what stands around. */
static const struct range hidden[] = {
	{ 0x0000, 0x001f },   /* C0 */
	{ 0x007f, 0x009f },   /* DEL, C1 */
	{ 0x00ad, 0x00ad },   /* soft hyphen */
	{ 0x061c, 0x061c },   /* Arabic letter mark */
	{ 0x115f, 0x1160 },   /* Hangul fillers */
	{ 0x180e, 0x180e },   /* vowel separator */
	{ 0x200b, 0x200b },   /* zero width space */
	{ 0x200e, 0x200f },   /* direction marks */
	{ 0x2028, 0x202e },   /* separators, embeddings, overrides */
	{ 0x2060, 0x206f },   /* joiners, isolates, deprecated controls */
	{ 0x3164, 0x3164 },   /* Hangul filler */
	{ 0xe000, 0xf8ff },   /* private use */
	{ 0xfeff, 0xfeff },   /* byte order mark */
	{ 0xfff0, 0xfffb },   /* annotation */
	{ 0xfffe, 0xffff },   /* no characters */
	{ 0xe0000, 0xe00ff }, /* tags */
	{ 0xf0000, 0x10ffff },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool
in(const struct range *r, size_t n, uint32_t c)
{
	size_t lo = 0;

	while (n > 0) {
		size_t half = n / 2;

		if (r[lo + half].last < c) {
			lo += half + 1;
			n -= half + 1;
		} else if (r[lo + half].first > c) {
			n = half;
		} else {
			return true;
		}
	}
	return false;
}

/* How many bytes a character has, by its first one; 0: it cannot be first. */
static size_t
length_of(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first < 0xe0)
		return 2;
	if (first >= 0xe0 && first < 0xf0)
		return 3;
	return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

bool
term_utf8(struct str *rest, uint32_t *c)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	struct str s = *rest;
	unsigned char first = (unsigned char)s.p[0];
	size_t n = length_of(first);
	uint32_t v = n == 1 ? first : first & (0x7fU >> n);

	*rest = str_from(s, 1);
	if (n == 0 || s.n < n)
		return false;
	for (size_t i = 1; i < n; i++) {
		unsigned char more = (unsigned char)s.p[i];

		if ((more & 0xc0) != 0x80)
			return false;
		v = v << 6 | (more & 0x3f);
	}
	if (v < least[n] || v > 0x10ffff || (v >= 0xd800 && v < 0xe000))
		return false;
	*c = v;
	*rest = str_from(s, n);
	return true;
}

void
term_text(struct buf *out, struct str text, bool utf8)
{
	while (text.n > 0) {
		const char *at = text.p;
		uint32_t c;

		if (!term_utf8(&text, &c))
			buf_printf(out, "\\x%02x", (unsigned char)at[0]);
		else if (c >= ' ' && c < 0x7f)
			buf_char(out, (char)c);
		else if (c < 0x80)
			buf_printf(out, "\\x%02x", (unsigned)c);
		else if (!utf8 || in(hidden, COUNT(hidden), c))
			buf_printf(out, "\\u{%x}", (unsigned)c);
		else
			buf_put(out, at, (size_t)(text.p - at));
	}
}

static size_t
columns_of(uint32_t c)
{
	if (c < 0x300)
		return 1;
	if (in(combining, COUNT(combining), c))
		return 0;
	return in(wide, COUNT(wide), c) ? 2 : 1;
}

size_t
term_columns(struct str text)
{
	size_t columns = 0;

	while (text.n > 0) {
		uint32_t c;

		columns += term_utf8(&text, &c) ? columns_of(c) : 1;
	}
	return columns;
}

/* The longest head of the text with at most `width` columns. */
static struct str
head(struct str text, size_t width)
{
	struct str rest = text;
	size_t columns = 0;

	while (rest.n > 0) {
		struct str at = rest;
		uint32_t c;

		columns += term_utf8(&rest, &c) ? columns_of(c) : 1;
		if (columns > width)
			return str_sub(text, 0, text.n - at.n);
	}
	return text;
}

/* The longest tail: leave characters at the head until the rest fits. */
static struct str
tail(struct str text, size_t width)
{
	size_t columns = term_columns(text);
	uint32_t c;

	while (text.n > 0 && columns > width)
		columns -= term_utf8(&text, &c) ? columns_of(c) : 1;
	/* A mark must not stand on what was cut off. */
	while (text.n > 0) {
		struct str next = text;

		if (!term_utf8(&next, &c) || columns_of(c) > 0)
			break;
		text = next;
	}
	return text;
}

size_t
term_elide(struct buf *out, struct str text, size_t width, bool utf8)
{
	struct str dots = utf8 ? STR("…") : STR("...");
	size_t dot_columns = utf8 ? 1 : 3;
	size_t columns = term_columns(text);
	struct str a;
	struct str b;

	if (columns <= width) {
		buf_str(out, text);
		return columns;
	}
	if (width <= dot_columns + 1) {
		a = head(text, width);
		buf_str(out, a);
		return term_columns(a);
	}
	/* The end of a path says more than its begin. */
	a = head(text, (width - dot_columns) / 2);
	b = tail(text, width - dot_columns - term_columns(a));
	buf_str(out, a);
	buf_str(out, dots);
	buf_str(out, b);
	return term_columns(a) + dot_columns + term_columns(b);
}

static struct str
env(const char *name)
{
	return str_of(getenv(name));
}

/* Whether a locale's name ends in a codeset of UTF-8, as "de_DE.utf8@euro". */
static bool
locale_utf8(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	struct str s = { NULL, 0 };
	struct str codeset;

	for (size_t i = 0; i < COUNT(names) && s.n == 0; i++)
		s = env(names[i]);
	if (str_find(s, '.') == SIZE_MAX)
		return false;
	codeset = str_from(s, str_find(s, '.') + 1);
	if (str_find(codeset, '@') != SIZE_MAX)
		codeset.n = str_find(codeset, '@');
	return str_eq_nocase(codeset, STR("UTF-8")) ||
	       str_eq_nocase(codeset, STR("utf8"));
}

static bool
color_of(bool tty, enum term_color wish)
{
	struct str force = env("CLICOLOR_FORCE");

	if (wish != TERM_COLOR_AUTO)
		return wish == TERM_COLOR_ALWAYS;
	if (env("NO_COLOR").n > 0)
		return false;
	if (force.n > 0 && !str_eq(force, STR("0")))
		return true;
	return tty && !str_eq(env("TERM"), STR("dumb"));
}

static size_t
width_of(int fd, bool tty, size_t wish)
{
	struct str columns = env("COLUMNS");
	struct winsize size;
	uint64_t n = wish;

	if (n == 0 && !(str_u64(&columns, &n) && columns.n == 0))
		n = 0;
	if (n == 0 && tty && ioctl(fd, TIOCGWINSZ, &size) == 0)
		n = size.ws_col;
	if (n == 0)
		n = TERM_WIDTH;
	if (n < TERM_WIDTH_MIN)
		n = TERM_WIDTH_MIN;
	return n < TERM_WIDTH_MAX ? (size_t)n : TERM_WIDTH_MAX;
}

void
term_init(struct term *t, int fd, enum term_color color, size_t width)
{
	t->tty = isatty(fd) == 1;
	t->moves = t->tty && !str_eq(env("TERM"), STR("dumb"));
	t->utf8 = locale_utf8();
	t->color = color_of(t->tty, color);
	t->width = width_of(fd, t->tty, width);
}
