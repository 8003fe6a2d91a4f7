/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See the header.  A reader goes the way of every reading (reading.h), so that
 * what it counts is what replay counts; only that documents are kept whole.
 */
#include "pipeline/traces_read.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/hash.h"
#include "core/mem.h"
#include "pipeline/reading.h"
#include "pipeline/view.h"

enum { SPAN_ID_MAX = 64 }; /* the assembler takes no longer one */

struct shared {
	struct traces_read *r;
	size_t *order; /* of the inputs: largest first */
	_Atomic size_t next;
	_Atomic bool failed;
};

struct reader {
	struct shared *shared;
	struct parts *parts;
	pthread_t thread;
	struct reading reading;
	struct replay_input *read; /* the input it is at */
	uint64_t records;
	uint64_t done;
	struct err err;
};

static bool
stopped(const struct reader *d)
{
	return d->shared->failed || d->shared->r->progress->stop;
}

/* Tells how far it is. */
static void
tell(struct reader *d)
{
	struct replay_progress *p = d->shared->r->progress;
	uint64_t packed = reading_notes(&d->reading)->bytes_packed;

	p->bytes_done += packed - d->done;
	p->records += d->records;
	d->done = packed;
	d->records = 0;
}

static void
count(struct replay_input *in, const struct item *item)
{
	static const enum account as[] = {
		[FATE_KEPT] = ACCOUNT_STORED,
		[FATE_FOLDED] = ACCOUNT_FOLDED,
		[FATE_FILTERED] = ACCOUNT_FILTERED,
		[FATE_DUPLICATE] = ACCOUNT_DUPLICATE,
		[FATE_CONTROL] = ACCOUNT_FILTERED,
		[FATE_DEAD] = ACCOUNT_DEAD,
	};
	bool none = item->fate == FATE_CONTROL || item->fate == FATE_DEAD;
	int kind = none ? (int)KIND_OTHER : (int)item->record.kind;
	int64_t ts = none ? WHEN_NONE : item->record.ts_ns;

	in->accounts.n[kind][ACCOUNT_READ]++;
	in->accounts.n[kind][as[item->fate]]++;
	if (item->fate == FATE_DEAD)
		replay_dead_note(in, item->dead.reason, item->dead.place.line);
	if (ts == WHEN_NONE)
		return;
	if (in->first_ns == WHEN_NONE || ts < in->first_ns)
		in->first_ns = ts;
	if (in->last_ns == WHEN_NONE || ts > in->last_ns)
		in->last_ns = ts;
}

/* Whether the document may be the root of a trace that is asked for. */
static bool
wanted(const struct reader *d, const struct record *r)
{
	const struct query *select = d->shared->r->options->select;
	struct view_part root;

	return !select || (view_root(&root, r) && query_may(select, &root));
}

/*
 * Whether a document can be read again where it stands.  One that is wanted
 * surely is, and stays.
 */
static bool
stays_away(const struct reader *d, const struct item *item)
{
	const struct input *in = d->read->input;
	struct str doc = item->record.segment.doc;

	return item->as_is && !reading_notes(&d->reading)->packed &&
	       !in->spool && strcmp(in->path, "-") != 0 &&
	       doc.p == item->record.event->message.p;
}

/* A document goes to its partition; -1: the disk is full. */
static int
take(struct reader *d, const struct item *item, struct err *err)
{
	const struct record *r = &item->record;
	const uint8_t *only = d->shared->r->options->only;
	const struct segment *s = &r->segment;
	struct part_head head = {
		.ts_ns = r->ts_ns,
		.n = (uint32_t)s->doc.n,
		.id_n = (uint8_t)s->id.n,
		.complete = !s->in_progress,
	};
	struct part_texts texts = { s->id, s->doc, { NULL, 0 } };
	struct part_away away;
	char bytes[16];

	if (!xray_trace_id(s->trace_id, head.trace) || s->id.n == 0 ||
	    s->id.n > SPAN_ID_MAX || s->doc.n > UINT32_MAX / 2)
		return 0;
	if (only && memcmp(only, head.trace, sizeof head.trace) != 0)
		return 0;
	head.wanted = wanted(d, r);
	memcpy(bytes, head.trace, sizeof bytes);
	head.hash = hash64((struct str){ bytes, sizeof bytes });
	head.away = !head.wanted && stays_away(d, item);
	if (head.away) {
		away = (struct part_away){ .offset = r->event->place.offset,
			.hash = hash64(s->doc),
			.input = r->event->place.input };
		texts.text = (struct str){ (const char *)&away, sizeof away };
	} else {
		texts.marks = s->marks;
		head.marks_n = (uint16_t)s->marks.n;
	}
	return parts_put(d->parts, &head, &texts, err);
}

static int
read_records(struct reader *d, struct err *err)
{
	struct item item;
	enum flow flow;

	for (flow = reading_next(&d->reading, &item, err); flow == FLOW_OK;
	     flow = reading_next(&d->reading, &item, err)) {
		count(d->read, &item);
		if (item.fate == FATE_KEPT &&
		    item.record.kind == RECORD_SEGMENT &&
		    take(d, &item, err) != 0)
			return -1;
		if (++d->records < BATCH_EVENTS)
			continue;
		tell(d);
		if (stopped(d))
			return 0;
	}
	if (flow == FLOW_FAIL)
		d->read->error = strdup(err->text);
	return 0;
}

