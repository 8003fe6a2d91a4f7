/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Users' own dialects: a file of "name: pattern" lines.
 *
 * They are tried before the built-in ones, in the order of the file.  A time
 * that such a dialect brings may have any form that dialect_time_any knows.
 * Everything that can be wrong is said when the file is read: at match time a
 * pattern can only match or not.
 */
#include "ingest/dialect.h"
#include "ingest/message.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/buf.h"
#include "core/mem.h"

enum { USERS_MAX = 64, FILE_MAX = 1024 * 1024, NAME_MAX_BYTES = 32 };

struct dialect_user {
	struct dialect rows[USERS_MAX];
	size_t n;
	struct arena arena; /* names and patterns */
};

struct user_run {
	const struct dialect_user *of;
	struct regex *re[USERS_MAX];
	struct groups *groups[USERS_MAX];
};

static int
read_file(const char *path, struct buf *b, struct err *err)
{
	FILE *f = fopen(path, "rb");
	size_t n;

	if (!f)
		return err_set(err, "%s: %s", path, strerror(errno));
	do {
		n = fread(buf_room(b, 65536), 1, 65536, f);
		b->n += n;
	} while (n > 0 && b->n <= FILE_MAX);
	if (ferror(f))
		err_set(err, "%s: %s", path, strerror(errno));
	else if (b->n > FILE_MAX)
		err_set(err, "%s: at most 1 MiB of dialects was expected",
		    path);
	n = (size_t)(ferror(f) || b->n > FILE_MAX);
	fclose(f);
	return n ? -1 : 0;
}

static bool
is_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!scan_is_digit(c) && !(c >= 'a' && c <= 'z') &&
		    !(c >= 'A' && c <= 'Z') && c != '-' && c != '_')
			return false;
	}
	return s.n > 0 && s.n <= NAME_MAX_BYTES;
}

/* The '<' at `at` begins a group's name: "(?<" or "(?P<", no look-behind. */
static bool
names_group(struct str pattern, size_t at)
{
	struct str before = str_sub(pattern, 0, at);

	if (at + 1 < pattern.n &&
	    (pattern.p[at + 1] == '=' || pattern.p[at + 1] == '!'))
		return false;
	return str_ends(before, STR("(?")) || str_ends(before, STR("(?P"));
}

/*
 * Every group that has a name must have one of ours.  *useful tells whether
 * one of them makes a request.
 */
static int
check_groups(struct str pattern, bool *useful, struct err *err)
{
	for (size_t at = 0; at < pattern.n; at++) {
		struct str name;

		if (pattern.p[at] != '<' || !names_group(pattern, at))
			continue;
		name = str_from(pattern, at + 1);
		name = str_sub(name, 0, str_find(name, '>'));
		if (!groups_known(name))
			return err_set(err,
			    "group '%.*s': one of %s was expected",
			    (int)(name.n < 64 ? name.n : 64), name.p,
			    DIALECT_GROUPS);
		*useful |=
		    str_eq(name, STR("method")) || str_eq(name, STR("url")) ||
		    str_eq(name, STR("path")) || str_eq(name, STR("status"));
	}
	return 0;
}

static const char *
cstr_dup(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.n + 1);

	if (s.n)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return p;
}

static int
add_row(struct dialect_user *u, struct str line, struct err *err)
{
	struct str name;
	struct regex *re;
	bool useful = false;

	if (!str_cut(&line, ':', &name))
		return err_set(err, "'name: pattern' was expected");
	name = str_trim(name);
	line = str_trim(line);
	if (!is_name(name))
		return err_set(err,
		    "a name of at most %d letters, digits, "
		    "dashes and underlines was expected",
		    (int)NAME_MAX_BYTES);
	if (u->n == USERS_MAX)
		return err_set(err, "at most %d dialects were expected",
		    (int)USERS_MAX);
	if (line.n > 0 && memchr(line.p, '\0', line.n))
		return err_set(err, "a pattern without NUL was expected");
	for (size_t i = 0; i < u->n; i++)
		if (str_eq(name, str_of(u->rows[i].name)))
			return err_set(err,
			    "'%.*s' is there already: "
			    "another name was expected",
			    STR_ARG(name));
	if (check_groups(line, &useful, err) != 0)
		return -1;
	if (!useful)
		return err_set(err, "a group named method, url, path or "
				    "status was expected");
	re = regex_new(line, err);
	if (!re)
		return err_prefix(err, "a PCRE2 pattern was expected: ");
	regex_free(re);
	u->rows[u->n++] = (struct dialect){
		.name = cstr_dup(&u->arena, name),
		.help = "from the user's file",
		.pattern = cstr_dup(&u->arena, line),
		.clock = CLOCK_ANY,
	};
	return 0;
}

struct dialect_user *
dialect_user_load(const char *path, struct err *err)
{
	struct buf text = { 0 };
	struct dialect_user *u = xcalloc(1, sizeof *u);
	struct str rest;
	unsigned long number = 0;
	int rc = read_file(path, &text, err);

	rest = buf_view(&text);
	while (rc == 0 && rest.n > 0) {
		struct str line;

		if (!str_cut(&rest, '\n', &line)) {
			line = rest;
			rest.n = 0;
		}
		number++;
		line = str_trim(line);
		if (line.n == 0 || line.p[0] == '#')
			continue;
		rc = add_row(u, line, err);
		if (rc != 0)
			err_prefix(err, "%s, line %lu: ", path, number);
	}
	if (rc == 0 && u->n == 0)
		rc = err_set(err,
		    "%s: at least one 'name: pattern' line was "
		    "expected",
		    path);
	buf_fini(&text);
	if (rc == 0)
		return u;
	dialect_user_free(u);
	return NULL;
}

void
dialect_user_free(struct dialect_user *u)
{
	if (!u)
		return;
	arena_fini(&u->arena);
	free(u);
}

struct user_run *
user_run_new(const struct dialect_user *u)
{
	struct user_run *w = xcalloc(1, sizeof *w);
	struct err err;

	w->of = u;
	for (size_t i = 0; i < u->n; i++) {
		w->re[i] = regex_new(str_of(u->rows[i].pattern), &err);
		w->groups[i] = groups_new(w->re[i]);
	}
	return w;
}

void
user_run_free(struct user_run *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->of->n; i++) {
		regex_free(w->re[i]);
		groups_free(w->groups[i]);
	}
	free(w);
}

const struct dialect *
user_run_match(struct user_run *w, struct scan *s)
{
	for (size_t i = 0; i < w->of->n; i++) {
		if (!regex_match(w->re[i], s->line, NULL))
			continue;
		groups_fill(w->groups[i], w->re[i], s);
		return &w->of->rows[i];
	}
	return NULL;
}
