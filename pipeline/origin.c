/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All streams with one stem are one program's: tasks, containers and pods come
 * and go.  A log group alone may hold several programs, so both count.  A
 * stream that is an id and nothing else, of no group, says no more than its
 * file's path.
 */
#include "pipeline/origin.h"

#include "analyzers/names.h"
#include "core/hash.h"

static void
note(struct buf *b, struct str s)
{
	buf_reset(b);
	buf_str(b, s);
}

static void
name_log(struct origin_namer *n, const struct input *input)
{
	struct str stream = buf_view(&n->stream);
	struct str group = buf_view(&n->group);

	buf_reset(&n->stem);
	n->name = (struct origin_name){ .kind = ORIGIN_LOG, .group = group };
	name_stem(&n->stem, stream);
	if (group.n == 0 && n->stem.n == 0) {
		name_readable(&n->stem, group, stream, str_of(input->path));
		n->name.path = buf_view(&n->stem);
		return;
	}
	n->name.stem = buf_view(&n->stem);
}

bool
origin_name_other(struct origin_namer *n, const struct input *input,
    const struct record *r)
{
	const struct event *e = r->event;
	struct str group = e->group.n ? e->group : input->group;
	struct str stream = e->stream.n ? e->stream : input->stream;

	if (r->kind == RECORD_SEGMENT) {
		n->set = false;
		n->name = (struct origin_name){ .kind = ORIGIN_TRACE,
			.stem = r->segment.name };
	} else {
		n->own = e->group.n || e->stream.n;
		if (n->set && str_eq(group, buf_view(&n->group)) &&
		    str_eq(stream, buf_view(&n->stream)))
			return false;
		n->set = true;
		note(&n->group, group);
		note(&n->stream, stream);
		name_log(n, input);
	}
	buf_reset(&n->key);
	origin_key(&n->key, &n->name);
	n->hash = hash64(buf_view(&n->key));
	if (n->hash > n->most)
		n->name = (struct origin_name){ .kind = ORIGIN_OTHER };
	return true;
}

struct str
origin_task(const struct origin_namer *namer, const struct input *input,
    const struct record *r)
{
	struct str stream =
	    r->event->stream.n ? r->event->stream : input->stream;
	struct str stem = namer->name.stem;
	size_t n = 0;

	while (n < stem.n && n < stream.n &&
	       (stem.p[n] == stream.p[n] ||
		   (stem.p[n] == '/' && stream.p[n] == '-') ||
		   (stem.p[n] == '-' && stream.p[n] == '/')))
		n++;
	while (n < stream.n && (stream.p[n] == '/' || stream.p[n] == '-'))
		n++;
	return n < stream.n ? str_from(stream, n) : stream;
}

void
origin_namer_reset(struct origin_namer *n)
{
	n->set = false;
}

void
origin_namer_fini(struct origin_namer *n)
{
	buf_fini(&n->group);
	buf_fini(&n->stream);
	buf_fini(&n->stem);
	buf_fini(&n->key);
}
