/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a worker does with one record: finds its origin, leaves out what is
 * outside of the time asked for or written twice, and counts it; or, when the
 * plan says so, makes it a row for the sort by time.
 */
#include <stdlib.h>

#include "core/hash.h"
#include "core/mem.h"
#include "ingest/assemble.h"
#include "pipeline/worker.h"
#include "sinks/documents.h"

/* The same by origin, for --service. */
static void
account_share(struct worker *w, int kind, enum account a)
{
	struct share *s = w->n_shares ? &w->shares[w->n_shares - 1] : NULL;

	if (!s || s->input != w->index || s->origin != w->origin) {
		w->shares = xgrow(w->shares, w->n_shares + 1, &w->cap_shares,
		    sizeof *w->shares);
		s = &w->shares[w->n_shares++];
		*s = (struct share){ .input = w->index, .origin = w->origin };
	}
	s->accounts.n[kind][a]++;
}

static inline void
account(struct worker *w, int kind, enum account a)
{
	w->read->accounts.n[kind][a]++;
	if (w->run->options->service.n)
		account_share(w, kind, a);
}

/* The next plan has more of what this one lacks; this one ends. */
static int
start_over(struct worker *w, struct plan more)
{
	struct run *run = w->run;

	pthread_mutex_lock(&run->lock);
	run->plan_next.rows |= more.rows | more.dedupe;
	run->plan_next.dedupe |= more.dedupe;
	pthread_mutex_unlock(&run->lock);
	run->again = true;
	return -1;
}

static size_t
owner_slot(const struct run *run, uint64_t stream)
{
	size_t at = stream & (run->cap_streams - 1);

	while (run->streams[at].stream && run->streams[at].stream != stream)
		at = (at + 1) & (run->cap_streams - 1);
	return at;
}

static void
owners_grow(struct run *run)
{
	struct stream_owner *old = run->streams;
	size_t n = run->cap_streams;

	run->cap_streams = n ? n * 2 : 256;
	run->streams = xcalloc(run->cap_streams, sizeof *run->streams);
	for (size_t i = 0; i < n; i++)
		if (old[i].stream)
			run->streams[owner_slot(run, old[i].stream)] = old[i];
	free(old);
}

/* Notes that this input has the stream; -1: another one has it too. */
static int
claim_stream(struct worker *w)
{
	struct run *run = w->run;
	uint64_t stream = w->reading.identity.stream;
	struct stream_owner *o;
	bool shared;

	if (stream == w->claimed || run->plan.dedupe)
		return 0;
	w->claimed = stream;
	pthread_mutex_lock(&run->lock);
	if (run->n_streams * 2 >= run->cap_streams)
		owners_grow(run);
	o = &run->streams[owner_slot(run, stream)];
	shared = o->stream && o->family != w->family;
	run->n_streams += !o->stream;
	*o = (struct stream_owner){ stream, w->family };
	pthread_mutex_unlock(&run->lock);
	return shared ? start_over(w, (struct plan){ .dedupe = true }) : 0;
}

/*
 * Counts the origin among all of the run.  When there are too many, the scan
 * goes on for their hashes alone, and starts over knowing which it keeps.
 */
static void
count_origin(struct worker *w)
{
	struct run *run = w->run;

	if (w->namer.name.kind == ORIGIN_OTHER)
		return;
	pthread_mutex_lock(&run->lock);
	least_add(&run->origins, w->namer.hash);
	if (run->origins.beyond)
		run->crowded = true;
	pthread_mutex_unlock(&run->lock);
}

/* Where a record belongs; false: the run is crowded, and it is left out. */
static bool
find_origin(struct worker *w, const struct record *r)
{
	size_t before = w->tally.n_origins;

	if (origin_name_record(&w->namer, w->read->input, r)) {
		if (w->run->crowded) {
			count_origin(w);
			return false;
		}
		w->origin = tally_origin(&w->tally, &w->namer.name);
		if (w->tally.n_origins > before)
			count_origin(w);
	}
	return !w->run->crowded;
}

static void
count_dialect(struct worker *w, const char *name)
{
	for (int i = 0; i < DIALECTS_SEEN; i++) {
		if (w->dialects[i].name == name || !w->dialects[i].name) {
			w->dialects[i].name = name;
			w->dialects[i].n++;
			return;
		}
	}
}

static void
widen(int64_t ts_ns, int64_t *first, int64_t *last)
{
	if (*first == WHEN_NONE || ts_ns < *first)
		*first = ts_ns;
	if (*last == WHEN_NONE || ts_ns > *last)
		*last = ts_ns;
}

static struct str
trace_text(const struct record *r)
{
	return r->kind == RECORD_SEGMENT ? r->segment.trace_id
					 : r->request.trace_id;
}

