/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The look, the frames and the way back through them; see the header.
 *
 * A frame is a struct frame and the event's texts behind it.  The order is a
 * spill of (time, events that came after it, where its frame is).  Frames are
 * mostly wanted one before the other, so the file is read backwards in pieces
 * that grow to WINDOW_MOST; what is wanted out of turn costs a piece of
 * WINDOW_LEAST, so that times in no order at all cost little more than reads.
 */
#include "pipeline/turned.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/hash.h"
#include "core/mem.h"
#include "core/tempfile.h"

enum {
	RISES_ENOUGH = 3, /* more than falls: time goes on */
	FALLS_ENOUGH = 16,
	FLUSH_BYTES = 256 * 1024,
	ORDER_BYTES = 1024 * 1024,
	BATCH_BYTES = 1024 * 1024,
	WINDOW_LEAST = 4 * 1024,
	WINDOW_MOST = 64 * 1024,
};

struct frame {
	struct place place;
	int64_t ts_ns;
	uint32_t message_n, group_n, stream_n, id_n;
	uint32_t what;
};

struct ordered {
	struct spill_key key;
	uint64_t at; /* of the frame */
	uint64_t n;  /* its bytes */
};

static size_t
frame_bytes(const struct frame *f)
{
	return sizeof *f + f->message_n + f->group_n + f->stream_n + f->id_n;
}

void
turned_begin(struct turned *t)
{
	turned_fini(t);
	t->ts_ns = WHEN_NONE;
	t->ended = FLOW_OK;
}

void
turned_fini(struct turned *t)
{
	merge_free(t->merge);
	spill_free(t->order);
	if (t->filed)
		close(t->fd);
	buf_fini(&t->held);
	buf_fini(&t->window);
	*t = (struct turned){ 0 };
}

bool
turned_round(const struct turned *t)
{
	return t->state == TURNED_GATHER || t->state == TURNED_ROUND;
}

/* Holds an event against the one before it of its stream. */
static void
compare(struct turned *t, const struct event *e)
{
	uint64_t h = hash64_mix(hash64(e->stream), hash64(e->group)) | 1;
	size_t at = (size_t)(h >> 32) % TURNED_STREAMS;

	t->events++;
	if (t->last[at].stream == h) {
		t->rises += e->ts_ns > t->last[at].ts_ns;
		t->falls += e->ts_ns < t->last[at].ts_ns;
	}
	t->last[at].stream = h;
	t->last[at].ts_ns = e->ts_ns;
}

/* What the events so far say; TURNED_LOOK: nothing yet. */
static enum turned_state
look(struct turned *t, const struct batch *b)
{
	for (size_t i = 0; i < b->n; i++) {
		const struct event *e = &b->events[i];

		if (b->what[i] == EVENT_CONTROL)
			continue;
		t->bytes += sizeof(struct frame) + e->message.n;
		if (e->ts_ns != WHEN_NONE && b->what[i] == EVENT_MESSAGE)
			compare(t, e);
		else if (t->events == 0)
			return TURNED_HELD;
		if (t->rises >= t->falls + RISES_ENOUGH)
			return TURNED_HELD;
		if (t->falls >= t->rises + FALLS_ENOUGH)
			return TURNED_GATHER;
		if (t->events == TURNED_LOOK_EVENTS ||
		    t->bytes > TURNED_LOOK_BYTES)
			return t->falls > t->rises ? TURNED_GATHER
						   : TURNED_HELD;
	}
	return TURNED_LOOK;
}

/* Puts the frame's place in the order. */
static int
put_order(struct turned *t, const struct frame *f, uint64_t at, struct err *err)
{
	struct ordered o = { .at = at, .n = frame_bytes(f) };

	if (f->ts_ns != WHEN_NONE)
		t->ts_ns = f->ts_ns;
	o.key.hi = t->ts_ns == WHEN_NONE ? 0 : spill_time(t->ts_ns);
	o.key.lo = ~t->n++;
	return spill_put(t->order, &o.key, err);
}

