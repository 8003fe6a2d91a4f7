/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who we are to AWS: the chain of places where credentials are looked for, as
 * AWS's own tools do
 *(https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html).
 * The first place that is configured is the one; where it does not do, that is
 * an error, and no other is tried:
 *
 *	environment   AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
 *		      AWS_SESSION_TOKEN
 *	profile	      of AWS_PROFILE or "default": keys in
 *		      AWS_SHARED_CREDENTIALS_FILE (~/.aws/credentials) or
 *		      AWS_CONFIG_FILE (~/.aws/config)
 *	web identity  AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN, asked of
 *		      STS: pods in EKS
 *	container     AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI:
 *		      tasks in ECS, EKS's pod identity
 *	instance      the metadata of an EC2 instance, version 2 alone, unless
 *		      AWS_EC2_METADATA_DISABLED is true
 *
 * What expires is fetched again five minutes before.  Secrets are wiped when
 * they are no longer needed and are in no message.  One thread.
 */
#ifndef SINKS_AWS_CREDENTIALS_H
#define SINKS_AWS_CREDENTIALS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/http.h"
#include "core/str.h"

struct aws_credentials {
	char *key_id, *secret;
	char *token;        /* of a session; NULL: none */
	int64_t expires_ns; /* WHEN_NONE: never */
	const char *from;   /* "the environment": static */
};

/* Wipes them. */
void aws_credentials_fini(struct aws_credentials *c);

struct aws_chain;

/* Reads nothing yet.  `ca_file`: PEM, of https; NULL: the system's. */
struct aws_chain *aws_chain_new(const char *ca_file);
void aws_chain_free(struct aws_chain *c); /* NULL is allowed */

/*
 * Credentials that are good for now; theirs until the next call.  `fresh`: the
 * last ones were refused, so they are fetched or read again.  NULL with err:
 * there are none, or their place does not answer.
 */
const struct aws_credentials *aws_chain_get(struct aws_chain *c, bool fresh,
    struct err *err);

/* AWS_REGION, AWS_DEFAULT_REGION, or the profile's; NULL: none says. */
const char *aws_chain_region(struct aws_chain *c);

/* Something to say to people, once: a file that others can read; NULL. */
const char *aws_chain_note(struct aws_chain *c);

#endif
