/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AWS's Query protocol: a form is posted, XML comes back
 * (https://smithy.io/2.0/aws/protocols/aws-query-protocol.html).
 */
#ifndef SINKS_AWS_QUERY_H
#define SINKS_AWS_QUERY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/str.h"

/* The header of a form. */
#define AWS_QUERY_TYPE "Content-Type: application/x-www-form-urlencoded"

/* NAME=VALUE of a form, encoded after RFC 3986; behind a '&' if not first. */
void aws_query_put(struct buf *form, const char *name, struct str value);

/*
 * The text of the first element of that name, which holds only text; the five
 * entities of XML are resolved.  False: there is none, it holds more
 * than text, or it is longer than 64 KiB.  There is no DTD: other entities are
 * an error.
 */
bool aws_query_text(struct str xml, const char *element, struct buf *out);

/* "X-Amz-Date: 20150830T123600Z": what a request is signed for. */
void aws_query_date(struct buf *header, int64_t ns);

#endif
