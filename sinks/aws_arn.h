/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Amazon Resource Names and regions
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html).
 */
#ifndef SINKS_AWS_ARN_H
#define SINKS_AWS_ARN_H

#include <stdbool.h>

#include "core/str.h"

/* Views of an ARN: arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE. */
struct aws_arn {
	struct str partition, service, region, account, resource;
};

/* False: it is none, or a part is empty or has other than its characters. */
bool aws_arn_parse(struct str text, struct aws_arn *arn);

/* Whether it can be a region's code: "eu-west-1". */
bool aws_is_region(struct str text);

/*
 * As CloudWatch's own messages say it: "EU (Ireland)"; what is not known is
 * told as it is.
 */
struct str aws_region_name(struct str region);

/* "amazonaws.com", in China "amazonaws.com.cn". */
const char *aws_domain(struct str region);

#endif
