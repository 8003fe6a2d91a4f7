/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first bytes of each input are read once.  Equal ones are then next to
 * each other in a sorted list, and so are those that begin alike, by their
 * first BEGIN_BYTES.  Only where such a group has one that is whole are its
 * inputs read once more: for hashes of their beginnings, as long as the whole
 * ones are.
 */
#include "pipeline/copies.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "analyzers/names.h"
#include "core/hash.h"
#include "core/mem.h"
#include "ingest/source.h"

enum {
	HEAD_BYTES = 64 * 1024,
	BEGIN_BYTES = 512,
	LENGTHS_MAX = 256, /* of whole inputs that begin alike, the greatest */
};

struct head {
	struct input *input;
	size_t n;
	uint64_t hash;         /* of all n */
	uint64_t begin;        /* of the first BEGIN_BYTES; 0: it is shorter */
	uint64_t folder, name; /* hashes of what its path says; 0: nothing */
	size_t same;           /* union: an index before this, or its own */
	size_t longer;         /* the longest that begins like it */
	uint64_t chain;        /* see walk */
};

struct copies {
	const struct limits *limits;
	struct head *v;
	size_t n;
	char *bytes; /* HEAD_BYTES */
};

/* The first bytes of an input; SIZE_MAX: it cannot be opened. */
static size_t
read_head(struct copies *c, const struct input *input)
{
	struct err ignored;
	struct source *s = source_open(input, c->limits, &ignored);
	size_t got = 0;
	size_t n = 0;

	if (!s)
		return SIZE_MAX;
	while (n < HEAD_BYTES && source_read(s, c->bytes + n, HEAD_BYTES - n,
				     &got, &ignored) == FLOW_OK)
		n += got;
	source_close(s);
	return n;
}

static uint64_t
some(uint64_t hash)
{
	return hash ? hash : 1;
}

static void
add(struct copies *c, struct input *input)
{
	struct head *h = &c->v[c->n];
	size_t n = read_head(c, input);

	if (n == SIZE_MAX) {
		input->content = some(hash64(str_of(input->path)));
		return;
	}
	*h = (struct head){ .input = input, .n = n };
	h->hash = some(hash64((struct str){ c->bytes, n }));
	if (n >= BEGIN_BYTES)
		h->begin = some(hash64((struct str){ c->bytes, BEGIN_BYTES }));
	input->content = h->hash;
	c->n++;
}

/* What its path says, for those that are compared. */
static void
look_at_path(struct head *h)
{
	struct str path = str_of(h->input->path);
	size_t slash = str_find_last(path, '/');
	struct str nowhere = { NULL, 0 };
	struct buf name = { 0 };

	if (h->folder != 0 || h->input->spool || str_eq(path, STR("-")))
		return;
	h->folder =
	    some(hash64(str_sub(path, 0, slash == SIZE_MAX ? 0 : slash)));
	name_readable(&name, nowhere, nowhere, path);
	h->name = some(hash64(buf_view(&name)));
	buf_fini(&name);
}

static bool
may_be_copies(struct head *a, struct head *b)
{
	look_at_path(a);
	look_at_path(b);
	return a->folder == 0 || b->folder == 0 || a->folder == b->folder ||
	       a->name == b->name;
}

