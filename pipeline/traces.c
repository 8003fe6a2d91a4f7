/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See the header.
 *
 * Readers put documents into partitions (traces_parts.h); then partition after
 * partition is sorted by trace and given to the assembler a trace at a time.
 * A partition that is larger than the budget is sorted into 64 smaller ones
 * first; when it is so large because of one trace, that trace's documents go
 * to the assembler in the order of the disk, and the assembler's own limits
 * hold.  A stack of levels remembers where it is.
 */
#include "pipeline/traces.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "pipeline/traces_away.h"
#include "pipeline/traces_parts.h"
#include "pipeline/traces_read.h"
#include "pipeline/traces_sort.h"

enum { BUDGET = 64 * 1024 * 1024 };

/* Partitions of one level, in turn. */
struct level {
	struct parts **v;
	size_t n;
	unsigned at; /* the next */
	struct parts *own;
};

/* The entries of one trace, which stand together. */
struct group {
	int64_t start_ns; /* of the earliest */
	size_t first, n;
};

struct traces {
	struct traces_options options;
	struct replay_progress *progress;
	struct replay_result result;
	struct traces_read read;
	int64_t since_ns, until_ns;

	struct level levels[PARTS_LEVELS];
	size_t depth; /* levels in use */

	struct buf room; /* the partition's bytes, if they were on disk */
	struct traces_entry *entries; /* in order: into one of the two below */
	struct traces_entry *listed, *sorted;
	size_t n, cap, cap_sorted;
	struct group *groups;
	size_t n_groups, cap_groups;
	size_t at; /* the next group */

	struct traces_away away;
	struct arena texts;                  /* of one trace's that were away */
	struct assemble_document *documents; /* of one trace */
	size_t n_documents, cap_documents;

	struct assembler *assembler;
	struct assemble_counts counts;
	uint64_t copies; /* equal in all bytes: not given to the assembler */
};

static void
add(struct traces *t, const uint8_t trace[16],
    const struct assemble_document *d)
{
	static const char digits[] = "0123456789abcdef";
	char id[32];
	struct record r = {
		.kind = RECORD_SEGMENT,
		.segment = {
			.id = d->id,
			.trace_id = { id, sizeof id },
			.doc = d->text,
			.in_progress = !d->complete,
		},
	};

	for (size_t i = 0; i < 16; i++) {
		id[2 * i] = digits[trace[i] >> 4];
		id[2 * i + 1] = digits[trace[i] & 15];
	}
	assembler_add(t->assembler, &r);
}

/* The document of what parts_take gave; -1: it cannot be read again. */
static int
document_of(struct traces *t, struct str raw, struct assemble_document *d,
    struct err *err)
{
	struct part_head head = parts_head(raw);
	struct part_away away;

	d->id = parts_id(raw);
	d->complete = head.complete;
	if (!head.away) {
		d->text = parts_text(raw);
		d->marks = parts_marks(raw);
		return 0;
	}
	away = parts_away(raw);
	d->text = (struct str){ NULL, head.n };
	d->marks = (struct str){ NULL, 0 };
	return traces_away_read(&t->away, &t->result.inputs, &away, &d->text,
	    &t->texts, err);
}

static void
count(struct traces *t)
{
	t->counts = *assembler_counts(t->assembler);
	t->counts.documents += t->copies;
	t->counts.duplicates += t->copies;
}

static const struct trace *
finish(struct traces *t)
{
	const struct trace *trace;

	assembler_end(t->assembler);
	trace = assembler_next(t->assembler);
	count(t);
	return trace;
}

/* Whether an entry is of the same trace as another. */
static bool
same_trace(const struct traces_entry *a, const struct traces_entry *b)
{
	struct part_head x, y;

	if (a->hash != b->hash)
		return false;
	x = parts_head(a->raw);
	y = parts_head(b->raw);
	return memcmp(x.trace, y.trace, sizeof x.trace) == 0;
}

static int
document_cmp(const void *pa, const void *pb)
{
	const struct assemble_document *a = pa;
	const struct assemble_document *b = pb;
	int c = str_cmp(a->id, b->id);

	return c != 0 ? c : str_cmp(a->text, b->text);
}

