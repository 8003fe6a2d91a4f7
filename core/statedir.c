/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state's directory.  Names in it are ours, never derived from data.
 */
#include "core/statedir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/mem.h"

struct statedir {
	char *path;
	int fd;
	int lock;
};

static int
lock(struct statedir *d, struct err *err)
{
	d->lock = openat(d->fd, "lock",
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (d->lock < 0)
		return err_set(err, "%s/lock: cannot write: %s", d->path,
		    strerror(errno));
	if (flock(d->lock, LOCK_EX | LOCK_NB) < 0)
		return err_set(err,
		    "%s: another telltale uses this state directory", d->path);
	return 0;
}

struct statedir *
statedir_open(const char *path, struct err *err)
{
	struct statedir *d = xcalloc(1, sizeof *d);

	d->path = strdup(path);
	d->lock = -1;
	/* Whatever fails here is told by the opening. */
	mkdir(path, 0700);
	d->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->fd < 0)
		err_set(err, "%s: cannot be used for --state: %s", path,
		    strerror(errno));
	else if (lock(d, err) == 0)
		return d;
	statedir_close(d);
	return NULL;
}

int
statedir_fd(const struct statedir *d)
{
	return d->fd;
}

const char *
statedir_path(const struct statedir *d)
{
	return d->path;
}

static int
write_all(int fd, struct str s)
{
	while (s.n > 0) {
		ssize_t n = write(fd, s.p, s.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		s = str_from(s, (size_t)n);
	}
	return 0;
}

int
statedir_put(const struct statedir *d, const char *name, struct str bytes,
    struct err *err)
{
	struct buf tmp = { 0 };
	int rc = -1, fd;

	buf_printf(&tmp, "%s.tmp", name);
	fd = openat(d->fd, buf_cstr(&tmp),
	    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0 && write_all(fd, bytes) == 0 && fsync(fd) == 0)
		rc = renameat(d->fd, buf_cstr(&tmp), d->fd, name);
	if (rc == 0)
		rc = fsync(d->fd);
	if (rc != 0)
		err_set(err, "%s/%s: cannot write: %s", d->path, name,
		    strerror(errno));
	if (fd >= 0)
		close(fd);
	buf_fini(&tmp);
	return rc;
}

void
statedir_close(struct statedir *d)
{
	if (!d)
		return;
	if (d->lock >= 0)
		close(d->lock);
	if (d->fd >= 0)
		close(d->fd);
	free(d->path);
	free(d);
}
