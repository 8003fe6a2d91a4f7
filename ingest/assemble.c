/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is open: documents by trace, and which trace is due.
 *
 * An open trace keeps the text of its documents and nothing else; spans are
 * made when it is finished, so that order of arrival cannot matter and memory
 * is what the documents take.  Traces are found by a hash table and are due by
 * a heap over (latest time, id).  The table's hash is keyed by a number of
 * this process, so that no input can choose its chains; nothing that is given
 * out depends on it.
 *
 * Finished ids are remembered in a table of fixed size, a newer one writing
 * over an older one in the same place; with it a late document is recognised.
 */
#include "ingest/assemble.h"

#include <stdlib.h>
#include <sys/random.h>

#include "core/hash.h"
#include "core/mem.h"
#include "ingest/assemble_build.h"
#include "ingest/xray.h"

enum {
	GONE_SLOTS = 1 << 16,
	MALLOC_BYTES = 16,
	SPANS_KEPT = 16 * 1024, /* memory that a trace leaves to the next */
};

const struct assemble_options assemble_defaults = {
	.timeout_ns = 60 * NS_PER_SEC,
	.traces_max = 200000,
	.bytes_max = (size_t)64 << 20,
	.documents_max = 200000,
	.trace_bytes_max = (size_t)32 << 20,
};

struct document {
	struct document *next;
	uint32_t n;
	uint8_t id_n; /* ids are at most 64 bytes */
	bool complete;
	char bytes[]; /* the id, then the text */
};

struct open {
	struct open *next; /* in the chain */
	struct document *documents;
	size_t n;        /* documents */
	size_t bytes;    /* of their texts */
	size_t cost;     /* memory */
	size_t at;       /* in the heap */
	size_t joined_n; /* n and bytes when equal ids were last joined */
	size_t joined_bytes;
	int64_t last_ns;
	uint32_t revision;
	bool refused;
	uint8_t id[16];
};

struct gone {
	uint64_t hash; /* of the id */
	uint32_t revision;
};

struct assembler {
	struct assemble_options options;
	struct assemble_counts counts;
	struct open **chains;
	size_t n_chains;
	struct open **heap;
	size_t n;
	size_t cap;
	uint64_t key;
	int64_t watermark_ns;
	bool ended;
	struct gone *gone;
	struct open *out; /* whose documents the trace in `build` views */
	struct build build;
	struct document **sorted;
	size_t sorted_cap;
};

struct assembler *
assembler_new(const struct assemble_options *options)
{
	struct assembler *a = xcalloc(1, sizeof *a);

	a->options = *options;
	a->watermark_ns = WHEN_NONE;
	a->n_chains = 1024;
	a->chains = xcalloc(a->n_chains, sizeof *a->chains);
	a->gone = xcalloc(GONE_SLOTS, sizeof *a->gone);
	/* Without randomness the table is as good, but can be aimed at. */
	if (getrandom(&a->key, sizeof a->key, GRND_NONBLOCK) < 0)
		a->key = 0;
	return a;
}

static void
documents_free(struct document *d)
{
	while (d) {
		struct document *next = d->next;

		free(d);
		d = next;
	}
}

static void
open_free(struct open *o)
{
	if (!o)
		return;
	documents_free(o->documents);
	free(o);
}

/* Whether a is due before b. */
static bool
sooner(const struct open *a, const struct open *b)
{
	if (a->last_ns != b->last_ns)
		return a->last_ns < b->last_ns;
	return memcmp(a->id, b->id, sizeof a->id) < 0;
}

static void
heap_put(struct assembler *a, size_t at, struct open *o)
{
	a->heap[at] = o;
	o->at = at;
}

