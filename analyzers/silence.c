/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Silences: one pass over the pulses, stream by stream in order of time, then
 * what it kept is held against each other.
 *
 * Kept are runs (a prober's probes without a gap of three slots, six at
 * least), streams (when their first probe came) and silences, ended or not, so
 * far without a look at others.  In whole seconds and thousandths, so that
 * every number can be made again on paper:
 *
 *	period = (last − first) / (n − 1)            of the run so far
 *	slots  = last + j · period,  j = 1, 2, …     of the last prober
 *
 * A slot is missing when half a period later nothing has come.  A mean, not the
 * median: two nodes whose lines do not name them, or two checks of one kubelet,
 * are one prober with gaps by turns short and long.
 */
#include "analyzers/silence.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

enum {
	REGULAR = 6, /* probes that make a period */
	PROBERS_MAX =
	    16, /* of a stream at a time: with more it is not judged */
	RUNS_MAX = 64 * 1024,
	STREAMS_MAX = 64 * 1024,
	SILENCES_MAX = 8 * 1024,
	SLOWEST_S = 305,           /* a balancer's longest interval */
	FORGET_S = 2048,           /* of a prober that is seen no more */
	REPLACED_S = 180,          /* until another stream has begun */
	MOST_S = 900,              /* a target is missed for so long */
	FIRST_SLACK_S = 10,        /* beside two periods */
	UNKNOWN_PERIOD_MS = 60000, /* of streams that are too short for one */
};

struct prober {
	uint64_t peer, asks;
	uint32_t program;
	uint64_t n;
	int64_t first_s, last_s; /* of the run */
	uint64_t seconds[PULSE_WORDS];
};

/* A prober's probes, between silences. */
struct run {
	uint64_t stream, peer;
	uint32_t program;
	int64_t first_s, last_s;
};

struct stream {
	uint64_t stream;
	uint32_t program;
	int64_t first_s;
	int64_t period_ms; /* the longest of its probers'; 0: none regular */
};

struct listener {
	const int64_t *horizon_s;

	/* the stream it is at */
	struct stream at;
	bool started, crowded;
	bool alive;  /* at.first_s is set, */
	bool probed; /* and last_s */
	int64_t block;
	int64_t last_s;
	uint32_t input; /* the greatest so far */
	struct prober probers[PROBERS_MAX];
	size_t n_probers;

	/* all */
	struct run *runs; /* by stream */
	size_t n_runs, cap_runs;
	struct stream *streams;
	size_t n_streams, cap_streams;
	struct silence *silences;
	size_t n_silences, cap_silences;
};

struct listener *
listener_new(const int64_t *horizon_s)
{
	struct listener *l = xcalloc(1, sizeof *l);

	l->horizon_s = horizon_s;
	return l;
}

void
listener_free(struct listener *l)
{
	if (!l)
		return;
	free(l->runs);
	free(l->streams);
	free(l->silences);
	free(l);
}

void
silences_fini(struct silences *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i].slots);
	free(s->v);
	*s = (struct silences){ 0 };
}

/* 0: there is none yet. */
static int64_t
period_ms(const struct prober *p)
{
	return p->n < REGULAR
		   ? 0
		   : (p->last_s - p->first_s) * 1000 / ((int64_t)p->n - 1);
}

/* Slots behind the last probe that are over, nothing having come until t. */
static int64_t
missing(int64_t last_s, int64_t period, int64_t t_s)
{
	int64_t ms = (t_s - last_s) * 1000 - period / 2;

	return period == 0 || ms < 0 ? 0 : ms / period;
}

/* The run is over; what comes is another one's. */
static void
end_run(struct listener *l, struct prober *p)
{
	int64_t period = period_ms(p);

	if (period > l->at.period_ms)
		l->at.period_ms = period;
	if (period > 0 && l->n_runs < RUNS_MAX) {
		l->runs = xgrow(l->runs, l->n_runs + 1, &l->cap_runs,
		    sizeof *l->runs);
		l->runs[l->n_runs++] = (struct run){ .stream = l->at.stream,
			.peer = p->peer,
			.program = p->program,
			.first_s = p->first_s,
			.last_s = p->last_s };
	}
	p->n = 0;
}

