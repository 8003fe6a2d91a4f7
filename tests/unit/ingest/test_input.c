/* SPDX-License-Identifier: Apache-2.0 */
/* The walk over paths: what is read, left out, refused, and in which order. */
#include "ingest/input.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/buf.h"

#define TASK "e208c0a9-eba8-524c-8953-345191a1c1c1"

static char root[] = "/tmp/telltale-input-XXXXXX";

static void
enter(void)
{
	cr_assert(mkdtemp(root));
	cr_assert_eq(chdir(root), 0);
}

static int
unlink_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void
leave(void)
{
	cr_assert_eq(chdir("/"), 0);
	nftw(root, unlink_one, 16, FTW_DEPTH | FTW_PHYS);
}

TestSuite(input, .init = enter, .fini = leave);

static void
put(const char *path, const char *text)
{
	char dir[4096];

	for (const char *p = strchr(path, '/'); p; p = strchr(p + 1, '/')) {
		snprintf(dir, sizeof(dir), "%.*s", (int)(p - path), path);
		mkdir(dir, 0777);
	}
	FILE *f = fopen(path, "w");
	cr_assert(f, "%s", path);
	fputs(text, f);
	fclose(f);
}

/* The list as one text: "path state why" a line. */
static const char *
collect(const char *const *paths, struct buf *out)
{
	static const char states[] = "+-!";
	char *v[16];
	size_t n = 0;
	struct inputs in;
	struct err err = { { 0 } };

	out->n = 0;
	for (; paths[n]; n++)
		v[n] = (char *)(uintptr_t)paths[n];
	if (inputs_collect(&in, v, n, &err) == -1) {
		buf_cat(out, err.text);
		return buf_cstr(out);
	}
	for (size_t i = 0; i < in.n; i++) {
		buf_printf(out, "%c%s", states[in.v[i].state], in.v[i].path);
		if (in.v[i].why)
			buf_printf(out, " (%s)", in.v[i].why);
		buf_char(out, '\n');
	}
	inputs_fini(&in);
	return buf_cstr(out);
}

#define COLLECT(out, ...)                                                      \
	collect((const char *const[]){ __VA_ARGS__, NULL }, out)

Test(input, lists_bytewise_with_stdin_first)
{
	struct buf out = { 0 };

	put("d/b", "");
	put("d/a/z", "");
	put("d/a.x", "");
	put("d/.hidden", "");
	put("d/\xff\x01 odd", "");
	cr_assert_str_eq(COLLECT(&out, "d", "-", "-"),
	    "+-\n+d/.hidden\n+d/a.x\n+d/a/z\n+d/b\n+d/\xff\x01 odd\n");
	cr_assert_str_eq(COLLECT(&out, "d/"),
	    "+d/.hidden\n+d/a.x\n+d/a/z\n+d/b\n+d/\xff\x01 odd\n");
	buf_fini(&out);
}

Test(input, reads_a_file_once_however_it_is_named)
{
	struct buf out = { 0 };

	put("d/file", "x");
	cr_assert_eq(link("d/file", "d/hard"), 0);
	cr_assert_eq(symlink("file", "d/soft"), 0);
	cr_assert_eq(symlink("d/file", "outside"), 0);
	cr_assert_str_eq(
	    COLLECT(&out, "d", "d/file", "./d", "outside", "d/hard"),
	    "+./d/file\n");
	buf_fini(&out);
}

Test(input, stays_inside_the_tree)
{
	struct buf out = { 0 };

	put("d/e/file", "");
	put("dx/other", "");
	cr_assert_eq(symlink("..", "d/e/loop"), 0);
	cr_assert_eq(symlink(".", "d/self"), 0);
	cr_assert_eq(symlink("../dx", "d/out"), 0);
	cr_assert_eq(symlink("../dx/other", "d/out_file"), 0);
	cr_assert_eq(symlink("nowhere", "d/broken"), 0);
	cr_assert_str_eq(COLLECT(&out, "d"),
	    "!d/broken (a link that leads nowhere: No such file or "
	    "directory)\n"
	    "+d/e/file\n"
	    "-d/out (a link that leads out of the directory given)\n"
	    "-d/out_file (a link that leads out of the directory given)\n");
	cr_assert_eq(symlink("d", "root"), 0);
	cr_assert_str_eq(COLLECT(&out, "root/e"),
	    "+root/e/file\n"
	    "-root/e/loop (a link that leads out of the directory given)\n");
	cr_assert_str_eq(COLLECT(&out, "d/out"), "+d/out/other\n");
	buf_fini(&out);
}

