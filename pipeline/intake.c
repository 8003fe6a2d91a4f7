/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a worker does with one record: finds its origin, leaves out what is
 * outside of the time asked for or written twice, and counts it; or, when the
 * plan says so, makes it a row for the sort by time.
 */
#include "core/hash.h"
#include "core/mem.h"
#include "pipeline/worker.h"

#include "analyzers/names.h"

static void
account(struct worker *w, int kind, enum account a)
{
	w->read->accounts.n[kind][a]++;
	if (w->run->options->service.n && w->named) {
		struct share *s =
		    w->n_shares ? &w->shares[w->n_shares - 1] : NULL;

		if (!s || s->input != w->index || s->origin != w->origin) {
			w->shares = xgrow(w->shares, w->n_shares + 1,
			    &w->cap_shares, sizeof *w->shares);
			s = &w->shares[w->n_shares++];
			*s = (struct share){ .input = w->index,
				.origin = w->origin };
		}
		s->accounts.n[kind][a]++;
	}
}

/* The next plan has more of what this one lacks; this one ends. */
static int
start_over(struct worker *w, struct plan more)
{
	struct run *run = w->run;

	pthread_mutex_lock(&run->lock);
	run->plan_next.rows |= more.rows | more.dedupe;
	run->plan_next.dedupe |= more.dedupe;
	run->plan_next.one_origin |= more.one_origin;
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
	uint64_t stream = w->identity.stream;
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

static void
note(struct buf *b, struct str s)
{
	buf_reset(b);
	buf_str(b, s);
}

int
intake_origin(struct worker *w, const struct event *e, const struct record *r)
{
	const struct input *input = w->read->input;
	struct str group = e->group.n ? e->group : input->group;
	struct str stream = e->stream.n ? e->stream : input->stream;
	struct origin_name name = { .kind = ORIGIN_LOG, .group = group };
	struct buf stem = { 0 };
	int origin;

	if (r->kind == RECORD_SEGMENT) {
		name = (struct origin_name){ .kind = ORIGIN_TRACE,
			.stem = r->segment.name };
		w->named = false;
	} else if (w->named && str_eq(group, buf_view(&w->group)) &&
		   str_eq(stream, buf_view(&w->stream))) {
		return 0;
	} else {
		note(&w->group, group);
		note(&w->stream, stream);
		w->named = true;
		name_stem(&stem, stream);
		name.stem = buf_view(&stem);
		if (group.n == 0 && stem.n == 0)
			name_readable(
			    &stem, group, stream, str_of(input->path));
		if (group.n == 0 && stream.n == 0) {
			name.path = buf_view(&stem);
			name.stem = (struct str){ NULL, 0 };
		} else {
			name.stem = buf_view(&stem);
		}
	}
	if (w->run->plan.one_origin)
		name = (struct origin_name){ .kind = name.kind,
			.path = STR("everything") };
	origin = tally_origin(&w->tally, &name);
	buf_fini(&stem);
	if (origin < 0)
		return start_over(w, (struct plan){ .one_origin = true });
	w->origin = (uint32_t)origin;
	return 0;
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

static bool
in_range(const struct plan *plan, int64_t ts_ns)
{
	if (plan->since_ns != WHEN_NONE &&
	    (ts_ns == WHEN_NONE || ts_ns < plan->since_ns))
		return false;
	return plan->until_ns == WHEN_NONE ||
	       (ts_ns != WHEN_NONE && ts_ns < plan->until_ns);
}

static struct str
trace_text(const struct record *r)
{
	return r->kind == RECORD_SEGMENT ? r->segment.trace_id
					 : r->request.trace_id;
}

/* Notes the trace for the number of traces; false: there is none. */
static bool
take_trace(
    struct worker *w, const struct record *r, uint8_t id[16], struct err *err)
{
	struct spill_key key;

	if (!xray_trace_id(trace_text(r), id))
		return false;
	memcpy(&key.hi, id, 8);
	memcpy(&key.lo, id + 8, 8);
	/* A full disk shows itself at the next row or cell. */
	(void)spill_put(w->traces, &key, err);
	return true;
}

static uint64_t
join_hash(const struct request *q)
{
	return hash64_mix(
	    hash64(q->path), (uint64_t)q->status << 8 | (uint64_t)q->method);
}

static int
make_row(
    struct worker *w, const struct record *r, enum class class, struct err *err)
{
	const struct request *q = &r->request;
	bool is_request = r->kind == RECORD_REQUEST ||
			  (r->kind == RECORD_SEGMENT && r->segment.has_http &&
			      !r->segment.in_progress);
	uint64_t number;
	struct row row = {
		.duration_ns = -1,
		.line = r->event->place.line,
		.seq = w->identity.seq,
		.input = w->index,
		.origin = w->tally.number << ORIGIN_BITS | w->origin,
		.kind = (uint8_t)r->kind,
	};

	row.key.hi = r->ts_ns == WHEN_NONE ? 0 : spill_time(r->ts_ns);
	row.key.lo = identity_record(&w->identity, r, &number);
	row.flags = r->ts_ns == WHEN_NONE ? ROW_UNDATED : 0;
	if (r->kind == RECORD_SEGMENT)
		row.flags |=
		    ROW_SEGMENT | (r->segment.parent_id.n ? 0 : ROW_ROOT);
	if (r->prefixed)
		row.flags |= ROW_PREFIXED;
	if (r->kind != RECORD_LOG && take_trace(w, r, row.trace, err))
		row.flags |= ROW_TRACE;
	if (is_request) {
		row.flags |= ROW_REQUEST;
		row.flags |= q->grain == GRAIN_SECOND ? ROW_SECOND : 0;
		row.duration_ns = q->duration_ns;
		row.status = (int16_t)q->status;
		row.method = (uint8_t)q->method;
		row.class = (uint8_t) class;
		row.what = join_hash(q);
		row.route =
		    routes_add(w->tally.origins[w->origin].routes, q->path);
	}
	return spill_put(w->rows, &row.key, err);
}

static int
count_now(
    struct worker *w, const struct record *r, enum class class, struct err *err)
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

	if (class == CLASS_PROBE && w->run->options->probes == PROBES_DROP) {
		account(w, r->kind, ACCOUNT_FILTERED);
		return 0;
	}
	if (q->trace_id.n)
		hit.example.has_trace =
		    take_trace(w, r, hit.example.trace, err);
	if (fold && w->run->options->probes == PROBES_FOLD)
		account(w, r->kind, ACCOUNT_FOLDED);
	else
		account(w, r->kind, ACCOUNT_STORED);
	route = routes_add(w->tally.origins[w->origin].routes, q->path);
	return tally_hit(&w->tally, w->origin, route, &hit, err);
}

/* True: counted as something else, and nothing is left to do. */
static bool
left_out(struct worker *w, const struct record *r)
{
	if (r->joined)
		account(w, r->kind, ACCOUNT_FOLDED);
	else if (!in_range(&w->run->plan, r->ts_ns))
		account(w, r->kind, ACCOUNT_FILTERED);
	else if (identity_redelivered(&w->identity, r->event) ||
		 (r->dialect && r->kind == RECORD_REQUEST &&
		     strcmp(r->dialect, "werkzeug") == 0 &&
		     identity_doubled(&w->identity, r)))
		account(w, r->kind, ACCOUNT_DUPLICATE);
	else
		return false;
	return true;
}

int
intake(struct worker *w, const struct record *r, struct err *err)
{
	const struct plan *plan = &w->run->plan;
	struct origin *o;
	struct probe_verdict v;

	if (r->kind == RECORD_SEGMENT && !plan->rows)
		return start_over(w, (struct plan){ .rows = true });
	if (intake_origin(w, r->event, r) != 0 || claim_stream(w) != 0)
		return -1;
	account(w, r->kind, ACCOUNT_READ);
	if (left_out(w, r))
		return 0;
	o = &w->tally.origins[w->origin];
	if (r->ts_ns != WHEN_NONE) {
		widen(r->ts_ns, &o->first_ns, &o->last_ns);
		widen(r->ts_ns, &w->read->first_ns, &w->read->last_ns);
	}
	if (r->dialect)
		count_dialect(w, r->dialect);
	if (r->kind == RECORD_LOG) {
		if (plan->dedupe)
			return make_row(w, r, CLASS_CLIENT, err);
		account(w, RECORD_LOG, ACCOUNT_STORED);
		o->logs++;
		return 0;
	}
	o->requests++;
	v = probe_judge(&w->run->options->probe, &r->request);
	if (plan->rows)
		return make_row(w, r, v.class, err);
	return count_now(w, r, v.class, err);
}
