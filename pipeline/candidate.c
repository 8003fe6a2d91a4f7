/* SPDX-License-Identifier: Apache-2.0 */
/* Whom the clock will judge. */
#include "pipeline/candidate.h"

#include "core/hash.h"

/* Far enough from the ends that no sum of times is beyond them. */
bool
candidate_may_wait(const struct record *r)
{
	const int64_t most = INT64_MAX / 2;

	return r->kind == RECORD_REQUEST && r->ts_ns != WHEN_NONE &&
	       r->ts_ns < most && r->ts_ns > -most &&
	       r->request.duration_ns < most / 2;
}

bool
candidate_waits(const struct probe_verdict *v, const struct record *r)
{
	return v->clock && candidate_may_wait(r);
}

int64_t
candidate_begin(const struct record *r)
{
	return r->request.duration_ns > 0 ? r->ts_ns - r->request.duration_ns
					  : r->ts_ns;
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

struct candidate_who
candidate_who(const struct request *q, uint64_t stream)
{
	struct candidate_who who = { .peer = candidate_peer(q),
		.asks = candidate_asks(q) };
	uint64_t h = hash64_mix(hash64_mix(stream, who.peer), who.asks);

	who.key = h ? h : 1;
	who.path = hash64(q->path);
	return who;
}
