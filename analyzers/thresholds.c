/* SPDX-License-Identifier: Apache-2.0 */
/* Reading, printing and finding thresholds: see the header for the order. */
#include "analyzers/thresholds.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "analyzers/analyzer.h"
#include "analyzers/judge.h"
#include "core/mem.h"
#include "core/opt.h"
#include "core/when.h"

enum { MILLION = 1000000, PERCENT = MILLION / 100 };

const struct threshold_info threshold_infos[THRESHOLDS] = {
	[THRESHOLD_JUDGE] = { "judge", UNIT_YES, 0, 1,
	    "Whether the rule judges at all." },
	[THRESHOLD_SLOW] = { "slow", UNIT_SPAN, NS_PER_MS, 3600 * NS_PER_SEC,
	    "A request is slow above it." },
	[THRESHOLD_SLOWER] = { "slower", UNIT_SPAN, NS_PER_MS,
	    3600 * NS_PER_SEC,
	    "What is slower than it was counts from so much more on, in the "
	    "95th percentile." },
	[THRESHOLD_COUNT] = { "count", UNIT_COUNT, 1, MILLION,
	    "So many bad ones in a window, at least." },
	[THRESHOLD_RATIO] = { "ratio", UNIT_SHARE, 0, MILLION,
	    "Such a share of the window's, at least." },
	[THRESHOLD_ABOVE] = { "above", UNIT_SHARE, 0, MILLION,
	    "So many percentage points above what was before, at least." },
	[THRESHOLD_G] = { "g", UNIT_NATS, 1000, 1000 * 1000,
	    "The likelihood ratio is above it: chance reaches G with a "
	    "probability of e^-G at most." },
	[THRESHOLD_CRITICAL_RATIO] = { "critical-ratio", UNIT_SHARE, 0, MILLION,
	    "Of all its time such a share is bad, at least, in what is "
	    "critical." },
	[THRESHOLD_CRITICAL_COUNT] = { "critical-count", UNIT_COUNT, 1,
	    1000 * MILLION,
	    "Of all its time so many are bad, at least, in what is critical." },
	[THRESHOLD_WARNING_RATIO] = { "warning-ratio", UNIT_SHARE, 0, MILLION,
	    "The same of a warning." },
	[THRESHOLD_WARNING_COUNT] = { "warning-count", UNIT_COUNT, 1,
	    1000 * MILLION,
	    "The same of a warning; with less a finding is an info." },
};

const struct thresholds thresholds_default = {
	.limits = { NS_PER_SEC },
	.n_limits = 1,
};

const char *
threshold_words(enum threshold t)
{
	switch (threshold_infos[t].unit) {
	case UNIT_YES:
		return "yes or no";
	case UNIT_SPAN:
		return opt_span_words;
	case UNIT_COUNT:
		return "a whole number";
	case UNIT_SHARE:
		return "a share such as 10% or 2.5%";
	case UNIT_NATS:
		return "a number such as 13.816";
	}
	assert(false); /* a unit without words */
	return "";
}

/* A decimal at the head of *rest in units of 1/scale, which is a power of ten;
 * false: no number, more digits than that, or too much. */
static bool
decimal(struct str *rest, uint64_t scale, int64_t *value)
{
	struct str s = *rest;
	size_t digits = 0;
	uint64_t v;

	if (!str_u64(&s, &v) || v > (uint64_t)INT64_MAX / (2 * scale))
		return false;
	v *= scale;
	if (s.n > 0 && s.p[0] == '.') {
		s = str_from(s, 1);
		for (; digits < s.n && s.p[digits] >= '0' &&
		       s.p[digits] <= '9' && scale > 1;
		     digits++) {
			scale /= 10;
			v += scale * (uint64_t)(s.p[digits] - '0');
		}
		if (digits == 0)
			return false;
		s = str_from(s, digits);
	}
	*value = (int64_t)v;
	*rest = s;
	return true;
}

