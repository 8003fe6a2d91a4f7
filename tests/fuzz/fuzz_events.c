/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as an input: no crash, nothing that points outside, and the same
 * events and dead letters for two sizes of blocks.
 *
 * The first byte of the input says what stands before the others: nothing, or
 * a line of one envelope and then blank ones, as many as are sniffed, so that
 * what follows meets that envelope's reader and the window's edges.  The second
 * one chooses the size of blocks and the limits.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/hash.h"
#include "core/mem.h"
#include "ingest/events.h"
#include "ingest/input.h"
#include "ingest/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static const char *const begins[] = {
	"",
	"{\"a\":1}\n",
	"2018-11-27T08:47:55.123Z message\n",
	"2018-06-04T21:58:13.187000+00:00 s m\n",
	"timestamp,message\n",
	"2025-12-31T17:37:40.493035218+01:00 stdout F cd\n",
	"text\n",
	"web-1  | line\n",
};

struct sums {
	uint64_t events, dead; /* hashes, in order */
	uint64_t n_events, n_dead;
};

static uint64_t
mix_place(uint64_t h, const struct place *place)
{
	return hash64_mix(hash64_mix(h, place->line), place->offset);
}

static void
add_batch(struct sums *s, const struct batch *b)
{
	for (size_t i = 0; i < b->n; i++) {
		const struct event *e = &b->events[i];

		s->events = mix_place(s->events, &e->place);
		s->events = hash64_mix(s->events, hash64(e->message));
		s->events = hash64_mix(s->events, hash64(e->group));
		s->events = hash64_mix(s->events, hash64(e->stream));
		s->events = hash64_mix(s->events, hash64(e->id));
		s->events = hash64_mix(s->events, (uint64_t)e->ts_ns);
		s->events = hash64_mix(s->events, b->what[i]);
	}
	for (size_t i = 0; i < b->n_dead; i++) {
		const struct dead *d = &b->dead[i];

		s->dead = mix_place(s->dead, &d->place);
		s->dead = hash64_mix(s->dead, hash64(d->bytes));
		s->dead = hash64_mix(s->dead, hash64(str_of(d->reason)));
	}
	s->n_events += b->n;
	s->n_dead += b->n_dead;
}

/* What is sniffed is read at once, all behind it in blocks of a size. */
static struct sums
read_all(char *path, struct limits *limits, size_t block)
{
	struct input in = { .path = path };
	struct batch *b = xcalloc(1, sizeof *b);
	struct err err;
	struct source *source = source_open(&in, limits, &err);
	struct sums sums = { 0 };
	enum flow flow = FLOW_OK;
	struct events *e;

	limits->block_bytes = 64 * 1024;
	if (!source) {
		free(b);
		return sums;
	}
	e = events_new(&in, 0, source, limits);
	while (flow == FLOW_OK) {
		flow = events_next(e, b, &err);
		limits->block_bytes = block;
		if (flow == FLOW_OK)
			add_batch(&sums, b);
	}
	if (flow != FLOW_END || events_why(e).n == 0)
		abort();
	events_free(e);
	batch_fini(b);
	free(b);
	return sums;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const size_t blocks[] = { 1, 2, 3, 7, 64, 500, 4096, 65537 };
	struct limits limits = limits_default;
	char path[64];
	struct buf text = { 0 };
	struct sums one;
	struct sums two;
	int fd;

	if (n < 2)
		return 0;
	buf_cat(&text, begins[p[0] % 8]);
	while (p[0] % 8 > 0 && text.n < 64 * 1024)
		buf_printf(&text, "%100s\n", "");
	buf_put(&text, p + 2, n - 2);
	if (p[1] & 8) {
		limits.line_bytes = 120;
		limits.document_bytes = 200;
		limits.event_lines = 4;
	}
	fd = memfd_create("fuzz", 0);
	if (fd < 0 || write(fd, text.p, text.n) != (ssize_t)text.n)
		abort();
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	one = read_all(path, &limits, 1024 * 1024);
	two = read_all(path, &limits, blocks[p[1] % 8]);
	if (memcmp(&one, &two, sizeof one) != 0)
		abort();
	close(fd);
	buf_fini(&text);
	return 0;
}
