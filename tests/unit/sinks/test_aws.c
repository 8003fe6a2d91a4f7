/* SPDX-License-Identifier: Apache-2.0 */
/* ARNs, forms, XML, profiles, and who may be asked for credentials. */
#include <criterion/criterion.h>

#include "core/buf.h"
#include "core/when.h"
#include "sinks/aws_arn.h"
#include "sinks/aws_fetch.h"
#include "sinks/aws_profile.h"
#include "sinks/aws_query.h"

Test(aws, arn)
{
	static const char *const bad[] = { "", "arn", "arn:aws:sns:eu-west-1:1",
		"arn:aws:sns::123456789012:x", "arn:aws:sns:eu-west-1::x",
		"arn:aws:sns:eu-west-1:123456789012:",
		"arn:aws:sns:eu west:123456789012:x",
		"arn:aws:sns:eu-west-1:123456789012:x\n",
		"arn:aws:sns:eu-west-1.evil.example/:123456789012:x",
		"urn:aws:sns:eu-west-1:123456789012:x" };
	struct aws_arn a;

	cr_assert(aws_arn_parse(
	    STR("arn:aws-cn:sns:cn-north-1:123456789012:alerts.fifo"), &a));
	cr_expect(str_eq(a.partition, STR("aws-cn")));
	cr_expect(str_eq(a.service, STR("sns")));
	cr_expect(str_eq(a.region, STR("cn-north-1")));
	cr_expect(str_eq(a.account, STR("123456789012")));
	cr_expect(str_eq(a.resource, STR("alerts.fifo")));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		cr_expect(!aws_arn_parse(str_of(bad[i]), &a), "%s", bad[i]);
	cr_expect(
	    str_eq(aws_region_name(STR("eu-west-1")), STR("EU (Ireland)")));
	cr_expect(str_eq(aws_region_name(STR("xx-new-1")), STR("xx-new-1")));
	cr_expect_str_eq(aws_domain(STR("cn-north-1")), "amazonaws.com.cn");
	cr_expect_str_eq(aws_domain(STR("eu-west-1")), "amazonaws.com");
}

Test(aws, a_form_is_encoded_after_rfc_3986)
{
	struct buf form = { 0 };

	aws_query_put(&form, "A", STR("a b+c/ä~-._*%\n"));
	aws_query_put(&form, "B", (struct str){ "\0", 1 });
	aws_query_put(&form, "C", STR(""));
	cr_expect_str_eq(buf_cstr(&form),
	    "A=a%20b%2Bc%2F%C3%A4~-._%2A%25%0A&B=%00&C=");
	buf_fini(&form);
}

Test(aws, a_time_is_in_the_basic_form)
{
	struct buf header = { 0 };
	struct str text = STR("2015-08-30T12:36:00Z");
	int64_t ns;

	cr_assert(when_iso(&text, &ns));
	aws_query_date(&header, ns + 999);
	cr_expect_str_eq(buf_cstr(&header), "X-Amz-Date: 20150830T123600Z");
	buf_fini(&header);
}

Test(aws, xml_is_read_as_far_as_it_is_needed)
{
	static const struct {
		const char *xml, *text; /* NULL: there is none */
	} cases[] = {
		{ "<R><MessageId>a-1</MessageId></R>", "a-1" },
		{ "<MessageId/><MessageId>x</MessageId>", "x" },
		{ "<MessageId></MessageId>", "" },
		{ "<MessageId>&lt;&gt;&amp;&quot;&apos;</MessageId>",
		    "<>&\"'" },
		{ "<MessageId>&lol;</MessageId>", NULL },
		{ "<MessageId>a&amp</MessageId>", NULL },
		{ "<MessageId>a<b/></MessageId>", NULL },
		{ "<MessageId>a", NULL },
		{ "<MessageId>a</Message", NULL },
		{ "<MessageIdX>a</MessageIdX>", NULL },
		{ "", NULL },
	};
	struct buf text = { 0 };

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		bool good;

		buf_reset(&text);
		good = aws_query_text(str_of(cases[i].xml), "MessageId", &text);
		cr_expect_eq(good, cases[i].text != NULL, "%s", cases[i].xml);
		if (good)
			cr_expect_str_eq(buf_cstr(&text), cases[i].text);
	}
	buf_fini(&text);
}

static const char profiles[] = "# keys\n"
			       "[default]\r\n"
			       "aws_access_key_id=ONE ; a comment\r\n"
			       "region = \n"
			       "[ profile work ]\n"
			       "aws_access_key_id = TWO\n"
			       "s3 =\n"
			       "  region = nested\n"
			       "secret = a#b=c\n"
			       "[work]\n"
			       "aws_access_key_id = THREE\n"
			       "[default]\n"
			       "region = late";

Test(aws, profiles_are_read_as_the_tools_do)
{
	static const struct {
		enum aws_file file;
		const char *profile, *key, *want; /* NULL: none */
	} cases[] = {
		{ AWS_FILE_CREDENTIALS, "default", "aws_access_key_id", "ONE" },
		{ AWS_FILE_CONFIG, "default", "aws_access_key_id", "ONE" },
		{ AWS_FILE_CONFIG, "default", "region", "late" },
		{ AWS_FILE_CONFIG, "work", "aws_access_key_id", "TWO" },
		{ AWS_FILE_CREDENTIALS, "work", "aws_access_key_id", "THREE" },
		{ AWS_FILE_CONFIG, "work", "region", NULL },
		{ AWS_FILE_CONFIG, "work", "secret", "a#b=c" },
		{ AWS_FILE_CONFIG, "other", "region", NULL },
		{ AWS_FILE_CREDENTIALS, "profile", "region", NULL },
	};
	struct str text = STR(profiles), value;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		bool found = aws_profile_get(text, cases[i].file,
		    str_of(cases[i].profile), cases[i].key, &value);

		cr_expect_eq(found, cases[i].want != NULL, "%zu", i);
		if (found && cases[i].want)
			cr_expect(str_eq(value, str_of(cases[i].want)),
			    "%zu: %.*s", i, STR_ARG(value));
	}
	cr_expect(aws_profile_has(text, AWS_FILE_CONFIG, STR("work")));
	cr_expect(!aws_profile_has(text, AWS_FILE_CONFIG, STR("nobody")));
}

Test(aws, credentials_are_asked_for_at_home_only)
{
	static const struct {
		const char *url;
		bool may;
	} cases[] = {
		{ "http://169.254.170.2/v2/credentials/x", true },
		{ "http://169.254.170.23/v1/credentials", true },
		{ "http://[fd00:ec2::23]/v1/credentials", true },
		{ "http://[::1]:8080/", true },
		{ "http://127.0.0.1:1/x", true },
		{ "http://127.3.2.1", true },
		{ "http://localhost:80/x?y", true },
		{ "https://example.com/x", true },
		{ "http://169.254.169.254/", false },
		{ "http://10.0.0.1/", false },
		{ "http://127.0.0.1.example.com/", false },
		{ "http://localhost.example.com/", false },
		{ "http://127.0.0.1@example.com/", false },
		{ "http://example.com/@127.0.0.1", false },
		{ "http://[::1", false },
		{ "http://", false },
		{ "ftp://127.0.0.1/", false },
		{ "file:///etc/passwd", false },
	};
	struct err err;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		cr_expect_eq(aws_fetch_may(cases[i].url, &err), cases[i].may,
		    "%s", cases[i].url);
}
