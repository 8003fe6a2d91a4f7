/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file descriptor with layers of packing on it.
 *
 * Level 0 is the descriptor, level k is what layer k made of level k-1.  Each
 * level is looked at before the next layer is put on: its first bytes are read
 * into `head` and become the new layer's first input, or else the first bytes
 * that are given out.  So nothing is read twice, and a pipe is as good as a
 * file.  With no layer on, source_read is read(2) into the caller's memory.
 *
 * The bomb rule: no level may be longer than inflate_ratio times what layer 0
 * has consumed, taken in whole steps of 64 KiB so that reading ahead does not
 * matter, and not less than inflate_free.
 */
#include "ingest/source.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/str.h"
#include "ingest/deflate.h"
#include "ingest/inflate.h"
#include "ingest/input.h"
#include "ingest/unpack.h"

enum {
	LAYERS_MAX = 8,
	HEAD = INFLATE_OUT_MIN, /* room for the first bytes */
	SNIFF_TAR = 265,        /* what tells one packing from another */
	SNIFF_ZLIB = 4096,      /* what tells zlib from text */
	BOMB_STEP = 64 << 10,
};

#define TO_PIPE(command) command " | telltale replay -"
#define FROM_TAR "tar -xf FILE -C FOLDER && telltale replay FOLDER"

struct source {
	int fd;
	uint64_t size; /* of the file when it was found; 0: not known */
	const struct limits *limits;
	struct source_notes notes;
	struct unpack *layer[LAYERS_MAX];
	uint64_t out[LAYERS_MAX]; /* bytes that came out of it */
	int n_layers;
	int stopped; /* this level and those below give nothing more */
	char *head;
	size_t head_at, head_n;
};

/*
 * Packings that are recognised and refused; `ask` unpacks them.  A tar archive
 * has the magic behind its first member's name: POSIX pax(1), "ustar
 * Interchange Format"; GNU tar writes blanks for its NUL and version.
 */
static const struct refused {
	struct str magic;
	const char *name;
	const char *ask;
	size_t at; /* where the magic stands */
} refused[] = {
	{ { "\x28\xb5\x2f\xfd", 4 }, "zstd", TO_PIPE("zstd -dc FILE"), 0 },
	{ { "BZh11AY&SY", 10 }, "bzip2", TO_PIPE("bzip2 -dc FILE"), 0 },
	{ { "\xfd"
	    "7zXZ\0",
	      6 },
	    "xz", TO_PIPE("xz -dc FILE"), 0 },
	{ { "PK\x03\x04", 4 }, "zip", TO_PIPE("unzip -p FILE"), 0 },
	{ { "PK\x05\x06", 4 }, "zip", TO_PIPE("unzip -p FILE"), 0 },
	{ { "\x04\x22\x4d\x18", 4 }, "lz4", TO_PIPE("lz4 -dc FILE"), 0 },
	{ { "\xff\x06\x00\x00sNaPpY", 10 }, "snappy", TO_PIPE("snzip -dc FILE"),
	    0 },
	{ { "\x1f\x9d", 2 }, "compress", TO_PIPE("gzip -dc FILE"), 0 },
	{ { "PAR1\x15", 5 }, "parquet",
	    TO_PIPE("duckdb -json -c \"FROM read_parquet('FILE')\""), 0 },
	{ { "ustar\0"
	    "00",
	      8 },
	    "tar", FROM_TAR, 257 },
	{ { "ustar  ", 8 }, "tar", FROM_TAR, 257 },
};

/* bzip2's fourth byte is a digit. */
static bool
magic_at(struct str head, struct str magic)
{
	if (!str_starts(magic, STR("BZh")))
		return str_starts(head, magic);
	return str_starts(head, STR("BZh")) && head.n >= magic.n &&
	       head.p[3] >= '1' && head.p[3] <= '9' &&
	       str_starts(str_from(head, 4), str_from(magic, 4));
}

static bool
zlib_magic(struct str head)
{
	return str_starts(head, STR("\x78\x01")) ||
	       str_starts(head, STR("\x78\x5e")) ||
	       str_starts(head, STR("\x78\x9c")) ||
	       str_starts(head, STR("\x78\xda"));
}

static bool
zlib_here(struct str head)
{
	bool ended;

	if (!zlib_magic(head))
		return false;
	struct str s = str_sub(head, 2, SNIFF_ZLIB);
	return deflate_plausible((const uint8_t *)s.p, s.n, &ended);
}

