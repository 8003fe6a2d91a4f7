/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all kinds of document are put together from.  For sinks/document*.c
 * and sinks/alert_body.c alone.
 */
#ifndef SINKS_DOCUMENT_PARTS_H
#define SINKS_DOCUMENT_PARTS_H

#include <stdint.h>

#include "core/buf.h"
#include "core/hash.h"
#include "core/record.h"
#include "sinks/documents.h"

/* An object being written: one that got no member leaves nothing behind. */
struct nest {
	size_t before; /* where its key began */
	size_t inside; /* behind its brace */
};
struct nest nest_open(struct buf *b, const char *key);
void nest_close(struct buf *b, struct nest n);

/* {"_index":"telltale-KIND-DATE","_id":…,"_source":  and the line's end. */
void part_head(struct buf *b, const char *kind, int64_t ts_ns,
    const char id[HASH_ID_SIZE]);
void part_tail(struct buf *b);

/* "@timestamp" and the constant members of every document. */
void part_begin(struct buf *b, int64_t ts_ns);

/* A time with milliseconds; WHEN_NONE: left out. */
void part_time(struct buf *b, const char *key, int64_t ns);
/* A text; empty: left out. */
void part_text(struct buf *b, const char *key, struct str s);
/* {"key":{"member":text}}; empty: left out. */
void part_text_in(struct buf *b, const char *key, const char *member,
    struct str s);
/* ["one","two"]: the NULL ends it. */
void part_words(struct buf *b, const char *key, const char *const *words);

/* log.file.path, log.offset, log.level, log.logger, and aws.cloudwatch. */
struct part_log {
	const struct document_origin *origin;
	const struct place *place;
	struct str level, logger; /* may be empty */
	struct str group, stream; /* the event's own, else the origin's */
};
void part_log(struct buf *b, const struct part_log *p);

/* "aws.cloudwatch" inside an "aws" that is open. */
void part_cloudwatch(struct buf *b, struct str group, struct str stream);

/* 32 hex digits, or X-Ray's printed form. */
void part_trace_hex(struct buf *b, const uint8_t id[16]);
void part_trace_xray(struct buf *b, const uint8_t id[16]);

/* client, source, http, url, user_agent of a request. */
void part_request(struct buf *b, const struct request *r);

/* event.* of a request or segment. */
void part_event(struct buf *b, const struct request *r, struct str id);

#endif
