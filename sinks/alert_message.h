/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An alert in words: what a topic is given.
 *
 * Four bodies, as docs/alerts.md shows them:
 *
 *	cloudwatch-alarm  the shape of a CloudWatch alarm's notification, which
 *			  chat bots, incident tools and samples for Lambda
 *			  read; what is ours is in "Telltale" at its end
 *	chat		  a custom notification of Amazon Q Developer in chat
 *			  applications; one thread a finding
 *			  (https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html)
 *	ecs		  the finding's document, as --out has it
 *	text		  lines for people
 *
 * With the first three e-mail and SMS subscribers get text all the same.
 *
 * A message with its attributes has at most ALERT_BYTES, as SNS counts; where
 * it would be more, long texts are cut at a character and end with "…".  The
 * subject is printable ASCII of at most 99 characters.  There are ten
 * attributes at most, as SQS drops messages of more.
 */
#ifndef SINKS_ALERT_MESSAGE_H
#define SINKS_ALERT_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "analyzers/alerts.h"
#include "core/buf.h"
#include "core/hash.h"
#include "core/str.h"

enum {
	ALERT_BYTES = 262144,
	ALERT_SUBJECT = 99,
	ALERT_ATTRIBUTES = 10,
	ALERT_OTHERS = 20, /* so many others of a group are listed */
};

enum alert_format {
	ALERT_CLOUDWATCH_ALARM,
	ALERT_CHAT,
	ALERT_ECS,
	ALERT_TEXT,
};
extern const char *const alert_formats[]; /* their names; NULL ends */

/* What is the same in all messages of a run; borrowed. */
struct alert_style {
	enum alert_format format;
	struct str region, account; /* of the topic; may be empty */
	struct str environment;     /* "prod"; empty: not said */
	const struct str *paths;    /* of the run's inputs, by number */
	bool replayed;              /* not as it happened */
};

struct alert_attribute {
	const char *name;
	bool number; /* else a string */
	struct buf value;
};

struct alert_message {
	char id[HASH_ID_SIZE]; /* of (topic, alert, its number): the same for
				* the same message of any run */
	struct buf subject;
	struct buf body;       /* what `format` says */
	struct buf email, sms; /* empty: they get the body */
	struct alert_attribute attributes[ALERT_ATTRIBUTES];
	size_t n_attributes;
	char group[HASH_ID_SIZE]; /* of messages that must keep their order */
};

/* `topic`: where it goes to, as part of the id. */
void alert_message(struct alert_message *m, const struct alert *a,
    const struct finding *const *members, const struct alert_style *style,
    struct str topic);
void alert_message_fini(struct alert_message *m);

/*
 * What is published: the body, or, where e-mail and SMS get their own, an
 * object of all of them (MessageStructure=json).  True: it is such an object.
 */
bool alert_message_text(const struct alert_message *m, struct buf *out);

/* One line of JSON for people and dead letters; `reason`: NULL, or why. */
void alert_message_line(const struct alert_message *m, struct buf *out,
    struct str topic, const char *reason);

#endif
