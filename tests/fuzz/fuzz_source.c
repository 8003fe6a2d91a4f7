/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a file: no crash, no more output than the bomb limit allows,
 * and the same bytes and notes for two sizes of blocks.  The first byte of the
 * input chooses the second size.
 *
 *   clang -fsanitize=fuzzer,address,undefined ... tests/fuzz/fuzz_source.c
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/buf.h"
#include "ingest/input.h"
#include "ingest/source.h"

enum { FREE = 1 << 20, RATIO = 64, STEP = 64 << 10 };

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

struct result {
	bool opened;
	struct buf out;
	struct source_notes notes;
};

static void
read_all(char *path, size_t block, size_t cap, struct result *r)
{
	struct limits limits = limits_default;
	struct input in = { .path = path };
	struct err err;
	enum flow f = FLOW_OK;

	limits.block_bytes = block;
	limits.inflate_free = FREE;
	limits.inflate_ratio = RATIO;
	struct source *s = source_open(&in, &limits, &err);
	r->opened = s != NULL;
	if (!s)
		return;
	while (f == FLOW_OK) {
		size_t got;
		f = source_read(s, buf_room(&r->out, cap), cap, &got, &err);
		r->out.n += got;
	}
	if (f != FLOW_END)
		abort();
	r->notes = *source_notes(s);
	source_close(s);
}

static bool
same(const struct result *a, const struct result *b)
{
	return a->opened == b->opened &&
	       str_eq(buf_view(&a->out), buf_view(&b->out)) &&
	       a->notes.broken == b->notes.broken &&
	       a->notes.members == b->notes.members &&
	       a->notes.bomb == b->notes.bomb &&
	       a->notes.zero_tail == b->notes.zero_tail &&
	       strcmp(a->notes.what, b->notes.what) == 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const size_t sizes[] = { 1, 7, 4096, 100000 };
	struct result a = { 0 }, b = { 0 };
	char path[64];

	if (n == 0)
		return 0;
	int fd = memfd_create("fuzz", 0);
	if (fd < 0 || write(fd, p + 1, n - 1) != (ssize_t)(n - 1))
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	read_all(path, 256 << 10, 256 << 10, &a);
	read_all(path, sizes[p[0] & 3], sizes[p[0] >> 2 & 3], &b);
	close(fd);
	if (!same(&a, &b))
		abort();
	size_t most = (n / STEP + 1) * STEP * RATIO;
	if (a.out.n > (most > FREE ? most : FREE))
		abort();
	buf_fini(&a.out);
	buf_fini(&b.out);
	return 0;
}
