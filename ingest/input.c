/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The paths of the command line become a sorted list of inputs.
 *
 * Links below a named directory are never followed: what they lead to inside
 * the tree is found under its own name anyway, and what lies outside is listed
 * as left out.  So a link can neither close a loop nor name a file twice.  A
 * directory that is met again all the same (a bind mount, a path given twice)
 * is known by device and inode.
 *
 * Everything is gathered first, then sorted by path, then what has one device
 * and inode is read once, under its first name.  The order of the arguments
 * does not matter, nor that of the directory.  One directory is open at a time.
 */
#include "ingest/input.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/hash.h"
#include "core/mem.h"
#include "core/tempfile.h"

enum { DEPTH_MAX = 64, FILES_MAX = 1000000 };

#define TEST_OBJECT "aws-logs-write-test"
#define TEST_CONTENT "Permission Check Successful"

/* A directory to be read. */
struct pending {
	char *path;
	int depth;
};

struct id {
	dev_t dev;
	ino_t ino;
	bool set;
};

/* An entry and what it is on disk; ids only of what can be read. */
struct found {
	struct input in;
	struct id id;
};

struct walk {
	struct found *v;
	size_t n, cap;
	struct pending *dirs; /* a stack, the next one on top */
	size_t n_dirs, cap_dirs;
	struct id *seen; /* directories of this tree; open addressing */
	size_t n_seen, cap_seen;
	char *root; /* the tree's real path */
	size_t root_n;
};

static char *
dup_cstr(const char *s)
{
	size_t n = strlen(s) + 1;
	char *p = xrealloc(NULL, n, 1);

	memcpy(p, s, n);
	return p;
}

static struct found *
add(struct walk *w, char *path, enum input_state state, const char *why)
{
	w->v = xgrow(w->v, w->n + 1, &w->cap, sizeof(*w->v));
	struct found *f = &w->v[w->n++];
	*f = (struct found){
		.in = {
			.path = path,
			.state = state,
			.why = why ? dup_cstr(why) : NULL,
		},
	};
	return f;
}

static bool
hex_run(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool digit = p[i] >= '0' && p[i] <= '9';
		bool lower = p[i] >= 'a' && p[i] <= 'f';
		if (!digit && !lower && !(p[i] >= 'A' && p[i] <= 'F'))
			return false;
	}
	return true;
}

/* 8-4-4-4-12 hexadecimal digits. */
static bool
is_uuid(struct str s)
{
	static const size_t runs[] = { 8, 4, 4, 4, 12 };
	size_t at = 0;

	if (s.n != 36)
		return false;
	for (size_t i = 0; i < 5; i++) {
		if (i > 0 && s.p[at++] != '-')
			return false;
		if (!hex_run(s.p + at, runs[i]))
			return false;
		at += runs[i];
	}
	return true;
}

/* NNNNNN.gz, or NNNNNN when somebody has unpacked it. */
static bool
is_part(struct str s)
{
	if (str_ends(s, STR(".gz")))
		s.n -= 3;
	if (s.n != 6)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	}
	return true;
}

/* Cuts the last component off; repeated slashes count as one. */
static struct str
cut_last(struct str *path)
{
	while (path->n > 0 && path->p[path->n - 1] == '/')
		path->n--;
	size_t slash = str_find_last(*path, '/');
	struct str last =
	    slash == SIZE_MAX ? *path : str_from(*path, slash + 1);
	path->n -= last.n;
	return last;
}

/* <prefix>/<task uuid>/<stream>/NNNNNN.gz */
static void
recognise(struct input *in)
{
	struct str rest = str_of(in->path);

	if (!is_part(cut_last(&rest)))
		return;
	struct str stream = cut_last(&rest);
	struct str task = cut_last(&rest);
	if (stream.n == 0 || !is_uuid(task))
		return;
	in->stream = stream;
	in->task = task;
	in->group = cut_last(&rest);
	if (str_eq(in->group, STR(".")) || str_eq(in->group, STR("..")))
		in->group = (struct str){ 0 };
}

/* The first bytes of a file, at most n; empty when they cannot be read. */
static struct str
first_bytes(const char *path, char *p, size_t n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t got = fd < 0 ? -1 : read(fd, p, n);

	if (fd >= 0)
		close(fd);
	return (struct str){ p, got > 0 ? (size_t)got : 0 };
}

/*
 * Why a file is left out, by its name and its first bytes: the object by which
 * CloudWatch tries whether it may write to the bucket, and what a replay wrote
 * with --out into a folder that is read now.  NULL: it is not.
 */
