/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log streams are buffered one by one and appended to their files, which are
 * open for that moment only: thousands of streams need no descriptors.  What is
 * appended to a .gz is a gzip member of its own, as any reader of exports must
 * take them.
 */
#include "simulate/output.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/gzip.h"
#include "core/mem.h"
#include "core/when.h"

enum {
	FLUSH = 64 * 1024,
	FLUSH_STDOUT = 256 * 1024,
	PATH = 4096,
};

struct stream {
	const char *path; /* below the folder; of standard output: the name */
	size_t n;         /* of path */
	struct buf name;  /* its memory */
	bool timed, begun;
	uint64_t lines;
	struct buf text;
};

struct output {
	struct output_options how;
	int udp;
	bool broken, pipe;
	struct err err;
	struct stream *streams;
	size_t n_streams, cap_streams;
	struct stream files[OUTPUT_FILES];
	struct packer *packer;
	struct buf packed, text; /* text: standard output */
	size_t begun;            /* where the line begins in its buf */
	struct moment moment;
};

static void
fail(struct output *o, const char *what, const char *why)
{
	if (!o->broken)
		err_set(&o->err, "%s: %s", what, why);
	o->broken = true;
}

/* Connected, so that an address is looked up once. */
static void
open_udp(struct output *o)
{
	struct addrinfo want = { .ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_DGRAM };
	struct addrinfo *found = NULL;
	const char *colon = strrchr(o->how.udp, ':');
	char host[256];

	if (!colon || (size_t)(colon - o->how.udp) >= sizeof host) {
		fail(o, o->how.udp, "not HOST:PORT");
		return;
	}
	memcpy(host, o->how.udp, (size_t)(colon - o->how.udp));
	host[colon - o->how.udp] = '\0';
	if (getaddrinfo(host, colon + 1, &want, &found) != 0 || !found) {
		fail(o, o->how.udp, "there is no such address");
		return;
	}
	o->udp = socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (o->udp < 0 ||
	    connect(o->udp, found->ai_addr, found->ai_addrlen) != 0)
		fail(o, o->how.udp, strerror(errno));
	freeaddrinfo(found);
}

/* The folder is made, and must hold nothing. */
static void
open_dir(struct output *o)
{
	struct dirent *e;
	DIR *d;

	if (mkdir(o->how.dir, 0777) != 0 && errno != EEXIST) {
		fail(o, o->how.dir, strerror(errno));
		return;
	}
	d = opendir(o->how.dir);
	if (!d) {
		fail(o, o->how.dir, strerror(errno));
		return;
	}
	for (e = readdir(d); e; e = readdir(d))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			break;
	if (e)
		fail(o, o->how.dir, "is not empty");
	closedir(d);
}

struct output *
output_open(const struct output_options *how)
{
	struct output *o = xcalloc(1, sizeof *o);

	o->how = *how;
	o->udp = -1;
	o->moment.s = INT64_MIN;
	o->files[OUTPUT_SEGMENTS] =
	    (struct stream){ .path = "xray/segments.ndjson" };
	o->files[OUTPUT_LABELS] = (struct stream){ .path = "labels.ndjson" };
	if (how->dir) {
		o->packer = packer_new();
		open_dir(o);
	}
	if (how->udp)
		open_udp(o);
	return o;
}

bool
output_failed(const struct output *o)
{
	return o->broken || o->pipe;
}

static void
write_out(struct output *o, int fd, struct str s, const char *what)
{
	while (s.n > 0) {
		ssize_t n = write(fd, s.p, s.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EPIPE && fd == STDOUT_FILENO) {
			o->pipe = true;
			return;
		}
		if (n < 0) {
			fail(o, what, strerror(errno));
			return;
		}
		s = str_from(s, (size_t)n);
	}
}

/* The folders of a path below the folder, from `from` on. */
static void
make_folders(char *path, size_t from)
{
	for (char *p = path + from; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		mkdir(path, 0777); /* what fails shows when it is opened */
		*p = '/';
	}
}