static bool
yes_no(struct str text, int64_t *value)
{
	static const char *const words[] = { "no", "yes", "false", "true" };

	for (int i = 0; i < 4; i++) {
		if (!str_eq(text, str_of(words[i])))
			continue;
		*value = i & 1;
		return true;
	}
	return false;
}

static bool
parse_unit(enum threshold_unit unit, struct str text, int64_t *value)
{
	switch (unit) {
	case UNIT_YES:
		return yes_no(text, value);
	case UNIT_SPAN:
		return opt_span(text, value);
	case UNIT_COUNT:
		return decimal(&text, 1, value) && text.n == 0;
	case UNIT_SHARE:
		return decimal(&text, PERCENT, value) &&
		       str_eq(str_trim(text), STR("%"));
	case UNIT_NATS:
		return decimal(&text, 1000, value) && text.n == 0;
	}
	return false;
}

int
threshold_parse(enum threshold t, struct str text, int64_t *value,
    struct err *err)
{
	const struct threshold_info *info = &threshold_infos[t];
	struct buf range = { 0 };

	if (!parse_unit(info->unit, text, value))
		return err_set(err, "'%.*s' is not %s",
		    STR_ARG(str_sub(text, 0, 60)), threshold_words(t));
	if (*value >= info->min && *value <= info->max)
		return 0;
	threshold_put(&range, t, info->min);
	buf_cat(&range, " to ");
	threshold_put(&range, t, info->max);
	err_set(err, "'%.*s' is out of range, expected %s",
	    STR_ARG(str_sub(text, 0, 60)), buf_cstr(&range));
	buf_fini(&range);
	return -1;
}

/* In units of 1/scale, without the zeros at its end. */
static void
put_decimal(struct buf *b, int64_t value, int64_t scale)
{
	int64_t rest = value % scale;

	buf_i64(b, value / scale);
	if (rest > 0)
		buf_char(b, '.');
	while (rest > 0) {
		scale /= 10;
		buf_char(b, (char)('0' + rest / scale));
		rest %= scale;
	}
}

/* The largest unit that has no rest. */
static void
put_span(struct buf *b, int64_t ns)
{
	static const struct {
		const char *name;
		int64_t ns;
	} units[] = { { "h", 3600 * NS_PER_SEC }, { "m", 60 * NS_PER_SEC },
		{ "s", NS_PER_SEC }, { "ms", NS_PER_MS } };

	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		if (ns % units[i].ns != 0)
			continue;
		buf_i64(b, ns / units[i].ns);
		buf_cat(b, units[i].name);
		return;
	}
	buf_i64(b, ns / 1000);
	buf_cat(b, "us");
}

void
threshold_put(struct buf *b, enum threshold t, int64_t value)
{
	switch (threshold_infos[t].unit) {
	case UNIT_YES:
		buf_cat(b, value ? "yes" : "no");
		break;
	case UNIT_SPAN:
		put_span(b, value);
		break;
	case UNIT_COUNT:
		buf_i64(b, value);
		break;
	case UNIT_SHARE:
		put_decimal(b, value, PERCENT);
		buf_char(b, '%');
		break;
	case UNIT_NATS:
		put_decimal(b, value, 1000);
		break;
	}
}

bool
threshold_has(const char *rule, enum threshold what)
{
	const struct rule *r = judge_rules()[judge_rule(rule)].rule;

	if (what == THRESHOLD_JUDGE || what == THRESHOLD_G)
		return true;
	if (!r->count)
		return what == THRESHOLD_COUNT && r->presets[what] > 0;
	return r->latency ||
	       (what != THRESHOLD_SLOW && what != THRESHOLD_SLOWER);
}

void
thresholds_add(struct thresholds *t, const struct setting *s)
{
	t->v = xgrow(t->v, t->n + 1, &t->cap, sizeof *t->v);
	t->v[t->n++] = *s;
}

void
thresholds_fini(struct thresholds *t)
{
	free(t->v);
	*t = (struct thresholds){ 0 };
}

