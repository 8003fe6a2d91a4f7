/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The payload of a Lambda, Kinesis or Firehose record: base64, in which gzip,
 * zlib or plain text is found by its first bytes, packed up to three times.
 */
#ifndef INGEST_PAYLOAD_H
#define INGEST_PAYLOAD_H

#include <stdbool.h>

#include "core/buf.h"
#include "core/limits.h"
#include "core/str.h"

/*
 * Appends the bytes of a base64 text, standard or URL alphabet, padding
 * optional, line ends ignored.  False: it is not base64.
 */
bool base64_decode(struct buf *out, struct str text);

/*
 * Unpacks a record's payload into *out.  NULL, or what was wrong: a static
 * text.  At most document_bytes come out.
 */
const char *payload_unpack(struct buf *out, struct str base64,
    const struct limits *limits);

#endif