static void
append(struct output *o, const char *below, struct str s, bool first)
{
	const char *dir = o->how.dir;
	char path[PATH];
	int n;
	int fd;

	if (o->broken || !dir)
		return;
	n = snprintf(path, sizeof path, "%s/%s", dir, below);
	if (n >= (int)sizeof path) {
		fail(o, below, "the path is too long");
		return;
	}
	if (first)
		make_folders(path, strlen(dir) + 1);
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0) {
		fail(o, path, strerror(errno));
		return;
	}
	write_out(o, fd, s, path);
	if (close(fd) != 0)
		fail(o, path, strerror(errno));
}

static void
flush_stdout(struct output *o)
{
	if (!output_failed(o))
		write_out(o, STDOUT_FILENO, buf_view(&o->text),
		    "standard output");
	buf_reset(&o->text);
}

static void
flush(struct output *o, struct stream *s)
{
	struct str bytes = buf_view(&s->text);

	if (bytes.n == 0 || o->broken)
		return;
	if (str_ends(str_of(s->path), STR(".gz"))) {
		buf_reset(&o->packed);
		gzip_put(o->packer, &o->packed, bytes);
		bytes = buf_view(&o->packed);
	}
	append(o, s->path, bytes, !s->begun);
	s->begun = true;
	buf_reset(&s->text);
}

static size_t
add(struct output *o, struct buf *path, bool timed)
{
	struct stream *s;

	o->streams = xgrow(o->streams, o->n_streams + 1, &o->cap_streams,
	    sizeof *o->streams);
	s = &o->streams[o->n_streams];
	*s = (struct stream){ .n = path->n, .timed = timed };
	s->path = buf_cstr(path);
	s->name = *path;
	return o->n_streams++;
}

/* A name as an export's key has it. */
static void
put_mangled(struct buf *b, const char *name)
{
	for (; *name; name++)
		buf_char(b, *name == '/' || *name == ':' ? '-' : *name);
}

/* The object that an export task writes to see whether it may. */
static void
write_test(struct output *o, const struct buf *folder)
{
	struct buf path = { 0 };

	buf_str(&path, buf_view(folder));
	buf_cat(&path, "aws-logs-write-test");
	output_whole(o, buf_cstr(&path), STR("Permission Check Successful"));
	buf_fini(&path);
}

size_t
output_stream(struct output *o, const char *group, const char *task,
    const char *stream)
{
	struct buf path = { 0 };

	if (!o->how.dir) {
		buf_cat(&path, stream);
		return add(o, &path, true);
	}
	buf_cat(&path, "logs/");
	put_mangled(&path, group[0] == '/' ? group + 1 : group);
	buf_char(&path, '/');
	for (size_t i = 0; i <= o->n_streams; i++) {
		if (i == o->n_streams)
			write_test(o, &path);
		else if (str_starts(str_of(o->streams[i].path),
			     buf_view(&path)))
			break;
	}
	buf_cat(&path, task);
	buf_char(&path, '/');
	put_mangled(&path, stream);
	buf_cat(&path, "/000000.gz");
	return add(o, &path, true);
}

size_t
output_plain(struct output *o, const char *name)
{
	struct buf path = { 0 };

	buf_cat(&path, name);
	return add(o, &path, false);
}

const struct moment *
output_moment(struct output *o, int64_t at_ns)
{
	static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May",
		"Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	int64_t s = at_ns / NS_PER_SEC;
	struct moment *m = &o->moment;
	struct buf b = { 0 };
	int month;

	if (m->s == s)
		return m;
	m->s = s;
	when_put(&b, s * NS_PER_SEC, 0);
	memcpy(m->iso, b.p, 19);
	month = (b.p[5] - '0') * 10 + b.p[6] - '0';
	buf_reset(&b);
	buf_printf(&b, "%.2s/%s/%.4s:%.8s", m->iso + 8, months[month - 1],
	    m->iso, m->iso + 11);
	memcpy(m->clf, b.p, 20);
	buf_fini(&b);
	return m;
}

struct buf *
output_again(struct output *o, size_t stream)
{
	return o->how.dir ? &o->streams[stream].text : &o->text;
}