/* How many bytes must be there before it is clear what they are. */
static size_t
sniff_need(struct str head)
{
	return zlib_magic(head) ? SNIFF_ZLIB : SNIFF_TAR;
}

static enum flow
read_fd(struct source *s, char *p, size_t cap, size_t *n, struct err *err)
{
	uint64_t left = s->size - s->notes.bytes_packed;

	*n = 0;
	if (cap > s->limits->block_bytes)
		cap = s->limits->block_bytes;
	if (s->size && cap > left)
		cap = (size_t)left;
	ssize_t got = cap > 0 ? read(s->fd, p, cap) : 0;
	if (got < 0 && errno == EINTR)
		return FLOW_IDLE;
	if (got < 0) {
		err_set(err, "reading: %s", strerror(errno));
		return FLOW_FAIL;
	}
	if (got == 0 && s->size && left > 0) {
		err_set(err,
		    "it became shorter while it was read: it had %" PRIu64
		    " bytes and ends after %" PRIu64,
		    s->size, s->notes.bytes_packed);
		return FLOW_FAIL;
	}
	*n = (size_t)got;
	s->notes.bytes_packed += *n;
	return got > 0 ? FLOW_OK : FLOW_END;
}

/* How many bytes a level may have by now. */
static uint64_t
allowance(const struct source *s)
{
	uint64_t free_bytes = s->limits->inflate_free, n;
	uint64_t packed = unpack_position(s->layer[0]);

	packed = (packed / BOMB_STEP + 1) * BOMB_STEP;
	if (__builtin_mul_overflow(packed, s->limits->inflate_ratio, &n))
		return UINT64_MAX;
	return n > free_bytes ? n : free_bytes;
}

/* Counts what a layer gave and cuts what is too much. */
static enum flow
bomb_check(struct source *s, int level, size_t *n)
{
	uint64_t *out = &s->out[level - 1];
	uint64_t most = allowance(s);

	if (*out + *n <= most) {
		*out += *n;
		return FLOW_OK;
	}
	*n = *out < most ? (size_t)(most - *out) : 0;
	*out += *n;
	s->stopped = level;
	s->notes.bomb = true;
	if (!s->notes.what[0]) {
		snprintf(s->notes.what, sizeof(s->notes.what),
		    "inflates to more than %" PRIu64
		    " times its size: stopped after %" PRIu64 " bytes",
		    s->limits->inflate_ratio, *out);
	}
	return *n > 0 ? FLOW_OK : FLOW_END;
}

/* Bytes of a level.  The depth of the recursion is the number of layers. */
static enum flow
pull(struct source *s, int level, char *p, size_t cap, size_t *n,
    struct err *err)
{
	*n = 0;
	if (level <= s->stopped)
		return FLOW_END;
	if (level == 0)
		return read_fd(s, p, cap, n, err);

	struct unpack *u = s->layer[level - 1];
	for (;;) {
		enum flow f = unpack_read(u, p, cap, n);
		if (f == FLOW_OK)
			return bomb_check(s, level, n);
		if (f != FLOW_IDLE)
			return f;
		size_t room, got;
		char *to = unpack_room(u, &room);
		f = pull(s, level - 1, to, room, &got, err);
		if (f == FLOW_IDLE || f == FLOW_FAIL)
			return f;
		unpack_fed(u, got);
	}
}

/* Reads the first bytes of the topmost level, enough to tell what they are. */
static int
head_read(struct source *s, struct err *err)
{
	enum flow f = FLOW_OK;

	if (!s->head)
		s->head = xrealloc(NULL, HEAD, 1);
	s->head_n = 0;
	while (f != FLOW_END &&
	       s->head_n < sniff_need((struct str){ s->head, s->head_n })) {
		size_t n;
		f = pull(s, s->n_layers, s->head + s->head_n, HEAD - s->head_n,
		    &n, err);
		if (f == FLOW_FAIL)
			return -1;
		s->head_n += n;
	}
	return 0;
}

/* Makes the head the first input of a new layer. */
static void
layer_add(struct source *s, enum unpack_kind kind)
{
	struct unpack *u = unpack_new(kind, s->n_layers, &s->notes);
	size_t at = 0;

	while (at < s->head_n) {
		size_t room;
		char *to = unpack_room(u, &room);
		if (room > s->head_n - at)
			room = s->head_n - at;
		memcpy(to, s->head + at, room);
		unpack_fed(u, room);
		at += room;
	}
	s->layer[s->n_layers++] = u;
	s->notes.packed = true;
}