static int
cmp(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* Those that begin alike, the shorter first; equal ones by path. */
static int
by_content(const void *pa, const void *pb)
{
	const struct head *a = pa;
	const struct head *b = pb;
	int c = cmp(a->begin, b->begin);

	if (c == 0)
		c = cmp(a->n, b->n);
	if (c == 0)
		c = cmp(a->hash, b->hash);
	return c ? c : (a->input > b->input) - (a->input < b->input);
}

/* A member of a group of equal ones, by what its path says. */
struct said {
	uint64_t what;
	size_t at;
};

static int
by_what(const void *pa, const void *pb)
{
	const struct said *a = pa;
	const struct said *b = pb;
	int c = cmp(a->what, b->what);

	return c ? c : (a->at > b->at) - (a->at < b->at);
}

static size_t
first_same(const struct copies *c, size_t i)
{
	while (c->v[i].same != i)
		i = c->v[i].same;
	return i;
}

static void
join(struct copies *c, size_t a, size_t b)
{
	size_t x = first_same(c, a);
	size_t y = first_same(c, b);

	c->v[x > y ? x : y].same = x < y ? x : y;
}

/* Those that say the same are one; a member that says nothing is one with the
 * first that does. */
static void
join_said(struct copies *c, size_t first, struct said *said, size_t n)
{
	qsort(said, n, sizeof *said, by_what);
	for (size_t i = 0; i < n; i++)
		if (said[i].what == 0)
			join(c, first, said[i].at);
		else if (i > 0 && said[i].what == said[i - 1].what)
			join(c, said[i - 1].at, said[i].at);
}

/* [from, to) are equal, byte for byte as far as is looked. */
static void
settle_equal(struct copies *c, size_t from, size_t to)
{
	size_t n = to - from;
	size_t first = to;
	struct said *said;

	if (c->v[from].n == 0)
		return;
	said = xcalloc(n, sizeof *said);
	for (size_t i = from; i < to; i++) {
		look_at_path(&c->v[i]);
		if (first == to && c->v[i].folder != 0)
			first = i;
		said[i - from] = (struct said){ c->v[i].folder, i };
	}
	first = first == to ? from : first;
	join_said(c, first, said, n);
	for (size_t i = from; i < to; i++)
		said[i - from] = (struct said){ c->v[i].name, i };
	join_said(c, first, said, n);
	free(said);
	for (size_t i = from; i < to; i++) {
		const struct head *same = &c->v[first_same(c, i)];

		if (same != &c->v[from])
			c->v[i].input->content =
			    some(hash64_mix(same->hash, same->name));
	}
}

/*
 * Hashes the beginnings of a head that are as long as the whole ones in
 * [from, to), the shorter first, each from the one before.  Those that it
 * begins with take it for their longer one; its own is kept.
 */
static void
walk(struct copies *c, size_t at, size_t from, size_t to)
{
	struct head *h = &c->v[at];
	uint64_t chain = 0;
	size_t done = 0;

	if (read_head(c, h->input) != h->n)
		return;
	for (size_t i = from; i < to && c->v[i].n <= h->n; i++) {
		struct head *shorter = &c->v[i];

		if (shorter->n > done) {
			chain = hash64_mix(chain,
			    hash64((struct str){ c->bytes + done,
				shorter->n - done }));
			done = shorter->n;
		}
		if (i == at)
			h->chain = chain;
		else if (shorter->n < h->n && shorter->chain == chain &&
			 may_be_copies(shorter, h))
			shorter->longer = at;
	}
}

/*
 * [from, to) begin alike, the shorter first.  Each walk knows the chains of the
 * shorter ones, and the last to come is the longest.
 */
static void
settle_begins(struct copies *c, size_t from, size_t to)
{
	size_t whole = to;
	size_t lengths = 0;

	while (whole > from && c->v[whole - 1].n == HEAD_BYTES)
		whole--;
	for (size_t i = whole; i > from; i--) {
		lengths += i == whole || c->v[i - 1].n != c->v[i].n;
		if (lengths > LENGTHS_MAX)
			from = i;
	}
	if (c->v[to - 1].begin == 0 || whole == from ||
	    c->v[from].n == c->v[to - 1].n)
		return;
	for (size_t i = from; i < to; i++)
		walk(c, i, from, whole);
	for (size_t i = whole; i-- > from;)
		if (c->v[i].longer)
			c->v[i].input->content =
			    c->v[c->v[i].longer].input->content;
}

static bool
is_equal(const struct head *a, const struct head *b)
{
	return a->n == b->n && a->hash == b->hash;
}

static bool
begins_alike(const struct head *a, const struct head *b)
{
	return a->begin == b->begin;
}

/* Settles every group of heads that are alike, one behind the other. */
static void
settle(struct copies *c,
    bool (*alike)(const struct head *, const struct head *),
    void (*group)(struct copies *, size_t, size_t))
{
	size_t to;

	for (size_t i = 0; i < c->n; i = to) {
		for (to = i + 1; to < c->n && alike(&c->v[i], &c->v[to]); to++)
			continue;
		if (to - i > 1)
			group(c, i, to);
	}
}

void
copies_find(struct inputs *in, const struct limits *limits)
{
	struct copies c = { .limits = limits };

	c.v = xcalloc(in->n, sizeof *c.v);
	c.bytes = xcalloc(HEAD_BYTES, 1);
	for (size_t i = 0; i < in->n; i++)
		if (in->v[i].state == INPUT_READ && in->v[i].stream.n == 0)
			add(&c, &in->v[i]);
	if (c.n > 1)
		qsort(c.v, c.n, sizeof *c.v, by_content);
	for (size_t i = 0; i < c.n; i++)
		c.v[i].same = i;
	settle(&c, is_equal, settle_equal);
	settle(&c, begins_alike, settle_begins);
	free(c.v);
	free(c.bytes);
}
