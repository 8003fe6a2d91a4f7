/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzing the configuration with libFuzzer: any bytes are a configuration or an
 * error with its place; of the former every threshold prints as what it was
 * read from, and holds for those that it names where no pattern is more than a
 * name.
 *
 *	clang -fsanitize=fuzzer,address,undefined … fuzz_config.c
 *	fuzz_config -dict=tests/fuzz/fuzz_config.dict corpus/
 */
#include <assert.h>

#include "analyzers/judge.h"
#include "core/buf.h"
#include "pipeline/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static bool
is_name(struct str s)
{
	return s.n > 0 && str_find(s, '*') == SIZE_MAX &&
	       str_find(s, '?') == SIZE_MAX;
}

static void
try_setting(const struct thresholds *t, const struct setting *s)
{
	const int rule = s->rule == SETTING_ALL_RULES ? 0 : s->rule;
	const struct judged of = { judge_rules()[rule].name, s->service,
		s->route, s->method };
	struct buf text = { 0 };
	struct err err;
	struct gates g;
	int64_t again;

	threshold_put(&text, s->what, s->value);
	assert(threshold_parse(s->what, buf_view(&text), &again, &err) == 0);
	assert(again == s->value);
	buf_fini(&text);
	thresholds_of(t, &of, &g);
	assert(g.from[s->what] != GATE_DEFAULT);
	assert(g.v[s->what] >= threshold_infos[s->what].min);
	if (is_name(s->service) && is_name(s->route))
		assert(g.v[s->what] == s->value);
	if (s->what == THRESHOLD_SLOW)
		assert(t->limits[g.limit] == g.v[s->what]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct config c = { 0 };
	struct err err = { "" };

	if (config_parse(&c, "f.yaml", (struct str){ (const char *)data, n },
		&err) != 0)
		assert(str_starts(str_of(err.text), STR("f.yaml:")));
	else if (thresholds_settle(&c.thresholds, &err) == 0)
		/* All of them with all of them takes too long here. */
		for (size_t i = 0; i < c.thresholds.n && i < 64; i++)
			try_setting(&c.thresholds, &c.thresholds.v[i]);
	config_fini(&c);
	return 0;
}
