/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options from a table: filling, checking, and the words about them.
 *
 * Names are never abbreviated: a script that says --out must not break because
 * a later release has --outline.
 */
#include "core/opt.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>

#include "core/mem.h"
#include "core/when.h"

enum {
	NAME_MAX_LEN = 64, /* longer ones are near to nothing */
	HELP_INDENT = 26,
	HELP_MIN = 20, /* columns of text, however narrow the terminal */
};

/* The member of a row; the table's offsets say what it is. */
static void *
member(const struct opt *row, void *into)
{
	return (char *)into + row->offset;
}

static int
row_bad(const struct opt *row, const char *text, struct err *err,
    const char *expected)
{
	return err_set(err, "--%s: '%s' is not %s", row->name, text, expected);
}

/* A decimal of up to `max`, all of the text. */
static bool
number(struct str text, uint64_t *v)
{
	return str_u64(&text, v) && text.n == 0;
}

/* `unit`: " bytes", or "". */
static int
out_of_range(const struct opt *row, const char *text, const char *unit,
    struct err *err)
{
	if (row->max == 0 && row->min > 0)
		return err_set(err,
		    "--%s: '%s' is out of range, expected at least %lld%s",
		    row->name, text, (long long)row->min, unit);
	if (row->max == 0)
		return row_bad(row, text, err, "a number that fits");
	return err_set(err,
	    "--%s: '%s' is out of range, expected %lld to %lld%s", row->name,
	    text, (long long)row->min, (long long)row->max, unit);
}

/* Whether a number is within the row's limits, if it has any. */
static bool
in_range(const struct opt *row, uint64_t v, uint64_t most)
{
	return v <= most && (row->max == 0 || v <= (uint64_t)row->max) &&
	       (row->min <= 0 || v >= (uint64_t)row->min);
}

static int
set_number(const struct opt *row, void *into, const char *text, struct err *err)
{
	uint64_t most = row->type == OPT_INT ? INT_MAX : UINT64_MAX;
	uint64_t v;

	if (!number(str_of(text), &v))
		return row_bad(row, text, err, "a whole number");
	if (!in_range(row, v, most))
		return out_of_range(row, text, "", err);
	if (row->type == OPT_INT)
		*(int *)member(row, into) = (int)v;
	else
		*(uint64_t *)member(row, into) = v;
	return 0;
}

/* The power of 1024 behind a size: K, M, G, and KiB or KB alike; -1: none. */
static int
size_shift(struct str unit)
{
	static const struct {
		const char *name;
		int shift;
	} units[] = { { "", 0 }, { "B", 0 }, { "K", 10 }, { "KB", 10 },
		{ "KiB", 10 }, { "M", 20 }, { "MB", 20 }, { "MiB", 20 },
		{ "G", 30 }, { "GB", 30 }, { "GiB", 30 } };

	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
		if (str_eq_nocase(unit, str_of(units[i].name)))
			return units[i].shift;
	return -1;
}

static int
set_size(const struct opt *row, void *into, const char *text, struct err *err)
{
	struct str s = str_of(text);
	uint64_t v;
	int shift;

	if (!str_u64(&s, &v))
		return row_bad(row, text, err, "a size such as 64K, 8M or 1G");
	shift = size_shift(s);
	if (shift < 0)
		return row_bad(row, text, err, "a size such as 64K, 8M or 1G");
	if (v > (uint64_t)SIZE_MAX >> shift ||
	    !in_range(row, v << shift, SIZE_MAX))
		return out_of_range(row, text, " bytes", err);
	*(size_t *)member(row, into) = (size_t)(v << shift);
	return 0;
}

const char opt_span_words[] = "a time span such as 500ms, 90s, 15m, 2h or 1d";

/* when_span, and besides it a single number of ms or us. */
bool
opt_span(struct str text, int64_t *ns)
{
	struct str s = text;
	uint64_t v;
	int64_t unit = 0;

	if (when_span(text, ns))
		return true;
	if (!str_u64(&s, &v))
		return false;
	if (str_eq(s, STR("ms")))
		unit = NS_PER_MS;
	else if (str_eq(s, STR("us")))
		unit = NS_PER_MS / 1000;
	if (unit == 0 || v > (uint64_t)(INT64_MAX / unit))
		return false;
	*ns = (int64_t)v * unit;
	return true;
}

