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

/* The documents of traces 0 to n - 1 are those that text_of gives. */
static void
text_of(char text[400], unsigned number, unsigned version)
{
	snprintf(text, 400, "{\"n\":%u,\"v\":%u,\"pad\":\"%0*u\"}", number,
	    version, 100 + (int)(number % 200), number * 2654435761u);
}

static void
expect_texts(struct store *s, unsigned n, unsigned changed)
{
	struct arena arena = { 0 };
	struct err err = { "" };
	char id[STORE_ID_SIZE + 1], text[400];

	for (unsigned i = 0; i < n; i++) {
		struct store_documents d;

		snprintf(id, sizeof id, "1-%08x-%024x", i, i);
		text_of(text, i, i < changed);
		arena_reset(&arena);
		cr_assert(store_documents(s, str_of(id), &arena, &d, &err) == 0,
		    "%s", err.text);
		cr_expect(d.n == 1 && str_eq(d.v[0], str_of(text)), "%u", i);
	}
	arena_fini(&arena);
}

static void
replace(struct store *s, unsigned number)
{
	char id[STORE_ID_SIZE + 1], text[400];
	struct str document;
	struct trace_view view = { .trace = VIEW_PART_NONE };
	struct store_trace t = { .view = &view,
		.documents = &document,
		.n_documents = 1 };
	struct err err = { "" };

	snprintf(id, sizeof id, "1-%08x-%024x", number, number);
	text_of(text, number, 1);
	document = str_of(text);
	t.id = (struct str){ id, STORE_ID_SIZE };
	cr_assert(store_replace_trace(s, &t, &err) == 0, "%s", err.text);
}

static int64_t
number(const char *path, const char *sql)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *stmt = NULL;
	int64_t n = -1;

	cr_assert(sqlite3_open(path, &db) == SQLITE_OK);
	cr_assert(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK,
	    "%s", sqlite3_errmsg(db));
	if (sqlite3_step(stmt) == SQLITE_ROW)
		n = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return n;
}

Test(store, documents_of_many_blocks_are_read_back_at_any_time)
{
	enum { TRACES = 3000, CHANGED = 900 };
	const char *path = path_new();
	struct store *s = must_open(path, STORE_WRITE);
	struct err err = { "" };
	char text[400];
	int64_t before;

	cr_assert(store_begin(s, &err) == 0);
	for (unsigned i = 0; i < TRACES; i++) {
		text_of(text, i, 0);
		add(s, i, i, text);
	}
	expect_texts(s, TRACES, 0);
	cr_assert(store_commit(s, &err) == 0);
	before = number(path, "SELECT count(*) FROM trace_blocks");
	cr_expect(before > 5, "%lld", (long long)before);
	cr_assert(store_begin(s, &err) == 0);
	for (unsigned i = 0; i < CHANGED; i++)
		replace(s, i);
	expect_texts(s, TRACES, CHANGED);
	cr_assert(store_commit(s, &err) == 0);
	store_close(s);
	/* Blocks of what was replaced went, and new ones came. */
	cr_expect(
	    number(path, "SELECT count(*) FROM trace_blocks") <= before + 1);
	cr_expect(number(path, "SELECT count(*) FROM trace_blocks WHERE n NOT "
			       "IN (SELECT block FROM traces)") == 0);
	s = must_open(path, STORE_READ);
	expect_texts(s, TRACES, CHANGED);
	store_close(s);
	unlink(path);
}

/* A minute's roll-up of so many requests. */
static void
roll_up(struct store *s, int64_t requests, int64_t slow)
{
	struct store_rollup u = { .minute_ns = 60 * NS_PER_SEC,
		.service = STR("like"),
		.route = STR("/"),
		.method = STR("GET"),
		.requests = requests,
		.slow = slow };
	struct err err = { "" };

	cr_assert(store_put_rollup(s, &u, &err) == 0, "%s", err.text);
}

