/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of state is held by one, and its files are old or new. */
#include "core/statedir.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

static const char *
place(void)
{
	static char path[] = "/tmp/telltale-state-XXXXXX";

	cr_assert(mkdtemp(path));
	return path;
}

Test(statedir, is_held_by_one)
{
	const char *path = place();
	struct err err = { 0 };
	struct statedir *d = statedir_open(path, &err);

	cr_assert(d, "%s", err.text);
	cr_expect_null(statedir_open(path, &err));
	cr_expect(strstr(err.text, "another telltale"), "%s", err.text);
	statedir_close(d);
	d = statedir_open(path, &err);
	cr_expect(d);
	unlinkat(statedir_fd(d), "lock", 0);
	statedir_close(d);
	rmdir(path);
}

Test(statedir, keeps_the_old_bytes_when_it_cannot_write)
{
	const char *path = place();
	struct err err = { 0 };
	struct statedir *d = statedir_open(path, &err);
	char got[8] = "";
	int fd;

	cr_assert_eq(statedir_put(d, "x", STR("old"), &err), 0);
	cr_assert_eq(statedir_put(d, "x", STR("new"), &err), 0);
	/* A name that is a directory cannot be replaced by a file. */
	cr_assert_eq(mkdirat(statedir_fd(d), "x.tmp", 0700), 0);
	cr_expect_eq(statedir_put(d, "x", STR("newer"), &err), -1);
	cr_expect(strstr(err.text, "/x: cannot write: "), "%s", err.text);
	fd = openat(statedir_fd(d), "x", O_RDONLY);
	cr_expect_eq(read(fd, got, sizeof got), 3);
	cr_expect_str_eq(got, "new");
	close(fd);
	unlinkat(statedir_fd(d), "x.tmp", AT_REMOVEDIR);
	unlinkat(statedir_fd(d), "x", 0);
	unlinkat(statedir_fd(d), "lock", 0);
	statedir_close(d);
	rmdir(path);
}