static int
read_input(struct reader *d, size_t index, struct err *err)
{
	struct replay_result *result = d->shared->r->result;
	const struct input *input = &result->inputs.v[index];
	struct str why;
	int rc;

	d->read = &result->read[index];
	d->done = 0;
	if (input->state != INPUT_READ)
		return 0;
	if (reading_open(&d->reading, d->shared->r->options->replay, input,
		(uint32_t)index, err) != 0) {
		d->read->error = strdup(err->text);
		return 0;
	}
	rc = read_records(d, err);
	tell(d);
	why = events_why(d->reading.events);
	d->read->envelope = events_envelope(d->reading.events);
	d->read->envelope_why = xcalloc(why.n + 1, 1);
	if (why.n)
		memcpy(d->read->envelope_why, why.p, why.n);
	d->read->notes = *reading_notes(&d->reading);
	reading_close(&d->reading);
	return rc;
}

static void *
work(void *arg)
{
	struct reader *d = arg;
	struct shared *shared = d->shared;
	int rc = 0;

	while (rc == 0 && !stopped(d)) {
		size_t i = shared->next++;

		if (i >= shared->r->result->inputs.n)
			break;
		rc = read_input(d, shared->order[i], &d->err);
	}
	if (rc == 0)
		rc = parts_seal(d->parts, &d->err);
	reading_fini(&d->reading);
	if (rc != 0)
		shared->failed = true;
	else
		d->err.text[0] = '\0';
	return NULL;
}

struct by_size {
	uint64_t size;
	size_t index;
};

static int
larger_first(const void *pa, const void *pb)
{
	const struct by_size *a = pa;
	const struct by_size *b = pb;

	if (a->size != b->size)
		return a->size > b->size ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

static size_t *
order_of(const struct inputs *in)
{
	struct by_size *v = xcalloc(in->n, sizeof *v);
	size_t *order = xcalloc(in->n, sizeof *order);

	for (size_t i = 0; i < in->n; i++)
		v[i] = (struct by_size){ in->v[i].size, i };
	qsort(v, in->n, sizeof *v, larger_first);
	for (size_t i = 0; i < in->n; i++)
		order[i] = v[i].index;
	free(v);
	return order;
}

/* Of all inputs together. */
static void
sum(struct replay_result *r)
{
	r->first_ns = r->last_ns = WHEN_NONE;
	for (size_t i = 0; i < r->inputs.n; i++) {
		const struct replay_input *in = &r->read[i];

		r->bytes += in->notes.bytes;
		r->bytes_packed += in->notes.bytes_packed;
		for (int k = 0; k < KINDS; k++)
			for (int a = 0; a < ACCOUNTS; a++)
				r->accounts.n[k][a] += in->accounts.n[k][a];
		if (in->last_ns == WHEN_NONE)
			continue;
		if (r->first_ns == WHEN_NONE || in->first_ns < r->first_ns)
			r->first_ns = in->first_ns;
		if (r->last_ns == WHEN_NONE || in->last_ns > r->last_ns)
			r->last_ns = in->last_ns;
	}
}

static size_t
threads_for(const struct traces_read *r)
{
	long n = r->options->replay->threads;

	if (n <= 0)
		n = sysconf(_SC_NPROCESSORS_ONLN);
	if (n <= 0)
		n = 1;
	return (size_t)n < r->result->inputs.n ? (size_t)n
					       : r->result->inputs.n;
}

int
traces_read(struct traces_read *r, struct err *err)
{
	size_t n = threads_for(r);
	struct shared shared = { .r = r };
	struct reader *readers = xcalloc(n, sizeof *readers);
	size_t started = 0;
	int rc = 0;

	shared.order = order_of(&r->result->inputs);
	r->parts = xcalloc(n, sizeof(struct parts *));
	r->n_parts = n;
	for (size_t i = 0; i < n; i++) {
		r->parts[i] = parts_new(r->options->budget_bytes / n, 0);
		readers[i].shared = &shared;
		readers[i].parts = r->parts[i];
		readers[i].reading.since_ns = WHEN_NONE;
		readers[i].reading.until_ns = WHEN_NONE;
		readers[i].reading.marks = true;
	}
	for (; started + 1 < n; started++)
		if (pthread_create(&readers[started].thread, NULL, work,
			&readers[started]) != 0)
			break;
	/* This thread is the last reader, or the only one. */
	work(&readers[started]);
	for (size_t i = 0; i < started; i++)
		pthread_join(readers[i].thread, NULL);
	for (size_t i = 0; i < n && rc == 0; i++)
		if (readers[i].err.text[0])
			rc = err_set(err, "%s", readers[i].err.text);
	sum(r->result);
	free(shared.order);
	free(readers);
	return rc;
}

void
traces_read_fini(struct traces_read *r)
{
	for (size_t i = 0; i < r->n_parts; i++)
		parts_free(r->parts[i]);
	free(r->parts);
	r->parts = NULL;
	r->n_parts = 0;
}
