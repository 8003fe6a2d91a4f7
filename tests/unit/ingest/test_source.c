/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes out of every packing, whole and damaged.  Files are memfds, read by
 * their path in /proc.  The same expectations hold for both inflaters: run it
 * as FLAVOUR=noisal too.
 */
#include "ingest/source.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "core/buf.h"
#include "core/hash.h"
#include "ingest/input.h"

enum { ZLIB = 15, GZIP = 31 };
#define DIGEST UINT64_C(0xf5fdf5323fbce41f)

/* What came out of a file. */
struct got {
	bool opened;
	struct err err;
	struct buf out;
	struct source_notes notes;
};

/* How a file is read. */
struct how {
	size_t block, cap;
};

static const struct how normal = { 256 << 10, 256 << 10 };
static const struct how hows[] = { { 1, 1 }, { 7, 7 }, { 4096, 4096 },
	{ 1 << 20, 1 << 20 }, { 1, 1 << 20 }, { 1 << 20, 100000 } };

static void
pack_with(struct buf *to, struct str s, int window, gz_header *header)
{
	z_stream z = { 0 };

	cr_assert_eq(deflateInit2(&z, 6, Z_DEFLATED, window, 8, 0), Z_OK);
	if (header)
		deflateSetHeader(&z, header);
	size_t room = deflateBound(&z, s.n) + 200000;
	z.next_out = (Bytef *)buf_room(to, room);
	z.avail_out = (uInt)room;
	z.next_in = (Bytef *)(uintptr_t)s.p;
	z.avail_in = (uInt)s.n;
	cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	to->n += room - z.avail_out;
	deflateEnd(&z);
}

static void
gz(struct buf *to, struct str s)
{
	pack_with(to, s, GZIP, NULL);
}

/* Lines that compress like a log's. */
static struct buf
lines(unsigned n)
{
	struct buf b = { 0 };
	unsigned x = 1;

	for (unsigned i = 0; i < n; i++) {
		x = x * 1103515245 + 12345;
		buf_printf(&b,
		    "2018-11-27T10:%02u:%02u.%03uZ 10.0.%u.%u - - \"GET "
		    "/mysfits/%08x/like HTTP/1.1\" 200 -\n",
		    i / 60 % 60, i % 60, x >> 8 & 511, x >> 17 & 3,
		    x >> 20 & 255, x);
	}
	return b;
}

static void
take(struct got *g, const char *path, const struct limits *limits, size_t cap)
{
	struct input in = { .path = (char *)(uintptr_t)path };
	struct source *s = source_open(&in, limits, &g->err);
	enum flow f = FLOW_OK;

	g->opened = s != NULL;
	if (!s)
		return;
	while (f == FLOW_OK) {
		size_t n = 0;
		f = source_read(s, buf_room(&g->out, cap), cap, &n, &g->err);
		cr_assert(n <= cap);
		cr_assert((f == FLOW_OK) == (n > 0));
		g->out.n += n;
	}
	cr_assert_eq(f, FLOW_END);
	g->notes = *source_notes(s);
	cr_assert_eq(g->notes.bytes, g->out.n);
	source_close(s);
}

