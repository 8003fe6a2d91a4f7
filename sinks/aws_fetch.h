/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials that somebody is asked for.  For sinks/aws_credentials.c alone.
 *
 * Nobody is asked through a proxy but STS, and nobody else than who was named:
 * redirects are not followed.  1: here they are; 0: nobody is there; -1 with
 * err, which holds no secret.
 */
#ifndef SINKS_AWS_FETCH_H
#define SINKS_AWS_FETCH_H

#include <stdbool.h>

#include "core/err.h"
#include "core/str.h"

struct aws_credentials;

/* Of STS, for AWS_ROLE_ARN; `region` may be NULL: the global endpoint. */
int aws_fetch_web_identity(struct aws_credentials *out, const char *ca_file,
    const char *region, struct str token, struct err *err);

/*
 * Of a container's endpoint.  Plain http only to addresses that do not leave
 * the machine: loopback, 169.254.170.2, 169.254.170.23 and fd00:ec2::23.
 */
int aws_fetch_container(struct aws_credentials *out, const char *ca_file,
    const char *url, struct str token, struct err *err);
/* Whether that is such an address, or https; "" and why. */
bool aws_fetch_may(const char *url, struct err *err);

/* Of an EC2 instance's metadata, version 2; 0: there is no such service. */
int aws_fetch_instance(struct aws_credentials *out, const char *endpoint,
    struct err *err);

#endif
