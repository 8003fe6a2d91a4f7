/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store's promises: all or nothing, the same twice is the same, what is
 * no store is refused untouched, the old goes first.
 */
#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/when.h"
#include "store/store.h"

static const struct trace_view nothing;

static const char *
path_new(void)
{
	static char path[128];
	static int n;

	snprintf(path, sizeof path, "%s/store-%d-%d.db",
	    getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp", (int)getpid(), n++);
	unlink(path);
	return path;
}

static struct store *
must_open(const char *path, enum store_mode mode)
{
	struct err err = { "" };
	struct store *s = store_open(path, mode, &err);

	cr_assert(s, "%s", err.text);
	return s;
}

/* A trace at a second, with a document. */
static int
add(struct store *s, unsigned number, int64_t second, const char *text)
{
	char id[STORE_ID_SIZE + 1];
	struct str document = str_of(text);
	struct view_part part = VIEW_PART_NONE;
	struct trace_view view = nothing;
	struct store_trace t = { .start_ns = second * NS_PER_SEC,
		.service = STR("like"),
		.view = &view,
		.documents = &document,
		.n_documents = 1 };
	struct err err = { "" };
	int rc;

	part.flags = VIEW_OK;
	view.trace = part;
	snprintf(id, sizeof id, "1-%08x-%024x", number, number);
	t.id = (struct str){ id, STORE_ID_SIZE };
	rc = store_add_trace(s, &t, &err);
	cr_assert(rc >= 0, "%s", err.text);
	return rc;
}

static size_t
count(const char *path)
{
	struct store *s = must_open(path, STORE_READ);
	struct store_where where = { .since_ns = WHEN_NONE,
		.until_ns = WHEN_NONE };
	struct err err = { "" };
	uint64_t n = 0;

	cr_assert(store_count(s, &where, &n, &err) == 0, "%s", err.text);
	store_close(s);
	return (size_t)n;
}

Test(store, a_trace_is_written_once_and_read_back)
{
	const char *path = path_new();
	struct store *s = must_open(path, STORE_WRITE);
	struct arena arena = { 0 };
	struct store_documents d;
	struct err err = { "" };

	cr_assert(store_begin(s, &err) == 0);
	cr_expect(add(s, 1, 10, "{\"a\":1}") == 0);
	cr_expect(add(s, 1, 10, "{\"a\":1}") == 1);
	cr_expect(store_documents(s, STR("1-00000001-000000000000000000000001"),
		      &arena, &d, &err) == 0);
	cr_expect(d.n == 1 && str_eq(d.v[0], STR("{\"a\":1}")));
	cr_expect(store_documents(s, STR("1-none"), &arena, &d, &err) == 0);
	cr_expect(d.n == 0);
	cr_assert(store_commit(s, &err) == 0);
	store_close(s);
	cr_expect(count(path) == 1);
	arena_fini(&arena);
	unlink(path);
}

Test(store, what_is_not_committed_was_never_there)
{
	const char *path = path_new();
	struct store *s = must_open(path, STORE_WRITE);
	struct err err = { "" };

	cr_assert(store_begin(s, &err) == 0);
	add(s, 1, 10, "{}");
	cr_assert(store_commit(s, &err) == 0);
	cr_assert(store_begin(s, &err) == 0);
	add(s, 2, 20, "{}");
	cr_expect(count(path) == 1, "read while it is written");
	store_close(s);
	cr_expect(count(path) == 1);
	unlink(path);
}

Test(store, old_traces_go_by_age_and_by_size)
{
	const char *path = path_new();
	struct store *s = must_open(path, STORE_WRITE);
	struct err err = { "" };
	char text[2000];
	uint64_t seed = 1;

	cr_assert(store_begin(s, &err) == 0);
	for (unsigned i = 0; i < 2000; i++) {
		for (size_t k = 0; k < sizeof text - 1; k++) {
			seed = seed * UINT64_C(6364136223846793005) + 1;
			text[k] = (char)('!' + (seed >> 40) % 90);
		}
		text[sizeof text - 1] = '\0';
		add(s, i, i, text);
	}
	cr_assert(store_note_last(s, 1999 * NS_PER_SEC, &err) == 0);
	cr_assert(store_retain(s, 1000 * NS_PER_SEC, 0, &err) == 0, "%s",
	    err.text);
	cr_assert(store_commit(s, &err) == 0);
	cr_expect(count(path) == 1001, "%zu", count(path));
	cr_assert(store_begin(s, &err) == 0);
	cr_assert(store_retain(s, 0, 1024 * 1024, &err) == 0, "%s", err.text);
	cr_assert(store_commit(s, &err) == 0, "%s", err.text);
	store_close(s);
	struct stat st;

	cr_assert(stat(path, &st) == 0);
	cr_expect(st.st_size <= 1024 * 1024, "%lld", (long long)st.st_size);
	cr_expect(count(path) > 100, "%zu", count(path));
	unlink(path);
}

/* The file's bytes, to see that they stay. */
static size_t
read_all(const char *path, char *p, size_t cap)
{
	FILE *f = fopen(path, "r");
	size_t n;

	cr_assert(f);
	n = fread(p, 1, cap, f);
	fclose(f);
	return n;
}

static void
write_all(const char *path, const char *p, size_t n)
{
	FILE *f = fopen(path, "w");

	cr_assert(f);
	cr_assert(fwrite(p, 1, n, f) == n);
	fclose(f);
}

/* Refused with these words both ways, untouched, nothing beside it. */
static void
refused(const char *path, const char *words)
{
	static char before[1 << 20], after[1 << 20];
	size_t n = read_all(path, before, sizeof before);
	char journal[160];
	struct stat st;

	for (int mode = STORE_READ; mode <= STORE_WRITE; mode++) {
		struct err err = { "" };
		struct store *s = store_open(path, (enum store_mode)mode, &err);

		cr_expect(!s && strstr(err.text, words), "%s: %s", words,
		    err.text);
		cr_expect(read_all(path, after, sizeof after) == n &&
			      memcmp(before, after, n) == 0,
		    "%s: it was written to", words);
		snprintf(journal, sizeof journal, "%s-wal", path);
		cr_expect(stat(journal, &st) != 0, "%s: %s", words, journal);
	}
	unlink(path);
}

static void
pragma(const char *path, const char *sql)
{
	sqlite3 *db = NULL;

	cr_assert(sqlite3_open(path, &db) == SQLITE_OK);
	cr_assert(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
	sqlite3_close(db);
}

Test(store, what_is_no_store_is_refused_untouched)
{
	const char *path = path_new();
	static char bytes[1 << 20];
	size_t n;

	write_all(path, "hello, this is a text", 21);
	refused(path, "it is no SQLite file");

	pragma(path, "CREATE TABLE mine(a)");
	refused(path, "of another program");

	store_close(must_open(path, STORE_WRITE));
	pragma(path, "PRAGMA user_version = 99");
	refused(path, "written by a newer telltale");

	store_close(must_open(path, STORE_WRITE));
	n = read_all(path, bytes, sizeof bytes);
	write_all(path, bytes, n / 2);
	refused(path, "is damaged");
}

Test(store, one_that_is_not_there_is_not_made_by_reading)
{
	const char *path = path_new();
	struct err err = { "" };
	struct stat st;

	cr_expect(!store_open(path, STORE_READ, &err));
	cr_expect(strstr(err.text, "there is no store"), "%s", err.text);
	cr_expect(stat(path, &st) != 0);
	cr_expect(!store_open("/nonexistent/x.db", STORE_WRITE, &err));
}

Test(store, a_damaged_page_is_a_message)
{
	const char *path = path_new();
	struct store *s = must_open(path, STORE_WRITE);
	struct store_where where = { .since_ns = WHEN_NONE,
		.until_ns = WHEN_NONE };
	static char bytes[1 << 20];
	struct store_row row;
	struct err err = { "" };
	size_t n;
	int rc;

	cr_assert(store_begin(s, &err) == 0);
	for (unsigned i = 0; i < 300; i++)
		add(s, i, i, "{\"some\":\"document\"}");
	cr_assert(store_commit(s, &err) == 0);
	store_close(s);
	n = read_all(path, bytes, sizeof bytes);
	memset(bytes + 8192, 0x5a, n - 8192);
	write_all(path, bytes, n);
	s = store_open(path, STORE_READ, &err);
	rc = s ? store_select(s, &where, true, &err) : -1;
	if (rc == 0)
		rc = 1;
	while (rc > 0)
		rc = store_next(s, &row, &err);
	cr_expect(rc < 0 && strstr(err.text, "damaged"), "%d %s", rc, err.text);
	store_close(s);
	unlink(path);
}