/*
 * Notes the trace, and which document it is of, for outdone.c; 0: there is
 * none, -1: no room.
 */
static int
take_trace(struct worker *w, const struct record *r, uint64_t identity,
    uint8_t id[16], struct err *err)
{
	struct spill_key key = { .lo = identity };
	char bytes[16];

	if (!xray_trace_id(trace_text(r), id))
		return 0;
	memcpy(bytes, id, sizeof bytes);
	key.hi = hash64((struct str){ bytes, sizeof bytes });
	return spill_put(w->traces, &key, err) == 0 ? 1 : -1;
}

static uint64_t
join_hash(const struct request *q)
{
	return hash64_mix(hash64(q->path),
	    (uint64_t)q->status << 8 | (uint64_t)q->method);
}

/*
 * Where the request would wait.  Of rows, a link has the identity and its row
 * has the rest; else it has the trace, if there is one.
 */
static struct chain_place
place_of(const struct worker *w, const struct request *q)
{
	uint32_t extra = q->trace_id.n ? 2 : 0;

	return (struct chain_place){
		.stream = w->reading.identity.stream,
		.input = w->index,
		.origin = w->tally.number << ORIGIN_BITS | w->origin,
		.extra = w->run->plan.rows ? 1 : extra,
	};
}

/* The chain in which the request waits, whose class alone is given. */
static struct chain *
chain_of(struct worker *w, const struct request *q, enum class class)
{
	struct chain_place place = place_of(w, q);
	struct candidate_who who = candidate_who(q, place.stream);
	struct chain *chain = chains_of(&w->candidates.chains, &place, &who);

	if (chain->n == 0) {
		chain->method = (uint8_t)q->method;
		chain->class = (uint8_t) class;
		if (!w->run->plan.rows)
			chain->route =
			    routes_add(w->tally.origins[w->origin].routes,
				q->path, WHEN_NONE);
	}
	candidates_remember(&w->candidates, q, chain);
	return chain;
}

/* The same, if it is known without judging the request. */
static struct chain *
recall(struct worker *w, const struct record *r)
{
	const struct request *q = &r->request;
	struct chain_place place;

	/* What ends in a digit has mostly an id, and does not wait. */
	if (q->agent.n > 0 || q->forwarded.n > 0 || q->path.n == 0 ||
	    (unsigned char)(q->path.p[q->path.n - 1] - '0') < 10 ||
	    !candidate_may_wait(r))
		return NULL;
	place = place_of(w, q);
	return candidates_recall(&w->candidates, q, &place);
}

/* The link without what is extra. */
static struct link
link_of(const struct worker *w, const struct record *r)
{
	return (struct link){
		.begin_ns = candidate_begin(r),
		.duration_ns = r->request.duration_ns,
		.line = r->event->place.line,
		.seq = w->reading.identity.seq,
		.status = (int16_t)r->request.status,
	};
}

/* What a request adds to its row. */
static void
row_request(struct worker *w, struct row *row, const struct record *r,
    enum class class)
{
	const struct request *q = &r->request;
	struct misses_who who;

	row->flags |= ROW_REQUEST;
	row->flags |= q->grain == GRAIN_SECOND ? ROW_SECOND : 0;
	row->duration_ns = q->duration_ns;
	row->status = (int16_t)q->status;
	row->method = (uint8_t)q->method;
	row->class = (uint8_t) class;
	row->agent = q->agent.n > 0;
	row->what = join_hash(q);
	row->route =
	    routes_add(w->tally.origins[w->origin].routes, q->path, r->ts_ns);
	if (probe_public(document_client(q)))
		row->flags |= ROW_NAMED;
	if (!misses_wanted(q->status))
		return;
	who = misses_who(q);
	row->client = who.client;
	row->path = who.path;
}

/* What a row has of its segment, request or not. */
static void
fill_segment(struct worker *w, const struct record *r, struct row *row)
{
	row->flags |= ROW_SEGMENT | (r->segment.parent_id.n ? 0 : ROW_ROOT);
	row->rank = assemble_rank(!r->segment.in_progress, r->segment.doc);
	if (masked_request(&w->masked, r))
		row->flags |= ROW_FAILED;
	if (masked_call(&w->masked, r)) {
		row->flags |= ROW_FAILED;
		row->what = identity_parent(&r->segment);
	}
}

/* With a chain the row is a candidate as well. */
static int
row_candidate(struct worker *w, const struct record *r, struct chain *chain,
    const struct row *row, struct err *err)
{
	struct link l;

	if (!chain)
		return 0;
	l = link_of(w, r);
	l.extra[0] = row->key.lo;
	return candidates_put(&w->candidates, chain, &l, err);
}