static bool
is_wanted(const struct traces *t, const struct group *g)
{
	for (size_t i = 0; i < g->n; i++)
		if (parts_head(t->entries[g->first + i].raw).wanted)
			return true;
	return false;
}

/* The documents of the group; copies count once. */
static int
gather(struct traces *t, const struct group *g, struct err *err)
{
	size_t n = 0;

	arena_reset(&t->texts);
	t->documents =
	    xgrow(t->documents, g->n, &t->cap_documents, sizeof *t->documents);
	for (size_t i = 0; i < g->n; i++)
		if (document_of(t, t->entries[g->first + i].raw,
			&t->documents[i], err) != 0)
			return -1;
	/* Where documents stand must not say in which order they come. */
	if (t->texts.used > 0)
		qsort(t->documents, g->n, sizeof *t->documents, document_cmp);
	for (size_t i = 0; i < g->n; i++)
		if (n == 0 ||
		    document_cmp(&t->documents[n - 1], &t->documents[i]) != 0)
			t->documents[n++] = t->documents[i];
	t->copies += g->n - n;
	t->n_documents = n;
	return 0;
}

/*
 * The next trace of the partition that is sorted; NULL: nobody wants it, or
 * with err.
 */
static const struct trace *
assemble(struct traces *t, struct err *err)
{
	const struct group *g = &t->groups[t->at++];
	struct part_head head = parts_head(t->entries[g->first].raw);
	const struct trace *trace;

	if (!is_wanted(t, g)) {
		t->result.traces++;
		return NULL;
	}
	if (gather(t, g, err) != 0)
		return NULL;
	trace = assembler_whole(t->assembler, head.trace, t->documents,
	    t->n_documents);
	if (trace) {
		count(t);
		return trace;
	}
	for (size_t i = 0; i < t->n_documents; i++)
		add(t, head.trace, &t->documents[i]);
	return finish(t);
}

static int
group_cmp(const void *pa, const void *pb)
{
	const struct group *a = pa;
	const struct group *b = pb;

	if (a->start_ns != b->start_ns)
		return a->start_ns < b->start_ns ? -1 : 1;
	return (a->first > b->first) - (a->first < b->first);
}

/* The sorted entries by trace. */
static void
group(struct traces *t)
{
	struct group *g = NULL;

	t->n_groups = t->at = 0;
	for (size_t i = 0; i < t->n; i++) {
		int64_t ts_ns = parts_head(t->entries[i].raw).ts_ns;

		if (!g || !same_trace(&t->entries[g->first], &t->entries[i])) {
			t->groups = xgrow(t->groups, t->n_groups + 1,
			    &t->cap_groups, sizeof *t->groups);
			g = &t->groups[t->n_groups++];
			*g = (struct group){ ts_ns, i, 0 };
		}
		g->n++;
		if (ts_ns < g->start_ns)
			g->start_ns = ts_ns;
	}
	if (t->options.by_start && t->n_groups > 0)
		qsort(t->groups, t->n_groups, sizeof *t->groups, group_cmp);
}

static size_t
level_bytes(const struct level *l, unsigned part)
{
	size_t sum = 0;

	for (size_t i = 0; i < l->n; i++)
		sum += parts_bytes(l->v[i], part);
	return sum;
}

static void
note_entries(struct traces *t, struct str chunk)
{
	struct str raw;

	while (parts_take(&chunk, &raw)) {
		t->listed =
		    xgrow(t->listed, t->n + 1, &t->cap, sizeof *t->listed);
		t->listed[t->n++] =
		    (struct traces_entry){ parts_head(raw).hash, raw };
	}
}

/* The whole partition, sorted. */
static int
load(struct traces *t, struct level *l, unsigned part, struct err *err)
{
	struct str chunk;

	buf_reset(&t->room);
	buf_room(&t->room, level_bytes(l, part));
	t->n = 0;
	for (size_t i = 0; i < l->n; i++) {
		size_t at = 0;
		int rc;

		for (rc =
			 parts_chunk(l->v[i], part, &at, &t->room, &chunk, err);
		     rc > 0; rc = parts_chunk(l->v[i], part, &at, &t->room,
				 &chunk, err))
			note_entries(t, chunk);
		if (rc < 0)
			return -1;
	}
	t->sorted = xgrow(t->sorted, t->n, &t->cap_sorted, sizeof *t->sorted);
	t->entries = traces_sort(t->listed, t->sorted, t->n,
	    (unsigned)t->depth * PARTS_BITS);
	group(t);
	return 0;
}

