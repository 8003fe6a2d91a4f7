/* SPDX-License-Identifier: Apache-2.0 */
/*
 * External merge sort (Knuth, TAOCP 3, 5.4).  A full buffer is sorted through
 * an index of its keys and written as a run of level 0; 64 runs of one level
 * are merged into one of the next, and their part of the file is given back,
 * so that a merge never reads from more than some two hundred places, however
 * much was sorted, and no record is rewritten more often than log64 of the
 * runs.
 */
#include "pipeline/spill.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/tempfile.h"

enum {
	FANIN = 64,             /* runs of one level */
	READ_BYTES = 32 * 1024, /* of each run while merging */
	WRITE_BYTES = 256 * 1024,
	RADIX_LEAST = 512, /* records; below, qsort is as good */
	NEAR_MOVES = 8,    /* a record, on average up to it, */
	NEAR_FREE = 64,    /* and so many more */
};

struct run {
	uint64_t offset; /* in the file */
	uint64_t count;  /* records */
	int level;
};

struct index {
	struct spill_key key;
	uint32_t at; /* record in the buffer */
};

struct spill {
	size_t size;     /* of a record */
	char *buffer;    /* unsorted while writing, sorted once sealed */
	char *aside;     /* room for one record while others move */
	size_t n;        /* records in it */
	size_t cap;      /* records it grows to */
	size_t allotted; /* records it has room for */
	struct index *index;
	struct run *runs;
	size_t n_runs;
	size_t cap_runs;
	uint64_t end; /* of the file */
	int fd;       /* -1: nothing was spilled */
};

/* One place that a merge reads from. */
struct reader {
	const struct spill *from;
	uint64_t offset; /* of what is not yet in the buffer */
	uint64_t left;   /* records not yet in the buffer */
	char *buffer;    /* owned, or the spill's own when left is 0 */
	bool owned;
	size_t at, n; /* records */
};

struct merge {
	size_t size;
	struct reader *readers;
	size_t *heap; /* readers by their present record, least first */
	size_t n_heap;
	bool started;
	bool failed;
	struct err err;
};

static int
key_cmp(const struct spill_key *a, const struct spill_key *b)
{
	if (a->hi != b->hi)
		return a->hi < b->hi ? -1 : 1;
	return a->lo < b->lo ? -1 : a->lo > b->lo;
}

static int
index_cmp(const void *a, const void *b)
{
	const struct index *x = a;
	const struct index *y = b;
	int c = key_cmp(&x->key, &y->key);

	return c ? c : (x->at > y->at) - (x->at < y->at);
}

struct spill *
spill_new(size_t record_bytes, size_t budget_bytes)
{
	struct spill *s = xcalloc(1, sizeof *s);

	assert(record_bytes >= sizeof(struct spill_key));
	assert(record_bytes % _Alignof(struct spill_key) == 0);
	s->size = record_bytes;
	s->aside = xcalloc(1, record_bytes);
	s->cap = budget_bytes / (record_bytes + sizeof(struct index));
	if (s->cap < 16)
		s->cap = 16;
	assert(s->cap < UINT32_MAX);
	s->fd = -1;
	return s;
}

void
spill_free(struct spill *s)
{
	if (!s)
		return;
	if (s->fd >= 0)
		close(s->fd);
	free(s->buffer);
	free(s->aside);
	free(s->index);
	free(s->runs);
	free(s);
}

static int
write_all(struct spill *s, const char *p, size_t n, struct err *err)
{
	while (n > 0) {
		ssize_t w = pwrite(s->fd, p, n, (off_t)s->end);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return err_set(err, "sorting needs room in $TMPDIR: %s",
			    strerror(w < 0 ? errno : ENOSPC));
		p += w;
		n -= (size_t)w;
		s->end += (uint64_t)w;
	}
	return 0;
}

