/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Candidates are read twice in the same order, cut into the same blocks: first
 * to find lattices, then, the quorum being known, to take their requests.
 */
#include "pipeline/probes.h"

#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/mem.h"
#include "pipeline/blocks.h"
#include "pipeline/probe_finish.h"
#include "pipeline/quorum.h"
#include "pipeline/worker.h"

enum {
	FOUND_BYTES = 512 * 1024,
	FACTS_BYTES = 1024 * 1024,
	CONFIRMED_BYTES = 128 * 1024,
	HOPS_BYTES = 2 * 1024 * 1024,
	NUMBERS = 120, /* lattices of a block */
};

/* A lattice between the readings. */
struct found {
	struct spill_key key; /* its number in the order of the reading */
	uint64_t block;
	struct lattice lattice;
	uint32_t from, to; /* of the block's times */
};

/* The lattices of a block, by number − 1. */
struct lattices {
	struct lattice v[NUMBERS];
	uint32_t from[NUMBERS], to[NUMBERS];
	bool confirmed[NUMBERS];
	bool own[NUMBERS]; /* of the key's peer itself */
	size_t n;
};

struct judging {
	struct run *run;
	struct lattice_finder *finder;
	struct probers *probers;
	struct chain_ref *refs; /* all chains; NULL: candidates are sorted */
	size_t n_refs;
	struct blocks blocks;
	struct prober last;       /* asked about, */
	bool last_known;          /* and what the answer was */
	struct lattices lattices; /* of the block */
	uint64_t order;           /* lattices so far */
	struct spill *found, *facts, *confirmed, *hops;
	struct merge *founds, *confirmations;
	const struct found *next_found;
	const struct spill_key *next_confirmed;
};

static uint32_t
service_of_candidate(const struct judging *j, const struct candidate *c)
{
	return run_map(j->run, c->origin)->service;
}

static struct prober
prober_of(const struct judging *j, const struct candidate *c)
{
	return (struct prober){ .asks = c->asks,
		.peer = c->peer,
		.hour = candidate_block(spill_time_of(c->key.lo),
		    lattice_slow.block_ns),
		.service = service_of_candidate(j, c) };
}

/* The peers that called themselves health checkers. */
static int
add_askers(struct judging *j, struct err *err)
{
	struct run *run = j->run;
	size_t n = (size_t)run->threads;
	struct spill **spills = xcalloc(n, sizeof *spills);
	const void *next;
	struct merge *m;
	int rc;

	for (size_t i = 0; i < n; i++)
		spills[i] = run->workers[i].candidates.askers;
	m = merge_new(spills, n, err);
	free(spills);
	if (!m)
		return -1;
	for (next = merge_next(m); next; next = merge_next(m)) {
		const struct asker *a = next;

		probers_add(j->probers,
		    &(struct prober){ .asks = a->key.lo,
			.peer = a->key.hi,
			.hour = a->hour,
			.service = run_map(run, a->origin)->service },
		    0);
	}
	rc = merge_failed(m, err);
	merge_free(m);
	return rc;
}

static struct lattice_block
part_of(const struct blocks *b, size_t from, size_t to)
{
	return (struct lattice_block){ b->t + from, b->mark + from, to - from };
}

/* Finds the lattices between two times of the block. */
static void
find_between(struct judging *j, const struct lattice_scale *scale, size_t from,
    size_t to)
{
	struct lattice_block part = part_of(&j->blocks, from, to);
	struct lattices *l = &j->lattices;

	for (int i = 0; i < LATTICE_MAX && l->n < NUMBERS; i++) {
		if (!lattice_find(j->finder, scale, &part, &l->v[l->n]))
			return;
		l->from[l->n] = (uint32_t)from;
		l->to[l->n] = (uint32_t)to;
		l->confirmed[l->n] = false;
		l->n++;
		lattice_take(&l->v[l->n - 1], &part, (uint8_t)l->n);
	}
}

static void
find_fast(struct judging *j)
{
	const struct blocks *b = &j->blocks;

	for (size_t i = 0; i < b->n_t;) {
		size_t end = blocks_end(b->t, i, b->n_t, lattice_fast.block_ns);

		find_between(j, &lattice_fast, i, end);
		i = end;
	}
}

