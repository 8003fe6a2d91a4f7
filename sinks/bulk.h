/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents on their way to Elasticsearch's _bulk: the lines of --out, as the
 * pairs of lines that a request carries.  The source is byte for byte what the
 * line has, and a line end inside of it cannot be: it is JSON that we wrote,
 * or that is refused here.
 *
 * What an event is cannot change, so that its document is created, and one that
 * is there already is the same.  A roll-up, a finding and a trace are a state,
 * which a replay of more knows better: they are indexed with the number of
 * requests (segments) that they are of as their version, and below it how many
 * of these are told apart (how long they are), so that of two the fuller one
 * stays, whichever comes last.
 *
 * https://www.elastic.co/guide/en/elasticsearch/reference/8.19/docs-bulk.html
 */
#ifndef SINKS_BULK_H
#define SINKS_BULK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/json.h"

struct bulk_item {
	uint32_t at;     /* of the action's line in the text */
	uint32_t source; /* of the source's line, from there */
	uint32_t n;      /* bytes of both, line ends included */
};

struct bulk {
	struct buf text; /* the body of the request */
	struct bulk_item *items;
	size_t n, cap;
	struct buf packed; /* the same in gzip, while it is on its way */
	unsigned tries;    /* that had no answer, or one to try again */
	bool again;        /* some of it was sent before */
	int64_t due_ms;    /* not before, by the sender's clock */
	struct bulk *next;
};

struct bulk *bulk_new(void);
void bulk_free(struct bulk *b); /* NULL is allowed */

/*
 * Adds a line of --out or of a file of refused documents, without its end.
 * `typed`: the server wants types, as those before 7 do.  `j` is used to read
 * versions.  False: it is no such line.
 */
bool bulk_add(struct bulk *b, struct str line, bool typed, struct json *j);

/* The items from `from` on, n of them, into another. */
void bulk_copy(struct bulk *to, const struct bulk *of, size_t from, size_t n);

/* {"_index":…,"_id":…,"_error":{…},"_source":…} and a line end: what bulk_add
 * reads again. */
void bulk_refused(struct buf *out, const struct bulk *b, size_t item,
    struct str type, struct str reason);

#endif