static int
set_span(const struct opt *row, void *into, const char *text, struct err *err)
{
	struct buf least = { 0 };
	int64_t ns;

	if (!opt_span(str_of(text), &ns))
		return row_bad(row, text, err, opt_span_words);
	if (ns < row->min || (row->max > 0 && ns > row->max)) {
		when_put_span(&least, ns < row->min ? row->min : row->max,
		    false);
		err_set(err, "--%s: '%s' is too %s, expected at %s %s",
		    row->name, text, ns < row->min ? "short" : "long",
		    ns < row->min ? "least" : "most", buf_cstr(&least));
		buf_fini(&least);
		return -1;
	}
	*(int64_t *)member(row, into) = ns;
	return 0;
}

/* What OPT_TIME takes, to help and to correct. */
static const char time_words[] =
    "a time such as 2018-11-27T08:47:55Z, 2018-11-27 or seconds since 1970";

static int
set_time(const struct opt *row, void *into, const char *text, struct err *err)
{
	if (!when_user(str_of(text), member(row, into)))
		return row_bad(row, text, err, time_words);
	return 0;
}

static size_t
choices_count(const struct opt *row)
{
	size_t n = 0;

	while (row->choices[n])
		n++;
	return n;
}

static int
set_choice(const struct opt *row, void *into, const char *text, struct err *err)
{
	struct buf all = { 0 };

	for (int i = 0; row->choices[i]; i++) {
		if (strcmp(row->choices[i], text) == 0) {
			*(int *)member(row, into) = i;
			return 0;
		}
	}
	for (int i = 0; row->choices[i]; i++) {
		if (i > 0)
			buf_cat(&all, row->choices[i + 1] ? ", " : " or ");
		buf_cat(&all, row->choices[i]);
	}
	err_set(err, "--%s: '%s' is not known, expected %s", row->name, text,
	    buf_cstr(&all));
	buf_fini(&all);
	return -1;
}

static int
set_list(const struct opt *row, void *into, const char *text)
{
	struct opt_list *list = member(row, into);

	list->v = xgrow(list->v, list->n + 1, &list->cap, sizeof *list->v);
	list->v[list->n++] = text;
	return 0;
}

int
opt_set(const struct opt *row, void *into, const char *text, struct err *err)
{
	/* Where "" would mean the option's absence, a script has lost a value.
	 */
	if ((row->type == OPT_TEXT || row->type == OPT_LIST) && !*text)
		return err_set(err, "--%s: its %s is empty", row->name,
		    row->arg);
	switch (row->type) {
	case OPT_FLAG:
		*(bool *)member(row, into) = true;
		return 0;
	case OPT_TEXT:
		*(const char **)member(row, into) = text;
		return 0;
	case OPT_INT:
	case OPT_COUNT:
		return set_number(row, into, text, err);
	case OPT_SIZE:
		return set_size(row, into, text, err);
	case OPT_SPAN:
		return set_span(row, into, text, err);
	case OPT_TIME:
		return set_time(row, into, text, err);
	case OPT_CHOICE:
		return set_choice(row, into, text, err);
	case OPT_LIST:
		return set_list(row, into, text);
	}
	assert(false); /* a type without a case */
	return -1;
}

/* What a member is without a default. */
static void
set_absent(const struct opt *row, void *into)
{
	switch (row->type) {
	case OPT_FLAG:
		*(bool *)member(row, into) = false;
		break;
	case OPT_TEXT:
		*(const char **)member(row, into) = NULL;
		break;
	case OPT_INT:
		*(int *)member(row, into) = 0;
		break;
	case OPT_CHOICE:
		*(int *)member(row, into) = -1;
		break;
	case OPT_COUNT:
		*(uint64_t *)member(row, into) = 0;
		break;
	case OPT_SIZE:
		*(size_t *)member(row, into) = 0;
		break;
	case OPT_SPAN:
		*(int64_t *)member(row, into) = 0;
		break;
	case OPT_TIME:
		*(int64_t *)member(row, into) = WHEN_NONE;
		break;
	case OPT_LIST:
		*(struct opt_list *)member(row, into) = (struct opt_list){ 0 };
		break;
	}
}

void
opt_defaults(const struct opt *table, void *into)
{
	struct err err = { 0 };

	for (const struct opt *row = table; row->name; row++) {
		int rc = 0;

		set_absent(row, into);
		if (row->preset && row->type != OPT_FLAG)
			rc = opt_set(row, into, row->preset, &err);
		assert(rc == 0); /* a default that its own row refuses */
	}
}

void
opt_fini(const struct opt *table, void *into)
{
	for (const struct opt *row = table; row->name; row++) {
		struct opt_list *list;

		if (row->type != OPT_LIST)
			continue;
		list = member(row, into);
		free(list->v);
		*list = (struct opt_list){ 0 };
	}
}

