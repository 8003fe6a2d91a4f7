/* SPDX-License-Identifier: Apache-2.0 */
/* Failures behind answers that show none: see the header. */
#include "pipeline/masked.h"

void
masked_fini(struct masked *m)
{
	span_list_fini(&m->spans);
	arena_fini(&m->arena);
}

static void
read_spans(struct masked *m, const struct record *r)
{
	arena_reset(&m->arena);
	m->spans.n = 0;
	span_read(&m->spans, r->segment.doc, r->segment.marks, &m->arena);
}

static bool
call_failed(const struct span *s)
{
	int64_t status = s->http ? s->http->status : 0;

	if (!(s->flags & (SPAN_REMOTE | SPAN_AWS)))
		return false;
	if (s->flags & SPAN_FAULT)
		return true;
	return (s->flags & (SPAN_ERROR | SPAN_THROTTLE)) == SPAN_ERROR &&
	       status != 404 && status != 410;
}

bool
masked_request(struct masked *m, const struct record *r)
{
	const struct segment *s = &r->segment;
	bool failed = s->error || s->fault;

	if (!s->has_http || r->request.status < 200 || r->request.status >= 400)
		return false;
	if (failed || !s->failures_within)
		return failed;
	read_spans(m, r);
	for (size_t i = 1; i < m->spans.n && !failed; i++)
		failed = call_failed(&m->spans.v[i]);
	return failed;
}

bool
masked_call(struct masked *m, const struct record *r)
{
	const struct segment *s = &r->segment;

	if (!s->subsegment || (!s->error && !s->fault))
		return false;
	read_spans(m, r);
	return m->spans.n > 0 && call_failed(&m->spans.v[0]);
}