Test(input, says_what_cannot_be_read)
{
	struct buf out = { 0 };
	struct sockaddr_un at = { .sun_family = AF_UNIX, .sun_path = "sock" };

	put("d/ok", "");
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	close(fd);
	cr_assert_eq(mkfifo("fifo", 0666), 0);
	cr_assert_str_eq(
	    COLLECT(&out, "missing", "sock", "/dev/null", "fifo", "d/ok"),
	    "!/dev/null (a device, not a file)\n"
	    "+d/ok\n"
	    "+fifo\n"
	    "!missing (No such file or directory)\n"
	    "!sock (a socket, not a file)\n");
	buf_fini(&out);
}

Test(input, is_an_error_only_when_there_is_nothing)
{
	struct buf out = { 0 };

	mkdir("empty", 0777);
	cr_assert_str_eq(COLLECT(&out, "empty"),
	    "nothing to read: no file there");
	buf_fini(&out);
}

Test(input, leaves_out_the_write_test_but_only_that)
{
	struct buf out = { 0 };

	put("a/aws-logs-write-test", "Permission Check Successful");
	put("b/aws-logs-write-test", "Permission Check Successful\n");
	put("c/aws-logs-write-test", "something else");
	put("d/other", "Permission Check Successful");
	cr_assert_str_eq(COLLECT(&out, "a", "b", "c", "d"),
	    "-a/aws-logs-write-test (the test object that CloudWatch writes "
	    "before an export)\n"
	    "-b/aws-logs-write-test (the test object that CloudWatch writes "
	    "before an export)\n"
	    "+c/aws-logs-write-test\n"
	    "+d/other\n");
	buf_fini(&out);
}

Test(input, knows_an_export_by_its_path)
{
	static const struct {
		const char *path, *group, *task, *stream;
	} rows[] = {
		{ "x/like/" TASK "/ecs-web-0/000000.gz", "like", TASK,
		    "ecs-web-0" },
		{ "x/like/" TASK "/ecs-web-0/000012", "like", TASK,
		    "ecs-web-0" },
		{ TASK "/s/000000.gz", "", TASK, "s" },
		{ "x/like/" TASK "/s/000000.txt", "", "", "" },
		{ "x/like/" TASK "/s/0000000.gz", "", "", "" },
		{ "x/like/e208c0a9-eba8-524c-8953-345191a1c1cx/s/000000.gz", "",
		    "", "" },
		{ "000000.gz", "", "", "" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char *path = (char *)(uintptr_t)rows[i].path;
		struct inputs in;
		struct err err;
		put(path, "");
		cr_assert_eq(inputs_collect(&in, &path, 1, &err), 0);
		cr_assert_eq(in.n, 1);
		cr_assert(str_eq(in.v[0].group, str_of(rows[i].group)), "%s",
		    path);
		cr_assert(str_eq(in.v[0].task, str_of(rows[i].task)), "%s",
		    path);
		cr_assert(str_eq(in.v[0].stream, str_of(rows[i].stream)), "%s",
		    path);
		inputs_fini(&in);
	}
}

Test(input, goes_no_deeper_than_64_directories)
{
	struct buf path = { 0 }, out = { 0 };

	buf_cat(&path, "d");
	for (int i = 0; i < 64; i++)
		buf_cat(&path, "/d");
	buf_cat(&path, "/file");
	put(buf_cstr(&path), "");
	buf_printf(&out, "+%s\n", buf_cstr(&path));
	struct buf want = { 0 };
	buf_str(&want, buf_view(&out));
	cr_assert_str_eq(COLLECT(&out, "d"), buf_cstr(&want));

	path.n -= 4;
	buf_cat(&path, "e/file");
	put(buf_cstr(&path), "");
	path.n -= 5;
	want.n = 0;
	buf_printf(&want, "!%s (more than 64 directories deep: not entered)\n",
	    buf_cstr(&path));
	COLLECT(&out, "d");
	cr_assert(str_starts(buf_view(&out), buf_view(&want)), "%s",
	    buf_cstr(&out));
	buf_fini(&path);
	buf_fini(&out);
	buf_fini(&want);
}

Test(input, walks_ten_thousand_files)
{
	char name[64];
	char *path = (char[]){ "d" };
	struct inputs in;
	struct err err;

	for (int i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "d/%d/%d", i / 100, i % 100);
		if (i % 100 == 0)
			put(name, "");
		else
			close(open(name, O_CREAT | O_WRONLY, 0666));
	}
	cr_assert_eq(inputs_collect(&in, &path, 1, &err), 0);
	cr_assert_eq(in.n, 10000);
	for (size_t i = 1; i < in.n; i++)
		cr_assert(strcmp(in.v[i - 1].path, in.v[i].path) < 0);
	inputs_fini(&in);
}