/* One row of the distance table from the one before it; see distance(). */
static unsigned
step(const unsigned *above, const unsigned *here, size_t j, bool same)
{
	unsigned d = above[j] + 1; /* delete */

	if (here[j - 1] + 1 < d)
		d = here[j - 1] + 1; /* insert */
	if (above[j - 1] + !same < d)
		d = above[j - 1] + !same; /* replace */
	return d;
}

/* Changes, insertions, deletions and swaps of neighbours from a to b. */
static unsigned
distance(struct str a, struct str b)
{
	unsigned rows[3][NAME_MAX_LEN + 1];

	for (size_t j = 0; j <= b.n; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= a.n; i++) {
		unsigned *here = rows[i % 3];
		const unsigned *above = rows[(i + 2) % 3];
		const unsigned *over = rows[(i + 1) % 3];

		here[0] = (unsigned)i;
		for (size_t j = 1; j <= b.n; j++) {
			here[j] =
			    step(above, here, j, a.p[i - 1] == b.p[j - 1]);
			if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] &&
			    a.p[i - 2] == b.p[j - 1] &&
			    over[j - 2] + 1 < here[j])
				here[j] = over[j - 2] + 1;
		}
	}
	return rows[a.n % 3][b.n];
}

int
opt_nearest(struct str name, const char *const *names, size_t n)
{
	unsigned best = (unsigned)name.n / 3 + 2;
	int at = -1;

	if (name.n == 0 || name.n > NAME_MAX_LEN)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct str s = str_of(names[i]);
		unsigned d;

		if (s.n > NAME_MAX_LEN)
			continue;
		d = distance(name, s);
		if (d < best) {
			best = d;
			at = (int)i;
		}
	}
	/* "slow" means slow-post, far as it is. */
	for (size_t i = 0; i < n && at < 0; i++)
		if (name.n > 2 && str_starts(str_of(names[i]), name))
			at = (int)i;
	return at;
}

static int
unknown(const struct opt *table, struct str name, struct err *err)
{
	const char **names = NULL;
	size_t cap = 0;
	size_t n = 0;
	int near;

	for (const struct opt *row = table; row->name; row++) {
		names = xgrow(names, n + 1, &cap, sizeof *names);
		names[n++] = row->name;
	}
	near = opt_nearest(name, names, n);
	if (names && near >= 0)
		err_set(err, "there is no option --%.*s; did you mean --%s?",
		    STR_ARG(str_sub(name, 0, 100)), names[near]);
	else
		err_set(err, "there is no option --%.*s",
		    STR_ARG(str_sub(name, 0, 100)));
	free(names);
	return -1;
}

static const struct opt *
find_name(const struct opt *table, struct str name)
{
	for (const struct opt *row = table; row->name; row++)
		if (str_eq(str_of(row->name), name))
			return row;
	return NULL;
}

static const struct opt *
find_letter(const struct opt *table, char letter)
{
	for (const struct opt *row = table; row->name; row++)
		if (row->letter != 0 && row->letter == letter)
			return row;
	return NULL;
}

/* argv as it is read. */
struct args {
	const struct opt *table;
	void *into;
	int argc;
	int at; /* the next to be read */
	char **argv;
};

/* The value that stands in the next argument. */
static int
set_next(struct args *a, const struct opt *row, struct err *err)
{
	if (a->at >= a->argc)
		return err_set(err, "--%s needs a value: %s", row->name,
		    row->arg);
	return opt_set(row, a->into, a->argv[a->at++], err);
}

/* "--name", "--name=value", "--name" "value". */
static int
parse_long(struct args *a, const char *text, struct err *err)
{
	struct str all = str_of(text + 2);
	struct str name = all;
	bool has_value;
	const struct opt *row;

	name.n = str_find(all, '=');
	has_value = name.n != SIZE_MAX;
	if (!has_value)
		name.n = all.n;
	row = find_name(a->table, name);
	if (!row)
		return unknown(a->table, name, err);
	if (row->type == OPT_FLAG && has_value)
		return err_set(err, "--%s takes no value", row->name);
	if (row->type == OPT_FLAG)
		return opt_set(row, a->into, "", err);
	if (has_value)
		return opt_set(row, a->into, text + 2 + name.n + 1, err);
	return set_next(a, row, err);
}

