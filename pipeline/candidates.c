/* SPDX-License-Identifier: Apache-2.0 */
/* What the scan keeps of requests that the clock will decide. */
#include "pipeline/candidates.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

enum {
	ASKERS_BYTES = 64 * 1024,
	SORT_BYTES = 1024 * 1024, /* of what chains have no room for */
};

void
candidates_init(struct candidates *c, size_t bytes)
{
	*c = (struct candidates){
		.askers = spill_new(sizeof(struct asker), ASKERS_BYTES),
	};
	chains_init(&c->chains, bytes);
}

void
candidates_fini(struct candidates *c)
{
	chains_fini(&c->chains);
	spill_free(c->requests);
	spill_free(c->askers);
}

static int
by_key(const void *a, const void *b)
{
	const struct chain *x = a;
	const struct chain *y = b;

	return (x->who.key > y->who.key) - (x->who.key < y->who.key);
}

int
candidates_sort(struct candidates *c, struct err *err)
{
	struct candidate one;

	if (!c->requests)
		c->requests = spill_new(sizeof one, SORT_BYTES);
	if (c->chains.n > 1)
		qsort(c->chains.v, c->chains.n, sizeof *c->chains.v, by_key);
	for (size_t i = 0; i < c->chains.n; i++) {
		struct chain_cursor next =
		    chain_read(&c->chains, &c->chains.v[i]);

		while (next.left_all > 0) {
			chain_next(&next, &one);
			one.home = NULL;
			if (spill_put(c->requests, &one.key, err) != 0)
				return -1;
		}
	}
	chains_reset(&c->chains);
	memset(c->recalled_hash, 0, sizeof c->recalled_hash);
	return 0;
}

int
candidates_put(struct candidates *c, struct chain *chain, const struct link *l,
    struct err *err)
{
	chain_put(&c->chains, chain, l);
	return chains_full(&c->chains) ? candidates_sort(c, err) : 0;
}

/*
 * A weak hash of the texts, never 0; few collide where tasks and nodes differ
 * in the last part of an address.
 */
static uint32_t
weak_hash(const struct request *q)
{
	uint32_t h = (uint32_t)q->path.n;
	uint32_t last;

	if (q->peer.n >= sizeof last) {
		memcpy(&last, q->peer.p + q->peer.n - sizeof last, sizeof last);
		h ^= last;
	}
	h *= UINT32_C(0x9E3779B1);
	if (q->path.n >= sizeof last) {
		memcpy(&last, q->path.p + q->path.n - sizeof last, sizeof last);
		h ^= last;
	}
	h *= UINT32_C(0x85EBCA77);
	return h | 1;
}

/* Its upper bits are the best ones. */
static size_t
slot_of(uint32_t hash, size_t slots)
{
	return (hash >> 8) % slots;
}

static bool
same_texts(const struct asking *a, const struct request *q, uint32_t origin)
{
	return a->peer_n == q->peer.n && q->path.n > 0 &&
	       a->path_n == q->path.n && a->origin == origin &&
	       a->method == q->method &&
	       (q->peer.n == 0 || memcmp(a->text, q->peer.p, q->peer.n) == 0) &&
	       memcmp(a->text + q->peer.n, q->path.p, q->path.n) == 0;
}

/* False: they are too long to be remembered. */
static bool
keep_texts(struct asking *a, const struct request *q, uint32_t origin)
{
	if (q->path.n == 0 || q->peer.n > ASKING_TEXT ||
	    q->path.n > ASKING_TEXT - q->peer.n)
		return false;
	if (q->peer.n > 0)
		memcpy(a->text, q->peer.p, q->peer.n);
	memcpy(a->text + q->peer.n, q->path.p, q->path.n);
	a->peer_n = (uint32_t)q->peer.n;
	a->path_n = (uint32_t)q->path.n;
	a->origin = origin;
	a->method = q->method;
	return true;
}

struct chain *
candidates_recall(struct candidates *c, const struct request *q,
    const struct chain_place *place)
{
	uint32_t hash = weak_hash(q);
	size_t slot = slot_of(hash, RECALLED);
	const struct recalled *r = &c->recalled[slot];
	struct chain *chain;

	if (c->recalled_hash[slot] != hash ||
	    !same_texts(&r->who, q, place->origin))
		return NULL;
	chain = &c->chains.v[r->chain];
	return chain->place.stream == place->stream &&
		       chain->place.input == place->input &&
		       chain->place.extra == place->extra
		   ? chain
		   : NULL;
}

void
candidates_remember(struct candidates *c, const struct request *q,
    const struct chain *chain)
{
	uint32_t hash = weak_hash(q);
	size_t slot = slot_of(hash, RECALLED);
	struct recalled *r = &c->recalled[slot];

	r->chain = (uint32_t)(chain - c->chains.v);
	c->recalled_hash[slot] =
	    keep_texts(&r->who, q, chain->place.origin) ? hash : 0;
}

int
candidates_asker(struct candidates *c, const struct request *q, int64_t ts_ns,
    uint32_t origin, struct err *err)
{
	struct asked *last = &c->asked[slot_of(weak_hash(q), ASKED)];
	struct asker a = { .origin = origin };

	if (ts_ns >= last->begin_ns &&
	    ts_ns - last->begin_ns < lattice_slow.block_ns &&
	    same_texts(&last->who, q, origin))
		return 0;
	a.key = (struct spill_key){ candidate_peer(q), candidate_asks(q) };
	a.hour = candidate_block(ts_ns, lattice_slow.block_ns);
	if (keep_texts(&last->who, q, origin))
		last->begin_ns = a.hour * lattice_slow.block_ns;
	return spill_put(c->askers, &a.key, err);
}