static void
run_add(struct spill *s, uint64_t offset, uint64_t count, int level)
{
	s->runs = xgrow(s->runs, s->n_runs + 1, &s->cap_runs, sizeof *s->runs);
	s->runs[s->n_runs++] = (struct run){ offset, count, level };
}

/* The key's byte, the least of lo first. */
static inline unsigned
key_byte(const struct spill_key *k, unsigned byte)
{
	return (
	    uint8_t)(byte < 8 ? k->lo >> byte * 8 : k->hi >> (byte - 8) * 8);
}

/*
 * Radix sort, the least byte first; equal keys keep their order.  Keys are
 * times, small numbers and trace ids: many of their sixteen bytes are the same
 * in all of them and cost one look.  Three times as fast as qsort, which
 * guesses wrong at every second comparison of random ids.
 */
static void
sort_radix(struct spill *s)
{
	struct index *from = s->index;
	struct index *to = xcalloc(s->cap, sizeof *to);

	for (unsigned byte = 0; byte < sizeof from->key; byte++) {
		uint32_t place[256] = { 0 };
		struct index *last = from;
		uint32_t sum = 0;

		for (size_t i = 0; i < s->n; i++)
			place[key_byte(&from[i].key, byte)]++;
		if (place[key_byte(&from->key, byte)] == s->n)
			continue;
		for (int i = 0; i < 256; i++) {
			uint32_t n = place[i];

			place[i] = sum;
			sum += n;
		}
		for (size_t i = 0; i < s->n; i++)
			to[place[key_byte(&from[i].key, byte)]++] = from[i];
		from = to;
		to = last;
	}
	s->index = from;
	free(to);
}

/*
 * Insertion sort: logs are in order but for the records of one second.  False:
 * it gave up, since too much had to be moved.
 */
static bool
sort_near(struct spill *s)
{
	size_t moves = 0;

	for (size_t i = 1; i < s->n; i++) {
		struct index one = s->index[i];
		size_t at = i;

		while (at > 0 && moves < NEAR_FREE + i * NEAR_MOVES &&
		       key_cmp(&s->index[at - 1].key, &one.key) > 0) {
			s->index[at] = s->index[at - 1];
			at--;
			moves++;
		}
		s->index[at] = one;
		if (moves == NEAR_FREE + i * NEAR_MOVES)
			return false;
	}
	return true;
}

/* The buffer's keys in order; false: the buffer is in order as it is. */
static bool
sort_index(struct spill *s)
{
	bool ordered = true;

	if (!s->index)
		s->index = xcalloc(s->cap, sizeof *s->index);
	for (size_t i = 0; i < s->n; i++) {
		memcpy(&s->index[i].key, s->buffer + i * s->size,
		    sizeof(struct spill_key));
		s->index[i].at = (uint32_t)i;
		ordered &= i == 0 ||
			   key_cmp(&s->index[i - 1].key, &s->index[i].key) <= 0;
	}
	if (ordered || sort_near(s))
		return !ordered;
	if (s->n >= RADIX_LEAST)
		sort_radix(s);
	else
		qsort(s->index, s->n, sizeof *s->index, index_cmp);
	return true;
}

static char *
record_at(const struct spill *s, size_t i)
{
	return s->buffer + i * s->size;
}

/*
 * Moves the records of one cycle of the index, which begins at `first`, to
 * where they belong.
 */
static void
cycle_move(struct spill *s, size_t first)
{
	size_t to = first;
	size_t from;

	memcpy(s->aside, record_at(s, first), s->size);
	for (from = s->index[to].at; from != first; from = s->index[to].at) {
		memcpy(record_at(s, to), record_at(s, from), s->size);
		s->index[to].at = (uint32_t)to;
		to = from;
	}
	memcpy(record_at(s, to), s->aside, s->size);
	s->index[to].at = (uint32_t)to;
}

/*
 * Puts the buffer into order, where it is: memory that was never touched costs
 * more than the moves.
 */
