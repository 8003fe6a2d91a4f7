/* SPDX-License-Identifier: Apache-2.0 */
/* The bodies of an alert's message.  For sinks/alert_message.c alone. */
#ifndef SINKS_ALERT_BODY_H
#define SINKS_ALERT_BODY_H

#include "core/buf.h"
#include "sinks/alert_message.h"

/* What one message is made of. */
struct making {
	const struct alert *a;
	const struct finding *f;              /* its lead */
	const struct finding *const *members; /* of all alerts */
	const struct alert_style *style;
	struct str id; /* of the message */
};

/* "finding-opened", "alerts-suppressed". */
const char *alert_action(enum alert_state state);

/* "slow-post: POST /mysfits/{id}/like of like service" */
void alert_name(struct buf *b, const struct finding *f);

/* What happened, in a sentence or two. */
void alert_sentence(struct buf *b, const struct making *m);

void alert_body(struct buf *b, const struct making *m);

/* Lines for people; each text in it has `most` bytes at most. */
void alert_lines(struct buf *b, const struct making *m, size_t most);

#endif
