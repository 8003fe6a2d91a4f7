/* SPDX-License-Identifier: Apache-2.0 */
/* What the bodies of X-Ray's API share.  Inside sinks/xray_api*.c only. */
#ifndef SINKS_XRAY_API_PARTS_H
#define SINKS_XRAY_API_PARTS_H

#include <stdint.h>

#include "core/buf.h"
#include "core/str.h"

/* Nanoseconds as decimal seconds, "1528317567.25"; no zeros at the end. */
void api_seconds(struct buf *b, int64_t ns);

/* The same, rounded to milliseconds as X-Ray rounds its durations. */
void api_milliseconds(struct buf *b, int64_t ns);

/* Members; api_text leaves an empty text out, api_time WHEN_NONE. */
void api_text(struct buf *b, const char *key, struct str s);
void api_time(struct buf *b, const char *key, int64_t ns);
void api_duration(struct buf *b, const char *key, int64_t ns);
void api_count(struct buf *b, const char *key, uint64_t n);

/* "key":[ or "key":{ with its comma. */
void api_open(struct buf *b, const char *key, char bracket);

/* "Name":…,"Names":[…],"AccountId":…,"Type":… inside an object. */
void api_service(struct buf *b, struct str name, struct str account,
    struct str type);

#endif
