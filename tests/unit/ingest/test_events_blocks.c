/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What comes out of an input does not depend on how its bytes come in.  Each
 * input is repeated until it is longer than what is sniffed, so that blocks
 * matter, and read in blocks of several sizes and with small limits.
 */
#include <criterion/criterion.h>
#include <ftw.h>
#include <stdlib.h>

#include "core/mem.h"
#include "dump.h"

enum { LONG_ENOUGH = 70 * 1024, TOO_LONG = 90 * 1024, FILES_MAX = 400 };

static const char corpus[] = "../shared/corpus";
static char *files[FILES_MAX];
static size_t n_files;

static int
note_file(const char *path, const struct stat *st, int flag, struct FTW *where)
{
	(void)st;
	(void)where;
	if (flag == FTW_F && n_files < FILES_MAX) {
		size_t n = strlen(path) + 1;

		files[n_files] = xcalloc(n, 1);
		memcpy(files[n_files++], path, n);
	}
	return 0;
}

static int
by_name(const void *a, const void *b)
{
	char *const *x = a;
	char *const *y = b;

	return strcmp(*x, *y);
}

static bool
packed(struct str s)
{
	return s.n > 1 && memcmp(s.p, "\x1f\x8b", 2) == 0;
}

static void
expect_same(const char *name, struct str bytes, struct limits limits)
{
	static const size_t blocks[] = { 1, 2, 3, 7, 64, 4096 };
	struct buf whole = { 0 };

	limits.block_bytes = 1024 * 1024;
	dump_bytes(&whole, bytes, &limits);
	for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
		struct buf out = { 0 };

		limits.block_bytes = blocks[i];
		dump_bytes(&out, bytes, &limits);
		cr_expect(str_eq(buf_view(&out), buf_view(&whole)),
		    "%s: blocks of %zu bytes give another result", name,
		    blocks[i]);
		buf_fini(&out);
	}
	buf_fini(&whole);
}

static void
expect_file_same(const char *path, const struct limits *limits)
{
	struct buf file = { 0 };
	struct buf text = { 0 };

	cr_assert(dump_file(&file, path), "%s cannot be read", path);
	if (!packed(buf_view(&file)))
		file.n = file.n > TOO_LONG ? TOO_LONG : file.n;
	buf_str(&text, buf_view(&file));
	while (text.n < LONG_ENOUGH && file.n > 0 && !packed(buf_view(&file)))
		buf_str(&text, buf_view(&file));
	expect_same(path, buf_view(&text), *limits);
	buf_fini(&file);
	buf_fini(&text);
}

static bool
find_files(void)
{
	nftw(corpus, note_file, 16, FTW_PHYS);
	qsort(files, n_files, sizeof *files, by_name);
	if (n_files == 0)
		cr_skip("%s is not there", corpus);
	return n_files > 0;
}

static void
forget_files(void)
{
	while (n_files > 0)
		free(files[--n_files]);
}

Test(events_blocks, corpus_is_the_same_in_any_blocks)
{
	if (!find_files())
		return;
	for (size_t i = 0; i < n_files; i++)
		expect_file_same(files[i], &limits_default);
	forget_files();
}

Test(events_blocks, corpus_is_the_same_in_any_blocks_under_small_limits)
{
	struct limits limits = limits_default;

	limits.line_bytes = 150;
	limits.document_bytes = 700;
	limits.event_lines = 3;
	if (!find_files())
		return;
	for (size_t i = 0; i < n_files; i++)
		expect_file_same(files[i], &limits);
	forget_files();
}

/* Pieces that are put together at random, with a generator of our own. */
static const char *const pieces[] = {
	"2018-11-27T08:47:55.123Z",
	" message\n",
	"\n",
	"\r\n",
	"  at line\n",
	"{\"a\":1}",
	"{\"id\":\"a\",\"name\":\"b\",\"start_time\":1}\n",
	"{\"id\":\"a\",\"name\":\"b\",\"start_time\":1}",
	"{\"logEvents\":[{\"id\":\"1\",\"timestamp\":1,\"message\":\"a\\n\"},",
	"{\"id\":\"2\",\"timestamp\":2,\"message\":\"b\"}",
	"]",
	"}",
	"],\"logGroup\":\"g\"}",
	"{\"log\":\"part\"}\n",
	"{\"log\":\"end\\n\",\"stream\":\"stdout\"}\n",
	"{\"events\": [\n",
	"{\"timestamp\":3,\"message\":\"c\",\"eventId\":\"9\"},\n",
	"\"",
	"\\",
	",",
	"[",
	"{",
	"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
	"text 12345\n",
	"1,\"a\"\"b\n\",c\n",
	"timestamp,message\n",
	"2025-12-31T17:37:40.493035218+01:00 stdout P ab\n",
	"2025-12-31T17:37:40.493035218+01:00 stdout F cd\n",
	"2018-06-04T21:58:13.187000+00:00 s m\n",
	"{\"awslogs\":{\"data\":\"eyJhIjoxfQ==\"}}\n",
	"{\"records\":[{\"data\":\"SGVsbG8gV29ybGQ=\"},",
	"{\"Traces\":[{\"Id\":\"1\",\"Segments\":[{\"Id\":\"x\",\"Document\":",
	"\"{\\\"id\\\":1}\"}",
	"\xff\xfe\x80",
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
};

static uint64_t
next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) +
		 UINT64_C(1442695040888963407);
	return *state >> 33;
}

Test(events_blocks, mixed_pieces_are_the_same_in_any_blocks)
{
	/* What is sniffed first decides the envelope; then anything comes. */
	static const char *const begins[] = {
		"{\"a\":1}\n",
		"2018-11-27T08:47:55.123Z message\n",
		"2018-06-04T21:58:13.187000+00:00 s m\n",
		"timestamp,message\n",
		"2025-12-31T17:37:40.493035218+01:00 stdout F cd\n",
		"text\n",
	};
	struct limits limits = limits_default;
	uint64_t random = 1;

	limits.line_bytes = 200;
	limits.document_bytes = 300;
	limits.event_lines = 4;
	for (size_t round = 0; round < 36; round++) {
		struct buf text = { 0 };
		size_t n = sizeof pieces / sizeof *pieces;

		while (text.n < 64 * 1024)
			buf_cat(&text, begins[round % 6]);
		for (int i = 0; i < 400; i++)
			buf_cat(&text, pieces[next_random(&random) % n]);
		expect_same("mixed pieces", buf_view(&text), limits);
		buf_fini(&text);
	}
}
