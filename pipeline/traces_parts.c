/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See the header.
 *
 * A chunk begins small and its successors double up to CHUNK_MAX, so that a
 * little archive takes little memory and a large one is written in blocks that
 * a disk likes.  A document larger than that has a chunk of its own.  Chunks
 * go to disk whole, one extent each.
 */
#include "pipeline/traces_parts.h"

#include <errno.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/tempfile.h"

enum {
	CHUNK_MIN = 4 * 1024,
	CHUNK_MAX = 128 * 1024, /* with its head */
	SLAB = 2 * 1024 * 1024,
	ALIGN = 8,
};

struct chunk {
	struct chunk *next;
	size_t n, cap;
	bool of_slab;
	alignas(ALIGN) char bytes[];
};

/* Chunks of the largest size, on pages as large as the machine has them. */
struct slab {
	struct slab *next;
	char *bytes;
};

struct extent {
	uint64_t offset;
	uint64_t n;
};

struct part {
	struct chunk *first, *last;
	size_t bytes;
	struct extent *extents;
	size_t n_extents, cap_extents;
	bool any, mixed; /* mixed: of several traces */
	uint8_t trace[16];
};

struct parts {
	struct part part[PARTS];
	size_t held; /* memory of chunks in use */
	struct slab *slabs;
	struct chunk *spare; /* of the slabs: not in use */
	size_t budget;
	size_t chunk_max; /* with its head */
	uint64_t end;     /* of the file */
	unsigned level;
	int fd; /* -1: nothing is on disk */
};

struct parts *
parts_new(size_t budget_bytes, unsigned level)
{
	struct parts *p = xcalloc(1, sizeof *p);

	p->budget = budget_bytes;
	p->level = level;
	p->fd = -1;
	p->chunk_max = budget_bytes / PARTS / 4;
	if (p->chunk_max > CHUNK_MAX)
		p->chunk_max = CHUNK_MAX;
	if (p->chunk_max < CHUNK_MIN)
		p->chunk_max = CHUNK_MIN;
	return p;
}

/* A chunk that nobody needs: to those of its slab, or back. */
static void
chunk_drop(struct parts *p, struct chunk *c)
{
	p->held -= sizeof *c + c->cap;
	if (!c->of_slab) {
		free(c);
		return;
	}
	c->next = p->spare;
	p->spare = c;
}

void
parts_drop(struct parts *p, unsigned part)
{
	struct part *of = &p->part[part];

	while (of->first) {
		struct chunk *c = of->first;

		of->first = c->next;
		chunk_drop(p, c);
	}
	of->last = NULL;
}

static void
slabs_free(struct parts *p)
{
	while (p->slabs) {
		struct slab *s = p->slabs;

		p->slabs = s->next;
		free(s->bytes);
		free(s);
	}
	p->spare = NULL;
}

void
parts_free(struct parts *p)
{
	if (!p)
		return;
	for (unsigned i = 0; i < PARTS; i++) {
		parts_drop(p, i);
		free(p->part[i].extents);
	}
	slabs_free(p);
	if (p->fd >= 0)
		close(p->fd);
	free(p);
}

/* Six of the 192 bits, from 6 * level on. */
static unsigned
part_of(const struct part_head *head, unsigned level)
{
	uint8_t bytes[26] = { 0 };
	unsigned bit = level * PARTS_BITS;
	unsigned two;

	if (level == 0)
		return (unsigned)(head->hash >> (64 - PARTS_BITS));
	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(head->hash >> (56 - 8 * i));
	memcpy(bytes + 8, head->trace, sizeof head->trace);
	two = (unsigned)bytes[bit / 8] << 8 | bytes[bit / 8 + 1];
	return two >> (16 - PARTS_BITS - bit % 8) & (PARTS - 1);
}