static const char *
left_out(const char *path)
{
	static const struct str own[] = { { "findings.ndjson", 15 },
		{ "requests.ndjson", 15 }, { "logs.ndjson", 11 },
		{ "segments.ndjson", 15 }, { "rollups.ndjson", 14 },
		{ "deadletters.ndjson", 18 } };
	char text[64];
	struct str rest = str_of(path);
	struct str name = cut_last(&rest);

	if (str_eq(name, STR(TEST_OBJECT)) &&
	    str_eq(str_trim(first_bytes(path, text, sizeof text)),
		STR(TEST_CONTENT)))
		return "the test object that CloudWatch writes before an "
		       "export";
	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
		if (str_eq(name, own[i]) &&
		    str_starts(first_bytes(path, text, sizeof text),
			STR("{\"_index\":\"telltale-")))
			return "documents that telltale wrote";
	return NULL;
}

static const char *
odd_kind(mode_t mode)
{
	if (S_ISFIFO(mode))
		return "a FIFO in a directory: name it to read it";
	if (S_ISSOCK(mode))
		return "a socket, not a file";
	if (S_ISCHR(mode) || S_ISBLK(mode))
		return "a device, not a file";
	return "neither a file nor a directory";
}

/* Anything but a directory or a link; `named` on the command line itself. */
static void
add_file(struct walk *w, char *path, const struct stat *st, bool named)
{
	/* A FIFO that was only met may never have a writer. */
	if (!S_ISREG(st->st_mode) && !(named && S_ISFIFO(st->st_mode))) {
		add(w, path, INPUT_FAILED, odd_kind(st->st_mode));
		return;
	}
	const char *why = S_ISREG(st->st_mode) ? left_out(path) : NULL;
	struct found *f = add(w, path, why ? INPUT_SKIPPED : INPUT_READ, why);
	f->id = (struct id){ st->st_dev, st->st_ino, true };
	if (S_ISREG(st->st_mode)) {
		f->in.size = (uint64_t)st->st_size;
		f->in.inode = st->st_ino;
	}
}

/* A link below a root: what it leads to is found by itself, or stays out. */
static void
add_link(struct walk *w, char *path)
{
	char *real = realpath(path, NULL);

	if (!real) {
		struct err err;
		err_set(&err, "a link that leads nowhere: %s", strerror(errno));
		add(w, path, INPUT_FAILED, err.text);
		return;
	}
	bool inside = strncmp(real, w->root, w->root_n) == 0 &&
		      (w->root_n == 1 || real[w->root_n] == '/' ||
			  real[w->root_n] == '\0');
	free(real);
	if (inside)
		free(path);
	else
		add(w, path, INPUT_SKIPPED,
		    "a link that leads out of the directory given");
}

static struct id *
seen_slot(struct walk *w, struct id id)
{
	uint64_t h = hash64_mix((uint64_t)id.dev, (uint64_t)id.ino);
	size_t i = (size_t)h & (w->cap_seen - 1);

	while (w->seen[i].set &&
	       (w->seen[i].dev != id.dev || w->seen[i].ino != id.ino))
		i = (i + 1) & (w->cap_seen - 1);
	return &w->seen[i];
}

/* Notes a directory; false when it was noted before. */
static bool
seen_add(struct walk *w, struct id id)
{
	if (w->n_seen * 2 >= w->cap_seen) {
		struct id *old = w->seen;
		size_t n = w->cap_seen;
		w->cap_seen = n ? n * 2 : 64;
		w->seen = xcalloc(w->cap_seen, sizeof(*w->seen));
		for (size_t i = 0; i < n; i++) {
			if (old[i].set)
				*seen_slot(w, old[i]) = old[i];
		}
		free(old);
	}
	struct id *slot = seen_slot(w, id);
	if (slot->set)
		return false;
	*slot = id;
	w->n_seen++;
	return true;
}

/* A directory, to be read when it is on top. */
static void
push_dir(struct walk *w, char *path, int depth, const struct stat *st)
{
	struct id id = { st->st_dev, st->st_ino, true };

	if (depth > DEPTH_MAX) {
		add(w, path, INPUT_FAILED,
		    "more than 64 directories deep: not entered");
		return;
	}
	if (!seen_add(w, id)) {
		free(path);
		return;
	}
	w->dirs = xgrow(w->dirs, w->n_dirs + 1, &w->cap_dirs, sizeof(*w->dirs));
	w->dirs[w->n_dirs++] = (struct pending){ path, depth };
}