static void
sort_buffer(struct spill *s)
{
	if (s->n < 2 || !sort_index(s))
		return;
	for (size_t i = 0; i < s->n; i++)
		if (s->index[i].at != i)
			cycle_move(s, i);
}

static int merge_level(struct spill *s, int level, struct err *err);

/* Writes the buffer as a run. */
static int
flush(struct spill *s, struct err *err)
{
	uint64_t offset = s->end;
	uint64_t count = s->n;

	if (s->fd < 0)
		s->fd = tempfile_open(err);
	if (s->fd < 0)
		return -1;
	sort_buffer(s);
	if (write_all(s, s->buffer, s->n * s->size, err) != 0)
		return -1;
	s->n = 0;
	run_add(s, offset, count, 0);
	return merge_level(s, 0, err);
}

int
spill_put(struct spill *s, const struct spill_key *record, struct err *err)
{
	if (s->n == s->cap && flush(s, err) != 0)
		return -1;
	if (s->n == s->allotted) {
		size_t more = s->allotted ? s->allotted * 2 : 64;

		s->allotted = more < s->cap ? more : s->cap;
		s->buffer = xrealloc(s->buffer, s->allotted, s->size);
	}
	memcpy(s->buffer + s->n++ * s->size, record, s->size);
	return 0;
}

void
spill_seal(struct spill *s)
{
	sort_buffer(s);
	free(s->index);
	s->index = NULL;
}

/* Makes sure that a record is there; false: the run has ended, or failed. */
static bool
reader_fill(struct merge *m, struct reader *r)
{
	size_t want = READ_BYTES / m->size;
	size_t bytes;
	size_t have = 0;

	if (r->at < r->n)
		return true;
	if (r->left == 0)
		return false;
	if (want == 0)
		want = 1;
	if (want > r->left)
		want = (size_t)r->left;
	bytes = want * m->size;
	while (have < bytes) {
		ssize_t got = pread(r->from->fd, r->buffer + have, bytes - have,
		    (off_t)(r->offset + have));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			m->failed = true;
			err_set(&m->err, "a sorted run cannot be read: %s",
			    strerror(got < 0 ? errno : EIO));
			return false;
		}
		have += (size_t)got;
	}
	r->offset += bytes;
	r->left -= want;
	r->at = 0;
	r->n = want;
	return true;
}

static const struct spill_key *
reader_key(const struct merge *m, size_t i)
{
	const struct reader *r = &m->readers[i];
	const void *at = r->buffer + r->at * m->size;

	return at;
}

static bool
less(const struct merge *m, size_t a, size_t b)
{
	int c = key_cmp(reader_key(m, a), reader_key(m, b));

	return c < 0 || (c == 0 && a < b);
}

static void
sift_down(struct merge *m, size_t i)
{
	for (;;) {
		size_t kid = 2 * i + 1;
		size_t t;

		if (kid >= m->n_heap)
			return;
		if (kid + 1 < m->n_heap &&
		    less(m, m->heap[kid + 1], m->heap[kid]))
			kid++;
		if (!less(m, m->heap[kid], m->heap[i]))
			return;
		t = m->heap[i];
		m->heap[i] = m->heap[kid];
		m->heap[kid] = t;
		i = kid;
	}
}

static struct merge *
merge_make(size_t size, size_t readers)
{
	struct merge *m = xcalloc(1, sizeof *m);

	m->size = size;
	m->readers = xcalloc(readers + 1, sizeof *m->readers);
	m->heap = xcalloc(readers + 1, sizeof *m->heap);
	return m;
}

static void
merge_add(struct merge *m, size_t i, const struct spill *from,
    const struct run *run)
{
	struct reader *r = &m->readers[i];

	*r = (struct reader){ .from = from };
	if (run) {
		size_t want = READ_BYTES / m->size;

		r->offset = run->offset;
		r->left = run->count;
		r->buffer = xcalloc(want ? want : 1, m->size);
		r->owned = true;
	} else {
		r->buffer = from->buffer;
		r->n = from->n;
	}
	if (reader_fill(m, r))
		m->heap[m->n_heap++] = i;
}