static void
put_probe(struct listener *l, struct prober *p, int64_t t_s)
{
	if (p->n > 0 && (p->n < REGULAR ? t_s - p->last_s > 2 * SLOWEST_S
					: missing(p->last_s, period_ms(p),
					      t_s) >= SILENCE_LEAST))
		end_run(l, p);
	if (p->n++ == 0)
		p->first_s = t_s;
	p->last_s = t_s;
}

/* Whoever asked last is first. */
static int
later(const void *a, const void *b)
{
	const struct silence_prober *x = a;
	const struct silence_prober *y = b;

	if (x->last_s != y->last_s)
		return x->last_s > y->last_s ? -1 : 1;
	if (x->asks != y->asks)
		return x->asks < y->asks ? -1 : 1;
	return x->peer < y->peer ? -1 : x->peer > y->peer;
}

/* Nothing came from the last probe to t: a silence, perhaps. */
static void
look(struct listener *l, int64_t t_s, bool ended)
{
	struct silence_prober found[PROBERS_MAX];
	struct silence s = { .stream = l->at.stream,
		.program = l->at.program,
		.input = l->input,
		.last_s = l->last_s,
		.until_s = t_s,
		.ended = ended };
	size_t n = 0;
	bool long_enough = false;

	for (size_t i = 0; i < l->n_probers; i++) {
		const struct prober *p = &l->probers[i];
		int64_t period = period_ms(p);

		/* Who had stopped before is not missed. */
		if (period == 0 || missing(p->last_s, period, l->last_s) > 1)
			continue;
		long_enough |= missing(p->last_s, period, t_s) >= SILENCE_LEAST;
		found[n] = (struct silence_prober){ .peer = p->peer,
			.asks = p->asks,
			.n = p->n,
			.last_s = p->last_s,
			.period_ms = period };
		n++;
	}
	if (!long_enough || l->crowded || l->n_silences == SILENCES_MAX)
		return;
	qsort(found, n, sizeof found[0], later);
	s.n_probers = (uint32_t)(n < SILENCE_PROBERS ? n : SILENCE_PROBERS);
	memcpy(s.probers, found, s.n_probers * sizeof found[0]);
	l->silences = xgrow(l->silences, l->n_silences + 1, &l->cap_silences,
	    sizeof *l->silences);
	l->silences[l->n_silences++] = s;
}

/* Somebody asked in this second. */
static void
second(struct listener *l, int64_t t_s, int word, uint64_t bit)
{
	if (l->probed && t_s - l->last_s > SILENCE_LEAST)
		look(l, t_s, false);
	l->probed = true;
	l->last_s = t_s;
	for (size_t i = 0; i < l->n_probers; i++)
		if (l->probers[i].seconds[word] & bit)
			put_probe(l, &l->probers[i], t_s);
}

/* The block is complete: second by second. */
static void
end_block(struct listener *l)
{
	int64_t from = l->block * PULSE_SECONDS;
	size_t kept = 0;

	for (int word = 0; word < PULSE_WORDS; word++) {
		uint64_t any = 0;

		for (size_t i = 0; i < l->n_probers; i++)
			any |= l->probers[i].seconds[word];
		for (; any; any &= any - 1)
			second(l, from + word * 64 + __builtin_ctzll(any), word,
			    any & -any);
	}
	for (size_t i = 0; i < l->n_probers; i++) {
		struct prober *p = &l->probers[i];

		memset(p->seconds, 0, sizeof p->seconds);
		if (l->last_s - p->last_s > FORGET_S)
			end_run(l, p);
		else
			l->probers[kept++] = *p;
	}
	l->n_probers = kept;
}

/* The stream's last block is complete. */
static void
end_stream(struct listener *l)
{
	int64_t horizon;

	if (!l->started)
		return;
	end_block(l);
	horizon = l->horizon_s[l->input];
	if (horizon > l->last_s && horizon - l->last_s >= REPLACED_S)
		look(l, horizon, true);
	for (size_t i = 0; i < l->n_probers; i++)
		end_run(l, &l->probers[i]);
	l->n_probers = 0;
	if (l->n_streams == STREAMS_MAX)
		return;
	l->streams = xgrow(l->streams, l->n_streams + 1, &l->cap_streams,
	    sizeof *l->streams);
	l->streams[l->n_streams++] = l->at;
}