static int
write_at(int fd, struct str s, uint64_t offset, struct err *err)
{
	while (s.n > 0) {
		ssize_t n = pwrite(fd, s.p, s.n, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set(err, "temporary file: cannot write: %s",
			    strerror(n < 0 ? errno : ENOSPC));
		s = str_from(s, (size_t)n);
		offset += (uint64_t)n;
	}
	return 0;
}

static int
part_spill(struct parts *p, unsigned part, struct err *err)
{
	struct part *of = &p->part[part];

	for (const struct chunk *c = of->first; c; c = c->next) {
		struct str bytes = { c->bytes, c->n };

		if (write_at(p->fd, bytes, p->end, err) != 0)
			return -1;
		of->extents = xgrow(of->extents, of->n_extents + 1,
		    &of->cap_extents, sizeof *of->extents);
		of->extents[of->n_extents++] = (struct extent){ p->end, c->n };
		p->end += c->n;
	}
	parts_drop(p, part);
	return 0;
}

static int
spill(struct parts *p, struct err *err)
{
	if (p->fd < 0)
		p->fd = tempfile_open(err);
	if (p->fd < 0)
		return -1;
	for (unsigned i = 0; i < PARTS; i++)
		if (part_spill(p, i, err) != 0)
			return -1;
	return 0;
}

static void
slab_add(struct parts *p)
{
	struct slab *s = xcalloc(1, sizeof *s);

	s->bytes = xaligned(SLAB, SLAB);
	/* Where large pages are not to be had, small ones do. */
	(void)madvise(s->bytes, SLAB, MADV_HUGEPAGE);
	s->next = p->slabs;
	p->slabs = s;
	for (size_t at = 0; at < SLAB; at += CHUNK_MAX) {
		struct chunk *c = (struct chunk *)(void *)(s->bytes + at);

		*c = (struct chunk){ .next = p->spare,
			.cap = CHUNK_MAX - sizeof *c,
			.of_slab = true };
		p->spare = c;
	}
}

/* An empty chunk of so many bytes, its head included. */
static struct chunk *
chunk_new(struct parts *p, size_t size)
{
	struct chunk *c;

	if (size != CHUNK_MAX) {
		c = xrealloc(NULL, 1, size);
		*c = (struct chunk){ .cap = size - sizeof *c };
		return c;
	}
	if (!p->spare)
		slab_add(p);
	c = p->spare;
	p->spare = c->next;
	c->next = NULL;
	c->n = 0;
	return c;
}

static struct chunk *
chunk_add(struct parts *p, struct part *of, size_t n)
{
	size_t size = CHUNK_MIN;
	struct chunk *c;

	if (of->last)
		size = (sizeof *c + of->last->cap) * 2;
	if (size > p->chunk_max || p->fd >= 0)
		size = p->chunk_max;
	if (size < sizeof *c + n)
		size = sizeof *c + n;
	c = chunk_new(p, size);
	if (of->last)
		of->last->next = c;
	else
		of->first = c;
	of->last = c;
	p->held += size;
	return c;
}

static size_t
aligned(size_t n)
{
	return (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

/* What is in the chunk of a document. */
static size_t
stored(const struct part_head *head)
{
	size_t text = head->away ? sizeof(struct part_away) : head->n;

	return aligned(sizeof *head + head->id_n + text + head->marks_n);
}

/* Room for one document of n bytes; NULL: the disk is full. */
static char *
room_for(struct parts *p, const struct part_head *head, size_t n,
    struct err *err)
{
	struct part *of;
	struct chunk *c;
	char *at;

	if (p->held >= p->budget && spill(p, err) != 0)
		return NULL;
	of = &p->part[part_of(head, p->level)];
	if (!of->any)
		memcpy(of->trace, head->trace, sizeof of->trace);
	else if (!of->mixed)
		of->mixed =
		    memcmp(of->trace, head->trace, sizeof of->trace) != 0;
	of->any = true;
	c = of->last;
	if (!c || c->cap - c->n < n)
		c = chunk_add(p, of, n);
	at = c->bytes + c->n;
	c->n += n;
	of->bytes += n + (head->away ? head->n : 0);
	return at;
}

static char *
put(char *at, struct str s)
{
	if (s.n > 0)
		memcpy(at, s.p, s.n);
	return at + s.n;
}

int
parts_put(struct parts *p, const struct part_head *head,
    const struct part_texts *texts, struct err *err)
{
	size_t n = stored(head);
	char *room = room_for(p, head, n, err);
	char *at = room;

	if (!room)
		return -1;
	at = put(at, (struct str){ (const char *)head, sizeof *head });
	at = put(at, texts->id);
	at = put(at, texts->text);
	at = put(at, texts->marks);
	memset(at, 0, (size_t)(room + n - at));
	return 0;
}

int
parts_put_raw(struct parts *p, struct str raw, struct err *err)
{
	struct part_head head = parts_head(raw);
	char *at = room_for(p, &head, raw.n, err);

	if (!at)
		return -1;
	memcpy(at, raw.p, raw.n);
	return 0;
}

int
parts_seal(struct parts *p, struct err *err)
{
	if (p->fd < 0)
		return 0;
	if (spill(p, err) != 0)
		return -1;
	slabs_free(p);
	return 0;
}

size_t
parts_bytes(const struct parts *p, unsigned part)
{
	return p->part[part].bytes;
}

bool
parts_spilled(const struct parts *p)
{
	return p->fd >= 0;
}

const uint8_t *
parts_first(const struct parts *p, unsigned part)
{
	return p->part[part].any ? p->part[part].trace : NULL;
}

bool
parts_only(const struct parts *p, unsigned part, const uint8_t trace[16])
{
	const struct part *of = &p->part[part];

	if (!of->any)
		return true;
	return !of->mixed && memcmp(of->trace, trace, sizeof of->trace) == 0;
}

static int
read_at(int fd, char *to, size_t n, uint64_t offset, struct err *err)
{
	while (n > 0) {
		ssize_t got = pread(fd, to, n, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return err_set(err, "temporary file: cannot read: %s",
			    got < 0 ? strerror(errno) : "it became shorter");
		to += got;
		n -= (size_t)got;
		offset += (uint64_t)got;
	}
	return 0;
}

int
parts_chunk(const struct parts *p, unsigned part, size_t *at, struct buf *room,
    struct str *chunk, struct err *err)
{
	const struct part *of = &p->part[part];
	const struct chunk *c = of->first;
	size_t i = (*at)++;

	if (p->fd >= 0) {
		const struct extent *x;

		if (i >= of->n_extents)
			return 0;
		x = &of->extents[i];
		*chunk = (struct str){ buf_room(room, x->n), x->n };
		if (read_at(p->fd, room->p + room->n, x->n, x->offset, err))
			return -1;
		room->n += x->n;
		return 1;
	}
	/* In memory a partition has few chunks: they are counted off. */
	while (c && i-- > 0)
		c = c->next;
	if (!c)
		return 0;
	*chunk = (struct str){ c->bytes, c->n };
	return 1;
}

struct part_head
parts_head(struct str raw)
{
	struct part_head head;

	memcpy(&head, raw.p, sizeof head);
	return head;
}

struct str
parts_id(struct str raw)
{
	return str_sub(raw, sizeof(struct part_head), parts_head(raw).id_n);
}

struct str
parts_text(struct str raw)
{
	struct part_head head = parts_head(raw);

	return str_sub(raw, sizeof head + head.id_n, head.n);
}

struct str
parts_marks(struct str raw)
{
	struct part_head head = parts_head(raw);

	return str_sub(raw, sizeof head + head.id_n + head.n, head.marks_n);
}

struct part_away
parts_away(struct str raw)
{
	struct part_head head = parts_head(raw);
	struct part_away away;

	memcpy(&away, raw.p + sizeof head + head.id_n, sizeof away);
	return away;
}

bool
parts_take(struct str *chunk, struct str *raw)
{
	struct part_head head;

	if (chunk->n < sizeof head)
		return false;
	head = parts_head(*chunk);
	*raw = str_sub(*chunk, 0, stored(&head));
	*chunk = str_from(*chunk, raw->n);
	return true;
}