struct buf *
output_begin(struct output *o, size_t stream, int64_t at_ns)
{
	struct stream *s = &o->streams[stream];
	struct buf *b = output_again(o, stream);
	int ms = (int)(at_ns / NS_PER_MS % 1000);
	char *p;

	o->begun = b->n;
	if (!s->timed)
		return b;
	p = buf_room(b, 64 + s->n);
	memcpy(p, output_moment(o, at_ns)->iso, 19);
	p[19] = '.';
	p[20] = (char)('0' + ms / 100);
	p[21] = (char)('0' + ms / 10 % 10);
	p[22] = (char)('0' + ms % 10);
	if (o->how.dir) {
		memcpy(p + 23, "Z ", 2);
		b->n += 25;
		return b;
	}
	memcpy(p + 23, "000+00:00 ", 10);
	memcpy(p + 33, s->path, s->n);
	p[33 + s->n] = ' ';
	b->n += 34 + s->n;
	return b;
}

void
output_drop(struct output *o, size_t stream)
{
	output_again(o, stream)->n = o->begun;
}

uint64_t
output_end(struct output *o, size_t stream)
{
	struct stream *s = &o->streams[stream];

	if (o->how.dir) {
		buf_char(&s->text, '\n');
		if (s->text.n >= FLUSH)
			flush(o, s);
	} else {
		buf_char(&o->text, '\n');
		if (o->text.n >= FLUSH_STDOUT)
			flush_stdout(o);
	}
	return ++s->lines;
}

const char *
output_path(const struct output *o, size_t stream)
{
	return o->streams[stream].path;
}

bool
output_labelled(const struct output *o)
{
	return o->how.dir != NULL;
}

bool
output_traced(const struct output *o)
{
	return o->how.dir || o->how.udp;
}

uint64_t
output_document(struct output *o, enum output_file f, struct str doc)
{
	static const char head[] = "{\"format\":\"json\",\"version\":1}\n";
	struct stream *s = &o->files[f];

	if (f == OUTPUT_SEGMENTS && o->udp >= 0 && !o->broken) {
		buf_reset(&o->packed);
		buf_cat(&o->packed, head);
		buf_str(&o->packed, doc);
		/* As SDKs do: whether somebody listens is not asked. */
		if (send(o->udp, o->packed.p, o->packed.n, 0) < 0 &&
		    errno != ECONNREFUSED && errno != EAGAIN &&
		    errno != ENOBUFS)
			fail(o, o->how.udp, strerror(errno));
	}
	if (!o->how.dir)
		return 0;
	buf_str(&s->text, doc);
	buf_char(&s->text, '\n');
	if (s->text.n >= FLUSH)
		flush(o, s);
	return ++s->lines;
}

void
output_whole(struct output *o, const char *path, struct str text)
{
	if (o->how.dir)
		append(o, path, text, true);
}

int64_t
output_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * NS_PER_SEC + t.tv_nsec;
}

bool
output_wait(struct output *o, int64_t at_ns)
{
	struct timespec t = { .tv_sec = at_ns / NS_PER_SEC,
		.tv_nsec = at_ns % NS_PER_SEC };

	if (at_ns > output_clock()) {
		flush_stdout(o);
		while (clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &t,
			   NULL) == EINTR)
			continue;
	}
	return !output_failed(o);
}

int
output_close(struct output *o, bool *pipe, struct err *err)
{
	bool failed;

	for (size_t i = 0; i < o->n_streams; i++) {
		if (o->how.dir)
			flush(o, &o->streams[i]);
		buf_fini(&o->streams[i].text);
		buf_fini(&o->streams[i].name);
	}
	for (int i = 0; i < OUTPUT_FILES; i++) {
		flush(o, &o->files[i]);
		buf_fini(&o->files[i].text);
	}
	flush_stdout(o);
	if (o->udp >= 0)
		close(o->udp);
	*pipe = o->pipe;
	failed = o->broken;
	if (failed)
		*err = o->err;
	packer_free(o->packer);
	buf_fini(&o->packed);
	buf_fini(&o->text);
	free(o->streams);
	free(o);
	return failed ? -1 : 0;
}
