/* SPDX-License-Identifier: Apache-2.0 */
/* Files of documents: replaced at the end, untouched by what fails. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buf.h"
#include "sinks/files.h"

static char dir[64];

static void
make_dir(void)
{
	snprintf(dir, sizeof dir, "/tmp/telltale-files-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
}

static const char *
path_of(struct buf *b, const char *name)
{
	buf_reset(b);
	buf_printf(b, "%s/%s", dir, name);
	return buf_cstr(b);
}

static void
remove_dir(void)
{
	struct buf path = { 0 };

	for (int k = 0; k < FILE_KINDS; k++)
		unlink(path_of(&path, files_name((enum file_kind)k)));
	rmdir(path_of(&path, "a/b"));
	rmdir(path_of(&path, "a"));
	cr_expect_eq(rmdir(dir), 0, "something was left in %s", dir);
	buf_fini(&path);
}

TestSuite(files, .init = make_dir, .fini = remove_dir);

static void
expect_content(const char *name, const char *content)
{
	struct buf path = { 0 };
	char got[64] = "";
	int fd = open(path_of(&path, name), O_RDONLY);
	ssize_t n;

	cr_assert(fd >= 0, "%s is missing", name);
	n = read(fd, got, sizeof got - 1);
	close(fd);
	cr_expect(n >= 0);
	cr_expect_str_eq(got, content, "%s", name);
	buf_fini(&path);
}

static void
write_run(const char *text)
{
	struct err err = { "" };
	struct files *f = files_open(dir, &err);

	cr_assert_not_null(f, "%s", err.text);
	cr_expect_eq(files_put(f, FILE_REQUESTS, str_of(text), &err), 0);
	cr_expect_eq(files_finish(f, &err), 0, "%s", err.text);
	files_close(f);
}

Test(files, a_run_replaces_all_files_of_the_run_before)
{
	write_run("one\n");
	expect_content("requests.ndjson", "one\n");
	expect_content("findings.ndjson", "");
	write_run("two\n");
	expect_content("requests.ndjson", "two\n");
}

Test(files, a_run_that_does_not_finish_changes_nothing)
{
	struct err err = { "" };
	struct files *f;

	write_run("one\n");
	f = files_open(dir, &err);
	cr_assert_not_null(f);
	files_put(f, FILE_REQUESTS, STR("two\n"), &err);
	files_close(f);
	expect_content("requests.ndjson", "one\n");
}

Test(files, a_second_run_at_a_time_is_refused)
{
	struct err err = { "" };
	struct files *f = files_open(dir, &err);

	cr_assert_not_null(f);
	cr_expect_null(files_open(dir, &err));
	cr_expect_not_null(strstr(err.text, "another run is writing there"));
	cr_expect_eq(files_finish(f, &err), 0, "%s", err.text);
	files_close(f);
}

Test(files, a_full_disk_is_said_with_path_and_reason)
{
	static char big[1 << 20];
	struct rlimit limit;
	struct rlimit small = { 4096, 4096 };
	struct err err = { "" };
	struct files *f;
	struct buf expected = { 0 };

	write_run("one\n");
	f = files_open(dir, &err);
	cr_assert_not_null(f);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	small.rlim_max = limit.rlim_max;
	setrlimit(RLIMIT_FSIZE, &small);
	cr_expect_eq(
	    files_put(f, FILE_REQUESTS, (struct str){ big, sizeof big }, &err),
	    -1);
	setrlimit(RLIMIT_FSIZE, &limit);
	buf_printf(&expected,
	    "%s/requests.ndjson: cannot write: File too "
	    "large",
	    dir);
	cr_expect_str_eq(err.text, buf_cstr(&expected));
	files_close(f);
	expect_content("requests.ndjson", "one\n");
	buf_fini(&expected);
}

Test(files, missing_directories_are_made)
{
	struct buf path = { 0 };
	struct err err = { "" };
	struct files *f = files_open(path_of(&path, "a/b"), &err);

	cr_assert_not_null(f, "%s", err.text);
	files_close(f);
	buf_fini(&path);
}

Test(files, a_path_that_is_no_directory_is_refused)
{
	struct err err = { "" };

	cr_expect_null(files_open("/dev/null", &err));
	cr_expect_str_eq(err.text,
	    "/dev/null: cannot be used for --out: Not a directory");
}

Test(files, a_link_in_the_place_of_a_temporary_is_not_followed)
{
	struct buf path = { 0 };
	struct err err = { "" };

	cr_assert_eq(
	    symlink("/dev/null", path_of(&path, "requests.ndjson.tmp")), 0);
	cr_expect_null(files_open(dir, &err));
	unlink(path_of(&path, "requests.ndjson.tmp"));
	buf_fini(&path);
}