static void
heapify(struct merge *m)
{
	for (size_t i = m->n_heap / 2; i-- > 0;)
		sift_down(m, i);
}

struct merge *
merge_new(struct spill *const *spills, size_t n, struct err *err)
{
	size_t readers = 0;
	size_t size = 0;
	struct merge *m;

	for (size_t i = 0; i < n; i++) {
		if (!spills[i])
			continue;
		assert(size == 0 || size == spills[i]->size);
		size = spills[i]->size;
		readers += spills[i]->n_runs + 1;
	}
	m = merge_make(size, readers);
	readers = 0;
	for (size_t i = 0; i < n; i++) {
		if (!spills[i])
			continue;
		for (size_t k = 0; k < spills[i]->n_runs; k++)
			merge_add(m, readers++, spills[i], &spills[i]->runs[k]);
		merge_add(m, readers++, spills[i], NULL);
	}
	heapify(m);
	if (merge_failed(m, err) != 0) {
		merge_free(m);
		return NULL;
	}
	return m;
}

const struct spill_key *
merge_next(struct merge *m)
{
	struct reader *top;

	if (m->started && m->n_heap > 0) {
		top = &m->readers[m->heap[0]];
		top->at++;
		if (!reader_fill(m, top))
			m->heap[0] = m->heap[--m->n_heap];
		sift_down(m, 0);
	}
	m->started = true;
	if (m->failed || m->n_heap == 0)
		return NULL;
	return reader_key(m, m->heap[0]);
}

int
merge_failed(const struct merge *m, struct err *err)
{
	if (!m->failed)
		return 0;
	return err_set(err, "%s", m->err.text);
}

void
merge_free(struct merge *m)
{
	if (!m)
		return;
	for (struct reader *r = m->readers; r->from; r++)
		if (r->owned)
			free(r->buffer);
	free(m->readers);
	free(m->heap);
	free(m);
}

/* Copies a merge's records behind the file's end. */
static int
copy_merge(struct spill *s, struct merge *m, struct err *err)
{
	char *out = xcalloc(1, WRITE_BYTES + s->size);
	size_t n = 0;
	int rc = 0;
	const struct spill_key *k = merge_next(m);

	while (k && rc == 0) {
		memcpy(out + n, k, s->size);
		n += s->size;
		if (n >= WRITE_BYTES) {
			rc = write_all(s, out, n, err);
			n = 0;
		}
		k = merge_next(m);
	}
	if (rc == 0)
		rc = merge_failed(m, err);
	if (rc == 0)
		rc = write_all(s, out, n, err);
	free(out);
	return rc;
}

/* 64 runs of a level become one of the next. */
static int
merge_level(struct spill *s, int level, struct err *err)
{
	size_t first = s->n_runs;
	uint64_t begin;
	uint64_t offset = s->end;
	uint64_t count = 0;
	struct merge *m;
	int rc;

	while (first > 0 && s->runs[first - 1].level == level)
		first--;
	if (s->n_runs - first < FANIN)
		return 0;
	begin = s->runs[first].offset;
	m = merge_make(s->size, s->n_runs - first);
	for (size_t i = first; i < s->n_runs; i++) {
		merge_add(m, i - first, s, &s->runs[i]);
		count += s->runs[i].count;
	}
	heapify(m);
	rc = copy_merge(s, m, err);
	merge_free(m);
	if (rc != 0)
		return -1;
	/* Only a kindness to the disk: a file system may not know it. */
	(void)fallocate(s->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
	    (off_t)begin, (off_t)(offset - begin));
	s->n_runs = first;
	run_add(s, offset, count, level + 1);
	return merge_level(s, level + 1, err);
}