/* "-q", "-qv", "-j4", "-j" "4". */
static int
parse_short(struct args *a, const char *text, struct err *err)
{
	for (const char *p = text + 1; *p; p++) {
		const struct opt *row = find_letter(a->table, *p);
		int rc;

		if (!row && *p > ' ' && *p <= '~')
			return err_set(err, "there is no option -%c", *p);
		if (!row)
			return err_set(err, "there is no option -\\x%02x",
			    (unsigned char)*p);
		if (row->type != OPT_FLAG && p[1] != '\0')
			return opt_set(row, a->into, p + 1, err);
		if (row->type != OPT_FLAG)
			return set_next(a, row, err);
		rc = opt_set(row, a->into, "", err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int
opt_parse(const struct opt *table, void *into, int argc, char **argv, int *rest,
    struct err *err)
{
	struct args a = {
		.table = table,
		.into = into,
		.argc = argc,
		.argv = argv,
	};
	bool ended = false;

	*rest = 0;
	while (a.at < argc) {
		char *text = argv[a.at++];
		int rc = 0;

		if (ended || text[0] != '-' || text[1] == '\0')
			argv[(*rest)++] = text;
		else if (strcmp(text, "--") == 0)
			ended = true;
		else if (text[1] == '-')
			rc = parse_long(&a, text, err);
		else
			rc = parse_short(&a, text, err);
		if (rc < 0)
			return -1;
	}
	return 0;
}

void
opt_wrap(struct buf *out, struct str text, size_t col, size_t indent,
    size_t width)
{
	bool first = true;

	if (width < indent + HELP_MIN)
		width = indent + HELP_MIN;
	while (text.n > 0) {
		struct str word = text;

		if (!str_cut(&text, ' ', &word))
			text.n = 0;
		if (word.n == 0)
			continue;
		if (!first && col + 1 + word.n > width) {
			buf_char(out, '\n');
			col = 0;
			first = true;
		}
		for (; first && col < indent; col++)
			buf_char(out, ' ');
		if (!first) {
			buf_char(out, ' ');
			col++;
		}
		buf_str(out, word);
		col += word.n;
		first = false;
	}
	buf_char(out, '\n');
}

/* "  -j, --threads N" */
static void
help_name(struct buf *out, const struct opt *row)
{
	if (row->letter)
		buf_printf(out, "  -%c, --%s", row->letter, row->name);
	else
		buf_printf(out, "      --%s", row->name);
	if (row->arg)
		buf_printf(out, " %s", row->arg);
}

void
opt_words(struct buf *out, const struct opt *row)
{
	buf_cat(out, row->help);
	if (row->type == OPT_CHOICE) {
		buf_cat(out, " One of");
		for (size_t i = 0; i < choices_count(row); i++)
			buf_printf(out, "%s %s", i ? "," : "", row->choices[i]);
		buf_char(out, '.');
	}
	if (row->type == OPT_TIME)
		buf_printf(out, " %s is %s.", row->arg, time_words);
	if (row->type == OPT_LIST)
		buf_cat(out, " May be given again.");
	if (row->preset)
		buf_printf(out, " Default: %s.", row->preset);
	else if (row->absent)
		buf_printf(out, " Default: %s.", row->absent);
}

void
opt_help(struct buf *out, const struct opt *table, size_t width)
{
	struct buf text = { 0 };

	for (const struct opt *row = table; row->name; row++) {
		size_t begin;
		size_t col;

		if (row->group)
			buf_printf(out, "%s%s:\n", row == table ? "" : "\n",
			    row->group);
		begin = out->n;
		help_name(out, row);
		col = out->n - begin;
		if (col + 2 > HELP_INDENT) {
			buf_char(out, '\n');
			col = 0;
		}
		buf_reset(&text);
		opt_words(&text, row);
		opt_wrap(out, buf_view(&text), col, HELP_INDENT, width);
	}
	buf_fini(&text);
}

/* Text for roff: a backslash is \e, a line must not begin with a dot, and a
 * sentence ends its line. */
static void
roff_text(struct buf *out, struct str text)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (c == '\\')
			buf_cat(out, "\\e");
		else if (c == ' ' && i > 0 && text.p[i - 1] == '.')
			buf_char(out, '\n');
		else
			buf_char(out, c);
	}
	buf_char(out, '\n');
}

void
opt_mdoc(struct buf *out, const struct opt *table)
{
	struct buf text = { 0 };

	buf_cat(out, ".Bl -tag -width Ds\n");
	for (const struct opt *row = table; row->name; row++) {
		buf_cat(out, ".It Fl ");
		if (row->letter)
			buf_printf(out, "%c , Fl ", row->letter);
		buf_printf(out, "\\-%s", row->name);
		if (row->arg)
			buf_printf(out, " Ar %s", row->arg);
		buf_char(out, '\n');
		buf_reset(&text);
		opt_words(&text, row);
		roff_text(out, buf_view(&text));
	}
	buf_cat(out, ".El\n");
	buf_fini(&text);
}