/* NULL: there are too many. */
static struct prober *
prober_of(struct listener *l, const struct pulse *p)
{
	struct prober *found;

	for (size_t i = 0; i < l->n_probers; i++)
		if (l->probers[i].peer == p->peer &&
		    l->probers[i].asks == p->asks)
			return &l->probers[i];
	if (l->n_probers == PROBERS_MAX)
		return NULL;
	found = &l->probers[l->n_probers++];
	*found = (struct prober){ .peer = p->peer,
		.asks = p->asks,
		.program = p->program };
	return found;
}

/* When the stream began, as far as is known. */
static void
put_first(struct listener *l, const struct pulse *p)
{
	for (int i = 0; i < PULSE_WORDS; i++) {
		int64_t first = p->block * PULSE_SECONDS + i * 64;

		if (p->seconds[i] == 0)
			continue;
		first += __builtin_ctzll(p->seconds[i]);
		if (!l->alive || first < l->at.first_s)
			l->at.first_s = first;
		l->alive = true;
		return;
	}
}

void
listener_feed(struct listener *l, const struct pulse *p)
{
	struct prober *prober;

	if (!l->started || l->at.stream != p->stream) {
		end_stream(l);
		l->at = (struct stream){ .stream = p->stream,
			.program = p->program };
		l->alive = l->probed = l->crowded = false;
		l->input = 0;
		l->started = true;
	} else if (p->block != l->block) {
		end_block(l);
	}
	l->block = p->block;
	put_first(l, p);
	if (p->asks == PULSE_LIFE)
		return;
	if (p->input > l->input)
		l->input = p->input;
	prober = prober_of(l, p);
	if (!prober) {
		l->crowded = true;
		return;
	}
	for (int i = 0; i < PULSE_WORDS; i++)
		prober->seconds[i] |= p->seconds[i];
}

static int
by_ending(const void *a, const void *b)
{
	const struct silence *x = a;
	const struct silence *y = b;

	if (x->program != y->program)
		return x->program < y->program ? -1 : 1;
	if (x->last_s != y->last_s)
		return x->last_s < y->last_s ? -1 : 1;
	return x->stream < y->stream ? -1 : x->stream > y->stream;
}

static int
by_beginning(const void *a, const void *b)
{
	const struct stream *x = a;
	const struct stream *y = b;

	if (x->program != y->program)
		return x->program < y->program ? -1 : 1;
	if (x->first_s != y->first_s)
		return x->first_s < y->first_s ? -1 : 1;
	return x->stream < y->stream ? -1 : x->stream > y->stream;
}

/* How many of a program's streams were there when its records begin. */
static size_t
first_ones(const struct stream *v, size_t n)
{
	int64_t period = 0;
	size_t first = 0;

	for (size_t i = 0; i < n; i++)
		if (v[i].period_ms > period)
			period = v[i].period_ms;
	if (period == 0)
		period = UNKNOWN_PERIOD_MS;
	while (first < n && v[first].first_s - v[0].first_s <=
				2 * period / 1000 + FIRST_SLACK_S)
		first++;
	return first;
}

/*
 * Ends of one program against its beginnings, both in order of time: who was
 * replaced, or is one too many, has no more slots than those until then.
 */
static void
replace(struct silence *ends, size_t n_ends, const struct stream *begun,
    size_t n_begun)
{
	size_t next = first_ones(begun, n_begun);
	size_t more = 0;

	for (size_t i = 0; i < n_ends; i++) {
		struct silence *s = &ends[i];

		if (!s->ended)
			continue;
		for (; next < n_begun && begun[next].first_s <= s->last_s;
		     next++)
			more++;
		if (more > 0) {
			more--;
			s->until_s = s->last_s;
			continue;
		}
		if (next == n_begun)
			continue;
		if (begun[next].first_s < s->until_s)
			s->until_s = begun[next].first_s;
		if (s->until_s - s->last_s <= REPLACED_S)
			s->until_s = s->last_s;
		next++;
	}
}

static void
replace_all(struct listener *l)
{
	size_t from = 0;

	for (size_t i = 0; i < l->n_silences;) {
		uint32_t program = l->silences[i].program;
		size_t end = i;
		size_t to;

		while (
		    end < l->n_silences && l->silences[end].program == program)
			end++;
		while (
		    from < l->n_streams && l->streams[from].program < program)
			from++;
		for (to = from;
		     to < l->n_streams && l->streams[to].program == program;)
			to++;
		replace(&l->silences[i], end - i, &l->streams[from], to - from);
		i = end;
	}
}