static int
by_precedence(const void *a, const void *b)
{
	const struct setting *x = a;
	const struct setting *y = b;
	int c = str_glob_cmp(x->service, y->service);

	if (c == 0)
		c = str_glob_cmp(x->route, y->route);
	/* METHOD_NONE is 0: any method comes last. */
	if (c == 0)
		c = (x->method < y->method) - (x->method > y->method);
	return c ? c : (x->line > y->line) - (x->line < y->line);
}

static int
limit_of(const struct thresholds *t, int64_t ns)
{
	for (size_t i = 0; i < t->n_limits; i++)
		if (t->limits[i] == ns)
			return (int)i;
	return -1;
}

/* A limit nobody may ever use costs a count in every cell all the same. */
static int
settle_limits(struct thresholds *t, struct err *err)
{
	const struct judged every = { .rule = "slow-post" };
	struct gates g;

	t->n_limits = 0;
	thresholds_of(t, &every, &g);
	t->limits[t->n_limits++] = g.v[THRESHOLD_SLOW];
	if (t->slow_ns > 0)
		return 0;
	for (size_t i = 0; i < t->n; i++) {
		const struct setting *s = &t->v[i];

		if (s->what != THRESHOLD_SLOW || limit_of(t, s->value) >= 0)
			continue;
		if (t->n_limits == SLOW_LIMITS)
			return err_set(err,
			    "%s: 'slow' has more than %d different values",
			    t->file, SLOW_LIMITS);
		t->limits[t->n_limits++] = s->value;
	}
	return 0;
}

int
thresholds_settle(struct thresholds *t, struct err *err)
{
	if (t->n > 0)
		qsort(t->v, t->n, sizeof *t->v, by_precedence);
	return settle_limits(t, err);
}

static bool
in_scope(const struct setting *s, const struct judged *of)
{
	if (s->method != METHOD_NONE && s->method != of->method)
		return false;
	if (s->route.n > 0 && !str_glob(of->route, s->route))
		return false;
	return s->service.n == 0 || str_glob(of->service, s->service);
}

static void
gate_set(struct gates *g, enum threshold what, int64_t value, uint32_t from)
{
	if (g->from[what] != GATE_DEFAULT)
		return;
	g->v[what] = value;
	g->from[what] = from;
}

void
thresholds_of(const struct thresholds *t, const struct judged *of,
    struct gates *g)
{
	int r = judge_rule(of->rule);
	const struct rule *rule = judge_rules()[r].rule;

	*g = (struct gates){ 0 };
	memcpy(g->v, rule->presets, sizeof g->v);
	if (t->only)
		gate_set(g, THRESHOLD_JUDGE, strcmp(t->only, of->rule) == 0,
		    GATE_OPTION);
	if (t->slow_ns > 0 && rule->latency)
		gate_set(g, THRESHOLD_SLOW, t->slow_ns, GATE_OPTION);
	for (size_t i = 0; i < t->n; i++) {
		const struct setting *s = &t->v[i];

		if ((s->rule == r ||
			(s->rule == SETTING_ALL_RULES && rule->latency)) &&
		    in_scope(s, of))
			gate_set(g, s->what, s->value, s->line);
	}
	g->limit = limit_of(t, g->v[THRESHOLD_SLOW]);
}

bool
thresholds_judge(const struct thresholds *t, const char *rule)
{
	const struct judged every = { .rule = rule };
	struct gates g;

	thresholds_of(t, &every, &g);
	if (g.v[THRESHOLD_JUDGE] || t->only)
		return g.v[THRESHOLD_JUDGE] != 0;
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].rule == judge_rule(rule) &&
		    t->v[i].what == THRESHOLD_JUDGE && t->v[i].value)
			return true;
	return false;
}

void
threshold_put_from(struct buf *b, const struct thresholds *t,
    enum threshold what, uint32_t from)
{
	if (from == GATE_DEFAULT)
		buf_cat(b, "default");
	else if (from == GATE_OPTION)
		buf_cat(b, what == THRESHOLD_SLOW ? "--slow" : "--rule");
	else
		buf_printf(b, "%s:%u", t->file, from);
}