/* `chain` is row_candidate's: NULL if it does not wait. */
static int
make_row(struct worker *w, const struct record *r, enum class class,
    struct chain *chain, struct err *err)
{
	bool is_request = r->kind == RECORD_REQUEST ||
			  (r->kind == RECORD_SEGMENT && r->segment.has_http &&
			      !r->segment.in_progress);
	uint64_t number;
	int traced = 0;
	struct row row = {
		.duration_ns = -1,
		.line = r->event->place.line,
		.seq = w->reading.identity.seq,
		.input = w->index,
		.origin = w->tally.number << ORIGIN_BITS | w->origin,
		.kind = (uint8_t)r->kind,
	};

	row.key.hi = r->ts_ns == WHEN_NONE ? 0 : spill_time(r->ts_ns);
	row.key.lo = identity_record(&w->reading.identity, r, &number);
	row.flags = r->ts_ns == WHEN_NONE ? ROW_UNDATED : 0;
	if (r->kind == RECORD_SEGMENT)
		fill_segment(w, r, &row);
	if (r->prefixed)
		row.flags |= ROW_PREFIXED;
	if (r->kind != RECORD_LOG)
		traced = take_trace(w, r,
		    r->kind == RECORD_SEGMENT ? row.key.lo : TRACE_NOTED_ALONE,
		    row.trace, err);
	if (traced < 0)
		return -1;
	if (traced)
		row.flags |= ROW_TRACE;
	if (is_request)
		row_request(w, &row, r, class);
	return spill_put(w->rows, &row.key, err) != 0
		   ? -1
		   : row_candidate(w, r, chain, &row, err);
}

/* Who asked for what is not there. */
static int
note_asker(struct worker *w, const struct request *q, const struct hit *hit,
    uint32_t route, struct err *err)
{
	const struct misses_hit m = {
		.ts_ns = hit->ts_ns,
		.who = misses_who(q),
		.origin = w->tally.number << ORIGIN_BITS | w->origin,
		.route = route,
		.example = &hit->example,
	};

	return misses_hit(&w->misses, &m, err);
}

static int
count_now(struct worker *w, const struct record *r, enum class class,
    struct err *err)
{
	const struct request *q = &r->request;
	bool fold = class == CLASS_PROBE && q->status < 400;
	struct hit hit = {
		.ts_ns = r->ts_ns,
		.duration_ns = q->duration_ns,
		.status = q->status,
		.method = q->method,
		.class = class,
		.example = { .line = r->event->place.line, .input = w->index },
	};
	uint32_t route;
	int traced = 0;

	if (class == CLASS_PROBE && w->run->options->probes == PROBES_DROP) {
		account(w, r->kind, ACCOUNT_FILTERED);
		return 0;
	}
	if (q->trace_id.n > 0)
		traced =
		    take_trace(w, r, TRACE_NOTED_ALONE, hit.example.trace, err);
	if (traced < 0)
		return -1;
	hit.example.has_trace = traced;
	if (fold && w->run->options->probes == PROBES_FOLD)
		account(w, r->kind, ACCOUNT_FOLDED);
	else
		account(w, r->kind, ACCOUNT_STORED);
	route =
	    routes_add(w->tally.origins[w->origin].routes, q->path, r->ts_ns);
	if (misses_wanted(q->status) && class == CLASS_CLIENT &&
	    note_asker(w, q, &hit, route, err) != 0)
		return -1;
	return tally_hit(&w->tally, w->origin, route, &hit, err);
}

/* A record that is not kept; where it belongs does not matter. */
static void
pass_over(struct worker *w, const struct item *item)
{
	static const enum account as[] = {
		[FATE_FOLDED] = ACCOUNT_FOLDED,
		[FATE_FILTERED] = ACCOUNT_FILTERED,
		[FATE_DUPLICATE] = ACCOUNT_DUPLICATE,
		[FATE_CONTROL] = ACCOUNT_FILTERED,
		[FATE_DEAD] = ACCOUNT_DEAD,
	};
	int kind = item->fate == FATE_CONTROL || item->fate == FATE_DEAD
		       ? KIND_OTHER
		       : (int)item->record.kind;

	if (item->fate == FATE_DEAD)
		replay_dead_note(w->read, item->dead.reason,
		    item->dead.place.line);
	w->read->accounts.n[kind][ACCOUNT_READ]++;
	w->read->accounts.n[kind][as[item->fate]]++;
}

/* It is counted when the clock has been asked. */
static int
wait_for_clock(struct worker *w, const struct record *r, struct chain *chain,
    struct err *err)
{
	struct link l = link_of(w, r);
	uint8_t id[16];
	int traced = 0;

	if (r->request.trace_id.n > 0)
		traced = take_trace(w, r, TRACE_NOTED_ALONE, id, err);
	if (traced < 0)
		return -1;
	routes_seen(w->tally.origins[w->origin].routes, chain->route, r->ts_ns);
	l.has_trace = traced;
	if (traced)
		memcpy(l.extra, id, sizeof id);
	return candidates_put(&w->candidates, chain, &l, err);
}

