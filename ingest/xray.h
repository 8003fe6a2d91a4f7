/* SPDX-License-Identifier: Apache-2.0 */
/*
 * X-Ray segment documents to records.
 *
 * Format: AWS X-Ray developer guide, "Segment documents"; what SDKs really
 * send beyond it is in docs/xray.md.  An ordinary document is read in one pass
 * without a tree; anything unusual goes through JSON, with the same result.
 */
#ifndef INGEST_XRAY_H
#define INGEST_XRAY_H

#include "core/arena.h"
#include "core/flow.h"
#include "core/record.h"

struct xray;

struct xray *xray_new(void);
void xray_free(struct xray *x);

/* From now on, once: records get the marks that span_read takes, which are
 * valid until the next document. */
void xray_marks_want(struct xray *x);

/*
 * Makes a RECORD_SEGMENT of an EVENT_DOCUMENT's message.  DECODE_BAD: *bad is
 * a static sentence.  r->request is filled when http.request is there: end,
 * duration, method, url, status, agent, client_ip (as forwarded when
 * x_forwarded_for is true, else as peer).
 */
enum decode xray_decode(struct xray *x, const struct event *e,
    struct arena *arena, struct record *r, const char **bad);

/* The same for an element of GetTraceSummaries: a request without segment. */
enum decode xray_decode_summary(struct xray *x, const struct event *e,
    struct arena *arena, struct record *r, const char **bad);

/*
 * Normalises a trace id, 1-8hex-24hex or 32 hex digits, any case, into 16
 * bytes.  False: it is none.
 */
bool xray_trace_id(struct str text, uint8_t id[16]);

/*
 * A document's time: epoch seconds in any notation of JSON's, as a number or a
 * string; `quoted` allows ISO 8601 as well.
 */
bool xray_time(struct str text, bool quoted, int64_t *ns);

#endif