/* The others who may go on while it is silent. */
static size_t
gather(const struct listener *l, const struct silence *s, struct run *others)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n_runs; i++) {
		const struct run *r = &l->runs[i];
		bool akin = r->program == s->program;

		if (r->stream == s->stream || r->first_s > s->until_s ||
		    r->last_s < s->last_s)
			continue;
		for (uint32_t k = 0; k < s->n_probers; k++)
			akin |= r->peer != 0 && r->peer == s->probers[k].peer;
		if (akin)
			others[n++] = *r;
	}
	return n;
}

static bool
covers(const struct run *r, int64_t ms)
{
	return r->first_s * 1000 <= ms && ms <= r->last_s * 1000;
}

static bool
others_go_on(const struct run *others, size_t n, int64_t ms)
{
	for (size_t i = 0; i < n; i++)
		if (covers(&others[i], ms))
			return true;
	return false;
}

static void
count_others(struct silence *s, const struct run *others, size_t n, bool kin)
{
	uint64_t last = 0;
	uint32_t count = 0;

	for (size_t i = 0; i < n; i++) {
		if ((others[i].program == s->program) != kin ||
		    !covers(&others[i], s->slots[0].ms) ||
		    (count > 0 && others[i].stream == last))
			continue;
		last = others[i].stream;
		count++;
	}
	s->others = count;
	s->siblings = kin;
}

static int
by_time(const void *a, const void *b)
{
	const struct silence_slot *x = a;
	const struct silence_slot *y = b;

	if (x->ms != y->ms)
		return x->ms < y->ms ? -1 : 1;
	return x->prober < y->prober ? -1 : x->prober > y->prober;
}

/* False: too few slots of any prober are missing. */
static bool
fill_slots(struct silence *s, const struct run *others, size_t n_others)
{
	int64_t until = s->until_s;
	size_t cap = 0;
	int64_t most = 0;

	if (until - s->last_s > MOST_S)
		until = s->last_s + MOST_S;
	for (uint32_t k = 0; k < s->n_probers; k++) {
		const struct silence_prober *p = &s->probers[k];
		int64_t n = missing(p->last_s, p->period_ms, until);
		int64_t here = 0;

		for (int64_t j = 1; j <= n; j++) {
			int64_t ms = p->last_s * 1000 + j * p->period_ms;

			if (!others_go_on(others, n_others, ms))
				continue;
			s->slots = xgrow(s->slots, s->n_slots + 1, &cap,
			    sizeof *s->slots);
			s->slots[s->n_slots++] = (struct silence_slot){ ms, k };
			here++;
		}
		if (here > most)
			most = here;
	}
	return most >= SILENCE_LEAST;
}

/* Whether it is one, and what is missing. */
static bool
judge(struct silence *s, const struct run *others, size_t n_others)
{
	if (n_others == 0 || !fill_slots(s, others, n_others)) {
		free(s->slots);
		return false;
	}
	qsort(s->slots, s->n_slots, sizeof *s->slots, by_time);
	count_others(s, others, n_others, true);
	if (s->others == 0)
		count_others(s, others, n_others, false);
	return true;
}

void
listener_judge(struct listener *l, struct silences *out)
{
	struct run *others;
	size_t kept = 0;

	*out = (struct silences){ 0 };
	end_stream(l);
	l->started = false;
	if (l->n_silences == 0)
		return;
	qsort(l->silences, l->n_silences, sizeof *l->silences, by_ending);
	qsort(l->streams, l->n_streams, sizeof *l->streams, by_beginning);
	replace_all(l);
	others = xcalloc(l->n_runs, sizeof *others);
	for (size_t i = 0; i < l->n_silences; i++) {
		struct silence *s = &l->silences[i];
		size_t n = 0;

		if (s->until_s > s->last_s)
			n = gather(l, s, others);
		if (judge(s, others, n))
			l->silences[kept++] = *s;
	}
	free(others);
	out->v = l->silences;
	out->n = kept;
	l->silences = NULL;
	l->n_silences = l->cap_silences = 0;
}