/*
 * The class of the request alone, and the chain in which it is to wait; NULL:
 * it does not wait.  -1: the disk is full.
 */
static int
judge_request(struct worker *w, const struct record *r, enum class *class,
    struct chain **chain, struct err *err)
{
	const struct request *q = &r->request;
	struct probe_verdict v;

	*chain = recall(w, r);
	if (!*chain) {
		v = probe_judge(&w->run->options->probe, q);
		*class = v.class;
		if (v.class == CLASS_PROBE && q->peer.n &&
		    r->ts_ns != WHEN_NONE &&
		    candidates_asker(&w->candidates, q, r->ts_ns,
			w->tally.number << ORIGIN_BITS | w->origin, err) != 0)
			return -1;
		if (!candidate_waits(&v, r))
			return 0;
		*chain = chain_of(w, q, v.class);
	}
	*class = (enum class)(*chain)->class;
	if (chain_dense(*chain, candidate_begin(r))) {
		*class = CLASS_CLIENT;
		*chain = NULL;
	}
	return 0;
}

static struct pulse_of
pulse_of(const struct worker *w, uint64_t stream, uint32_t origin)
{
	return (struct pulse_of){
		.stream = pulses_stream(stream, w->tally.origins[origin].hash),
		.asks = PULSE_LIFE,
		.origin = w->tally.number << ORIGIN_BITS | origin,
		.input = w->index,
	};
}

int
intake_leave(struct worker *w, struct err *err)
{
	struct pulse_of of;

	if (w->life.stream == 0)
		return 0;
	of = pulse_of(w, w->life.stream, w->life.origin);
	w->life.stream = 0;
	return pulses_add(&w->pulses, &of, w->life.first_ns, err);
}

/* There is life in the stream; when it began is noted as it is left. */
static int
note_life(struct worker *w, int64_t ts_ns, struct err *err)
{
	if (w->life.stream == w->reading.identity.stream &&
	    w->life.origin == w->origin) {
		if (ts_ns < w->life.first_ns)
			w->life.first_ns = ts_ns;
		return 0;
	}
	if (intake_leave(w, err) != 0)
		return -1;
	w->life.stream = w->reading.identity.stream;
	w->life.origin = w->origin;
	w->life.first_ns = ts_ns;
	return 0;
}

/* That its stream was probed; what waits is noted when it is judged. */
static int
note_pulse(struct worker *w, const struct record *r, struct err *err)
{
	struct pulse_of of = pulse_of(w, w->reading.identity.stream, w->origin);

	if (!w->listens || !candidate_may_wait(r))
		return 0;
	of.peer = candidate_peer(&r->request);
	of.asks = candidate_asks(&r->request);
	return pulses_add(&w->pulses, &of, candidate_begin(r), err);
}

static int
take_request(struct worker *w, const struct record *r, struct err *err)
{
	struct chain *chain;
	enum class class;

	w->tally.origins[w->origin].requests++;
	if (judge_request(w, r, &class, &chain, err) != 0)
		return -1;
	if (class == CLASS_PROBE && note_pulse(w, r, err) != 0)
		return -1;
	if (w->run->plan.rows)
		return make_row(w, r, class, chain, err);
	if (chain)
		return wait_for_clock(w, r, chain, err);
	return count_now(w, r, class, err);
}

int
intake(struct worker *w, const struct item *item, struct err *err)
{
	const struct plan *plan = &w->run->plan;
	const struct record *r = &item->record;
	struct origin *o;

	if (item->fate != FATE_KEPT) {
		pass_over(w, item);
		return 0;
	}
	if (r->kind == RECORD_SEGMENT && !plan->rows && !w->run->crowded)
		return start_over(w, (struct plan){ .rows = true });
	if (!find_origin(w, r))
		return 0;
	if (claim_stream(w) != 0)
		return -1;
	account(w, r->kind, ACCOUNT_READ);
	o = &w->tally.origins[w->origin];
	if (r->ts_ns != WHEN_NONE) {
		widen(r->ts_ns, &o->first_ns, &o->last_ns);
		widen(r->ts_ns, &w->read->first_ns, &w->read->last_ns);
	}
	if (w->listens && r->kind != RECORD_SEGMENT && r->ts_ns != WHEN_NONE &&
	    note_life(w, r->ts_ns, err) != 0)
		return -1;
	if (r->dialect)
		count_dialect(w, r->dialect);
	if (r->kind != RECORD_LOG)
		return take_request(w, r, err);
	if (plan->dedupe)
		return make_row(w, r, CLASS_CLIENT, NULL, err);
	account(w, RECORD_LOG, ACCOUNT_STORED);
	o->logs++;
	return 0;
}
