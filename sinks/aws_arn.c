/* SPDX-License-Identifier: Apache-2.0 */
/* See the header. */
#include "sinks/aws_arn.h"

#include <ctype.h>
#include <stddef.h>

/* The `longName` of https://docs.aws.amazon.com/general/latest/gr/rande.html;
 * Europe's are called EU in CloudWatch's messages. */
static const struct {
	const char *code, *name;
} regions[] = {
	{ "af-south-1", "Africa (Cape Town)" },
	{ "ap-east-1", "Asia Pacific (Hong Kong)" },
	{ "ap-northeast-1", "Asia Pacific (Tokyo)" },
	{ "ap-northeast-2", "Asia Pacific (Seoul)" },
	{ "ap-northeast-3", "Asia Pacific (Osaka)" },
	{ "ap-south-1", "Asia Pacific (Mumbai)" },
	{ "ap-south-2", "Asia Pacific (Hyderabad)" },
	{ "ap-southeast-1", "Asia Pacific (Singapore)" },
	{ "ap-southeast-2", "Asia Pacific (Sydney)" },
	{ "ap-southeast-3", "Asia Pacific (Jakarta)" },
	{ "ap-southeast-4", "Asia Pacific (Melbourne)" },
	{ "ca-central-1", "Canada (Central)" },
	{ "ca-west-1", "Canada West (Calgary)" },
	{ "cn-north-1", "China (Beijing)" },
	{ "cn-northwest-1", "China (Ningxia)" },
	{ "eu-central-1", "EU (Frankfurt)" },
	{ "eu-central-2", "EU (Zurich)" },
	{ "eu-north-1", "EU (Stockholm)" },
	{ "eu-south-1", "EU (Milan)" },
	{ "eu-south-2", "EU (Spain)" },
	{ "eu-west-1", "EU (Ireland)" },
	{ "eu-west-2", "EU (London)" },
	{ "eu-west-3", "EU (Paris)" },
	{ "il-central-1", "Israel (Tel Aviv)" },
	{ "me-central-1", "Middle East (UAE)" },
	{ "me-south-1", "Middle East (Bahrain)" },
	{ "sa-east-1", "South America (Sao Paulo)" },
	{ "us-east-1", "US East (N. Virginia)" },
	{ "us-east-2", "US East (Ohio)" },
	{ "us-gov-east-1", "AWS GovCloud (US-East)" },
	{ "us-gov-west-1", "AWS GovCloud (US-West)" },
	{ "us-west-1", "US West (N. California)" },
	{ "us-west-2", "US West (Oregon)" },
};

/* Letters, digits and what else is allowed; not empty. */
static bool
is_of(struct str s, const char *more)
{
	for (size_t i = 0; i < s.n; i++)
		if (!isalnum((unsigned char)s.p[i]) &&
		    (s.p[i] == '\0' || !strchr(more, s.p[i])))
			return false;
	return s.n > 0;
}

bool
aws_is_region(struct str text)
{
	return is_of(text, "-") && text.n < 32;
}

bool
aws_arn_parse(struct str text, struct aws_arn *arn)
{
	struct str arn_word;

	if (!str_cut(&text, ':', &arn_word) || !str_eq(arn_word, STR("arn")) ||
	    !str_cut(&text, ':', &arn->partition) ||
	    !str_cut(&text, ':', &arn->service) ||
	    !str_cut(&text, ':', &arn->region) ||
	    !str_cut(&text, ':', &arn->account))
		return false;
	arn->resource = text;
	return is_of(arn->partition, "-") && is_of(arn->service, "-") &&
	       aws_is_region(arn->region) && is_of(arn->account, "") &&
	       is_of(arn->resource, "-_./:");
}

struct str
aws_region_name(struct str region)
{
	for (size_t i = 0; i < sizeof regions / sizeof regions[0]; i++)
		if (str_eq(region, str_of(regions[i].code)))
			return str_of(regions[i].name);
	return region;
}

const char *
aws_domain(struct str region)
{
	return str_starts(region, STR("cn-")) ? "amazonaws.com.cn"
					      : "amazonaws.com";
}