static int
flush(struct turned *t, struct err *err)
{
	size_t done = 0;

	if (t->held.n < FLUSH_BYTES)
		return 0;
	if (!t->filed) {
		t->fd = tempfile_open(err);
		if (t->fd < 0)
			return -1;
		t->filed = true;
	}
	while (done < t->held.n) {
		ssize_t w = pwrite(t->fd, t->held.p + done, t->held.n - done,
		    (off_t)(t->base + done));

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return err_set(err,
			    "turning a newest-first input round needs room in "
			    "$TMPDIR: %s",
			    strerror(w < 0 ? errno : ENOSPC));
		done += (size_t)w;
	}
	t->base += t->held.n;
	buf_reset(&t->held);
	return 0;
}

static int
hold(struct turned *t, const struct event *e, enum event_what what,
    struct err *err)
{
	struct frame f = { .place = e->place,
		.ts_ns = e->ts_ns,
		.message_n = (uint32_t)e->message.n,
		.group_n = (uint32_t)e->group.n,
		.stream_n = (uint32_t)e->stream.n,
		.id_n = (uint32_t)e->id.n,
		.what = what };

	if (t->state == TURNED_GATHER &&
	    put_order(t, &f, t->base + t->held.n, err) != 0)
		return -1;
	buf_put(&t->held, &f, sizeof f);
	buf_str(&t->held, e->message);
	buf_str(&t->held, e->group);
	buf_str(&t->held, e->stream);
	buf_str(&t->held, e->id);
	return t->state == TURNED_GATHER ? flush(t, err) : 0;
}

static int
hold_batch(struct turned *t, struct batch *b, struct err *err)
{
	for (size_t i = 0; i < b->n; i++)
		if (hold(t, &b->events[i], (enum event_what)b->what[i], err) !=
		    0)
			return -1;
	b->n = 0;
	return 0;
}

/* What was held while looking gets its order. */
static int
gather(struct turned *t, struct err *err)
{
	struct frame f;

	t->state = TURNED_GATHER;
	t->order = spill_new(sizeof(struct ordered), ORDER_BYTES);
	for (size_t at = 0; at < t->held.n; at += frame_bytes(&f)) {
		memcpy(&f, t->held.p + at, sizeof f);
		if (put_order(t, &f, at, err) != 0)
			return -1;
	}
	return 0;
}

/* All is there. */
static int
turn(struct turned *t, struct err *err)
{
	spill_seal(t->order);
	t->merge = merge_new(&t->order, 1, err);
	t->state = TURNED_ROUND;
	return t->merge ? 0 : -1;
}

/* Appends the event of a frame to the batch. */
static void
give(struct batch *b, const char *p)
{
	struct event *e = &b->events[b->n];
	struct frame f;
	struct str text;

	memcpy(&f, p, sizeof f);
	text = arena_dup(&b->arena,
	    (struct str){ p + sizeof f, frame_bytes(&f) - sizeof f });
	*e = (struct event){ .place = f.place, .ts_ns = f.ts_ns };
	e->message = str_sub(text, 0, f.message_n);
	text = str_from(text, f.message_n);
	e->group = str_sub(text, 0, f.group_n);
	text = str_from(text, f.group_n);
	e->stream = str_sub(text, 0, f.stream_n);
	e->id = str_from(text, f.stream_n);
	b->what[b->n] = (uint8_t)f.what;
	b->marked[b->n] = 0;
	b->n++;
}

static bool
is_full(const struct batch *b)
{
	return b->n == BATCH_EVENTS || b->arena.used > BATCH_BYTES;
}

/* How the input ended, when all is out. */
static enum flow
ended(const struct turned *t, struct err *err)
{
	if (t->ended == FLOW_FAIL)
		*err = t->err;
	return t->ended;
}

/* FLOW_OK with an empty batch: all that was held is out. */
static enum flow
give_held(struct turned *t, struct batch *b, struct err *err)
{
	struct frame f;

	batch_reset(b);
	while (t->at < t->held.n && !is_full(b)) {
		memcpy(&f, t->held.p + t->at, sizeof f);
		give(b, t->held.p + t->at);
		t->at += frame_bytes(&f);
	}
	if (b->n > 0)
		return FLOW_OK;
	buf_fini(&t->held);
	t->state = TURNED_AS_IS;
	return ended(t, err);
}