Test(store, the_fullest_roll_up_of_a_minute_stays)
{
	const char *path = path_new();
	struct store *s = must_open(path, STORE_WRITE);
	struct err err = { "" };

	cr_assert(store_begin(s, &err) == 0);
	roll_up(s, 5, 1);
	roll_up(s, 9, 3);
	roll_up(s, 7, 7);
	roll_up(s, 9, 4);
	cr_assert(store_commit(s, &err) == 0);
	store_close(s);
	cr_expect(number(path, "SELECT count(*) FROM rollup") == 1);
	cr_expect(
	    number(path, "SELECT requests * 10 + slow FROM rollup") == 94);
	unlink(path);
}

static void
find(struct store *s, int64_t end, uint64_t total, const char *document)
{
	char service[] = "like";
	struct finding f = { .rule = "not-found",
		.service = service,
		.end_ns = end,
		.total = total };
	struct store_finding put = { &f, str_of(document), str_of(document) };
	struct err err = { "" };

	memset(f.id, 'x', sizeof f.id);
	cr_assert(store_put_finding(s, &put, &err) == 0, "%s", err.text);
}

Test(store, a_finding_is_updated_by_what_saw_as_much)
{
	static const struct {
		int64_t end;
		uint64_t total;
		const char *text;
		bool stays;
	} rows[] = {
		{ 10, 5, "first", true },
		{ 10, 5, "other words", true },
		{ 9, 8, "ends before", false },
		{ 10, 4, "of fewer", false },
		{ 10, 6, "of more", true },
		{ 12, 1, "ends later", true },
	};
	const char *path = path_new();
	struct store *s = must_open(path, STORE_WRITE);
	struct err err = { "" };

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char sql[200];

		cr_assert(store_begin(s, &err) == 0);
		find(s, rows[i].end, rows[i].total, rows[i].text);
		cr_assert(store_commit(s, &err) == 0);
		snprintf(sql, sizeof sql,
		    "SELECT count(*) FROM finding JOIN message USING(id)"
		    " WHERE finding.text = '%s' AND message.text = '%s'",
		    rows[i].text, rows[i].text);
		cr_expect(number(path, sql) == rows[i].stays, "%s",
		    rows[i].text);
	}
	cr_expect(number(path, "SELECT count(*) FROM message") == 1);
	store_close(s);
	unlink(path);
}

Test(store, a_request_keeps_its_trace_and_a_log_its_words)
{
	const char *path = path_new();
	struct store *s = must_open(path, STORE_WRITE);
	struct store_request q = { .id = STR("q"),
		.status = 200,
		.duration_ns = VIEW_NONE,
		.document = STR("{}") };
	struct store_log l = { .id = STR("l"), .text = STR("out of memory") };
	struct err err = { "" };

	cr_assert(store_begin(s, &err) == 0);
	cr_assert(store_put_request(s, &q, &err) == 0);
	q.trace = STR("1-2-3");
	q.document = STR("{\"trace\":1}");
	cr_assert(store_put_request(s, &q, &err) == 0);
	q.trace = (struct str){ NULL, 0 };
	q.status = 500;
	q.document = STR("{\"no\":0}");
	cr_assert(store_put_request(s, &q, &err) == 0);
	cr_assert(store_put_log(s, &l, &err) == 0);
	cr_assert(store_put_log(s, &l, &err) == 0);
	cr_assert(store_commit(s, &err) == 0);
	cr_expect(number(path, "SELECT status FROM request"
			       " WHERE trace = '1-2-3'") == 200);
	cr_expect(number(path, "SELECT count(*) FROM log JOIN message USING(id)"
			       " JOIN message_index f ON f.rowid = message.n"
			       " WHERE message_index MATCH 'memory'") == 1);
	cr_assert(store_begin(s, &err) == 0);
	cr_assert(store_note_last(s, 100 * NS_PER_SEC, &err) == 0);
	cr_assert(store_retain(s, 50 * NS_PER_SEC, 0, &err) == 0);
	cr_assert(store_commit(s, &err) == 0);
	store_close(s);
	cr_expect(number(path, "SELECT (SELECT count(*) FROM log)"
			       " + (SELECT count(*) FROM request)"
			       " + (SELECT count(*) FROM message)") == 0);
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