static char *
join(const char *dir, const char *name)
{
	size_t a = strlen(dir), b = strlen(name);
	bool slash = a > 0 && dir[a - 1] != '/';
	char *p = xrealloc(NULL, a + b + 2, 1);

	memcpy(p, dir, a);
	if (slash)
		p[a++] = '/';
	memcpy(p + a, name, b + 1);
	return p;
}

static int
by_name_down(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*y, *x);
}

struct names {
	char **v;
	size_t n, cap;
};

/* The names in a directory, last first.  -1: errno says why not. */
static int
list(const char *path, struct names *names)
{
	DIR *dir = opendir(path);

	if (!dir)
		return -1;
	for (;;) {
		errno = 0;
		const struct dirent *d = readdir(dir);
		if (!d)
			break;
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		names->v = xgrow(names->v, names->n + 1, &names->cap,
		    sizeof(*names->v));
		names->v[names->n++] = dup_cstr(d->d_name);
		if (names->n > FILES_MAX)
			break;
	}
	int failed = errno;
	closedir(dir);
	errno = failed;
	if (names->n > 0)
		qsort(names->v, names->n, sizeof(*names->v), by_name_down);
	return failed ? -1 : 0;
}

static void
read_dir(struct walk *w, struct pending dir)
{
	struct names names = { 0 };
	struct stat st;

	if (list(dir.path, &names) == -1) {
		struct err err;
		err_set(&err, "cannot be listed: %s", strerror(errno));
		add(w, dup_cstr(dir.path), INPUT_FAILED, err.text);
	}
	for (size_t i = 0; i < names.n; i++) {
		char *path = join(dir.path, names.v[i]);
		free(names.v[i]);
		if (lstat(path, &st) == -1)
			add(w, path, INPUT_FAILED, strerror(errno));
		else if (S_ISDIR(st.st_mode))
			push_dir(w, path, dir.depth + 1, &st);
		else if (S_ISLNK(st.st_mode))
			add_link(w, path);
		else
			add_file(w, path, &st, false);
	}
	free(names.v);
	free(dir.path);
}

static int
walk_tree(struct walk *w, const char *path, const struct stat *st,
    struct err *err)
{
	memset(w->seen, 0, w->cap_seen * sizeof(*w->seen));
	w->n_seen = 0;
	free(w->root);
	w->root = realpath(path, NULL);
	if (!w->root) {
		add(w, dup_cstr(path), INPUT_FAILED, strerror(errno));
		return 0;
	}
	w->root_n = strlen(w->root);
	push_dir(w, dup_cstr(path), 0, st);
	while (w->n_dirs > 0) {
		read_dir(w, w->dirs[--w->n_dirs]);
		if (w->n + w->n_dirs > FILES_MAX)
			return err_set(err,
			    "more than %d files and directories: name fewer "
			    "at a time",
			    FILES_MAX);
	}
	return 0;
}

static int
collect_one(struct walk *w, const char *path, struct err *err)
{
	struct stat st;

	if (strcmp(path, "-") == 0) {
		add(w, dup_cstr(path), INPUT_READ, NULL);
		return 0;
	}
	if (stat(path, &st) == -1) {
		add(w, dup_cstr(path), INPUT_FAILED,
		    *path ? strerror(errno) : "the path is empty");
		return 0;
	}
	if (S_ISDIR(st.st_mode))
		return walk_tree(w, path, &st, err);
	add_file(w, dup_cstr(path), &st, true);
	return 0;
}

/* "-" first, then bytewise. */
static int
by_path(const void *a, const void *b)
{
	const struct found *x = a, *y = b;
	bool x_stdin = strcmp(x->in.path, "-") == 0;
	bool y_stdin = strcmp(y->in.path, "-") == 0;

	if (x_stdin != y_stdin)
		return x_stdin ? -1 : 1;
	return strcmp(x->in.path, y->in.path);
}

static int
by_id(const void *a, const void *b)
{
	const struct found *const *x = a, *const *y = b;

	if ((*x)->id.dev != (*y)->id.dev)
		return (*x)->id.dev < (*y)->id.dev ? -1 : 1;
	if ((*x)->id.ino != (*y)->id.ino)
		return (*x)->id.ino < (*y)->id.ino ? -1 : 1;
	return *x < *y ? -1 : *x > *y;
}

static void
drop(struct found *f)
{
	free(f->in.path);
	free(f->in.why);
	f->in.path = NULL;
}

