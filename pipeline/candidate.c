/* SPDX-License-Identifier: Apache-2.0 */
/* What the scan keeps of requests that the clock will decide. */
#include "pipeline/candidate.h"

#include <string.h>

#include "core/hash.h"

enum { ASKERS_BYTES = 64 * 1024 };

void
candidates_init(struct candidates *c, size_t bytes)
{
	*c = (struct candidates){
		.requests = spill_new(sizeof(struct candidate), bytes),
		.askers = spill_new(sizeof(struct asker), ASKERS_BYTES),
	};
}

void
candidates_seal(struct candidates *c)
{
	spill_seal(c->requests);
	spill_seal(c->askers);
}

void
candidates_fini(struct candidates *c)
{
	spill_free(c->requests);
	spill_free(c->askers);
}

/* Far enough from the ends that no sum of times is beyond them. */
bool
candidate_waits(const struct probe_verdict *v, const struct record *r)
{
	const int64_t most = INT64_MAX / 2;

	return v->clock && r->kind == RECORD_REQUEST && r->ts_ns != WHEN_NONE &&
	       r->ts_ns < most && r->ts_ns > -most &&
	       r->request.duration_ns < most / 2;
}

int64_t
candidate_begin(const struct record *r)
{
	return r->request.duration_ns > 0 ? r->ts_ns - r->request.duration_ns
					  : r->ts_ns;
}

static uint64_t
asks_of(const struct request *q)
{
	return hash64_mix(hash64(q->path), (uint64_t)q->method);
}

static uint64_t
peer_of(const struct request *q)
{
	uint64_t h = q->peer.n ? hash64(q->peer) : 0;

	return q->peer.n && h == 0 ? 1 : h;
}

struct candidate_who
candidate_who(const struct request *q, uint64_t stream)
{
	struct candidate_who who = { .peer = peer_of(q), .asks = asks_of(q) };
	uint64_t h = hash64_mix(hash64_mix(stream, who.peer), who.asks);

	who.key = h ? h : 1;
	return who;
}

bool
candidates_dense(struct candidates *c, uint64_t key, int64_t begin_ns)
{
	int64_t cell = candidate_block(begin_ns, CANDIDATE_CELL_NS);
	size_t at = key % CANDIDATE_KEYS;

	if (c->dense[at].key != key || c->dense[at].cell != cell) {
		c->dense[at].key = key;
		c->dense[at].cell = cell;
		c->dense[at].n = 0;
	}
	if (c->dense[at].n > CANDIDATES_DENSE)
		return true;
	c->dense[at].n++;
	return false;
}

/* Whether it was put lately; it is put now, and remembered, if not. */
static bool
was_asked(struct asked *last, const struct request *q, int64_t ts_ns,
    uint32_t origin)
{
	if (last->peer_n == q->peer.n && q->path.n > 0 &&
	    last->path_n == q->path.n && last->origin == origin &&
	    last->method == q->method && ts_ns >= last->begin_ns &&
	    ts_ns - last->begin_ns < lattice_slow.block_ns &&
	    memcmp(last->text, q->peer.p, q->peer.n) == 0 &&
	    memcmp(last->text + q->peer.n, q->path.p, q->path.n) == 0)
		return true;
	if (q->path.n == 0 || q->peer.n > ASKED_TEXT ||
	    q->path.n > ASKED_TEXT - q->peer.n)
		return false;
	memcpy(last->text, q->peer.p, q->peer.n);
	memcpy(last->text + q->peer.n, q->path.p, q->path.n);
	last->peer_n = (uint32_t)q->peer.n;
	last->path_n = (uint32_t)q->path.n;
	last->begin_ns = candidate_block(ts_ns, lattice_slow.block_ns) *
			 lattice_slow.block_ns;
	last->origin = origin;
	last->method = q->method;
	return false;
}

int
candidates_asker(struct candidates *c, const struct request *q, int64_t ts_ns,
    uint32_t origin, struct err *err)
{
	size_t at =
	    (unsigned char)q->peer.p[q->peer.n - 1] + q->peer.n + q->path.n;
	struct asker a = { .origin = origin };

	at += q->peer.n > 3 ? (unsigned char)q->peer.p[q->peer.n - 4] : 0;
	if (was_asked(&c->asked[at % ASKED], q, ts_ns, origin))
		return 0;
	a.key = (struct spill_key){ peer_of(q), asks_of(q) };
	a.hour = candidate_block(ts_ns, lattice_slow.block_ns);
	return spill_put(c->askers, &a.key, err);
}
