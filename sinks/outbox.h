/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was sent to somebody who cannot be asked whether he has it: a file of
 * the state's directory, alerts.outbox, that is written before and after.
 *
 *	outbox_intend	before it is sent: from now on it may have been
 *	outbox_settle	it was accepted, and shall never be sent again
 *
 * Both are on the disk when they return.  So after any end of the process, a
 * power cut included, a message is one of three: not begun, settled, or in
 * doubt.  What is in doubt is sent again under the same id.
 *
 * The file is text, a line a step: 16 hex digits of XXH3 over the rest, a
 * number that counts up, "intended" or "settled", the message's id, and words.
 * What a crash left of the last lines is cut off when it is opened; it was not
 * on the disk yet, so nothing was sent for it.  A damaged line with good ones
 * behind it is another matter: what it said is not known, and the file is not
 * used before a person has looked at it.  A file of which more than half is of
 * no use is written anew when it is opened.
 *
 * One thread; one process, as the directory is locked.
 */
#ifndef SINKS_OUTBOX_H
#define SINKS_OUTBOX_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/hash.h"
#include "core/statedir.h"
#include "core/str.h"

struct outbox;

enum outbox_state { OUTBOX_NEW, OUTBOX_IN_DOUBT, OUTBOX_SETTLED };

/* NULL with err: it cannot be read, or is damaged. */
struct outbox *outbox_open(const struct statedir *dir, struct err *err);

enum outbox_state outbox_state(const struct outbox *o,
    const char id[HASH_ID_SIZE]);

/*
 * -1 with err: it is not on the disk, and the outbox is good for nothing more.
 * `words`: printable, for who reads the file: the subject, the topic's id.
 */
int outbox_intend(struct outbox *o, const char id[HASH_ID_SIZE],
    struct str words, struct err *err);
int outbox_settle(struct outbox *o, const char id[HASH_ID_SIZE],
    struct str words, struct err *err);

void outbox_close(struct outbox *o); /* NULL is allowed */

#endif