/* Of a sorted list, drops what has the path or the inode of one before. */
static void
drop_doubles(struct walk *w)
{
	struct found **ids = xcalloc(w->n, sizeof(*ids));
	size_t n = 0, last = 0;

	for (size_t i = 1; i < w->n; i++) {
		if (strcmp(w->v[i].in.path, w->v[last].in.path) == 0)
			drop(&w->v[i]);
		else
			last = i;
	}
	for (size_t i = 0; i < w->n; i++) {
		if (w->v[i].in.path && w->v[i].id.set)
			ids[n++] = &w->v[i];
	}
	qsort(ids, n, sizeof(*ids), by_id);
	for (size_t i = 1, first = 0; i < n; i++) {
		if (ids[i]->id.dev == ids[first]->id.dev &&
		    ids[i]->id.ino == ids[first]->id.ino)
			drop(ids[i]);
		else
			first = i;
	}
	free(ids);
}

static void
walk_fini(struct walk *w)
{
	while (w->n_dirs > 0)
		free(w->dirs[--w->n_dirs].path);
	free(w->dirs);
	free(w->seen);
	free(w->root);
	free(w->v);
}

int
inputs_collect(struct inputs *in, char *const *paths, size_t n, struct err *err)
{
	struct walk w = { 0 };
	int r = 0;

	*in = (struct inputs){ 0 };
	w.cap_seen = 64;
	w.seen = xcalloc(w.cap_seen, sizeof(*w.seen));
	for (size_t i = 0; i < n && r == 0; i++)
		r = collect_one(&w, paths[i], err);
	if (r == 0 && w.n == 0) {
		err_set(err, "nothing to read: no file there");
		r = -1;
	}
	if (r == 0) {
		qsort(w.v, w.n, sizeof(*w.v), by_path);
		drop_doubles(&w);
	}
	in->v = xcalloc(w.n + 1, sizeof(*in->v));
	in->cap = w.n;
	for (size_t i = 0; i < w.n; i++) {
		if (!w.v[i].in.path)
			continue;
		in->v[in->n] = w.v[i].in;
		recognise(&in->v[in->n++]);
	}
	walk_fini(&w);
	if (r == -1)
		inputs_fini(in);
	return r;
}

static bool
read_once(const struct input *in)
{
	struct stat st;

	if (in->state != INPUT_READ)
		return false;
	if (strcmp(in->path, "-") == 0)
		return fstat(STDIN_FILENO, &st) == 0 && !S_ISREG(st.st_mode);
	return stat(in->path, &st) == 0 && S_ISFIFO(st.st_mode);
}

/* All of `from` into `to`; the size, or -1. */
static int64_t
copy_all(int from, int to, const _Atomic bool *stop)
{
	char block[64 * 1024];
	int64_t sum = 0;

	while (!*stop) {
		ssize_t n = read(from, block, sizeof block);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -1 : sum;
		for (ssize_t at = 0; at < n;) {
			ssize_t w = write(to, block + at, (size_t)(n - at));

			if (w < 0 && errno != EINTR)
				return -1;
			at += w > 0 ? w : 0;
		}
		sum += n;
	}
	return sum;
}

static int
spool(struct input *in, const _Atomic bool *stop, struct err *err)
{
	bool standard = strcmp(in->path, "-") == 0;
	int from = standard ? STDIN_FILENO
			    : open(in->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int64_t n;

	if (from < 0)
		return 0; /* source_open will say why */
	in->spool = tempfile_open(err);
	if (in->spool < 0) {
		in->spool = 0;
		return -1;
	}
	n = copy_all(from, in->spool, stop);
	if (!standard)
		close(from);
	if (n < 0)
		return err_set(err, "%s cannot be copied to $TMPDIR: %s",
		    standard ? "standard input" : in->path, strerror(errno));
	in->size = (uint64_t)n;
	return 0;
}

int
inputs_spool(struct inputs *in, const _Atomic bool *stop, struct err *err)
{
	for (size_t i = 0; i < in->n; i++)
		if (read_once(&in->v[i]) && spool(&in->v[i], stop, err) != 0)
			return -1;
	return 0;
}

void
inputs_fini(struct inputs *in)
{
	for (size_t i = 0; i < in->n; i++) {
		free(in->v[i].path);
		free(in->v[i].why);
		if (in->v[i].spool)
			close(in->v[i].spool);
	}
	free(in->v);
	*in = (struct inputs){ 0 };
}