static uint32_t
period_s(const struct lattice *l)
{
	return (uint32_t)((l->period_ns + NS_PER_SEC / 2) / NS_PER_SEC);
}

static bool
is_full(const struct lattice *l)
{
	return l->filled * UINT64_C(10) >= l->slots * UINT64_C(9);
}

/* One fact for every aligned block that the lattice is in. */
static int
put_facts(struct judging *j, size_t k, struct err *err)
{
	const struct blocks *b = &j->blocks;
	const struct lattice *l = &j->lattices.v[k];
	bool slow = period_s(l) > (uint32_t)lattice_fast.max_s;
	int64_t length = slow ? lattice_slow.block_ns : lattice_fast.block_ns;
	int64_t last = l->phase_ns + (l->slots - 1) * l->period_ns;
	struct fact f = { .order = j->order,
		.stream = b->v[0].stream,
		.peer = b->v[0].peer,
		.asks = b->v[0].asks,
		.service = service_of_candidate(j, &b->v[0]),
		.period_s = period_s(l),
		.usual = b->v[0].class == CLASS_PROBABLE_PROBE,
		.filled = l->filled,
		.slots = l->slots };

	for (int64_t at = candidate_block(l->phase_ns, length);
	     at <= candidate_block(last, length); at++) {
		f.hour = candidate_block(at * length, lattice_slow.block_ns);
		fact_key(&f, at, slow);
		if (spill_put(j->facts, &f.key, err) != 0)
			return -1;
	}
	return 0;
}

static int
put_found(struct judging *j, struct err *err)
{
	for (size_t k = 0; k < j->lattices.n; k++) {
		struct found f = { .key = { .hi = j->order },
			.block = j->blocks.number,
			.lattice = j->lattices.v[k],
			.from = j->lattices.from[k],
			.to = j->lattices.to[k] };

		if (spill_put(j->found, &f.key, err) != 0 ||
		    put_facts(j, k, err) != 0)
			return -1;
		j->order++;
	}
	return 0;
}

static int
by_key(const void *a, const void *b)
{
	const struct chain_ref *x = a;
	const struct chain_ref *y = b;
	uint64_t k = x->chain->who.key;
	uint64_t l = y->chain->who.key;

	return (k > l) - (k < l);
}

/* All workers' chains by key; if one had no room, all are sorted. */
static int
gather(struct judging *j, struct err *err)
{
	struct worker *workers = j->run->workers;
	size_t n = (size_t)j->run->threads;
	bool sorted = false;

	for (size_t i = 0; i < n; i++) {
		sorted |= workers[i].candidates.requests != NULL;
		j->n_refs += workers[i].candidates.chains.n;
	}
	for (size_t i = 0; sorted && i < n; i++) {
		if (candidates_sort(&workers[i].candidates, err) != 0)
			return -1;
		spill_seal(workers[i].candidates.requests);
	}
	if (sorted)
		return 0;
	j->refs = xcalloc(j->n_refs, sizeof *j->refs);
	j->n_refs = 0;
	for (size_t i = 0; i < n; i++) {
		const struct chains *c = &workers[i].candidates.chains;

		for (size_t k = 0; k < c->n; k++)
			j->refs[j->n_refs++] =
			    (struct chain_ref){ c, &c->v[k] };
	}
	if (j->n_refs > 1)
		qsort(j->refs, j->n_refs, sizeof *j->refs, by_key);
	return 0;
}

static int
open_candidates(struct judging *j, struct err *err)
{
	if (j->refs) {
		blocks_open_chains(&j->blocks, j->refs, j->n_refs);
		return 0;
	}

	size_t n = (size_t)j->run->threads;
	struct spill **spills = xcalloc(n, sizeof *spills);
	int rc;

	for (size_t i = 0; i < n; i++)
		spills[i] = j->run->workers[i].candidates.requests;
	rc = blocks_open(&j->blocks, spills, n, err);
	free(spills);
	return rc;
}