static int
add_raw(struct traces *t, struct str raw, struct err *err)
{
	struct part_head head = parts_head(raw);
	struct assemble_document d;

	arena_reset(&t->texts);
	if (document_of(t, raw, &d, err) != 0)
		return -1;
	add(t, head.trace, &d);
	return 0;
}

/*
 * All documents of the partition: into the next level's partitions, or, when
 * that is NULL, to the assembler.
 */
static int
pass_on(struct traces *t, struct level *l, unsigned part, struct parts *next,
    struct err *err)
{
	struct str chunk, raw;

	for (size_t i = 0; i < l->n; i++) {
		size_t at = 0;
		int rc;

		for (;;) {
			buf_reset(&t->room);
			rc = parts_chunk(l->v[i], part, &at, &t->room, &chunk,
			    err);
			if (rc <= 0)
				break;
			while (parts_take(&chunk, &raw)) {
				rc = next ? parts_put_raw(next, raw, err)
					  : add_raw(t, raw, err);
				if (rc != 0)
					return -1;
			}
		}
		if (rc < 0)
			return -1;
	}
	return next ? parts_seal(next, err) : 0;
}

/* Whether the partition is one trace's alone. */
static bool
is_one_trace(const struct level *l, unsigned part)
{
	const uint8_t *trace = NULL;

	for (size_t i = 0; i < l->n && !trace; i++)
		trace = parts_first(l->v[i], part);
	for (size_t i = 0; i < l->n && trace; i++)
		if (!parts_only(l->v[i], part, trace))
			return false;
	return true;
}

static void
level_push(struct traces *t, struct parts *own)
{
	struct level *l = &t->levels[t->depth++];

	*l = (struct level){ .n = 1, .own = own };
	l->v = &l->own;
}

static void
level_pop(struct traces *t)
{
	parts_free(t->levels[--t->depth].own);
}

static void
drop_done(struct level *l)
{
	for (size_t i = 0; i < l->n && l->at > 0; i++)
		parts_drop(l->v[i], l->at - 1);
}

enum step {
	STEP_AGAIN, /* go on */
	STEP_TRACE, /* *trace is one */
	STEP_END,
	STEP_FAIL,
};

/* The next partition that has something is made ready. */
static enum step
step(struct traces *t, const struct trace **trace, struct err *err)
{
	struct level *l;
	struct parts *next;
	unsigned part;
	size_t bytes;

	if (t->depth == 0)
		return STEP_END;
	l = &t->levels[t->depth - 1];
	drop_done(l);
	if (l->at == PARTS) {
		level_pop(t);
		return STEP_AGAIN;
	}
	part = l->at++;
	bytes = level_bytes(l, part);
	if (bytes == 0)
		return STEP_AGAIN;
	if (bytes <= t->options.budget_bytes)
		return load(t, l, part, err) == 0 ? STEP_AGAIN : STEP_FAIL;
	if (is_one_trace(l, part) || t->depth == PARTS_LEVELS) {
		if (pass_on(t, l, part, NULL, err) != 0)
			return STEP_FAIL;
		*trace = finish(t);
		return STEP_TRACE;
	}
	next = parts_new(t->options.budget_bytes / 2, (unsigned)t->depth);
	if (pass_on(t, l, part, next, err) != 0) {
		parts_free(next);
		return STEP_FAIL;
	}
	level_push(t, next);
	return STEP_AGAIN;
}

/* Any next trace, whenever it was. */
static const struct trace *
next_any(struct traces *t, struct err *err)
{
	const struct trace *trace = NULL;

	for (;;) {
		if (t->at < t->n_groups) {
			trace = assemble(t, err);
			if (trace || err->text[0])
				return trace;
			continue;
		}
		switch (step(t, &trace, err)) {
		case STEP_AGAIN:
			break;
		case STEP_TRACE:
			if (trace)
				return trace;
			break;
		case STEP_END:
		case STEP_FAIL:
			return NULL;
		}
	}
}

