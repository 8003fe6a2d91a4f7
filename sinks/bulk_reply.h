/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a server says of each document of a bulk request.
 *
 *	{"took":30,"errors":true,"items":[{"create":{"status":201,…}},…]}
 *
 * Items come in the order of the request, and count and order are all that
 * links them: a reply with another number of items says nothing of any.
 * What the statuses mean is in the reference, "Elasticsearch bulk".
 */
#ifndef SINKS_BULK_REPLY_H
#define SINKS_BULK_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "core/json.h"

enum bulk_class {
	BULK_STORED,
	BULK_THERE,   /* 409: the same document, or a newer state, is there */
	BULK_AGAIN,   /* busy, or broken for now */
	BULK_UNKNOWN, /* a status that nobody knows: again, and not for ever */
	BULK_REFUSED, /* for good */
};

struct bulk_verdict {
	enum bulk_class class;
	int status;
	struct str type, reason; /* of what is not stored; may be empty */
};

/* Zeroed before; reading again uses its memory again. */
struct bulk_reply {
	struct json json;
	struct bulk_verdict *v; /* valid until the next reading */
	size_t cap;
};

/* The verdicts of n documents; false: nothing can be said of any. */
bool bulk_reply_read(struct bulk_reply *r, struct str body, size_t n);
void bulk_reply_fini(struct bulk_reply *r);

/* The class of an item's status. */
enum bulk_class bulk_class_of(int status);

/* Of a reply that refuses the whole request: {"error":{"type","reason"}}. */
void bulk_reply_error(struct bulk_reply *r, struct str body, struct str *type,
    struct str *reason);

#endif