/* The first reading. */
static int
find_all(struct judging *j, struct err *err)
{
	enum blocks_next what;
	int rc = 0;

	if (open_candidates(j, err) != 0)
		return -1;
	for (what = blocks_next(&j->blocks);
	     what != BLOCKS_END && rc == 0 && !run_stopped(j->run);
	     what = blocks_next(&j->blocks)) {
		if (what == BLOCKS_EXCESS)
			continue;
		j->lattices.n = 0;
		find_fast(j);
		find_between(j, &lattice_slow, 0, j->blocks.n_t);
		rc = put_found(j, err);
	}
	if (rc == 0)
		rc = blocks_close(&j->blocks, err);
	spill_seal(j->found);
	spill_seal(j->facts);
	return rc;
}

static void
advance_found(struct judging *j)
{
	const void *next = merge_next(j->founds);

	j->next_found = next;
}

/* The lattices of the block again, and takes their requests. */
static void
take_block(struct judging *j)
{
	struct lattices *l = &j->lattices;

	for (l->n = 0;
	     j->next_found && j->next_found->block == j->blocks.number;
	     advance_found(j)) {
		const struct found *f = j->next_found;
		struct lattice_block part = part_of(&j->blocks, f->from, f->to);

		while (j->next_confirmed && j->next_confirmed->hi < f->key.hi)
			j->next_confirmed = merge_next(j->confirmations);
		l->v[l->n] = f->lattice;
		l->from[l->n] = f->from;
		l->to[l->n] = f->to;
		l->confirmed[l->n] =
		    j->next_confirmed && j->next_confirmed->hi == f->key.hi;
		l->n++;
		lattice_take(&f->lattice, &part, (uint8_t)l->n);
	}
}

/*
 * After all are taken: what is left of the slots, of lattices of one part
 * together.  An unconfirmed one's requests are none that waited for theirs.
 */
static void
take_late(struct judging *j)
{
	struct lattices *l = &j->lattices;

	for (size_t k = 0; k < l->n;) {
		struct lattice_block part =
		    part_of(&j->blocks, l->from[k], l->to[k]);
		size_t end = k;

		while (end < l->n && l->confirmed[end] &&
		       l->from[end] == l->from[k] && l->to[end] == l->to[k])
			end++;
		if (end > k)
			lattice_late(&l->v[k], end - k, &part,
			    (uint8_t)(k + 1));
		k = end > k ? end : k + 1;
	}
}

static struct probe_clock
clock_of(const struct lattice *l)
{
	return (struct probe_clock){
		.period_ms =
		    (uint32_t)((l->period_ns + NS_PER_MS / 2) / NS_PER_MS),
		.spread_ms = (uint16_t)(l->spread_ns / NS_PER_MS),
		.filled = (uint16_t)l->filled,
		.slots = (uint16_t)l->slots,
	};
}

/* Whether the peer is a prober; it was mostly asked before. */
static bool
is_known(struct judging *j, const struct candidate *c)
{
	int64_t begin_ns = spill_time_of(c->key.lo);
	int64_t since_ns = begin_ns - j->last.hour * lattice_slow.block_ns;
	uint32_t service = service_of_candidate(j, c);

	if (since_ns < 0 || since_ns >= lattice_slow.block_ns ||
	    j->last.asks != c->asks || j->last.peer != c->peer ||
	    j->last.service != service) {
		j->last = prober_of(j, c);
		j->last_known = probers_have(j->probers, &j->last);
	}
	return j->last_known;
}

/* What one is that no lattice took. */
static void
judge_untaken(struct judging *j, struct candidate *c)
{
	c->judged = c->class;
	c->how = c->class == CLASS_CLIENT ? HOW_UNSTEADY : HOW_ALONE;
	if (j->blocks.n_t >= LATTICE_HITS) {
		c->judged = CLASS_CLIENT;
		c->how = HOW_UNSTEADY;
	} else if (c->peer && is_known(j, c)) {
		c->judged = CLASS_PROBE;
		c->how = HOW_KNOWN;
	}
}

