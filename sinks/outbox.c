/* SPDX-License-Identifier: Apache-2.0 */
/* See the header. */
#include "sinks/outbox.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/mem.h"

static const char file_name[] = "alerts.outbox";

enum {
	SUM = 16, /* hex digits */
	WORDS = 200,
	COMPACT_FROM = 4096, /* lines: smaller files stay as they are */
};

struct entry {
	char id[HASH_ID_SIZE];
	bool used, settled;
};

struct outbox {
	const struct statedir *dir;
	int fd;
	bool failed;
	uint64_t number; /* of the last line */
	struct entry *v; /* open addressing; cap is a power of two */
	size_t n, cap;
};

static struct entry *
find(const struct outbox *o, const char *id)
{
	size_t i = (size_t)hash64((struct str){ id, HASH_ID_SIZE });

	for (i &= o->cap - 1; o->v[i].used; i = (i + 1) & (o->cap - 1))
		if (memcmp(o->v[i].id, id, HASH_ID_SIZE) == 0)
			break;
	return &o->v[i];
}

static void
grow(struct outbox *o)
{
	struct entry *old = o->v;
	size_t n = o->cap;

	o->cap = n ? 2 * n : 64;
	o->v = xcalloc(o->cap, sizeof *o->v);
	for (size_t i = 0; i < n; i++)
		if (old[i].used)
			*find(o, old[i].id) = old[i];
	free(old);
}

static void
remember(struct outbox *o, const char *id, bool settled)
{
	struct entry *e;

	if (2 * (o->n + 1) > o->cap)
		grow(o);
	e = find(o, id);
	if (!e->used) {
		memcpy(e->id, id, HASH_ID_SIZE);
		e->used = true;
		o->n++;
	}
	e->settled |= settled;
}

static void
put_line(struct buf *b, uint64_t number, bool settled, const char *id,
    struct str words)
{
	struct buf rest = { 0 };

	buf_printf(&rest, " %" PRIu64 " %s %.*s ", number,
	    settled ? "settled" : "intended", HASH_ID_SIZE, id);
	words = str_head(words, WORDS);
	for (size_t i = 0; i < words.n; i++)
		buf_char(&rest,
		    (unsigned char)words.p[i] < ' ' ? ' ' : words.p[i]);
	buf_printf(b, "%016" PRIx64, hash64(buf_view(&rest)));
	buf_str(b, buf_view(&rest));
	buf_char(b, '\n');
	buf_fini(&rest);
}

/* What a line says. */
struct step {
	uint64_t number;
	bool settled;
	const char *id;
};

/* False: it is damaged. */
static bool
parse(struct str line, struct step *step)
{
	struct str rest = str_from(line, SUM), word;
	struct buf sum = { 0 };
	bool good;

	buf_printf(&sum, "%016" PRIx64, hash64(rest));
	good = str_eq(str_sub(line, 0, SUM), buf_view(&sum));
	buf_fini(&sum);
	rest = str_from(rest, 1);
	if (!good || !str_u64(&rest, &step->number))
		return false;
	rest = str_from(rest, 1);
	if (!str_cut(&rest, ' ', &word) || rest.n < HASH_ID_SIZE)
		return false;
	step->settled = str_eq(word, STR("settled"));
	step->id = rest.p;
	return true;
}

/* All lines to the first that is damaged; *good is where that begins. */
static int
take_lines(struct outbox *o, struct str text, size_t *good, size_t *n,
    struct err *err)
{
	struct str rest = text, line;
	struct step step;
	bool bad = false;

	while (str_cut(&rest, '\n', &line)) {
		bool whole = parse(line, &step);

		if (whole && (bad || step.number != o->number + 1))
			return err_set(err,
			    "%s/%s:%zu: this line is damaged, and what it said "
			    "is not known; delete the file to send all alerts "
			    "again, or this line and what is behind it to send "
			    "those again",
			    statedir_path(o->dir), file_name, *n + 1);
		bad |= !whole;
		if (bad)
			continue;
		o->number = step.number;
		remember(o, step.id, step.settled);
		*good = text.n - rest.n;
		++*n;
	}
	return 0;
}