const struct trace *
traces_next(struct traces *t, struct err *err)
{
	const struct trace *trace;

	err->text[0] = '\0';
	for (trace = next_any(t, err); trace; trace = next_any(t, err)) {
		if (t->progress->stop) {
			err_set(err, "interrupted");
			return NULL;
		}
		if (t->since_ns != WHEN_NONE && trace->start_ns < t->since_ns)
			continue;
		if (t->until_ns != WHEN_NONE && trace->start_ns >= t->until_ns)
			continue;
		t->result.traces++;
		return trace;
	}
	return NULL;
}

/* The time range; --last is counted from the last record's time. */
static void
set_range(struct traces *t)
{
	const struct replay_options *o = t->options.replay;

	t->since_ns = when_last(o->since_ns, t->result.last_ns, o->last_ns);
	t->until_ns = o->until_ns;
}

static int
open_all(struct traces *t, char *const *paths, size_t n, struct err *err)
{
	struct replay_result *r = &t->result;

	if (t->options.inputs)
		r->inputs = *t->options.inputs;
	else if (inputs_collect(&r->inputs, paths, n, err) != 0 ||
		 inputs_spool(&r->inputs, &t->progress->stop, err) != 0)
		return -1;
	r->read = xcalloc(r->inputs.n, sizeof *r->read);
	t->progress->bytes_total = 0;
	for (size_t i = 0; i < r->inputs.n; i++) {
		r->read[i] = (struct replay_input){ .input = &r->inputs.v[i],
			.first_ns = WHEN_NONE,
			.last_ns = WHEN_NONE };
		t->progress->bytes_total += r->inputs.v[i].size;
	}
	if (traces_read(&t->read, err) != 0)
		return -1;
	if (t->progress->stop) {
		r->interrupted = true;
		return err_set(err, "interrupted");
	}
	set_range(t);
	t->progress->phase = 1;
	t->levels[0] =
	    (struct level){ .v = t->read.parts, .n = t->read.n_parts };
	t->depth = 1;
	return 0;
}

/*
 * A trace without root must not match, since nobody knows which one that is,
 * and every trace must count, whenever it was.
 */
static bool
can_select(const struct traces_options *o)
{
	const struct replay_options *range = o->replay;
	struct view_part none = VIEW_PART_NONE;

	return o->select && range->since_ns == WHEN_NONE &&
	       range->until_ns == WHEN_NONE && range->last_ns == 0 &&
	       !query_may(o->select, &none);
}

struct traces *
traces_open(const struct traces_options *options, char *const *paths, size_t n,
    struct replay_progress *progress, struct err *err)
{
	struct traces *t = xcalloc(1, sizeof *t);

	t->options = *options;
	if (t->options.budget_bytes == 0)
		t->options.budget_bytes = BUDGET;
	t->progress = progress;
	t->read = (struct traces_read){ .options = &t->options,
		.progress = progress,
		.result = &t->result };
	if (!can_select(&t->options))
		t->options.select = NULL;
	t->assembler = assembler_new(&t->options.assemble);
	if (open_all(t, paths, n, err) == 0)
		return t;
	traces_close(t);
	return NULL;
}

const struct replay_result *
traces_result(const struct traces *t)
{
	return &t->result;
}

const struct assemble_counts *
traces_counts(const struct traces *t)
{
	return &t->counts;
}

/* Borrowed inputs are not ours to free; what was read of them is. */
static void
traces_forget(struct traces *t)
{
	if (!t->options.inputs)
		return;
	for (size_t i = 0; t->result.read && i < t->result.inputs.n; i++) {
		free(t->result.read[i].envelope_why);
		free(t->result.read[i].error);
	}
	t->result.inputs = (struct inputs){ 0 };
}

void
traces_close(struct traces *t)
{
	if (!t)
		return;
	while (t->depth > 0)
		level_pop(t);
	traces_read_fini(&t->read);
	assembler_free(t->assembler);
	traces_forget(t);
	replay_result_fini(&t->result);
	buf_fini(&t->room);
	arena_fini(&t->texts);
	traces_away_fini(&t->away);
	free(t->listed);
	free(t->sorted);
	free(t->documents);
	free(t->groups);
	free(t);
}
