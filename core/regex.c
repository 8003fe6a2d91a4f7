/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PCRE2 with JIT where the machine has it, the interpreter elsewhere; the
 * limits hold for both.  pcre2_jit_match is called where it can be: what
 * pcre2_match does before it calls that is 120 instructions a line.
 */
#define PCRE2_CODE_UNIT_WIDTH 8

#include "core/regex.h"

#include <pcre2.h>

#include "core/mem.h"

#include <stdlib.h>

enum {
	MATCH_LIMIT = 100000, /* steps of backtracking */
	DEPTH_LIMIT = 1000,
};

struct regex {
	pcre2_code *code;
	pcre2_match_data *data;
	pcre2_match_context *context;
	bool jit;
	const char *text; /* of the last match */
	int groups;       /* set in it */
};

struct regex *
regex_new(struct str pattern, struct err *err)
{
	struct regex *re;
	PCRE2_SIZE offset;
	int code;
	pcre2_code *c = pcre2_compile((PCRE2_SPTR)pattern.p, pattern.n,
	    PCRE2_DOLLAR_ENDONLY, &code, &offset, NULL);

	if (!c) {
		PCRE2_UCHAR why[128];

		pcre2_get_error_message(code, why, sizeof why);
		err_set(err, "at offset %zu of the pattern: %s", offset,
		    (const char *)why);
		return NULL;
	}
	re = xcalloc(1, sizeof *re);
	re->code = c;
	/* Without JIT on this machine the interpreter gives the same. */
	re->jit = pcre2_jit_compile(c, PCRE2_JIT_COMPLETE) == 0;
	re->data = pcre2_match_data_create_from_pattern(c, NULL);
	re->context = pcre2_match_context_create(NULL);
	pcre2_set_match_limit(re->context, MATCH_LIMIT);
	pcre2_set_depth_limit(re->context, DEPTH_LIMIT);
	return re;
}

void
regex_free(struct regex *re)
{
	if (!re)
		return;
	pcre2_match_context_free(re->context);
	pcre2_match_data_free(re->data);
	pcre2_code_free(re->code);
	free(re);
}

bool
regex_match(struct regex *re, struct str text, bool *limited)
{
	const char *p = text.p ? text.p : "";
	int (*match)(const pcre2_code *, PCRE2_SPTR, PCRE2_SIZE, PCRE2_SIZE,
	    uint32_t, pcre2_match_data *, pcre2_match_context *) =
	    re->jit ? pcre2_jit_match : pcre2_match;
	int rc =
	    match(re->code, (PCRE2_SPTR)p, text.n, 0, 0, re->data, re->context);

	re->text = p;
	re->groups = rc > 0 ? rc : 0;
	if (limited)
		*limited = rc < 0 && rc != PCRE2_ERROR_NOMATCH;
	return rc > 0;
}

struct regex_spans
regex_spans(const struct regex *re)
{
	return (struct regex_spans){
		.text = re->text,
		.at = pcre2_get_ovector_pointer(re->data),
		.n = (size_t)re->groups,
	};
}

int
regex_name(const struct regex *re, const char *name)
{
	int n = pcre2_substring_number_from_name(re->code, (PCRE2_SPTR)name);

	return n > 0 ? n : -1;
}

void
regex_library(struct buf *out)
{
	char version[64]; /* PCRE2 needs 24 at most: "10.42 2022-12-11" */
	uint32_t jit = 0;

	pcre2_config(PCRE2_CONFIG_VERSION, version);
	pcre2_config(PCRE2_CONFIG_JIT, &jit);
	buf_printf(out, "PCRE2 %s%s", version, jit ? ", JIT" : "");
}