/* Reads n bytes of the file at `at` into the window, by `more` to fill. */
static int
window_read(struct turned *t, uint64_t at, size_t n, struct err *err)
{
	size_t done = 0;

	buf_reset(&t->window);
	buf_room(&t->window, n);
	t->window_at = at;
	while (done < n) {
		ssize_t got = pread(t->fd, t->window.p + done, n - done,
		    (off_t)(at + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return err_set(err, "reading back from $TMPDIR: %s",
			    strerror(got < 0 ? errno : EIO));
		done += (size_t)got;
	}
	t->window.n = n;
	return 0;
}

/* The frame's bytes, of the file or of what is still held; NULL with err. */
static const char *
frame_at(struct turned *t, const struct ordered *o, struct err *err)
{
	uint64_t end = o->at + o->n;
	uint64_t from = o->at;
	size_t n;

	if (o->at >= t->base)
		return t->held.p + (o->at - t->base);
	if (o->at >= t->window_at && end <= t->window_at + t->window.n)
		return t->window.p + (o->at - t->window_at);
	if (t->window.n > 0 && end <= t->window_at &&
	    t->window_at - end < WINDOW_MOST) {
		if (t->window_bytes < WINDOW_MOST)
			t->window_bytes *= 2;
		from = end > t->window_bytes ? end - t->window_bytes : 0;
		if (from > o->at)
			from = o->at;
		n = (size_t)(end - from);
	} else {
		t->window_bytes = WINDOW_LEAST;
		n = o->n > WINDOW_LEAST ? (size_t)o->n : WINDOW_LEAST;
		if (n > t->base - from)
			n = (size_t)(t->base - from);
	}
	if (window_read(t, from, n, err) != 0)
		return NULL;
	return t->window.p + (o->at - from);
}

static enum flow
give_round(struct turned *t, struct batch *b, struct err *err)
{
	batch_reset(b);
	while (!is_full(b)) {
		const void *next = merge_next(t->merge);
		const char *p;

		if (!next)
			break;
		p = frame_at(t, next, err);
		if (!p)
			return FLOW_FAIL;
		give(b, p);
	}
	if (b->n > 0)
		return FLOW_OK;
	if (merge_failed(t->merge, err) != 0)
		return FLOW_FAIL;
	return ended(t, err);
}

/* One batch more is held, or passed on as it is: then the state is AS_IS. */
static int
take_batch(struct turned *t, struct batch *b, struct err *err)
{
	enum turned_state state =
	    t->state == TURNED_LOOK ? look(t, b) : t->state;

	if (state == TURNED_HELD && t->held.n == 0) {
		t->state = TURNED_AS_IS;
		return 0;
	}
	if (state == TURNED_GATHER && t->state == TURNED_LOOK &&
	    gather(t, err) != 0)
		return -1;
	t->state = state;
	return hold_batch(t, b, err);
}

/* The input has ended while it was looked at or gathered. */
static int
end(struct turned *t, enum flow flow, struct err *err)
{
	t->ended = flow;
	if (flow == FLOW_FAIL)
		t->err = *err;
	if (t->state == TURNED_LOOK) {
		if (t->falls <= t->rises) {
			t->state = TURNED_HELD;
			return 0;
		}
		if (gather(t, err) != 0)
			return -1;
	}
	return turn(t, err);
}

enum flow
turned_next(struct turned *t, struct events *e, struct batch *b,
    struct err *err)
{
	enum flow flow;

	while (t->state == TURNED_LOOK || t->state == TURNED_GATHER) {
		flow = events_next(e, b, err);
		if (flow != FLOW_OK) {
			if (end(t, flow, err) != 0)
				return FLOW_FAIL;
			continue;
		}
		if (take_batch(t, b, err) != 0)
			return FLOW_FAIL;
		/* As it is; or dead letters, which live in the batch. */
		if (b->n > 0 || b->n_dead > 0)
			return FLOW_OK;
	}
	if (t->state == TURNED_ROUND)
		return give_round(t, b, err);
	if (t->state == TURNED_HELD) {
		flow = give_held(t, b, err);
		if (flow != FLOW_OK || b->n > 0)
			return flow;
	}
	return t->ended == FLOW_OK ? events_next(e, b, err) : ended(t, err);
}
