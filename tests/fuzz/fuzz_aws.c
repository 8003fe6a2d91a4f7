/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzing what AWS's services and files say with libFuzzer: a text of XML and a
 * profile's value are pieces of what they were read from, an ARN reads again as
 * it was, and what a form is given comes back.
 *
 *	clang -fsanitize=fuzzer,address,undefined … fuzz_aws.c
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/err.h"
#include "sinks/aws_arn.h"
#include "sinks/aws_fetch.h"
#include "sinks/aws_profile.h"
#include "sinks/aws_query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
try_arn(struct str text)
{
	struct aws_arn a;
	struct buf again = { 0 };

	if (!aws_arn_parse(text, &a))
		return;
	buf_printf(&again, "arn:%.*s:%.*s:%.*s:%.*s:%.*s", STR_ARG(a.partition),
	    STR_ARG(a.service), STR_ARG(a.region), STR_ARG(a.account),
	    STR_ARG(a.resource));
	assert(str_eq(buf_view(&again), text));
	buf_fini(&again);
}

static void
try_profile(struct str text)
{
	struct str value;

	for (int f = AWS_FILE_CREDENTIALS; f <= AWS_FILE_CONFIG; f++) {
		enum aws_file file = (enum aws_file)f;

		if (!aws_profile_get(text, file, STR("default"), "region",
			&value))
			continue;
		assert(aws_profile_has(text, file, STR("default")));
		assert(value.n > 0 && value.p >= text.p &&
		       value.p + value.n <= text.p + text.n);
		assert(!memchr(value.p, '\n', value.n));
	}
}

/* The bytes of a form's only value. */
static void
decode(struct buf *out, struct str form)
{
	for (size_t i = 0; i < form.n; i++) {
		char hex[3] = { 0 };

		if (form.p[i] != '%') {
			buf_char(out, form.p[i]);
			continue;
		}
		memcpy(hex, form.p + i + 1, 2);
		buf_char(out, (char)strtoul(hex, NULL, 16));
		i += 2;
	}
}

static void
try_form(struct str text)
{
	struct buf form = { 0 }, back = { 0 };

	aws_query_put(&form, "A", text);
	decode(&back, str_from(buf_view(&form), 2));
	assert(str_eq(buf_view(&back), text));
	buf_fini(&back);
	buf_fini(&form);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str text = { (const char *)data, n };
	struct buf out = { 0 };
	struct err err;

	if (aws_query_text(text, "Code", &out))
		assert(out.n <= text.n);
	buf_reset(&out);
	buf_str(&out, text);
	aws_fetch_may(buf_cstr(&out), &err);
	buf_fini(&out);
	try_arn(text);
	try_profile(text);
	try_form(text);
	return 0;
}
