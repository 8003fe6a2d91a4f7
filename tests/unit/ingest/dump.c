/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes become an input by way of an anonymous file.
 */
#include "dump.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/mem.h"
#include "ingest/events.h"
#include "ingest/input.h"
#include "ingest/source.h"

static void
put_escaped(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '\n')
			buf_cat(out, "\\n");
		else if (c == '\r')
			buf_cat(out, "\\r");
		else if (c == '\t')
			buf_cat(out, "\\t");
		else if (c == '\\')
			buf_cat(out, "\\\\");
		else if (c < 0x20 || c >= 0x7f)
			buf_printf(out, "\\x%02x", c);
		else
			buf_char(out, (char)c);
	}
}

static void
put_word(struct buf *out, struct str s)
{
	buf_char(out, ' ');
	if (s.n == 0)
		buf_char(out, '-');
	put_escaped(out, s);
}

static void
put_event(struct buf *out, const struct event *e, uint8_t what)
{
	/* Whether a document is its line, to be read again, is not shown. */
	static const char *const names[] = {
		[EVENT_MESSAGE] = "message",
		[EVENT_DOCUMENT] = "document",
		[EVENT_LINE] = "document",
		[EVENT_SUMMARY] = "summary",
		[EVENT_CONTROL] = "control",
	};

	buf_printf(out, "+ %s %llu@%llu ", names[what],
	    (unsigned long long)e->place.line,
	    (unsigned long long)e->place.offset);
	if (e->ts_ns == WHEN_NONE)
		buf_char(out, '-');
	else
		when_put(out, e->ts_ns, e->ts_ns % NS_PER_MS ? 9 : 3);
	put_word(out, e->group);
	put_word(out, e->stream);
	put_word(out, e->id);
	buf_char(out, '|');
	put_escaped(out, e->message);
	buf_char(out, '\n');
}

static void
put_batch(struct buf *out, struct buf *letters, const struct batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		put_event(out, &b->events[i], b->what[i]);
	for (size_t i = 0; i < b->n_dead; i++) {
		const struct dead *d = &b->dead[i];

		buf_printf(letters, "- %llu@%llu %s|",
		    (unsigned long long)d->place.line,
		    (unsigned long long)d->place.offset, d->reason);
		put_escaped(letters, d->bytes);
		buf_char(letters, '\n');
	}
}

static void
dump(struct buf *out, char *path, const struct limits *limits)
{
	struct input input = { .path = path };
	struct err err = { { 0 } };
	struct source *source = source_open(&input, limits, &err);
	struct batch *b = xcalloc(1, sizeof *b);
	struct buf letters = { 0 };
	struct buf body = { 0 };
	struct events *e;
	enum flow flow = FLOW_OK;

	if (!source) {
		buf_printf(out, "cannot open: %s\n", err.text);
		free(b);
		return;
	}
	e = events_new(&input, 0, source, limits);
	while (flow == FLOW_OK) {
		flow = events_next(e, b, &err);
		if (flow == FLOW_OK)
			put_batch(&body, &letters, b);
	}
	if (flow == FLOW_FAIL)
		buf_printf(&body, "failed: %s\n", err.text);
	buf_printf(out, "envelope: %s (", events_envelope(e));
	buf_str(out, events_why(e));
	buf_cat(out, ")\n");
	buf_str(out, buf_view(&body));
	buf_str(out, buf_view(&letters));
	events_free(e);
	batch_fini(b);
	free(b);
	buf_fini(&letters);
	buf_fini(&body);
}

void
dump_path(struct buf *out, const char *path, const struct limits *limits)
{
	struct buf copy = { 0 };

	buf_cat(&copy, path);
	buf_char(&copy, '\0');
	dump(out, copy.p, limits);
	buf_fini(&copy);
}

void
dump_bytes(struct buf *out, struct str bytes, const struct limits *limits)
{
	int fd = memfd_create("input", 0);
	struct str rest = bytes;
	char path[64];

	while (fd >= 0 && rest.n > 0) {
		ssize_t n = write(fd, rest.p, rest.n);

		if (n <= 0)
			break;
		rest = str_from(rest, (size_t)n);
	}
	if (fd < 0 || rest.n > 0) {
		buf_cat(out, "cannot make the input\n");
	} else {
		lseek(fd, 0, SEEK_SET);
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		dump_path(out, path, limits);
	}
	if (fd >= 0)
		close(fd);
}

bool
dump_file(struct buf *out, const char *path)
{
	FILE *f = fopen(path, "rb");
	size_t n = 1;

	if (!f)
		return false;
	while (n > 0) {
		n = fread(buf_room(out, 65536), 1, 65536, f);
		out->n += n;
	}
	fclose(f);
	return true;
}