/* Fuller, then steadier, then found first. */
static bool
steadier(const struct lattice *a, const struct lattice *b)
{
	uint64_t x = (uint64_t)a->filled * b->slots;
	uint64_t y = (uint64_t)b->filled * a->slots;

	if (x != y)
		return x > y;
	return a->spread_ns != b->spread_ns ? a->spread_ns < b->spread_ns
					    : a < b;
}

/*
 * A node's own probes: nine of ten slots are filled, and no other lattice of
 * that period is steadier.  Of a cascade, each request of which goes through
 * any node, one node sees less.
 */
static bool
is_own(const struct lattices *l, size_t k)
{
	const struct lattice *a = &l->v[k];

	for (size_t i = 0; i < l->n; i++)
		if (i != k && l->from[i] == l->from[k] &&
		    period_s(&l->v[i]) == period_s(a) && steadier(&l->v[i], a))
			return false;
	return is_full(a);
}

/* The class of one of the block's, or a hop; in a dense minute there is none.
 */
static int
judge_one(struct judging *j, struct candidate *c, uint8_t mark, struct err *err)
{
	size_t number = mark & ~LATTICE_LATE;
	const struct lattices *l = &j->lattices;
	bool own = true;

	if (number > 0 && number <= l->n) {
		bool probe = l->confirmed[number - 1];

		own = l->own[number - 1];
		c->clock = clock_of(&l->v[number - 1]);
		c->judged = probe ? CLASS_PROBE : CLASS_CLIENT;
		c->how = !probe                ? HOW_PERIODIC
			 : mark & LATTICE_LATE ? HOW_LATE
					       : HOW_LATTICE;
	} else {
		judge_untaken(j, c);
	}
	if ((c->judged == CLASS_PROBE && own) || !c->peer ||
	    mark == BLOCKS_DENSE || !is_known(j, c))
		return probe_finish(j->run, c, err);
	c->key.hi = hash64_mix(c->asks, service_of_candidate(j, c));
	return spill_put(j->hops, &c->key, err);
}

static int
finish_excess(struct judging *j, struct err *err)
{
	struct candidate c = j->blocks.excess;

	c.judged = CLASS_CLIENT;
	c.how = HOW_UNSTEADY;
	return probe_finish(j->run, &c, err);
}

/* The second reading. */
static int
take_all(struct judging *j, struct err *err)
{
	struct blocks *b = &j->blocks;
	enum blocks_next what;
	int rc = 0;

	j->founds = merge_new(&j->found, 1, err);
	j->confirmations = merge_new(&j->confirmed, 1, err);
	if (!j->founds || !j->confirmations || open_candidates(j, err) != 0)
		return -1;
	advance_found(j);
	j->next_confirmed = merge_next(j->confirmations);
	for (what = blocks_next(b);
	     what != BLOCKS_END && rc == 0 && !run_stopped(j->run);
	     what = blocks_next(b)) {
		if (what == BLOCKS_EXCESS) {
			rc = finish_excess(j, err);
			continue;
		}
		take_block(j);
		take_late(j);
		for (size_t k = 0; k < j->lattices.n; k++)
			j->lattices.own[k] = is_own(&j->lattices, k);
		for (size_t i = 0; i < b->n && rc == 0; i++)
			rc = judge_one(j, &b->v[i], b->mark[b->at[i]], err);
	}
	if (rc == 0)
		rc = blocks_close(b, err);
	if (rc == 0)
		rc = merge_failed(j->founds, err);
	if (rc == 0)
		rc = merge_failed(j->confirmations, err);
	spill_seal(j->hops);
	return rc;
}

/* The commonest peer of a lattice's hits has nine of ten: it is its own. */
static bool
is_mixed(const struct blocks *b, uint8_t number)
{
	uint64_t peer = 0;
	size_t lead = 0; /* as Boyer and Moore find a majority */
	size_t of_peer = 0;
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++) {
		if (b->mark[b->at[i]] != number)
			continue;
		if (lead == 0)
			peer = b->v[i].peer;
		lead += b->v[i].peer == peer ? 1 : -(size_t)1;
		n++;
	}
	for (size_t i = 0; i < b->n; i++)
		of_peer += b->mark[b->at[i]] == number && b->v[i].peer == peer;
	return of_peer * 10 < n * 9;
}

