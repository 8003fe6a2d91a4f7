/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NDJSON files, written beside their names and renamed at the end.
 *
 * No fsync: after a power cut the archive is still there to be replayed.
 */
#include "sinks/files.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/mem.h"

enum { FLUSH_BYTES = 256 * 1024 };

static const char *const names[FILE_KINDS] = {
	[FILE_REQUESTS] = "requests.ndjson",
	[FILE_LOGS] = "logs.ndjson",
	[FILE_SEGMENTS] = "segments.ndjson",
	[FILE_TRACES] = "traces.ndjson",
	[FILE_ROLLUPS] = "rollups.ndjson",
	[FILE_FINDINGS] = "findings.ndjson",
	[FILE_DEADLETTERS] = "deadletters.ndjson",
};

struct files {
	char *dir;
	int dir_fd;
	int fd[FILE_KINDS];
	struct buf pending[FILE_KINDS];
	bool finished;
};

const char *
files_name(enum file_kind kind)
{
	return names[kind];
}

/* "requests.ndjson.tmp" */
static const char *
temporary(struct buf *b, enum file_kind kind)
{
	buf_reset(b);
	buf_cat(b, names[kind]);
	buf_cat(b, ".tmp");
	return buf_cstr(b);
}

/* What errno says of a file of the directory; -1. */
static int
file_err(const struct files *f, enum file_kind kind, const char *doing,
    struct err *err)
{
	return err_set(err, "%s/%s: cannot %s: %s", f->dir, names[kind], doing,
	    strerror(errno));
}

/* mkdir -p: what is there already is fine. */
static void
make_dirs(const char *dir)
{
	struct buf path = { 0 };

	for (const char *p = dir; *p; p++) {
		if (*p == '/' && path.n > 0)
			mkdir(buf_cstr(&path), 0777);
		buf_char(&path, *p);
	}
	mkdir(buf_cstr(&path), 0777);
	buf_fini(&path);
	/* Whatever failed is told by the opening of the directory. */
}

/* Opens and locks one temporary file, empty. */
static int
open_one(struct files *f, enum file_kind kind, struct err *err)
{
	const int flags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC;
	struct buf name = { 0 };
	int fd = openat(f->dir_fd, temporary(&name, kind), flags, 0666);

	buf_fini(&name);
	if (fd < 0)
		return file_err(f, kind, "write", err);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
		close(fd);
		return err_set(err, "%s: another run is writing there", f->dir);
	}
	f->fd[kind] = fd;
	if (ftruncate(fd, 0) < 0)
		return file_err(f, kind, "empty", err);
	return 0;
}

struct files *
files_open(const char *dir, struct err *err)
{
	struct files *f = xcalloc(1, sizeof *f);

	for (int k = 0; k < FILE_KINDS; k++)
		f->fd[k] = -1;
	f->dir = strdup(dir);
	make_dirs(dir);
	f->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->dir_fd < 0) {
		err_set(err, "%s: cannot be used for --out: %s", dir,
		    strerror(errno));
		files_close(f);
		return NULL;
	}
	for (int k = 0; k < FILE_KINDS; k++) {
		if (open_one(f, (enum file_kind)k, err) < 0) {
			files_close(f);
			return NULL;
		}
	}
	return f;
}

static int
write_all(const struct files *f, enum file_kind kind, struct str s,
    struct err *err)
{
	while (s.n > 0) {
		ssize_t n = write(f->fd[kind], s.p, s.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return file_err(f, kind, "write", err);
		s = str_from(s, (size_t)n);
	}
	return 0;
}

static int
flush(struct files *f, enum file_kind kind, struct err *err)
{
	int rc = write_all(f, kind, buf_view(&f->pending[kind]), err);

	buf_reset(&f->pending[kind]);
	return rc;
}

int
files_put(struct files *f, enum file_kind kind, struct str lines,
    struct err *err)
{
	struct buf *pending = &f->pending[kind];
	int rc = 0;

	if (pending->n + lines.n > FLUSH_BYTES)
		rc = flush(f, kind, err);
	if (rc == 0 && lines.n > FLUSH_BYTES)
		return write_all(f, kind, lines, err);
	if (rc == 0)
		buf_str(pending, lines);
	return rc;
}

int
files_finish(struct files *f, struct err *err)
{
	struct buf tmp = { 0 };
	int rc = 0;

	/* All are complete before the first takes its name. */
	for (int k = 0; k < FILE_KINDS && rc == 0; k++)
		rc = flush(f, (enum file_kind)k, err);
	for (int k = 0; k < FILE_KINDS && rc == 0; k++) {
		enum file_kind kind = (enum file_kind)k;

		if (renameat(f->dir_fd, temporary(&tmp, kind), f->dir_fd,
			names[k]) < 0)
			rc = file_err(f, kind, "replace", err);
	}
	buf_fini(&tmp);
	f->finished = rc == 0;
	return rc;
}

void
files_close(struct files *f)
{
	struct buf tmp = { 0 };

	if (!f)
		return;
	for (int k = 0; k < FILE_KINDS; k++) {
		if (f->fd[k] >= 0 && !f->finished)
			unlinkat(f->dir_fd, temporary(&tmp, (enum file_kind)k),
			    0);
		if (f->fd[k] >= 0)
			close(f->fd[k]);
		buf_fini(&f->pending[k]);
	}
	if (f->dir_fd >= 0)
		close(f->dir_fd);
	free(f->dir);
	free(f);
	buf_fini(&tmp);
}
