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

uint64_t
candidate_key(const struct request *q, uint64_t stream)
{
	uint64_t h = hash64_mix(hash64_mix(stream, candidate_peer(q)),
	    candidate_asks(q));

	return h ? h : 1;
}

uint64_t
candidate_asks(const struct request *q)
{
	return hash64_mix(hash64(q->path), (uint64_t)q->method);
}

uint64_t
candidate_peer(const struct request *q)
{
	uint64_t h = q->peer.n ? hash64(q->peer) : 0;

	return q->peer.n && h == 0 ? 1 : h;
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

int
candidates_asker(struct candidates *c, const struct request *q, int64_t ts_ns,
    uint32_t origin, struct err *err)
{
	struct asker a = {
		.key = { candidate_peer(q), candidate_asks(q) },
		.hour = candidate_block(ts_ns, lattice_slow.block_ns),
		.origin = origin,
	};
	uint64_t h = hash64_mix(hash64_mix(a.key.hi, a.key.lo),
	    hash64_mix((uint64_t)a.hour, origin));

	if (c->asked[h % CANDIDATE_KEYS] == h)
		return 0;
	c->asked[h % CANDIDATE_KEYS] = h;
	return spill_put(c->askers, &a.key, err);
}
