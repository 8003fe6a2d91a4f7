/* SPDX-License-Identifier: Apache-2.0 */
/* Why a request has its class, for people. */
#include "pipeline/probes.h"

/* "10.00", of thousandths. */
static void
seconds(struct buf *b, uint32_t ms)
{
	buf_printf(b, "%u.%02u", ms / 1000, ms % 1000 / 10);
}

/* "every 10.00 s ± 0.01 from 10.0.1.57, 59 of 60 slots" */
static void
clock_words(struct buf *b, const struct probe_clock *c, struct str peer)
{
	buf_cat(b, "every ");
	seconds(b, c->period_ms);
	buf_cat(b, " s \xc2\xb1 ");
	seconds(b, c->spread_ms);
	if (peer.n > 0)
		buf_printf(b, " from %.*s", STR_ARG(peer));
	buf_printf(b, ", %u of %u slots", c->filled, c->slots);
}

void
probe_words(struct buf *b, const struct probe_note *note,
    const struct request *q)
{
	switch ((enum probe_how)note->how) {
	case HOW_LATTICE:
		clock_words(b, &note->clock, q->peer);
		break;
	case HOW_LATE:
		buf_cat(b, "answered late: ");
		clock_words(b, &note->clock, q->peer);
		break;
	case HOW_KNOWN:
		buf_printf(b,
		    "%.*s is known to probe this path from another stream "
		    "or trace",
		    STR_ARG(q->peer));
		break;
	case HOW_CASCADE:
		buf_cat(b, "another service's probe, one hop on: ");
		clock_words(b, &note->clock, (struct str){ 0 });
		buf_printf(b, ", here through %.*s", STR_ARG(q->peer));
		break;
	case HOW_PERIODIC:
		buf_cat(b, "a periodic client and no balancer: ");
		clock_words(b, &note->clock, q->peer);
		buf_cat(b, ", and nobody else with that period");
		break;
	case HOW_ALONE:
	case HOW_UNSTEADY:
		break;
	}
}