/*
 * A cascade: of the probes' period on the same path, through several nodes
 * that are known, with a phase for each node that probes the service which
 * calls: two at least in the same time.
 */
static void
confirm_cascade(struct judging *j)
{
	struct lattices *l = &j->lattices;
	struct prober who = prober_of(j, &j->blocks.v[0]);
	bool mixed[NUMBERS];

	for (size_t a = 0; a < l->n; a++)
		mixed[a] = is_mixed(&j->blocks, (uint8_t)(a + 1)) &&
			   probers_period(j->probers, &who, period_s(&l->v[a]));
	for (size_t a = 0; a < l->n; a++)
		for (size_t b = 0; b < l->n && !l->confirmed[a]; b++)
			l->confirmed[a] =
			    a != b && mixed[a] && mixed[b] &&
			    l->from[a] == l->from[b] &&
			    period_s(&l->v[a]) == period_s(&l->v[b]);
}

static int
judge_hop(struct judging *j, struct candidate *c, uint8_t mark, struct err *err)
{
	size_t number = mark & ~LATTICE_LATE;
	const struct lattices *l = &j->lattices;

	if (number == 0 || number > l->n || !l->confirmed[number - 1])
		return probe_finish(j->run, c, err);
	c->judged = CLASS_PROBE;
	c->how = HOW_CASCADE;
	c->clock = clock_of(&l->v[number - 1]);
	return probe_finish(j->run, c, err);
}

/* What known nodes ask beside their probes, all streams of a service. */
static int
take_hops(struct judging *j, struct err *err)
{
	struct blocks *b = &j->blocks;
	enum blocks_next what;
	int rc = 0;

	if (blocks_open(b, &j->hops, 1, err) != 0)
		return -1;
	for (what = blocks_next(b);
	     what != BLOCKS_END && rc == 0 && !run_stopped(j->run);
	     what = blocks_next(b)) {
		if (what == BLOCKS_EXCESS) {
			rc = probe_finish(j->run, &b->excess, err);
			continue;
		}
		j->lattices.n = 0;
		find_fast(j);
		confirm_cascade(j);
		take_late(j);
		for (size_t i = 0; i < b->n && rc == 0; i++)
			rc = judge_hop(j, &b->v[i], b->mark[b->at[i]], err);
	}
	return rc == 0 ? blocks_close(b, err) : rc;
}

static void
judging_fini(struct judging *j)
{
	merge_free(j->founds);
	merge_free(j->confirmations);
	spill_free(j->found);
	spill_free(j->facts);
	spill_free(j->confirmed);
	spill_free(j->hops);
	free(j->refs);
	blocks_fini(&j->blocks);
	probers_free(j->probers);
	lattice_finder_free(j->finder);
	free(j);
}

static int
judge_all(struct judging *j, struct err *err)
{
	if (gather(j, err) != 0 || add_askers(j, err) != 0 ||
	    find_all(j, err) != 0 ||
	    quorum(j->facts, j->probers, j->confirmed, err) != 0)
		return -1;
	spill_seal(j->confirmed);
	if (take_all(j, err) != 0 || take_hops(j, err) != 0)
		return -1;
	if (probe_count(j->run, err) != 0)
		return -1;
	if (j->run->probe_notes)
		spill_seal(j->run->probe_notes);
	if (j->run->probe_classes)
		spill_seal(j->run->probe_classes);
	return 0;
}

int
judge_probes(struct run *run, struct err *err)
{
	struct judging *j = xcalloc(1, sizeof *j);
	int rc;

	j->run = run;
	j->finder = lattice_finder_new();
	j->probers = probers_new();
	j->found = spill_new(sizeof(struct found), FOUND_BYTES);
	j->facts = spill_new(sizeof(struct fact), FACTS_BYTES);
	j->confirmed = spill_new(sizeof(struct spill_key), CONFIRMED_BYTES);
	j->hops = spill_new(sizeof(struct candidate), HOPS_BYTES);
	rc = judge_all(j, err);
	judging_fini(j);
	return rc;
}