static struct got
read_as(struct str file, struct how how)
{
	struct got g = { 0 };
	struct limits limits = limits_default;
	char path[64];
	int fd = memfd_create("source", 0);

	for (size_t at = 0; at < file.n;) {
		ssize_t n = write(fd, file.p + at, file.n - at);
		cr_assert(n > 0);
		at += (size_t)n;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	limits.block_bytes = how.block;
	take(&g, path, &limits, how.cap);
	close(fd);
	return g;
}

static struct got
read_file(struct buf file)
{
	return read_as(buf_view(&file), normal);
}

static void
drop(struct got *g)
{
	buf_fini(&g->out);
}

#define IS(g, text) str_eq(buf_view(&(g).out), (text))

Test(source, gives_plain_bytes_as_they_are)
{
	static const char *const texts[] = { "", "a", "x^2 + y\n", "BZ", "P",
		"\x1f", "PAR12 is no parquet", "x\x9c", "{\"a\":1}",
		"BZh11 is text" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct str s = str_of(texts[i]);
		struct got g = read_as(s, normal);
		cr_assert(g.opened, "%s", texts[i]);
		cr_assert(IS(g, s), "%s", texts[i]);
		cr_assert_eq(g.notes.broken, 0, "%s", texts[i]);
		drop(&g);
	}
}

Test(source, inflates_every_packing)
{
	struct buf text = lines(3000), half = { 0 }, file = { 0 };
	struct str s = buf_view(&text);
	gz_header full = { .name = (Bytef *)(uintptr_t) "a name",
		.comment = (Bytef *)(uintptr_t) "a comment",
		.extra = (Bytef *)(uintptr_t) "RA\2\0xx",
		.extra_len = 6,
		.hcrc = 1 };
	static const char *const names[] = { "gzip", "zlib", "two members",
		"every header field", "gzip in gzip", "gzip of two gzips",
		"zlib in gzip", "three layers" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct buf inner = { 0 };
		file.n = half.n = 0;
		if (i == 0)
			gz(&file, s);
		if (i == 1)
			pack_with(&file, s, ZLIB, NULL);
		if (i == 2 || i == 5) {
			gz(&inner, str_sub(s, 0, 1000));
			gz(&inner, str_from(s, 1000));
		}
		if (i == 3)
			pack_with(&file, s, GZIP, &full);
		if (i == 4 || i == 7)
			gz(&inner, s);
		if (i == 6)
			pack_with(&inner, s, ZLIB, NULL);
		if (i == 7) {
			gz(&half, buf_view(&inner));
			gz(&file, buf_view(&half));
		} else if (i == 2) {
			buf_str(&file, buf_view(&inner));
		} else if (i > 3) {
			gz(&file, buf_view(&inner));
		}
		for (size_t k = 0; k < sizeof(hows) / sizeof(*hows); k++) {
			struct got g = read_as(buf_view(&file), hows[k]);
			cr_assert(g.opened, "%s: %s", names[i], g.err.text);
			cr_assert(IS(g, s), "%s, how %zu", names[i], k);
			cr_assert_eq(g.notes.broken, 0, "%s", names[i]);
			cr_assert_eq(g.notes.members, i == 2 ? 2 : 1, "%s",
			    names[i]);
			cr_assert_eq(g.notes.bytes_packed, file.n);
			drop(&g);
		}
		buf_fini(&inner);
	}
	buf_fini(&text);
	buf_fini(&half);
	buf_fini(&file);
}

Test(source, leaves_a_fourth_layer_and_says_so)
{
	struct buf a = { 0 }, b = { 0 };

	buf_cat(&a, "deep\n");
	for (int i = 0; i < 4; i++) {
		b.n = 0;
		gz(&b, buf_view(&a));
		a.n = 0;
		buf_str(&a, buf_view(&b));
	}
	struct got g = read_file(a);
	cr_assert(str_starts(buf_view(&g.out), STR("\x1f\x8b")));
	cr_assert_str_eq(g.notes.what,
	    "packed more than 3 times: not unpacked further");
	drop(&g);
	buf_fini(&a);
	buf_fini(&b);
}

Test(source, reads_many_small_members)
{
	struct buf file = { 0 }, want = { 0 };

	for (int i = 0; i < 5000; i++) {
		size_t at = want.n;
		buf_printf(&want, "{\"messageType\":\"DATA_MESSAGE\",%d}", i);
		gz(&file, str_from(buf_view(&want), at));
	}
	struct got g = read_file(file);
	cr_assert(IS(g, buf_view(&want)));
	cr_assert_eq(g.notes.members, 5000);
	cr_assert_eq(g.notes.broken, 0);
	drop(&g);
	buf_fini(&file);
	buf_fini(&want);
}

Test(source, refuses_other_packings_with_a_word)
{
	static const struct {
		const char *name;
		struct str magic;
	} rows[] = {
		{ "zstd", { "\x28\xb5\x2f\xfd\x04\x58", 6 } },
		{ "bzip2", { "BZh91AY&SY\x01", 11 } },
		{ "xz", { "\xfd"
			  "7zXZ\0\0\4",
			    8 } },
		{ "zip", { "PK\x03\x04\x14\0", 6 } },
		{ "lz4", { "\x04\x22\x4d\x18\x64", 5 } },
		{ "snappy", { "\xff\x06\0\0sNaPpY", 10 } },
		{ "parquet", { "PAR1\x15\x04", 6 } },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf packed = { 0 };
		char want[64];
		snprintf(want, sizeof(want),
		    "%s is not built in: unpack it first", rows[i].name);
		gz(&packed, rows[i].magic);
		struct str files[] = { rows[i].magic, buf_view(&packed) };
		for (size_t k = 0; k < 2; k++) {
			struct got g = read_as(files[k], hows[k * 3]);
			cr_assert(!g.opened, "%s", rows[i].name);
			cr_assert(str_starts(str_of(g.err.text), str_of(want)),
			    "%s", g.err.text);
			drop(&g);
		}
		buf_fini(&packed);
	}
}

Test(source, ignores_zeros_behind_the_last_member)
{
	struct buf file = { 0 };

	gz(&file, STR("one\n"));
	buf_put(&file, (char[1000]){ 0 }, 1000);
	struct got g = read_file(file);
	cr_assert(IS(g, STR("one\n")));
	cr_assert(g.notes.zero_tail);
	cr_assert_eq(g.notes.broken, 0);
	drop(&g);

	gz(&file, STR("two\n"));
	g = read_file(file);
	cr_assert(IS(g, STR("one\ntwo\n")));
	cr_assert(!g.notes.zero_tail);
	cr_assert_eq(g.notes.broken, 0);
	drop(&g);
	buf_fini(&file);
}

Test(source, goes_on_behind_garbage_at_the_next_member)
{
	struct buf file = { 0 };

	gz(&file, STR("one\n"));
	buf_cat(&file, "garbage \x1f\x8b\x08 more garbage");
	struct got g = read_file(file);
	cr_assert(IS(g, STR("one\n")));
	cr_assert_eq(g.notes.broken, 1);
	cr_assert_str_eq(g.notes.what,
	    "gzip member 1, at byte 24: what follows it is no gzip member");
	drop(&g);

	gz(&file, STR("two\n"));
	g = read_file(file);
	cr_assert(IS(g, STR("one\ntwo\n")));
	cr_assert_eq(g.notes.broken, 1);
	cr_assert_eq(g.notes.members, 2);
	drop(&g);
	buf_fini(&file);
}

Test(source, a_torn_line_is_not_the_beginning_of_the_next_member)
{
	struct buf text = lines(4), file = { 0 };

	/* A stored block of 7 bytes, then one of a type that there is not. */
	buf_cat(&file, "\x1f\x8b\x08");
	buf_str(&file, STR("\0\0\0\0\0\0\x03"));
	buf_str(&file, STR("\0\x07\0\xf8\xff"
			   "one\ntwo\x07"));
	gz(&file, buf_view(&text));
	struct got g = read_file(file);
	cr_assert(str_starts(buf_view(&g.out), STR("one\ntwo\n")));
	cr_assert(str_ends(buf_view(&g.out), buf_view(&text)));
	cr_assert_eq(g.out.n, 8 + text.n);
	drop(&g);
	buf_fini(&text);
	buf_fini(&file);
}

Test(source, gives_all_that_a_cut_member_holds)
{
	struct buf text = lines(200), file = { 0 };
	size_t before = 0;

	gz(&file, buf_view(&text));
	for (size_t n = 3; n < file.n; n++) {
		struct got g = read_as(str_sub(buf_view(&file), 0, n), normal);
		cr_assert(str_starts(buf_view(&text), buf_view(&g.out)));
		cr_assert(g.out.n >= before, "at %zu", n);
		cr_assert_eq(g.notes.broken, 1, "at %zu", n);
		cr_assert(strstr(g.notes.what, "ended early"), "at %zu", n);
		before = g.out.n;
		drop(&g);
	}
	cr_assert_eq(before, text.n);
	buf_fini(&text);
	buf_fini(&file);
}

static uint64_t
digest(uint64_t h, const struct got *g)
{
	h = hash64_mix(h, hash64(buf_view(&g->out)));
	h = hash64_mix(h, hash64(str_of(g->notes.what)));
	h = hash64_mix(h, g->notes.members);
	return hash64_mix(h, g->notes.broken);
}

/*
 * Every byte of a file of two members is damaged in three ways.  The digest
 * over all that came out is one number, whichever library inflates.
 */
Test(source, damage_anywhere_leaves_the_other_member_whole)
{
	struct buf one = lines(60), two = lines(40), file = { 0 };
	uint64_t h = 0;
	size_t second;

	gz(&file, buf_view(&one));
	second = file.n;
	gz(&file, buf_view(&two));
	for (size_t at = 2; at < file.n; at++) {
		for (unsigned flip = 1; flip < 256; flip *= 15) {
			file.p[at] = (char)(file.p[at] ^ flip);
			struct got g = read_file(file);
			file.p[at] = (char)(file.p[at] ^ flip);
			h = digest(h, &g);
			struct str out = buf_view(&g.out);
			if (at < second)
				cr_assert(str_ends(out, buf_view(&two)),
				    "byte %zu ^ %u: %s", at, flip,
				    g.notes.what);
			else
				cr_assert(str_starts(out, buf_view(&one)),
				    "byte %zu ^ %u", at, flip);
			drop(&g);
		}
	}
	cr_assert_eq(h, DIGEST, "%016llx", (unsigned long long)h);
	buf_fini(&one);
	buf_fini(&two);
	buf_fini(&file);
}

Test(source, damage_reads_the_same_in_any_block_size)
{
	struct buf text = lines(3000), file = { 0 };
	unsigned x = 7;

	for (int i = 0; i < 6; i++)
		gz(&file, str_sub(buf_view(&text), (size_t)i * 40000, 40000));
	for (int i = 0; i < 40; i++) {
		x = x * 1103515245 + 12345;
		size_t at = 2 + (x >> 4) % (file.n - 2);
		file.p[at] ^= 0x10;
		struct got g = read_file(file);
		uint64_t want = digest(0, &g);
		drop(&g);
		for (size_t k = 0; k < sizeof(hows) / sizeof(*hows); k++) {
			g = read_as(buf_view(&file), hows[k]);
			cr_assert_eq(digest(0, &g), want, "%zu: how %zu", at,
			    k);
			drop(&g);
		}
		file.p[at] ^= 0x10;
	}
	buf_fini(&text);
	buf_fini(&file);
}

Test(source, a_wrong_checksum_is_noted_and_the_next_member_read)
{
	struct buf file = { 0 };

	gz(&file, STR("one\n"));
	file.p[file.n - 1] ^= 1;
	gz(&file, STR("two\n"));
	file.p[file.n - 5] ^= 1;
	gz(&file, STR("three\n"));
	struct got g = read_file(file);
	cr_assert(IS(g, STR("one\ntwo\nthree\n")));
	cr_assert_eq(g.notes.broken, 2);
	cr_assert_eq(g.notes.members, 3);
	cr_assert_str_eq(g.notes.what,
	    "gzip member 1, at byte 0: its length does not match");
	drop(&g);
	buf_fini(&file);
}

Test(source, reads_long_headers_and_checks_their_checksum)
{
	static Bytef extra[60000], name[90000];
	gz_header header = { .name = name,
		.extra = extra,
		.extra_len = sizeof(extra),
		.hcrc = 1 };
	struct buf file = { 0 };

	memset(name, 'n', sizeof(name) - 1);
	pack_with(&file, STR("one\n"), GZIP, &header);
	struct got g = read_file(file);
	cr_assert(IS(g, STR("one\n")));
	cr_assert_eq(g.notes.broken, 0);
	drop(&g);

	file.p[70000] = 'm';
	g = read_file(file);
	cr_assert(IS(g, STR("one\n")));
	cr_assert_str_eq(g.notes.what,
	    "gzip member 1, at byte 0: the header's checksum does not match");
	drop(&g);
	buf_fini(&file);
}

Test(source, stops_a_bomb_at_the_limit)
{
	struct buf zeros = { 0 }, once = { 0 }, file = { 0 };
	struct limits limits = limits_default;

	memset(buf_room(&zeros, 8 << 20), 0, 8 << 20);
	zeros.n = 8 << 20;
	gz(&once, buf_view(&zeros));
	gz(&file, buf_view(&once));
	limits.inflate_free = 1 << 20;
	limits.inflate_ratio = 16;
	int fd = memfd_create("bomb", 0);
	cr_assert_eq(write(fd, file.p, file.n), (ssize_t)file.n);
	char path[64];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	for (size_t k = 0; k < sizeof(hows) / sizeof(*hows); k++) {
		struct got g = { 0 };
		if (hows[k].cap < 4096)
			continue;
		limits.block_bytes = hows[k].block;
		take(&g, path, &limits, hows[k].cap);
		cr_assert(g.notes.bomb);
		cr_assert_eq(g.out.n, 1 << 20);
		cr_assert_str_eq(g.notes.what,
		    "inflates to more than 16 times its size: stopped after "
		    "1048576 bytes");
		drop(&g);
	}
	close(fd);
	buf_fini(&zeros);
	buf_fini(&once);
	buf_fini(&file);
}

Test(source, reads_a_slow_pipe_without_losing_the_first_bytes)
{
	struct buf text = lines(500), file = { 0 };
	struct got g = { 0 };
	char path[64];
	int ends[2];

	gz(&file, buf_view(&text));
	cr_assert_eq(pipe(ends), 0);
	pid_t child = fork();
	if (child == 0) {
		for (size_t at = 0; at < file.n; at += at < 20 ? 1 : 997) {
			size_t n = at < 20 ? 1 : 997;
			if (n > file.n - at)
				n = file.n - at;
			if (write(ends[1], file.p + at, n) < 0)
				_exit(1);
			usleep(100);
		}
		_exit(0);
	}
	close(ends[1]);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[0]);
	take(&g, path, &limits_default, 4096);
	waitpid(child, NULL, 0);
	close(ends[0]);
	cr_assert(IS(g, buf_view(&text)));
	drop(&g);
	buf_fini(&text);
	buf_fini(&file);
}

