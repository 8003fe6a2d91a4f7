/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time: int64_t nanoseconds since 1970-01-01T00:00:00Z, UTC, leap seconds not
 * counted.  The range is 1678 to 2262; what lies outside is refused by the
 * parsers, never wrapped.  No locale, no time zone data, no clock.
 *
 * Second 60 is accepted and becomes the next second.  29 February is checked.
 */
#ifndef CORE_WHEN_H
#define CORE_WHEN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/str.h"

#define WHEN_NONE INT64_MIN /* no time is known */
#define NS_PER_SEC INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)

/* Days since 1970-01-01 of a civil date; false when there is no such day. */
bool when_days(int year, int month, int day, int64_t *days);

/*
 * Parsers move *rest behind the time, and only on success.
 *
 * when_iso: 2018-11-27T08:47:55[.fraction][Z|+hh:mm|+hhmm], the T may be a
 * blank, the fraction may begin with a comma; without a zone it is UTC.
 * when_clf: 21/Nov/2018:02:50:46 +0000 or 21/Nov/2018 02:50:46, between the
 * brackets; zone optional.
 * when_ctime: Mon Dec 10 08:25:29 2018.
 */
bool when_iso(struct str *rest, int64_t *ns);
bool when_clf(struct str *rest, int64_t *ns);
bool when_ctime(struct str *rest, int64_t *ns);

/* Epoch seconds with a fraction, as X-Ray writes them ("1795244520.2479196",
 * "1.795E9"); digits are kept, nothing goes through a double. */
bool when_epoch(struct str text, int64_t *ns);
bool when_epoch_ms(struct str text, int64_t *ns);

/*
 * A user's time: ISO, a date, epoch seconds or milliseconds; "" fails.
 * when_span: 90s, 15m, 2h, 1d, 1w and sums of them ("1h30m"), as nanoseconds.
 */
bool when_user(struct str text, int64_t *ns);
bool when_span(struct str text, int64_t *ns);

/*
 * Where a range begins that is the last `span` of what ends with `latest`, and
 * not before `since`; either may be WHEN_NONE, a span of 0 is none.
 */
int64_t when_last(int64_t since, int64_t latest, int64_t span);

/* 2018-11-27T08:47:55.123Z; digits of the fraction: 0, 3, 6 or 9. */
void when_put(struct buf *b, int64_t ns, int digits);

/* A duration for people: 850 µs, 24 ms, 2.8 s, 3 m 20 s; `utf8` off: us. */
void when_put_span(struct buf *b, int64_t ns, bool utf8);

#endif