/* Puts layers on as long as what comes out is packed. */
static int
layers_find(struct source *s, struct err *err)
{
	for (;;) {
		if (head_read(s, err) == -1)
			return -1;
		struct str head = { s->head, s->head_n };
		for (size_t i = 0; i < sizeof(refused) / sizeof(*refused);
		     i++) {
			if (magic_at(str_from(head, refused[i].at),
				refused[i].magic))
				return err_set(err,
				    "%s is not built in: unpack it first, "
				    "e.g. %s",
				    refused[i].name, refused[i].ask);
		}
		bool gzip = str_starts(head, STR("\x1f\x8b"));
		if (!gzip && !zlib_here(head))
			return 0;
		if (s->n_layers == LAYERS_MAX ||
		    s->n_layers >= s->limits->inflate_layers) {
			snprintf(s->notes.what, sizeof(s->notes.what),
			    "packed more than %d times: not unpacked further",
			    s->n_layers);
			return 0;
		}
		layer_add(s, gzip ? UNPACK_GZIP : UNPACK_ZLIB);
	}
}

/*
 * An inherited descriptor, once more.  A file gets a position of its own and
 * begins at the start, so that an input can be opened many times and at the
 * same time; a pipe is shared.
 */
static int
fd_again(int fd)
{
	char path[32];
	struct stat st;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		int own = open(path, O_RDONLY | O_CLOEXEC);
		if (own >= 0)
			return own;
		if (lseek(fd, 0, SEEK_SET) != 0)
			return -1;
	}
	return fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

static int
fd_open(const struct input *input, struct err *err)
{
	struct stat st;
	int fd;

	if (input->spool)
		fd = fd_again(input->spool);
	else if (strcmp(input->path, "-") == 0)
		fd = fd_again(STDIN_FILENO);
	else
		fd = open(input->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return err_set(err, "%s", strerror(errno));
	if (fstat(fd, &st) != 0)
		return fd;
	if (S_ISDIR(st.st_mode)) {
		close(fd);
		return err_set(err, "%s", strerror(EISDIR));
	}
	if (input->inode && st.st_ino != input->inode) {
		close(fd);
		return err_set(err, "it is another file than a moment ago");
	}
	return fd;
}

struct source *
source_open(const struct input *input, const struct limits *limits,
    struct err *err)
{
	int fd = fd_open(input, err);

	if (fd < 0)
		return NULL;
	struct source *s = xcalloc(1, sizeof(*s));
	s->fd = fd;
	s->size = input->size;
	s->limits = limits;
	s->stopped = -1;
	if (layers_find(s, err) == -1) {
		source_close(s);
		return NULL;
	}
	return s;
}

/* Gives out the bytes that were looked at, then their memory back. */
static size_t
head_give(struct source *s, char *p, size_t cap)
{
	size_t n = s->head_n - s->head_at;

	if (n > cap)
		n = cap;
	memcpy(p, s->head + s->head_at, n);
	s->head_at += n;
	if (s->head_at == s->head_n) {
		free(s->head);
		s->head = NULL;
	}
	return n;
}

enum flow
source_read(struct source *s, char *p, size_t cap, size_t *n, struct err *err)
{
	enum flow f = FLOW_OK;

	*n = 0;
	if (s->limits->stop && *s->limits->stop)
		return FLOW_END;
	if (s->head && s->head_n > 0)
		*n = head_give(s, p, cap);
	else
		f = pull(s, s->n_layers, p, cap, n, err);
	s->notes.bytes += *n;
	return f;
}

const struct source_notes *
source_notes(const struct source *s)
{
	return &s->notes;
}

void
source_close(struct source *s)
{
	if (!s)
		return;
	for (int i = 0; i < s->n_layers; i++)
		unpack_free(s->layer[i]);
	free(s->head);
	close(s->fd);
	free(s);
}

bool
source_cut(const struct source *s)
{
	return s->notes.bomb ||
	       (s->n_layers > 0 && unpack_cut(s->layer[s->n_layers - 1]));
}

const char *
source_inflater(void)
{
	return inflate_name;
}
