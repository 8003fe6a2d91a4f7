/* SPDX-License-Identifier: Apache-2.0 */
/* What an outbox knows after it was closed, cut, damaged and grown. */
#include "sinks/outbox.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "core/buf.h"

static char folder[] = "/tmp/outbox-XXXXXX";
static char file[64];

static void
set_up(void)
{
	cr_assert_not_null(mkdtemp(folder));
	snprintf(file, sizeof file, "%s/alerts.outbox", folder);
}

static void
take_down(void)
{
	char lock[64];

	snprintf(lock, sizeof lock, "%s/lock", folder);
	unlink(file);
	unlink(lock);
	rmdir(folder);
}

/* "AAAA…" for 'A'. */
static const char *
id(char c)
{
	static char all[4][HASH_ID_SIZE];
	char *one = all[c % 4];

	memset(one, c, HASH_ID_SIZE);
	return one;
}

static void
number_id(char out[HASH_ID_SIZE], int i)
{
	char text[32];

	snprintf(text, sizeof text, "%022d", i);
	memcpy(out, text, HASH_ID_SIZE);
}

static void
read_file(struct buf *b)
{
	int fd = open(file, O_RDONLY);

	cr_assert_geq(fd, 0);
	b->n = 0;
	b->n = (size_t)read(fd, buf_room(b, 1 << 20), 1 << 20);
	close(fd);
}

static void
write_file(struct str s)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, s.p, s.n), (ssize_t)s.n);
	close(fd);
}

/* A settled, B in doubt. */
static void
fill(const struct statedir *d)
{
	struct err err = { "" };
	struct outbox *o = outbox_open(d, &err);

	cr_assert(o, "%s", err.text);
	cr_expect_eq(outbox_state(o, id('A')), OUTBOX_NEW);
	cr_expect_eq(outbox_intend(o, id('A'), STR("a\nb"), &err), 0);
	cr_expect_eq(outbox_state(o, id('A')), OUTBOX_IN_DOUBT);
	cr_expect_eq(outbox_settle(o, id('A'), STR("m-1"), &err), 0);
	cr_expect_eq(outbox_intend(o, id('B'), STR(""), &err), 0);
	outbox_close(o);
}

Test(outbox, knows_it_again, .init = set_up, .fini = take_down)
{
	struct err err = { "" };
	struct statedir *d = statedir_open(folder, &err);
	struct outbox *o;

	fill(d);
	cr_expect_null(statedir_open(folder, &err));
	cr_expect(strstr(err.text, "another telltale"), "%s", err.text);
	o = outbox_open(d, &err);
	cr_expect_eq(outbox_state(o, id('A')), OUTBOX_SETTLED);
	cr_expect_eq(outbox_state(o, id('B')), OUTBOX_IN_DOUBT);
	cr_expect_eq(outbox_state(o, id('C')), OUTBOX_NEW);
	outbox_close(o);
	statedir_close(d);
}

Test(outbox, what_a_crash_left_is_cut_off, .init = set_up, .fini = take_down)
{
	struct err err = { "" };
	struct statedir *d = statedir_open(folder, &err);
	struct buf whole = { 0 };

	fill(d);
	read_file(&whole);
	for (size_t n = 0; n <= whole.n; n++) {
		struct str part = str_sub(buf_view(&whole), 0, n);
		struct outbox *o;
		size_t lines = 0;

		for (size_t i = 0; i < n; i++)
			lines += part.p[i] == '\n';
		write_file(part);
		o = outbox_open(d, &err);
		cr_assert(o, "%zu: %s", n, err.text);
		cr_expect_eq(outbox_state(o, id('A')), lines == 0 ? OUTBOX_NEW
						       : lines == 1
							   ? OUTBOX_IN_DOUBT
							   : OUTBOX_SETTLED);
		/* It goes on behind what was good. */
		cr_expect_eq(outbox_settle(o, id('C'), STR("c"), &err), 0);
		outbox_close(o);
		o = outbox_open(d, &err);
		cr_assert(o, "%zu: %s", n, err.text);
		cr_expect_eq(outbox_state(o, id('C')), OUTBOX_SETTLED);
		outbox_close(o);
	}
	buf_fini(&whole);
	statedir_close(d);
}