static void
heap_up(struct assembler *a, struct open *o)
{
	size_t at = o->at;

	while (at > 0 && sooner(o, a->heap[(at - 1) / 2])) {
		heap_put(a, at, a->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	heap_put(a, at, o);
}

static void
heap_down(struct assembler *a, struct open *o)
{
	size_t at = o->at;

	while (at * 2 + 1 < a->n) {
		size_t child = at * 2 + 1;

		if (child + 1 < a->n &&
		    sooner(a->heap[child + 1], a->heap[child]))
			child++;
		if (!sooner(a->heap[child], o))
			break;
		heap_put(a, at, a->heap[child]);
		at = child;
	}
	heap_put(a, at, o);
}

static uint64_t
id_hash(const uint8_t id[16])
{
	char bytes[16];

	memcpy(bytes, id, sizeof bytes);
	return hash64((struct str){ bytes, sizeof bytes });
}

static size_t
chain_of(const struct assembler *a, const uint8_t id[16])
{
	uint64_t words[2];

	memcpy(words, id, sizeof words);
	return hash64_mix(hash64_mix(a->key, words[0]), words[1]) &
	       (a->n_chains - 1);
}

static void
chains_grow(struct assembler *a)
{
	if (a->n < a->n_chains)
		return;
	free(a->chains);
	a->n_chains *= 2;
	a->chains = xcalloc(a->n_chains, sizeof *a->chains);
	for (size_t i = 0; i < a->n; i++) {
		struct open *o = a->heap[i];
		size_t c = chain_of(a, o->id);

		o->next = a->chains[c];
		a->chains[c] = o;
	}
}

/* The revision of a trace that was finished before; 0: none is remembered. */
static uint32_t
gone_revision(const struct assembler *a, uint64_t hash)
{
	const struct gone *g = &a->gone[hash & (GONE_SLOTS - 1)];

	return g->hash == hash ? g->revision : 0;
}

static struct open *
open_new(struct assembler *a, const uint8_t id[16], int64_t ts_ns)
{
	struct open *o = xcalloc(1, sizeof *o);
	size_t c;

	memcpy(o->id, id, sizeof o->id);
	o->last_ns = ts_ns;
	o->cost = sizeof *o + MALLOC_BYTES;
	o->revision = gone_revision(a, id_hash(id)) + 1;
	a->counts.open_bytes += o->cost;
	a->heap = xgrow(a->heap, a->n + 1, &a->cap, sizeof *a->heap);
	o->at = a->n++;
	a->counts.open = a->n;
	heap_up(a, o);
	c = chain_of(a, id);
	o->next = a->chains[c];
	a->chains[c] = o;
	chains_grow(a);
	return o;
}

static struct open *
open_find(const struct assembler *a, const uint8_t id[16])
{
	struct open *o = a->chains[chain_of(a, id)];

	while (o && memcmp(o->id, id, sizeof o->id) != 0)
		o = o->next;
	return o;
}

static struct assemble_document
document_view(const struct document *d)
{
	return (struct assemble_document){
		.id = { d->bytes, d->id_n },
		.text = { d->bytes + d->id_n, d->n },
		.complete = d->complete,
	};
}

uint64_t
assemble_rank(bool complete, struct str text)
{
	uint64_t n = text.n < INT32_MAX ? text.n : INT32_MAX;

	return (uint64_t)complete << 63 | n << 32 | hash64(text) >> 32;
}

/* Of equal ids the one that counts first. */
static int
view_cmp(const void *pa, const void *pb)
{
	const struct assemble_document *a = pa;
	const struct assemble_document *b = pb;
	uint64_t ranks[2];
	int c = str_cmp(a->id, b->id);

	if (c != 0)
		return c;
	if (a->complete != b->complete)
		return a->complete ? -1 : 1;
	if (a->text.n != b->text.n)
		return a->text.n > b->text.n ? -1 : 1;
	c = str_cmp(a->text, b->text);
	if (c == 0)
		return 0;
	ranks[0] = assemble_rank(a->complete, a->text);
	ranks[1] = assemble_rank(b->complete, b->text);
	if (ranks[0] != ranks[1])
		return ranks[0] > ranks[1] ? -1 : 1;
	return c;
}

static int
document_cmp(const void *pa, const void *pb)
{
	struct assemble_document a =
	    document_view(*(struct document *const *)pa);
	struct assemble_document b =
	    document_view(*(struct document *const *)pb);

	return view_cmp(&a, &b);
}

static bool
same_id(const struct document *a, const struct document *b)
{
	return str_eq(document_view(a).id, document_view(b).id);
}

/* Sorts a trace's documents and frees those that another one of the same id
 * outdoes. */
static void
documents_join(struct assembler *a, struct open *o)
{
	struct document **end = &o->documents;
	size_t n = 0;

	a->sorted = xgrow(a->sorted, o->n, &a->sorted_cap, sizeof *a->sorted);
	for (struct document *d = o->documents; d; d = d->next)
		a->sorted[n++] = d;
	build_sort(a->sorted, n, sizeof *a->sorted, document_cmp);
	o->n = 0;
	for (size_t i = 0; i < n; i++) {
		struct document *d = a->sorted[i];
		size_t cost = sizeof *d + d->id_n + d->n + MALLOC_BYTES;

		if (o->n > 0 && same_id(d, a->sorted[o->n - 1])) {
			o->bytes -= d->n;
			o->cost -= cost;
			a->counts.open_bytes -= cost;
			a->counts.duplicates++;
			free(d);
			continue;
		}
		a->sorted[o->n++] = d;
		*end = d;
		end = &d->next;
	}
	*end = NULL;
	o->joined_n = o->n;
	o->joined_bytes = o->bytes;
}

/*
 * Whether one more document fits into its trace.  When it does not, copies are
 * joined first, but only when a quarter of the limit came since the last time,
 * so that a flood of copies costs no more than sorting it a few times.
 */
static bool
has_room(struct assembler *a, struct open *o, size_t more)
{
	const struct assemble_options *p = &a->options;

	if (o->n < p->documents_max && o->bytes + more <= p->trace_bytes_max)
		return true;
	if (o->n - o->joined_n < p->documents_max / 4 &&
	    o->bytes - o->joined_bytes < p->trace_bytes_max / 4)
		return false;
	documents_join(a, o);
	return o->n < p->documents_max && o->bytes + more <= p->trace_bytes_max;
}

static void
document_add(struct assembler *a, struct open *o, const struct segment *s)
{
	size_t n = s->id.n + s->doc.n;
	struct document *d = xrealloc(NULL, 1, sizeof *d + n);

	d->id_n = (uint8_t)s->id.n;
	d->n = (uint32_t)s->doc.n;
	d->complete = !s->in_progress;
	memcpy(d->bytes, s->id.p, s->id.n);
	memcpy(d->bytes + s->id.n, s->doc.p, s->doc.n);
	d->next = o->documents;
	o->documents = d;
	o->n++;
	o->bytes += s->doc.n;
	o->cost += sizeof *d + n + MALLOC_BYTES;
	a->counts.open_bytes += sizeof *d + n + MALLOC_BYTES;
}

void
assembler_add(struct assembler *a, const struct record *r)
{
	const struct segment *s = &r->segment;
	struct open *o;
	uint8_t id[16];

	a->counts.documents++;
	if (r->kind != RECORD_SEGMENT || !xray_trace_id(s->trace_id, id) ||
	    s->id.n == 0 || s->id.n > 64 || s->doc.n > UINT32_MAX / 2) {
		a->counts.refused++;
		return;
	}
	o = open_find(a, id);
	if (!o)
		o = open_new(a, id, r->ts_ns);
	if (o->revision > 1)
		a->counts.late++;
	if (!has_room(a, o, s->doc.n)) {
		a->counts.refused++;
		o->refused = true;
		return;
	}
	document_add(a, o, s);
	if (r->ts_ns > o->last_ns) {
		o->last_ns = r->ts_ns;
		heap_down(a, o);
	}
}

void
assembler_advance(struct assembler *a, int64_t watermark_ns)
{
	if (watermark_ns > a->watermark_ns)
		a->watermark_ns = watermark_ns;
}

void
assembler_end(struct assembler *a)
{
	a->ended = true;
}

static bool
over_budget(const struct assembler *a)
{
	return a->n > a->options.traces_max ||
	       a->counts.open_bytes > a->options.bytes_max;
}

static bool
timed_out(const struct assembler *a, const struct open *o)
{
	int64_t timeout = a->options.timeout_ns;

	if (a->ended)
		return true;
	return a->watermark_ns != WHEN_NONE &&
	       o->last_ns <= INT64_MAX - timeout &&
	       o->last_ns + timeout <= a->watermark_ns;
}

/* Takes the trace that is due first out of heap and table. */
static struct open *
open_take(struct assembler *a)
{
	struct open *o = a->heap[0];
	struct open *last = a->heap[--a->n];
	struct open **at = &a->chains[chain_of(a, o->id)];
	uint64_t hash = id_hash(o->id);

	if (last != o) {
		last->at = 0;
		heap_down(a, last);
	}
	while (*at != o)
		at = &(*at)->next;
	*at = o->next;
	a->counts.open = a->n;
	a->counts.open_bytes -= o->cost;
	a->gone[hash & (GONE_SLOTS - 1)] = (struct gone){ hash, o->revision };
	return o;
}

static void
id_print(char out[TRACE_ID_SIZE + 1], const uint8_t id[16])
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0;

	out[n++] = '1';
	out[n++] = '-';
	for (int i = 0; i < 16; i++) {
		if (i == 4)
			out[n++] = '-';
		out[n++] = hex[id[i] >> 4];
		out[n++] = hex[id[i] & 15];
	}
	out[n] = '\0';
}

/* Room for the next trace, with the id's two forms. */
static struct trace *
build_begin(struct build *b, const uint8_t id[16], size_t n_documents)
{
	struct trace *t = &b->trace;

	arena_reset(&b->arena);
	if (b->read.cap > SPANS_KEPT) {
		free(b->read.v);
		b->read.v = NULL;
		b->read.cap = 0;
	}
	*t = (struct trace){ .revision = 1, .n_documents = n_documents };
	memcpy(t->id, id, sizeof t->id);
	id_print(t->id_text, id);
	b->documents =
	    arena_alloc(&b->arena, n_documents * sizeof *b->documents + 1);
	t->documents = b->documents;
	return t;
}

/* The documents of the trace that goes out, which is built from them. */
static void
out_build(struct assembler *a)
{
	struct open *o = a->out;
	struct build *b = &a->build;
	struct trace *t = build_begin(b, o->id, o->n);

	t->revision = o->revision;
	t->limit_exceeded = o->refused;
	t->bytes = o->bytes;
	for (size_t i = 0; i < o->n; i++)
		b->documents[i] = (struct trace_document){
			.text = document_view(a->sorted[i]).text,
			.span = SPAN_NONE,
		};
	build_trace(b);
	a->counts.broken += b->read.broken;
}

const struct trace *
assembler_next(struct assembler *a)
{
	bool due;

	open_free(a->out);
	a->out = NULL;
	if (a->n == 0)
		return NULL;
	due = timed_out(a, a->heap[0]);
	if (!due && !over_budget(a))
		return NULL;
	a->out = open_take(a);
	a->counts.open_bytes += a->out->cost;
	documents_join(a, a->out);
	a->counts.open_bytes -= a->out->cost;
	out_build(a);
	a->build.trace.evicted = !due;
	a->counts.traces++;
	a->counts.evicted += !due;
	return &a->build.trace;
}

/* Puts the best of equal ids in front; returns how many there are. */
static size_t
views_join(struct assemble_document *v, size_t n)
{
	size_t kept = 0;

	build_sort(v, n, sizeof *v, view_cmp);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || !str_eq(v[i].id, v[kept - 1].id))
			v[kept++] = v[i];
	return kept;
}