static int
read_all(int fd, struct buf *text)
{
	for (;;) {
		ssize_t n = read(fd, buf_room(text, 65536), 65536);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return (int)n;
		text->n += (size_t)n;
	}
}

static int
io_failed(const struct outbox *o, const char *what, struct err *err)
{
	return err_set(err, "%s/%s: cannot %s: %s", statedir_path(o->dir),
	    file_name, what, strerror(errno));
}

static int
open_file(struct outbox *o, struct err *err)
{
	o->fd = openat(statedir_fd(o->dir), file_name,
	    O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	/* Its name is to be there after a power cut as well. */
	if (o->fd < 0 || fsync(statedir_fd(o->dir)) != 0)
		return io_failed(o, "open", err);
	return 0;
}

/* The same in fewer lines: one an id. */
static int
compact(struct outbox *o, struct err *err)
{
	struct buf text = { 0 };
	int rc;

	o->number = 0;
	for (size_t i = 0; i < o->cap; i++)
		if (o->v[i].used)
			put_line(&text, ++o->number, o->v[i].settled,
			    o->v[i].id, STR(""));
	rc = statedir_put(o->dir, file_name, buf_view(&text), err);
	buf_fini(&text);
	close(o->fd);
	o->fd = -1;
	return rc == 0 ? open_file(o, err) : -1;
}

static int
load(struct outbox *o, struct err *err)
{
	struct buf text = { 0 };
	size_t good = 0, n = 0;
	int rc;

	if (open_file(o, err) != 0)
		return -1;
	rc = read_all(o->fd, &text);
	if (rc < 0)
		io_failed(o, "read", err);
	else
		rc = take_lines(o, buf_view(&text), &good, &n, err);
	if (rc == 0 && good < text.n && ftruncate(o->fd, (off_t)good) != 0)
		rc = io_failed(o, "cut", err);
	if (rc == 0 && n >= COMPACT_FROM && n > o->n + o->n / 2)
		rc = compact(o, err);
	buf_fini(&text);
	return rc;
}

struct outbox *
outbox_open(const struct statedir *dir, struct err *err)
{
	struct outbox *o = xcalloc(1, sizeof *o);

	o->dir = dir;
	o->fd = -1;
	grow(o);
	if (load(o, err) == 0)
		return o;
	outbox_close(o);
	return NULL;
}

enum outbox_state
outbox_state(const struct outbox *o, const char id[HASH_ID_SIZE])
{
	const struct entry *e = find(o, id);

	if (!e->used)
		return OUTBOX_NEW;
	return e->settled ? OUTBOX_SETTLED : OUTBOX_IN_DOUBT;
}

/* A part of a line is cut off when the file is opened again. */
static int
append(struct outbox *o, bool settled, const char *id, struct str words,
    struct err *err)
{
	struct buf line = { 0 };
	ssize_t n = -1;

	put_line(&line, o->number + 1, settled, id, words);
	if (o->failed)
		errno = EIO;
	else
		n = write(o->fd, line.p, line.n);
	if (n >= 0 && (size_t)n < line.n)
		errno = ENOSPC;
	o->failed = n < 0 || (size_t)n < line.n || fdatasync(o->fd) != 0;
	buf_fini(&line);
	if (o->failed)
		return io_failed(o, "write", err);
	o->number++;
	remember(o, id, settled);
	return 0;
}

int
outbox_intend(struct outbox *o, const char id[HASH_ID_SIZE], struct str words,
    struct err *err)
{
	return append(o, false, id, words, err);
}

int
outbox_settle(struct outbox *o, const char id[HASH_ID_SIZE], struct str words,
    struct err *err)
{
	return append(o, true, id, words, err);
}

void
outbox_close(struct outbox *o)
{
	if (!o)
		return;
	if (o->fd >= 0)
		close(o->fd);
	free(o->v);
	free(o);
}
