/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A library to preload: counts the calls that change something outside the
 * process (open for writing, write, sync, truncate, rename, send), and strikes
 * at one of them.
 *
 *	STRIKE_AT=N	at the Nth, from 1; 0: never
 *	STRIKE=kill	the process ends before it
 *	STRIKE=half	a write is done by half, then the process ends
 *	STRIKE=lose	it ends, and what was written and not synced is gone
 *	STRIKE=ENOSPC	it fails so, or with EIO or EROFS
 *	STRIKE_COUNT=F	the number of calls is written into the file F
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FDS = 1024 };

static int calls;
static off_t synced[FDS]; /* sizes; 0: nothing */
static bool kept[FDS];    /* opened for writing by openat */

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static _Noreturn void
die(void)
{
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

static int
error_of(const char *name)
{
	return strcmp(name, "ENOSPC") == 0  ? ENOSPC
	       : strcmp(name, "EROFS") == 0 ? EROFS
					    : EIO;
}

/* 0: go on; else the errno to fail with.  `half`: the bytes of a write. */
static int
strike(int fd, const void *half, size_t n)
{
	const char *at = getenv("STRIKE_AT"), *how = getenv("STRIKE");
	const char *count = getenv("STRIKE_COUNT");

	calls++;
	if (count) {
		FILE *f = fopen(count, "w");

		if (f) {
			fprintf(f, "%d\n", calls);
			fclose(f);
		}
	}
	if (!at || !how || strtol(at, NULL, 10) != calls)
		return 0;
	if (strcmp(how, "half") == 0 && half && n > 1 &&
	    REAL(write)(fd, half, n / 2) < 0)
		_exit(99);
	if (strcmp(how, "lose") == 0)
		for (int i = 0; i < FDS; i++)
			if (kept[i] && REAL(ftruncate)(i, synced[i]) != 0)
				_exit(99);
	if (how[0] != 'E')
		die();
	return error_of(how);
}

int
openat(int dir, const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;
	int fd, no = 0;
	struct stat st;

	va_start(ap, flags);
	mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	if (flags & O_CREAT)
		no = strike(-1, NULL, 0);
	if (no) {
		errno = no;
		return -1;
	}
	fd = REAL(openat)(dir, path, flags, mode);
	if (fd >= 0 && fd < FDS && flags & O_CREAT && fstat(fd, &st) == 0) {
		kept[fd] = true;
		synced[fd] = st.st_size;
	}
	return fd;
}

ssize_t
write(int fd, const void *p, size_t n)
{
	int no = fd > 2 && fd < FDS && kept[fd] ? strike(fd, p, n) : 0;

	if (no) {
		errno = no;
		return -1;
	}
	return REAL(write)(fd, p, n);
}

static int
synced_by(int (*sync)(int), int fd)
{
	int no = strike(fd, NULL, 0);
	struct stat st;

	if (no) {
		errno = no;
		return -1;
	}
	if (fd >= 0 && fd < FDS && fstat(fd, &st) == 0)
		synced[fd] = st.st_size;
	return sync(fd);
}

int
fdatasync(int fd)
{
	return synced_by(REAL(fdatasync), fd);
}

int
fsync(int fd)
{
	return synced_by(REAL(fsync), fd);
}

int
ftruncate(int fd, off_t n)
{
	int no = strike(fd, NULL, 0);

	if (no) {
		errno = no;
		return -1;
	}
	return REAL(ftruncate)(fd, n);
}

int
renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	int no = strike(-1, NULL, 0);

	if (no) {
		errno = no;
		return -1;
	}
	return REAL(renameat)(from_dir, from, to_dir, to);
}

ssize_t
send(int fd, const void *p, size_t n, int flags)
{
	int no = strike(-1, NULL, 0);

	if (no) {
		errno = no;
		return -1;
	}
	return REAL(send)(fd, p, n, flags);
}