const struct trace *
assembler_whole(struct assembler *a, const uint8_t id[16],
    struct assemble_document *v, size_t n)
{
	struct build *b = &a->build;
	struct trace *t;
	size_t bytes = 0;
	size_t kept;

	for (size_t i = 0; i < n; i++)
		bytes += v[i].text.n;
	if (n > a->options.documents_max || bytes > a->options.trace_bytes_max)
		return NULL;
	kept = views_join(v, n);
	t = build_begin(b, id, kept);
	for (size_t i = 0; i < kept; i++) {
		b->documents[i] =
		    (struct trace_document){ v[i].text, v[i].marks, SPAN_NONE };
		t->bytes += v[i].text.n;
	}
	build_trace(b);
	a->counts.documents += n;
	a->counts.duplicates += n - kept;
	a->counts.broken += b->read.broken;
	a->counts.traces++;
	return t;
}

const struct assemble_counts *
assembler_counts(const struct assembler *a)
{
	return &a->counts;
}

void
assembler_free(struct assembler *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < a->n; i++)
		open_free(a->heap[i]);
	open_free(a->out);
	arena_fini(&a->build.arena);
	span_list_fini(&a->build.read);
	free(a->sorted);
	free(a->heap);
	free(a->chains);
	free(a->gone);
	free(a);
}
