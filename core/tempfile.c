/* SPDX-License-Identifier: Apache-2.0 */
/*
 * O_TMPFILE where the file system knows it; elsewhere a name that is unlinked
 * at once.
 */
#include "core/tempfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/buf.h"

int
tempfile_open(struct err *err)
{
	const char *dir = getenv("TMPDIR");
	struct buf path = { 0 };
	int fd;

	if (!dir || !*dir)
		dir = "/tmp";
	fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
	buf_cat(&path, dir);
	buf_cat(&path, "/telltale-XXXXXX");
	buf_cstr(&path);
	fd = mkostemp(path.p, O_CLOEXEC);
	if (fd >= 0)
		unlink(path.p);
	else
		err_set(err, "a temporary file cannot be made in %s: %s", dir,
		    strerror(errno));
	buf_fini(&path);
	return fd;
}