Test(source, reads_standard_input_and_leaves_it_open)
{
	struct got g = { 0 };
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	cr_assert_eq(write(ends[1], "one\ntwo\n", 8), 8);
	close(ends[1]);
	dup2(ends[0], STDIN_FILENO);
	take(&g, "-", &limits_default, 3);
	cr_assert(IS(g, STR("one\ntwo\n")));
	cr_assert(fcntl(STDIN_FILENO, F_GETFD) >= 0);
	drop(&g);
}

Test(source, reads_a_file_on_standard_input_as_often_as_asked)
{
	struct input in = { .path = (char[]){ "-" } };
	struct source *s[2];
	struct err err;
	char text[16];
	size_t n;
	int fd = memfd_create("stdin", 0);

	cr_assert_eq(write(fd, "one\ntwo\n", 8), 8);
	dup2(fd, STDIN_FILENO);
	for (int i = 0; i < 2; i++) {
		s[i] = source_open(&in, &limits_default, &err);
		cr_assert(s[i], "%s", err.text);
	}
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(source_read(s[i], text, sizeof(text), &n, &err),
		    FLOW_OK);
		cr_assert_eq(n, 8);
		source_close(s[i]);
	}
	close(fd);
}

Test(source, reads_the_corpus)
{
	static const struct {
		const char *path;
		size_t bytes;
	} rows[] = {
		{ "../shared/corpus/http-elastic/apache_logs.gz", 2370789 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct got g = { 0 };
		if (access(rows[i].path, R_OK) == -1)
			cr_skip_test("%s is not there", rows[i].path);
		take(&g, rows[i].path, &limits_default, 1 << 20);
		cr_assert_eq(g.out.n, rows[i].bytes, "%s: %zu", rows[i].path,
		    g.out.n);
		cr_assert_eq(g.notes.broken, 0);
		drop(&g);
	}
}

Test(source, says_why_a_file_cannot_be_opened)
{
	struct got g = { 0 };

	take(&g, "/nonexistent/file", &limits_default, 1);
	cr_assert_str_eq(g.err.text, "No such file or directory");
	take(&g, "/tmp", &limits_default, 1);
	cr_assert_str_eq(g.err.text, "Is a directory");
	cr_assert(!g.opened);
}
