/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages to a topic of Amazon SNS, one after the other, so that they keep
 * their order (https://docs.aws.amazon.com/sns/latest/api/API_Publish.html).
 *
 * What became of a message is one of three: it was accepted; it is refused for
 * good, and others are not (a parameter); nothing can be published (no
 * credentials, no such topic, not allowed, or for wait_ms no answer that is
 * one).  Between these it is tried again: when SNS is busy (429, throttling,
 * 5xx), when there is no answer, once with fresh credentials when it says that
 * they do not do, and once with SNS's own time when ours is wrong.
 *
 * A request without an answer may have been accepted: a FIFO topic drops the
 * second one, within five minutes, by its deduplication id, which is the
 * message's; a standard topic delivers both, and both say that id.
 */
#ifndef SINKS_SNS_H
#define SINKS_SNS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"
#include "sinks/alert_message.h"

struct sns_options {
	const char *topic;        /* its ARN */
	const char *endpoint;     /* a URL; NULL: the region's */
	const char *ca_file;      /* PEM; NULL: the system's */
	int64_t wait_ms;          /* for an answer to one message */
	const _Atomic bool *stop; /* ends early; NULL */
	/* Told once, when a message is not accepted at the second attempt
	 * either, and is tried again; NULL. */
	void (*waiting)(const struct err *why, int64_t wait_ms);
};

enum sns_end {
	SNS_FAILED = -1, /* for now, or for all messages */
	SNS_PUBLISHED = 0,
	SNS_REFUSED = 1,
};

struct sns;

/* Sends nothing.  NULL with err: the ARN is none of a topic, or the endpoint no
 * URL. */
struct sns *sns_open(const struct sns_options *options, struct err *err);

/* Views of the topic's ARN. */
struct str sns_region(const struct sns *s);
struct str sns_account(const struct sns *s);

/* `receipt`: SNS's own id of the message; else err says why there is none. */
enum sns_end sns_publish(struct sns *s, const struct alert_message *m,
    struct buf *receipt, struct err *err);

/* Requests that were sent, beyond one a message. */
uint64_t sns_again(const struct sns *s);

/* Something to say to people, once; NULL. */
const char *sns_note(struct sns *s);

void sns_close(struct sns *s); /* NULL is allowed */

#endif