/*
 * Every byte in turn: before the last line it is said, and nothing is used; in
 * the last line it is as if that had not been written.  Never is anything taken
 * for settled that was not.
 */
Test(outbox, damage_is_seen, .init = set_up, .fini = take_down)
{
	struct err err = { "" };
	struct statedir *d = statedir_open(folder, &err);
	struct buf whole = { 0 };
	size_t last;

	fill(d);
	read_file(&whole);
	last = str_find_last(str_sub(buf_view(&whole), 0, whole.n - 1), '\n');
	for (size_t i = 0; i < whole.n; i++) {
		char was = whole.p[i];
		struct outbox *o;

		for (int bit = 0; bit < 8; bit++) {
			whole.p[i] = (char)(was ^ 1 << bit);
			write_file(buf_view(&whole));
			o = outbox_open(d, &err);
			cr_assert_eq(!o, i < last, "%zu %d: %s", i, bit,
			    err.text);
			if (!o)
				cr_assert(strstr(err.text, "is damaged"), "%s",
				    err.text);
			if (o && i > last)
				cr_assert_eq(outbox_state(o, id('A')),
				    OUTBOX_SETTLED);
			if (o)
				cr_assert_eq(outbox_state(o, id('B')),
				    OUTBOX_NEW);
			outbox_close(o);
		}
		whole.p[i] = was;
	}
	buf_fini(&whole);
	statedir_close(d);
}

Test(outbox, is_written_anew_when_most_of_it_is_of_no_use, .init = set_up,
    .fini = take_down)
{
	enum { N = 3000 };
	struct err err = { "" };
	struct statedir *d = statedir_open(folder, &err);
	struct outbox *o = outbox_open(d, &err);
	struct buf whole = { 0 };
	char one[HASH_ID_SIZE];

	for (int i = 0; i < N; i++) {
		number_id(one, i);
		cr_assert_eq(outbox_intend(o, one, STR("words"), &err), 0);
		if (i % 100 != 7)
			cr_assert_eq(outbox_settle(o, one, STR("x"), &err), 0);
	}
	outbox_close(o);
	read_file(&whole);
	size_t before = whole.n;
	for (int again = 0; again < 2; again++) {
		o = outbox_open(d, &err);
		cr_assert(o, "%s", err.text);
		for (int i = 0; i < N; i++) {
			number_id(one, i);
			cr_assert_eq(outbox_state(o, one),
			    i % 100 != 7 ? OUTBOX_SETTLED : OUTBOX_IN_DOUBT);
		}
		cr_expect_eq(outbox_settle(o, id('A'), STR("x"), &err), 0);
		outbox_close(o);
		read_file(&whole);
		cr_expect_lt(whole.n, before * 3 / 4);
	}
	buf_fini(&whole);
	statedir_close(d);
}

Test(outbox, words_are_one_line_and_short, .init = set_up, .fini = take_down)
{
	struct err err = { "" };
	struct statedir *d = statedir_open(folder, &err);
	struct outbox *o = outbox_open(d, &err);
	struct buf words = { 0 }, whole = { 0 };

	for (int i = 0; i < 300; i++)
		buf_cat(&words, "\né");
	cr_expect_eq(outbox_intend(o, id('A'), buf_view(&words), &err), 0);
	outbox_close(o);
	read_file(&whole);
	cr_expect_eq(str_find(buf_view(&whole), '\n'), whole.n - 1);
	cr_expect_lt(whole.n, (size_t)300);
	buf_fini(&words);
	buf_fini(&whole);
	statedir_close(d);
}
